"""Clean layers: what `layers.load` returns, one table per role, columns and units fixed.

All geometry is lon/lat WGS84. Ids are text. Frames are sorted by id and carry, besides the
columns named here, the user's ``keep`` columns as ``keep:NAME``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Source:
    """One input file as it was read."""

    role: str  # e.g. "substations"
    path: str  # as written in the scenario
    sha256: str
    size_bytes: int
    rows_read: int
    rows_used: int
    licence: str = ""
    synthetic: bool = False


@dataclass(frozen=True)
class Note:
    """Something a user should know about an input: counted, never silent."""

    role: str
    code: str  # stable, e.g. "sentinel_null", documented in docs/messages.md
    message: str  # planner's words with the count and the first few ids
    count: int = 0


@dataclass(frozen=True)
class LoadCurve:
    """Load of one area over one year. ``hourly``: values are in order of time, one an hour."""

    name: str
    mw: np.ndarray  # (n,) load, MW
    hours: np.ndarray  # (n,) how long each value lasts, h
    hourly: bool

    @property
    def peak_mw(self) -> float:
        """The curve's own maximum, MW."""
        return float(self.mw.max())

    @property
    def load_factor(self) -> float:
        """Mean over maximum."""
        return float(self.mw @ self.hours / self.hours.sum() / self.mw.max())


@dataclass(frozen=True)
class Places:
    """Where the rows of a role stand in its files.

    ``rows``: key of a row (`row_key`) -> ("letters.csv", " row 7"). ``columns``: file -> our column
    -> the file's own, of those whose values are taken as they are.
    """

    rows: dict[str, tuple[str, str]]
    columns: dict[str, dict[str, str]]


def row_key(cells: Sequence[Any]) -> str:
    """Return the cells that tell a row from others as one text; blanks are left out."""
    return " ".join(str(c) for c in cells if c is not None and c == c)


@dataclass(frozen=True)
class Layers:
    """Every input, cleaned and checked. A role without a file is None."""

    pois: gpd.GeoDataFrame | None = None
    """poi_id, name, kv (the highest, nan unknown), kv_levels (all of them, highest first, as
    345;138; None: no other is known), headroom_mw (load headroom, grid MW; nan unknown),
    from_date (date or None), estimated (bool), synthetic (bool), gas (yes|no|unknown: whether
    pipeline gas can be had there), geometry Point."""
    lines: gpd.GeoDataFrame | None = None
    """line_id, kv, rating_mva (nan unknown), geometry LineString or MultiLineString."""
    fiber_nodes: gpd.GeoDataFrame | None = None
    """node_id, name, geometry Point."""
    fiber_links: gpd.GeoDataFrame | None = None
    """link_id, from_node, to_node (text or None), km (route km, nan: as drawn), owner (text or
    None), pairs (of fibers), lit (bool or None), lit_tbps (Tb/s each way), lease_usd_per_km_year
    (of a pair), in_service (date or None); nan and None unknown; geometry LineString or
    MultiLineString."""
    rights_of_way: gpd.GeoDataFrame | None = None
    """row_id, kind (text or None), geometry LineString or MultiLineString."""
    regions: gpd.GeoDataFrame | None = None
    """level, region_id, name, climate (or None), co2_kg_per_mwh (nan), energy_usd_per_mwh (nan),
    capex_factor (nan), gas_usd_per_mmbtu (nan), further attributes joined by CSV as
    ``attr:NAME``, geometry polygon. One row per (level, region_id), unique."""
    exclusions: gpd.GeoDataFrame | None = None
    """name, buffer_km, include (bool), geometry any."""
    parcels: gpd.GeoDataFrame | None = None
    """parcel_id, name, decision (consider|require|forbid|existing), usable_ha (nan: from the
    polygon), ask_musd (nan), option_expires (date or None), poi_ids (tuple of text or None),
    climate (or None), max_it_mw (nan), gas (yes|no|unknown), geometry point or polygon."""
    sites: gpd.GeoDataFrame | None = None
    """site_id, name, fixed_musd, capacity_mw (IT MW, nan no limit), usable_ha (nan), poi_ids
    (tuple or None), climate (or None), gas (yes|no|unknown), geometry Point or None (plain facility
    location)."""
    demand: gpd.GeoDataFrame | None = None
    """place_id, name, weight (default 1), mw (nan: not stated), geometry Point or None."""
    demand_mw: pd.DataFrame | None = None
    """place_id, workload, from_date (date), mw (ref_mw)."""
    power_offers: pd.DataFrame | None = None
    """offer_id, poi_id, mw_total (cumulative grid MW), from_date, to_date (or None), stage,
    firm (bool), curtail_hours_per_year, min_take_pct, security_kusd_per_mw, upgrade_musd,
    ramp_years (all 0 if blank), reply_by (or None), letter_date (or None), source."""
    leases: gpd.GeoDataFrame | None = None
    """offer_id, name, operator, kind (powered_shell|colocation), it_mw_min, it_mw_max, ready_date,
    usd_per_kw_month (of leased IT MW), price_year (nan: the scenario's), escalation_pct (% a year;
    nan: the rent keeps up with inflation), term_years, renews and power_included (bool),
    energy_usd_per_mwh (nan), hall (or None), kw_per_rack (nan), liquid (bool or None), pue_avg and
    pue_peak (nan), climate (or None), reply_by (or None), geometry Point or None."""
    shared_limits: pd.DataFrame | None = None
    """limit_id, poi_id, factor, mw, from_date (or None: from the start), source.
    ``mw`` and ``from_date`` belong to the limit: rows of one limit_id with the same from_date
    agree on mw."""
    tariffs: pd.DataFrame | None = None
    """poi_id or (level, region_id), energy_usd_per_mwh, demand_usd_per_kw_month, co2_kg_per_mwh
    (nan: default)."""
    queue: pd.DataFrame | None = None
    """level and region_id (both None: everywhere), over_mw (default 0), years, p10_years,
    p50_years, p90_years (nan: not stated; one of the four is), source."""
    commitments: pd.DataFrame | None = None
    """site_id, what (site|it_mw|grid_mw), mw, date, musd."""
    matrix: pd.DataFrame | None = None
    """site_id, place_id, meaning (rtt_ms|km|musd_per_mw_year), value."""
    curves: tuple[LoadCurve | None, ...] = ()
    """Load curves of `flexible.areas`, in the order of the scenario; None where it states MW."""
    solar_days: pd.DataFrame | None = None
    """profile_id, day_id, days_per_year, mw_per_mw (tuple of 24, by local solar hour)."""
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    places: dict[str, Places] = field(default_factory=dict)
    """By role, for roles whose rows have a key."""

    @property
    def synthetic(self) -> bool:
        """Whether any input is synthetic: every output says so."""
        return any(s.synthetic for s in self.sources)
