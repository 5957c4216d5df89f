"""Scenario sections that name input files: what is read, and how its columns are mapped."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sitepick.scenario.fields import NonNegative, OneOrMany, Section


class LayerFile(Section):
    """A file of features or rows and how its columns are to be read."""

    file: str = Field(
        min_length=1,
        description="Path relative to the scenario, or `bundled:NAME` for data that ships.",
    )
    layer: str | None = Field(None, description="Layer name in a GeoPackage or file geodatabase.")
    sheet: str | None = Field(None, description="Sheet of an XLSX file (default: the first).")
    preset: str | None = Field(
        None, description="Named column map; see `sitepick layers --presets`."
    )
    fields: dict[str, str] = Field({}, description="Our column name -> the file's column name.")
    id: str | None = Field(
        None, description="The file's id column (short for `fields: {id: ...}`)."
    )
    where: str | None = Field(
        None, description="Filter, as in SQL WHERE: `kv >= 100 AND st = 'TX'`."
    )
    keep: OneOrMany[str] = Field([], description="Own columns that travel to every output.")
    crs: str | None = Field(None, description="CRS of a file that states none, e.g. `EPSG:2276`.")
    kind: Literal["load", "generation"] | None = Field(
        None, description="What a hosting-capacity layer's MW mean; generation is refused for load."
    )
    strict: bool = Field(False, description="Treat rows without geometry or value as errors.")


class RegionLayer(LayerFile):
    """Polygons of one level (utility, county, state, country)."""

    level: str = Field("region", description="Name of the level, e.g. `county`.")
    attributes: LayerFile | None = Field(
        None, description="Table joined by id; unmatched ids are reported."
    )


class QueueFile(LayerFile):
    """Table of queue waits: region, over_mw, years."""

    level: str | None = Field(None, description="Level of the rows that state none, e.g. `state`.")


class TariffFile(LayerFile):
    """Table of prices by POI, or by region."""

    level: str | None = Field(
        None, description="Level of the rows with a region_id that state none, e.g. `state`."
    )


class Exclusion(LayerFile):
    """Where nothing may be built; or, with `include: true`, what is allowed in spite of others."""

    name: str | None = Field(None, description="Name used in verdicts (default: the file name).")
    buffer_km: NonNegative = Field(0, description="Distance kept from the features, km.")
    include: bool = Field(False, description="Forced inclusion: lifts the other exclusions here.")


class MatrixFile(LayerFile):
    """A table site_id, place_id, value."""

    meaning: Literal["rtt_ms", "km", "musd_per_mw_year"] = Field(description="What `value` is.")


class LayerList(Section):
    """Input files by role."""

    substations: OneOrMany[LayerFile] = Field(
        [], description="POIs with kV and, where known, load headroom."
    )
    lines: OneOrMany[LayerFile] = Field([], description="Transmission lines (shown on maps).")
    fiber_nodes: OneOrMany[LayerFile] = Field([], description="Fiber points of presence.")
    fiber_links: OneOrMany[LayerFile] = Field([], description="Fiber routes.")
    rights_of_way: OneOrMany[LayerFile] = Field(
        [], description="Railways, roads or power lines along which new fiber may be built."
    )
    regions: OneOrMany[RegionLayer] = Field(
        [], description="Nested region polygons, one entry per level."
    )
    exclusions: OneOrMany[Exclusion] = Field([], description="Excluded areas.")
    parcels: OneOrMany[LayerFile] = Field(
        [], description="Parcels: with them, nothing else becomes a candidate."
    )
    sites: OneOrMany[LayerFile] = Field(
        [],
        description="Table of candidates with fixed cost and capacity (plain facility location).",
    )
    demand: OneOrMany[LayerFile] = Field([], description="Demand places (points).")
    demand_mw: OneOrMany[LayerFile] = Field(
        [], description="Table place_id, workload, from_date, mw."
    )
    power_offers: OneOrMany[LayerFile] = Field(
        [], description="Utility letters, one row per POI and tranche."
    )
    leases: OneOrMany[LayerFile] = Field(
        [], description="Offers of powered shells and colocation, one row per hall to let."
    )
    shared_limits: OneOrMany[LayerFile] = Field([], description="Limits that several POIs share.")
    tariffs: OneOrMany[TariffFile] = Field(
        [], description="Energy price and demand charge by POI or region."
    )
    queue: OneOrMany[QueueFile] = Field(
        [], description="Years until MW without letter or date are energised, by region and size."
    )
    commitments: OneOrMany[LayerFile] = Field(
        [], description="Decisions already made: site_id, what, mw, date, musd."
    )
    solar_days: OneOrMany[LayerFile] = Field(
        [],
        description="Representative solar days: day_id, hour (local solar, 0 to 23), mw_per_mw, days_per_year; profile_id where there are several.",
    )
    matrix: OneOrMany[MatrixFile] = Field(
        [], description="Measured site-to-place cost or round-trip time."
    )
