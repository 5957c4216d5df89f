"""Units that a column may be in, as in ``fields: {usable_ha: "Acres [acre]"}``."""

from __future__ import annotations

import difflib
import re

UNITS: dict[str, tuple[str, float]] = {
    "ha": ("area", 1.0),
    "acre": ("area", 0.40468564224),
    "km2": ("area", 100.0),
    "m2": ("area", 1e-4),
    "sqft": ("area", 0.09290304e-4),
    "sqmi": ("area", 258.9988110336),
    "musd": ("money", 1.0),
    "kusd": ("money", 1e-3),
    "usd": ("money", 1e-6),
    "mw": ("power", 1.0),
    "mva": ("power", 1.0),
    "kva": ("power", 1e-3),
    "w": ("power", 1e-6),
    "kw": ("power", 1e-3),
    "gw": ("power", 1e3),
    "kv": ("voltage", 1.0),
    "v": ("voltage", 1e-3),
    "km": ("length", 1.0),
    "m": ("length", 1e-3),
    "ft": ("length", 0.3048e-3),
    "mi": ("length", 1.609344),
    "usd_per_mwh": ("energy price", 1.0),
    "usd_per_kwh": ("energy price", 1e3),
    "cent_per_kwh": ("energy price", 10.0),
    "usd_per_kw_month": ("demand charge", 1.0),
    "usd_per_mw_month": ("demand charge", 1e-3),
    "kg_per_mwh": ("carbon", 1.0),
    "g_per_kwh": ("carbon", 1.0),
    "lb_per_mwh": ("carbon", 0.45359237),
    "t_per_mwh": ("carbon", 1e3),
    "kusd_per_mw": ("money per power", 1.0),
    "usd_per_mw": ("money per power", 1e-3),
    "usd_per_kw": ("money per power", 1.0),
    "pct": ("share", 1.0),
    "fraction": ("share", 100.0),
    "h": ("time", 1.0),
    "years": ("duration", 1.0),
    "months": ("duration", 1 / 12),
    "ms": ("delay", 1.0),
    "s": ("delay", 1e3),
    "tbps": ("capacity", 1.0),
    "gbps": ("capacity", 1e-3),
    "mbps": ("capacity", 1e-6),
    "usd_per_km_year": ("lease", 1.0),
    "usd_per_km_month": ("lease", 12.0),
    "usd_per_mi_year": ("lease", 1 / 1.609344),
    "usd_per_mi_month": ("lease", 12 / 1.609344),
    "musd_per_mw_year": ("transport", 1.0),
    "usd_per_mw_year": ("transport", 1e-6),
}
SPELLED = {
    "acres": "acre",
    "ac": "acre",
    "hectare": "ha",
    "hectares": "ha",
    "sq ft": "sqft",
    "ft2": "sqft",
    "sq km": "km2",
    "sq mi": "sqmi",
    "$": "usd",
    "us$": "usd",
    "$k": "kusd",
    "k$": "kusd",
    "$m": "musd",
    "$mm": "musd",
    "m$": "musd",
    "usd m": "musd",
    "usd million": "musd",
    "volts": "v",
    "feet": "ft",
    "miles": "mi",
    "%": "pct",
    "$/mwh": "usd_per_mwh",
    "usd/mwh": "usd_per_mwh",
    "$/kwh": "usd_per_kwh",
    "c/kwh": "cent_per_kwh",
    "$/kw-mo": "usd_per_kw_month",
    "$/kw-month": "usd_per_kw_month",
    "$k/mw": "kusd_per_mw",
    "$/mw": "usd_per_mw",
    "$/kw": "usd_per_kw",
    "lb/mwh": "lb_per_mwh",
    "kg/mwh": "kg_per_mwh",
    "g/kwh": "g_per_kwh",
    "tb/s": "tbps",
    "gb/s": "gbps",
    "gbit/s": "gbps",
}
_BRACKET = re.compile(r"^(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]+)\]$")


def known_unit(text: str) -> str | None:
    """Return the unit that ``text`` names (``Acres`` -> ``acre``), None if it names none.

    ``mW`` is a milliwatt and names none: nobody means it, so it is not guessed.
    """
    stripped = text.strip()
    if stripped == "mW":
        return None
    low = stripped.lower()
    low = SPELLED.get(low, low)
    return low if low in UNITS else None


def split_unit(text: str) -> tuple[str, str | None]:
    """Split ``Acres [acre]`` into name and unit text; without bracket the unit is None."""
    found = _BRACKET.match(text.strip())
    return (found["name"], found["unit"]) if found else (text, None)


def factor(unit: str, canonical: str) -> float:
    """Return what to multiply a value in ``unit`` by to have it in ``canonical``.

    Raises:
        ValueError: the unit is unknown or measures something else; the message says what is known.
    """
    name = known_unit(unit)
    kind, scale = UNITS[canonical]
    possible = [u for u, (k, _) in UNITS.items() if k == kind]
    if name is None:
        close = difflib.get_close_matches(unit.lower(), possible, 1, 0.5)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ValueError(f"unknown unit '{unit}'{hint} (known for {kind}: {', '.join(possible)})")
    if UNITS[name][0] != kind:
        raise ValueError(f"'{unit}' is {UNITS[name][0]}, {kind} is needed ({', '.join(possible)})")
    return UNITS[name][1] / scale
