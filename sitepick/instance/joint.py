"""What the POIs may draw together: their buses, line upgrades and reserve margins, as arrays."""

from __future__ import annotations

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.errors import LayerError
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import Adequacy, Joint
from sitepick.network.conditions import DC_TIE, dispatch_range, drawn_mw, groups_of
from sitepick.network.types import Grid
from sitepick.scenario.grid import WHOLE, study_conditions
from sitepick.scenario.grid import Adequacy as AdequacyRule
from sitepick.scenario.schema import Scenario

_SHOWN = 5


def joint_of(scenario: Scenario, candidates: Candidates, time: Timeline, network: Grid) -> Joint:
    """Return the joint limits of a scenario with a grid.

    Raises LayerError for POIs without a bus: of sites that stand or must, others were screened.
    """
    asked = scenario.grid
    assert asked is not None
    pois = [str(b) for b in candidates.pois["poi_id"]]
    lost = [b for b in pois if b not in network.poi_index]
    if lost:
        raise LayerError(_without_bus(candidates, lost, asked.file))
    bus = network.poi_bus[np.array([network.poi_index[b] for b in pois], dtype=np.int64)]
    conditions = study_conditions(asked)
    return Joint(
        conditions=tuple(c.id for c in conditions),
        new_load=np.array([c.new_load_pct / 100 for c in conditions]),
        bus=bus,
        upgrade_ids=tuple(u.branch_id for u in asked.upgrades),
        upgrade_mw=np.array([u.mw for u in asked.upgrades]),
        upgrade_musd=np.array([u.musd for u in asked.upgrades]),
        upgrade_lead_months=np.array([u.lead_months for u in asked.upgrades]),
        adequacy=tuple(_margin(scenario, rule, time, network, bus) for rule in asked.adequacy),
    )


def _without_bus(candidates: Candidates, lost: list[str], file: str) -> list[str]:
    at = candidates.ties.groupby("poi_id")["site_id"].agg(lambda ids: ", ".join(sorted(set(ids))))
    problems = [
        f"grid: POI {poi!r} has no bus in {file}, but {at[poi]} stands there or must; give a bus "
        "this poi_id, or correct the POI of the site"
        for poi in lost[:_SHOWN]
    ]
    more = len(lost) - _SHOWN
    return [*problems, *([f"grid: {more} more POIs without a bus"] if more > 0 else [])]


def _margin(
    scenario: Scenario, rule: AdequacyRule, time: Timeline, network: Grid, bus: np.ndarray
) -> Adequacy:
    asked = scenario.grid
    assert asked is not None
    zones = np.array(network.zone, dtype=object)
    inside = np.ones(network.n_bus, dtype=bool) if rule.zone == WHOLE else zones == rule.zone
    conditions = study_conditions(asked)
    condition = next((c for c in conditions if c.id == rule.condition), conditions[0])
    groups = groups_of(network)
    # what ties bring is import_mw
    own = inside[groups.bus] & np.array([fuel != DC_TIE for fuel in groups.fuel], dtype=bool)
    reserve = 1 + rule.reserve_margin_pct / 100
    # a zone that lacks its margin before any new load can take none; that is no fault of the plan
    room = np.zeros(time.n)
    for t in range(time.n):
        years = (time.starts[t] - time.as_of).days / 365.25
        _, high, _ = dispatch_range(network, groups, condition, time.starts[t])
        load = drawn_mw(network, condition, asked.load_growth_pct_per_year, years)
        room[t] = max(0.0, high[own].sum() + rule.import_mw - reserve * load[inside].sum())
    pois = np.flatnonzero(inside[bus])
    return Adequacy(rule.zone, pois, reserve * condition.new_load_pct / 100, room)
