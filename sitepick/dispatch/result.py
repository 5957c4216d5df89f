"""What the grid says of a plan: its dispatch, what limits, what POIs could carry alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitepick.blocks.deliverability import JOINT
from sitepick.dispatch.joint import MATERIAL_MW, JointLimits
from sitepick.dispatch.secure import SecureDispatch
from sitepick.dispatch.study import Study, pair_name, spread, worsened
from sitepick.dispatch.types import BASE, Dispatch, Pair
from sitepick.network.conditions import standing
from sitepick.network.contingency import Contingencies
from sitepick.network.types import FloatArray
from sitepick.program import Program
from sitepick.solution import DispatchRow, ExcusedRow, LineUpgradeRow

_TINY_MW = 1e-6
_DECIMALS = 9
_LEAST_MUSD = 1e-3
_ALONE_ROUNDS = 40


@dataclass(frozen=True)
class State:
    """The grid in one condition and period, with the plan and without; cost as published curves.

    Redispatch is what network limits add to the cost of serving the load by merit order; excused
    overloads may be `MATERIAL_MW` worse in both, for their last watt would cost most of it.
    """

    condition: str
    period: str
    load_mw: float  # all other load
    new_load_mw: float  # the plan's
    capacity_mw: float  # that plants can be counted on
    cost_usd_h: float
    redispatch_usd_h: float
    redispatch_before_usd_h: float  # without the plan


@dataclass(frozen=True)
class Limiting:
    """A branch that limits the plan, and the outage after which it does."""

    condition: str
    period: str
    branch_id: str
    kv: float
    outage_id: str  # "base": with everything in service
    limit_mw: float  # with excuses and upgrades
    estimated: bool  # its rating is an estimate
    price_musd_per_mw: float  # net present MUSD saved by one more MW of this limit


@dataclass(frozen=True)
class PoiMw:
    """What a POI of the plan carries jointly, beside what it could carry alone."""

    poi_id: str
    period: str
    joint_mw: float
    alone_mw: float  # with redispatch, up to what the POI can connect
    limit_id: str  # what limits it alone: a branch, or "connection"
    outage_id: str


@dataclass(frozen=True)
class GridResult:
    """Everything that reports and exports tell of the grid."""

    states: tuple[State, ...]
    limiting: tuple[Limiting, ...]  # dearest first
    pois: tuple[PoiMw, ...]
    excused: tuple[ExcusedRow, ...]
    outages: int  # taken out one at a time
    radial: tuple[str, ...]  # branches that are not
    synthetic: bool
    estimated: bool


def plan_rows(
    joint: JointLimits, values: FloatArray
) -> tuple[tuple[DispatchRow, ...], tuple[ExcusedRow, ...], tuple[LineUpgradeRow, ...]]:
    """Return the rows that the grid adds to a solution: a secure dispatch, excuses, upgrades."""
    study, inst = joint.study, joint.inst
    dispatch: list[DispatchRow] = []
    excused: list[ExcusedRow] = []
    for c, t in _states(study):
        condition, period = study.conditions[c].id, inst.time.names[t]
        found = joint.dispatch(values, c, t)
        if found is not None:
            dispatch += _by_unit(joint, found, c, t)
        for pair, mw in study.cases[study.case_at[c, t]].excuses.items():
            excused.append(ExcusedRow(condition, period, *pair_name(study.grid, pair), mw))
    return tuple(dispatch), tuple(excused), tuple(_upgrades(joint, values))


def _upgrades(joint: JointLimits, values: FloatArray) -> list[LineUpgradeRow]:
    level = joint.upgrades(values)
    out = []
    for u, row in enumerate(level > 0.5):
        if row.any():
            first = int(row.argmax())
            name = joint.study.grid.branch_ids[joint.study.upgrade_branch[u]]
            out.append(LineUpgradeRow(name, joint.inst.time.names[first]))
    return out


def _by_unit(joint: JointLimits, found: Dispatch, c: int, t: int) -> list[DispatchRow]:
    """Return the dispatch by unit: a group's MW evenly over its units in service."""
    study = joint.study
    grid, groups = study.grid, study.groups
    alive = standing(grid, joint.inst.time.starts[t])
    condition, period = study.conditions[c].id, joint.inst.time.names[t]
    n_units = len(groups.ids) - len(grid.dc_ties.ids)
    rows = []
    for k in np.flatnonzero(np.abs(found.mw) > _TINY_MW):
        if k >= n_units:
            names = [groups.ids[k]]
        else:
            names = [grid.plants.ids[g] for g in groups.members[k] if alive[g]]
        mw = round(float(found.mw[k]) / len(names), _DECIMALS)
        rows += [DispatchRow(condition, period, name, mw) for name in names]
    return rows


def grid_result(
    joint: JointLimits, program: Program, values: FloatArray, price: FloatArray
) -> GridResult:
    """Return what the grid says of the plan ``values`` (n,); ``price`` (m,) are prices of rows."""
    study = joint.study
    excused = plan_excuses(joint)
    radial = tuple(study.grid.branch_ids[b] for b in study.contingencies.radial)
    return GridResult(
        states=tuple(_states_of(joint, values)),
        limiting=tuple(limiting(joint, program, values, price)),
        pois=tuple(_pois(joint, values)),
        excused=excused,
        outages=len(study.contingencies.outages),
        radial=radial,
        synthetic=study.grid.synthetic,
        estimated=study.estimated,
    )


def plan_excuses(joint: JointLimits) -> tuple[ExcusedRow, ...]:
    """Return the excused overloads of every state."""
    study, names = joint.study, joint.inst.time.names
    return tuple(
        ExcusedRow(study.conditions[c].id, names[t], *pair_name(study.grid, pair), mw)
        for c, t in _states(study)
        for pair, mw in study.cases[study.case_at[c, t]].excuses.items()
    )


def _states(study: Study) -> list[tuple[int, int]]:
    n_conditions, n = study.case_at.shape
    return [(c, t) for c in range(n_conditions) for t in range(n)]


def _states_of(joint: JointLimits, values: FloatArray) -> list[State]:
    study = joint.study
    grid = study.grid
    none = np.zeros(0, dtype=np.int64)
    free = Contingencies(study.contingencies.dc, none, np.full(grid.n_branch, np.inf), 1.0)
    eased = [worsened(case, MATERIAL_MW) for case in study.cases]
    merit = {k: SecureDispatch(free, case) for k, case in enumerate(eased)}
    held = {k: SecureDispatch(study.contingencies, case) for k, case in enumerate(eased)}
    before: dict[int, float] = {}
    rows = []
    for c, t in _states(study):
        case = int(study.case_at[c, t])
        load, added = joint.asked(values, c, t)
        if case not in before:
            before[case] = _cost(held[case].cheapest()) - _cost(merit[case].cheapest())
        cost = _cost(held[case].cheapest(load, added))
        rows.append(
            State(
                condition=study.conditions[c].id,
                period=joint.inst.time.names[t],
                load_mw=float(study.cases[case].load_mw.sum()),
                new_load_mw=float(load.sum()),
                capacity_mw=float(study.cases[case].high_mw.sum()),
                cost_usd_h=cost,
                redispatch_usd_h=max(0.0, cost - _cost(merit[case].cheapest(load))),
                redispatch_before_usd_h=max(0.0, before[case]),
            )
        )
    return rows


def _cost(found: Dispatch | None) -> float:
    return float("nan") if found is None else found.cost_usd_h


def limiting(
    joint: JointLimits, program: Program, values: FloatArray, price: FloatArray
) -> list[Limiting]:
    """Return the priced limits: the price of a row is shared out to the limits it is made of."""
    study, grid = joint.study, joint.study.grid
    worth: dict[tuple[int, int, Pair], float] = {}
    for name, family in program.row_families.items():
        if not name.startswith(f"{JOINT}#"):
            continue
        for j, row in enumerate(family.indices):
            musd = abs(float(price[row]))
            if musd <= 0:
                continue
            c, t = int(family.keys["condition"][j]), int(family.keys["period"][j])
            cut = joint.made[int(row)]
            for pair, weight in cut.cut.pairs:
                key = c, t, pair
                worth[key] = worth.get(key, 0.0) + musd * weight / cut.scale
    rows = []
    for (c, t, pair), musd in worth.items():
        if musd < _LEAST_MUSD:
            continue
        case = study.cases[study.case_at[c, t]]
        branch, outage = pair
        _, added = joint.asked(values, c, t)
        factor = 1.0 if outage == BASE else case.emergency_factor
        limit = factor * (case.rating_mw[branch] + added[branch]) + case.excuses.get(pair, 0.0)
        line, lost = pair_name(grid, pair)
        rows.append(
            Limiting(
                study.conditions[c].id, joint.inst.time.names[t], line,
                float(grid.bus_kv_of_branch[branch]), lost, float(limit),
                bool(grid.rating_estimated[branch]), musd,
            )
        )  # fmt: skip
    return sorted(rows, key=lambda r: (-r.price_musd_per_mw, r.branch_id, r.outage_id, r.period))


def main_pair(joint: JointLimits, row: int) -> str:
    """Return in words the branch, and outage, that a row of the program is mostly made of."""
    pairs = joint.made[row].cut.pairs
    if not pairs:
        return "generation"
    branch, lost = pair_name(joint.study.grid, max(pairs, key=lambda p: p[1])[0])
    return branch if lost == "base" else f"{branch} after losing {lost}"


def _pois(joint: JointLimits, values: FloatArray) -> list[PoiMw]:
    """Return the POIs of the plan's last period, and what each could carry alone."""
    inst, study = joint.inst, joint.study
    last = inst.time.n - 1
    mw = joint.poi_mw(values)[:, last]
    _, added = joint.asked(values, 0, last)  # what is bought stands whatever the others do
    secure = [
        SecureDispatch(study.contingencies, worsened(study.cases[k], MATERIAL_MW))
        for k in study.case_at[:, last]
    ]
    rows = []
    for b in np.flatnonzero(mw > 1e-3):
        alone, pair = np.inf, None
        for c in range(len(study.conditions)):
            can, limited = _alone(joint, int(b), c, secure[c], added)
            if can < alone:
                alone, pair = can, limited
        line, lost = ("connection", "base") if pair is None else pair_name(study.grid, pair)
        rows.append(
            PoiMw(inst.headroom.poi_ids[b], inst.time.names[last], float(mw[b]), alone, line, lost)
        )
    return rows


def _alone(
    joint: JointLimits, poi: int, c: int, secure: SecureDispatch, added: FloatArray
) -> tuple[float, Pair | None]:
    """Return the most MW of one POI alone with ``added`` ratings (M,), and what limits it (None:
    its connection).
    """
    inst, study = joint.inst, joint.study
    assert inst.joint is not None
    bus, share = inst.joint.bus[[poi]], float(inst.joint.new_load[c])
    most, pair = float(inst.headroom.most_mw[poi]), None
    if share == 0:
        return most, None
    for _ in range(_ALONE_ROUNDS):
        load = spread(np.array([most * share]), bus, study.grid.n_bus)
        found = secure.least_over(load, added, cut_only=True)
        if found.cut is None:
            break
        steep = float(found.cut.by_bus[bus[0]])
        limit = found.cut.limit + float(found.cut.by_branch @ added)
        if steep <= 0 or limit / steep >= most * share - 1e-4:
            break
        most = max(0.0, limit / steep / share)
        pair = max(found.cut.pairs, key=lambda p: p[1])[0] if found.cut.pairs else None
    return most, pair
