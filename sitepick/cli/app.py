"""The command line: one app, and the single place that turns errors into exit codes.

0 plan found, 1 a bug of ours, 2 usage or scenario, 3 input data, 4 infeasible, 5 no plan within
the limit, 7 check failed, 130 interrupted with no plan.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sitepick import __version__
from sitepick.cli import talk
from sitepick.cli.alternatives import alternatives
from sitepick.cli.breakeven import breakeven
from sitepick.cli.candidates import candidates
from sitepick.cli.catalog import catalog
from sitepick.cli.check import check
from sitepick.cli.compare import compare
from sitepick.cli.explain import explain
from sitepick.cli.export import export
from sitepick.cli.flex import flex
from sitepick.cli.init import init
from sitepick.cli.layers import layers
from sitepick.cli.pareto import pareto
from sitepick.cli.report import report
from sitepick.cli.schema import schema
from sitepick.cli.solve import solve
from sitepick.cli.stress import stress
from sitepick.cli.validate import validate
from sitepick.errors import SitepickError

_MANY_OBJECTS = 100_000  # new ones between two looks of Python for what nobody holds any more
GROUPS = {
    "Start and look": (init, layers, validate, candidates, catalog, flex, schema),
    "Plan": (solve, check),
    "Understand a plan": (explain, compare, stress, alternatives, pareto, breakeven),
    "Hand it on": (report, export),
}
"""Commands in the order of a first week, under the headings of `--help`."""
COMMANDS = tuple(command for group in GROUPS.values() for command in group)
STATUS = {4: "infeasible", 5: "no_plan", 7: "check_failed", 130: "no_plan"}
"""``status`` in JSON by exit code; other failures say ``error``."""

app = typer.Typer(
    name="sitepick",
    help="Decide where AI datacenters go when electric power, not money, is the limit.",
    epilog="Exit codes: 0 plan found, 1 bug, 2 usage or scenario, 3 input data, 4 infeasible, "
    "5 no plan within the limit, 7 check failed, 130 interrupted with no plan.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for heading, group in GROUPS.items():
    for command in group:
        app.command(rich_help_panel=heading)(command)


def _version(asked: bool) -> None:
    if asked:
        talk.current.answer(f"sitepick {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Decide where AI datacenters go when electric power, not money, is the limit."""


# typer carries its own click since 0.26 and used the separate one before: ask it for the base
_UsageError: Any = typer.BadParameter.__mro__[1]
_ClickException: Any = typer.BadParameter.__mro__[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. ``argv`` excludes the program's name."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # a command makes many tables and drops few: by default a tenth of its time goes to looking
    gc.set_threshold(_MANY_OBJECTS, 20, 20)
    # until a command has begun, its wishes are read from the raw arguments
    talk.begin(json="--json" in arguments, verbose=int("-v" in arguments))
    try:
        # not app(...): that would answer Ctrl-C and usage errors in its own words
        root_command: Any = typer.main.get_command(app)
        with root_command.make_context("sitepick", arguments) as context:
            root_command.invoke(context)
        return 0
    except typer.Exit as done:
        return done.exit_code
    except _ClickException as error:
        return _usage(error)
    except SitepickError as error:
        return _failed(error.exit_code, error.problems)
    except (KeyboardInterrupt, typer.Abort):
        return _failed(130, ["interrupted; nothing was written"])
    except BrokenPipeError:
        talk.quiet_pipe(sys.stdout)
        return 0
    except MemoryError:
        return _failed(5, ["out of memory: use fewer candidates, periods or demand places"])
    except OSError as error:
        if error.errno == errno.EPIPE:
            talk.quiet_pipe(sys.stdout)
            return 0
        if error.filename is None and error.errno != errno.ENOSPC:
            return _bug(error)
        where = f"{error.filename}: " if error.filename else ""
        return _failed(2, [f"{where}{error.strerror or error}"])
    except Exception as error:
        return _bug(error)


def _failed(code: int, problems: list[str]) -> int:
    speaker = talk.current
    speaker.complain(problems)
    if speaker.json:
        status = STATUS.get(code, "error")
        speaker.answer_json({"status": status, "exit_code": code, "problems": problems})
    return code


def _usage(error: Any) -> int:
    context = getattr(error, "ctx", None)
    problems = [error.format_message()]
    if isinstance(error, _UsageError) and context is not None:
        problems.append(f"usage: {' '.join(context.get_usage().split()[1:])}")
        problems.append(f"help:  {context.command_path} --help")
    if not error.format_message():  # no command at all: the help itself was printed
        return 2
    return _failed(2, problems)


def _bug(error: Exception) -> int:
    speaker = talk.current
    if speaker.verbose:
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).resolve().parents[1]) + os.sep
    own = [f for f in frames if os.path.realpath(f.filename).startswith(package)] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno} in {own[-1].name}" if own else "?"
    version = f"sitepick {__version__}, Python {sys.version.split()[0]}, {sys.platform}"
    lines = [
        f"this is a bug in sitepick: {type(error).__name__}: {error}",
        f"  at {where}; {version}",
        "  Please report it on the project's issue tracker with the command and this block"
        " (and the scenario, if you may).",
        "  Again with -v: the full traceback.",
    ]
    return _failed(1, lines[:3] if speaker.verbose else lines)
