"""Change against an earlier plan: its weights by hand, what is kept, and what the check sees."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from helpers import tiny, worlds
from helpers.tiny import P0, P1, P2

from sitepick.blocks.change import CHANGE, settled_mw_years
from sitepick.blocks.columns import it_at, open_at, tie_at
from sitepick.candidates.types import Candidates
from sitepick.checks import change, judge
from sitepick.checks.case import Case
from sitepick.earlier import earlier_notes, earlier_table, moved
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.solution import ItRow, MovedRow, SiteRow, Solution, TieRow
from sitepick.solve.outcome import Limits
from sitepick.steady import steadied

LIMITS = Limits(gap=1e-3, threads=1)
DEAR = tiny.scenario(
    demand={
        "workloads": {
            name: {**asked, "shortfall_musd_per_mw_year": 60}
            for name, asked in tiny.SCENARIO["demand"]["workloads"].items()
        }
    }
)
"""The tiny world where work is worth its sites."""
DAYS = [date(year, 1, 1) for year in (2028, 2029, 2030, 2031)]


def with_earlier(plan: Solution, tables: Candidates | None = None) -> Candidates:
    return dataclasses.replace(tables or tiny.candidates(), earlier=earlier_table(plan, DAYS))


def test_a_plan_as_a_table() -> None:
    table = earlier_table(tiny.plan(), DAYS)
    assert [tuple(r) for r in table.itertuples(index=False)][3:6] == [
        ("B", date(2028, 1, 1), date(2028, 12, 31), False, 0.0, ("Q",)),
        ("B", date(2029, 1, 1), date(2029, 12, 31), True, 15.0, ("Q",)),
        ("B", date(2030, 1, 1), date(2030, 12, 31), True, 15.0, ("Q",)),
    ]
    assert list(table["site_id"].unique()) == ["A", "B", "C"]


def test_the_weights_by_hand() -> None:
    """A keeps 12 of 20 MW in 2029, B moves from POI Q to P, C goes nowhere; of 3 years."""
    planner = Planner(worlds.prepared(tiny.scenario(), with_earlier(tiny.plan())), LIMITS)
    program, inst = planner.program, planner.instance
    assert inst.earlier is not None
    it, x = it_at(program, inst), np.zeros(program.n_columns)
    kept = program.index("change.kept", (3, 3))
    mw = {("A", 0): 20, ("A", 1): 12, ("A", 2): 25, ("B", 1): 15, ("B", 2): 15,
          ("C", 0): 8, ("C", 1): 8, ("C", 2): 8}  # fmt: skip
    for (site, t), value in mw.items():
        i = inst.sites.ids.index(site)
        here = it[i, :, :, t]
        x[here[here >= 0][0]] = value
        x[kept[i, t]] = min(value, inst.earlier.it_mw[i, t])
    level = open_at(program, inst)
    x[level] = [[1, 1, 1], [0, 1, 1], [1, 1, 1]]
    names = inst.dims["tie"]
    x[tie_at(program, inst)[names.index("B>P"), 1:]] = 1
    program.minimise((CHANGE,))
    value = program.matrix.objective(x) + settled_mw_years(inst)
    # 8 MW less in 2029 and 5 more in 2030; 5 MW for the other POI in two years
    assert value == pytest.approx(8 + 5 + 10)
    x[level[0, 0]] = 0  # A a year later, B a year earlier: 10 MW each
    x[level[1, 0]] = 1
    assert program.matrix.objective(x) + settled_mw_years(inst) == pytest.approx(8 + 5 + 10 + 20)


def test_periods_are_matched_by_date() -> None:
    """Half-years from mid-2029: compared with the year that they lie in, not beyond 2030."""
    scenario = tiny.scenario(periods={"from": "2029-07", "to": "2031-06", "step": "half_year"})
    planner = Planner(worlds.prepared(scenario, with_earlier(tiny.plan())), LIMITS)
    earlier = planner.instance.earlier
    assert earlier is not None
    assert earlier.compared.tolist() == [True, True, True, False]
    assert earlier.it_mw.tolist() == [[20, 20, 20, 0], [15, 15, 15, 0], [8, 8, 8, 0]]
    assert earlier.stands.tolist() == [[True, True, True, False]] * 3
    assert settled_mw_years(planner.instance) == pytest.approx((43 + 30) * 1.5)


def test_what_cannot_be_kept_is_told() -> None:
    tables = tiny.candidates()
    sites = tables.sites.copy()
    sites["status"] = np.where(sites["site_id"] == "A", "rejected", sites["status"])
    plan = dataclasses.replace(
        tiny.plan(), sites=(*tiny.plan().sites, SiteRow("Z", P0)),
        ties=(TieRow("B", "R", P1),),
    )  # fmt: skip
    starts = [date(2028, 1, 1), date(2029, 1, 1), date(2030, 1, 1), date(2031, 1, 1),
              date(2032, 1, 1)]  # fmt: skip
    told = {
        n.code: n.message
        for n in earlier_notes(earlier_table(plan, DAYS), sites, tables.ties, starts)
    }
    assert told == {
        "baseline_gone": "1 site of the earlier plan is in no layer any more: Z",
        "baseline_rejected": "1 site of the earlier plan is screened out now: A",
        "baseline_tie": "1 tie of the earlier plan is not possible now: B at R",
        "baseline_periods": "1 period is outside the earlier plan (2028-01-01 to 2030-12-31) and "
        "not compared: 2031-01-01",
    }
    none = dataclasses.replace(tiny.plan(), sites=())
    (note,) = earlier_notes(earlier_table(none, DAYS), sites, tables.ties, starts)
    assert note.code == "baseline_empty"
    planner = Planner(worlds.prepared(tiny.scenario(), with_earlier(none)), LIMITS)
    assert planner.instance.earlier is None
    assert planner.program.columns_of("change.kept") is None


def replanned(tables: Candidates, before: Solution) -> tuple[Planner, Solution, Prepared]:
    world = worlds.prepared(DEAR, with_earlier(before, tables))
    return Planner(world, LIMITS), before, world


def test_the_plan_that_changes_least_is_as_good_as_it_is_told_to_be() -> None:
    """A site may hold half of what it has: what it lacks moves, little else, and it is proven."""
    first = Planner(worlds.prepared(DEAR, tiny.candidates()), LIMITS)
    _, before = first.solve(None)
    assert before is not None
    same, _, world = replanned(tiny.candidates(), before)
    free, _ = same.solve(None)
    out, plan, told = steadied(same, free, before)
    assert plan is not None
    assert told.kept
    assert plan.moved == ()
    assert plan.sites == before.sites
    assert out.bound == free.bound
    assert judge(world.scenario, world.layers, world.candidates, plan) == []

    sites = tiny.candidates().sites.copy()
    most = max(before.it, key=lambda row: row.it_mw if row.site_id != "C" else 0.0)
    assert most.site_id != "C"
    sites["max_it_mw"] = np.where(sites["site_id"] == most.site_id, most.it_mw / 2, np.nan)
    tighter = dataclasses.replace(tiny.candidates(), sites=sites)
    planner, _, world = replanned(tighter, before)
    free, loose = planner.solve(None)
    out, plan, told = steadied(planner, free, before)
    assert plan is not None
    assert loose is not None
    assert not told.kept
    assert out.gap <= LIMITS.gap
    assert out.status == free.status
    assert judge(world.scenario, world.layers, world.candidates, plan) == []
    assert told.least_mw_years <= told.change_mw_years
    assert told.change_mw_years == pytest.approx(told.least_mw_years, rel=2e-3, abs=0.05)
    assert sum(abs(r.it_mw - r.earlier_it_mw) for r in plan.moved) <= sum(
        abs(r.it_mw - r.earlier_it_mw) for r in loose.moved
    )


TOLD = [
    ({}, []),
    (
        {"earlier_it_mw": 21.0},
        [("change.moved", "site A, 2028-01-01", 5.0)],
    ),
    (
        {"it_mw": 18.0},
        [("change.moved", "site A, 2028-01-01", 2.0)],
    ),
    ({"period": "2035-01-01"}, [("change.moved", "site A, 2028-01-01", 4.0),
                                ("change.row", "site A, 2035-01-01", 1.0)]),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "wanted"), TOLD)
def test_a_move_that_is_told_wrongly_is_found(
    cells: dict[str, object], wanted: list[tuple[str, str, float]]
) -> None:
    before = tiny.changed(tiny.plan(), "it", {"site_id": "A", "period": P0}, it_mw=16.0)
    right = MovedRow("A", P0, 16.0, 20.0)
    tables = with_earlier(before)
    assert moved(tables.earlier, tiny.plan()) == (right,)
    plan = dataclasses.replace(tiny.plan(), moved=(dataclasses.replace(right, **cells),))  # type: ignore[arg-type]
    found = change.check(Case(tiny.scenario(), tables, plan))
    assert [(f.check, f.where, f.amount) for f in found] == wanted


def test_untold_doubled_and_nonsense_moves_are_found() -> None:
    plan = dataclasses.replace(
        tiny.plan(),
        moved=(
            MovedRow("C", P2, 0.0, float("nan")),
            MovedRow("B", P1, 15.0, 15.0),
            MovedRow("B", P1, 15.0, 15.0),
        ),
    )
    lost = dataclasses.replace(
        tiny.plan(), it=(*tiny.plan().it, ItRow("Z", "std", "old", P0, 3.0, 3.0)),
        sites=(*tiny.plan().sites, SiteRow("Z", P0)),
    )  # fmt: skip
    found = change.check(Case(tiny.scenario(), with_earlier(lost), plan))
    assert sorted((f.check, f.where, f.amount) for f in found) == [
        ("change.moved", f"site Z, {P0}", 3.0),
        ("change.row", f"site B, {P1}", 1),
        ("change.row", f"site C, {P2}", 1),
    ]


def test_without_a_baseline_nothing_is_compared() -> None:
    assert moved(tiny.candidates().earlier, tiny.plan()) == ()
