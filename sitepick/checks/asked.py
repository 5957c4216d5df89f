"""Work asked by workload, place and period."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sitepick.checks.case import ANYWHERE, Case, day, number, rows_of, standing

Asked = dict[tuple[str, str, int], float]


def asked(case: Case) -> Asked:
    """Return the work asked by (workload, place, period), ref_mw; zeros are left out."""
    found: Asked = defaultdict(float)
    places = rows_of(case.candidates.places)
    total_weight = sum(row["weight"] for row in places)
    table: dict[tuple[str, str], dict[date, float]] = defaultdict(dict)
    for row in rows_of(case.candidates.demand_mw):
        begins = day(row["from_date"]) or date.min
        table[row["workload"], row["place_id"]][begins] = row["mw"]
    for t in case.times:
        start = case.calendar.starts[t]
        for name, workload in case.workloads.items():
            total = standing(workload.ref_mw or {}, start) or 0.0
            if workload.spread == "anywhere":
                found[name, ANYWHERE, t] += total
            elif total_weight > 0:
                for row in places:
                    found[name, row["place_id"], t] += total * row["weight"] / total_weight
        for (name, place), series in table.items():
            if name in case.workloads:
                found[name, place, t] += standing(series, start) or 0.0
        if len(case.workloads) == 1 and not table:
            ((name, only),) = case.workloads.items()
            for row in places if only.ref_mw is None else []:
                found[name, row["place_id"], t] += number(row["mw"]) or 0.0
    return {key: mw for key, mw in found.items() if mw != 0}
