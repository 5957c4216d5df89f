"""What a search may spend, and what it has spent."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field, replace

from sitepick.solve.outcome import Limits


@dataclass
class Clock:
    """Time, work and the user's wish to stop, since the search began."""

    limits: Limits
    stop: threading.Event | None
    began: float = field(default_factory=time.perf_counter)
    work: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def over(self) -> bool:
        """Return whether to end."""
        if self.stop is not None and self.stop.is_set():
            return True
        if self.limits.work is not None and self.work >= self.limits.work:
            return True
        return time.perf_counter() >= self.deadline()

    def deadline(self) -> float:
        """Return when to end, as `time.perf_counter` counts."""
        return math.inf if self.limits.time_s is None else self.began + self.limits.time_s

    def time_left(self) -> float | None:
        """Return the seconds left, None without a limit."""
        if self.limits.time_s is None:
            return None
        return max(0.05, self.deadline() - time.perf_counter())

    def room(self) -> Limits:
        """Return the limits of a step that may take all the time left."""
        return replace(self.limits, work=None, time_s=self.time_left())

    def polls(self, polls: int | None) -> int | None:
        """Return ``polls`` of branch and bound, or what the work limit leaves if that is less."""
        if self.limits.work is None:
            return polls
        left = max(1, int(self.limits.work - self.work))
        return left if polls is None else min(polls, left)

    def spend(self, stage: str, seconds: float) -> None:
        """Note the ``seconds`` of a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
