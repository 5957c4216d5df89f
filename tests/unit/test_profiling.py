"""Seconds and memory by stage, and nothing where nobody asked."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sitepick import profiling
from sitepick.cli.app import main

FACILITY = Path(__file__).parents[2] / "scenarios" / "facility" / "sitepick.yaml"


@pytest.fixture(autouse=True)
def _none_before_or_after():
    profiling.end()
    yield
    profiling.end()


def test_nothing_is_measured_before_it_begins() -> None:
    with profiling.stage("a"):
        pass
    assert profiling.stages() is None
    assert profiling.records() is None


def test_a_stage_in_two_parts_is_summed_and_has_its_own_peak() -> None:
    profiling.begin()
    for _ in range(2):
        with profiling.stage("sleep"):
            time.sleep(0.02)
    with profiling.stage("large"):
        block = np.ones(10_000_000)  # 80 MB
    del block
    with pytest.raises(ZeroDivisionError), profiling.stage("after"):
        _ = 1 / 0
    found = {s.name: s for s in profiling.stages() or ()}
    assert list(found) == ["sleep", "large", "after"]
    assert found["sleep"].seconds >= 0.04
    assert found["sleep"].cpu_s < found["sleep"].seconds
    assert found["large"].peak_mb > found["sleep"].peak_mb + 60
    if sys.platform == "linux":
        assert found["after"].peak_mb < found["large"].peak_mb - 40


def test_solve_profile_in_terminal_json_and_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["solve", str(FACILITY), "--profile", "--json", "--out", str(run)]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    named = [row["stage"] for row in record["profile"]]
    assert named == [
        "layers", "candidates", "instance", "program", "greedy", "solving", "check", "prices",
        "verdicts", "turned_away", "exports", "html",
    ]  # fmt: skip
    assert all(row["seconds"] >= 0 and row["peak_mb"] > 20 for row in record["profile"])
    kept = json.loads((run / "manifest.json").read_text())["profile"]
    assert [row["stage"] for row in kept] == named
    lines = [line.split() for line in err.splitlines()]
    assert ["stage", "seconds", "CPU", "s", "peak", "MB"] in lines
    for part in (*named, *(k for k in record["seconds"] if k in ("master", "mip"))):
        assert any(line and line[0] == part for line in lines), part
    assert (
        main(["solve", str(FACILITY), "--json", "--no-report", "--out", str(run), "--force"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["profile"] is None
    assert "profile" not in json.loads((run / "manifest.json").read_text())
