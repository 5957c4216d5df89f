"""One table of sitepick beside its peers, all in one run on the same data; `docs/benchmarks.md`.

``python tests/bench/run.py [--full] [--write] [--growth-only] [--seeds N]``: the small sizes take a
minute, ``--full`` about a quarter of an hour on an idle machine (an hour with three seeds of the
largest size); ``--write`` writes docs/benchmarks.md. A task that fails is told, the others go on.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ("numpy", "scipy", "highspy", "pulp", "ortools", "pyogrio", "linopy", "spopt")
SAME = 2e-4
"""Relative difference of objectives that still counts as the same answer."""


@dataclass(frozen=True)
class Sizes:
    """How large each task is."""

    matrix: tuple[int, int]
    location: tuple[int, int]
    median: tuple[int, int, int]  # sites, places, open
    lines: int
    plan: int
    growth: tuple[int, ...]
    variants: int  # POIs
    seeds: int  # of the largest size; others have one
    seconds: float
    gap_pct: float


SMOKE = Sizes((40, 250), (10, 20), (12, 24, 3), 5_000, 0, (), 0, 1, 20, 20)
SMALL = Sizes((100, 250), (20, 50), (30, 60, 4), 20_000, 300, (250, 500, 1000), 300, 1, 20, 5)
FULL = Sizes(
    (1000, 250), (50, 100), (100, 200, 8), 100_000, 1000,
    (1000, 2500, 5000, 10_000, 20_000, 40_000, 80_000), 5000, 1, 300, 1,
)  # fmt: skip


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

    @property
    def ratio(self) -> float:
        """The peer's seconds over sitepick's: above 1, sitepick is faster."""
        return self.peer_s / self.sitepick_s


@dataclass
class Bench:
    """Runs tasks, each in a process of its own, and collects rows."""

    sizes: Sizes
    folder: Path
    say: Callable[[str], None] = print
    rows: list[Row] = field(default_factory=list)
    growth: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def task(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Run one function of `tasks` and return what it measured."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        done = subprocess.run(
            [sys.executable, str(HERE / "tasks.py"), name, json.dumps(arguments)],
            capture_output=True, text=True, check=False, timeout=4000, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "SITEPICK_CACHE": "off"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name} {arguments} failed:\n{done.stderr[-2000:]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def beside(
        self, task: str, size: str, own: dict[str, Any], peer: str, name: str, needs: str = "",
        note: Callable[[dict[str, Any]], str] | None = None, **arguments: Any,
    ) -> None:  # fmt: skip
        """Measure a peer and add its row; leave it out, and say so, where it is not installed."""
        if needs and importlib.util.find_spec(needs) is None:
            self.skipped.append(f"{peer} ({task}): {needs} is not installed")
            return
        its = self.task(name, **arguments)
        said = note(its) if note else _same(own, its)
        self.rows.append(
            Row(task, size, peer, own["cpu_s"], its["cpu_s"], own["mb"], its["mb"], said)
        )
        self.say(line(self.rows[-1]))

    # --- the tasks ---------------------------------------------------------------------------

    def matrix(self) -> None:
        """Put one matrix together and hand it to HiGHS."""
        n, d = self.sizes.matrix
        both = {"n": n, "d": d}
        own = self.task("matrix_sitepick", **both)
        size = f"{own['nnz']:,} non-zeros"

        def note(its: dict[str, Any]) -> str:
            assert its["value"] == own["value"], "not the same matrix"
            return "the same rows"

        add = ("model to HiGHS", size, own)
        self.beside(*add, "numpy + passModel (floor)", "matrix_floor", note=note, **both)
        self.beside(*add, "linopy", "matrix_linopy", "linopy", note=note, **both)
        self.beside(*add, "PuLP objects", "matrix_pulp", note=note, **both)

    def location(self) -> None:
        """Solve a capacitated facility location from the tables of one scenario, whole."""
        n, d = self.sizes.location
        folder = self.facility("location", n, d, None)
        own = self.task("location_sitepick", folder=folder)
        add = ("facility location, optimal", f"{n} x {d}", own)
        self.beside(*add, "PuLP + CBC", "location_pulp", folder=folder)
        self.beside(*add, "linopy + HiGHS", "location_linopy", "linopy", folder=folder)

    def median(self) -> None:
        """Solve a p-median, which spopt has."""
        n, d, p = self.sizes.median
        folder = self.facility("median", n, d, p)
        own = self.task("location_sitepick", folder=folder)
        add = ("p-median, optimal", f"{n} x {d}, p = {p}", own)
        for peer, name, needs in (
            ("PuLP + CBC", "location_pulp", ""),
            ("linopy + HiGHS", "location_linopy", "linopy"),
            ("spopt", "location_spopt", "spopt"),
        ):
            self.beside(*add, peer, name, needs, folder=folder, most=p)

    def lines(self) -> None:
        """Read and clean a layer of lines."""
        path = _lines(self.folder / "lines.gpkg", self.sizes.lines)
        own = self.task("lines_sitepick", path=path)
        self.beside(
            "read and clean lines", f"{self.sizes.lines:,} lines", own, "pyogrio alone",
            "lines_pyogrio", path=path,
        )  # fmt: skip

    def plan(self) -> None:
        """Plan a made-up national scenario; the same program whole to other solvers; the greedy."""
        from bench import synthetic

        sizes, seconds = self.sizes, self.sizes.seconds
        where = self.folder / "plan"
        path = str(synthetic.write(where, sizes.plan, 0, sizes.gap_pct, seconds))
        own = self.task("plan_sitepick", path=path)
        size = f"{own['candidates']:,} candidates"

        def note(its: dict[str, Any]) -> str:
            if not np.isfinite(its["gap"]):
                return f"no plan or no bound in {seconds:g} s"
            return (
                f"gap {its['gap']:.2%} ({own['gap']:.2%}), cost {its['value'] / own['value']:.3f} x"
            )

        for peer, solver in (("HiGHS, whole", "highs"), ("PuLP + CBC, whole", "cbc")):
            self.beside(
                "national plan", size, own, peer, "plan_whole", note=note, path=path,
                solver=solver, seconds=seconds,
            )  # fmt: skip
        if own["greedy"] is not None:
            said = f"cost {own['greedy'] / own['value']:.3f} x, no bound"
            nan = float("nan")
            self.rows.append(
                Row("national plan", size, "weighted-score greedy", own["cpu_s"], nan, own["mb"],
                    nan, said)
            )  # fmt: skip
            self.say(line(self.rows[-1]))

    def commands(self) -> None:
        """Seconds of commands that solve nothing (no peer)."""
        for words in (["--help"], ["validate", str(ROOT / "scenarios/facility/sitepick.yaml")]):
            its = self.task("command", arguments=words)
            assert its["value"] == 0
            nan = float("nan")
            self.rows.append(Row(f"sitepick {words[0]}", "", "", its["cpu_s"], nan, its["mb"], nan))
            self.say(line(self.rows[-1]))

    def tried(self, part: Callable[[], None]) -> None:
        """Do one of the tasks; where it fails say so, and go on."""
        try:
            part()
        except (RuntimeError, AssertionError, subprocess.TimeoutExpired) as error:
            self.skipped.append(f"{part.__name__}: {str(error)[:200]}")

    def grow(self) -> None:
        """Plan ever larger made-up scenarios."""
        from bench import synthetic

        for pois in self.sizes.growth:
            for seed in range(self.sizes.seeds if pois == max(self.sizes.growth) else 1):
                found = self._made_up(synthetic.write, pois, seed, "")
                if found is not None:
                    self.growth.append(found)

    def variants(self) -> None:
        """Plan scenarios in which peak demand, or procurement, limits most."""
        from bench import synthetic

        for name in synthetic.VARIANTS:
            found = self._made_up(synthetic.write, self.sizes.variants, 0, name)
            if found is not None:
                self.others.append(found)

    def _made_up(
        self, write: Callable[..., Path], pois: int, seed: int, variant: str
    ) -> dict[str, Any] | None:
        where = self.folder / f"made-up-{pois}-{seed}-{variant}"
        path = write(where, pois, seed, self.sizes.gap_pct, self.sizes.seconds, variant)
        try:
            found = self.task("plan_sitepick", path=str(path))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            said = f"{pois:,} POIs, seed {seed} {variant}".strip()
            self.skipped.append(f"{said}: {str(error).splitlines()[-1][:200]}")
            return None
        out = {"pois": pois, "seed": seed, "variant": variant, **found}
        self.say(growth_line(out))
        return out

    def facility(self, name: str, n: int, d: int, most: int | None) -> str:
        """Write a facility scenario; with ``most`` sites of no fixed cost and no limit."""
        from helpers.orlib import Location, write

        rng = np.random.default_rng(7)
        at, to = rng.random((n, 2)), rng.random((d, 2))
        demand = rng.uniform(5, 30, d).round(2)
        km = 100 * np.hypot(*(to[:, None] - at[None]).transpose(2, 0, 1))
        free = most is not None
        case = Location(
            [float(demand.sum())] * n if free else rng.uniform(2, 5, n) * demand.sum() / n * 1.5,
            [0.0] * n if free else rng.uniform(300, 900, n).round(1),
            demand.tolist(),
            (km * demand[:, None]).round(3).tolist(),
        )
        path = write(case, self.folder / name, name, gap_pct=1e-4, seconds=600)
        if free:
            path.write_text(path.read_text() + f"limits: {{sites_max: {most}}}\n")
        return str(path.parent)


def _same(own: dict[str, Any], its: dict[str, Any]) -> str:
    apart = abs(own["value"] - its["value"]) / max(1.0, abs(own["value"]))
    return "the same answer" if apart <= SAME else f"another answer: {apart:.2%} apart"


def _lines(path: Path, n: int) -> str:
    import geopandas as gpd
    import shapely

    rng = np.random.default_rng(0)
    start = rng.uniform([-120, 27], [-70, 48], (n, 2))
    walk = start[:, None] + np.cumsum(rng.normal(0, 0.02, (n, 8, 2)), axis=1)
    gpd.GeoDataFrame(
        {
            "ID": [f"L{i}" for i in range(n)],
            "VOLTAGE": rng.choice([115.0, 138.0, 230.0, -999999.0], n),
            "OWNER": rng.choice(["A", "B", "NOT AVAILABLE"], n),
        },
        geometry=shapely.linestrings(walk), crs=4326,
    ).to_file(path, driver="GPKG")  # fmt: skip
    return str(path)


# --- what it says ------------------------------------------------------------------------------

HEAD = (
    "| task | size | peer | sitepick s | peer s | ratio | MB | |\n|---|---|---|---|---|---|---|---|"
)
GROWTH_HEAD = (
    "| POIs | candidates | seed | prepare s | solve s | write s | total s | MB | gap |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def line(row: Row) -> str:
    """Return a row of the table in Markdown."""

    def shown(x: float, form: str) -> str:
        return "" if np.isnan(x) else format(x, form)

    memory = " / ".join(shown(x, ",.0f") for x in (row.sitepick_mb, row.peer_mb) if x == x)
    cells = (
        row.task, row.size, row.peer, shown(row.sitepick_s, ".2f"), shown(row.peer_s, ".2f"),
        shown(row.ratio, ".2f"), memory, row.note,
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


def page(bench: Bench) -> str:
    """Return docs/benchmarks.md."""
    found = [f"{p} {version(p)}" for p in PACKAGES if importlib.util.find_spec(p)]
    flags = "--full --write" if bench.sizes.plan == FULL.plan else "--write"
    parts = [
        "# Benchmarks\n",
        f"Written by `python tests/bench/run.py {flags}` (needs `pip install -e "
        "'.[test,bench]'`; `--full` is for national sizes). Every figure is of one "
        "run, on the same data, each way in a process of its own. Seconds are CPU seconds of that "
        "process and its children, imports apart but for commands; MB are the most it held "
        "(sitepick / peer). A ratio above 1 says that sitepick took less.\n",
        f"Machine: {_machine()}. {', '.join(found)}.\n",
        "## Beside others\n",
        HEAD + "\n" + "\n".join(line(r) for r in bench.rows) + "\n",
    ]
    if bench.skipped:
        parts.append("Not measured: " + "; ".join(bench.skipped) + ".\n")
    if bench.growth:
        parts += [
            "## Growth\n",
            "Made-up national scenarios (`tests/bench/synthetic.py`): POIs with headroom, shared "
            "limits, metros within 12 ms, three hall classes, three chips, six periods, limits by "
            f"state and of labour; work grows with the POIs. Asked gap {bench.sizes.gap_pct:g} % "
            f"within {bench.sizes.seconds:g} s of solving; where the gap is wider, the time ended "
            "the search, and its seconds are those of the limit.\n",
            GROWTH_HEAD + "\n" + "\n".join(growth_line(g) for g in bench.growth) + "\n",
            exponents(bench),
        ]
    if bench.others:
        parts += [
            "## Other limits\n",
            "The same with four times the demand charge and most of the work in the last years "
            "(`peak`), and with half the labour (`procurement`).\n",
            GROWTH_HEAD + "\n" + "\n".join(growth_line(g) for g in bench.others) + "\n",
        ]
    return "\n".join(parts)


def exponents(bench: Bench) -> str:
    """Return the fitted exponents as a sentence."""
    asked = bench.sizes.gap_pct / 100
    met = [g for g in bench.growth if g["gap"] <= asked + 1e-9]
    names = {"prepare_s": "prepare", "write_s": "write", "mb": "memory"}
    said = [f"{word} {exponent(bench.growth, key):.2f}" for key, word in names.items()]
    if len({g["pois"] for g in met}) > 1:
        said.append(f"solve {exponent(met, 'solve_s'):.2f}")
        said.append(f"all seconds {exponent(met, 'cpu_s'):.2f}")
    runs = f"{len(met)} of {len(bench.growth)} runs met the asked gap"
    fitted = "seconds of solving and of all are fitted to these"
    if len(said) == len(names):
        fitted = "too few to fit seconds of solving"
    return f"Exponents of candidates: {', '.join(said)}. {runs}; {fitted}.\n"


def _machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [x.split(":", 1)[1].strip() for x in info.read_text().splitlines()
                 if x.startswith("model name")]  # fmt: skip
        model = names[0] if names else model
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python \
{platform.python_version()}{load}"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--growth-only", action="store_true")
    parser.add_argument("--seeds", type=int, help="of the largest size")
    asked = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(HERE.parent)]
    with tempfile.TemporaryDirectory() as folder:
        sizes = FULL if asked.full else SMALL
        bench = Bench(replace(sizes, seeds=asked.seeds or sizes.seeds), Path(folder))
        print(HEAD)
        if not asked.growth_only:
            for part in (bench.commands, bench.matrix, bench.lines, bench.location, bench.median,
                         bench.plan):  # fmt: skip
                bench.tried(part)
        print(GROWTH_HEAD)
        bench.variants()
        bench.grow()
        print(exponents(bench))
    for text in bench.skipped:
        print("skipped:", text)
    if asked.write:
        (ROOT / "docs/benchmarks.md").write_text(page(bench), encoding="utf-8")


if __name__ == "__main__":
    main()
