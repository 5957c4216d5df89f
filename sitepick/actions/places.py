"""Actions of places: regions entered, land, works, fiber laterals and ties of opened sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from sitepick.actions.entry import Draft
from sitepick.actions.facts import Facts, Lead, day, number
from sitepick.actions.types import Action, Decision
from sitepick.instance.timeline import add_months, whole_months

Choice = tuple[date, date, Lead, str]
"""Day on which land must be ours, what for and when that is in service, why."""


def drafts(facts: Facts) -> Iterator[Draft]:
    """Yield the actions of regions and sites that the plan opens."""
    yield from _regions(facts)
    yield from _land(facts)
    yield from _works(facts)
    yield from _ties(facts)


def _regions(facts: Facts) -> Iterator[Draft]:
    for row in facts.plan.entered:
        if row.entered is None:
            continue
        musd = 0.0
        for rule in facts.scenario.regions.rules:
            if rule.level != row.level:
                continue
            single = not rule.together and (rule.ids is None or row.region_id in rule.ids)
            if single or (rule.together and _joined(facts, rule.level, rule.ids) == row.region_id):
                musd += rule.entry_musd
        yield Draft(
            "enter_region", date.fromisoformat(row.entered), facts.tie,
            item=f"{row.level} {row.region_id}", musd=musd,
            why=f"{row.level} {row.region_id} has its first site in service {row.entered}; land "
            "is bought and works start there from then on",
            decisions=(Decision("region", (row.level, row.region_id)),),
        )  # fmt: skip


def _joined(facts: Facts, level: str, ids: list[str] | None) -> str:
    every = sorted(region for at, region in facts.region_factor if at == level)
    return "+".join(every if ids is None else ids)


def _land(facts: Facts) -> Iterator[Draft]:
    """Land is needed for the opening, before any hall is started, and before an option ends."""
    ha: dict[str, float] = defaultdict(float)
    halls: dict[str, Choice] = {}
    blocks: dict[str, Choice] = {}

    def uses(first: dict[str, Choice], site: str, area: float, since: str, lead: Lead) -> None:
        ha[site] += area
        needed = date.fromisoformat(since)
        start = add_months(needed, -whole_months(lead.months))
        what = lead.key.split(".")[1]
        if site not in first or start < first[site][0]:
            first[site] = start, needed, lead, f"work on {what} starts {start}"

    for built in sorted(facts.plan.halls, key=lambda r: (r.period, r.hall)):
        kind = facts.halls.get(built.hall)
        if kind is not None and built.built:
            lead = Lead(kind.build_months, f"halls.{built.hall}.build_months")
            area = built.built * kind.hall_it_mw * kind.ha_per_mw
            uses(halls, built.site_id, area, built.period, lead)
    for stay in sorted(facts.plan.stays, key=lambda r: (r.since, r.option)):
        option = facts.options[stay.option]
        lead = Lead(option.lead_months, f"onsite.{stay.option}.lead_months")
        area = stay.blocks * option.block_mw * facts.option_ha_per_mw(option)
        uses(blocks, stay.site_id, area, stay.since, lead)
    per_ha = facts.scenario.candidates.land_musd_per_ha
    for site in facts.plan.sites:
        row, asked = facts.sites[site.site_id], number(facts.sites[site.site_id]["land_musd"])
        if site.site_id in facts.leases:
            continue  # the land is the owner's
        if site.opened is None and (asked is not None or not ha[site.site_id]):
            continue  # the land is ours
        choices: list[Choice] = []
        if site.opened is not None:
            opening = date.fromisoformat(site.opened)
            start = add_months(opening, -whole_months(facts.tie.months))
            choices.append((start, opening, facts.tie, f"the site opens {site.opened}"))
        if site.site_id in halls:
            choices.append(halls[site.site_id])
        if not choices:  # a plant is ordered long before anyone digs
            choices.append(blocks[site.site_id])
        expires = day(row["option_expires"])
        if expires is not None:
            choices.append((expires, expires, Lead(0, "option_expires"),
                            f"the option ends {expires}"))  # fmt: skip
        # of two reasons for one day the first: the opening rather than a hall
        _, needed, lead, why = min(choices, key=lambda c: c[0])
        musd = ha[site.site_id] * per_ha if asked is None else asked
        size = f"{ha[site.site_id]:,.4g} ha" if asked is None else "the whole parcel"
        yield Draft(
            "secure_land", needed, lead, site=site.site_id,
            poi=facts.pois_of.get(site.site_id, ""), mw=facts.it_mw[site.site_id], mw_kind="IT MW",
            musd=musd, why=f"{size}; {why}", decisions=(Decision("site", (site.site_id,)),),
        )  # fmt: skip


def options(facts: Facts, actions: Sequence[Action]) -> Iterator[Draft]:
    """Yield options on land that a request for grid MW needs before the land is bought.

    Not where the parcel states when its option ends: there is one.
    """
    asked: dict[str, date] = {}
    bought: dict[str, Action] = {}
    for action in actions:
        site = action.site_id
        if action.action == "request_interconnection":
            asked[site] = min(action.do_by, asked.get(site, action.do_by))
        elif action.action == "secure_land":
            bought[site] = action
    for site, land in bought.items():
        free = day(facts.sites[site]["option_expires"]) is None
        if free and site in asked and asked[site] < land.do_by:
            yield Draft(
                "option_land", asked[site], Lead(0, "request_interconnection"), site=site,
                poi=land.poi_id, mw=land.mw, mw_kind=land.mw_kind,
                why=f"grid MW are requested by {asked[site]}, the land is bought by {land.do_by}",
            )  # fmt: skip


def _works(facts: Facts) -> Iterator[Draft]:
    rules, fiber = facts.scenario.candidates, facts.scenario.fiber
    for site in facts.plan.sites:
        if site.opened is None or site.site_id in facts.leases:
            continue
        row = facts.sites[site.site_id]
        draft = Draft(
            "start_site_works", date.fromisoformat(site.opened), facts.tie, site=site.site_id,
            poi=facts.pois_of.get(site.site_id, ""), mw=facts.it_mw[site.site_id], mw_kind="IT MW",
            musd=rules.site_fixed_musd + (number(row["fixed_musd"]) or 0.0),
            why=f"the site opens {site.opened}", decisions=(Decision("site", (site.site_id,)),),
        )  # fmt: skip
        if draft.musd:
            yield draft
        km = number(row["fiber_km"]) or 0.0
        other, each = number(row.get("fiber_second_km")), f"one lateral of {km:,.4g} km"
        second = 0.0 if not fiber.diverse else km if other is None else other
        if km + second:
            if fiber.diverse:
                each = f"laterals of {km:,.4g} and {second:,.4g} km"
            why = f"{each}; the site opens {site.opened}"
            musd = (km + second) * fiber.musd_per_km
            yield replace(draft, action="start_fiber", musd=musd, why=why)


def _ties(facts: Facts) -> Iterator[Draft]:
    most: dict[tuple[str, str, float | None], float] = defaultdict(float)
    for row in facts.plan.grid:
        key = row.site_id, row.poi_id, row.kv
        most[key] = max(most[key], row.grid_mw)
    for tie in facts.plan.ties:
        if tie.since is None:
            continue
        row_of = facts.tie_row(tie)
        kv = number(row_of.get("kv"))
        voltage = _kv(kv) and f"{_kv(kv)} kV"
        yield Draft(
            "start_tie", date.fromisoformat(tie.since), facts.tie, site=tie.site_id,
            poi=tie.poi_id, item=voltage, mw=most[tie.site_id, tie.poi_id, tie.kv],
            mw_kind="grid MW", musd=facts.tie_musd(row_of),
            why=f"{voltage or 'tie'} of {number(row_of.get('km')) or 0.0:,.4g} km to {tie.poi_id} "
            f"in service {tie.since}",
            decisions=(Decision("tie", (tie.site_id, tie.poi_id, _kv(tie.kv))),),
        )  # fmt: skip


def _kv(kv: float | None) -> str:
    return "" if kv is None else f"{kv:g}"
