"""The centre in numbers, as the service tells it: small ones left out, nobody named."""

from __future__ import annotations

import json

import pytest

import house as house_of
from casework.test_checkins import agree
from mailcounsel import errors
from mailcounsel.casework import centre_counts
from mailcounsel.service import work
from mailcounsel.service.operations import OPERATIONS
from mailcounsel.store import models

MORE = """
[[person]]
name = "tekun"
roles = ["supervisor"]
uid = 1004

[[person]]
name = "tekno"
roles = ["admin"]
uid = 1005

[[queue]]
name = "remaja"
supervisor = "tekun"
"""


@pytest.fixture
def house(tmp_path, store, clock, centre):
    """A centre with two queues, a supervisor each, and an admin who opens no case."""
    built = house_of.build(tmp_path, store, clock, centre, more=MORE)
    built.enrol("wulan", "bayu", "sari", "tekun")
    return built


def write(house, number):
    """So many clients write for the first time."""
    for one in range(number):
        house.write(f"klien{one}@klien.test", f"Halo, saya yang ke-{one}.")


def report(house, person="sari", days=90):
    return house.call(person, "centre.report", days=days)


def test_fewer_than_five_are_not_told(house):
    """Four letters wait, and neither their number nor since when is told."""
    write(house, 4)
    found = report(house)
    assert found["waiting"] == {"nobody": False, "cases": None, "since": None}
    assert found["open"]["total"] is None
    house.write("lagi@klien.test", "Halo, saya juga.")
    found = report(house)
    assert found["waiting"]["cases"] == 5
    assert found["waiting"]["since"] == house.case(1).waiting_since.isoformat()
    assert found["open"]["parts"] == [{"of": ["umum", "remaja"], "number": 5}]


def test_nobody_who_waits_is_told(house):
    """That nothing has to be done is no secret."""
    found = report(house)
    assert found["waiting"]["nobody"]
    assert found["danger"]["none_unread"]
    assert found["quarantine"] == {"empty": True, "letters": None}


def test_promises_are_counted_by_queue(house):
    """Six were kept; what is not due yet is told with what was broken."""
    write(house, 7)
    house.clock.on(days=1)
    for number in range(1, 7):
        house.reply("wulan", f"C-{number:04d}", "Halo.", plain="uji")
    work.keep_promises(house.desk)
    house.clock.on(days=3)
    work.keep_promises(house.desk)
    found = report(house)["promises"]
    assert found["umum"]["total"] == 7
    assert found["umum"]["parts"] == [{"of": ["kept", "broken", "open", "closed"], "number": 7}]
    assert found["umum"]["median_hours"] == 24
    assert found["remaja"] == {"total": None, "parts": [], "median_hours": None}


def test_danger_counts_cases_and_how_soon_it_was_read(house):
    """Five cases, all read after half an hour but one, which somebody has to read now."""
    for one in range(6):
        house.write(f"klien{one}@klien.test", f"Saya {one} ingin mati, saya mau bunuh diri.")
    house.clock.on(minutes=30)
    for number in range(1, 6):
        name = f"C-{number:04d}"
        letters = [entry["id"] for entry in house.call("wulan", "case.show", case=name)["entries"]]
        house.call("wulan", "case.read", case=name, letters=letters)
    found = report(house)["danger"]
    assert found == {"cases": 6, "median_minutes": 30, "none_unread": False, "unread": None}


def test_questions_of_few_clients_are_not_told(house):
    """Six questions to one client say something about one client; those to five, about none."""
    for one in range(5):
        address = f"klien{one}@klien.test"
        house.write(address, "Halo, saya ingin bicara.")
        offer = next(sent for sent in house.send() if sent.to_address == address)
        house.write(address, "SETUJU", reply_to=offer)
        house.reply("wulan", f"C-{one + 1:04d}", "Halo.")
        if one == 0:
            for _ in range(6):
                agree(house, every="day", at="09:00")
            house.clock.on(days=1)
            work.ask_checkins(house.desk)
            assert report(house)["checkins"] == {"total": None, "parts": []}
        else:
            agree(house, case=f"C-{one + 1:04d}", every="day", at="09:00")
    house.clock.on(days=1)
    work.ask_checkins(house.desk)
    assert report(house)["checkins"]["total"] == 16


def test_caseload_is_a_spread_of_five_or_more(house):
    """With two therapists, who could be told apart, nothing is said of it."""
    write(house, 6)
    assert report(house)["caseload"] is None


def test_a_supervisor_sees_their_own_queues_and_an_admin_all(house):
    """The supervisor of another queue learns nothing of this one; an admin opens nothing."""
    write(house, 6)
    other, admin = report(house, "tekun"), report(house, "tekno")
    assert (other["queues"], other["open"]["total"], other["quarantine"]) == (
        ["remaja"],
        None,
        None,
    )
    assert (admin["queues"], admin["open"]["total"]) == (["umum", "remaja"], 6)
    assert (other["opens_cases"], admin["opens_cases"]) == (True, False)
    assert house.call("tekun", "centre.cases", days=90)["cases"] == []


def test_who_may_ask():
    """A therapist reports nothing, and no admin is told which cases there are."""
    assert OPERATIONS["centre.report"].roles == {"supervisor", "admin"}
    assert OPERATIONS["centre.cases"].roles == {"supervisor"}


def test_nobody_is_named(house):
    """No therapist and no case stands in what is told, only who asked."""
    write(house, 6)
    house.call("wulan", "case.assign", case="C-0001", person="wulan")
    told = json.dumps({**report(house), "person": ""})
    assert not [name for name in ("wulan", "bayu", "tekun", "C-0", "klien") if name in told]


def test_cases_are_named_page_by_page(house, monkeypatch):
    """Those in which something was written since then, each once, in order; not the merged."""
    monkeypatch.setattr(centre_counts, "PAGE", 2)
    write(house, 5)
    house.clock.on(days=100)
    write(house, 5)
    now = house.clock.now()
    house.edit(models.Case, house.case(10).id, merged_into=house.case(1).id)
    house.edit(models.Case, house.case(9).id, erased_at=now)
    pages = [house.call("sari", "centre.cases", days=30, after=0)]
    while pages[-1]["after"] is not None:
        pages.append(house.call("sari", "centre.cases", days=30, after=pages[-1]["after"]))
    assert [name for page in pages for name in page["cases"]] == [
        "C-0001",
        "C-0006",
        "C-0007",
        "C-0008",
    ]


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_a_span_that_is_none_is_refused(house, days):
    """One sentence says what can be asked for."""
    with pytest.raises(errors.Refused, match="1 to 3660 days"):
        report(house, days=days)
