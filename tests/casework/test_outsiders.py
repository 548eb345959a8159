"""Every operation of the control socket, asked for a case by those who may not open it."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

import house as house_of
from mailcounsel.service.control import Control
from mailcounsel.service.operations import OPERATIONS
from mailcounsel.store import models
from mailcounsel.store.columns import new_id

OTHER_QUEUE = """
[[person]]
name = "tono"
roles = ["therapist", "admin"]
uid = 1005
queues = ["lain"]

[[person]]
name = "dewi"
roles = ["supervisor"]
uid = 1006

[[inbox]]
address = "lain@rumah.test"
queue = "lain"

[[queue]]
name = "lain"
supervisor = "dewi"
"""
ACCOUNTS = {"bayu": 1002, "tono": 1005, "dewi": 1006}  # bayu's queue it is; the case is wulan's

# What is asked about no case, or about all that the caller may open.
ABOUT_NO_CASE = {
    *("hello", "queue.list", "case.next", "case.reader", "centre.key", "config.standing"),
    *("lesson.list", "lesson.show", "measure.list", "measure.add", "outbox.list", "status"),
    *("centre.cases", "centre.report", "reconcile", "doctor", "roundtrip.send", "roundtrip.look"),
    *("person.invite", "person.invited", "person.enrol", "quarantine.list", "quarantine.retry"),
}


@pytest.fixture
def centre_of_two(tmp_path, store, clock, centre):
    """A centre with two queues, a case of wulan's in one, and a letter of it that is uncertain."""
    built = house_of.build(tmp_path, store, clock, centre, more=OTHER_QUEUE)
    built.enrol("wulan", "bayu", "sari", "tono", "dewi")
    built.write("ani@klien.test", "Halo.")
    assert built.call("wulan", "case.next")["case"] == "C-0001"
    built.reply("wulan", "C-0001", "Jawaban.", plain="setuju lewat telepon")
    (reply,) = built.outbox("reply")
    built.edit(models.Outgoing, reply.id, state="uncertain")
    return built


def everything(house):
    """Return every row of the store."""
    tables = SQLModel.metadata.sorted_tables
    return house.store.read(
        lambda c: {table.name: sorted(map(repr, c.execute(select(table)))) for table in tables}
    )


def asked(house):
    """Return what an operation may want to know, all of it about wulan's case."""
    shown = house.call("wulan", "case.show", case="C-0001")
    begun = house.call("wulan", "reply.begin", case="C-0001")
    statement = json.dumps({**begun, "subject": "s", "text": "t", "plain": "x"})
    sealed = b64encode(b"sealed").decode()
    return {
        "case": "C-0001",
        "into": "C-0001",
        "epoch": shown["epoch"],
        "letter": shown["entries"][0]["id"],
        "letters": [1],
        "part": "content",
        "start": 0,
        "id": house.outbox("reply")[0].id,
        "number": 1,
        "name": "G1",
        "goal": new_id(),
        "label": "jalan",
        "every": "week",
        "at": "Mon 09:00",
        "measure": "phq-9",
        "exchanges": 3,
        "yes": True,
        "person": "bayu",
        "kind": "waiting",
        "reason": "x",
        "fingerprint": "A" * 40,
        "ticket": begun["ticket"],
        "mac": begun["mac"],
        "statement": statement,
        **dict.fromkeys(("content", "detail", "data", "signature"), sealed),
        **dict.fromkeys(("copies", "thread", "instead_of"), ()),
    }


@pytest.mark.parametrize("person", ACCOUNTS)
def test_no_operation_does_anything_for_who_may_not_open_the_case(centre_of_two, tmp_path, person):
    """Whatever is asked of another's case is refused in a sentence, and changes nothing."""
    control = Control(tmp_path / "end", centre_of_two.desk, OPERATIONS)
    wanted, before = asked(centre_of_two), everything(centre_of_two)
    let_through = {}
    for method in OPERATIONS.keys() - ABOUT_NO_CASE:
        kind = {"kind": "note"} if method == "note.add" else {}
        params = {**wanted, **kind, "as": person}
        line = json.dumps({"id": 1, "method": method, "params": params})
        answer = json.loads(control.answer(ACCOUNTS[person], line.encode()))
        refusal = answer.get("error", {})
        if refusal.get("code") != -32000 or "lacks" in refusal["message"]:
            let_through[method] = answer
    assert let_through == {}
    assert everything(centre_of_two) == before
