"""What contradicts itself in the sections on traffic: optics, services, splits, power swings."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.scenario.fiber_capacity import optics_ids
from sitepick.scenario.messages import did_you_mean
from sitepick.scenario.schema import Scenario

Fault = tuple[tuple[str | int, ...], str]


def fiber_faults(s: Scenario) -> Iterator[Fault]:
    """Yield (path, message) of each contradiction."""
    yield from _optics(s)
    yield from _services(s)
    yield from _splits(s)
    for name, work in s.demand.workloads.items():
        if work.power_swing_pct and s.power.model == "none":
            at = ("demand", "workloads", name, "power_swing_pct")
            yield at, "needs 'model: grid' in power: without it power is no limit"


def _optics(s: Scenario) -> Iterator[Fault]:
    here = ("fiber", "capacity", "optics")
    asked, known = s.fiber.capacity.optics, optics_ids()
    seen: set[str] = set()
    for i, item in enumerate(asked):
        name = item if isinstance(item, str) else item.id
        if isinstance(item, str) and item not in known:
            own = [r.id for r in asked if not isinstance(r, str)]
            hint = did_you_mean(item, [*known, *own]) or f"; known: {', '.join(known)}"
            yield (*here, i), f"unknown class of optics '{item}'{hint}"
        if name in seen:
            yield (*here, i), f"class of optics '{name}' is listed twice"
        seen.add(name)
    if not asked:
        yield here, "is empty; name at least one class of optics"


def _services(s: Scenario) -> Iterator[Fault]:
    works = s.demand.named()
    names = {group.name for group in s.campus_groups}
    for i, service in enumerate(s.fiber.services):
        at = ("fiber", "services", i)
        if service.name in names:
            yield (*at, "name"), f"'{service.name}' is the name of other traffic already"
        names.add(service.name)
        if service.workload not in works:
            yield (*at, "workload"), _unknown(service.workload, works)
        elif service.to_nodes is None and not s.layers.demand:
            yield at, "name to_nodes, or give demand places: a file in layers.demand"
    if s.fiber.services and not s.layers.fiber_links:
        yield ("fiber", "services"), "need a fiber network: a file in layers.fiber_links"


def _splits(s: Scenario) -> Iterator[Fault]:
    works = s.demand.workloads
    names = {service.name for service in s.fiber.services}
    names |= {group.name for group in s.campus_groups}
    pooled: dict[str, int] = {}
    for i, split in enumerate(s.demand.splits):
        at = ("demand", "splits", i)
        if split.name in names:
            yield (*at, "name"), f"'{split.name}' is the name of other traffic already"
        names.add(split.name)
        if split.prefill == split.decode:
            yield (*at, "decode"), f"'{split.decode}' is the prefill pool as well"
            continue
        for key in ("prefill", "decode"):
            pool = getattr(split, key)
            if pool not in works:
                yield (*at, key), _unknown(pool, works)
            elif pooled.setdefault(pool, i) != i:
                other = s.demand.splits[pooled[pool]].name
                yield (*at, key), f"'{pool}' is a pool of '{other}' already"
        both = [works[pool] for pool in (split.prefill, split.decode) if pool in works]
        if len(both) == 2 and both[0].spread != both[1].spread:
            text = "is spread otherwise than prefill: both pools serve the same places"
            yield (*at, "decode"), text


def _unknown(name: str, works: object) -> str:
    known = list(works) if isinstance(works, dict) else []
    return f"unknown workload '{name}'" + (
        did_you_mean(name, known) or f"; known: {', '.join(known) or 'none'}"
    )
