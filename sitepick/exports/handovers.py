"""Sheet of what prefill pools hand over to decode pools, by place and the nodes of both."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick.exports.sheet import Field, Row, Sheet, plain

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows

NAME = "handovers"


def handovers_sheet(made: SiteRows) -> Sheet:
    """Return the sheet ``handovers``: a row per split, place, period and nodes of its two pools."""
    fields = (
        Field("split", "", "text", "split of requests (demand.splits)"),
        Field("place_id", "", "text", "place whose requests they are; anywhere: of no place"),
        Field("period", "date", "date", "first day of the period"),
        Field("from_node", "", "text",
              "fiber node of the prefill sites; a site that is at no known node"),
        Field("from_name", "", "text", "name of that node"),
        Field("from_sites", "", "text", "sites there that do the prefill, joined by +"),
        Field("to_node", "", "text", "fiber node of the decode sites, or a site"),
        Field("to_name", "", "text", "name of that node"),
        Field("to_sites", "", "text", "sites there that do the decode, joined by +"),
        Field("prefill_ref_mw", "ref MW", "number", "work of prefill"),
        Field("decode_ref_mw", "ref MW", "number", "work of decode that it is handed over to"),
        Field("kv_tbps", "Tb/s each way", "number",
              "KV cache that goes over fiber in ordinary hours; 0: within the node"),
        Field("rtt_ms", "ms", "number",
              "round trip of the longest route in use, with equipment, without laterals; "
              "empty: within the node, or no fiber layer"),
    )  # fmt: skip
    splits = {s.name: s for s in made.scenario.demand.splits}
    at = _sites_at(made)
    rtt: dict[tuple[str, str, str, str], float] = defaultdict(float)
    for link in made.solution.links:
        if link.service in splits and link.tbps:
            key = link.service, link.from_node, link.to_node, link.period
            rtt[key] = max(rtt[key], link.rtt_ms)
    rows: list[Row] = []
    for r in sorted(
        made.solution.handovers,
        key=lambda r: (r.split, r.place_id, r.period, r.from_node, r.to_node),
    ):
        split, apart = splits[r.split], r.from_node != r.to_node
        far = rtt.get((r.split, r.from_node, r.to_node, r.period))
        ends = ((r.from_node, split.prefill), (r.to_node, split.decode))
        first, last = ("+".join(at[node, of, r.place_id, r.period]) for node, of in ends)
        rows.append(
            {
                "split": plain(r.split), "place_id": plain(r.place_id), "period": r.period,
                "from_node": plain(r.from_node), "from_name": _name(made, r.from_node),
                "from_sites": first or None, "to_node": plain(r.to_node),
                "to_name": _name(made, r.to_node), "to_sites": last or None,
                "prefill_ref_mw": plain(r.prefill_ref_mw), "decode_ref_mw": plain(r.ref_mw),
                "kv_tbps": plain(r.ref_mw * split.gbps_per_ref_mw / 1000) if apart else 0.0,
                "rtt_ms": None if far is None else plain(far),
            }
        )  # fmt: skip
    meaning = "what prefill pools hand over to decode pools, by period"
    return Sheet(NAME, meaning, fields, rows)


def _sites_at(made: SiteRows) -> dict[tuple[str, str, str, str], list[str]]:
    """Return the sites by node, workload, place and period, sorted; those of no node by id."""
    access = made.candidates.fiber
    node_of: dict[str, str] = {}
    if access is not None:
        for site, node in zip(made.candidates.sites["site_id"], access.sites.node, strict=True):
            if node >= 0:
                node_of[str(site)] = str(access.network.node_id[node])
    out: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for row in sorted(made.solution.serve, key=lambda r: r.site_id):
        if row.ref_mw > 1e-6:
            node = node_of.get(row.site_id, row.site_id)
            out[node, row.workload, row.place_id, row.period].append(plain(row.site_id))
    return out


def _name(made: SiteRows, node: str) -> str:
    """Return the name of a fiber node, or of a site that stands for itself."""
    access = made.candidates.fiber
    if access is not None and node in access.network.node_of:
        return str(plain(str(access.network.name[access.network.node_of[node]])))
    return str(made.look.sites.get(node, {}).get("name") or plain(node))
