"""Utility letters (power offers), limits that POIs share, and tariffs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.power import MW_STEPS
from sitepick.layers.reading import count_of, some
from sitepick.scenario.inputs import TariffFile

RAMP_YEARS_MAX = 50.0


def clean_offers(columns: Columns) -> pd.DataFrame:
    """Return `Layers.power_offers` of one file.

    ``mw_total`` is cumulative per POI; a later tranche that is lower is noted, since it may well
    be a tranche and not a total.
    """
    total = columns.number("mw_total")
    common.need_filled(columns, "mw_total", np.isnan(total))
    common.check_scale(columns, "mw_total", total, "MW", MW_STEPS)
    start, stop = columns.dates("from_date"), columns.dates("to_date", end=True)
    common.need_filled(columns, "from_date", common.missing(start))
    stage = columns.choices("stage")
    common.need_filled(columns, "stage", common.missing(stage))
    back = [
        i
        for i in range(len(columns))
        if start[i] is not None and stop[i] is not None and stop[i] < start[i]
    ]
    if back:
        columns.reading.fault(
            f"{count_of(len(back), 'offer')} end before they start ({some(columns.ats(back))})"
        )
    ids = _offer_ids(columns)
    common.refuse_repeats(columns, ids, "offer_id")
    frame = common.plain_frame(
        {
            "offer_id": ids,
            "poi_id": columns.ids("poi_id"),
            "mw_total": total,
            "from_date": start,
            "to_date": stop,
            "stage": stage,
            "firm": columns.flags("firm", default=True),
            "curtail_hours_per_year": columns.number(
                "curtail_hours_per_year", high=8784.0, default=0.0
            ),
            "min_take_pct": columns.number("min_take_pct", high=100.0, default=0.0),
            "security_kusd_per_mw": columns.number("security_kusd_per_mw", default=0.0),
            "upgrade_musd": columns.number("upgrade_musd", default=0.0),
            "ramp_years": columns.number("ramp_years", high=RAMP_YEARS_MAX, default=0.0),
            "reply_by": columns.dates("reply_by", end=True),
            "letter_date": columns.dates("letter_date"),
            "source": columns.text("source"),
        }
    )
    _note_firm(columns, frame)
    _note_falling(columns, frame)
    return frame


def _offer_ids(columns: Columns) -> np.ndarray:
    if columns.has("offer_id"):
        return columns.ids("offer_id")
    poi, start = columns.text("poi_id"), columns.dates("from_date")
    total, stage = columns.number("mw_total"), columns.text("stage")
    seen: dict[str, int] = {}
    out = np.empty(len(columns), dtype=object)
    # of one POI and date the smaller one comes first, whatever the order of rows
    order = sorted(range(len(columns)), key=lambda i: (_last(float(total[i])), str(stage[i]), i))
    for i in order:
        made = f"{poi[i]} {start[i]}"
        seen[made] = seen.get(made, 0) + 1
        out[i] = made if seen[made] == 1 else f"{made} ({seen[made]})"
    columns.reading.note("ids_made", "no column for offer_id: made of POI and date", len(out))
    return out


def _last(number: float) -> float:
    """Return a number by which blanks come last."""
    return np.inf if np.isnan(number) else float(number)


def _note_firm(columns: Columns, frame: pd.DataFrame) -> None:
    if not columns.has("firm"):
        text = "no column for firm: all offers are taken as firm"
        columns.reading.note("firm_assumed", text, len(frame))
    bare = np.flatnonzero(~frame["firm"] & (frame["curtail_hours_per_year"] == 0))
    if len(bare):
        rows = columns.ats(bare)
        text = f"{count_of(len(rows), 'offer')} not firm, but without curtailable hours"
        columns.reading.note("hours_unknown", f"{text} ({some(rows)})", len(rows))
    odd = np.flatnonzero(frame["firm"] & (frame["curtail_hours_per_year"] > 0))
    if len(odd):
        rows = columns.ats(odd)
        text = f"{count_of(len(rows), 'offer')} both firm and curtailable"
        columns.reading.note("firm_curtailable", f"{text} ({some(rows)})", len(rows))


def _note_falling(columns: Columns, frame: pd.DataFrame) -> None:
    known = frame.dropna(subset=["mw_total", "from_date", "poi_id"])
    for poi, rows in known.sort_values(["poi_id", "from_date"]).groupby("poi_id", sort=True):
        total, when = rows["mw_total"].to_numpy(), rows["from_date"].to_numpy()
        falls = np.flatnonzero(np.diff(total) < 0)
        if len(falls):
            k = int(falls[0])
            columns.reading.note(
                "offer_falls",
                f"POI '{poi}': {total[k]:g} MW from {when[k]}, then only {total[k + 1]:g} MW from "
                f"{when[k + 1]}; mw_total is cumulative: write the sum, not the tranche",
                1,
            )


def clean_shared_limits(columns: Columns) -> pd.DataFrame:
    """Return `Layers.shared_limits` of one file: one row per limit, POI and date."""
    mw = columns.number("mw")
    common.need_filled(columns, "mw", np.isnan(mw))
    when = columns.dates("from_date")
    frame = common.plain_frame(
        {
            "limit_id": columns.ids("limit_id"),
            "poi_id": columns.ids("poi_id"),
            "factor": columns.number("factor", default=1.0),
            "mw": mw,
            "from_date": when,
            "source": columns.text("source"),
        }
    )
    dates = np.array([str(d) for d in when], dtype=object)
    both = frame.assign(_date=dates).dropna(subset=["mw", "limit_id"])
    for (limit, _), rows in both.groupby(["limit_id", "_date"], sort=True):
        if rows["mw"].nunique() > 1:
            said = some(
                f"{v:g} MW at {a}" for v, a in zip(rows["mw"], columns.ats(rows.index), strict=True)
            )
            columns.reading.fault(
                f"limit '{limit}' has different mw at one date ({said}); mw belongs to the limit, "
                "so all its rows of a date agree"
            )
    key = [f"{a} / {b} / {c}" for a, b, c in zip(frame.limit_id, frame.poi_id, dates, strict=True)]
    common.refuse_repeats(columns, np.array(key, dtype=object), "limit, POI and date")
    return frame


def clean_tariffs(columns: Columns) -> pd.DataFrame:
    """Return `Layers.tariffs` of one file: rows by POI, or by level and region."""
    poi, region = columns.ids("poi_id", required=False), columns.ids("region_id", required=False)
    spec = columns.reading.spec
    default = spec.level if isinstance(spec, TariffFile) else None
    by_poi, by_region = ~common.missing(poi), ~common.missing(region)
    stated = zip(columns.text("level"), by_region, strict=True)
    level = np.array([default if v is None and of else v for v, of in stated], dtype=object)
    neither = np.flatnonzero(by_poi == by_region)
    if len(neither):
        columns.reading.fault(
            f"{count_of(len(neither), 'row')} name not exactly one of poi_id and region_id "
            f"({some(columns.ats(neither))})"
        )
    lone = np.flatnonzero(by_region & common.missing(level))
    if len(lone):
        columns.reading.fault(
            f"{count_of(len(lone), 'row')} with region_id but no level "
            f"({some(columns.ats(lone))}); add a column level, or `level: state` beside `file:`"
        )
    names = ("energy_usd_per_mwh", "demand_usd_per_kw_month", "co2_kg_per_mwh")
    numbers = {name: columns.number(name) for name in names}
    if not any(columns.has(name) for name in names):
        columns.reading.fault(f"a tariff needs a column {', '.join(names[:2])} or {names[2]}")
    key = [f"{a} / {b} / {c}" for a, b, c in zip(poi, level, region, strict=True)]
    common.refuse_repeats(columns, np.array(key, dtype=object), "POI or region")
    return common.plain_frame({"poi_id": poi, "level": level, "region_id": region, **numbers})
