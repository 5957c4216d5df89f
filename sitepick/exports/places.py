"""Sheets of places: sites of the plan, all candidates with their verdicts, substations, links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sitepick.exports.costs import period_label, usd_per_kw_month
from sitepick.exports.rows import (
    ID,
    LAT,
    LON,
    NAME,
    SYNTHETIC,
    SiteRows,
    region_fields,
    stage_fields,
)
from sitepick.exports.sheet import Field, Row, Sheet, as_kind, plain, point, records, with_keep
from sitepick.exports.stages import Tier, layer_tiers, waits_of
from sitepick.exports.verdicts import VERDICT_FIELDS, verdict_cells

if TYPE_CHECKING:
    from sitepick.run import Run, Verdict


def sites_sheet(made: SiteRows, by_period: Sheet) -> Sheet:
    """Return the sheet ``sites``: one row per site at the horizon's end, MW by period beside."""
    scenario, solution = made.scenario, made.solution
    money = f"MUSD (real, {scenario.money.price_year})"
    january = all(p[5:] == "01-01" for p in solution.periods)
    labels = {p: period_label(p, january) for p in solution.periods}
    rows_of: dict[str, list[Row]] = defaultdict(list)
    for row in by_period.rows:
        rows_of[row["site_id"]].append(row)
    it_years = _discounted_it(made)
    copied = [
        f for f in by_period.fields
        if f.name in {"facility_mw", "grid_mw_peak", "leased_it_mw",
                      *(s.name for s in stage_fields(made.grid))}
    ]  # fmt: skip
    fields = [
        ID, NAME, *region_fields(made.candidates), LON, LAT,
        Field("status", "", "text", "open (by this plan), existing, leased, or lease over"),
        Field("opened", "date", "date", "first period in which it is open; empty: stands already"),
        Field("poi_id", "", "text", "POIs that feed the site, joined by +"),
        Field("tie_kv", "kV", "text", "voltages of its ties, joined by +; empty: unknown"),
        Field("it_mw", "IT MW", "number", "IT power installed, at the horizon's end"),
        *(Field(f.name, f.unit, f.kind, f"{f.meaning}; at the horizon's end") for f in copied),
        *(Field(f"it_mw_{n}", "IT MW", "number", f"IT power in the period from {p}")
          for p, n in labels.items()),
        *(Field(f"grid_mw_{n}", "grid MW", "number", f"contracted in the period from {p}")
          for p, n in labels.items()),
        Field("capex_musd", money, "number", "cash of all that is energised within the horizon"),
        Field("net_present_cost_musd", money, "number",
              "annuities within the horizon and yearly costs, discounted"),
        Field("usd_per_kw_month", f"USD (real, {scenario.money.price_year}) per IT kW and month",
              "number", "net present cost over the discounted IT kW installed"),
        SYNTHETIC,
    ]  # fmt: skip
    rows = []
    for site, mine in rows_of.items():
        last = mine[-1]
        row = {f.name: last[f.name] for f in fields if f.name in last}
        row["opened"] = made.opened[site]
        row["capex_musd"] = plain(sum(r["capex_musd"] for r in mine))
        cost = made.costs.present_of(site)
        row["net_present_cost_musd"] = plain(cost)
        years = it_years.get(site, 0.0)
        row["usd_per_kw_month"] = plain(usd_per_kw_month(cost / years)) if years > 0 else None
        for r in mine:
            row[f"it_mw_{labels[r['period']]}"] = r["it_mw"]
            row[f"grid_mw_{labels[r['period']]}"] = r["grid_mw_peak"]
        rows.append(row)
    done, rows = with_keep(fields, rows, made.look.sites, made.candidates.sites.columns, "site_id")
    meaning = "one row per site of the plan, as it is at the horizon's end"
    return Sheet("sites", meaning, done, rows, [point(r) for r in rows], "Point")


def _discounted_it(made: SiteRows) -> dict[str, float]:
    from sitepick.instance.timeline import Timeline

    yearly = Timeline.of(made.scenario).yearly
    at = {name: t for t, name in enumerate(made.solution.periods)}
    out: dict[str, float] = defaultdict(float)
    for row in made.solution.it:
        out[row.site_id] += row.it_mw * float(yearly[at[row.period]])
    return out


def candidates_sheet(made: SiteRows, verdicts: Sequence[Verdict] = ()) -> Sheet:
    """Return the sheet ``candidates``: every place looked at, its verdict and every failed test.

    Without ``verdicts`` of the run, why is said from the plan alone and nothing is priced.
    """
    cand, last = made.candidates, made.solution.periods[-1]
    failed: dict[str, list[Row]] = defaultdict(list)
    for test in records(cand.failed):
        failed[test.pop("site_id")].append(test)
    ties_of: dict[str, list[Row]] = defaultdict(list)
    for tie in made.look.ties.values():  # nearest first
        ties_of[tie["site_id"]].append(tie)
    it_mw: dict[str, float] = defaultdict(float)
    for use in made.solution.it:
        if use.period == last:
            it_mw[use.site_id] += use.it_mw
    fields = [
        ID, NAME, *region_fields(cand), LON, LAT,
        Field("status", "", "text", "chosen, existing, not chosen or rejected"),
        *VERDICT_FIELDS,
        Field("failed", "", "json", "every failed test: test, value, threshold, unit, message"),
        Field("decision", "", "text", "consider, require, forbid or existing, as given"),
        Field("it_mw", "IT MW", "number", "in the plan, at the horizon's end; 0 if not in it"),
        Field("poi_id", "", "text", "nearest POI it may tie to; empty without one"),
        Field("tie_km", "km", "number", "route length of the tie to that POI"),
        Field("tie_kv", "kV", "number", "highest voltage of a tie to that POI; empty: unknown"),
        Field("usable_ha", "ha", "number", "buildable land; empty: no limit"),
        Field("land_musd", f"MUSD (real, {made.scenario.money.price_year})", "number",
              "asked for the whole; empty: priced per ha"),
        Field("max_it_mw", "IT MW", "number", "most that may stand there; empty: no limit"),
        Field("fiber_km", "km", "number", "route length to fiber; empty: unknown"),
        Field("climate", "", "text", "climate that sets the PUE"),
        Field("option_expires", "date", "date", "end of the land option"),
        SYNTHETIC,
    ]  # fmt: skip
    copied = ("site_id", "name", "lon", "lat", "decision", "usable_ha", "land_musd", "max_it_mw",
              "fiber_km", "climate", "option_expires")  # fmt: skip
    rows, of = [], {v.site_id: v for v in verdicts}
    for site, info in made.look.sites.items():
        row = {k: info[k] for k in copied}
        regions = made.look.regions_of.get(site, {})
        row |= {column: regions.get(level) for level, column in made.level_columns.items()}
        row["status"] = status(info, site in made.opened)
        row["failed"] = failed.get(site, [])
        row |= verdict_cells(of.get(site))
        row["why"] = row["why"] or _why(row, made, ties_of[site])
        row["verdict"] = row["verdict"] or row["status"].replace(" ", "_")
        row["it_mw"] = plain(it_mw.get(site, 0.0))
        near = ties_of[site][0] if ties_of[site] else {"poi_id": None, "km": None, "kv": None}
        row["poi_id"], row["tie_km"], row["tie_kv"] = near["poi_id"], near["km"], near["kv"]
        row["synthetic"] = bool(info["synthetic"])
        rows.append(row)
    done, rows = with_keep(fields, rows, made.look.sites, cand.sites.columns, "site_id")
    meaning = "one row per place looked at, with its verdict"
    return Sheet("candidates", meaning, done, rows, [point(r) for r in rows], "Point")


def status(site: Row, in_plan: bool) -> str:
    """Return the verdict on a candidate: chosen, existing, not chosen or rejected."""
    if site["decision"] == "existing" and in_plan:
        return "existing"
    if in_plan:
        return "chosen"
    return "rejected" if site["status"] == "rejected" else "not chosen"


def failed_text(test: Row) -> str:
    """Return one failed test as text: its message, or value against threshold."""
    if test["message"]:
        return f"{test['test']}: {test['message']}"
    parts = [f"{x:,.6g}" if isinstance(x, float) else str(x)
             for x in (test["value"], test["threshold"]) if x is not None]  # fmt: skip
    return f"{test['test']}: {' against '.join(parts)} {test['unit'] or ''}".strip()


def _why(row: Row, made: SiteRows, ties: list[Row]) -> str:
    site = row["site_id"]
    if row["status"] == "rejected":
        return "; ".join(failed_text(t) for t in row["failed"]) or "rejected"
    if row["status"] == "existing":
        return "stands already"
    if row["status"] == "chosen":
        return f"in the plan from {made.opened[site]}"
    last = len(made.solution.periods) - 1
    used = {t["poi_id"]: made.grid.by_poi.get((t["poi_id"], last), 0.0) for t in ties}
    taken = [f"{poi} ({mw:,.0f} grid MW)" for poi, mw in used.items() if mw > 0]
    if taken:
        return "passed every test; the plan uses its POI for other sites: " + ", ".join(taken)
    return "passed every test; the plan does better without it"


_HEADROOM = {
    False: "load headroom of the layer; empty: unknown; letters replace it",
    True: "what its kV can connect, the grid limits besides; empty: unknown; letters replace it",
}
_SINGLE = Field(
    "single_mw", "grid MW", "number", "load headroom of the layer, of this POI alone: no limit here"
)


def substations_sheet(made: SiteRows) -> Sheet:
    """Return the sheet ``substations``: POIs that candidates can tie to, and the MW used there."""
    last = len(made.solution.periods) - 1
    fields = [
        Field("poi_id", "", "text", "id of the POI (substation)"),
        Field("name", "", "text", "name of the POI"),
        LON, LAT,
        Field("kv", "kV", "number", "highest voltage; empty: unknown"),
        Field("kv_levels", "kV", "text", "all voltages, where several are known"),
        Field("headroom_mw", "grid MW", "number", _HEADROOM[made.scenario.connection_only]),
        *((_SINGLE,) if made.scenario.connection_only else ()),
        Field("from_date", "date", "date", "date from which the layer's headroom is there"),
        Field("estimated", "", "boolean", "true: an estimate, not a utility's word"),
        Field("dates", "", "text",
              "the layer's MW by date where no letter counts, and what the date rests on"),
        Field("letters_mw", "grid MW", "number", "largest total of its letters; empty without any"),
        Field("grid_mw", "grid MW", "number",
              "contracted by the plan at the horizon's end, existing contracts left out"),
        Field("energy_usd_per_mwh", "USD per MWh", "number", "energy price"),
        Field("demand_usd_per_kw_month", "USD per kW and month", "number", "demand charge"),
        Field("co2_kg_per_mwh", "kg per MWh", "number", "carbon of the energy"),
        SYNTHETIC,
    ]  # fmt: skip
    letters: dict[str, float] = {}
    for offer in made.look.offers.values():
        poi = offer["poi_id"]
        letters[poi] = max(letters.get(poi, 0.0), float(offer["mw_total"]))
    rows, waits = [], waits_of(made.candidates)
    for poi, info in made.look.pois.items():
        row = {f.name: info.get(f.name) for f in fields}
        row["estimated"] = bool(info["estimated"])
        row["letters_mw"] = letters.get(poi)
        tiers = () if poi in letters else layer_tiers(info, waits.get(poi, []), made.scenario)
        row["dates"] = "; ".join(_dated(tier) for tier in tiers) or None
        row["grid_mw"] = plain(made.grid.by_poi.get((poi, last), 0.0))
        row["synthetic"] = bool(info.get("synthetic", made.candidates.synthetic))
        rows.append(row)
    done, rows = with_keep(fields, rows, made.look.pois, made.candidates.pois.columns, "poi_id")
    meaning = "POIs that some candidate can tie to"
    return Sheet("substations", meaning, done, rows, [point(r) for r in rows], "Point")


def _dated(tier: Tier) -> str:
    return f"{tier.mw:,.6g} MW from {tier.begins} ({plain(tier.rule)})"


def links_sheet(made: SiteRows) -> Sheet:
    """Return the sheet ``links``: ties of the plan as straight lines (their km are route km)."""
    from sitepick.exports.geometry import straight

    last = made.solution.periods[-1]
    mw = {(r.site_id, r.poi_id, r.kv): r.grid_mw for r in made.solution.grid if r.period == last}
    fields = (
        ID,
        Field("poi_id", "", "text", "id of the POI (substation)"),
        Field("since", "date", "date", "first period of use; empty: stands already"),
        Field("kv", "kV", "number", "voltage of the tie; empty: unknown"),
        Field("km", "km", "number", "route length; the line drawn is straight"),
        Field(
            "cap_mw",
            "grid MW",
            "number",
            "largest connection of one customer at that voltage and length",
        ),
        Field("grid_mw", "grid MW", "number", "contracted at the horizon's end, new MW only"),
        SYNTHETIC,
    )
    rows: list[Row] = []
    lines: list[Row | None] = []
    for tie in sorted(made.solution.ties, key=lambda t: (t.site_id, t.poi_id, t.kv or 0.0)):
        known = made.look.tie(tie)
        row: Row = {"site_id": tie.site_id, "poi_id": tie.poi_id, "since": tie.since}
        row |= {k: as_kind(known.get(k), "number") for k in ("kv", "km", "cap_mw")}
        row["grid_mw"] = plain(mw.get((tie.site_id, tie.poi_id, tie.kv), 0.0))
        row["synthetic"] = made.candidates.synthetic
        rows.append(plain(row))
        ends = [point(made.look.sites[tie.site_id]), point(made.look.pois[tie.poi_id])]
        a, b = (e["coordinates"] if e else None for e in ends)
        lines.append(straight(a, b) if a and b else None)
    meaning = "ties of the plan, from site to POI"
    return Sheet("links", meaning, fields, rows, lines, "MultiLineString")


def regions_sheet(run: Run, made: SiteRows) -> Sheet | None:
    """Return the sheet ``regions``: regions with candidates, what the plan puts there; or None."""
    layer = run.prepared.layers.regions
    used = {(level, r) for of in made.look.regions_of.values() for level, r in of.items()}
    if layer is None or not used:
        return None
    from sitepick.exports.geometry import multipolygon

    last = made.solution.periods[-1]
    it: dict[tuple[str, str], float] = defaultdict(float)
    grid: dict[tuple[str, str], float] = defaultdict(float)
    count: dict[tuple[str, str], int] = defaultdict(int)
    it_of: dict[str, float] = defaultdict(float)
    for use in made.solution.it:
        if use.period == last:
            it_of[use.site_id] += use.it_mw
    for site in made.opened:
        for key in made.look.regions_of[site].items():
            it[key] += it_of[site]
            split = made.grid.by_site.get((site, len(made.solution.periods) - 1), {})
            grid[key] += sum(split.values())
            count[key] += 1
    fields = [
        Field("level", "", "text", "level of the region"),
        Field("region_id", "", "text", "id of the region within its level"),
        NAME,
        Field("sites", "sites", "integer", "sites of the plan, existing ones included"),
        Field("it_mw", "IT MW", "number", "of its sites at the horizon's end"),
        Field("grid_mw", "grid MW", "number",
              "of its sites at the horizon's end, existing contracts included"),
    ]  # fmt: skip
    geometry_column = layer.geometry.name
    shapes = list(layer.geometry)
    rows, polygons, source = [], [], {}
    for i, info in enumerate(records(layer.drop(columns=geometry_column))):
        key = (info["level"], info["region_id"])
        if key not in used:
            continue
        row: Row = {"level": key[0], "region_id": key[1], "name": info.get("name")}
        row |= {"sites": count[key], "it_mw": plain(it[key]), "grid_mw": plain(grid[key])}
        row["_key"] = "\x1f".join(key)
        source[row["_key"]] = info
        rows.append(row)
        polygons.append(multipolygon(shapes[i]))
    done, rows = with_keep(fields, rows, source, layer.columns, "_key")
    meaning = "regions that hold candidates"
    return Sheet("regions", meaning, done, rows, polygons, "MultiPolygon")
