"""Empty input tables with one example row each, and what every column means."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Column:
    """A column of a template. ``unit`` is empty for text, dates and words."""

    name: str
    unit: str
    example: Any
    meaning: str
    needed: bool = False


TABLES: dict[str, tuple[Column, ...]] = {
    "parcels": (
        Column("parcel_id", "", "P01", "your id of the parcel", True),
        Column("name", "", "Example ranch", "name shown in reports"),
        Column("decision", "", "consider", "consider, require, forbid or existing"),
        Column("lon", "degrees", -97.5, "longitude, WGS84", True),
        Column("lat", "degrees", 31.5, "latitude, WGS84", True),
        Column("usable_ha", "ha", 120, "buildable area"),
        Column("ask_musd", "MUSD", 12, "asking price of the whole parcel"),
        Column("option_expires", "", "2027-06-30", "last day of the land option"),
        Column("poi_ids", "", "POI-1", "POIs it can tie to, separated by ; (blank: the nearest)"),
        Column("max_it_mw", "IT MW", None, "largest campus"),
        Column("climate", "", None, "cold, mild, hot_dry or hot_humid (blank: the scenario's)"),
        Column("gas", "", None, "yes, no or unknown: gas at the fence, for on-site power"),
    ),
    "sites": (
        Column("site_id", "", "W1", "your id of the facility", True),
        Column("name", "", "Example hall", "name shown in reports"),
        Column("lon", "degrees", -97.3, "longitude, WGS84 (blank where nothing needs it)"),
        Column("lat", "degrees", 31.1, "latitude, WGS84"),
        Column("capacity_mw", "IT MW", 40, "largest campus"),
        Column("fixed_musd", "MUSD", 3, "paid once when it opens"),
        Column("usable_ha", "ha", None, "buildable area"),
        Column("poi_ids", "", "POI-1", "POIs it can tie to, separated by ; (blank: the nearest)"),
        Column("climate", "", None, "cold, mild, hot_dry or hot_humid (blank: the scenario's)"),
        Column("gas", "", None, "yes, no or unknown: gas at the fence, for on-site power"),
    ),
    "substations": (
        Column("poi_id", "", "POI-1", "your id of the POI", True),
        Column("name", "", "Example 345 kV", "name shown in reports"),
        Column("lon", "degrees", -97.52, "longitude, WGS84", True),
        Column("lat", "degrees", 31.45, "latitude, WGS84", True),
        Column("kv", "kV", 345, "highest voltage"),
        Column("kv_levels", "kV", "345;138", "every voltage, separated by ; (blank: `kv` alone)"),
        Column("headroom_mw", "grid MW", None, "room for new load (blank: unknown, not counted)"),
        Column("from_date", "", None, "from when (blank: from the start)"),
        Column("estimated", "", None, "yes where the MW are somebody's estimate"),
        Column("gas", "", None, "yes, no or unknown: gas there, for on-site power"),
    ),
    "power_offers": (
        Column("offer_id", "", "L-2026-001", "your id of the letter's tranche", True),
        Column("poi_id", "", "POI-1", "point of interconnection", True),
        Column("mw_total", "grid MW", 300, "cumulative MW at the POI from the date on", True),
        Column("from_date", "", "2028-01-01", "energised from", True),
        Column("to_date", "", None, "last day, where it ends"),
        Column(
            "stage", "", "signed",
            "energised, signed, studied, requested, published or assumed", True,
        ),
        Column("firm", "", "yes", "yes, or no when it may be curtailed"),
        Column("curtail_hours_per_year", "h/year", 0, "hours curtailed when not firm"),
        Column("min_take_pct", "%", 0, "share that must be paid for from its date on"),
        Column("security_kusd_per_mw", "kUSD/MW", 50, "deposit or letter of credit"),
        Column("upgrade_musd", "MUSD", 15, "network upgrade charged to you"),
        Column("ramp_years", "years", None, "its MW grow to all over these years (blank: at once)"),
        Column("reply_by", "", "2027-01-31", "last day to accept"),
        Column("letter_date", "", "2026-10-01", "date of the letter"),
        Column("source", "", "letter of the utility", "where the figures come from"),
    ),
    "leases": (
        Column("offer_id", "", "COLO-1", "your id of the offer", True),
        Column("name", "", "Eastgate hall 2", "name shown in reports"),
        Column("operator", "", "Example Colo", "who lets it"),
        Column("kind", "", "colocation", "powered_shell (you fit it out) or colocation"),
        Column("lon", "degrees", -97.1, "longitude, WGS84 (blank where nothing needs it)"),
        Column("lat", "degrees", 31.55, "latitude, WGS84"),
        Column("it_mw_min", "IT MW", 10, "least that is let"),
        Column("it_mw_max", "IT MW", 40, "most that is let", True),
        Column("ready_date", "", "2028-09-01", "handed over", True),
        Column("usd_per_kw_month", "USD/kW-month", 150, "rent by leased IT kW", True),
        Column("price_year", "", 2026, "year of the rent's money (blank: the scenario's)"),
        Column("escalation_pct", "%", 3, "rise of the rent a year, nominal (blank: inflation)"),
        Column("term_years", "years", 5, "how long it is let", True),
        Column("renews", "", "no", "yes: it may stay after the term"),
        Column("power_included", "", "no", "yes: the rent includes energy"),
        Column("energy_usd_per_mwh", "USD/MWh", 60, "price of energy that it does not include"),
        Column("hall", "", None, "hall class of the scenario that it is like"),
        Column("kw_per_rack", "kW", 50, "densest racks (blank: those of the hall class)"),
        Column("liquid", "", "no", "yes: liquid cooling (blank: as the hall class)"),
        Column("pue_avg", "", None, "annual PUE (blank: that of the hall class)"),
        Column("pue_peak", "", None, "design-day PUE (blank: that of the hall class)"),
        Column("climate", "", None, "cold, mild, hot_dry or hot_humid (blank: the scenario's)"),
        Column("reply_by", "", "2027-12-31", "last day to sign"),
    ),
    "shared_limits": (
        Column("limit_id", "", "BANK-A", "transformer bank, feeder or corridor", True),
        Column("poi_id", "", "POI-1", "a POI behind it (one row each)", True),
        Column("factor", "MW per MW", 1, "load on the limit per MW at the POI (blank: 1)"),
        Column("mw", "grid MW", 400, "what all POIs behind it may draw together", True),
        Column("from_date", "", None, "from when (blank: from the start)"),
        Column("source", "", "utility one-line", "where the figures come from"),
    ),
    "tariffs": (
        Column("poi_id", "", "POI-1", "POI that the row is for (or level and region_id)"),
        Column("level", "", None, "region level, e.g. county, where the row is for a region"),
        Column("region_id", "", None, "region id, where the row is for a region"),
        Column("energy_usd_per_mwh", "USD/MWh", 48, "delivered energy price"),
        Column("demand_usd_per_kw_month", "USD/kW-month", 7, "charge per contracted grid kW"),
        Column("co2_kg_per_mwh", "kg/MWh", 370, "average CO2 of the energy"),
    ),
    "queue": (
        Column("level", "", None, "region level, e.g. county (blank: as the scenario says)"),
        Column("region_id", "", "48", "region id (blank: everywhere)"),
        Column("over_mw", "grid MW", 75, "requests above this (blank: all)"),
        Column("years", "years", None, "wait, where one figure is known"),
        Column("p10_years", "years", 2, "a tenth wait less"),
        Column("p50_years", "years", 4, "half wait less"),
        Column("p90_years", "years", 6, "nine tenths wait less"),
        Column("source", "", "queue report", "where the figures come from"),
    ),
    "commitments": (
        Column("site_id", "", "P01", "parcel or site", True),
        Column("what", "", "site", "site, it_mw, grid_mw or member", True),
        Column("group", "", None, "campus group of a member"),
        Column("mw", "MW", None, "IT or grid MW committed, as `what` says"),
        Column("date", "", "2028-01-01", "from when", True),
        Column("musd", "MUSD", 3, "already bound"),
    ),
    "demand": (
        Column("place_id", "", "austin", "your id of the demand place", True),
        Column("name", "", "Austin", "name shown in reports"),
        Column("lon", "degrees", -97.74, "longitude, WGS84", True),
        Column("lat", "degrees", 30.27, "latitude, WGS84", True),
        Column("weight", "share", 1, "share of the demand that is spread by weight"),
        Column("mw", "ref_mw", None, "demand of the place, where stated"),
    ),
    "demand_mw": (
        Column("place_id", "", "austin", "demand place", True),
        Column("workload", "", None, "workload of the scenario (blank: it)"),
        Column("from_date", "", "2028-01-01", "from when, until its next row", True),
        Column("mw", "ref_mw", 40, "demand", True),
    ),
    "matrix": (
        Column("site_id", "", "P01", "parcel or site", True),
        Column("place_id", "", "austin", "demand place", True),
        Column("value", "as `meaning` says", 12.5, "measured cost, km or round-trip ms", True),
    ),
    "solar_days": (
        Column("profile_id", "", "west", "name of the profile, where there are several"),
        Column("day_id", "", "clear", "representative day (24 rows each)", True),
        Column("days_per_year", "days", 265, "how many days of a year are like it"),
        Column("hour", "h", 12, "hour of the day, 0 to 23", True),
        Column("mw_per_mw", "MW per MW", 0.82, "output per MW built", True),
    ),
}  # fmt: skip


def as_csv(columns: tuple[Column, ...]) -> str:
    """Return a table as CSV text: header and one example row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(c.name for c in columns)
    writer.writerow("" if c.example is None else c.example for c in columns)
    return text.getvalue()


def dictionary_csv() -> str:
    """Return what every column means, as CSV text: a CSV table has no room for units."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "column", "unit", "needed", "meaning"))
    for table, columns in TABLES.items():
        for c in columns:
            writer.writerow((table, c.name, c.unit, "yes" if c.needed else "", c.meaning))
    return text.getvalue()


def write_xlsx(path: Path) -> None:
    """Write one workbook with a sheet per table; units and meanings are comments on the header.

    Row 1 is a title that readers skip, row 2 the header, row 3 the example.
    """
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.worksheets[0])
    for table, columns in TABLES.items():
        sheet = book.create_sheet(table)
        units = ", ".join(f"{c.name} {c.unit}" for c in columns if c.unit)
        sheet.append([f"Replace row 3. Units: {units or 'none'}. Comments explain each column."])
        sheet.append([c.name for c in columns])
        sheet.append([c.example for c in columns])
        for cell, column in zip(sheet[2], columns, strict=True):
            cell.font = Font(bold=True)
            unit = f" ({column.unit})" if column.unit else ""
            needed = "needed" if column.needed else "may be blank"
            cell.comment = Comment(f"{column.meaning}{unit}; {needed}", "sitepick")
            sheet.column_dimensions[cell.column_letter].width = max(10, len(column.name) + 2)
        sheet.freeze_panes = "A3"
    book.save(path)
