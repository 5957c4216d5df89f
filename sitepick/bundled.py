"""Finds the data and the scenarios that ship with sitepick, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

from sitepick.errors import LayerError, ScenarioError

PREFIX = "bundled:"
_PACKAGE = Path(__file__).resolve().parent


def data_dir() -> Path:
    """Folder of the bundled data. Raises `LayerError` if the installation lacks it."""
    return _folder("data", "texas_substations.geojson")


def scenarios_dir() -> Path:
    """Folder of the bundled scenarios. Raises `LayerError` if the installation lacks it."""
    return _folder("scenarios", "")


def is_bundled(name: str) -> bool:
    """Whether a path in a scenario names a bundled file."""
    return name.startswith(PREFIX)


def resolve(name: str) -> Path:
    """Path of a bundled data file such as ``bundled:texas_substations.geojson``.

    Only files and folders inside the data folder are found. Raises `ScenarioError` for a name that
    leaves it and `LayerError` for one that is not there.
    """
    inner = name.removeprefix(PREFIX)
    root = data_dir()
    path = (root / inner).resolve()
    if not inner or not path.is_relative_to(root) or path == root:
        raise ScenarioError(
            f"{name!r} does not name a file of the bundled data; write bundled:<file>, "
            "such as bundled:texas_substations.geojson"
        )
    if not path.exists():
        raise LayerError(
            f"{name!r} is not among the bundled data; there are {', '.join(_layers(root))}"
        )
    return path


def _layers(root: Path) -> list[str]:
    """Names of the layers, and of the folders that hold a grid."""
    names = [item.name for item in root.iterdir() if item.is_file()]
    grids = [item.parent.name for item in root.glob("*/branches.csv*")]
    return sorted([n for n in names if ".geojson" in n or ".csv" in n] + grids)


def _folder(name: str, marker: str) -> Path:
    # A wheel carries them inside the package; in a checkout they lie beside it.
    for folder in (_PACKAGE / "_bundled" / name, _PACKAGE.parent / name):
        if (folder / marker).exists():
            return folder
    raise LayerError(f"this installation lacks the bundled {name}; install sitepick again")
