"""What every task needs: CPU seconds so far, imports before the clock starts, an end for peers."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
GRACE_S = 5.0


def cpu_s() -> float:
    """Return CPU seconds of this process and of its children so far."""
    used = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


@contextmanager
def ended_after(seconds: float) -> Iterator[threading.Event]:
    """End the processes that this one starts when time is up, and tell that by the event.

    CBC looks at its own limit between steps, of which one may take many minutes. Where there is no
    /proc it keeps that time.
    """
    up = threading.Event()

    def end() -> None:
        up.set()
        for listed in Path("/proc/self/task").glob("*/children"):
            for pid in listed.read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    timer = threading.Timer(seconds + GRACE_S, end)
    timer.start()
    try:
        yield up
    finally:
        timer.cancel()


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
