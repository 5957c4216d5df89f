"""Tells the format of a grid by the files of a folder, and has it read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sitepick.errors import LayerError
from sitepick.network.assemble import assemble
from sitepick.network.raw import RawGrid
from sitepick.network.sheet import ENDINGS
from sitepick.network.types import Grid

_KNOWN = (
    "buses, branches, plants (our tables); substations, lines (a map with voltages); "
    "buses with lines or generators (PyPSA); bus, branch, plant (Breakthrough/TAMU), each as .csv "
    "or .csv.gz; or a MATPOWER case file .m"
)


def read_grid(
    path: Path,
    *,
    synthetic: bool = False,
    interconnect: str | None = None,
    snapshot: str | None = None,
) -> Grid:
    """Read a grid in any known format; see `Grid.read`.

    Raises:
        LayerError: no known format, an option that the format does not have, or faulty data.
    """
    name, source = _format(path)
    for option, value, owner in (
        ("interconnect", interconnect, "breakthrough"),
        ("snapshot", snapshot, "pypsa"),
    ):
        if value is not None and name != owner:
            raise LayerError(f"{path}: {option} is for {owner} folders; leave it out")
    raw = _read(name, source, interconnect, snapshot)
    return assemble(replace(raw, synthetic=raw.synthetic or synthetic))


def _read(name: str, path: Path, interconnect: str | None, snapshot: str | None) -> RawGrid:
    if name == "matpower":
        from sitepick.network.matpower import read_matpower

        return read_matpower(path)
    if name == "breakthrough":
        from sitepick.network.breakthrough import read_breakthrough

        return read_breakthrough(path, interconnect)
    if name == "pypsa":
        from sitepick.network.pypsa import read_pypsa

        return read_pypsa(path, snapshot)
    if name == "stations":
        from sitepick.network.stations import read_stations

        return read_stations(path)
    from sitepick.network.grid_tables import read_tables

    return read_tables(path)


def _format(path: Path) -> tuple[str, Path]:
    """Name of the format, and the folder or file to read."""
    if path.is_file():
        if path.suffix == ".m":
            return "matpower", path
        raise LayerError(f"{path}: is no grid; name a folder with {_KNOWN}")
    if not path.is_dir():
        from sitepick.layers.sniff import nearby

        raise LayerError(f"{path}: no such file or folder{nearby(path)}")
    tables = {
        item.name[: -len(end)]
        for item in path.iterdir()
        for end in ENDINGS
        if item.name.endswith(end)
    }
    if {"bus", "branch"} <= tables:
        return "breakthrough", path
    if "branches" in tables:
        return "tables", path
    if {"substations", "lines"} <= tables:
        return "stations", path
    if "buses" in tables and tables & {"lines", "generators", "links", "loads"}:
        return "pypsa", path
    cases = sorted(path.glob("*.m"))
    if len(cases) == 1:
        return "matpower", cases[0]
    there = ", ".join(sorted(tables)[:8]) or "no table"
    raise LayerError(f"{path}: is no grid ({there}); wanted are {_KNOWN}")
