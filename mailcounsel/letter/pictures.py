"""Take out of a picture what tells where, when and with what it was taken.

Phones write the place of a photograph into it. Whole pieces of the file are left out; the picture
itself is never decoded. What is not understood to the end is not touched, and said so.
"""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT"),
    *(b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"),
}
_WEBP_LEFT_OUT = {b"EXIF", b"XMP "}
_WEBP_FLAGS = 0x08 | 0x04  # in VP8X: there is Exif, there is XMP

# JPEG segments: APP0 is JFIF, APP2 a colour profile, APP14 Adobe's colour transform.
_JPEG_APPS_KEPT = {0xE0, 0xE2, 0xEE}
_JPEG_COMMENT, _JPEG_SCAN = 0xFE, 0xDA
_APPS = range(0xE0, 0xF0)


def is_picture(data: bytes) -> bool:
    """Tell whether these bytes begin like a picture, of whatever kind."""
    is_heif = data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"avif", b"hevc"}
    is_tiff = data[:4] in {b"II*\0", b"MM\0*"}
    return is_heif or is_tiff or data.startswith((b"\xff\xd8\xff", _PNG)) or _is_webp(data)


def without_traces(data: bytes) -> bytes | None:
    """Return the picture without its metadata, or None when it is of a kind not understood."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(_PNG):
            return _png(data)
        return _webp(data) if _is_webp(data) else None
    except (struct.error, ValueError, IndexError):
        return None


def _jpeg(data: bytes) -> bytes:
    kept, at = [data[:2]], 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        if data[at + 1] == 0xFF:  # fill
            at += 1
            continue
        marker = data[at + 1]
        if marker == _JPEG_SCAN:
            return b"".join([*kept, data[at : _jpeg_end(data, at)]])
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise ValueError("a segment is cut short")
        is_trace = marker in _APPS and marker not in _JPEG_APPS_KEPT
        is_more_pictures = marker == 0xE2 and not data.startswith(b"ICC_PROFILE", at + 4)
        if not (is_trace or is_more_pictures or marker == _JPEG_COMMENT):
            kept.append(data[at:end])
        at = end


def _jpeg_end(data: bytes, scan: int) -> int:
    """Return where the picture ends: phones append another one, with metadata of its own.

    Within a scan 0xFF is followed by zero or a restart marker, so the first end marker is the end
    unless another scan of the same picture follows, as in progressive ones.
    """
    at = scan
    while True:
        at = data.find(b"\xff", at + 2)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker in _APPS or marker == _JPEG_COMMENT:
            raise ValueError("metadata between scans")


def _png(data: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise ValueError("a chunk is cut short")
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end
    raise ValueError("no end")


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _webp(data: bytes) -> bytes:
    kept, at = b"WEBP", 12
    while at + 8 <= len(data):
        name = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length + (length & 1)
        if end > len(data):
            raise ValueError("a chunk is cut short")
        if name == b"VP8X":
            flags = bytes([data[at + 8] & ~_WEBP_FLAGS])
            kept += data[at : at + 8] + flags + data[at + 9 : end]
        elif name not in _WEBP_LEFT_OUT:
            kept += data[at:end]
        at = end
    return b"RIFF" + struct.pack("<I", len(kept)) + kept
