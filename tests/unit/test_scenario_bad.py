"""Every refusal has one small file in tests/data/bad/scenario and one clear message."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from sitepick.errors import ScenarioError
from sitepick.scenario.read import read_scenario

BAD = Path(__file__).parent.parent / "data" / "bad" / "scenario"

# file -> for each problem: where it is, and words that must be in it
EXPECTED: dict[str, list[tuple[str, str]]] = {
    "a_list": [("1:1", "a scenario is a map")],
    "a_word": [("1:1", "a scenario is a map")],
    "alias_bomb": [("2:5", "anchors and aliases are not allowed")],
    "anchor": [("5:9", "anchors and aliases are not allowed")],
    "bad_date": [("2:8", "there is no month 13")],
    "bad_day": [("2:8", "2026-02 has no day 30")],
    "bad_series_key": [("5:18", "key 'soon': write a date as 2027")],
    "bad_year_key": [("6:15", "key 'next': write a calendar year")],
    "binary": [("", "is not text; expected a YAML scenario")],
    "broken_flow": [("6:1", "is not valid YAML")],
    "broken_text": [("6:7", "name: has characters that are no text, not '?'")],
    "complex_key": [("6:9", "a key must be plain text")],
    "deep": [("6:57", "is nested deeper than 50")],
    "demand_after_end": [("5:10", "starts 2031-01-01, after the last period ends (2030-12-31)")],
    "demand_before_start": [("5:10", "2026-01-01 is before the first period")],
    "demand_both_forms": [("5:1", "give either 'it_mw' or 'workloads', not both")],
    "demand_latency_without_places": [("5:34", "give a file in layers.demand")],
    "demand_nothing": [("5:1", "nothing is asked")],
    "demand_spread_without_places": [("5:30", "needs demand places")],
    "duplicate_key": [("8:1", "'name' is set twice (first at FILE:6)")],
    "duplicate_key_below": [("5:22", "'it_mw' is set twice")],
    "empty": [("", 'is empty; run "sitepick init" for a template')],
    "empty_value": [("6:1", "solver: is empty; give a value or remove the key")],
    "existing_hall_unknown": [("6:39", "unknown hall class 'dlcc'; did you mean 'dlc'?")],
    "existing_hall_unlisted": [("6:42", "not in the scenario's halls; add it there")],
    "existing_too_full": [
        ("8:48", "50 IT MW stand in 'air_dense' halls of 20 IT MW (see FILE:8:44)")
    ],
    "existing_twice": [("6:36", "'a' is listed twice")],
    "extends_bad_parent": [("5:17", "demand.it_mw: unknown power unit 'Mw'; did you mean 'MW'?")],
    "extends_cycle_a": [("1:10", "circle: FILE -> OTHER_b.yaml -> FILE")],
    "extends_cycle_b": [("1:10", "circle: FILE -> OTHER_a.yaml -> FILE")],
    "extends_itself": [("6:10", "circle: FILE -> FILE")],
    "extends_missing": [("6:10", "no such file")],
    "extends_two": [("6:1", "one parent only")],
    "fiber_faults": [
        ("15:18", "unknown class of optics 'zr_pluss'; did you mean 'zr_plus'?"),
        ("15:28", "class of optics 'zr' is listed twice"),
        ("17:7", "name to_nodes, or give demand places: a file in layers.demand"),
        ("18:14", "'v' is the name of other traffic already"),
        ("18:27", "unknown workload 'prep'; did you mean 'pre'?"),
        ("16:3", "need a fiber network: a file in layers.fiber_links"),
        ("11:39", "unknown workload 'dex'; did you mean 'dec'?"),
        ("12:14", "'a' is the name of other traffic already"),
        ("12:39", "'pre' is the prefill pool as well"),
        ("8:39", "needs 'model: grid' in power: without it power is no limit"),
    ],
    "fiber_traffic": [
        ("8:7", "the peak, 4 Gb/s, is below the 5 Gb/s"),
        ("9:7", "'peak_gbps_per_ref_mw' and 'peak_hours_per_year' go together"),
    ],
    "fraction_for_whole": [("6:19", "solver.threads: must be a whole number, not 2.5")],
    "grouped_digits": [("5:17", "demand.it_mw: write 1200")],
    "grid_contradictions": [
        ("9:3", "grid.conditions: is empty; name at least one"),
        ("10:62", "branch 'L2' is also in ids"),
        ("10:41", "grid.outages.transformers: counts only with min_kv"),
        ("12:21", "grid.excuse_margin_mw: counts only with 'excuse: least'"),
        ("7:1", "grid: needs 'model: grid': without it power is no limit"),
    ],
    "grid_ids": [
        ("8:16", "unknown condition 'summer_peek'; did you mean 'summer_peak'?"),
        ("8:55", "condition 'night' is listed twice"),
        ("9:49", "condition 'nigt' is not among grid.conditions; did you mean 'night'?"),
        ("12:19", "branch 'L1' is listed twice"),
    ],
    "grid_ranges": [
        ("8:46", "credit_pct.wind: must be at most 100 %, not 120"),
        ("8:62", "load_pct: must be at least 0 %, not -5"),
        ("9:29", "load_growth_pct_per_year: must be at most 50 % per year, not 90"),
        ("10:18", "emergency_pct: must be at least 100 %, not 80"),
        ("11:3", "unknown key 'poi_limits'; did you mean 'poi_limit'?"),
        ("12:34", "upgrades.0.mw: must be more than 0 MW, not 0"),
        ("12:43", "upgrades.0.musd: must be at least 0 MUSD, not -1"),
    ],
    "hall_form": [("6:8", "must be 'none' or a list of hall class ids and rows, not 5")],
    "hall_own_incomplete": [
        ("6:9", "halls.0.hall_it_mw: missing required key"),
        ("6:9", "halls.0.capex_musd_per_mw: missing required key"),
        ("6:9", "halls.0.pue_avg: missing required key"),
        ("6:9", "halls.0.pue_peak: missing required key"),
    ],
    "hall_pue_climates": [("6:70", "mild, hot_dry, hot_humid missing")],
    "hall_pue_peak_low": [("6:9", "pue_peak is below pue_avg")],
    "hall_twice": [("6:14", "hall class 'dlc' is listed twice")],
    "hall_unknown": [("6:9", "halls.0: unknown hall class 'dcl'; did you mean 'dlc'?")],
    "hardware_in_no_hall": [("7:12", "needs 132 kW per rack with liquid; no hall class takes it")],
    "hardware_unknown": [("6:12", "unknown hardware 'h10'; did you mean 'h100'?")],
    "infinite": [("5:17", "-.inf is not allowed; write a finite number")],
    "latin_1": [("2:1", "is not UTF-8 at byte 20")],
    "layer_as_text": [("4:23", "such as {file: PATH}, not 'subs.geojson'")],
    "many_faults": [
        ("1:10", "version 9 is made for a newer sitepick; this one reads 1"),
        ("5:17", "demand.it_mw: unknown power unit 'Mw'; did you mean 'MW'?"),
        ("5:37", "demand.must_serve: must be true or false, not 'maybe'"),
        ("6:1", "unknown key 'objectiv'; did you mean 'objective'?"),
        ("8:21", "power.tie_km_max: must be more than 0 km, not -3"),
    ],
    "map_for_list": [("6:1", "existing: must be a list")],
    "missing_file": [("4:10", "layers.substations.file: missing required key 'file'")],
    "missing_keys": [
        ("1:1", "missing required key 'version'; for example 'version: 1'"),
        ("1:1", "missing required key 'as_of'"),
        ("1:1", "missing required key 'demand'"),
    ],
    "negative_mw": [("5:17", "demand.it_mw: must be at least 0 IT MW, not -5")],
    "newer_version": [("1:10", "made for a newer sitepick; this one reads 1")],
    "no_places": [("4:1", "no place is given")],
    "not_a_number_nan": [("5:17", ".nan is not allowed")],
    "odd_version": [("1:10", "this sitepick reads version 1")],
    "only_a_comment": [("", "is empty")],
    "percent_above_100": [("6:28", "must be at most 100 %, not 900")],
    "periods_backwards": [("3:1", "'to' (2027-12-31) must be after 'from' (2030-01-01)")],
    "periods_before_as_of": [("3:17", "nothing can start before as_of (see FILE:2:8)")],
    "periods_not_whole": [("3:1", "23 months from 'from' to 'to' are not whole periods of 12")],
    "periods_too_many": [("3:1", "292 periods; at most 80 are allowed")],
    "procurement_hardware": [("6:15", "'hardware' goes with 'per: hardware_it_mw'")],
    "reference_unknown": [("7:21", "unknown hardware 'h99'; known: b200_hgx, cpu")],
    "region_closed_backwards": [("6:47", "2029-01-01 is after closed_to 2028-12-31")],
    "region_hardware_unknown": [("7:52", "unknown hardware 'h1000'; did you mean 'h100'?")],
    "region_level_unknown": [("6:27", "of level 'stat'; did you mean 'state'?")],
    "region_min_above_max": [
        ("10:7", "300 IT MW at 2028-01-01 is more than max_it_mw 200 (see FILE:11:18)")
    ],
    "retrofit_without_base": [("6:14", "is a retrofit of 'air_dense', which the scenario lacks")],
    "same_day_twice": [("5:10", "'2027' and '2027-01' are the same day")],
    "scalar_for_map": [("6:8", "power: must be a map of keys")],
    "second_document": [("6:1", "a scenario is one document")],
    "site_size_min_above_max": [
        ("7:23", "200 IT MW is more than max_it_mw_per_site 100 (see FILE:8:23)")
    ],
    "source_without_layer": [("6:22", "'parcels' needs a file in layers.parcels")],
    "stage_unknown": [
        ("7:29", "not 'sined'; did you mean 'signed'?"),
        ("8:16", "unknown key 'studid'"),
    ],
    "tab_indent": [("6:1", "a tab cannot be used to indent; use spaces")],
    "tag": [("5:17", "YAML tags are not allowed")],
    "too_big_a_number": [("5:17", "must be a finite number, not 1e400")],
    "true_for_number": [("6:23", "must be a number, not true or false")],
    "truth_as_word": [("5:34", "must be true or false, not 'maybe'")],
    "unit_case": [("5:17", "unknown power unit 'Mw'; did you mean 'MW'?")],
    "unit_compound": [("6:32", "write 2 (the key says MUSD per km)")],
    "unit_energy": [("5:17", "MWh is energy, power is needed: write MW")],
    "unit_milliwatt": [("5:17", "mW is a milliwatt; write MW")],
    "unit_of_other_kind": [("6:21", "unknown length unit 'kV'; write one of km, m, mi")],
    "unknown_key": [("6:1", "regons: unknown key 'regons'; did you mean 'regions'?")],
    "unknown_key_below": [("6:9", "unknown key 'tie_km_mx'; did you mean 'tie_km_max'?")],
    "unknown_key_elsewhere": [("6:9", "unknown key 'discount_rate_pct'; it belongs in 'money'")],
    "utf_16": [("", "is UTF-16; save it as UTF-8")],
    "version_true": [("1:10", "this sitepick reads version 1")],
    "word_for_number": [("6:23", "candidates.area_ha: must be a number, not 'large'")],
    "word_not_offered": [("6:12", "not 'min_cots'; did you mean 'min_cost'?")],
    "workload_without_hardware": [("5:35", "write 'uses: it', not 'decode'")],
}


def test_every_file_is_expected_and_every_expectation_has_a_file() -> None:
    assert sorted(EXPECTED) == sorted(p.stem for p in BAD.glob("*.yaml"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_refusal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    started = time.process_time()
    with pytest.raises(ScenarioError) as refused:
        read_scenario(Path(f"{name}.yaml"))
    assert time.process_time() - started < 5, "an input of a few hundred bytes took seconds"
    assert refused.value.exit_code == 2
    problems = refused.value.problems
    assert len(problems) == len(EXPECTED[name]), problems
    for problem, (where, words) in zip(problems, EXPECTED[name], strict=True):
        first = problem.splitlines()[0]
        in_parent = name in {"extends_bad_parent", "extends_cycle_a", "extends_cycle_b"}
        file = first.split(":")[0] if in_parent else f"{name}.yaml"
        assert first.startswith(f"{file}:{where}: error: " if where else f"{file}: error: "), first
        words = words.replace("FILE", f"{name}.yaml").replace("OTHER", "extends_cycle")
        assert words in first, first


def test_caret_stands_under_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ScenarioError) as refused:
        read_scenario(Path("unit_case.yaml"))
    _, source, caret = refused.value.problems[0].splitlines()
    assert source == "    5 | demand: {it_mw: 500 Mw}"
    assert source[caret.index("^") :].startswith("500 Mw")


def test_fault_in_a_parent_names_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ScenarioError, match=r"^unit_case\.yaml:5:17: error: demand\.it_mw"):
        read_scenario(Path("extends_bad_parent.yaml"))


def test_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "texas.yml").write_text("version: 1\n")
    with pytest.raises(
        ScenarioError, match=r"texas\.yaml: error: no such file\. Nearby: texas\.yml"
    ):
        read_scenario(tmp_path / "texas.yaml")
    with pytest.raises(ScenarioError, match="There is no folder"):
        read_scenario(tmp_path / "none" / "texas.yaml")


def test_directory_and_size(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a directory; expected a YAML scenario"):
        read_scenario(tmp_path)
    big = tmp_path / "big.yaml"
    big.write_bytes(b"# " + b"x" * 1_000_001)
    with pytest.raises(ScenarioError, match="is larger than 1 MB"):
        read_scenario(big)


def test_brackets_five_thousand_deep(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("a: " + "[" * 5000 + "]" * 5000)
    with pytest.raises(ScenarioError, match="nested deeper than 50"):
        read_scenario(path)


def test_chain_of_parents_has_an_end(tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / f"s{i}.yaml").write_text(f"extends: s{i + 1}.yaml\n")
    (tmp_path / "s12.yaml").write_text("version: 1\n")
    with pytest.raises(ScenarioError, match="more than 10 files deep"):
        read_scenario(tmp_path / "s0.yaml")


@pytest.mark.parametrize("name", [r'"a\0b"', r'"\ud800"', "x" * 5000])
def test_names_no_file_can_have(tmp_path: Path, name: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(f"extends: {name}\n")
    with pytest.raises(ScenarioError, match="no such file"):
        read_scenario(path)


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text('objective: "\\e[31mred"\n"\\e]0;title": 1\n')
    with pytest.raises(ScenarioError) as refused:
        read_scenario(path)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", str(refused.value))


def test_a_thousand_faults_are_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("".join(f"key{i}: 1\n" for i in range(1000)))
    with pytest.raises(ScenarioError) as refused:
        read_scenario(path)
    assert len(refused.value.problems) == 101
    assert refused.value.problems[-1] == "... and 904 more"
