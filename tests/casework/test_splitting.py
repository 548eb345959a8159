"""Taking letters out of a case: by whom, into what, and what goes with them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from email import message_from_bytes, policy

import pytest

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.crypto import sealing
from mailcounsel.store import models

ANI, SECOND = "ani@klien.test", "ani.lain@klien.test"
PIECE = 300  # bytes, so that each part takes several requests


def keys_of(house, person, shown):
    """Open a person's copies of a case's keys, by case, epoch and purpose."""
    private, opened = house.keys[person].private, {}
    for copy in shown["keys"]:
        place = (copy["case"], copy["epoch"], copy["purpose"])
        context = "case/{}/{}/{}".format(*place)
        opened[place] = sealing.open_with(private, b64decode(copy["sealed"]), context)
    return opened


def sealed_part(house, person, letter, part):
    """Fetch a sealed part of a letter, piece by piece."""
    data = b""
    while True:
        asked = {"letter": letter, "part": part, "offset": len(data)}
        piece = house.call(person, "letter.piece", **asked)
        data += b64decode(piece["data"])
        if len(data) >= piece["total"]:
            return data


def opened_part(house, person, case, letter, epoch, part):
    """Open a part of a letter with what a person holds of the case's keys."""
    shown = house.call(person, "case.show", case=case)
    purpose = "source" if part == "source" else "content"
    key = keys_of(house, person, shown)[(shown["id"], epoch, purpose)]
    sealed = sealed_part(house, person, letter, part)
    return sealing.open_with(key, sealed, f"letter/{letter}/{part}")


def fill(house, case, begun, *, leave_out=(), spoil=bytes):
    """Seal the letters anew as a supervisor's process does, and hand the pieces in."""
    thread = []
    for letter in begun["letters"]:
        for part in letter["parts"]:
            words = opened_part(house, "sari", case, letter["id"], letter["epoch"], part)
            if part == "content":
                thread.append(json.loads(words).get("message_id"))
            key = b64decode(begun["source" if part == "source" else "content"])
            sealed = sealing.seal_to(key, spoil(words), f"letter/{letter['id']}/{part}")
            for start in range(0, 0 if part in leave_out else len(sealed), PIECE):
                data = b64encode(sealed[start : start + PIECE]).decode()
                place = {"letter": letter["id"], "part": part, "start": start}
                house.call("sari", "split.piece", case=begun["case"], **place, data=data)
    return [one for one in thread if one]


def split(house, case, *numbers, **more):
    """Split letters out of a case as the supervisor, and return what was answered."""
    wish = {"letters": list(numbers), **more}
    begun = house.call("sari", "split.begin", case=case, **wish)
    if begun["case"]:
        thread = fill(house, case, begun)
        house.call("sari", "split.finish", case=begun["case"], thread=thread, **wish)
    return begun


def texts(house, case, person="sari"):
    return [one["text"].strip() for one in house.read(person, case) if one["direction"] == "in"]


def acknowledged(house):
    return house.outbox("acknowledgement")[0].parcel


@pytest.fixture
def mixed(house):
    """One case with three letters: two about one matter, the last about another."""
    house.write(ANI, "Halo, saya sulit tidur.")
    to = acknowledged(house)
    house.write(ANI, "Masih sulit tidur.", reply_to=to)
    house.write(ANI, "Ini soal lain: pekerjaan saya.", reply_to=to)
    return house


# -- one client, two matters ----------------------------------------------------------------------


def test_a_letter_goes_to_a_case_of_its_own(mixed):
    """It is read there and no more in the other; the client and the readers are the same."""
    begun = split(mixed, "C-0001", 5)
    assert begun["case"] == "C-0002"
    assert texts(mixed, "C-0001") == ["Halo, saya sulit tidur.", "Masih sulit tidur."]
    assert texts(mixed, "C-0002") == ["Ini soal lain: pekerjaan saya."]
    assert mixed.case(2).client_id == mixed.case(1).client_id
    assert mixed.case(2).waiting_since is not None
    assert mixed.rows(models.Resealed) == []
    assert {"letter-moved", "case-split"} <= set(mixed.audited())


def test_what_moved_opens_with_the_new_keys_alone(mixed):
    """Words and raw mail are the same bytes, and the old keys open none of them."""
    (entry,) = [one for one in mixed.read("sari", "C-0001") if one["number"] == 5]
    before = opened_part(mixed, "sari", "C-0001", entry["id"], entry["epoch"], "source")
    old = keys_of(mixed, "sari", mixed.call("sari", "case.show", case="C-0001"))
    split(mixed, "C-0001", 5)
    assert opened_part(mixed, "sari", "C-0002", entry["id"], 1, "source") == before
    assert b"soal lain" in before
    for purpose, part in (("content", "content"), ("source", "source")):
        sealed = sealed_part(mixed, "sari", entry["id"], part)
        key = old[(mixed.case(1).id, entry["epoch"], purpose)]
        with pytest.raises(errors.SealBroken):
            sealing.open_with(key, sealed, f"letter/{entry['id']}/{part}")


def test_a_file_moves_with_its_letter(house):
    """An attachment is sealed to the new case as well, and is the same file."""
    house.write(ANI, "Halo.")
    mail = message_from_bytes(
        house.mail(ANI, "Ini fotonya.", reply_to=acknowledged(house)), policy=policy.default
    )
    data = b"isi berkas " * 200
    mail.add_attachment(data, maintype="application", subtype="octet-stream", filename="a.bin")
    house.receive(mail.as_bytes())
    split(house, "C-0001", 3)
    (entry,) = [one for one in house.read("sari", "C-0002") if one["direction"] == "in"]
    file = opened_part(house, "sari", "C-0002", entry["id"], 1, "attachment/0")
    assert file == data


def test_the_new_case_has_the_readers_of_the_old(mixed):
    """Nobody reads a letter because it was moved; nobody who read it loses it."""
    mixed.call("wulan", "case.next")
    split(mixed, "C-0001", 5)
    assert mixed.case(2).assignee == "wulan"
    assert texts(mixed, "C-0002", "wulan") == ["Ini soal lain: pekerjaan saya."]
    with pytest.raises(errors.NotFound):
        mixed.call("bayu", "case.show", case="C-0002")
    holders = {row.person for row in mixed.rows(models.CaseKeyCopy)
               if row.case_id == mixed.case(2).id}  # fmt: skip
    assert holders == {"wulan", "sari"}


def test_an_answer_to_a_moved_letter_finds_the_new_case(mixed):
    """Its Message-ID followed it, and our next mail there refers to it."""
    moved = next(row for row in mixed.rows(models.Letter) if row.number == 5)
    split(mixed, "C-0001", 5)
    mixed.reply("sari", "C-0002", "Terima kasih.", plain="telepon")
    parcel = mixed.outbox("reply")[0].parcel
    assert parcel.references
    assert parcel.in_reply_to == parcel.references[-1]
    mixed.write(ANI, "Terima kasih kembali.", reply_to=parcel)
    assert texts(mixed, "C-0002")[-1] == "Terima kasih kembali."
    named = [row for row in mixed.rows(models.MessageId) if row.letter_id == moved.id]
    assert {row.case_id for row in named} == {mixed.case(2).id}
    assert parcel.in_reply_to not in letters.read_thread(mixed.office, vars(mixed.case(1)))


def test_a_sign_of_danger_moves_with_its_letter(mixed):
    """The case the letter went to is urgent and wants the receipt; the other keeps what it was."""
    mixed.write(ANI, "Saya ingin mati saja.", reply_to=acknowledged(mixed))
    number = max(row.number for row in mixed.rows(models.Letter) if row.direction == "in")
    split(mixed, "C-0001", number)
    (risk,) = mixed.rows(models.Risk)
    assert risk.case_id == mixed.case(2).id
    assert mixed.case(2).priority == mixed.case(1).priority == 3
    assert risk.read_by is None


def test_a_therapist_proposes_and_the_supervisor_carries_out(mixed):
    """Only a supervisor's process opens the raw mail; nothing moves before."""
    mixed.call("wulan", "case.next")
    wish = {"case": "C-0001", "letters": [5]}
    assert mixed.call("wulan", "split.begin", **wish) == {"case": None}
    assert mixed.flags(1) == ["split-proposed"]
    proposed = {"by": "wulan", "letters": [5], "other_client": False}
    assert mixed.call("sari", "split.proposed", case="C-0001") == {"proposals": [proposed]}
    assert len(texts(mixed, "C-0001")) == 3
    split(mixed, "C-0001", 5)
    assert mixed.flags(1) == []


@pytest.mark.parametrize("numbers", [[], [2], [9], [1, 3, 5]])
def test_what_cannot_be_moved(mixed, numbers):
    """Nothing, a letter of ours, none at all, or every letter of the client's."""
    with pytest.raises(errors.Refused):
        mixed.call("sari", "split.begin", case="C-0001", letters=numbers)
    assert len(mixed.rows(models.Case)) == 1


def test_nothing_moves_until_every_part_is_here(mixed):
    """A process that died changed nothing, and the next one takes up the same case."""
    wish = {"letters": [5]}
    begun = mixed.call("sari", "split.begin", case="C-0001", **wish)
    fill(mixed, "C-0001", begun, leave_out=("source",))
    with pytest.raises(errors.Conflict, match="Not every part"):
        mixed.call("sari", "split.finish", case=begun["case"], thread=[], **wish)
    assert len(texts(mixed, "C-0001")) == 3
    assert split(mixed, "C-0001", 5)["case"] == begun["case"]
    assert len(texts(mixed, "C-0001")) == 2


def test_other_words_are_not_taken(mixed):
    """What is handed in must be as long as what was there, and sealed to the new case."""
    wish = {"letters": [5]}
    begun = mixed.call("sari", "split.begin", case="C-0001", **wish)
    fill(mixed, "C-0001", begun, spoil=lambda words: words + b"x" * 4000)
    with pytest.raises(errors.Conflict, match="Not every part"):
        mixed.call("sari", "split.finish", case=begun["case"], thread=[], **wish)
    begun = mixed.call("sari", "split.begin", case="C-0001", **wish)
    fill(mixed, "C-0001", begun | {"content": begun["source"], "source": begun["content"]})
    with pytest.raises(errors.Conflict, match="Not every part"):
        mixed.call("sari", "split.finish", case=begun["case"], thread=[], **wish)


def test_what_was_left_by_an_earlier_try_is_forgotten(mixed):
    """Longer pieces of a try that failed do not stay behind those of the next."""
    wish = {"letters": [5]}
    begun = mixed.call("sari", "split.begin", case="C-0001", **wish)
    fill(mixed, "C-0001", begun, spoil=lambda words: words + b"x" * 4000)
    assert split(mixed, "C-0001", 5)["case"] == begun["case"]
    assert texts(mixed, "C-0002") == ["Ini soal lain: pekerjaan saya."]


def test_letters_come_into_no_case_but_the_one_opened_for_them(mixed):
    """An ordinary case takes no pieces."""
    place = {"letter": "x", "part": "content", "start": 0, "data": ""}
    with pytest.raises(errors.Conflict):
        mixed.call("sari", "split.piece", case="C-0001", **place)


# -- two people -----------------------------------------------------------------------------------


@pytest.fixture
def unlinked(house):
    """A wrong link, a letter placed while it stood, and the link taken back."""
    house.write(ANI, "Halo, saya Ani.")
    house.write(SECOND, "Halo, saya Budi.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    theirs = house.outbox("acknowledgement")[1].parcel
    house.write(SECOND, "Masih Budi.", reply_to=theirs)
    house.call("sari", "case.unlink", case="C-0002")
    assert house.flags(1) == ["unlinked"]
    assert texts(house, "C-0001") == ["Halo, saya Ani.", "Masih Budi."]
    return house


def number_of(house, words):
    return next(one["number"] for one in house.read("sari", "C-0001") if words in one["text"])


def test_across_clients_two_people_say_the_same(unlinked):
    """The supervisor alone only proposes it; other letters are another proposal."""
    number = number_of(unlinked, "Masih Budi")
    wish = {"letters": [number], "other_client": True, "address": SECOND}
    for _ in range(2):
        assert unlinked.call("sari", "split.begin", case="C-0001", **wish) == {"case": None}
    unlinked.call("wulan", "split.begin", case="C-0001", letters=[1], other_client=True)
    unlinked.call("wulan", "split.begin", case="C-0001", letters=[number])
    assert unlinked.call("sari", "split.begin", case="C-0001", **wish) == {"case": None}
    unlinked.call("wulan", "split.begin", case="C-0001", letters=[number], other_client=True)
    begun = split(unlinked, "C-0001", number, other_client=True, address=SECOND)
    assert begun["case"] == "C-0003"
    assert begun["client_of"] == ["C-0002"]


def test_a_letter_placed_under_a_wrong_link_goes_to_whom_it_came_from(unlinked):
    """The new case is the other client's, answers go to their address, and the other reads none."""
    number = number_of(unlinked, "Masih Budi")
    unlinked.call("wulan", "split.begin", case="C-0001", letters=[number], other_client=True)
    split(unlinked, "C-0001", number, other_client=True, address=SECOND)
    assert texts(unlinked, "C-0001") == ["Halo, saya Ani."]
    assert texts(unlinked, "C-0003") == ["Masih Budi."]
    assert unlinked.case(3).client_id == unlinked.case(2).client_id
    unlinked.reply("sari", "C-0003", "Halo, Budi.", plain="telepon")
    assert unlinked.outbox("reply")[0].parcel.to_address == SECOND


def test_one_address_of_two_people(mixed):
    """A family's address: whoever wrote is a client of their own with the same one."""
    mixed.call("wulan", "split.begin", case="C-0001", letters=[5], other_client=True)
    begun = split(mixed, "C-0001", 5, other_client=True, address=ANI)
    assert begun["client_of"] == []
    assert mixed.case(2).client_id != mixed.case(1).client_id
    mixed.write(ANI, "Siapa ini?")
    assert mixed.case(3).maybe_case_id is not None


def test_finishing_needs_the_second_person_too(unlinked):
    """A proposal that was cleared meanwhile stops it, and so does calling it the same client's."""
    number = number_of(unlinked, "Masih Budi")
    wish = {"letters": [number], "other_client": True, "address": SECOND}
    unlinked.call("wulan", "split.begin", case="C-0001", **wish)
    begun = unlinked.call("sari", "split.begin", case="C-0001", **wish)
    fill(unlinked, "C-0001", begun)
    unlinked.call("sari", "case.clear", case="C-0001", kind="split-proposed")
    for more in (wish, {"letters": [number]}):
        with pytest.raises(errors.Refused):
            unlinked.call("sari", "split.finish", case=begun["case"], thread=[], **more)
    assert len(texts(unlinked, "C-0001")) == 2


# -- taken back -----------------------------------------------------------------------------------


def test_a_split_is_taken_back(mixed):
    """The letters are shown where they were, and later ones go there again."""
    split(mixed, "C-0001", 5)
    assert mixed.call("sari", "case.unlink", case="C-0002") == {"is_in": "C-0001"}
    assert len(texts(mixed, "C-0001")) == 3
    assert mixed.case(2).merged_into == mixed.case(1).id
    assert mixed.case(1).waiting_since is not None
    assert "case-rejoined" in mixed.audited()
    mixed.write(ANI, "Surat berikut.", reply_to=acknowledged(mixed))
    assert len(texts(mixed, "C-0001")) == 4


def apart(house):
    """Two people give the last letter a client of its own."""
    house.call("wulan", "split.begin", case="C-0001", letters=[5], other_client=True)
    split(house, "C-0001", 5, other_client=True, address=SECOND)


def test_a_split_across_clients_is_taken_back_with_its_address(mixed):
    """The client made for it is known by nothing any more."""
    apart(mixed)
    client = mixed.case(2).client_id
    mixed.call("wulan", "case.unlink", case="C-0002")
    assert mixed.call("sari", "case.unlink", case="C-0002") == {"is_in": "C-0001"}
    assert mixed.flags(2) == []
    assert mixed.case(2).client_id == mixed.case(1).client_id
    assert client not in {row.client_id for row in mixed.rows(models.Address)}
    assert len(texts(mixed, "C-0001")) == 3


def test_one_person_alone_takes_nothing_back_across_clients(mixed):
    """The first proposes it, however often, and both cases stay as they are."""
    apart(mixed)
    client = mixed.case(2).client_id
    for _ in range(2):
        assert mixed.call("sari", "case.unlink", case="C-0002") == {"goes_to": "C-0001"}
    assert mixed.flags(2) == ["rejoin-proposed"]
    assert (mixed.case(2).client_id, mixed.case(2).merged_into) == (client, None)
    assert len(texts(mixed, "C-0001")) == 2
    mixed.call("wulan", "case.unlink", case="C-0002")
    assert len(texts(mixed, "C-0001")) == 3


def test_once_answered_two_people_join_them_again(mixed):
    """What was written since belongs to somebody: one person alone cannot take it across."""
    apart(mixed)
    mixed.reply("sari", "C-0002", "Halo.")
    with pytest.raises(errors.Conflict, match="case merge C-0002 C-0001"):
        mixed.call("sari", "case.unlink", case="C-0002")
    assert texts(mixed, "C-0002") == ["Ini soal lain: pekerjaan saya."]


def test_an_ordinary_case_was_not_split(mixed):
    """One sentence."""
    with pytest.raises(errors.Conflict, match="neither merged"):
        mixed.call("sari", "case.unlink", case="C-0001")


def test_a_letter_that_asks_for_the_end_of_the_file_stays(house):
    """Moved, it would end another file than the one it was written for."""
    house.write(ANI, "Halo.")
    house.write(ANI, "HAPUS", reply_to=acknowledged(house))
    numbers = [row.number for row in house.rows(models.Letter) if row.direction == "in"]
    assert house.rows(models.Wish)
    with pytest.raises(errors.Refused, match="the end of the file"):
        house.call("sari", "split.begin", case="C-0001", letters=[max(numbers)])


def test_a_case_split_from_an_erased_one_stays_whole(mixed):
    """Its letters have keys of their own, and there is nowhere to take the split back to."""
    split(mixed, "C-0001", 5)
    for row in mixed.read("sari", "C-0001"):
        mixed.call("sari", "case.read", case="C-0001", letters=[row["id"]])
    for person in ("sari", mixed.case(1).assignee or "bayu"):
        mixed.call(person, "case.erase", case="C-0001", reason="Diminta klien.")
    assert texts(mixed, "C-0002") == ["Ini soal lain: pekerjaan saya."]
    with pytest.raises(errors.Conflict, match="neither merged"):
        mixed.call("sari", "case.unlink", case="C-0002")
