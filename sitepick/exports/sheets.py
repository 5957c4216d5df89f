"""All sheets of a run, made once and written in every format."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick import __version__
from sitepick.exports.actions import actions_sheet
from sitepick.exports.changes import changes_sheet
from sitepick.exports.fiber import fiber_sheets
from sitepick.exports.grid import grid_sheets
from sitepick.exports.leases import leases_sheet
from sitepick.exports.onsite import onsite_sheet
from sitepick.exports.places import candidates_sheet, links_sheet, regions_sheet, sites_sheet
from sitepick.exports.places import substations_sheet as substations
from sitepick.exports.routes import route_sheets
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheet import Field, Row, Sheet, as_kind, plain, with_keep
from sitepick.exports.stages import offer_from
from sitepick.exports.verdicts import explain_sheets
from sitepick.scenario.power import STAGES

if TYPE_CHECKING:
    from sitepick.run import Run

SYNTHETIC = "Synthetic grid or other synthetic input: MW shown are not real headroom."
NOT_CHECKED = (
    "Checked is arithmetic against the inputs. Voltage, short circuit, stability and protection are"
    " not modelled, and no utility has approved anything."
)
OBJECTIVE_UNIT = {"min_cost": "MUSD", "max_compute": "ref_mw-years", "earliest_mw": "IT MW-years"}


def run_sheets(run: Run, made: SiteRows | None = None) -> list[Sheet]:
    """Return every sheet of a run with a plan. Raises ValueError without one.

    ``made``: its `SiteRows`, where they are known already.
    """
    if run.solution is None:
        raise ValueError("a run without a plan has no sheets")
    if made is None:
        made = SiteRows(run.prepared.scenario, run.prepared.candidates, run.solution)
    by_period = made.sheet()
    regions = regions_sheet(run, made)
    return [
        sites_sheet(made, by_period),
        by_period,
        candidates_sheet(made, run.verdicts),
        substations(made),
        *route_sheets(run),
        links_sheet(made),
        *fiber_sheets(run, made),
        *([regions] if regions is not None else []),
        *_onsite(made),
        *([leases_sheet(made, run.verdicts)] if made.leases.rows else []),
        cash_sheet(run),
        actions_sheet(made.scenario, made.actions, made.look.sites, made.look.pois),
        letters_sheet(made),
        *([] if run.compared is None else [changes_sheet(run.compared)]),
        *([made.flexible.sheet()] if made.flexible.applies else []),
        *grid_sheets(run, made),
        *explain_sheets(run),
        notes_sheet(run),
        run_info(run),
    ]


def _onsite(made: SiteRows) -> list[Sheet]:
    if not made.scenario.onsite.options:
        return []
    return [onsite_sheet(made.scenario, made.solution, made.look.sites)]


def cash_sheet(run: Run) -> Sheet:
    """Return the sheet ``cash``: capital paid by calendar year and category."""
    assert run.solution is not None
    money = f"MUSD (real, {run.prepared.scenario.money.price_year})"
    fields = (
        Field("year", "calendar year", "integer", "year in which it is paid"),
        Field("category", "", "text",
              "facility, it, ties, onsite, land, site, fiber, upgrades, security, entry or "
              "battery"),
        Field("cash_musd", money, "number", "capital paid, not discounted"),
    )  # fmt: skip
    rows: list[Row] = [
        {"year": c.year, "category": c.category, "cash_musd": plain(c.musd)}
        for c in sorted(run.solution.cash, key=lambda c: (c.year, c.category))
    ]
    return Sheet("cash", "capital paid by calendar year and category", fields, rows)


def letters_sheet(made: SiteRows) -> Sheet:
    """Return the sheet ``letters``: every offer, whether it counts, and what the plan takes."""
    power = made.scenario.power
    taken: dict[str, float] = defaultdict(float)
    for take in made.solution.offers:
        taken[take.offer_id] += take.grid_mw
    money = f"MUSD (real, {made.scenario.money.price_year})"
    fields = [
        Field("stage", "", "text", "how firm: " + ", ".join(STAGES) + " (firmest first)"),
        Field("offer_id", "", "text", "id of the offer"),
        Field("poi_id", "", "text", "POI (substation)"),
        Field("mw_total", "grid MW", "number", "cumulative MW at the POI with this offer"),
        Field("used_grid_mw", "grid MW", "number",
              "contracted by the plan from this offer, beyond lower ones"),
        Field("counts", "", "boolean", "true: its stage counts; it is firm, or non-firm counts"),
        Field("counts_from", "date", "date", "its date with the stage's slip; empty: at once"),
        Field("from_date", "date", "date", "first day, as stated"),
        Field("to_date", "date", "date", "last day; empty: for good"),
        Field("firm", "", "boolean", "true: not curtailable"),
        Field("curtail_hours_per_year", "hours per year", "number", "most hours of curtailment"),
        Field("min_take_pct", "%", "number", "share billed even if not used"),
        Field("ramp_years", "years", "number", "its MW grow to all over these years"),
        Field("security_kusd_per_mw", "kUSD per grid MW", "number", "security to be put up"),
        Field("upgrade_musd", money, "number", "network upgrade to be paid on acceptance"),
        Field("reply_by", "date", "date", "last day to answer"),
        Field("letter_date", "date", "date", "date of the letter"),
        Field("source", "", "text", "where it comes from, as given"),
    ]  # fmt: skip
    rows = []
    for offer in made.look.offers.values():
        row = {f.name: offer.get(f.name) for f in fields}
        row["used_grid_mw"] = plain(taken.get(offer["offer_id"], 0.0))
        firm = bool(offer["firm"]) or power.nonfirm != "exclude"
        row["counts"] = offer["stage"] in power.count_stages and firm
        start = offer_from(offer, made.scenario)
        row["counts_from"] = start.isoformat() if start else None
        for name in ("mw_total", "curtail_hours_per_year", "min_take_pct",
                     "ramp_years", "security_kusd_per_mw", "upgrade_musd"):  # fmt: skip
            row[name] = as_kind(row[name], "number")
        rows.append(row)
    rows.sort(key=lambda r: (STAGES.index(r["stage"]), r["offer_id"]))
    done, rows = with_keep(
        fields, rows, made.look.offers, made.candidates.offers.columns, "offer_id"
    )
    return Sheet("letters", "utility letters by stage, and the MW used", done, rows)


def notes_sheet(run: Run) -> Sheet:
    """Return the sheet ``notes``: what was noted on the inputs."""
    fields = (
        Field("role", "", "text", "input it concerns"),
        Field("code", "", "text", "stable code of the note"),
        Field("rows", "rows", "integer", "how many rows it concerns"),
        Field("message", "", "text", "the note"),
    )
    notes = (*run.prepared.layers.notes, *run.prepared.candidates.notes)
    rows: list[Row] = [
        {"role": n.role, "code": n.code, "rows": n.count, "message": plain(n.message)}
        for n in dict.fromkeys(notes)
    ]
    return Sheet("notes", "what was noted while the inputs were read", fields, rows)


def run_info(run: Run) -> Sheet:
    """Return the sheet ``run_info``: what this plan is, in words. No times and no folders."""
    solution, scenario = run.solution, run.prepared.scenario
    assert solution is not None
    unit = OBJECTIVE_UNIT[scenario.objective]
    info = {
        "sitepick": __version__,
        "scenario": plain(scenario.name),
        "as_of": scenario.as_of.isoformat(),
        "horizon": f"{scenario.periods.from_} to {scenario.periods.to}",
        "money": f"real MUSD of {scenario.money.price_year}",
        "objective": scenario.objective,
        "status": solution.status,
        "objective_value": f"{solution.objective:.6f} {unit}",
        "bound": f"{solution.bound:.6f} {unit}",
        "gap_pct": f"{100 * solution.gap:.4f}",
        "gap_without_penalty_pct": f"{100 * solution.gap_without_penalty:.4f}",
        "bound_certified": "yes" if solution.bound_certified else "no",
        "verified": "no: the check found faults" if run.findings else "yes (arithmetic)",
        "not_checked": NOT_CHECKED,
        "synthetic": SYNTHETIC if run.prepared.candidates.synthetic else "no",
        **_licences(run),
    }
    fields = (
        Field("item", "", "text", "what the row tells"),
        Field("value", "", "text", "its value, with the unit"),
    )
    rows: list[Row] = [{"item": k, "value": v} for k, v in info.items()]
    return Sheet("run_info", "what this plan is", fields, rows)


def _licences(run: Run) -> dict[str, str]:
    """Return, by role, who is to be named for the inputs: file names with their licences."""
    sources = (*run.prepared.layers.sources, *run.prepared.candidates.sources)
    of: dict[str, list[str]] = defaultdict(list)
    for source in dict.fromkeys(sources):
        name = re.split(r"[\\/:]", source.path)[-1]
        of[source.role].append(f"{plain(name)}: {plain(source.licence) or 'not stated'}")
    return {f"licence_{role}": "; ".join(dict.fromkeys(found)) for role, found in of.items()}
