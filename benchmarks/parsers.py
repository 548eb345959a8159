"""What the tests of five other parsers say their letters hold: subjects, senders, texts, files.

As in `expectations`, their sources are looked at and never run.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.expectations import BUDGETS, Facts, new_words, words
from mailcounsel.letter import attachments, headers, parse

# -- php-mime-mail-parser: one array of PHP --------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<open>array\(|\[)|(?P<close>\)|\])|(?P<mark>,|=>)
    |'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<word>[\w.-]+))""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def php_mime(corpora: Path) -> Iterator[Facts]:
    """Compare subjects, senders, texts and attachments of php-mime-mail-parser's letters."""
    folder = corpora / "php_mime"
    source = (folder / "expect" / "tests" / "ParserTest.php").read_text("utf-8")
    source = source[source.index("function provideData()") :]
    told = _array(_TOKEN.finditer(source, source.index("array(") + len("array(")))
    for mail, subject, senders, _, _, _, text, _, files, *_ in told:
        path = folder / "msg" / "tests" / "mails" / str(mail)
        if path.is_file():
            letter = parse.read(path.read_bytes(), BUDGETS)
            yield f"php_mime/{mail}", _as_php(letter, subject, senders, text, files)


def _array(tokens: Iterator[re.Match[str]]) -> list[Any]:
    """Read an array up to its end; of a pair the value."""
    found: list[Any] = []
    for token in tokens:
        match token.lastgroup:
            case "close":
                return found
            case "open":
                found.append(_array(tokens))
            case "single":
                found.append(re.sub(r"\\(['\\])", r"\1", token["single"]))
            case "double":
                found.append(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token["double"]))
            case "word":
                found.append(token["word"])
            case "mark" if token["mark"] == "=>":
                found.pop()
    return found


def _as_php(
    letter: parse.Letter, subject: str, senders: list[Any], text: list[Any], files: list[Any]
) -> Mapping[str, bool]:
    sender = str(senders[0][1]).casefold() if senders else ""
    names = {attachments.safe_name(one[0], one[4]) for one in files if one[5] == "attachment"}
    facts = {
        "subject": words(subject) == words(letter.subject),
        "sender": sender == (letter.sender.address or "").casefold(),
        "files": names <= {one.name for one in letter.attachments},
    }
    if words(str(text[-1])):
        whole, wanted = words(letter.text), words(str(text[-1]))
        facts["text"] = whole == wanted if text[0] == "MATCH" else wanted in whole
    return facts


# -- mailparser: JavaScript, a test for each letter ------------------------------------------------

_FIXTURE = re.compile(r"/fixtures/([\w.-]+\.eml)'(.*?)(?=/fixtures/|\Z)", re.DOTALL)
_EQUAL = re.compile(
    r"test\.equal\(mail(?:parser)?\.(text|subject|attachments\.length), ('(?:\\.|[^'\\])*'|\d+)"
)


def mailparser_js(corpora: Path) -> Iterator[Facts]:
    """Compare what mailparser's tests ask of whole letters."""
    folder = corpora / "mailparser_js"
    for tests in sorted((folder / "expect" / "test").glob("*.js")):
        for name, told in _FIXTURE.findall(tests.read_text("utf-8")):
            path = folder / "msg" / "test" / "fixtures" / name
            wanted = dict(_EQUAL.findall(told))
            if not path.is_file() or not wanted:
                continue
            letter = parse.read(path.read_bytes(), BUDGETS)
            found = {
                "text": words(letter.text),
                "subject": words(letter.subject),
                "attachments.length": len(letter.attachments),
            }
            facts = {
                fact.partition(".")[0]: _plain(ast.literal_eval(value)) == found[fact]
                for fact, value in wanted.items()
            }
            yield f"mailparser_js/{name}", facts


def _plain(value: object) -> object:
    return words(value) if isinstance(value, str) else value


# -- django-helpdesk: Python, a test for each letter -----------------------------------------------

_OPENS = re.compile(r"test_files/([\w.-]+\.eml)")
_TICKET = {"title": "subject", "description": "new_words"}


def helpdesk(corpora: Path) -> Iterator[Facts]:
    """Compare the titles and descriptions of the tickets that django-helpdesk makes of letters."""
    folder = corpora / "helpdesk"
    tests = ast.parse((folder / "expect" / "tests" / "test_get_email.py").read_text("utf-8"))
    for test in (one for one in ast.walk(tests) if isinstance(one, ast.FunctionDef)):
        opens = _OPENS.search(ast.unparse(test))
        path = folder / "msg" / "tests" / "test_files" / opens[1] if opens else folder
        wanted = dict(_asserted(test))
        if path.is_file() and wanted:
            letter = parse.read(path.read_bytes(), BUDGETS)
            found = {"subject": words(letter.subject), "new_words": new_words(letter.text)}
            facts = {fact: words(value) == found[fact] for fact, value in wanted.items()}
            yield f"helpdesk/{path.name}", facts


def _asserted(test: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield the facts that are compared with a literal: `assertEqual(ticket.title, "…")`."""
    for call in ast.walk(test):
        is_equal = isinstance(call, ast.Call) and ast.unparse(call.func) == "self.assertEqual"
        if not is_equal or not isinstance(call, ast.Call):
            continue
        of, value = call.args[:2]
        known = isinstance(of, ast.Attribute) and ast.unparse(of.value) == "ticket"
        if known and isinstance(of, ast.Attribute) and isinstance(value, ast.Constant):
            yield _TICKET[of.attr], str(value.value)


# -- Delta Chat's core: Rust, a test for each letter -----------------------------------------------

_RUST = re.compile(
    r'include_bytes!\("\.\./\.\./test-data/message/([\w.-]+)"\)(.*?)(?=include_bytes!|\n#\[|\Z)',
    re.DOTALL,
)
_RUST_TELLS = {
    "files": re.compile(r'assert_eq!\(filename, Some\("(.*?)"\.to_string\(\)\)'),
    "subject": re.compile(r'get_subject\(\)(?:\.unwrap\(\))?,\s*(?:Some\()?"(.*?)"'),
    "message_id": re.compile(r'get_rfc724_mid\(\),\s*Some\("(.*?)"'),
    "text": re.compile(r'parts\[0\]\.msg,\s*"((?:\\.|[^"\\])*)"'),
}


def chatmail(corpora: Path) -> Iterator[Facts]:
    """Compare file names, subjects, identities and replies of Delta Chat's letters."""
    folder = corpora / "chatmail"
    tests = folder / "expect" / "src" / "mimeparser" / "mimeparser_tests.rs"
    for name, told in _RUST.findall(tests.read_text("utf-8")):
        path = folder / "msg" / "test-data" / "message" / name
        wanted = {fact: tells[1] for fact, by in _RUST_TELLS.items() if (tells := by.search(told))}
        if path.is_file() and wanted:
            letter = parse.read(path.read_bytes(), BUDGETS)
            facts = {fact: _as_chat(letter, fact, value) for fact, value in wanted.items()}
            yield f"chatmail/{name}", facts


def _as_chat(letter: parse.Letter, fact: str, told: str) -> bool:
    if fact == "files":  # which it makes safe to write only later
        return attachments.safe_name(told, "") in {one.name for one in letter.attachments}
    if fact == "text":  # a chat shows the subject before the words
        wanted = words(json.loads(f'"{told}"').rpartition(" – ")[2])
        return bool(wanted) and wanted in new_words(letter.text)
    return words(told) == words((letter.subject if fact == "subject" else letter.message_id) or "")


# -- jsmime, Thunderbird's parser: JavaScript, pairs of a header and what it says ------------------

_PAIR = re.compile(r'\[("(?:\\.|[^"\\])*"),\s*("(?:\\.|[^"\\])*")\]')


def jsmime(corpora: Path) -> Iterator[Facts]:
    """Compare what encoded words say."""
    tests = corpora / "jsmime" / "expect" / "test" / "test_header.js"
    source = tests.read_text("utf-8").partition("suite('decodeRFC2047Words'")[2]
    source = re.sub(r'"\s*\+\s*"', "", source.partition("suite('8-bit")[0])
    for number, (written, told) in enumerate(_PAIR.findall(source)):
        found = headers.decoded(json.loads(written))
        yield f"jsmime/{number}", {"encoded_words": words(found) == words(json.loads(told))}


SOURCES = (
    ("php_mime", php_mime),
    ("mailparser_js", mailparser_js),
    ("helpdesk", helpdesk),
    ("chatmail", chatmail),
    ("jsmime", jsmime),
)
