"""The example of peaks on fiber, by hand: burst waves below 2,892.2 hours a year, a pair above."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "bursts" / "sitepick.yaml"
MONTH = 100 * 14 / 1e6  # MUSD of a wave over 100 km
BURST = 3 * MONTH / 730  # MUSD an hour


@pytest.mark.parametrize(
    ("hours", "musd", "waves", "pairs"),
    [(2892, 12 * MONTH + 5 * BURST * 2892, [1, 5], 0), (2893, 0.1, [], 1)],
)
def test_the_plan_turns_at_the_break_even(
    cli: Cli, hours: int, musd: float, waves: list[int], pairs: int
) -> None:
    assert pytest.approx(2892.2, abs=0.05) == (0.1 - 12 * MONTH) / (5 * BURST)
    change = f"fiber.services.0.peak_hours_per_year={hours}"
    answer = cli("solve", EXAMPLE, "--out", "run", "--no-report", "--set", change)
    assert answer.code == 0, answer.err
    plan = json.loads(Path("run/solution.json").read_text(encoding="utf-8"))
    assert plan["objective"] == pytest.approx(musd, rel=1e-6)
    assert [row["waves"] for row in plan["waves"]] == waves
    assert sum(row["pairs"] for row in plan["pairs"]) == pairs
    (edge,) = plan["edges"]
    assert (edge["used_tbps"], edge["peak_tbps"]) == pytest.approx((0.4, 2.4))
    assert cli("check", "run").code == 0


def test_without_a_plan_the_pairs_of_an_edge_are_a_lever(cli: Cli) -> None:
    """9 Tb/s per MW are 36 Tb/s: more than one pair carries."""
    changes = (
        "fiber.capacity.wave=null", "fiber.capacity.pair.per_edge=1",
        "fiber.services.0.gbps_per_ref_mw=9000", "fiber.services.0.peak_gbps_per_ref_mw=9000",
    )  # fmt: skip
    sets = [part for change in changes for part in ("--set", change)]
    answer = cli("solve", EXAMPLE, "--out", "run", "--no-report", *sets)
    assert answer.code == 4
    assert "fiber.capacity.pair.per_edge: 1 -> 2" in answer.out + answer.err
