"""Reading a good scenario: values, positions, extends, --set, canonical text; and speed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sitepick.errors import ScenarioError
from sitepick.scenario.fields import ALL_TIME, value_at
from sitepick.scenario.read import read_scenario
from sitepick.scenario.schema import period_starts
from sitepick.scenario.steps import stepped

STARTER = Path(__file__).parent.parent / "data" / "scenario" / "starter.yaml"
LEAST = """\
version: 1
as_of: 2026-11-23
periods: {from: 2027, to: 2030}
layers: {substations: {file: subs.geojson}}
demand: {it_mw: {2027: 100, 2030: 400}}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_starter() -> None:
    loaded = read_scenario(STARTER)
    s = loaded.scenario
    assert loaded.base == STARTER.parent
    assert (s.periods.from_, s.periods.to) == (date(2027, 1, 1), date(2030, 12, 31))
    assert len(period_starts(s.periods)) == 17
    assert s.layers.parcels[0].keep == ["broker"]
    assert s.layers.exclusions[0].where == "ZONE IN ('A','AE','VE')"
    assert s.demand.it_mw is not None
    assert value_at(s.demand.it_mw, date(2029, 7, 1)) == 1200
    assert value_at(s.demand.it_mw, date(2026, 12, 31)) is None
    assert s.power.slip_years == {"studied": 1}
    assert s.halls == ["dlc"]
    assert s.hardware == "none"
    assert s.budget_musd == {2026: 500, 2027: 4000, 2028: 7000, 2029: 8000, 2030: 8000}


def test_origins_say_where_each_value_stands() -> None:
    loaded = read_scenario(STARTER, ["solver.seed=7"])
    assert loaded.origins["power.tie_km_max"] == f"{STARTER}:18:15"
    assert loaded.origins["demand.it_mw.2028"] == f"{STARTER}:20:28"
    assert loaded.origins["solver.seed"] == "--set #1"


def test_words_that_other_yaml_readers_misread_stay_text(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "s.yaml",
        LEAST.replace("subs.geojson}", "subs.geojson}, regions: {file: r.geojson, level: state}")
        + "name: 010\nregions: {rules: [{level: state, ids: [NO, ON, 06, 48, 1e3, yes, 12:30]}]}\n",
    )
    s = read_scenario(path).scenario
    assert s.name == "010"
    assert s.regions.rules[0].ids == ["NO", "ON", "06", "48", "1e3", "yes", "12:30"]


@pytest.mark.parametrize(
    ("written", "mw"),
    [
        ("500", 500),
        ("500 MW", 500),
        ("0.5 GW", 500),
        ('"500 MW"', 500),
        ("5e2", 500),
        ("500.0", 500),
    ],
)
def test_numbers_may_carry_the_unit_of_their_key(tmp_path: Path, written: str, mw: float) -> None:
    path = write(tmp_path, "s.yaml", LEAST + f"candidates: {{max_it_mw_per_site: {written}}}\n")
    assert read_scenario(path).scenario.candidates.max_it_mw_per_site == mw


def test_one_number_stands_for_all_time() -> None:
    s = read_scenario(STARTER, ["demand.it_mw=300"]).scenario
    assert s.demand.it_mw == {ALL_TIME: 300}


def test_one_thing_needs_no_brackets() -> None:
    s = read_scenario(STARTER, ["halls=dlc_full", "power.count_stages=signed"]).scenario
    assert s.halls == ["dlc_full"]
    assert s.power.count_stages == ["signed"]


def test_crlf_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode())
    assert read_scenario(path).scenario.name == "plan"


def test_extends_merges_maps_and_replaces_lists(tmp_path: Path) -> None:
    write(
        tmp_path, "lib/base.yaml", LEAST + "halls: [dlc, dlc_full]\nsolver: {seed: 3, threads: 1}\n"
    )
    child = write(
        tmp_path,
        "mine/child.yaml",
        "extends: ../lib/base.yaml\nhalls: [dlc_full]\nsolver: {seed: 4}\n"
        "layers: {parcels: {file: parcels.csv}}\nbudget_musd: {2027: 10}\n",
    )
    loaded = read_scenario(child)
    s = loaded.scenario
    assert s.halls == ["dlc_full"]
    assert (s.solver.seed, s.solver.threads) == (4, 1)
    assert s.layers.substations[0].file == "../lib/subs.geojson"
    assert s.layers.parcels[0].file == "parcels.csv"
    assert "extends" not in loaded.resolved_yaml
    assert loaded.origins["solver.threads"].endswith("base.yaml:7:28")
    removed = write(tmp_path, "mine/less.yaml", "extends: child.yaml\nbudget_musd: null\n")
    assert read_scenario(removed).scenario.budget_musd is None


def test_layer_paths_that_are_not_relative_stay(tmp_path: Path) -> None:
    write(
        tmp_path,
        "lib/base.yaml",
        LEAST.replace("{substations: {file: subs.geojson}}", "{substations: {file: 'bundled:tx'}, "
                      "lines: [{file: /data/l.gpkg}, {file: ../x/l.gpkg}],\n"
                      "  regions: {file: r.gpkg, attributes: {file: r.csv}}}"),
    )  # fmt: skip
    s = read_scenario(write(tmp_path, "child.yaml", "extends: lib/base.yaml\n")).scenario
    assert s.layers.substations[0].file == "bundled:tx"
    assert [f.file for f in s.layers.lines] == ["/data/l.gpkg", "x/l.gpkg"]
    assert s.layers.regions[0].file == "lib/r.gpkg"
    assert s.layers.regions[0].attributes is not None
    assert s.layers.regions[0].attributes.file == "lib/r.csv"


def test_overrides() -> None:
    loaded = read_scenario(
        STARTER,
        [
            "periods.step=year",
            "layers.exclusions.0.buffer_km=2 km",
            'power.tie_mw_by_kv."34.5"=25',
            "halls.1=dlc_full",
            "demand.it_mw={2027: 5, 2029-07: 10 MW}",
            "name=a = b",
        ],
    )
    s = loaded.scenario
    assert s.periods.step == "year"
    assert s.layers.exclusions[0].buffer_km == 2
    assert s.power.tie_mw_by_kv == {34.5: 25}
    assert s.halls == ["dlc", "dlc_full"]
    assert s.demand.it_mw == {date(2027, 1, 1): 5, date(2029, 7, 1): 10}
    assert s.name == "a = b"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("demand.totl=5", "--set #1: error: demand.totl: unknown key 'totl'"),
        ("demnd.it_mw=5", "--set #1: error: demnd: unknown key 'demnd'; did you mean 'demand'?"),
        (
            "solver.threads=two",
            "--set #1: error: solver.threads: must be a whole number, not 'two'",
        ),
        ("halls.7=dlc", "--set #1: error: halls: is a list of 1; write an index from 0 to 1"),
        ("halls", "--set #1: error: write key.key=value"),
        ("=3", "--set #1: error: write key.key=value"),
        ("solver..seed=3", "--set #1: error: an empty key"),
        ("name=[1", "--set #1: error: is not valid YAML"),
        ("name=&a x", "--set #1: error: YAML anchors and aliases are not allowed"),
        ("extends=b.yaml", "--set #1: error: 'extends' can be set in a file only"),
        (".".join("a" * 60) + "=1", "--set #1: error: is nested deeper than 50"),
    ],
)
def test_bad_overrides_are_placed(override: str, message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(STARTER, [override])
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(message)


def test_caret_of_an_override_stands_in_the_argument() -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(STARTER, ["solver.seed=1", "demand={it_mw: 5 mW}"])
    first, source, caret = refused.value.problems[0].splitlines()
    assert first == "--set #2: error: demand.it_mw: mW is a milliwatt; write MW"
    assert source[caret.index("^") :] == "5 mW}"


@pytest.mark.parametrize("key", ["layers.exclusions[0].buffer_km", "layers.exclusions.0.buffer_km"])
def test_an_override_may_be_written_as_messages_write_it(key: str) -> None:
    s = read_scenario(STARTER, [f"{key}=2"]).scenario
    assert s.layers.exclusions[0].buffer_km == 2
    assert stepped(s, [f"{key}=+1"]) == ["layers.exclusions.0.buffer_km=3"]


def test_every_bad_override_is_reported() -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(STARTER, ["halls", "solver.seed=1", "halls.9=x"])
    assert [p.split(":")[0] for p in refused.value.problems] == ["--set #1", "--set #3"]


def test_overrides_alone_make_a_scenario() -> None:
    loaded = read_scenario(None, [
        "version=1", "as_of=2026-11-23", "periods={from: 2027, to: 2030}",
        "layers.substations.file=subs.geojson", "demand.it_mw=100",
    ])  # fmt: skip
    assert loaded.path is None
    assert loaded.base == Path()
    with pytest.raises(ScenarioError, match="missing required key 'version'"):
        read_scenario(None)


def test_resolved_text_reads_back_to_the_same(tmp_path: Path) -> None:
    odd = [
        "name='{Ünï: \"x\\\\ # }  '",
        "regions.rules=[{level: region, ids: ['NO', '010', '-', 'a: b', '😀']}]",
    ]
    loaded = read_scenario(STARTER, odd)
    again = read_scenario(write(tmp_path, "again.yaml", loaded.resolved_yaml))
    assert again.scenario == loaded.scenario
    assert again.resolved_yaml == loaded.resolved_yaml
    assert again.sha256 == loaded.sha256
    assert read_scenario(STARTER).sha256 != loaded.sha256


def test_layout_and_comments_do_not_change_the_hash(tmp_path: Path) -> None:
    flow = write(tmp_path, "a.yaml", LEAST)
    block = write(
        tmp_path,
        "b.yaml",
        "# hello\nversion: 1\nas_of: '2026-11-23'\nperiods:\n  from: 2027\n  to: 2030\n"
        'layers:\n  substations:\n    file: "subs.geojson"\ndemand:\n  it_mw:\n'
        "    2027: 100\n    2030: 400\n",
    )
    assert read_scenario(flow).sha256 == read_scenario(block).sha256


def test_reading_takes_a_third_of_a_second_at_most() -> None:
    program = (
        "import sys, pathlib\n"
        "from sitepick.scenario.read import read_scenario\n"
        f"read_scenario(pathlib.Path({str(STARTER)!r}))\n"
        "assert not {'numpy', 'pandas', 'shapely', 'highspy'} & set(sys.modules)\n"
    )
    # processor time: other work on the machine does not count
    assert min(_seconds(program) for _ in range(3)) < 0.35


def _seconds(program: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", program], check=True)
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system
