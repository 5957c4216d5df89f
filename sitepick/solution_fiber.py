"""Rows of a `Solution` on campus groups, the links between their sites, and fiber capacity.

Rows are flat, one per period, as all rows of a plan are. Tb/s are per direction: a fiber pair is
one fiber each way, and a link carries as much to as fro. Nodes are those of the fiber network;
without fiber layers a site is its own node, named as the site.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupRow:
    """A campus group in a period: ``sites`` at ``nodes`` fiber nodes act as one machine.

    ``delivered_ref_mw`` = ``worked_ref_mw`` x ``efficiency`` (0..1), and with
    ``turned_away_ref_mw`` it makes ``demand_ref_mw``.
    """

    group: str
    period: str
    sites: int
    nodes: int
    efficiency: float
    it_mw: float
    worked_ref_mw: float
    delivered_ref_mw: float
    turned_away_ref_mw: float
    demand_ref_mw: float


@dataclass(frozen=True)
class MemberRow:
    """A site of a group in a period, and what of it works for the group.

    ``node`` is where its lateral of ``lateral_km`` (route km) meets the fiber network. With
    `fiber.diverse` ``second_node`` is where a second one of ``second_km`` does that no single cut
    shares with the first; None where the site has one lateral only.
    """

    group: str
    period: str
    site_id: str
    node: str
    lateral_km: float
    it_mw: float
    worked_ref_mw: float
    second_node: str | None = None
    second_km: float | None = None


@dataclass(frozen=True)
class LinkRow:
    """A route between two nodes in a period, for a group or another service.

    ``route`` of a group is 1, and 2 for the edge-disjoint partner of route 1 that carries the same
    when an edge is cut; each has a row of its own. Other services may share their traffic over
    several routes, numbered from the shortest; their ``tbps`` are those of ordinary hours.
    ``edges`` are in order from ``from_node``. ``km`` is along the network alone; ``rtt_ms`` also
    counts equipment and, for groups, the longest laterals of the sites at both ends.
    """

    service: str
    from_node: str
    to_node: str
    route: int
    period: str
    edges: tuple[str, ...]
    km: float
    rtt_ms: float
    tbps: float


@dataclass(frozen=True)
class HandoverRow:
    """Requests for a place whose prefill is at one node and whose decode is at another.

    ``ref_mw`` are those of decode, ``prefill_ref_mw`` those of prefill. Sites that meet the fiber
    network nowhere known stand for themselves.
    """

    split: str
    place_id: str
    from_node: str
    to_node: str
    period: str
    prefill_ref_mw: float
    ref_mw: float


@dataclass(frozen=True)
class SmoothedRow:
    """Swing of a site's power that its batteries flatten in a period, facility MW."""

    site_id: str
    period: str
    mw: float


@dataclass(frozen=True)
class EdgeRow:
    """Capacity of a fiber edge in a period.

    ``pairs_leased``, ``pairs_built`` and ``waves`` are whole numbers standing, ``bursts`` the most
    waves that are leased for peaks alone. ``capacity_tbps`` is what pairs and waves could carry,
    ``lit_tbps`` what the pairs are lit for. ``used_tbps`` is carried in ordinary hours,
    ``peak_tbps`` at the highest peak. ``idle_musd_per_year`` is the yearly cost of pairs, optics
    and waves times the part of each that carries nothing in the mean of the year.
    ``stranded_tbps`` is lit and not used even at peaks, as load has moved away;
    ``stranded_musd_per_year`` the yearly cost of such optics and of pairs not needed any more.
    """

    edge: str
    period: str
    pairs_leased: int
    pairs_built: int
    waves: int
    capacity_tbps: float
    used_tbps: float
    peak_tbps: float
    idle_musd_per_year: float
    lit_tbps: float = 0.0
    bursts: int = 0
    stranded_tbps: float = 0.0
    stranded_musd_per_year: float = 0.0


@dataclass(frozen=True)
class PairRow:
    """Pairs of an edge taken from ``period`` on, for their term: leased, or lit on a new route."""

    edge: str
    period: str
    pairs: int


@dataclass(frozen=True)
class BuildRow:
    """A new route built along a right of way, in service from ``period`` on."""

    edge: str
    period: str


@dataclass(frozen=True)
class LightRow:
    """Optics bought for an edge, in service from ``period`` on, for their life."""

    edge: str
    period: str
    tbps: float


@dataclass(frozen=True)
class WaveRow:
    """Waves leased on an edge in a period.

    ``peak_hours`` 0: all year. Else only in the hours of peaks that are at most so many a year,
    and more than those of the next lower figure.
    """

    edge: str
    period: str
    peak_hours: float
    waves: int
