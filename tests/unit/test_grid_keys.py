"""Keys of `grid:` that the example leaves at their defaults, each worth MW that a pencil finds.

The valley of scenarios/grid with the summer only, nothing to buy and no reserve: North and South
take in 2028 what WH carries after the loss of PH, 100 MW, and the 20 MW that Hub generates.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sitepick import pipeline
from sitepick.dispatch.study import read_network
from sitepick.scenario.grid import GridStudy

ROOT = Path(__file__).resolve().parents[2]
VALLEY = ROOT / "scenarios" / "grid"
PLAIN = (
    "grid.upgrades=[]",
    "grid.adequacy=[]",
    "grid.conditions=[{id: summer, credit_pct: {wind: 20}}]",
    "periods.to=2029",
    "demand.it_mw=600",
)


def mw(*changes: str, sites: tuple[str, ...] = ("P-N", "P-S")) -> float:
    """Return grid MW of some sites together in 2028."""
    run = pipeline.solve(
        pipeline.prepare(pipeline.load(VALLEY / "sitepick.yaml", [*PLAIN, *changes]))
    )
    assert run.solution is not None
    assert run.findings == ()
    first = [r for r in run.solution.grid if r.period == "2028-01-01" and r.site_id in sites]
    return sum(r.grid_mw for r in first)


def network(tmp_path: Path, table: str, old: str, new: str) -> str:
    """Return a change to the valley's tables with ``old`` replaced by ``new`` in one of them."""
    folder = tmp_path / "network"
    shutil.copytree(VALLEY / "network", folder)
    path = folder / f"{table}.csv"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    assert old in before
    path.write_text(before.replace(old, new) if old else new, encoding="utf-8")
    return f"grid.file={folder}"


def near(figure: float) -> object:
    return pytest.approx(figure, abs=1e-3)


def test_the_base() -> None:
    assert mw() == near(120)


def test_other_credit() -> None:
    # half of the coal unit counts
    row = "{id: summer, credit_pct: {wind: 20, gas: 100}, other_credit_pct: 50}"
    assert mw(f"grid.conditions=[{row}]") == near(110)


def test_fuels_are_told_apart_whatever_their_case() -> None:
    row = "{id: summer, credit_pct: {Wind: 20, COAL: 25}}"
    assert mw(f"grid.conditions=[{row}]") == near(105)


def test_new_load_that_is_drawn() -> None:
    # 120 MW drawn are 150 MW contracted
    row = "{id: summer, credit_pct: {wind: 20}, new_load_pct: 80}"
    assert mw(f"grid.conditions=[{row}]") == near(150)


def test_new_load_that_is_not_drawn_needs_no_line() -> None:
    row = "{id: night, new_load_pct: 0}"
    everywhere = ("P-N", "P-S", "P-W", "P-E")
    assert mw(f"grid.conditions=[{row}]", sites=everywhere) == near(600 * 1.25)


def test_dc_ties(tmp_path: Path) -> None:
    table = "dcline_id,from_bus,to_bus,pmin_mw,pmax_mw\nD,ELSEWHERE,HUB,-50,50\n"
    with_tie = network(tmp_path, "dclines", "", table)
    assert mw(with_tie) == near(120)  # none of it counts unless asked for
    row = "{id: summer, credit_pct: {wind: 20}, dc_tie_pct: 40}"
    assert mw(with_tie, f"grid.conditions=[{row}]") == near(140)


def test_load_of_the_tables(tmp_path: Path) -> None:
    # a town of 40 MW at Hub, 5 % more each year from 2027 on
    town = network(tmp_path, "buses", "HUB,Hub,valley,138,0", "HUB,Hub,valley,138,40")
    assert mw(town, "grid.load_growth_pct_per_year=0") == near(80)
    assert mw(town, "grid.load_growth_pct_per_year=5") == near(120 - 40 * 1.05 ** (365 / 365.25))
    row = "{id: summer, credit_pct: {wind: 20}, load_pct: 50}"
    assert mw(town, "grid.load_growth_pct_per_year=0", f"grid.conditions=[{row}]") == near(100)


def test_outages_by_name() -> None:
    both = ("P-W", "P-N", "P-S")
    only = mw("grid.outages={min_kv: null, ids: [PH]}")
    assert only == near(120)
    # the loss of PW does not bind West: it takes what 138 kV connects
    assert mw("grid.outages={min_kv: null, ids: [PH]}", sites=both) == near(320)
    assert mw("grid.outages={min_kv: 200, ids: [PH]}", sites=both) == near(320)


def test_outages_of_transformers(tmp_path: Path) -> None:
    as_one = network(tmp_path, "branches", "PH,PLANT,HUB,line", "PH,PLANT,HUB,transformer")
    assert mw(as_one, "grid.outages.transformers=true") == near(120)
    # never lost, PH carries 80 MW more: each spur is full
    assert mw(as_one) > 150


def test_an_excused_overload_and_its_margin(tmp_path: Path) -> None:
    # 130 MW of town at Hub: WH is 10 MW over its 100 after the loss of PH before any new load
    town = network(tmp_path, "buses", "HUB,Hub,valley,138,0", "HUB,Hub,valley,138,130")
    flat = "grid.load_growth_pct_per_year=0"
    loaded = pipeline.load(VALLEY / "sitepick.yaml", [*PLAIN, town, flat])
    study = pipeline.prepare(loaded).study
    assert study is not None
    names = study.grid.branch_ids
    (excuses,) = {tuple(case.excuses.items()) for case in study.cases}
    assert [(names[b], names[o], mw) for (b, o), mw in excuses] == [("WH", "PH", near(10))]
    assert mw(town, flat) == near(0)
    assert mw(town, flat, "grid.excuse_margin_mw=50") == near(50)


def test_a_reserve_over_the_whole_grid() -> None:
    # 700 + 60 gas, 40 of wind, 20 coal against three times all load
    everywhere = ("P-N", "P-S", "P-W", "P-E")
    found = mw("grid.adequacy=[{zone: all, reserve_margin_pct: 200}]", sites=everywhere)
    assert found == near(820 / 3 - 230 * 1.02 ** (365 / 365.25))


def test_a_part_of_a_file() -> None:
    folder = "tests/data/grid/breakthrough"
    whole = read_network(GridStudy(file=folder), ROOT).grid
    part = read_network(GridStudy(file=folder, part="Texas"), ROOT).grid
    assert 0 < part.n_bus < whole.n_bus
