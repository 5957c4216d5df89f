"""Rows of the plan that cannot be judged at all: unknown ids and periods, duplicates, bad numbers.

They are reported and left out, so that every other check reads sound rows only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sitepick.checks.calendar import Calendar
from sitepick.checks.case import ANYWHERE, Case, is_number, rows_of
from sitepick.checks.fiber_prices import edges_of
from sitepick.checks.flexible import sources
from sitepick.checks.regions import RegionId, counted_regions
from sitepick.checks.states import conditions_of, study
from sitepick.checks.tolerance import MW
from sitepick.finding import Finding
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates

_SHOWN = 5
KEYS: dict[str, tuple[str, ...]] = {
    "sites": ("site_id",),
    "ties": ("site_id", "poi_id", "kv"),
    "grid": ("site_id", "poi_id", "kv", "period"),
    "onsite": ("site_id", "option", "period"),
    "stays": ("site_id", "option", "since", "until"),
    "halls": ("site_id", "hall", "period"),
    "leases": ("site_id",),
    "it": ("site_id", "hall", "hardware", "period"),
    "use": ("site_id", "hardware", "workload", "period"),
    "serve": ("site_id", "workload", "place_id", "period"),
    "turned_away": ("workload", "place_id", "period"),
    "offers": ("offer_id",),
    "nonfirm": ("site_id", "poi_id", "source", "period"),
    "shed": ("site_id", "hardware", "workload", "source", "period"),
    "backed": ("site_id", "source", "period"),
    "batteries": ("site_id", "period"),
    "upgrades": ("poi_id", "period"),
    "line_upgrades": ("branch_id",),
    "dispatch": ("condition", "period", "unit_id"),
    "excused": ("condition", "period", "branch_id", "outage_id"),
    "entered": ("level", "region_id"),
    "cash": ("year", "category"),
    "links": ("service", "from_node", "to_node", "route", "period"),
    "edges": ("edge", "period"),
    "handovers": ("split", "place_id", "from_node", "to_node", "period"),
    "smoothed": ("site_id", "period"),
    "pairs": ("edge", "period"),
    "builds": ("edge",),
    "light": ("edge", "period"),
    "waves": ("edge", "period", "peak_hours"),
    "groups": ("group", "period"),
    "members": ("group", "period", "site_id"),
}
"""What makes a row of each table unique."""
OF_GRID = ("line_upgrades", "dispatch", "excused")
"""Tables that name units and branches of a grid."""
STARTS = ("opened", "since", "until", "entered")
"""Columns that hold a period, or None for what stands already."""


def wrong_periods(scenario: Scenario, solution: Solution) -> list[Finding]:
    """Return a finding if the plan's periods are not the scenario's."""
    wanted = Calendar.of(scenario).periods
    if tuple(solution.periods) == wanted:
        return []
    apart = len(set(solution.periods) ^ set(wanted)) or 1
    message = f"the plan has other periods than the scenario ({wanted[0]} to {wanted[-1]})"
    return [Finding("rows.periods", "the plan", apart, "periods", message)]


def strangers(scenario: Scenario, candidates: Candidates, solution: Solution) -> list[str]:
    """Return why a plan cannot be judged by a scenario at all: other periods, unknown sites."""
    problems = []
    wanted = Calendar.of(scenario).periods
    if tuple(solution.periods) != wanted:
        problems.append(
            f"periods: the plan has {_span(solution.periods)}, the scenario {_span(wanted)}; "
            "a plan is judged by a scenario of the same periods"
        )
    known = {row["site_id"] for row in rows_of(candidates.sites)}
    lost = sorted({row.site_id for row in solution.sites} - known)
    if lost:
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        problems.append(
            f"sites: the scenario does not propose {', '.join(lost[:_SHOWN])}{more}, "
            "which the plan has; a plan is judged by a scenario with the same sites"
        )
    return problems


def _span(periods: Sequence[str]) -> str:
    if not periods:
        return "none"
    return f"{len(periods)} from {periods[0]} to {periods[-1]}"


def sound(case: Case, solution: Solution) -> tuple[list[Finding], Solution]:
    """Return what is wrong with single rows, and the plan without those rows."""
    known = {
        "site_id": set(case.sites),
        "poi_id": set(case.pois),
        "option": set(case.options),
        "hall": set(case.halls),
        "hardware": set(case.hardware),
        "workload": set(case.workloads),
        "place_id": {ANYWHERE, *(row["place_id"] for row in rows_of(case.candidates.places))},
        "offer_id": set(case.offers),
        "source": set(sources(case)),
        "period": set(case.calendar.periods),
        "condition": set(conditions_of(case)),
        "edge": set(edges_of(case)),
        "group": {group.name for group in case.scenario.campus_groups},
        **_of_network(case),
    }
    entries = counted_regions(case)
    found: list[Finding] = []
    kept: dict[str, Any] = {}
    for table, key in KEYS.items():
        if table in OF_GRID and study(case) is not None and case.network is None:
            kept[table] = ()  # `deliverability` says that there is nothing to judge them by
            continue
        seen: set[tuple[Any, ...]] = set()
        good = []
        for row in getattr(solution, table):
            cells = {f.name: getattr(row, f.name) for f in dataclasses.fields(row)}
            fault = _fault(cells, known) or _fault_of_table(case, table, cells, entries)
            if fault is None and table in ("ties", "grid"):  # what a row without kV means
                tie = case.tie_key(cells["site_id"], cells["poi_id"], cells["kv"])
                cells["kv"] = None if tie is None else tie[2]
            name = tuple(cells[column] for column in key)
            if fault is None and name in seen:
                fault = Finding("rows.duplicate", "", 1, "rows", "two rows say the same thing")
            if fault is not None:
                where = f"{table}: {', '.join(str(part) for part in name)}"
                found.append(dataclasses.replace(fault, where=where))
                continue
            seen.add(name)
            good.append(row)
        kept[table] = tuple(good)
    return found, dataclasses.replace(solution, **kept)


def _of_network(case: Case) -> dict[str, set[str]]:
    """Return the ids of the grid; without one, rows that name any are unknown."""
    grid = case.network
    if grid is None:
        return {"unit_id": set(), "branch_id": set(), "outage_id": set()}
    branches = set(grid.branch_ids)
    units = {*grid.plants.ids, *grid.dc_ties.ids}
    return {"unit_id": units, "branch_id": branches, "outage_id": {"base", *branches}}


def _fault(cells: dict[str, Any], known: dict[str, set[str]]) -> Finding | None:
    for column, value in cells.items():
        if column in known and value not in known[column]:
            message = f"{column} {value!r} is not in the scenario, layers or candidates"
            return Finding("rows.unknown", "", 1, "rows", message)
        if column in STARTS and value is not None and value not in known["period"]:
            message = f"{column} {value!r} is not a period"
            return Finding("rows.unknown", "", 1, "rows", message)
        if column == "edges":
            lost = [edge for edge in value if edge not in known["edge"]]
            if lost:
                message = f"edge {lost[0]!r} is not in the fiber network"
                return Finding("rows.unknown", "", len(lost), "edges", message)
            continue
        if isinstance(value, str) or value is None:
            continue
        if not is_number(value):
            return Finding("rows.number", "", 1, "rows", f"{column} is not a finite number")
        if value < -MW and column != "musd" and "unit_id" not in cells:
            unit = "MW" if column.endswith("_mw") else column
            return Finding("rows.negative", "", -value, unit, f"{column} is negative")
    return None


def _fault_of_table(
    case: Case, table: str, cells: dict[str, Any], entries: Collection[RegionId]
) -> Finding | None:
    """Return what no single column shows: ties, offers, steps and regions that do not exist."""
    message = None
    if table in ("ties", "grid"):
        site, poi, kv = cells["site_id"], cells["poi_id"], cells["kv"]
        if case.tie_key(site, poi, kv) is None:
            at = "without a stated kV" if kv is None else f"at {kv} kV"
            message = f"no such tie is possible between this site and this POI {at}"
    if table == "leases" and cells["site_id"] not in case.leases:
        message = "this site is no offer of a leased hall"
    if table == "leases" and cells["since"] is None:
        message = "a lease that the plan did not begin"
    if table == "nonfirm":
        near = {row["poi_id"] for row in case.ties_of.get(cells["site_id"], [])}
        if cells["poi_id"] not in near:
            message = "no tie is possible between this site and this POI"
    if table == "stays" and cells["since"] is None:
        message = "on-site blocks that the plan did not energise"
    if table == "offers" and case.offers[cells["offer_id"]]["poi_id"] != cells["poi_id"]:
        message = f"the offer is one of POI {case.offers[cells['offer_id']]['poi_id']}"
    if table == "upgrades" and case.scenario.power.upgrade_step is None:
        message = "the scenario offers no upgrade steps"
    if table in ("backed", "batteries") and case.scenario.flexible.battery is None:
        message = "the scenario offers no batteries"
    if table == "entered" and (cells["level"], cells["region_id"]) not in entries:
        message = "no rule asks whether this region is entered"
    return None if message is None else Finding("rows.unknown", "", 1, "rows", message)
