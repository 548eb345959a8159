"""The letters the centre writes by itself: `templates/<language>/<name>.txt`.

A template is an email: headers, a blank line, a body. Facts are put into it and never read as
a template themselves; a fact that is missing or misspelt stops the letter. A folder of the
admin's own may hold other versions of some templates; where one of those is broken ours goes out,
since the letter that asked for it must not wait.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType

import jinja2
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_timedelta, get_timezone_name
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailcounsel import errors

log = logging.getLogger(__name__)

Fact = str | int | bool

# What every template may use. All of a template's facts are given each time it is rendered; one
# that does not apply is "", 0 or False.
_CLIENT = frozenset({"subject", "sign_off"})
_WORDS = frozenset({"stop_word", "pause_word", "help_word"})
FACTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "acknowledgement": _CLIENT
        | _WORDS
        | {"promised_day", "emergency", "offer_plain", "agree_word", "about"}
        | {"case_word", "ask_when"},
        "acknowledgement-again": _CLIENT | {"promised_day", "emergency", "help_word"},
        "not-opened": _CLIENT | {"emergency", "help_word", "key_word"},
        "consent-reminder": _CLIENT | {"agree_word", "emergency"},
        "consent-thanks": _CLIENT
        | {"emergency", "stop_word", "promised_day", "letter_waits", "letter_gone"},
        "consent-word": _CLIENT | {"emergency", "agree_word", "promised_day"},
        "reply": _CLIENT | {"text", "emergency"},
        "notice": _CLIENT | {"offer_plain", "agree_word", "emergency"},
        "checkin": _CLIENT
        | {"goals", "mood", "practice", "form", "link", "stop_word", "pause_word", "emergency"}
        | {"morning_word", "evening_word"},
        "checkin-reminder": _CLIENT | {"stop_word", "pause_word", "emergency"},
        "checkin-thanks": _CLIENT | {"stop_word", "help_word", "progress_word", "emergency"},
        "follow-up": _CLIENT | {"stop_word", "emergency"},
        "measure": _CLIENT
        | {"question", "options", "items", "example", "notice", "stop_word", "emergency"},
        "measure-rest": _CLIENT | {"numbers", "form", "stop_word", "emergency"},
        "stopped": _CLIENT | {"resume_word", "emergency"},
        "paused": _CLIENT | {"resume_word", "until_day", "emergency"},
        "resumed": _CLIENT | {"stop_word", "emergency"},
        "later": _CLIENT | {"promised_day", "emergency"},
        "later-again": _CLIENT | {"promised_day", "emergency"},
        "hour": _CLIENT | {"hour", "morning_word", "evening_word", "stop_word", "emergency"},
        "help": _CLIENT | {"emergency", "promised_day", "help_near"},
        "introduction": _CLIENT
        | {"text", "name", "training", "languages", "licence", "licence_until", "about_me"}
        | {"emergency"},
        "lesson": _CLIENT | {"text", "lesson", "exercise", "answer", "emergency"},
        "appointment": _CLIENT | {"text", "when", "before", "minutes", "room", "emergency"},
        "appointment-cancelled": _CLIENT | {"text", "when", "emergency"},
        "appointment-confirmed": _CLIENT | {"when", "room", "emergency"},
        "appointment-reminder": _CLIENT | {"when", "emergency"},
        "staff-appointment": frozenset({"when"}),
        "practice-thanks": _CLIENT | {"praise", "stop_word", "help_word", "emergency"},
        "request": _CLIENT | {"emergency", "promised_day"},
        "progress": _CLIENT | {"emergency", "promised_day"},
        "copy-notice": _CLIENT | {"emergency", "ready_day"},
        "erase-notice": _CLIENT | {"emergency", "ready_day"},
        "erased": _CLIENT | {"asked", "stays", "emergency"},
        "copy": _CLIENT | {"emergency"},
        "key": _CLIENT | {"emergency", "client_key"},
        "staff-quarantine": frozenset({"letters", "urgent"}),
        "staff-mailbox": frozenset({"mailboxes"}),
        "staff-notice": frozenset({"new", "urgent", "flagged", "to_assign"}),
        "staff-risk": frozenset({"ago"}),
        "staff-silence": frozenset({"ago"}),
        "staff-locked": frozenset({"ago"}),
        "crisis": _CLIENT | {"emergency", "help_near"},
    }
)
# For a therapist; all the others are for clients.
FOR_STAFF = frozenset(name for name in FACTS if name.startswith("staff-"))

# The constant neutral subject of every letter to a client.
SUBJECTS: Mapping[str, str] = MappingProxyType({"id": "Surat untuk Anda", "en": "A letter for you"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered template: one line of subject, and a body."""

    subject: str
    body: str


def names() -> tuple[str, ...]:
    """Return the names of all templates, in alphabetical order."""
    return tuple(sorted(FACTS))


def subject(language: str) -> str:
    """Return the neutral subject of a language, the English one where there is none."""
    return SUBJECTS.get(language, SUBJECTS["en"])


def day(moment: date, language: str) -> str:
    """Write a day as people say it: "Tuesday, 1 December 2026"."""
    try:
        return format_date(moment, "EEEE, d MMMM y", locale=language)
    except (UnknownLocaleError, ValueError):
        return format_date(moment, "EEEE, d MMMM y", locale="en")


def date_alone(moment: date, language: str) -> str:
    """Write a day far away, whose weekday nobody needs: "31 May 2031"."""
    try:
        return format_date(moment, "d MMMM y", locale=language)
    except (UnknownLocaleError, ValueError):
        return format_date(moment, "d MMMM y", locale="en")


def hour(moment: datetime, language: str) -> str:
    """Write an aware moment on its own clock as people say it.

    "Thursday, 3 December 2026, 15:00 (Western Indonesia Time)"
    """
    clock = f"{'pukul ' if language == 'id' else ''}{time_of_day(moment.time(), language)}"
    try:
        zone = get_timezone_name(moment, "long", locale=language)
    except (UnknownLocaleError, ValueError):
        zone = get_timezone_name(moment, "long", locale="en")
    return f"{day(moment, language)}, {clock} ({zone})"


def lasting(time_since: timedelta, language: str) -> str:
    """Write how long something lasts as people say it: "20 minutes", "3 hours", "9 days"."""
    lasts = max(time_since, timedelta(minutes=1))
    try:
        return format_timedelta(lasts, "minute", threshold=2, locale=language)
    except (UnknownLocaleError, ValueError):
        return format_timedelta(lasts, "minute", threshold=2, locale="en")


def time_of_day(moment: time, language: str) -> str:
    """Write a time on the clock as people do: "15.00" in Indonesian, else "15:00"."""
    return moment.strftime("%H.%M" if language == "id" else "%H:%M")


def render(
    language: str, name: str, facts: Mapping[str, Fact], override: Path | None = None
) -> Mail:
    """Return the mail of this name in *language*, from the *override* folder if it is there.

    A version in that folder that cannot be used is passed over for our own, and the log says so.

    Raises:
        TemplateError: the template is missing, broken, or asks for a fact that is not given.
    """
    if override is not None:
        try:
            return _rendered(language, name, facts, override)
        except errors.TemplateError as fault:
            log.error("templates: %s Ours is used instead: mailcounsel doctor", fault)
    return _rendered(language, name, facts, None)


def _rendered(language: str, name: str, facts: Mapping[str, Fact], override: Path | None) -> Mail:
    return _filled(_compiled(language, name, override), f"{language}/{name}.txt", facts)


def render_text(source: str, language: str, name: str, facts: Mapping[str, Fact]) -> Mail:
    """Return the mail that a template's own text makes, where no file of it is at hand.

    Raises: TemplateError, as `render` does.
    """
    label = f"{language}/{name}.txt"
    return _filled(_compile(source, label), label, facts)


def override_text(language: str, name: str, override: Path | None) -> str | None:
    """Return the text of the admin's own version of a template, or None where there is none."""
    return _read(override, language, name) if override else None


def _filled(
    compiled: tuple[jinja2.Template, jinja2.Template], label: str, facts: Mapping[str, Fact]
) -> Mail:
    head, body = compiled
    try:
        line, text = head.render(facts), body.render(facts)
    except jinja2.UndefinedError as exc:
        raise errors.TemplateError(f"{label} asks for a fact it is not given.") from exc
    except Exception as exc:
        raise errors.TemplateError(f"{label} cannot be filled in.") from exc
    if "\n" in line or "\r" in line or not line.strip():
        raise errors.TemplateError(f"The subject of {label} is not one line.")
    return Mail(line.strip(), text.strip("\n") + "\n")


def check(languages: Sequence[str], override: Path | None = None) -> tuple[str, ...]:
    """Return one line for each template that is missing or broken in these languages."""
    problems = []
    for language in languages:
        for name in names():
            try:
                for given in ("x", ""):  # both sides of what stands in an "if"
                    facts = dict.fromkeys(FACTS[name], given) | {"subject": "x"}
                    _rendered(language, name, facts, override)
            except errors.TemplateError as fault:
                problems.append(str(fault))
    return tuple(problems)


def forget() -> None:
    """Read every template afresh from now on."""
    _compiled.cache_clear()


# -- finding and compiling ----------------------------------------------------------------------

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # letters are plain text
    trim_blocks=True,
    lstrip_blocks=True,
)


@functools.cache
def _compiled(
    language: str, name: str, override: Path | None
) -> tuple[jinja2.Template, jinja2.Template]:
    return _compile(_source(language, name, override), f"{language}/{name}.txt")


def _compile(source: str, label: str) -> tuple[jinja2.Template, jinja2.Template]:
    header, blank, body = source.partition("\n\n")
    field, colon, line = header.partition(":")
    if not blank or field != "Subject" or not colon or "\n" in line:
        raise errors.TemplateError(f"{label} does not begin with a Subject line.")
    try:
        return _ENVIRONMENT.from_string(line.strip()), _ENVIRONMENT.from_string(body)
    except jinja2.TemplateSyntaxError as exc:
        raise errors.TemplateError(f"{label} is broken at line {exc.lineno}.") from exc


def _source(language: str, name: str, override: Path | None) -> str:
    if name not in FACTS or not language.isalnum():
        raise errors.TemplateError("There is no template of this name.")
    for folder in folders(override):
        text = _read(folder, language, name)
        if text is not None:
            return text
    raise errors.TemplateError(f"{language}/{name}.txt is missing.")


def _read(folder: Path, language: str, name: str) -> str | None:
    try:
        text = (folder / language / f"{name}.txt").read_text("utf-8")
    except (OSError, UnicodeError):
        return None
    return text.replace("\r\n", "\n")


def folders(override: Path | None = None) -> tuple[Path, ...]:
    """Name where templates lie: the admin's folder, an installed package's, a checkout's."""
    package = Path(__file__).resolve().parent.parent
    ours = (package / "templates", package.parent / "templates")
    return (override, *ours) if override else ours
