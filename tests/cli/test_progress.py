"""The live gap without a terminal, and what Ctrl-C does while a plan is sought."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from sitepick.cli import progress as live
from sitepick.cli.progress import Progress, run_with_progress
from sitepick.cli.talk import Talk


def test_the_line_has_time_best_bound_unit_gap_and_stage() -> None:
    progress = Progress("MUSD", began=time.monotonic() - 12)
    assert "no plan yet" in progress.line()
    progress("mip", 3.0, 1234.5, 1230.0, 0.00364)
    assert progress.line() == "    12 s  best 1,234.5  bound 1,230.0 MUSD  gap 0.36 %  mip"


def test_unknown_figures_are_dashes() -> None:
    progress = Progress("MUSD")
    progress("pricing", 1.0, math.inf, -math.inf, math.inf)
    assert "best -  bound - MUSD  no plan yet  pricing" in progress.line()


def test_lines_go_to_stderr_at_intervals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LINE_EVERY_S", 0.2)

    def work(progress: Progress, stop: threading.Event) -> int:
        progress("mip", 0.0, 10.0, 9.0, 0.1)
        time.sleep(0.6)
        return 42

    assert run_with_progress(work, Talk(), "MUSD") == 42
    said = capsys.readouterr()
    assert said.out == ""
    assert 1 <= said.err.count("gap 10.00 %") <= 3
    assert run_with_progress(work, Talk(quiet=True), "MUSD") == 42
    assert capsys.readouterr().err == ""


def test_what_the_work_raises_is_raised() -> None:
    def work(progress: Progress, stop: threading.Event) -> None:
        raise ZeroDivisionError("in the worker")

    with pytest.raises(ZeroDivisionError, match="in the worker"):
        run_with_progress(work, Talk(), "MUSD")


def test_ctrl_c_once_stops_and_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)

    def work(progress: Progress, stop: threading.Event) -> str:
        progress("mip", 0.0, 100.0, 97.0, 0.03)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)
        return "kept"

    assert run_with_progress(work, Talk(), "MUSD") == "kept"
    assert "stopping; keeping the best plan so far (gap 3.00 %)" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_without_a_plan_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def work(progress: Progress, stop: threading.Event) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return stop.wait(10)

    assert run_with_progress(work, Talk(quiet=True), "MUSD")
    assert "stopping; no plan so far" in capsys.readouterr().err


def test_ctrl_c_twice_aborts_a_deaf_solver() -> None:
    code = """
import os, signal, threading, time
from sitepick.cli.progress import run_with_progress
from sitepick.cli.talk import Talk

def work(progress, stop):
    os.kill(os.getpid(), signal.SIGINT)
    stop.wait(10)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

run_with_progress(work, Talk(), "MUSD")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 130
    assert "aborted; nothing was written" in done.stderr
