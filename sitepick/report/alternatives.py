"""Alternatives on one screen: the plans side by side, and the sites that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.report.tables import Cell, Column, Report, Table

if TYPE_CHECKING:
    from sitepick.exports.sheet import Sheet
    from sitepick.studies.alternatives import Alternatives

_MOST = 20
_DATES = 5


def alternatives_report(found: Alternatives, plans: Sheet, sites: Sheet) -> Report:
    """Return headline and tables of the sheets of `sitepick.exports.alternatives`."""
    it = _few([f.name for f in plans.fields if f.name.startswith("it_mw_")])
    columns = (
        Column("Plan", align="left"), Column("MUSD"), Column("over best, %", decimals=2),
        Column("sites"), Column("differing"), Column("differences"), Column("at most"),
        *(Column(f"IT MW {name.removeprefix('it_mw_')}") for name in it),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (r["plan"], _whole(r["cost_musd"]), r["over_best_pct"], r["sites"], r["differing"],
         r["differences"], r["differences_most"], *(_whole(r[n]) for n in it))
        for r in plans.rows
    ]  # fmt: skip
    often: list[tuple[Cell, ...]] = [
        (r["site_id"] if r["name"] in (None, r["site_id"]) else f"{r['site_id']} {r['name']}",
         f"{r['plans']} of {len(plans.rows)}", "yes" if r["in_best"] else "",
         f"{r['it_mw_least']:,.0f}", f"{r['it_mw_most']:,.0f}")
        for r in sites.rows
    ]  # fmt: skip
    several = "" if len(found.found) == 1 else "s"
    head: tuple[str, ...] = (
        f"{len(found.found)} alternative{several} within {100 * found.within:.3g} %"
        f" ({found.cap_musd:,.0f} MUSD); a site counts with {found.least_it_mw:,.3g} IT MW"
        " at the end",
    )
    if found.facts:
        count = len(found.facts)
        is_are = "site is a fact" if count == 1 else "sites are facts"
        head += (f"{count} {is_are} (standing, required, committed): not counted",)
    if found.stopped:
        head += (f"Fewer than asked: {found.stopped}",)
    wrong = [r["plan"] for r in plans.rows if not r["verified"]]
    head += (
        f"CHECK FAILED: {', '.join(wrong)}" if wrong
        else "Every plan checked for these inputs (arithmetic, not utility approval)",
    )  # fmt: skip
    note = (
        "Differences: sites opened in one of two plans, summed over all plans above;"
        " at most: proven"
    )
    return Report(
        head,
        (
            Table("Plans", columns, tuple(rows), note),
            Table(
                "Sites",
                (Column("Site", align="left"), Column("in plans"), Column("in the best"),
                 Column("IT MW, least"), Column("IT MW, most")),
                tuple(often), most=_MOST, rest="{} more in site_frequency.csv",
            ),
        ),
        {},
    )  # fmt: skip


def _few(names: list[str]) -> list[str]:
    """Return at most `_DATES` of the dates, evenly spread, the last among them."""
    step = -(-len(names) // _DATES)
    return names[::-1][::step][::-1]


def _whole(value: float) -> str:
    return f"{value:,.0f}"
