"""Plans with on-site power made wrong by hand: each is found, with its amount."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from helpers import tiny
from helpers.tiny import added, changed, dropped

from sitepick import pipeline
from sitepick.run import Run
from sitepick.solution import OnsiteRow, Solution, StayRow

SCENARIOS = Path(__file__).parents[2] / "scenarios"
Y = [f"{y}-01-01" for y in range(2028, 2033)]
BACKUP = ("onsite.options.0.after=backup",)
ISLAND = ("onsite.options=[{base: recip, lead_months: 12}]", "layers.power_offers=[]")
BESIDE = (
    "onsite.options=[{base: recip, lead_months: 12, islanded: false}]", "power.tie_months=12",
    "demand.it_mw=120",
)  # fmt: skip


@cache
def run(name: str, *changes: str) -> Run:
    loaded = pipeline.load(SCENARIOS / name / "sitepick.yaml", changes)
    return pipeline.solve(pipeline.prepare(loaded), gap=1e-6)


def plan_of(base: Run) -> Solution:
    assert base.solution is not None
    return base.solution


def found(base: Run, made: Solution, **places: Any) -> dict[str, list[float]]:
    """Return the amounts by check; costs and totals are restated first."""
    candidates = dataclasses.replace(base.prepared.candidates, **places)
    out: dict[str, list[float]] = {}
    for finding in tiny.judged(made, base.prepared.scenario, candidates):
        out.setdefault(finding.check, []).append(pytest.approx(finding.amount, abs=1e-5))
    return out


def test_right_plans_have_no_finding() -> None:
    for base in (
        run("bridge"), run("bridge", *BACKUP), run("bridge", *ISLAND), run("bridge", *BESIDE),
        run("solar_storage"),
    ):  # fmt: skip
        assert found(base, plan_of(base)) == {}


def test_more_firm_mw_than_blocks_beyond_the_spare_one() -> None:
    base = run("bridge")
    made = changed(plan_of(base), "onsite", {"period": Y[0]}, firm_mw=57.0)
    # 6 x 10 MW with one spare are 50; and the letter of 2030 has 100 for the site
    assert found(base, made) == {"onsite.firm": [7]}


def test_a_bridge_beyond_the_grid_mw_that_it_waits_for() -> None:
    base = run("bridge")
    made = plan_of(base)
    for year in Y[2:]:
        made = changed(made, "grid", {"period": year}, grid_mw=45.0)
    # firm 50 against 45 in the end, twice; and from 2030 on 80 IT MW x 1.25 and the energy lack MW
    amounts = found(base, made)
    assert amounts["onsite.until"] == [5, 5]
    assert amounts["power.balance"] == [55, 55, 55]


def test_a_bridge_that_serves_on_when_its_mw_are_there() -> None:
    base = run("bridge", *BACKUP)
    made = changed(plan_of(base), "onsite", {"period": Y[2]}, firm_mw=50.0, mean_mw=35.2)
    made = changed(made, "grid", {"period": Y[2]}, grid_mw=50.0)
    # the letter's 120 MW are dated 2030
    assert found(base, made) == {"onsite.dated": [50]}


def test_backup_serves_no_energy() -> None:
    base = run("bridge", *BACKUP)
    made = changed(plan_of(base), "onsite", {"period": Y[3]}, mean_mw=7.0)
    assert found(base, made) == {"onsite.backup": [7]}


def test_more_energy_than_blocks_can_give_or_the_site_needs() -> None:
    base = run("bridge")
    made = changed(plan_of(base), "onsite", {"period": Y[0]}, mean_mw=58.0)
    # 60 MW x 0.95 are 57; the bridge stands in for 50; the site needs 35.2
    assert found(base, made) == {
        "onsite.energy": [1], "onsite.backup": [8], "power.energy": [22.8]
    }  # fmt: skip


def test_blocks_that_no_stay_explains() -> None:
    base = run("bridge")
    made = changed(plan_of(base), "onsite", {"period": Y[1]}, blocks=8.0, mw=80.0)
    assert found(base, made) == {"onsite.blocks": [2]}
    made = changed(plan_of(base), "onsite", {"period": Y[1]}, mw=66.0)
    assert found(base, made) == {"onsite.mw": [6]}


def test_too_early_part_of_a_block_and_without_gas() -> None:
    base = run("bridge", "periods.from=2027-07", "periods.to=2032-06", "demand.it_mw={2029: 40}")
    made = plan_of(base)
    (stay,) = made.stays
    early = changed(made, "stays", {"since": stay.since}, since="2027-07-01")
    amounts = found(base, early)
    assert amounts["onsite.early"] == [184]  # days to 2028-01-01: 12 months from 2027-01-01
    base = run("bridge")
    half = changed(plan_of(base), "stays", {"since": Y[0]}, blocks=5.5)
    assert found(base, half)["onsite.whole"] == [0.5]
    none = base.prepared.candidates.onsite.iloc[:0]
    assert found(base, plan_of(base), onsite=none)["onsite.access"] == [60]


def test_blocks_that_cannot_leave_or_leave_before_they_come() -> None:
    base = run("bridge", *BACKUP)
    made = changed(plan_of(base), "stays", {"since": Y[0]}, until=Y[2])
    assert found(base, made)["onsite.leaves"] == [6]
    base = run("bridge")
    made = changed(plan_of(base), "stays", {"since": Y[0]}, until=Y[0])
    assert found(base, made)["onsite.life"] == [1]


def test_prime_power_without_a_tie() -> None:
    base = run("bridge", *BESIDE)
    made = plan_of(base)
    first = min(r.period for r in made.onsite if r.firm_mw > 0)
    site = made.onsite[0].site_id
    cut = dropped(made, "ties", site_id=site)
    cut = dataclasses.replace(cut, grid=tuple(g for g in cut.grid if g.site_id != site))
    firm = {r.period: r.firm_mw for r in made.onsite}
    assert found(base, cut)["onsite.tied"][0] == firm[first]


def test_a_permit_and_the_land() -> None:
    base = run("bridge", *ISLAND)
    sites = base.prepared.candidates.sites.assign(usable_ha=24.0)
    # halls of 20 x 0.2 ha, engines 0.08 ha per MW: 4 x 4 and 120 x 0.08 from 2030 on
    made = plan_of(base)
    halls = {h.period: h.halls for h in made.halls}
    used = [halls[r.period] * 4.0 + r.mw * 0.08 for r in made.onsite]
    over = [u - 24 for u in used if u > 24 + 1e-3]
    assert found(base, made, sites=sites).get("siting.land", []) == over
    assert over, "the world is too small to say anything"


def test_salvage_and_fuel_are_counted_from_the_rows() -> None:
    base = run("bridge")
    made = plan_of(base)
    cheap = dataclasses.replace(made, npc_musd={**made.npc_musd, "onsite": 1.0})
    findings = pipeline.check(base.prepared, cheap)
    assert {"costs.onsite", "claims.objective"} == {f.check for f in findings}
    amount = made.npc_musd["onsite"] - 1
    assert findings[0].amount == pytest.approx(amount)
    cheap = dataclasses.replace(made, npc_musd={**made.npc_musd, "onsite_running": 1.0})
    assert "costs.onsite_running" in {f.check for f in pipeline.check(base.prepared, cheap)}
    less = tuple(c for c in made.cash if c.category != "onsite")
    findings = pipeline.check(base.prepared, dataclasses.replace(made, cash=less))
    assert [(f.check, f.amount) for f in findings] == [("cash", pytest.approx(114))]


def test_rows_of_nothing_known() -> None:
    base = run("bridge")
    strange = added(plan_of(base), "onsite", OnsiteRow("P1", "reactor", Y[0], 1, 1, 1, 1, 1, 0))
    strange = added(strange, "stays", StayRow("P1", "engines", "2040-01-01", None, 1))
    findings = pipeline.check(base.prepared, strange)
    assert [f.check for f in findings] == ["rows.unknown", "rows.unknown"]


def test_carbon_counts_what_is_burnt_on_site() -> None:
    # 35.2 mean MW x 8760 h x 451 kg/MWh are 139 kt a year; 70.4 grid MW x 370 are 228 kt
    base = run("bridge")
    capped = base.prepared.scenario.model_copy(
        update={"limits": base.prepared.scenario.limits.model_copy(
            update={"co2_kt_per_year_max": 130.0})}
    )  # fmt: skip
    findings = tiny.judged(plan_of(base), capped, base.prepared.candidates)
    burnt = 35.2 * 8760 * 8.5 * 53.06 / 1e6
    drawn = 70.4 * 8760 * 370 / 1e6
    over = [f.amount for f in findings if f.check == "limits.co2"]
    assert over == pytest.approx([burnt - 130] * 2 + [drawn - 130] * 3)
