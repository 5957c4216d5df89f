"""Grids small enough to enumerate: a fixed one for the tiny world, and random ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sitepick.network.types import DcTies, Grid, Plants


def made(
    buses: Sequence[tuple[str, float, str]],
    branches: Sequence[tuple[str, str, str, float, float]],
    plants: Sequence[tuple[str, str, str, float, float]],
    *,
    kv: float = 138.0,
    zones: Sequence[str] = (),
    ties: Sequence[tuple[str, str, float, float]] = (),
) -> Grid:
    """Return a grid of buses (id, load MW, POI or ""), branches (id, from, to, x, rating MW),
    plants (id, bus, fuel, MW, USD/MWh) and DC ties to elsewhere (id, bus, least MW, most MW)."""
    at = {name: k for k, (name, _, _) in enumerate(buses)}
    pois = [(poi, k) for k, (_, _, poi) in enumerate(buses) if poi]
    n, g = len(buses), len(plants)
    bus = np.array([at[p[1]] for p in plants], dtype=np.int64)
    pmax = np.array([p[3] for p in plants], dtype=float)
    load = np.array([b[1] for b in buses], dtype=float)
    share = load.sum() / max(pmax.sum(), 1e-9)
    no = (None,) * g
    return Grid(
        bus_ids=tuple(b[0] for b in buses),
        bus_kv=np.full(n, kv),
        load_mw=load,
        gen_mw=np.bincount(bus, weights=pmax * share, minlength=n).astype(float),
        pmax_mw=np.bincount(bus, weights=pmax, minlength=n).astype(float),
        branch_ids=tuple(b[0] for b in branches),
        from_bus=np.array([at[b[1]] for b in branches], dtype=np.int64),
        to_bus=np.array([at[b[2]] for b in branches], dtype=np.int64),
        x_pu=np.array([b[3] for b in branches], dtype=float),
        tap=np.ones(len(branches)),
        shift_rad=np.zeros(len(branches)),
        rating_mw=np.array([b[4] or np.inf for b in branches], dtype=float),
        is_line=np.ones(len(branches), dtype=bool),
        stored_mw=np.full(len(branches), np.nan),
        poi_ids=tuple(p for p, _ in pois),
        poi_bus=np.array([k for _, k in pois], dtype=np.int64),
        plants=Plants(
            ids=tuple(p[0] for p in plants),
            bus=bus,
            fuel=tuple(p[2] for p in plants),
            pmax_mw=pmax,
            pmin_mw=np.zeros(g),
            pg_mw=pmax * share,
            cost_usd_h=np.zeros(g),
            cost_usd_mwh=np.array([p[4] for p in plants], dtype=float),
            cost_usd_mw2h=np.zeros(g),
            in_service=np.ones(g, dtype=bool),
            from_date=no,
            to_date=no,
        ),
        dc_ties=DcTies(
            ids=tuple(t[0] for t in ties),
            bus=np.array([at[t[1]] for t in ties], dtype=np.int64),
            other_bus=np.full(len(ties), -1, dtype=np.int64),
            pmin_mw=np.array([t[2] for t in ties], dtype=float),
            pmax_mw=np.array([t[3] for t in ties], dtype=float),
            scheduled_mw=np.zeros(len(ties)),
        ),
        zone=tuple(zones),
    )


def tiny_grid() -> Grid:
    """Return the grid of the tiny world: a plant at G and at R, load at L, POIs P, Q and R.

    P and Q hang on G by a line each and on each other; losing G-P sends everything over G-Q.
    """
    return made(
        [("g", 0, ""), ("p", 5, "P"), ("q", 5, "Q"), ("r", 10, "R"), ("l", 60, "")],
        [
            ("G-P", "g", "p", 0.1, 50), ("G-Q", "g", "q", 0.1, 50), ("P-Q", "p", "q", 0.2, 30),
            ("G-R", "g", "r", 0.1, 60), ("R-L", "r", "l", 0.1, 60), ("G-L", "g", "l", 0.1, 60),
        ],
        [("NG", "g", "ng", 150, 30), ("WIND", "r", "wind", 100, 0)],
        zones=("east", "east", "east", "west", "west"),
    )  # fmt: skip


def random_grid(seed: int, pois: Sequence[str]) -> Grid:
    """Return a grid of 5 to 9 buses that holds ``pois``: a ring with chords, ample generation."""
    dice = np.random.default_rng(seed)
    n = int(dice.integers(5, 9)) + len(pois) // 2
    n = max(n, len(pois) + 1)
    order = dice.permutation(n)
    at = {int(order[k]): poi for k, poi in enumerate(pois)}
    buses = [(f"b{k}", float(dice.choice([0, 0, 10, 25])), at.get(k, "")) for k in range(n)]
    pairs = {(k, (k + 1) % n) for k in range(n)}
    for _ in range(int(dice.integers(1, n))):
        i, j = sorted(dice.choice(n, 2, replace=False).tolist())
        pairs.add((i, j))
    branches = [
        (f"l{k}", f"b{i}", f"b{j}", float(dice.uniform(0.05, 0.3)), float(dice.integers(15, 90)))
        for k, (i, j) in enumerate(sorted(pairs))
    ]
    fuels = ("ng", "wind", "solar", "coal")
    total = sum(b[1] for b in buses)
    plants = [
        (f"u{k}", f"b{int(dice.integers(0, n))}", fuels[k % 4],
         float(dice.uniform(0.4, 1.6) * (total + 40) / 2), float(dice.integers(0, 60)))
        for k in range(int(dice.integers(2, 6)))
    ]  # fmt: skip
    # enough that every condition can serve the load: the first unit is firm
    plants[0] = (plants[0][0], plants[0][1], "ng", total + 60.0, plants[0][4])
    return made(buses, branches, plants)
