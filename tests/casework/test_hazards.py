"""Letters made to stop a reader, among letters of people: these are placed, and wait for none.

Nothing here looks at a clock that runs: what is asked for is the order. Seconds and memory are
measured by the benchmark `hazards`.
"""

from __future__ import annotations

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


def test_hazards_among_good_letters(house):
    """Every good letter is in a case before any hazard is tried twice, and none is lost."""
    good, hazards = [], []
    for number, raw in enumerate(HAZARDS.values()):
        hazards.append(house.keep(raw, mail_from="mal@jahat.test"))
        good.append(good_letter(house, number))
    while work.place_letters(house.desk):
        pass  # whatever failed waits for its next try, and the clock stands still
    assert states(house, good) == {"case"}
    for _ in range(inbox.ATTEMPTS):
        house.clock.on(hours=1)
        while work.place_letters(house.desk):
            pass
    assert states(house, hazards) <= {"case", "quarantine"}
    assert inbox.counts(house.store).lost == 0


def test_a_heap_of_large_letters_holds_up_nobody(house):
    """Letters that came after eight large ones are placed with the first of them, not behind."""
    large = [
        house.keep(FROM + b"\r\n" + b"kata %d biasa\r\n" % number * 50_000) for number in range(8)
    ]
    good = [good_letter(house, number) for number in range(3)]
    assert work.place_letters(house.desk) == len(good) + 1
    assert states(house, good) == {"case"}
    assert states(house, large[1:]) == {"received"}
    while work.place_letters(house.desk):
        pass
    assert states(house, large) == {"case"}


def test_a_small_letter_is_settled_before_a_large_one_is_looked_at(house, monkeypatch):
    """Even within one go the small ones are recorded first."""
    seen = []
    original = work.place_together

    def watched(desk, letters):
        seen.append([len(one.raw) > inbox.HEAVY for one in letters])
        original(desk, letters)

    monkeypatch.setattr(work, "place_together", watched)
    house.keep(FROM + b"\r\n" + b"kata biasa\r\n" * 60_000)
    good_letter(house, 1)
    work.place_letters(house.desk)
    if house.store.is_sqlite:  # on PostgreSQL each letter is placed by itself, side by side
        assert [one for one in seen if one] == [[False], [True]]


@pytest.mark.parametrize("size", [10, 600_000])
def test_large_letters_keep_their_order_among_themselves(house, size):
    """Of one size, the oldest comes first."""
    kept = []
    for number in range(3):
        kept.append(house.keep(FROM + b"\r\n" + b"%d" % number * size))
        house.clock.on(seconds=1)
    claimed = []
    while letters := inbox.claim(house.store, house.office.keyring, house.clock.now(), 1):
        claimed += [one.inbox_id for one in letters]
    assert claimed == kept


def test_a_large_letter_waits_for_all_the_small_ones(house):
    """While more small letters wait than one go takes, no large one is looked at."""
    large = house.keep(FROM + b"\r\n" + b"kata biasa\r\n" * 60_000)
    good = [good_letter(house, number) for number in range(2 * work.TOGETHER)]
    while "received" in states(house, good):
        work.place_letters(house.desk)
    assert states(house, good) == {"case"}
    assert states(house, [large]) == {"received"}
    work.place_letters(house.desk)
    assert states(house, [large]) == {"case"}
