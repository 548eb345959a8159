"""What a person decides about keys and consent."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.outgoing import claim
from mailcounsel.store import models
from mailcounsel.store.columns import new_id
from mailcounsel.trust import addressbook, pins

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


FIRST, SECOND = "ani@klien.test", "ani.baru@klien.test"


@pytest.fixture
def moved(house):
    """Ani lost her phone and wrote from another address; a person merged the two cases."""
    house.write(FIRST, "Halo, saya mau bercerita.")
    house.write(SECOND, "Ini Ani. Hp lama hilang.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    return house


def choose(house, number, person="wulan"):
    """Choose an address as a person's own process does, with the reason as a sealed note."""
    epoch = house.call(person, "case.show", case="C-0001")["epoch"]
    why = {"letter": new_id(), "epoch": epoch, "content": b64encode(b"sealed").decode()}
    return house.call(person, "way.address", case="C-0001", number=number, **why)


def goes_to(house):
    """Return the number of the address that letters go to."""
    shown = house.call("wulan", "way.show", case="C-0001")["addresses"]
    (goes,) = [one["number"] for one in shown if one["written_to"]]
    return goes


def test_a_merge_turns_no_letter_and_the_way_says_where_they_go(moved):
    """Somebody may claim to be the client: letters go on to the first address, and it is said."""
    shown = moved.call("wulan", "way.show", case="C-0001")["addresses"]
    assert [(one["number"], one["written_to"], one["brought_by"]) for one in shown] == [
        (1, True, None),
        (2, False, "C-0002"),
    ]
    assert "klien.test" not in str(shown)
    moved.reply("wulan", "C-0001", "Halo.", plain="diminta")
    assert moved.outbox("reply")[-1].parcel.to_address == FIRST


def test_a_person_turns_letters_to_another_address(moved):
    """From then on replies and notes go there, and the audit tells who decided."""
    assert choose(moved, 2) == {"number": 2, "frozen": [], "channel": "none"}
    assert goes_to(moved) == 2
    moved.reply("wulan", "C-0001", "Halo.", plain="diminta")
    assert moved.outbox("reply")[-1].parcel.to_address == SECOND
    (row,) = [row for row in moved.rows(models.Audit) if row.verb == "address-chosen"]
    assert row.actor == "wulan"


def test_a_waiting_reply_keeps_the_address_it_was_approved_for(moved):
    """It is named, so that its author can take it back and write it anew."""
    moved.send()
    moved.reply("wulan", "C-0001", "Coba bernapas pelan.")
    moved.send()
    (waiting,) = moved.outbox("reply")
    assert choose(moved, 2)["frozen"] == [waiting.id]
    assert moved.outbox("reply")[0].parcel.to_address == FIRST


def test_nothing_goes_any_more_to_an_address_that_letters_were_turned_from(moved):
    """Somebody else reads there: neither a yes from the new one nor another try sends it on."""
    moved.send()
    moved.reply("wulan", "C-0001", "Coba bernapas pelan.")
    moved.send()
    moved.reply("wulan", "C-0001", "Rencana aman.", plain="diminta")
    choose(moved, 2)
    moved.clock.on(days=1)
    moved.reply("wulan", "C-0001", "Halo lagi.")
    note = moved.outbox("notice")[-1].parcel
    moved.write(SECOND, "SETUJU", reply_to=note)
    moved.clock.on(minutes=5)
    nobody = moved.office.config.smarthost.model_copy(update={"port": 1})
    config = moved.office.config.model_copy(update={"smarthost": nobody})
    outbox = claim.Outbox(moved.store, replace(moved.office, config=config), moved.centre)
    claim.send_due(outbox, moved.clock.now(), 20)
    assert [(one.state, one.reason) for one in moved.outbox("reply")] == [
        ("waiting", ""),
        ("failed", "address-gone"),
        ("ready", "connect: refused"),
    ]
    assert {"failed", "waiting"} <= set(moved.flags(1))


def test_only_an_address_the_client_is_known_by_is_chosen(moved):
    """There is no other number, and the one in use needs no decision."""
    with pytest.raises(errors.NotFound, match="There is no address 3"):
        choose(moved, 3)
    with pytest.raises(errors.Conflict, match="go to address 1 already"):
        choose(moved, 1)
    assert goes_to(moved) == 1


def test_an_undone_merge_turns_letters_back(moved):
    """It was somebody else's after all: no letter goes there any more, nor is one let go there."""
    choose(moved, 2)
    moved.send()
    moved.reply("wulan", "C-0001", "Coba bernapas pelan.")
    moved.call("sari", "case.unlink", case="C-0002")
    assert goes_to(moved) == 1
    client_id, keyring = moved.case(1).client_id, moved.office.keyring
    meet(moved, client_id, OLD, proved=True)
    moved.store.write(
        lambda c: letters.release_waiting(c, moved.office, client_id, moved.clock.now())
    )
    assert [one.state for one in moved.outbox("reply")] == ["waiting"]
    addressed = moved.store.read(lambda c: addressbook.address_of(c, keyring, client_id))
    assert addressed == FIRST
