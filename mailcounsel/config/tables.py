"""The tables of `config.toml` that stand once, frozen, with what each key means under it.

These are shapes only; what must agree between tables is in `checks`. Defaults are those that
`config.example.toml` shows, which a test compares.
"""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from mailcounsel.config.fields import (
    Argv,
    Block,
    Credential,
    Day,
    Host,
    Language,
    Languages,
    Line,
    LocalPath,
    OneSpan,
    Positive,
    Spans,
    TimeOfDay,
    Variable,
    Whole,
    Zone,
)
from mailcounsel.config.secrets import Secret, Source
from mailcounsel.config.spans import Span

_SOURCES: tuple[Source, ...] = get_args(Source)
_OFFICE = (Span(9 * 60, 17 * 60),)


class Table(BaseModel):
    """A table of the file: unknown keys are refused, and no error shows a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Credentials(Table):
    """Where a password comes from; at most one of these."""

    password_file: LocalPath | None = None
    """A file whose first line is the password; readable by its owner alone."""
    password_env: Variable | None = None
    """The name of an environment variable that holds the password."""
    password_command: Argv | None = None
    """A command, as a list of words, that prints the password."""
    password_credential: Credential | None = None
    """The name of a systemd credential (LoadCredential=) that holds the password."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the keys that name a source; a loaded configuration has at most one."""
        return tuple(name for name in _SOURCES if getattr(self, name, None) is not None)

    @property
    def secret(self) -> Secret | None:
        """Return where the secret is found, or None where none is named."""
        return next((Secret(name, getattr(self, name)) for name in self.sources), None)


class Login(Credentials):
    """Where a password or an OAuth token comes from; exactly one where there is a user."""

    token_command: Argv | None = None
    """A command, as a list of words, that prints an OAuth access token (XOAUTH2)."""


class Centre(Table):
    """The centre itself."""

    name: Line
    """What the centre is called; shown to its own people only."""
    sender_name: Line
    """The name clients see on every mail; neutral, since a lock screen shows it."""
    time_zone: Zone
    """The IANA name of the zone the centre works in."""
    languages: Languages
    """The languages clients are answered in; the first is the default."""
    state_dir: LocalPath = Field(default=Path("state"), validate_default=True)
    """Holds the keyring, gpg's home and, by default, the store."""
    socket: LocalPath = Field(default_factory=lambda data: data["state_dir"] / "control.sock")
    """The Unix socket the command line speaks to."""
    templates: LocalPath | None = None
    """A folder <language>/<name>.txt of your own wordings; each replaces ours of that name."""
    measures: LocalPath | None = None
    """A folder of your own questionnaires (docs/measures.md), beside those that are included."""
    crisis_directory: LocalPath | None = None
    """A file of places near clients that help at once (see crisis.example.toml)."""
    authserv_id: Host | None = None
    """The name our own border writes in Authentication-Results; no other is believed."""

    @property
    def language(self) -> Language:
        """Return the language used where nothing says another."""
        return self.languages[0]


class Emergency(Table):
    """Where help is when it cannot wait: one text a language, put into every mail to a client."""

    id: Block | None = None
    """The text in Indonesian."""
    en: Block | None = None
    """The text in English."""

    def text(self, language: str) -> str:
        """Return the text in a language of `centre.languages`.

        Raises:
            KeyError: There is none in that language.
        """
        texts = {"id": self.id, "en": self.en}
        text = texts[language]
        if text is None:
            raise KeyError(language)
        return text


class About(Table):
    """Who the centre is, in the words of the first answer to a new client."""

    id: Block | None = None
    """The text in Indonesian."""
    en: Block | None = None
    """The text in English."""

    def text(self, language: str) -> str:
        """Return the text in a language, "" where there is none."""
        return {"id": self.id, "en": self.en}.get(language) or ""


class Store(Credentials):
    """Where sealed cases are kept."""

    url: Line | None = None
    """sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME; without it, SQLite in state_dir."""


class Working(Table):
    """The open hours of each day of the week; a day left out is closed."""

    mon: Spans = ()
    """Monday."""
    tue: Spans = ()
    """Tuesday."""
    wed: Spans = ()
    """Wednesday."""
    thu: Spans = ()
    """Thursday."""
    fri: Spans = ()
    """Friday."""
    sat: Spans = ()
    """Saturday."""
    sun: Spans = ()
    """Sunday."""

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """Return the seven days, Monday first."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)


class Hours(Table):
    """When people work, and when no automatic mail goes out."""

    working: Working = Working(mon=_OFFICE, tue=_OFFICE, wed=_OFFICE, thu=_OFFICE, fri=_OFFICE)
    """Open hours by day, in the centre's zone."""
    holidays: tuple[Day, ...] = ()
    """Days on which no hours are worked."""
    quiet: OneSpan = Span(21 * 60, 31 * 60)
    """When no automatic mail goes out, in the client's zone."""
    morning: TimeOfDay = time(8)
    """When those who chose the morning are asked how it goes, in the client's zone."""
    evening: TimeOfDay = time(19)
    """When those who chose the evening are asked how it goes, in the client's zone."""


class Limits(Table):
    """How much is read of a letter, and how much is sent without a person."""

    size_bytes: Positive = 10_240_000
    """The largest letter taken, as Postfix counts it."""
    header_bytes: Positive = 102_400
    """The longest header block of a letter or of one of its parts."""
    headers: Positive = 1000
    """The most header fields."""
    parts: Positive = 1000
    """The most MIME parts."""
    depth: Positive = 100
    """How deep MIME parts may be nested."""
    automatic_per_sender_day: Positive = 3
    """The most automatic mails to one address in a day; as many again to those who ask for help."""
    automatic_strangers_day: Positive = 500
    """The most automatic answers in a day to people nobody vouches for, together."""
    automatic_per_domain_day: Positive = 100
    """The most of them to one mail domain."""
    automatic_same_words_day: Positive = 5
    """The most of them for letters that say the same."""
    hold_seconds: Whole = 60
    """How long a reply waits, so that it can be undone."""
    attachment_bytes: Whole = 7_000_000
    """The most that the attachments of one outgoing letter may weigh together."""
