"""docs/messages.md explains every note code that the code can make, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from sitepick.cli.app import STATUS
from sitepick.errors import SitepickError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")


def codes_in(source: str) -> set[str]:
    """Return the literal codes of notes: Note(role, code, ...), note(code, ...), remarks.

    Codes chosen from a table `said = {...: (code, text)}` are literal there.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "said":
            pairs = node.value.values if isinstance(node.value, ast.Dict) else []
            codes = [p.elts[0] for p in pairs if isinstance(p, ast.Tuple)]
            found |= {str(c.value) for c in codes if isinstance(c, ast.Constant)}
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        code: ast.expr | None = None
        if name == "Note" and len(node.args) > 1:
            code = node.args[1]
        elif name in ("note", "soft") and node.args:
            code = node.args[0]
        elif name == "append" and node.args and isinstance(node.args[0], ast.Tuple):
            target = getattr(node.func, "value", None)
            if getattr(target, "attr", getattr(target, "id", "")) == "remarks":
                code = node.args[0].elts[0]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            found.add(code.value)
    return found


def test_the_collector_sees_every_form() -> None:
    source = """
reading.note("a", text)
reading.soft("b", text, rows)
notes.append(Note("role", "c", text, 1))
table.remarks.append(("d", text, 0))
others.append(("no", 1))
said = {"style": ("e", "text")}
other = {"style": ("no", "text")}
"""
    assert codes_in(source) == {"a", "b", "c", "d", "e"}


def test_every_note_code_is_explained_and_none_is_left_over() -> None:
    made: set[str] = set()
    for path in sorted((ROOT / "sitepick").rglob("*.py")):
        made |= codes_in(path.read_text(encoding="utf-8"))
    assert len(made) > 30
    table = PAGE.split("## Notes on inputs")[1].split("## Why a place was rejected")[0]
    explained = set(re.findall(r"^\| `([a-z_0-9]+)` \|", table, flags=re.M))
    assert explained == made


def test_every_exit_code_is_explained() -> None:
    codes = {0, 1, *STATUS, *(c.exit_code for c in SitepickError.__subclasses__())}
    explained = {int(c) for c in re.findall(r"^## Exit (\d+)", PAGE, flags=re.M)}
    assert explained == codes - {0}


def test_every_screening_test_is_explained() -> None:
    source = (ROOT / "sitepick" / "candidates" / "screen.py").read_text(encoding="utf-8")
    made = set(re.findall(r'failures\.add\(\s*"([a-z_]+)"', source))
    made |= set(re.findall(r'^        "([a-z_]+)": lambda told', source, flags=re.M))
    offers = (ROOT / "sitepick" / "candidates" / "leases.py").read_text(encoding="utf-8")
    made |= set(re.findall(r'\(\s*"(lease_[a-z]+)", ', offers))
    table = PAGE.split("## Why a place was rejected")[1].split("## Findings")[0]
    explained = set(re.findall(r"^\| ([a-z_]+) \|", table, flags=re.M)) - {"test"}
    assert len(made) > 7
    assert explained == made


def test_every_family_of_findings_is_explained() -> None:
    made = set()
    for path in (ROOT / "sitepick" / "checks").glob("*.py"):
        found = re.findall(r'Finding\(\s*"([a-z_]+)', path.read_text(encoding="utf-8"))
        made |= set(found)
    table = PAGE.split("## Findings")[1]
    explained = {
        name for row in re.findall(r"^\| (`.*?) \|", table, flags=re.M)
        for name in re.findall(r"`([a-z_]+)`", row)
    }  # fmt: skip
    assert len(made) > 8
    assert explained == made | {"run"}
