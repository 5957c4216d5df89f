"""The example of the grid in the plan: every figure by hand, in three formats of the same network.

North and South take 100 MW each alone (80 MVA x 1.25 after the loss of the other circuit).
Together they take what WH carries after the loss of PH, 80 x 1.25 = 100 MW, and what Hub generates:
20 MW of coal until 2030, 40 MW of gas from 2031 on. The upgrade of 32 MVA from 2030 on adds 40 MW.
West takes after the loss of PW what WH carries and, on a hot afternoon, 20 % of 200 MW wind. East
is limited by its reserve: 60 MW of plant and 25 MW of import cover 1.15 times all of its load.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sitepick import pipeline

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "grid"
YEARS = range(2028, 2033)
UPGRADE = [{"branch_id": "WH", "period": "2030-01-01"}]


def solved(cli: Cli, name: str = "sitepick", *changes: str, folder: str = "run") -> dict[str, Any]:
    options = [word for change in changes for word in ("--set", change)]
    if changes:  # the page of the plan as it is shows enough
        options.append("--no-report")
    answer = cli("solve", EXAMPLE / f"{name}.yaml", "--out", folder, "--force", *options)
    assert answer.code == 0, answer.err
    assert "Plan checked" in answer.out
    record: dict[str, Any] = json.loads(Path(folder, "solution.json").read_text(encoding="utf-8"))
    return record


def mw(record: dict[str, Any], *sites: str) -> list[float]:
    """Return grid MW of some sites together, one for each year."""
    total = dict.fromkeys(YEARS, 0.0)
    for row in record["grid"]:
        if row["site_id"] in sites:
            total[int(row["period"][:4])] += row["grid_mw"]
    return list(total.values())


def close(*figures: float) -> Any:
    return pytest.approx(figures, abs=1e-3)


def upgrades(record: dict[str, Any]) -> list[dict[str, str]]:
    return [{k: row[k] for k in ("branch_id", "period")} for row in record["line_upgrades"]]


def east() -> list[float]:
    """MW that the reserve of the east leaves: load 30 MW in the tables, 2 % more each year."""
    days = (365, 731, 1096, 1461, 1826)  # from 2027-01-01 to the first day of each period
    return [(60 + 25) / 1.15 - 30 * 1.02 ** (d / 365.25) for d in days]


@pytest.mark.parametrize(
    ("name", "line"), [("sitepick", "WH"), ("matpower", "2-3"), ("pypsa", "WH")]
)
def test_the_plan_by_hand_in_three_formats(cli: Cli, name: str, line: str) -> None:
    record = solved(cli, name)
    assert mw(record, "P-N", "P-S") == close(120, 120, 140, 180, 180)
    assert mw(record, "P-W") == close(100, 100, 140, 140, 140)
    assert mw(record, "P-E") == close(*east())
    assert upgrades(record) == [{"branch_id": line, "period": "2030-01-01"}]
    assert record["excused"] == []
    checked = cli("check", "run")
    assert checked.code == 0, checked.out


def test_each_poi_alone_takes_what_its_table_says(cli: Cli) -> None:
    # in 2028, before anything is bought: the figures of substations.csv, by a plan for one parcel
    for parcel, alone in (("P-N", 100.0), ("P-S", 100.0), ("P-W", 140.0), ("P-E", 200.0)):
        others = [p for p in ("P-N", "P-S", "P-W", "P-E") if p != parcel]
        where = " AND ".join(f"parcel_id <> '{p}'" for p in others)
        record = solved(
            cli, "sitepick", f'layers.parcels.where="{where}"', "grid.upgrades=[]",
            "grid.adequacy=[]", "grid.conditions=[summer_peak]", "grid.load_growth_pct_per_year=0",
        )  # fmt: skip
        if parcel == "P-E":
            # 1.25 x 120 MVA and 60 MW of its own plant less 30 MW of load: 180
            assert mw(record, parcel)[0] == pytest.approx(180, abs=1e-3)
        else:
            assert mw(record, parcel)[0] == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "pair", "west", "bought"),
    [
        # nothing can be bought: less after the retirement of 2030, more with the unit of 2031
        ("grid.upgrades=[]", (120, 120, 100, 140, 140), (100,) * 5, []),
        # too dear at any price of turned-away work
        ("grid.upgrades.0.musd=9000", (120, 120, 100, 140, 140), (100,) * 5, []),
        # four years to build: a period later
        ("grid.upgrades.0.lead_months=48", (120, 120, 100, 180, 180), (100, 100, 100, 140, 140),
         [{"branch_id": "WH", "period": "2031-01-01"}]),
        # no planned unit, and coal stays
        ("grid.units=null", (120, 120, 160, 160, 160), (100, 100, 140, 140, 140), UPGRADE),
        # the still night forgotten: 40 MW of wind are counted on
        ("grid.conditions=[summer_peak]", (120, 120, 140, None, None), (140, 140, 180, 180, 180),
         UPGRADE),
        # after an outage no more than the normal rating
        ("grid.emergency_pct=100", (100, 100, 112, 152, 152), (80, 80, 112, 112, 112), UPGRADE),
    ],
)  # fmt: skip
def test_what_each_key_is_worth(
    cli: Cli,
    change: str,
    pair: tuple[float | None, ...],
    west: tuple[float, ...],
    bought: list[dict[str, str]],
) -> None:
    record = solved(cli, "sitepick", change)
    for found, by_hand in zip(mw(record, "P-N", "P-S"), pair, strict=True):
        if by_hand is not None:  # where all that is asked for is placed, nothing is at its limit
            assert found == pytest.approx(by_hand, abs=1e-3)
    assert mw(record, "P-W") == close(*west)
    assert upgrades(record) == bought


def test_an_outage_left_out(cli: Cli) -> None:
    # without the loss of PW the three draw 240 x 1.25 = 300 MW over it after the loss of PH, and
    # what Hub generates; a larger WH would not help
    record = solved(cli, "sitepick", "grid.outages.exclude_ids=[PW]")
    assert mw(record, "P-N", "P-S", "P-W")[:3] == close(320, 320, 300)
    assert {row["period"][:4] for row in record["turned_away"]} == {"2028", "2029", "2030"}
    assert upgrades(record) == []


def test_less_demand_buys_no_upgrade(cli: Cli) -> None:
    record = solved(cli, "sitepick", "demand.it_mw=150")
    assert upgrades(record) == []
    assert record["turned_away"] == []
    assert sum(mw(record, "P-N", "P-S", "P-W", "P-E")) == pytest.approx(5 * 150 * 1.25)


def test_without_outages_everything_is_placed(cli: Cli) -> None:
    record = solved(cli, "sitepick", "grid.outages.min_kv=null")
    assert record["turned_away"] == []
    assert upgrades(record) == []


def test_published_headrooms_can_be_limits_too(cli: Cli) -> None:
    # East takes the 150 MW of its row instead of what 138 kV connects, where no reserve is asked
    options = ("grid.adequacy=[]", "grid.outages.exclude_ids=[PE1, PE2]")
    free = solved(cli, "sitepick", *options)
    held = solved(cli, "sitepick", *options, "grid.poi_limit=headroom")
    assert max(mw(free, "P-E")) > 150 + 1
    assert max(mw(held, "P-E")) == pytest.approx(150, abs=1e-3)


def test_reserve_margin_and_its_condition(cli: Cli) -> None:
    # 85 MW cover 1.45 times all load; on a winter night 90 % of the old load
    zone = "{zone: east, reserve_margin_pct: 45, import_mw: 25, condition: %s}"
    summer = solved(cli, "sitepick", f"grid.adequacy=[{zone % 'summer'}]")
    winter = solved(cli, "sitepick", f"grid.adequacy=[{zone % 'winter'}]")
    load = 30 * 1.02 ** (365 / 365.25)
    assert mw(summer, "P-E")[0] == pytest.approx(85 / 1.45 - load, abs=1e-3)
    assert mw(winter, "P-E")[0] == pytest.approx(85 / 1.45 - 0.9 * load, abs=1e-3)
    more = "{zone: east, reserve_margin_pct: 45, import_mw: 38}"
    imported = solved(cli, "sitepick", f"grid.adequacy=[{more}]")
    assert mw(imported, "P-E")[0] == pytest.approx(98 / 1.45 - load, abs=1e-3)


def test_what_limits_and_what_each_poi_could_carry_alone() -> None:
    run = pipeline.solve(pipeline.prepare(pipeline.load(EXAMPLE / "sitepick.yaml")))
    assert run.grid is not None
    limits = {(r.condition, r.branch_id, r.outage_id): r.limit_mw for r in run.grid.limiting}
    assert limits == {
        ("summer", "WH", "PH"): pytest.approx(140),
        ("winter", "WH", "PW"): pytest.approx(140),
    }
    alone = {p.poi_id: (p.alone_mw, p.limit_id, p.outage_id) for p in run.grid.pois}
    # with what is bought: West may take no less alone than beside the others
    assert alone == {
        "North": (pytest.approx(100, abs=1e-3), "HN1", "HN2"),
        "South": (pytest.approx(100, abs=1e-3), "HS1", "HS2"),
        "West": (pytest.approx(140, abs=1e-3), "WH", "PW"),
        "East": (pytest.approx(150 + 60 - 30 * 1.02 ** (1826 / 365.25), abs=1), "PE1", "PE2"),
    }
    assert run.grid.outages == 9
    assert run.grid.radial == ()


@pytest.mark.parametrize("solver", ["cbc", "scip"])
def test_other_solvers_reach_the_same_plan(cli: Cli, solver: str) -> None:
    pytest.importorskip("pulp" if solver == "cbc" else "ortools")
    ours, theirs = solved(cli), solved(cli, "sitepick", f"solver.name={solver}", folder="other")
    assert theirs["objective"] == pytest.approx(ours["objective"], rel=1e-5)
    assert upgrades(theirs) == UPGRADE


@pytest.mark.parametrize("objective", ["max_compute", "earliest_mw"])
def test_other_objectives_meet_the_same_limits(cli: Cli, objective: str) -> None:
    record = solved(cli, "sitepick", f"objective={objective}")
    assert mw(record, "P-N", "P-S") == close(120, 120, 140, 180, 180)
    assert mw(record, "P-W") == close(100, 100, 140, 140, 140)


def test_exact_is_the_same(cli: Cli) -> None:
    answer = cli("solve", EXAMPLE / "sitepick.yaml", "--exact", "--out", "exact", "--no-report")
    assert answer.code == 0
    record = json.loads(Path("exact", "solution.json").read_text(encoding="utf-8"))
    assert record["objective"] == pytest.approx(solved(cli)["objective"], rel=1e-5)
