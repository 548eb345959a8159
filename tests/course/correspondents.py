"""The clients of the course: what they write, what reaches them, and the page of both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mailcounsel.demo.client import Certificate, Client, Shown

ZONE = ZoneInfo("Asia/Jakarta")
INBOX = "halo@rumah.test"
TOKEN = re.compile(r"(?<=halo[+])[a-z2-7]{26}(?=@)")
CASE_WORDS = re.compile(r"(?<=dalam surat Anda: )[^.]+|(?<=into your letter: )[^.]+")


@dataclass(frozen=True)
class Delivered:
    """A letter as the client's mail server took it, and when."""

    at: datetime
    raw: bytes


@dataclass(frozen=True)
class Turn:
    """One step of the correspondence: a letter to the client, or theirs to the centre."""

    at: datetime
    text: str
    shown: Shown | None = None  # None: the client's own


@dataclass
class Correspondent:
    """Somebody who writes to the centre with a mail program of their own."""

    name: str  # as it stands in the file of their letters
    address: str
    centre: Certificate
    first_day: datetime
    home: Path | None = None  # of their gpg, for those who have a key
    signs_as: str | None = None  # the name in From; else `name`
    turns: list[Turn] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # what the therapist wrote to them, in order

    def __post_init__(self) -> None:
        self._client = Client(self.address.partition("@")[0], INBOX, self.centre, self.home)
        assert self._client.address == self.address
        self._client.name = self.name if self.signs_as is None else self.signs_as

    @property
    def letters(self) -> list[Turn]:
        """Return what reached the client, oldest first."""
        return [one for one in self.turns if one.shown]

    @property
    def latest(self) -> Shown | None:
        """Return the letter the client's mail program shows on top."""
        return self.letters[-1].shown if self.letters else None

    @property
    def writes_to(self) -> str:
        """Return where the client's letter just composed goes."""
        return self._to

    def compose(self, text: str, now: datetime, *, again: bool = False) -> bytes:
        """Answer the latest letter, or write a new one where there is none, or `again`."""
        answered = None if again else self.latest
        self._to = self._client.recipient(answered)
        self.turns.append(Turn(now, text))
        return self._client.compose(text, now, answered)

    def receive(self, delivered: Delivered) -> None:
        """Take a letter in and open it."""
        shown = self._client.open(delivered.raw)
        self.turns.append(Turn(delivered.at, shown.text, shown))

    def close(self) -> None:
        """Let go of the key."""
        self._client.close()

    # -- the page --------------------------------------------------------------------------------

    def page(self) -> str:
        """Return the whole correspondence, so that somebody can read it aloud."""
        number, parts = 0, []
        for one in self.turns:
            number += one.shown is not None
            parts.append(self._letter(one, number) if one.shown else self._own(one))
        return "\n\n".join(parts) + "\n"

    def _letter(self, one: Turn, number: int) -> str:
        assert one.shown
        way = "locked and signed" if one.shown.was_locked and one.shown.is_signed else "plain"
        head = f"──── letter {number} · {self._day(one.at)} · {way} ────"
        subject = f"{one.shown.sender}: {one.shown.subject}"
        return f"{head}\n{subject}\n\n{normal(one.text)}"

    def _own(self, one: Turn) -> str:
        lines = "\n".join(f"    {line}".rstrip() for line in one.text.splitlines())
        return f"    ({self.name} writes · {self._day(one.at)})\n\n{lines}"

    def _day(self, at: datetime) -> str:
        here = at.astimezone(ZONE)
        week = (here.date() - self.first_day.astimezone(ZONE).date()).days // 7 + 1
        return f"week {week}, {here:%A} {here.day} {here:%B}"


def normal(text: str) -> str:
    """Return a letter's words with what is drawn by lot made the same in every run."""
    same = CASE_WORDS.sub("one two three", TOKEN.sub("token", text.replace("\r\n", "\n")))
    words, calendar, _ = same.partition("\n[Calendar:")
    return words.strip() + ("\n\n(and an entry for the calendar)" if calendar else "")
