"""The scenario as JSON Schema draft-07, for completion and checks in editors.

pydantic writes draft 2020-12. What differs for our models is changed here: ``$defs``, and
siblings of ``$ref``, which draft-07 ignores. Titles carry the unit, and what the reader accepts
beyond the type ("500 MW" for a number, 48 for a text) is accepted here too.
"""

from __future__ import annotations

from typing import Any

from sitepick.scenario.schema import Scenario
from sitepick.units import FACTORS, plain_unit, shown_unit

DRAFT = "http://json-schema.org/draft-07/schema#"
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of a scenario file, ``extends`` included."""
    raw = Scenario.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = raw.pop("$defs", {})
    schema: dict[str, Any] = {"$schema": DRAFT, **_converted(raw, "")}
    schema["title"] = "sitepick scenario"
    schema["properties"] = {
        "extends": {
            "title": "extends",
            "type": "string",
            "minLength": 1,
            "description": "Scenario file that this one is laid over, relative to this file. "
            "Maps merge key by key, everything else is replaced.",
        },
        **schema["properties"],
    }
    # a file that extends another may leave out what its parent gives
    required = schema.pop("required", [])
    schema["anyOf"] = [{"required": ["extends"]}, {"required": required}]
    schema["definitions"] = {name: _converted(one, "") for name, one in definitions.items()}
    return schema


def _converted(node: Any, key: str) -> Any:
    if isinstance(node, list):
        return [_converted(item, key) for item in node]
    if not isinstance(node, dict):
        return node
    out: dict[str, Any] = {}
    for name, value in node.items():
        if name == "properties":
            out[name] = {k: _titled(_converted(v, k), k) for k, v in value.items()}
        elif name in {"default", "const", "enum"}:
            out[name] = value
        elif name in _BOUNDS:
            out[_BOUNDS[name]] = value
        elif name != "discriminator":
            out["anyOf" if name == "oneOf" else name] = _converted(value, key)
    if out.get("type") == "number" and plain_unit(key):
        out = _with_unit_text(out, plain_unit(key) or "")
    if out.get("type") == "string" and not {"enum", "const", "pattern"} & set(out):
        out["type"] = ["string", "number"]
    return out


def _titled(node: dict[str, Any], key: str) -> dict[str, Any]:
    """Title with the unit: `tie_km_max (km)`; editors show it while typing."""
    unit = shown_unit(key)
    if "$ref" in node:
        node = {"allOf": [{"$ref": node["$ref"]}], **{k: v for k, v in node.items() if k != "$ref"}}
    return {**node, "title": f"{key} ({unit})" if unit else key}


def _with_unit_text(node: dict[str, Any], unit: str) -> dict[str, Any]:
    """A number with a unit may also be written as text: "500 MW"."""
    number = {k: node.pop(k) for k in ("type", *_BOUNDS.values()) if k in node}
    units = "|".join(FACTORS[unit])
    pattern = rf"^[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*({units})?$"
    return {"anyOf": [number, {"type": "string", "pattern": pattern}], **node}
