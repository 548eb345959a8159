"""From a file to a `Config`, or to everything that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailcounsel import errors
from mailcounsel.config import checks, locate, wording
from mailcounsel.config.checks import Finding
from mailcounsel.config.locate import KeyPath, Place
from mailcounsel.config.models import Config

_POSITION = re.compile(r"\(at line (\d+), column (\d+)\)$")


def load(path: Path) -> Config:
    """Read a configuration file.

    Relative paths in it start at its own folder. Secrets are not fetched.

    Raises:
        ConfigError: It cannot be used; holds every problem found, in the order of the file.
    """
    text = _read(path)
    values = _parse(path, text)
    context = {"path": path, "folder": path.parent.absolute()}
    try:
        config = Config.model_validate(values, context=context)
    except ValidationError as exc:
        # Not chained: pydantic's own text shows what was written, which may be a secret.
        found = [*_shape_findings(exc), *checks.unknown_queues(values)]
        problems = _problems(path, text, found)
        raise errors.ConfigError(problems) from None
    found = list(checks.findings(config))
    if found:
        raise errors.ConfigError(_problems(path, text, found))
    return config


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _refusal(str(path), "there is no such file; `mailcounsel init` writes one") from None
    except OSError as exc:
        raise _refusal(str(path), f"cannot be read: {exc.strerror}") from None
    try:
        # As tomllib counts: a line ends with LF or CR LF.
        return raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        before = raw[: exc.start].decode().replace("\r\n", "\n")
        place = locate.place_at(before, len(before))
        raise _refusal(_where(path, place), "this is not UTF-8 text") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        message = str(exc)
    except RecursionError:
        raise _refusal(str(path), "lists or tables are nested too deeply") from None
    match = _POSITION.search(message)
    last = locate.place_at(text.rstrip(), len(text.rstrip()))
    place = Place(int(match[1]), int(match[2])) if match else last
    raise _refusal(_where(path, place), wording.syntax_advice(message))


def _refusal(where: str, advice: str) -> errors.ConfigError:
    return errors.ConfigError([errors.Problem(where, "", advice)])


def _shape_findings(error: ValidationError) -> Iterator[Finding]:
    details = error.errors(include_input=False, include_url=False)
    places = {detail["loc"] for detail in details}
    for detail in details:
        # These follow from another: the socket's place from the state's, an empty list from what
        # could not be read in it.
        is_filled = any(place[:-1] == detail["loc"] for place in places)
        is_empty = detail["type"] == "too_short" and not is_filled
        if is_empty or detail["type"] not in {"default_factory_not_called", "too_short"}:
            path = tuple(part for part in detail["loc"] if part != "[key]")
            yield path, wording.shape_advice(detail, Config)


def _problems(path: Path, text: str, findings: Iterable[Finding]) -> list[errors.Problem]:
    places = locate.locate(text)
    placed = sorted({(_nearest(places, key), wording.key(key), advice) for key, advice in findings})
    return [
        errors.Problem(_where(path, place) if place.line else str(path), key, advice)
        for place, key, advice in placed
    ]


def _nearest(places: dict[KeyPath, Place], key: KeyPath) -> Place:
    """Find where a key stands or, where it is missing, the table it is missing from."""
    while key and key not in places:
        key = key[:-1]
    return places.get(key, Place(0, 0))


def _where(path: Path, place: Place) -> str:
    return f"{path}:{place.line}:{place.column}"
