"""A grid as arrays: buses, branches, generating units, direct-current ties, substations."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sitepick.layers.types import Note

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

BASE_MVA = 100.0
MIN_KV, MAX_KV = 1e-3, 2000.0
"""Voltages of buses: 0 stands for unknown, star points have about 1 kV, no line has more."""


def _no_floats() -> FloatArray:
    return np.zeros(0)


def _no_ints() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _no_bools() -> BoolArray:
    return np.zeros(0, dtype=bool)


@dataclass(frozen=True)
class Plants:
    """G generating units, those out of service included.

    A unit running at P MW costs ``cost_usd_h + cost_usd_mwh * P + cost_usd_mw2h * P**2`` USD per
    hour.
    """

    ids: tuple[str, ...] = ()  # (G,)
    bus: IntArray = field(default_factory=_no_ints)  # (G,) index of a bus
    fuel: tuple[str, ...] = ()  # (G,) lower case, "" = unknown
    pmax_mw: FloatArray = field(default_factory=_no_floats)  # (G,) MW
    pmin_mw: FloatArray = field(default_factory=_no_floats)  # (G,) MW
    pg_mw: FloatArray = field(default_factory=_no_floats)  # (G,) MW stored dispatch
    cost_usd_h: FloatArray = field(default_factory=_no_floats)  # (G,) USD per hour
    cost_usd_mwh: FloatArray = field(default_factory=_no_floats)  # (G,) USD per MWh
    cost_usd_mw2h: FloatArray = field(default_factory=_no_floats)  # (G,) USD per MW^2 and hour
    in_service: BoolArray = field(default_factory=_no_bools)  # (G,) status
    from_date: tuple[date | None, ...] = ()  # (G,) first day of a planned unit, None = always there
    to_date: tuple[date | None, ...] = ()  # (G,) day of retirement, None = stays


@dataclass(frozen=True)
class DcTies:
    """D direct-current lines in service; MW are positive where the line feeds the grid at ``bus``.

    ``other_bus`` is -1 where the far end is another grid. With both ends in this grid, what is fed
    in at ``bus`` is taken out at ``other_bus``. Losses are not modelled.
    """

    ids: tuple[str, ...] = ()  # (D,)
    bus: IntArray = field(default_factory=_no_ints)  # (D,) index of a bus
    other_bus: IntArray = field(default_factory=_no_ints)  # (D,) index of a bus, -1 = outside
    pmin_mw: FloatArray = field(default_factory=_no_floats)  # (D,) MW, negative = export
    pmax_mw: FloatArray = field(default_factory=_no_floats)  # (D,) MW
    scheduled_mw: FloatArray = field(default_factory=_no_floats)  # (D,) MW stored schedule


_PER_BUS = (
    *("bus_kv", "load_mw", "gen_mw", "pmax_mw", "zone", "poi_of_bus"),
    *("bus_lon", "bus_lat"),
)
_PER_BRANCH = (
    *("from_bus", "to_bus", "x_pu", "tap", "shift_rad", "rating_mw", "is_line", "stored_mw"),
    *("x_estimated", "rating_estimated"),
)


@dataclass(frozen=True)
class Grid:
    """A grid as arrays: N buses, M branches, P points of interconnection (substations).

    Buses and branches out of service are left out by the reader. Build with `Grid.read`. Fields
    with a default may be left out: no plants, no ties, no zones, nothing estimated.
    """

    bus_ids: tuple[str, ...]  # (N,)
    bus_kv: FloatArray  # (N,) kV
    load_mw: FloatArray  # (N,) MW drawn
    gen_mw: FloatArray  # (N,) MW stored dispatch of in-service plants, before balancing
    pmax_mw: FloatArray  # (N,) MW capacity of in-service plants
    branch_ids: tuple[str, ...]  # (M,)
    from_bus: IntArray  # (M,) index of a bus
    to_bus: IntArray  # (M,) index of a bus
    x_pu: FloatArray  # (M,) per unit on BASE_MVA; negative for some three-winding legs
    tap: FloatArray  # (M,) ratio, 1 = nominal
    shift_rad: FloatArray  # (M,) radians
    rating_mw: FloatArray  # (M,) MVA taken as MW; inf = unlimited
    is_line: BoolArray  # (M,) False for transformers
    stored_mw: FloatArray  # (M,) MW of the AC solution that came with the data, NaN if none
    poi_ids: tuple[str, ...]  # (P,)
    poi_bus: IntArray  # (P,) index of the bus of highest kV of the substation
    plants: Plants = field(default_factory=Plants)
    dc_ties: DcTies = field(default_factory=DcTies)
    zone: tuple[str, ...] = ()  # (N,) "" = unknown
    poi_of_bus: IntArray = field(default_factory=_no_ints)  # (N,) index into poi_ids, -1 = none
    bus_lon: FloatArray = field(default_factory=_no_floats)  # (N,) degrees, NaN = unknown
    bus_lat: FloatArray = field(default_factory=_no_floats)  # (N,) degrees, NaN = unknown
    x_estimated: BoolArray = field(default_factory=_no_bools)  # (M,) from a standard line type
    rating_estimated: BoolArray = field(default_factory=_no_bools)  # (M,) likewise
    synthetic: bool = False  # not a real network: every output has to say so
    notes: tuple[Note, ...] = ()  # what a user should know, of role "grid"

    def __post_init__(self) -> None:
        n, m = self.n_bus, self.n_branch
        if not self.zone:
            object.__setattr__(self, "zone", ("",) * n)
        if not self.poi_of_bus.size:
            at_poi = np.full(n, -1, dtype=np.int64)
            at_poi[self.poi_bus] = np.arange(len(self.poi_ids))
            object.__setattr__(self, "poi_of_bus", at_poi)
        for name in ("bus_lon", "bus_lat"):
            if not getattr(self, name).size:
                object.__setattr__(self, name, np.full(n, np.nan))
        for name in ("x_estimated", "rating_estimated"):
            if not getattr(self, name).size:
                object.__setattr__(self, name, np.zeros(m, dtype=bool))
        sizes = dict.fromkeys(_PER_BUS, n) | dict.fromkeys(_PER_BRANCH, m)
        for name, size in sizes.items():
            if len(getattr(self, name)) != size:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries, not {size}")
        for part in (self.plants, self.dc_ties):
            for item in fields(part):
                if len(getattr(part, item.name)) != len(part.ids):
                    raise ValueError(f"{type(part).__name__}.{item.name} is not as long as ids")

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        synthetic: bool = False,
        interconnect: str | None = None,
        snapshot: str | None = None,
    ) -> Grid:
        """Read a grid in any known format, told by its content: see `docs/grid.md`.

        ``path`` is a folder of tables (ours, of substations and lines, PyPSA, Breakthrough/TAMU)
        or a MATPOWER case file. ``interconnect`` takes one part of a Breakthrough folder,
        ``snapshot`` one moment of a PyPSA folder (default: the peak of load).
        Raises `LayerError` with every fault found.
        """
        from sitepick.network.read import read_grid

        return read_grid(
            Path(path), synthetic=synthetic, interconnect=interconnect, snapshot=snapshot
        )

    @classmethod
    def from_tables(cls, folder: str | Path) -> Grid:
        """Read ``buses``, ``branches`` and ``plants`` (``.csv`` or ``.csv.gz``) from a folder.

        ``dclines`` is read where it is there. Columns and defaults: `docs/grid.md`.
        Raises `LayerError` with every fault found.
        """
        from sitepick.network.assemble import assemble
        from sitepick.network.grid_tables import read_tables

        return assemble(read_tables(Path(folder)))

    @property
    def n_bus(self) -> int:
        return len(self.bus_ids)

    @property
    def n_branch(self) -> int:
        return len(self.branch_ids)

    @cached_property
    def bus_kv_of_branch(self) -> FloatArray:
        """(M,) kV: the lower of the two ends."""
        return np.minimum(self.bus_kv[self.from_bus], self.bus_kv[self.to_bus])

    @cached_property
    def poi_index(self) -> dict[str, int]:
        """Position of each POI in ``poi_ids``."""
        return {poi: k for k, poi in enumerate(self.poi_ids)}

    def take_branches(self, keep: IntArray | BoolArray) -> Grid:
        """The same grid with only some branches: indices, or (M,) True where one stays."""
        chosen = np.arange(self.n_branch)[keep]
        arrays = {name: getattr(self, name)[chosen] for name in _PER_BRANCH}
        return replace(self, branch_ids=tuple(self.branch_ids[k] for k in chosen), **arrays)
