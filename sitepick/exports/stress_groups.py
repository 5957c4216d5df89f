"""Sheet of a stress study on campus groups: delivered and asked, members that stay, links left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sitepick.exports.sheet import Field, Row, Sheet, plain

Record = dict[str, Any]
_FIELDS = (
    Field("future", "", "text", "plan (nothing changed), or the name of a future"),
    Field("hold", "", "text", "what of the plan is held; empty: the plan"),
    Field("group", "", "text", "campus group"),
    Field("period", "", "text", "first day of the period"),
    Field("demand_ref_mw", "ref MW", "number", "work asked of the group"),
    Field("delivered_ref_mw", "ref MW", "number", "work of its members x efficiency"),
    Field("delivered_pct", "%", "number", "delivered of asked; empty: nothing is asked"),
    Field("turned_away_ref_mw", "ref MW", "number", "not served"),
    Field("plan_delivered_ref_mw", "ref MW", "number", "delivered in the plan itself"),
    Field("members", "sites", "integer", "members in this future"),
    Field("members_kept", "sites", "integer", "of these, members in the plan too"),
    Field("members_lost", "", "json", "members of the plan that are none here"),
    Field("members_joined", "", "json", "members that are none in the plan"),
    Field("links", "links", "integer", "links that carry traffic"),
    Field("links_lost", "", "json", "links of the plan, by their nodes, that carry nothing here"),
    Field("links_lost_tbps", "Tb/s", "number", "what these carry in the plan, each way"),
)


def group_sheet(plan: Record, futures: Sequence[Record], name: str) -> Sheet:
    """Return the sheet ``stress_groups``; ``name`` is what the plan itself is called."""
    own = {(g["group"], g["period"]): g for g in plan["groups"]}
    rows = [_row(g, own, name, "") for g in plan["groups"]]
    rows += [
        _row(g, own, record["future"], one["hold"])
        for record in futures
        for one in record["plans"]
        for g in one.get("groups", ())
    ]
    return Sheet("stress_groups", "campus groups in each future", _FIELDS, rows)


def _row(group: Record, own: dict[tuple[str, str], Record], future: str, hold: str) -> Row:
    none: Record = {"delivered_ref_mw": 0.0, "members": {}, "links": {}}
    planned = own.get((group["group"], group["period"]), none)
    before, here = set(planned["members"]), set(group["members"])
    lost = sorted(set(planned["links"]) - set(group["links"]))
    asked = group["demand_ref_mw"]
    return {
        "future": future,
        "hold": hold,
        "group": group["group"],
        "period": group["period"],
        "demand_ref_mw": asked,
        "delivered_ref_mw": group["delivered_ref_mw"],
        "delivered_pct": plain(100 * group["delivered_ref_mw"] / asked) if asked else None,
        "turned_away_ref_mw": group["turned_away_ref_mw"],
        "plan_delivered_ref_mw": planned["delivered_ref_mw"],
        "members": len(here),
        "members_kept": len(before & here),
        "members_lost": sorted(before - here),
        "members_joined": sorted(here - before),
        "links": len(group["links"]),
        "links_lost": lost,
        "links_lost_tbps": plain(sum((planned["links"][pair] for pair in lost), 0.0)),
    }
