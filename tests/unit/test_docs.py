"""The pages against the code: what a page names exists, and what exists is on its page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer

from sitepick.cli.app import app
from sitepick.layers import presets, roles, units
from sitepick.layers.limits import MAX_FEATURES, MAX_FILE_MB, MAX_NULL_GEOMETRY_PCT
from sitepick.scenario.inputs import LayerList
from sitepick.scenario.read import read_scenario

ROOT = Path(__file__).parents[2]
BLOCKS = ROOT / "sitepick" / "blocks"
PAGES = [ROOT / "README.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FAMILY = re.compile(rf"({'|'.join(p.stem for p in sorted(BLOCKS.glob('[!_]*.py')))})\.[a-z_0-9]+")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def _anchor(heading: str) -> str:
    """Return what GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _section(text: str, role: str) -> str:
    """Return the section of ``docs/layers.md`` whose heading names ``role``."""
    parts = re.split(r"^### ", text, flags=re.M)[1:]
    found = [p.split("\n## ")[0] for p in parts if f"`{role}`" in p.splitlines()[0]]
    assert len(found) == 1, f"{len(found)} headings name `{role}`"
    return found[0]


def _roles_of(section: str) -> list[str]:
    return [r for r in roles.ROLES if f"`{r}`" in section.splitlines()[0]]


@pytest.mark.parametrize("role", list(roles.ROLES))
def test_role_and_its_columns_are_documented(role):
    section = _section(_text("docs/layers.md"), role)
    for name, column in roles.ROLES[role].items():
        rows = [r for r in section.splitlines() if r.startswith("|") and f"`{name}`" in r]
        assert rows, f"{role}.{name} has no row"
        if column.required:
            assert any("needed" in r for r in rows), f"{role}.{name}: the page hides it is needed"
        else:
            alone = [r for r in rows if r.split("|")[-2].strip().startswith("**needed**")]
            assert len(alone) < len(rows) or len(_roles_of(section)) > 1, f"{role}.{name}"
        for choice in column.choices:
            assert any(f"`{choice}`" in r for r in rows), f"{role}.{name}: {choice}"


def test_roles_are_the_scenario_s():
    assert set(roles.ROLES) == set(LayerList.model_fields)


def test_every_preset_is_documented():
    table = _text("docs/layers.md").split("\n## Presets")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.M)
    assert sorted(rows) == presets.names()


def test_units_are_documented():
    text = _text("docs/layers.md")
    known = set(re.findall(r"`(\w+)`", text))
    assert set(units.UNITS) <= known, set(units.UNITS) - known


def test_limits_are_the_code_s():
    table = _text("docs/layers.md").split("\n## Limits")[1].split("\n## ")[0]
    for said in (f"{MAX_FILE_MB:g} MB", f"{MAX_FEATURES:,} ", f"{MAX_NULL_GEOMETRY_PCT:g} %"):
        assert f"| {said}" in table, said


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_resolve(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file) if file else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.M)
            assert anchor in map(_anchor, headings), target


def test_readme_scenarios_validate(tmp_path):
    blocks = [b for b in _fenced(_text("README.md"), "yaml") if b.startswith("version:")]
    assert blocks, "README shows no scenario"
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        assert read_scenario(path).scenario.name


def test_layers_page_example_validates(tmp_path):
    head = "version: 1\nas_of: 2026-01-01\nperiods: {from: 2027, to: 2028}\ndemand: {it_mw: 10}\n"
    (example,) = _fenced(_text("docs/layers.md"), "yaml")
    path = tmp_path / "example.yaml"
    path.write_text(head + example, encoding="utf-8")
    loaded = read_scenario(path).scenario.layers
    assert loaded.parcels[0].keep == ["Broker", "Phase"]


def test_commands_that_pages_name_exist():
    known = typer.main.get_command(app).commands
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shown = re.findall(r"`sitepick ([a-z]\w*)", text)
        for block in re.findall(r"^```(?:sh|text)\n(.*?)^```$", text, re.M | re.S):
            shown += re.findall(r"(?:^|&& )sitepick ([a-z]\w*)", block, re.M)
        shown += re.findall(r"^ {4}sitepick ([a-z]\w*)", text, re.M)
        assert set(shown) <= set(known), (page.name, set(shown) - set(known))
    headings = re.findall(r"^## (\w+)", _text("docs/cli.md"), re.M)
    assert set(known) <= set(headings), set(known) - set(headings)


def test_readme_runs_and_tests_with_one_line_each():
    run, test = (b.strip() for b in _fenced(_text("README.md"), "sh")[:2])
    assert "\n" not in run + test
    solved = re.search(r"sitepick solve (\S+)$", run)
    assert solved is not None
    assert (ROOT / solved[1]).is_file()
    extra = re.search(r"\.\[(\w+)\]", test)
    assert extra is not None
    assert "pytest" in test
    assert re.search(rf"^{extra[1]} = \[", _text("pyproject.toml"), re.M)


def _families() -> dict[str, set[str]]:
    """Return the names of row and column families in the blocks, with where they are written.

    Names passed on by variables are met too: every text of the form block.name counts. Of an
    f-string only the fixed beginning can be known.
    """
    found: dict[str, set[str]] = {}
    for path in sorted(BLOCKS.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = [node.value] if FAMILY.fullmatch(node.value) else []
            elif isinstance(node, ast.Call) and _adds(node.func):
                names = _literal(node.args[0])
            for name in names:
                found.setdefault(name, set()).add(f"{path.name}:{node.lineno}")
    return found


def _adds(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and func.attr in ("add_rows", "add_columns")


def _literal(node: ast.expr) -> list[str]:
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        assert isinstance(first, ast.Constant), "a family named by a variable alone"
        return [str(first.value).rstrip(".#")]
    return [node.value] if isinstance(node, ast.Constant) else []


def test_model_page_names_every_family():
    tables = [r for r in _text("docs/model.md").splitlines() if r.startswith("|")]
    written = "\n".join(r.split("|")[1] for r in tables)
    named = set(re.findall(r"`([a-z]+\.[a-z_0-9*]+)", written))
    families = _families()
    assert len(families) > 40
    missing = {
        name: sorted(where)
        for name, where in families.items()
        if name not in named and f"{name.split('.')[0]}.*" not in named
    }
    assert not missing
