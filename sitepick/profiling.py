"""Where seconds and memory go, stage by stage: `sitepick solve --profile`.

Nothing is measured, and nothing costs anything, until `begin` is called.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_stages: list[Stage] | None = None


@dataclass
class Stage:
    """One stage: wall-clock and CPU seconds (all threads), and the most memory held in it, MB.

    ``peak_mb`` is the stage's own where the system can tell (Linux), else the most up to its end;
    nan where the system does not tell.
    """

    name: str
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0


def begin() -> None:
    """Measure stages from now on, in this process, anew."""
    global _stages
    _stages = []


def end() -> None:
    """Measure no more, and forget what was measured."""
    global _stages
    _stages = None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count what happens inside to the stage ``name``; stages do not contain one another."""
    if _stages is None:
        yield
        return
    _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    mine = next((s for s in _stages if s.name == name), None)
    if mine is None:
        mine = Stage(name)
        _stages.append(mine)
    try:
        yield
    finally:
        mine.seconds += time.perf_counter() - wall
        mine.cpu_s += time.process_time() - cpu
        mine.peak_mb = max(mine.peak_mb, _peak_mb())


def stages() -> list[Stage] | None:
    """Return what was measured so far, in order of time; None where nothing is measured."""
    return None if _stages is None else list(_stages)


def records() -> list[dict[str, Any]] | None:
    """Return `stages` as plain values: stage, seconds, cpu_s, peak_mb."""
    if _stages is None:
        return None
    return [
        {
            "stage": s.name,
            "seconds": round(s.seconds, 3),
            "cpu_s": round(s.cpu_s, 3),
            "peak_mb": round(s.peak_mb, 1) if s.peak_mb == s.peak_mb else None,
        }
        for s in _stages
    ]


def _reset_peak() -> None:
    with suppress(OSError):  # not on this system, or not allowed: the peak is then up to now
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    with suppress(OSError, ValueError, StopIteration):
        status = Path("/proc/self/status").read_text().splitlines()
        return float(next(x for x in status if x.startswith("VmHWM")).split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024**2 if sys.platform == "darwin" else most / 1024
