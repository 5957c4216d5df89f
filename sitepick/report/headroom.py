"""What a headroom screening says in a few lines, and what it must not be taken for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sitepick.network.headroom import BASE_CASE, NO_GENERATION, NO_LIMIT

if TYPE_CHECKING:
    from sitepick.network.headroom import Headroom
    from sitepick.network.types import Grid

CAVEAT = (
    "an indicator and a filter, of one POI at a time: the MW of several POIs do not add up. "
    "Not considered: voltage, stability, short circuit, outages of transformers, enough "
    "generation, other requests in the queue. Only a utility's study says what can be connected."
)
_QUANTILES = (("least", 0.0), ("10 %", 0.1), ("25 %", 0.25), ("median", 0.5), ("75 %", 0.75),
              ("90 %", 0.9), ("most", 1.0))  # fmt: skip
_SHOWN = 5
_LISTED = 1000  # ids in JSON; the counts beside them are of all


@dataclass(frozen=True)
class Asked:
    """What was screened, in the words of the command line."""

    grid: str
    condition: str
    dispatch: str  # stored, economic
    min_kv: float
    outages: int  # lines taken out one at a time
    emergency_pct: float
    cutoff_pct: float
    cap_mw: float
    seconds: float
    unavoidable_mw: tuple[float, ...] = ()  # over a limit whatever the dispatch


def summary(asked: Asked, grid: Grid, found: Headroom, unplaced: int) -> dict[str, Any]:
    """Return the screening as plain JSON values; ``unplaced`` POIs have no coordinates."""
    mw = found.headroom_mw
    none = Counter(
        (limit, outage)
        for value, limit, outage in zip(mw, found.limit_id, found.outage_id, strict=True)
        if value <= 0
    )
    in_base = [branch for branch, outage in found.overloaded if outage == BASE_CASE]
    after = [pair for pair in found.overloaded if pair[1] != BASE_CASE]
    limits = {limit for limit in found.limit_id if limit not in (NO_LIMIT, NO_GENERATION)}
    guessed = grid.rating_estimated | grid.x_estimated
    names = (branch for branch, flag in zip(grid.branch_ids, guessed, strict=True) if flag)
    return {
        "grid": asked.grid,
        "condition": asked.condition,
        "dispatch": asked.dispatch,
        "min_kv": asked.min_kv,
        "outages": asked.outages,
        "emergency_pct": asked.emergency_pct,
        "cutoff_pct": asked.cutoff_pct,
        "cap_mw": asked.cap_mw,
        "pois": len(found.ids),
        "pois_without_place": unplaced,
        "headroom_mw": {
            name: round(float(np.quantile(mw, share)), 3) for name, share in _QUANTILES if mw.size
        },
        "pois_at_cap": sum(limit == NO_LIMIT for limit in found.limit_id),
        "pois_without_headroom": int((mw <= 0).sum()),
        "without_headroom_because": [
            {"limit": limit, "outage": outage, "pois": count}
            for (limit, outage), count in sorted(none.items(), key=lambda item: (-item[1], item[0]))
        ],
        "radial_lines": len(found.radial_ids),
        "radial_line_ids": list(found.radial_ids[:_LISTED]),
        "overloaded_before_any_new_load": len(in_base),
        "overloaded_ids": in_base[:_LISTED],
        "overloaded_after_an_outage": len(after),
        "overloaded_pairs": [list(pair) for pair in after[:_LISTED]],
        "overloads_no_dispatch_avoids": len(asked.unavoidable_mw),
        "overloads_no_dispatch_avoids_mw": round(sum(asked.unavoidable_mw), 3),
        "binding_branches": len(limits),
        "binding_branches_estimated": len(limits.intersection(names)),
        "synthetic": grid.synthetic,
        "seconds": round(asked.seconds, 1),
        "caveat": CAVEAT,
    }


def lines(record: dict[str, Any]) -> list[str]:
    """Return a `summary` as text."""
    outages = f"{record['outages']:,} line outages" if record["outages"] else "no outages"
    out = [
        f"{record['grid']}: {record['pois']:,} POIs of {record['min_kv']:g} kV and more, condition "
        f"{record['condition']}, dispatch {record['dispatch']}, {outages}, "
        f"{record['seconds']:,.1f} s",
        f"  limits         normal ratings; {record['emergency_pct']:g} % of them after an outage; "
        f"factors of {record['cutoff_pct']:g} % and more; cap {record['cap_mw']:,.0f} MW",
        "  headroom, MW   "
        + ", ".join(f"{name} {mw:,.1f}" for name, mw in record["headroom_mw"].items()),
    ]
    if record["pois_at_cap"]:
        out.append(f"  at the cap     {record['pois_at_cap']:,} POIs: nothing binds below it")
    if record["pois_without_headroom"]:
        out.append(f"  no headroom    {record['pois_without_headroom']:,} POIs:")
        reasons = record["without_headroom_because"]
        out += [f"    {reason['pois']:,} because {_because(reason)}" for reason in reasons[:_SHOWN]]
        if len(reasons) > _SHOWN:
            rest = sum(reason["pois"] for reason in reasons[_SHOWN:])
            out.append(f"    {rest:,} because of {len(reasons) - _SHOWN:,} other branches")
    if record["radial_lines"]:
        out.append(
            f"  radial         {record['radial_lines']:,} lines not taken out, because that would "
            f"cut the grid in two ({_some(record['radial_line_ids'], record['radial_lines'])})"
        )
    if record["overloaded_before_any_new_load"]:
        count = record["overloaded_before_any_new_load"]
        out.append(
            f"  overloaded     {count:,} branches before any new load "
            f"({_some(record['overloaded_ids'], count)})"
        )
    if record["overloaded_after_an_outage"]:
        count = record["overloaded_after_an_outage"]
        pairs = [f"{line} when {lost} is lost" for line, lost in record["overloaded_pairs"]]
        out.append(
            f"  overloaded     {count:,} times after an outage, before any new load "
            f"({_some(pairs, count)})"
        )
    if record["overloads_no_dispatch_avoids"]:
        out.append(
            f"  unavoidable    {record['overloads_no_dispatch_avoids']:,} overloads of "
            f"{record['overloads_no_dispatch_avoids_mw']:,.1f} MW in all, whatever the dispatch"
        )
    if record["binding_branches_estimated"]:
        out.append(
            f"  estimated      rating or reactance of {record['binding_branches_estimated']:,} of "
            f"the {record['binding_branches']:,} branches that bind"
        )
    if record["pois_without_place"]:
        out.append(
            f"  no place       {record['pois_without_place']:,} POIs; name a substations layer "
            "with their poi_id as FILE to add coordinates"
        )
    if record["synthetic"]:
        out.append("  SYNTHETIC grid: this is no statement about a real place")
    out.append(f"  {CAVEAT}")
    return out


def _because(reason: dict[str, Any]) -> str:
    if reason["limit"] == NO_GENERATION:
        return "their part of the grid has no generation that could serve them"
    when = "" if reason["outage"] == BASE_CASE else f", when {reason['outage']} is lost"
    return f"{reason['limit']} is at its limit or above it before any new load{when}"


def _some(names: list[str], count: int) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if count > _SHOWN else "")
