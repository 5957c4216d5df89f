"""Sheets of alternatives: the plans side by side, and how often each site appears in them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick.exports.costs import period_label
from sitepick.exports.lookup import Lookup
from sitepick.exports.rows import ID, LAT, LON, NAME, SYNTHETIC
from sitepick.exports.sheet import Field, Row, Sheet, plain, point

if TYPE_CHECKING:
    from sitepick.run import Prepared
    from sitepick.solution import Solution
    from sitepick.studies.alternatives import Alternatives

BEST = "best"


def plan_name(number: int) -> str:
    """Return the name, and folder, of the plan found as ``number`` (1, 2, ...)."""
    return f"{number:02d}"


def plans_of(found: Alternatives) -> dict[str, tuple[Solution, frozenset[str]]]:
    """Return the plans by name, with the sites that each opens; the best one first."""
    out = {BEST: (found.best, found.best_sites)}
    for number, made in enumerate(found.found, start=1):
        assert made.run.solution is not None
        out[plan_name(number)] = made.run.solution, made.sites
    return out


def it_by_site(plan: Solution, period: str) -> dict[str, float]:
    """Return IT MW by site in a period."""
    out: dict[str, float] = defaultdict(float)
    for row in plan.it:
        if row.period == period:
            out[row.site_id] += row.it_mw
    return out


def alternatives_sheet(prepared: Prepared, found: Alternatives) -> Sheet:
    """Return the sheet ``alternatives``: one row per plan, the best one first."""
    money = f"MUSD (real, {prepared.scenario.money.price_year})"
    periods = found.best.periods
    january = all(p[5:] == "01-01" for p in periods)
    labels = {p: period_label(p, january) for p in periods}
    fields = (
        Field("plan", "", "text", "best (the run), else the run folder of the plan"),
        Field("cost_musd", money, "number", "net present cost, price of turned-away work included"),
        Field("over_best_pct", "%", "number", "cost above that of the best plan"),
        Field("least_cost_musd", money, "number",
              "proven: no plan with as many differences costs less; empty for the best"),
        Field("sites", "sites", "integer", "opened by the plan; facts are left out"),
        Field("differing", "sites", "integer",
              "opened by this plan or by the best one, and not by both"),
        Field("differences", "sites", "integer",
              "the same, summed over all plans above; empty for the best"),
        Field("differences_most", "sites", "integer", "proven: no plan has more; empty: best"),
        Field("sites_in", "", "json", "opened here and not in the best plan"),
        Field("sites_out", "", "json", "opened in the best plan and not here"),
        Field("turned_away_ref_mw", "ref MW", "number", "work not served in the last period"),
        *(Field(f"it_mw_{n}", "IT MW", "number", f"IT power in the period from {p}")
          for p, n in labels.items()),
        Field("verified", "", "boolean", "true: the independent check found nothing"),
    )  # fmt: skip
    rows: list[Row] = []
    for number, (name, (plan, sites)) in enumerate(plans_of(found).items()):
        made = found.found[number - 1] if number else None
        cost = found.best_cost_musd if made is None else made.cost_musd
        short = sum(r.ref_mw for r in plan.turned_away if r.period == periods[-1])
        row: Row = {
            "plan": name,
            "cost_musd": plain(cost),
            "over_best_pct": plain(100 * (cost - found.best_cost_musd)
                                   / max(abs(found.best_cost_musd), 1e-9)),
            "least_cost_musd": None if made is None else plain(made.cost_bound_musd),
            "sites": len(sites),
            "differing": len(sites ^ found.best_sites),
            "differences": None if made is None else made.differences,
            "differences_most": None if made is None else made.most,
            "sites_in": sorted(sites - found.best_sites),
            "sites_out": sorted(found.best_sites - sites),
            "turned_away_ref_mw": plain(float(short)),
            "verified": made is None or not made.run.findings,
        }  # fmt: skip
        for period, label in labels.items():
            row[f"it_mw_{label}"] = plain(float(sum(it_by_site(plan, period).values())))
        rows.append({f.name: row[f.name] for f in fields})
    return Sheet("alternatives", "plans at nearly the cost of the best", fields, rows)


def frequency_sheet(prepared: Prepared, found: Alternatives) -> Sheet:
    """Return the sheet ``site_frequency``: in how many plans each site is opened, and how large."""
    plans = plans_of(found)
    last = found.best.periods[-1]
    mw = {name: it_by_site(plan, last) for name, (plan, _) in plans.items()}
    look = Lookup(prepared.scenario, prepared.candidates)
    fields = (
        ID, NAME, LON, LAT,
        Field("plans", "plans", "integer", "of the best plan and its alternatives, that open it"),
        Field("plans_pct", "%", "number", "the same, of all plans"),
        Field("in_best", "", "boolean", "true: the best plan opens it"),
        Field("it_mw_least", "IT MW", "number", "least at the horizon's end, where it is opened"),
        Field("it_mw_most", "IT MW", "number", "most at the horizon's end"),
        Field("opened_in", "", "json", "names of these plans"),
        SYNTHETIC,
    )  # fmt: skip
    rows: list[Row] = []
    for site in {s for _, sites in plans.values() for s in sites}:
        names = [name for name, (_, sites) in plans.items() if site in sites]
        sizes = [mw[name].get(site, 0.0) for name in names]
        place = look.sites[site]
        rows.append(
            {
                **{key: place[key] for key in ("site_id", "name", "lon", "lat")},
                "plans": len(names),
                "plans_pct": plain(100.0 * len(names) / len(plans)),
                "in_best": site in found.best_sites,
                "it_mw_least": plain(float(min(sizes))),
                "it_mw_most": plain(float(max(sizes))),
                "opened_in": names,
                "synthetic": bool(place["synthetic"]),
            }
        )
    rows.sort(key=lambda r: (-r["plans"], -r["it_mw_most"], r["site_id"]))
    meaning = "how often each site appears in the best plan and its alternatives"
    return Sheet("site_frequency", meaning, fields, rows, [point(r) for r in rows], "Point")
