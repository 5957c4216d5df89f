"""From files to a scenario: which role each plays, which column is which, and what is doubtful."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.cli.starter import HALL, Guess, Recognised, Tranche, guess, scenario_text
from sitepick.errors import LayerError, SitepickError
from sitepick.layers.guess import guess as guess_table
from sitepick.layers.guess import level_of, own_columns
from sitepick.layers.reading import in_few_lines

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates


@dataclass(frozen=True)
class _Found:
    """A file, or one sheet of it, with what it seems to be."""

    path: Path
    sheet: str | None
    role: str | None
    fields: dict[str, str]
    preset: str | None
    doubts: tuple[str, ...]
    own: tuple[str, ...]  # columns to keep

    @property
    def label(self) -> str:
        return f"{self.path.name}[{self.sheet}]" if self.sheet else self.path.name


def scenario_for(
    files: Sequence[Path], target: Path, today: date
) -> tuple[str, list[Recognised], list[str]]:
    """Return the scenario's text, the files with their roles, and all doubts.

    Raises LayerError when a file cannot be read or none is recognised.
    """
    found = _recognise(files)
    named = [_spec(one, target.parent) for one in found if one.role is not None]
    strange = [
        f"{one.label}: not recognised and left out; `sitepick layers` shows what is in it"
        for one in found
        if one.role is None and one.sheet is None
    ]
    if not named:
        raise LayerError(strange or [f"{one.label}: no role recognised" for one in found])
    name = _name(target)
    draft = guess(today, (), ())
    said = replace(draft, count_stages=_counted(), doubts=())
    refused: list[str] = []
    places = _propose(scenario_text(name, named, said), target.parent, refused)
    said = _guess(today, named, places)
    doubts = [*refused, *strange, *_gaps(found), *said.doubts]
    doubts += [f"{_label(one)}: {doubt}" for one in named for doubt in one.doubts]
    if places is not None:
        doubts += in_few_lines(n.message for n in places.notes if n.code not in _PLAIN_NOTES)
    doubts = list(dict.fromkeys(doubts))
    bare = [replace(one, doubts=()) for one in named]
    return scenario_text(name, bare, replace(said, doubts=tuple(doubts))), named, doubts


_PLAIN_NOTES = ("reprojected", "first_sheet", "z_dropped", "null_word", "climate_assumed")
"""Notes that say what was done as expected: no doubt."""


def _recognise(files: Sequence[Path]) -> list[_Found]:
    from sitepick.layers.read import read
    from sitepick.layers.table import Refused

    found, problems = [], []
    for path in files:
        try:
            for sheet in _sheets(path):
                table = read(path, sheet=sheet)
                seen = guess_table(table, path)
                found.append(
                    _Found(
                        path, sheet, seen.role, seen.fields, seen.preset,
                        tuple(seen.doubts), own_columns(table, seen),
                    )
                )  # fmt: skip
        except Refused as refused:
            problems.append(f"{path}: {refused}")
    if problems:
        raise LayerError(problems)
    return found


def _sheets(path: Path) -> list[str | None]:
    """Return the sheets of a workbook that has several with content, else [None]."""
    from sitepick.layers.sniff import sniff

    if sniff(path) != "xlsx":
        return [None]
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    try:
        filled = [
            page.title
            for page in book.worksheets
            if sum(1 for row in page.iter_rows(values_only=True) if any(row)) > 1
        ]
    finally:
        book.close()
    return list(filled) if len(filled) > 1 else [None]


def _spec(found: _Found, base: Path) -> Recognised:
    assert found.role is not None
    relative: str = os.path.relpath(str(found.path), str(base))
    spec: dict[str, Any] = {"file": Path(relative).as_posix()}
    if found.sheet:
        spec["sheet"] = found.sheet
    if found.role == "regions":
        spec["level"] = level_of(found.path.stem)
    if found.role == "matrix":
        spec["meaning"] = "rtt_ms"
    if found.preset:
        spec["preset"] = found.preset
    fields = {ours: theirs for ours, theirs in found.fields.items() if ours != theirs}
    if fields:
        spec["fields"] = fields
    if found.own:
        spec["keep"] = list(found.own)
    doubts = list(found.doubts)
    if found.role == "matrix":
        doubts.append("values read as rtt_ms; `meaning` can also be km or musd_per_mw_year")
    return Recognised(found.role, spec, tuple(doubts))


def _label(file: Recognised) -> str:
    sheet = file.spec.get("sheet")
    return f"{file.spec['file']}[{sheet}]" if sheet else str(file.spec["file"])


def _name(target: Path) -> str:
    """Name the plan after its file, or after its folder where the file has the default name."""
    if target.stem != "sitepick":
        return target.stem[:100]
    return (target.resolve().parent.name or "plan")[:100]


def _counted() -> tuple[str, ...]:
    from sitepick.scenario.power import Power

    return tuple(Power().count_stages)


def _propose(text: str, base: Path, refused: list[str]) -> Candidates | None:
    """Read the layers of a draft and screen its places; what refuses it becomes a doubt."""
    from sitepick.candidates import propose
    from sitepick.layers import load
    from sitepick.scenario.read import read_scenario

    with tempfile.TemporaryDirectory() as box:
        draft = Path(box) / "sitepick.yaml"
        draft.write_text(text, encoding="utf-8")
        try:
            scenario = read_scenario(draft).scenario
            return propose(scenario, load(scenario, base))
        except SitepickError as error:
            shown = [p.replace(str(draft), "scenario") for p in error.problems]
            refused += [f"solve will refuse this: {problem}" for problem in shown]
            return None


def _guess(today: date, files: Sequence[Recognised], places: Candidates | None) -> Guess:
    roles = {file.role for file in files}
    tranches = [] if places is None else _tranches(places)
    said = guess(today, tranches, _counted(), _lead_months())
    if "demand_mw" in roles:
        said = replace(said, it_mw={}, doubts=(said.doubts[0],))
    return replace(said, count_stages=_counted(), places="demand" in roles)


def _lead_months() -> float:
    """Return the months until a hall of the starter's class stands at a new tie."""
    from sitepick.scenario.catalog import table
    from sitepick.scenario.power import Power

    build = next(row["build_months"] for row in table("halls") if row["id"] == HALL)
    return max(Power().tie_months, float(build))


def _tranches(places: Candidates) -> list[Tranche]:
    """Return the letters of POIs that some candidate can tie to."""
    columns = ["poi_id", "mw_total", "from_date", "stage", "firm"]
    rows = places.offers[columns].itertuples(index=False, name=None)
    return [Tranche(str(p), float(mw), day, str(s), bool(f)) for p, mw, day, s, f in rows]


def _gaps(found: Sequence[_Found]) -> list[str]:
    """Say what is missing for a plan, whatever the files hold."""
    roles = {one.role for one in found}
    out = []
    if not roles & {"parcels", "sites", "substations"}:
        out.append("no places: bring parcels, a table of sites, or substations")
    named = any("poi_ids" in one.fields for one in found if one.role == "parcels")
    if "parcels" in roles and "substations" not in roles and not named:
        out.append("parcels name no POI and there is no substations layer: no tie is possible")
    dated = any("headroom_mw" in one.fields for one in found if one.role == "substations")
    if "power_offers" not in roles and not dated and "sites" not in roles:
        out.append("no letters and no load headroom: no MW is known, and none is invented")
    return out
