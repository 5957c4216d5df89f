"""Column maps of well-known files, as data: one YAML file each."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Preset:
    """How one role of a well-known source is read."""

    name: str
    title: str
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)  # first one present counts
    nulls: tuple[Any, ...] = ()
    unlimited: tuple[str, ...] = ()  # our columns in which 0 means: no limit known
    lenient: tuple[str, ...] = ()  # our columns whose free text may be unreadable: unknown, noted
    mention: dict[str, str] = field(default_factory=dict)  # the file's flag column -> what to say
    join: str | None = None  # files beside this one that complete it
    licence: str = ""
    synthetic: bool = False


def names() -> list[str]:
    """Return the names of all presets."""
    found = (p.name for p in files(__package__).iterdir() if p.name.endswith(".yaml"))
    return sorted(n.removesuffix(".yaml") for n in found if n != "headers.yaml")


@cache
def raw(name: str) -> dict[str, Any]:
    """Return the YAML of one preset (or of ``headers``) as it is."""
    from ruamel.yaml import YAML

    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))


@cache
def preset(name: str, role: str) -> Preset:
    """Return preset ``name`` for ``role``.

    Raises:
        ValueError: no such preset, or it does not serve the role; the message names others.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1, 0.5)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ValueError(f"unknown preset '{name}'{hint} (known: {', '.join(names())})")
    data = raw(name)
    parts = data["roles"]
    if role not in parts:
        if name == "sitepick":
            return Preset(name, str(data["title"]))
        raise ValueError(f"preset '{name}' reads {', '.join(parts)}, not {role}")
    part = parts[role] or {}
    return Preset(
        name=name,
        title=str(data["title"]),
        fields={
            ours: tuple([theirs] if isinstance(theirs, str) else theirs)
            for ours, theirs in (part.get("fields") or {}).items()
        },
        nulls=tuple(part.get("nulls") or data.get("nulls") or ()),
        unlimited=tuple(part.get("unlimited") or ()),
        lenient=tuple(part.get("lenient") or ()),
        mention=dict(part.get("mention") or {}),
        join=part.get("join"),
        licence=str(data.get("licence") or ""),
        synthetic=bool(data.get("synthetic", False)),
    )
