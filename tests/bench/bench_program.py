"""A planning model of Texas size without the rest of sitepick, and how long its solve takes.

``python tests/bench/bench_program.py [owners] [demand_factor]`` prints the seconds of each stage.
The model has what makes the real one hard: whole halls of three classes, cumulative levels,
flows to the places within reach, a fixed cost per opening, dated headroom, and rows that link all
owners (demand with dear turned-away work, a budget per period, a supply cap per hall class).
"""

from __future__ import annotations

import sys
import time

import numpy as np

from sitepick.matrix import SHARED
from sitepick.program import Program

HALL_MW = np.array([12.0, 20.0, 36.0])
HALL_MUSD = np.array([120.0, 210.0, 400.0])
WORK = ("training", "prefill", "decode")
YIELD = np.array([[0.8, 0.9, 1.1], [0.9, 0.9, 1.1], [1.0, 1.0, 0.95]])  # class x work
REVENUE = np.array([9.0, 10.0, 12.0])  # MUSD per MW-year turned away


def texas(
    owners: int = 1250,
    periods: int = 5,
    places: int = 6,
    demand_mw: float = 2000.0,
    seed: int = 0,
    budget: float = 1.5,
    per_poi: int = 1,
) -> Program:
    """Return the program; ``per_poi`` > 1 lets that many owners share their headroom."""
    rng = np.random.default_rng(seed)
    classes, works = len(HALL_MW), len(WORK)
    program = Program(dims={"site": [f"S{i:05d}" for i in range(owners)], "work": WORK}, offset=0.0)
    where = rng.random((owners, 2)) * 900.0
    metro = rng.random((places, 2)) * 900.0
    km = np.hypot(*(where[:, None] - metro[None]).transpose(2, 0, 1))  # (owners, places)
    headroom = np.minimum(rng.lognormal(np.log(183.0), 0.8, owners), 900.0)
    grows = 1 + rng.integers(0, 2, owners)[:, None] * np.linspace(0, 0.6, periods)[None]
    headroom_t = headroom[:, None] * grows
    price = 28 + 25 * rng.random(owners)  # USD/MWh
    tie_km = rng.exponential(6.0, owners)
    land = 0.05 + 0.3 * rng.random(owners)  # MUSD per ha
    pue = 1.18 + 0.12 * rng.random(owners)[:, None] - np.array([0.0, 0.04, 0.08])[None]
    discount = 1.07 ** -(np.arange(periods) + 0.5)
    remaining = np.array([discount[t:].sum() for t in range(periods)])
    annuity = 0.094 * remaining  # 20 years at 7 %

    def grid(*sizes: int) -> list[np.ndarray]:
        return [a.ravel() for a in np.meshgrid(*map(np.arange, sizes), indexing="ij")]

    i, t = grid(owners, periods)
    most = np.ceil(headroom_t.max(axis=1) / HALL_MW.min())
    opening = (4.0 + 1.2 * tie_km + 15.0 * rng.random(owners))[i] * (discount * 0.12)[t]
    is_open = program.add_columns(
        "siting.open", keys={"site": i, "t": t}, owner=i, upper=1, cost=opening, integer=True
    ).reshape(owners, periods)
    i3, k3, t3 = grid(owners, classes, periods)
    shape3 = (owners, classes, periods)
    capex = HALL_MUSD[k3] * (0.9 + 0.2 * rng.random(owners))[i3] + land[i3] * HALL_MW[k3] / 4
    upper = np.floor(headroom_t.max(axis=1)[i3] / HALL_MW[k3])
    build = program.add_columns(
        "halls.build",
        keys={"site": i3, "class": k3, "t": t3},
        owner=i3,
        upper=upper,
        cost=capex * annuity[t3],
        integer=True,
    ).reshape(shape3)
    halls = program.add_columns(
        "halls.level", keys={"site": i3, "class": k3, "t": t3}, owner=i3, upper=upper
    ).reshape(shape3)
    energy = 8.76 * 1e-3 * price[i3] * pue[i3, k3] * 0.8 * discount[t3]
    iw, kw, ww, tw = grid(owners, classes, works, periods)
    use = program.add_columns(
        "hardware.use",
        keys={"site": iw, "class": kw, "work": ww, "t": tw},
        owner=iw,
        upper=headroom_t.max(axis=1)[iw],
        cost=(energy.reshape(shape3)[iw, kw, tw] + 3.2 * discount[tw] / (1 + 0.02 * kw)),
    ).reshape(owners, classes, works, periods)
    grid_mw = program.add_columns(
        "power.mw", keys={"site": i, "t": t}, owner=i, upper=headroom_t[i, t], cost=0.02
    ).reshape(owners, periods)

    # rows of one owner
    level = program.add_rows(
        "halls.level", keys={"site": i3, "class": k3, "t": t3}, lower=0, upper=0
    )
    program.add_entries(level, halls.ravel(), 1.0)
    program.add_entries(level, build.ravel(), -1.0)
    later = t3 > 0
    program.add_entries(level[later], halls[i3[later], k3[later], t3[later] - 1], -1.0)
    fill = program.add_rows("halls.fill", keys={"site": i3, "class": k3, "t": t3}, upper=0)
    program.add_entries(np.repeat(fill, works), use[i3, k3, :, t3].ravel(), 1.0)
    program.add_entries(fill, halls.ravel(), -HALL_MW[k3])
    need = program.add_rows("power.need", keys={"site": i, "t": t}, upper=0)
    for k in range(classes):
        program.add_entries(
            np.repeat(need, works), use[i, k, :, t].ravel(), np.repeat(pue[i, k], works)
        )
        program.add_entries(need, build[i, k, t], 0.1)
    program.add_entries(need, grid_mw.ravel(), -1.0)
    linked = program.add_rows("siting.linked", keys={"site": i, "t": t}, upper=0)
    program.add_entries(linked, grid_mw.ravel(), 1.0)
    program.add_entries(linked, is_open.ravel(), -headroom_t[i, t])
    hall_open = program.add_rows("siting.halls", keys={"site": i, "t": t}, upper=0)
    for k in range(classes):
        program.add_entries(hall_open, halls[i, k, t], 1.0)
    program.add_entries(hall_open, is_open.ravel(), -most[i])
    stays = program.add_rows("siting.stays", keys={"site": i[t > 0], "t": t[t > 0]}, lower=0)
    program.add_entries(stays, is_open[i[t > 0], t[t > 0]], 1.0)
    program.add_entries(stays, is_open[i[t > 0], t[t > 0] - 1], -1.0)
    if per_poi > 1:
        b, tb = grid((owners + per_poi - 1) // per_poi, periods)
        head = program.add_rows(
            "headroom.poi",
            keys={"poi": b, "t": tb},
            upper=headroom_t[np.minimum(b * per_poi, owners - 1), tb],
            relaxable=True,
        )
        program.add_entries(head.reshape(-1, periods)[i // per_poi, t], grid_mw.ravel(), 1.0)

    # flows and the rows that link
    share = rng.dirichlet(np.full(places, 3.0))
    growth = np.linspace(0.35, 1.0, periods) * demand_mw
    mix = np.array([0.45, 0.2, 0.35])
    radius = np.array([np.inf, 600.0, 350.0])
    serve_sum = [np.zeros(0, dtype=int)] * 0
    for w in range(works):
        if w == 0:
            d, td = grid(1, periods)
            asked = mix[w] * growth[td]
            si, st = grid(owners, periods)
            sd = np.zeros_like(si)
            toll = np.zeros(len(si))
        else:
            d, td = grid(places, periods)
            asked = mix[w] * growth[td] * share[d]
            si, sd = np.nonzero(km <= radius[w])
            si, sd = np.repeat(si, periods), np.repeat(sd, periods)
            st = np.tile(np.arange(periods), len(si) // periods)
            toll = 2e-4 * km[si, sd] * discount[st]
        name = WORK[w]
        serve = program.add_columns(
            f"demand.serve_{name}",
            keys={"site": si, "place": sd, "t": st},
            owner=si,
            upper=asked.reshape(-1, periods)[sd, st],
            cost=toll,
        )
        away = program.add_columns(
            f"demand.away_{name}",
            keys={"place": d, "t": td},
            owner=SHARED,
            upper=asked,
            cost=REVENUE[w] * discount[td],
        )
        met = program.add_rows(
            f"demand.met_{name}", keys={"place": d, "t": td}, lower=asked, upper=asked
        )
        program.add_entries(met, away, 1.0)
        program.add_entries(met.reshape(-1, periods)[sd, st], serve, 1.0)
        done = program.add_rows(f"hardware.done_{name}", keys={"site": i, "t": t}, upper=0)
        program.add_entries(done.reshape(owners, periods)[si, st], serve, 1.0)
        for k in range(classes):
            program.add_entries(done, use[i, k, w, t], -YIELD[k, w])
        serve_sum.append(serve)
    money = demand_mw * 11.0 * np.diff(np.linspace(0.35, 1.0, periods), prepend=0.0) * budget
    spend = program.add_rows("budget.year", keys={"t": np.arange(periods)}, upper=money)
    program.add_entries(spend[t3], build.ravel(), capex)
    k, tk = grid(classes, periods)
    supply = program.add_rows(
        "procurement.halls",
        keys={"class": k, "t": tk},
        upper=np.ceil(demand_mw * np.array([0.6, 0.5, 0.4])[k] / HALL_MW[k] * (1 + 0.2 * tk)),
    )
    program.add_entries(supply.reshape(classes, periods)[k3, t3], build.ravel(), 1.0)
    return program


def main() -> None:
    from sitepick.solve.outcome import Limits
    from sitepick.solve.pricing import solve

    owners = int(sys.argv[1]) if len(sys.argv) > 1 else 1250
    factor = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    began = time.perf_counter()
    program = texas(owners, demand_mw=2000.0 * factor)
    matrix = program.matrix
    print(
        f"built {matrix.A.shape[0]:,} rows, {matrix.A.shape[1]:,} columns "
        f"({int(matrix.integer.sum()):,} whole), {matrix.A.nnz:,} non-zeros "
        f"in {time.perf_counter() - began:.1f} s"
    )
    out = solve(program, Limits(time_s=120.0))
    print("\n".join(out.log))
    print(
        f"{out.status}: {out.objective:,.2f} >= {out.bound:,.2f}, gap {100 * out.gap:.3f} %, "
        f"certified {out.bound_certified}, {time.perf_counter() - began:.1f} s"
    )
    print({stage: round(seconds, 2) for stage, seconds in out.seconds.items()})


if __name__ == "__main__":
    main()
