"""Merging what was split, and splitting what was merged: by how many people, and where it ends."""

from __future__ import annotations

import pytest

from casework.test_splitting import ANI, SECOND, acknowledged, number_of, split, texts
from mailcounsel import errors


def answer(house, *cases):
    for case in cases:
        house.reply("sari", case, "Halo.", plain="telepon")


@pytest.fixture
def three(house):
    """One case with three letters of a client's."""
    house.write(ANI, "Satu.")
    for words in ("Dua.", "Tiga."):
        house.clock.on(minutes=1)
        house.write(ANI, words, reply_to=acknowledged(house))
    return house


def test_two_matters_become_one_again(three):
    """They are one client's, so whoever reads both decides; later letters find the one case."""
    split(three, "C-0001", 5)
    answer(three, "C-0001", "C-0002")
    assert three.call("sari", "case.link", case="C-0002", into="C-0001") == {"linked": True}
    assert texts(three, "C-0001") == ["Satu.", "Dua.", "Tiga."]
    parcel = three.outbox("reply")[1].parcel
    three.write(ANI, "Empat.", reply_to=parcel)
    assert texts(three, "C-0001")[-1] == "Empat."


def test_what_two_people_took_apart_only_two_join(three):
    """Both were answered as two clients: one person alone only proposes it."""
    three.call("wulan", "split.begin", case="C-0001", letters=[5], other_client=True)
    split(three, "C-0001", 5, other_client=True, address=SECOND)
    answer(three, "C-0001", "C-0002")
    merge = {"case": "C-0002", "into": "C-0001"}
    assert three.call("sari", "case.link", **merge) == {"linked": False}
    assert texts(three, "C-0001") == ["Satu.", "Dua."]
    assert three.call("wulan", "case.link", **merge) == {"linked": True}
    assert texts(three, "C-0001") == ["Satu.", "Dua.", "Tiga."]


def test_what_two_people_took_apart_and_nobody_answered_only_two_join(three):
    """A merge is no way round the second person."""
    three.call("wulan", "split.begin", case="C-0001", letters=[5], other_client=True)
    split(three, "C-0001", 5, other_client=True, address=SECOND)
    for case, into in (("C-0002", "C-0001"), ("C-0001", "C-0002")):
        assert three.call("sari", "case.link", case=case, into=into) == {"linked": False}


def test_a_wrong_merge_leaves_nothing_behind(three):
    """Undone, and what came meanwhile split out, each file holds its own client's letters alone."""
    three.write(SECOND, "Ini Budi.")
    theirs = three.outbox("acknowledgement")[1].parcel
    three.call("sari", "case.link", case="C-0002", into="C-0001")
    three.write(SECOND, "Masih Budi.", reply_to=theirs)
    three.call("sari", "case.unlink", case="C-0002")
    number = number_of(three, "Masih Budi")
    three.call("wulan", "split.begin", case="C-0001", letters=[number], other_client=True)
    split(three, "C-0001", number, other_client=True, address=SECOND)
    three.call("sari", "case.link", case="C-0003", into="C-0002")
    assert texts(three, "C-0001") == ["Satu.", "Dua.", "Tiga."]
    assert texts(three, "C-0002") == ["Ini Budi.", "Masih Budi."]


def test_a_merged_case_is_not_split(three):
    """Its letters are shown elsewhere: it is taken out first."""
    three.write(ANI, "Tanpa bukti.")
    three.call("sari", "case.link", case="C-0002", into="C-0001")
    with pytest.raises(errors.Conflict, match="mailcounsel undo C-0002"):
        three.call("sari", "split.begin", case="C-0002", letters=[1])
