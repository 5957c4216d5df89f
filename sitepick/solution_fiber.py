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

    ``node`` is where its lateral of ``lateral_km`` (route km) meets the fiber network.
    """

    group: str
    period: str
    site_id: str
    node: str
    lateral_km: float
    it_mw: float
    worked_ref_mw: float


@dataclass(frozen=True)
class LinkRow:
    """A route between two nodes in a period, for a group or another service.

    ``route`` is 1, and 2 for the edge-disjoint partner of route 1 that carries the same when an
    edge is cut; each has a row of its own. ``edges`` are in order from ``from_node``. ``km`` is
    along the network alone; ``rtt_ms`` also counts equipment and the longest laterals of the
    service's sites at both ends.
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
class EdgeRow:
    """Capacity of a fiber edge in a period.

    ``pairs_leased``, ``pairs_built`` and ``waves`` are whole numbers standing. ``used_tbps`` is
    carried all year, ``peak_tbps`` in the hours of peaks; ``idle_musd_per_year`` is what unused
    capacity costs.
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
