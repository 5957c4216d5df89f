"""Offers of leased halls: powered shells and colocation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some
from sitepick.layers.table import object_array

RENT_ODD = (5.0, 2000.0)
"""USD per kW and month: below or above, a rent is more likely one of another unit."""
MW_STEPS = ((1e5, "w"), (1e3, "kw"))
"""A median above is of that unit: no single hall to let is of a GW."""
TERM_MAX = 99.0
ESCALATION_MAX = 50.0


def clean_leases(columns: Columns) -> pd.DataFrame:
    """Return `Layers.leases` of one file; geometry may be None."""
    ids = columns.ids("offer_id")
    common.refuse_repeats(columns, ids, "offer_id")
    most = columns.number("it_mw_max")
    common.need_filled(columns, "it_mw_max", ~(most > 0))
    common.check_scale(columns, "it_mw_max", most, "IT MW", MW_STEPS)
    least = columns.number("it_mw_min", default=0.0)
    _fault(columns, least > most, "ask for more IT MW at least than at most")
    ready = columns.dates("ready_date")
    common.need_filled(columns, "ready_date", common.missing(ready))
    rent = columns.number("usd_per_kw_month")
    common.need_filled(columns, "usd_per_kw_month", np.isnan(rent))
    term = columns.number("term_years", high=TERM_MAX)
    common.need_filled(columns, "term_years", ~(term > 0))
    avg = columns.number("pue_avg", high=5.0)
    peak = columns.number("pue_peak", high=5.0)
    _fault(columns, (avg < 1) | (peak < 1), "have a PUE below 1")
    _fault(columns, peak < avg, "have a design-day PUE below the annual one")
    year = columns.number("price_year")
    _fault(columns, (year < 1990) | (year > 2100) | (year % 1 > 0), "have an odd price_year")
    _note_rent(columns, rent)
    _note_kind(columns)
    geometry = columns.table.geometry
    if geometry is None:
        geometry = np.full(len(columns), None, dtype=object)
    return common.geo_frame(
        {
            "offer_id": ids,
            "name": common.names(columns, ids),
            "operator": columns.text("operator"),
            "kind": columns.choices("kind", default="colocation"),
            "it_mw_min": least,
            "it_mw_max": most,
            "ready_date": ready,
            "usd_per_kw_month": rent,
            "price_year": year,
            "escalation_pct": columns.number("escalation_pct", high=ESCALATION_MAX),
            "term_years": term,
            "renews": columns.flags("renews", default=False),
            "power_included": columns.flags("power_included", default=False),
            "energy_usd_per_mwh": columns.number("energy_usd_per_mwh"),
            "hall": columns.text("hall"),
            "kw_per_rack": columns.number("kw_per_rack"),
            "liquid": _flag_or_none(columns, "liquid"),
            "pue_avg": avg,
            "pue_peak": peak,
            "climate": columns.text("climate"),
            "reply_by": columns.dates("reply_by", end=True),
        },
        geometry,
    )


def _flag_or_none(columns: Columns, ours: str) -> np.ndarray:
    """Return True, False or None (empty) [n]."""
    told = ~common.missing(columns.raw(ours))
    flag = columns.flags(ours, default=False)
    return object_array([bool(f) if t else None for f, t in zip(flag, told, strict=True)])


def _fault(columns: Columns, wrong: np.ndarray, said: str) -> None:
    rows = columns.ats(np.flatnonzero(wrong))
    if rows:
        columns.reading.fault(f"{count_of(len(rows), 'lease offer')} {said} ({some(rows)})")


def _note_rent(columns: Columns, rent: np.ndarray) -> None:
    low, high = RENT_ODD
    odd = columns.ats(np.flatnonzero((rent < low) | (rent > high)))
    if odd:
        text = (
            f"{count_of(len(odd), 'lease offer')} with a rent outside {low:g} to {high:g} USD per "
            f"kW and month ({some(odd)}): is it of another unit?"
        )
        columns.reading.note("lease_rent_odd", text, len(odd))


def _note_kind(columns: Columns) -> None:
    if not columns.has("kind"):
        text = "no column for kind: all offers are taken as colocation"
        columns.reading.note("lease_kind_assumed", text, len(columns))
    if not columns.has("power_included"):
        text = "no column for power_included: energy is taken as not in the rent"
        columns.reading.note("lease_power_assumed", text, len(columns))
