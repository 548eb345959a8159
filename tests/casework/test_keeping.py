"""Promises: kept, broken, and what happens before one breaks. The clock starts on a Sunday."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

import house as houses
from mailcounsel import errors
from mailcounsel.casework import keeping
from mailcounsel.config.people import PriorityPromise
from mailcounsel.config.spans import Days
from mailcounsel.service import work
from mailcounsel.store import models

ANI = "ani@klien.test"


def promises(house):
    return house.rows(models.Promise)


def look(house):
    work.keep_promises(house.desk)
    return [
        parcel
        for parcel in house.sent_to(ANI)
        if re.search("longer|lebih lama|not been answered yet|belum dibalas", parcel.text)
    ]


def test_an_answer_in_time_keeps_the_promise(house):
    """Sixteen working hours are two days; Monday's answer is in time."""
    house.write(ANI, "Halo.")
    house.clock.on(days=1)
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    (row,) = promises(house)
    assert row.answered_at < row.promised_at
    assert count(house).kept == 1


def count(house, queue="umum"):
    now = house.clock.now()
    return house.store.read(lambda c: keeping.count(c, queue, now - timedelta(days=28), now))


def test_before_a_promise_breaks_the_case_rises_and_people_hear_of_it(house):
    """In the last quarter: four of sixteen hours, on Tuesday from 13:00 in Jakarta."""
    house.write(ANI, "Halo.")
    house.send()
    house.clock.on(days=2, hours=-3, minutes=-10)  # Tuesday 12:50
    work.keep_promises(house.desk)
    assert promises(house) == []
    house.clock.on(minutes=20)
    work.keep_promises(house.desk)
    work.keep_promises(house.desk)
    assert house.case(1).priority == 2
    assert [p.to_address for p in house.send()] == ["wulan@staf.test"]


def test_a_client_is_told_before_the_promise_breaks_and_once(house):
    """With two hours left they get a new day, and nothing more before that comes near."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    house.send()
    old = house.case(1).promised_at
    house.clock.on(days=2, hours=-1)  # Tuesday 15:00, two hours before
    told = look(house)
    assert len(told) == 1
    moved = house.case(1).promised_at
    assert moved > old
    while house.clock.now() < moved - timedelta(hours=2, minutes=30):
        house.clock.on(minutes=30)
        assert look(house) == []
    assert house.audited().count("promise-moved") == 1


def test_a_client_whose_new_day_breaks_hears_again_ever_more_rarely(house):
    """A week ahead, then a month at a time; each time before the day that was named is over."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "I would be glad to hear from you, whenever it may be.", reply_to=offer)
    house.send()
    days, named = [], [house.case(1).promised_at]
    for _ in range(100 * 4):
        house.clock.on(hours=6)
        for letter in look(house):
            days.append(house.clock.now())
            assert days[-1] <= named[-1]
            named.append(house.case(1).promised_at)
            assert f"{named[-1].day} {named[-1]:%B %Y}" in letter.text
    assert len(days) == 6
    gaps = [after - before for before, after in itertools.pairwise(named)]
    assert timedelta(days=7) <= gaps[1] <= timedelta(days=9)
    assert all(timedelta(days=28) <= gap <= timedelta(days=31) for gap in gaps[2:])
    assert house.case(1).priority == 2


def test_who_may_never_have_written_is_told_once(house):
    """A forged letter brings its victim no mail for ever; people hear of each day all the same."""
    object.__setattr__(house.office.config.person("sari"), "notify", "sari@staf.test")
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    told = []
    for _ in range(100 * 4):
        house.clock.on(hours=6)
        told += look(house)
    assert len(told) == 1
    notes = [row.once for row in house.outbox("staff-notice") if "promise-again" in row.once]
    assert len(notes) > 3


def test_who_was_answered_by_a_person_is_told_of_every_new_day(house):
    """Whoever vouched for them: somebody here holds them for a client."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    (offer,) = house.sent_to(ANI)
    house.reply("wulan", "C-0001", "Hello Ani.", plain="uji")
    house.clock.on(minutes=2)
    house.send()
    house.write(ANI, "Thank you, and this is what I wanted to say.", reply_to=offer)
    told = []
    for _ in range(40 * 4):
        house.clock.on(hours=6)
        told += look(house)
    assert len(told) > 2


def test_strangers_are_told_within_the_caps_of_a_day(house):
    """Who got no acknowledgement is told nothing, and the others as many as strangers may be."""
    limits = house.office.config.limits
    object.__setattr__(limits, "automatic_strangers_day", 5)
    for number in range(8):
        house.write(f"orang{number}@tempat{number}.test", f"Surat nomor {number}.")
    acknowledged = {row.case_id for row in house.outbox("acknowledgement")}
    object.__setattr__(limits, "automatic_strangers_day", 3)
    for _ in range(3 * 24):
        house.clock.on(hours=1)
        work.keep_promises(house.desk)
    told = {row.case_id for row in house.outbox("later")}
    assert len(acknowledged) == 5
    assert len(told) == 3
    assert told < acknowledged


def test_the_supervisor_hears_each_time_a_new_day_comes_near(house):
    """Once a day that was named, for as long as nobody answers."""
    object.__setattr__(house.office.config.person("sari"), "notify", "sari@staf.test")
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    told = []
    for _ in range(16 * 4):
        look(house)
        notes = [row for row in house.outbox("staff-notice") if "promise" in (row.once or "")]
        told = [row.once.split(":")[2:] for row in notes if row.once.startswith("staff:sari")]
        house.clock.on(hours=6)
    assert [one[0] for one in told] == ["promise", "promise-again", "promise-again"]
    assert [one[-1] for one in told[1:]] == ["1", "2"]


def test_staff_hear_of_a_moved_promise_in_its_own_last_quarter(house):
    """Four of sixteen hours before the new day, not as soon as there is one."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    house.clock.on(days=2, hours=-1)
    look(house)
    assert house.case(1).promised_at == datetime(2026, 11, 26, 10, tzinfo=UTC)

    def again():
        rows = house.outbox("staff-notice")
        return [row for row in rows if ":promise-again:" in (row.once or "")]

    house.clock.on(days=2, hours=-3)  # Thursday 12:00 in Jakarta, five hours before
    look(house)
    assert again() == []
    house.clock.on(hours=1, minutes=10)
    look(house)
    assert len(again()) == 1


def test_nobody_in_unread_danger_is_told_a_later_day(house):
    """The ladder calls people meanwhile; a day would sound as if it could wait until then."""
    house.clock.on(hours=20)
    house.write(ANI, "I want to kill myself tonight.")
    house.send()
    for _ in range(8):
        house.clock.on(minutes=30)
        assert look(house) == []
    letters = [one["id"] for one in house.read("wulan", "C-0001")]
    house.call("wulan", "case.read", case="C-0001", letters=letters)
    assert len(look(house)) == 1
    assert house.case(1).promised_at - house.clock.now() > timedelta(hours=12)


def test_no_number_of_unread_dangers_holds_up_the_promises_of_others(house):
    """Theirs stay where they are, and come first: forged letters could make any number of them."""
    house.write("siapa@asing.test", "I want to kill myself tonight.")
    house.multiply(1, 600)
    house.clock.on(hours=1)
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    house.send()
    house.clock.on(days=2, hours=-1)
    assert len(look(house)) == 1


def test_staff_hear_before_a_moved_promise_breaks_as_well(house):
    """The client is told a new day once; that day does not come near in silence."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    house.send()
    house.clock.on(days=2, hours=-1)
    look(house)

    def again():
        return [
            row for row in house.outbox("staff-notice") if ":promise-again:" in (row.once or "")
        ]

    assert again() == []
    for _ in range(20):
        house.clock.on(hours=6)
        look(house)
    assert len(again()) == 1


def test_a_case_that_rose_tells_its_client_as_early_as_it_was_promised(house):
    """The last eighth of sixteen hours are two, though the case presses since four were left."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    house.send()
    house.clock.on(days=2, hours=-2)  # Tuesday 14:00
    assert look(house) == []
    assert house.case(1).priority == 2
    house.clock.on(minutes=70)  # 15:10
    assert len(look(house)) == 1


def test_another_letter_leaves_the_promise_as_it_was_made(house):
    """A second letter before the promise, and one after the client was told of a new day."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    (first,) = house.sent_to(ANI)
    made = house.case(1).promised_at
    house.clock.on(days=2, hours=-2)
    look(house)
    house.write(ANI, "One more thing that I forgot.", reply_to=first)
    assert house.case(1).promised_at == made
    house.clock.on(minutes=70)
    look(house)
    moved = house.case(1).promised_at
    assert moved > made
    house.write(ANI, "And another one.", reply_to=first)
    assert house.case(1).promised_at == moved


def test_a_letter_that_presses_shortens_the_promise_from_when_it_came(house):
    """The urgent promise counts from the letter of danger, not from the first one."""
    umum = house.office.config.queue("umum")
    umum = umum.model_copy(update={"priority_promise": PriorityPromise(urgent=2)})
    others = [one for one in house.office.config.queues if one.name != "umum"]
    config = house.office.config.model_copy(update={"queues": (umum, *others)})
    house.office = replace(house.office, config=config)
    house.write(ANI, "Halo.")
    (first,) = house.sent_to(ANI)
    house.clock.on(days=1, hours=-6)  # Monday 10:00
    house.write(ANI, "Saya ingin mati saja.", reply_to=first)
    case = house.case(1)
    assert case.promised_since == house.clock.now()
    assert case.promised_at - case.promised_since == timedelta(hours=2)
    assert look(house) == []


def test_a_promise_that_broke_is_counted_even_when_the_client_was_told(house):
    """Telling is a courtesy; the promise was the first one."""
    house.write(ANI, "Halo.")
    house.clock.on(days=2, hours=-1)
    look(house)
    house.clock.on(days=2)
    assert count(house).broken == 1
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    assert (count(house).kept, count(house).broken) == (0, 1)


def test_an_answer_taken_back_keeps_nothing(house):
    """What was counted as kept stands open again."""
    house.write(ANI, "Halo.")
    house.clock.on(days=1)
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    house.call("wulan", "reply.undo")
    assert [row.answered_at for row in promises(house)] == [None]
    assert house.case(1).promised_at is not None


def test_a_case_that_waits_is_closed_with_a_reason_only(house):
    """Who promised an answer says why none is owed; the sentence is in the message."""
    house.write(ANI, "Halo.")
    with pytest.raises(errors.Refused, match='mailcounsel close C-0001 --reason "…"'):
        house.call("wulan", "case.close", case="C-0001")
    assert house.case(1).state == "open"


def test_what_is_closed_is_not_closed_again(house):
    """Whoever types it twice hears that it is done, as at the end of a case."""
    house.write(ANI, "Halo.")
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    house.call("wulan", "case.close", case="C-0001")
    with pytest.raises(errors.Conflict, match="C-0001 is closed already"):
        house.call("wulan", "case.close", case="C-0001")


def test_a_promise_that_was_closed_in_time_is_neither_kept_nor_broken(house):
    """It is settled: nobody is told that it comes near, and it counts as what it is."""
    house.write(ANI, "Hello, I would like to talk to somebody about my work and my family.")
    house.send()
    house.clock.on(days=1)
    house.close("wulan", "C-0001")
    house.clock.on(days=20)
    assert look(house) == []
    counted = count(house)
    assert (counted.kept, counted.broken, counted.open, counted.closed) == (0, 0, 0, 1)


def test_closing_mends_no_broken_promise(house):
    """A promise that came near, broke, and was closed then, is broken."""
    house.write(ANI, "Halo.")
    house.clock.on(days=2, hours=-1)
    look(house)
    house.clock.on(days=2)
    house.close("wulan", "C-0001")
    assert (count(house).broken, count(house).closed) == (1, 0)
    assert [row.settled_at for row in promises(house)] == [house.clock.now()]


def test_what_waits_in_a_case_opened_again_is_owed_again(house):
    """Opened again by a person, the letter waits as before, and so does its promise."""
    house.write(ANI, "Halo.")
    house.close("wulan", "C-0001")
    house.call("wulan", "case.reopen", case="C-0001")
    assert [row.settled_at for row in promises(house)] == [None]
    house.clock.on(days=1)
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    assert (count(house).kept, count(house).closed) == (1, 0)


def test_a_promise_goes_with_a_case_that_is_merged(house):
    """What came near in the one case is kept by the answer in the other."""
    house.write(ANI, "Halo.")
    house.write("lain@klien.test", "Halo, ini Ani dari alamat lain.")
    house.clock.on(days=2, hours=-2)
    look(house)
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    assert [row.answered_at for row in promises(house)] == [house.clock.now()] * 2


@pytest.mark.parametrize("rank", [0, 1])
def test_a_slow_queue_promises_what_it_can_keep(house, rank):
    """Ten answers in four weeks and six letters that wait: ninety working hours, not sixteen."""
    for number in range(10):
        house.write(f"lama{number}@klien.test", f"Halo, saya yang ke-{number}.")
        house.reply("wulan", f"C-{number + 1:04d}", "Halo.", plain="uji")
    house.clock.on(days=26)
    for number in range(6):
        house.write(f"baru{number}@klien.test", f"Halo, kami yang ke-{number}.")
    house.clock.on(days=1)
    work.keep_promises(house.desk)
    assert house.office.pace["umum"] == pytest.approx(6 * 152 / 10, rel=0.1)
    house.write("akhir@klien.test", "Halo dari saya.")
    waits = house.case(17).promised_at - house.clock.now()
    assert timedelta(days=14) < waits < timedelta(days=19)


def test_a_short_time_says_nothing_about_the_pace(house):
    """Twelve answers on the first day, and letters that wait: nobody is put off for weeks."""
    for number in range(12):
        house.write(f"klien{number}@klien.test", f"Halo, saya yang ke-{number}.")
        house.reply("wulan", f"C-{number + 1:04d}", "Halo.", plain="uji")
    house.write(ANI, "Halo.")
    house.clock.on(days=2)
    work.keep_promises(house.desk)
    assert house.office.pace["umum"] == 0


def test_a_few_answers_say_nothing_about_the_pace(house):
    """A centre that begins promises what it means to keep."""
    house.write(ANI, "Halo.")
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    work.keep_promises(house.desk)
    assert house.office.pace["umum"] == 0


def away(house, *names, first="2026-11-20", last="2026-11-29"):
    """Let people be away; return the office with that configuration."""
    days = (Days(date.fromisoformat(first), date.fromisoformat(last)),)
    people = tuple(
        person.model_copy(update={"absent": days}) if person.name in names else person
        for person in house.office.config.people
    )
    config = house.office.config.model_copy(update={"people": people})
    house.office = replace(house.office, config=config)


def test_days_on_which_nobody_is_there_are_not_promised(house):
    """All of the queue are away until the 29th: two working days later it is the 1st."""
    away(house, "wulan", "bayu", "sari")
    house.write(ANI, "Halo.")
    assert house.case(1).promised_at == datetime(2026, 12, 1, 10, tzinfo=UTC)


def test_who_is_away_gets_no_notes_and_who_is_there_does(house):
    """A note on a holiday reads nobody's letter."""
    away(house, "wulan")
    house.write(ANI, "Halo.")
    assert [p.to_address for p in house.send() if p.to_address.endswith("staf.test")] == []


def test_where_everybody_is_away_everybody_hears(house):
    """Nobody to read a letter is worse than a disturbed holiday."""
    away(house, "wulan", "bayu", "sari")
    house.write(ANI, "Halo.")
    assert [p.to_address for p in house.send() if p.to_address.endswith("staf.test")] == [
        "wulan@staf.test"
    ]


def test_a_promise_that_cannot_be_seen_to_stops_no_other(tmp_path, store, clock, centre):
    """One client's letter cannot be made: the other is told in time all the same."""
    home = houses.build(tmp_path, store, clock, centre)
    home.enrol("wulan", "bayu", "sari")
    home.write(ANI, "Halo, saya ingin berbicara dengan seseorang tentang keluarga saya.")
    home.write("ben@client.test", "Hello, I would like to talk to somebody about my family.")
    home.send()
    (anis,) = [row for row in home.rows(models.Address) if row.client_id == home.case(1).client_id]
    home.edit(models.Address, anis.id, mac=b"edited")
    clock.on(days=2, hours=-1)
    work.keep_promises(home.desk)
    assert [(p.case_id, p.told_at is None) for p in promises(home)] == [(home.case(2).id, False)]
    assert [p.to_address for p in home.send() if "longer" in p.text] == ["ben@client.test"]
