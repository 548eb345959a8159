"""Who holds a case's keys, from the first letter to the last, and who may do what with it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import date

import pytest
from sqlalchemy import select

from mailcounsel import errors
from mailcounsel.casework import cases
from mailcounsel.casework.office import Office
from mailcounsel.config.spans import Days
from mailcounsel.crypto import sealing
from mailcounsel.store import models

ANI = "ani@klien.test"


def holders(house, purpose="content", number=1):
    """Who holds a copy of which epoch's key."""
    rows = house.rows(models.CaseKeyCopy)
    mine = [r for r in rows if r.purpose == purpose and r.case_id == house.case(number).id]
    return sorted((row.epoch, row.person) for row in mine)


def give(house, giver, to, case="C-0001"):
    """Seal a case's keys for a colleague, as the giver's own process does."""
    public = b64decode(house.call(giver, "case.reader", person=to)["public_key"])
    private, copies = house.keys[giver].private, []
    for copy in house.call(giver, "case.show", case=case)["keys"]:
        place = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
        key = sealing.open_with(private, b64decode(copy["sealed"]), place)
        sealed = b64encode(sealing.seal_to(public, key, place)).decode()
        copies.append({**copy, "sealed": sealed})
    house.call(giver, "case.give", case=case, person=to, copies=copies)


# -- keys ----------------------------------------------------------------------------------------


def test_a_case_nobody_has_is_everybodys(house):
    """Every therapist of the queue and its supervisor hold a copy; a therapist none of the raw."""
    house.write(ANI, "Halo.")
    assert holders(house) == [(1, "bayu"), (1, "sari"), (1, "wulan")]
    assert holders(house, "source") == [(1, "sari")]


def test_taking_a_case_destroys_the_other_copies(house):
    """From then on its therapist and the supervisor, for old letters and new ones."""
    house.write(ANI, "Halo.")
    assert house.call("wulan", "case.next") == {"case": "C-0001"}
    both = [(1, "sari"), (1, "wulan"), (2, "sari"), (2, "wulan")]
    assert holders(house) == both
    assert {person for _, person in holders(house, "source")} == {"sari"}
    with pytest.raises(errors.NotFound):
        house.read("bayu", "C-0001")
    assert "Halo" in house.read("wulan", "C-0001")[0]["text"]


def test_a_therapist_cannot_open_the_raw_mail(house):
    """Real headers with addresses are the supervisor's alone."""
    house.write(ANI, "Halo.")
    (entry, _) = house.read("wulan", "C-0001")
    sealed = b64decode(
        house.call("wulan", "letter.piece", letter=entry["id"], part="source", offset=0)["data"]
    )
    context = f"letter/{entry['id']}/source"
    opened = {}
    for person in ("wulan", "sari"):
        for copy in house.call(person, "case.show", case="C-0001")["keys"]:
            place = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
            key = sealing.open_with(house.keys[person].private, b64decode(copy["sealed"]), place)
            try:
                opened[person] = sealing.open_with(key, sealed, context)
            except errors.SealBroken:
                continue
    assert list(opened) == ["sari"]
    assert b"From: ani@klien.test" in opened["sari"]


def test_no_supervisor_no_case(house):
    """Nothing is sealed to nobody: the letter waits and does not count as failed."""
    people = models.table(models.Person)
    sari = people.c.name == "sari"
    house.store.write(
        lambda c: (
            c.execute(people.update().where(sari).values(revoked_at=house.clock.now())).rowcount
        )
    )
    row = house.write(ANI, "Halo.")
    assert (row.state, row.attempts) == ("received", 0)
    house.store.write(
        lambda c: c.execute(people.update().where(sari).values(revoked_at=None)).rowcount
    )
    house.clock.on(minutes=1)
    assert house.again(row.id).state == "case"


def test_a_row_of_the_roster_changed_by_hand_is_not_sealed_to(house):
    """A stranger's key under a therapist's name gets nothing."""
    people = models.table(models.Person)
    stranger = sealing.new_pair().public
    change = people.update().where(people.c.name == "wulan").values(public_key=stranger)
    house.store.write(lambda c: c.execute(change).rowcount)
    row = house.write(ANI, "Halo.")
    assert row.state == "received"
    assert house.rows(models.CaseKeyCopy) == []


def test_a_public_case_key_changed_by_hand_is_not_sealed_with(house):
    """Letters are not sealed to a key somebody put into the database."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    keys = models.table(models.CaseKey)
    change = keys.update().values(public=sealing.new_pair().public)
    house.store.write(lambda c: c.execute(change).rowcount)
    row = house.write(ANI, "Rahasia.", reply_to=offer)
    assert (row.state, row.reason) == ("received", "SealBroken")


# -- taking --------------------------------------------------------------------------------------


def test_next_leaves_out_what_one_holds_no_key_to(house):
    """Eka enrolled after the first letter came: it is left to others, the next one is hers."""
    house.write(ANI, "Halo.")
    house.keys.clear()
    house.store.write(forget("wulan"))
    house.enrol("wulan")
    assert house.call("wulan", "case.next")["case"] is None
    (case,) = house.call("wulan", "queue.list")["cases"]
    assert case["has_keys"] is False
    house.write("budi@klien.test", "Halo.")
    assert house.call("wulan", "case.next") == {"case": "C-0002"}


def forget(name):
    """Let a person enrol anew, without the copies they held."""

    def job(connection):
        people, copies = models.table(models.Person), models.table(models.CaseKeyCopy)
        connection.execute(people.delete().where(people.c.name == name))
        connection.execute(copies.delete().where(copies.c.person == name))

    return job


def test_a_promise_says_whose_clock_it_goes_by(house):
    """With the moment comes the zone of the centre, which a terminal elsewhere does not know."""
    house.write("ani@klien.test", "Halo.")
    for answer in (
        house.call("wulan", "queue.list"),
        house.call("wulan", "case.show", case="C-0001"),
    ):
        assert answer["centre_zone"] == "Asia/Jakarta"


def test_next_gives_the_most_urgent_then_the_longest_waiting(house):
    """And again one's own, until it is answered."""
    house.write(ANI, "Halo.")
    house.clock.on(hours=1)
    house.write("budi@klien.test", "Halo.")
    house.clock.on(hours=1)
    house.write("eka@klien.test", "Saya ingin mengakhiri hidup saya malam ini.")
    assert house.call("wulan", "case.next") == {"case": "C-0003"}
    assert house.call("wulan", "case.next") == {"case": "C-0003"}
    house.reply("wulan", "C-0003", "Saya di sini.", plain="darurat")
    assert house.call("wulan", "case.next") == {"case": "C-0001"}


def test_nobody_takes_more_than_they_can_carry(house):
    """Capacity counts open cases; what one has already can be gone on with."""
    object.__setattr__(house.office.config.person("wulan"), "capacity", 1)
    house.write(ANI, "Halo.")
    house.write("budi@klien.test", "Halo.")
    house.call("wulan", "case.next")
    assert house.call("wulan", "case.next") == {"case": "C-0001"}
    house.reply("wulan", "C-0001", "Halo.", plain="ya")
    with pytest.raises(errors.Refused, match="1 open case"):
        house.call("wulan", "case.next")


def test_two_who_take_at_once_do_not_share(house):
    """The version decides: the second looks again."""
    house.write(ANI, "Halo.")
    case = house.store.read(lambda c: cases.find(c, "C-0001"))
    now = house.clock.now()
    house.store.write(lambda c: cases.hand_over(c, house.office, case, "wulan", now, by="wulan"))
    with pytest.raises(errors.Conflict):
        house.store.write(lambda c: cases.hand_over(c, house.office, case, "bayu", now, by="bayu"))
    assert house.case(1).assignee == "wulan"


# -- handing over --------------------------------------------------------------------------------


def test_handing_over_needs_copies(house):
    """Bayu's copies were destroyed: Wulan gives him new ones first, then the case."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    with pytest.raises(errors.Refused, match="no key"):
        house.call("wulan", "case.assign", case="C-0001", person="bayu")
    assert house.case(1).assignee == "wulan"
    give(house, "wulan", "bayu")
    house.call("wulan", "case.assign", case="C-0001", person="bayu")
    assert "Halo" in house.read("bayu", "C-0001")[0]["text"]
    with pytest.raises(errors.NotFound):
        house.read("wulan", "C-0001")
    assert "wulan" not in {person for _, person in holders(house)}


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({}, []),
        ({"capacity": 1}, []),
        ({"capacity": 0}, ["bayu has 1 open case now, and can carry 0."]),
        ({"languages": ("en",)}, ["This client writes id; bayu counsels in en."]),
        ({"absent": (Days(date(2026, 11, 1), date(2026, 12, 24)),)},
         ["bayu is away until 2026-12-24, as config.toml says."]),
    ],
)  # fmt: skip
def test_who_gives_a_case_hears_what_speaks_against_it(house, known, says):
    """They decide all the same: the case is with the colleague."""
    house.write(ANI, "Halo, saya ingin bercerita tentang pekerjaan saya.")
    house.call("wulan", "case.next")
    give(house, "wulan", "bayu")
    for name, value in known.items():
        object.__setattr__(house.office.config.person("bayu"), name, value)
    told = house.call("wulan", "case.assign", case="C-0001", person="bayu")
    assert told["doubts"] == says
    assert house.case(1).assignee == "bayu"


@pytest.mark.parametrize("name", ["nobody", "admin"])
def test_a_case_is_given_to_readers_only(house, name):
    """An admin is never given sealed letters."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    with pytest.raises(errors.Refused):
        house.call("wulan", "case.give", case="C-0001", person=name, copies=[])
    with pytest.raises(errors.Refused):
        house.call("wulan", "case.assign", case="C-0001", person=name)


def test_the_raw_mail_is_not_given_on(house):
    """A supervisor's copy of the source key cannot be handed to a therapist."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    give(house, "sari", "bayu")
    assert {person for _, person in holders(house, "source")} == {"sari"}


def test_linked_cases_change_hands_together(house):
    """Who takes a case takes what was linked into it; nobody keeps a key to a part."""
    house.write(ANI, "Halo.")
    house.write(ANI, "Ini aku juga.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    house.call("wulan", "case.next")
    for number in (1, 2):
        assert {person for _, person in holders(house, number=number)} == {"sari", "wulan"}
    texts = [entry.get("text", "") for entry in house.read("wulan", "C-0001")]
    assert any("Ini aku juga" in text for text in texts)


@pytest.mark.parametrize(("case", "into"), [("C-0001", "C-0001"), ("C-0002", "C-0001")])
def test_a_case_is_linked_once(house, case, into):
    """Not to itself, and not a second time."""
    for sender in (ANI, "budi@klien.test"):
        house.write(sender, "Halo.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    with pytest.raises(errors.Conflict):
        house.call("sari", "case.link", case=case, into=into)


def test_whoever_links_reads_both(house):
    """A therapist cannot pull somebody else's case into their own."""
    for sender in (ANI, "budi@klien.test"):
        house.write(sender, "Halo.")
    house.call("wulan", "case.next")
    with pytest.raises(errors.NotFound):
        house.call("bayu", "case.link", case="C-0001", into="C-0002")


# -- open and closed -----------------------------------------------------------------------------


def test_closing_and_reopening_changes_no_letter(house):
    """Reopened, the case waits for what was not answered."""
    house.write(ANI, "Halo.")
    waiting = house.case(1).waiting_since
    house.close("wulan", "C-0001")
    assert house.case(1).waiting_since is None
    for _ in range(2):
        house.call("wulan", "case.reopen", case="C-0001")
    case = house.case(1)
    assert (case.state, case.waiting_since, case.promised_at is not None) == ("open", waiting, True)
    assert house.audited().count("case-reopened") == 1


@pytest.mark.parametrize(
    "name", ["C-9999", "x", "", "C-", "9" * 30, "C-00001\x00", "-1", "１", "\ud800"]
)
def test_a_case_that_is_not_there_is_not_found(house, name):
    """Whatever is typed, the answer is a sentence."""
    with pytest.raises(errors.NotFound):
        house.call("wulan", "case.show", case=name)


@pytest.mark.parametrize("name", ["C-0001", "c-1", "1", " C-1 "])
def test_a_case_is_found_as_people_write_it(house, name):
    """Short or long, the handle is the same."""
    house.write(ANI, "Halo.")
    assert house.call("wulan", "case.show", case=name)["case"] == "C-0001"


def test_the_queue_holds_no_word_of_a_client(house):
    """What is listed is states, numbers and days."""
    house.write(ANI, "Halo quokka.")
    assert "quokka" not in str(house.call("wulan", "queue.list"))
    assert ANI not in str(house.call("wulan", "queue.list", all=True))


def test_an_answered_case_is_not_pressing_and_an_unimportant_one_not_raised(house):
    """Answering brings priority down to normal, never up to it."""
    house.write(ANI, "BANTUAN")
    house.write("robot@klien.test", "Halo.", headers={"Auto-Submitted": "auto-replied"})
    before = [house.case(n).priority for n in (1, 2)]
    for name in ("C-0001", "C-0002"):
        house.reply("wulan", name, "Halo.", plain="ya")
    assert (before, [house.case(n).priority for n in (1, 2)]) == ([2, 0], [1, 0])


def test_entries_are_numbered_as_they_come(house):
    """One number each, without a gap, over letters, answers and notes."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    for word in ("Satu.", "Dua."):
        house.write(ANI, word, reply_to=offer)
    entries = models.table(models.Letter)
    query = select(entries.c.number).order_by(entries.c.number)
    numbers = house.store.read(lambda c: list(c.execute(query).scalars()))
    assert numbers == list(range(1, house.case(1).letters + 1))


def test_a_case_in_a_language_they_do_not_counsel_in_is_left_to_others(house):
    """Unless it is urgent: then a person who reads badly is better than none."""
    people = tuple(
        one.model_copy(update={"languages": ("id",)}) if one.name == "wulan" else one
        for one in house.office.config.people
    )
    config = house.office.config.model_copy(update={"people": people})
    house.office = Office(config, house.office.keyring)
    house.write("amy@klien.test", "I have been feeling very low since the summer.")
    assert house.case(1).language == "en"
    assert house.call("wulan", "case.next")["case"] is None
    assert house.call("bayu", "case.next") == {"case": "C-0001"}
    house.write("ben@klien.test", "I want to kill myself tonight, and I have the pills here.")
    assert house.call("wulan", "case.next") == {"case": "C-0002"}
