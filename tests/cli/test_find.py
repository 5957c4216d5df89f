"""Which scenario or run a user means, and what lies nearby."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_missing_scenario_names_what_lies_nearby(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "texas.yml").write_text("version: 1\n")
    answer = cli("solve", "texas.yaml")
    assert answer.code == 2
    assert answer.err == "texas.yaml: no such file. Nearby: texas.yml\n"


def test_missing_folder_is_said(cli: Cli) -> None:
    assert "The folder nowhere does not exist" in cli("validate", "nowhere/a.yaml").err


def test_no_scenario_at_all_points_to_init(cli: Cli) -> None:
    answer = cli("solve")
    assert answer.code == 2
    assert "sitepick init" in answer.err


def test_several_scenarios_must_be_told_apart(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "b.yml").write_text("")
    answer = cli("validate")
    assert answer.code == 2
    assert "a.yaml, b.yml" in answer.err


def test_sitepick_yaml_comes_first(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "sitepick.yaml").write_text("version: 9\n")
    assert "sitepick.yaml:1" in cli("validate").err


def test_a_folder_is_no_scenario(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "sitepick.yaml").write_text("")
    answer = cli("validate", "plan")
    assert answer.code == 2
    assert f"did you mean {Path('plan/sitepick.yaml')}" in answer.err


def test_missing_run_names_those_that_exist(cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "plan-1"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    answer = cli("report", "runs/plan-2")
    assert answer.code == 2
    assert "plan-1" in answer.err


def test_a_folder_without_manifest_is_no_run(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in (("check",), ("report",), ("export", "--to", "csv")):
        answer = cli(command[0], "empty", *command[1:])
        assert answer.code == 2
        assert "is no run folder" in answer.err
