"""Claims: the objective, the bound and the gaps that the plan states for itself."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from sitepick.checks.case import Case, is_number
from sitepick.checks.tolerance import RELATIVE, more, off, share_of
from sitepick.finding import Finding

UNITS = {"min_cost": "MUSD", "max_compute": "ref_mw-years", "earliest_mw": "IT MW-years"}


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for each stated total that the plan's own figures contradict."""
    plan, aim = case.solution, case.scenario.objective
    unit = UNITS[aim]
    if plan.status not in ("optimal", "feasible"):
        message = f"a plan cannot have the status {plan.status!r}"
        yield Finding("claims.status", "the plan", 1, "plans", message)
    for name in ("objective", "bound", "gap", "gap_without_penalty"):
        if isnan(getattr(plan, name)):
            yield Finding("claims.number", name, 1, "figures", f"{name} is not a number")
            return
    value = objective(case)
    slack = RELATIVE * max(1e-3, abs(value))
    apart = off(plan.objective, value, slack)
    if apart:
        message = f"the objective is stated as {plan.objective:,.9g}, its parts make {value:,.9g}"
        yield Finding("claims.objective", aim, apart, unit, message)
    better = _distance(aim, plan.bound, plan.objective)
    if better > share_of(plan.objective):
        message = f"the objective {plan.objective:,.9g} is better than the bound {plan.bound:,.9g}"
        yield Finding("claims.bound", aim, better, unit, message)
    yield from _gaps(case)


def objective(case: Case) -> float:
    """Return the objective from the plan's own rows: see docs/model.md for the three of them."""
    plan, aim = case.solution, case.scenario.objective
    each = case.calendar.years_each
    if aim == "min_cost":
        return sum(plan.npc_musd.values())
    if aim == "max_compute":
        return each * sum(
            mw * case.workloads[workload].weight for (_, workload, _, _), mw in case.served.items()
        )
    return each * sum(row.it_mw for row in case.it_rows.values())


def _distance(aim: str, first: float, second: float) -> float:
    """Return by how much ``second`` is better than ``first``."""
    return first - second if aim == "min_cost" else second - first


def _gaps(case: Case) -> Iterator[Finding]:
    """Yield a finding if a gap is not the distance of objective and bound over its base."""
    plan, aim = case.solution, case.scenario.objective
    bases = {"gap": plan.objective}
    if aim == "min_cost":
        other = plan.objective - plan.penalty_musd
        # a plan that builds nothing pays nothing else: its gap is the one of all cost
        none = abs(other) <= 1e-6 * abs(plan.objective)
        bases["gap_without_penalty"] = plan.objective if none else other
    if not (is_number(plan.objective) and is_number(plan.bound)):
        return
    distance = max(0.0, -_distance(aim, plan.bound, plan.objective))
    for name, base in bases.items():
        if abs(base) < 1e-9:
            continue
        gap, stated = distance / abs(base), getattr(plan, name)
        apart = more(abs(stated - gap), RELATIVE * max(1.0, gap), 0.0)
        if apart:
            message = f"{name} is stated as {stated:.6%}, objective and bound make it {gap:.6%}"
            yield Finding(f"claims.{name}", aim, abs(stated - gap), "share", message)
