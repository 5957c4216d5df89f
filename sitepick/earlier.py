"""An earlier plan (`scenario.baseline`) as a table, and what of it a plan moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sitepick.candidates.types import EARLIER
from sitepick.layers.types import Note
from sitepick.solution import MovedRow, Solution

if TYPE_CHECKING:
    import pandas as pd

LEAST_MW = 0.01
"""Smaller differences in IT MW are not told."""
_ROLE = "baseline"
_SHOWN = 5


def earlier_table(plan: Solution, starts: Sequence[date]) -> pd.DataFrame:
    """Return `Candidates.earlier` of a plan; ``starts``: its periods' first days, then the end."""
    import pandas as pd

    it: defaultdict[tuple[str, str], float] = defaultdict(float)
    for row in plan.it:
        it[row.site_id, row.period] += row.it_mw
    pois: defaultdict[str, set[str]] = defaultdict(set)
    for tie in plan.ties:
        pois[tie.site_id].add(tie.poi_id)
    opened = {row.site_id: row.opened for row in plan.sites}
    rows = [
        (site, day, until - timedelta(days=1), (opened[site] or "") <= day.isoformat(),
         it[site, day.isoformat()], tuple(sorted(pois[site])))
        for site in sorted(opened)
        for day, until in pairwise(starts)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(EARLIER)).astype({"it_mw": float})


def earlier_notes(
    table: pd.DataFrame, sites: pd.DataFrame, ties: pd.DataFrame, starts: Sequence[date]
) -> list[Note]:
    """Return what of an earlier plan cannot be kept, whatever is decided.

    ``sites`` and ``ties`` are today's candidates, ``starts`` today's periods and their end.
    """
    if not len(table):
        return [Note(_ROLE, "baseline_empty", "the earlier plan opens no site: nothing to keep")]
    notes: list[Note] = []

    def note(code: str, items: Sequence[str], what: str) -> None:
        if items:
            notes.append(Note(_ROLE, code, f"{_count(items, what)}: {_some(items)}", len(items)))

    known = set(sites["site_id"])
    here = set(sites["site_id"][sites["status"] == "candidate"])
    opened = sorted(set(table["site_id"]))
    gone = [s for s in opened if s not in known]
    note("baseline_gone", gone, "site of the earlier plan | in no layer any more")
    rejected = [s for s in opened if s in known - here]
    note("baseline_rejected", rejected, "site of the earlier plan | screened out now")
    near = set(zip(ties["site_id"], ties["poi_id"], strict=True))
    last = table.drop_duplicates("site_id")
    lost = [
        f"{site} at {poi}"
        for site, pois in zip(last["site_id"], last["poi_ids"], strict=True)
        for poi in pois
        if site in here and (site, poi) not in near
    ]
    note("baseline_tie", lost, "tie of the earlier plan | not possible now")
    first, end = table["from_date"].min(), table["to_date"].max()
    outside = [day.isoformat() for day in starts[:-1] if not first <= day <= end]
    span = f"outside the earlier plan ({first} to {end})"
    note("baseline_periods", outside, f"period | {span} and not compared")
    return notes


def moved(table: pd.DataFrame, plan: Solution) -> tuple[MovedRow, ...]:
    """Return where IT MW of ``plan`` are not those of the earlier plan, by site and period.

    A period is compared with what stood on its first day, if that lies in the earlier horizon.
    """
    if not len(table):
        return ()
    before: defaultdict[tuple[str, str], float] = defaultdict(float)
    compared = set()
    days = {period: date.fromisoformat(period) for period in plan.periods}
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    for row in rows:
        for period, day in days.items():
            if row["from_date"] <= day <= row["to_date"]:
                before[row["site_id"], period] = row["it_mw"]
                compared.add(period)
    after: defaultdict[tuple[str, str], float] = defaultdict(float)
    for it in plan.it:
        if it.period in compared:
            after[it.site_id, it.period] += it.it_mw
    return tuple(
        MovedRow(site, period, before[site, period], after[site, period])
        for site, period in sorted({*before, *after})
        if abs(after[site, period] - before[site, period]) > LEAST_MW
    )


def _count(items: Sequence[str], what: str) -> str:
    """Return a subject in the right number before what is said of it, parted by a bar."""
    subject, said = what.split(" | ")
    first, space, rest = subject.partition(" ")
    if len(items) == 1:
        return f"1 {subject} is {said}"
    return f"{len(items):,} {first}s{space}{rest} are {said}"


def _some(items: Sequence[str]) -> str:
    return ", ".join(items[:_SHOWN]) + (", ..." if len(items) > _SHOWN else "")
