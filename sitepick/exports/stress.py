"""Sheets of a stress study: each future beside the plan, what is stranded, the sites that stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sitepick.exports.costs import period_label
from sitepick.exports.lookup import Lookup
from sitepick.exports.rows import ID, LAT, LON, NAME, SYNTHETIC
from sitepick.exports.sheet import Field, Row, Sheet, plain, point
from sitepick.exports.sheets import OBJECTIVE_UNIT
from sitepick.exports.stress_groups import group_sheet
from sitepick.instance.timeline import Timeline

if TYPE_CHECKING:
    from sitepick.run import Prepared

PLAN = "plan"
"""What the first row, of the plan itself, is called."""
KINDS = {"power": "grid MW", "halls": "IT MW", "hardware": "IT MW"}
_LEAST_MW = 1e-3
Record = dict[str, Any]


def stress_sheets(prepared: Prepared, plan: Record, futures: Sequence[Record]) -> list[Sheet]:
    """Return the sheets of a study from the plan's record and the futures'."""
    return [
        _stress(prepared, plan, futures), _sites(prepared, plan, futures), _stranded(futures),
        _lost(futures), *([group_sheet(plan, futures, PLAN)] if plan["groups"] else []),
    ]  # fmt: skip


def _stress(prepared: Prepared, plan: Record, futures: Sequence[Record]) -> Sheet:
    scenario = prepared.scenario
    money = f"MUSD (real, {scenario.money.price_year})"
    periods = list(plan["it_mw"])
    january = all(p[5:] == "01-01" for p in periods)
    labels = {p: period_label(p, january) for p in periods}
    unit = OBJECTIVE_UNIT[scenario.objective]
    fields = (
        Field("future", "", "text", "plan (nothing changed), or the name of a future"),
        Field("hold", "", "text",
              "what of the plan is held: due, all, or none (only with --regret); empty: the plan"),
        Field("status", "", "text",
              "optimal, feasible, infeasible (must-serve work cannot be placed), no_plan"),
        Field("verified", "", "boolean", "true: the independent check found nothing"),
        Field("gap_pct", "%", "number", "proven gap of the objective, of what is not held"),
        Field("cost_musd", money, "number", "net present cost, price of turned-away work included"),
        Field("npc_musd", money, "number", "net present cost without it"),
        Field("penalty_musd", money, "number", "discounted price of turned-away work"),
        Field("over_plan_musd", money, "number", "cost_musd above that of the plan"),
        *(Field(f"it_mw_{n}", "IT MW", "number", f"IT power in the period from {p}")
          for p, n in labels.items()),
        Field("turned_away_ref_mw", "ref MW", "number", "work not served in the last period"),
        Field("turned_away_ref_mw_years", "ref MW-years", "number", "the same, all periods"),
        *(Field(f"stranded_{kind}_mw", unit_mw, "number", f"idle at the end: {kind}")
          for kind, unit_mw in KINDS.items()),
        *((Field("stranded_fiber_tbps", "Tb/s", "number", "lit at the end, and no peak uses it"),)
          if prepared.candidates.fiber is not None else ()),
        Field("stranded_musd", money, "number", "overnight capital of what is idle at the end"),
        Field("stranded_most_musd", money, "number", "the same in the period with most of it"),
        Field("stranded_most_in", "", "text", "that period"),
        Field("held", "decisions", "integer", "decisions of the plan that were to be held"),
        Field("lost", "decisions", "integer", "of these, not carried out or not whole"),
        Field("lacking_ref_mw", "ref MW", "number",
              "must-serve work that cannot be placed, in the period that lacks most"),
        Field("regret", unit, "number",
              "worse than the best plan of this future with nothing held; empty: not solved"),
        Field("regret_most", unit, "number", "no more than this, by the bound of that plan"),
        Field("worst", "", "boolean", "true: no future is worse, by this hold"),
        Field("about", "", "text", "what the future is"),
    )  # fmt: skip
    dt = dict(zip(periods, Timeline.of(scenario).dt.tolist(), strict=True))
    least = scenario.objective == "min_cost"
    first = _row(plan, plan, PLAN, "nothing changed: the plan itself", labels, dt)
    rows = [first]
    for record in futures:
        free = next((p for p in record["plans"] if p["hold"] == "none" and "objective" in p), None)
        for one in record["plans"]:
            row = _row(one, plan, record["future"], record["about"], labels, dt)
            if free is not None and "objective" in one and one["hold"] != "none":
                sign = 1.0 if least else -1.0
                row["regret"] = plain(max(0.0, sign * (one["objective"] - free["objective"])))
                row["regret_most"] = plain(max(0.0, sign * (one["objective"] - free["bound"])))
            rows.append(row)
    _mark_worst(rows, {(r["future"], p["hold"]): p.get("objective")
                       for r in futures for p in r["plans"]}, 1.0 if least else -1.0)  # fmt: skip
    return Sheet(
        "stress", "the plan in each future", fields,
        [{f.name: row.get(f.name) for f in fields} for row in rows],
    )  # fmt: skip


def _row(
    one: Record, plan: Record, name: str, about: str, labels: dict[str, str], dt: dict[str, float]
) -> Row:
    row: Row = {
        "future": name, "hold": one["hold"], "status": one["status"], "verified": one["verified"],
        "held": one["held"], "lost": len(one["lost"]), "about": about, "worst": False,
    }  # fmt: skip
    lacks: dict[str, float] = defaultdict(float)
    for short in one["lacking"]:
        lacks[short["period"]] += short["missing_ref_mw"]
    row["lacking_ref_mw"] = plain(max(lacks.values())) if lacks else None
    if "objective" not in one:
        return row
    cost = one["net_present_cost_musd"] + one["penalty_musd"]
    away, last = one["turned_away_ref_mw"], list(labels)[-1]
    row |= {
        "gap_pct": plain(100.0 * one["gap"]),
        "cost_musd": plain(cost),
        "npc_musd": one["net_present_cost_musd"],
        "penalty_musd": one["penalty_musd"],
        "over_plan_musd": plain(cost - plan["net_present_cost_musd"] - plan["penalty_musd"]),
        "turned_away_ref_mw": away[last],
        "turned_away_ref_mw_years": plain(sum(mw * dt[p] for p, mw in away.items())),
    }
    row |= {f"it_mw_{n}": one["it_mw"][p] for p, n in labels.items()}
    musd = dict.fromkeys(labels, 0.0)
    at_end = dict.fromkeys((*KINDS, "fiber"), 0.0)
    for idle in one["stranded"]:
        musd[idle["period"]] += idle["musd"]
        if idle["period"] == last:
            at_end[idle["kind"]] += idle["tbps" if idle["kind"] == "fiber" else "mw"]
    worst = max(musd, key=lambda p: musd[p])
    row |= {f"stranded_{kind}_mw": plain(at_end[kind]) for kind in KINDS}
    row["stranded_fiber_tbps"] = plain(at_end["fiber"])
    row |= {
        "stranded_musd": plain(musd[last]),
        "stranded_most_musd": plain(musd[worst]),
        "stranded_most_in": worst if musd[worst] > 0 else None,
    }
    return row


def _mark_worst(
    rows: list[Row], objective: dict[tuple[str, str], float | None], sign: float
) -> None:
    """Mark the worst row of each hold: one without a plan, else the one of the worst objective."""
    by_hold: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["hold"]:
            by_hold[row["hold"]].append(row)
    for mine in by_hold.values():

        def bad(row: Row) -> tuple[bool, float, float]:
            value = objective[row["future"], row["hold"]]
            if value is None:
                return True, row["lacking_ref_mw"] or 0.0, 0.0
            return False, 0.0, sign * value

        max(mine, key=bad)["worst"] = True


def _sites(prepared: Prepared, plan: Record, futures: Sequence[Record]) -> Sheet:
    fields = (
        ID, NAME, LON, LAT,
        Field("in_plan", "", "boolean", "true: it has IT at the end of the plan itself"),
        Field("futures", "futures", "integer",
              "in which it has IT at the end, with what is due (`--hold all`: all) held"),
        Field("futures_pct", "%", "number", "the same, of the futures that have a plan"),
        Field("every", "", "boolean", "true: in all of them"),
        Field("free_futures", "futures", "integer",
              "the same with nothing held; empty without --regret"),
        Field("no_regret", "", "boolean",
              "true: in every future with nothing held; empty without --regret"),
        Field("it_mw_least", "IT MW", "number", "least at the end, where it has any; due held"),
        Field("it_mw_most", "IT MW", "number", "most at the end; due held"),
        Field("in_futures", "", "json", "their names"),
        SYNTHETIC,
    )  # fmt: skip
    first = futures[0]["plans"][0]["hold"]
    used = {"due": _used(futures, first), "none": _used(futures, "none")}
    n_due, n_free = (len(used[hold]) for hold in ("due", "none"))
    own = {site for site, mw in plan["sites"].items() if mw > _LEAST_MW}
    look = Lookup(prepared.scenario, prepared.candidates)
    named = own.union(*(set(s) for by in used.values() for s in by.values()))
    rows: list[Row] = []
    for site in named:
        names = [name for name, sites in used["due"].items() if site in sites]
        sizes = [used["due"][name][site] for name in names]
        free = sum(site in sites for sites in used["none"].values())
        place = look.sites.get(site, {})
        rows.append(
            {
                "site_id": site,
                **{key: place.get(key) for key in ("name", "lon", "lat")},
                "in_plan": site in own,
                "futures": len(names),
                "futures_pct": plain(100.0 * len(names) / n_due) if n_due else None,
                "every": bool(names) and len(names) == n_due,
                "free_futures": free if n_free else None,
                "no_regret": free == n_free if n_free else None,
                "it_mw_least": plain(min(sizes)) if sizes else None,
                "it_mw_most": plain(max(sizes)) if sizes else None,
                "in_futures": names,
                "synthetic": bool(place.get("synthetic", False)),
            }
        )
    rows.sort(key=lambda r: (-r["futures"], -(r["it_mw_most"] or 0.0), r["site_id"]))
    meaning = "how often each site is used in the futures"
    return Sheet("stress_sites", meaning, fields, rows, [point(r) for r in rows], "Point")


def _used(futures: Sequence[Record], hold: str) -> dict[str, dict[str, float]]:
    """Return IT MW at the end by site, of each future that has a plan."""
    return {
        record["future"]: {s: mw for s, mw in one["sites"].items() if mw > _LEAST_MW}
        for record in futures
        for one in record["plans"]
        if one["hold"] == hold and "sites" in one
    }


def _stranded(futures: Sequence[Record]) -> Sheet:
    fields = (
        Field("future", "", "text", "name of the future"),
        Field("hold", "", "text", "what of the plan is held"),
        Field("kind", "", "text",
              "power: letters' MW without load; halls: without IT; hardware: without power; "
              "fiber: pairs and light that no peak needs"),
        Field("period", "", "text", "first day of the period in which it is idle"),
        Field("where", "", "text", "POI of power, edge of fiber, else site"),
        Field("mw", "MW", "number", "grid MW of power, else IT MW; 0 of fiber"),
        Field("tbps", "Tb/s", "number", "of fiber: lit and not used"),
        Field("musd", "MUSD", "number", "overnight capital of the idle part"),
    )  # fmt: skip
    rows = [
        {"future": record["future"], "hold": one["hold"], **{f.name: idle[f.name]
         for f in fields[2:]}}
        for record in futures for one in record["plans"] for idle in one["stranded"]
    ]  # fmt: skip
    return Sheet("stress_stranded", "what is paid for and idle, by place", fields, rows)


def _lost(futures: Sequence[Record]) -> Sheet:
    fields = (
        Field("future", "", "text", "name of the future"),
        Field("hold", "", "text", "what of the plan is held"),
        Field("decision", "", "text", "decision of the plan: what, and of which ids"),
        Field("asked", "its unit", "number", "its amount in the plan"),
        Field("held", "its unit", "number", "what of it could be carried out"),
        Field("unit", "", "text", "unit of both"),
        Field("why", "", "text", "why not all of it"),
    )
    rows = [
        {"future": record["future"], "hold": one["hold"], **{f.name: lost[f.name]
         for f in fields[2:]}}
        for record in futures for one in record["plans"] for lost in one["lost"]
    ]  # fmt: skip
    return Sheet("stress_lost", "decisions that could not be held, or not whole", fields, rows)
