"""What a user should know of the places that campus groups can choose from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.candidates.text import some
from sitepick.candidates.types import FiberAccess
from sitepick.layers.types import Note
from sitepick.scenario.schema import Scenario


def notes(scenario: Scenario, fiber: FiberAccess | None, sites: pd.DataFrame) -> list[Note]:
    """Return notes on missing fiber, on candidates that meet none, and on nodes left out."""
    groups = scenario.campus_groups
    if not groups:
        return []
    names = ", ".join(group.name for group in groups)
    if fiber is None:
        text = (
            f"no fiber layer: distances of campus groups ({names}) are straight lines times "
            f"demand.route_factor {scenario.demand.route_factor:g}; their links, and what those "
            "carry and cost, are unknown and not in the plan"
        )
        return [Note("campus_groups", "group_straight", text, len(groups))]
    out = []
    kept = (sites["status"] == "candidate").to_numpy(dtype=bool)
    bare = kept & ~fiber.sites.known
    if bare.any():
        ids = sites["site_id"].to_numpy(object)[bare]
        text = f"{len(ids)} candidates meet no fiber and can be in no campus group: {some(ids)}"
        out.append(Note("campus_groups", "group_no_fiber", text, len(ids)))
    nodes = len(np.unique(fiber.sites.node[kept & fiber.sites.known]))
    for group in groups:
        if nodes > group.nodes_max:
            text = (
                f"group {group.name} chooses from {group.nodes_max} of {nodes} fiber nodes "
                "(nodes_max); sites at the others run along the network to the nearest: the plan "
                "and its bound are those of this choice"
            )
            out.append(Note("campus_groups", "group_nodes", text, nodes - group.nodes_max))
    return out
