"""`sitepick layers --headroom`: the layer it writes, what it says, and how it refuses."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sitepick.bundled import data_dir
from sitepick.layers.load import load_one
from sitepick.network.grid import Grid
from sitepick.network.headroom import withdrawal_headroom
from sitepick.scenario.inputs import LayerFile

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

KEPT = ["headroom_limit", "headroom_limit_kv", "headroom_outage", "condition", "limit_estimated"]
TEXAS = "bundled:texas_grid"


def small_grid(folder: Path) -> Path:
    """A triangle d-g-h, of which one corner has generation, and a spur to s: hand-solved below."""
    folder.mkdir()
    tables = {
        "buses": "bus_id,poi_id,base_kv,load_mw,lon,lat\n"
        "1,G,138,0,-97,31\n2,D,138,60,-97.1,31\n3,H,138,0,-97.2,31\n4,S,69,0,-97.3,31\n",
        "branches": "branch_id,from_bus,to_bus,device,x_pu,rating_mva\n"
        "GD,1,2,line,0.1,100\nGH,1,3,line,0.1,100\nHD,3,2,line,0.1,100\nHS,3,4,line,0.1,30\n",
        "plants": "plant_id,bus_id,pmax_mw,pg_mw\nP1,1,500,60\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_small_grid_by_hand(cli: Cli, tmp_path: Path) -> None:
    """60 MW at D flow as 40 on GD and 20 by GH and HD; new load at D splits in the same way.

    Base: GD leaves (100 - 40) / (2/3) = 90. Without GD all flows by GH: 115 - 60 = 55; without GH
    all flows by GD, which leaves as much. At H, GH takes 2/3: (100 - 20) / (2/3) = 120, and without
    GD or GH 115 - 60 = 55. S is below the voltage; its line of 69 kV stays in service.
    """
    grid = small_grid(tmp_path / "mine")
    answer = cli("layers", "--headroom", grid, "-o", "out.csv", "--json")
    assert answer.code == 0, answer.err
    rows = rows_of(Path("out.csv"))
    assert [row["poi_id"] for row in rows] == ["D", "G", "H"]
    assert [float(row["headroom_mw"]) for row in rows] == pytest.approx([55, 5000, 55])
    assert (rows[0]["headroom_limit"], rows[0]["headroom_outage"]) == ("GD", "GH")
    assert rows[1]["headroom_limit"] == "none"
    assert [row["lon"] for row in rows] == ["-97.1", "-97", "-97.2"]
    said = answer.record
    assert (said["pois"], said["outages"], said["pois_at_cap"]) == (3, 3, 1)
    assert said["radial_lines"] == 0
    assert said["synthetic"] is False

    low = cli("layers", "--headroom", grid, "--min-kv", "69", "--no-outages", "--json", "-q")
    assert low.record["pois"] == 4
    assert low.record["headroom_mw"]["least"] == pytest.approx(30)  # the spur
    text = cli("layers", "--headroom", grid, "--min-kv", "69", "-o", "low.csv")
    assert "1 lines not taken out, because that would cut the grid in two (HS)" in text.out
    assert "do not add up" in text.out
    assert "voltage, stability, short circuit" in text.out


def test_texas_equals_the_library_and_reads_back_as_substations(cli: Cli, tmp_path: Path) -> None:
    for name in ("headroom.geojson", "headroom.gpkg", "headroom.csv"):
        answer = cli("layers", "--headroom", TEXAS, "-o", name, "--quiet")
        assert answer.code == 0, answer.err
        assert "SYNTHETIC" in answer.out
        spec = LayerFile.model_validate({"file": name, "keep": KEPT})
        frame, problems, _ = load_one("substations", spec, tmp_path)
        assert not problems
        assert frame is not None
        found = withdrawal_headroom(Grid.read(data_dir() / "texas_grid"), cap_mw=5000.0)
        mw = dict(zip(found.ids, found.headroom_mw, strict=True))
        limit = dict(zip(found.ids, found.limit_id, strict=True))
        assert len(frame) == len(mw) == 1250
        wanted = np.array([mw[poi] for poi in frame["poi_id"]])
        np.testing.assert_allclose(frame["headroom_mw"].to_numpy(), wanted, atol=5.1e-4)
        assert list(frame["keep:headroom_limit"]) == [limit[poi] for poi in frame["poi_id"]]
        assert bool(frame["synthetic"].all())
        assert bool(frame["estimated"].all())
        assert frame["name"].str.len().min() > 0
    layer = json.loads(Path("headroom.geojson").read_text(encoding="utf-8"))
    assert all(feature["geometry"]["type"] == "Point" for feature in layer["features"])


def test_a_scenario_plans_on_the_layer_it_wrote(cli: Cli, tmp_path: Path) -> None:
    assert cli("layers", "--headroom", TEXAS, "-o", "headroom.geojson", "-q").code == 0
    keep = ", ".join(KEPT)
    Path("plan.yaml").write_text(
        "version: 1\nname: screened\nas_of: 2026-11-23\n"
        "periods: {from: 2029, to: 2029, step: year}\n"
        "money: {price_year: 2026, discount_rate_pct: 9}\n"
        f"layers:\n  substations: {{file: headroom.geojson, keep: [{keep}]}}\n"
        "candidates: {min_kv: 230, min_headroom_mw: 300, area_ha: 80}\n"
        "power: {wait_years: 2, energy_usd_per_mwh: 55}\n"
        "demand: {it_mw: 150}\nhalls: [dlc]\n",
        encoding="utf-8",
    )
    answer = cli("candidates", "plan.yaml", "--json")
    assert answer.code == 0, answer.err
    big = [
        row
        for row in json.loads(Path("headroom.geojson").read_text(encoding="utf-8"))["features"]
        if row["properties"]["kv"] >= 230 and row["properties"]["headroom_mw"] >= 300
    ]
    assert answer.record["waterfall"][-1]["places"] == len(big) > 50
    assert answer.record["synthetic"] is True


def test_names_and_places_come_from_a_layer(cli: Cli, tmp_path: Path) -> None:
    grid = small_grid(tmp_path / "mine")
    Path("subs.csv").write_text("poi_id,name,lon,lat\nD,Delta,-99,30\nX,Other,-98,30\n")
    answer = cli("layers", "subs.csv", "--headroom", grid, "-o", "out.csv", "--json")
    assert answer.code == 0, answer.err
    rows = {row["poi_id"]: row for row in rows_of(Path("out.csv"))}
    assert (rows["D"]["name"], rows["D"]["lon"]) == ("Delta", "-99")
    assert (rows["H"]["name"], rows["H"]["lon"]) == ("", "-97.2")


def test_pois_without_a_place_are_counted(cli: Cli, tmp_path: Path) -> None:
    grid = small_grid(tmp_path / "mine")
    table = (grid / "buses.csv").read_text(encoding="utf-8")
    plain = "\n".join(",".join(line.split(",")[:4]) for line in table.splitlines())
    (grid / "buses.csv").write_text(plain + "\n", encoding="utf-8")
    answer = cli("layers", "--headroom", grid, "-o", "out.geojson")
    assert answer.code == 0, answer.err
    assert "no place       3 POIs" in answer.out
    layer = json.loads(Path("out.geojson").read_text(encoding="utf-8"))
    assert [feature["geometry"] for feature in layer["features"]] == [None] * 3


def test_zero_headroom_says_why_and_an_overload_is_listed(cli: Cli, tmp_path: Path) -> None:
    grid = small_grid(tmp_path / "mine")
    table = (grid / "branches.csv").read_text(encoding="utf-8")
    (grid / "branches.csv").write_text(table.replace("GD,1,2,line,0.1,100", "GD,1,2,line,0.1,30"))
    answer = cli("layers", "--headroom", grid)
    assert answer.code == 0, answer.err
    assert "2 because GD is at its limit or above it before any new load" in answer.out
    assert "1 branches before any new load (GD)" in answer.out


GRID_FAULTS: dict[str, tuple[str, str, str, str]] = {
    "unknown_bus": ("branches", "HD,3,2", "HD,3,9", "'9'"),
    "no_number": ("branches", "0.1,30", "abc,30", "x_pu"),
    "twice": ("buses", "4,S,69", "1,S,69", "more than once"),
    "negative": ("branches", "0.1,30", "0.1,-30", "negative"),
    "kw": ("buses", "D,138,60", "D,138,600000", "MW"),
    "missing_column": ("branches", "branch_id", "brnch", "branch_id"),
    "not_finite": ("buses", "D,138,60", "D,138,inf", "load"),
}


@pytest.mark.parametrize("fault", GRID_FAULTS)
def test_a_bad_grid_is_refused_in_words(cli: Cli, tmp_path: Path, fault: str) -> None:
    name, old, new, word = GRID_FAULTS[fault]
    grid = small_grid(tmp_path / "mine")
    text = (grid / f"{name}.csv").read_text(encoding="utf-8")
    assert old in text
    (grid / f"{name}.csv").write_text(text.replace(old, new), encoding="utf-8")
    answer = cli("layers", "--headroom", grid, "-o", "out.csv")
    assert answer.code == 3, answer.err
    assert word in answer.err
    assert "Traceback" not in answer.err
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--headroom", "nowhere"), 3, "nowhere: no such file"),
        (("--headroom", "bundled:nowhere"), 3, "not among the bundled data"),
        (("--headroom", "bundled:us_cities.csv"), 3, "us_cities.csv"),
        (("--headroom", TEXAS, "-o", "out.xlsx"), 2, "must end in .csv, .geojson, .gpkg"),
        (("--headroom", TEXAS, "-o", "taken.csv"), 2, "add --force"),
        (("--headroom", TEXAS, "-o", "no/where.csv"), 2, "does not exist"),
        (("--headroom", TEXAS, "--min-kv", "900"), 3, "lower --min-kv"),
        (("--headroom", TEXAS, "--emergency-pct", "90"), 2, "--emergency-pct"),
        (("--headroom", TEXAS, "--cutoff-pct", "0"), 2, "--cutoff-pct"),
        (("--headroom", TEXAS, "--processes", "0"), 2, "--processes"),
        (("--headroom", TEXAS, "a.csv", "b.csv"), 2, "at most one FILE"),
        (("--headroom", TEXAS, "--condition", "noon"), 2, "the catalog has summer_peak"),
        (("--headroom", TEXAS, "--dispatch", "best"), 2, "there are economic, stored"),
        (("--headroom", TEXAS, "--dispatch", "economic"), 2, "needs a --condition"),
        (("--headroom", "plan.yaml"), 2, "plan.yaml: no such file"),
        (("taken.csv", "--condition", "summer_peak"), 2, "needs --headroom GRID"),
        (("--headroom", TEXAS, "missing.csv"), 3, "missing.csv: no such file"),
        (("--headroom", TEXAS, "taken.csv"), 3, "taken.csv"),
        (("taken.csv", "--min-kv", "69"), 2, "needs --headroom GRID"),
        (("taken.csv", "-o", "out.csv"), 2, "needs --headroom GRID"),
    ],
)
def test_a_wrong_command_line_is_refused(
    cli: Cli, arguments: tuple[str, ...], code: int, word: str
) -> None:
    Path("taken.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    answer = cli("layers", *arguments)
    assert answer.code == code, answer.err
    assert word in answer.err
    assert "Traceback" not in answer.err
    assert Path("taken.csv").read_text(encoding="utf-8") == "a,b\n1,2\n"
    assert sorted(path.name for path in Path().iterdir()) == ["taken.csv"]


def test_force_replaces_and_a_full_disk_leaves_the_old_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = small_grid(tmp_path / "mine")
    Path("out.csv").write_text("old", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setitem(sys.modules["sitepick.exports.headroom"]._WRITERS, ".csv", full)
        answer = cli("layers", "--headroom", grid, "-o", "out.csv", "--force")
    assert answer.code == 2
    assert "No space left on device; nothing was written" in answer.err
    assert Path("out.csv").read_text(encoding="utf-8") == "old"
    assert cli("layers", "--headroom", grid, "-o", "out.csv", "--force").code == 0
    assert len(rows_of(Path("out.csv"))) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out.csv"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("later_s", [0.0, 0.3])
def test_ctrl_c_ends_all_processes_and_leaves_no_file(tmp_path: Path, later_s: float) -> None:
    grid = tmp_path / "texas"
    shutil.copytree(data_dir() / "texas_grid", grid)
    command = "import sys; from sitepick.cli.app import main; sys.exit(main())"
    arguments = ["layers", "--headroom", str(grid), "--processes", "2", "-o", "out.csv"]
    with subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(_group(process.pid)) < 3:
            time.sleep(0.02)
        time.sleep(later_s)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "nothing was written" in said
    assert "Traceback" not in said
    deadline = time.monotonic() + 20  # the helper of multiprocessing goes after its parent
    while time.monotonic() < deadline and _group(process.pid):
        time.sleep(0.05)
    assert not _group(process.pid)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texas"]


def _group(leader: int) -> list[int]:
    """Living processes of a process group."""
    out = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = path.read_text().rsplit(")", 1)[1].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state != "Z":
            out.append(int(path.parent.name))
    return out


def test_packed_tables_are_read(cli: Cli, tmp_path: Path) -> None:
    grid = small_grid(tmp_path / "mine")
    for path in sorted(grid.iterdir()):
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert cli("layers", "--headroom", grid, "--json").record["pois"] == 3


SCENARIO = """\
version: 1
name: study
as_of: 2026-01-01
periods: {from: 2027, to: 2028, step: year}
money: {price_year: 2026, discount_rate_pct: 9}
layers: {substations: {file: subs.csv}}
candidates: {area_ha: 80}
power: {wait_years: 0, energy_usd_per_mwh: 50}
demand: {it_mw: 1}
halls: none
grid:
  file: mine
  conditions:
    - {id: full, load_pct: 100}
    - {id: half, load_pct: 50}
  load_growth_pct_per_year: 50
  emergency_pct: 130
  outages: {min_kv: null, ids: [GD]}
"""


def test_the_grid_section_of_a_scenario_is_studied(cli: Cli, tmp_path: Path) -> None:
    """Load grows by half in the year to the first period: at D 90 MW, or 45 in condition `half`.

    Only GD is lost: without it all flows by GH, which may carry 130.
    """
    small_grid(tmp_path / "mine")
    Path("subs.csv").write_text("poi_id,name,lon,lat,headroom_mw\nD,Delta,-99,30,50\n")
    Path("plan.yaml").write_text(SCENARIO, encoding="utf-8")
    answer = cli("layers", "--headroom", "plan.yaml", "-o", "out.csv", "--json")
    assert answer.code == 0, answer.err
    rows = {row["poi_id"]: row for row in rows_of(Path("out.csv"))}
    assert float(rows["D"]["headroom_mw"]) == pytest.approx(40, abs=0.1)  # a year is 365.25 days
    assert rows["D"]["condition"] == "full"
    said = answer.record
    assert (said["outages"], said["emergency_pct"], said["dispatch"]) == (1, 130, "economic")

    half = cli("layers", "--headroom", "plan.yaml", "--condition", "half", "-o", "half.csv", "-q")
    assert half.code == 0, half.err
    rows = {row["poi_id"]: row for row in rows_of(Path("half.csv"))}
    assert float(rows["D"]["headroom_mw"]) == pytest.approx(85, abs=0.1)

    wrong = cli("layers", "--headroom", "plan.yaml", "--condition", "noon")
    assert wrong.code == 2
    assert "there are full, half" in wrong.err
    Path("plan.yaml").write_text(SCENARIO.split("grid:")[0], encoding="utf-8")
    none = cli("layers", "--headroom", "plan.yaml")
    assert none.code == 2
    assert "has no `grid` section" in none.err


def test_load_that_no_plant_can_serve_is_refused(cli: Cli, tmp_path: Path) -> None:
    grid = small_grid(tmp_path / "mine")
    table = (grid / "plants.csv").read_text(encoding="utf-8").splitlines()
    (grid / "plants.csv").write_text(f"{table[0]},fuel\n{table[1]},solar\n".replace("500", "90"))
    for rule in ("economic", "stored"):
        answer = cli("layers", "--headroom", grid, "--condition", "summer_peak", "--dispatch", rule)
        assert answer.code == 3, answer.err
        assert "load 60 MW is above the 45 MW" in answer.err
        assert "'summer_peak'" in answer.err


def test_texas_conditions_differ_and_say_what_no_dispatch_avoids(cli: Cli) -> None:
    peak = cli("layers", "--headroom", TEXAS, "--condition", "summer_peak", "--json").record
    light = cli("layers", "--headroom", TEXAS, "--condition", "light_load", "--json").record
    assert peak["overloads_no_dispatch_avoids"] == peak["overloaded_after_an_outage"] == 6
    assert peak["overloads_no_dispatch_avoids_mw"] == pytest.approx(99.2, abs=1)
    assert light["overloads_no_dispatch_avoids"] == light["overloaded_after_an_outage"] == 0
    assert light["overloaded_before_any_new_load"] == 0
    assert 100 < peak["headroom_mw"]["median"] < 250
