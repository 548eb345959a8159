"""A lost reader key: a new one takes its place, and colleagues open again what was shut."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from mailcounsel import errors
from mailcounsel.crypto import openpgp, sealing
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.service.operations.people import statement_of
from mailcounsel.store import models
from mailcounsel.trust import roster

ANI = "ani@klien.test"


def enrol(house, name, code):
    """Enrol with a code and a fresh reader key."""
    key, now = ReaderKey.new(), house.clock.now()
    paper = roster.Enrolment(key.public, key.verify_key, b"", b"", b"")
    house.store.write(lambda c: roster.enrol(c, house.office.keyring, code, paper, now))
    house.keys[name] = key


def lose(house, name):
    """Lose a reader key and enrol again; return the lost key."""
    lost = house.keys[name]
    enrol(house, name, house.call("sari", "person.invite", person=name, again=True)["code"])
    return lost


def copies(house, giver, public, case="C-0001"):
    """Seal the content keys of a case as the giver's own process does."""
    made = []
    for copy in house.call(giver, "case.show", case=case)["keys"]:
        place = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
        key = sealing.open_with(house.keys[giver].private, b64decode(copy["sealed"]), place)
        made.append({**copy, "sealed": b64encode(sealing.seal_to(public, key, place)).decode()})
    return [copy for copy in made if copy["purpose"] == "content"]


def assign(house, giver, to, case="C-0001"):
    """Give a case to somebody as `mailcounsel assign` does, its supervisor included."""
    public = b64decode(house.call(giver, "case.reader", person=to)["public_key"])
    made = copies(house, giver, public, case)
    house.call(giver, "case.give", case=case, person=to, copies=made)
    for one in house.call(giver, "case.keyless", case=case)["people"]:
        made = copies(house, giver, b64decode(one["public_key"]), case)
        house.call(giver, "case.give", case=case, person=one["person"], copies=made)
    house.call(giver, "case.assign", case=case, person=to)


def texts(house, person, case="C-0001"):
    """Return the client's own words in a case, as its reader opens them."""
    entries = house.read(person, case)
    return [entry["text"].strip() for entry in entries if entry["direction"] == "in"]


def locked(house, person):
    """Return the cases that a person's queue shows as locked for them."""
    listed = house.call(person, "queue.list", all=True)["cases"]
    return [case["case"] for case in listed if not case["has_keys"]]


# -- the roster -----------------------------------------------------------------------------------


def test_a_new_key_takes_the_place_of_a_lost_one(house):
    """New letters are sealed to the new key, and the lost one opens none of them."""
    lost = lose(house, "wulan")
    (reader,) = house.store.read(lambda c: roster.readers(c, house.office.keyring, ["wulan"]))
    new = house.keys["wulan"]
    assert (reader.public_key, reader.verify_key) == (new.public, new.verify_key)
    house.write(ANI, "Halo.")
    assert texts(house, "wulan") == ["Halo."]
    house.keys["wulan"] = lost
    with pytest.raises(errors.SealBroken):
        house.read("wulan", "C-0001")


def test_an_ordinary_code_replaces_nothing(house):
    """Without --again the first key stays, and the sentence names the way on."""
    code = house.call("sari", "person.invite", person="wulan")["code"]
    before = house.keys["wulan"].public
    with pytest.raises(errors.Conflict, match="invite wulan --again"):
        enrol(house, "wulan", code)
    assert house.call("bayu", "case.reader", person="wulan")["public_key"] == (
        b64encode(before).decode()
    )


def test_such_a_code_is_good_once(house):
    """Whoever saw it cannot replace the new key by a third."""
    code = house.call("sari", "person.invite", person="wulan", again=True)["code"]
    enrol(house, "wulan", code)
    with pytest.raises(errors.Refused, match="not valid"):
        enrol(house, "wulan", code)


def test_who_is_not_enrolled_has_nothing_to_replace(house):
    """The admin is told to invite them first, and no code is made."""
    rows = len(house.rows(models.Invite))
    people = models.table(models.Person)
    house.store.write(lambda c: c.execute(people.delete().where(people.c.name == "bayu")).rowcount)
    with pytest.raises(errors.Refused, match="mailcounsel invite bayu"):
        house.call("sari", "person.invite", person="bayu", again=True)
    assert len(house.rows(models.Invite)) == rows


@pytest.mark.parametrize(("column", "value"), [("replaces", True), ("person", "sari")])
def test_a_code_changed_by_hand_is_refused(house, column, value):
    """Whoever holds the database cannot make an ordinary code replace a key, or another's."""
    code = house.call("sari", "person.invite", person="wulan")["code"]
    invites = models.table(models.Invite)
    changed = invites.update().where(invites.c.used_at.is_(None)).values({column: value})
    assert house.store.write(lambda c: c.execute(changed).rowcount) == 1
    with pytest.raises(errors.SealBroken):
        enrol(house, "wulan", code)


def test_a_replaced_key_is_audited(house, short_tmp):
    """The audit tells it from a first invitation and a first enrolment."""
    house.call("sari", "person.invite", person="wulan")
    code = house.call("sari", "person.invite", person="wulan", again=True)["code"]
    own, key = openpgp.Personal(short_tmp / "gpg"), ReaderKey.new()
    fingerprint = own.make_key("wulan", "wulan@example.org")
    statement = statement_of("wulan", key.public, key.verify_key)
    papers = {
        "public_key": key.public,
        "verify_key": key.verify_key,
        "certificate": own.export(fingerprint),
        "signature": own.sign(statement, fingerprint),
    }
    sent = {name: b64encode(value).decode() for name, value in papers.items()}
    house.call("wulan", "person.enrol", code=code, statement=statement.decode(), **sent)
    assert house.audited()[-3:] == ["invited", "invited-again", "enrolled-again"]


def test_enrolling_says_which_it_is(house):
    """The person's own process hears whether the code replaces a key."""
    for again in (False, True):
        code = house.call("sari", "person.invite", person="wulan", again=again)["code"]
        assert house.call("wulan", "person.invited", code=code)["again"] is again


# -- the cases ------------------------------------------------------------------------------------


def test_a_case_under_a_lost_key_is_locked_and_left_to_others(house):
    """The queue shows it as locked, its dead copies are not handed out, and `next` skips it."""
    house.write(ANI, "Halo.")
    lose(house, "wulan")
    house.write("budi@klien.test", "Selamat pagi.")
    assert locked(house, "wulan") == ["C-0001"]
    assert house.call("wulan", "case.show", case="C-0001")["keys"] == []
    assert locked(house, "bayu") == []
    assert house.call("wulan", "case.next") == {"case": "C-0002"}


def test_nobody_answers_what_they_cannot_read(house):
    """Who lost their key is told the next step; while danger is open nobody waits for a key."""
    house.write(ANI, "Halo.")
    lose(house, "wulan")
    with pytest.raises(errors.Refused, match="mailcounsel assign C-0001 wulan"):
        house.reply("wulan", "C-0001", "Halo Ani.", plain="diminta")
    assert house.outbox("reply") == []
    house.write("budi@klien.test", "Saya ingin mati malam ini.")
    lose(house, "wulan")
    assert house.reply("wulan", "C-0002", "Apakah aman?", plain="bahaya")["state"] == "held"
    assign(house, "bayu", "wulan")
    assert house.reply("wulan", "C-0001", "Halo Ani.", plain="diminta")["state"] == "held"


def test_a_colleague_opens_it_again(house):
    """Copies under the new key take the place of the dead ones."""
    house.write(ANI, "Halo.")
    lose(house, "wulan")
    assign(house, "bayu", "wulan")
    assert texts(house, "wulan") == ["Halo."]
    assert locked(house, "wulan") == []


def test_the_supervisor_opens_ones_own_cases_again(house):
    """A therapist's case of several epochs, which only the supervisor can still open."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    (acknowledged,) = house.sent_to(ANI)
    house.write(ANI, "Lagi.", reply_to=acknowledged)
    lose(house, "wulan")
    assert locked(house, "wulan") == ["C-0001"]
    assign(house, "sari", "wulan")
    assert locked(house, "wulan") == []
    assert texts(house, "wulan") == ["Halo.", "Lagi."]


def test_nobody_assigns_to_a_lost_key(house):
    """Without copies under the new key a case is not handed over: they could not read it."""
    house.write(ANI, "Halo.")
    lose(house, "wulan")
    with pytest.raises(errors.Refused, match="no key"):
        house.call("bayu", "case.assign", case="C-0001", person="wulan")


def test_a_copy_that_opens_is_never_replaced(house):
    """A colleague cannot shut a case for somebody by giving them rubbish."""
    house.write(ANI, "Halo.")
    public = house.keys["wulan"].public
    rubbish = b64encode(sealing.seal_to(public, b"rubbish", "elsewhere")).decode()
    given = [{**copy, "sealed": rubbish} for copy in copies(house, "bayu", public)]
    house.call("bayu", "case.give", case="C-0001", person="wulan", copies=given)
    assert texts(house, "wulan") == ["Halo."]


def test_a_copy_under_a_lost_key_is_refused(house):
    """Who sealed to the key a colleague had a moment ago hears so, and nothing is kept."""
    house.write(ANI, "Halo.")
    old = house.keys["wulan"].public
    lose(house, "wulan")
    before = house.rows(models.CaseKeyCopy)
    given = copies(house, "bayu", old)
    with pytest.raises(errors.Conflict, match="another key by now"):
        house.call("bayu", "case.give", case="C-0001", person="wulan", copies=given)
    assert house.rows(models.CaseKeyCopy) == before


# -- the supervisor -------------------------------------------------------------------------------


def test_a_supervisors_letters_come_back_from_the_therapist(house):
    """Assigning a case to whom it is with already gives the supervisor its content again."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    lose(house, "sari")
    assert locked(house, "sari") == ["C-0001"]
    asked = house.call("wulan", "case.keyless", case="C-0001")["people"]
    assert asked == [
        {"person": "sari", "public_key": b64encode(house.keys["sari"].public).decode()}
    ]
    assign(house, "wulan", "wulan")
    assert texts(house, "sari") == ["Halo."]
    assert locked(house, "sari") == []
    assert house.call("wulan", "case.keyless", case="C-0001") == {"people": []}


def test_raw_mail_before_the_loss_stays_shut(house):
    """Nobody else had its key; the raw mail of what comes after the assignment opens."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    lose(house, "sari")
    assign(house, "wulan", "wulan")
    held = house.call("sari", "case.show", case="C-0001")["keys"]
    assert [copy["epoch"] for copy in held if copy["purpose"] == "source"] == [3]
    assert [copy["epoch"] for copy in held if copy["purpose"] == "content"] == [1, 2, 3]


def test_who_may_not_open_a_case_cannot_ask_who_lost_its_key(house):
    """It is answered as a case that is not theirs."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    with pytest.raises(errors.NotFound):
        house.call("bayu", "case.keyless", case="C-0001")
