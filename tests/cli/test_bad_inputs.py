"""Every bad input ends with its exit code and its words: no traceback, no run folder, no bug."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Cli

BAD = Path(__file__).resolve().parents[1] / "data" / "bad"
SCENARIOS = sorted(p.name for p in (BAD / "scenario").glob("*.yaml"))
LAYERS: list[dict[str, Any]] = YAML(typ="safe").load(
    (BAD / "layers" / "expected.yaml").read_text(encoding="utf-8")
)
# faults that show only when files meet: exit code, and words that place and cure need
TOGETHER: dict[str, tuple[int, tuple[str, ...]]] = {
    "commitment_unknown": (3, ("commitments.csv", "no candidate place 'P9'")),
    "existing_unknown": (2, ("existing", "no candidate place 'P7'")),
    "file_elsewhere": (3, ("parcel.csv: no such file", "nearby: parcels.csv")),
    "keep_unknown": (3, ("keep: no column 'brokr'", "columns are 'parcel_id'")),
    "limit_poi_unknown": (3, ("limits.csv", "no substation and no letter has POI 'S9'")),
    "map_without_mw": (3, ("no MW are known, and none are invented", "Add letters")),
    "must_serve_too_much": (4, ("from 2029-01-01", "500.0 IT MW, short by", "grid MW")),
    "must_serve_too_soon": (4, ("from 2027-01-01", "50.0 IT MW, short by 50.0 IT MW")),
    "no_stage_counts": (4, ("from 2029-01-01", "short by 100.0 IT MW")),
    "poi_unknown": (3, ("parcels.csv", "'P2' names POI 'S2'")),
    "preset_unknown": (3, ("unknown preset 'hfild'; did you mean 'hifld'?",)),
    "region_level_without_layer": (2, ("2:27: error:", "level 'state'")),
    "where_matches_nothing": (3, ("state = 'ERCOTT'", "sitepick layers FILE")),
    "where_unknown_column": (3, ("no column 'stat'; did you mean 'state'?",)),
}
ARGUMENTS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no_such_scenario": (("bsae.yaml",), 2, "Nearby: "),
    "set_typo": (("base.yaml", "--set", "demand.it_mv=5"), 2, "did you mean 'it_mw'?"),
    "set_without_value": (("base.yaml", "--set", "demand"), 2, "--set"),
    "fix_missing": (("base.yaml", "--fix", "mine.csv"), 2, "mine.csv: no such file"),
    "from_no_run": (("base.yaml", "--from", "letters.csv"), 2, "run folder is expected"),
    "out_is_full": (("base.yaml", "--out", "."), 2, "add --force"),
    "solver_unknown": (("base.yaml", "--solver", "highz"), 2, "highz"),
    "gap_over_100": (("base.yaml", "--gap", "400"), 2, "--gap"),
}


def refused(answer: Answer, code: int) -> None:
    assert answer.code == code, answer.err
    assert answer.err.strip()
    assert "Traceback" not in answer.err
    assert "bug in sitepick" not in answer.err
    assert not Path("runs").exists()


def test_there_are_at_least_forty() -> None:
    assert len(SCENARIOS) + len(LAYERS) + len(TOGETHER) + len(ARGUMENTS) >= 40
    files = {p.stem for p in (BAD / "together").glob("*.yaml")} - {"base"}
    assert files == set(TOGETHER)


@pytest.mark.parametrize("name", SCENARIOS)
def test_bad_scenario(cli: Cli, name: str) -> None:
    answer = cli("solve", BAD / "scenario" / name)
    refused(answer, 2)
    assert answer.err.startswith(str(BAD / "scenario"))


@pytest.mark.parametrize("case", LAYERS, ids=[f"{c['file']}-{i}" for i, c in enumerate(LAYERS)])
def test_bad_layer(cli: Cli, tmp_path: Path, case: dict[str, Any]) -> None:
    elsewhere = "://" in case["file"] or case["file"].startswith("bundled:")
    file = case["file"] if elsewhere else str(BAD / "layers" / case["file"])
    spec = {"file": file, **case["spec"]}
    for name, given in spec.items():  # a table joined to the layer lies beside it
        if isinstance(given, dict) and "file" in given:
            spec[name] = {**given, "file": str(BAD / "layers" / given["file"])}
    scenario = {
        "version": 1, "as_of": "2026-11-23", "periods": {"from": 2027, "to": 2030},
        "layers": {case["role"]: spec}, "demand": {"it_mw": 5},
    }  # fmt: skip
    if case["role"] not in ("parcels", "sites", "substations"):
        scenario["layers"]["sites"] = {"file": "sites.csv"}  # type: ignore[index]
    (tmp_path / "sites.csv").write_text("site_id,fixed_musd\nA,1\n", encoding="utf-8")
    path = tmp_path / "sitepick.yaml"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    answer = cli("validate", path, "--layers")
    refused(answer, 3)
    for fragment in case["expect"]:
        assert fragment in answer.err


@pytest.mark.parametrize("name", sorted(TOGETHER))
def test_bad_together(cli: Cli, name: str) -> None:
    code, words = TOGETHER[name]
    answer = cli("solve", BAD / "together" / f"{name}.yaml", "--json")
    refused(answer, code)
    for word in words:
        assert word in answer.err
    assert answer.record["status"] == ("infeasible" if code == 4 else "error")


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_bad_arguments(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(BAD / "together")
    arguments, code, word = ARGUMENTS[name]
    answer = cli("solve", *arguments)
    refused(answer, code)
    assert word in answer.err
