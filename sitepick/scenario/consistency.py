"""Checks across sections that need nothing but the scenario and the catalogs. All are collected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sitepick.scenario.catalog import (
    HallClass,
    Hardware,
    catalog_ids,
    fits,
    hall_classes,
    hardware,
    table,
)
from sitepick.scenario.fiber_faults import fiber_faults
from sitepick.scenario.fields import ALL_TIME, value_at
from sitepick.scenario.grid import contradictions
from sitepick.scenario.groups import group_faults
from sitepick.scenario.messages import did_you_mean, find
from sitepick.scenario.power_options import TABLE, plain, power_options
from sitepick.scenario.schema import Scenario
from sitepick.scenario.yaml_tree import Node, problem

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """Something that contradicts something else; ``other`` is the other side of it."""

    path: Path
    message: str
    other: Path | None = None

    def shown(self, root: Node) -> str:
        """Return the fault with its place in ``root``."""
        node, found = find(root, self.path)
        message = self.message
        if self.other is not None:
            far, there = find(root, self.other)
            source, line, col = far.place()
            if there == [str(p) for p in self.other]:
                message += f" (see {source.at(line, col)})"
        # what the scenario leaves to a default is named in full and placed at its section
        return problem(node.place(), message, ".".join(found or [str(p) for p in self.path]))


def check_consistency(scenario: Scenario) -> list[Fault]:
    """Return every contradiction in ``scenario``, sections in the order of the schema."""
    unknown = [*_unknown_rows(scenario, "halls"), *_unknown_rows(scenario, "hardware")]
    faults = [*unknown, *_dates(scenario), *_sources(scenario), *_demand(scenario)]
    if not unknown:
        faults += _fitting(scenario)
        faults += _existing(scenario)
        faults += _hardware_named(scenario)
    faults += [*_onsite(scenario), *_bounds(scenario), *_regions(scenario)]
    if scenario.grid is not None:
        faults += [Fault(("grid", *at), said) for at, said in contradictions(scenario.grid)]
        if scenario.power.model == "none":
            text = (
                "needs 'model: grid': without it power is no limit; remove grid, or set it to null"
            )
            faults.append(Fault(("grid",), text, ("power", "model")))
    faults += [Fault(at, said) for at, said in fiber_faults(scenario)]
    faults += [Fault(at, said) for at, said in group_faults(scenario)]
    return [*faults, *_flexible(scenario)]


def _unknown_rows(s: Scenario, name: str) -> Iterator[Fault]:
    asked: Any = getattr(s, name)
    if asked == "none":
        return
    word = "hall class" if name == "halls" else "hardware"
    known = catalog_ids(name)
    seen: set[str] = set()
    for i, item in enumerate(asked):
        row_id = item if isinstance(item, str) else item.id
        if isinstance(item, str) and item not in known:
            own = [r.id for r in asked if not isinstance(r, str)]
            hint = did_you_mean(item, [*known, *own]) or f"; known: {', '.join(known)}"
            yield Fault((name, i), f"unknown {word} '{item}'{hint}")
        if row_id in seen:
            yield Fault((name, i), f"{word} '{row_id}' is listed twice")
        seen.add(row_id)
    if not asked:
        yield Fault((name,), f"is empty; name at least one {word}, or write none")


def _dates(s: Scenario) -> Iterator[Fault]:
    start = s.periods.from_
    if start < s.as_of.replace(day=1) and not s.existing:
        yield Fault(
            ("periods", "from"),
            f"periods start {start}, before as_of {s.as_of}: nothing can start before as_of",
            ("as_of",),
        )
    if s.periods.to < s.as_of:
        yield Fault(
            ("periods", "to"), f"the plan ends {s.periods.to}, before as_of {s.as_of}", ("as_of",)
        )


def _sources(s: Scenario) -> Iterator[Fault]:
    needed = {"parcels": "parcels", "table": "sites", "at_pois": "substations"}.get(
        s.candidates.source
    )
    if needed is not None and not getattr(s.layers, needed):
        yield Fault(
            ("candidates", "source"),
            f"'{s.candidates.source}' needs a file in layers.{needed}",
        )
    given = s.layers.parcels or s.layers.sites or s.layers.substations or s.layers.leases
    if needed is None and not given:
        text = "name a file of substations, parcels, sites or leases: no place is given"
        yield Fault(("layers",), text)


def _demand(s: Scenario) -> Iterator[Fault]:
    tables = bool(s.layers.demand or s.layers.demand_mw)
    if s.demand.it_mw is None and not s.demand.workloads and not tables:
        yield Fault(
            ("demand",), "nothing is asked: give it_mw, workloads or a file in layers.demand_mw"
        )
    for name, work in s.demand.named().items():
        at: Path = ("demand", "workloads", name) if s.demand.workloads else ("demand",)
        key = "ref_mw" if s.demand.workloads else "it_mw"
        if work.ref_mw is None:
            if s.demand.workloads and not tables:
                yield Fault(at, "asks nothing: give ref_mw, or a file in layers.demand_mw")
        else:
            yield from _series_dates(s, (*at, key), work.ref_mw)
        if s.hardware == "none" and work.uses != "it":
            yield Fault(
                (*at, "uses"),
                f"with 'hardware: none' work is plain IT MW: write 'uses: it', not '{work.uses}'",
                ("hardware",),
            )
        if not s.layers.demand and work.rtt_ms_max is not None:
            yield Fault((*at, "rtt_ms_max"), "needs demand places: give a file in layers.demand")
        if work.spread == "by_weight" and not s.layers.demand:
            yield Fault((*at, "spread"), "by_weight needs demand places: a file in layers.demand")


def _series_dates(s: Scenario, at: Path, series: dict[date, float]) -> Iterator[Fault]:
    start, end = s.periods.from_, s.periods.to
    for day in series:
        if day != ALL_TIME and day < start:
            yield Fault(
                at,
                f"{day} is before the first period; start with {start}, the first that is planned",
                ("periods", "from"),
            )
    if series and min(series) > end:
        yield Fault(
            at, f"starts {min(series)}, after the last period ends ({end})", ("periods", "to")
        )


def _fitting(s: Scenario) -> Iterator[Fault]:
    halls = {h.id: h for h in hall_classes(s)}
    for i, item in enumerate(s.halls if s.halls != "none" else []):
        row = halls[item if isinstance(item, str) else item.id]
        if row.retrofit_of is None:
            continue
        if row.retrofit_of not in halls:
            known = row.retrofit_of in catalog_ids("halls")
            hint = "; add it to halls" if known else did_you_mean(row.retrofit_of, halls)
            yield Fault(
                ("halls", i),
                f"'{row.id}' is a retrofit of '{row.retrofit_of}', which the scenario lacks{hint}",
            )
    if s.halls == "none" or s.hardware == "none":
        return
    for i, entry in enumerate(s.hardware):
        item_row = {h.id: h for h in hardware(s)}[entry if isinstance(entry, str) else entry.id]
        if not any(fits(item_row, hall) for hall in halls.values()):
            yield Fault(("hardware", i), _no_hall(item_row, list(halls.values())), ("halls",))


def _no_hall(item: Hardware, halls: list[HallClass]) -> str:
    need = f"{item.kw_per_rack:g} kW per rack" + (" with liquid" if item.liquid_required else "")
    have = ", ".join(
        f"{h.id} {h.kw_per_rack:g} kW{'' if h.liquid_share else ' air'}" for h in halls
    )
    return f"'{item.id}' needs {need}; no hall class takes it: {have}"


def _existing(s: Scenario) -> Iterator[Fault]:
    halls = {h.id: h for h in hall_classes(s)}
    items = {h.id: h for h in hardware(s)}
    seen: set[str] = set()
    for i, site in enumerate(s.existing):
        at: Path = ("existing", i)
        if site.site_id in seen:
            yield Fault((*at, "site_id"), f"'{site.site_id}' is listed twice")
        seen.add(site.site_id)
        for hall in site.halls:
            if hall not in halls:
                yield Fault((*at, "halls", hall), _not_listed("hall class", hall, halls, "halls"))
        for j, unit in enumerate(site.hardware):
            here: Path = (*at, "hardware", j)
            if unit.hall not in site.halls:
                yield Fault(
                    (*here, "hall"),
                    f"no hall of class '{unit.hall}' stands at '{site.site_id}'"
                    + did_you_mean(unit.hall, site.halls),
                )
            if unit.hardware not in items:
                yield Fault(
                    (*here, "hardware"),
                    _not_listed("hardware", unit.hardware, items, "hardware"),
                )
            elif unit.hall in halls and not fits(items[unit.hardware], halls[unit.hall]):
                yield Fault((*here, "hardware"), _no_hall(items[unit.hardware], [halls[unit.hall]]))
            if unit.since > s.as_of:
                yield Fault(
                    (*here, "since"), f"{unit.since} is after as_of {s.as_of}: not yet existing"
                )
        for hall, count in site.halls.items():
            used = sum(u.it_mw for u in site.hardware if u.hall == hall)
            if hall in halls and used > count * halls[hall].hall_it_mw + 1e-9:
                room = count * halls[hall].hall_it_mw
                yield Fault(
                    (*at, "hardware"),
                    f"{used:g} IT MW stand in '{hall}' halls of {room:g} IT MW",
                    (*at, "halls", hall),
                )


def _not_listed(word: str, row_id: str, listed: dict[str, Any], table: str) -> str:
    if row_id in catalog_ids(table):
        return f"{word} '{row_id}' is not in the scenario's {table}; add it there"
    return f"unknown {word} '{row_id}'" + did_you_mean(row_id, [*listed, *catalog_ids(table)])


def _hardware_named(s: Scenario) -> Iterator[Fault]:
    items = {h.id: h for h in hardware(s)}
    known = {*items, *catalog_ids("hardware")}
    if s.reference_hardware not in known:
        yield Fault(
            ("reference_hardware",),
            f"unknown hardware '{s.reference_hardware}'"
            + (did_you_mean(s.reference_hardware, known) or f"; known: {', '.join(sorted(known))}"),
        )
    for i, rule in enumerate(s.regions.rules):
        for j, row_id in enumerate(rule.allowed_hardware or []):
            if row_id not in known:
                yield Fault(
                    ("regions", "rules", i, "allowed_hardware", j),
                    f"unknown hardware '{row_id}'" + did_you_mean(row_id, known),
                )
    for name, item in s.procurement.items():
        if item.hardware is not None and item.hardware not in items:
            yield Fault(
                ("procurement", name, "hardware"),
                _not_listed("hardware", item.hardware, items, "hardware"),
            )


def _onsite(s: Scenario) -> Iterator[Fault]:
    shown = {r["id"]: r for r in table(TABLE)}
    known = [name for name, row in shown.items() if plain(row).get("planned", True)]
    seen: set[str] = set()
    unknown = False
    for i, item in enumerate(s.onsite.options):
        at: Path = ("onsite", "options", i)
        name = item if isinstance(item, str) else item.id
        if isinstance(item, str) and name not in shown:
            unknown = True
            hint = did_you_mean(name, known) or f"; known: {', '.join(known)}"
            yield Fault(at, f"unknown power option '{name}'{hint}")
        elif not (name in known if isinstance(item, str) else item.planned):
            note = shown[name]["note"] if name in shown else "planned is false"
            yield Fault(at, f"'{name}' is shown only, it is no source of power on site: {note}")
        if name in seen:
            yield Fault(at, f"power option '{name}' is listed twice; give one of them another id")
        seen.add(name)
    if not s.onsite.options:
        if s.onsite.permits:
            yield Fault(("onsite", "permits"), "permits without options: name some in options")
        return
    if s.power.model == "none":
        yield Fault(
            ("onsite", "options"),
            "on-site power needs 'model: grid': without it power is no limit",
            ("power", "model"),
        )
    if not unknown:
        days = {"default"} if not s.layers.solar_days else None
        for i, row in enumerate(power_options(s)):
            if row.profile and days is not None and row.profile not in days:
                at = ("onsite", "options", i)
                text = f"profile '{row.profile}' needs a file in layers.solar_days; or 'default'"
                yield Fault(at, text)
        suns = [i for i, row in enumerate(power_options(s)) if row.profile]
        for i in suns[1:]:
            text = "two options with a profile would both be made for the same load; list one"
            yield Fault(("onsite", "options", i), text, ("onsite", "options", suns[0]))
    for i, permit in enumerate(s.onsite.permits):
        for j, name in enumerate(permit.options or []):
            if name not in seen:
                text = f"'{name}' is none of onsite.options{did_you_mean(name, seen)}"
                yield Fault(("onsite", "permits", i, "options", j), text)


def _bounds(s: Scenario) -> Iterator[Fault]:
    low, high = s.candidates.min_it_mw_per_site, s.candidates.max_it_mw_per_site
    if high is not None and low > high:
        yield Fault(
            ("candidates", "min_it_mw_per_site"),
            f"{low:g} IT MW is more than max_it_mw_per_site {high:g}",
            ("candidates", "max_it_mw_per_site"),
        )
    for i, rule in enumerate(s.regions.rules):
        at: Path = ("regions", "rules", i)
        for day in sorted({*(rule.min_it_mw or {}), *(rule.max_it_mw or {})}):
            least = value_at(rule.min_it_mw or {}, day) or 0
            most = value_at(rule.max_it_mw or {}, day)
            if most is not None and least > most:
                when = "" if day == ALL_TIME else f" at {day}"
                yield Fault(
                    (*at, "min_it_mw"),
                    f"{least:g} IT MW{when} is more than max_it_mw {most:g}",
                    (*at, "max_it_mw"),
                )
                break
        if rule.closed_to is not None and rule.closed_from is None:
            yield Fault((*at, "closed_to"), "needs closed_from")
        elif rule.closed_from and rule.closed_to and rule.closed_from > rule.closed_to:
            yield Fault(
                (*at, "closed_from"),
                f"{rule.closed_from} is after closed_to {rule.closed_to}",
                (*at, "closed_to"),
            )
        if rule.together and rule.ids is None:
            yield Fault((*at, "together"), "needs ids: which regions count as one")


def _flexible(s: Scenario) -> Iterator[Fault]:
    used = s.power.nonfirm == "flexible"
    for key in ("areas", "battery"):
        swings = key == "battery" and any(w.power_swing_pct for w in s.demand.workloads.values())
        if getattr(s.flexible, key) and not (used or swings):
            yield Fault(
                ("flexible", key),
                f"counts only with 'power.nonfirm: flexible', not '{s.power.nonfirm}'",
                ("power", "nonfirm"),
            )
    names = [area.name for area in s.flexible.areas]
    for i, area in enumerate(s.flexible.areas):
        if area.name in names[:i]:
            yield Fault(("flexible", "areas", i, "name"), f"'{area.name}' is listed twice")


def _regions(s: Scenario) -> Iterator[Fault]:
    levels = [r.level for r in s.layers.regions]
    asked: list[tuple[Path, str]] = [
        (("regions", "rules", i, "level"), rule.level) for i, rule in enumerate(s.regions.rules)
    ]
    asked += [(("regions", "max_entered", level), level) for level in s.regions.max_entered]
    asked += [
        (("procurement", name, "level"), item.level)
        for name, item in s.procurement.items()
        if item.level is not None
    ]
    asked += [
        (("flexible", "areas", i, "level"), area.level)
        for i, area in enumerate(s.flexible.areas)
        if area.level is not None
    ]
    asked += [
        (("onsite", "permits", i, "level"), rule.level) for i, rule in enumerate(s.onsite.permits)
    ]
    for at, level in asked:
        if level not in levels:
            have = f"; levels given: {', '.join(levels)}" if levels else "; none is given"
            hint = did_you_mean(level, levels) or have
            yield Fault(at, f"no file in layers.regions is of level '{level}'{hint}")
    for level in sorted({x for x in levels if levels.count(x) > 1}):
        yield Fault(("layers", "regions"), f"level '{level}' is given by two files")
