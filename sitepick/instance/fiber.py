"""Fiber: what edges carry and cost, and the flows of services with their routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.fiber_types import Edges, Fiber
from sitepick.instance.services import services_of
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import DemandData
from sitepick.matrix import FloatArray, IntArray
from sitepick.network.fiber import Attachment, FiberNetwork
from sitepick.scenario.fiber_capacity import GBPS, Build, Pair, optics_of, peak_hours
from sitepick.scenario.schema import Scenario

MONTH_HOURS = 730.0
"""Hours of a month of rent."""
_HAIR = 1e-6
"""What a float may be off a whole number."""
_NO_PAIRS, _NO_BUILDS = Pair(), Build()
"""Prices where nothing can be had."""


def fiber_of(
    scenario: Scenario,
    candidates: Candidates,
    time: Timeline,
    site_at: Mapping[str, int],
    demand: DemandData,
) -> Fiber | None:
    """Return the fiber network as arrays, None without fiber layers.

    Raises ScenarioError for nodes of services that the network has not.
    """
    fiber = candidates.fiber
    if fiber is None:
        return None
    network = fiber.network
    rows = [k for k, s in enumerate(candidates.sites["site_id"]) if str(s) in site_at]
    sites = Attachment(**{f.name: getattr(fiber.sites, f.name)[rows] for f in fields(Attachment)})
    return Fiber(
        node_ids=tuple(str(n) for n in network.node_id),
        site_node=sites.node,
        lateral_km=sites.lateral_km + sites.along_km,
        equipment_ms=scenario.demand.hop_ms,
        peak_hours=np.array(peak_hours(scenario)),
        edges=edges_of(scenario, network, time),
        services=services_of(scenario, fiber, sites, demand),
    )


def edges_of(scenario: Scenario, network: FiberNetwork, time: Timeline) -> Edges:
    """Return what each edge carries and costs; what the network does not say is the scenario's."""
    rules, km, new = scenario.fiber.capacity, network.km, network.new
    begun = np.array([time.first_from(day) for day in network.in_service], dtype=np.int64)
    lit = _light(scenario, km, _links_km(network))
    pair, build = rules.pair or _NO_PAIRS, rules.build or _NO_BUILDS
    price = _price(scenario, pair.price_year)
    stated = ~np.isnan(network.lease_usd_per_km_year)
    rent, _ = network.filled("lease_usd_per_km_year", pair.lease_usd_per_km_year * price)
    pairs, _ = network.filled("pairs", pair.per_edge)
    built = time.after(build.lead_months)
    return Edges(
        ids=tuple(str(e) for e in network.edge_id),
        km=km,
        new=new,
        pairs_most=np.where(
            new, build.pairs if rules.build else 0, pairs if rules.pair else 0
        ).astype(np.int64),
        tbps_per_pair=lit.tbps,
        pair_from=np.where(new, built, np.maximum(begun, time.after(pair.lead_months))),
        pair_musd=np.where(new | stated, 0.0, pair.iru_usd_per_km * price * km / 1e6)
        + lit.amplifiers_musd,
        pair_yearly_musd=np.where(new, 0.0, rent * km / 1e6),
        pair_lead_months=pair.lead_months,
        term_years=float(pair.term_years),
        term_periods=round(pair.term_years / time.dt[0]),
        route_yearly_musd=pair.maintenance_usd_per_km_year * price * km / 1e6,
        build_musd=np.where(
            new, build.usd_per_km * _price(scenario, build.price_year) * km / 1e6, 0.0
        ),
        build_life_years=build.life_years,
        build_lead_months=build.lead_months,
        light_from=np.array([time.after(m) for m in lit.lead_months], dtype=np.int64),
        light_musd=lit.musd_per_tbps,
        light_life_years=lit.life_years,
        light_lead_months=lit.lead_months,
        **_waves(scenario, network, time, begun),
    )


def _waves(
    scenario: Scenario, network: FiberNetwork, time: Timeline, begun: IntArray
) -> dict[str, Any]:
    """Return the fields of `Edges` on leased waves, which new routes have none of."""
    wave = scenario.fiber.capacity.wave
    if wave is None:
        none = np.zeros(network.n_edge)
        return {
            "wave_tbps": 0.0, "wave_from": np.full(network.n_edge, time.n),
            "wave_most": none.astype(np.int64), "wave_musd": none, "burst_musd_per_hour": none,
        }  # fmt: skip
    monthly = (wave.usd_per_km_month * network.km + wave.usd_per_month) / 1e6
    monthly = monthly * _price(scenario, wave.price_year)
    known = np.floor(network.lit_tbps / wave.tbps + _HAIR)
    most = np.where(np.isnan(network.lit_tbps), wave.per_edge, np.nan_to_num(known))
    return {
        "wave_tbps": wave.tbps,
        "wave_from": np.maximum(begun, time.after(wave.lead_months)),
        "wave_most": np.where(network.new, 0, most).astype(np.int64),
        "wave_musd": 12 * monthly,
        "burst_musd_per_hour": wave.burst_factor * monthly / MONTH_HOURS,
    }


def _price(scenario: Scenario, price_year: int | None) -> float:
    money = scenario.money
    years = 0 if price_year is None else money.price_year - price_year
    return float((1 + money.inflation_pct / 100) ** years)


@dataclass(frozen=True)
class _Light:
    tbps: FloatArray  # (E,) per pair
    amplifiers_musd: FloatArray  # (E,) per pair
    musd_per_tbps: FloatArray  # (E,)
    life_years: FloatArray  # (E,)
    lead_months: FloatArray  # (E,)


def _links_km(network: FiberNetwork) -> FloatArray:
    """Return (E,) the km of the link that each edge is a piece of."""
    links = [e if link is None else link for e, link in enumerate(network.link_id)]
    _, at = np.unique(np.array([str(link) for link in links]), return_inverse=True)
    return np.asarray(np.bincount(at, weights=network.km), dtype=float)[at]


def _light(scenario: Scenario, km: FloatArray, link_km: FloatArray) -> _Light:
    """Return what lights each edge: the class of the shortest reach that spans its link.

    Above the longest reach light is made anew: in equal sections, each with ends of its own. Light
    passes where a link is cut into edges: they share what the link needs by km.
    """
    rows = optics_of(scenario)
    reach = np.array([row.reach_km for row in rows])
    at = np.minimum(np.searchsorted(reach, link_km - _HAIR), len(rows) - 1)
    sections = np.ceil(link_km / reach[at] - _HAIR).clip(1)
    share = km / link_km

    def of(values: list[float]) -> FloatArray:
        return np.array(values, dtype=float)[at]

    price = of([_price(scenario, row.price_year) for row in rows])
    spacing = of([np.inf if row.ila_km is None else row.ila_km for row in rows])
    amplifiers = share * sections * (np.ceil(link_km / sections / spacing - _HAIR).clip(1) - 1)
    return _Light(
        tbps=of([row.tbps_per_pair for row in rows]),
        amplifiers_musd=amplifiers * of([row.ila_musd for row in rows]) * price,
        musd_per_tbps=2 * share * sections * of([row.usd_per_gbps_end for row in rows]) * GBPS / 1e6
        * price,
        life_years=of([row.life_years for row in rows]),
        lead_months=of([row.lead_months for row in rows]),
    )  # fmt: skip
