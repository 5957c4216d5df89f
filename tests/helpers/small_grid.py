"""The grid under the tiny world: five buses solved by hand, and a right dispatch of its plan.

    P ---8--- Q        lines of equal reactance; W at Q: 40 MW wind that counts as 8
     \\20   12/         G at R: 80 MW gas
        R --- S === T  a bridge without limit, then two circuits of 6.5 MW that carry 14

Loads of the tables are 12 MW at Q and 14 MW at T, the plan draws 28 MW at P, and from 2029 on 18 MW
at Q. With W at 8 the triangle carries (RP, RQ, QP) = (20, 12, 8) MW in 2028 and (26, 24, 2) from
2029 on; after the loss of RP everything goes by RQ: 32 and 50 MW, and 28 MW by QP. The emergency
rating is twice the normal one: 50 MW of RQ and 28 MW of QP are exactly there. Each circuit to T is
0.5 MW over its rating whatever the dispatch, and 1 MW after the loss of the other: 3 MW in all.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from helpers import tiny

from sitepick.checks import judge
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.network.types import DcTies, Grid, Plants
from sitepick.scenario.schema import Scenario
from sitepick.solution import DispatchRow, ExcusedRow, Solution

BUSES = ("P", "Q", "R", "S", "T")
BRANCHES = ("RP", "RQ", "QP", "RS", "ST1", "ST2")
RATINGS = (26.0, 25.0, 14.0, np.inf, 6.5, 6.5)
LOADS = (0.0, 12.0, 0.0, 0.0, 14.0)
ASKED: dict[str, Any] = {
    "file": "small",
    "conditions": [{"id": "peak", "credit_pct": {"wind": 20}}],
    "emergency_pct": 200,
}
EXCUSED = {("ST1", "base"): 0.5, ("ST2", "base"): 0.5, ("ST1", "ST2"): 1.0, ("ST2", "ST1"): 1.0}


def grid(
    *,
    loads: dict[str, float] | None = None,
    ratings: dict[str, float] | None = None,
    plants: dict[str, Any] | None = None,
    **parts: Any,
) -> Grid:
    """Return the grid with some loads (by bus), ratings (by branch) and columns of plants set."""
    ends = {"RP": "RP", "RQ": "RQ", "QP": "QP", "RS": "RS", "ST1": "ST", "ST2": "ST"}
    at = {name: k for k, name in enumerate(BUSES)}
    n, m = len(BUSES), len(BRANCHES)
    units: dict[str, Any] = {
        "ids": ("G", "W"),
        "bus": np.array([at["R"], at["Q"]]),
        "fuel": ("gas", "wind"),
        "pmax_mw": np.array([80.0, 40.0]),
        **dict.fromkeys(
            ("pmin_mw", "pg_mw", "cost_usd_h", "cost_usd_mwh", "cost_usd_mw2h"), np.zeros(2)
        ),
        "in_service": np.array([True, True]),
        "from_date": (None, None),
        "to_date": (None, None),
    }
    made = Grid(
        bus_ids=BUSES,
        bus_kv=np.full(n, 138.0),
        load_mw=np.array(
            [{**dict(zip(BUSES, LOADS, strict=True)), **(loads or {})}[b] for b in BUSES]
        ),
        gen_mw=np.zeros(n),
        pmax_mw=np.array([0.0, 40.0, 80.0, 0.0, 0.0]),
        branch_ids=BRANCHES,
        from_bus=np.array([at[ends[b][0]] for b in BRANCHES]),
        to_bus=np.array([at[ends[b][1]] for b in BRANCHES]),
        x_pu=np.full(m, 0.1),
        tap=np.ones(m),
        shift_rad=np.zeros(m),
        rating_mw=np.array(
            [{**dict(zip(BRANCHES, RATINGS, strict=True)), **(ratings or {})}[b] for b in BRANCHES]
        ),
        is_line=np.ones(m, dtype=bool),
        stored_mw=np.full(m, np.nan),
        poi_ids=("P", "Q", "R"),
        poi_bus=np.array([0, 1, 2]),
        plants=Plants(**{**units, **(plants or {})}),
    )  # fmt: skip
    return dataclasses.replace(made, **parts)


def tie(pmin_mw: float, pmax_mw: float, bus: str = "Q", other: str | None = None) -> DcTies:
    """Return one DC tie at a bus."""
    far = -1 if other is None else BUSES.index(other)
    return DcTies(
        ("D",), np.array([BUSES.index(bus)]), np.array([far]),
        np.array([pmin_mw]), np.array([pmax_mw]), np.zeros(1),
    )  # fmt: skip


def scenario(**parts: Any) -> Scenario:
    """Return the tiny scenario on this grid; keywords set keys of `scenario.grid`."""
    return tiny.scenario(grid={**ASKED, **parts})


def plan(excused: dict[tuple[str, str], float] | None = None, **mw: tuple[float, ...]) -> Solution:
    """Return the tiny plan with a dispatch: MW of units by period, and what is excused in each."""
    given = {"G": (46.0, 64.0, 64.0), "W": (8.0, 8.0, 8.0), **mw}
    over = EXCUSED if excused is None else excused
    return dataclasses.replace(
        tiny.plan(),
        dispatch=tuple(
            DispatchRow("peak", p, unit, series[t])
            for t, p in enumerate(tiny.PERIODS)
            for unit, series in given.items()
            if series[t]
        ),
        excused=tuple(
            ExcusedRow("peak", p, branch, lost, amount)
            for p in tiny.PERIODS
            for (branch, lost), amount in over.items()
        ),
    )


def judged(made: Solution, asked: Scenario | None = None, on: Grid | None = None) -> list[Finding]:
    """Return the findings on a plan whose costs and totals are restated first."""
    asked, places = asked or scenario(), tiny.candidates()
    return judge(asked, Layers(), places, tiny.settled(asked, places, made), on or grid())
