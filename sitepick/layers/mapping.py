"""Which column of a file stands for which of ours: `fields:`, then a preset, then equal names."""

from __future__ import annotations

import difflib

from sitepick.layers import presets
from sitepick.layers.columns import Columns, Found, plain
from sitepick.layers.reading import Reading, some
from sitepick.layers.roles import ID_OF, NO_OWN_ID, PLACE, ROLES
from sitepick.layers.table import Table
from sitepick.layers.units import split_unit


def resolve(table: Table, reading: Reading, chosen: presets.Preset) -> Columns:
    """Return the file's columns under our names: `fields:`, then the preset, then equal names.

    Unknown keys and columns are faults with "did you mean".
    """
    role = reading.role
    asked = dict(reading.spec.fields)
    ours_known = [*ROLES[role], *PLACE]
    if reading.spec.id is not None:
        asked.setdefault("id", reading.spec.id)
    if "id" in asked and role in ID_OF:
        asked.setdefault(ID_OF[role], asked.pop("id"))
    present = list(table.frame.columns)
    lenient: dict[str, list[str]] = {}
    for name in present:
        lenient.setdefault(plain(name), []).append(name)
    mapped: dict[str, Found] = {}
    for ours, theirs in asked.items():
        if ours not in ours_known:
            hint = _did_you_mean(ours, ours_known)
            reading.fault(f"fields: unknown name '{ours}'{hint} (known: {', '.join(ours_known)})")
            continue
        found = _find(theirs, present, lenient)
        if found is None:
            hint = _did_you_mean(split_unit(theirs)[0], present)
            reading.fault(f"no column '{theirs}' for {ours}{hint}; columns are {_listed(present)}")
            mapped[ours] = Found("", None)  # one message is enough for this column
            continue
        mapped[ours] = found
    own = presets.preset("sitepick", role)
    for source in (chosen, own) if chosen.name != own.name else (own,):
        for ours, alternatives in source.fields.items():
            for theirs in alternatives:
                found = _find(theirs, present, {})
                if ours not in mapped and found is not None:
                    mapped[ours] = found
    for ours in ours_known:
        if ours not in mapped and (found := _find(ours, present, lenient)) is not None:
            mapped[ours] = found
    own_id = ID_OF.get(role, "")
    if own_id not in mapped and role not in NO_OWN_ID:
        found = _find("id", present, lenient)
        if found is not None:
            mapped[own_id] = found
    missing = [o for o, column in ROLES[role].items() if column.required and o not in mapped]
    for ours in missing:
        reading.fault(f"no column for {ours}; {_suggest(ours, role, present)}")
    mapped = {ours: found for ours, found in mapped.items() if found.name}
    for name in reading.spec.keep:
        if name not in present:
            hint = _did_you_mean(name, present)
            reading.fault(f"keep: no column '{name}'{hint}; columns are {_listed(present)}")
    return Columns(table, reading, mapped).with_preset(chosen)


def _find(theirs: str, present: list[str], lenient: dict[str, list[str]]) -> Found | None:
    if theirs in present:
        return Found(theirs, None)
    name, unit = split_unit(theirs)
    if unit is not None and name in present:
        return Found(name, unit)
    same = lenient.get(plain(name), [])
    if len(same) == 1 and plain(name):
        return Found(same[0], unit)
    return None


def _suggest(ours: str, role: str, present: list[str]) -> str:
    from sitepick.layers.guess import guess_columns

    listed = f"columns are {_listed(present)}"
    theirs = guess_columns(role, present)[0].get(ours)
    if theirs is not None:
        return f'write `fields: {{{ours}: "{theirs}"}}` if that is it ({listed})'
    return f"name it by `fields: {{{ours}: ...}}`; {listed}"


def _listed(present: list[str]) -> str:
    return some((f"'{name}'" for name in present), 20) if present else "none"


def _did_you_mean(word: str, known: list[str]) -> str:
    by_plain = {plain(k): k for k in known}
    close = difflib.get_close_matches(plain(word), list(by_plain), 1, 0.6)
    return f"; did you mean '{by_plain[close[0]]}'?" if close else ""
