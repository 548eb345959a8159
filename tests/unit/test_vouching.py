"""Who really wrote a letter, decided on plain values."""

from __future__ import annotations

import pytest

from mailcounsel.intake import opening, vouching
from mailcounsel.intake.knowledge import KnownCase, NoKnowledge
from mailcounsel.letter import parse
from mailcounsel.letter.mime import Budgets

TOKEN, OTHER = "a" * 26, "b" * 26
CASE = KnownCase("case", 1, "ani", "open", "umum", "id", 1)
BORDER = "mx.rumah.test"


class Known(NoKnowledge):
    """Ani, her address, her key and her case; Budi shares her key."""

    def clients_with_address(self, address):
        return {"ani@klien.test": ["ani"], "rumah@klien.test": ["ani", "budi"]}.get(address, [])

    def clients_with_key(self, fingerprint):
        return {"ANIS": ["ani"], "SHARED": ["ani", "budi"]}.get(fingerprint, [])

    def case_of_token(self, token):
        return CASE if token == TOKEN else None


def letter(*lines, sender="ani@klien.test"):
    head = [*lines, f"From: {sender}", "", "Halo."]
    return parse.read("\r\n".join(head).encode(), Budgets())


def vouch(found, *recipients, signed_by=(), problems=()):
    opened = opening.Opened(found, signed_by=signed_by, problems=problems)
    return vouching.vouch(opened, recipients, Known(), BORDER)


def border(said, *above):
    return letter(*above, f"Authentication-Results: {said}")


# -- tokens --------------------------------------------------------------------------------------


def test_tokens_are_found_in_addresses_first_then_nearest_first():
    """The envelope, the header, then References from the end, then In-Reply-To; each once."""
    ids = [f"<{letter * 26}.0123456789abcdef@rumah.test>" for letter in "cde"]
    found = letter(
        f"To: halo+{OTHER}@rumah.test", f"References: {ids[0]} {ids[1]}", f"In-Reply-To: {ids[2]}"
    )
    tokens = vouching.tokens(found, (f"halo+{TOKEN.upper()}@rumah.test",))
    assert tokens == [TOKEN, OTHER, "d" * 26, "c" * 26, "e" * 26]


@pytest.mark.parametrize(
    "name",
    [
        f"{TOKEN}@rumah.test",
        f"x{TOKEN}.0123456789abcdef@rumah.test",
        f"{TOKEN}.0123@rumah.test",
        f"{TOKEN[:-1]}1.0123456789abcdef@rumah.test",
        f"{TOKEN}a.0123456789abcdef@rumah.test",
    ],
)
def test_what_only_looks_like_our_message_id_holds_no_token(name):
    """Neither longer nor shorter, nor anywhere but at the start."""
    assert vouching.tokens(letter(f"References: <{name}>"), ()) == []


def test_a_token_proves_only_together_with_the_clients_address():
    """From anywhere else it is a hint for a person."""
    to = f"halo+{TOKEN}@rumah.test"
    assert vouch(letter(), to).kind == vouching.TOKEN
    stranger = vouch(letter(sender="mal@jahat.test"), to)
    assert (stranger.kind, stranger.token_case) == (vouching.NOTHING, CASE)


@pytest.mark.parametrize(
    "sender",
    ["ani@klien.test, mal@jahat.test", "<@jahat.test:ani@klien.test>", "Ani: ani@klien.test;"],
)
def test_a_doubtful_sender_has_no_address_to_prove(sender):
    """Two senders, a route, a group: nobody."""
    assert vouch(letter(sender=sender), f"halo+{TOKEN}@rumah.test").kind == vouching.NOTHING


def test_a_hundred_tokens_are_not_all_looked_up():
    """What an attacker can fill a header with costs twenty look-ups."""
    asked = []

    class Counting(Known):
        def case_of_token(self, token):
            asked.append(token)

    many = [f"{number:026d}".replace("0", "a").replace("1", "b") for number in range(90)]
    many = [name.translate(str.maketrans("89", "cd")) for name in many]
    ids = " ".join(f"<{name}.0123456789abcdef@x.test>" for name in many)
    opened = opening.Opened(letter(f"References: {ids}"))
    vouching.vouch(opened, (), Counting(), BORDER)
    assert len(asked) == 20


# -- signatures ----------------------------------------------------------------------------------


def test_a_pinned_signature_proves_from_any_address():
    """The key is the proof."""
    found = vouch(letter(sender="ani@baru.test"), signed_by=("ANIS",))
    assert (found.kind, found.client_ids) == (vouching.SIGNED, ("ani",))


def test_a_signature_nobody_pinned_proves_nothing():
    """A good signature by a stranger's key is a stranger's."""
    assert vouch(letter(), signed_by=("MALS",)).kind == vouching.NOTHING


def test_two_who_share_a_key_are_told_apart_by_address():
    """And where the address does not tell, neither is proved."""
    assert vouch(letter(), signed_by=("SHARED",)).client_ids == ("ani",)
    assert vouch(letter(sender="x@y.test"), signed_by=("SHARED",)).kind == vouching.NOTHING


# -- the border ----------------------------------------------------------------------------------

PASS = f"{BORDER}; dmarc=pass header.from=klien.test"


@pytest.mark.parametrize(
    "said",
    [
        PASS,
        f"{BORDER} 1; spf=pass smtp.mailfrom=klien.test; dmarc=pass header.from=klien.test",
        f"{BORDER.upper()}; DMARC=PASS (p=reject dis=none) header.from=Klien.TEST",
        f"{BORDER}; dmarc = pass policy.dmarc=none header.from = klien.test",
        f'{BORDER}; dkim=pass reason="a; b (c" header.d=x.test; dmarc=pass header.from=klien.test',
    ],
)
def test_our_borders_word_is_read_in_every_usual_form(said):
    """Versions, comments, blanks, capitals, reasons."""
    assert vouch(border(said)).kind == vouching.BORDER


@pytest.mark.parametrize(
    "said",
    [
        f"{BORDER}; none",
        f"{BORDER}; dmarc=none header.from=klien.test",
        f"{BORDER}; dmarc=passed header.from=klien.test",
        f"{BORDER}; dmarc=pass header.from=klien.test.jahat.test",
        f"{BORDER}; dmarc=pass",
        f"{BORDER}; dmarc=pass header.from=klien.test (",
        f'{BORDER}; dmarc=pass header.from=klien.test "',
        f'{BORDER}; spf=pass smtp.mailfrom="\\"; dmarc=pass header.from=klien.test',
        f"{BORDER}.jahat.test; dmarc=pass header.from=klien.test",
        f"mx.jahat.test; dmarc=pass header.from=klien.test; {PASS}",
    ],
)
def test_a_doubtful_word_is_none(said):
    """Not plain, not ours, not aligned: nothing."""
    assert vouch(border(said)).kind == vouching.NOTHING


def test_a_second_word_about_dmarc_spoils_the_first():
    """Two that speak for our border: one of them is a forger's."""
    found = letter(f"Authentication-Results: {PASS}", f"Authentication-Results: {PASS}")
    assert vouch(found).kind == vouching.NOTHING


def test_the_topmost_word_of_ours_counts():
    """Below it may stand what a sender brought along."""
    found = letter(f"Authentication-Results: {BORDER}; spf=pass", f"Authentication-Results: {PASS}")
    assert vouch(found).kind == vouching.NOTHING


def test_the_border_saw_the_outer_sender_only():
    """A letter that names another sender inside is not vouched for by the border."""
    assert vouch(border(PASS), problems=("inner-sender-differs",)).kind == vouching.NOTHING


def test_a_header_behind_bare_returns_is_vouched_for_by_nothing():
    """Neither border nor token nor signature speaks for what our border did not read."""
    to, odd = f"halo+{TOKEN}@rumah.test", (parse.BARE_RETURNS,)
    found = vouch(border(PASS), to, signed_by=("ANIS",), problems=odd)
    assert (found.kind, found.client_ids, found.at_address) == (vouching.NOTHING, (), False)
    assert found.token_case is not None


def test_without_a_border_of_ours_no_word_counts():
    """`authserv_id` is not configured: nobody may speak."""
    opened = opening.Opened(border(PASS))
    assert vouching.vouch(opened, (), Known(), None).kind == vouching.NOTHING


def test_a_shared_address_is_proved_for_both():
    """Which of them wrote is another question."""
    found = letter(f"Authentication-Results: {PASS}", sender="rumah@klien.test")
    assert vouch(found).client_ids == ("ani", "budi")
