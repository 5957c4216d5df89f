"""Candidates: places with buildable area and possible ties, measured and screened.

Geometry ends here: what follows (instance, model, checks) sees these tables only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from sitepick.layers.types import Note, Source
    from sitepick.network.fiber import Attachment, FiberNetwork


MARGINS = ("area", "mw", "hours", "mean_depth", "deepest", "hardest_event_hours", "poi_ids")
"""Columns of `Candidates.margins`."""


LEASES = (
    "site_id", "operator", "kind", "it_mw_min", "it_mw_max", "ready_date", "usd_per_kw_month",
    "price_year", "escalation_pct", "term_years", "renews", "power_included",
    "energy_usd_per_mwh", "co2_kg_per_mwh", "hall", "kw_per_rack", "liquid", "pue_avg", "pue_peak",
    "reply_by",
)  # fmt: skip
"""Columns of `Candidates.leases`."""


def _no_failures() -> pd.DataFrame:
    import pandas as pd

    columns = ("site_id", "test", "value", "threshold", "unit", "message")
    return pd.DataFrame({c: pd.Series(dtype=object) for c in columns})


def _no_queue() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {c: pd.Series(dtype=object) for c in ("poi_id", "over_mw", "years", "rule")}
    )


def _no_margins() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object) for c in MARGINS})


def _no_leases() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object) for c in LEASES})


def _no_onsite() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object) for c in ONSITE})


def _none_sized() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object) for c in SIZED})


def _no_earlier() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object) for c in EARLIER})


EARLIER = ("site_id", "from_date", "to_date", "open", "it_mw", "poi_ids")
"""Columns of `Candidates.earlier`."""
ONSITE = ("site_id", "option_id", "from_date", "gas_usd_per_mmbtu")
SIZED = (
    "option_id", "solar_mw_per_mw", "storage_mwh_per_mw", "capex_usd_per_kw", "ha_per_mw",
    "energy_share", "firm_credit", "curve",
)  # fmt: skip


@dataclass(frozen=True)
class FiberAccess:
    """The fiber network, and where candidates and demand places meet it."""

    network: FiberNetwork
    sites: Attachment
    """A place per row of `Candidates.sites`."""
    places: Attachment
    """A place per row of `Candidates.places`."""


@dataclass(frozen=True)
class Candidates:
    """Tables keyed by text ids, sorted by id. ``nan`` means unknown or no limit, as said."""

    sites: pd.DataFrame
    """One row per place looked at, also the rejected: site_id, name, lon, lat (nan in plain
    facility location), decision (consider|require|forbid|existing), status (candidate|rejected),
    usable_ha (nan no land limit), land_musd (asked for the whole parcel; nan: per ha
    used), fixed_musd (of the table, else 0), max_it_mw (nan no limit), climate, fiber_km (route km
    of one lateral, nan unknown), fiber_second_km (of a second, diverse one, `fiber.diverse`; nan:
    none asked for or none known), option_expires (date or None), synthetic (bool: it, or a POI it
    may tie to), keep:* columns. max_it_mw is the smaller of its own and the scenario's."""
    failed: pd.DataFrame
    """Every failed test of every rejected place: site_id, test, value, threshold, unit, message."""
    pois: pd.DataFrame
    """POIs that some candidate can tie to: poi_id, name, lon, lat, kv (the highest, nan unknown),
    kv_levels (text such as 345;138 where there are several, else None), headroom_mw (nan unknown),
    single_mw (the layer's headroom of the POI alone, nan unknown; where the grid limits,
    headroom_mw is what the kV connects),
    from_date (date or None), estimated (bool), synthetic (bool), energy_usd_per_mwh,
    demand_usd_per_kw_month, co2_kg_per_mwh (all resolved: tariff row of the POI, else tariff row
    of its smallest region that states it, else that region's column, else scenario default),
    keep:* columns of the substations. lon and lat are nan where only a letter knows the POI."""
    ties: pd.DataFrame
    """Possible ties: site_id, poi_id, kv (nan unknown), km (route km, 0 at the POI; 0 and noted
    where a location is unknown), cap_mw (the smaller of the largest single-customer connection at
    that kV and what a line of that kV and length can carry, grid MW; nan where the kV is unknown:
    headroom alone limits). One per site, POI and voltage of the POI, without those that cost more
    than another to the same POI and carry no more. Sorted by site_id, km, poi_id, highest kV first.
    Only POIs with MW that count, but for facts. Empty with ``power.model: none``."""
    site_regions: pd.DataFrame
    """site_id, level, region_id: a site is in at most one region of a level."""
    regions: pd.DataFrame
    """level, region_id, name, capex_factor (nan: 1), and attr:* columns."""
    places: pd.DataFrame
    """Demand places: place_id, name, lon, lat, weight, mw (nan). Empty when all is 'anywhere'."""
    reach: pd.DataFrame
    """site_id, place_id, km (route), rtt_ms, musd_per_mw_year (measured cost; nan: from
    demand.transport_usd_per_mw_km_year), source (straight: line x demand.route_factor; route: over
    the fiber network; measured: km or time of the matrix). One row per candidate and place,
    rejected sites left out; limits by workload are applied later. km or rtt_ms is nan where it is
    unknown; a pair of which nothing is known has no row: no service. site_id, place_id and source
    are pandas categories (memory)."""
    offers: pd.DataFrame
    """Offers of POIs in `pois`; may be empty. Same columns as `Layers.power_offers`."""
    demand_mw: pd.DataFrame
    """place_id, workload, from_date, mw; may be empty. Same columns as `Layers.demand_mw`."""
    shared_limits: pd.DataFrame
    """limit_id, poi_id, factor, mw, from_date, source; may be empty; POIs in `pois` only."""
    commitments: pd.DataFrame
    """site_id, what, mw, date, musd; may be empty."""
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    queue: pd.DataFrame = field(default_factory=_no_queue)
    """Waits of POIs that have neither a letter nor a date, where a rule covers them: poi_id,
    over_mw (the MW above it, up to the next row's, wait ...), years (... this long from as_of),
    rule (the region that states it, in words). The first over_mw of a POI is 0; years rise."""
    margins: pd.DataFrame = field(default_factory=_no_margins)
    """Non-firm MW of `flexible.areas`: area, mw (of all its POIs together), hours (curtailed, a
    year), mean_depth and deepest (share cut, 0..1), hardest_event_hours (full-load hours of the
    worst event; nan for a load-duration curve), poi_ids (tuple, of POIs in `pois`)."""
    onsite: pd.DataFrame = field(default_factory=_no_onsite)
    """On-site options that a candidate may have: site_id, option_id, from_date (of permits, or
    None), gas_usd_per_mmbtu (nan: burns no gas). Gas access and forbidding permits are applied."""
    onsite_sized: pd.DataFrame = field(default_factory=_none_sized)
    """Solar with storage per MW of constant load: option_id, solar_mw_per_mw, storage_mwh_per_mw,
    capex_usd_per_kw (of the row's price year), ha_per_mw, energy_share (of a load of
    its own size), firm_credit, curve (tuple of (size over load, share of the load's energy), rising
    from (0, 0) and concave)."""
    leases: pd.DataFrame = field(default_factory=_no_leases)
    """Terms of the sites that are offers of leased halls (rejected ones too), by site_id: as in
    `Layers.leases`, with price_year filled, hall (the scenario's class it counts as; ``none``
    without classes), kw_per_rack (the smaller of its own and its class's; nan without classes),
    liquid (bool), energy_usd_per_mwh and co2_kg_per_mwh (its own, else of its smallest region,
    else the scenario's), it_mw_max (at most `candidates.max_it_mw_per_site`)."""
    overridden: pd.DataFrame = field(default_factory=_no_failures)
    """Failed tests of places that are facts (existing, required, committed) and so stayed
    candidates; columns as in `failed`."""

    earlier: pd.DataFrame = field(default_factory=_no_earlier)
    """The earlier plan (`scenario.baseline`), a row per site that it opens and period of its own:
    site_id (also of sites that are no candidates now), from_date, to_date (last day), open (bool),
    it_mw, poi_ids (tuple, of its ties by the end). Empty without one."""
    fiber: FiberAccess | None = None
    """The fiber network with what meets it where; None without fiber layers."""

    @property
    def synthetic(self) -> bool:
        """Whether any input is synthetic: every output says so."""
        return any(s.synthetic for s in self.sources)

    @property
    def waterfall(self) -> list[tuple[str, int]]:
        """How many places were looked at, fell at each test (first failed one), and remain."""
        first = self.failed.drop_duplicates("site_id")
        falls = first["test"].value_counts(sort=True)
        remain = int((self.sites["status"] == "candidate").sum())
        return [
            ("looked at", len(self.sites)),
            *((str(test), int(n)) for test, n in falls.items()),
            ("candidates", remain),
        ]
