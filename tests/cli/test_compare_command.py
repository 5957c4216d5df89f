"""`sitepick compare` on runs made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unit.test_compare import YAML, grown, made

from sitepick.exports.folder import write_run

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_words_json_and_csv(cli: Cli) -> None:
    write_run(made(), Path("a"))
    write_run(made(grown(), YAML.replace("900", "950")), Path("b"))
    told = cli("compare", "a", "b", "a")
    assert told.code == 0
    assert "b against a" in told.out
    assert "a against a" in told.out
    assert "budget_musd.2027" in told.out
    assert "within the gap" in told.out
    answer = cli("compare", "a", "b", "--json", "--csv", "diff.csv")
    (one,) = answer.record["comparisons"]
    assert one["inputs"][0]["where"] == "budget_musd.2027"
    assert Path("diff.csv").read_text().startswith("run,kind,where,what,period,before,after")
    refused = cli("compare", "a", "b", "--csv", "diff.csv")
    assert (refused.code, "exists" in refused.err) == (2, True)


def test_one_run_is_not_enough(cli: Cli) -> None:
    write_run(made(), Path("a"))
    assert "two run folders" in cli("compare", "a").err
    assert cli("compare", "a", "nowhere").code == 2
