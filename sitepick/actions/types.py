"""Rows of the list of actions, and the decisions of a plan that they carry out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Kind:
    """A kind of action: what is done, and which category of capital its ``musd`` belong to."""

    meaning: str
    cash: str = ""  # category of `Solution.cash`; empty: no money of its own


KINDS: dict[str, Kind] = {
    "enter_region": Kind("begin business in a region: company, permits, agreements", "entry"),
    "option_land": Kind("take an option on the land, which a request for grid MW rests on"),
    "secure_land": Kind("buy the land, or exercise the option on it", "land"),
    "sign_lease": Kind("sign the lease of a hall"),
    "request_interconnection": Kind("ask the utility for grid MW at a POI without a letter"),
    "accept_letter": Kind("answer a utility's letter, for the MW that the plan takes from it"),
    "post_security": Kind("put up the security of a letter", "security"),
    "pay_letter_upgrade": Kind("pay the network upgrade of a letter", "upgrades"),
    "order_upgrade_step": Kind("order upgrade steps at a POI without a letter", "upgrades"),
    "order_line_upgrade": Kind("order a higher rating of a line or transformer", "upgrades"),
    "start_tie": Kind("start to build a tie from the site to its POI", "ties"),
    "start_site_works": Kind("start the fixed works of a site", "site"),
    "start_fiber": Kind("start the fiber lateral of a site", "fiber"),
    "join_group": Kind("settle that a site is a member of a campus group"),
    "link_nodes": Kind("settle the routes of a link between two fiber nodes of a campus group"),
    "build_route": Kind("start to build a new fiber route along a right of way", "fiber"),
    "lease_pairs": Kind("lease dark pairs of a fiber edge, with their amplifiers", "fiber"),
    "order_optics": Kind("order optics for the ends of a fiber edge", "fiber"),
    "order_equipment": Kind("order equipment of the customer substation: transformers, switchgear"),
    "order_supply": Kind("order what the scenario limits under `procurement`"),
    "start_substation": Kind("start to build the customer substation of new halls", "ties"),
    "start_halls": Kind("start to build halls of a class", "facility"),
    "start_fit_out": Kind("start to fit out a leased shell", "facility"),
    "start_retrofit": Kind("start to convert halls into a retrofitted class", "facility"),
    "order_hardware": Kind("order hardware of one vintage", "it"),
    "order_onsite": Kind("order blocks of on-site power", "onsite"),
    "order_battery": Kind("order batteries that stand in for curtailed grid MW", "battery"),
}
"""Every kind of action, in the order in which those of one day are listed."""


@dataclass(frozen=True, order=True)
class Decision:
    """A decision of a plan, by what it is and its ids.

    ``site``: (site_id). ``tie``: (site_id, poi_id, kV or ""). ``halls``, ``retrofit``:
    (site_id, hall class, period). ``hardware``: (site_id, hardware, period). ``onsite``: (site_id,
    option, period). ``battery``: (site_id, period). ``lease``: (site_id). ``offer``: (offer_id).
    ``step``: (poi_id, period). ``line``: (branch_id). ``region``: (level, region_id). ``pairs``,
    ``light``: (fiber edge, period). ``route``: (fiber edge). ``member``: (campus group, site_id,
    period), ``link``: (campus group, node, node, period), for all periods from that one in which
    the group keeps its members and routes.
    """

    what: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.what} {', '.join(i for i in self.ids if i)}"


@dataclass(frozen=True)
class Action:
    """One thing to do. ``do_by`` is ``needed`` less ``lead_months``; all dates are days.

    ``mw`` is of ``mw_kind`` (IT MW, grid MW, ...); None where no size goes with it. ``musd`` is
    overnight cost, real, of the scenario's price year; None where the action itself pays nothing.
    ``soft``: the lead time is a general figure of the catalog, not one of the scenario.
    """

    do_by: date
    action: str
    site_id: str  # several joined by +, "" where it is of no site
    poi_id: str
    item: str  # hall class, hardware, option, letter, equipment, branch, region or kV
    mw: float | None
    mw_kind: str
    musd: float | None
    needed: date
    lead_months: int
    lead_from: str
    soft: bool
    why: str
    late_by_days: int
    decisions: tuple[Decision, ...] = ()  # that doing it carries out
