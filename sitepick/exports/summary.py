"""`solve --json`: one record of a run. Keys are an interface; their units: `SUMMARY_KEYS`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sitepick.exports.actions import action_row
from sitepick.exports.changes import changes_record
from sitepick.exports.costs import served_ref_mw_years, usd_per_kw_month
from sitepick.exports.fiber import fiber_sheets
from sitepick.exports.grid import summary_of
from sitepick.exports.manifest import all_seconds, finite
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheet import plain
from sitepick.exports.sheets import OBJECTIVE_UNIT
from sitepick.profiling import records

if TYPE_CHECKING:
    from pathlib import Path

    from sitepick.run import Diagnosis, Run, TurnedAway
    from sitepick.solution import Solution

SCHEMA = 1


def summary(run: Run, folder: Path | None = None) -> dict[str, Any]:
    """Return the record of a run, also of one without a plan. Numbers are finite or None.

    ``gap`` is a fraction. By-period maps are keyed by the period's first day.
    """
    scenario, solution, outcome = run.prepared.scenario, run.solution, run.outcome
    candidates = run.prepared.candidates
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "status": outcome.status if solution is None else solution.status,
        "objective": {
            "name": scenario.objective,
            "sense": "minimise" if scenario.objective == "min_cost" else "maximise",
            "value": None if solution is None else finite(solution.objective),
            "bound": finite(outcome.bound if solution is None else solution.bound),
            "unit": OBJECTIVE_UNIT[scenario.objective],
        },
        "gap": None if solution is None else finite(solution.gap),
        "gap_without_penalty": None if solution is None else finite(solution.gap_without_penalty),
        "bound_certified": solution is not None and solution.bound_certified,
        "net_present_cost_musd": None
        if solution is None
        else plain(solution.net_present_cost_musd),
        "penalty_musd": None if solution is None else plain(solution.penalty_musd),
        **(_EMPTY if solution is None else _plan(run, solution)),
        "seconds": all_seconds(run),
        "profile": records(),
        "run": None if folder is None else str(folder),
        "verified": solution is not None and not run.findings,
        "synthetic": candidates.synthetic,
        "notes": [
            {"role": n.role, "code": n.code, "message": plain(n.message), "count": n.count}
            for n in dict.fromkeys((*run.prepared.layers.notes, *candidates.notes))
        ],
        "shortfall": [plain(asdict(s)) for s in run.shortfall],
        "baseline": changes_record(run),
        "why_turned_away": [_away(row) for row in run.turned_away],
        "diagnosis": None if run.diagnosis is None else _diagnosis(run.diagnosis),
    }
    return record


def _away(row: TurnedAway) -> dict[str, Any]:
    record: dict[str, Any] = plain(asdict(row))
    return record


def _diagnosis(found: Diagnosis) -> dict[str, Any]:
    record = asdict(found)
    record["remedies"] = [[plain(c) for c in remedy] for remedy in record["remedies"]]
    record["relaxed"] = [plain(row) for row in record["relaxed"]]
    return {**record, "contradictions": list(found.contradictions), "seconds": plain(found.seconds)}


_EMPTY: dict[str, Any] = {
    "sites": [], "it_mw": {}, "leased_it_mw": {}, "grid_mw": {}, "nonfirm_grid_mw": {},
    "served": {}, "turned_away": {}, "capex_musd": {}, "actions": [], "unit_cost": None,
    "grid": None, "campus_groups": [], "campus_members": [], "fiber_links": [], "fiber_edges": [],
}  # fmt: skip
_FIBER = ("campus_groups", "campus_members", "fiber_links", "fiber_edges")


def _nonfirm(made: SiteRows) -> dict[str, float | None]:
    """Return contracted grid MW that may be curtailed by period; None where that is not asked."""
    if not made.flexible.applies:
        return dict.fromkeys(made.solution.periods)
    out: dict[str, float | None] = dict.fromkeys(made.solution.periods, 0.0)
    for (_, period), mw in made.flexible.nonfirm_mw.items():
        out[period] = _plus(out[period], mw)
    return out


def _plan(run: Run, solution: Solution) -> dict[str, Any]:
    scenario = run.prepared.scenario
    made = SiteRows(scenario, run.prepared.candidates, solution)
    rows = made.sheet().rows
    last = solution.periods[-1]
    has_grid = scenario.power.model == "grid"
    tables = {sheet.name: sheet.rows for sheet in fiber_sheets(run, made)}
    it_mw = dict.fromkeys(solution.periods, 0.0)
    leased = dict.fromkeys(solution.periods, 0.0)
    grid_mw: dict[str, float | None] = dict.fromkeys(solution.periods, 0.0 if has_grid else None)
    for row in rows:
        it_mw[row["period"]] += row["it_mw"]
        leased[row["period"]] += row.get("leased_it_mw", 0.0)
        grid_mw[row["period"]] = _plus(grid_mw[row["period"]], row["grid_mw_peak"])
    return {
        "sites": [
            {
                "id": row["site_id"],
                "name": row["name"],
                "opened": made.opened[row["site_id"]],
                "poi_ids": made.pois_of(row["site_id"], last),
                "it_mw": row["it_mw"],
                "grid_mw": row["grid_mw_peak"],
                "lon": row["lon"],
                "lat": row["lat"],
            }
            for row in rows
            if row["period"] == last
        ],
        "it_mw": plain(it_mw),
        "leased_it_mw": plain(leased),
        "grid_mw": plain(grid_mw),
        "nonfirm_grid_mw": plain(_nonfirm(made)),
        "served": _by_workload(run, ((r.period, r.workload, r.ref_mw) for r in solution.serve)),
        "turned_away": _by_workload(
            run, ((r.period, r.workload, r.ref_mw) for r in solution.turned_away)
        ),
        "capex_musd": _capex(solution),
        "actions": [action_row(action) for action in made.actions],
        "unit_cost": unit_cost(run),
        "grid": None if run.grid is None else summary_of(run.grid, made),
        **{name: tables.get(name, []) for name in _FIBER},
    }


def unit_cost(run: Run) -> dict[str, float] | None:
    """Return the net present cost per discounted ref_mw-year served; None if nothing is served."""
    assert run.solution is not None
    years = served_ref_mw_years(run.prepared.scenario, run.solution)
    if years <= 0:
        return None
    per_year = run.solution.net_present_cost_musd / years
    return {
        "musd_per_ref_mw_year": plain(per_year),
        "usd_per_kw_month": plain(usd_per_kw_month(per_year)),
    }


def _by_workload(
    run: Run, amounts: Iterable[tuple[str, str, float]]
) -> dict[str, dict[str, float]]:
    assert run.solution is not None
    names = list(run.prepared.scenario.demand.named())
    out = {p: dict.fromkeys(names, 0.0) for p in run.solution.periods}
    for period, workload, amount in amounts:
        out[period][workload] += amount
    return {p: plain(of) for p, of in out.items()}


def _capex(solution: Solution) -> dict[str, dict[str, float]]:
    years: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in sorted(solution.cash, key=lambda c: (c.year, c.category)):
        years[str(row.year)][row.category] += row.musd
    out = {}
    for year, of in years.items():
        out[year] = {k: plain(v) for k, v in of.items()} | {"total": plain(sum(of.values()))}
    return out


def _plus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
