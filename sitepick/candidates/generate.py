"""Which places are looked at: parcels if given, else the table of sites, else one per POI."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from sitepick.candidates.geo import Floats, Geoms, area_ha, as_geoms
from sitepick.candidates.text import keep_columns, objects, some, where
from sitepick.errors import LayerError, ScenarioError
from sitepick.layers.types import Layers, Note
from sitepick.scenario.schema import Scenario

Source = Literal["parcels", "table", "at_pois", "leases"]
_ROLE: dict[Source, str] = {
    "parcels": "parcels", "table": "sites", "at_pois": "substations", "leases": "leases",
}  # fmt: skip


def source_of(scenario: Scenario, layers: Layers) -> Source:
    """Return where candidates come from; raise when that layer is missing or empty.

    Offers of leased halls are places beside those of any source; alone they are their own.
    """
    frames: dict[Source, Any] = {
        "parcels": layers.parcels, "table": layers.sites, "at_pois": layers.pois,
        "leases": layers.leases,
    }  # fmt: skip
    asked = scenario.candidates.source
    given = [name for name, frame in frames.items() if frame is not None]
    if asked == "auto" and not given:
        raise LayerError(
            "no places to choose from: give layers.parcels, layers.sites, layers.substations or "
            "layers.leases"
        )
    chosen = given[0] if asked == "auto" else asked
    if chosen not in given:
        raise ScenarioError(
            f"candidates.source is '{chosen}', but layers.{_ROLE[chosen]} names no file"
        )
    if not len(frames[chosen]):
        raise LayerError(f"{where(layers, _ROLE[chosen])}: no usable row, so no candidate")
    return chosen


def places(
    scenario: Scenario, layers: Layers, source: Source
) -> tuple[pd.DataFrame, Geoms, list[Note]]:
    """Return the places looked at (sorted by site_id), their geometries, and notes.

    Columns: site_id, name, lon, lat (of a point inside; nan unlocated), decision, stated_ha (nan),
    polygon_ha (nan), land_musd, fixed_musd, max_it_mw, climate (or None), option_expires, poi_ids
    (tuple or None), gas (yes|no|unknown), synthetic, keep:*. Places of ``scenario.existing`` have
    decision `existing`.
    """
    make = {"parcels": _parcels, "table": _table, "at_pois": _at_pois, "leases": _nothing}[source]
    frame, geoms = make(scenario, layers)
    order = np.argsort(frame["site_id"].to_numpy(dtype=object), kind="stable")
    frame, geoms = frame.iloc[order].reset_index(drop=True), geoms[order]
    frame["lon"], frame["lat"] = _inner_points(geoms)
    frame["polygon_ha"] = area_ha(geoms, frame["lon"].to_numpy(), frame["lat"].to_numpy())
    if scenario.candidates.max_it_mw_per_site is not None:
        frame["max_it_mw"] = (
            frame["max_it_mw"].fillna(np.inf).clip(upper=scenario.candidates.max_it_mw_per_site)
        )
    existing = {e.site_id for e in scenario.existing}
    stands = frame["site_id"].isin(existing)
    contradicted = sorted(frame["site_id"][stands & (frame["decision"] == "forbid")])
    if contradicted:
        raise LayerError(
            [
                f"{where(layers, _ROLE[source])}: '{i}' has decision forbid, but the scenario's "
                "'existing' says that something stands there; use decision existing"
                for i in contradicted
            ]
        )
    notes = []
    bare = sorted(set(frame["site_id"][frame["decision"] == "existing"]) - existing)
    if bare:
        notes.append(
            Note(
                _ROLE[source],
                "existing_empty",
                f"{len(bare)} places have decision existing, but no 'existing:' entry says what "
                f"stands there; they open with nothing: {some(bare)}",
                len(bare),
            )
        )
    # text columns may be read-only (pandas without pyarrow): a new column, not a changed one
    frame["decision"] = frame["decision"].astype(object).mask(stands, "existing")
    return frame, geoms, notes


def _columns(layer: pd.DataFrame, synthetic: np.ndarray | bool, **columns: object) -> pd.DataFrame:
    base = {
        "decision": "consider", "stated_ha": np.nan, "land_musd": np.nan, "fixed_musd": 0.0,
        "max_it_mw": np.nan, "climate": None, "option_expires": None, "poi_ids": None,
        "gas": "unknown", "synthetic": synthetic,
    }  # fmt: skip
    frame = pd.DataFrame({**base, **columns}, index=range(len(layer)))
    for name in ("climate", "option_expires", "poi_ids"):
        frame[name] = objects(frame[name])
    for name in ("stated_ha", "land_musd", "fixed_musd", "max_it_mw"):
        frame[name] = frame[name].astype(float)
    frame["name"] = objects(frame["name"]).where(lambda n: n.notna() & (n != ""), frame["site_id"])
    for name in keep_columns(layer):
        frame[name] = layer[name].array
    return frame


def _gas(layer: pd.DataFrame) -> np.ndarray | str:
    """Return gas access (yes|no|unknown) of a layer's rows; unknown where nothing says it."""
    return layer["gas"].to_numpy(dtype=object) if "gas" in layer else "unknown"


def _is_synthetic(layers: Layers, role: str) -> bool:
    return any(s.synthetic for s in layers.sources if s.role == role)


def _parcels(scenario: Scenario, layers: Layers) -> tuple[pd.DataFrame, Geoms]:
    layer = layers.parcels
    assert layer is not None
    frame = _columns(
        layer,
        _is_synthetic(layers, "parcels"),
        site_id=layer["parcel_id"].to_numpy(dtype=object),
        name=layer["name"].to_numpy(dtype=object),
        decision=layer["decision"].to_numpy(dtype=object),
        stated_ha=layer["usable_ha"].to_numpy(dtype=float),
        land_musd=layer["ask_musd"].to_numpy(dtype=float),
        max_it_mw=layer["max_it_mw"].to_numpy(dtype=float),
        climate=layer["climate"].to_numpy(dtype=object),
        option_expires=layer["option_expires"].to_numpy(dtype=object),
        gas=_gas(layer),
        poi_ids=pd.Series(layer["poi_ids"].to_list(), dtype=object),
    )
    return frame, as_geoms(layer.geometry)


def _table(scenario: Scenario, layers: Layers) -> tuple[pd.DataFrame, Geoms]:
    layer = layers.sites
    assert layer is not None
    area = layer["usable_ha"].to_numpy(dtype=float)
    frame = _columns(
        layer,
        _is_synthetic(layers, "sites"),
        site_id=layer["site_id"].to_numpy(dtype=object),
        name=layer["name"].to_numpy(dtype=object),
        stated_ha=area,
        # a table that speaks of no land has its cost in fixed_musd
        land_musd=np.where(np.isnan(area), 0.0, np.nan),
        fixed_musd=np.nan_to_num(layer["fixed_musd"].to_numpy(dtype=float)),
        max_it_mw=layer["capacity_mw"].to_numpy(dtype=float),
        climate=layer["climate"].to_numpy(dtype=object),
        gas=_gas(layer),
        poi_ids=pd.Series(layer["poi_ids"].to_list(), dtype=object),
    )
    return frame, as_geoms(layer.geometry)


def _at_pois(scenario: Scenario, layers: Layers) -> tuple[pd.DataFrame, Geoms]:
    layer = layers.pois
    assert layer is not None
    frame = _columns(
        layer,
        layer["synthetic"].to_numpy(dtype=bool),
        site_id=layer["poi_id"].to_numpy(dtype=object),
        name=layer["name"].to_numpy(dtype=object),
        stated_ha=scenario.candidates.area_ha,
        gas=_gas(layer),
        poi_ids=pd.Series([(i,) for i in layer["poi_id"]], dtype=object),
    )
    return frame, as_geoms(layer.geometry)


def _nothing(scenario: Scenario, layers: Layers) -> tuple[pd.DataFrame, Geoms]:
    """Nothing is built: the offers of leased halls are all there is."""
    none = pd.DataFrame({"name": pd.Series(dtype=object)})
    frame = _columns(none, False, site_id=none["name"], name=none["name"])
    return frame, as_geoms([])


def _inner_points(geoms: Geoms) -> tuple[Floats, Floats]:
    """Return lon and lat of a point inside each geometry, nan where there is none."""
    inner = shapely.point_on_surface(geoms)
    return shapely.get_x(inner), shapely.get_y(inner)
