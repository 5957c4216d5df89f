"""`sitepick breakeven` on the small example of dated power."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).parents[2] / "scenarios" / "time_to_power" / "sitepick.yaml"


def test_figures_of_the_example(cli: Cli) -> None:
    assert cli("solve", EXAMPLE, "--out", "run", "--no-report", "-q").code == 0
    units = cli("breakeven", "run", "--units-only", "--json").record["figures"]
    assert [f["name"] for f in units] == [
        "npc_per_it_mw_year", "npc_per_it_kw_month", "npc_per_ref_mw_year", "npc_per_ref_kw_hour",
    ]  # fmt: skip
    assert abs(units[1]["value"] - units[0]["value"] * 1e3 / 12) < 1e-6
    told = cli("breakeven", "run", "--steps", "2", "--csv", "figures.csv")
    assert told.code == 0, told.err
    assert "A year earlier is worth" in told.out
    with Path("figures.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["figure"]: row for row in csv.DictReader(file)}
    earlier, below = rows["year_earlier_saves"], rows["price_below"]
    assert 640 < float(earlier["from"]) <= float(earlier["value"]) <= float(earlier["to"]) < 670
    assert (below["from"], below["to"]) == ("0.25", "0.5")
    assert cli("breakeven", "run", "--csv", "figures.csv").code == 2
