"""`data_dictionary.csv`: what every column of every file means, from the sheets themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sitepick.exports.sheet import Field, Row, Sheet

SUMMARY_KEYS: tuple[Field, ...] = (
    Field("schema", "", "integer", "version of this record"),
    Field("status", "", "text", "optimal (the asked gap is met), feasible, infeasible or no_plan"),
    Field("objective", "", "json", "name, sense, value, bound and unit of the objective"),
    Field("gap", "fraction", "number", "(value - bound) / value of the objective, 0.01 is 1 %"),
    Field("gap_without_penalty", "fraction", "number",
          "the same, of the net present cost without the price of turned-away work "
          "(of all cost where nothing else is paid)"),
    Field("bound_certified", "", "boolean", "true: the bound was derived again without a solver"),
    Field("net_present_cost_musd", "MUSD", "number",
          "annuities within the horizon and yearly costs, discounted; no penalty in it"),
    Field("penalty_musd", "MUSD", "number", "discounted price of turned-away work"),
    Field("sites", "", "json",
          "id, name, opened, poi_ids, it_mw and grid_mw at the horizon's end, lon, lat"),
    Field("it_mw", "IT MW", "json", "installed IT power by period"),
    Field("leased_it_mw", "IT MW", "json", "IT power leased, used or not, by period"),
    Field("grid_mw", "grid MW", "json",
          "contracted at POIs by period, existing contracts included; null without a grid"),
    Field("nonfirm_grid_mw", "grid MW", "json",
          "part of grid_mw that may be curtailed, by period; null without power.nonfirm: flexible"),
    Field("served", "ref_mw", "json", "work served by period and workload"),
    Field("turned_away", "ref_mw", "json", "work not served by period and workload"),
    Field("capex_musd", "MUSD", "json", "capital paid by calendar year and category, and total"),
    Field("actions", "", "json", "what must be done by when, columns as in actions.csv, by date"),
    Field("unit_cost", "", "json",
          "net present cost over discounted served ref_mw-years: usd_per_kw_month, "
          "musd_per_ref_mw_year; null if nothing is served"),
    Field("grid", "", "json",
          "where the scenario has a grid: conditions, outages, radial, excused, excused_mw (most "
          "in a period), synthetic, estimated; the plan's pois and their single_mw, usable_mw, "
          "alone_mw, joint_mw; limiting lines, dearest first; upgrades bought; "
          "redispatch_usd_per_h of the last period and redispatch_before_usd_per_h; else null"),
    Field("campus_groups", "", "json", "rows of campus_groups.csv; empty without groups"),
    Field("campus_members", "", "json", "rows of campus_members.csv"),
    Field("fiber_links", "", "json", "rows of fiber_links.csv; empty without traffic on fiber"),
    Field("fiber_edges", "", "json", "rows of fiber_edges.csv"),
    Field("seconds", "s", "json", "wall-clock time by stage"),
    Field("profile", "", "json",
          "with --profile: stage, seconds (wall clock), cpu_s (all threads) and peak_mb (most "
          "memory held in it) in order of time, also in manifest.json; else null"),
    Field("run", "", "text", "run folder; null before it is written"),
    Field("verified", "", "boolean", "true: the independent check found no fault (arithmetic)"),
    Field("synthetic", "", "boolean", "true: some input is synthetic, MW are not real headroom"),
    Field("notes", "", "json", "what was noted on the inputs"),
    Field("shortfall", "", "json",
          "per period, workload and place that must be served: asked and missing ref_mw, "
          "missing grid MW, and the limits that bind then; empty if there is a plan"),
    Field("baseline", "", "json",
          "with a baseline: run (its folder), kept (true: the earlier plan is still within the "
          "gap), change_mw_years, least_mw_years (no plan within the gap changes less), changes "
          "(the rows of changes.csv); else null"),
    Field("why_turned_away", "", "json",
          "per period and workload that the plan turns away (short_ref_mw): the limits that stop "
          "it at the plan's sites and the amount of each that serves one more ref_mw (LP); or "
          "could_ref_mw that could be served and dearer_musd_per_ref_mw, the net present cost of "
          "the next ref_mw above its penalty"),
    Field("diagnosis", "", "json",
          "of a scenario without a plan: contradictions (sentences), remedies (each a list of "
          "changes that together give a plan: family, key, unit, now, needed, value, change, "
          "relative, proven), relaxed (rows of the model), complete, solves, seconds; else null"),
)  # fmt: skip

_FIELDS = (
    Field("file", "", "text", "file of the run folder, with the layer or sheet after a colon"),
    Field("name", "", "text", "column"),
    Field("unit", "", "text", "unit; empty where there is none"),
    Field("type", "", "text", "text, number, integer, boolean, date (YYYY-MM-DD) or json"),
    Field("meaning", "", "text", "what it is"),
)


def dictionary_sheet(files: Mapping[str, Sequence[Field]]) -> Sheet:
    """Return the dictionary of ``files``: file (or file:layer) -> its columns."""
    own = {"data_dictionary.csv": _FIELDS, "plan.xlsx:dictionary": _FIELDS}
    rows: list[Row] = [
        {"file": file, "name": f.name, "unit": f.unit, "type": f.kind, "meaning": f.meaning}
        for file, fields in sorted({**files, **own}.items())
        for f in fields
    ]
    return Sheet("dictionary", "what every column of every file means", _FIELDS, rows)
