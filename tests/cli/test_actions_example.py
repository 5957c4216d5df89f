"""The example of dated actions: every date by hand, in every file alike; a wrong one is found."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "actions" / "sitepick.yaml"
# as_of 2027-01-01; P1 opens 2030-01 with 4 halls of 20 IT MW, P2 2030-07 with 2
BY_HAND = [
    ("2026-09-01", "order_equipment", "P1", 40, 122), ("2027-01-01", "post_security", "P1", 0, 0),
    ("2027-03-01", "order_equipment", "P2", 40, 0), ("2027-03-15", "accept_letter", "P2", 0, 0),
    ("2027-03-15", "post_security", "P2", 0, 0), ("2027-06-30", "secure_land", "P1", 0, 0),
    ("2028-01-01", "start_tie", "P1", 24, 0), ("2028-01-01", "start_site_works", "P1", 24, 0),
    ("2028-07-01", "secure_land", "P2", 24, 0), ("2028-07-01", "start_tie", "P2", 24, 0),
    ("2028-07-01", "start_site_works", "P2", 24, 0),
    ("2028-07-01", "start_substation", "P1", 18, 0), ("2028-07-01", "start_halls", "P1", 18, 0),
    ("2028-11-01", "order_equipment", "P1", 14, 0), ("2029-01-01", "start_substation", "P2", 18, 0),
    ("2029-01-01", "start_halls", "P2", 18, 0), ("2029-05-01", "order_equipment", "P2", 14, 0),
    ("2030-07-01", "pay_letter_upgrade", "P2", 0, 0),
]  # fmt: skip


def test_dates_of_the_example(cli: Cli) -> None:
    answer = cli("solve", EXAMPLE, "--out", "run", "--json")
    assert answer.code == 0, answer.err
    with Path("run/actions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = ("do_by", "action", "site_id", "poi_id", "mw", "musd", "lead_months", "why",
               "late_by_days")  # fmt: skip
    assert tuple(rows[0])[:9] == columns
    told = [
        (r["do_by"], r["action"], r["site_id"], int(r["lead_months"]), int(r["late_by_days"]))
        for r in rows
    ]
    assert told == BY_HAND
    record = answer.record["actions"]
    assert [(r["do_by"], r["musd"]) for r in record] == [
        (r["do_by"], float(r["musd"]) if r["musd"] else None) for r in rows
    ]
    with closing(sqlite3.connect("run/plan.gpkg")) as db:
        stored = db.execute("SELECT do_by, musd, mw FROM actions ORDER BY fid").fetchall()
    assert stored == [(r["do_by"], r["musd"], r["mw"]) for r in record]
    from openpyxl import load_workbook

    sheet = load_workbook("run/plan.xlsx", read_only=True)["actions"]
    # 800 + 400 halls, 30 + 15 substations, 2 x 8 ties, 24 works, 5 land, 7 securities, 6 upgrade
    paid = sum(c for *_, c in sheet.iter_rows(min_col=6, max_col=6, values_only=True)
               if isinstance(c, (int, float)))  # fmt: skip
    assert paid == sum(r["musd"] or 0 for r in record) == 1303

    report = json.loads(Path("run/report.json").read_text(encoding="utf-8"))
    (table,) = [t for t in report["tables"] if t["title"].startswith("To do within")]
    assert table["title"] == "To do within 18 months, by 2028-07-01"
    assert len(table["rows"]) == 13
    assert table["rows"][0][:2] == ["2026-09-01", "order power transformer"]
    assert "1 LATE" in table["note"]
    assert "order power transformer" in Path("run/report.html").read_text(encoding="utf-8")
    dictionary = Path("run/data_dictionary.csv").read_text(encoding="utf-8")
    for file in ("actions.csv", "plan.gpkg:actions", "plan.xlsx:actions"):
        assert all(f"{file},{column}," in dictionary for column in columns)


def test_a_date_written_by_hand_is_found_with_its_days(cli: Cli) -> None:
    assert cli("solve", EXAMPLE, "--out", "run", "--quiet").code == 0
    assert cli("check", "run").code == 0
    file = Path("run/actions.csv")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("2029-01-01,start_halls", "2029-02-10,start_halls"), "utf-8")
    answer = cli("check", "run", "--json")
    assert answer.code == 7
    (found,) = answer.record["findings"]
    assert (found["check"], found["amount"], found["unit"]) == ("actions.do_by", 40, "days")
    assert "start_halls, P2, hall" in found["where"]
    file.write_text("do_by,action\n", encoding="utf-8")
    lost = cli("check", "run", "--json").record["findings"]
    assert [f["check"] for f in lost] == ["actions.missing"] * len(BY_HAND)
