"""Substations (POIs) and transmission lines. MW is read, never made up."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some

GENERATION = re.compile(r"gen|inject|export|solar|pv\b|_pv|\bder|wind|feed[-_ ]?in", re.I)
LOAD = re.compile(r"headroom|load|withdraw|demand|offtake|consum|import", re.I)
PLACEHOLDER = re.compile(r"(UNKNOWN|TAP)\d+")
LISTED = re.compile(r"[;/|]")
KV_STEPS = ((2000.0, "v"),)
MW_STEPS = ((1e6, "w"), (2e4, "kw"))
KV_MAX = 1500.0
MW_ODD = 20_000.0  # the largest POIs of the world carry less


def clean_substations(columns: Columns) -> pd.DataFrame:
    """Return `Layers.pois` of one file."""
    _check_kind(columns)
    ids = common.ids_by_place(columns, "poi_id")
    headroom = columns.number("headroom_mw", low=-np.inf)
    common.check_scale(columns, "headroom_mw", headroom, "MW", MW_STEPS)
    _refuse_feeders(columns, ids, headroom)
    negative = headroom < 0
    if negative.any():
        rows = columns.ats(np.flatnonzero(negative))
        text = f"{count_of(len(rows), 'POI')} with negative headroom (overloaded) counted as 0 MW"
        columns.reading.note("headroom_negative", f"{text} ({some(rows)})", len(rows))
        headroom = np.where(negative, 0.0, headroom)
    odd = np.flatnonzero(headroom > MW_ODD)
    if len(odd):
        text = f"{count_of(len(odd), 'POI')} with more than {MW_ODD:,.0f} MW of headroom"
        columns.reading.note("headroom_odd", f"{text} ({some(columns.ats(odd))})", len(odd))
    common.note_same_place(columns)
    names = common.names(columns, ids)
    blank = [i for i, name in enumerate(names) if PLACEHOLDER.fullmatch(str(name))]
    if blank:
        text = f"{count_of(len(blank), 'placeholder name')} such as {names[blank[0]]}"
        columns.reading.note("placeholder_names", text, len(blank))
    kv, levels = _voltages(columns)
    return common.geo_frame(
        {
            "poi_id": ids,
            "name": names,
            "kv": kv,
            "kv_levels": levels,
            "headroom_mw": headroom,
            "from_date": columns.dates("from_date"),
            "estimated": columns.flags("estimated", default=False),
            "synthetic": columns.flags("synthetic", default=columns.table.synthetic),
            "gas": columns.choices("gas", default="unknown"),
        },
        columns.table.geometry,
    )


def _check_kind(columns: Columns) -> None:
    """Refuse injection headroom, and MW of which nobody says that it is for load."""
    found, reading = columns.mapped.get("headroom_mw"), columns.reading
    if reading.spec.kind == "generation":
        reading.fault(
            "`kind: generation`: injection (generation) headroom is not withdrawal (load) "
            "headroom; ask the utility for its load capacity map, or leave headroom_mw out"
        )
        return
    if found is None or reading.spec.kind == "load":
        return
    if GENERATION.search(found.name):
        reading.fault(
            f"column '{found.name}' looks like injection (generation) headroom, which is not "
            "withdrawal (load) headroom; if it is for load, say `kind: load`"
        )
    elif not LOAD.search(found.name):
        reading.fault(
            f"column '{found.name}' as headroom_mw: hosting capacity can mean load or "
            "generation; say `kind: load` (withdrawal) or `kind: generation`"
        )


def _refuse_feeders(columns: Columns, ids: np.ndarray, headroom: np.ndarray) -> None:
    if np.isfinite(headroom).any() and common.repeated(ids):
        common.refuse_repeats(
            columns,
            ids,
            "poi_id",
            "MW of feeders or banks are not summed to a substation. Keep one row per POI with "
            "the MW that the substation can give as a whole, and put limits of feeders or banks "
            "into `shared_limits`",
        )
    else:
        common.refuse_repeats(columns, ids, "poi_id")


def kilovolts(columns: Columns) -> np.ndarray:
    """Return kV [n], nan where unknown; volts without their unit are a fault."""
    kv = columns.number("kv")
    common.check_scale(columns, "kv", kv, "kV", KV_STEPS)
    wrong = np.flatnonzero(kv > KV_MAX)
    if len(wrong) and float(np.nanmedian(kv)) <= KV_STEPS[0][0]:
        listed = some(f"{kv[i]:g} at {columns.ats([i])[0]}" for i in wrong)
        columns.reading.fault(
            f"{count_of(len(wrong), 'voltage')} above {KV_MAX:g} kV ({listed}); "
            "are volts mixed with kilovolts?"
        )
    unknown = int(np.isnan(kv).sum())
    if unknown and columns.has("kv"):
        text = f"{unknown:,} of {len(kv):,} rows have no known voltage"
        columns.reading.note("kv_unknown", text, unknown)
    return kv


def _voltages(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest kV [n] and, where there are several, all of them as ``345;138`` [n]."""
    kv, low = kilovolts(columns), columns.number("kv_min")
    several = columns.voltages("kv_levels")
    common.check_scale(columns, "kv_min", low, "kV", KV_STEPS)
    flat = np.array([v for row in several for v in row], dtype=float)
    common.check_scale(columns, "kv_levels", flat, "kV", KV_STEPS)
    high = [max(row, default=np.nan) for row in several]
    kv = np.where(np.isnan(kv), high, kv)
    levels = np.full(len(kv), None, dtype=object)
    lists = columns.has("kv") and any(
        isinstance(cell, str) and LISTED.search(cell)
        for cell in columns.table.frame[columns.mapped["kv"].name]
    )
    of_kv = columns.voltages("kv") if lists else [()] * len(kv)
    for i, (stated, written) in enumerate(zip(several, of_kv, strict=True)):
        known = {v for v in (*stated, *written, kv[i], low[i]) if v > 0 and v <= kv[i]}
        if len(known) > 1:
            levels[i] = ";".join(f"{v:g}" for v in sorted(known, reverse=True))
    return kv, levels


def clean_lines(columns: Columns) -> pd.DataFrame:
    """Return `Layers.lines` of one file."""
    ids = common.ids_by_number(columns, "line_id", "line-")
    rating = columns.number("rating_mva")
    if "rating_mva" in columns.unlimited and (rating == 0).any():
        n = int((rating == 0).sum())
        text = f"{count_of(n, 'rating')} of 0 mean unlimited and count as unknown"
        columns.reading.note("rating_unlimited", text, n)
        rating = np.where(rating == 0, np.nan, rating)
    common.refuse_repeats(columns, ids, "line_id")
    return common.geo_frame(
        {"line_id": ids, "kv": kilovolts(columns), "rating_mva": rating},
        columns.table.geometry,
    )
