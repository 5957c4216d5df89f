"""All futures of a plan on several processes; what is finished is kept, so a killed run continues.

Each future is one file, written whole under a name made from all that it depends on: the inputs,
the plan, the future and the options. A run that begins again takes what is there and solves the
rest. Plans go into run folders beside these files, each the run of a scenario like any other.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sitepick import __version__, pipeline
from sitepick.errors import ScenarioError, SitepickError
from sitepick.exports.folder import read_run, to_disk, write_run
from sitepick.exports.sheet import plain
from sitepick.instance import assemble
from sitepick.network.processes import spread
from sitepick.run import Prepared
from sitepick.scenario.assume import Assume
from sitepick.scenario.layering import split_keys
from sitepick.scenario.read import Loaded
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits
from sitepick.studies.futures import Future, Futures, futures_of
from sitepick.studies.stranded import stranded
from sitepick.studies.stress import HOLDS, Decided, plan_record, record_of, stress

PLACES_STAY = (
    "assume", "money", "budget_musd", "budget_carry_over", "procurement", "limits", "solver", "name"
)  # fmt: skip
"""Keys that no place, tie or distance depends on: layers are not read again for them."""
SCHEMA = 1


@dataclass(frozen=True)
class Asked:
    """What is asked of all futures. ``time_limit_s`` is for each solve; ``regret``: solve each
    future with nothing held too."""

    run: Path
    months: int | None  # None: all decisions alone
    gap: float
    time_limit_s: float
    seed: int
    regret: bool
    only: tuple[str, ...] = ()

    @property
    def holds(self) -> tuple[str, ...]:
        """Return what is held, in turn."""
        holds = HOLDS[:2] if self.months is not None else HOLDS[1:2]
        return (*holds, *HOLDS[2:]) if self.regret else holds

    @property
    def written(self) -> tuple[str, ...]:
        """Return the holds whose plans are kept as run folders: the first, and nothing held."""
        return tuple(hold for hold in self.holds if hold in (self.holds[0], "none"))


@dataclass(frozen=True)
class Task:
    """A future to solve, and the name of all that its result depends on."""

    future: Future
    key: str

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.future.name}-{self.key[:16]}"


class Study:
    """The plan that is held, its scenario with all that was read for it, and the futures."""

    def __init__(
        self, asked: Asked, told: Callable[[str], None] | None = None, *, every: bool = True
    ) -> None:
        self.asked = asked
        self.folder = read_run(asked.run)
        self.plan: Solution = self.folder.solution
        loaded = replace(pipeline.load(self.folder.scenario_path), base=self.folder.base)
        self.loaded: Loaded = loaded
        self.proposed: Prepared = pipeline.propose(loaded, told)
        self.prepared = pipeline.assume(self.proposed, loaded)
        self.decided = Decided.of(self.prepared, self.plan, asked.months)
        self.futures = Futures((), ())
        if every:
            self._refuse()
            self.futures = futures_of(loaded.scenario, self.prepared, self.plan, asked.only)

    def _refuse(self) -> None:
        wrong = pipeline.check(self.prepared, self.plan)
        if wrong:
            raise ScenarioError(
                ["the plan of the run breaks its scenario and layers as they are now",
                 *map(str, wrong)]
            )  # fmt: skip

    def unstressed(self) -> dict[str, Any]:
        """Return the figures of the plan itself, in the scenario that it was made for."""
        prepared, study = self.prepared, self.prepared.study
        inst = assemble(
            prepared.scenario, prepared.candidates, None if study is None else study.grid
        )
        idle = stranded(prepared, inst, self.plan, (), lambda _: 0.0)
        told = {"hold": "", "status": self.plan.status, "verified": True, "lost": [],
                "held": len(self.decided.every), "lacking": [],
                "stranded": [asdict(row) for row in idle]}  # fmt: skip
        out: dict[str, Any] = plain(told | plan_record(self.plan))
        return out

    def load(self, future: Future) -> Loaded:
        """Return the scenario of a future. Raises ScenarioError."""
        name = json.dumps(f"{self.loaded.scenario.name[:70]}: {future.name}")
        overrides = (*future.overrides, f"name={name}")
        own = future.name if future.own else ""
        loaded = pipeline.load(self.folder.scenario_path, overrides, own)
        return replace(loaded, base=self.folder.base)

    def prepare(self, future: Future, loaded: Loaded) -> Prepared:
        """Return a future ready to be planned; layers are read again only where they must be."""
        changed = self.loaded.scenario.futures[future.name] if future.own else {}
        if all(split_keys(key)[0] in PLACES_STAY for key in changed):
            return pipeline.assume(self.proposed, loaded)
        return pipeline.prepare(loaded)

    def task(self, future: Future) -> Task:
        """Return a future with its key; its inputs are read. Raises ScenarioError, LayerError."""
        loaded = self.load(future)
        prepared = self.prepare(future, loaded)
        sources = (*prepared.layers.sources, *prepared.candidates.sources)
        said = {
            "schema": SCHEMA, "version": __version__, "future": asdict(future),
            "scenario": loaded.sha256, "base": self.loaded.sha256, "plan": self.plan.to_json(),
            "inputs": sorted((s.role, s.path, s.sha256) for s in sources),
            "asked": [self.asked.months, self.asked.gap, self.asked.time_limit_s, self.asked.seed,
                      self.asked.regret],
        }  # fmt: skip
        text = json.dumps(said, sort_keys=True)
        return Task(future, hashlib.sha256(text.encode()).hexdigest())

    def solve(self, task: Task, parts: Path) -> dict[str, Any]:
        """Solve a future, keep its plans and its record in ``parts``, and return the record."""
        loaded = self.load(task.future)
        prepared = self.prepare(task.future, loaded)
        late = _beyond(loaded.scenario.assume, self.loaded.scenario.assume)
        asked = self.asked
        limits = Limits(asked.gap, asked.time_limit_s, None, 1, asked.seed)
        made, best = [], None
        for hold in asked.holds:
            one = stress(
                prepared, self.decided, hold, limits, late=late,
                solver=prepared.scenario.solver.name, start=best,
            )  # fmt: skip
            if one.run is not None:
                best = best or one.run.solution
                if hold in asked.written:
                    write_run(one.run, run_folder(parts, task, hold), force=True, html=False)
            made.append(record_of(one))
        record: dict[str, Any] = plain(
            {"key": task.key, "future": task.future.name, "about": task.future.about,
             "own": task.future.own, "plans": made}
        )  # fmt: skip
        _keep(record, parts / f"{task.stem}.json")
        return record


def run_folder(parts: Path, task: Task, hold: str) -> Path:
    """Return where the plan of a future is kept."""
    return parts / f"{task.stem}-{hold}"


def _beyond(future: Assume, base: Assume) -> Assume:
    """Return how much later a future says that orders come than the plan's own scenario does."""
    months = {
        name: late - base.upgrades_late_months.get(name, 0.0)
        for name, late in future.upgrades_late_months.items()
    }
    return Assume(
        hardware_late_months=max(0.0, future.hardware_late_months - base.hardware_late_months),
        upgrades_late_months={name: late for name, late in months.items() if late > 0},
    )


def parts_of(target: Path) -> Path:
    """Return the folder beside a study's that keeps what is finished until all is."""
    return target.parent / f".{target.name}.parts"


def kept(asked: Asked, tasks: Sequence[Task], parts: Path) -> dict[str, dict[str, Any]]:
    """Return the records of finished futures, by name; whatever is damaged counts as not there."""
    out: dict[str, dict[str, Any]] = {}
    for task in tasks:
        try:
            record = json.loads((parts / f"{task.stem}.json").read_text(encoding="utf-8"))
            if record["key"] != task.key:
                continue
            for plan in record["plans"]:
                if plan["verified"] is not None and plan["hold"] in asked.written:
                    read_run(run_folder(parts, task, plan["hold"]))
        except (OSError, ValueError, KeyError, TypeError, SitepickError):
            continue
        out[task.future.name] = record
    return out


def solve_all(
    asked: Asked,
    tasks: Sequence[Task],
    parts: Path,
    *,
    processes: int,
    told: Callable[[int], None] = lambda done: None,
) -> list[dict[str, Any]]:
    """Return the records of all futures in order; those that are kept are not solved again."""
    parts.mkdir(parents=True, exist_ok=True)
    have = kept(asked, tasks, parts)
    left = [task for task in tasks if task.future.name not in have]
    found = spread(
        partial(_begin, asked), partial(_solve, parts), left, processes=processes,
        told=lambda done: told(len(have) + done),
    )  # fmt: skip
    have |= {record["future"]: record for record in found}
    return [have[task.future.name] for task in tasks]


def _begin(asked: Asked) -> Study:
    _die_with_parent()
    return Study(asked, every=False)


def _solve(parts: Path, study: Study, task: Task) -> dict[str, Any]:
    return study.solve(task, parts)


def _die_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however that came."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _keep(record: dict[str, Any], path: Path) -> None:
    """Write a record to a file that is there whole or not at all."""
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    number, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    to_disk(Path(name))
    Path(name).replace(path)


def forget(target: Path) -> None:
    """Remove what is kept of an unfinished study."""
    shutil.rmtree(parts_of(target), ignore_errors=True)
