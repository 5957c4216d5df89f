"""What the verbs hand on: a prepared scenario, and a solved run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sitepick.candidates.types import Candidates
    from sitepick.comparison import Comparison
    from sitepick.dispatch.result import GridResult
    from sitepick.dispatch.study import Study
    from sitepick.finding import Finding
    from sitepick.layers.types import Layers
    from sitepick.scenario.read import Loaded
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution
    from sitepick.solve.outcome import Outcome


@dataclass(frozen=True)
class EarlierPlan:
    """The plan that should change least, and the run folder it was read from."""

    path: Path
    solution: Solution


@dataclass(frozen=True)
class Steady:
    """How far a plan is from the earlier one. MW-years, sites and ties by their weights.

    ``kept``: the earlier plan itself, which is still within the gap. ``least_mw_years``: no plan
    within the gap changes less (0: not known).
    """

    kept: bool
    change_mw_years: float
    least_mw_years: float
    seconds: float


@dataclass(frozen=True)
class Prepared:
    """A scenario with its layers read and its candidates measured and screened."""

    loaded: Loaded
    layers: Layers
    candidates: Candidates
    seconds: dict[str, float] = field(default_factory=dict)  # by stage: layers, candidates, grid
    study: Study | None = None  # of the grid, where the scenario has one
    earlier: EarlierPlan | None = None  # `scenario.baseline`

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
class LimitUse:
    """How far a limit is used, and what one more unit is worth by two kinds of price.

    ``lp_price_musd`` is the dual of the linear relaxation of the whole problem: everything may be
    decided anew, in fractions. ``held_price_musd`` is the dual with every whole decision of the
    plan held. Both are net present MUSD saved by one more unit, >= 0; None: not known.
    """

    limit: str  # row family, or a name of `sitepick.words`
    where: str
    when: str  # period, calendar year, or ""
    amount: float  # the limit, in `unit`
    used: float
    unit: str
    least: bool = False  # at least `amount` is asked, not at most
    lp_price_musd: float | None = None
    held_price_musd: float | None = None

    @property
    def slack(self) -> float:
        """What is left of it; what is above it where at least it is asked."""
        return self.used - self.amount if self.least else self.amount - self.used


@dataclass(frozen=True)
class Charge:
    """What the price of a limit takes from a site at its best size, in net present MUSD (LP)."""

    limit: str  # row family
    where: str
    when: str  # date on which it takes most, or ""
    musd: float

    @property
    def names(self) -> tuple[str, str]:
        """The limit, whatever its date."""
        return self.limit, self.where


@dataclass(frozen=True)
class Verdict:
    """What became of a place, and why. See `sitepick.verdicts` for what the figures rest on.

    ``verdict``: existing, chosen, not_chosen, blocked (it would be in but for limits that it shares
    with others, or it cannot open at all) or rejected (by a test). Figures are None where they do
    not apply: in the plan, rejected, or impossible to open.
    """

    site_id: str
    verdict: str
    why: str = ""
    it_mw: float = 0.0  # in the plan, at the horizon's end
    estimate_musd: float | None = None  # LP estimate of what forcing it in costs
    proven_musd: float | None = None  # what it costs at least; 0: not proven dearer
    charges: tuple[Charge, ...] = ()  # limits that block it, most first
    instead: str = ""  # site of the plan that takes its place
    instead_shares: str = ""  # "the limit" or "the work"
    alone_it_mw: float | None = None  # at the end, built as large as it can be
    alone_usd_per_kw_month: float | None = None  # of that, net present cost over IT kW (LP)


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
class NextMw:
    """A limit that stops work, and how much of it would serve one more ref_mw (LP)."""

    limit: str  # row family, or a name of `sitepick.words`
    where: str
    when: str  # period, calendar year, or ""
    amount: float  # units of the limit for the next ref_mw
    unit: str


@dataclass(frozen=True)
class TurnedAway:
    """Work that a plan does not serve, and why, at the sites of the plan.

    ``limits``: what stops it, those first of which the smallest part is needed; each alone serves
    the next ref_mw. Empty, with ``could_ref_mw``: that much more could be served, but the next
    ref_mw costs ``dearer_musd_per_ref_mw`` (net present) more than turning it away; 0: whole halls
    and sites, or the gap, are why. Neither, and ``looked`` into: no limit alone, but dates.
    """

    period: str
    workload: str
    short_ref_mw: float
    limits: tuple[NextMw, ...] = ()
    could_ref_mw: float = 0.0
    dearer_musd_per_ref_mw: float | None = None
    looked: bool = False


@dataclass(frozen=True)
class Change:
    """An input of a scenario without a plan, and the nearest value at which it has one.

    ``proven``: solved again with the value applied, which has a plan, and with 98 % of the change
    (one step less for dates and whole numbers), which has none.
    """

    family: str  # "headroom", "budget", ...
    key: str  # "budget_musd.2028", "letter O1 (POI Q): mw_total", ...
    unit: str  # "" for dates and switches
    now: str  # as written
    needed: str  # as to be written
    value: float  # the same as a number; days of the calendar for dates
    change: float  # needed - now, in `unit` (days for dates; 0 for switches)
    relative: float  # size of the change, 1 for a change by the input's own size or a switch
    proven: bool


@dataclass(frozen=True)
class Relaxed:
    """A row of the model that its least relaxation breaks, and by how much."""

    limit: str  # row family, e.g. "headroom.limit"
    where: str
    when: str
    amount: float  # in `unit`
    unit: str


@dataclass(frozen=True)
class Diagnosis:
    """Why a scenario has no plan.

    ``contradictions`` are found by arithmetic alone. ``remedies``: each is enough, all its changes
    together and no part of them; least relative change first. ``relaxed``: the rows of the model
    whose least relative relaxation gives a plan. ``complete``: False where time ended the search.
    """

    contradictions: tuple[str, ...]
    remedies: tuple[tuple[Change, ...], ...]
    relaxed: tuple[Relaxed, ...]
    complete: bool
    solves: int
    seconds: float


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
    turned_away: tuple[TurnedAway, ...] = ()  # of a plan
    limits: tuple[LimitUse, ...] = ()  # that the plan uses or that have a price
    verdicts: tuple[Verdict, ...] = ()  # of every place looked at, by site_id; empty: not made
    diagnosis: Diagnosis | None = None  # of a scenario without a plan
    greedy: GreedyRow | None = None
    steady: Steady | None = None  # how far from the earlier plan, where there is one
    compared: Comparison | None = None  # with that plan's run
    grid: GridResult | None = None  # what the grid says, where the scenario has one
    seconds: dict[str, float] = field(default_factory=dict)
