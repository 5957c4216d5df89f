"""Made-up facility scenarios and layers for the benchmark; nothing in them is real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.orlib import Location, write


def facility(folder: Path, n: int, d: int, most: int | None = None) -> str:
    """Write a facility scenario to ``folder`` and return it.

    With ``most`` sites cost nothing and have no limit: a p-median.
    """
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
        sites_max=most,
    )
    write(case, folder, folder.name, gap_pct=1e-4, seconds=600)
    return str(folder)


def lines(path: Path, n: int) -> str:
    """Write a layer of ``n`` lines with ids, kV and owners, some unknown, and return its path."""
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
