"""Many small LPs on several threads: HiGHS lets go of Python while it runs.

What a chain of LPs finds depends on where it begins, so the chains are the same for any number of
threads, and so are the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_LENGTH = 8


def in_chains(
    work: Callable[[Sequence[Item]], Answer],
    items: Sequence[Item],
    threads: int | None,
    length: int = _LENGTH,
) -> Iterator[Answer]:
    """Yield what ``work`` makes of each chain of ``length`` successive ``items``, in order.

    The work is done on threads of its own, one if ``threads`` is None: HiGHS keeps a number of
    threads for each thread that calls it, and these LPs are too small for more than one.
    """
    chains = [items[at : at + length] for at in range(0, len(items), length)]
    with ThreadPoolExecutor(threads or 1) as pool:
        yield from pool.map(work, chains)
