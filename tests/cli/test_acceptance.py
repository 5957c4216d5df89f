"""What a new user meets with files of their own: forty parcels, a map without MW, shared MW."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers import shortlist

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

COARSE = ("--gap", "4", "--quiet", "--json")
"""These tests ask for a right plan, not for the last percent."""


def table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def sheet(path: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a sheet under its header, the row that begins with site_id."""
    from openpyxl import load_workbook

    rows = list(load_workbook(path, read_only=True)[name].iter_rows(values_only=True))
    at = next(n for n, row in enumerate(rows) if row and row[0] == "site_id")
    return [dict(zip(map(str, rows[at]), row, strict=False)) for row in rows[at + 1 :] if row[0]]


def test_forty_parcels_and_letters_make_a_plan_and_forty_reasons(cli: Cli, tmp_path: Path) -> None:
    shortlist.write_shortlist(tmp_path)
    started = cli("init", "parcels.xlsx", "letters.xlsx", "--json")
    assert started.code == 0
    doubts = "\n".join(started.record["doubts"])
    assert "2 POIs named by parcels have no letter" in doubts
    assert "'Dropped' read as forbid (2 x)" in doubts
    assert "'STUDY COMPLETE' read as studied (1 x)" in doubts
    solved = cli("solve", *COARSE)
    assert solved.code == 0, solved.err
    said = solved.record
    assert said["verified"] is True
    run = Path(said["run"])
    assert 0 < said["it_mw"][max(said["it_mw"])] <= 930 / 1.15  # firm grid MW that count, over PUE

    features = json.loads((run / "candidates.geojson").read_text(encoding="utf-8"))["features"]
    told = {f["id"]: f["properties"] for f in features}
    rows = {str(row[0]): row for row in shortlist.parcel_rows()}
    assert set(told) == set(rows)
    for site, row in rows.items():
        reasons = {f["test"] for f in told[site]["failed"]}
        assert told[site]["Broker"] == row[-1]
        expected = {
            "Cedar Hill North": {"no_mw"}, "Ridge Road": {"no_mw"},
            "Salt Creek": {"no_dated_mw"}, "Lone Oak": {"no_dated_mw"},
        }.get(row[5], set())  # fmt: skip
        if row[8] == "Dropped":
            expected = expected | {"forbidden"}
        assert reasons == expected
        chosen = ("rejected",) if expected else ("chosen", "not chosen")
        assert told[site]["status"] in chosen
        assert all(f["message"] for f in told[site]["failed"])
    chosen_sites = {site for site, cells in told.items() if cells["status"] == "chosen"}
    assert chosen_sites == {s["id"] for s in said["sites"]}

    book = {row["site_id"]: row for row in sheet(run / "plan.xlsx", "candidates")}
    assert set(book) == set(rows)
    assert {s: r["status"] for s, r in book.items()} == {s: c["status"] for s, c in told.items()}
    assert {s: r.get("Broker") for s, r in book.items()} == {s: r[-1] for s, r in rows.items()}
    with (run / "sites.csv").open(encoding="utf-8", newline="") as stream:
        placed = list(csv.DictReader(stream))
    assert {row["site_id"] for row in placed} == chosen_sites
    assert all("Broker" in row for row in placed)
    drawn = json.loads((run / "sites.geojson").read_text(encoding="utf-8"))["features"]
    assert {f["id"]: f["properties"]["Broker"] for f in drawn} == {
        s: rows[s][-1] for s in chosen_sites
    }


def test_a_parcel_that_spells_a_lettered_substation_otherwise_is_a_fault(
    cli: Cli, tmp_path: Path
) -> None:
    table(tmp_path / "parcels.csv", ["parcel_id", "lon", "lat", "usable_ha", "poi_ids"],
          [["P1", -97, 31, 90, "ODELL  345"], ["P2", -97, 31.1, 90, "Odell 345"]])  # fmt: skip
    table(tmp_path / "letters.csv", ["poi_id", "mw_total", "from_date", "stage"],
          [["Odell 345", 200, "2028-01-01", "signed"]])  # fmt: skip
    started = cli("init", "parcels.csv", "letters.csv", "--json")
    assert any(d.startswith("solve will refuse this") for d in started.record["doubts"])
    answer = cli("solve")
    assert answer.code == 3
    assert "'P1' names POI 'ODELL  345'" in answer.err
    assert "did you mean 'Odell 345'?" in answer.err


def hifld(path: Path) -> None:
    """Write a layer of HIFLD's shape: sentinels, placeholder names, no MW of any kind."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-97 - n / 10, 31 + n / 20]},
            "properties": {
                "OBJECTID": n, "ID": str(100 + n), "NAME": f"UNKNOWN{100 + n}", "CITY": "WACO",
                "STATE": "TX", "TYPE": "SUBSTATION", "STATUS": "IN SERVICE",
                "LATITUDE": 31 + n / 20,
                "LONGITUDE": -97 - n / 10, "LINES": 2, "MAX_VOLT": volts, "MIN_VOLT": -999999,
            },
        }
        for n, volts in enumerate([345, 138, -999999, 138, 69])
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def test_a_hifld_layer_alone_is_no_headroom(cli: Cli, tmp_path: Path) -> None:
    hifld(tmp_path / "subs.geojson")
    refuses_to_invent(cli, "subs.geojson")


def test_the_real_hifld_layer_alone_is_no_headroom(cli: Cli, tmp_path: Path) -> None:
    given = os.environ.get("SITEPICK_REALDATA")
    if not given:
        pytest.skip("SITEPICK_REALDATA is not set")
    packed = Path(given) / "power" / "hifld" / "substations_partial.geojson.gz"
    with gzip.open(packed) as source, (tmp_path / "subs.geojson").open("wb") as target:
        shutil.copyfileobj(source, target)
    refuses_to_invent(cli, "subs.geojson")


def refuses_to_invent(cli: Cli, file: str) -> None:
    started = cli("init", file, "--json")
    assert started.code == 0
    assert any("no MW is known, and none is invented" in d for d in started.record["doubts"])
    for command in (("candidates",), ("solve",)):
        answer = cli(*command)
        assert answer.code == 3
        assert "no MW are known, and none are invented" in answer.err
        assert "Add letters or a column headroom_mw" in answer.err
        assert len(answer.err.strip().splitlines()) == 1
    assert not Path("runs").exists()


def seven(folder: Path, single: list[float], joint: float | None) -> None:
    """Write a parcel and a letter at each of seven POIs, and their joint limit."""
    spots = range(1, 8)
    table(folder / "parcels.csv", ["parcel_id", "lon", "lat", "usable_ha", "ask_musd", "poi_ids"],
          [[f"P{i}", -97 - 0.05 * i, 31, 300, 2, f"POI{i}"] for i in spots])  # fmt: skip
    table(
        folder / "letters.csv",
        ["offer_id", "poi_id", "mw_total", "from_date", "stage", "firm"],
        [[f"L{i}", f"POI{i}", single[i - 1], "2028-01-01", "signed", "yes"] for i in spots],
    )
    if joint is not None:
        table(folder / "limits.csv", ["limit_id", "poi_id", "factor", "mw"],
              [["corridor", f"POI{i}", 1, joint] for i in spots])  # fmt: skip


def grid_mw_by_period(run: Path) -> dict[str, float]:
    total: dict[str, float] = {}
    with (run / "sites.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            total[row["period"]] = total.get(row["period"], 0.0) + float(row["grid_mw_peak"])
    return total


def test_seven_pois_that_share_400_mw(cli: Cli, tmp_path: Path) -> None:
    seven(tmp_path, [110.0 + 10 * i for i in range(7)], 400)  # 980 grid MW one by one
    assert cli("init", "parcels.csv", "letters.csv", "limits.csv").code == 0
    wanted = ("--set", "periods.step=year", "--gap", "4", "--quiet")
    answer = cli("solve", *wanted)
    assert answer.code == 0, answer.err
    (run,) = Path("runs").iterdir()
    joint = grid_mw_by_period(run)
    assert 300 < max(joint.values()) <= 400 + 1e-3
    head = next(x for x in answer.out.splitlines() if "one by one" in x and "together" in x)
    line = next(x for x in answer.out.splitlines() if x.startswith("corridor") and "980" in x)
    assert head.index("one by one") < head.index("together")
    assert line.split()[1:4] == ["7", "980", "400"]
    # the same letters without the limit carry more than the limit allows
    text = Path("sitepick.yaml").read_text(encoding="utf-8")
    free = "\n".join(x for x in text.splitlines() if "shared_limits" not in x)
    Path("free.yaml").write_text(free, encoding="utf-8")
    alone = cli("solve", "free.yaml", *wanted, "--out", "free", "--json")
    assert alone.code == 0
    assert max(grid_mw_by_period(Path("free")).values()) > 700


def test_letters_of_1700_mw_against_2000_it_mw_that_must_be_served(
    cli: Cli, tmp_path: Path
) -> None:
    seven(tmp_path, [200.0, 300.0, 250.0, 250.0, 300.0, 200.0, 200.0], None)  # 1,700 grid MW
    assert cli("init", "parcels.csv", "letters.csv").code == 0
    asked = ("--set", "demand.must_serve=true", "--set", "demand.it_mw={2029: 500, 2030: 2000}",
             "--set", "periods.step=year")  # fmt: skip
    answer = cli("solve", *asked, "--json")
    assert answer.code == 4
    assert "from 2030-01-01: demand is 2,000.0 IT MW, short by" in answer.err
    assert "grid MW (design day)" in answer.err
    assert "2029-01-01" not in answer.err
    record = answer.record
    assert record["status"] == "infeasible"
    short = record["shortfall"]
    assert [row["period"] for row in short] == ["2030-01-01"]
    it_mw, grid_mw = short[0]["missing_ref_mw"], short[0]["missing_grid_mw"]
    assert 1.05 < grid_mw / it_mw < 1.6
    assert 2000 - 1700 / 1.05 < it_mw < 2000 - 1700 / 1.6
    assert not Path("runs").exists()
