"""What sites that train one model must exchange, and what that costs of their time.

Synchronous data parallelism: once per synchronisation every site needs the sum of all sites'
updates, of P parameters at b bytes each. What a link carries follows from the model, the shape of
the exchange and the number of places, never from MW:

* ring all-reduce: each place passes 2(n-1)/n x P x b on to the next (reduce-scatter, all-gather);
* hub: each place sends P x b to the hub and gets P x b back;
* mesh: each place sends its share 1/n of P x b to each other place, twice: 2/n x P x b per link.

All per direction. Low-communication training synchronises every k steps and compresses; both
divide. The time of one exchange is that of the transfer and of the hops one after the other
(2(n-1) of a ring, 2 otherwise); what of it does not overlap with computing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["ring", "hub", "mesh"]
BITS_PER_BYTE = 8


@dataclass(frozen=True)
class Sync:
    """How often a model of ``params_t`` (1e12 parameters) is exchanged.

    ``window_s``: time in which a transfer must be done (None: the whole interval of ``step_s`` x
    ``every_steps``, as when it overlaps with computing). ``overlap_s``: what of an exchange runs
    beside computing (None: the window, so that only the hops are waited for).
    """

    params_t: float
    bytes_per_param: float = 2.0
    step_s: float = 30.0
    every_steps: int = 1
    compression: float = 1.0
    window_s: float | None = None
    overlap_s: float | None = None

    @property
    def interval_s(self) -> float:
        """Seconds of computing between two exchanges."""
        return self.step_s * self.every_steps

    @property
    def transfer_s(self) -> float:
        """Seconds that a transfer may take."""
        return self.interval_s if self.window_s is None else self.window_s

    @property
    def terabits(self) -> float:
        """Size of one full update, Tb."""
        return self.params_t * self.bytes_per_param * BITS_PER_BYTE / self.compression


def link_share(shape: Shape, places: int) -> float:
    """Return what a link carries per direction and exchange, as a multiple of the full update.

    0 for one place: nothing leaves it.
    """
    if places < 2:
        return 0.0
    if shape == "ring":
        return 2 * (places - 1) / places
    return 1.0 if shape == "hub" else 2 / places


def links(shape: Shape, places: int) -> int:
    """Return how many links join ``places``: two places have one, whatever the shape."""
    if places < 2:
        return 0
    if shape == "mesh":
        return places * (places - 1) // 2
    return places if shape == "ring" and places > 2 else places - 1


def link_tbps(sync: Sync, shape: Shape, places: int) -> float:
    """Return Tb/s per direction that each link must carry."""
    return link_share(shape, places) * sync.terabits / sync.transfer_s


def hops(shape: Shape, places: int) -> int:
    """Return how many hops of one exchange come one after the other."""
    if places < 2:
        return 0
    return 2 * (places - 1) if shape == "ring" else 2


def sync_s(sync: Sync, shape: Shape, places: int, tbps: float, rtt_ms: float) -> float:
    """Return the seconds of one exchange over links of ``tbps`` and round trips of ``rtt_ms``."""
    if places < 2:
        return 0.0
    transfer = link_share(shape, places) * sync.terabits / tbps
    return transfer + hops(shape, places) * rtt_ms / 2 / 1000


def efficiency(
    sync: Sync, shape: Shape, places: int, rtt_ms: float, tbps: float | None = None
) -> float:
    """Return computing time over computing time and waiting, 0..1.

    ``tbps`` is what each link carries (None: just what `link_tbps` asks).
    """
    if places < 2:
        return 1.0
    rate = link_tbps(sync, shape, places) if tbps is None else tbps
    overlap = sync.transfer_s if sync.overlap_s is None else sync.overlap_s
    waiting = max(0.0, sync_s(sync, shape, places, rate, rtt_ms) - overlap)
    return sync.interval_s / (sync.interval_s + waiting)
