"""Pictures: what tells where they were taken is left out, the picture itself is not touched."""

from __future__ import annotations

import struct
import zlib

import pytest

from mailcounsel.letter import pictures

PLACE = b"GPS 6.2088 S 106.8456 E"


def segment(marker: int, value: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(value) + 2) + value


SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
JFIF = segment(0xE0, b"JFIF\0" + b"\1" * 9)
PROFILE = segment(0xE2, b"ICC_PROFILE\0" + b"p" * 20)
TABLES = segment(0xDB, b"q" * 65) + segment(0xC0, b"f" * 15) + segment(0xC4, b"h" * 30)
TRACES = (
    segment(0xE1, b"Exif\0\0" + PLACE)
    + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE)
    + segment(0xED, b"Photoshop" + PLACE)
    + segment(0xFE, PLACE)
    + segment(0xE2, b"MPF\0" + PLACE)
)
JPEG = b"\xff\xd8" + JFIF + TRACES + PROFILE + TABLES + SCAN + b"\xff\xd9"


def chunk(name: bytes, value: bytes) -> bytes:
    checked = name + value
    return struct.pack(">I", len(value)) + checked + struct.pack(">I", zlib.crc32(checked))


PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    (
        chunk(b"IHDR", b"h" * 13),
        chunk(b"eXIf", PLACE),
        chunk(b"tEXt", b"Comment\0" + PLACE),
        chunk(b"IDAT", b"d" * 40),
        chunk(b"IEND", b""),
    )
)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
        for name, value in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


WEBP = riff((b"VP8X", b"\x0c" + b"x" * 9), (b"VP8 ", b"v" * 21), (b"EXIF", PLACE), (b"XMP ", PLACE))


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP], ids=["jpeg", "png", "webp"])
def test_no_trace_of_the_place_is_left(data):
    """Every piece that held it is gone; doing it again changes nothing."""
    assert PLACE in data
    cleaned = pictures.without_traces(data)
    assert cleaned is not None
    assert PLACE not in cleaned
    assert pictures.without_traces(cleaned) == cleaned


def test_the_picture_itself_is_as_it_was():
    """Tables, colours and pixels stay byte for byte."""
    expected = b"\xff\xd8" + JFIF + PROFILE + TABLES + SCAN + b"\xff\xd9"
    assert pictures.without_traces(JPEG) == expected
    assert b"d" * 40 in (pictures.without_traces(PNG) or b"")
    webp = pictures.without_traces(WEBP)
    assert webp == riff((b"VP8X", b"\0" + b"x" * 9), (b"VP8 ", b"v" * 21))


def test_what_a_phone_appends_goes_too():
    """Behind the end of a JPEG phones put a second one, with a place of its own."""
    cleaned = pictures.without_traces(JPEG + JPEG)
    assert cleaned == pictures.without_traces(JPEG)


@pytest.mark.parametrize(
    "data",
    [
        JPEG[: len(JPEG) // 3],
        PNG[:-20],
        WEBP[:-3],
        b"\0\0\0\x18ftypheic" + PLACE,
        b"II*\0" + PLACE,
        b"\xff\xd8" + JFIF + TABLES + SCAN + TRACES + b"\xff\xd9",
    ],
    ids=["jpeg cut", "png cut", "webp cut", "heic", "tiff", "between scans"],
)
def test_what_is_not_understood_is_not_called_clean(data):
    """A picture that cannot be read to its end, or of another kind, is a picture all the same."""
    assert pictures.is_picture(data)
    assert pictures.without_traces(data) is None


def test_other_files_are_no_pictures():
    """Only pictures are changed when they are saved."""
    assert not pictures.is_picture(b"%PDF-1.7")
    assert not pictures.is_picture(b"")
