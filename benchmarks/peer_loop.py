"""The limit: a hand-written loop with the standard library's parser and raw sqlite3.

It does what any letter-keeping program must: parse (compat32), decode every part, thread by
In-Reply-To and References, and store case, letter, raw bytes and attachments with one fully synced
commit a letter. No encryption, no proof of who wrote, no rules, no acknowledgement.
"""

from __future__ import annotations

import email
import email.header
import email.utils
import sqlite3
from collections.abc import Iterable
from email.message import Message
from pathlib import Path

from benchmarks.corpus import Mail

SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE cases (id INTEGER PRIMARY KEY, subject TEXT, client TEXT, waiting REAL);
CREATE TABLE letters (
    id INTEGER PRIMARY KEY, case_id INTEGER, message_id TEXT UNIQUE, sent REAL, text TEXT, raw BLOB
);
CREATE TABLE files (id INTEGER PRIMARY KEY, letter_id INTEGER, name TEXT, data BLOB);
CREATE INDEX cases_waiting ON cases (waiting);
CREATE INDEX letters_case ON letters (case_id, sent);
"""


def run(path: Path, mails: Iterable[Mail]) -> int:
    """Store the letters and return how many there were."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(SCHEMA)
    count = 0
    for mail in mails:
        _one(database, mail.raw)
        count += 1
    database.close()
    return count


def _one(database: sqlite3.Connection, raw: bytes) -> None:
    message = email.message_from_bytes(raw)
    text, files = _parts(message)
    sender = email.utils.parseaddr(str(message["From"]))[1]
    subject = str(email.header.make_header(email.header.decode_header(message["Subject"])))
    sent = email.utils.parsedate_to_datetime(message["Date"]).timestamp()
    database.execute("BEGIN IMMEDIATE")
    case = _case(database, message)
    if case is None:
        new = "INSERT INTO cases (subject, client, waiting) VALUES (?, ?, ?)"
        case = database.execute(new, (subject, sender, sent)).lastrowid
    else:
        database.execute("UPDATE cases SET waiting = ? WHERE id = ?", (sent, case))
    letter = "INSERT INTO letters (case_id, message_id, sent, text, raw) VALUES (?, ?, ?, ?, ?)"
    row = database.execute(letter, (case, message["Message-ID"], sent, text, raw)).lastrowid
    for name, data in files:
        file = "INSERT INTO files (letter_id, name, data) VALUES (?, ?, ?)"
        database.execute(file, (row, name, data))
    database.execute("COMMIT")


def _case(database: sqlite3.Connection, message: Message) -> int | None:
    references = str(message.get("References", "")).split()[::-1]
    for reference in [message.get("In-Reply-To"), *references]:
        found = database.execute("SELECT case_id FROM letters WHERE message_id = ?", (reference,))
        row = found.fetchone()
        if row:
            return int(row[0])
    return None


def _parts(message: Message) -> tuple[str, list[tuple[str, bytes]]]:
    """Decode every part; the first plain text is the letter, the others are its files."""
    text, files = "", []
    for part in message.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True) or b""
        assert isinstance(data, bytes)
        if part.get_content_type() == "text/plain" and not text:
            text = data.decode(part.get_content_charset() or "utf-8", "replace")
        else:
            files.append((part.get_filename() or "body.html", data))
    return text, files
