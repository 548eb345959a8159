"""A copy of the file, or its end: a signature, or a notice of seven days; always a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailcounsel import errors
from mailcounsel.casework import wishes
from mailcounsel.service import work
from mailcounsel.store import models
from pgp_writer import Writer

ANI = "ani@klien.test"


@pytest.fixture
def asked(house):
    """Ani asked with our token only to have her file erased; the notice has left."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "HAPUS", reply_to=offer)
    house.offer = offer  # an earlier letter of ours
    (notice,) = house.sent_to(ANI)
    return notice


def wish(house):
    (found,) = house.rows(models.Wish)
    return found


def check(house, kind="erase"):
    case, now = house.case(1), house.clock.now()
    house.store.read(lambda c: wishes.check(c, house.office, [case.id], "C-0001", kind, now))


def asks(house):
    return [flag for flag in house.flags(1) if flag.startswith("asks-")]


def look(house):
    return work.run_errands(house.desk)


def test_without_a_signature_it_waits_seven_days(house, asked):
    """Whoever sees a mail has our token: the client is told, and may say no for seven days."""
    assert wish(house).state == "notice"
    with pytest.raises(errors.Conflict, match="Sunday, 29 November 2026"):
        check(house)
    house.clock.on(days=6, hours=23)
    look(house)
    with pytest.raises(errors.Conflict, match="29 November"):
        check(house)
    house.clock.on(hours=1)
    look(house)
    check(house)
    assert wish(house).state == "ready"
    assert asks(house) == ["asks-erase-due"]


def test_the_notice_says_what_was_asked_and_until_when(house, asked):
    """The client learns of it in the centre's words, with the day and the way to say no."""
    assert "29 November 2026" in asked.text
    assert "dihapus" in asked.text
    assert "balas surat ini" in asked.text
    assert asked.auto_submitted == "auto-generated"


def test_the_seven_days_begin_when_the_notice_leaves(house):
    """A notice that lies in the outbox tells nobody anything."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "HAPUS", reply_to=offer)
    house.clock.on(days=8)
    look(house)
    with pytest.raises(errors.Conflict, match="has not left yet"):
        check(house)
    house.send()
    house.clock.on(days=6)
    look(house)
    with pytest.raises(errors.Conflict, match="The client has until"):
        check(house)
    house.clock.on(days=2)
    look(house)
    check(house)
    assert asks(house) == ["asks-erase-due"]


def test_a_notice_that_came_back_makes_nothing_ready(house, asked):
    """Who was not reached could not say no."""
    house.receive(house.bounce(asked.message_id), mail_from="")
    house.clock.on(days=20)
    look(house)
    with pytest.raises(errors.Conflict):
        check(house)
    assert wish(house).state == "notice"


@pytest.mark.parametrize("days", [1, 9])
def test_an_answer_to_the_notice_stops_it(house, asked, days):
    """ "That was not me", in any words, before the seven days or after: nothing is done."""
    house.clock.on(days=days)
    look(house)
    house.write(ANI, "Itu bukan saya!", reply_to=asked)
    house.clock.on(days=20)
    look(house)
    assert wish(house).state == "denied"
    assert asks(house) == ["asks-erase-denied"]
    with pytest.raises(errors.Conflict, match="Read what they wrote"):
        check(house)
    assert house.case(1).priority == 2
    assert any("denied" in (note.once or "") for note in house.outbox("staff-notice"))


def test_an_answer_nobody_vouches_for_stops_it_too(house, asked):
    """From another address, into a case of its own: to stop too much costs a letter only."""
    house.write("ani.baru@klien.test", "Bukan saya.", headers={
        "In-Reply-To": f"<{asked.message_id}>", "References": f"<{asked.message_id}>"
    })  # fmt: skip
    assert wish(house).state == "denied"
    assert house.flags(2) == ["maybe"]


def test_an_automatic_answer_to_the_notice_stops_nothing(house, asked):
    """A vacation note is nobody's no."""
    headers = {"Auto-Submitted": "auto-replied"}
    house.write(ANI, "Saya sedang cuti.", reply_to=asked, headers=headers)
    assert wish(house).state == "notice"


def test_the_same_word_again_is_no_denial_and_starts_nothing_new(house, asked):
    """HAPUS in answer to the notice: one wish, one notice, the same day."""
    house.clock.on(days=3)
    house.write(ANI, "HAPUS", reply_to=asked)
    assert wish(house).state == "notice"
    assert len(house.outbox("erase-notice")) == 1
    house.clock.on(days=4)
    look(house)
    assert wish(house).state == "ready"


def test_after_a_no_the_word_begins_anew(house, asked):
    """Whoever changes their mind is told again, and has seven days again."""
    house.write(ANI, "Itu bukan saya!", reply_to=asked)
    house.call("wulan", "case.clear", case="C-0001", kind="asks-erase-denied")
    house.clock.on(days=2)
    house.write(ANI, "HAPUS", reply_to=house.sent_to(ANI)[-1])
    assert [one.state for one in house.rows(models.Wish)] == ["denied", "notice"]
    assert len(house.outbox("erase-notice")) == 2


def test_a_signed_word_is_ready_at_once_and_never_by_itself(house, short_tmp):
    """The pinned key's signature is the client's own; a person still has to do it."""
    ani = Writer(short_tmp / "ani", ANI)
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    house.receive(ani.signed("HAPUS"))
    assert (wish(house).proof, wish(house).state) == ("signed", "ready")
    assert house.outbox("erase-notice") == []
    check(house)
    house.clock.on(days=30)
    look(house)
    assert house.case(1).state == "open"


def test_a_signature_ends_the_notice(house, short_tmp):
    """Asked with the token, then signed by the key of the first letter: it need not wait longer."""
    ani = Writer(short_tmp / "ani", ANI)
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (offer,) = house.sent_to(ANI)
    house.receive(ani.signed("Halo lagi.", reply_to=offer))
    house.clock.on(hours=1)
    house.write(ANI, "HAPUS", reply_to=offer)
    assert wish(house).state == "notice"
    house.receive(ani.signed("HAPUS"))
    assert (wish(house).proof, wish(house).state) == ("signed", "ready")
    assert asks(house) == ["asks-erase"]


@pytest.mark.parametrize(("word", "kind"), [("HAPUS", "erase"), ("SALINAN", "copy")])
def test_a_key_brought_with_our_token_asks_as_the_token_does(house, short_tmp, word, kind):
    """Who reads the mailbox brings a first key and signs with it: the client is told."""
    mal = Writer(short_tmp / "mal", ANI)
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.clock.on(days=30)
    house.receive(mal.signed("Ini kunci saya.", key=mal.autocrypt(), reply_to=offer))
    house.clock.on(minutes=5)
    house.receive(mal.signed(word, reply_to=offer))
    assert (wish(house).proof, wish(house).state) == ("new-key", "notice")
    assert asks(house) == [f"asks-{kind}-unsigned"]
    with pytest.raises(errors.Conflict, match="has not left yet"):
        check(house, kind)
    assert len(house.outbox(f"{kind}-notice")) == 1
    house.clock.on(days=1)
    house.write(ANI, "Aku tidak bisa membaca ini.", reply_to=house.sent_to(ANI)[-1])
    assert wish(house).state == "denied"


def test_a_key_that_was_used_for_a_week_is_no_news(house, short_tmp):
    """Its owner has been answered with it, and whoever could not read that had time to say so."""
    ani = Writer(short_tmp / "ani", ANI)
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.clock.on(days=30)
    house.receive(ani.signed("Ini kunci saya.", key=ani.autocrypt(), reply_to=offer))
    house.clock.on(days=7)
    house.receive(ani.signed("HAPUS"))
    assert (wish(house).proof, wish(house).state) == ("signed", "ready")


def test_a_clock_that_was_ahead_makes_no_wish_ready(house, asked):
    """The seven days are counted again when a person wants to carry it out, by the right clock."""
    house.clock.on(days=365)
    assert look(house)
    assert wish(house).state == "ready"
    house.clock.on(days=-364)
    with pytest.raises(errors.Conflict, match="has until"):
        check(house)
    house.clock.on(days=7)
    check(house)


def test_a_key_made_older_in_the_database_asks_for_nothing(house, short_tmp):
    """Who can write the database's file, and reads the mailbox, gets no file at once by it."""
    mal = Writer(short_tmp / "mal", ANI)
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.clock.on(days=30)
    house.receive(mal.signed("Ini kunci saya.", key=mal.autocrypt(), reply_to=offer))
    (pin,) = house.rows(models.Pin)
    house.edit(models.Pin, pin.id, pinned_at=pin.pinned_at - timedelta(days=30))
    house.receive(mal.signed("HAPUS", reply_to=offer))
    assert house.rows(models.Wish) == []
    assert "asks-erase" not in house.flags(1)
