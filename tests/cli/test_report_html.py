"""report.html from the command line: written by solve, left out, written again elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "grid" / "sitepick.yaml"


def test_solve_writes_it_and_report_writes_it_again(cli: Cli) -> None:
    solved = cli("solve", EXAMPLE, "--out", "run")
    assert "its report.html opens in any browser" in solved.err
    text = Path("run/report.html").read_text(encoding="utf-8")
    for words in ("The grid at 31 December", "Line upgrade bought"):
        assert words in text
    assert str(Path.cwd()) not in text
    Path("run/report.html").unlink()
    again = cli("report", "run", "--json")
    assert again.code == 0, again.err
    assert again.record["html"] == "run/report.html"
    assert Path("run/report.html").read_text(encoding="utf-8") == text
    assert cli("check", "run").code == 0


def test_it_can_be_left_out_and_written_elsewhere(cli: Cli) -> None:
    solved = cli("solve", EXAMPLE, "--out", "run", "--no-report")
    assert "report.html" not in solved.err
    assert not Path("run/report.html").exists()
    shown = cli("report", "run", "-o", "memo.html")
    assert (shown.code, Path("memo.html").is_file()) == (0, True)
    assert "Limiting line" in shown.out
    assert not Path("run/report.html").exists()
    refused = cli("report", "run", "-o", "memo.html")
    assert refused.code == 2
    assert "add --force" in refused.err
    assert cli("report", "run", "-o", "memo.html", "--force").code == 0
    Path("run/page.json").unlink()
    lost = cli("report", "run", "-o", "other.html")
    assert lost.code == 2
    assert "solve again" in lost.err
