"""Actions of power: letters, requests, upgrades of POIs and lines, on-site blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sitepick.actions.entry import Draft
from sitepick.actions.facts import Facts, Lead, Row, day, number
from sitepick.actions.types import Decision
from sitepick.solution import OfferRow

AGREED = ("energised", "signed")
"""Stages of letters that need no answer, unless they state a day for one."""
_TINY_MW = 1e-6


def drafts(facts: Facts) -> Iterator[Draft]:
    """Yield the actions that bring grid MW and on-site MW."""
    for take in facts.plan.offers:
        yield from _letter(facts, take, facts.offers[take.offer_id])
    yield from _requests(facts)
    yield from _steps(facts)
    yield from _lines(facts)
    yield from _onsite(facts)


def _letter(facts: Facts, take: OfferRow, offer: Row) -> Iterator[Draft]:
    reply, starts = day(offer["reply_by"]), facts.first_active(offer)
    site = facts.sites_at.get(take.poi_id, "")
    ids = (Decision("offer", (take.offer_id,)),)
    letter = f"letter {take.offer_id} ({offer['stage']})"

    def draft(action: str, needed: date, lead: Lead, musd: float | None, why: str) -> Draft:
        return Draft(
            action, needed, lead, site=site, poi=take.poi_id, item=take.offer_id, mw=take.grid_mw,
            mw_kind="grid MW", musd=musd, why=f"{letter}: {why}", decisions=ids,
        )  # fmt: skip

    if reply is not None:
        lead = Lead(0, "reply_by")
        yield draft("accept_letter", reply, lead, None, f"answer due {reply}")
    elif offer["stage"] not in AGREED and starts is not None:
        why = f"states no day for an answer; its MW are there from {starts}"
        yield draft("accept_letter", starts, facts.tie, None, why)
    security = (number(offer["security_kusd_per_mw"]) or 0.0) * take.grid_mw / 1000
    if security:
        key = "as_of" if reply is None else "reply_by"
        due = facts.scenario.as_of if reply is None else reply
        why = f"security of {number(offer['security_kusd_per_mw']):g} kUSD per MW"
        yield draft("post_security", due, Lead(0, key), security, why)
    upgrade = number(offer["upgrade_musd"]) or 0.0
    if upgrade and starts is not None:
        why = f"network upgrade, paid when its MW start {starts}"
        yield draft("pay_letter_upgrade", starts, Lead(0, "from_date"), upgrade, why)


def _requests(facts: Facts) -> Iterator[Draft]:
    """A request for each growth of a site's MW at a POI without a letter."""
    of_site: dict[tuple[str, str, str], float] = defaultdict(float)
    of_poi: dict[tuple[str, str], float] = defaultdict(float)
    for row in facts.plan.grid:
        if row.poi_id not in facts.lettered:
            of_site[row.site_id, row.poi_id, row.period] += row.grid_mw
            of_poi[row.poi_id, row.period] += row.grid_mw
    had: dict[tuple[str, str], float] = defaultdict(float)
    for site, poi, period in sorted(of_site):
        more = of_site[site, poi, period] - had[site, poi]
        if more <= _TINY_MW:
            continue
        had[site, poi] += more
        yield Draft(
            "request_interconnection", date.fromisoformat(period),
            facts.request_lead(poi, of_poi[poi, period]), site=site, poi=poi, mw=more,
            mw_kind="grid MW", why=f"{more:,.6g} grid MW without a letter, needed {period}",
        )  # fmt: skip


def _steps(facts: Facts) -> Iterator[Draft]:
    step = facts.scenario.power.upgrade_step
    for row in facts.plan.upgrades:
        if step is None or not row.steps:
            continue
        yield Draft(
            "order_upgrade_step", date.fromisoformat(row.period),
            Lead(step.lead_months, "power.upgrade_step.lead_months"),
            site=facts.sites_at.get(row.poi_id, ""), poi=row.poi_id, mw=row.steps * step.mw,
            mw_kind="grid MW", musd=row.steps * step.musd,
            why=f"{row.steps} upgrade step{'s' if row.steps > 1 else ''} in service {row.period}",
            decisions=(Decision("step", (row.poi_id, row.period)),),
        )  # fmt: skip


def _lines(facts: Facts) -> Iterator[Draft]:
    grid = facts.scenario.grid
    offered = {} if grid is None else {u.branch_id: u for u in grid.upgrades}
    for row in facts.plan.line_upgrades:
        kind = offered[row.branch_id]
        yield Draft(
            "order_line_upgrade", date.fromisoformat(row.period),
            Lead(kind.lead_months, "grid.upgrades.lead_months"), item=row.branch_id, mw=kind.mw,
            mw_kind="line MW", musd=kind.musd,
            why=f"{kind.mw:,.6g} MW more on {row.branch_id} in service {row.period}",
            decisions=(Decision("line", (row.branch_id,)),),
        )  # fmt: skip


def _onsite(facts: Facts) -> Iterator[Draft]:
    blocks: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in facts.plan.stays:
        blocks[row.site_id, row.option, row.since] += row.blocks
    for (site, name, since), count in blocks.items():
        option = facts.options[name]
        mw = count * option.block_mw
        rented = ", rented" if option.rent_usd_per_kw_month else ""
        yield Draft(
            "order_onsite", date.fromisoformat(since),
            Lead(option.lead_months, f"onsite.{name}.lead_months"), site=site, item=name, mw=mw,
            mw_kind="on-site MW", musd=mw * facts.option_musd_per_mw(option),
            why=f"{count:,.4g} blocks of {option.block_mw:g} MW{rented}, in service {since}",
            decisions=(Decision("onsite", (site, name, since)),),
        )  # fmt: skip
