"""OR-Library facility location and p-median (J. E. Beasley) as a sitepick scenario folder.

Format of a ``cap`` file: ``m n``; per site its capacity and fixed cost; per customer its demand
and, for each site, the cost of serving all of that demand from it. One unit of demand is written as
one IT MW and one unit of money as one MUSD, so a cost is divided by the demand to be per MW and
year. A ``pmed`` file is a graph: ``n edges p``, then two ends and a length each, where a later line
for the same ends overwrites an earlier one; each node is a customer and may be one of p sites, and
a cost is the length of a shortest path. Sites cost nothing to open, so "at most p" is "p".
"""

from __future__ import annotations

import csv
import gzip
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIO = """\
# Plain facility location: one period of one year, no discounting, power and halls left out.
version: 1
name: {name}
as_of: 2026-01-01
periods: {{from: 2027, to: 2027, step: year}}
money: {{price_year: 2026, discount_rate_pct: 0, inflation_pct: 0}}
objective: min_cost
layers:
  sites: {{file: sites.csv}}
  demand: {{file: customers.csv}}
  matrix: {{file: costs.csv, meaning: musd_per_mw_year}}
candidates: {{site_life_years: 1, land_musd_per_ha: 0}}
power:
  model: none
  energy_usd_per_mwh: 0
  demand_usd_per_kw_month: 0
  substation_musd_per_mw: 0
demand:
  workloads:
    it: {{uses: it, spread: by_weight, must_serve: true, ref_mw: {total!r}}}
halls: none
hardware: none
{limits}solver: {{gap_pct: {gap_pct:g}, time_limit_s: {seconds:g}}}
"""


@dataclass(frozen=True)
class Location:
    """An instance: ``cost[j][i]`` is for all demand of customer j from site i; at most
    ``sites_max`` sites open."""

    capacity: Sequence[float]
    fixed: Sequence[float]
    demand: Sequence[float]
    cost: Sequence[Sequence[float]]
    sites_max: int | None = None


@dataclass(frozen=True)
class Solved:
    """What sitepick found, and seconds by the clock and of CPU: all of it, and solving alone."""

    objective: float
    bound: float
    status: str
    verified: bool
    seconds: float
    cpu_seconds: float
    solve_seconds: float


def published(folder: Path) -> list[tuple[str, str, float]]:
    """Return file, parameter (such as ``capacity=8000``) and optimum of all instances there."""
    with (folder / "optima.csv").open(encoding="utf-8", newline="") as stream:
        return [
            (row["file"], row["parameter"], float(row["published_optimum"]))
            for row in csv.DictReader(stream)
        ]


def read(path: Path, parameter: str = "") -> Location:
    """Read an instance from a file as it is published, gzipped or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("ascii")
    if path.name.startswith("pmed"):
        return parse_pmedian(text)
    word, _, value = parameter.partition("=")
    return parse(text.replace(word, value) if word else text)


def parse_pmedian(text: str) -> Location:
    """Read a p-median graph; raises ValueError where numbers are missing or left over."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    numbers = [int(word) for word in text.split()]
    n, edges, p = numbers[:3]
    if len(numbers) != 3 + 3 * edges:
        raise ValueError(f"{len(numbers)} numbers, of {edges} edges")
    length: dict[tuple[int, int], int] = {}
    for k in range(3, len(numbers), 3):
        a, b, km = numbers[k : k + 3]
        length[min(a, b) - 1, max(a, b) - 1] = km
    ends = np.array(list(length)).T
    graph = csr_array((np.array(list(length.values()), dtype=float), (ends[0], ends[1])), (n, n))
    far = shortest_path(graph, directed=False)
    return Location([float(n)] * n, [0.0] * n, [1.0] * n, far.tolist(), sites_max=p)


def solve(path: Path, gap: float = 1e-6, seconds: float | None = None) -> Solved:
    """Load, prepare, solve and check the scenario at ``path`` as a notebook would."""
    from sitepick import pipeline

    clock, cpu = time.perf_counter(), time.process_time()
    prepared = pipeline.prepare(pipeline.load(path))
    began = time.perf_counter()
    run = pipeline.solve(prepared, gap=gap, time_limit_s=seconds)
    now = time.perf_counter()
    return Solved(
        objective=run.outcome.objective,
        bound=run.outcome.bound,
        status=run.outcome.status,
        verified=run.solution is not None and not run.findings,
        seconds=now - clock,
        cpu_seconds=time.process_time() - cpu,
        solve_seconds=now - began,
    )


def parse(text: str) -> Location:
    """Read an instance; raises ValueError where numbers are missing or left over."""
    words = iter(text.split())
    m, n = int(next(words)), int(next(words))
    sites = [(float(next(words)), float(next(words))) for _ in range(m)]
    demand, cost = [], []
    for _ in range(n):
        demand.append(float(next(words)))
        cost.append([float(next(words)) for _ in range(m)])
    if next(words, None) is not None:
        raise ValueError("numbers left over")
    return Location([c for c, _ in sites], [f for _, f in sites], demand, cost)


def write(case: Location, folder: Path, name: str, gap_pct: float, seconds: float = 60) -> Path:
    """Write the scenario and its tables to ``folder`` and return the scenario's path."""
    folder.mkdir(parents=True, exist_ok=True)
    _table(
        folder / "sites.csv", ["site_id", "fixed_musd", "capacity_mw"],
        [(f"S{i:03d}", f, case.capacity[i]) for i, f in enumerate(case.fixed)],
    )  # fmt: skip
    _table(
        folder / "customers.csv", ["place_id", "weight"],
        [(f"C{j:04d}", d) for j, d in enumerate(case.demand)],
    )  # fmt: skip
    _table(
        folder / "costs.csv", ["site_id", "place_id", "value"],
        [(f"S{i:03d}", f"C{j:04d}", c / case.demand[j])
         for j, row in enumerate(case.cost) for i, c in enumerate(row)],
    )  # fmt: skip
    path = folder / "sitepick.yaml"
    most = "" if case.sites_max is None else f"limits: {{sites_max: {case.sites_max}}}\n"
    text = SCENARIO.format(
        name=name, total=sum(case.demand), gap_pct=gap_pct, seconds=seconds, limits=most
    )
    path.write_text(text, encoding="utf-8")
    return path


def _table(path: Path, header: list[str], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def optimum(case: Location) -> float:
    """Return the least cost by trying every set of sites; demand may be split between sites."""
    from scipy.optimize import linprog

    m, n = len(case.fixed), len(case.demand)
    best = float("inf")
    for opened in itertools.chain.from_iterable(
        itertools.combinations(range(m), k) for k in range(1, m + 1)
    ):
        if sum(case.capacity[i] for i in opened) < sum(case.demand):
            continue
        if case.sites_max is not None and len(opened) > case.sites_max:
            continue
        k = len(opened)
        cost = [case.cost[j][i] for j in range(n) for i in opened]
        whole = [[float(c // k == j) for c in range(n * k)] for j in range(n)]
        load = [[case.demand[c // k] * (opened[c % k] == i) for c in range(n * k)] for i in opened]
        found = linprog(
            cost, A_ub=load, b_ub=[case.capacity[i] for i in opened], A_eq=whole, b_eq=[1.0] * n
        )
        if found.status == 0:
            best = min(best, float(found.fun or 0) + sum(case.fixed[i] for i in opened))
    return best
