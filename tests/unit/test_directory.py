"""The crisis directory: what is stale, broken or an example is never used."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mailcounsel.practice import directory

TODAY = date(2026, 11, 25)
ROOT = Path(__file__).parents[2]
WHOLE = {
    "country": '"ID"',
    "name": '"Telepon Teduh"',
    "phone": '"000"',
    "hours": '{ id = "24 jam", en = "at any hour" }',
    "languages": '["id"]',
    "cost": '{ id = "gratis", en = "free" }',
    "verified_on": "2026-11-01",
    "source": '"a call"',
}


def written(tmp_path: Path, *rows: dict[str, str]) -> Path:
    lines = ["[[entry]]\n" + "\n".join(f"{k} = {v}" for k, v in row.items()) for row in rows]
    path = tmp_path / "crisis.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def chosen(path: Path, country: str = "ID", language: str = "id") -> list[str]:
    entries = directory.read(path).entries
    return [one.name for one in directory.choose(entries, country, language, TODAY)]


def test_an_entry_is_used_for_a_year_and_then_no_more(tmp_path: Path) -> None:
    """The 365th day is the last; a day to come is a slip of the pen."""
    days = {"2025-11-25": True, "2025-11-24": False, "2026-11-25": True, "2026-11-26": False}
    for day, is_used in days.items():
        path = written(tmp_path, {**WHOLE, "verified_on": day})
        assert bool(chosen(path)) == is_used
        assert bool(directory.faults(path, TODAY)) != is_used


def test_what_is_stale_is_named_and_an_empty_directory_too(tmp_path: Path) -> None:
    """The admin reads which one, since when, and what clients get meanwhile."""
    stale, none = directory.faults(written(tmp_path, {**WHOLE, "verified_on": "2024-01-31"}), TODAY)
    assert "Telepon Teduh" in stale
    assert "2024-01-31" in stale
    assert "emergency text alone" in none


def test_an_example_is_never_used() -> None:
    """The file we ship shows the form, and holds nothing that anybody could call."""
    path = ROOT / "crisis.example.toml"
    found = directory.read(path)
    assert found.entries
    assert not found.broken
    assert all(one.example for one in found.entries)
    assert not any(one.is_usable(one.verified_on) for one in found.entries)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phone": None}, "needs a phone, or a web page"),
        ({"source": None}, "needs source"),
        ({"verified_on": None}, "needs verified_on"),
        ({"verified_on": '"2026-11-01"'}, "verified_on must be a day"),
        ({"country": '"Indonesia"'}, "country must be two letters"),
        ({"languages": '"id"'}, "languages must be a list"),
        ({"hours": "24"}, "hours must be one line of text"),
        ({"price": '"free"'}, "has an unknown key, price"),
    ],
)
def test_a_broken_entry_is_named_and_stops_no_other(
    tmp_path: Path, change: dict[str, str | None], says: str
) -> None:
    """One slip must not take away the others."""
    broken = {k: v for k, v in {**WHOLE, **change}.items() if v is not None}
    path = written(tmp_path, broken, {**WHOLE, "name": '"Lain"'})
    (fault,) = directory.faults(path, TODAY)
    assert f"entry 1: {says}" in fault
    assert chosen(path) == ["Lain"]


def test_a_file_that_cannot_be_read_is_an_empty_directory(tmp_path: Path) -> None:
    """A client's letter is never stopped by it."""
    (tmp_path / "crisis.toml").write_text("[[entry", "utf-8")
    for path in (tmp_path / "crisis.toml", tmp_path / "none.toml"):
        assert directory.read(path).entries == ()
        assert "cannot be read" in directory.faults(path, TODAY)[0]


def test_the_country_comes_first_and_then_the_language(tmp_path: Path) -> None:
    """Somebody gets help they can reach, in their language where there is any; three at most."""
    path = written(
        tmp_path,
        {**WHOLE, "name": '"A"', "languages": '["en"]'},
        {**WHOLE, "name": '"B"'},
        {**WHOLE, "name": '"C"', "country": '"MY"', "languages": '["ms"]'},
        {**WHOLE, "name": '"D"', "country": '"*"', "languages": '["id", "en"]'},
    )
    assert chosen(path) == ["B", "D"]
    assert chosen(path, language="en") == ["A", "D"]
    assert chosen(path, "MY", "en") == ["C", "D"]
    assert chosen(path, "", "en") == ["D"]
    many = written(tmp_path, *({**WHOLE, "name": f'"{n}"'} for n in range(5)))
    assert chosen(many) == ["0", "1", "2"]


def test_an_entry_is_written_down_in_the_client_s_language(tmp_path: Path) -> None:
    """Name, how to reach it, when, and what it costs."""
    (entry,) = directory.read(written(tmp_path, {**WHOLE, "region": '"Solo"'})).entries
    shown = directory.written([entry], "en")
    assert shown == "Telepon Teduh (Solo)\n  000\n  at any hour\n  free"
    assert "gratis" in directory.written([entry], "id")
