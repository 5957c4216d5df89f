"""What the verbs hand on: a prepared scenario, and a solved run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.dispatch.result import GridResult
    from sitepick.dispatch.study import Study
    from sitepick.finding import Finding
    from sitepick.layers.types import Layers
    from sitepick.scenario.read import Loaded
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution
    from sitepick.solve.outcome import Outcome


@dataclass(frozen=True)
class Prepared:
    """A scenario with its layers read and its candidates measured and screened."""

    loaded: Loaded
    layers: Layers
    candidates: Candidates
    seconds: dict[str, float] = field(default_factory=dict)  # by stage: layers, candidates, grid
    study: Study | None = None  # of the grid, where the scenario has one

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.loaded.scenario


@dataclass(frozen=True)
class Binding:
    """A limit that binds in the plan. ``price_musd`` is the LP price of one more ``unit``."""

    limit: str  # row family, e.g. "headroom.limit"
    where: str  # e.g. "4411" or "TX"
    when: str  # period, calendar year, or ""
    amount: float  # the limit itself, in `unit`
    unit: str
    price_musd: float  # net present MUSD saved by one more unit, >= 0


@dataclass(frozen=True)
class Shortfall:
    """What a must-serve demand lacks, when no plan can serve it."""

    period: str
    workload: str
    place_id: str
    asked_ref_mw: float
    missing_ref_mw: float
    missing_grid_mw: float  # at the design-day PUE of the plan's sites, else of the cheapest class
    limited_by: tuple[str, ...] = ()  # limits that bind where the least is missing, most first


@dataclass(frozen=True)
class GreedyRow:
    """The weighted-score greedy of today's practice on the same inputs, judged like a plan."""

    sites: int
    it_mw_end: float  # IT MW at the horizon's end
    served_ref_mw_years: float
    net_present_cost_musd: float
    penalty_musd: float


@dataclass(frozen=True)
class Run:
    """A solved (or failed) run: everything that reports and exports read."""

    prepared: Prepared
    outcome: Outcome
    solution: Solution | None
    findings: tuple[Finding, ...] = ()  # of the independent check; empty means verified
    binding: tuple[Binding, ...] = ()
    shortfall: tuple[Shortfall, ...] = ()
    greedy: GreedyRow | None = None
    grid: GridResult | None = None  # what the grid says, where the scenario has one
    seconds: dict[str, float] = field(default_factory=dict)
