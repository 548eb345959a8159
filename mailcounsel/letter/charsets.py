"""Turn bytes of any, no, or a wrongly named charset into valid text.

Nothing here fails: what cannot be read becomes U+FFFD, and the original bytes stay with
whoever keeps the letter.
"""

from __future__ import annotations

import binascii
import re
from encodings.aliases import aliases
from itertools import islice

# Charset names mean what mail programs mean by them, not what the standards say
# (the table of the WHATWG Encoding Standard, §4.2, for the names seen in mail).
_WIDER = {
    "ascii": "cp1252",
    "us_ascii": "cp1252",
    "latin_1": "cp1252",
    "iso8859_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601_1987": "cp949",
    "big5": "cp950",
    "iso2022_jp": "iso2022_jp_2",
    "utf8": "utf_8",
    "utf8mb4": "utf_8",
    "ansi": "cp1252",
    "iso_8859_8_i": "iso8859_8",  # the order of the letters, which is the logical one anyway
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_6_e": "iso8859_6",
    "koi8_ru": "koi8_u",
    "windows_874": "cp874",
    "dos_874": "cp874",
    "windows_31j": "cp932",
    "windows_932": "cp932",
    "windows_936": "gb18030",
    "windows_949": "cp949",
    "windows_950": "cp950",
}
# Codecs of Python that are no charsets of mail: some cost quadratic time, some run escapes.
_NEVER = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_BINARY = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec"}
_KNOWN = (set(aliases.values()) | {"utf_8", "utf_8_sig", "cp874", "cp1252", "koi8_u"}) - _NEVER
_KNOWN -= _BINARY
_KNOWN.discard("zlib_codec")

_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_NAME = re.compile(r"[^a-z0-9]+")


def codec(charset: str) -> str | None:
    """Return Python's codec for a charset name, or None when there is none to trust.

    The name is looked up in a table first: Python's own look-up imports modules by name and
    remembers every unknown one for ever.
    """
    name = _NAME.sub("_", charset[:64].lower()).strip("_")
    if name.startswith("x_") and name not in aliases:
        name = name[2:]
    if name.startswith("cp_"):
        name = name.replace("_", "")
    found = aliases.get(name, name)
    found = _WIDER.get(name) or _WIDER.get(found) or found
    return found if found in _KNOWN else None


def _is_single_byte(name: str) -> bool:
    return name.startswith(("cp12", "cp8", "iso8859", "koi8", "mac_"))


def _try(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeError, LookupError):
        return None


def decode(data: bytes, charset: str = "") -> tuple[str, bool]:
    """Return the text of *data* and whether every byte of it was understood.

    UTF-8 is tried first wherever the named charset is unknown or has one byte a letter: long
    runs of other text are practically never valid UTF-8. Where most of it is UTF-8, the rest is
    read as one byte a letter: forwarded and cut texts are mixed. Windows-1252 is the last resort.
    """
    named = codec(charset) if charset else None
    text = _of_several_bytes(data, named) or _try(data, "utf-8-sig")
    if text is not None:
        return clean(text), True
    other = "cp1252" if named is None or named == "utf_8" else named
    if _is_mostly_utf_8(data):
        return clean(_mixed(data, other)), False
    if named in {None, "utf_8", "cp1252"} and _is_far_from_latin(data):
        return clean(_guessed(data)), False
    if named is None or named == "utf_8":
        return clean(_roughly(data, "cp1252")), False
    text = _try(data, named)
    if text is not None:
        return clean(text), True
    return clean(_roughly(data, named)), False


def _of_several_bytes(data: bytes, named: str | None) -> str | None:
    """Read a charset with letters of several bytes; None where it is another or does not fit.

    A run of UTF-8 may be valid in one with pairs of bytes as well, as signs that say nothing.
    """
    if named is None or named == "utf_8" or _is_single_byte(named):
        return None
    if named in _OF_PAIRS and len(_MULTIBYTE.sub(b"", data)) + _SURELY_UTF_8 < len(data):
        text = _try(data, "utf-8")
        if text is not None:
            return text
    text = _try(data, named)
    if text is None and named == _JAPANESE:
        text = _try(_in_eight_bits(data), "cp932")
    return text


_OF_PAIRS = {"gb18030", "big5", "cp950", "cp932", "euc_jp", "cp949"}
_SURELY_UTF_8 = 11  # bytes beyond ASCII, all of them letters of UTF-8
_JAPANESE = "iso2022_jp_2"
_SHIFTED = re.compile(rb"\x1b\$[@B]([^\x1b]*)(?:\x1b\([BJ])?")


def _in_eight_bits(data: bytes) -> bytes:
    """Turn ISO-2022-JP into Shift_JIS, whose codec knows the letters of makers as well ("①")."""

    def shifted(match: re.Match[bytes]) -> bytes:
        pairs = zip(match[1][::2], match[1][1::2], strict=False)
        return b"".join(_shift_jis(row, cell) for row, cell in pairs)

    return _SHIFTED.sub(shifted, data)


def _shift_jis(row: int, cell: int) -> bytes:
    """Return a letter of JIS X 0208 as Shift_JIS has it (JIS X 0208:1997, appendix 1)."""
    high = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    low = cell + ((0x1F if cell < 0x60 else 0x20) if row % 2 else 0x7E)
    return bytes([high & 0xFF, low & 0xFF])


_FEWEST_FOR_A_GUESS, _LOOKED_AT_MOST = 40, 20_000  # bytes
_GUESSED_AMONG = [
    *("big5", "gb18030", "cp932", "euc_jp", "cp949"),
    *("cp1251", "koi8_r", "iso8859_5", "cp1253", "cp1255", "cp1256", "cp874"),
]


def _is_far_from_latin(data: bytes) -> bool:
    """Whether so much is beyond ASCII that no language of Latin letters can be meant."""
    seen = data[:_LOOKED_AT_MOST]
    return len(seen) >= _FEWEST_FOR_A_GUESS and 10 * len(seen.translate(None, _ASCII)) > 3 * len(
        seen
    )


def _guessed(data: bytes) -> str:
    """Read a text of other letters, whose charset nobody named rightly, in the likeliest one."""
    import charset_normalizer  # noqa: PLC0415 - rarely needed, and large

    seen = data[:_LOOKED_AT_MOST]
    best = charset_normalizer.from_bytes(seen, cp_isolation=_GUESSED_AMONG).best()
    found = codec(best.encoding) if best else None
    return _roughly(data, found or "cp1252")


_MULTIBYTE = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xe0[\xa0-\xbf][\x80-\xbf]"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|[\xf1-\xf3][\x80-\xbf]{3}|\xf0[\x90-\xbf][\x80-\xbf]{2}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2})+"
)
_ASCII = bytes(range(128))
_MOST_MIXED = 300_000  # bytes that are looked at run by run


def _is_mostly_utf_8(data: bytes) -> bool:
    """Whether at least half of the bytes beyond ASCII are letters of UTF-8 (RFC 3629 §4)."""
    beyond = len(data.translate(None, _ASCII))
    left = len(_MULTIBYTE.sub(b"", data).translate(None, _ASCII)) if beyond else 0
    return beyond > 0 and 2 * left <= beyond


def _mixed(data: bytes, other: str) -> str:
    """Read the letters of UTF-8 as what they are, and what stands between in another charset."""
    if len(data) > _MOST_MIXED:
        return data.decode("utf-8", "replace")
    out, position = [], 0
    for match in _MULTIBYTE.finditer(data):
        out += [_roughly(data[position : match.start()], other), match[0].decode("utf-8")]
        position = match.end()
    out.append(_roughly(data[position:], other))
    return "".join(out)


# Each byte that cannot be read costs a call; beyond this size they are not looked at singly.
_MOST_REPLACED = 1_000_000


def _roughly(data: bytes, name: str) -> str:
    text = _try(data, name)
    if text is None:
        large = len(data) > _MOST_REPLACED
        text = data.decode("latin-1") if large else data.decode(name, "replace")
    return text


def clean(text: str) -> str:
    """Return *text* without NUL, byte-order mark or lone surrogate, as a store can keep it."""
    text = text.replace("\0", "").removeprefix("\ufeff")
    if text.isascii():
        return text
    return _SURROGATES.sub("\ufffd", text)


def with_newlines(text: str) -> str:
    r"""Return *text* with every kind of line end written as ``\n``."""
    return _LINE_ENDS.sub("\n", text.replace("\r\n", "\n").replace("\r", "\n"))


def transfer_decoded(data: bytes, encoding: str) -> tuple[bytes, bool]:
    """Undo a Content-Transfer-Encoding (RFC 2045 §6); the flag says whether it was sound."""
    match encoding.strip().lower():
        case "quoted-printable":
            return binascii.a2b_qp(data), True
        case "base64":
            return _before_words(data) or ((data, False) if _has_words(data) else from_base64(data))
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return _from_uuencode(data)
        case "" | "7bit" | "8bit" | "binary":
            return data, True
        case _:
            return data, False


# An encoder breaks at 76 letters; what was two bytes may have become one or three since.
_SOFT_BREAK = re.compile(rb"^[^\r\n]{73,76}[^=\r\n]=\r?$", re.MULTILINE)
_FEWEST_SOFT_BREAKS = 3


def unquoted(data: bytes) -> bytes:
    """Undo what is left of quoted-printable in a text that is not called so any more.

    Gateways that changed the encoding left its soft line breaks, all of them in long lines.
    """
    if data.count(b"=\n") + data.count(b"=\r\n") < _FEWEST_SOFT_BREAKS:
        return data  # nearly every text, found out in no time
    breaks = _SOFT_BREAK.finditer(data)
    enough = sum(1 for _ in islice(breaks, _FEWEST_SOFT_BREAKS)) == _FEWEST_SOFT_BREAKS
    return binascii.a2b_qp(data) if enough else data


_WORDS = re.compile(rb"[A-Za-z.,!?] [A-Za-z]")
_LOOKED_AT = 4_000  # bytes
_LONGEST_WORD = 25


def _has_words(data: bytes) -> bool:
    """Whether a text that is called base64 was never encoded: base64 has no blanks within lines."""
    seen = data[:_LOOKED_AT]
    return len(_WORDS.findall(seen)) * _LONGEST_WORD > len(seen)


_ENCODED = re.compile(rb"\s*((?:[A-Za-z0-9+/]{40,}\r?\n)*+[A-Za-z0-9+/]{4,}={0,2})[ \t]*\r?\n")
_SURELY_ENCODED = 60  # letters without a blank
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f]")


def _before_words(data: bytes) -> tuple[bytes, bool] | None:
    """Decode base64 below which a server has put a few plain lines; None where none stand there."""
    if not _WORDS.search(data[-_LOOKED_AT:]):
        return None
    match = _ENCODED.match(data)
    if match is None:
        return None
    decoded = _from_torn(match[1])
    text = "" if len(match[1]) >= _SURELY_ENCODED else _try(decoded, "utf-8")
    if text is None or _UNSEEN.search(text):
        return None
    return decoded + b"\n" + data[match.end() :], False


_WHOLE_LINES = 4  # lines for each that is torn
_PIECE_END = re.compile(rb"=(?=\s*[A-Za-z0-9+/])")
_MOST_PIECES = 1_000
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def from_base64(data: bytes) -> tuple[bytes, bool]:
    """Decode base64 as far as it goes, whatever stands between and however it is padded.

    Where a few lines lack a letter, each is decoded by itself: else all behind the first is lost.
    So are pieces that were encoded apart, as some servers add a footer.
    """
    if data.count(b"\n") <= _MOST_LINES:
        lines = [line for line in map(bytes.strip, data.split(b"\n")) if line]
        torn = sum(len(line) % 4 > 0 for line in lines[:-1])
        if 0 < _WHOLE_LINES * torn <= len(lines):
            return b"".join(map(_from_torn, lines)), False
    pieces = _PIECE_END.split(data, _MOST_PIECES)
    if len(pieces) > 1:
        return b"".join(map(_from_torn, pieces)), True
    try:
        return binascii.a2b_base64(data), True
    except binascii.Error:
        return _from_torn(data), False


def _from_torn(data: bytes) -> bytes:
    letters = _NOT_BASE64.sub(b"", data)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


# The lines of a full-size letter, were each of them 51 characters long. What has more is read
# line by line at nobody's gain.
_MOST_LINES = 200_000


def _from_uuencode(data: bytes) -> tuple[bytes, bool]:
    if data.count(b"\n") > _MOST_LINES:
        return data, False
    out = []
    sound = True
    for line in data.splitlines():
        if line[:6] == b"begin " or line.rstrip() in {b"end", b"`", b""}:
            continue
        try:
            out.append(binascii.a2b_uu(line[:100]))
        except binascii.Error:
            sound = False
    return b"".join(out), sound


def unflowed(text: str, *, delete_space: bool) -> str:
    """Join the soft line breaks of `format=flowed` text (RFC 3676 §4.2), keeping quote marks."""
    if text.count("\n") > _MOST_LINES:
        return text
    lines: list[str] = []
    open_depth: int | None = None
    for raw in text.split("\n"):
        depth = len(raw) - len(raw.lstrip(">"))
        line = raw[depth:].removeprefix(" ")
        soft = line.endswith(" ") and line != "-- "
        body = line[:-1] if soft and delete_space else line
        if open_depth == depth and line != "-- ":
            lines.append(body)
        else:
            lines.append(("\n" if lines else "") + ">" * depth + (" " if depth else "") + body)
        open_depth = depth if soft else None
    return "".join(lines)
