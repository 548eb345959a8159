"""While nobody has read a letter with danger, one more person is told, again and again."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from sqlalchemy import delete

from mailcounsel.casework import duties, errands, ladder
from mailcounsel.casework.office import Office
from mailcounsel.config.fields import WEEKDAYS
from mailcounsel.config.people import Risk
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."
ADDRESSES = {"wulan": "wulan@staf.test", "bayu": "bayu@staf.test", "sari": "sari@staf.test"}


@pytest.fixture
def watch(house):
    """A centre with somebody on call, a second, and a supervisor who can be reached."""
    config = house.office.config
    people = tuple(
        one.model_copy(update={"notify": ADDRESSES.get(one.name)}) for one in config.people
    )
    risk = Risk(read_minutes=20, on_call="bayu", second="wulan")
    queue = config.queues[0].model_copy(update={"risk": risk})
    changed = config.model_copy(update={"people": people, "queues": (queue,)})
    house.office = Office(changed, house.office.keyring)
    return house


def later(house, minutes):
    house.clock.on(minutes=minutes)
    now = house.clock.now()
    house.store.write(lambda c: errands.run_due(c, house.office, duties.DUTIES, now))


def told(house, kind="staff-risk"):
    return [parcel.to_address for row in house.outbox(kind) if (parcel := row.parcel)]


def urgent(house):
    """Take what is due; return who got which urgent note, oldest first."""
    rows = {row.once: row.kind for row in house.outbox() if ":step:" in (row.once or "")}
    assert rows
    return [
        (parcel.to_address.partition("@")[0], parcel.subject + parcel.text)
        for parcel in house.send()
        if "rgent:" in parcel.subject or "endesak:" in parcel.subject
    ]


def names(house, config):
    """Who is told in turn about the first case, by a configuration."""
    case = vars(house.case(1))
    return house.store.read(lambda c: ladder.rungs(c, config, case, house.clock.now())).names


def change(house, name, **values):
    """Let something else be true of a person from now on."""
    config = house.office.config
    people = tuple(
        one.model_copy(update=values) if one.name == name else one for one in config.people
    )
    house.office = replace(house.office, config=config.model_copy(update={"people": people}))


def on_call(house, name):
    """Let one person be on call, and nobody second."""
    risk = Risk(read_minutes=20, on_call=name)
    queue = house.office.config.queues[0].model_copy(update={"risk": risk})
    config = house.office.config.model_copy(update={"queues": (queue,)})
    house.office = replace(house.office, config=config)


def forget_keys(house, name):
    """Let a person hold no key to any case, as somebody who enrolled again."""
    copies = models.table(models.CaseKeyCopy)
    house.store.write(lambda c: c.execute(delete(copies).where(copies.c.person == name)).rowcount)


def test_an_unread_danger_climbs_from_person_to_person(watch):
    """On call, the second, the supervisor, each a step of the configured minutes later."""
    watch.write(ANI, DANGER)
    later(watch, 19)
    assert told(watch) == []
    later(watch, 1)
    assert told(watch) == [ADDRESSES["bayu"]]
    later(watch, 20)
    later(watch, 20)
    assert told(watch) == [ADDRESSES[name] for name in ("bayu", "wulan", "sari")]
    (risk,) = watch.rows(models.Risk)
    assert risk.step == 3
    assert watch.audited().count("risk-told") == 3


def test_the_supervisor_is_reminded_up_to_a_bound(watch):
    """Then the case says for everybody to see that nobody read it."""
    watch.write(ANI, DANGER)
    reached = []
    for _ in range(3 + ladder.REMINDERS + 2):
        later(watch, 20)
        reached += [name for name, _ in urgent(watch)]
    assert reached[2:] == ["sari"] * (1 + ladder.REMINDERS)
    assert "danger-unread" in watch.flags(1)
    entries = watch.call("sari", "case.show", case="C-0001")["entries"]
    watch.call("sari", "case.read", case="C-0001", letters=[entries[0]["id"]])
    assert "danger-unread" not in watch.flags(1)


def test_a_receipt_ends_the_ladder(watch):
    """Who reads it takes it over; nobody else is woken."""
    watch.write(ANI, DANGER)
    later(watch, 20)
    entries = watch.read("wulan", "C-0001")
    watch.call("wulan", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    later(watch, 60)
    assert told(watch) == [ADDRESSES["bayu"]]
    assert [row.state for row in watch.rows(models.Errand) if row.kind == ladder.STEP].count(
        "waiting"
    ) == 0
    assert "dropped" in {row.state for row in watch.rows(models.Errand)}


def test_a_note_to_the_centre_s_people_says_nothing_of_the_client(watch):
    """It goes through mail that anybody may read."""
    watch.write(ANI, DANGER)
    later(watch, 20)
    (row,) = watch.outbox("staff-risk")
    words = f"{row.parcel.subject}\n{row.parcel.text}".lower()
    assert "20" in words
    for word in ("ani", "bunuh", "hidup", "bahaya", "c-0001", "c-1"):
        assert word not in words.split()


def test_a_clock_that_jumps_tells_one_person_not_all(watch):
    """After a night without power there is one step, and the next one its minutes later."""
    watch.write(ANI, DANGER)
    later(watch, 60 * 24 * 365)
    later(watch, 0)
    assert told(watch) == [ADDRESSES["bayu"]]


def test_without_anybody_on_call_the_supervisor_is_told(house):
    """The last step is there however little is configured; without an address a flag stands."""
    house.write(ANI, DANGER)
    later(house, 30)
    assert "danger-unread" in house.flags(1)
    config = house.office.config
    assert names(house, config) == ()
    people = tuple(one.model_copy(update={"notify": "x@staf.test"}) for one in config.people)
    assert names(house, config.model_copy(update={"people": people})) == ("sari",)


def test_a_person_named_twice_is_told_once_in_turn(watch):
    """A supervisor who is on call needs no second step of their own."""
    config = watch.office.config
    risk = Risk(on_call="sari", second="bayu")
    queue = config.queues[0].model_copy(update={"risk": risk})
    watch.write(ANI, DANGER)
    assert names(watch, config.model_copy(update={"queues": (queue,)})) == ("sari", "bayu")


def test_who_is_away_is_not_waited_for(watch):
    """A day's absence moves the ladder on; when everybody is away, everybody is told."""
    config = watch.office.config
    watch.write(ANI, DANGER)
    gone = tuple(one.model_copy(update={"works_on": ()}) for one in config.people)
    some = tuple(g if g.name == "bayu" else one for g, one in zip(gone, config.people, strict=True))
    assert names(watch, config.model_copy(update={"people": some})) == ("wulan", "sari")
    assert len(names(watch, config.model_copy(update={"people": gone}))) == 3


def test_a_closed_danger_is_not_unread_any_more(watch):
    """Whoever reads it, however late, takes the flag away; the sentence comes after."""
    watch.write(ANI, DANGER)
    for _ in range(3 + ladder.REMINDERS + 2):
        later(watch, 20)
    assert "danger-unread" in watch.flags(1)
    watch.look("sari", "C-0001")
    standing = watch.call("sari", "case.show", case="C-0001")["risks"]
    given = {risk["id"]: b64encode(b"sealed").decode() for risk in standing}
    watch.call("sari", "risk.close", case="C-0001", sentences=given)
    assert "danger-unread" not in watch.flags(1)


def taken(watch, by="bayu"):
    """Let somebody have a case whose client writes of danger while nobody looks."""
    watch.write(ANI, "Halo.")
    offer, *_ = watch.sent_to(ANI)
    assert watch.call(by, "case.next")["case"] == "C-0001"
    watch.write(ANI, DANGER, reply_to=offer)
    watch.send()
    return offer


def test_who_has_the_case_is_told_at_every_step(watch):
    """They know the client, and the supervisor is one of the two who can open it."""
    change(watch, "sari", notify=ADDRESSES["sari"])
    taken(watch)
    on_call(watch, "wulan")
    for _ in range(2):
        later(watch, 20)
        assert {name for name, _ in urgent(watch)} == {"sari", "bayu"}


def test_who_cannot_open_the_case_is_passed_over(watch):
    """On call holds no key to a case a colleague took, so the supervisor is the first."""
    taken(watch, by="wulan")
    change(watch, "wulan", works_on=())
    assert names(watch, watch.office.config) == ("sari",)
    forget_keys(watch, "sari")
    change(watch, "wulan", works_on=WEEKDAYS)
    assert names(watch, watch.office.config) == ("wulan",)


def test_where_nobody_who_is_there_can_open_it_they_are_told_to_ask(watch):
    """A note that only says "read it" would be in vain; then whoever can open it is disturbed."""
    taken(watch, by="wulan")
    forget_keys(watch, "sari")
    change(watch, "wulan", works_on=())
    later(watch, 20)
    ((name, words),) = urgent(watch)
    assert name == "bayu"
    assert "Kunci Anda tidak bisa membukanya" in words
    assert "mailcounsel queue" in words
    for _ in range(2):
        later(watch, 20)
    assert [(name, "mailcounsel next" in words) for name, words in urgent(watch)][-1] == (
        "wulan",
        True,
    )


def test_who_comes_back_is_told_of_what_nobody_read(watch):
    """After the bound as well: the next day on which the therapist is there."""
    on_call(watch, "bayu")
    taken(watch, by="wulan")
    change(watch, "wulan", works_on=())
    for _ in range(1 + ladder.REMINDERS + 1):
        later(watch, 20)
    assert "danger-unread" in watch.flags(1)
    urgent(watch)
    for _ in range(2):
        later(watch, 60 * 24)
        assert urgent(watch) == []
    change(watch, "wulan", works_on=WEEKDAYS)
    for expected in (["wulan"], []):
        later(watch, 60 * 24)
        assert [name for name, _ in urgent(watch)] == expected
    assert watch.audited().count("risk-ladder-ended") == 1


def test_a_note_counts_in_days_and_says_how_to_read(watch):
    """Nine days are no 12848 minutes."""
    watch.write(ANI, DANGER)
    later(watch, 12848)
    ((_, words),) = urgent(watch)
    assert "9 hari" in words
    assert "12848" not in words
    assert words.rstrip().endswith("mailcounsel next")


def test_a_silence_is_not_called_a_letter_that_nobody_read(watch):
    """The danger was read and answered; what is new is that nothing came."""
    offer = taken(watch)
    entries = watch.read("bayu", "C-0001")
    watch.call("bayu", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    watch.write(ANI, "SETUJU", reply_to=offer)
    watch.reply("bayu", "C-0001", "Saya di sini.")
    watch.send()
    later(watch, 60 * 48)
    later(watch, 20)
    assert urgent(watch)
    for row in watch.outbox():
        assert row.kind != "staff-risk"
    (note, *_) = watch.outbox("staff-silence")
    assert note.state == "sent"
