"""Linking two cases of one client, by one person or by two, and taking it back."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailcounsel import errors
from mailcounsel.outgoing import claim
from mailcounsel.store import models
from mailcounsel.store.columns import new_id

ANI, SECOND, BUDI = "ani@klien.test", "ani.lain@klien.test", "budi@klien.test"


@pytest.fixture
def two(house):
    """Two cases: a client's, and one by somebody who says to be her."""
    house.write(ANI, "Halo, saya Ani.")
    house.write(SECOND, "Ini Ani juga, dari alamat lain.")
    return house


def answer(house, *cases):
    for case in cases:
        house.reply("sari", case, "Halo.")


def addresses(house, number):
    client = house.case(number).client_id
    return len([row for row in house.rows(models.Address) if row.client_id == client])


def test_a_strangers_letter_is_linked_by_one_person(two):
    """Nobody has answered it: whoever reads both and is sure, decides."""
    answer(two, "C-0001")
    assert two.call("sari", "case.link", case="C-0002", into="C-0001") == {"linked": True}
    assert two.case(2).merged_into == two.case(1).id
    assert addresses(two, 1) == 2


def test_an_answered_client_is_not_merged_into_a_stranger(two):
    """The two names in the wrong order: her letters would go to whoever says to be her."""
    answer(two, "C-0001")
    with pytest.raises(errors.Conflict, match="mailcounsel case merge C-0002 C-0001"):
        two.call("sari", "case.link", case="C-0001", into="C-0002")
    assert two.case(1).merged_into is None
    assert (addresses(two, 1), addresses(two, 2)) == (1, 1)


def test_two_clients_who_were_answered_need_two_people(two):
    """The first only proposes it, however often; the second carries it out."""
    answer(two, "C-0001", "C-0002")
    for _ in range(2):
        assert two.call("sari", "case.link", case="C-0002", into="C-0001") == {"linked": False}
    assert two.case(2).merged_into is None
    assert addresses(two, 1) == 1
    assert "link-proposed" in two.flags(2)
    assert two.call("wulan", "case.link", case="C-0002", into="C-0001") == {"linked": True}
    assert two.case(2).merged_into == two.case(1).id
    assert "link-proposed" not in two.flags(2)
    assert [verb for verb in two.audited() if "link" in verb] == [
        "link-proposed",
        "link-proposed",
        "link-brought-address",
        "case-linked",
    ]


def test_a_proposed_merge_is_named_to_those_who_may_open_the_other_case(two):
    """Who reads both sees which case is meant; who reads one of them only does not."""
    answer(two, "C-0001", "C-0002")
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    assert two.call("sari", "case.show", case="C-0002")["merge_into"] == "C-0001"
    assert two.call("sari", "case.show", case="C-0001")["merge_into"] is None
    two.edit(models.Case, two.case(1).id, assignee="bayu")
    assert two.call("wulan", "case.show", case="C-0002")["merge_into"] is None


def test_a_proposal_for_one_case_is_none_for_another(two):
    """Two people have to say the same."""
    two.write(BUDI, "Saya Budi.")
    answer(two, "C-0001", "C-0002", "C-0003")
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    assert two.call("wulan", "case.link", case="C-0002", into="C-0003") == {"linked": False}
    assert two.case(2).merged_into is None


def test_a_link_is_taken_back_with_the_address_it_brought(two):
    """The sender of the one is a stranger to the other again."""
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    assert two.call("sari", "case.unlink", case="C-0002") == {"was_in": "C-0001"}
    assert two.case(2).merged_into is None
    assert two.case(2).waiting_since is not None
    assert addresses(two, 1) == 1
    assert two.flags(1) == ["unlinked"]
    two.write(SECOND, "Surat berikut.")
    assert two.case(3).maybe_case_id == two.case(2).id


def test_a_reply_to_an_address_that_was_taken_away_stays_here(two):
    """Within its hold the merge is undone: who turned out to be another gets none of it."""
    (offer,) = two.sent_to(ANI)
    two.write(ANI, "SETUJU", reply_to=offer)
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    epoch = two.call("sari", "case.show", case="C-0001")["epoch"]
    why = {"letter": new_id(), "epoch": epoch, "content": b64encode(b"sealed").decode()}
    two.call("sari", "way.address", case="C-0001", number=2, **why)
    answer(two, "C-0001")
    two.call("sari", "case.unlink", case="C-0002")
    two.clock.on(minutes=2)
    claim.send_due(claim.Outbox(two.store, two.office, two.centre), two.clock.now(), 20)
    (reply,) = two.outbox("reply")
    assert (reply.state, reply.reason) == ("failed", "address-gone")
    assert {"failed", "unlinked"} <= set(two.flags(1))
    assert two.case(1).waiting_since is not None


def test_letters_of_a_linked_case_bear_its_name(two):
    """Both cases have a letter 1, and each is called by a name of its own."""
    answer(two, "C-0001")
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    named = [one["name"] for one in two.call("sari", "case.show", case="C-0001")["entries"]]
    assert {"1", "C-0002/1"} <= set(named)
    assert len(set(named)) == len(named)
    alone = two.call("sari", "case.show", case="C-0002")["entries"]
    assert alone[0]["name"] == "1"


def test_an_address_the_client_had_before_stays(two):
    """What a link did not bring is not taken away with it."""
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    two.call("sari", "case.unlink", case="C-0002")
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    two.write(BUDI, "Halo.")
    two.call("sari", "case.link", case="C-0003", into="C-0001")
    two.call("sari", "case.unlink", case="C-0003")
    assert addresses(two, 1) == 2


def test_only_a_linked_case_is_unlinked_and_only_by_who_reads_it(two):
    """One sentence each."""
    with pytest.raises(errors.Conflict, match="C-0002 is neither merged"):
        two.call("sari", "case.unlink", case="C-0002")
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    two.call("wulan", "case.next")
    with pytest.raises(errors.NotFound):
        two.call("bayu", "case.unlink", case="C-0002")


def words(house, case):
    return [one["text"] for one in house.read("sari", case) if one["direction"] == "in"]


def test_the_words_of_a_case_are_its_own_again(two):
    """A reader of the one reads it no more in the other."""
    two.call("sari", "case.link", case="C-0002", into="C-0001")
    assert len(words(two, "C-0001")) == 2
    two.call("sari", "case.unlink", case="C-0002")
    (left,) = words(two, "C-0001")
    assert left.strip() == "Halo, saya Ani."
