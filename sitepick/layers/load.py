"""All layers of a scenario: every file read, every fault of every file in one error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.errors import LayerError
from sitepick.layers.reading import label_of
from sitepick.layers.table import Refused
from sitepick.layers.types import Layers, LoadCurve, Note, Places, Source, row_key

if TYPE_CHECKING:
    import pandas as pd

    from sitepick.layers.cache import Entry
    from sitepick.layers.columns import Columns
    from sitepick.layers.reading import Reading
    from sitepick.layers.table import Table
    from sitepick.scenario.inputs import LayerFile
    from sitepick.scenario.schema import Scenario

SORTED_BY = {
    "substations": ["poi_id"],
    "lines": ["line_id"],
    "fiber_nodes": ["node_id"],
    "fiber_links": ["link_id"],
    "rights_of_way": ["row_id"],
    "regions": ["level", "region_id"],
    "exclusions": ["name"],
    "parcels": ["parcel_id"],
    "sites": ["site_id"],
    "demand": ["place_id"],
    "demand_mw": ["place_id", "workload", "from_date"],
    "power_offers": ["offer_id"],
    "leases": ["offer_id"],
    "shared_limits": ["limit_id", "poi_id", "from_date"],
    "tariffs": ["poi_id", "level", "region_id"],
    "queue": ["level", "region_id", "over_mw"],
    "commitments": ["site_id", "date", "what"],
    "matrix": ["site_id", "place_id"],
    "solar_days": ["profile_id", "day_id"],
}
UNIQUE = {
    "substations": ["poi_id"],
    "lines": ["line_id"],
    "fiber_nodes": ["node_id"],
    "fiber_links": ["link_id"],
    "rights_of_way": ["row_id"],
    "regions": ["level", "region_id"],
    "parcels": ["parcel_id"],
    "sites": ["site_id"],
    "demand": ["place_id"],
    "power_offers": ["offer_id"],
    "leases": ["offer_id"],
    "queue": ["level", "region_id", "over_mw"],
    "matrix": ["site_id", "place_id", "meaning"],
    "solar_days": ["profile_id", "day_id"],
}


KEYS = {
    "substations": ("poi_id",),
    "parcels": ("parcel_id",),
    "sites": ("site_id",),
    "demand": ("place_id",),
    "demand_mw": ("place_id", "workload", "from_date"),
    "power_offers": ("offer_id",),
    "leases": ("offer_id",),
    "shared_limits": ("limit_id", "poi_id", "from_date"),
    "commitments": ("site_id", "what", "date"),
}
"""Roles whose rows can be told where they stand, and by which columns."""


def load(scenario: Scenario, base: Path, on_note: Callable[[Note], None] | None = None) -> Layers:
    """Read every file of ``scenario.layers`` and return the clean tables.

    ``base`` is the folder of the scenario; ``on_note`` hears each note when it is made.

    Raises:
        LayerError: with all faults of all files.
    """
    return _Loader(base, on_note).all(scenario)


def load_one(
    role: str, spec: LayerFile, base: Path
) -> tuple[pd.DataFrame | None, list[str], list[Note]]:
    """Read one file for ``role``: its clean frame (None after faults), problems and notes."""
    loader = _Loader(base, None)
    frame = loader._one(role, spec)
    return frame, loader.problems, loader.notes


class _Loader:
    def __init__(self, base: Path, on_note: Callable[[Note], None] | None) -> None:
        self.base = base
        self.on_note = on_note
        self.problems: list[str] = []
        self.notes: list[Note] = []
        self.sources: list[Source] = []
        self.cache: dict[tuple[Any, ...], Table] = {}
        self.hashes: dict[Path, tuple[str, int]] = {}
        self.places: dict[str, Places] = {}

    def all(self, scenario: Scenario) -> Layers:
        """Return all layers that a scenario names, cleaned."""
        tables: dict[str, Any] = {}
        for role in SORTED_BY:
            frames = []
            for spec in getattr(scenario.layers, role):
                frame = self._one(role, spec)
                if frame is not None:
                    frames.append(frame)
            if frames:
                tables[role] = self._together(role, frames)
        self.cache.clear()
        if not self.problems:
            self._across(tables)
        curves = self._curves(scenario)
        if self.problems:
            raise LayerError(self.problems)
        pois = tables.pop("substations", None)
        return Layers(
            pois=pois,
            **tables,
            curves=curves,
            sources=tuple(self.sources),
            notes=tuple(self.notes),
            places=self.places,
        )

    def _curves(self, scenario: Scenario) -> tuple[LoadCurve | None, ...]:
        """Return the load curve, if any, of each of `flexible.areas`; faults go to ``problems``."""
        from sitepick.layers.curves import curve_of

        found: list[LoadCurve | None] = []
        for area in scenario.flexible.areas:
            if area.curve is None:
                found.append(None)
                continue
            try:
                curve, source = curve_of(area, self.base)
            except (Refused, OSError) as fault:
                said = f"cannot be read: {fault.strerror}" if isinstance(fault, OSError) else fault
                self.problems.append(f"{area.curve}: {said} (flexible area '{area.name}')")
                continue
            found.append(curve)
            if source not in self.sources:
                self.sources.append(source)
        return tuple(found)

    def _across(self, tables: dict[str, pd.DataFrame]) -> None:
        from sitepick.layers import across

        problems, notes = across.check(tables)
        self.problems += problems
        for note in notes:
            self.notes.append(note)
            if self.on_note is not None:
                self.on_note(note)

    def _one(self, role: str, spec: LayerFile) -> pd.DataFrame | None:
        """Return the clean frame of one file; None if it had faults."""
        from sitepick.layers import cache

        key = self._key(role, spec)
        entry = None if key is None else cache.get(key)
        if entry is None:
            entry = self._read(role, spec)
            if entry is None:
                return None
            if key is not None:
                cache.put(key, entry)
        elif self.on_note is not None:
            for note in entry.notes:
                self.on_note(note)
        self.sources += entry.sources
        self.notes += [n for n in entry.notes if n not in self.notes]
        self._place(role, label_of(spec), entry)
        return entry.frame

    def _key(self, role: str, spec: LayerFile) -> str | None:
        from sitepick.layers import cache
        from sitepick.layers.read import locate
        from sitepick.scenario.inputs import RegionLayer

        try:
            files = [locate(spec.file, self.base)]
            if isinstance(spec, RegionLayer) and spec.attributes is not None:
                files.append(locate(spec.attributes.file, self.base))
            return cache.key_of(role, spec, files)
        except (Refused, OSError):  # reading says why
            return None

    def _read(self, role: str, spec: LayerFile) -> Entry | None:
        """Read and clean one file; None if it had faults."""
        from sitepick.layers import common
        from sitepick.layers.cache import Entry
        from sitepick.layers.regions import clean_regions

        opened = self._open(spec, role)
        if opened is None:
            return None
        columns, reading, source = opened
        readings, sources, table = [reading], [source], columns.table
        if role == "regions":
            frame, more = clean_regions(columns, self._open)
            readings = [*(joined for joined, _ in more), reading]
            sources += [its for _, its in more]
        else:
            frame = self._cleaner(role)(columns)
            for name in spec.keep:
                frame[f"keep:{name}"] = common.kept(columns.table.frame[name])
        for one in readings:
            self._finish(one)
        if any(one.problems for one in readings):
            return None
        return Entry(
            frame=frame,
            notes=tuple(dict.fromkeys(note for one in readings for note in one.notes)),
            sources=tuple(sources),
            sign=" row " if table.tabular else " #",
            rows=table.number if len(frame) == len(columns) else None,
            columns={o: f.name for o, f in columns.mapped.items() if f.unit is None},
        )

    def _place(self, role: str, label: str, entry: Entry) -> None:
        """Remember where the rows of a file stand, if they are those of the file, in order."""
        if role not in KEYS or entry.rows is None:
            return
        known = self.places.setdefault(role, Places({}, {}))
        keys = zip(*(entry.frame[name].to_numpy(object) for name in KEYS[role]), strict=True)
        for key, number in zip(keys, entry.rows, strict=True):
            known.rows[row_key(key)] = label, f"{entry.sign}{number}"
        known.columns[label] = entry.columns or {}

    def _finish(self, reading: Reading) -> None:
        self.problems += [p for p in reading.problems if p not in self.problems]
        self.notes += [n for n in reading.notes if n not in self.notes]

    def _open(self, spec: LayerFile, role: str) -> tuple[Columns, Reading, Source] | None:
        """Read, map, filter and place one file; None if that already failed."""
        from sitepick.layers import prepare
        from sitepick.layers.read import locate, read, sha256_of
        from sitepick.layers.reading import Reading

        reading = Reading(role, spec, self.on_note)
        try:
            path = locate(spec.file, self.base)
            key = (path, spec.layer, spec.sheet, role == "fiber_links")
            if key not in self.cache:
                self.cache[key] = read(path, layer=spec.layer, sheet=spec.sheet, role=role)
            table = self.cache[key]
            if path not in self.hashes:
                self.hashes[path] = sha256_of(path)
            columns = prepare.prepare(table, reading, path)
        except Refused as refused:
            reading.fault(str(refused))
            columns = None
        except OSError as error:
            reading.fault(f"cannot be read: {error.strerror or error}")
            columns = None
        if columns is None or reading.problems:
            self._finish(reading)
            return None
        digest, size = self.hashes[path]
        source = Source(
            role=role,
            path=spec.file,
            sha256=digest,
            size_bytes=size,
            rows_read=len(table),
            rows_used=len(columns),
            licence=columns.table.licence,
            synthetic=columns.table.synthetic,
        )
        return columns, reading, source

    @staticmethod
    def _cleaner(role: str) -> Callable[[Columns], pd.DataFrame]:
        from sitepick.layers import (
            demand,
            exclusions,
            fiber,
            matrix,
            offers,
            parcels,
            power,
            queue,
            sites,
        )
        from sitepick.layers.leases import clean_leases
        from sitepick.layers.solar import clean_solar_days

        return {
            "substations": power.clean_substations,
            "lines": power.clean_lines,
            "fiber_nodes": fiber.clean_nodes,
            "fiber_links": fiber.clean_links,
            "rights_of_way": fiber.clean_rights_of_way,
            "exclusions": exclusions.clean_exclusions,
            "parcels": parcels.clean_parcels,
            "sites": sites.clean_sites,
            "demand": demand.clean_demand,
            "demand_mw": demand.clean_demand_mw,
            "power_offers": offers.clean_offers,
            "leases": clean_leases,
            "shared_limits": offers.clean_shared_limits,
            "tariffs": offers.clean_tariffs,
            "queue": queue.clean_queue,
            "commitments": matrix.clean_commitments,
            "matrix": matrix.clean_matrix,
            "solar_days": clean_solar_days,
        }[role]

    def _together(self, role: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
        import pandas as pd

        from sitepick.layers.reading import some

        whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        key = UNIQUE.get(role)
        if key is not None:
            twice = whole.loc[whole.duplicated(key), key]
            if len(twice):
                said = some(" / ".join(map(str, row)) for row in twice.to_numpy())
                self.problems.append(
                    f"layers.{role}: {len(twice):,} ids stand in more than one file ({said}); "
                    "ids must be unique over all files of a role"
                )
        by = SORTED_BY[role]
        order = whole[by].astype(str).sort_values(by, kind="stable").index
        return whole.loc[order].reset_index(drop=True)
