"""The levers of traffic: what fiber can be had and when, how near pools are, how power swings."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.diagnose.lever import Lever, amount, at, months, whole
from sitepick.diagnose.world import World

_MORE = 16
"""Pairs or waves of an edge beyond those that can be had."""


def fiber_levers(world: World) -> Iterator[Lever | None]:
    """Yield the levers of the scenario's keys on fiber, splits and power swings."""
    demand = world.scenario.demand
    for name, work in demand.workloads.items():
        if work.power_swing_pct:
            path = ("demand", "workloads", name, "power_swing_pct")
            yield amount("swings", ".".join(path), "%", work.power_swing_pct, 0.0, at(path))
    for i, split in enumerate(demand.splits):
        where = ("demand", "splits", i, "rtt_ms_max")
        key = f"demand.splits.{i}.rtt_ms_max"
        yield amount("latency", key, "ms", split.rtt_ms_max, 300.0, at(where))
    fiber = world.scenario.fiber
    some = fiber.services or demand.splits or world.scenario.campus_groups
    if world.candidates.fiber is None or not some:
        return
    capacity = fiber.capacity
    for what in ("pair", "wave", "build"):
        part = getattr(capacity, what)
        if part is None:
            continue
        here = ("fiber", "capacity", what)
        yield months("lead", ".".join((*here, "lead_months")), part.lead_months,
                     at((*here, "lead_months")))  # fmt: skip
        if what != "build":
            most = part.per_edge
            steps = tuple(float(k) for k in range(most + 1, most + _MORE + 1))
            yield Lever(
                "fiber", ".".join((*here, "per_edge")), f"{what}s", most, steps[-1],
                whole((*here, "per_edge")), max(1, most), steps,
            )  # fmt: skip
