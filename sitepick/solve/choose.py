"""The solver by name: the default path, or any other solver on the same program."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program
from sitepick.solve.outcome import Limits, Outcome, Progress, Separator
from sitepick.solve.sifting import Rounder

_CUT_ROUNDS = 200
_LEAST_S = 0.05


def solve_with(
    name: str,
    program: Program,
    limits: Limits,
    *,
    start: FloatArray | None = None,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    branch_families: Sequence[str | IntArray] = (),
    aside: FloatArray | None = None,
    exact: bool = False,
    separators: Sequence[Separator] = (),
    rounders: Sequence[Rounder] = (),
) -> Outcome:
    """Minimise ``program`` with the solver called ``name``.

    ``highs`` is the default path (`sitepick.solve.pricing.solve`; see there for the arguments;
    before it `sitepick.solve.by_owners` where owners are as simple as that asks for),
    ``scip`` and ``cp-sat`` come with OR-Tools, ``cbc`` and every other name go to PuLP. Raises
    ScenarioError naming the available ones where a solver is missing or cannot take the program.
    ``separators`` add rows to the program lazily: a plan counts only when none finds anything.
    ``rounders`` make plans from a relaxation, of the default path only.
    """
    wanted = name.strip().lower()
    if wanted == "highs":
        from sitepick.solve.by_owners import better_proof, solve_by_owners
        from sitepick.solve.pricing import solve

        first = None
        if not (exact or separators):
            first = solve_by_owners(
                program, limits, start=start, on_progress=on_progress, stop=stop, aside=aside
            )
        if first is not None and (first.status == "optimal" or first.interrupted):
            return first
        if first is not None:
            start = start if first.values is None else first.values
            if limits.time_s is not None:
                left = limits.time_s - first.seconds["total"]
                limits = replace(limits, time_s=max(_LEAST_S, left))
        out = solve(
            program,
            limits,
            start=start,
            on_progress=on_progress,
            stop=stop,
            branch_families=branch_families,
            aside=aside,
            exact=exact,
            separators=separators,
            rounders=rounders,
        )
        return better_proof(out, first)
    for _ in range(_CUT_ROUNDS):
        out = _foreign(wanted, name, program, limits, start)
        if out.values is None or not sum(separate(out.values) for separate in separators):
            break
    return out


def _foreign(
    wanted: str, name: str, program: Program, limits: Limits, start: FloatArray | None
) -> Outcome:
    if wanted in ("scip", "cp-sat"):
        from sitepick.solve.ortools_bridge import solve_ortools

        return solve_ortools(wanted, program, limits, start=start)
    from sitepick.solve.pulp_bridge import solve_pulp

    return solve_pulp(name, program, limits, start=start)
