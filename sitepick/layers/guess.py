"""Which role a file plays and which column is which, judged by headers, geometry and values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from sitepick.layers import presets, values
from sitepick.layers.read import read
from sitepick.layers.roles import GEOMETRY, ID_OF, PLACE, ROLES
from sitepick.layers.table import Table
from sitepick.layers.units import factor, known_unit, split_unit

_KEPT_ROLES = ("parcels", "sites", "power_offers", "leases")
"""Roles whose own columns travel to every output."""
_KEPT_MOST = 40
"""Most own columns kept from one file."""
_LEVELS = {"count": "county", "state": "state", "province": "state", "utilit": "utility",
           "ba-": "utility", "territor": "utility"}  # fmt: skip
"""Region level by a part of the file's name."""
_GRAPHS = {"graph": "fiber_nodes", "ofds": "fiber_nodes", "ofds spans": "fiber_links"}
"""Role of what a file that holds a network was read as."""
_HINT = re.compile(r"[(\[](?P<unit>[^)\]]*)[)\]]")


@dataclass
class Guess:
    """What a file seems to be. ``fields`` is what `fields:` would say; ``score`` is 0 to 1."""

    role: str | None
    fields: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    score: float = 0.0
    preset: str | None = None
    scores: dict[str, float] = field(default_factory=dict)


def _words(text: str) -> str:
    spaced = re.sub(r"(?<=[a-z]{2})(?=[A-Z])", " ", text)  # SiteName, but not kV
    return " ".join(re.findall(r"[^\W_]+", spaced.casefold()))


def header_parts(name: str) -> tuple[str, str | None]:
    """Split a header into its words and the unit it tells: ``Ask ($M)`` -> ``ask``, musd."""
    unit = None
    for found in _HINT.finditer(name):
        unit = unit or known_unit(found["unit"])
    words = _words(_HINT.sub(" ", name))
    *rest, last = words.split(" ") if words else [""]
    if unit is None and rest and known_unit(last) and len(last) > 1:
        unit = known_unit(last)
    return words, unit


@cache
def _entries(role: str) -> dict[str, list[tuple[str, str | None]]]:
    out: dict[str, list[tuple[str, str | None]]] = {}
    for ours, list_ in presets.raw("headers")["roles"].get(role, {}).items():
        out[ours] = [(_words(ours), None)]
        for entry in list_:
            words, unit = split_unit(entry)
            out[ours].append((_words(words), unit))
    return out


def guess_columns(role: str, names: Sequence[str]) -> tuple[dict[str, str], dict[str, float]]:
    """Return our name -> the file's, with unit where it is not ours, and how sure (0 to 1)."""
    bids: list[tuple[float, int, str, str, str | None]] = []
    for name in names:
        words, told = header_parts(name)
        bare = words
        if told and words.split(" ")[-1:] and known_unit(words.split(" ")[-1]):
            bare = " ".join(words.split(" ")[:-1])
        for ours, entries in _entries(role).items():
            for rank, (entry, unit) in enumerate(entries):
                tokens, have = set(entry.split()), set(words.split())
                if entry in (words, bare):
                    sure = 1.0 if entry == words else 0.95
                elif len(tokens) > 1 and tokens <= have:
                    sure = 0.8 * len(tokens) / len(have) + 0.15
                elif len(entry) > 3 and tokens <= have and len(have) <= 3 and _loose(role, ours):
                    sure = 0.5
                else:
                    continue
                bids.append((sure - rank * 0.004, -rank, ours, name, told or unit))
    bids.sort(key=lambda b: (-b[0], -b[1], names.index(b[3])))
    mapping: dict[str, str] = {}
    sure_of: dict[str, float] = {}
    taken: set[str] = set()
    for sure, _, ours, name, unit in bids:
        if ours in mapping or name in taken:
            continue
        canonical = ROLES[role][ours].unit if ours in ROLES[role] else None
        if unit is not None and canonical is not None:
            try:
                if factor(unit, canonical) == 1.0:
                    unit = None
            except ValueError:
                continue  # a header in other dimensions, e.g. kV, is not this column
        else:
            unit = None
        mapping[ours] = f"{name} [{unit}]" if unit else name
        sure_of[ours] = round(sure, 3)
        taken.add(name)
    order = [*ROLES[role], *PLACE]
    return {o: mapping[o] for o in order if o in mapping}, sure_of


def _status_as_decision(best: Guess, table: Table) -> None:
    """Read a parcel table's Status as the decision if every word in it means one."""
    words = presets.raw("headers")["values"]["decision"]
    known = {_words(w) for list_ in words.values() for w in list_}
    for name in map(str, table.frame.columns):
        if header_parts(name)[0] not in ("status", "site status", "parcel status", "stage"):
            continue
        cells = [_words(str(c)) for c in table.frame[name] if not values.is_null(c)]
        unknown = sorted(set(cells) - known)
        if cells and not unknown:
            best.fields = {**best.fields, "decision": name}
            best.doubts.append(f"column '{name}' read as the decision: check require and forbid")
        elif cells:
            best.doubts.append(
                f"column '{name}' is not read: '{unknown[0]}' is no decision (consider, require, "
                "forbid, existing); all parcels are considered"
            )
        return


def _letter_of_tranches(best: Guess, table: Table) -> None:
    """Take a letter number that several rows share as their source: an offer is one tranche."""
    name = best.fields.get("offer_id")
    if name is None:
        return
    cells = [str(c).strip() for c in table.frame[name] if not values.is_null(c)]
    if len(set(cells)) == len(cells) == len(table.frame):
        return
    fields = {ours: theirs for ours, theirs in best.fields.items() if ours != "offer_id"}
    if "source" in fields:
        best.doubts.append(f"column '{name}' is not read: it does not name each row apart")
    else:
        fields["source"] = name
        best.doubts.append(
            f"column '{name}' read as the source: it does not name each row (tranche) apart"
        )
    best.fields = fields


def _name_as_id(best: Guess, table: Table) -> None:
    """Take a column of names as the id where there is none and each row has a name of its own."""
    ours, name = ID_OF.get(best.role or ""), best.fields.get("name")
    if ours is None or name is None or ours in best.fields or "name" not in ROLES[best.role or ""]:
        return
    cells = [str(c).strip() for c in table.frame[name] if not values.is_null(c)]
    if len({c.casefold() for c in cells}) < len(table.frame):
        return
    rest = {o: theirs for o, theirs in best.fields.items() if o != "name"}
    best.fields = {ours: name, **rest}
    best.doubts.append(f"column '{name}' read as the id: it names each row apart")


def _loose(role: str, ours: str) -> bool:
    return ours not in ROLES[role] or ROLES[role][ours].kind not in ("flag", "id")


def guess_role(path: Path) -> tuple[str | None, dict[str, str], list[str]]:
    """Return role (None: no idea), column map and doubts of a file.

    Raises:
        Refused: the file cannot be read.
    """
    found = guess(read(path), path)
    return found.role, found.fields, found.doubts


def guess(table: Table, path: Path) -> Guess:
    """Return what the file that ``table`` was read from seems to be."""
    names = [str(c) for c in table.frame.columns]
    known = ("topohub", "fiber_nodes") if table.dialect == "nodelink" else _known_source(names)
    shape = _shape(table)
    scores: dict[str, float] = {}
    best = Guess(None)
    for role in ROLES:
        mapping, sure = guess_columns(role, names)
        if table.geometry is not None:
            mapping = {o: t for o, t in mapping.items() if o not in PLACE}
        score = _score(role, mapping, sure, shape, path)
        scores[role] = score
        if score > best.score:
            best = Guess(role, mapping, [], score)
    if best.role == "parcels" and "decision" not in best.fields:
        _status_as_decision(best, table)
    if best.role == "power_offers":
        _letter_of_tranches(best, table)
    _name_as_id(best, table)
    if known is not None:
        name, role = known
        best = Guess(role, {}, [], 0.95, preset=name)
        scores[role] = 0.95
    if table.dialect in _GRAPHS:
        best = Guess(_GRAPHS[table.dialect], {}, [], 0.95)
        scores[_GRAPHS[table.dialect]] = 0.95
    best.scores = dict(sorted(scores.items(), key=lambda kv: -kv[1]))
    if best.score < 0.3:
        best = Guess(None, scores=best.scores)
        best.doubts.append("no role recognised: say which it is under `layers:`")
        return best
    best.doubts += _doubts(best, table)
    return best


def own_columns(table: Table, seen: Guess) -> tuple[str, ...]:
    """Return the columns that are none of ours, of files whose own columns go to every output."""
    if seen.role not in _KEPT_ROLES or seen.preset is not None:
        return ()
    ours = {split_unit(theirs)[0] for theirs in seen.fields.values()}
    ours |= set(seen.fields.values())
    return tuple(c for c in map(str, table.frame.columns) if c not in ours)[:_KEPT_MOST]


def level_of(stem: str) -> str:
    """Return the region level that a file's name tells."""
    for part, level in _LEVELS.items():
        if part in stem.casefold():
            return level
    return re.sub(r"\W+", "_", stem).strip("_").casefold() or "region"


def _known_source(names: list[str]) -> tuple[str, str] | None:
    for name in presets.names():
        for role, part in (presets.raw(name).get("roles") or {}).items():
            marks = (part or {}).get("signature")
            if marks and set(marks) <= set(names):
                return name, role
    return None


def _shape(table: Table) -> str:
    if table.geometry is None:
        return "none"
    kinds = shapely.get_type_id(table.geometry)
    kinds = kinds[kinds >= 0]
    if not len(kinds):
        return "none"
    areas = np.isin(kinds, (3, 6)).mean()
    lines = np.isin(kinds, (1, 2, 5)).mean()
    return "polygon" if areas > 0.5 else "line" if lines > 0.5 else "point"


FITS = {
    "point": ("substations", "fiber_nodes", "parcels", "sites", "demand", "leases", "exclusions"),
    "line": ("lines", "fiber_links", "rights_of_way", "exclusions"),
    "polygon": ("regions", "parcels", "exclusions", "substations"),
}
FILE_WORDS = {
    "substations": "substation subs poi hosting headroom",
    "lines": "line transmission",
    "fiber_nodes": "fiber_node pop fiber-node backbone_union_nodes nodes",
    "fiber_links": "fiber_link fiber_route backbone_union_links fiber links",
    "rights_of_way": "rail right_of_way rights_of_way",
    "regions": "region state county counties countries provinces territory utility ba-",
    "exclusions": "exclu park protected wetland flood military avoid urban",
    "parcels": "parcel land property properties site",
    "sites": "site",
    "demand": "demand city cities place market metro",
    "demand_mw": "demand",
    "power_offers": "letter offer power utility",
    "leases": "lease colo colocation shell rent",
    "shared_limits": "shared limit",
    "tariffs": "tariff price rate",
    "queue": "queue time_to_power wait",
    "commitments": "commit",
    "matrix": "matrix rtt latency",
    "solar_days": "solar sun pv irradiance",
}


def _score(
    role: str, mapping: dict[str, str], sure: dict[str, float], shape: str, path: Path
) -> float:
    if shape != "none" and role not in FITS[shape]:
        return 0.0
    placed = shape != "none" or "wkt" in mapping or {"lon", "lat"} <= set(mapping)
    mapped = role in GEOMETRY and role not in ("parcels", "sites", "demand", "leases")
    if mapped and not placed:
        return 0.0
    need = [o for o, c in ROLES[role].items() if c.required]
    marks = presets.raw("headers")["marks"][role]
    have = sum(sure.get(o, 0.0) for o in need) / len(need) if need else 0.6
    mark = sum(sure.get(o, 0.0) for o in marks) / max(1, min(3, len(marks))) if marks else 0.0
    ident = ID_OF.get(role)
    score = 0.45 * have + 0.35 * min(1.0, mark) + 0.05 * (ident in mapping)
    if need and any(o not in mapping for o in need):
        score *= 0.5
    if role in ("parcels", "sites", "demand") and not any(o in mapping for o in marks):
        score *= 0.6  # an id alone makes no parcel
    if role == "tariffs" and not any("_per_" in ours for ours in mapping):
        return 0.0  # a tariff has a price
    name = path.name.casefold()
    hit = any(word in name for word in FILE_WORDS[role].split())
    return round(min(1.0, score + (0.2 if hit else 0.0)), 3)


def _doubts(found: Guess, table: Table) -> list[str]:
    """Say what a person should look at before trusting the guess."""
    role = found.role
    assert role is not None
    out = []
    others = [r for r, s in found.scores.items() if r != role and s > 0.85 * found.score]
    if others and found.preset is None:
        out.append(f"could also be {' or '.join(others[:2])}")
    if found.preset == "topohub" or table.dialect in ("graph", "ofds"):
        out.append("holds links as well: name it under fiber_links too")
    if found.preset is not None:
        return out
    for ours, column in ROLES[role].items():
        if column.required and ours not in found.fields:
            out.append(f"no column found for {ours}: add it to `fields:`")
    for ours, theirs in found.fields.items():
        name, unit = (theirs, None) if theirs in table.frame.columns else split_unit(theirs)
        cells = [c for c in table.frame[name] if not values.is_null(c)]
        if not cells:
            out.append(f"column '{name}' ({ours}) is empty")
            continue
        kind = ROLES[role][ours].kind if ours in ROLES[role] else "number"
        if ours != "wkt" and kind in ("number", "kv"):
            out += _number_doubts(ours, name, unit, cells, told=header_parts(name)[1] is not None)
        if ours == "name" and found.fields.get(ID_OF.get(role, "")) == theirs:
            out.append(f"column '{name}' serves as id and name")
    placed = table.geometry is not None or "wkt" in found.fields or "lon" in found.fields
    if role == "parcels" and not placed:
        out.append("no coordinates: add columns lon and lat")
    if role == "substations" and "headroom_mw" in found.fields:
        out.append("is headroom for load (withdrawal)? then add `kind: load`")
    return out


def _number_doubts(
    ours: str, name: str, unit: str | None, cells: list[object], *, told: bool
) -> list[str]:
    numbers = []
    for cell in cells:
        try:
            numbers.append(values.kilovolts(cell)[0] if ours == "kv" else values.number(cell)[0])
        except ValueError:
            continue
    if len(numbers) < len(cells):
        return [f"column '{name}' ({ours}): {len(cells) - len(numbers)} cells are no numbers"]
    middle = float(pd.Series(numbers).median())
    if ours == "ask_musd" and unit == "usd" and middle < 1000:
        return [f"column '{name}': median {middle:g} read as USD; is it million or thousand USD?"]
    if ours == "ask_musd" and unit is None and middle > 1000:
        return [f"column '{name}': median {middle:g} read as MUSD; write `{name} [usd]`?"]
    if ours.endswith("_mw") and unit is None and not told and middle > 20_000:
        return [f"column '{name}': median {middle:g} read as MW; is it kW or W?"]
    if ours == "usable_ha" and unit is None and not told and "ha" not in name.casefold():
        return [f"column '{name}': read as hectares; write `{name} [acre]` if it is acres"]
    return []
