"""From a planner whose scenario has no plan to a diagnosis."""

from __future__ import annotations

import time

from sitepick.diagnose import elastic
from sitepick.diagnose.levers import scenario_levers
from sitepick.diagnose.overall import overall_levers
from sitepick.diagnose.prechecks import contradictions
from sitepick.diagnose.search import Search
from sitepick.diagnose.table_levers import table_levers
from sitepick.diagnose.wide import WideSearch
from sitepick.diagnose.world import Oracle, World
from sitepick.instance.types import Instance
from sitepick.planner import Planner
from sitepick.run import Change, Diagnosis, Relaxed

SECONDS = 60.0
"""Time for the search, unless the solve itself was given less."""
_ELASTIC_SHARE = 0.2
_ELASTIC_GAP = 0.01


def diagnose(planner: Planner, seconds: float = SECONDS) -> Diagnosis:
    """Return why a planner's scenario has no plan, within about ``seconds``.

    The scenario must have none: whether that is so is not asked again.
    """
    began = time.perf_counter()
    world, inst = world_of(planner), planner.instance
    study = planner.prepared.study
    oracle = Oracle(
        planner.solver, planner.limits.threads, study, began + _ELASTIC_SHARE * seconds,
        planner.stop,
    )  # fmt: skip
    said = contradictions(world.scenario, inst)
    much = enough_mw(inst)
    levers = [
        *scenario_levers(world, inst.time, much), *table_levers(world, inst.time, much)
    ]  # fmt: skip
    if oracle.is_large(planner.program):
        oracle.deadline = began + seconds
        overall = overall_levers(world, inst.time)
        wide = WideSearch(world, [*levers, *overall], oracle, overall=len(overall))
        return _told(said, wide.remedies(), (), oracle, began)
    relaxed = _relaxed(oracle, world, inst)
    oracle.unsure = False  # the search does not rest on it
    oracle.deadline = began + seconds
    hints = frozenset(name for r in relaxed for name in (*r.where.split(), r.when))
    search = Search(world, levers, oracle, hints)
    return _told(said, search.remedies(), relaxed, oracle, began)


def _told(
    said: tuple[str, ...], remedies: list[tuple[Change, ...]], relaxed: tuple[Relaxed, ...],
    oracle: Oracle, began: float,
) -> Diagnosis:  # fmt: skip
    return Diagnosis(
        contradictions=said,
        remedies=tuple(remedies),
        relaxed=relaxed,
        complete=not oracle.unsure and not oracle.over,
        solves=oracle.solves,
        seconds=time.perf_counter() - began,
    )


def world_of(planner: Planner) -> World:
    """Return what a planner plans."""
    study = planner.prepared.study
    rows, only = planner.held
    return World(
        scenario=planner.prepared.scenario,
        candidates=planner.prepared.candidates,
        grid=None if study is None else study.grid,
        held=rows,
        held_only=only,
    )


def enough_mw(inst: Instance) -> float:
    """Return more MW than all demand, commitments and minima together can ask for."""
    asked = float(inst.demand.mw.sum(axis=(0, 1)).max(initial=0.0))
    asked += sum(c.mw for c in inst.commitments) + float(inst.sites.min_it_mw.sum())
    for row in inst.regions:
        asked += 0.0 if row.min_it_mw is None else float(row.min_it_mw.max(initial=0.0))
    asked += sum(entry.min_it_mw for entry in inst.entries)
    least = inst.hardware.gain[inst.hardware.gain > 0].min(initial=1.0)
    return 100.0 + 4.0 * asked / float(least)


def _relaxed(oracle: Oracle, world: World, inst: Instance) -> tuple[Relaxed, ...]:
    program, separators = oracle.program(world, inst)
    slack, row, size = elastic.relax(program)
    out = oracle.run(program, separators, _ELASTIC_GAP)
    if out.values is None:
        return ()
    return elastic.relaxed_rows(program, out.values, slack, row, size)
