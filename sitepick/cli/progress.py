"""The live gap on stderr, and Ctrl-C that keeps the best plan.

The work runs in a thread of its own, so that the display ticks and Ctrl-C is heard even while a
solver says nothing.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from sitepick.cli.talk import Talk

if TYPE_CHECKING:
    from rich.live import Live

T = TypeVar("T")
LINE_EVERY_S = 10.0
"""Seconds between lines where stderr is no terminal."""
STACK_BYTES = 64 * 1024 * 1024
"""Stack of the working thread: some systems give secondary threads half a megabyte."""


@dataclass
class Progress:
    """The newest news of a solve, written by the worker and read by the display."""

    unit: str
    began: float = field(default_factory=time.monotonic)
    stage: str = "model"
    best: float = math.nan
    bound: float = math.nan
    gap: float = math.nan

    def __call__(self, stage: str, seconds: float, best: float, bound: float, gap: float) -> None:
        """Take news in the form of `sitepick.solve.outcome.Progress`."""
        self.stage, self.best, self.bound, self.gap = stage, best, bound, gap

    @property
    def gap_text(self) -> str:
        """The gap of the best plan so far, or that there is none."""
        if not math.isfinite(self.best):
            return "no plan yet"
        return f"gap {100 * self.gap:.2f} %" if math.isfinite(self.gap) else "gap unknown"

    def line(self) -> str:
        """One line: time, best, bound, gap, stage."""
        seconds = time.monotonic() - self.began
        return (
            f"{seconds:6.0f} s  best {_figure(self.best)}  bound {_figure(self.bound)} {self.unit}"
            f"  {self.gap_text}  {self.stage}"
        )


def _figure(value: float) -> str:
    return f"{value:,.1f}" if math.isfinite(value) else "-"


class Interrupt:
    """What Ctrl-C does while a plan is sought: once stops and keeps, twice aborts."""

    def __init__(self, talk: Talk, progress: Progress) -> None:
        self.stop = threading.Event()
        self._talk = talk
        self._progress = progress

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal (in the main thread)."""
        if self.stop.is_set():
            self._talk.complain(["aborted; nothing was written"])
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h")  # the live display hides the cursor
            # the solver may hear nothing for minutes; no file is open at this point
            os._exit(130)
        self.stop.set()
        state = self._progress.gap_text
        if math.isfinite(self._progress.best):
            told = f"stopping; keeping the best plan so far ({state}). Ctrl-C again aborts"
        else:
            told = "stopping; no plan so far. Ctrl-C again aborts"
        self._talk.complain([told])


def run_with_progress(work: Callable[[Progress, threading.Event], T], talk: Talk, unit: str) -> T:
    """Run ``work(progress, stop)`` in a thread while showing its progress, and return its result.

    ``unit`` is the unit of the objective. What ``work`` raises is raised here.
    """
    progress = Progress(unit)
    interrupt = Interrupt(talk, progress)
    box: dict[str, Any] = {}

    def target() -> None:
        try:
            box["result"] = work(progress, interrupt.stop)
        except BaseException as error:
            box["error"] = error

    stack_before = threading.stack_size(STACK_BYTES)
    worker = threading.Thread(target=target, name="solve", daemon=True)
    handlers = _hear(interrupt)
    try:
        worker.start()
        if talk.quiet:
            worker.join()
        elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            _live(worker, progress, talk)
        else:
            _lines(worker, progress, talk)
    finally:
        threading.stack_size(stack_before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if "error" in box:
        raise box["error"]
    result: T = box["result"]
    return result


def _hear(interrupt: Interrupt) -> dict[signal.Signals, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = (signal.SIGINT, signal.SIGTERM)
    return {number: signal.signal(number, interrupt) for number in numbers}


def _lines(worker: threading.Thread, progress: Progress, talk: Talk) -> None:
    told = time.monotonic()
    while worker.is_alive():
        worker.join(0.1)
        if worker.is_alive() and time.monotonic() - told >= LINE_EVERY_S:
            told = time.monotonic()
            talk.say(progress.line())


def _live(worker: threading.Thread, progress: Progress, talk: Talk) -> None:
    from rich.live import Live
    from rich.text import Text

    live: Live
    with Live(console=talk.console(stderr=True), transient=True, auto_refresh=False) as live:
        while worker.is_alive():
            live.update(Text(progress.line(), style="dim"), refresh=True)
            worker.join(0.2)
