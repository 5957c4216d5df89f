"""The tables a plan was made from, kept in its run folder so that two runs can be compared."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.errors import ScenarioError
from sitepick.exports.sheet import plain, records

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates

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
}
"""Tables that are kept, and the columns that tell their rows apart."""
Table = dict[str, dict[str, Any]]
"""Row key -> column -> plain value."""


def write_inputs(candidates: Candidates, path: Path) -> None:
    """Write the tables that decide where MW are, without rejected places; same bytes each time."""
    kept = {name: _rows(candidates, name) for name in KEYS}
    text = json.dumps({"schema": SCHEMA, "tables": kept}, ensure_ascii=False, allow_nan=False)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))


def _rows(candidates: Candidates, name: str) -> list[dict[str, Any]]:
    frame = getattr(candidates, name)
    if name == "sites":
        frame = frame[frame["status"] == "candidate"]
    return [
        {k: v if v is None or isinstance(v, (bool, int, float, str)) else str(v)
         for k, v in ((k, plain(v)) for k, v in row.items())}
        for row in records(frame)
    ]  # fmt: skip


def read_inputs(folder: Path) -> dict[str, Table]:
    """Return the kept tables of a run folder by row key.

    Raises ScenarioError where they are missing (a run of an earlier version) or damaged.
    """
    path = folder / NAME
    try:
        with gzip.open(path) as file:
            text = file.read(MOST_BYTES)
        record = json.loads(text)
        if record["schema"] != SCHEMA:
            raise ScenarioError(f"{path}: made by another version of sitepick; solve again")
        tables = {name: keyed(record["tables"].get(name, []), KEYS[name]) for name in KEYS}
    except OSError as error:
        raise ScenarioError(
            f"{path}: cannot be read ({error.strerror or error}); solve again to compare this run"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise ScenarioError(f"{path}: is damaged: {error}") from error
    return tables


def keyed(rows: list[dict[str, Any]], key: tuple[str, ...]) -> Table:
    """Return rows by their key; of rows with one key the later ones get a number."""
    out: Table = {}
    for row in rows:
        name = " ".join(str(row[k]) for k in key if row.get(k) is not None)
        number, unique = 1, name
        while unique in out:
            number += 1
            unique = f"{name} #{number}"
        out[unique] = row
    return out
