"""Where letters may not suit a new client, a person sees it and decides."""

from __future__ import annotations

ANI = "ani@klien.test"


def test_a_client_who_seems_young_is_shown_and_answered_all_the_same(house):
    """Proposed, not decided: the letter waits like any other and is acknowledged."""
    house.write(ANI, "Halo, umur saya 15 tahun dan saya sedih.")
    assert house.flags(1) == ["may-be-minor"]
    assert len(house.sent_to(ANI)) == 1


def test_a_client_who_lives_abroad_is_shown(house):
    """The centre's country is that of its time zone."""
    house.write(ANI, "Halo, saya bekerja di Hong Kong dan ingin bercerita.")
    assert house.flags(1) == ["may-be-abroad"]


def test_what_is_quoted_says_nothing_of_the_writer(house):
    """The words of somebody else, sent along."""
    house.write(
        ANI,
        "Halo.\n\nOn Mon, 23 Nov 2026, Budi <b@c.test> wrote:\n> umur saya 15 tahun\n",
    )
    assert house.flags(1) == []
