"""The verbs: load a scenario, prepare it, solve it, check a plan; for commands and notebooks."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from sitepick.checks.against import Overload
    from sitepick.dispatch.study import Network
    from sitepick.finding import Finding
    from sitepick.layers.types import Layers
    from sitepick.run import EarlierPlan, Prepared, Run
    from sitepick.scenario.read import Loaded
    from sitepick.solution import Solution
    from sitepick.solve.outcome import Progress


def load(path: Path | None, overrides: Sequence[str] = (), future: str | None = None) -> Loaded:
    """Read a scenario file, or one of its futures. Raises ScenarioError with all its faults."""
    from sitepick.scenario.read import read_scenario

    return read_scenario(path, overrides, future)


def read_files(
    loaded: Loaded, on_stage: Callable[[str], None] | None = None
) -> tuple[Layers, Network | None]:
    """Read all layers and the grid. Raises LayerError with all faults of all files."""
    from sitepick.errors import LayerError
    from sitepick.layers import load as load_layers

    problems: list[str] = []
    layers, network = None, None
    if on_stage:
        on_stage("reading layers")
    try:
        layers = load_layers(loaded.scenario, loaded.base)
    except LayerError as error:
        problems += error.problems
    if loaded.scenario.grid is not None:
        from sitepick.dispatch.study import read_network

        if on_stage:
            on_stage("reading the grid")
        try:
            network = read_network(loaded.scenario.grid, loaded.base)
        except LayerError as error:
            problems += error.problems
    if problems or layers is None:
        raise LayerError(problems)
    return layers, network


def prepare(loaded: Loaded, on_stage: Callable[[str], None] | None = None) -> Prepared:
    """Read the layers and propose candidates. Raises LayerError with all faults of all files."""
    return assume(propose(loaded, on_stage), loaded)


def assume(proposed: Prepared, loaded: Loaded) -> Prepared:
    """Return a prepared scenario from what `propose` read, with ``loaded.scenario.assume`` true.

    ``loaded`` may be another scenario with the same layers and the same places. Raises LayerError
    where it assumes something about a place that is not there.
    """
    from sitepick.candidates.assume import assumed
    from sitepick.scenario.assume import applied

    candidates = assumed(loaded.scenario, proposed.candidates)
    return replace(
        proposed,
        loaded=replace(loaded, scenario=applied(loaded.scenario)),
        candidates=candidates,
    )


def propose(loaded: Loaded, on_stage: Callable[[str], None] | None = None) -> Prepared:
    """Do what `prepare` does, but leave the inputs as they are stated: nothing is assumed."""
    from sitepick.candidates import propose as places
    from sitepick.earlier import earlier_notes, earlier_table
    from sitepick.profiling import stage
    from sitepick.run import Prepared
    from sitepick.scenario.schema import period_starts

    seconds: dict[str, float] = {}
    began = time.perf_counter()
    earlier, starts = _earlier(loaded)
    with stage("layers"):
        layers, network = read_files(loaded, on_stage)
    study = None
    seconds["layers"] = time.perf_counter() - began
    began = time.perf_counter()
    if on_stage:
        on_stage("screening candidates")
    on_grid = None if network is None else network.grid.poi_ids
    with stage("candidates"):
        candidates = places(loaded.scenario, layers, on_grid)
    seconds["candidates"] = time.perf_counter() - began
    if network is not None:
        from sitepick.dispatch.study import study_of

        if on_stage:
            on_stage("studying the grid")
        with stage("grid"):
            study = study_of(loaded.scenario, network.grid)
        seconds |= study.seconds
        candidates = replace(
            candidates,
            sources=(*candidates.sources, *network.sources),
            notes=(*candidates.notes, *study.notes),
        )
    if earlier is not None:
        table = earlier_table(earlier.solution, starts)
        now = period_starts(loaded.scenario.periods)
        notes = earlier_notes(table, candidates.sites, candidates.ties, now)
        candidates = replace(candidates, earlier=table, notes=(*candidates.notes, *notes))
    return Prepared(loaded, layers, candidates, seconds, study, earlier)


def _earlier(loaded: Loaded) -> tuple[EarlierPlan | None, list[date]]:
    """Return the run that `baseline` names, and the first days of its periods with their end.

    Raises ScenarioError where there is none, or it cannot be used.
    """
    named = loaded.scenario.baseline
    if named is None:
        return None, []
    from sitepick.errors import ScenarioError
    from sitepick.exports.folder import read_run
    from sitepick.exports.inputs import read_inputs
    from sitepick.run import EarlierPlan
    from sitepick.scenario.schema import period_starts

    path = loaded.base / Path(named).expanduser()
    short = Path(os.path.normpath(path))
    path = short if short.resolve() == path.resolve() else path  # not over a symbolic link
    at = loaded.origins.get("baseline", "scenario")
    try:
        run = read_run(path)
        read_inputs(path)
        starts = period_starts(load(run.scenario_path).scenario.periods)
        if tuple(day.isoformat() for day in starts[:-1]) != run.solution.periods:
            raise ScenarioError(f"{path}: is damaged: its plan has other periods than its scenario")
    except ScenarioError as error:
        problems = [f"{at}: error: baseline: {problem}" for problem in error.problems]
        raise ScenarioError(problems) from None
    return EarlierPlan(path, run.solution), starts


def solve(
    prepared: Prepared,
    *,
    gap: float | None = None,
    time_limit_s: float | None = None,
    work_limit: float | None = None,
    threads: int | None = None,
    seed: int | None = None,
    solver: str | None = None,
    exact: bool = False,
    start: Path | None = None,
    fix: Path | None = None,
    fix_only: bool = False,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Run:
    """Plan a prepared scenario and check the plan.

    ``gap`` is relative (0.0025 for 0.25 %); everything not given comes from `scenario.solver`.
    ``start`` is a run folder to begin from; ``fix`` a CSV of site_id, period, it_mw (as in
    sites.csv) whose IT MW are held, ``fix_only`` closes all other sites.
    """
    from sitepick.diagnose import SECONDS, contradictions, diagnose
    from sitepick.exports.changes import against_baseline
    from sitepick.planner import Planner
    from sitepick.profiling import stage
    from sitepick.run import Run
    from sitepick.shortfall import shortfall_of
    from sitepick.solve.outcome import Limits
    from sitepick.steady import steadied
    from sitepick.turned_away import why_turned_away
    from sitepick.verdicts import Explained, explained

    asked = prepared.scenario.solver
    work = work_limit if work_limit is not None else asked.work_limit
    limits = Limits(
        gap=gap if gap is not None else asked.gap_pct / 100,
        time_s=time_limit_s if time_limit_s is not None else asked.time_limit_s,
        work=None if work is None else int(work),
        threads=threads or asked.threads,
        seed=asked.seed if seed is None else seed,
    )
    planner = Planner(prepared, limits, solver or asked.name, exact, on_progress, stop)
    if fix is not None:
        from sitepick.plan_file import read_plan_rows

        planner.hold(read_plan_rows(fix), only=fix_only)
    with stage("greedy"):
        begin, row = planner.greedy()
    if start is not None:
        from sitepick.exports.folder import read_run

        begin = planner.started_from(read_run(start).solution)
    steady, earlier = None, prepared.earlier
    if earlier is not None and start is None:
        plans = [x for x in (begin, planner.started_from(earlier.solution)) if x is not None]
        begin = min(plans, key=planner.program.matrix.objective, default=None)
    with stage("solving"):
        outcome, plan = planner.solve(begin)
    if outcome.status == "no_plan" and contradictions(prepared.scenario, planner.instance):
        outcome = replace(outcome, status="infeasible")  # by arithmetic, whatever was searched
    if earlier is not None and plan is not None and planner.instance.earlier is not None:
        with stage("change"):
            outcome, plan, steady = steadied(planner, outcome, earlier.solution)
        planner.seconds["change"] = steady.seconds
    solving = {k: s for k, s in outcome.seconds.items() if k != "total"}
    seconds = {**prepared.seconds, **planner.seconds, **solving}
    began = time.perf_counter()
    with stage("check"):
        findings = tuple(check(prepared, plan)) if plan is not None else ()
    seconds["check"] = time.perf_counter() - began
    infeasible = outcome.status == "infeasible"
    began = time.perf_counter()
    values = outcome.values
    with stage("prices"):
        held = None if values is None else planner.held_prices(values)
        bound, grid = ((), None) if values is None else planner.binding(values, held)
    seconds["prices"] = time.perf_counter() - began
    began = time.perf_counter()
    told = Explained()
    if planner.by_cost is not None:
        with stage("verdicts"):
            told = explained(planner, planner.by_cost, held)
    seconds["verdicts"] = time.perf_counter() - began
    began = time.perf_counter()
    with stage("turned_away"):
        away = () if values is None else why_turned_away(planner, values)
    seconds["turned_away"] = time.perf_counter() - began
    if infeasible and on_progress is not None:
        on_progress("why there is no plan", 0.0, math.nan, math.nan, math.nan)
    short = () if outcome.values is not None or outcome.interrupted else shortfall_of(planner)
    diagnosis = None
    if infeasible:
        room = SECONDS if limits.time_s is None else min(SECONDS, max(limits.time_s, 5.0))
        diagnosis = diagnose(planner, room)
        seconds["diagnosis"] = diagnosis.seconds
    run = Run(
        prepared=prepared,
        outcome=outcome,
        solution=plan,
        findings=findings,
        binding=bound,
        grid=grid,
        verdicts=told.verdicts,
        limits=told.limits,
        shortfall=short,
        turned_away=away,
        diagnosis=diagnosis,
        greedy=row,
        steady=steady,
        seconds=seconds,
    )
    return run if earlier is None else replace(run, compared=against_baseline(run))


def check(prepared: Prepared, solution: Solution) -> list[Finding]:
    """Judge a plan from the scenario, the layers and the candidates alone; empty means verified."""
    from sitepick.checks import judge

    grid = None if prepared.study is None else prepared.study.grid
    return judge(prepared.scenario, prepared.layers, prepared.candidates, solution, grid)


def check_actions(prepared: Prepared, solution: Solution, folder: Path) -> list[Finding]:
    """Judge `actions.csv` of a run folder, worked out anew; nothing where there is none."""
    from sitepick.checks import judge_actions
    from sitepick.exports.actions import read_actions

    rows = read_actions(folder)
    if rows is None:
        return []
    grid = None if prepared.study is None else prepared.study.grid
    return judge_actions(
        prepared.scenario, prepared.layers, prepared.candidates, solution, grid, rows
    )


def check_against(prepared: Prepared, solution: Solution) -> tuple[list[Finding], list[Overload]]:
    """Judge a plan by the limits of a scenario that it was not made for.

    Returns the breaches, and for each condition and period what the best dispatch leaves over the
    grid's limits, where the scenario has a grid and the plan no dispatch. Raises ScenarioError if
    the scenario has other periods than the plan, or lacks sites of it.
    """
    from sitepick.checks import judge_against
    from sitepick.checks.rows import strangers
    from sitepick.errors import ScenarioError

    problems = strangers(prepared.scenario, prepared.candidates, solution)
    if problems:
        raise ScenarioError(problems)
    grid = None if prepared.study is None else prepared.study.grid
    return judge_against(prepared.scenario, prepared.layers, prepared.candidates, solution, grid)
