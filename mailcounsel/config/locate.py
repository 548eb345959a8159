"""Where in a TOML text each key stands.

tomllib tells what a file says but not where. This walks a text that tomllib has already accepted,
so it may be simple: it skips values whole, and only has to know where each one ends.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

KeyPath = tuple[str | int, ...]


class Place(NamedTuple):
    """A line and a column of a text, both from 1; the column counts characters."""

    line: int
    column: int


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_SPACE = re.compile(r"[ \t]*+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> dict[KeyPath, Place]:
    """Map the path of each table, key and array item to where it starts.

    The text must be valid TOML. A table made only by its children stands where the first of
    them does. Source: TOML 1.0.0.
    """
    scanner = _Scanner(text)
    scanner.document()
    return {path: place_at(text, offset) for path, offset in scanner.found.items()}


def place_at(text: str, offset: int) -> Place:
    """Return the line and column of an offset into a text."""
    start = text.rfind("\n", 0, offset) + 1
    return Place(text.count("\n", 0, offset) + 1, offset - start + 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self._last_item: dict[KeyPath, int] = {}  # of each array of tables

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._peek("["):
                table = self._header()
            else:
                self._key_and_value(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        start = self.at
        is_item = self._peek("[[")
        self.at += 2 if is_item else 1
        *parents, last = self._key()
        path: KeyPath = ()
        for part in parents:
            path = self._current((*path, part))
            self.found.setdefault(path, start)
        path = (*path, last)
        self.at = self.text.index("]", self.at) + (2 if is_item else 1)
        if is_item:
            self.found.setdefault(path, start)
            self._last_item[path] = self._last_item.get(path, -1) + 1
            path = self._current(path)
        self.found[path] = start
        return path

    def _current(self, path: KeyPath) -> KeyPath:
        """Step into the newest item where the path is an array of tables."""
        return (*path, self._last_item[path]) if path in self._last_item else path

    def _key_and_value(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for part in self._key():
            path = (*path, part)
            self.found.setdefault(path, start)
        self.at += 1  # "="
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            if not self._peek("."):
                return parts
            self.at += 1

    def _key_part(self) -> str:
        if self._peek('"') or self._peek("'"):
            # tomllib knows the escapes already.
            return str(tomllib.loads(f"key = {self._skip(_STRING)}")["key"])
        return self._skip(_BARE_KEY)

    def _value(self, path: KeyPath) -> None:
        if self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self._inline_table(path)
        elif self._peek('"') or self._peek("'"):
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._open()
        index = 0
        while not self._peek("]"):
            self.found[*path, index] = self.at
            self._value((*path, index))
            self._close_item()
            index += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._open()
        while not self._peek("}"):
            self._key_and_value(path)
            self._close_item()
        self.at += 1

    def _open(self) -> None:
        self.at += 1
        self._skip(_BLANK)

    def _close_item(self) -> None:
        self._skip(_BLANK)
        if self._peek(","):
            self._open()

    def _peek(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"no valid TOML at offset {self.at}")
        self.at = match.end()
        return match.group()
