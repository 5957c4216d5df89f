"""The example of time to power: dates and MW by hand, at each percentile."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "time_to_power" / "sitepick.yaml"


def grid_mw(record: dict[str, Any], site: str) -> dict[int, float]:
    return {int(r["period"][:4]): r["grid_mw"] for r in record["grid"] if r["site_id"] == site}


def years(**from_year: float) -> dict[int, float]:
    """Return MW by year from ``y2029=75`` and the like, each standing until the next."""
    out: dict[int, float] = {}
    for year in range(2029, 2038):
        out[year] = from_year.get(f"y{year}", out.get(year - 1, 0.0))
    return {year: mw for year, mw in out.items() if mw}


# as_of is 2027-01-01, ties stand from 2029 on, and a substation grows by 150 MW a year at most.
# Fastfield has 75 of its 300 MW first; the letter of 100 MW ramps over four years from 2029 on;
# Southmeadow is worth its wait only at p10, where it has in 2031 what the letter has not yet
LETTER = years(y2029=25, y2030=50, y2031=75, y2032=100)
PLANS = {
    "p10": {
        "P-N": years(y2029=150, y2030=300), "P-L": years(y2029=25, y2030=50, y2031=75),
        "P-S": years(y2031=25),
    },
    "p50": {"P-N": years(y2029=75, y2031=225, y2032=300), "P-L": LETTER},
    "p90": {"P-N": years(y2030=75, y2033=225, y2034=300), "P-L": LETTER},
}  # fmt: skip


@pytest.mark.parametrize("percentile", PLANS)
def test_every_mw_comes_on_its_date(cli: Cli, percentile: str) -> None:
    answer = cli("solve", EXAMPLE, "--out", "run", "--set", f"power.queue_percentile={percentile}")
    assert answer.code == 0, answer.err
    record = json.loads(Path("run/solution.json").read_text(encoding="utf-8"))
    plan = PLANS[percentile]
    assert {s["site_id"] for s in record["sites"]} == set(plan)
    for site, by_year in plan.items():
        assert grid_mw(record, site) == {y: pytest.approx(mw) for y, mw in by_year.items()}
    # 300 MW need 345 kV though the nearest substation is another; 100 MW do with 138 kV
    ties = {t["site_id"]: (t["poi_id"], t["kv"]) for t in record["ties"]}
    wanted = {"P-N": ("N2", 345.0), "P-L": ("S2", 138.0), "P-S": ("S1", 138.0)}
    assert ties == {site: wanted[site] for site in plan}
    short = {int(r["period"][:4]): r["ref_mw"] for r in record["turned_away"]}
    for year in range(2029, 2038):  # 320 IT MW asked, PUE 1.25 on the design day
        placed = sum(by_year.get(year, 0.0) for by_year in plan.values()) / 1.25
        assert short.get(year, 0.0) == pytest.approx(320 - placed, abs=1e-6)
    assert "P-N Northfield   N2 345 kV" in answer.out
    checked = cli("check", "run")
    assert checked.code == 0, checked.out


def test_exports_tell_dates_by_size_and_the_voltage_of_ties(cli: Cli) -> None:
    assert cli("solve", EXAMPLE, "--out", "run").code == 0
    answer = cli("export", "run", "--to", "csv", "--out", "tables")
    assert answer.code == 0, answer.err

    def rows(name: str, key: str) -> dict[str, dict[str, str]]:
        with Path("tables", f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return {row[key]: row for row in csv.DictReader(file)}

    stations = rows("substations", "poi_id")
    assert stations["N2"]["dates"] == (
        "75 MW from 2029-01-01 (state NORTH); 225 MW from 2031-01-01 (state NORTH)"
    )
    assert stations["S1"]["dates"] == "600 MW from 2034-01-01 (state SOUTH)"
    assert stations["S2"]["dates"] == ""
    assert stations["N2"]["kv_levels"] == "345;138"
    links = rows("links", "site_id")
    assert (links["P-N"]["kv"], links["P-N"]["cap_mw"]) == ("345", "1000")
    assert (links["P-L"]["kv"], links["P-L"]["grid_mw"]) == ("138", "100")
    assert rows("sites", "site_id")["P-L"]["tie_kv"] == "138"
    assert rows("letters", "offer_id")["L-1"]["ramp_years"] == "4"


def test_unknown_regions_of_rules_are_refused_and_of_tables_noted(cli: Cli) -> None:
    rule = "power.queue=[{level: state, region_id: NROTH, years: 1}]"
    answer = cli("candidates", EXAMPLE, "--set", rule)
    assert answer.code == 2
    assert "power.queue[0]: no region 'NROTH' at level 'state'" in answer.err
    assert "did you mean 'NORTH'" in answer.err
    half = cli("candidates", EXAMPLE, "--set", "power.queue=[{level: state, years: 1}]")
    assert half.code == 2
    assert "level and region_id go together" in half.err
