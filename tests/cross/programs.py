"""Random small programs with the traits of the real ones: owners, levels, flows, shared limits."""

from __future__ import annotations

import numpy as np

from sitepick.matrix import SHARED
from sitepick.program import Program


def random_program(seed: int, owners: int = 8, periods: int = 3, *, whole: bool = False) -> Program:
    """Return a program that always has a plan (work may be turned away); ``whole`` columns only."""
    rng = np.random.default_rng(seed)
    program = Program(dims={"site": [f"S{i}" for i in range(owners)]}, offset=float(seed % 5) - 2)
    i, t = (a.ravel() for a in np.meshgrid(np.arange(owners), np.arange(periods), indexing="ij"))
    size = rng.integers(5, 15, owners)
    is_open = program.add_columns(
        "siting.open",
        keys={"site": i, "t": t},
        owner=i,
        upper=1,
        cost=rng.integers(5, 40, owners)[i] / 2,
        integer=True,
    )
    level = program.add_columns(
        "halls.level",
        keys={"site": i, "t": t},
        owner=i,
        upper=6,
        cost=rng.integers(3, 12, owners)[i],
        integer=True,
    )
    serve = program.add_columns(
        "demand.serve",
        keys={"site": i, "t": t},
        owner=i,
        upper=60,
        cost=rng.integers(0, 10, owners)[i] / 10,
        integer=whole,
        unit="MW",
    )
    asked = rng.integers(20, 40, periods) * np.arange(1, periods + 1) / 2
    asked = np.round(asked)
    away = program.add_columns(
        "demand.away",
        keys={"t": np.arange(periods)},
        owner=SHARED,
        upper=asked,
        cost=rng.integers(4, 9, periods),
        integer=whole,
        unit="MW",
    )
    fill = program.add_rows("halls.fill", keys={"site": i, "t": t}, upper=0, unit="MW")
    program.add_entries(fill, serve, 1.0)
    program.add_entries(fill, level, -size[i])
    linked = program.add_rows("siting.linked", keys={"site": i, "t": t}, upper=0)
    program.add_entries(linked, level, 1.0)
    program.add_entries(linked, is_open, -6.0)
    later = t > 0
    stays = program.add_rows("halls.stays", keys={"site": i[later], "t": t[later]}, lower=0)
    program.add_entries(stays, level.reshape(owners, periods)[i[later], t[later]], 1.0)
    program.add_entries(stays, level.reshape(owners, periods)[i[later], t[later] - 1], -1.0)
    met = program.add_rows(
        "demand.met", keys={"t": np.arange(periods)}, lower=asked, upper=asked, unit="MW"
    )
    program.add_entries(met, away, 1.0)
    program.add_entries(met[t], serve, 1.0)
    cap = program.add_rows(
        "budget.year",
        keys={"t": np.arange(periods)},
        upper=rng.integers(4, 12, periods) + np.arange(periods),
        relaxable=True,
    )
    program.add_entries(cap[t], level, 1.0)
    pairs = owners // 2
    b, tb = (a.ravel() for a in np.meshgrid(np.arange(pairs), np.arange(periods), indexing="ij"))
    poi = program.add_columns(
        "headroom.poi_mw", keys={"poi": b, "t": tb}, owner=SHARED, upper=70, unit="MW"
    )
    sums = program.add_rows("headroom.sum", keys={"poi": b, "t": tb}, upper=0, unit="MW")
    program.add_entries(sums.reshape(pairs, periods)[i % pairs, t], serve, 1.0)
    program.add_entries(sums, poi, -1.0)
    return program
