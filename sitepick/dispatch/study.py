"""The study of a scenario's grid before any plan: its cases, and the overloads that are excused."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from sitepick.dispatch.secure import SecureDispatch
from sitepick.dispatch.types import BASE, Case, Pair
from sitepick.errors import LayerError
from sitepick.layers.types import Note, Source
from sitepick.network.conditions import Groups, dispatch_range, drawn_mw, groups_of
from sitepick.network.contingency import Contingencies
from sitepick.network.grid import DcFlow
from sitepick.network.headroom import default_outages
from sitepick.network.types import FloatArray, Grid, IntArray
from sitepick.scenario.grid import WHOLE, GridStudy, StudyCondition, study_conditions
from sitepick.scenario.messages import did_you_mean
from sitepick.scenario.schema import Scenario, period_starts

_SHOWN = 5
_ZONES = 20


@dataclass(frozen=True)
class Study:
    """A grid under C conditions in T periods. Equal grid states share one case."""

    grid: Grid
    groups: Groups
    contingencies: Contingencies
    conditions: tuple[StudyCondition, ...]
    cases: tuple[Case, ...]  # with their excuses
    margin_mw: float  # by which a plan may worsen each of them
    case_at: IntArray  # (C, T) index into cases
    upgrade_branch: IntArray  # (U,) branches of scenario.grid.upgrades
    notes: tuple[Note, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def estimated(self) -> bool:
        """Whether a reactance or a rating of the grid is an estimate."""
        return bool(self.grid.x_estimated.any() or self.grid.rating_estimated.any())


def study_of(scenario: Scenario, grid: Grid) -> Study:
    """Return the study of a scenario on its grid, which `check_names` has passed.

    Raises LayerError for load that no generation can serve and, with ``excuse: none``, for
    overloads that no dispatch avoids.
    """
    asked = scenario.grid
    assert asked is not None
    began = time.perf_counter()
    upgrades = _upgrades(asked, grid)
    outages = listed_outages(asked, grid)
    dc = DcFlow(grid)
    factor = asked.emergency_pct / 100
    most = grid.rating_mw.copy()
    np.add.at(most, upgrades, [u.mw for u in asked.upgrades])
    contingencies = Contingencies(dc, outages, grid.rating_mw, factor, most)
    groups, conditions = groups_of(grid), study_conditions(asked)
    cases, case_at = _cases(scenario, grid, groups, conditions, factor)
    _enough(grid, dc, cases, case_at, conditions, scenario)
    seconds = {"grid": time.perf_counter() - began}
    began = time.perf_counter()
    excused = [_excuses(contingencies, case) for case in cases]
    if asked.excuse == "none":
        _refuse(grid, excused, case_at, conditions)
    seconds["excuses"] = time.perf_counter() - began
    return Study(
        grid=grid,
        groups=groups,
        contingencies=contingencies,
        conditions=conditions,
        cases=tuple(replace(c, excuses=e) for c, e in zip(cases, excused, strict=True)),
        margin_mw=asked.excuse_margin_mw,
        case_at=case_at,
        upgrade_branch=upgrades,
        notes=(
            *grid.notes,
            *_unused_credits(asked, grid),
            *_notes(grid, contingencies, excused, conditions, case_at),
        ),
        seconds=seconds,
    )


def check_names(asked: GridStudy, grid: Grid) -> None:
    """Raise LayerError with everything that a scenario names and its grid lacks."""
    at = {b: k for k, b in enumerate(grid.branch_ids)}
    named = [("upgrades", u.branch_id) for u in asked.upgrades]
    named += [("outages", b) for b in (*asked.outages.ids, *asked.outages.exclude_ids)]
    problems = [
        f"grid.{key}: no branch {b!r} in {asked.file}{did_you_mean(b, at)}"
        for key, b in named
        if b not in at
    ]
    problems += [
        f"grid.upgrades: branch {u.branch_id!r} has no rating (0 means unlimited); nothing to "
        "upgrade"
        for u in asked.upgrades
        if u.branch_id in at and not np.isfinite(grid.rating_mw[at[u.branch_id]])
    ]
    zones = sorted({z for z in grid.zone if z})
    for rule in asked.adequacy:
        if rule.zone != WHOLE and rule.zone not in zones:
            some = ", ".join(zones[:_ZONES]) + (", ..." if len(zones) > _ZONES else "")
            hint = did_you_mean(rule.zone, zones) or f"; zones there: {some or 'none'}"
            problems.append(f"grid.adequacy: no bus of {asked.file} is in zone {rule.zone!r}{hint}")
    if problems:
        raise LayerError(problems)


def _upgrades(asked: GridStudy, grid: Grid) -> IntArray:
    at = {b: k for k, b in enumerate(grid.branch_ids)}
    return np.array([at[u.branch_id] for u in asked.upgrades], dtype=np.int64)


def listed_outages(asked: GridStudy, grid: Grid) -> IntArray:
    """Return the branches that a scenario takes out, one at a time."""
    rule = asked.outages
    at = {b: k for k, b in enumerate(grid.branch_ids)}
    chosen = np.zeros(grid.n_branch, dtype=bool)
    if rule.min_kv is not None:
        chosen[default_outages(grid, rule.min_kv)] = True
        if rule.transformers:
            chosen |= ~grid.is_line & (grid.bus_kv_of_branch >= rule.min_kv)
    chosen[[at[b] for b in rule.ids]] = True
    chosen[[at[b] for b in rule.exclude_ids]] = False
    return np.flatnonzero(chosen)


def _cases(
    scenario: Scenario,
    grid: Grid,
    groups: Groups,
    conditions: tuple[StudyCondition, ...],
    emergency_factor: float,
) -> tuple[list[Case], IntArray]:
    assert scenario.grid is not None
    starts = period_starts(scenario.periods)[:-1]
    cases: list[Case] = []
    known: dict[tuple[int, bytes, bytes], int] = {}
    case_at = np.zeros((len(conditions), len(starts)), dtype=np.int64)
    for c, condition in enumerate(conditions):
        for t, day in enumerate(starts):
            years = (day - scenario.as_of).days / 365.25
            load = drawn_mw(grid, condition, scenario.grid.load_growth_pct_per_year, years)
            low, high, units = dispatch_range(grid, groups, condition, day)
            key = (c, load.tobytes(), high.tobytes())
            if key not in known:
                known[key] = len(cases)
                cases.append(Case(groups, low, high, units, load, grid.rating_mw, emergency_factor))
            case_at[c, t] = known[key]
    return cases, case_at


def _enough(
    grid: Grid,
    dc: DcFlow,
    cases: list[Case],
    case_at: IntArray,
    conditions: tuple[StudyCondition, ...],
    scenario: Scenario,
) -> None:
    """Refuse load above what can be generated, island by island."""
    starts = period_starts(scenario.periods)
    problems = []
    for k, case in enumerate(cases):
        load = np.bincount(dc.island, weights=case.load_mw, minlength=dc.n_islands)
        high = case.high_mw.copy()
        can = np.bincount(dc.island[case.groups.bus], weights=high, minlength=dc.n_islands)
        other = case.groups.other_bus
        back = other >= 0
        np.add.at(can, dc.island[other[back]], -np.minimum(case.low_mw[back], 0.0))
        c, t = (int(v[0]) for v in np.nonzero(case_at == k))
        when = f"condition {conditions[c].id!r} at {starts[t]}"
        for island in np.flatnonzero(load > can + 1e-6):
            where = ""
            if dc.n_islands > 1:
                first = grid.bus_ids[int(np.flatnonzero(dc.island == island)[0])]
                size = int((dc.island == island).sum())
                where = f" in the island of bus {first} ({size:,} bus{'' if size == 1 else 'es'})"
            problems.append(
                f"grid: load {load[island]:,.0f} MW is above the {can[island]:,.0f} MW that the "
                f"plants can be counted on for{where}, {when}; check credit_pct, load_pct, growth "
                "and the plants' status"
            )
    if problems:
        more = len(problems) - _SHOWN
        tail = [f"grid: {more} more of the same"] if more > 0 else []
        raise LayerError([*problems[:_SHOWN], *tail])


def _excuses(contingencies: Contingencies, case: Case) -> dict[Pair, float]:
    """Return the overloads that no dispatch avoids before any new load, least total MW."""
    return SecureDispatch(contingencies, case, by_pair=True).least_over().over_mw


def worsened(case: Case, margin_mw: float) -> Case:
    """Return ``case`` with every excused overload allowed to be ``margin_mw`` worse."""
    return replace(case, excuses={pair: mw + margin_mw for pair, mw in case.excuses.items()})


def pair_name(grid: Grid, pair: Pair) -> tuple[str, str]:
    """Return branch_id and outage_id of a pair; ``base`` with everything in service."""
    branch, outage = pair
    return grid.branch_ids[branch], "base" if outage == BASE else grid.branch_ids[outage]


def _refuse(
    grid: Grid,
    excused: list[dict[Pair, float]],
    case_at: IntArray,
    conditions: tuple[StudyCondition, ...],
) -> None:
    problems = []
    for k, over in enumerate(excused):
        c = int(np.nonzero(case_at == k)[0][0])
        for pair, mw in over.items():
            line, lost = pair_name(grid, pair)
            after = "with everything in service" if pair[1] == BASE else f"after losing {lost}"
            problems.append(
                f"grid: {line} is {mw:,.1f} MW over its limit {after} in condition "
                f"{conditions[c].id!r} whatever the dispatch, before any new load; "
                "`excuse: least` would excuse it"
            )
    if problems:
        raise LayerError(problems)


def _unused_credits(asked: GridStudy, grid: Grid) -> list[Note]:
    """Tell of own rows whose credits name a fuel that no unit has: a word of the table, or a slip.

    Rows of the catalog name every fuel that a grid may have.
    """
    there = {fuel for fuel in grid.plants.fuel if fuel}
    notes = []
    for row in asked.conditions:
        unused = [] if isinstance(row, str) else sorted({f.lower() for f in row.credit_pct} - there)
        if unused:
            assert not isinstance(row, str)
            notes.append(
                Note(
                    "grid",
                    "grid_credit_unused",
                    f"condition {row.id}: no unit has the fuel {_some(unused)} of credit_pct; "
                    f"fuels there: {', '.join(sorted(there)) or 'none'}",
                    len(unused),
                )
            )
    return notes


def _notes(
    grid: Grid,
    contingencies: Contingencies,
    excused: list[dict[Pair, float]],
    conditions: tuple[StudyCondition, ...],
    case_at: IntArray,
) -> list[Note]:
    notes = []
    if len(contingencies.radial):
        ids = [grid.branch_ids[b] for b in contingencies.radial]
        notes.append(
            Note(
                "grid",
                "grid_radial",
                f"{len(ids):,} branches whose loss cuts the grid in two are not taken out: "
                f"{_some(ids)}",
                len(ids),
            )
        )
    for k, over in enumerate(excused):
        if not over:
            continue
        c = int(np.nonzero(case_at == k)[0][0])
        names = [" after ".join(pair_name(grid, pair)) for pair in over]
        notes.append(
            Note(
                "grid",
                "grid_excused",
                f"condition {conditions[c].id}: {len(over)} overloads of {sum(over.values()):,.1f} "
                f"MW in all stand before any new load and are excused: {_some(names)}",
                len(over),
            )
        )
    for what, flags in (("reactance", grid.x_estimated), ("rating", grid.rating_estimated)):
        if flags.any():
            ids = [grid.branch_ids[b] for b in np.flatnonzero(flags)]
            notes.append(
                Note(
                    "grid",
                    "grid_estimated",
                    f"{len(ids):,} branches have an estimated {what}: {_some(ids)}",
                    len(ids),
                )
            )
    return notes


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:_SHOWN]) + (", ..." if len(ids) > _SHOWN else "")


@dataclass(frozen=True)
class Network:
    """A grid as read, and the files that it came from."""

    grid: Grid
    sources: tuple[Source, ...]


def read_network(asked: GridStudy, base: Path) -> Network:
    """Read the grid that a scenario names, with its planned units and retirements.

    Raises LayerError with all faults, also names in the scenario that the grid lacks.
    """
    from sitepick.layers.read import Refused, locate, sha256_of
    from sitepick.network.sheet import Sheet
    from sitepick.network.units import with_units

    try:
        path = locate(asked.file, base)
        grid = Grid.read(path, interconnect=asked.part)
        files = [(asked.file, path, grid.n_branch)]
        if asked.units is not None:
            units = locate(asked.units.file, base)
            grid = with_units(grid, units)
            files.append((asked.units.file, units, len(Sheet(units, []).line)))
    except Refused as refused:
        raise LayerError(f"grid: {refused}") from None
    check_names(asked, grid)
    sources = []
    for name, where, rows in files:
        digest, size = sha256_of(where)
        sources.append(Source("grid", name, digest, size, rows, rows, synthetic=grid.synthetic))
    return Network(grid, tuple(sources))


def spread(grid_pois: FloatArray, bus: IntArray, n_bus: int) -> FloatArray:
    """Return (N,) MW by bus of MW by POI (B,) at ``bus`` (B,)."""
    out = np.zeros(n_bus)
    np.add.at(out, bus, grid_pois)
    return out
