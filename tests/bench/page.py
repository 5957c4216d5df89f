"""What a run of the benchmark found, as Markdown: rows, growth, and docs/benchmarks.md whole."""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("numpy", "scipy", "highspy", "pulp", "ortools", "pyogrio", "linopy", "spopt")
EXPONENT = 1.2
"""What the growth of seconds is asked to stay under."""


@dataclass(frozen=True)
class Row:
    """One way to do a task beside sitepick's, CPU seconds and MB."""

    task: str
    size: str
    peer: str
    sitepick_s: float
    peer_s: float
    sitepick_mb: float
    peer_mb: float
    note: str = ""
    ended: bool = False  # the peer was stopped: it would have taken longer

    @property
    def ratio(self) -> float:
        """The peer's seconds over sitepick's: above 1, sitepick is faster."""
        return self.peer_s / self.sitepick_s


@dataclass
class Found:
    """All that was measured; ``growth`` and ``others`` are plans of made-up scenarios."""

    gap_pct: float
    seconds: float
    command: str = "python tests/bench/run.py --write"
    rows: list[Row] = field(default_factory=list)
    growth: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)  # seconds by the clock


HEAD = (
    "| task | size | peer | sitepick, s | peer, s | ratio | MB, sitepick / peer | answers |\n"
    "|---|---|---|--:|--:|--:|--:|---|"
)
GROWTH_HEAD = (
    "| POIs | candidates | seed | prepare, s | solve, s | write, s | all, s | MB | gap |\n"
    "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)
INTRO = """\
Written by `{command}` (needs `pip install -e '.[test,bench]'`). All figures are of one run, on the
same data, each way to do a task in a process of its own.

- **s**: CPU seconds of that process and of those it starts, all threads together, imports apart
  except for commands; the least of three runs where a run takes less than a second.
- **ratio**: the peer's seconds over sitepick's. Above 1 sitepick took less; after `>` the peer was
  stopped before it had finished.
- **MB**: the most that the process held, or the largest of those it started, imports included.
- **optimal**: to a relative gap of 1e-6.
- **files and checks**: from the files to a plan that is judged, with a verdict on every site and
  beside a greedy plan; peers read the same tables and do not check. **from memory**: from tables
  that are read already to the proven optimum, the same work for all.

Machine: {machine}. {packages}.
"""
GROWTH = """\
Made-up national scenarios (`tests/bench/synthetic.py`): POIs with headroom, shared limits, 60
metros within 12 ms, three hall classes, three chips, six periods, limits by state and of labour;
work grows with the POIs. Candidates are the POIs that pass the screening. Everything that
`sitepick solve` does counts: *prepare* reads and screens, *solve* plans, judges and explains,
*write* writes the run folder. Asked gap {gap_pct:g} % within {seconds:g} s of solving; where the
gap is wider the time ended the search.
"""
OTHERS = """\
The same with four times the demand charge and most of the work in the last years (`peak`), and
with half the labour (`procurement`).
"""


def line(row: Row) -> str:
    """Return a row of the table in Markdown."""

    def shown(x: float, form: str) -> str:
        return "" if np.isnan(x) else format(x, form)

    memory = " / ".join(shown(x, ",.0f") for x in (row.sitepick_mb, row.peer_mb) if x == x)
    more = ">" if row.ended else ""
    cells = (
        row.task, row.size, row.peer, shown(row.sitepick_s, ".2f"), more + shown(row.peer_s, ".2f"),
        more + shown(row.ratio, ".2f"), memory, row.note,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def growth_line(found: dict[str, Any]) -> str:
    """Return a row of the growth table in Markdown."""
    return (
        f"| {found['pois']:,} {found['variant']} | {found['candidates']:,} | {found['seed']} | "
        f"{found['prepare_s']:.1f} | {found['solve_s']:.1f} | {found['write_s']:.1f} | "
        f"{found['cpu_s']:.1f} | {found['mb']:,.0f} | {found['gap']:.2%} |"
    )


def exponent(growth: Iterable[dict[str, Any]], what: str) -> float:
    """Return e of ``what`` ~ candidates^e, by least squares on logarithms."""
    pairs = np.array([(g["candidates"], g[what]) for g in growth], dtype=float)
    x, y = np.log(pairs).T
    return float(np.polyfit(x, y, 1)[0])


def exponents(found: Found) -> str:
    """Return the fitted exponents as a sentence; "" where there is one size or none."""
    if len({g["pois"] for g in found.growth}) < 2:
        return ""
    asked = found.gap_pct / 100
    met = [g for g in found.growth if g["gap"] <= asked + 1e-9]
    names = {"prepare_s": "prepare", "write_s": "write", "mb": "memory"}
    said = [f"{word} {exponent(found.growth, key):.2f}" for key, word in names.items()]
    runs = f"{len(met)} of {len(found.growth)} runs met the asked gap"
    if len({g["pois"] for g in met}) < 2:
        return f"Exponents of candidates: {', '.join(said)}. {runs}: too few to fit all seconds.\n"
    whole = exponent(met, "cpu_s")
    said += [f"solve {exponent(met, 'solve_s'):.2f}", f"**all seconds {whole:.2f}**"]
    kept = "met" if whole <= EXPONENT else "not met"
    return (
        f"Exponents of candidates, by least squares on logarithms: {', '.join(said)}. {runs}; "
        "seconds of solving and of all are fitted to these. At most "
        f"{EXPONENT} is asked of all seconds: {kept}.\n"
    )


def page(found: Found) -> str:
    """Return docs/benchmarks.md."""
    packages = [f"{p} {version(p)}" for p in PACKAGES if importlib.util.find_spec(p)]
    parts = [
        "# Benchmarks\n",
        INTRO.format(command=found.command, machine=machine(), packages=", ".join(packages)),
        "## Beside others\n",
        HEAD + "\n" + "\n".join(line(r) for r in found.rows) + "\n",
    ]
    if found.skipped:
        parts.append("Not measured:\n\n" + "\n".join(f"- {x}" for x in found.skipped) + "\n")
    if found.growth:
        parts += [
            "## Growth\n",
            GROWTH.format(gap_pct=found.gap_pct, seconds=found.seconds),
            GROWTH_HEAD + "\n" + "\n".join(growth_line(g) for g in found.growth) + "\n",
            exponents(found),
        ]
    if found.others:
        parts += [
            "## Other limits\n", OTHERS,
            GROWTH_HEAD + "\n" + "\n".join(growth_line(g) for g in found.others) + "\n",
        ]  # fmt: skip
    if found.parts:
        took = ", ".join(f"{name} {s:,.0f} s" for name, s in found.parts.items())
        parts.append(f"By the clock the run took: {took}.\n")
    return "\n".join(part for part in parts if part)


def machine() -> str:
    """Return processor, cores, memory, system, Python and how busy it was."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [x.split(":", 1)[1].strip() for x in info.read_text().splitlines()
                 if x.startswith("model name")]  # fmt: skip
        model = names[0] if names else model
    said = [model, f"{os.cpu_count()} cores"]
    if hasattr(os, "sysconf"):
        gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        said.append(f"{gb:.0f} GB")
    said += [platform.system(), f"Python {platform.python_version()}"]
    if hasattr(os, "getloadavg"):
        said.append(f"load {os.getloadavg()[0]:.1f} at the end")
    return ", ".join(said)
