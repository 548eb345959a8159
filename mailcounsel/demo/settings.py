"""The configuration of the demonstration's centre."""

from __future__ import annotations

import os

ZONE = "Asia/Jakarta"
SMTP_INBOX = "halo@rumah.test"
IMAP_INBOX = "hello@rumah.test"

CONFIG = """\
# The demonstration's centre. Everything in it is invented.
[centre]
name = "Rumah Surat"
sender_name = "Rumah Surat"
time_zone = "{zone}"
languages = ["id", "en"]

[emergency]
id = "Telepon 112, kapan saja (contoh)."
en = "Call 112, at any time (an example)."

[limits]
automatic_per_sender_day = 50        # a newcomer who plays the client writes a lot in a day

[smtp]
port = 0
hostname = "rumah.test"

[smarthost]
host = "127.0.0.1"
port = {post}
tls = "none"

[[inbox]]
address = "{smtp_inbox}"
queue = "umum"

[[inbox]]
address = "{imap_inbox}"
queue = "umum"
language = "en"
{imap}
[[person]]
name = "wulan"
roles = ["therapist"]
uid = {uid}
queues = ["umum"]

[[person]]
name = "sari"
roles = ["supervisor", "admin"]
uid = {uid}

[[queue]]
name = "umum"
supervisor = "sari"

[[rule]]
name = "school"
text_contains = ["sekolah", "ujian", "school", "exam"]
tags = ["school"]
"""

IMAP = """
[inbox.imap]
host = "127.0.0.1"
port = {port}
tls = "none"
user = "{user}"
password_file = "imap-password"
junk_folder = false
"""


def config_text(post: int, imap: int | None) -> str:
    """Write the configuration; `post` and `imap` are ports, the second None without a mailbox."""
    return CONFIG.format(
        zone=ZONE,
        post=post,
        smtp_inbox=SMTP_INBOX,
        imap_inbox=IMAP_INBOX,
        imap=IMAP.format(port=imap, user=IMAP_INBOX) if imap else "",
        uid=os.geteuid(),
    )
