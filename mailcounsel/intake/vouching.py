"""Step *vouch*: who really wrote this.

Four answers, strongest first: *signed* by a client's pinned key over the whole body; our *token*
returned together with the client's own address; *border*, our own mail server's
Authentication-Results for the client's address (RFC 8601); or *nothing*. A letter whose header
was read behind bare returns is vouched for by nothing: our border read another sender in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailcounsel.config import Config
from mailcounsel.intake.knowledge import Knowledge, KnownCase
from mailcounsel.intake.opening import DIFFERS, Opened
from mailcounsel.letter import calendars
from mailcounsel.letter.parse import BARE_RETURNS, Letter

SIGNED = "signed"
TOKEN = "token"
BORDER = "border"
NOTHING = "nothing"

OTHER_ADDRESS, FOR_OTHERS = "other-address", "for-somebody-else"
PASSED_ON = {DIFFERS, OTHER_ADDRESS, FOR_OTHERS}  # a signature in such a letter proves no wish

_TOKEN = r"[a-z2-7]{26}"
_IN_ADDRESS = re.compile(rf"\+({_TOKEN})@", re.IGNORECASE)
_IN_MESSAGE_ID = re.compile(rf"\A({_TOKEN})\.[0-9a-f]{{16}}@", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_TELLS = re.compile(r"(?:dmarc|header\.from)\b")


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who wrote a letter, as far as it is proved. `token_case` is a hint even without proof.

    `at_address` says that our token or our border vouches for the sender's address, whether or not
    the letter is signed as well.
    """

    kind: str
    client_ids: tuple[str, ...] = ()
    token_case: KnownCase | None = None
    at_address: bool = False

    @property
    def is_proved(self) -> bool:
        """Tell whether a client is proved to have written it."""
        return self.kind != NOTHING


def vouch(
    opened: Opened, recipients: tuple[str, ...], known: Knowledge, authserv_id: str | None
) -> Vouched:
    """Say who wrote a letter. `recipients` are those of the envelope."""
    letter = opened.letter
    hint = _token_case(letter, recipients, known)
    if BARE_RETURNS in opened.problems:
        return Vouched(NOTHING, (), hint)
    signer = _signer(opened, known)
    address = letter.sender.address
    clients = tuple(known.clients_with_address(address)) if address else ()
    is_answer = hint is not None and hint.client_id in clients
    is_ours = is_answer or _by_border(opened, authserv_id)
    if signer:
        return Vouched(SIGNED, signer, hint, is_ours)
    if hint and is_answer:
        return Vouched(TOKEN, (hint.client_id,), hint, is_ours)
    kind = BORDER if is_ours and clients else NOTHING
    return Vouched(kind, clients if kind == BORDER else (), hint, is_ours)


def _by_border(opened: Opened, authserv_id: str | None) -> bool:
    """Tell whether our border stands behind the sender; it saw the outer one only."""
    address, is_whole = opened.letter.sender.address, DIFFERS not in opened.problems
    if not (address and authserv_id and is_whole):
        return False
    return passed_our_border(opened.letter, authserv_id, address)


def doubts(opened: Opened, vouched: Vouched, known: Knowledge, config: Config) -> tuple[str, ...]:
    """Say what makes a letter seem passed on by somebody else, in codes.

    A signature says who wrote the words, and neither to whom nor when: whoever got a signed letter
    can send it to us.
    """
    address, named = opened.letter.sender.address, opened.letter.inside.recipients
    senders = known.clients_with_address(address) if address else []
    is_known = not set(senders).isdisjoint(vouched.client_ids)
    found = [OTHER_ADDRESS] if vouched.kind == SIGNED and not is_known else []
    is_ours = any(config.inbox_for(one) for one in named)
    return (*found, FOR_OTHERS) if named and not is_ours else tuple(found)


def _signer(opened: Opened, known: Knowledge) -> tuple[str, ...]:
    """Return the clients whose pinned key signed. Two who share a key are told apart by address."""
    found = [client for name in opened.signed_by for client in known.clients_with_key(name)]
    if len(set(found)) > 1 and opened.letter.sender.address:
        here = known.clients_with_address(opened.letter.sender.address)
        found = [client for client in found if client in here]
    return tuple(dict.fromkeys(found))


def tokens(letter: Letter, recipients: tuple[str, ...]) -> list[str]:
    """Return the tokens a letter brings back: in addresses, then in ids, nearest first.

    The id of an invitation has the form of a Message-ID; a calendar's answer brings that back.
    """
    tags = [_IN_ADDRESS.search(address) for address in (*recipients, *letter.recipients)]
    answered = [one.uid for one in calendars.replies(letter.attachments)]
    ids = [*answered, *reversed(letter.references), *letter.in_reply_to]
    named = [_IN_MESSAGE_ID.match(message_id) for message_id in ids]
    return list(dict.fromkeys(found.group(1).lower() for found in (*tags, *named) if found))


def _token_case(letter: Letter, recipients: tuple[str, ...], known: Knowledge) -> KnownCase | None:
    cases = (known.case_of_token(token) for token in tokens(letter, recipients)[:20])
    return next((case for case in cases if case), None)


def passed_our_border(letter: Letter, authserv_id: str, address: str) -> bool:
    """Tell whether our own border says that the sender's domain stands behind this letter.

    Only the topmost Authentication-Results with our own id is read, and only above the second
    Received line: what stands lower came from outside. It must say `dmarc=pass` for the From
    domain, which includes alignment (RFC 7489 section 3.1; RFC 8601 sections 2.2 and 5). A second
    one that speaks of DMARC means that somebody tries to speak for our border.
    """
    found = _by_our_border(letter, authserv_id)
    if not found or any(_dmarc(value) != [] for value in found[1:]):
        return False
    wanted = {"dmarc=pass", f"header.from={address.rpartition('@')[2].lower()}"}
    said = _dmarc(found[0])
    return said is not None and len(said) == 1 and said[0] == wanted


def _by_our_border(letter: Letter, authserv_id: str) -> list[str]:
    found: list[str] = []
    hops = 0
    for name, value in letter.headers:
        hops += name == "received"
        if hops > 1:
            break
        if name == "authentication-results" and _is_by(value, authserv_id):
            found.append(value)
    return found


def _dmarc(value: str) -> list[set[str]] | None:
    """Return what a field says of DMARC, without reasons and policies; None when it is not plain.

    Comments and quoted strings are left out first: the sender's words stand in them, as in
    `smtp.mailfrom="; dmarc=pass header.from=…"@example.org`.
    """
    bare = _QUOTED.sub('""', value.lower())
    while _COMMENT.search(bare):
        bare = _COMMENT.sub(" ", bare)
    if bare.replace('""', "").count('"') or "(" in bare or ")" in bare:
        return None
    results = [re.sub(r"\s*=\s*", "=", part).split() for part in bare.split(";")[1:]]
    of_dmarc = [words for words in results if words and re.match(r"dmarc\b", words[0])]
    return [{word for word in words if _TELLS.match(word)} for words in of_dmarc]


def _is_by(value: str, authserv_id: str) -> bool:
    first = value.split(";", 1)[0].split()
    return bool(first) and first[0].lower() == authserv_id.lower()
