"""Which case a letter enters, decided on plain values."""

from __future__ import annotations

import pytest

from mailcounsel.intake import placing
from mailcounsel.intake.classifying import Class
from mailcounsel.intake.knowledge import KnownCase, NoKnowledge
from mailcounsel.intake.vouching import BORDER, NOTHING, SIGNED, TOKEN, Vouched
from mailcounsel.letter import parse
from mailcounsel.letter.mime import Budgets

LETTER = Class("letter")


def case(number, client="ani", state="open", *, maybe=False):
    return KnownCase(f"case{number}", number, client, state, "umum", "id", 1, maybe)


class Known(NoKnowledge):
    """Some cases, and whose Message-IDs are whose."""

    def __init__(self, *cases, messages=()):
        self.all, self.messages = cases, dict(messages)

    def cases_of_clients(self, client_ids):
        return [one for one in self.all if one.client_id in client_ids]

    def cases_of_message(self, message_id):
        return self.messages.get(message_id, [])

    def cases_reported(self, message_id):
        return self.cases_of_message(message_id)

    def clients_with_address(self, address):
        return ["ani"] if address == "ani@klien.test" else []

    def outgoing_of_message(self, message_id):
        return "outgoing" if message_id in self.messages else None


def letter(*references):
    named = " ".join(f"<{one}>" for one in references)
    head = ["From: ani@klien.test", f"References: {named}", "", "Halo."]
    return parse.read("\r\n".join(head).encode(), Budgets())


def place(known, vouched, *references, kind=LETTER):
    return placing.place(letter(*references), kind, vouched, known)


def test_the_token_goes_before_the_references():
    """What came back with this very letter is nearer than what it quotes."""
    first, second = case(1), case(2)
    known = Known(first, second, messages={"m": [first]})
    found = place(known, Vouched(TOKEN, ("ani",), second), "m")
    assert (found.why, found.case) == ("token", second)


def test_the_nearest_reference_goes_first():
    """References run from the oldest to the nearest."""
    first, second = case(1), case(2)
    known = Known(first, second, messages={"old": [first], "new": [second]})
    assert place(known, Vouched(SIGNED, ("ani",)), "old", "new").case == second


def test_a_message_id_used_twice_points_nowhere():
    """Reused ids are no proof for either case."""
    first, second = case(1), case(2)
    known = Known(first, second, messages={"m": [first, second]})
    found = place(known, Vouched(SIGNED, ("ani",)), "m")
    assert (found.why, found.client_id) == ("known-client", "ani")


def test_a_reused_id_of_anothers_case_does_not_hide_ones_own():
    """Only the cases of who is proved are looked among."""
    mine, other = case(1), case(2, "budi")
    known = Known(mine, case(3), other, messages={"m": [other, mine]})
    assert place(known, Vouched(SIGNED, ("ani",)), "m").case == mine


def test_anothers_token_does_not_open_anothers_case():
    """A proved client who brings somebody else's token stays at home."""
    mine, other = case(1), case(2, "budi")
    found = place(Known(mine, other), Vouched(SIGNED, ("ani",), other))
    assert (found.why, found.case) == ("only-open-case", mine)


@pytest.mark.parametrize("kind", [SIGNED, TOKEN, BORDER])
def test_a_closed_case_is_not_opened_by_a_letter_without_reference(kind):
    """A new matter of the same client."""
    found = place(Known(case(1, state="closed")), Vouched(kind, ("ani",)))
    assert (found.why, found.client_id, found.case) == ("known-client", "ani", None)


def test_a_case_nobody_linked_stands_back():
    """One that may be a stranger's does not make the client's own one of several."""
    mine, maybe = case(1), case(2, "somebody", maybe=True)
    found = place(Known(mine, maybe), Vouched(BORDER, ("ani", "somebody")))
    assert (found.why, found.case) == ("only-open-case", mine)


def test_two_clients_of_one_address_are_not_mixed():
    """A new client, and the best guess for a person."""
    found = place(Known(case(1), case(2, "budi")), Vouched(BORDER, ("ani", "budi")))
    assert (found.why, found.case, found.client_id) == ("several-clients", None, None)
    assert found.maybe == case(2, "budi")


def test_without_proof_nothing_enters_a_case():
    """Whatever is named, it is only a hint."""
    known = Known(case(1), messages={"m": [case(1)]})
    for vouched in (Vouched(NOTHING), Vouched(NOTHING, (), case(1))):
        found = place(known, vouched, "m")
        assert (found.why, found.case, found.maybe) == ("maybe", None, case(1))


def test_a_report_goes_where_the_letter_is_that_it_reports():
    """And nowhere when the id is not one of ours."""
    known = Known(case(1), messages={"m": [case(1)]})
    kind = Class("bounce", about="m")
    assert place(known, Vouched(NOTHING), kind=kind).outgoing_id == "outgoing"
    assert place(known, Vouched(NOTHING), kind=Class("bounce", about="x")).case is None


def test_many_cases_of_one_client_are_looked_through():
    """A hundred closed ones and one open."""
    cases = [case(number, state="closed") for number in range(1, 101)] + [case(101)]
    assert place(Known(*cases), Vouched(SIGNED, ("ani",))).case == case(101)
