"""Units: what the end of a key name means, and numbers written with their unit.

Every key that holds a quantity ends in its unit (``_mw``, ``_km``, ``_musd_per_mw_year``), so a
plain number is never ambiguous. A number *with* a unit ("500 MW", "0.5 GW") is understood where
the key names one plain unit; compound units and near misses such as ``mW`` are refused.
"""

from __future__ import annotations

import re

FACTORS: dict[str, dict[str, float]] = {
    "mw": {"MW": 1.0, "GW": 1e3, "kW": 1e-3},
    "km": {"km": 1.0, "m": 1e-3, "mi": 1.609344},
    "musd": {"MUSD": 1.0, "kUSD": 1e-3, "USD": 1e-6},
    "ms": {"ms": 1.0, "s": 1e3},
    "kv": {"kV": 1.0, "V": 1e-3},
    "ha": {"ha": 1.0, "acre": 0.40468564224, "km2": 100.0},
    "pct": {"%": 1.0},
    "years": {"years": 1.0, "year": 1.0, "months": 1 / 12},
    "months": {"months": 1.0, "month": 1.0, "years": 12.0, "year": 12.0},
    "s": {"s": 1.0, "min": 60.0, "h": 3600.0},
}
"""End of a key name -> unit as written -> factor to the unit of the key."""

_KIND = {
    "mw": "power", "km": "length", "musd": "money", "ms": "time", "kv": "voltage", "ha": "area",
    "pct": "share", "years": "time", "months": "time", "s": "time",
}  # fmt: skip

_SHOWN = {
    "it_mw": "IT MW", "grid_mw": "grid MW", "ref_mw": "ref MW", "mw": "MW", "km": "km",
    "musd": "MUSD", "usd": "USD", "ms": "ms", "kv": "kV", "kw": "kW", "ha": "ha", "pct": "%",
    "mwh": "MWh", "kwh": "kWh", "l": "L", "kg": "kg", "kt": "kt CO2", "ml": "million L",
    "years": "years", "months": "months", "year": "year", "month": "month", "s": "s",
    "rack": "rack", "site": "site", "poi": "POI",
}  # fmt: skip

_SUFFIX = re.compile(r"_(max|min|by_kv|per_site|per_poi|once_entered)(?=_|$)")
_QUANTITY = re.compile(r"^([-+]?[\d.,_' ]*\d[\d.]*(?:[eE][-+]?\d+)?)\s*([^\d\s].*)?$")
_PLAIN = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_GROUPED = re.compile(r"^[-+]?\d{1,3}([,_' ])\d{3}(?:\1\d{3})*(?:\.\d+)?$")


def plain_unit(key: str) -> str | None:
    """Return the end of ``key`` that names one plain unit (``it_mw`` -> ``mw``), or None.

    Keys of compound units (``musd_per_km``) have none. ``it_mw_max`` and ``mw`` count as ``mw``.
    """
    key = _SUFFIX.sub("", key)
    if "_per_" in key:
        return None
    words = key.split("_")
    return words[-1] if words[-1] in FACTORS else None


def shown_unit(key: str) -> str:
    """Return the unit of ``key`` for people: ``musd_per_mw_year`` -> ``MUSD per MW and year``.

    Empty if the name states none.
    """
    key = _SUFFIX.sub("", key)
    head, *below = key.split("_per_")
    top = _last_unit(head)
    if top is None or (below and _last_unit(below[0]) is None):
        return ""
    if not below:
        return top
    words = [_SHOWN.get(w, w) for w in below[0].split("_")]
    return f"{top} per " + " and ".join(words)


def _last_unit(name: str) -> str | None:
    words = name.split("_")
    for take in (2, 1):
        if "_".join(words[-take:]) in _SHOWN:
            return _SHOWN["_".join(words[-take:])]
    return None


def parse_quantity(text: str, key: str) -> float:
    """Return the number that ``text`` states, in the unit of ``key``.

    Raises ValueError, with what to write instead, if the text is not a number, groups digits,
    or carries a unit that is unknown, of the wrong kind or open to misreading.
    """
    text = text.strip()
    if _PLAIN.match(text):
        return float(text)
    found = _QUANTITY.match(text)
    if found is None:
        raise ValueError(f"must be a number, not {text[:40]!r}")
    digits, unit = found[1].strip(), (found[2] or "").strip()
    plain = _ungrouped(digits)
    if plain is None:
        raise ValueError(f"must be a number, not {text[:40]!r}")
    if not unit:
        raise ValueError(f"write {plain}")
    suffix = plain_unit(key)
    if suffix is None:
        shown = shown_unit(key)
        raise ValueError(f"write {plain}" + (f" (the key says {shown})" if shown else ""))
    known = FACTORS[suffix]
    if unit not in known:
        raise ValueError(_unit_fault(unit, suffix))
    if plain != digits:
        raise ValueError(f"write {plain} {unit}")
    return float(plain) * known[unit]


def _ungrouped(digits: str) -> str | None:
    if _PLAIN.match(digits):
        return digits
    if _GROUPED.match(digits):
        return re.sub(r"[,_' ]", "", digits)
    return None


def _unit_fault(unit: str, suffix: str) -> str:
    known, kind = FACTORS[suffix], _KIND[suffix]
    if suffix == "mw" and unit.lower().endswith("wh"):
        return f"{unit} is energy, power is needed: write MW"
    if suffix == "mw" and unit == "mW":
        return "mW is a milliwatt; write MW"
    alike = [u for u in known if u.lower() == unit.lower()]
    hint = f"did you mean '{alike[0]}'?" if alike else f"write one of {', '.join(known)}"
    return f"unknown {kind} unit '{unit}'; {hint}"
