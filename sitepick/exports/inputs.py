"""The tables a plan was made from, kept in its run folder so that two runs can be compared."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.errors import ScenarioError
from sitepick.exports.sheet import plain, records
from sitepick.exports.text import clean
from sitepick.layers.types import row_key

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.layers.types import Layers

NAME = "inputs.json.gz"
SCHEMA = 1
MOST_BYTES = 1 << 30
KEYS: dict[str, tuple[str, ...]] = {
    "offers": ("offer_id",),
    "pois": ("poi_id",),
    "queue": ("poi_id", "over_mw"),
    "shared_limits": ("limit_id", "poi_id", "from_date"),
    "sites": ("site_id",),
    "site_regions": ("site_id", "level"),
    "commitments": ("site_id", "what", "date"),
    "places": ("place_id",),
    "demand_mw": ("place_id", "workload", "from_date"),
    "regions": ("level", "region_id"),
    "onsite": ("site_id", "option_id"),
    "margins": ("area",),
    "leases": ("site_id",),
}
"""Tables that are kept, and the columns that tell their rows apart."""
Table = dict[str, dict[str, Any]]
"""Row key -> column -> plain value."""


ROLES: dict[str, tuple[str, ...]] = {
    "offers": ("power_offers",), "pois": ("substations",), "shared_limits": ("shared_limits",),
    "sites": ("parcels", "sites", "substations"), "leases": ("leases",),
    "commitments": ("commitments",),
    "places": ("demand",), "demand_mw": ("demand_mw",),
}  # fmt: skip
"""Roles of layers whose rows a table is made from, by the same key."""


@dataclass(frozen=True)
class Inputs:
    """The kept tables by name, and where their rows stand in the input files.

    ``rows``: table -> row key -> (file, place in it); ``columns``: table -> file -> our column ->
    the file's own.
    """

    tables: dict[str, Table]
    rows: dict[str, dict[str, tuple[str, str]]]
    columns: dict[str, dict[str, dict[str, str]]]


def write_inputs(candidates: Candidates, layers: Layers, path: Path) -> None:
    """Write the tables that decide where MW are, without rejected places; same bytes each time."""
    record = _record(candidates, layers)
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))


def inputs_of(candidates: Candidates, layers: Layers) -> Inputs:
    """Return what `write_inputs` keeps."""
    return _inputs(json.loads(json.dumps(_record(candidates, layers), allow_nan=False)))


def _record(candidates: Candidates, layers: Layers) -> dict[str, Any]:
    tables = {name: _rows(candidates, name) for name in KEYS}
    rows: dict[str, dict[str, tuple[str, str]]] = {}
    columns: dict[str, dict[str, dict[str, str]]] = {}
    for name, roles in ROLES.items():
        known = [layers.places[role] for role in roles if role in layers.places]
        if not known:
            continue
        here = [row_key([row.get(k) for k in KEYS[name]]) for row in tables[name]]
        rows[name] = {
            key: (clean(found[0]), clean(found[1]))
            for key in here
            if (found := next((p.rows[key] for p in known if key in p.rows), None)) is not None
        }
        columns[name] = {
            clean(file): {o: clean(c) for o, c in of.items()}
            for p in known for file, of in p.columns.items()
        }  # fmt: skip
    return {"schema": SCHEMA, "tables": tables, "rows": rows, "columns": columns}


def _rows(candidates: Candidates, name: str) -> list[dict[str, Any]]:
    frame = getattr(candidates, name)
    if name == "sites":
        frame = frame[frame["status"] == "candidate"]
    return [
        {k: v if v is None or isinstance(v, (bool, int, float, str)) else str(v)
         for k, v in ((k, plain(v)) for k, v in row.items())}
        for row in records(frame)
    ]  # fmt: skip


def read_inputs(folder: Path) -> Inputs:
    """Return the kept tables of a run folder.

    Raises ScenarioError where they are missing (a run of an earlier version) or damaged.
    """
    path = folder / NAME
    try:
        with gzip.open(path) as file:
            text = file.read(MOST_BYTES)
        record = json.loads(text)
        if record["schema"] != SCHEMA:
            raise ScenarioError(f"{path}: made by another version of sitepick; solve again")
        return _inputs(record)
    except OSError as error:
        raise ScenarioError(
            f"{path}: cannot be read ({error.strerror or error}); solve again to compare this run"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise ScenarioError(f"{path}: is damaged: {error}") from error


def _inputs(record: dict[str, Any]) -> Inputs:
    tables = {name: keyed(record["tables"].get(name, []), KEYS[name]) for name in KEYS}
    rows = {
        name: {key: (str(file), str(at)) for key, (file, at) in found.items()}
        for name, found in record.get("rows", {}).items()
    }
    return Inputs(tables, rows, record.get("columns", {}))


def keyed(rows: list[dict[str, Any]], key: tuple[str, ...]) -> Table:
    """Return rows by their key; of rows with one key the later ones get a number."""
    out: Table = {}
    for row in rows:
        name = row_key([row.get(k) for k in key])
        number, unique = 1, name
        while unique in out:
            number += 1
            unique = f"{name} #{number}"
        out[unique] = row
    return out
