"""`sitepick layers`: what is in this file, what is wrong with it, and the YAML to paste.

With `--headroom` it makes a layer instead: the POIs of a grid with their screened headroom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.fiber import show_network
from sitepick.cli.find import nearby
from sitepick.cli.headroom import Screen, screen
from sitepick.cli.options import Force, Json, Quiet, Verbose
from sitepick.cli.talk import Talk
from sitepick.errors import LayerError, ScenarioError


def layers(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Input files.", show_default=False),
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="Read with this preset.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="ROLE", help="Read as parcels, substations, ..."),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", metavar="NAME", help="Layer of a GeoPackage or geodatabase."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="NAME", help="Sheet of a workbook.")
    ] = None,
    presets: Annotated[bool, typer.Option("--presets", help="List the presets.")] = False,
    fiber: Annotated[
        Path | None,
        typer.Option(
            "--fiber",
            metavar="SCENARIO",
            help="Show the network of a scenario's fiber layers: parts, bridges and single points "
            "of failure by name, what links do not state.",
        ),
    ] = None,
    headroom: Annotated[
        str | None,
        typer.Option(
            "--headroom",
            metavar="GRID",
            help="Screen the withdrawal headroom of a grid's POIs, each alone: a folder of grid "
            "tables, a MATPOWER case, bundled:texas_grid, or a scenario.yaml, whose `grid` section "
            "is then studied at its first period. FILE is the substations layer, for names and "
            "places.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="With --headroom: write the POIs, for use as a substations layer: .csv, .geojson "
            "or .gpkg.",
        ),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(
            "--condition",
            metavar="ID",
            help="With --headroom: study condition (see `sitepick catalog conditions`; default: "
            "load and dispatch of the tables; the first one of a scenario).",
        ),
    ] = None,
    dispatch: Annotated[
        str | None,
        typer.Option(
            "--dispatch",
            metavar="RULE",
            help="With a condition: economic (least cost within all ratings, also after outages; "
            "the default below 20,000 buses) or stored (that of the tables, within what counts).",
        ),
    ] = None,
    min_kv: Annotated[
        float | None,
        typer.Option(
            "--min-kv",
            metavar="KV",
            min=0,
            max=2000,
            help="With --headroom: least voltage of POIs, and of lines taken out (default: 100).",
        ),
    ] = None,
    outages: Annotated[
        bool | None,
        typer.Option(
            "--outages/--no-outages",
            help="With --headroom: take lines out one at a time (N-1), or keep all in service.",
            show_default=False,
        ),
    ] = None,
    emergency_pct: Annotated[
        float | None,
        typer.Option(
            "--emergency-pct",
            metavar="PCT",
            min=100,
            max=300,
            help="With --headroom: rating after an outage, % of the normal one (default: 115).",
        ),
    ] = None,
    cutoff_pct: Annotated[
        float | None,
        typer.Option(
            "--cutoff-pct",
            metavar="PCT",
            min=0.1,
            max=100,
            help="With --headroom: a branch counts from this share of the new load on (default: "
            "5).",
        ),
    ] = None,
    cap_mw: Annotated[
        float | None,
        typer.Option(
            "--cap-mw",
            metavar="MW",
            min=1,
            max=100_000,
            help="With --headroom: the most that is written (default: 5000).",
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            metavar="N",
            min=1,
            max=64,
            help="With --headroom: processes (default: 2 for a grid of 20,000 buses and more).",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show types, ranges, CRS, nulls and doubts of input files, and YAML to paste."""
    speaker = talk.begin(json, quiet, verbose)
    if headroom is not None:
        said = {"preset": preset, "layer": layer, "sheet": sheet}
        asked = Screen(
            grid=headroom,
            output=output,
            condition=condition,
            dispatch=dispatch,
            min_kv=min_kv,
            outages=outages,
            emergency_pct=emergency_pct,
            cutoff_pct=cutoff_pct,
            cap_mw=cap_mw,
            processes=processes,
            force=force,
            reading={key: value for key, value in said.items() if value is not None},
        )
        screen(asked, files or [], speaker)
        return
    given = (output, condition, dispatch, min_kv, outages, emergency_pct, cutoff_pct, cap_mw,
             processes)  # fmt: skip
    if any(value is not None for value in given):
        raise ScenarioError("this option needs --headroom GRID, such as bundled:texas_grid")
    if fiber is not None:
        show_network(fiber, speaker)
        return
    if presets:
        _presets(speaker)
        return
    if not files:
        raise ScenarioError("name a FILE to look into, or --presets")
    from sitepick.layers import presets as known
    from sitepick.layers.inspect import inspect
    from sitepick.layers.roles import ROLES
    from sitepick.layers.table import Refused

    if role is not None and role not in ROLES:
        raise ScenarioError(f"no role {role!r}; there are {', '.join(ROLES)}")
    if preset is not None and preset not in known.names():
        raise ScenarioError(f"no preset {preset!r}; there are {', '.join(known.names())}")
    found, problems = [], []
    for path in files:
        if not path.exists():
            problems.append(f"{path}: no such file.{nearby(path, ())}")
            continue
        try:
            found.append(inspect(path, layer=layer, sheet=sheet, preset=preset, role=role))
        except Refused as refused:
            problems.append(f"{path}: {refused}")
    if problems:
        raise LayerError(problems)
    if json:
        speaker.answer_json({"status": "ok", "files": [one.to_dict() for one in found]})
        return
    speaker.answer("\n\n".join("\n".join(one.lines()) for one in found))


def _presets(speaker: Talk) -> None:
    from sitepick.layers import presets as known

    rows = [
        {
            "preset": name,
            "title": str(known.raw(name)["title"]),
            "roles": list(known.raw(name)["roles"]),
            "licence": str(known.raw(name).get("licence") or ""),
        }
        for name in known.names()
    ]
    if speaker.json:
        speaker.answer_json({"status": "ok", "presets": rows})
        return
    width = max(len(str(row["preset"])) for row in rows)
    for row in rows:
        speaker.answer(f"{row['preset']:<{width}}  {row['title']} ({', '.join(row['roles'])})")
