"""A letter arrives: by SMTP or IMAP, into the inbox, through the nine steps."""
