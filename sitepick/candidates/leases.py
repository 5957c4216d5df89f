"""Offers of leased halls as places: each is a site of its own, with its terms and prices.

An offer's hall stands or is being built by another: land, exclusions, ties, letters and the limits
of `candidates` do not concern it, but for `max_it_mw_per_site`. Regions, latency and dates do.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from sitepick.candidates import power
from sitepick.candidates.geo import as_geoms
from sitepick.candidates.power import later, months_between
from sitepick.candidates.screen import COLUMNS as FAILED
from sitepick.candidates.text import did_you_mean, empty, keep_columns, some, where
from sitepick.candidates.types import LEASES
from sitepick.errors import LayerError
from sitepick.layers.types import Layers, Note
from sitepick.scenario.catalog import HallClass, hall_classes, hardware
from sitepick.scenario.schema import Scenario, period_starts

PLAIN = "none"
"""Hall class of a scenario without hall classes."""


def places(scenario: Scenario, layers: Layers) -> tuple[pd.DataFrame, list[Note]]:
    """Return the offers as places (columns of `generate.places`), sorted by site_id, and notes."""
    layer = layers.leases
    if layer is None or not len(layer):
        return empty(["site_id", "decision"]), []
    points = as_geoms(layer.geometry)
    synthetic = any(s.synthetic for s in layers.sources if s.role == "leases")
    frame = pd.DataFrame(
        {
            "site_id": layer["offer_id"].to_numpy(dtype=object),
            "name": layer["name"].to_numpy(dtype=object),
            "lon": [np.nan if p is None else p.x for p in points],
            "lat": [np.nan if p is None else p.y for p in points],
            "decision": "consider",
            "usable_ha": np.nan,
            "land_musd": 0.0,
            "fixed_musd": 0.0,
            "max_it_mw": layer["it_mw_max"].to_numpy(dtype=float),
            "climate": layer["climate"].to_numpy(dtype=object),
            "fiber_km": np.nan,
            "option_expires": None,
            "synthetic": synthetic,
        }
    )
    for name in keep_columns(layer):
        frame[name] = layer[name].array
    most = scenario.candidates.max_it_mw_per_site
    if most is not None:
        frame["max_it_mw"] = frame["max_it_mw"].clip(upper=most)
    frame["climate"] = frame["climate"].astype(object)
    frame["option_expires"] = frame["option_expires"].astype(object)
    return frame.sort_values("site_id", ignore_index=True), []


def table(
    scenario: Scenario, layers: Layers, frame: pd.DataFrame, inside: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Return `Candidates.leases` of all offers (rejected ones too), and notes.

    ``frame`` are their places, ``inside`` their regions. Raises LayerError for hall classes that
    the scenario does not list.
    """
    layer = layers.leases
    if layer is None or not len(layer):
        return empty(LEASES), []
    terms = pd.DataFrame(layer.drop(columns=layer.geometry.name)).rename(
        columns={"offer_id": "site_id"}
    )
    terms = terms.sort_values("site_id", ignore_index=True)
    terms["it_mw_max"] = frame["max_it_mw"].to_numpy(dtype=float)
    terms["price_year"] = terms["price_year"].fillna(scenario.money.price_year).astype(int)
    notes = _halls(scenario, layers, terms)
    ids = terms["site_id"]
    prices = ("energy_usd_per_mwh", "co2_kg_per_mwh")
    around = power.of_regions(ids, inside, layers, prices, "site_id")
    for column in prices:
        own = terms[column] if column in terms else pd.Series(np.nan, index=terms.index)
        rest = getattr(scenario.power, column)
        terms[column] = own.fillna(around[column]).fillna(rest).astype(float)
    return terms[[*LEASES]], notes


def _halls(scenario: Scenario, layers: Layers, terms: pd.DataFrame) -> list[Note]:
    """Fill the hall class of each offer, and whether it has liquid cooling.

    The class that it names; else the least dense class that holds its kW per rack; else the first.
    """
    rows = [row for row in hall_classes(scenario) if row.retrofit_of is None]
    if not rows:
        terms["hall"], terms["liquid"] = PLAIN, True
        return []
    by_id = {row.id: row for row in rows}
    problems, assumed, chosen = [], [], []
    for offer, hall, kw in zip(terms["site_id"], terms["hall"], terms["kw_per_rack"], strict=True):
        if hall is not None and hall not in by_id:
            hint = did_you_mean(hall, list(by_id)) or f"; listed: {', '.join(by_id)}"
            problems.append(
                f"{where(layers, 'leases')}: '{offer}' has hall class '{hall}', which the "
                f"scenario's halls do not list (retrofits cannot be leased){hint}"
            )
            continue
        if hall is None and np.isnan(kw):
            assumed.append(offer)
        chosen.append(by_id[hall] if hall is not None else _dense_enough(rows, kw))
    if problems:
        raise LayerError(problems)
    terms["hall"] = pd.Series([row.id for row in chosen], dtype=object)
    told = terms["liquid"].astype(object)
    terms["liquid"] = [
        row.liquid_share > 0 and flag is not False for flag, row in zip(told, chosen, strict=True)
    ]
    of_class = np.array([row.kw_per_rack for row in chosen])
    terms["kw_per_rack"] = np.fmin(terms["kw_per_rack"].to_numpy(dtype=float), of_class)
    if not assumed:
        return []
    text = (
        f"{len(assumed)} offers state neither hall nor kw_per_rack: class {rows[0].id} was taken: "
        f"{some(assumed)}"
    )
    return [Note("leases", "lease_hall_assumed", text, len(assumed))]


def _dense_enough(rows: list[HallClass], kw: float) -> HallClass:
    if np.isnan(kw):
        return rows[0]
    ranked = sorted(rows, key=lambda row: row.kw_per_rack)
    return next((row for row in ranked if row.kw_per_rack >= kw), ranked[-1])


def screen(
    scenario: Scenario,
    layers: Layers,
    frame: pd.DataFrame,
    inside: pd.DataFrame,
    terms: pd.DataFrame,
) -> pd.DataFrame:
    """Return every failed test of every offer: `screen.COLUMNS`, by site_id."""
    everywhere = all(w.spread == "by_weight" for w in scenario.demand.named().values())
    measured = set() if layers.matrix is None else set(layers.matrix["site_id"])
    starts = period_starts(scenario.periods)
    out: list[tuple] = []
    for place, row in zip(frame.to_dict("records"), terms.to_dict("records"), strict=True):
        site = place["site_id"]
        if np.isnan(place["lon"]) and everywhere and site not in measured:
            said = "no coordinates, so that the distance to demand is unknown"
            out.append((site, "unlocated", np.nan, np.nan, "", said))
        out += [
            (site, "region_forbidden", 1, 0, "", f"{level} {region} is forbidden by a region rule")
            for level, region in _forbidden(scenario, inside, site)
        ]
        out += [(site, *fault) for fault in _terms(scenario, row, starts)]
    return pd.DataFrame(out, columns=FAILED)


def _forbidden(scenario: Scenario, inside: pd.DataFrame, site: str) -> list[tuple[str, str]]:
    here = inside[inside["site_id"] == site]
    at = dict(zip(here["level"], here["region_id"], strict=True))
    hit = {
        (rule.level, at[rule.level]): None
        for rule in scenario.regions.rules
        if rule.forbid and rule.level in at and (rule.ids is None or at[rule.level] in rule.ids)
    }
    return list(hit)


def first_day(scenario: Scenario, terms: dict) -> date:
    """Return the day from which an offer's IT MW can be used: a shell is fitted out first."""
    day = max(terms["ready_date"], scenario.as_of)
    shell = terms["kind"] == "powered_shell"
    return later(day, scenario.leases.fit_out_months / 12) if shell else day


def _terms(scenario: Scenario, row: dict, starts: list[date]) -> list[tuple]:
    """Return the failed tests of an offer's dates, size and density."""
    found: list[tuple] = []
    reply = row["reply_by"]
    if reply is not None and reply < scenario.as_of:
        days = (scenario.as_of - reply).days
        found.append(("lease_lapsed", days, 0, "days", f"the answer was due {reply}, before as_of"))
    day = first_day(scenario, row)
    if day > starts[-2]:
        days = (day - starts[-2]).days
        said = f"its IT MW can be used from {day}, after the last period starts"
        found.append(("lease_late", days, 0, "days", said))
    months = max(months_between(a, b) for a, b in pairwise(starts))
    if not row["renews"] and row["term_years"] * 12 < months - 1e-9:
        said = f"a term of {row['term_years']:g} years covers no whole period"
        found.append(("lease_short", row["term_years"], months / 12, "years", said))
    most = scenario.candidates.max_it_mw_per_site
    if most is not None and row["it_mw_min"] > most:
        said = (
            f"at least {row['it_mw_min']:g} IT MW, above max_it_mw_per_site {most:g} (candidates)"
        )
        found.append(("lease_large", row["it_mw_min"], most, "IT MW", said))
    found += _density(scenario, row)
    return found


def _density(scenario: Scenario, row: dict) -> list[tuple]:
    items = hardware(scenario)
    if not items or any(fits(row, item.kw_per_rack, item.liquid_required) for item in items):
        return []
    kw, least = row["kw_per_rack"], min(item.kw_per_rack for item in items)
    if not np.isnan(kw) and kw < least:
        said = f"{kw:g} kW per rack hold none of the scenario's hardware (least {least:g} kW)"
        return [("lease_density", kw, least, "kW per rack", said)]
    return [("lease_density", 0, 1, "", "all of the scenario's hardware that fits needs liquid")]


def fits(terms: dict, kw_per_rack: float, liquid_required: bool) -> bool:
    """Return whether hardware fits an offer's density and cooling."""
    kw = terms["kw_per_rack"]
    return bool((np.isnan(kw) or kw_per_rack <= kw) and (terms["liquid"] or not liquid_required))
