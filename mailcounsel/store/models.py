"""The rows. A class here never holds clear text of or about a client.

Columns named `sealed…`, `content`, `source`, `raw`, `label`, `detail` or `answer` hold sealed
values (format version, key id, payload; see `mailcounsel.crypto.sealing`). Columns named `…lookup`
hold keyed hashes. What is left readable (times, states, counts, opaque ids) is `READABLE` at the
end of this file, against which SECURITY.md is checked.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, cast

from sqlalchemy import BigInteger, Index, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

from mailcounsel.store.columns import UtcDateTime, new_id


def moment() -> datetime:
    """Declare a required moment, aware and in UTC."""
    return cast("datetime", Field(sa_type=UtcDateTime))


def later() -> datetime | None:
    """Declare a moment that may not have come yet."""
    return cast("datetime | None", Field(default=None, sa_type=UtcDateTime))


def opaque_id() -> str:
    """Declare a primary key that tells nothing."""
    return cast("str", Field(default_factory=new_id, primary_key=True))


def seconds() -> int:
    """Declare a lease: seconds since 1970 on the database's own clock, 0 when nobody holds it."""
    return cast("int", Field(default=0, sa_type=BigInteger))


class Client(SQLModel, table=True):
    """A person who writes. Their addresses and keys stand in `Address` and `Pin`."""

    id: str = opaque_id()
    language: str
    time_zone: str
    checkins: str = "on"  # on, paused, stopped
    created_at: datetime = moment()


class Address(SQLModel, table=True):
    """An address a client writes from, sealed with the address book's key."""

    id: str = opaque_id()
    client_id: str = Field(foreign_key="client.id", index=True)
    lookup: bytes = Field(index=True)
    written_to: bool  # the one that replies go to: the first, until a person chooses another
    sealed: bytes
    created_at: datetime = moment()
    mac: bytes


class Pin(SQLModel, table=True):
    """An OpenPGP certificate met with a client; `mailcounsel.trust.pins` says in which states."""

    id: str = opaque_id()
    client_id: str = Field(foreign_key="client.id", index=True)
    lookup: bytes = Field(index=True)
    state: str  # seen, provisional, pinned, doubted, dropped, alarm
    sealed: bytes
    seen_at: datetime = moment()
    pinned_at: datetime | None = later()
    stopped_at: datetime | None = later()  # when it was doubted or dropped
    mac: bytes
    __table_args__ = (UniqueConstraint("client_id", "lookup"),)


class Consent(SQLModel, table=True):
    """A client's yes to counselling by ordinary mail, with its wording."""

    id: str = opaque_id()
    client_id: str = Field(foreign_key="client.id", index=True)
    letter_id: str
    version: str = ""  # of the wording, as the templates name it
    sealed_wording: bytes
    given_at: datetime = moment()
    withdrawn_at: datetime | None = later()
    mac: bytes


class Person(SQLModel, table=True):
    """The roster: who may be sealed to. Public halves only, bound by a row MAC."""

    name: str = Field(primary_key=True)
    public_key: bytes
    verify_key: bytes
    sealed_certificate: bytes
    sealed_statement: bytes
    enrolled_at: datetime = moment()
    revoked_at: datetime | None = later()
    mac: bytes


class Invite(SQLModel, table=True):
    """A one-time code with which a person enrols, or replaces a key they lost; with a row MAC."""

    lookup: bytes = Field(primary_key=True)
    person: str
    replaces: bool
    expires_at: datetime = moment()
    used_at: datetime | None = later()
    mac: bytes


class Case(SQLModel, table=True):
    """One client's matter. The table is called `casefile`, since CASE is a word of SQL."""

    __tablename__: ClassVar[str] = "casefile"
    id: str = opaque_id()
    number: int = Field(unique=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    queue: str
    state: str = "open"  # open, closed
    priority: int = 1  # 0 low, 1 normal, 2 high, 3 urgent
    assignee: str | None = None
    language: str
    sealed_inbox: bytes  # the address it is answered from
    sealed_tags: bytes | None = None
    sealed_thread: bytes | None = None  # Message-IDs the next mail to the client refers to
    token_lookup: bytes = Field(unique=True)
    sealed_token: bytes
    word_lookup: bytes | None = Field(default=None, index=True)  # its name in three plain words
    epoch: int = 1
    letters: int = 0
    suspect: bool = False
    maybe_case_id: str | None = None
    merged_into: str | None = None
    split_from: str | None = None  # the case its first letters lay in before
    created_at: datetime = moment()
    waiting_since: datetime | None = later()
    promised_at: datetime | None = later()
    promised_since: datetime | None = later()  # from when on that promise is counted
    answered_at: datetime | None = later()
    exchanges: int = 0  # replies that left since the last evaluation
    evaluate_every: int = 0  # replies after which the plan is looked at again; 0: not agreed yet
    rhythm_days: int = 0  # within which a letter is answered, as agreed; 0: as the queue promises
    erased_at: datetime | None = later()
    version: int = 1
    __table_args__ = (
        Index("casefile_queue", "state", "queue", "priority", "waiting_since"),
        Index("casefile_waiting", "waiting_since"),
        # Of linked cases only, as the migration says. Said here, it would load all of PostgreSQL's
        # side of SQLAlchemy, two megabytes, for a centre with SQLite.
        Index("casefile_merged", "merged_into"),
    )


class CaseKey(SQLModel, table=True):
    """The public half of a case's key pair. `content` for its readers, `source` for supervisors."""

    __tablename__: ClassVar[str] = "case_key"
    case_id: str = Field(primary_key=True, foreign_key="casefile.id")
    epoch: int = Field(primary_key=True)
    purpose: str = Field(primary_key=True)  # content, source
    public: bytes
    created_at: datetime = moment()
    mac: bytes


class CaseKeyCopy(SQLModel, table=True):
    """The private half of a case's key pair, sealed to one reader."""

    __tablename__: ClassVar[str] = "case_key_copy"
    case_id: str = Field(primary_key=True, foreign_key="casefile.id")
    epoch: int = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    sealed: bytes


class Letter(SQLModel, table=True):
    """One entry of a case: a letter that came, a letter that went, or a note."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id")
    number: int
    epoch: int
    direction: str  # in, out, note
    kind: str  # letter, answer, command, bounce, automatic, reply, acknowledgement, checkin, …
    at: datetime = moment()
    vouching: str = ""  # signed, token, border, nothing
    suspect: bool = False
    author: str | None = None
    content: bytes  # sealed to the case's content key
    source: bytes | None = None  # raw mail, sealed to the case's source key
    __table_args__ = (UniqueConstraint("case_id", "number"),)


class Attachment(SQLModel, table=True):
    """A file that came with a letter, sealed by itself; its name stands in the letter's content."""

    letter_id: str = Field(primary_key=True, foreign_key="letter.id")
    number: int = Field(primary_key=True)
    content: bytes


class Resealed(SQLModel, table=True):
    """A piece of a letter on its way to another case, sealed anew by a reader for that case."""

    case_id: str = Field(primary_key=True, foreign_key="casefile.id")  # where it goes
    letter_id: str = Field(primary_key=True)
    part: str = Field(primary_key=True)  # content, source, attachment/N
    start: int = Field(primary_key=True)  # in bytes
    content: bytes


class Reading(SQLModel, table=True):
    """Who has opened which letter, and when first."""

    letter_id: str = Field(primary_key=True, foreign_key="letter.id")
    person: str = Field(primary_key=True)
    at: datetime = moment()


class Imprint(SQLModel, table=True):
    """By what a locked or signed letter is known again, hashed; of a lock, from which address."""

    id: str = opaque_id()
    letter_id: str = Field(foreign_key="letter.id", index=True)
    lookup: bytes = Field(index=True)
    sender_lookup: bytes  # b"" of a signature, without a sender, and once forgotten


class MessageId(SQLModel, table=True):
    """A Message-ID, hashed, and the case it belongs to. Ids may be reused, so it is not unique."""

    __tablename__: ClassVar[str] = "message_id"
    id: str = opaque_id()
    lookup: bytes = Field(index=True)
    case_id: str = Field(foreign_key="casefile.id", index=True)
    letter_id: str | None = None
    outgoing_id: str | None = None


class Inbox(SQLModel, table=True):
    """A letter kept the moment it arrived, until the nine steps have placed it."""

    id: str = opaque_id()
    received_at: datetime = moment()
    content_lookup: bytes | None = Field(default=None, unique=True)
    state: str = "received"  # received, case, quarantine, discarded, own-loop
    reason: str = ""
    attempts: int = 0
    due_at: datetime = moment()
    lease_until: int = seconds()
    fence: int = 0
    sealed_envelope: bytes
    raw: bytes | None
    letter_id: str | None = None
    case_id: str | None = None
    noticed_at: datetime | None = later()  # when it was found in quarantine, so that staff hear
    __table_args__ = (Index("inbox_due", "state", "due_at"),)


class Sighting(SQLModel, table=True):
    """The ledger: where a letter was seen. Every line ends in one inbox row."""

    id: str = opaque_id()
    account: str  # "smtp", or a keyed hash of the IMAP account, in hexadecimal
    folder: str
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: str
    inbox_id: str = Field(foreign_key="inbox.id", index=True)
    seen_at: datetime = moment()
    server: str = "there"  # there, moved, deleted, gone
    __table_args__ = (UniqueConstraint("account", "folder", "uidvalidity", "uid"),)


class Mailbox(SQLModel, table=True):
    """Which process looks after an IMAP account, and how it last went."""

    account: str = Field(primary_key=True)
    lease_until: int = seconds()
    fence: int = 0
    worker: str = ""
    looked_at: datetime | None = later()
    problem: str = ""


class Outgoing(SQLModel, table=True):
    """A letter on its way out. Its words, address and key are sealed with the in-flight key."""

    id: str = opaque_id()
    case_id: str | None = Field(default=None, foreign_key="casefile.id", index=True)
    letter_id: str | None = None
    kind: str  # reply, acknowledgement, notice, checkin, …
    state: str  # held, waiting, ready, handing-over, sent, uncertain, failed, bounced, undone
    reason: str = ""
    author: str | None = None
    once: str | None = Field(default=None, unique=True)  # what this letter exists once for
    to_lookup: bytes
    automatic: bool
    created_at: datetime = moment()
    due_at: datetime = moment()
    expires_at: datetime | None = later()
    sent_at: datetime | None = later()
    attempts: int = 0
    lease_until: int = seconds()
    fence: int = 0
    sealed: bytes | None
    __table_args__ = (
        Index("outgoing_due", "state", "due_at"),
        Index("outgoing_to", "to_lookup", "created_at"),
    )


class Goal(SQLModel, table=True):
    """What a client is asked about regularly: a goal agreed with them, practice, or a measure."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    number: int  # each kind counts for itself
    asks: str = "goal"  # goal, practice, mood, measure
    label: bytes  # the short text released for check-ins, sealed with the address book's key
    detail: bytes  # text and target, sealed to the case's content key
    sealed_praise: bytes | None = None  # words for reported practice, with the address book's key
    epoch: int
    every: str
    weekday: int | None = None
    at: str
    state: str = "active"  # active, stopped
    next_due_at: datetime = moment()
    created_at: datetime = moment()
    author: str
    __table_args__ = (
        UniqueConstraint("case_id", "asks", "number"),
        Index("goal_due", "state", "next_due_at"),
    )


class CheckIn(SQLModel, table=True):
    """One question about one goal. (goal, due time) exists once: a rule of the database."""

    __tablename__: ClassVar[str] = "checkin"
    id: str = opaque_id()
    goal_id: str = Field(foreign_key="goal.id")
    due_at: datetime = moment()
    state: str  # asked, answered, unsure, skipped
    reason: str = ""
    outgoing_id: str | None = None
    answer: bytes | None = None  # rating and words, sealed to the case's content key
    sealed_rest: bytes | None = None  # which items of which form it asks for once more
    epoch: int = 0
    letter_id: str | None = None
    answered_at: datetime | None = later()
    __table_args__ = (UniqueConstraint("goal_id", "due_at"),)


class Risk(SQLModel, table=True):
    """A sign of danger: open until a person closes it with a sentence."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    letter_id: str
    cause: str = "words"  # words, answer, goal, silence, bounced
    step: int = 0  # how many people were told that nobody has read it yet
    opened_at: datetime = moment()
    read_by: str | None = None
    read_at: datetime | None = later()
    closed_by: str | None = None
    closed_at: datetime | None = later()
    sealed_sentence: bytes | None = None


class Errand(SQLModel, table=True):
    """Something to be done for a case at a moment: a reminder, a warning, a follow-up.

    (kind, ref, due time) exists once: a rule of the database. `ref` is an opaque id.
    """

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    kind: str
    ref: str
    due_at: datetime = moment()
    state: str = "waiting"  # waiting, done, dropped
    attempts: int = 0
    __table_args__ = (
        UniqueConstraint("kind", "ref", "due_at"),
        Index("errand_due", "state", "due_at"),
    )


class Promise(SQLModel, table=True):
    """An answer promised by a moment: kept, broken, or still to come."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    made_at: datetime = moment()
    promised_at: datetime = moment()
    told_at: datetime | None = later()  # that it will be later, the last time
    times_told: int = 0
    answered_at: datetime | None = later()
    settled_at: datetime | None = later()  # closed by a person: not owed any more


class Appointment(SQLModel, table=True):
    """A meeting by video or telephone, its room and words sealed with the address book's key."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    number: int
    state: str = "proposed"  # proposed, accepted, declined, moved, cancelled, past
    sequence: int = 0  # RFC 5545 §3.8.7.4
    starts_at: datetime = moment()
    ends_at: datetime = moment()
    author: str
    sealed: bytes
    __table_args__ = (UniqueConstraint("case_id", "number"),)


class Wish(SQLModel, table=True):
    """A client's wish for a copy of their file, or for its end, and what vouches for it.

    `sealed_reason` is why a person carried it out, sealed with the address book's key.
    """

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    letter_id: str | None = None
    kind: str  # copy, erase
    proof: str  # signed, new-key, token; person: decided without a letter that asks for it
    state: str  # notice, ready, denied, done
    outgoing_id: str | None = None  # the notice
    asked_at: datetime = moment()
    ended_at: datetime | None = later()
    ended_by: str | None = None
    sealed_reason: bytes | None = None


class Enclosure(SQLModel, table=True):
    """A piece of a file that goes with a reply, sealed with the in-flight key until it has left."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    draft: str  # of the ticket the reply is written against
    number: int  # of the file, from 0
    start: int  # where in the file this piece begins, in bytes
    size: int
    outgoing_id: str | None = Field(default=None, index=True)
    sealed: bytes
    __table_args__ = (UniqueConstraint("draft", "number", "start"),)


class Flag(SQLModel, table=True):
    """Something about a case a person has to see, until a person clears it."""

    id: str = opaque_id()
    case_id: str = Field(foreign_key="casefile.id", index=True)
    kind: str  # key-changed, key-late, bounced, uncertain, failed, waiting, suspect, maybe, help
    ref: str = ""
    raised_at: datetime = moment()
    cleared_at: datetime | None = later()
    cleared_by: str | None = None


class Audit(SQLModel, table=True):
    """What happened, in order. Codes and opaque ids only."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment()
    actor: str
    verb: str
    case_id: str | None = Field(default=None, index=True)
    ref: str = ""


class Counter(SQLModel, table=True):
    """Numbers handed out in order, such as case numbers."""

    name: str = Field(primary_key=True)
    value: int


def table(model: type[SQLModel]) -> Table:
    """Return the table of a model, for statements written with SQLAlchemy Core."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel sets it on table classes


SEALED = ("sealed", "content", "source", "raw", "label", "detail", "answer")


def is_readable(column: str) -> bool:
    """Tell whether a column of this name may be read by whoever holds the disk."""
    hidden = column.startswith("sealed") or column in SEALED
    return not hidden and not column.endswith("lookup") and column != "mac"


READABLE: dict[str, list[str]] = {
    name: [column.name for column in found.columns if is_readable(column.name)]
    for name, found in sorted(SQLModel.metadata.tables.items())
}
