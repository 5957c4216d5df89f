"""What was decided: per site and period, in planner's terms, with no solver object inside.

`Solution` round-trips through JSON; exports, reports and checks read only it, the scenario, the
layers and the candidates. Periods are named by their first day (``2027-01-01``). Rows at zero are
left out. Levels stand from their period until the next; purchases happen at a period's start.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from sitepick.records import as_record
from sitepick.solution_fiber import (
    BuildRow,
    EdgeRow,
    GroupRow,
    HandoverRow,
    LightRow,
    LinkRow,
    MemberRow,
    PairRow,
    SmoothedRow,
    WaveRow,
)

SCHEMA = 1


@dataclass(frozen=True)
class SiteRow:
    """A site that the plan opens. ``opened`` is None for a site that stands already."""

    site_id: str
    opened: str | None


@dataclass(frozen=True)
class TieRow:
    """A tie in use from ``since`` on (None: stands already); ``kv`` None: unknown."""

    site_id: str
    poi_id: str
    since: str | None
    kv: float | None = None


@dataclass(frozen=True)
class GridRow:
    """Contracted grid MW (design day) of a site at a POI in a period, at ``kv`` (None: unknown)."""

    site_id: str
    poi_id: str
    period: str
    grid_mw: float
    kv: float | None = None


@dataclass(frozen=True)
class OnsiteRow:
    """On-site power of one option in a period: blocks and MW standing, changed at its start.

    ``firm_mw`` counts on the design day, ``mean_mw`` is the energy served on site. ``retired``
    counts blocks that leave, at the end of their life or before. MW are continuous where blocks
    are too small to be counted: ``blocks`` is then mw over the size of a block.
    """

    site_id: str
    option: str
    period: str
    blocks: float
    mw: float
    firm_mw: float
    mean_mw: float
    built: float
    retired: float


@dataclass(frozen=True)
class StayRow:
    """Blocks of an option energised at ``since`` that leave at ``until``.

    None: at the end of their life, or after the horizon.
    """

    site_id: str
    option: str
    since: str
    until: str | None
    blocks: float


@dataclass(frozen=True)
class LeaseRow:
    """A leased hall: IT MW of an offer from ``since`` until ``until`` (None: past the horizon).

    ``until`` is the first period in which they no longer stand.
    """

    site_id: str
    hall: str
    since: str
    until: str | None
    it_mw: float


@dataclass(frozen=True)
class HallRow:
    """Whole halls of a class at a site: standing in the period, and changed at its start."""

    site_id: str
    hall: str
    period: str
    halls: int
    built: int
    converted_in: int
    converted_out: int


@dataclass(frozen=True)
class ItRow:
    """IT MW installed (alive) of a hardware in a hall class, and bought at the period's start."""

    site_id: str
    hall: str
    hardware: str
    period: str
    it_mw: float
    bought_mw: float


@dataclass(frozen=True)
class UseRow:
    """IT MW of a site's hardware working on a workload."""

    site_id: str
    hardware: str
    workload: str
    period: str
    it_mw: float


@dataclass(frozen=True)
class ServeRow:
    """Work served from a site for a place (``anywhere`` where latency does not matter), ref_mw."""

    site_id: str
    workload: str
    place_id: str
    period: str
    ref_mw: float


@dataclass(frozen=True)
class ShortRow:
    """Work turned away, ref_mw."""

    workload: str
    place_id: str
    period: str
    ref_mw: float


@dataclass(frozen=True)
class OfferRow:
    """Grid MW contracted from an offer (its increment over lower tranches), from its date on."""

    offer_id: str
    poi_id: str
    grid_mw: float


@dataclass(frozen=True)
class NonfirmRow:
    """Part of a site's contracted grid MW at a POI (all its ties there) that may be curtailed.

    ``source`` is ``offer:ID`` or ``area:NAME``.
    """

    site_id: str
    poi_id: str
    source: str
    period: str
    grid_mw: float


@dataclass(frozen=True)
class ShedRow:
    """Non-firm grid MW that a site covers by shedding work of a hardware and workload."""

    site_id: str
    hardware: str
    workload: str
    source: str
    period: str
    grid_mw: float


@dataclass(frozen=True)
class BackedRow:
    """Non-firm grid MW that a site's batteries make firm."""

    site_id: str
    source: str
    period: str
    grid_mw: float


@dataclass(frozen=True)
class BatteryRow:
    """Battery MW bought at a site, energised at ``period``."""

    site_id: str
    period: str
    bought_mw: float


@dataclass(frozen=True)
class UpgradeRow:
    """Upgrade steps bought at a POI, energised at ``period``."""

    poi_id: str
    period: str
    steps: int


@dataclass(frozen=True)
class LineUpgradeRow:
    """A rating bought (`scenario.grid.upgrades`), energised at ``period``."""

    branch_id: str
    period: str


@dataclass(frozen=True)
class DispatchRow:
    """MW of a generating unit (or import of a DC tie) with which the grid carries the plan."""

    condition: str
    period: str
    unit_id: str
    mw: float


@dataclass(frozen=True)
class ExcusedRow:
    """MW by which a branch may exceed its limit after an outage (``base``: none).

    No dispatch avoids these overloads before any new load; their total is the least.
    """

    condition: str
    period: str
    branch_id: str
    outage_id: str
    mw: float


@dataclass(frozen=True)
class EnterRow:
    """A region rule (index in `scenario.regions.rules`, or level) whose region is entered."""

    level: str
    region_id: str
    entered: str | None


@dataclass(frozen=True)
class MovedRow:
    """IT MW of a site in a period that are not those of the earlier plan (`baseline`)."""

    site_id: str
    period: str
    earlier_it_mw: float
    it_mw: float


@dataclass(frozen=True)
class CashRow:
    """Capital paid in a calendar year, MUSD (real), by category."""

    year: int
    # facility | it | ties | onsite | land | site | fiber | upgrades | security | entry | battery
    category: str
    musd: float


@dataclass(frozen=True)
class Solution:
    """A plan. ``npc_musd``: net present cost by term; the sum is the objective of ``min_cost``."""

    scenario: str
    periods: tuple[str, ...]
    status: str  # optimal | feasible
    objective_name: str
    objective: float
    bound: float
    gap: float  # relative, of the objective
    gap_without_penalty: float
    bound_certified: bool
    npc_musd: dict[str, float] = field(default_factory=dict)
    sites: tuple[SiteRow, ...] = ()
    ties: tuple[TieRow, ...] = ()
    grid: tuple[GridRow, ...] = ()
    onsite: tuple[OnsiteRow, ...] = ()
    stays: tuple[StayRow, ...] = ()
    halls: tuple[HallRow, ...] = ()
    leases: tuple[LeaseRow, ...] = ()
    it: tuple[ItRow, ...] = ()
    use: tuple[UseRow, ...] = ()
    serve: tuple[ServeRow, ...] = ()
    turned_away: tuple[ShortRow, ...] = ()
    offers: tuple[OfferRow, ...] = ()
    nonfirm: tuple[NonfirmRow, ...] = ()
    shed: tuple[ShedRow, ...] = ()
    backed: tuple[BackedRow, ...] = ()
    batteries: tuple[BatteryRow, ...] = ()
    upgrades: tuple[UpgradeRow, ...] = ()
    line_upgrades: tuple[LineUpgradeRow, ...] = ()
    dispatch: tuple[DispatchRow, ...] = ()
    excused: tuple[ExcusedRow, ...] = ()
    entered: tuple[EnterRow, ...] = ()
    cash: tuple[CashRow, ...] = ()
    moved: tuple[MovedRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    members: tuple[MemberRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    edges: tuple[EdgeRow, ...] = ()
    handovers: tuple[HandoverRow, ...] = ()
    pairs: tuple[PairRow, ...] = ()
    builds: tuple[BuildRow, ...] = ()
    light: tuple[LightRow, ...] = ()
    waves: tuple[WaveRow, ...] = ()
    smoothed: tuple[SmoothedRow, ...] = ()

    @property
    def net_present_cost_musd(self) -> float:
        """Net present cost without the penalty for turned-away work."""
        return sum(v for k, v in self.npc_musd.items() if k != "penalty")

    @property
    def penalty_musd(self) -> float:
        """Discounted price of turned-away work."""
        return self.npc_musd.get("penalty", 0.0)

    def to_json(self) -> str:
        """Return the plan as JSON text: stable key order, finite numbers only."""
        record = {"schema": SCHEMA, **as_record(self)}
        return json.dumps(record, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Solution:
        """Read what `to_json` wrote. Raises ValueError for another schema version."""
        record: dict[str, Any] = json.loads(text)
        if record.pop("schema", None) != SCHEMA:
            raise ValueError("solution.json was made by another version of sitepick")
        rows = {
            name: row_type
            for name, row_type in _ROW_TYPES.items()
            if isinstance(record.get(name), list)
        }
        for name, row_type in rows.items():
            record[name] = tuple(row_type(**_hashable(row)) for row in record[name])
        record["periods"] = tuple(record["periods"])
        return cls(**record)


def _hashable(row: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}


_ROW_TYPES: dict[str, Any] = {
    name: hint.__args__[0]
    for name, hint in get_type_hints(Solution).items()
    if getattr(hint, "__args__", None) and dataclasses.is_dataclass(hint.__args__[0])
}
