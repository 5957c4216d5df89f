"""docs/cli.md is what the app says, and every command has an example that it understands."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer

from sitepick.cli.app import COMMANDS, app
from sitepick.cli.document import EXAMPLES, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run python -m sitepick.cli.document"


def test_every_command_of_the_app_is_documented() -> None:
    group = typer.main.get_command(app)
    names = list(group.commands)  # type: ignore[attr-defined]
    headings = [line[3:] for line in markdown().splitlines() if line.startswith("## ")]
    assert names == headings == [c.__name__ for c in COMMANDS] == list(EXAMPLES)


def test_every_option_of_the_app_is_documented() -> None:
    group = typer.main.get_command(app)
    page = markdown()
    sections = {part.split("\n", 1)[0]: part for part in page.split("\n## ")[1:]}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        options = [o for p in command.params for o in p.opts if o.startswith("-")]
        missing = [o for o in options if f"`{o}" not in sections[name]]
        assert missing == [], name


@pytest.mark.parametrize(
    "line", [line for lines in EXAMPLES.values() for line in lines.splitlines()]
)
def test_every_example_is_understood(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse it without running it: wrong names and values of options raise here."""
    words = shlex.split(line.split("|")[0], comments=True)
    assert words[0] == "sitepick"
    group = typer.main.get_command(app)
    command = group.commands[words[1]]  # type: ignore[attr-defined]
    command.make_context(f"sitepick {words[1]}", list(words[2:]))
