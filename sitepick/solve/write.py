"""Write a program as an LP or MPS file, its rows and columns named as in messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sitepick.errors import ScenarioError, SitepickError
from sitepick.program import Program
from sitepick.solve import highs

SUFFIXES = (".lp", ".mps")
_FOREIGN = re.compile(r"[^A-Za-z0-9_.]+")
_LONGEST = 200  # LP readers stop at 255 characters


def write_model(program: Program, path: Path) -> None:
    """Write ``program`` to ``path``; its suffix (.lp or .mps) says how.

    Raises ScenarioError for another suffix or a file that cannot be written.
    """
    import highspy

    if path.suffix.lower() not in SUFFIXES:
        raise ScenarioError(f"{path}: the name must end in {' or '.join(SUFFIXES)}")
    matrix = program.matrix
    h = highs.load(matrix, relax=False, threads=None)
    m, n = matrix.A.shape
    for i, name in enumerate(plain_names(n, program.column_label)):
        h.passColName(i, name)
    for i, name in enumerate(plain_names(m, program.row_label)):
        h.passRowName(i, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # HiGHS does not say why it cannot write
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from error
    if h.writeModel(str(path)) == highspy.HighsStatus.kError:
        raise SitepickError(f"{path}: HiGHS could not write the model")


def plain_names(count: int, label: Callable[[int], str]) -> list[str]:
    """Return labels as LP files take them: plain characters, no leading digit, unique."""
    out: list[str] = []
    seen: set[str] = set()
    for i in range(count):
        name = _FOREIGN.sub("_", label(i)).strip("_")[:_LONGEST]
        if not name[:1].isalpha() or name in seen:
            name = f"n{i}_{name}"
        seen.add(name)
        out.append(name)
    return out
