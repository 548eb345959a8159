"""The outbox at work on both databases: what becomes of letters on good days and bad ones."""

from __future__ import annotations

import logging
import shutil
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from mailcounsel import config, errors
from mailcounsel.casework import cases, consent, letters, parcels, records
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.crypto import sealing
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.outgoing import claim
from mailcounsel.store import models, schema, statements
from mailcounsel.store.engine import Store
from mailcounsel.trust import addressbook, pins, roster
from parts import gpg_homes
from servers import tools

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORDS = "Quokka-words only the client may read."
outgoing = models.table(models.Outgoing)

CONFIG = """
[centre]
name = "Sample Centre"
sender_name = "Letters"
time_zone = "Asia/Jakarta"
languages = ["en"]
[emergency]
en = "Call the sample number."
[smarthost]
host = "127.0.0.1"
tls = "none"
port = {port}
timeout_seconds = 30
{more}
[[inbox]]
address = "help@example.org"
queue = "general"
[inbox.imap]
host = "imap.example.org"
user = "letters"
password_file = "secret"
[[person]]
name = "sari"
roles = ["supervisor", "therapist"]
queues = ["general"]
uid = 1001
[[queue]]
name = "general"
supervisor = "sari"
"""


@pytest.fixture(scope="module")
def people():
    """A centre key, and Ida, who has a key as well."""
    with gpg_homes.world() as made:
        yield made


@dataclass
class House:
    """A centre with one case, and an outbox whose smarthost is the sink."""

    outbox: claim.Outbox
    client: str
    case: Any

    @property
    def store(self):
        return self.outbox.store

    @property
    def keyring(self):
        return self.outbox.office.keyring

    def parcel(self, **more):
        usual = Parcel(
            to_address="ida@example.org",
            from_address="help@example.org",
            from_name="Letters",
            subject="A letter for you",
            text=WORDS,
            message_id=f"{letters.new_token()}@example.org",
            channel=parcels.PLAIN,
            client_id=self.client,
            author="sari",
            statement='{"plain": "They asked for it."}',
        )
        return replace(usual, **more)

    def post(self, parcel=None, *, state="ready", due_at=NOW, expires_at=None):
        parcel = parcel or self.parcel()
        return self.store.write(
            lambda c: letters.post(
                c,
                self.outbox.office,
                self.case,
                parcel,
                kind="reply",
                now=NOW,
                state=state,
                due_at=due_at,
                expires_at=expires_at,
            )
        )

    def pin(self, fingerprint, certificate):
        self.store.write(
            lambda c: pins.meet(
                c,
                self.keyring,
                self.client,
                fingerprint,
                certificate,
                proved=True,
                vouched=True,
                now=NOW,
            )
        )

    def send(self, now=NOW, most=20):
        return claim.send_due(self.outbox, now, most)

    def row(self, outgoing_id):
        query = select(outgoing).where(outgoing.c.id == outgoing_id)
        return self.store.read(lambda c: c.execute(query).mappings().one())

    def change(self, outgoing_id, **values):
        change = update(outgoing).where(outgoing.c.id == outgoing_id).values(**values)
        self.store.write(lambda c: c.execute(change).rowcount)

    def flags(self):
        found = self.store.read(lambda c: records.flags_of(c, [self.case["id"]]))
        return [(flag["kind"], flag["ref"]) for flag in found]


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    """A store's file as it is before the first letter."""
    file = tmp_path_factory.mktemp("empty") / "store.db"
    furnish(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def empty_database(postgres):
    """A database as it is before the first letter."""
    name = postgres.create()
    furnish(postgres.url(name))
    yield name
    postgres.drop(name)


def furnish(url):
    made = Store(url)
    schema.upgrade(made)
    made.close()


@pytest.fixture
def sqlite_url(empty_file, tmp_path):
    shutil.copy(empty_file, tmp_path / "store.db")
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def postgresql_url(empty_database, postgres):
    name = postgres.create(empty_database)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    made = Store(request.getfixturevalue(f"{request.param}_url"))
    yield made
    made.close()


only_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # its triggers are handy


@pytest.fixture
def house(store, sink, people, tmp_path):
    return build(store, people, tmp_path, sink.port)


def build(store, people, folder: Path, port: int, more: str = "") -> House:
    file = folder / "config.toml"
    file.write_text(CONFIG.format(port=port, more=more))
    keyring = ServiceKeyring.create(folder / "keyring.json")
    office = Office(config.load(file), keyring)

    def furnish(connection):
        key = sealing.ReaderKey.new()
        code = roster.invite(connection, keyring, "sari", NOW)
        enrolment = roster.Enrolment(key.public, key.verify_key, b"", b"", b"")
        roster.enrol(connection, keyring, code, enrolment, NOW)
        client = addressbook.add_client(
            connection,
            keyring,
            "ida@example.org",
            language="en",
            time_zone="Asia/Jakarta",
            now=NOW,
        )
        new = cases.NewCase(client, "help@example.org", "general", "en")
        case_id = cases.open_case(connection, office, new, NOW)
        return client, cases.get(connection, case_id)

    client, case = store.write(furnish)
    return House(claim.Outbox(store, office, people.centre), client, case)


# -- good days -----------------------------------------------------------------------------------


def test_a_letter_that_is_due_leaves_once(house, sink):
    """A second look finds nothing to do, and the row has forgotten words and address."""
    name = house.post()
    assert house.send() == 1
    assert house.send() == 0
    [taken] = sink.wait(1)
    assert taken.recipients == ("ida@example.org",)
    assert taken.sender == "help@example.org"
    row = house.row(name)
    assert (row["state"], row["sealed"], row["sent_at"]) == ("sent", None, NOW)


def test_a_held_letter_waits_for_its_moment(house, sink):
    """What can still be undone is not sent; when its time has come, it is."""
    name = house.post(state="held", due_at=NOW + MINUTE)
    assert house.send() == 0
    assert house.send(NOW + MINUTE) == 1
    assert house.row(name)["state"] == "sent"
    assert len(sink.letters) == 1


@pytest.mark.parametrize("state", ["waiting", "undone", "sent", "failed", "uncertain", "bounced"])
def test_a_letter_in_any_other_state_stays(house, sink, state):
    """Only what is ready or held is ever claimed."""
    house.post(state=state)
    assert house.send(NOW + timedelta(days=9)) == 0
    assert sink.letters == []


def test_a_client_with_a_key_is_written_to_encrypted(house, sink, people):
    """The letter that leaves is for that key, and none of its words are readable on the way."""
    house.pin(people.ida, people.ida_certificate)
    house.post(house.parcel(channel=parcels.ENCRYPTED, fingerprint=people.ida))
    house.send()
    [taken] = sink.wait(1)
    assert b"-----BEGIN PGP MESSAGE-----" in taken.content
    assert b"Quokka" not in taken.content
    assert b"A letter for you" not in taken.content


def test_an_automatic_answer_has_no_envelope_sender(house, sink):
    """RFC 3834: nothing can come back for it."""
    house.post(house.parcel(author=None, auto_submitted="auto-replied"))
    house.send()
    assert sink.wait(1)[0].sender == "<>"


def test_many_senders_send_each_letter_once(house, sink):
    """Claims are exclusive: four threads, twelve letters, twelve mails."""
    for _ in range(12):
        house.post()
    threads = [threading.Thread(target=house.send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sink.letters) == 12
    ids = [line for t in sink.letters for line in t.content.splitlines() if b"Message-ID:" in line]
    assert len(set(ids)) == 12


# -- the mail server's bad days ------------------------------------------------------------------


def test_a_passing_fault_means_later(house, sink):
    """4xx: the letter is ready again a minute later, with the codes as reason, and then leaves."""
    sink.reject("451 4.3.0 ida@example.org greylisted", at="RCPT")
    name = house.post()
    house.send()
    row = house.row(name)
    assert (row["state"], row["reason"]) == ("ready", "RCPT: 451 4.3.0")
    assert row["due_at"] == NOW + MINUTE
    assert house.send() == 0
    assert house.send(NOW + MINUTE) == 1
    assert house.row(name)["state"] == "sent"
    assert len(sink.letters) == 1


def test_a_refused_text_may_be_sent_again(house, sink):
    """4xx after the last dot is an answer: not taken, so not uncertain."""
    sink.reject("452 4.2.2 full")
    name = house.post()
    house.send()
    assert house.row(name)["state"] == "ready"
    house.send(NOW + MINUTE)
    assert len(sink.letters) == 1


def test_the_same_message_id_goes_out_each_time(house, sink):
    """It was fixed before the first try, so that a double can be known as one."""
    sink.hang_up_after_data(keep=True)
    parcel = house.parcel()
    name = house.post(parcel)
    house.send()
    house.change(name, state="ready", due_at=NOW)  # a person's decision
    house.send()
    ids = [t.content.count(f"<{parcel.message_id}>".encode()) for t in sink.wait(2)]
    assert ids == [1, 1]


def test_pauses_grow_and_end_after_two_days():
    """1, 5, 15, 60 minutes, then every four hours, and within two days a person is told."""
    pauses = [claim.pause_after(tries) for tries in range(1, 16)]
    minutes = [int(pause / MINUTE) for pause in pauses if pause]
    assert minutes[:5] == [1, 5, 15, 60, 240]
    assert set(minutes[5:]) == {240}
    assert timedelta(hours=44) < sum(minutes) * MINUTE <= timedelta(hours=48)
    assert claim.pause_after(16) is None


def test_after_two_days_a_person_is_told(house, sink):
    """A letter that cannot leave is failed and flagged, its words kept for a decision."""
    sink.reject("421 4.3.2 closed", at="MAIL", times=99)
    name = house.post()
    now, tries = NOW, 0
    while house.row(name)["state"] == "ready":
        now = max(now, house.row(name)["due_at"])
        tries += house.send(now)
    row = house.row(name)
    assert (row["state"], tries) == ("failed", 16)
    assert now - NOW < timedelta(days=2)
    assert row["sealed"] is not None
    assert house.flags() == [("failed", name)]


def test_a_refused_reply_makes_its_case_wait_again(house, sink):
    """Its client has no answer, as if it had bounced; an open danger is raised anew."""
    sink.reject("550 5.1.1 no ida@example.org here", at="RCPT", times=2)
    house.post()
    risks = models.table(models.Risk)
    opened = {"case_id": house.case["id"], "letter_id": "a", "cause": "words", "opened_at": NOW}
    house.send()
    found = house.store.read(lambda c: cases.get(c, house.case["id"]))
    assert (found["waiting_since"], found["priority"]) == (NOW, cases.PRIORITIES.index("high"))
    house.store.write(lambda c: statements.add(c, risks, id="r", **opened))
    house.post()
    house.send()
    raised = house.store.read(lambda c: [row["cause"] for row in statements.every(c, risks, "id")])
    assert sorted(raised) == ["bounced", "words"]


def test_a_refusal_for_good_is_shown_to_a_person(house, sink):
    """5xx: failed at once, flagged, and the next letter is sent."""
    sink.reject("550 5.1.1 no ida@example.org here", at="RCPT")
    refused, fine = house.post(due_at=NOW - MINUTE), house.post()
    assert house.send() == 2
    assert house.row(refused)["state"] == "failed"
    assert house.row(refused)["reason"] == "RCPT: 550 5.1.1"
    assert house.row(fine)["state"] == "sent"
    assert house.flags() == [("failed", refused)]


@pytest.mark.parametrize("keep", [True, False])
def test_a_line_broken_after_the_text_is_shown_to_a_person(house, sink, keep):
    """Uncertain, flagged, and never claimed again by itself."""
    sink.hang_up_after_data(keep=keep)
    name = house.post()
    house.send()
    assert house.row(name)["state"] == "uncertain"
    assert house.flags() == [("uncertain", name)]
    house.change(name, lease_until=0)
    assert house.send(NOW + timedelta(days=30)) == 0
    assert sink.attempts == 1


def test_no_smarthost_loses_nothing(house, sink):
    """With the server down, every letter is still there and ready for later."""
    names = [house.post() for _ in range(3)]
    broken = build_config_with_port(house, tools.free_port())
    assert claim.send_due(broken, NOW, 20) == 3
    assert {house.row(name)["reason"] for name in names} == {"connect: refused"}
    assert {house.row(name)["state"] for name in names} == {"ready"}
    assert house.send(NOW + MINUTE) == 3
    assert len(sink.letters) == 3


def build_config_with_port(house, port):
    old = house.outbox.office.config
    smarthost = old.smarthost.model_copy(update={"port": port})
    office = Office(old.model_copy(update={"smarthost": smarthost}), house.keyring)
    return replace(house.outbox, office=office)


def test_a_missing_password_means_later(store, sink, people, tmp_path):
    """A secret that cannot be read is nobody's letter's fault."""
    more = 'user = "centre"\npassword_env = "MAILCOUNSEL_TEST_NO_SUCH"'
    house = build(store, people, tmp_path, sink.port, more)
    name = house.post()
    house.send()
    assert (house.row(name)["state"], house.row(name)["reason"]) == ("ready", "unavailable")


# -- our own bad days ----------------------------------------------------------------------------


def test_a_sender_that_died_leaves_its_letter_to_a_person(house, sink):
    """Handing over and the lease over: uncertain, shown, never claimed again by itself."""
    name = house.post()
    [row] = house.store.write(lambda c: letters.due(c, NOW, 1))
    house.store.write(lambda c: letters.handing_over(c, name, row["fence"]))
    assert claim.sweep(house.store, NOW) == 0  # it may be alive: its lease is not over
    assert house.send(NOW + timedelta(days=30)) == 0
    house.change(name, lease_until=1)
    assert house.send(NOW + timedelta(days=30)) == 0
    assert claim.sweep(house.store, NOW) == 1
    assert claim.sweep(house.store, NOW) == 0
    assert house.row(name)["state"] == "uncertain"
    assert house.flags() == [("uncertain", name)]
    assert sink.attempts == 0


def test_a_sender_that_died_before_handing_over_is_replaced(house, sink):
    """A claim whose lease is over is free: nothing of that letter had left."""
    name = house.post()
    house.store.write(lambda c: letters.due(c, NOW, 1))
    assert house.send() == 0
    house.change(name, lease_until=1)
    assert house.send() == 1
    assert len(sink.letters) == 1


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        (errors.TransientDeliveryError(), "later", "later"),
        (errors.PermanentDeliveryError(), "failed", "failed"),
        (errors.UncertainDelivery(), "uncertain", "uncertain"),
        (errors.StoreUnavailable(), "later", "uncertain"),
        (errors.DiskFull(), "later", "uncertain"),
        (errors.Unavailable(), "later", "uncertain"),
        (errors.OpenPGPError(), "later", "uncertain"),
        (errors.Conflict(), "lost", "uncertain"),
        (errors.KeyExpired(), "waiting", "uncertain"),
        (errors.BadKey(), "waiting", "uncertain"),
        (errors.SealBroken(), "failed", "uncertain"),
        (errors.OverBudget(), "failed", "uncertain"),
        (errors.Refused(), "failed", "uncertain"),
    ],
)
def test_once_handing_over_only_the_courier_knows(fault, before, after):
    """After that commit, any fault but the courier's own word leaves a letter uncertain."""
    assert claim.judge(fault, sending=False).verdict == before
    assert claim.judge(fault, sending=True).verdict == after


def test_a_claim_that_was_lost_sends_nothing(house, sink):
    """While the server thinks about the recipient, the lease ends and another claims the letter."""
    name = house.post()

    def taken_over():
        house.change(name, lease_until=1)
        house.store.write(lambda c: letters.due(c, NOW, 1))

    sink.handle_RCPT = once_at_rcpt(taken_over)
    assert house.send() == 1
    row = house.row(name)
    assert sink.attempts == 0
    assert (row["state"], row["fence"]) == ("ready", 2)


@only_sqlite
def test_an_answer_that_cannot_be_written_down_is_not_asked_for_again(house, sink):
    """Taken, but the store fails at that moment: uncertain in the end, and never doubled."""
    name = house.post()
    trigger = (
        "CREATE TRIGGER full BEFORE UPDATE ON outgoing WHEN NEW.state = 'sent' "
        "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    house.store.write(lambda c: c.execute(text(trigger)).rowcount)
    with pytest.raises(errors.TryLater):
        house.send()
    assert len(sink.letters) == 1
    assert house.row(name)["state"] == "handing-over"
    house.change(name, lease_until=1)
    assert house.send(NOW + timedelta(days=1)) == 0
    assert claim.sweep(house.store, NOW) == 1
    assert len(sink.letters) == 1


@only_sqlite
def test_no_commit_no_text(house, sink):
    """When *handing over* cannot be written down, nothing leaves, and the letter is tried later."""
    name = house.post()
    trigger = (
        "CREATE TRIGGER full BEFORE UPDATE ON outgoing WHEN NEW.state = 'handing-over' "
        "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    house.store.write(lambda c: c.execute(text(trigger)).rowcount)
    house.send()
    assert sink.attempts == 0
    assert (house.row(name)["state"], house.row(name)["reason"]) == ("ready", "disk-full")


def test_a_damaged_letter_stops_no_other(house, sink):
    """A seal that does not open is failed and shown; the letter behind it leaves."""
    damaged, fine = house.post(due_at=NOW - MINUTE), house.post()
    house.change(damaged, sealed=b"\1" + bytes(60))
    assert house.send() == 2
    assert (house.row(damaged)["state"], house.row(damaged)["reason"]) == ("failed", "seal-broken")
    assert house.row(fine)["state"] == "sent"
    assert house.flags() == [("failed", damaged)]


def test_a_letter_moved_to_another_row_does_not_open(house, sink):
    """A parcel is bound to its row: copied over another's, it is refused, not sent twice."""
    first, second = house.post(), house.post(house.parcel(to_address="otto@example.org"))
    house.change(second, sealed=house.row(first)["sealed"])
    house.send()
    assert house.row(second)["reason"] == "seal-broken"
    assert [t.recipients for t in sink.letters] == [("ida@example.org",)]


def test_a_header_that_would_be_two_is_refused(house, sink):
    """A subject with a line end never leaves; a person is shown the letter at once."""
    name = house.post(house.parcel(subject="Quokka\r\nBcc: spy@evil.test"))
    house.send()
    assert (house.row(name)["state"], house.row(name)["reason"]) == ("failed", "refused")
    assert sink.attempts == 0


def test_a_letter_that_cannot_be_read_is_given_up_after_three_tries(house, sink, caplog):
    """A poisoned letter is tried three times, then shown; no word of it is in reason or log."""
    caplog.set_level(logging.DEBUG)
    name, now = house.post(), NOW
    words = b'{"references": [], "quokka": "quokka@example.org"}'
    sealed = house.keyring.seal("inflight", words, f"outgoing/{name}/sealed")
    house.change(name, sealed=sealed)
    states = []
    for _ in range(3):
        house.send(now)
        states.append(house.row(name)["state"])
        now += timedelta(hours=1)
    assert states == ["ready", "ready", "failed"]
    assert sink.attempts == 0
    assert house.flags() == [("failed", name)]
    own = [r for r in caplog.records if r.name.startswith("mailcounsel")]
    said = house.row(name)["reason"] + "".join(r.getMessage() + str(r.exc_info) for r in own)
    assert "fault-type-error" in said
    assert "quokka" not in said.lower()


def test_a_letter_nobody_wants_any_more_does_not_leave(house, sink):
    """Past its expiry a letter is shown to a person instead."""
    name = house.post(expires_at=NOW)
    house.send()
    assert (house.row(name)["state"], house.row(name)["reason"]) == ("failed", "expired")
    assert sink.attempts == 0


# -- keys ----------------------------------------------------------------------------------------


def test_without_its_key_a_letter_waits(house, sink, people):
    """An encrypted letter whose key is not the client's any more never goes out another way."""
    house.pin(people.max, people.max_certificate)
    name = house.post(house.parcel(channel=parcels.ENCRYPTED, fingerprint=people.ida))
    house.send()
    assert (house.row(name)["state"], house.row(name)["reason"]) == ("waiting", "no-usable-key")
    assert house.flags() == [("waiting", name)]
    assert sink.attempts == 0


def test_with_an_expired_key_a_letter_waits(house, sink, people):
    """An expired key means waiting, with that as the reason, and never clear text."""
    past = ("--faked-system-time", gpg_homes.PAST)
    gpg = gpg_homes.Gpg(people.root / f"late{id(house)}")
    key = gpg.key("Ida Sample <ida@example.org>", expires="1d", options=past)
    house.pin(key, gpg.export(key))
    name = house.post(house.parcel(channel=parcels.ENCRYPTED, fingerprint=key))
    house.send()
    assert (house.row(name)["state"], house.row(name)["reason"]) == ("waiting", "key-expired")
    assert sink.attempts == 0


def test_a_letter_without_a_way_waits(house, sink):
    """No key and no consent: it waits, and a person is shown why."""
    name = house.post(house.parcel(channel=parcels.NONE))
    house.send()
    assert house.row(name)["state"] == "waiting"
    assert sink.attempts == 0


def test_a_letter_without_a_way_takes_the_one_that_came(house, sink):
    """Approved without a way, and by now the client said yes to ordinary mail: it leaves."""
    house.store.write(lambda c: consent.give(c, house.keyring, house.client, "letter", "yes", NOW))
    name = house.post(house.parcel(channel=parcels.NONE))
    house.send()
    assert house.row(name)["state"] == "sent"
    assert WORDS.encode() in sink.wait(1)[0].content


def test_automatic_mail_is_never_weaker_than_the_key_at_hand(house, sink, people):
    """An automatic letter put in clear just before the key was proved goes out encrypted."""
    house.post(house.parcel(author=None, auto_submitted="auto-generated"))
    house.pin(people.ida, people.ida_certificate)
    house.send()
    assert b"BEGIN PGP MESSAGE" in sink.wait(1)[0].content


def test_a_person_may_decide_to_send_plainly(house, sink, people):
    """What a therapist approved in clear goes out as approved, key or not."""
    house.pin(people.ida, people.ida_certificate)
    house.post(house.parcel())
    house.send()
    assert WORDS.encode() in sink.wait(1)[0].content


def test_a_reply_in_clear_by_consent_is_never_weaker_than_a_key_that_came(house, sink, people):
    """Held, or tried again for two days: the yes was to having no key, and nobody decided more."""
    house.store.write(lambda c: consent.give(c, house.keyring, house.client, "letter", "yes", NOW))
    house.post(house.parcel(statement="{}"))
    house.pin(people.ida, people.ida_certificate)
    house.send()
    assert b"BEGIN PGP MESSAGE" in sink.wait(1)[0].content


def test_nothing_leaves_to_an_address_that_is_not_the_clients_any_more(house, sink):
    """Approved or asked for by us: it is given up before the mail server hears of it."""
    parcels_ = [house.parcel(), house.parcel(author=None, auto_submitted="auto-replied")]
    names = [house.post(one) for one in parcels_]
    (row,) = house.store.read(lambda c: addressbook.of_client(c, house.keyring, house.client))
    house.store.write(lambda c: addressbook.forget_address(c, house.keyring, row["id"]))
    house.send()
    assert {house.row(one)["reason"] for one in names} == {"address-gone"}
    assert {house.row(one)["state"] for one in names} == {"failed"}
    assert {("failed", one) for one in names} <= set(house.flags())
    assert sink.attempts == 0


def test_a_note_to_the_centres_own_people_leaves(house, sink):
    """A letter without a client or case is sent as it is."""
    house.post(house.parcel(client_id=None, author=None, auto_submitted="auto-generated"))
    assert house.send() == 1
    assert len(sink.letters) == 1


def test_nothing_said_while_sending_holds_words_or_addresses(house, sink, people, caplog):
    """The log of a good and a bad delivery has opaque ids and codes only."""
    caplog.set_level(logging.DEBUG)
    sink.reject("550 5.1.1 ida@example.org: A letter for you", at="RCPT")
    house.pin(people.ida, people.ida_certificate)
    for _ in range(2):
        house.post(house.parcel(channel=parcels.ENCRYPTED, fingerprint=people.ida))
    house.send()
    own = [r for r in caplog.records if r.name.startswith(("mailcounsel", "gnupg"))]
    said = "".join(r.getMessage() for r in own).lower()
    assert own
    for telling in ("quokka", "ida", "example.org", "letter for you", "-----begin"):
        assert telling not in said.replace("invalid", "")


def once_at_rcpt(event):
    """Return a handler that lets something happen while a recipient is considered, once."""
    happened: list[bool] = []

    async def handle_RCPT(server, session, envelope, address, options):
        if not happened:
            happened.append(True)
            event()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    return handle_RCPT
