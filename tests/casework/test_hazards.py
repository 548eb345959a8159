"""Letters made to stop a reader, among letters of people: these are placed, and wait for none.

Nothing here looks at a clock that runs: what is asked for is the order. Seconds and memory are
measured by the benchmark `hazards`.
"""

from __future__ import annotations

import functools

import pytest

from mailcounsel.intake import inbox
from mailcounsel.service import work
from mailcounsel.store import models

FROM = b"From: a@b.test\r\nTo: halo@rumah.test\r\n"


def nested(depth, inner=b"x"):
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(depth)
    )
    return FROM + head + b"\r\n" + inner


def subject(words):
    return FROM + b"Subject: " + words + b"\r\n\r\nx"


# Those of the known worst cases of mail parsers, in the sizes in which they stop them.
HAZARDS = {
    "semicolons": FROM + b"Content-Type: text/plain" + b";" * 50_000 + b"\r\n\r\nx",
    "dots in From": b"From: a" + b"." * 50_000 + b"\r\n\r\nx",
    "addresses": b"To: " + b"a@b.test, " * 20_000 + b"\r\n\r\nx",
    "encoded words": subject(b"=?utf-8?q?a?= " * 20_000),
    "words": subject("é ".encode() * 50_000),
    "comments": b"From: " + b"(" * 900 + b")" * 900 + b" a@b.test\r\n\r\nx",
    "multiparts": nested(1_000),
    "fewer multiparts": nested(300),
    "letters in letters": FROM + b"Content-Type: message/rfc822\r\n\r\n" * 1_000,
    "References": FROM + b"References: " + b"<a@b> " * 330_000 + b"\r\n\r\nx",
    "parts": nested(1, b"\r\n--b0\r\n\r\n" * 200_000),
    "headers": b"A: b\r\n" * 100_000 + b"\r\nx",
    "pieces of a name": FROM
    + b"Content-Type: a/b"
    + b"".join(b"; filename*%d=a" % n for n in range(20_000))
    + b"\r\n\r\nx",
    "Message-ID": FROM + b"Message-ID: " + b"<" * 2_000 + b"\r\n\r\nx",
    "newlines": FROM + b"\r\n" + b"\n" * 10_000_000,
}


def good_letter(house, number):
    sender = f"klien{number}@klien{number}.test"
    raw = house.mail(sender, f"Halo, ini surat saya yang ke-{number}. Saya susah tidur.")
    return house.keep(raw, mail_from=sender)


def states(house, ids):
    rows = house.rows(models.Inbox)
    return {row.state for row in rows if row.id in ids}


def heavy_letter(number):
    return FROM + b"\r\n" + b"kata %d biasa\r\n" % number * 50_000


def test_hazards_among_good_letters(house):
    """Every good letter is in a case before any hazard is tried twice, and none is lost."""
    good, hazards = [], []
    for number, raw in enumerate(HAZARDS.values()):
        hazards.append(house.keep(raw, mail_from="mal@jahat.test"))
        good.append(good_letter(house, number))
    while house.place():
        pass  # whatever failed waits for its next try, and the clock stands still
    assert states(house, good) == {"case"}
    for _ in range(inbox.ATTEMPTS):
        house.clock.on(hours=1)
        while house.place():
            pass
    assert states(house, hazards) <= {"case", "quarantine"}
    assert inbox.counts(house.store).lost == 0


def test_a_heap_of_heavy_letters_holds_up_nobody(house):
    """Letters that came after eight heavy ones are placed before any of them is looked at."""
    heavy = [house.keep(heavy_letter(number)) for number in range(8)]
    good = [good_letter(house, number) for number in range(3)]
    assert work.place_letters(house.desk) == len(good)
    assert states(house, good) == {"case"}
    assert states(house, heavy) == {"received"}
    while work.place_heavy_letter(house.desk):
        pass
    assert states(house, heavy) == {"case"}


def failed_once(house, monkeypatch, raw):
    """Keep a letter that was tried and failed, and is due again."""
    kept = house.keep(raw)
    monkeypatch.setattr(work, "_look", lambda *_: 1 / 0)
    assert house.place() == 1
    monkeypatch.undo()
    house.clock.on(hours=1)
    return kept


def watch_apart(monkeypatch):
    """Return, growing, whether `apart` was held while each letter was looked at."""
    held, look = [], work._look

    def watched(desk, received):
        held.append(desk.apart.locked())
        return look(desk, received)

    monkeypatch.setattr(work, "_look", watched)
    return held


@pytest.mark.parametrize("size", ["light", "heavy"])
def test_nothing_is_tried_again_beside_another_letter(house, monkeypatch, size):
    """It may kill the process, and would take the heavy one with it, or be taken by it."""
    raw = heavy_letter(1) if size == "heavy" else FROM + b"\r\nHalo."
    kept, good = failed_once(house, monkeypatch, raw), good_letter(house, 1)
    desk, held = house.desk, watch_apart(monkeypatch)
    with desk.apart:  # as while a heavy letter is in work
        assert work.place_letters(desk) == 1
    assert (states(house, [kept]), states(house, [good])) == ({"received"}, {"case"})
    assert work.place_heavy_letter(desk) == 0
    assert work.place_letters(desk) == 1
    assert states(house, [kept]) == {"case"}
    assert held[-1] is True
    assert not desk.apart.locked()


def test_a_new_heavy_letter_keeps_what_failed_away(house, monkeypatch):
    """While it is looked at, the place of what must be alone is taken."""
    house.keep(heavy_letter(1))
    held = watch_apart(monkeypatch)
    assert work.place_heavy_letter(house.desk) == 1
    assert held == [True]


@pytest.mark.parametrize("size", [10, 600_000])
def test_large_letters_keep_their_order_among_themselves(house, size):
    """Of one size, the oldest comes first."""
    kept = []
    for number in range(3):
        kept.append(house.keep(FROM + b"\r\n" + b"%d" % number * size))
        house.clock.on(seconds=1)
    claim = inbox.claim_heavy if size > inbox.HEAVY else functools.partial(inbox.claim, most=1)
    claimed = []
    while letters := claim(house.store, house.office.keyring, house.clock.now()):
        claimed += [one.inbox_id for one in letters]
    assert claimed == kept
