"""The same work on many parts: here, or on several processes that each prepare themselves once."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from sitepick.errors import LayerError

Prepared = TypeVar("Prepared")
Part = TypeVar("Part")
Result = TypeVar("Result")
_WAIT_S = 0.5  # between looks at the keyboard; some systems hear no signal while waiting

_prepared: Any = None  # of this process


def spread(
    prepare: Callable[[], Prepared],
    work: Callable[[Prepared, Part], Result],
    parts: Sequence[Part],
    *,
    processes: int = 1,
    told: Callable[[int], None] = lambda done: None,
) -> Iterator[Result]:
    """Yield ``work(prepare(), part)`` of every part, in order.

    With more than one process ``prepare`` and ``work`` are sent to fresh interpreters (spawn), so
    both must be picklable: functions of a module or `functools.partial` of one. ``told`` hears how
    many parts are done. Ctrl-C lets the parts at work finish, drops the others and goes on up.
    Raises `LayerError` if a process dies, as it does when memory runs out.
    """
    if processes <= 1 or len(parts) <= 1:
        prepared = prepare()
        for done, part in enumerate(parts):
            yield work(prepared, part)
            told(done + 1)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(processes, len(parts)), mp_context=context, initializer=_begin, initargs=(prepare,)
    )
    try:
        with _deaf():  # processes start with the first part
            futures: list[Future[Result]] = [pool.submit(_work, work, part) for part in parts]
        open_ones = set(futures)
        while open_ones:
            finished, open_ones = wait(open_ones, _WAIT_S, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()  # a fault is heard at once, not when its turn comes
            if finished:
                told(len(futures) - len(open_ones))
        for future in futures:
            yield future.result()
    except BrokenProcessPool:
        raise LayerError(
            f"one of {processes} processes ended before its work was done, as happens when memory "
            "runs out; use fewer processes"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold Ctrl-C back while processes start; those never hear it, as their mask is inherited.

    It reaches every process of a terminal, and the first one decides. One that is interrupted while
    it imports would complain, and a pool that is interrupted while it starts one would wait for
    ever. `_begin` would be too late.
    """
    held: list[int] = []
    # another thread may be the one that the system interrupts, so the mask alone holds nothing back
    before = signal.getsignal(signal.SIGINT)  # None: whoever embeds Python handles it
    first = threading.current_thread() is threading.main_thread() and before is not None
    if first:
        signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    masks = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if first:
            signal.signal(signal.SIGINT, before)
    if held and callable(before):
        before(signal.SIGINT, None)


def _begin(prepare: Callable[[], Any]) -> None:
    global _prepared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where `_deaf` cannot do it
    _prepared = prepare()


def _work(work: Callable[[Any, Part], Result], part: Part) -> Result:
    return work(_prepared, part)
