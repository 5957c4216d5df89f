"""`sitepick layers --headroom`: screens a grid and writes a layer of its POIs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.bundled import is_bundled, resolve
from sitepick.cli.talk import Talk
from sitepick.errors import LayerError, ScenarioError

if TYPE_CHECKING:
    from sitepick.dispatch.screening import Base
    from sitepick.exports.headroom import Place
    from sitepick.network.types import Grid, IntArray
    from sitepick.scenario.grid import StudyCondition

LARGE_GRID = 20_000  # buses from which a second process pays, and economic dispatch is too large
TELL_EVERY_S = 10.0
STORED = "stored"
DISPATCHES = ("economic", STORED)


@dataclass(frozen=True)
class Screen:
    """What the options of the command line say; None where one was not given."""

    grid: str
    output: Path | None = None
    condition: str | None = None
    dispatch: str | None = None
    min_kv: float | None = None
    outages: bool | None = None
    emergency_pct: float | None = None
    cutoff_pct: float | None = None
    cap_mw: float | None = None
    processes: int | None = None
    force: bool = False
    reading: dict[str, str] = field(default_factory=dict)  # preset, layer, sheet of FILE


@dataclass(frozen=True)
class _Study:
    """What is to be screened: of a scenario's `grid` section, or of the options alone."""

    grid: Grid
    beside: Path | None  # the layer of its substations that ships with it
    condition: StudyCondition | None  # None: load and dispatch of the tables
    when: date
    growth_pct_per_year: float
    years: float
    outages: IntArray
    emergency_pct: float


def screen(asked: Screen, files: list[Path], speaker: Talk) -> None:
    """Screen, write and tell. ``files`` is at most one substations layer, for names and places."""
    from sitepick.exports.headroom import check_target, headroom_sheet, write_headroom
    from sitepick.network.headroom import withdrawal_headroom
    from sitepick.report import headroom as report

    if len(files) > 1:
        raise ScenarioError("with --headroom, name at most one FILE: a layer of its substations")
    if asked.dispatch is not None and asked.dispatch not in DISPATCHES:
        raise ScenarioError(f"no dispatch {asked.dispatch!r}; there are {', '.join(DISPATCHES)}")
    if asked.output is not None:
        check_target(asked.output, asked.force)
    began = time.monotonic()
    min_kv = 100.0 if asked.min_kv is None else asked.min_kv
    cutoff_pct = 5.0 if asked.cutoff_pct is None else asked.cutoff_pct
    cap_mw = 5000.0 if asked.cap_mw is None else asked.cap_mw
    study = _study(asked, min_kv)
    grid = study.grid
    for note in grid.notes:
        speaker.say(f"note: {note.message}")
    places = _places(grid, files[0] if files else study.beside, asked.reading)
    pois = [
        poi
        for poi, bus in zip(grid.poi_ids, grid.poi_bus, strict=True)
        if grid.bus_kv[bus] >= min_kv
    ]
    if not pois:
        raise LayerError(f"{asked.grid}: no POI has a bus of {min_kv:g} kV or more; lower --min-kv")
    dispatch = _dispatch(asked, study)
    base = _base(study, dispatch)
    found = withdrawal_headroom(
        grid,
        pois,
        emergency_factor=study.emergency_pct / 100,
        cutoff=cutoff_pct / 100,
        outages=study.outages,
        cap_mw=cap_mw,
        load_mw=None if base is None else base.load_mw,
        gen_mw=None if base is None else base.gen_mw,
        sink=None if base is None else base.sink,
        processes=_processes(asked.processes, grid),
        progress=_teller(speaker),
    )
    condition = STORED if study.condition is None else study.condition.id
    sheet = headroom_sheet(grid, found, places, condition, min_kv)
    if asked.output is not None:
        write_headroom(sheet, asked.output)
        speaker.say(f"written to {asked.output}")
    said = report.Asked(
        grid=asked.grid,
        condition=condition,
        dispatch=dispatch,
        min_kv=min_kv,
        outages=len(study.outages),
        emergency_pct=study.emergency_pct,
        cutoff_pct=cutoff_pct,
        cap_mw=cap_mw,
        seconds=time.monotonic() - began,
        unavoidable_mw=() if base is None else tuple(base.excused_mw.values()),
    )
    record = report.summary(said, grid, found, sum(row["lon"] is None for row in sheet.rows))
    if speaker.json:
        file = None if asked.output is None else str(asked.output)
        notes = [note.message for note in grid.notes]
        speaker.answer_json({"status": "ok", **record, "notes": notes, "file": file})
        return
    speaker.answer("\n".join(report.lines(record)))


def _study(asked: Screen, min_kv: float) -> _Study:
    from sitepick.network.headroom import default_outages

    if Path(asked.grid).suffix.lower() in (".yaml", ".yml"):
        study = _of_scenario(asked)
    else:
        grid, beside = _grid(asked.grid)
        study = _Study(
            grid=grid,
            beside=beside,
            condition=None if asked.condition is None else _catalog_row(asked.condition),
            when=date.today(),
            growth_pct_per_year=0.0,
            years=0.0,
            outages=default_outages(grid, min_kv),
            emergency_pct=115.0,
        )
    changes: dict[str, Any] = {}
    if asked.outages is False:
        changes["outages"] = study.outages[:0]
    if asked.emergency_pct is not None:
        changes["emergency_pct"] = asked.emergency_pct
    return replace(study, **changes)


def _of_scenario(asked: Screen) -> _Study:
    """The grid section of a scenario, at the start of its first period."""
    from sitepick import pipeline
    from sitepick.cli.find import scenario_path
    from sitepick.dispatch.study import listed_outages, read_network
    from sitepick.scenario.grid import study_conditions
    from sitepick.scenario.schema import period_starts

    loaded = pipeline.load(scenario_path(Path(asked.grid)))
    scenario = loaded.scenario
    if scenario.grid is None:
        raise ScenarioError(
            f"{asked.grid}: has no `grid` section; name a grid instead, such as bundled:texas_grid"
        )
    conditions = {condition.id: condition for condition in study_conditions(scenario.grid)}
    chosen = next(iter(conditions)) if asked.condition is None else asked.condition
    if chosen not in conditions:
        raise ScenarioError(
            f"no condition {chosen!r} in {asked.grid}; there are {', '.join(conditions)}"
        )
    grid = read_network(scenario.grid, loaded.base).grid
    when = period_starts(scenario.periods)[0]
    beside = None
    if is_bundled(scenario.grid.file):
        beside = _beside(resolve(scenario.grid.file))
    return _Study(
        grid=grid,
        beside=beside,
        condition=conditions[chosen],
        when=when,
        growth_pct_per_year=scenario.grid.load_growth_pct_per_year,
        years=(when - scenario.as_of).days / 365.25,
        outages=listed_outages(scenario.grid, grid),
        emergency_pct=scenario.grid.emergency_pct,
    )


def _catalog_row(name: str) -> StudyCondition:
    from sitepick.scenario.grid import GridStudy, condition_ids, study_conditions

    if name not in condition_ids():
        raise ScenarioError(
            f"no condition {name!r}; the catalog has {', '.join(condition_ids())}; your own rows "
            "go into the `grid` section of a scenario"
        )
    return study_conditions(GridStudy(file="-", conditions=[name]))[0]


def _dispatch(asked: Screen, study: _Study) -> str:
    """How plants run: as stored without a condition and on large grids, else at least cost."""
    large = study.grid.n_bus >= LARGE_GRID
    if study.condition is None:
        if asked.dispatch == "economic":
            raise ScenarioError(
                "economic dispatch needs a --condition: which load, and what plants can be counted "
                "on"
            )
        return STORED
    if asked.dispatch == "economic" and large:
        raise ScenarioError(
            f"economic dispatch is for grids of up to {LARGE_GRID:,} buses; this one has "
            f"{study.grid.n_bus:,}: use --dispatch stored, or screen one interconnection"
        )
    return asked.dispatch or (STORED if large else "economic")


def _base(study: _Study, dispatch: str) -> Base | None:
    from sitepick.dispatch.screening import base_of

    if study.condition is None:
        return None
    return base_of(
        study.grid,
        study.condition,
        study.when,
        rule="economic" if dispatch == "economic" else "stored",
        outages=study.outages,
        emergency_factor=study.emergency_pct / 100,
        growth_pct_per_year=study.growth_pct_per_year,
        years=study.years,
    )


def _grid(name: str) -> tuple[Grid, Path | None]:
    """The grid, and the layer of its substations that ships beside it."""
    from sitepick.cli.find import nearby
    from sitepick.network.types import Grid

    if not is_bundled(name):
        path = Path(name)
        if not path.exists():
            raise LayerError(f"{path}: no such file or folder.{nearby(path, ())}")
        return Grid.read(path), None
    path = resolve(name)
    return Grid.read(path), _beside(path)


def _beside(path: Path) -> Path | None:
    layers = path.parent.glob(f"{path.name.removesuffix('_grid')}_substations.geojson*")
    return next(iter(sorted(layers)), None)


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
