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
    "commitments": (
        Column("site_id", "", "P01", "parcel or site", True),
        Column("what", "", "site", "site, it_mw or grid_mw", True),
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
