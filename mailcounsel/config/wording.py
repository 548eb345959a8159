"""What is wrong with a configuration, in plain words.

Nothing a file says is repeated here except its keys and the names it declares itself: a value may
be a password on the wrong line, and these sentences end in logs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mailcounsel.config.locate import KeyPath

_SYNTAX = {
    "Invalid value": "there is no value here that TOML knows; text needs quotes",
    "Cannot overwrite": "this key is set a second time",
    "Cannot declare": "this table is opened a second time",
    "Cannot redefine": "this table is opened a second time",
    "Cannot mutate": "this table was complete already; nothing can be added to it here",
    "Duplicate inline": "this key is set a second time",
    "Unterminated string": "a text is opened with a quote and never closed",
    "Illegal character": "this character cannot stand here; is a closing quote missing?",
    "Found invalid character": "this character cannot stand here",
    "Unescaped": "a backslash stands here by itself; write two, or use '...' quotes",
    "Invalid hex": "a backslash stands here by itself; write two, or use '...' quotes",
    "Escaped character": "this escape is no character",
    "Expected ']": "a table's name is not closed with ]",
    "Expected '='": "there is no = between key and value",
    "Expected newline": "something follows the value; one key a line, and quotes around text",
    "Invalid initial": "a key is missing here",
    "Invalid statement": "a key is missing here",
    "Unclosed array": "a list is opened with [ and never closed",
    "Unclosed inline": "{ } must be closed on the same line",
    "Invalid date": "there is no such date or time",
}
_SECRETS = {"password", "passwd", "pass", "secret", "token"}
_KINDS = {
    "missing": "missing key",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list in [ ]",
    "dict_type": "must be a table",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def syntax_advice(message: str) -> str:
    """Turn tomllib's message, which may quote the file, into a sentence that does not."""
    found = (advice for start, advice in _SYNTAX.items() if message.startswith(start))
    return next(found, "this is not TOML")


def key(path: KeyPath) -> str:
    """Write a path as people do: `inbox[0].imap.port`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_quoted(part)}"
    return text.removeprefix(".")


def shape_advice(error: ErrorDetails, root: type[BaseModel]) -> str:
    """Say what to do about one error of pydantic's; `root` is the model it was found in."""
    kind, path = error["type"], error["loc"]
    context: Mapping[str, Any] = error.get("ctx") or {}
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), _known_keys(root, path[:-1]))
    if kind == "missing" and len(path) == 1:
        return f"missing: this file needs a table [{path[0]}]"
    if kind in {"tuple_type", "model_type", "model_attributes_type"}:
        return _wrong_brackets(kind, path)
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be one of {context['expected']}".replace("'", '"').replace(" or ", ", ")
    return _range(kind, context) or _KINDS.get(kind, _by_family(kind))


def untold(queues: Iterable[str]) -> str:
    """Say that nobody hears of danger in some queues."""
    return f"While danger is unread, nobody is told in: {', '.join(queues)}"


NOTIFY = 'Write notify = "ADDRESS" below the supervisor of each, as config.example.toml explains.'
"""What to do about it."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint in brackets if one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _unknown_key(name: str, known: Iterable[str]) -> str:
    known = list(known)
    if name.lower() in _SECRETS and "password_file" in known:
        return "secrets are never written here; name a password_file, or another source"
    return f"unknown key{did_you_mean(name, known)}"


def _wrong_brackets(kind: str, path: KeyPath) -> str:
    if kind == "tuple_type":
        return f"must be written [[{path[0]}]]" if len(path) == 1 else _KINDS["tuple_type"]
    return f"must be a table: [{key(_without_items(path))}]"


def _range(kind: str, context: Mapping[str, Any]) -> str:
    if kind in {"greater_than_equal", "greater_than"}:
        limit = context.get("ge", context.get("gt"))
        return f"must be {'at least' if 'ge' in context else 'more than'} {limit:g}"
    return f"must be at most {context['le']:g}" if kind == "less_than_equal" else ""


def _by_family(kind: str) -> str:
    if kind.startswith("date_"):
        return "must be a date without quotes, such as 2026-12-25"
    return "is not usable here; see config.example.toml"


def _known_keys(root: type[BaseModel], path: KeyPath) -> Iterator[str]:
    model = root
    for part in _without_items(path):
        model = next(_models(_by_key(model)[part].annotation), model)
    yield from _by_key(model)


def _by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _without_items(path: KeyPath) -> tuple[str, ...]:
    return tuple(part for part in path if isinstance(part, str))


def _quoted(part: str) -> str:
    return part if part.isascii() and part.replace("_", "").replace("-", "").isalnum() else '"..."'
