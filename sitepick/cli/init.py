"""`sitepick init`: a scenario to start from."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.options import Force, Json, Quiet, Verbose
from sitepick.cli.talk import Talk
from sitepick.errors import ScenarioError

DEFAULT = Path("sitepick.yaml")


def init(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Input files: the scenario is written for them.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="PATH", help="What to write (default: sitepick.yaml)."),
    ] = None,
    templates: Annotated[
        bool, typer.Option("--templates", help="Write empty input tables with an example row.")
    ] = False,
    xlsx: Annotated[
        bool, typer.Option("--xlsx", help="With --templates: one workbook instead of CSV files.")
    ] = False,
    example: Annotated[
        str | None,
        typer.Option("--example", metavar="NAME", help="Copy a bundled scenario, e.g. texas."),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Write a scenario to start from: commented, for given files, or a bundled example."""
    speaker = talk.begin(json, quiet, verbose)
    asked = [bool(files), templates, example is not None]
    if sum(asked) > 1:
        raise ScenarioError("give either FILEs, --templates or --example")
    if xlsx and not templates:
        raise ScenarioError("--xlsx goes with --templates")
    if templates:
        _templates(out or Path(), xlsx, force, speaker)
    elif example is not None:
        _example(example, out, force, speaker)
    elif files:
        _for_files(files, out or DEFAULT, force, speaker)
    else:
        from sitepick.cli.starter import starter

        target = _free(out or DEFAULT, force)
        target.write_text(starter(date.today()), encoding="utf-8")
        _written([target], [], speaker)
        speaker.say("its tables: `sitepick init --templates`; then `sitepick solve`")


def _templates(folder: Path, xlsx: bool, force: bool, speaker: Talk) -> None:
    from sitepick.cli import templates

    if xlsx:
        target = folder if folder.suffix == ".xlsx" else folder / "sitepick-templates.xlsx"
        _free(target, force).parent.mkdir(parents=True, exist_ok=True)
        templates.write_xlsx(target)
        _written([target], [], speaker)
        return
    texts = {f"{table}.csv": templates.as_csv(cols) for table, cols in templates.TABLES.items()}
    texts["columns.csv"] = templates.dictionary_csv()
    targets = [_free(folder / name, force) for name in texts]
    folder.mkdir(parents=True, exist_ok=True)
    for target in targets:
        target.write_text(texts[target.name], encoding="utf-8")
    _written(targets, [], speaker)
    speaker.say("columns.csv says what each column means; replace the example rows")


def _example(name: str, out: Path | None, force: bool, speaker: Talk) -> None:
    from sitepick.bundled import scenarios_dir

    shipped = {p.stem: p for p in sorted(scenarios_dir().glob("*.yaml"))}
    if name not in shipped:
        close = difflib.get_close_matches(name, shipped, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(shipped)}"
        raise ScenarioError(f"no bundled scenario {name!r}{hint}")
    target = _free(out or Path(f"{name}.yaml"), force)
    target.write_text(shipped[name].read_text(encoding="utf-8"), encoding="utf-8")
    _written([target], [], speaker)
    speaker.say(f"next: sitepick solve {target}")


def _for_files(files: list[Path], target: Path, force: bool, speaker: Talk) -> None:
    _free(target, force)
    from sitepick.cli.recognise import scenario_for

    text, found, doubts = scenario_for(files, target, date.today())
    target.write_text(text, encoding="utf-8")
    if not speaker.json:
        for file in found:
            speaker.answer(f"{file.spec['file']}: {file.role}")
    _written([target], doubts, speaker)
    if not doubts or not speaker.json:
        speaker.say(f"next: sitepick solve {target}")


def _free(target: Path, force: bool) -> Path:
    if target.exists() and not force:
        raise ScenarioError(f"{target}: exists; add --force to overwrite it")
    return target


def _written(targets: list[Path], doubts: list[str], speaker: Talk) -> None:
    if speaker.json:
        files = [str(target) for target in targets]
        speaker.answer_json({"status": "written", "files": files, "doubts": doubts})
        return
    for doubt in doubts:
        speaker.answer(f"doubt: {doubt}")
    for target in targets:
        speaker.answer(f"written: {target}")
