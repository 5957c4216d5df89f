"""Sheets of the lines of the map: transmission lines and fiber, as the layers have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sitepick.exports.geometry import multiline
from sitepick.exports.rows import SYNTHETIC
from sitepick.exports.sheet import Field, Row, Sheet, records, with_keep

if TYPE_CHECKING:
    from sitepick.run import Run

_LINES = (
    Field("line_id", "", "text", "id of the line"),
    Field("kv", "kV", "number", "voltage; empty: unknown"),
    Field("rating_mva", "MVA", "number", "normal rating, as the layer states it; empty: unknown"),
    SYNTHETIC,
)
_FIBER = (
    Field("link_id", "", "text", "id of the fiber route"),
    Field("from_node", "", "text", "node where it begins; empty: unknown"),
    Field("to_node", "", "text", "node where it ends; empty: unknown"),
    SYNTHETIC,
)


def route_sheets(run: Run) -> list[Sheet]:
    """Return the sheets ``lines`` and ``fiber`` of a run, each where its layer is given."""
    layers = run.prepared.layers
    return [
        *_of(run, layers.lines, "lines", "lines", _LINES, "transmission lines of the layer"),
        *_of(run, layers.fiber_links, "fiber", "fiber_links", _FIBER, "fiber routes of the layer"),
    ]


def _of(
    run: Run,
    layer: Any,
    name: str,
    role: str,
    fields: tuple[Field, ...],
    meaning: str,
) -> list[Sheet]:
    if layer is None or not len(layer):
        return []
    synthetic = any(s.synthetic for s in run.prepared.layers.sources if s.role == role)
    key = fields[0].name
    found = records(layer.drop(columns=layer.geometry.name))
    source = {info[key]: info for info in found}
    rows: list[Row] = [
        {f.name: info.get(f.name) for f in fields} | {"synthetic": synthetic} for info in found
    ]
    done, rows = with_keep(list(fields), rows, source, layer.columns, key)
    shapes = [multiline(shape) for shape in layer.geometry]
    return [Sheet(name, meaning, done, rows, shapes, "MultiLineString")]
