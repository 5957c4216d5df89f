"""The levers of a scenario: every number of it that can stand in the way of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sitepick.diagnose.fiber_levers import fiber_levers
from sitepick.diagnose.lever import Lever, Lift, amount, at, chosen, dated, months, switch, whole
from sitepick.diagnose.world import World
from sitepick.instance.timeline import Timeline
from sitepick.scenario.catalog import hall_classes
from sitepick.scenario.catalog import hardware as hardware_rows
from sitepick.scenario.fields import ALL_TIME
from sitepick.scenario.power import STAGES

MUCH_MUSD = 1e6
"""More than any plan costs, for limits on money."""


def scenario_levers(world: World, time: Timeline, much: float) -> list[Lever]:
    """Return the levers of a scenario's own keys; ``much`` is more MW than anybody asks for."""
    found = [
        *_power(world, much), *_equipment(world), *_money(world), *_supply(world, much),
        *_campus(world, much), *_regions(world, time, much), *_limits(world),
        *_latency(world), *_onsite(world, much), *fiber_levers(world), *_demand(world),
    ]  # fmt: skip
    return [lever for lever in found if lever is not None]


def _power(world: World, much: float) -> Iterator[Lever | None]:
    power = world.scenario.power
    if power.model != "grid":
        return
    for key in ("max_mw_per_poi", "max_ramp_mw_per_year"):
        now = getattr(power, key)
        if now is not None:
            unit = "grid MW" if key == "max_mw_per_poi" else "grid MW a year"
            yield amount("headroom", f"power.{key}", unit, now, much, at(("power", key)))
    if power.headroom_pct < 100 and not world.scenario.connection_only:
        yield amount(
            "headroom", "power.headroom_pct", "%", power.headroom_pct, 100,
            at(("power", "headroom_pct")),
        )  # fmt: skip
    if power.upgrade_step is not None:
        most = power.upgrade_step.max_steps
        yield Lever(
            "headroom", "power.upgrade_step.max_steps", "steps", most, 20.0,
            whole(("power", "upgrade_step", "max_steps")), most,
            tuple(float(n) for n in range(most + 1, 21)),
        ) if most < 20 else None  # fmt: skip
        lead = power.upgrade_step.lead_months
        path = ("power", "upgrade_step", "lead_months")
        yield months("lead", ".".join(path), lead, at(path))
    yield months("dates", "power.wait_years", power.wait_years, at(("power", "wait_years")),
                 unit="years")  # fmt: skip
    yield months("lead", "power.tie_months", power.tie_months, at(("power", "tie_months")))
    for stage, years in power.slip_years.items():
        path = ("power", "slip_years", stage)
        yield months("dates", ".".join(path), years, at(path), unit="years")
    offered = set(world.candidates.offers["stage"].astype(str))
    for stage in STAGES:
        if stage in offered and stage not in power.count_stages:
            stages = [*power.count_stages, stage]
            yield switch(
                "headroom", "power.count_stages", f"without {stage}", f"with {stage}",
                chosen(("power", "count_stages"), stages),
            )  # fmt: skip
    if power.nonfirm == "exclude" and not world.candidates.offers["firm"].astype(bool).all():
        yield switch(
            "headroom", "power.nonfirm", "exclude", "count",
            chosen(("power", "nonfirm"), "count"),
        )  # fmt: skip


def _equipment(world: World) -> Iterator[Lever | None]:
    halls = hall_classes(world.scenario)
    for k, hall in enumerate(halls):
        key = f"halls.{hall.id}.build_months"
        yield months("lead", key, hall.build_months, _row("halls", halls, k, "build_months"))
    items = hardware_rows(world.scenario)
    as_of = world.scenario.as_of
    for k, item in enumerate(items):
        key = f"hardware.{item.id}"
        lift = _row("hardware", items, k, "lead_months")
        yield months("lead", f"{key}.lead_months", item.lead_months, lift)
        day = item.available_from
        if day is not None and day > as_of:
            starts = _starts(world, as_of, day)
            put_day = _row("hardware", items, k, "available_from")
            yield dated("lead", f"{key}.available_from", day, starts, put_day, as_of)


def _row(section: str, rows: Sequence[Any], k: int, key: str) -> Any:
    """Return the lift that states the rows of a catalog with one value of one row set."""

    def lift(world: World, value: Any) -> World:
        now = getattr(world.scenario, section)
        stated = list(rows) if any(isinstance(r, str) for r in now) else list(now)
        at_row = next(i for i, r in enumerate(stated) if r.id == rows[k].id)
        stated[at_row] = stated[at_row].model_copy(update={key: value})
        return world.put((section,), stated)

    return lift


def _starts(world: World, first: date, before: date) -> list[date]:
    """Return the period starts between two days, latest first, then ``first`` itself."""
    starts = [d for d in Timeline.of(world.scenario).starts[:-1] if first < d < before]
    return [*reversed(starts), first]


def _money(world: World) -> Iterator[Lever]:
    stated = world.scenario.budget_musd
    if stated is None:
        return
    years = Timeline.of(world.scenario).years
    typical = max(stated.values(), default=0.0) or 1.0
    for year in [y for y in years if y >= min(stated, default=y)]:
        lever = amount(
            "budget", f"budget_musd.{year}", "MUSD", stated.get(year, 0.0), MUCH_MUSD,
            at(("budget_musd", year)), str(year),
        )  # fmt: skip
        yield replace(lever, scale=max(lever.now, 0.1 * typical))


def _supply(world: World, much: float) -> Iterator[Lever | None]:
    for name, item in world.scenario.procurement.items():
        for year, cap in sorted(item.cap.items()):
            path = ("procurement", name, "cap", year)
            key = f"procurement.{name}.cap.{year}"
            far = cap + much * item.amount
            yield amount("supply", key, item.unit, cap, far, at(path), name, str(year))
        lead = ("procurement", name, "lead_months")
        yield months("lead", ".".join(lead), item.lead_months, at(lead), name)


def _campus(world: World, much: float) -> Iterator[Lever | None]:
    rules = world.scenario.candidates
    if rules.min_it_mw_per_site:
        path = ("candidates", "min_it_mw_per_site")
        yield amount("campus", ".".join(path), "IT MW", rules.min_it_mw_per_site, 0, at(path))
    rule = rules.max_it_mw_per_site
    if rule is not None:
        path = ("candidates", "max_it_mw_per_site")
        same = [i for i, mw in enumerate(world.candidates.sites["max_it_mw"]) if mw >= rule - 1e-9]

        def lift(w: World, x: float) -> World:
            for i in same:
                w = w.cell("sites", i, "max_it_mw", x)
            return w.put(path, x)

        yield amount("campus", ".".join(path), "IT MW", rule, much, lift)


def _regions(world: World, time: Timeline, much: float) -> Iterator[Lever | None]:
    regions = world.scenario.regions
    for level, most in regions.max_entered.items():
        n = int((world.candidates.regions["level"] == level).sum())
        path = ("regions", "max_entered", level)
        yield Lever(
            "entered", ".".join(path), "regions", most, float(n), whole(path), max(1, most),
            tuple(float(k) for k in range(most + 1, n + 1)), (level,),
        ) if n > most else None  # fmt: skip
    for i, rule in enumerate(regions.rules):
        base, key = ("regions", "rules", i), f"regions.rules[{i}]"
        named = tuple(rule.ids or ())
        for name, family, unit, far in (
            ("max_grid_mw", "caps", "grid MW", much),
            ("max_it_mw", "caps", "IT MW", much),
            ("min_it_mw", "presence", "IT MW", 0.0),
        ):
            for day, mw in (getattr(rule, name) or {}).items():
                where = f"{key}.{name}" + ("" if day == ALL_TIME else f".{day}")
                if mw != far:
                    lift = at((*base, name, day))
                    yield amount(family, where, unit, mw, far, lift, *named)
        for name, family, unit, far in (
            ("min_it_mw_once_entered", "presence", "IT MW", 0.0),
            ("max_share_pct", "share", "%", 100.0),
            ("max_co2_kt_per_year", "co2", "kt CO2 a year", 10 * much),
            ("max_water_ml_per_year", "water", "million litres a year", 100 * much),
        ):
            now = getattr(rule, name)
            if now is not None and now != far:
                lift = at((*base, name))
                yield amount(family, f"{key}.{name}", unit, now, far, lift, *named)
        yield from _closed(world, time, i)
        delay = (*base, "hardware_delay_months")
        now = rule.hardware_delay_months
        yield months("lead", f"{key}.hardware_delay_months", now, at(delay), *named)
        if rule.allowed_hardware is not None:
            yield switch(
                "hardware", f"{key}.allowed_hardware", ", ".join(rule.allowed_hardware), "any",
                chosen((*base, "allowed_hardware"), None), *named,
            )  # fmt: skip


def _closed(world: World, time: Timeline, i: int) -> Iterator[Lever | None]:
    """Yield the lever of a moratorium: it ends before each earlier period, or never begins."""
    rule, base = world.scenario.regions.rules[i], ("regions", "rules", i)
    if rule.closed_from is None and rule.closed_to is None:
        return
    first = rule.closed_from or time.starts[0]
    last = rule.closed_to or time.starts[-1] - timedelta(days=1)
    ends = [p - timedelta(days=1) for p in reversed(time.starts[:-1])]
    ends = [d for d in ends if first <= d < last]
    none = first - timedelta(days=1)

    def lift(w: World, day: date) -> World:
        if day == none:
            return w.put((*base, "closed_from"), None).put((*base, "closed_to"), None)
        return w.put((*base, "closed_to"), day)

    yield dated(
        "moratoria", f"regions.rules[{i}].closed_to", last, [*ends, none], lift,
        world.scenario.as_of, *(rule.ids or ()), never="no moratorium",
    )  # fmt: skip


def _limits(world: World) -> Iterator[Lever | None]:
    limits = world.scenario.limits
    for name, family, unit, far in (
        ("net_present_cost_musd_max", "cost", "MUSD", MUCH_MUSD),
        ("co2_kt_per_year_max", "co2", "kt CO2 a year", 1e6),
        ("water_ml_per_year_max", "water", "million litres a year", 1e7),
    ):
        now = getattr(limits, name)
        if now is not None:
            yield amount(family, f"limits.{name}", unit, now, far, at(("limits", name)))
    for name, unit in (("it_mw_min", "IT MW"), ("served_ref_mw_min", "ref_mw")):
        for day, mw in (getattr(limits, name) or {}).items():
            where = f"limits.{name}" + ("" if day == ALL_TIME else f".{day}")
            if mw > 0:
                yield amount("floors", where, unit, mw, 0.0, at(("limits", name, day)))
    most, n = limits.sites_max, len(world.candidates.sites)
    if most is not None and most < n:
        steps = tuple(float(k) for k in range(most + 1, n + 1))
        lift = whole(("limits", "sites_max"))
        yield Lever("sites", "limits.sites_max", "sites", most, n, lift, max(1, most), steps)


def workload_path(world: World, name: str) -> tuple[str, ...]:
    return ("demand", "workloads", name) if world.scenario.demand.workloads else ("demand",)


def _latency(world: World) -> Iterator[Lever | None]:
    measured = sorted({float(v) for v in world.candidates.reach["rtt_ms"].dropna()})
    for name, workload in world.scenario.demand.named().items():
        now = workload.rtt_ms_max
        steps = tuple(v for v in measured if now is not None and v > now + 1e-9)
        if now is None or not steps:
            continue
        path = (*workload_path(world, name), "rtt_ms_max")
        yield Lever(
            "latency", ".".join(path), "ms", now, steps[-1], at(path), now, steps, (name,)
        )  # fmt: skip


def _onsite(world: World, much: float) -> Iterator[Lever | None]:
    if not world.scenario.onsite.options:
        return
    for i, permit in enumerate(world.scenario.onsite.permits):
        if permit.max_mw is not None:
            lift = at(("onsite", "permits", i, "max_mw"))
            key = f"onsite.permits[{i}].max_mw"
            yield amount("permits", key, "MW", permit.max_mw, much, lift, *(permit.ids or ()))


def _at_most(path: Sequence[Any], series: dict[date, float]) -> Lift:
    """Return the lift that cuts a series at a value."""
    return lambda world, x: world.put(path, {d: min(mw, x) for d, mw in series.items()})


def _demand(world: World) -> Iterator[Lever | None]:
    for name, workload in world.scenario.demand.named().items():
        if not workload.must_serve:
            continue
        path = workload_path(world, name)
        unit = "IT MW" if world.scenario.hardware == "none" else "ref_mw"
        if workload.ref_mw is not None:
            key = "it_mw" if len(path) == 1 else "ref_mw"
            series, where = dict(workload.ref_mw), (*path, key)
            yield amount(
                "demand", ".".join(where), unit, max(series.values(), default=0.0), 0.0,
                _at_most(where, series),
                name,
            )  # fmt: skip
        yield switch(
            "demand", ".".join((*path, "must_serve")), "true", "false",
            chosen((*path, "must_serve"), False), name,
        )  # fmt: skip
