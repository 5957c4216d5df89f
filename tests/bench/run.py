"""One table of sitepick beside its peers, all in one run on the same data; `docs/benchmarks.md`.

``python tests/bench/run.py [--full] [--write]`` prints it: the small sizes take some minutes,
``--full`` about 25 on an idle machine; ``--write`` writes docs/benchmarks.md. ``--largest`` adds
80,000 POIs with three seeds, ``--peers-to-the-end`` gives peers ten minutes instead of one.
A task that fails is told, the others go on.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from bench import made_up, synthetic  # noqa: E402
from bench.page import (  # noqa: E402
    GROWTH_HEAD,
    HEAD,
    Found,
    Row,
    exponents,
    growth_line,
    line,
    page,
)  # fmt: skip
from helpers import orlib  # noqa: E402

SAME = 2e-4
"""Relative difference of objectives that still counts as the same answer."""
PUBLISHED = 2e-6
"""Relative difference to a published optimum."""
PEERS = (("PuLP + CBC", "location_pulp", ""), ("linopy + HiGHS", "location_linopy", "linopy"))
WAYS = ((False, "from memory"), (True, "files and checks"))
REPEATS = 3
NAN = float("nan")


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
    seconds: float
    gap_pct: float
    capa: bool = False
    stop: float = 60  # seconds by the clock after which peers are stopped
    largest: int = 0  # POIs, with three seeds


SMOKE = Sizes((40, 250), (10, 20), (12, 24, 3), 5_000, 0, (), 0, 20, 20)
SMALL = Sizes((100, 250), (20, 50), (30, 60, 4), 20_000, 300, (250, 500, 1000), 300, 20, 5)
# 1,100 POIs have about 1,000 candidates
FULL = Sizes(
    (1000, 250), (50, 100), (100, 200, 8), 100_000, 1100,
    (1100, 2750, 5500, 11_000, 22_000, 44_000), 5500, 300, 1, capa=True,
)  # fmt: skip
LARGEST = 80_000
SEEDS = 3
TO_THE_END = 600.0


class Bench:
    """Runs tasks, each in a process of its own, and collects what they measured."""

    def __init__(
        self, sizes: Sizes, folder: Path, say: Callable[[str], None] = print,
        data: Path | None = None,
    ) -> None:  # fmt: skip
        self.sizes, self.folder, self.say, self.data = sizes, folder, say, data
        self.found = Found(sizes.gap_pct, sizes.seconds)

    def task(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Run one function of `tasks` and return what it measured."""
        here = [str(ROOT), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, str(HERE / "tasks.py"), name, json.dumps(arguments)],
            capture_output=True, text=True, check=False, timeout=4000, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, here)),
                 "SITEPICK_CACHE": "off"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name} {arguments} failed:\n{done.stderr[-2000:]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def least(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Run a task; where it takes less than a second three times, and return the shortest."""
        found = [self.task(name, **arguments)]
        while len(found) < REPEATS and found[-1]["cpu_s"] < 1:
            found.append(self.task(name, **arguments))
        return min(found, key=lambda its: float(its["cpu_s"]))

    def beside(
        self, task: str, size: str, own: dict[str, Any], peer: str, name: str, needs: str = "",
        note: Callable[[dict[str, Any]], str] | None = None, **arguments: Any,
    ) -> None:  # fmt: skip
        """Measure a peer and add its row; leave it out, and say so, where it is not installed."""
        if needs and importlib.util.find_spec(needs) is None:
            self.found.skipped.append(f"{peer} ({task}): {needs} is not installed")
            return
        its = self.least(name, **arguments)
        said = note(its) if note else _same(own, its)
        ended = not np.isfinite(its["value"]) or "stopped" in said
        self._row(Row(task, size, peer, own["cpu_s"], its["cpu_s"], own["mb"], its["mb"], said,
                      ended))  # fmt: skip

    def _row(self, row: Row) -> None:
        self.found.rows.append(row)
        self.say(line(row))

    # --- the tasks ---------------------------------------------------------------------------

    def commands(self) -> None:
        """Seconds of commands that solve nothing (no peer)."""
        for words in (["--help"], ["validate", str(ROOT / "scenarios/facility/sitepick.yaml")]):
            its = self.least("command", arguments=words)
            assert its["value"] == 0
            self._row(Row(f"sitepick {words[0]}", "", "", its["cpu_s"], NAN, its["mb"], NAN))

    def matrix(self) -> None:
        """Put one matrix together and hand it to HiGHS."""
        n, d = self.sizes.matrix
        both = {"n": n, "d": d}
        own = self.least("matrix_sitepick", **both)
        size = f"{own['nnz']:,} non-zeros"

        def note(its: dict[str, Any]) -> str:
            assert its["value"] == own["value"], "not the same matrix"
            return "the same rows"

        def floor(its: dict[str, Any]) -> str:
            times = own["cpu_s"] / its["cpu_s"]
            return f"{note(its)}; sitepick takes {times:.2f} x the floor, 1.5 x asked at most"

        add = ("model to HiGHS", size, own)
        self.beside(*add, "numpy + passModel (floor)", "matrix_floor", note=floor, **both)
        self.beside(*add, "linopy", "matrix_linopy", "linopy", note=note, **both)
        self.beside(*add, "PuLP objects", "matrix_pulp", note=note, **both)

    def lines(self) -> None:
        """Read and clean a layer of lines."""
        path = made_up.lines(self.folder / "lines.gpkg", self.sizes.lines)
        own = self.least("lines_sitepick", path=path)

        def note(its: dict[str, Any]) -> str:
            assert its["value"] == own["value"], "not the same lines"
            return f"sitepick takes {own['cpu_s'] / its['cpu_s']:.2f} x, 2 x asked at most"

        self.beside(
            "read and clean lines", f"{self.sizes.lines:,} lines", own, "pyogrio alone (floor)",
            "lines_pyogrio", note=note, path=path,
        )  # fmt: skip

    def location(self) -> None:
        """Solve a capacitated facility location from the tables of one scenario, whole."""
        n, d = self.sizes.location
        folders = [made_up.facility(self.folder / "location", n, d)]
        self._located("facility location", f"{n} x {d}", folders, PEERS)

    def median(self) -> None:
        """Solve a p-median, which spopt has."""
        n, d, p = self.sizes.median
        folders = [made_up.facility(self.folder / "median", n, d, p)]
        peers = (*PEERS, ("spopt + CBC", "location_spopt", "spopt"))
        self._located("p-median", f"{n} x {d}, p = {p}", folders, peers, most=p)

    def _located(
        self, what: str, size: str, folders: list[str], peers: tuple[tuple[str, str, str], ...],
        **more: Any,
    ) -> None:  # fmt: skip
        for files, how in WAYS:
            own = self.least("location_sitepick", folders=folders, files=files)
            for peer, name, needs in peers:
                self.beside(f"{what}, optimal, {how}", size, own, peer, name, needs,
                            folders=folders, files=files, **more)  # fmt: skip

    def published(self) -> None:
        """Solve the small instances of the OR-Library together, from memory and with all else."""
        cases = self._cases("OR-Library, small", lambda file: file.startswith("cap1") or
                            (file.startswith("cap") and file[3].isdigit()))  # fmt: skip
        if not cases:
            return
        folders, best = [f for f, _ in cases], [b for _, b in cases]

        def note(its: dict[str, Any]) -> str:
            right = sum(_is_optimum(v, b) for v, b in zip(its["values"], best, strict=True))
            return f"{right} of {len(best)} published optima"

        for files, how in WAYS:
            own = self.least("location_sitepick", folders=folders, files=files)
            assert note(own).startswith(f"{len(best)} of"), "an optimum is missed"
            for peer, name, needs in PEERS:
                self.beside(f"OR-Library `cap`, optimal, {how}", f"{len(best)} together, "
                            "16 to 50 x 50", own, peer, name, needs, note, folders=folders,
                            files=files)  # fmt: skip

    def capa(self) -> None:
        """Solve each large instance beside PuLP + CBC, which is stopped."""
        stop = self.sizes.stop
        cases = self._cases("OR-Library, capa", lambda file: file.startswith("capa"))
        for folder, best in cases:
            own = self.task("location_sitepick", folders=[folder])
            assert _is_optimum(own["value"], best), f"{folder}: the optimum is missed"

            def note(its: dict[str, Any], best: float = best) -> str:
                if not np.isfinite(its["value"]):
                    return f"published optimum; the peer has no plan after {stop:g} s"
                if _is_optimum(its["value"], best):
                    return "published optimum, both"
                return (f"published optimum; the peer, stopped after {stop:g} s by the clock, has "
                        f"{its['value'] / best:.4f} x its cost")  # fmt: skip

            self.beside(f"OR-Library `{Path(folder).name}`, optimal, files and checks",
                        "100 x 1,000", own, "PuLP + CBC", "location_pulp", "", note,
                        folders=[folder], seconds=stop)  # fmt: skip

    def _cases(self, what: str, wanted: Callable[[str], bool]) -> list[tuple[str, float]]:
        """Return folders of published instances, written here, with their optima."""
        if self.data is None or not (self.data / "optima.csv").is_file():
            self.found.skipped.append(f"{what}: no folder of real data with orlib/optima.csv")
            return []
        out = []
        for file, parameter, best in orlib.published(self.data):
            if wanted(file):
                name = f"{file.partition('.')[0]} {parameter}".strip()
                case = orlib.read(self.data / file, parameter)
                orlib.write(case, self.folder / name, "orlib", gap_pct=1e-4, seconds=900)
                out.append((str(self.folder / name), best))
        return out

    def plan(self) -> None:
        """Plan a made-up national scenario; the same program whole to other solvers; the greedy."""
        sizes, seconds = self.sizes, 2 * self.sizes.stop
        path = str(synthetic.write(
            self.folder / "plan", sizes.plan, 0, sizes.gap_pct, sizes.seconds
        ))  # fmt: skip
        own = self.task("plan_sitepick", path=path)
        size = f"{own['candidates']:,} candidates"

        def note(its: dict[str, Any]) -> str:
            if not np.isfinite(its["value"]):
                return f"no plan in {seconds:g} s by the clock; sitepick's gap {own['gap']:.2%}"
            gap = f"gap {its['gap']:.2%}" if np.isfinite(its["gap"]) else "no bound"
            return f"{gap} (sitepick {own['gap']:.2%}), cost {its['value'] / own['value']:.3f} x"

        for peer, solver in (("the same program whole, HiGHS", "highs"),
                             ("the same program whole, PuLP + CBC", "cbc")):  # fmt: skip
            self.beside(
                "national plan", size, own, peer, "plan_whole", note=note, path=path,
                solver=solver, seconds=seconds,
            )  # fmt: skip
        if own["greedy"] is not None:
            said = f"cost {own['greedy'] / own['value']:.3f} x, no bound"
            self._row(Row("national plan", size, "weighted-score greedy", own["cpu_s"], NAN,
                          own["mb"], NAN, said))  # fmt: skip

    def variants(self) -> None:
        """Plan scenarios in which peak demand, or procurement, limits most."""
        for name in synthetic.VARIANTS:
            self._made_up(self.found.others, self.sizes.variants, 0, name)

    def grow(self) -> None:
        """Plan ever larger made-up scenarios."""
        for pois in self.sizes.growth:
            self._made_up(self.found.growth, pois, 0)
        for seed in range(SEEDS if self.sizes.largest else 0):
            self._made_up(self.found.growth, self.sizes.largest, seed)

    def _made_up(self, to: list[dict[str, Any]], pois: int, seed: int, variant: str = "") -> None:
        where = self.folder / f"made-up-{pois}-{seed}-{variant}"
        sizes = self.sizes
        path = synthetic.write(where, pois, seed, sizes.gap_pct, sizes.seconds, variant)
        try:
            found = self.task("plan_sitepick", path=str(path))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            said = f"{pois:,} POIs, seed {seed} {variant}".strip()
            self.found.skipped.append(f"{said}: {str(error).splitlines()[-1][:200]}")
            return
        to.append({"pois": pois, "seed": seed, "variant": variant, **found})
        self.say(growth_line(to[-1]))

    def tried(self, part: Callable[[], None]) -> None:
        """Do one of the tasks; where it fails say so, and go on."""
        began = time.perf_counter()
        try:
            part()
        except (RuntimeError, AssertionError, subprocess.TimeoutExpired) as error:
            self.found.skipped.append(f"{part.__name__}: {' '.join(str(error).split())[-200:]}")
        self.found.parts[part.__name__] = time.perf_counter() - began


def _same(own: dict[str, Any], its: dict[str, Any]) -> str:
    apart = abs(own["value"] - its["value"]) / max(1.0, abs(own["value"]))
    return "the same answer" if apart <= SAME else f"another answer: {apart:.2%} apart"


def _is_optimum(value: float, best: float) -> bool:
    return abs(value - best) <= PUBLISHED * best


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="national sizes")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--only", help="parts, with commas: " + ", ".join(PARTS))
    parser.add_argument("--most", type=int, help="leave out made-up scenarios of more POIs")
    parser.add_argument("--largest", action="store_true", help="80,000 POIs, three seeds")
    parser.add_argument("--peers-to-the-end", action="store_true", help="ten minutes, not one")
    parser.add_argument("--data", type=Path, help="folder with orlib/; else SITEPICK_REALDATA")
    asked = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # rows are seen as they come, also in a file
    real = asked.data or os.environ.get("SITEPICK_REALDATA")
    sizes = FULL if asked.full else SMALL
    sizes = replace(
        sizes,
        growth=tuple(n for n in sizes.growth if n <= (asked.most or n)),
        stop=TO_THE_END if asked.peers_to_the_end else sizes.stop,
        largest=LARGEST if asked.largest else 0,
    )
    parts = asked.only.split(",") if asked.only else PARTS
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sizes, Path(folder), data=Path(real) / "orlib" if real else None)
        bench.found.command = " ".join(["python tests/bench/run.py", *_told(sys.argv[1:])])
        print(HEAD)
        for name in parts:
            if name == "variants":
                print(GROWTH_HEAD)
            if name != "capa" or sizes.capa:
                bench.tried(getattr(bench, name))
        print(exponents(bench.found))
    for text in bench.found.skipped:
        print("skipped:", text)
    print("seconds by the clock:", {k: round(s) for k, s in bench.found.parts.items()})
    if asked.write:
        (ROOT / "docs/benchmarks.md").write_text(page(bench.found), encoding="utf-8")


PARTS = (
    "commands", "matrix", "lines", "location", "median", "published", "capa", "plan", "variants",
    "grow",
)  # fmt: skip


def _told(words: list[str]) -> list[str]:
    """Return the command line without the path of a folder, which is of one machine."""
    at = words.index("--data") if "--data" in words else None
    return words if at is None else [*words[:at], "--data FOLDER", *words[at + 2 :]]


if __name__ == "__main__":
    main()
