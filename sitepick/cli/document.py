"""The command line's reference page, made from the app itself.

`python -m sitepick.cli.document` writes docs/cli.md; with `--check` it says whether the file is up
to date (exit 1 if not).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from typer.models import ArgumentInfo

from sitepick.cli.app import COMMANDS

TARGET = Path("docs/cli.md")
EXAMPLES = {
    "init": """\
sitepick init                                    # sitepick.yaml, commented
sitepick init --templates                        # empty tables: parcels, power_offers, ...
sitepick init --templates --xlsx                 # the same as one workbook
sitepick init parcels.xlsx letters.csv subs.gpkg # recognises roles and columns, lists doubts
sitepick init --example texas                    # texas.yaml, on the bundled synthetic grid""",
    "layers": """\
sitepick layers subs.gpkg
sitepick layers substations.geojson --preset hifld
sitepick layers --presets
sitepick layers --headroom bundled:texas_grid -o headroom.geojson
sitepick layers --headroom bundled:texas_grid --condition winter_peak
sitepick layers --fiber plan.yaml                       # its fiber network: parts, bridges
sitepick layers --headroom plan.yaml -o headroom.gpkg   # the grid section of a scenario
sitepick layers subs.csv --headroom my-grid/ --no-outages --min-kv 69 -o headroom.csv""",
    "validate": """\
sitepick validate
sitepick validate plan.yaml --set power.tie_km_max=20 --layers""",
    "candidates": """\
sitepick candidates plan.yaml
sitepick candidates plan.yaml --out why-not.geojson""",
    "catalog": """\
sitepick catalog
sitepick catalog halls -v
sitepick catalog hardware --json""",
    "flex": """\
sitepick flex ercot.csv                          # hourly load of a year: MW for 0.25 % ... 5 %
sitepick flex areas.csv.gz --pct 0.1 --hours 40 --out margins.csv
sitepick flex duration.csv --peak-mw 85000       # columns mw, hours""",
    "schema": "sitepick schema -o sitepick.schema.json",
    "solve": """\
sitepick solve                                   # the only scenario here
sitepick solve plan.yaml --gap 1 --time-limit 60
sitepick solve plan.yaml --set demand.must_serve=true --out runs/must
sitepick solve plan.yaml --from runs/plan-1      # start from an earlier run
sitepick solve plan.yaml --baseline runs/plan-1  # keep what the gap allows of its plan
sitepick solve plan.yaml --fix runs/plan-1/sites.csv --only   # price exactly that plan
sitepick solve plan.yaml --json | jq .gap
sitepick solve plan.yaml --no-report             # in a loop: leave out report.html
sitepick solve plan.yaml --write-mps plan.mps    # for another solver""",
    "check": """\
sitepick check runs/plan-1
sitepick check runs/plan-1 --against grid.yaml   # by the limits of another scenario""",
    "explain": """\
sitepick explain runs/plan-1                     # what binds, by date, at what price
sitepick explain runs/plan-1 --site P-017        # why this site, or why not
sitepick explain runs/plan-1 --step budget_musd.2029=+100   # solve again for one step
sitepick explain runs/plan-1 --json | jq '.verdicts[].why'""",
    "compare": """\
sitepick compare runs/plan-1 runs/plan-2
sitepick compare runs/base runs/slow-queue runs/low-budget --csv differences.csv""",
    "stress": """\
sitepick stress runs/plan-1                      # decisions due within 12 months held, and all
sitepick stress runs/plan-1 --hold 24 --regret --futures late_signed,poi_lost
sitepick check plan-1-stress/poi_lost""",
    "alternatives": """\
sitepick alternatives runs/plan-1                # five plans within 1 % of its cost
sitepick alternatives runs/plan-1 --within 3% --n 10 --out other-plans
sitepick compare runs/plan-1 plan-1-alternatives/01""",
    "pareto": """\
sitepick pareto runs/plan-1                      # what serving 20, 40, ... 100 % of the work costs
sitepick pareto plan.yaml --against date --mw 500 --points 4   # 500 IT MW by each date
sitepick pareto runs/plan-1 --against carbon     # the same work with less CO2""",
    "breakeven": """\
sitepick breakeven runs/plan-1                   # unit costs, price of work, one year earlier
sitepick breakeven runs/plan-1 --units-only --csv units.csv""",
    "report": """\
sitepick report runs/plan-1
sitepick report runs/plan-1 -o decision.html     # one file, to be mailed or printed""",
    "export": """\
sitepick export runs/plan-1 --to gpkg -o plan.gpkg   # all layers, styled
sitepick export runs/plan-1 --to qgis            # plan-1-qgis/plan.qgs, opens in QGIS
sitepick export runs/plan-1 --to geojson -o layers/
sitepick export runs/plan-1 --to xlsx""",
}
"""What people type, by command."""

INTRODUCTION = """\
# Command line

This page is generated from the app (`python -m sitepick.cli.document`); do not edit it.

Answers go to stdout, everything else to stderr, so `sitepick solve --json > answer.json` is clean.
`--json` makes the answer one JSON object, also for errors (`status`, `exit_code`, `problems`).
`-q` leaves only errors on stderr; `-v` adds detail. Colours follow `NO_COLOR`, `FORCE_COLOR` and
`TERM=dumb`; pipes get none. The live gap is shown on terminals; elsewhere there is a line every ten
seconds. Ctrl-C once stops the search and keeps the best plan so far; twice aborts, and nothing is
written.

| exit code | meaning |
| ---: | --- |
| 0 | a plan was found and checked (or the command did what it was asked) |
| 1 | a bug in sitepick |
| 2 | the command line or the scenario is wrong |
| 3 | an input file is missing, unreadable, or holds unusable data |
| 4 | infeasible: no plan satisfies the scenario |
| 5 | no plan within the limit of time or work |
| 7 | the independent check found the plan wrong |
| 130 | interrupted before any plan was found |

`sitepick --version` prints the version, `sitepick COMMAND --help` the help of a command.
"""


def markdown() -> str:
    """Return the page: one section per command, in the order of the app."""
    return "\n".join([INTRODUCTION, *(_section(command) for command in COMMANDS)])


def _section(command: Callable[..., None]) -> str:
    # read from the annotations, not from the parser that typer builds of them: its classes change
    hints = get_type_hints(command, include_extras=True)
    infos = {name: hints[name].__metadata__[0] for name in inspect.signature(command).parameters}
    arguments = [
        str(info.metavar) if _needed(command, name) else f"[{info.metavar}]"
        for name, info in infos.items()
        if isinstance(info, ArgumentInfo)
    ]
    lines = [f"## {command.__name__}", "", inspect.cleandoc(command.__doc__ or ""), ""]
    lines += [
        "```text",
        " ".join(["sitepick", command.__name__, *arguments, "[OPTIONS]"]),
        "```",
        "",
    ]
    lines += ["| argument or option | meaning |", "| --- | --- |"]
    for name, info in infos.items():
        lines.append(f"| {_names(info)} | {_meaning(command, name, info)} |")
    lines += ["", "```sh-session", EXAMPLES[command.__name__], "```", ""]
    return "\n".join(lines)


def _names(info: Any) -> str:
    if isinstance(info, ArgumentInfo):
        return f"`{info.metavar}`"
    value = f" {info.metavar}" if info.metavar else ""
    # typer takes the first name for the default until it builds the parser
    names = [info.default, *(info.param_decls or ())]
    return ", ".join(f"`{name}{value}`" for name in names if str(name).startswith("-"))


def _meaning(command: Callable[..., None], name: str, info: Any) -> str:
    text = (info.help or "").replace("|", "\\|")
    return f"{text} Required." if _needed(command, name) else text


def _needed(command: Callable[..., None], name: str) -> bool:
    return inspect.signature(command).parameters[name].default is inspect.Parameter.empty


def main(arguments: list[str]) -> int:
    """Write docs/cli.md below the current folder, or check it; return the exit code."""
    from sitepick.scenario.document import page

    return page(TARGET, markdown(), "sitepick.cli.document", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
