"""What every task needs: CPU seconds so far, and imports before the clock starts."""

from __future__ import annotations

import resource
from typing import Any

Answer = dict[str, Any]


def cpu_s() -> float:
    """Return CPU seconds of this process and of its children so far."""
    used = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def imported() -> None:
    """Import what a solve imports on its way, as peers are imported before the clock starts."""
    import importlib

    for name in ("candidates", "layers", "planner", "checks", "verdicts", "turned_away", "steady",
                 "diagnose", "exports.folder", "exports.changes", "exports.explain",
                 "exports.sheets", "report.build", "report.html", "layers.load",
                 "layers.ogrfile", "layers.geometry"):  # fmt: skip
        importlib.import_module(f"sitepick.{name}")
    import geopandas  # noqa: F401
    import highspy  # noqa: F401
