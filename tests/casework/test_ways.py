"""What a person decides about keys and consent."""

from __future__ import annotations

import pytest

from mailcounsel import errors
from mailcounsel.store import models
from mailcounsel.trust import pins

OLD, NEW = "A" * 40, "B" * 40


@pytest.fixture
def client_of(house):
    """The client of case C-0001, who has a pinned key."""
    house.write("ani@klien.test", "Halo, saya mau bercerita.")
    client_id = house.case(1).client_id
    meet(house, client_id, OLD, proved=True)
    return client_id


def meet(house, client_id, fingerprint, *, proved):
    """Let a certificate arrive."""
    keyring, now = house.office.keyring, house.clock.now()
    house.store.write(
        lambda c: pins.meet(
            c, keyring, client_id, fingerprint, b"x", proved=proved, vouched=proved, now=now
        )
    )


def test_another_key_is_shown_and_not_used(house, client_of):
    """A second key is an alarm: it is listed as such, and letters still go to the first."""
    meet(house, client_of, NEW, proved=True)
    shown = house.call("wulan", "way.show", case="C-0001")
    assert shown["channel"] == "encrypted"
    assert [(key["fingerprint"], key["state"]) for key in shown["keys"]] == [
        (OLD, "pinned"),
        (NEW, "alarm"),
    ]


def test_a_person_accepts_another_key(house, client_of):
    """Once a person accepts it, the new key is the one in use and the flag is cleared."""
    meet(house, client_of, NEW, proved=False)
    assert house.call("wulan", "way.accept", case="C-0001", fingerprint=NEW[-16:]) == {
        "fingerprint": NEW
    }
    states = {
        k["fingerprint"]: k["state"] for k in house.call("wulan", "way.show", case="C-0001")["keys"]
    }
    assert states == {NEW: "pinned", OLD: "alarm"}
    assert "key-accepted" in [row.verb for row in house.rows(models.Audit)]


def test_a_few_digits_name_no_key(house, client_of):
    """A key is accepted only by sixteen digits or more, so that no other can be meant."""
    meet(house, client_of, NEW, proved=False)
    with pytest.raises(errors.NotFound):
        house.call("wulan", "way.accept", case="C-0001", fingerprint="BBBB")


def test_a_withdrawn_yes_makes_replies_wait(house):
    """Consent that a person withdrew no longer lets letters go in clear."""
    house.write("ani@klien.test", "Halo, saya mau bercerita.")
    offer = house.outbox("acknowledgement")[0].parcel
    house.write("ani@klien.test", "SETUJU", reply_to=offer)
    assert house.call("wulan", "way.show", case="C-0001")["channel"] == "plain"
    house.call("wulan", "way.withdraw", case="C-0001")
    assert house.reply("wulan", "C-0001", "Sebuah jawaban.")["state"] == "waiting"


def test_the_centres_key_is_handed_out_whole(house):
    """What `mailcounsel key` prints is the centre's certificate, which gpg takes."""
    from mailcounsel.cli import key
    from mailcounsel.crypto import openpgp

    answer = house.call("sari", "centre.key")
    facts = openpgp.examine(key._armoured(answer).encode())
    assert facts.fingerprint == house.centre.fingerprint == answer["fingerprint"]
    assert "EMAIL:halo@rumah.test" in key._card(answer, None)


def test_a_yes_nobody_gave_is_not_withdrawn(house):
    """Whoever mistook the case is told so, instead of believing that something was done."""
    house.write("ani@klien.test", "Halo.")
    with pytest.raises(errors.NotFound, match="client of C-0001 has not agreed"):
        house.call("wulan", "way.withdraw", case="C-0001")
    assert "consent-withdrawn" not in house.audited()


def test_a_flag_that_does_not_stand_is_not_cleared(house):
    """The same for a flag: what was seen is another case's, or was seen before."""
    house.write("ani@klien.test", "Halo.")
    with pytest.raises(errors.NotFound, match="C-0001 is not flagged bounced"):
        house.call("wulan", "case.clear", case="C-0001", kind="bounced")
