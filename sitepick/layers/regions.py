"""Region polygons of one level, and tables joined to them by id."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import shapely

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import Reading, count_of, some
from sitepick.layers.table import object_array
from sitepick.layers.types import Source
from sitepick.scenario.inputs import LayerFile, RegionLayer

NUMBERS = ("co2_kg_per_mwh", "energy_usd_per_mwh", "capex_factor", "gas_usd_per_mmbtu")
Opener = Callable[[LayerFile, str], tuple[Columns, Reading, Source] | None]


def clean_regions(
    columns: Columns, open_table: Opener
) -> tuple[pd.DataFrame, list[tuple[Reading, Source]]]:
    """Return `Layers.regions` of one file, attributes joined, and what those came from.

    Rows of one region in several features are merged if their names agree.
    """
    spec = columns.reading.spec
    assert isinstance(spec, RegionLayer)
    ids = columns.ids("region_id")
    frame = common.plain_frame(
        {
            "level": [spec.level] * len(columns),
            "region_id": ids,
            "name": common.names(columns, ids),
            "climate": columns.text("climate"),
            **{name: columns.number(name) for name in NUMBERS},
        }
    )
    for name in spec.keep:
        frame[f"keep:{name}"] = common.kept(columns.table.frame[name])
    frame, geometry = _merge(columns, frame)
    out = common.geo_frame({c: frame[c].to_numpy() for c in frame.columns}, geometry)
    sources: list[tuple[Reading, Source]] = []
    if spec.attributes is not None:
        opened = open_table(spec.attributes, "regions")
        if opened is not None:
            extra, reading, source = opened
            out = _join(out, extra, reading)
            sources.append((reading, source))
    return out, sources


def _merge(columns: Columns, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    geometry = columns.table.geometry
    assert geometry is not None
    twice = common.repeated(frame["region_id"].to_numpy(object))
    if not twice:
        return frame, geometry
    apart = [i for i in twice if frame.loc[frame["region_id"] == i, "name"].nunique() > 1]
    if apart:
        said = some(f"'{i}' for {some(frame.loc[frame['region_id'] == i, 'name'])}" for i in apart)
        columns.reading.fault(
            f"{count_of(len(apart), 'region_id')} given to different regions ({said}); "
            "choose a column that tells them apart by `id: COLUMN`"
        )
        return frame, geometry
    text = f"{count_of(len(twice), 'region')} in several features merged ({some(twice)})"
    columns.reading.note("region_merged", text, len(twice))
    geometry = geometry.copy()
    for ident in twice:
        rows = np.flatnonzero(frame["region_id"] == ident)
        geometry[rows[0]] = shapely.union_all(geometry[rows])
    first = ~frame["region_id"].duplicated().to_numpy()
    return frame[first].reset_index(drop=True), geometry[first]


def _join(regions: pd.DataFrame, extra: Columns, reading: Reading) -> pd.DataFrame:
    """Add a table's values to the regions; keys without partner are reported both ways."""
    key = extra.ids("region_id")
    common.refuse_repeats(extra, key, "region_id")
    wanted = set(regions["region_id"])
    key = _pad(key, wanted, reading)
    table = extra.table.frame
    used = {found.name for found in extra.mapped.values()}
    names = reading.spec.keep or [str(c) for c in table.columns if c not in used]
    row_of = {k: i for i, k in enumerate(key) if k is not None}
    rows = [row_of.get(i) for i in regions["region_id"]]
    lacking = [i for i, row in zip(regions["region_id"], rows, strict=True) if row is None]
    over = sorted(set(row_of) - wanted)
    if len(lacking) == len(rows):
        reading.fault(
            f"none of its {len(row_of):,} region_id ({some(sorted(row_of))}) is a region "
            f"({some(sorted(wanted))}); name the right column by `id: COLUMN`"
        )
        return regions
    if lacking:
        text = f"{len(lacking):,} of {len(rows):,} regions have no row here ({some(lacking)})"
        reading.note("join_missing", text, len(lacking))
    if over:
        text = f"{count_of(len(over), 'row')} without a region of that id ({some(over)})"
        reading.note("join_unused", text, len(over))
    for ours in NUMBERS:
        if extra.has(ours):
            cells = extra.number(ours)
            new = np.array([np.nan if r is None else cells[r] for r in rows])
            regions[ours] = np.where(np.isnan(new), regions[ours], new)
    if extra.has("climate"):
        words = extra.text("climate")
        new_words = [None if r is None else words[r] for r in rows]
        pairs = zip(regions["climate"], new_words, strict=True)
        merged = [old if new is None else new for old, new in pairs]
        regions["climate"] = common.cells(object_array(merged))
    for name in names:
        cells = table[name].to_numpy(object)
        values = [None if r is None else _typed(cells[r]) for r in rows]
        regions[f"attr:{name}"] = common.cells(object_array(values))
    return regions


def _pad(key: np.ndarray, wanted: set[str], reading: Reading) -> np.ndarray:
    """Give back leading zeros that a spreadsheet took (FIPS 1001 -> 01001)."""
    if not all(w.isdigit() for w in wanted):
        return key
    widths = {len(w) for w in wanted}
    if len(widths) > 1:
        return _strip(key, wanted, reading)
    width = widths.pop()
    short = [i for i, k in enumerate(key) if k is not None and k.isdigit() and len(k) < width]
    hits = [i for i in short if key[i].zfill(width) in wanted]
    if not hits:
        return key
    out = key.copy()
    for i in short:
        out[i] = key[i].zfill(width)
    text = f"{count_of(len(short), 'region_id')} lost leading zeros, filled up to {width} digits"
    reading.note("zeros_restored", f"{text} (e.g. {key[hits[0]]} to {out[hits[0]]})", len(short))
    return out


def _strip(key: np.ndarray, wanted: set[str], reading: Reading) -> np.ndarray:
    """Meet regions that lost their own leading zeros."""
    out = key.copy()
    hits = [
        i
        for i, k in enumerate(key)
        if k is not None and k.isdigit() and k not in wanted and k.lstrip("0") in wanted
    ]
    for i in hits:
        out[i] = key[i].lstrip("0")
    if hits:
        text = f"{count_of(len(hits), 'region_id')} matched to regions without leading zeros"
        reading.note("zeros_lost", f"{text} (e.g. {key[hits[0]]} to {out[hits[0]]})", len(hits))
    return out


def _typed(cell: object) -> object:
    """Return a text cell as a number if it is one and no code such as ``01001``."""
    if not isinstance(cell, str):
        return None if cell is None or cell != cell else cell
    text = cell.strip()
    try:
        value = float(text)
    except ValueError:
        return text or None
    if not np.isfinite(value) or (text[0] == "0" and text.isdigit() and len(text) > 1):
        return text
    return value
