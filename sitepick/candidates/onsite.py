"""On-site power: which options each place may have, and solar with storage made to measure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from sitepick.candidates import regions as region_room
from sitepick.candidates import solar
from sitepick.candidates.text import did_you_mean, empty, some
from sitepick.candidates.types import ONSITE, SIZED
from sitepick.errors import ScenarioError
from sitepick.layers.types import Layers, Note
from sitepick.scenario.catalog import table
from sitepick.scenario.onsite import Permit
from sitepick.scenario.power_options import PowerOption, power_options
from sitepick.scenario.schema import Scenario


def access(
    scenario: Scenario, layers: Layers, places: pd.DataFrame, site_regions: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Return `Candidates.onsite` for all places, sorted by site and option order, and notes.

    Gas needs a place that has it: unknown is no (and counted) unless ``gas_unknown: allow``.
    The gas price is that of the smallest region that states one, else the scenario's.
    """
    options = power_options(scenario)
    if not options:
        return empty(ONSITE), []
    state = places["gas"].to_numpy(dtype=object)
    unknown = state == "unknown"
    has_gas = (state == "yes") | (unknown & (scenario.onsite.gas_unknown == "allow"))
    price = _gas_price(scenario, layers, places, site_regions)
    level_of: dict[str, dict[str, str]] = {}
    for site, level, region in site_regions.itertuples(index=False):
        level_of.setdefault(site, {})[level] = region
    rows = []
    for k, site in enumerate(places["site_id"]):
        for option in options:
            if option.burns and not has_gas[k]:
                continue
            permits = list(_concerning(scenario, option, level_of.get(site, {})))
            if any(permit.forbidden for permit in permits):
                continue
            dates = [permit.from_date for permit in permits if permit.from_date is not None]
            first: date | None = max(dates, default=None)
            rows.append((site, option.id, first, price[k] if option.burns else np.nan))
    found = pd.DataFrame(
        {name: pd.Series([row[c] for row in rows], dtype=object) for c, name in enumerate(ONSITE)}
    ).astype({"gas_usd_per_mmbtu": float})
    notes = []
    burning = [option.id for option in options if option.burns]
    if burning and unknown.any():
        count, ids = int(unknown.sum()), places["site_id"][unknown]
        done = "taken to have it (onsite.gas_unknown: allow)"
        if scenario.onsite.gas_unknown == "exclude":
            done = f"no {', '.join(burning)} there (a column gas: yes, no says it)"
        message = f"{count} places whose gas access is unknown: {done}: {some(ids)}"
        notes.append(Note("onsite", "gas_unknown", message, count))
    return found, notes


def off_grid_sites(scenario: Scenario, found: pd.DataFrame) -> set[str]:
    """Return the sites that on-site power may serve alone, by the table of `access`."""
    alone = {option.id for option in power_options(scenario) if option.islanded}
    return set(found["site_id"][found["option_id"].isin(alone)])


def _concerning(
    scenario: Scenario, option: PowerOption, level_of: dict[str, str]
) -> Iterator[Permit]:
    for permit in scenario.onsite.permits:
        region = level_of.get(permit.level)
        inside = region is not None and (permit.ids is None or region in permit.ids)
        if inside and (permit.options is None or option.id in permit.options):
            yield permit


def _gas_price(
    scenario: Scenario, layers: Layers, places: pd.DataFrame, site_regions: pd.DataFrame
) -> np.ndarray:
    price = pd.Series(np.nan, index=places.index)
    column = "gas_usd_per_mmbtu"
    if layers.regions is not None and len(layers.regions) and column in layers.regions:
        areas = region_room.region_areas(layers.regions)
        of = region_room.most_specific(site_regions, "site_id", layers.regions, column, areas)
        price = places["site_id"].map(of).astype(float)
    return np.asarray(price.fillna(scenario.onsite.gas_usd_per_mmbtu), dtype=float)


def sized(scenario: Scenario, layers: Layers) -> pd.DataFrame:
    """Return `Candidates.onsite_sized`: each option with a profile, made for 1 MW of constant load.

    Raises ScenarioError for an unknown profile, or a share that its days cannot give.
    """
    rows, problems = [], []
    for option in power_options(scenario):
        if option.profile is None:
            continue
        where = f"onsite.options: '{option.id}'"
        days = _days(option.profile, layers)
        if days is None:
            known = ["default"]
            if layers.solar_days is not None:
                known += sorted(set(layers.solar_days["profile_id"]))
            hint = did_you_mean(option.profile, known)
            problems.append(
                f"{where}: no profile '{option.profile}' in layers.solar_days{hint}; "
                f"there are {', '.join(known)}"
            )
            continue
        output, weight = days
        try:
            plant = solar.size(
                output,
                weight,
                share=option.energy_share_pct / 100,
                efficiency=option.round_trip_pct / 100,
                usd_per_kw=option.solar_usd_per_kw,
                usd_per_kwh=option.storage_usd_per_kwh,
            )
        except ValueError as error:
            problems.append(f"{where}: energy_share_pct {option.energy_share_pct:g}: {error}")
            continue
        credit = option.firm_credit or 0.0
        if option.worst_day_firm:
            credit = plant.worst_day
        land = option.ha_per_mw + plant.solar_mw * option.ha_per_solar_mw
        made = (plant.solar_mw, plant.storage_mwh, plant.usd_per_kw, land, plant.energy_share)
        rows.append((option.id, *made, credit, plant.curve))
    if problems:
        raise ScenarioError(problems)
    return pd.DataFrame(rows, columns=list(SIZED)) if rows else empty(SIZED)


def _days(profile: str, layers: Layers) -> tuple[np.ndarray, np.ndarray] | None:
    """Return output (D, 24) MW per MW and weight (D,) days of a profile; None if there is none."""
    if layers.solar_days is not None:
        mine = layers.solar_days[layers.solar_days["profile_id"] == profile]
        if len(mine):
            return np.array(mine["mw_per_mw"].to_list()), mine["days_per_year"].to_numpy(float)
    shipped = [row for row in table("solar_days") if row["profile_id"] == profile]
    if not shipped:
        return None
    output = np.array([row["mw_per_mw"] for row in shipped], dtype=float)
    return output, np.array([row["days_per_year"] for row in shipped], dtype=float)
