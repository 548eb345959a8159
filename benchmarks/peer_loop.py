"""The limit: a hand-written loop with the standard library's parser and raw sqlite3.

It parses (compat32), decodes, threads by In-Reply-To and References, and stores letter, case and
raw bytes with one fully synced commit a letter. No encryption, no rules, no acknowledgement.
"""

from __future__ import annotations

import email
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
    id INTEGER PRIMARY KEY, case_id INTEGER, message_id TEXT UNIQUE, text TEXT, raw BLOB
);
CREATE INDEX letters_case ON letters (case_id);
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
    text = _text(message)
    sender = email.utils.parseaddr(str(message["From"]))[1]
    database.execute("BEGIN IMMEDIATE")
    case = _case(database, message)
    if case is None:
        new = "INSERT INTO cases (subject, client, waiting) VALUES (?, ?, 0)"
        case = database.execute(new, (str(message["Subject"]), sender)).lastrowid
    else:
        database.execute("UPDATE cases SET waiting = 1 WHERE id = ?", (case,))
    row = (case, message["Message-ID"], text, raw)
    database.execute(
        "INSERT INTO letters (case_id, message_id, text, raw) VALUES (?, ?, ?, ?)", row
    )
    database.execute("COMMIT")


def _case(database: sqlite3.Connection, message: Message) -> int | None:
    references = str(message.get("References", "")).split()[::-1]
    for reference in [message.get("In-Reply-To"), *references]:
        found = database.execute("SELECT case_id FROM letters WHERE message_id = ?", (reference,))
        row = found.fetchone()
        if row:
            return int(row[0])
    return None


def _text(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            body = part.get_payload(decode=True) or b""
            assert isinstance(body, bytes)
            return body.decode(part.get_content_charset() or "utf-8", "replace")
    return ""
