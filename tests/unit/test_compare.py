"""Runs against each other, by hand: inputs by key and row, sites by date, money, the gap."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from unit.plan_by_hand import P, run, solution

from sitepick.errors import ScenarioError
from sitepick.exports.compare import SAME, Comparison, compare, comparison_sheet
from sitepick.exports.csv_out import csv_text
from sitepick.exports.folder import read_run, write_run
from sitepick.exports.inputs import NAME, keyed, read_inputs
from sitepick.report.compare import comparison_headline, comparison_tables
from sitepick.run import Run
from sitepick.solution import CashRow, GridRow, ItRow, Solution, TieRow

YAML = """version: 1
name: by hand
budget_musd: {2027: 900}
regions:
  rules:
    - {level: state, ids: [OK], max_it_mw: 50}
"""


def made(plan: Solution | None = None, yaml: str = YAML, **cells: Any) -> Run:
    """Return the run by hand with a plan, a scenario text, and cells ``table__row__column``."""
    base = run(plan=plan)
    places = base.prepared.candidates
    for name, value in cells.items():
        table, row, column = name.split("__")
        frame = getattr(places, table).copy()
        frame[column] = [value if i == int(row) else v for i, v in enumerate(frame[column])]
        places = dataclasses.replace(places, **{table: frame})
    loaded = dataclasses.replace(base.prepared.loaded, resolved_yaml=yaml)
    prepared = dataclasses.replace(base.prepared, loaded=loaded, candidates=places)
    return dataclasses.replace(base, prepared=prepared)


def against(tmp_path: Path, before: Run, after: Run) -> Comparison:
    folders = [
        write_run(r, tmp_path / name, html=False) for r, name in ((before, "a"), (after, "b"))
    ]  # fmt: skip
    return compare(*(read_run(folder) for folder in folders))


def grown() -> Solution:
    """Return the plan with N2 at 30 IT MW in the last period, N1 tied to B1 alone, dearer."""
    plan = solution()
    it = tuple(
        dataclasses.replace(r, it_mw=30.0) if (r.site_id, r.period) == ("N2", P[1]) else r
        for r in plan.it
    )
    grid = (*(r for r in plan.grid if r.poi_id != "B2" and r.site_id == "N1"),
            GridRow("N2", "B1", P[1], 36.0))  # fmt: skip
    ties = (TieRow("N1", "B1", P[1]), TieRow("N2", "B1", P[1]), TieRow("X1", "B3", None))
    return dataclasses.replace(
        plan, it=it, grid=grid, ties=ties, objective=1001.0, bound=999.0,
        npc_musd={**plan.npc_musd, "energy": 51.0},
        cash=(*plan.cash, CashRow(2028, "facility", 2.5)),
    )  # fmt: skip


def test_nothing_differs(tmp_path: Path) -> None:
    found = against(tmp_path, made(), made())
    assert (found.inputs, found.sites, found.money, found.proven) == ((), (), (), False)
    assert comparison_headline(found)[-2:] == ("no input differs", "the same sites, MW and dates")
    assert comparison_tables(found) == ()


def test_a_letter_explains_the_sites_at_its_poi(tmp_path: Path) -> None:
    found = against(tmp_path, made(), made(grown(), offers__1__mw_total=62.0))
    (change,) = found.inputs
    assert (change.where, change.before, change.after) == ("letter O2: mw_total", "50", "62")
    assert change.names == {"B1"}
    told = {(c.site_id, c.what, c.period): (c.before, c.after, c.causes) for c in found.sites}
    because = ("letter O2: mw_total 50 -> 62",)
    assert told == {
        ("N1", "poi", ""): ("B1, B2", "B1", because),
        ("N1", "grid_mw", P[0]): (12.0, 0.0, because),
        ("N1", "grid_mw", P[1]): (24.0, 8.0, because),
        ("N2", "it_mw", P[1]): (20.0, 30.0, because),
        ("N2", "grid_mw", P[1]): (24.0, 36.0, because),
    }
    assert [(m.what, m.before_musd, m.after_musd) for m in found.money] == [
        ("energy", 50.0, 51.0), ("cash 2028", 908.0, 910.5),
    ]  # fmt: skip


def test_keys_for_all_sites_regions_and_the_others(tmp_path: Path) -> None:
    budget = against(tmp_path / "1", made(), made(grown(), YAML.replace("900", "950")))
    assert [(c.where, c.before, c.after) for c in budget.inputs] == [
        ("budget_musd.2027", "900", "950")
    ]
    assert {c.causes for c in budget.sites} == {("budget_musd.2027: 900 -> 950",)}
    # a rule on OK, where none of the changed sites is
    rule = against(tmp_path / "2", made(), made(grown(), YAML.replace("50}", "60}")))
    assert rule.inputs[0].names == {"OK"}
    assert {c.causes for c in rule.sites} == {("follows from regions.rules.0.max_it_mw",)}
    # a row that names the site counts before keys for all
    both = against(
        tmp_path / "3", made(), made(grown(), YAML.replace("900", "950"), sites__2__usable_ha=40.0)
    )
    causes = {c.site_id: c.causes for c in both.sites}
    assert causes == {
        "N1": ("budget_musd.2027: 900 -> 950", "follows from site N2"),
        "N2": ("site N2: usable_ha none -> 40",),
    }
    nothing = against(tmp_path / "4", made(), made(grown()))
    assert {c.causes for c in nothing.sites} == {(SAME,)}


@pytest.mark.parametrize(
    ("objective", "bound", "proven"),
    [(1001.0, 999.0, False), (999.0, 990.0, False), (1010.0, 1001.0, True), (997.0, 990.0, True)],
)
def test_within_the_gap(tmp_path: Path, objective: float, bound: float, proven: bool) -> None:
    """The first run lies between 998 and 1000: only disjoint intervals prove a difference."""
    plan = dataclasses.replace(solution(), objective=objective, bound=bound)
    found = against(tmp_path, made(), made(plan))
    assert found.proven is proven
    assert ("within the gap" in comparison_headline(found)[1]) is not proven


def test_other_objectives_are_not_compared(tmp_path: Path) -> None:
    plan = dataclasses.replace(solution(), objective_name="served_ref_mw_years")
    found = against(tmp_path, made(), made(plan))
    assert found.proven is None
    assert "differ in kind" in comparison_headline(found)[1]


def test_rows_that_come_and_go_and_files(tmp_path: Path) -> None:
    after = made()
    places = after.prepared.candidates
    source = dataclasses.replace(places.sources[0], sha256="cd" * 32)
    places = dataclasses.replace(places, offers=places.offers.iloc[:2], sources=(source,))
    layers = dataclasses.replace(after.prepared.layers, sources=(source,))
    prepared = dataclasses.replace(after.prepared, candidates=places, layers=layers)
    found = against(tmp_path, made(), dataclasses.replace(after, prepared=prepared))
    assert [(c.kind, c.where, c.before, c.after) for c in found.inputs] == [
        ("row", "letter O3", "a row", "none"),
        ("file", "substations: subs.geojson", "ab" * 6, "cd" * 6),
    ]


def test_a_figure_that_goes_on_is_shown_once(tmp_path: Path) -> None:
    plan = solution()
    it = tuple(
        ItRow(r.site_id, r.hall, r.hardware, r.period, 8.0, r.bought_mw) if r.site_id == "X1" else r
        for r in plan.it
    )
    found = against(tmp_path, made(), made(dataclasses.replace(plan, it=it)))
    assert [c.period for c in found.sites] == list(P)
    (table,) = comparison_tables(found)
    assert [row[:5] for row in table.rows] == [("X1", "it_mw", P[0], "10.0", "8.0")]


def test_as_csv_and_safe(tmp_path: Path) -> None:
    found = against(tmp_path, made(), made(grown(), offers__1__mw_total=62.0))
    nasty = dataclasses.replace(found.inputs[0], after="=1+1")
    found = dataclasses.replace(found, inputs=(nasty,))
    rows = list(csv.DictReader(csv_text(comparison_sheet([found])).splitlines()))
    assert {r["kind"] for r in rows} == {"row", "site", "money"}
    assert next(r for r in rows if r["kind"] == "row")["after"] == "'=1+1"


def test_inputs_are_kept_and_checked(tmp_path: Path) -> None:
    folder = write_run(made(), tmp_path / "a")
    kept = read_inputs(folder)
    assert kept.tables["offers"]["O2"]["mw_total"] == 50.0
    assert "R1" not in kept.tables["sites"]  # rejected
    again = write_run(made(), tmp_path / "b")
    assert (folder / NAME).read_bytes() == (again / NAME).read_bytes()
    (folder / NAME).write_bytes(b"no gzip")
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_inputs(folder)
    (folder / NAME).unlink()
    with pytest.raises(ScenarioError, match="solve again"):
        read_inputs(folder)


def test_rows_with_one_key_stay_apart() -> None:
    rows = [{"poi_id": "B", "over_mw": None, "x": 1}, {"poi_id": "B", "over_mw": None, "x": 2}]
    assert list(keyed(rows, ("poi_id", "over_mw"))) == ["B", "B #2"]
