"""Reads a MATPOWER case file, format version 2 (MATPOWER manual, appendix B)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sitepick.network.costs import unit_costs
from sitepick.network.matpower_text import CaseText, Matrix, parse_case
from sitepick.network.raw import BRANCHES, BUSES, DCLINES, PLANTS, RawGrid, table
from sitepick.network.sheet import report
from sitepick.network.types import BASE_MVA, FloatArray

MAX_FILE_MB = 200.0
_ISOLATED, _REFERENCE = 4, 3
_NEEDED = {"bus": 10, "branch": 11, "gen": 10}
"""Matrices that a case has, with the columns that are read of each."""


def read_matpower(path: Path) -> RawGrid:
    """Read a case file: ``bus``, ``branch``, ``gen``, ``gencost``, ``dcline``, ``genfuel``.

    Each bus is its own point of interconnection, for a case does not say which share a substation.
    ``Gs`` counts as load, as in MATPOWER's own DC power flow. Nothing of the file is run.
    """
    raw = RawGrid(source=str(path))
    try:
        size_mb = path.stat().st_size / 1e6
        if size_mb > MAX_FILE_MB:
            raw.problems.append(f"{path}: {size_mb:.0f} MB; case files up to {MAX_FILE_MB:g} MB")
            return raw
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        raw.problems.append(f"{path}: cannot be read ({fault.strerror})")
        return raw
    case = parse_case(text)
    report(raw.problems, [f"{path}:{line}: {what}" for line, what in case.problems])
    _shapes(raw, path, case)
    if raw.problems:
        return raw
    base_mva = case.numbers["baseMVA"]
    raw.buses = _buses(path, case.matrices["bus"])
    raw.branches = _branches(path, case.matrices["branch"], raw.buses, base_mva)
    raw.plants = _plants(raw, path, case)
    if "dcline" in case.matrices:
        raw.dclines = _dclines(raw, path, case.matrices["dcline"])
    if not (case.matrices["bus"].column(1) == _REFERENCE).any():
        text = (
            "no bus is the reference (type 3): each island takes its first bus, flows are the same"
        )
        raw.remarks.append(("grid_no_slack", text, 0))
    return raw


def _shapes(raw: RawGrid, path: Path, case: CaseText) -> None:
    if not case.numbers.get("baseMVA", 0.0) > 0:
        raw.problems.append(f"{path}: no baseMVA; a case file says mpc.baseMVA = 100;")
    for name, width in _NEEDED.items():
        matrix = case.matrices.get(name)
        if matrix is None:
            raw.problems.append(f"{path}: no matrix mpc.{name}; is this a MATPOWER case?")
            continue
        short = [
            f"{path}:{line}: a row of {name} has {len(row)} columns, {width} are needed"
            for row, line in zip(matrix.rows, matrix.line, strict=True)
            if len(row) < width
        ]
        report(raw.problems, short)
    gens = case.matrices.get("gen", Matrix())
    costs = case.matrices.get("gencost")
    if costs is not None and len(costs.rows) not in (len(gens.rows), 2 * len(gens.rows)):
        raw.problems.append(
            f"{path}: gencost has {len(costs.rows)} rows for {len(gens.rows)} generators; "
            "give one row each"
        )
    ties = case.matrices.get("dcline", Matrix())
    report(
        raw.problems,
        [
            f"{path}:{line}: a row of dcline has {len(row)} columns, 11 are needed"
            for row, line in zip(ties.rows, ties.line, strict=True)
            if len(row) < 11
        ],
    )


def _places(path: Path, matrix: Matrix) -> list[str]:
    return [f"{path}:{line}" for line in matrix.line]


def _ids(numbers: FloatArray) -> list[str]:
    return [f"{number:.15g}" for number in numbers.tolist()]


def _buses(path: Path, bus: Matrix) -> pd.DataFrame:
    ids = _ids(bus.column(0))
    return table(
        BUSES,
        _places(path, bus),
        bus_id=ids,
        poi_id=ids,
        base_kv=bus.column(9),
        load_mw=bus.column(2) + bus.column(4),
        zone=_ids(bus.column(10, 0.0)),
        in_service=bus.column(1) != _ISOLATED,
    )


def _branches(path: Path, branch: Matrix, buses: pd.DataFrame, base_mva: float) -> pd.DataFrame:
    start, end = _ids(branch.column(0)), _ids(branch.column(1))
    kv = dict(zip(buses["bus_id"], buses["base_kv"], strict=True))
    levels = [(kv.get(a, 0.0), kv.get(b, 0.0)) for a, b in zip(start, end, strict=True)]
    ratio, rating = branch.column(8), branch.column(5)
    pairs = pd.Series([f"{a}-{b}" for a, b in zip(start, end, strict=True)], dtype=object)
    circuit = pairs.groupby(pairs).cumcount().to_numpy()
    ids = [f"{pair}#{k + 1}" if k else pair for pair, k in zip(pairs, circuit, strict=True)]
    return table(
        BRANCHES,
        _places(path, branch),
        branch_id=ids,
        from_bus=start,
        to_bus=end,
        is_line=(ratio == 0) & np.array([a == b for a, b in levels], dtype=bool),
        x_pu=branch.column(3) * (BASE_MVA / base_mva),
        rating_mva=np.where(rating == 0, np.inf, rating),
        tap=ratio,
        shift_deg=branch.column(9),
        pf_mw=branch.column(13, np.nan),
        in_service=branch.column(10) > 0,
    )


def _plants(raw: RawGrid, path: Path, case: CaseText) -> pd.DataFrame:
    gen = case.matrices["gen"]
    n = len(gen.rows)
    fuel = case.words.get("genfuel", [])
    if len(fuel) != n:
        fuel = [""] * n
    plants = table(
        PLANTS,
        _places(path, gen),
        plant_id=[f"G{k + 1}" for k in range(n)],
        bus_id=_ids(gen.column(0)),
        fuel=fuel,
        pmax_mw=gen.column(8),
        pmin_mw=gen.column(9),
        pg_mw=gen.column(1),
        in_service=gen.column(7) > 0,
    )
    if "gencost" not in case.matrices:
        return plants
    costs = case.matrices["gencost"]
    return unit_costs(raw, plants, costs.rows[:n], [f"{path}:{line}" for line in costs.line[:n]])


def _dclines(raw: RawGrid, path: Path, dcline: Matrix) -> pd.DataFrame:
    lossy = (dcline.column(15, 0.0) != 0) | (dcline.column(16, 0.0) != 0)
    if lossy.any():
        text = f"{lossy.sum()} direct-current lines state losses, which are not modelled"
        raw.remarks.append(("grid_dc_losses", text, int(lossy.sum())))
    return table(
        DCLINES,
        _places(path, dcline),
        dcline_id=[f"D{k + 1}" for k in range(len(dcline.rows))],
        from_bus=_ids(dcline.column(0)),
        to_bus=_ids(dcline.column(1)),
        pmin_mw=dcline.column(9),
        pmax_mw=dcline.column(10),
        scheduled_mw=dcline.column(3),
        in_service=dcline.column(2) > 0,
    )
