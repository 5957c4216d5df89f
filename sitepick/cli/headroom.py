"""`sitepick layers --headroom`: screens a grid and writes a layer of its POIs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sitepick.cli.talk import Talk
from sitepick.errors import LayerError, ScenarioError

if TYPE_CHECKING:
    from sitepick.exports.headroom import Place
    from sitepick.network.types import Grid

LARGE_GRID = 20_000  # buses from which a second process pays
TELL_EVERY_S = 5.0
STORED = "stored"


@dataclass(frozen=True)
class Screen:
    """What the options of the command line say; None where one was not given."""

    grid: str
    output: Path | None = None
    min_kv: float | None = None
    outages: bool | None = None
    emergency_pct: float | None = None
    cutoff_pct: float | None = None
    cap_mw: float | None = None
    processes: int | None = None
    force: bool = False
    reading: dict[str, str] = field(default_factory=dict)  # preset, layer, sheet of FILE


def screen(asked: Screen, files: list[Path], speaker: Talk) -> None:
    """Screen, write and tell. ``files`` is at most one substations layer, for names and places."""
    from sitepick.exports.headroom import check_target, headroom_sheet, write_headroom
    from sitepick.network.headroom import default_outages, withdrawal_headroom
    from sitepick.report import headroom as report

    if len(files) > 1:
        raise ScenarioError("with --headroom, name at most one FILE: a layer of its substations")
    if asked.output is not None:
        check_target(asked.output, asked.force)
    began = time.monotonic()
    grid, beside = _grid(asked.grid)
    for note in grid.notes:
        speaker.say(f"note: {note.message}")
    places = _places(grid, files[0] if files else beside, asked.reading)
    min_kv = 100.0 if asked.min_kv is None else asked.min_kv
    emergency_pct = 115.0 if asked.emergency_pct is None else asked.emergency_pct
    cutoff_pct = 5.0 if asked.cutoff_pct is None else asked.cutoff_pct
    cap_mw = 5000.0 if asked.cap_mw is None else asked.cap_mw
    pois = [
        poi
        for poi, bus in zip(grid.poi_ids, grid.poi_bus, strict=True)
        if grid.bus_kv[bus] >= min_kv
    ]
    if not pois:
        raise LayerError(f"{asked.grid}: no POI has a bus of {min_kv:g} kV or more; lower --min-kv")
    lost = default_outages(grid, min_kv)[: None if asked.outages is not False else 0]
    found = withdrawal_headroom(
        grid,
        pois,
        emergency_factor=emergency_pct / 100,
        cutoff=cutoff_pct / 100,
        outages=lost,
        cap_mw=cap_mw,
        processes=_processes(asked.processes, grid),
        progress=_teller(speaker),
    )
    sheet = headroom_sheet(grid, found, places, STORED, min_kv)
    if asked.output is not None:
        write_headroom(sheet, asked.output)
        speaker.say(f"written to {asked.output}")
    said = report.Asked(
        grid=asked.grid,
        condition=STORED,
        min_kv=min_kv,
        outages=len(lost),
        emergency_pct=emergency_pct,
        cutoff_pct=cutoff_pct,
        cap_mw=cap_mw,
        seconds=time.monotonic() - began,
    )
    record = report.summary(said, grid, found, sum(row["lon"] is None for row in sheet.rows))
    if speaker.json:
        file = None if asked.output is None else str(asked.output)
        notes = [note.message for note in grid.notes]
        speaker.answer_json({"status": "ok", **record, "notes": notes, "file": file})
        return
    speaker.answer("\n".join(report.lines(record)))


def _grid(name: str) -> tuple[Grid, Path | None]:
    """The grid, and the layer of its substations that ships beside it."""
    from sitepick import bundled
    from sitepick.cli.find import nearby
    from sitepick.network.types import Grid

    if not bundled.is_bundled(name):
        path = Path(name)
        if not path.exists():
            raise LayerError(f"{path}: no such file or folder.{nearby(path, ())}")
        return Grid.read(path), None
    path = bundled.resolve(name)
    layers = path.parent.glob(f"{path.name.removesuffix('_grid')}_substations.geojson*")
    return Grid.read(path), next(iter(sorted(layers)), None)


def _places(grid: Grid, file: Path | None, reading: dict[str, str]) -> dict[str, Place]:
    """Name and place of each POI, of a substations layer or else of the grid's own buses.

    Raises LayerError with the faults of the layer.
    """
    import numpy as np

    from sitepick.exports.headroom import Place

    lon, lat = grid.bus_lon[grid.poi_bus], grid.bus_lat[grid.poi_bus]
    known = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    places = {
        grid.poi_ids[k]: Place(None, float(lon[k]), float(lat[k])) for k in np.flatnonzero(known)
    }
    if file is None:
        return places
    from sitepick.cli.find import nearby
    from sitepick.layers.load import load_one
    from sitepick.scenario.inputs import LayerFile

    if not file.exists():
        raise LayerError(f"{file}: no such file.{nearby(file, ())}")
    spec = LayerFile.model_validate({"file": str(file.resolve()), **reading})
    frame, problems, _ = load_one("substations", spec, Path())
    if frame is None:
        raise LayerError(problems)
    for poi, name, point in zip(frame["poi_id"], frame["name"], frame.geometry, strict=True):
        places[str(poi)] = Place(str(name), float(point.x), float(point.y))
    return places


def _processes(asked: int | None, grid: Grid) -> int:
    if asked is not None:
        return asked
    return min(2, os.cpu_count() or 1) if grid.n_bus >= LARGE_GRID else 1


def _teller(speaker: Talk) -> Callable[[str, int, int], None]:
    told = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            speaker.say(f"{stage}: {100 * done / total:.0f} %")

    return tell
