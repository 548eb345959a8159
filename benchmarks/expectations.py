"""What other collections say their own letters hold: names, subjects, replies, inner headers.

Their tests are looked at as text or as trees, and never run. Each function yields the name of a
letter and, for each fact that is told of it, whether we found the same.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailcounsel.letter import addresses, fold, parse
from mailcounsel.service import explaining

Facts = tuple[str, Mapping[str, bool]]

BUDGETS = parse.Budgets()
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def words(value: str) -> str:
    """Return a text with every blank made one space."""
    return re.sub(r"\s+", " ", value).strip()


def new_words(text: str) -> str:
    """Return what was written now, as `show` would leave it open."""
    return words(fold.new_words(text, fold.fold(text, ())))


# -- what was written now -----------------------------------------------------------------------

# What the tests of both email_reply_parsers say is the reply, by file. Where they tell apart only
# what begins and what is hidden, the words that must stay and those that must not are given.
REPLIES = {
    "email_2_1": "Outlook with a reply",
    "email_2_2": "Outlook with a reply directly above line",
    "email_gmail": "This is a test for inbox replying to a github message.",
    "email_iPhone": "Here is another email",
    "email_BlackBerry": "Here is another email",
    "email_multi_word_sent_from_my_mobile_device": "Here is another email",
    "email_headers_no_delimiter": "And another reply!",
    "email_sent_from_my_not_signature": "Here is another email Sent from my desk, is much easier "
    "then my mobile phone.",
    "email_bullets": "test 2 this should list second and have spaces and retain this formatting "
    "- how about bullets - and another",
}
HOLDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "email_1_1": (("Hi folks", "I am currently using the Java HTTP API."), ()),
    "email_1_2": (("Hi,", "You can list the keys for the bucket"), ("> ", "wrote:")),
    "email_1_3": (("Oh thanks.", "Having"), ("wrote:",)),
    "email_1_4": (("Awesome",), ("Loader", "wrote:")),
    "email_1_6": (("I get",), ("Was this",)),
    "email_1_7": ((":+1:",), ("Steps 0-2",)),
    "email_1_8": (("I will reply", "and under this."), ("wrote:",)),
    "correct_sig": (("this is an email with a correct -- signature.",), ("rick",)),
    "email_one_is_not_on": (("One outstanding question",), ("On Oct 1, 2012",)),
    "email_partial_quote_header": (("On your remote host you can run:", "telnet 127.0.0.1"), ()),
    "greedy_on": (("On your remote host",), ("On 9 Jan 2014",)),
    "email_sig_delimiter_in_middle_of_line": (("--",), ()),
}
# The two projects differ in this file.
OUTLOOK_2_3 = {
    "erp_github": "Outlook with a reply directly above line",
    "erp_zapier": "Outlook with a reply above headers using unusual format",
}


def reply_parsers(corpora: Path) -> Iterator[Facts]:
    """Compare the replies of the two email_reply_parsers."""
    for source, third in OUTLOOK_2_3.items():
        for path in sorted((corpora / source / "body").rglob("*.txt")):
            told = {**REPLIES, "email_2_3": third}.get(path.stem)
            text = path.read_text("utf-8", "replace").replace("\r\n", "\n")
            found = new_words(text)
            if told is not None:
                yield f"{source}/{path.stem}", {"reply": found == words(told)}
            elif path.stem in HOLDS:
                stays, goes = HOLDS[path.stem]
                kept = all(words(one) in found for one in stays)
                folded = not any(words(one) in found for one in goes)
                yield f"{source}/{path.stem}", {"reply": kept and folded}


def talon_texts(corpora: Path) -> Iterator[Facts]:
    """Compare talon's plain texts: those that a test compares with one literal reply."""
    path = corpora / "talon" / "expect" / "tests" / "text_quotations_test.py"
    for test in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(test, ast.FunctionDef):
            continue
        named = {
            node.targets[0].id: node.value.value
            for node in ast.walk(test)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        }
        for number, (told, text) in enumerate(_compared(test, named)):
            yield f"talon/{test.name}/{number}", {"reply": new_words(text) == words(told)}


def _compared(test: ast.FunctionDef, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the literals of each eq_(reply, extract_from_plain(text)); a name that was given two
    values in one test stands for the last, so such tests are left out.
    """
    calls = [node for node in ast.walk(test) if isinstance(node, ast.Call)]
    pairs = [call.args for call in calls if getattr(call.func, "id", "") == "eq_"]
    if len(pairs) > 1 and any(isinstance(one, ast.Name) for pair in pairs for one in pair):
        return
    for told, found in pairs:
        given = found.args[0] if isinstance(found, ast.Call) and found.args else None
        values = [_literal(one, named) for one in (told, given)]
        is_plain = isinstance(found, ast.Call) and "extract_from_plain" in ast.dump(found.func)
        if is_plain and values[0] is not None and values[1] is not None:
            yield values[0], values[1]


def _literal(node: ast.expr | None, named: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return named.get(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def quotequail(corpora: Path) -> Iterator[Facts]:
    """Compare quotequail's replies; what is forwarded stays open here, and is left out."""
    path = corpora / "quotequail" / "expect" / "tests" / "test_unwrap.py"
    for number, (text, told) in enumerate(_cases(path)):
        if isinstance(told, dict) and told.get("type") in {"reply", "quote"}:
            parts = (told.get("text_top", ""), told.get("text_bottom", ""))
            wanted = words(" ".join(parts).replace("--\nkthxbye", ""))
            yield f"quotequail/{number}", {"reply": new_words(text).replace("-- ", "") == wanted}


def _cases(path: Path) -> Iterator[tuple[str, object]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            try:
                text, told = ast.literal_eval(node)
            except ValueError:
                continue
            if isinstance(text, str) and "\n" in text:
                yield text, told


# -- names and subjects -------------------------------------------------------------------------

_ZAMMAD = re.compile(
    r"fixtures/(?P<file>[\w-]+\.box)'\),.*?"
    r"from_email: '(?P<email>.*?)',\s*from_display_name: (?P<q>['\"])(?P<name>.*?)(?P=q),\s*"
    r"(?:to: .*?\n\s*)?subject: '(?P<subject>.*?)',\n",
    re.DOTALL,
)


def zammad(corpora: Path) -> Iterator[Facts]:
    """Compare senders and subjects of Zammad's letters."""
    folder = corpora / "zammad2017"
    tests = folder / "expect" / "test" / "unit" / "email_parser_test.rb"
    for block in re.split(r"(?=data: IO\.binread)", tests.read_text("utf-8"))[1:]:
        told = _ZAMMAD.search(block)
        if not told:
            continue
        path = folder / "msg" / "test" / "fixtures" / told["file"]
        letter = parse.read(path.read_bytes(), BUDGETS)
        facts = {
            "sender": told["email"].casefold() == (letter.sender.address or "").casefold(),
            "names": words(told["name"]) == words(letter.sender.name),
            "subject": words(told["subject"].replace("\\'", "'")) == words(letter.subject),
        }
        yield f"zammad/{told['file']}", facts


_MIKEL = re.compile(r"read_fixture\((?P<path>[^)]*)\)(?P<told>.*?)(?=read_fixture|\Z)", re.DOTALL)


def mikel(corpora: Path) -> Iterator[Facts]:
    """Compare the senders, subjects and identities of mikel/mail's example letters."""
    folder = corpora / "mikel"
    tests = folder / "expect" / "spec" / "mail" / "example_emails_spec.rb"
    for found in _MIKEL.finditer(tests.read_text("utf-8")):
        parts = re.findall(r"['\"](.*?)['\"]", found["path"])
        path = (folder / "msg" / "spec" / "fixtures").joinpath(*parts)
        if not path.is_file():
            continue
        letter = parse.read(path.read_bytes(), BUDGETS)
        facts = {}
        for field, value in (
            ("from", letter.sender.address or ""),
            ("subject", letter.subject),
            ("message_id", letter.message_id or ""),
        ):
            told = re.search(
                rf"expect\(mail\.{field}\)\.to eq \[?(['\"])(.*?)\1\]?\n", found["told"]
            )
            if told:
                fact = {"from": "sender"}.get(field, field)
                facts[fact] = words(told[2]).casefold() == words(value).casefold()
        if facts:
            yield f"mikel/{path.name}", facts


def flanker(corpora: Path) -> Iterator[Facts]:
    """Compare which of flanker's addresses are one address beyond doubt."""
    folder = corpora / "flanker" / "expect" / "tests" / "fixtures"
    for name, is_valid in (("mailbox_valid.txt", True), ("mailbox_invalid.txt", False)):
        for number, line in enumerate((folder / name).read_text("utf-8").splitlines()):
            if line.strip() and not line.startswith("#"):
                found = addresses.sender([line.encode()]).address
                fact = "addresses" if is_valid else "no_addresses"
                yield f"flanker/{name}:{number + 1}", {fact: (found is not None) is is_valid}


# -- inner headers ------------------------------------------------------------------------------

_SUBJECT = re.compile(r"(?im)^subject: (.*)$")


def protected_headers(corpora: Path) -> Iterator[Facts]:
    """Compare the protected subjects and texts of the header-protection vectors, opened as Bob."""
    folder = corpora / "ph_vectors"
    with tempfile.TemporaryDirectory(prefix="mc-", dir="/tmp") as named:
        home = Path(named)
        for name in ("bob@openpgp.example.sec.asc", "alice@openpgp.example.pub.asc"):
            command = ["gpg", "--homedir", named, "--batch", "--quiet", "--import"]
            subprocess.run([*command, str(folder / "expect" / name)], check=False)
        settings = explaining.any_config()
        with explaining.keys_of(home, settings) as keys:
            for path in sorted((folder / "msg").glob("*.eml")):
                inner = folder / "expect" / f"{path.stem}.inner"
                if inner.is_file() and not path.name.startswith("smime"):  # which is not opened
                    found = explaining.explain(path.read_bytes(), settings, keys, NOW)
                    told = _SUBJECT.search(inner.read_text("utf-8", "replace"))
                    yield f"ph_vectors/{path.stem}", _of_inner(found, told)


def _of_inner(found: Mapping[str, Any], told: re.Match[str] | None) -> Mapping[str, bool]:
    return {
        "opened": found["protection"]["opened"],
        "inner_subject": told is not None and told[1] == found["subject"],
        "not_repeated_in_the_text": "Subject:" not in found["text"],
    }


SOURCES = (
    ("reply parsers", reply_parsers),
    ("talon", talon_texts),
    ("quotequail", quotequail),
    ("zammad", zammad),
    ("mikel", mikel),
    ("flanker", flanker),
    ("inner headers", protected_headers),
)
