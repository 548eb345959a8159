"""Bend bytes a little: what a fuzzer without a compiler's help can do, reproducibly."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

LARGEST = 64 * 1024  # bytes of an input

Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


# Bytes that mean something to mail, to a terminal or to a server.
_MEANT = b"\0\t\n\r \"'()<>@,;:\\[]{}%=?*.-_/\x1b\x7f\x80\xff"


def _flip(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _set(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.choice(_MEANT)


def _cut(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    start = dice.randrange(len(data) + 1)
    del data[start : start + dice.randrange(1, 1 + max(1, len(data) // 4))]


def _repeat(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    start = dice.randrange(len(data) + 1)
    piece = data[start : start + dice.randrange(1, 200)]
    data[start:start] = piece * dice.choice((1, 2, 10, 100))


def _insert(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.randbytes(dice.randrange(1, 9))


def _splice(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    """Put a piece of another input in."""
    other = dice.choice(others)
    start = dice.randrange(len(other) + 1)
    at = dice.randrange(len(data) + 1)
    data[at:at] = other[start : start + dice.randrange(1, 300)]


def _swap_lines(dice: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    lines = bytes(data).split(b"\n")
    one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    data[:] = b"\n".join(lines)


_CHANGES: tuple[Change, ...] = (_flip, _set, _cut, _repeat, _insert, _splice, _swap_lines)


def bent(dice: random.Random, corpus: Sequence[bytes]) -> bytes:
    """Return one of the inputs with some changes."""
    data = bytearray(dice.choice(corpus))
    for _ in range(dice.choice((1, 1, 2, 3, 5, 8))):
        dice.choice(_CHANGES)(dice, data, corpus)
    return bytes(data[:LARGEST])
