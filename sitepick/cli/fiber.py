"""`sitepick layers --fiber`: the network of a scenario's fiber layers, and what it hangs on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sitepick.cli.talk import Talk
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from sitepick.network.fiber_summary import Summary

_MOST = 12
"""Bridges and single points listed; JSON has all of them."""
_WORDS = {
    "owner": "owner", "pairs": "fiber pairs", "lit": "lit or dark", "lit_tbps": "capacity",
    "lease_usd_per_km_year": "lease price", "in_service": "in-service date",
}  # fmt: skip


def show_network(path: Path, speaker: Talk) -> None:
    """Print parts, bridges and single points of failure of the network of a scenario."""
    from sitepick import pipeline
    from sitepick.candidates.fiber import network_of_layers
    from sitepick.layers.load import load
    from sitepick.network.fiber_summary import summary_of
    from sitepick.scenario.inputs import LayerList

    loaded = pipeline.load(path)
    roles = ("fiber_nodes", "fiber_links", "rights_of_way")
    asked = LayerList.model_validate({r: getattr(loaded.scenario.layers, r) for r in roles})
    layers = load(loaded.scenario.model_copy(update={"layers": asked}), loaded.base)
    network, notes = network_of_layers(loaded.scenario, layers)
    if network is None:
        raise ScenarioError(f"{path}: no fiber links (layers.fiber_links), so there is no network")
    found = summary_of(network, loaded.scenario.periods.from_)
    every = [n for n in (*layers.notes, *notes) if n.role.startswith(("fiber", "rights"))]
    if speaker.json:
        said = [{"code": n.code, "message": n.message, "count": n.count} for n in every]
        speaker.answer_json({"status": "ok", "network": found.to_dict(), "notes": said})
        return
    speaker.answer("\n".join(_lines(found)))
    for note in every:
        speaker.answer(f"note {note.code}: {note.message}")


def _lines(found: Summary) -> list[str]:
    out = [f"{found.nodes:,} nodes, {found.links:,} links of {found.km:,.0f} route km in service"]
    if found.later:
        out.append(f"{found.later:,} links come into service later")
    if found.new:
        what = "stretches" if found.new > 1 else "stretch"
        out.append(f"{found.new:,} {what} of {found.new_km:,.0f} km may be built (rights of way)")
    joined = [(n, name) for n, name in found.parts if n > 1]
    alone = len(found.parts) - len(joined)
    sizes = "; ".join(f"{n:,} nodes with {name}" for n, name in joined[:_MOST])
    out.append(f"Parts that no link joins: {len(joined)} ({sizes})" if joined else "No part")
    if alone:
        out.append(f"Nodes without a link in service: {alone:,}")
    out.append(f"Bridges, links without which the network comes apart: {len(found.bridges)}")
    for bridge in found.bridges[:_MOST]:
        behind = f"{bridge.nodes_behind:,} node{'s' if bridge.nodes_behind > 1 else ''} behind"
        ends = f"{bridge.from_node} - {bridge.to_node}"
        out.append(f"  {bridge.link_id}  {ends}, {bridge.km:,.0f} km, {behind}")
    out += _more(len(found.bridges))
    out.append(f"Nodes without which others come apart: {len(found.points)}")
    for point in found.points[:_MOST]:
        out.append(f"  {point.node_id}  {point.name}, {point.parts} parts left")
    out += _more(len(found.points))
    unknown = ", ".join(f"{_WORDS[k]} of {n:,}" for k, n in found.unknown.items() if n)
    if unknown:
        out.append(f"Links that do not state: {unknown}")
    return out


def _more(count: int) -> list[str]:
    return [f"  ... {count - _MOST:,} more (--json has all)"] if count > _MOST else []
