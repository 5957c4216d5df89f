"""Scenario sections that name input files: what is read, and how its columns are mapped."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sitepick.scenario.fields import NonNegative, Section, as_list


class LayerFile(Section):
    """A file of features or rows and how its columns are to be read."""

    file: str = Field(
        description="Path relative to the scenario, or `bundled:NAME` for data that ships."
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
    keep: list[str] = Field([], description="Own columns that travel to every output.")
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

    substations: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="POIs with kV and, where known, load headroom."
    )
    lines: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Transmission lines (shown on maps)."
    )
    fiber_nodes: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Fiber points of presence."
    )
    fiber_links: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Fiber routes."
    )
    regions: Annotated[list[RegionLayer], BeforeValidator(as_list)] = Field(
        [], description="Nested region polygons, one entry per level."
    )
    exclusions: Annotated[list[Exclusion], BeforeValidator(as_list)] = Field(
        [], description="Excluded areas."
    )
    parcels: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Parcels: with them, nothing else becomes a candidate."
    )
    sites: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [],
        description="Table of candidates with fixed cost and capacity (plain facility location).",
    )
    demand: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Demand places (points)."
    )
    demand_mw: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Table place_id, workload, from_date, mw."
    )
    power_offers: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Utility letters, one row per POI and tranche."
    )
    shared_limits: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Limits that several POIs share."
    )
    tariffs: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Energy price and demand charge by POI or region."
    )
    commitments: Annotated[list[LayerFile], BeforeValidator(as_list)] = Field(
        [], description="Decisions already made: site_id, what, mw, date, musd."
    )
    matrix: Annotated[list[MatrixFile], BeforeValidator(as_list)] = Field(
        [], description="Measured site-to-place cost or round-trip time."
    )
