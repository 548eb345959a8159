"""The store under real faults: full disk, locks, deadlocks, and many hands at once."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import exc, select, text, update
from sqlmodel import SQLModel

from mailcounsel import errors
from mailcounsel.store import models, schema, statements
from mailcounsel.store.columns import database_now
from mailcounsel.store.engine import Store
from servers import tools

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
counters = models.table(models.Counter)
inboxes = models.table(models.Inbox)
clients = models.table(models.Client)
addresses = models.table(models.Address)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def open_store(url):
    """`open_store()`: one more store on the same database, closed afterwards."""
    opened = []

    def make(address=url):
        opened.append(Store(address))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store):
    store = open_store()
    schema.upgrade(store)
    return store


@pytest.fixture
def sqlite_store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    schema.upgrade(store)
    yield store
    store.close()


def add(name, value=0):
    return lambda c: statements.add(c, counters, name=name, value=value)


def names(store):
    return store.read(lambda c: list(c.execute(select(counters.c.name)).scalars()))


def post(store, name, due_at=NOW):
    values = {"id": name, "received_at": NOW, "due_at": due_at, "sealed_envelope": b"", "raw": b""}
    usual = {"state": "received", "reason": "", "attempts": 0, "lease_until": 0, "fence": 0}
    store.write(lambda c: statements.add(c, inboxes, **usual, **values))


def claim(store, most=10, lease_seconds=60):
    queue = statements.Queue(inboxes, inboxes.c.state == "received")
    return store.write(lambda c: queue.claim(c, NOW, most=most, lease_seconds=lease_seconds))


# -- one job, whole or not at all -----------------------------------------------------------------


def test_a_failing_job_leaves_nothing(store):
    """What it wrote before it failed is gone, and the fault is the caller's."""

    def job(connection):
        add("half")(connection)
        raise errors.NotFound

    with pytest.raises(errors.NotFound):
        store.write(job)
    assert names(store) == []


def test_a_uniqueness_rule_is_a_conflict_that_tells_no_values(store):
    """Our error, the library's as its cause, and no parameter in any of their texts."""
    store.write(add("quokka"))
    with pytest.raises(errors.Conflict) as fault:
        store.write(add("quokka", 4711))
    assert fault.value.__cause__ is not None
    assert "4711" not in str(fault.value) + str(fault.value.__cause__)


def test_a_reading_job_cannot_write(store):
    """`read` has no right to."""
    with pytest.raises(errors.StoreUnavailable):
        store.read(add("sneaked in"))
    assert names(store) == []


def test_a_reading_job_sees_one_state(store, open_store):
    """What another writes meanwhile is not seen by halves."""
    other = open_store()

    def job(connection):
        count = text("SELECT count(*) FROM counter")
        before = connection.execute(count).scalar_one()
        other.write(add("meanwhile"))
        return before, connection.execute(count).scalar_one()

    assert store.read(job) == (0, 0)
    assert names(store) == ["meanwhile"]


def test_moments_come_back_as_they_went_in(store):
    """Aware, in UTC, to the microsecond; a naive one is refused."""
    east = datetime(2026, 11, 22, 16, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    post(store, "a", due_at=east)
    found = store.read(lambda c: c.execute(select(inboxes.c.due_at)).scalar_one())
    assert (found, found.tzinfo) == (east, UTC)
    with pytest.raises(errors.MailcounselError):
        post(store, "b", due_at=datetime(2026, 11, 22))


# -- statements made ready once -------------------------------------------------------------------


def add_client(connection):
    values = {"language": "id", "time_zone": "Asia/Jakarta", "created_at": NOW}
    statements.add(connection, clients, **values)


def test_a_statement_made_ready_gives_what_the_library_gives(store):
    """Moments, truth values, bytes and NULLs: the same values of the same types."""
    store.write(add_client)
    client_id = store.read(lambda c: c.execute(select(clients.c.id)).scalar_one())
    sealed = {"lookup": b"\x00\xff", "sealed": b"", "mac": b"m"}
    row = {"id": "a", "client_id": client_id, "created_at": NOW, "written_to": True, **sealed}
    store.write(lambda c: statements.add(c, addresses, **row))
    post(store, "b")
    for rows, name in ((addresses, "a"), (inboxes, "b")):
        ready, plain = store.read(
            lambda c, rows=rows, name=name: (
                statements.row(c, rows, name),
                c.execute(select(rows)).mappings().one(),
            )
        )
        assert dict(ready) == dict(plain)
        assert [type(value) for value in ready.values()] == [type(v) for v in plain.values()]
    assert store.read(lambda c: statements.one(c, addresses, id="a", written_to=False)) is None
    assert store.read(lambda c: len(statements.every(c, inboxes, "id", case_id=None))) == 1


def test_columns_nobody_names_start_as_the_model_says(store):
    """A fresh id for each row, and the usual state."""
    store.write(lambda c: (add_client(c), add_client(c)))
    first, second = store.read(lambda c: statements.every(c, clients, checkins="on"))
    assert first["id"] != second["id"]
    assert [len(row["id"]) for row in (first, second)] == [24, 24]


def test_an_error_of_the_driver_is_the_librarys_to_a_job(store):
    """So that whoever calls need not know which way a statement went."""
    store.write(add("twice"))

    def job(connection):
        with pytest.raises(exc.IntegrityError):
            add("twice")(connection)
        raise errors.NotFound

    with pytest.raises(errors.NotFound):
        store.write(job)


# -- letters that come together -------------------------------------------------------------------


def test_jobs_that_come_together_share_one_commit(sqlite_store):
    """Twenty jobs behind a slow one: one COMMIT for them all, and one that fails is alone."""
    said: list[str] = []
    gate = threading.Event()

    def job(connection):
        connection.connection.driver_connection.set_trace_callback(said.append)
        gate.wait(60)

    slow = sqlite_store.submit(job)
    futures = [sqlite_store.submit(add(f"n{number % 19}")) for number in range(20)]
    gate.set()
    slow.result()
    faults = [future.exception() for future in futures]
    assert [type(fault) for fault in faults if fault] == [errors.Conflict]
    assert len(names(sqlite_store)) == 19
    assert 1 <= said.count("COMMIT") <= 2


def test_a_job_that_was_given_up_does_not_end_the_writer(sqlite_store):
    """An SMTP client hangs up while its letter waits: the next letter is written all the same."""
    gate = threading.Event()
    slow = sqlite_store.submit(lambda c: gate.wait(60))
    given_up = sqlite_store.submit(add("given up"))
    assert given_up.cancel()
    gate.set()
    slow.result(60)
    sqlite_store.submit(add("after")).result(60)
    assert names(sqlite_store) == ["after"]


def test_a_job_at_work_cannot_be_given_up(sqlite_store):
    """Once begun it is finished, whoever waits for it."""
    begun, gate = threading.Event(), threading.Event()

    def job(connection):
        begun.set()
        gate.wait(60)
        add("done")(connection)

    async def hang_up():
        waiting = asyncio.wrap_future(sqlite_store.submit(job))
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()
        gate.set()

    asyncio.run(hang_up())
    sqlite_store.submit(add("after")).result(60)
    assert sorted(names(sqlite_store)) == ["after", "done"]


def test_closing_finishes_what_waits(tmp_path):
    """What was submitted before the end is written before the end."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store(url)
    schema.upgrade(store)
    futures = [store.submit(add(f"n{number}")) for number in range(200)]
    store.close()
    assert all(future.exception(0) is None for future in futures)


# -- faults of the machine -----------------------------------------------------------------------

FULL = """
import json, sys
from mailcounsel import errors
from mailcounsel.store import models, schema, statements
from mailcounsel.store.engine import Store
counters = models.table(models.Counter)
store = Store(sys.argv[1])
done, faults = [], []
for number in range(120):
    row = {"name": f"n{number}", "value": number}
    try:
        store.write(lambda c: statements.add(c, counters, **row))
        done.append(number)
    except errors.MailcounselError as fault:
        faults.append(type(fault).__name__)
kept = store.read(lambda c: [row.value for row in c.execute(counters.select())])
store.close()
print(json.dumps({"done": done, "kept": kept, "faults": faults}))
"""


def test_a_full_disk_is_said_and_survived(sqlite_store, tmp_path):
    """ENOSPC from the kernel for a while: each write says so, nothing is lost, then it goes on."""
    sqlite_store.close()
    inject = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=60..90"]
    quiet = ["-f", "-o", str(tmp_path / "trace")]
    command = [tools.need("strace"), *quiet, *inject, sys.executable, "-c", FULL]
    ran = subprocess.run(
        [*command, str(sqlite_store.url)], capture_output=True, check=False, timeout=300
    )
    if b"PTRACE" in ran.stderr or b"ptrace" in ran.stderr:
        tools.absent("strace may not watch a process here")
    told = json.loads(ran.stdout)
    assert set(told["faults"]) == {"DiskFull"}
    assert told["kept"] == told["done"]
    assert told["done"][-1] == 119
    with sqlite3.connect(tmp_path / "store.db") as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


LOCK = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_store_locked_by_another_process_is_away_for_now(sqlite_store, tmp_path):
    """After the patience of the database: try later; and then it works again."""
    command = [sys.executable, "-c", LOCK, str(tmp_path / "store.db")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(errors.StoreUnavailable) as fault:
            sqlite_store.write(add("a"))
        other.stdin.close()
    assert fault.value.__cause__ is not None
    assert fault.value.exit_code == 75
    sqlite_store.write(add("b"))
    assert names(sqlite_store) == ["b"]


def test_a_damaged_file_is_away_not_a_crash(tmp_path):
    """Every job says so and none hangs; trying again is no use, so it is not a passing fault."""
    (tmp_path / "store.db").write_bytes(b"not a database" * 1000)
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    for _ in range(2):
        with pytest.raises(errors.Unavailable, match="damaged"):
            store.write(add("a"))
    with pytest.raises(errors.Unavailable, match="damaged"):
        store.read(lambda c: c.execute(select(counters)).all())
    store.close()


def test_a_database_that_went_away_comes_back(postgres):
    """Connections cut by the server: one sentence, or a new connection; then all is well."""
    name = postgres.create()
    store = Store(postgres.url(name))
    schema.upgrade(store)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )
    tools.until(lambda: _written(store), "the store to come back")
    store.close()
    postgres.drop(name)


def _written(store):
    try:
        store.write(add("a"))
    except errors.StoreUnavailable:
        return False
    return True


def test_the_file_is_its_owners_alone(sqlite_store, tmp_path):
    """Whatever the umask says."""
    assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o600
    pragmas = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    for name, value in pragmas.items():
        found = sqlite_store.write(lambda c, n=name: c.exec_driver_sql(f"PRAGMA {n}").scalar_one())
        assert found == value, name


# -- many hands ----------------------------------------------------------------------------------


def test_a_deadlock_is_run_again(postgres_url):
    """Two transactions that wait for each other: PostgreSQL ends one, and it is run again."""
    store = Store(postgres_url)
    schema.upgrade(store)
    for name in "ab":
        store.write(add(name))
    both = threading.Barrier(2)

    def cross(first, second):
        tries = []

        def job(connection):
            tries.append(1)
            for step, name in enumerate((first, second)):
                one = update(counters).where(counters.c.name == name)
                connection.execute(one.values(value=counters.c.value + 1))
                if step == 0 and len(tries) == 1:
                    both.wait(60)

        store.write(job)
        return len(tries)

    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(cross, "ab", "ba"))
    assert max(tried) > 1  # a slow machine may see them meet more than once
    values = store.read(lambda c: list(c.execute(select(counters.c.value)).scalars()))
    store.close()
    assert values == [2, 2]


def test_numbers_are_handed_out_once(store, open_store):
    """Eight hands on two stores: no number twice, and none left out."""
    stores = [store, open_store() if not store.is_sqlite else store]

    def take(hand):
        mine = stores[hand % 2]
        return [mine.write(lambda c: statements.next_number(c, "case")) for _ in range(6)]

    with ThreadPoolExecutor(8) as pool:
        taken = [number for some in pool.map(take, range(8)) for number in some]
    assert sorted(taken) == list(range(1, 49))


def test_a_claim_is_one_hands(store, open_store):
    """Many who ask at once share the work without overlap."""
    for number in range(40):
        post(store, f"letter-{number:02}")
    stores = [store, open_store() if not store.is_sqlite else store]
    with ThreadPoolExecutor(8) as pool:
        some = list(pool.map(lambda hand: claim(stores[hand % 2], most=7), range(8)))
    ids = [row["id"] for rows in some for row in rows]
    ids += [row["id"] for row in claim(store, most=40)]
    assert sorted(ids) == [f"letter-{number:02}" for number in range(40)]
    assert claim(store) == []


def test_a_stale_fence_writes_nothing(store):
    """A worker that slept past its lease comes back and finds the door shut."""
    post(store, "a")
    (first,) = claim(store)
    store.write(lambda c: c.execute(update(inboxes).values(lease_until=1)).rowcount)
    (second,) = claim(store)
    assert second["fence"] == first["fence"] + 1

    def settle(fence):
        return store.write(
            lambda c: statements.fenced_update(c, inboxes, "a", fence, {"reason": str(fence)})
        )

    assert (settle(first["fence"]), settle(second["fence"])) == (False, True)
    held = [row["fence"] for row in (first, second)]
    assert [store.write(lambda c, f=f: statements.holds(c, inboxes, "a", f)) for f in held] == [
        False,
        True,
    ]


def test_leases_run_on_the_databases_clock(store):
    """Not on the worker's: the end of a lease is counted from what the database says."""
    post(store, "a")
    (row,) = claim(store, lease_seconds=60)
    now = store.read(lambda c: c.execute(select(database_now())).scalar_one())
    assert 0 < row["lease_until"] - now <= 60


def test_insert_once_tells_who_was_first(store):
    """True for one, False for all the others, and no fault for any."""
    row = {"name": "first", "value": 0}
    with ThreadPoolExecutor(6) as pool:
        won = list(
            pool.map(
                lambda _: store.write(lambda c: statements.insert_once(c, counters, row)),
                range(6),
            )
        )
    assert sorted(won) == [False] * 5 + [True]


# -- the shape -----------------------------------------------------------------------------------


def test_the_shape_is_what_the_models_say(store):
    """The migrations build the models' tables, on both databases, and again changes nothing."""
    schema.upgrade(store)
    with store.engine.connect() as connection:
        assert schema.differences(connection) == []
        assert schema.revision(connection) == schema.newest()


def test_two_services_that_start_together_migrate_one_by_one(url, open_store):
    """Neither fails, whoever comes first."""
    stores = [open_store(), open_store()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(schema.upgrade, stores))
    stores[0].write(add("a"))


def test_a_store_of_a_newer_release_is_refused(store):
    """It is not touched, and one sentence says what to do."""
    store.write(
        lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount
    )
    with pytest.raises(errors.Refused, match="newer"):
        schema.upgrade(store)


# -- what a thief of the disk can read ------------------------------------------------------------


def test_security_names_every_readable_column():
    """SECURITY.md lists them table by table: no more, and no less."""
    told = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")
    entries = re.findall(r"^- `(\w+)`: ((?:.+\n)(?:  .+\n)*)", told, re.MULTILINE)
    listed = {table: " ".join(columns.split()).split(", ") for table, columns in entries}
    assert listed == models.READABLE


def test_no_column_holds_bytes_in_clear():
    """Bytes are sealed, hashed or public keys; texts are never those of a client."""
    for table, columns in models.READABLE.items():
        kinds = {c.name: c.type.python_type for c in SQLModel.metadata.tables[table].columns}
        in_clear = {name for name in columns if kinds[name] is bytes}
        assert in_clear <= {"public", "public_key", "verify_key"}, table
