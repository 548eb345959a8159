"""The kinds of value `config.toml` holds, each checked once, here.

A check's message is advice and never repeats the value it was given: the value may be a password
on the wrong line.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo

from mailcounsel import clock
from mailcounsel.config import spans
from mailcounsel.config.spans import Days, Span

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Priority = Literal["low", "normal", "high", "urgent"]
Role = Literal["therapist", "supervisor", "admin"]
Tls = Literal["tls", "starttls", "none"]


def _matching(pattern: str, advice: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(advice)
        return value

    return AfterValidator(check)


def _line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("must be one line of ordinary text, not empty")
    return value.strip()


def _block(value: str) -> str:
    controls = (c for c in value if unicodedata.category(c) == "Cc" and c not in "\n\t")
    if not value.strip() or any(controls):
        raise ValueError("must be text, not empty, without control characters")
    return value.strip()


def _address(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if not (_LOCAL_PART.fullmatch(local) and _HOST_NAME.fullmatch(domain)):
        raise ValueError("must be a plain mail address, such as letters@example.org")
    return f"{local}@{domain.lower()}"


def _host(value: str) -> str:
    if _HOST_NAME.fullmatch(value) is None and not _is_ip(value):
        raise ValueError("must be a host name or an IP address")
    return value.lower()


def _zone(value: str) -> str:
    if not clock.is_zone(value):
        raise ValueError("is not a time zone: write its IANA name, such as Asia/Jakarta")
    return value


def _path(value: str | Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    try:
        return folder / Path(value).expanduser()
    except RuntimeError:
        raise ValueError("names a home folder that does not exist") from None


def _path_text(value: object) -> object:
    if not isinstance(value, str | Path) or not str(value) or not str(value).isprintable():
        raise ValueError("must be a path in quotes")
    return value


def _spans(value: object) -> tuple[Span, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    ranges = sorted(_span(item) for item in items)
    if any(later.opens < earlier.closes for earlier, later in pairwise(ranges)):
        raise ValueError("has ranges that overlap")
    return tuple(ranges)


def _span(value: object) -> Span:
    if isinstance(value, Span):
        return value
    return spans.parse(value if isinstance(value, str) else "")


def _time_of_day(value: object) -> time:
    if isinstance(value, time) and not (value.second or value.microsecond):
        return value
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must look like "08:00"')
    return time(int(match[1]), int(match[2]))


def _absences(value: object) -> tuple[Days, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(sorted(_days(item) for item in items))


def _days(value: object) -> Days:
    if isinstance(value, Days):
        return value
    if isinstance(value, date):
        return Days(value, value)
    return spans.days(value if isinstance(value, str) else "")


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _unless_false(value: object) -> object:
    return None if value is False else value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("names the same thing twice")
    return values


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address never leaves this machine."""
    return host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)


_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*"
)

Line = Annotated[str, AfterValidator(_line)]
Block = Annotated[str, AfterValidator(_block)]
Name = Annotated[
    str, _matching(r"[a-z][a-z0-9-]*", "must be a short name of a-z, 0-9 and -, such as evening-2")
]
HeaderName = Annotated[
    str, _matching(r"[A-Za-z][A-Za-z0-9-]*", "must be the name of a header, such as Delivered-To")
]
Variable = Annotated[
    str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "must be the name of an environment variable")
]
Credential = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "must be the name of a systemd credential")
]
Argv = Annotated[tuple[Line, ...], Field(min_length=1)]
Address = Annotated[str, AfterValidator(_address)]
Host = Annotated[str, AfterValidator(_host)]
Zone = Annotated[str, AfterValidator(_zone)]
LocalPath = Annotated[Path, BeforeValidator(_path_text), AfterValidator(_path)]
Spans = Annotated[tuple[Span, ...], BeforeValidator(_spans)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
OneSpan = Annotated[Span, BeforeValidator(_span)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(_one_or_many), Field(min_length=1)]
Languages = Annotated[tuple[Language, ...], Field(min_length=1), AfterValidator(_distinct)]
Roles = Annotated[tuple[Role, ...], Field(min_length=1), AfterValidator(_distinct)]
Names = Annotated[tuple[Name, ...], AfterValidator(_distinct)]
Folder = Annotated[Line | None, BeforeValidator(_unless_false)]
Absences = Annotated[tuple[Days, ...], BeforeValidator(_absences)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1), AfterValidator(_distinct)]
Day = Annotated[date, Strict()]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict(), Field(ge=0)]
Positive = Annotated[int, Strict(), Field(ge=1)]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
ListenPort = Annotated[int, Strict(), Field(ge=0, le=65535)]
WorkingTime = Annotated[float, Strict(), Field(gt=0, le=1000)]
