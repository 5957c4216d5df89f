"""Exit codes, stdout against stderr, and what start-up costs."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sitepick import __version__
from sitepick.cli import app as application
from sitepick.errors import (
    CheckError,
    InfeasibleError,
    LayerError,
    NoPlanError,
    ScenarioError,
)

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


HEAVY = ("numpy", "pandas", "geopandas", "shapely", "pyogrio", "scipy", "highspy", "pulp",
         "ortools", "bokeh", "ruamel")  # fmt: skip


def python(code: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **extra},
    )  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sitepick.cli.app import main; code = main(['--help'])\n"
        f"print(code, [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    assert python(code).stderr.strip() == "0 []"


def test_help_of_a_command_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sitepick.cli.app import main; code = main(['solve', '--help'])\n"
        f"print(code, [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    assert python(code).stderr.strip() == "0 []"


def test_help_names_every_command(cli: Cli) -> None:
    answer = cli("--help")
    assert answer.code == 0
    assert answer.err == ""
    missing = [c.__name__ for c in application.COMMANDS if c.__name__ not in answer.out]
    assert missing == []


def test_version(cli: Cli) -> None:
    answer = cli("--version")
    assert (answer.code, answer.out) == (0, f"sitepick {__version__}\n")


def test_unknown_command_is_usage_and_suggests(cli: Cli) -> None:
    answer = cli("solv")
    assert (answer.code, answer.out) == (2, "")
    assert "'solve'" in answer.err


def test_unknown_option_suggests(cli: Cli) -> None:
    answer = cli("solve", "--jsn")
    assert (answer.code, answer.out) == (2, "")
    assert "--json" in answer.err
    assert "sitepick solve --help" in answer.err


def test_usage_error_as_json(cli: Cli) -> None:
    answer = cli("solve", "--threads", "many", "--json")
    assert answer.code == 2
    assert answer.record["status"] == "error"
    assert answer.record["exit_code"] == 2
    assert "--threads" in answer.record["problems"][0]


def raising(error: BaseException) -> Callable[[], None]:
    def instead() -> None:
        raise error

    return instead


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (ScenarioError(["a.yaml:1:1: first", "a.yaml:2:1: second"]), 2, "error"),
        (LayerError("subs.csv:5 (A): no such thing"), 3, "error"),
        (InfeasibleError("short by 1 MW"), 4, "infeasible"),
        (NoPlanError("nothing found"), 5, "no_plan"),
        (CheckError("headroom.poi: too much"), 7, "check_failed"),
        (KeyboardInterrupt(), 130, "no_plan"),
        (MemoryError(), 5, "no_plan"),
        (PermissionError(errno.EACCES, "Permission denied", "runs"), 2, "error"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "error"),
        (ZeroDivisionError("division by zero"), 1, "error"),
        (OSError("a bare one of our own making"), 1, "error"),
    ],
)
def test_every_error_has_its_exit_code(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, status: str
) -> None:
    monkeypatch.setattr("sitepick.scenario.json_schema.json_schema", raising(error))
    talk = cli("schema")
    assert (talk.code, talk.out) == (code, "")
    assert talk.err != ""
    assert "Traceback" not in talk.err
    answer = cli("schema", "--json")
    assert answer.code == code
    assert answer.record["status"] == status
    assert answer.record["exit_code"] == code
    assert answer.record["problems"]


def test_all_problems_are_told_one_a_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ScenarioError(["a.yaml:1:1: first", "a.yaml:2:1: second"])
    monkeypatch.setattr("sitepick.scenario.json_schema.json_schema", raising(error))
    assert cli("schema").err == "a.yaml:1:1: first\na.yaml:2:1: second\n"


def test_a_bug_says_so_and_shows_its_trace_only_when_asked(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sitepick.scenario.json_schema.json_schema", raising(KeyError("mw")))
    short = cli("schema")
    assert short.code == 1
    assert "this is a bug in sitepick: KeyError" in short.err
    assert "report it" in short.err
    assert __version__ in short.err
    assert "schema.py:" in short.err
    assert "Traceback" not in short.err
    assert "Traceback" in cli("schema", "-v").err


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "from sitepick.cli.app import main; import sys; sys.exit(main(['schema']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(timeout=60), said) == (0, b"")


@pytest.mark.parametrize("extra", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_pipes_get_no_escape_codes(extra: dict[str, str]) -> None:
    code = "from sitepick.cli.app import main; import sys; sys.exit(main(['catalog', 'halls']))"
    done = python(code, **extra)
    assert done.returncode == 0
    assert "dlc" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_names_cannot_drive_the_terminal(cli: Cli) -> None:
    answer = cli("validate", "a\x1b[31m\u202eb.yaml")
    assert answer.code == 2
    assert "\x1b" not in answer.err
    assert "\u202e" not in answer.err
    assert "\\x1b[31m" in answer.err
