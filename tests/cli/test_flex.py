"""`sitepick flex`: curves of many shapes in, margins out, and what is refused."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

YEAR = 8760
LOAD = 900 + 100 * np.sin(np.arange(YEAR) * 2 * np.pi / 24) + np.arange(YEAR) % 97


def _file(name: str, header: str, rows) -> Path:
    text = "\n".join([header, *(",".join(map(str, r)) for r in rows)]) + "\n"
    path = Path(name)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


def _mw(answer, area: int = 0) -> list[float]:
    return [m["mw"] for m in answer.record["areas"][area]["margins"]]


def _names(answer) -> list[str]:
    return [a["area"] for a in answer.record["areas"]]


@pytest.fixture
def plain(cli):
    return cli("flex", _file("plain.csv", "mw", ([x] for x in LOAD)), "--json").record


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Hour,Load (MW)", lambda i, x: (i % 24 + 1, x)),
        ("timestamp,demand", lambda i, x: (f"2024-01-01T{i}", x)),
        ("hour_of_year,load [kW]", lambda i, x: (i, 1000 * x)),
        ("Hours,system_load_gw", lambda i, x: (i, x / 1000)),
        ("date,he,Load MW,temperature", lambda i, x: ("1/2/2024", i % 24, x, -3)),
    ],
)
def test_columns_are_found(cli, plain, header, cells):
    path = _file("c.csv.gz", header, (cells(i, x) for i, x in enumerate(LOAD)))
    answer = cli("flex", path, "--json")
    assert answer.code == 0, answer.err
    assert _names(answer) == ["c"]
    assert _mw(answer) == pytest.approx([m["mw"] for m in plain["areas"][0]["margins"]])


def test_areas_by_column_and_by_name(cli):
    wide = _file("w.csv", "utc,North,South", ((i, x, 2 * x) for i, x in enumerate(LOAD)))
    answer = cli("flex", wide, "--json")
    assert _names(answer) == ["North", "South"]
    assert _mw(answer, 1) == pytest.approx([2 * x for x in _mw(answer)])
    both = ((name, k * x) for i, x in enumerate(LOAD) for k, name in ((1, "N"), (2, "S")))
    long = cli("flex", _file("l.csv", "ba,mw", both), "--json")
    assert _names(long) == ["N", "S"]
    assert _mw(long) == pytest.approx(_mw(answer))
    one = cli("flex", wide, "--mw-column", "south", "--json")
    assert _names(one) == ["w"]
    assert _mw(one) == pytest.approx(_mw(answer, 1))


def test_load_duration_curve(cli):
    path = _file("d.csv", "mw,hours", [(100, 10), (90, 90), (50, 8660)])
    answer = cli("flex", path, "--pct", "0.3", "--json")
    (area,) = answer.record["areas"]
    assert not area["hourly"]
    # 10 H + 90 (H - 10) = 0.003 * 8760 H = 26.28 H, so H = 900 / 73.72
    found = {m["curtail_pct"]: m for m in area["margins"]}[0.3]
    assert found["mw"] == pytest.approx(900 / 73.72)
    assert found["hours"] == 100
    assert found["events"] is None
    assert {r["hours"]: r["mw"] for r in area["mw_by_hours"]} == {
        0: 0, 10: 10, 50: 10, 100: 50, 200: 50, 500: 50, 1000: 50,
    }  # fmt: skip


def test_what_it_is_stands_first_and_csv_has_every_row(cli):
    path = _file("c.csv", "mw", ([x] for x in LOAD))
    answer = cli("flex", path, "--out", "out.csv", "--hours", "7")
    assert answer.code == 0
    assert answer.out.splitlines()[0].startswith("Adequacy of an area's generation")
    assert "not headroom of the wires" in " ".join(answer.out.split())
    assert " 7 h" in answer.out
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert [r["curtail_pct"] for r in rows] == ["0.25", "0.5", "1", "5"]
    assert all(float(r["mw"]) > 0 for r in rows)


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("mw", [[x] for x in LOAD[:-1]], "8,759 hourly values, a year has 8,760 or 8,784"),
        ("mw,hours", [(5, 100), (3, 60)], "sum to 160, a year has"),
        ("mw", [["" if i == 7 else x] for i, x in enumerate(LOAD)], "8,759 hourly values"),
        ("t,mw", [(i, "" if i == 7 else x) for i, x in enumerate(LOAD)], "blank at row 9"),
        ("t,mw", [(i, -1 if i == 7 else x) for i, x in enumerate(LOAD)], "-1 at row 9 is below 0"),
        ("t,mw", [(i, "x" if i == 7 else x) for i, x in enumerate(LOAD)], "'x' at row 9"),
        ("name,other", [("a", "b")] * YEAR, "no column of MW was found"),
        ("t,mw", [(i, 0) for i in range(YEAR)], "no load at all"),
    ],
)
def test_no_curve(cli, header, rows, said):
    answer = cli("flex", _file("bad.csv", header, rows))
    assert answer.code == 3
    assert answer.err.startswith("bad.csv: ")
    assert said in answer.err


def test_wrong_options_are_told_all_at_once(cli):
    path = _file("c.csv", "mw", ([x] for x in LOAD))
    answer = cli("flex", path, "--pct", "100", "--hours", "9000", "--peak-mw", "0")
    assert answer.code == 2
    assert [line.split()[0] for line in answer.err.splitlines()] == [
        "--pct",
        "--hours",
        "--peak-mw",
    ]
    answer = cli("flex", path, "--mw-column", "load")
    assert answer.code == 3
    assert "no column 'load'; columns are 'mw'" in answer.err
    assert cli("flex", "gone.csv").code == 3
