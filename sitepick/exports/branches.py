"""Where branches of the grid are drawn: by the layer ``lines``, else straight from bus to bus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sitepick.exports.geometry import multiline, rounded, straight
from sitepick.exports.sheet import Field

if TYPE_CHECKING:
    from sitepick.exports.geometry import Geometry
    from sitepick.network.types import Grid
    from sitepick.run import Run

DRAWN = Field(
    "drawn", "", "text",
    "where its geometry is from: layer (lines), straight (from bus to bus), about (so, but a bus "
    "without a place is put amid the buses it is joined to); empty: no place is known",
)  # fmt: skip


class BranchShapes:
    """Shapes of the branches of a run's grid."""

    def __init__(self, run: Run, grid: Grid) -> None:
        self.grid = grid
        self.at = {name: k for k, name in enumerate(grid.branch_ids)}
        layer = run.prepared.layers.lines
        self.layer: dict[str, Any] = {}
        if layer is not None:
            self.layer = dict(zip(layer["line_id"].astype(str), layer.geometry, strict=True))
        spots = run.prepared.layers.pois
        self.spots: dict[str, list[float]] = {}
        if spots is not None:
            ids, shapes = spots["poi_id"].astype(str), spots.geometry
            placed = ((i, p) for i, p in zip(ids, shapes, strict=True) if p is not None)
            self.spots = {i: [p.x, p.y] for i, p in placed if not p.is_empty}

    def of(self, branch: str) -> tuple[Geometry | None, str | None]:
        """Return a branch as MultiLineString and how it is drawn; None where no place is known."""
        found = multiline(self.layer.get(branch))
        if found is not None:
            return found, "layer"
        k, grid = self.at[branch], self.grid
        ends = [int(grid.from_bus[k]), int(grid.to_bus[k])]
        known = [self._spot(bus) for bus in ends]
        a, b = (self._amid(bus) if here is None else here
                for bus, here in zip(ends, known, strict=True))  # fmt: skip
        shape = None if a is None or b is None else straight(rounded(a), rounded(b))
        if shape is None:
            return None, None
        return shape, "about" if None in known else "straight"

    def _spot(self, bus: int) -> list[float] | None:
        here = [float(self.grid.bus_lon[bus]), float(self.grid.bus_lat[bus])]
        if all(map(math.isfinite, here)):
            return here
        poi = int(self.grid.poi_of_bus[bus])
        return self.spots.get(self.grid.poi_ids[poi]) if poi >= 0 else None

    def _amid(self, bus: int) -> list[float] | None:
        """Return the middle of the places of the buses that a bus is joined to."""
        grid = self.grid
        joined = {
            int(b)
            for mine, other in ((grid.from_bus, grid.to_bus), (grid.to_bus, grid.from_bus))
            for b in other[mine == bus]
        }
        places = [spot for b in sorted(joined) if (spot := self._spot(b)) is not None]
        if not places:
            return None
        # on the sphere, so that 180 degrees is no seam
        lon, lat = np.radians(np.array(places)).T
        x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
        east, up = math.atan2(y.sum(), x.sum()), math.hypot(x.sum(), y.sum())
        return [math.degrees(east), math.degrees(math.atan2(z.sum(), up))]
