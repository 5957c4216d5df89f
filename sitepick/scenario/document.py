"""The reference of scenario keys, written from the schema itself.

`python -m sitepick.scenario.document` writes docs/scenario.md; with `--check` it says whether the
file is up to date (exit 1 if not).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sitepick.scenario.fields import FirstDay, LastDay, Series, YearSeries
from sitepick.scenario.messages import models_in, yaml_keys
from sitepick.scenario.schema import HallList, HardwareList, Scenario
from sitepick.units import shown_unit

TARGET = Path("docs/scenario.md")

_INTRO = """\
# Scenario reference

This page is generated from the schema (`python -m sitepick.scenario.document`); do not edit it.
The same schema as JSON Schema for editors: `sitepick schema`.

A scenario is one YAML file. Rules of the format:

- **Units** are in the key names. IT MW is power at the racks, facility MW is IT MW x PUE, grid MW
  is what the point of interconnection (POI) carries. MUSD is a million dollars, real, of
  `money.price_year`. Where a key names one plain unit, a number with its unit is understood too:
  `tie_km_max: 15 km`, `max_mw_per_poi: 0.5 GW`.
- **Dates** are `2027`, `2027-03` or `2027-03-31`; a year or month means its first day (its last
  day in keys that end something).
- A **series** is one number, or a map from date to number: each value stands from its date until
  the next, and is zero before the first. **By year** is a map from calendar year to number.
- Where a **list** is expected, one thing needs no brackets.
- **Paths** are relative to the folder of the file they are written in.
- **`extends: base.yaml`** lays this file over another one: maps merge key by key, everything else
  is replaced. Chains may be 10 files deep.
- **`--set key.key=value`** on the command line overrides one value: `--set periods.step=quarter`,
  `--set layers.exclusions.0.buffer_km=2`, `--set 'power.tie_mw_by_kv."34.5"=25'`. The value is
  YAML; `exclusions[0]`, as messages write it, is understood too.
- YAML 1.2 without anchors, aliases and tags, at most 1 MB and 50 levels. `NO`, `ON`, `yes` and
  `010` are text. An unknown key is an error.
"""


def scenario_reference() -> str:
    """Return the Markdown reference of every section, in the order in which sections appear."""
    places: dict[type[BaseModel], list[str]] = {}
    _walk("", Scenario, places)
    return "\n".join([_INTRO, *(_section(model, places) for model in places)])


def _walk(where: str, model: type[BaseModel], places: dict[type[BaseModel], list[str]]) -> None:
    known = model in places
    places.setdefault(model, []).append(where)
    if known:
        return
    for key, info in yaml_keys(model).items():
        for inner in models_in(info.annotation):
            _walk(_below(where, key, info.annotation), inner, places)


def _below(where: str, key: str, annotation: Any) -> str:
    many = "[]" if "list" in _shape(annotation) else ".NAME" if _shape(annotation) == "map" else ""
    return f"{where}.{key}{many}" if where else f"{key}{many}"


def _section(model: type[BaseModel], places: dict[type[BaseModel], list[str]]) -> str:
    where = places[model]
    lines = [f"## `{where[0]}`" if where[0] else "## Top level", ""]
    lines += [" ".join((model.__doc__ or "").split()), ""]
    if where[1:]:
        lines += ["The same keys: " + ", ".join(f"`{w}`" for w in where[1:]) + ".", ""]
    fields = yaml_keys(model)
    base = next((b for b in model.__mro__[1:] if b in places), None)
    if base is not None:
        lines += [f"Every key of `{places[base][0]}`, and:", ""]
        fields = {k: f for k, f in fields.items() if k not in yaml_keys(base)}
    lines += ["| key | type | unit | default | meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_row(key, info) for key, info in fields.items()), ""])


def _row(key: str, info: FieldInfo) -> str:
    cells = [
        f"`{key}`",
        _type_text(info.annotation, info.metadata),
        "" if models_in(info.annotation) else shown_unit(key),
        _default(info),
        info.description or "",
    ]
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    if info.default is PydanticUndefined or info.default is None or info.default in ({}, [], ""):
        return ""
    if isinstance(info.default, str):
        return f"`{info.default}`"
    text = json.dumps(info.default, ensure_ascii=False).replace('"', "")
    return f"`{text}`"


def _shape(annotation: Any) -> str:
    """Return what stands around a section: "list", "map" or nothing."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _shape(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return "/".join(filter(None, (_shape(a) for a in get_args(annotation))))
    return {list: "list", dict: "map"}.get(origin, "")


_NAMED: list[tuple[Any, str]] = [
    (Series, "series"),
    (YearSeries, "by year"),
    (FirstDay, "date"),
    (LastDay, "date"),
    (HallList, "`none`, or list of ids and rows"),
    (HardwareList, "`none`, or list of ids and rows"),
]


def _type_text(annotation: Any, metadata: list[Any] | None = None) -> str:
    if metadata:
        annotation = Annotated[(annotation, *metadata)]
    for named, text in _NAMED:
        if annotation == named:
            return text
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_text(args[0])
    if origin in (Union, UnionType):
        return " or ".join(_type_text(a) for a in args if a is not NoneType)
    if origin is Literal:
        return ", ".join(f"`{a}`" for a in args)
    if origin is list:
        return f"list of {_type_text(args[0])}"
    if origin is dict:
        return f"map from {_type_text(args[0])} to {_type_text(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return {str: "text", bool: "true or false", float: "number", int: "whole number"}.get(
        annotation, getattr(annotation, "__name__", str(annotation))
    )


def main(arguments: list[str]) -> int:
    """Write docs/scenario.md below the current folder, or check it; return the exit code."""
    return page(TARGET, scenario_reference(), "sitepick.scenario.document", arguments)


def page(target: Path, text: str, module: str, arguments: list[str]) -> int:
    """Write a generated page, or with ``--check`` compare it; return the exit code.

    ``module`` is what writes it, for the message.
    """
    if "--check" not in arguments:
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return 0
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return 0
    print(f"{target} is not up to date; run python -m {module}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
