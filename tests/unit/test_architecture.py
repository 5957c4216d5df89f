"""The rooms of the house: who may import whom, and which package lives where."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "sitepick"
MAX_LINES = 400
ORDER = (
    ("errors", "units", "finding", "profiling", "records"),
    ("bundled",),
    ("scenario",),
    ("layers",),
    ("network",),
    ("candidates",),
    ("matrix",),
    ("program",),
    ("instance",),
    ("blocks",),
    ("solve",),
    ("solution_fiber",),
    ("solution", "plan_file"),
    ("dispatch", "serving"),
    ("readout_edges",),
    ("readout_groups",),
    ("readout", "baselines", "checks"),
    ("starts", "starts_reach", "earlier", "actions"),
    ("starts_groups",),
    ("comparison",),
    ("run", "words"),
    ("prices", "refine"),
    ("planner",),
    ("shortfall", "turned_away", "verdicts", "diagnose", "steady", "held"),
    ("studies",),
    ("exports", "report"),
    ("pipeline",),
    ("stress_runs",),
    ("cli",),
)
"""A room imports from rooms before it only (and exports and report from each other: they share
rows and tables)."""
ONLY_IN = {
    "geopandas": {"layers", "candidates"},
    "pyogrio": {"layers"},
    "pyproj": {"layers", "candidates"},
    "shapely": {"layers", "candidates", "network", "exports"},
    "highspy": {"solve"},
    "pulp": {"solve"},
    "ortools": {"solve"},
    "typer": {"cli"},
    "click": {"cli"},
    "rich": {"cli", "report"},
    "bokeh": {"report"},
    "pydantic": {"scenario"},
    "pydantic_core": {"scenario"},
    "ruamel": {"scenario", "layers"},
}


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@cache
def _imports(source: str) -> list[tuple[int, str]]:
    """Return line and absolute name of every import, also of those within functions."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def _ours() -> list[tuple[str, str, str]]:
    """Return (room, imported room, where) of all imports from one room to another."""
    rooms = {_room(p) for p in _files()}
    out = []
    for path in _files():
        for line, name in _imports(path.read_text(encoding="utf-8")):
            parts = name.split(".")
            if parts[0] == "sitepick" and parts[1] in rooms - {_room(path)}:
                out.append((_room(path), parts[1], f"{path.relative_to(PACKAGE)}:{line}"))
    return out


def test_the_reader_sees_imports_everywhere():
    source = "import a.b\ndef f():\n    from sitepick.x import y\n    from sitepick import z\n"
    assert _imports(source) == [(1, "a.b"), (3, "sitepick.x.y"), (4, "sitepick.z")]


def test_every_room_has_a_place():
    placed = [room for rank in ORDER for room in rank]
    assert len(placed) == len(set(placed))
    assert {_room(p) for p in _files()} - {"__init__"} == set(placed)


def test_the_page_names_every_room():
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {_room(p) for p in _files()} - {"__init__"}
    assert sorted(r for r in rooms if f"`{r}.py`" not in page and f"`{r}/`" not in page
                  and f"sitepick/{r}.py" not in page) == []  # fmt: skip


def test_imports_go_one_way():
    rank = {room: i for i, rooms in enumerate(ORDER) for room in rooms}
    wrong = [
        f"{where} ({room}) imports {other}"
        for room, other, where in _ours()
        if other != "__init__" and room != "__init__" and {room, other} != {"exports", "report"}
        if rank[other] >= rank[room]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        # the check re-reads the inputs: what wrote the model must not judge it
        (
            "checks",
            {*("scenario", "layers", "candidates", "solution", "finding", "errors", "units")}
            | {"network", "solution_fiber"},
        ),
        ("matrix", set()),
        ("program", {"matrix"}),
        ("solve", {"matrix", "program", "errors"}),
        ("solution", {"solution_fiber", "records"}),
        ("solution_fiber", set()),
    ],
)
def test_rooms_that_know_little(room, allowed):
    wrong = [f"{where}: {other}" for r, other, where in _ours() if r == room]
    wrong = [w for w in wrong if w.split(": ")[1] not in allowed]
    assert not wrong, "\n".join(wrong)


def test_the_check_knows_the_grid_as_tables_only():
    """Flows, outages and conditions of the model must not judge the model."""
    taken = {
        name
        for path in (PACKAGE / "checks").glob("*.py")
        for _, name in _imports(path.read_text(encoding="utf-8"))
        if name.startswith("sitepick.network")
    }
    assert taken
    assert {name.rpartition(".")[0] for name in taken} == {"sitepick.network.types"}


@pytest.mark.parametrize("package", ONLY_IN)
def test_package_stays_in_its_rooms(package):
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in _files()
        for line, name in _imports(path.read_text(encoding="utf-8"))
        if name.split(".")[0] == package and _room(path) not in ONLY_IN[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_relative_imports():
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong, "\n".join(wrong)


def test_files_are_short():
    long = {
        str(path.relative_to(PACKAGE)): n
        for path in _files()
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long
