"""The inbox: what is kept, what is one letter, who works on it, and what becomes of failures."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from mailcounsel import errors
from mailcounsel.intake import inbox, ledger, slices

LETTER = (
    b"Received: from relay.test by border.test; Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    b"Message-ID: <one@client.test>\r\n"
    b"Date: Sun, 22 Nov 2026 08:59:00 +0000\r\n"
    b"From: Embun <embun@client.test>\r\n"
    b"To: letters@example.org\r\n"
    b"Subject: Halo\r\n"
    b"\r\n"
    b"Saya ingin bercerita.\r\n"
    b"\r\n"
    b"Embun\r\n"
)
ENVELOPE = inbox.Envelope("smtp", "embun@client.test", ("letters@example.org",))


@pytest.fixture
def keep(store, keyring, clock):
    def keep(raw=LETTER, sighted=None, envelope=ENVELOPE, **options):
        sighted = sighted or inbox.handed_over()
        future = inbox.keep(store, keyring, raw, envelope, sighted, clock.now(), **options)
        return future.result()

    return keep


@pytest.fixture
def claim(store, keyring, clock):
    def claim(**options):
        return inbox.claim(store, keyring, clock.now(), **options)

    return claim


def at(uid, folder="INBOX", uidvalidity=7, account="ab12"):
    return inbox.Sighted(account, folder, uidvalidity, str(uid))


def row_of(store, inbox_id):
    query = select(inbox.inboxes).where(inbox.inboxes.c.id == inbox_id)
    return store.read(lambda connection: connection.execute(query).mappings().one())


def settle(store, received, state="case", **facts):
    return store.write(lambda connection: inbox.settle(connection, received, state, **facts))


def end_lease(store, received):
    """Let the lease of a claim run out, as if its process had died long ago."""
    here = update(inbox.inboxes).where(inbox.inboxes.c.id == received.inbox_id)
    store.write(lambda connection: connection.execute(here.values(lease_until=1)).rowcount)


# -- keeping --------------------------------------------------------------------------------------


def test_what_is_kept_comes_back_whole(keep, claim, clock):
    """A letter is handed out byte for byte as it came, with its envelope."""
    raw = LETTER + bytes(range(256)) * 50
    kept = keep(raw)
    (received,) = claim()
    assert kept == inbox.Kept(received.inbox_id, is_new=True)
    assert received.raw == raw
    assert received.envelope == ENVELOPE
    assert received.attempts == 1
    assert received.received_at == clock.now()


def test_nothing_readable_is_written(keep, store):
    """Neither the letter nor its envelope can be read in the row."""
    row = row_of(store, keep().inbox_id)
    written = b" ".join(value for value in row.values() if isinstance(value, bytes))
    for word in (b"embun", b"Embun", b"bercerita", b"Halo", b"letters@"):
        assert word not in written


def test_the_null_sender_and_the_unknown_one_stay_apart(keep, claim):
    """A bounce's empty sender is not taken for a sender nobody knows, nor the other way round."""
    keep(b"a", envelope=inbox.Envelope("smtp", "", ("a@example.org",)))
    keep(b"b", envelope=inbox.Envelope("imap", None, ("a@example.org",), suspect=True))
    found = {received.raw: received.envelope for received in claim()}
    assert found[b"a"].mail_from == ""
    assert found[b"b"].mail_from is None
    assert found[b"b"].suspect


def test_the_same_sighting_twice_is_one(keep, store):
    """A letter fetched again from the same place gives the same row and no second line."""
    first, again = keep(sighted=at(1)), keep(sighted=at(1))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.inbox_id == again.inbox_id
    assert inbox.counts(store) == inbox.Counts(1, {"received": 1}, 0)


def test_the_same_sighting_without_a_message_id_is_one(keep, store):
    """Even a letter that shows nothing it could be known by is not doubled by a second fetch."""
    keep(b"Subject: x\r\n\r\nx", at(1))
    keep(b"Subject: x\r\n\r\nx", at(1))
    assert inbox.counts(store) == inbox.Counts(1, {"received": 1}, 0)


def test_a_letter_that_comes_both_ways_is_one(keep, store):
    """SMTP and IMAP copies differ in trace headers, folding and line ends; they are one letter."""
    by_smtp = keep()
    other = (
        b"Return-Path: <embun@client.test>\nDelivered-To: letters@example.org\n"
        + LETTER.replace(b"\r\n", b"\n").replace(b"Embun <", b"Embun\n <").rstrip()
    )
    by_imap = keep(other.replace(b"bercerita.", b"bercerita. \t"), at(3))
    assert by_imap == inbox.Kept(by_smtp.inbox_id, is_new=False)
    assert inbox.counts(store) == inbox.Counts(2, {"received": 1}, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"bercerita", b"bercanda"),
        (b"<one@client.test>", b"<two@client.test>"),
        (b"Subject: Halo", b"Subject: Halo lagi"),
        (b"embun@client", b"kabut@client"),
        (b"08:59:00", b"08:59:01"),
    ],
)
def test_a_letter_that_differs_is_another(keep, old, new):
    """A reused Message-ID hides nothing: id and content have to agree."""
    keep()
    assert keep(LETTER.replace(old, new)).is_new


def test_letters_without_id_and_date_are_never_joined(keep):
    """Two letters that say nothing about themselves may be two letters."""
    assert keep(b"From: a@client.test\r\n\r\nHalo").is_new
    assert keep(b"From: a@client.test\r\n\r\nHalo").is_new


def test_a_renumbered_mailbox_doubles_nothing(keep, store):
    """Another UIDVALIDITY is another sighting of the same letter."""
    first = keep(sighted=at(1, uidvalidity=7))
    assert keep(sighted=at(1, uidvalidity=8)) == inbox.Kept(first.inbox_id, is_new=False)
    other = keep(LETTER.replace(b"one@", b"two@"), at(1, uidvalidity=9))
    assert other.is_new
    assert inbox.counts(store) == inbox.Counts(3, {"received": 2}, 0)


def test_many_at_once_become_one(keep, store):
    """The same letter from eight threads at once, by ways of their own, is one row."""
    sighted = [at(number % 2, folder=f"f{number // 4}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda place: keep(sighted=place), sighted))
    assert len({one.inbox_id for one in kept}) == 1
    assert [one.is_new for one in kept].count(True) == 1
    assert inbox.counts(store) == inbox.Counts(4, {"received": 1}, 0)


def test_one_sighting_by_two_processes_is_one(keep, store):
    """Two processes that fetch the same nameless letter at the same moment make one row."""
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: keep(b"\r\nx", at(1)), range(8)))
    assert len({one.inbox_id for one in kept}) == 1
    assert inbox.counts(store) == inbox.Counts(1, {"received": 1}, 0)


def test_too_large_goes_to_quarantine_at_once(keep, claim, store):
    """A letter beyond the limit is kept and shown to a person, and nobody works on it."""
    kept = keep(too_large=True)
    assert claim() == []
    (waiting,) = inbox.quarantined(store)
    assert (waiting.inbox_id, waiting.reason) == (kept.inbox_id, "too-large")


# -- working --------------------------------------------------------------------------------------


def test_no_letter_is_handed_out_twice(keep, claim):
    """While a claim stands, nobody else gets the letter."""
    for number in range(5):
        keep(b"%d" % number)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: claim(most=2), range(4)))
    ids = [received.inbox_id for batch in claimed for received in batch]
    assert len(ids) == len(set(ids)) == 5


def test_oldest_first(keep, claim, clock):
    """Letters are worked on in the order they came."""
    ids = []
    for number in range(4):
        ids.append(keep(b"%d" % number).inbox_id)
        clock.on(seconds=1)
    assert [received.inbox_id for received in claim(most=3)] == ids[:3]


def test_a_lost_claim_is_claimed_again_and_the_late_worker_changes_nothing(keep, claim, store):
    """Once a lease has run out the letter is another's, and the fence keeps the first away."""
    keep()
    (first,) = claim()
    end_lease(store, first)
    (second,) = claim()
    assert second.fence > first.fence
    assert not settle(store, first)
    assert settle(store, second, letter_id="l1", case_id="c1")
    row = row_of(store, second.inbox_id)
    assert (row["state"], row["letter_id"], row["case_id"]) == ("case", "l1", "c1")


def test_a_settled_letter_is_no_longer_in_flight(keep, claim, store):
    """Once placed, discarded or known as our own, the inbox holds nothing of a letter."""
    keep()
    (received,) = claim()
    assert settle(store, received, "discarded", reason="empty")
    row = row_of(store, received.inbox_id)
    assert (row["raw"], row["sealed_envelope"], row["reason"]) == (None, b"", "empty")
    assert claim() == []


def test_three_failures_mean_quarantine(keep, claim, store, clock):
    """After a minute, then five minutes, then never again by itself; the raw letter stays."""
    keep()
    for wait in (59, 1), (299, 1):
        (received,) = claim()
        assert inbox.failed(store, received, "parse", clock.now())
        clock.on(seconds=wait[0])
        assert claim() == []
        clock.on(seconds=wait[1])
    (received,) = claim()
    assert received.attempts == 3
    assert inbox.failed(store, received, "parse", clock.now())
    clock.on(days=30)
    assert claim() == []
    (waiting,) = inbox.quarantined(store)
    assert (waiting.reason, waiting.attempts) == ("parse", 3)
    assert row_of(store, waiting.inbox_id)["raw"]


def test_a_letter_that_kills_the_process_is_quarantined(keep, claim, store):
    """A letter nobody lived to report on is claimed three times, then shown to a person."""
    keep(b"poison")
    keep(b"good")
    for attempt in (1, 2, 3):
        claimed = {received.raw: received for received in claim()}
        assert claimed[b"poison"].attempts == attempt
        if b"good" in claimed:
            assert settle(store, claimed[b"good"])
        end_lease(store, claimed[b"poison"])
    assert claim() == []
    assert [waiting.reason for waiting in inbox.quarantined(store)] == ["killed"]
    assert inbox.counts(store) == inbox.Counts(2, {"case": 1, "quarantine": 1}, 0)


def test_a_letter_that_kills_the_process_takes_nobody_with_it(keep, claim, store):
    """However often it kills, letters claimed beside it the first time are placed."""
    for raw in (b"poison", b"one", b"two", b"three"):
        keep(raw)
    for _ in range(10):
        claimed = {received.raw: received for received in claim()}
        if b"poison" in claimed:
            inbox.free_leases(store)  # the process died before it reported on any of them
        for received in claimed.values() if b"poison" not in claimed else ():
            assert settle(store, received)
    assert inbox.counts(store).letters == {"case": 3, "quarantine": 1}


def test_large_letters_are_claimed_few_at_a_time(keep, claim, store, keyring, clock):
    """However many lie there, memory holds a few large letters, and one that is larger yet."""
    for number in range(6):
        keep(bytes([65 + number]) * 400_000)
    keep(b"Y" * 600_000)
    keep(b"Z" * 5_000_000)
    assert [len(claim(most=16)) for _ in range(3)] == [3, 3, 0]
    heavy = [inbox.claim_heavy(store, keyring, clock.now()) for _ in range(3)]
    assert [[len(one.raw) for one in letters] for letters in heavy] == [[600_000], [5_000_000], []]


def test_our_own_faults_do_not_count(keep, claim, store, clock):
    """A letter put back ten times because gpg is missing is still at its first attempt."""
    keep()
    for _ in range(10):
        (received,) = claim()
        assert received.attempts == 1
        assert inbox.postponed(store, received, clock.now())
        assert claim() == []
        clock.on(seconds=30)


def test_a_letter_that_does_not_open_stops_no_other(keep, claim, store):
    """A row damaged or moved is a failure of that row alone."""
    bad, good = keep(b"bad"), keep(b"good")
    here = update(inbox.inboxes).where(inbox.inboxes.c.id == bad.inbox_id)
    moved = row_of(store, good.inbox_id)["raw"]
    store.write(lambda connection: connection.execute(here.values(raw=moved)).rowcount)
    assert [received.inbox_id for received in claim()] == [good.inbox_id]
    row = row_of(store, bad.inbox_id)
    assert (row["state"], row["reason"], row["attempts"]) == ("received", "seal-broken", 1)


def test_retry_starts_afresh(keep, claim, store, clock):
    """A letter taken out of quarantine has three attempts again."""
    keep(too_large=True)
    (waiting,) = inbox.quarantined(store)
    inbox.retry(store, waiting.inbox_id, clock.now())
    (received,) = claim()
    assert (received.attempts, received.raw) == (1, LETTER)
    with pytest.raises(errors.Conflict):
        inbox.retry(store, waiting.inbox_id, clock.now())
    with pytest.raises(errors.NotFound):
        inbox.retry(store, "nothing", clock.now())


def test_a_restart_frees_what_the_dead_process_held(keep, claim, store):
    """On a store of one process, nothing waits for the lease of a process that was killed."""
    keep()
    (dead,) = claim()
    fence = ledger.hold(store, "ab12", "dead") or 0
    inbox.free_leases(store)
    (alive,) = claim()
    assert alive.fence > dead.fence
    assert not settle(store, dead)
    assert ledger.hold(store, "ab12", "alive") is not None
    assert not ledger.renew(store, "ab12", fence)


# -- the ledger -----------------------------------------------------------------------------------


def test_an_account_has_one_keeper(store):
    """Of many workers one gets the account; when it lets go, the next one does."""
    with ThreadPoolExecutor(4) as pool:
        fences = list(pool.map(lambda n: ledger.hold(store, "ab12", f"w{n}"), range(4)))
    (fence,) = [fence for fence in fences if fence is not None]
    assert ledger.renew(store, "ab12", fence, problem="unreachable")
    assert [report.problem for report in ledger.reports(store)] == ["unreachable"]
    ledger.release(store, "ab12", fence)
    taken = ledger.hold(store, "ab12", "another")
    assert taken is not None
    assert not ledger.renew(store, "ab12", fence)


def test_the_account_is_named_by_a_keyed_hash(keyring):
    """The store does not tell whose mailbox is read."""
    name = ledger.account_of(keyring, "letters@example.org", "IMAP.example.org")
    assert name == ledger.account_of(keyring, "letters@example.org", "imap.example.org")
    assert name != ledger.account_of(keyring, "other@example.org", "imap.example.org")
    assert len(bytes.fromhex(name)) == 32


def test_only_settled_letters_seen_long_ago_are_ripe(keep, claim, store, clock):
    """The mailbox is touched for no letter that is not safe in its last state."""
    folder = ledger.Folder("ab12", "INBOX", 7)
    for uid in (1, 2, 3):
        keep(b"%d" % uid, at(uid))
    keep(b"another folder", at(1, folder="Junk"))
    for received in claim(most=9):
        if received.raw == b"1":
            assert settle(store, received)
        if received.raw == b"2":
            assert settle(store, received, "quarantine", reason="person")
    assert ledger.seen(store, folder) == {1, 2, 3}
    assert ledger.ripe(store, folder, clock.now(), 10) == [1]
    later = clock.on(seconds=1)
    keep(b"1", at(9))
    assert ledger.ripe(store, folder, later, 0) == []
    ledger.note(store, folder, [1], "moved")
    assert ledger.ripe(store, folder, later, 10) == []


# -- slices ---------------------------------------------------------------------------------------

HOSTILE = {
    "one long header": b"Subject: " + b"a" * 1_000_000 + b"\n\n",
    "blanks in the body": LETTER + b" " * 1_000_000 + b"x",
    "blanks and tabs": LETTER + b" \t" * 500_000 + b"x\n" * 20_000,
    "line ends alone": b"\r\n" * 500_000,
    "returns alone": b"\r" * 1_000_000,
    "headers without end": b"Message-ID: a\n" * 70_000,
    "folding without end": b"Message-ID: a" + b"\n " * 500_000,
    "blanks before the colon": b"Date" + b" " * 1_000_000 + b"x",
    "addresses": b"To: " + b"a@" * 500_000,
    "address words": b"To: " + b"<a@b.test>, " * 80_000,
    "random": random.Random(1).randbytes(1_000_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_slicing_takes_time_in_proportion(name):
    """Ten times the letter takes about ten times as long, whatever is in it."""

    def seconds(raw):
        best = 9e9
        for _ in range(3):
            start = time.thread_time()
            slices.identity(raw)
            head, _ = slices.halves(raw)
            slices.recipients(head, "Delivered-To", lambda _: False, "a@example.org")
            best = min(best, time.thread_time() - start)
        return best

    raw = HOSTILE[name]
    small, large = seconds(raw[: len(raw) // 10]), seconds(raw)
    assert large < 40 * small + 0.2


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"Delivered-To: letters+tag@example.org\nTo: x@client.test", "letters+tag@example.org"),
        (b"delivered-to:\n letters@EXAMPLE.org", "letters@EXAMPLE.org"),
        (
            b"Delivered-To: local\nCc: L <a@client.test>,\n\t<youth@example.org>",
            "youth@example.org",
        ),
        (b"To: undisclosed-recipients:;", "letters@example.org"),
        (b"", "letters@example.org"),
        (b"To: a@@example.org, @, youth@example.org", "youth@example.org"),
    ],
)
def test_whom_a_letter_in_a_mailbox_was_for(head, expected):
    """The provider's header counts first, then our own addresses in To and Cc, then the inbox."""

    def ours(address):
        return address.lower().endswith("@example.org")

    assert slices.recipients(head, "Delivered-To", ours, "letters@example.org") == (expected,)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            b"Return-Path: <embun@client.test>\nReturn-Path: <forged@client.test>",
            "embun@client.test",
        ),
        (b"Return-Path: <>", ""),
        (b"From: embun@client.test", None),
    ],
)
def test_the_envelope_sender_is_what_the_last_server_wrote(head, expected):
    """The topmost Return-Path counts; an empty one is a bounce, none at all is unknown."""
    assert slices.return_path(head) == expected


def test_a_full_disk_is_told_and_nothing_is_kept(keyring, clock, tmp_path):
    """The future says DiskFull, and once there is room again the same letter is kept."""
    from mailcounsel.store import schema
    from mailcounsel.store.engine import Store

    store = Store(f"sqlite:///{tmp_path / 'small.db'}")
    schema.upgrade(store)
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
    raw = LETTER + random.Random(2).randbytes(200_000)

    def keep():
        return inbox.keep(store, keyring, raw, ENVELOPE, at(1), clock.now()).result()

    with pytest.raises(errors.DiskFull):
        keep()
    assert inbox.counts(store) == inbox.Counts(0, {}, 0)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert keep().is_new
    store.close()
