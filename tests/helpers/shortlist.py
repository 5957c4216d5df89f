"""A site-acquisition manager's two workbooks: 40 parcels and the utilities' letters, as typed.

Headers, spellings and blanks are those of everyday sheets: dollars with commas as text beside
plain numbers, Excel dates, mixed case, trailing blanks, an empty row, own columns (Broker,
Contact) that must travel to every output.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

PARCELS = ["Parcel ID", "Site name", "Acres", "Asking price ($)", "Option expires", "Substation",
           "Lat", "Long", "Status", "Broker"]  # fmt: skip
LETTERS = ["Utility letter", "Substation", "MW", "In service", "Status", "Firm?", "Contact"]
SUBSTATIONS = ("Odell 345", "Brazos Bend", "Clear Fork", "Marlin West", "Salt Creek", "Pecan Gap",
               "Twin Mesa", "Lone Oak", "Cedar Hill North", "Ridge Road")  # fmt: skip
"""The last two have no letter, Salt Creek and Lone Oak none that counts."""
STATUS = ("Under option", "candidate", "REVIEW", "Shortlisted", "under Option")
BROKERS = ("J. Smith", "Müller & Sons", "=Acme Land", "", "O'Neil, K.")
COUNT = 40


def parcel_rows() -> list[list[Any]]:
    """Return 40 rows under `PARCELS`: two dropped; eight at substations without usable MW."""
    rows: list[list[Any]] = []
    for n in range(1, COUNT + 1):
        price: Any = 400_000 + 37_500 * n
        if n % 3 == 0:
            price = f"${price:,}"
        elif n % 11 == 0:
            price = None
        expires: Any = datetime(2027, 1 + n % 12, 15) if n % 4 else None
        status = STATUS[n % len(STATUS)]
        if n in (7, 23):
            status = "Dropped"
        substation = SUBSTATIONS[(n - 1) % len(SUBSTATIONS)]
        rows.append(
            [f"P-{n:03d}", f"Tract {n}", 60 + 12 * n, price, expires, substation,
             31.0 + 0.05 * n, -97.0 - 0.04 * n, status, BROKERS[n % len(BROKERS)] or None]
        )  # fmt: skip
    return rows


def letter_rows() -> list[list[Any]]:
    """Return the letters under `LETTERS`; two substations have two tranches (cumulative MW)."""
    return [
        ["ONC-2211", "Odell 345", 150, date(2028, 6, 1), "Signed", "Yes", "Ann"],
        ["ONC-2212", "Odell 345", 300, date(2029, 6, 1), "STUDY COMPLETE", "Y", "Ann"],
        ["ONC-2230", "Brazos Bend", "120 ", date(2028, 1, 1), "executed", "firm", "Bob"],
        ["LCRA-9", "Clear Fork", 80, date(2027, 9, 1), "In Service", "yes", None],
        ["LCRA-12", "Marlin West", 200, datetime(2029, 1, 1), "Facilities study", "Firm", "Cid"],
        ["CNP-77", "Salt Creek", "1,000", date(2030, 1, 1), "In queue", "no", "Dee"],
        ["CNP-78", "Pecan Gap", 90, date(2028, 7, 1), "signed", "Yes", "Dee"],
        ["AEP-5", "Twin Mesa", 60, date(2028, 3, 1), "Signed ", "Yes", "Eve"],
        ["AEP-6", "Twin Mesa", 140, date(2029, 10, 1), "studied", "Yes", "Eve"],
        ["AEP-9", "Lone Oak", 110, date(2029, 4, 1), "Studied", "non-firm", "Eve"],
    ]


def write_workbook(path: Path, sheet: str, header: list[str], rows: list[list[Any]]) -> None:
    """Write one sheet with an empty row in the middle; what looks like a formula is text."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.worksheets[0]
    page.title = sheet
    page.append(header)
    for n, row in enumerate(rows):
        if n == len(rows) // 2:
            page.append([None] * len(header))
        page.append(row)
        for cell in page[page.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    book.save(path)


def write_shortlist(folder: Path) -> tuple[Path, Path]:
    """Write parcels.xlsx and letters.xlsx to ``folder``."""
    parcels, letters = folder / "parcels.xlsx", folder / "letters.xlsx"
    write_workbook(parcels, "Shortlist", PARCELS, parcel_rows())
    write_workbook(letters, "Letters", LETTERS, letter_rows())
    return parcels, letters
