"""The fiber network as arrays of capacity, price and traffic. Beside `sitepick.instance.types`.

E edges, V services, F flows (traffic between two nodes), X ways (routes of flows), T periods.
Tb/s are each way: a pair is one fiber each way. Money is MUSD of the scenario's price year.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sitepick.matrix import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Edges:
    """What an edge can carry, from when, and at what price."""

    ids: tuple[str, ...]  # (E,)
    km: FloatArray  # (E,) route km
    new: BoolArray  # (E,) not there yet: may be built along a right of way
    pairs_most: IntArray  # (E,) pairs to be had
    tbps_per_pair: FloatArray  # (E,) by its class of optics
    pair_from: IntArray  # (E,) first period of leased pairs, or of a new route; T: never
    pair_musd: FloatArray  # (E,) IRU and amplifiers of a pair, once
    pair_yearly_musd: FloatArray  # (E,) rent of a pair
    pair_lead_months: float
    term_years: float
    term_periods: int
    route_yearly_musd: FloatArray  # (E,) maintenance, however many pairs
    build_musd: FloatArray  # (E,) once, if new
    build_life_years: float
    build_lead_months: float
    light_from: IntArray  # (E,) first period of light
    light_musd: FloatArray  # (E,) optics at all ends, once, per Tb/s lit
    light_life_years: FloatArray  # (E,)
    light_lead_months: FloatArray  # (E,)
    wave_tbps: float
    wave_from: IntArray  # (E,) first period of leased waves; T: never
    wave_most: IntArray  # (E,) waves to be had
    wave_musd: FloatArray  # (E,) per wave and year
    burst_musd_per_hour: FloatArray  # (E,) per wave that is leased for peaks only


@dataclass(frozen=True)
class Ways:
    """Routes that traffic between two points may take."""

    flow: IntArray  # (X,)
    km: FloatArray  # (X,) along the network
    at: IntArray  # (n,) way, with ...
    edge: IntArray  # (n,) ... an edge of it

    @property
    def count(self) -> int:
        """X."""
        return len(self.flow)

    def names(self, flows: tuple[str, ...]) -> tuple[str, ...]:
        """Return (X,) the flow of each way and its number among those of the flow, from 1."""
        return tuple(
            f"{flows[f]}#{number}" for f, number in zip(self.flow, self.number, strict=True)
        )

    @cached_property
    def number(self) -> IntArray:
        """(X,) number of a way among those of its flow, from 1: flows are in order."""
        first = np.searchsorted(self.flow, self.flow)
        return np.arange(self.count) - first + 1


@dataclass(frozen=True)
class Services:
    """Traffic of work between the nodes of sites and of places. The traffic is per ref_mw."""

    names: tuple[str, ...]  # (V,)
    workload: IntArray  # (V,)
    tbps: FloatArray  # (V,) in ordinary hours
    peak_tbps: FloatArray  # (V,)
    peak_hours: FloatArray  # (V,) a year
    service: IntArray  # (F,)
    from_node: IntArray  # (F,)
    to_node: IntArray  # (F,)
    ways: Ways
    serve: IntArray  # (m,) index in DemandData.serve_site, work that makes traffic ...
    flow: IntArray  # (m,) ... of this flow

    def flow_names(self, nodes: tuple[str, ...]) -> tuple[str, ...]:
        """Return (F,) service and nodes of each flow."""
        return tuple(
            f"{self.names[v]} {nodes[a]}>{nodes[b]}"
            for v, a, b in zip(self.service, self.from_node, self.to_node, strict=True)
        )


@dataclass(frozen=True)
class Splits:
    """Requests that need two pools: P splits, A handovers from a prefill to a decode point.

    A point is a node of the fiber network with all its sites, or a site that is on none.
    """

    names: tuple[str, ...]  # (P,)
    prefill: IntArray  # (P,) workload
    decode: IntArray  # (P,) workload
    tbps: FloatArray  # (P,) KV cache of 1 ref_mw of decode, in ordinary hours
    peak_tbps: FloatArray  # (P,)
    peak_hours: FloatArray  # (P,) a year
    ratio: FloatArray  # (P, D, T) prefill per decode, ref_mw; 0 where one of them is not asked
    points: tuple[str, ...]
    point: IntArray  # (S,)
    split: IntArray  # (A,)
    place: IntArray  # (A,) whose requests
    from_point: IntArray  # (A,) of prefill
    to_point: IntArray  # (A,) of decode
    way: IntArray  # (A,) over the network, -1: within the point
    ways: Ways
    flow_from: IntArray  # (F,) nodes of the flows of ``ways``
    flow_to: IntArray  # (F,)

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the integer keys, for LP files and messages."""
        number = np.where(self.way < 0, 0, np.append(self.ways.number, 0)[self.way])
        return {
            "split": self.names,
            "point": self.points,
            "handover": tuple(
                f"{self.names[s]} {self.points[a]}>{self.points[b]}" + (f"#{k}" if k else "")
                for s, a, b, k in zip(
                    self.split, self.from_point, self.to_point, number, strict=True
                )
            ),
        }


@dataclass(frozen=True)
class Fiber:
    """The network, what its edges carry, and what traffic there may be."""

    node_ids: tuple[str, ...]  # (N,)
    site_node: IntArray  # (S,) where a site's lateral meets the network, -1 unknown
    lateral_km: FloatArray  # (S,) from the site to its node, nan unknown
    equipment_ms: float  # of one round trip
    peak_hours: FloatArray
    """(K,) hours a year of peaks, ascending. Peaks fall together: in the hours from
    ``peak_hours[k - 1]`` to ``peak_hours[k]`` all traffic with at least so many is at its peak."""
    edges: Edges
    services: Services

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the integer keys, for LP files and messages."""
        flows = self.services.flow_names(self.node_ids)
        return {"edge": self.edges.ids, "flow": flows, "way": self.services.ways.names(flows)}
