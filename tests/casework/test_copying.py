"""A copy of the file: to the client's own key, whole, by a person; never in plain mail."""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from email import message_from_bytes, policy

import pytest

from mailcounsel import errors
from mailcounsel.casework import enclosures, records
from mailcounsel.casework.parcels import Parcel
from mailcounsel.outgoing import claim, protect
from mailcounsel.service import work
from mailcounsel.store import models
from pgp_writer import Writer

ANI = "ani@klien.test"


@pytest.fixture
def ani(house, short_tmp):
    """Ani writes signed, so that her key is pinned."""
    client = Writer(short_tmp / "ani", ANI)
    house.receive(client.signed("Halo, kuokka.", key=client.autocrypt()))
    house.send()
    return client


def begin(house, person="wulan"):
    return house.call(person, "copy.begin", case="C-0001")


def bring(house, begun, files, person="wulan"):
    given = {"ticket": begun["ticket"], "mac": begun["mac"]}
    for number, data in enumerate(files):
        for start in range(0, max(1, len(data)), 1000):
            piece = b64encode(data[start : start + 1000]).decode()
            house.call(person, "reply.enclose", number=number, start=start, data=piece, **given)


def approve(house, begun, files, person="wulan", method="copy.approve"):
    named = [
        {
            "name": f"berkas{number}.txt",
            "type": "text/plain",
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        for number, data in enumerate(files)
    ]
    said = {"ticket": begun["ticket"], "mac": begun["mac"], "plain": "", "files": named}
    statement = json.dumps({**said, "subject": "Surat untuk Anda", "text": "Salinannya."})
    signature = b64encode(house.keys[person].sign(statement.encode())).decode()
    return house.call(person, method, statement=statement, signature=signature)


FILES = (b"kuokka " * 5000, b"", b"\xff\xd8 foto")


def sent_mail(house) -> tuple[Parcel, bytes]:
    """Build the copy as it leaves, without sending it."""
    (row,) = house.outbox("reply")
    outbox = claim.Outbox(house.store, house.office, house.centre)
    parcel, certificate = claim._with_key(outbox, "reply", row.parcel)
    files = claim._files(outbox, row.id, parcel)
    return parcel, protect.build(parcel, house.centre, certificate, house.clock.now(), files)


def test_a_copy_leaves_locked_with_the_clients_key_and_whole(house, ani):
    """Every file as it was brought, inside; outside no word and no name."""
    begun = begin(house)
    bring(house, begun, FILES)
    assert approve(house, begun, FILES)["state"] == "held"
    _, mail = sent_mail(house)
    assert b"kuokka" not in mail
    assert b"berkas" not in mail
    inside = ani.opened(house.centre, mail)
    message = message_from_bytes(inside, policy=policy.default)
    found = [part.get_payload(decode=True) for part in message.iter_attachments()]
    assert tuple(found) == FILES


def test_its_files_are_sealed_while_they_wait_and_forgotten_when_it_left(house, ani):
    """Nothing of them is readable in the store, and nothing is left of them afterwards."""
    begun = begin(house)
    bring(house, begun, FILES)
    approve(house, begun, FILES)
    rows = house.rows(models.Enclosure)
    assert rows
    assert not any(b"kuokka" in row.sealed for row in rows)
    house.clock.on(minutes=2)
    house.send()
    assert house.rows(models.Enclosure) == []


def test_undo_takes_the_files_back_as_well(house, ani):
    """A reply that was taken back leaves nothing behind."""
    begun = begin(house)
    bring(house, begun, FILES)
    approve(house, begun, FILES)
    house.call("wulan", "reply.undo")
    assert house.rows(models.Enclosure) == []


def test_what_was_brought_and_never_signed_is_forgotten_in_a_day(house, ani):
    """A therapist's machine that died half-way leaves no copy of a file in the store."""
    begun = begin(house)
    bring(house, begun, FILES)
    house.clock.on(hours=25)
    work.run_errands(house.desk)
    assert house.rows(models.Enclosure) == []


def test_without_a_key_it_is_refused_with_what_to_do(house):
    """Neither consent nor a person's word lets a copy out in clear."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    with pytest.raises(errors.Refused, match="program that encrypts by itself"):
        begin(house)


def test_a_letter_with_files_never_leaves_as_ordinary_mail(house):
    """Also where somebody signs one against a ticket for ordinary mail."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    begun = house.call("wulan", "reply.begin", case="C-0001")
    bring(house, begun, FILES)
    for method in ("copy.approve", "reply.approve"):
        with pytest.raises(errors.Refused, match="encrypted only"):
            approve(house, begun, FILES, method=method)
    assert house.outbox("reply") == []


def test_plain_with_a_reason_does_not_apply_to_files(house, ani):
    """`--plain` is for words in need; a file is never sent so."""
    begun = begin(house)
    bring(house, begun, FILES)
    said = {"ticket": begun["ticket"], "mac": begun["mac"], "plain": "darurat"}
    file = {"name": "a", "type": "text/plain", "size": 1, "sha256": ""}
    statement = json.dumps({**said, "files": [file], "subject": "S", "text": "T"})
    signature = b64encode(house.keys["wulan"].sign(statement.encode())).decode()
    with pytest.raises(errors.Refused, match="encrypted only"):
        house.call("wulan", "copy.approve", statement=statement, signature=signature)


@pytest.mark.parametrize(
    "arrived",
    [
        (b"kuokka",),
        (FILES[0], b"", b"\xff\xd8 fotO"),
        (*FILES, b"more"),
        (FILES[1], FILES[0], FILES[2]),
    ],
    ids=["less", "changed", "more", "other order"],
)
def test_other_files_than_were_signed_are_refused(house, ani, arrived):
    """What the therapist signed is what the client gets."""
    begun = begin(house)
    bring(house, begun, arrived)
    with pytest.raises(errors.Refused, match="not those that were signed"):
        approve(house, begun, FILES)
    assert house.outbox("reply") == []


def test_files_beyond_the_limit_are_refused(house, ani):
    """`limits.attachment_bytes` counts all files of a letter together."""
    object.__setattr__(house.office.config.limits, "attachment_bytes", 2500)
    begun = begin(house)
    with pytest.raises(errors.OverBudget):
        bring(house, begun, [b"x" * 2000, b"y" * 600])


def test_the_largest_files_make_a_letter_that_can_leave(house, ani):
    """As much as the limit allows, of a kind that cannot be made smaller."""
    most = house.office.config.limits.attachment_bytes
    whole, begun = random.Random(1).randbytes(most), begin(house)
    given = {"ticket": begun["ticket"], "mac": begun["mac"], "number": 0}
    for start in range(0, most, 512 * 1024):
        piece = b64encode(whole[start : start + 512 * 1024]).decode()
        house.call("wulan", "reply.enclose", start=start, data=piece, **given)
    approve(house, begun, [whole])
    _, mail = sent_mail(house)
    assert most < len(mail) < 2 * most


def test_nobody_brings_files_for_anothers_letter(house, ani):
    """A ticket is good for its author only, and an altered one for nobody."""
    begun = begin(house)
    with pytest.raises(errors.Refused):
        bring(house, begun, FILES, person="sari")
    with pytest.raises(errors.Refused):
        bring(house, {**begun, "mac": "00"}, FILES)
    assert house.rows(models.Enclosure) == []


def test_a_file_that_is_gone_stops_the_letter(house, ani):
    """It never leaves with less than was approved."""
    begun = begin(house)
    bring(house, begun, FILES)
    answer = approve(house, begun, FILES)
    rows = house.rows(models.Enclosure)
    house.store.write(lambda c: c.execute(
        enclosures.enclosures.delete().where(enclosures.enclosures.c.id == rows[-1].id)
    ).rowcount)  # fmt: skip
    with pytest.raises(errors.SealBroken):
        sent_mail(house)
    assert answer["state"] == "held"


def test_a_wish_by_token_waits_and_is_done_with_the_copy(house, short_tmp):
    """Before the day it is refused; sent, nothing is flagged any more."""
    client = Writer(short_tmp / "ani", ANI)
    house.receive(client.signed("Halo.", key=client.autocrypt()))
    (offer,) = house.sent_to(ANI)
    house.receive(client.signed("Ini benar saya.", reply_to=offer))
    house.write(ANI, "SALINAN", reply_to=offer)
    house.send()
    with pytest.raises(errors.Conflict, match="29 November 2026"):
        begin(house)
    house.clock.on(days=7)
    work.run_errands(house.desk)
    assert "asks-copy-due" in house.flags(1)
    begun = begin(house)
    bring(house, begun, FILES)
    approve(house, begun, FILES)
    assert "asks-copy-due" not in house.flags(1)
    assert [wish.state for wish in house.rows(models.Wish)] == ["done"]
    assert "copy-approved" in house.audited()


def test_a_no_after_begun_stops_the_copy(house, ani):
    """The wish is looked at again when the letter is approved."""
    (offer,) = house.outbox("acknowledgement")
    house.receive(ani.signed("SALINAN"))
    begun = begin(house)
    bring(house, begun, FILES)
    now = house.clock.now()
    case_id = house.case(1).id
    house.store.write(lambda c: records.flag(c, now, case_id, "asks-copy-denied", offer.id))
    with pytest.raises(errors.Conflict):
        approve(house, begun, FILES)
    assert house.outbox("reply") == []
    assert [wish.state for wish in house.rows(models.Wish)] == ["ready"]


def test_an_erased_case_takes_no_reply_that_was_begun_before(house, ani):
    """The ticket outlives the case, and is good for nothing."""
    begun = begin(house)
    shown = house.call("sari", "case.show", case="C-0001")
    house.call("sari", "case.read", case="C-0001", letters=[one["id"] for one in shown["entries"]])
    bring(house, begun, FILES)
    for person in ("sari", house.case(1).assignee or "bayu"):
        house.call(person, "case.erase", case="C-0001", reason="asked")
    assert house.rows(models.Enclosure) == []
    with pytest.raises(errors.NotFound, match="was erased on"):
        approve(house, begun, FILES)
    with pytest.raises(errors.NotFound, match="was erased on"):
        bring(house, begun, FILES)
