"""The benchmark itself, at a size of seconds; `SITEPICK_BENCH=1` runs the small table whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from bench import measure, synthetic
from bench.page import Found, exponent, exponents, line, page
from bench.run import FULL, LARGEST, PARTS, SMALL, SMOKE, Bench

from sitepick import pipeline


def test_one_table_of_sitepick_beside_peers(tmp_path: Path) -> None:
    """Same matrix, same answers; what is not installed is named, not left out in silence."""
    bench = Bench(SMOKE, tmp_path, say=lambda _: None)
    bench.matrix()
    bench.location()
    peers = [row.peer for row in bench.found.rows]
    print("\n".join(map(line, bench.found.rows)))
    assert peers[0] == "numpy + passModel (floor)"
    assert "PuLP + CBC" in peers
    assert all(
        row.peer_s > 0 and row.sitepick_s > 0 and row.peer_mb > 0 for row in bench.found.rows
    )
    answers = [row.note for row in bench.found.rows if "location" in row.task]
    assert answers
    assert set(answers) == {"the same answer"}
    pulp = next(row for row in bench.found.rows if row.peer == "PuLP objects")
    assert pulp.ratio > 2  # about 15
    text = page(bench.found)
    for peer in ("linopy", "PuLP"):
        assert peer in text


def test_exponents_are_slopes_of_logarithms() -> None:
    rows = [{"candidates": n, "mb": 3.0 * n**1.2} for n in (10, 100, 1000)]
    assert exponent(rows, "mb") == pytest.approx(1.2)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find children")
def test_a_peer_that_does_not_stop_is_ended_and_has_no_plan() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "GRACE_S", 0.0)
        with measure.ended_after(0.3) as up:
            code = subprocess.run(["sleep", "60"], check=False).returncode
    assert code < 0
    assert up.is_set()
    with measure.ended_after(60.0) as up:
        assert subprocess.run(["sleep", "0"], check=False).returncode == 0
    assert not up.is_set()


def test_the_growth_of_seconds_is_of_runs_that_met_the_gap_and_is_judged() -> None:
    sizes = [(100, 1.0, 0.01), (1000, 20.0, 0.01), (10_000, 30.0, 0.02)]
    growth = [
        {"pois": n, "candidates": n, "gap": gap, "cpu_s": s, "mb": 10.0} | dict.fromkeys(
            ("prepare_s", "solve_s", "write_s"), s)
        for n, s, gap in sizes
    ]  # fmt: skip
    said = exponents(Found(1.0, 300, growth=growth))
    assert "2 of 3 runs met the asked gap" in said
    assert "all seconds 1.30" in said
    assert "memory 0.00" in said
    assert said.endswith("At most 1.2 is asked of all seconds: not met.\n")
    assert "too few" in exponents(Found(1.0, 300, growth=growth[1:]))
    assert exponents(Found(1.0, 300, growth=growth[:1])) == ""


def test_made_up_scenarios_have_all_limits_and_only_depend_on_the_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        synthetic.write(tmp_path / name, 60, seed)
    a, b, c = ((tmp_path / n / "pois.csv").read_text() for n in "abc")
    assert a == b != c
    for name in synthetic.VARIANTS:
        other = synthetic.write(tmp_path / name, 60, 1, variant=name)
        assert other.read_text() != (tmp_path / "a" / "sitepick.yaml").read_text()
        assert (other.parent / "pois.csv").read_text() == a
    prepared = pipeline.prepare(pipeline.load(tmp_path / "a" / "sitepick.yaml"))
    found = prepared.candidates
    assert 20 < (found.sites["status"] == "candidate").sum() <= 60
    assert len(found.reach)
    assert 6 <= len(found.shared_limits) <= 12
    assert len(found.site_regions)
    assert (max(FULL.growth), LARGEST) == (44_000, 80_000)


@pytest.mark.slow
@pytest.mark.skipif(
    "SITEPICK_BENCH" not in os.environ, reason="takes minutes; set SITEPICK_BENCH=1 to run it"
)
def test_the_small_table_whole(tmp_path: Path) -> None:
    bench = Bench(SMALL, tmp_path)
    for part in PARTS:
        getattr(bench, part)()
    assert not [row for row in bench.found.rows if "another answer" in row.note]
    assert len(bench.found.growth) == 3
    assert [g["variant"] for g in bench.found.others] == ["peak", "procurement"]
    print(page(bench.found))
