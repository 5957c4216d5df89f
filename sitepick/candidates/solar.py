"""Solar with storage for a constant load, by representative days: `size` and `simulate`.

Per MW of load, ``solar`` MW (alternating current) and ``storage`` MWh. Each day is repeated until
it returns to where it began (cyclic); storage takes every surplus and covers every deficit that it
can, charging losses are taken on the way in. Days of different kinds do not help each other: an
assumption on the safe side. Storage can take and give any MW: its hours are a result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitepick.candidates.geo import Floats

_MWH = 1e-8  # how exactly storage is found, MWh per MW of load
_GOLDEN = (5**0.5 - 1) / 2
_SEARCH = 40  # golden-section steps: the interval shrinks by 4e-9
_HALVES = 50
SIZES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Points of the curve; between them a plan counts on less than the plant gives (chords)."""


@dataclass(frozen=True)
class SolarPlant:
    """What serves 1 MW of constant load. Shares are 0 to 1.

    ``worst_day``: the constant load that it carries through every hour of its worst day.
    """

    solar_mw: float
    storage_mwh: float
    usd_per_kw: float  # per kW of load
    energy_share: float
    worst_day: float
    curve: tuple[tuple[float, float], ...]
    """(size, share): what share of a load's energy a plant made for ``size`` times it gives."""


def simulate(
    output: Floats, solar: float, storage: float, efficiency: float, load: float
) -> Floats:
    """Return (D,) MWh served on each day, in the state that a repeated day settles to.

    ``output`` (D, 24) MW per MW. An hour moves the store by x between empty and full, that is
    s -> min(max(s + x, 0), storage). Chained over a day this is s -> min(max(s + a, b), c), so the
    level at midnight settles at c where the day gains (a > 0), at b where it does not.
    """
    net = solar * output - load
    up, down = efficiency * np.maximum(net, 0.0), np.maximum(-net, 0.0)
    gain = np.zeros(len(output))
    low, high = np.zeros(len(output)), np.full(len(output), storage)
    for h in range(output.shape[1]):
        x = up[:, h] - down[:, h]
        gain += x
        low, high = np.clip(low + x, 0.0, storage), np.clip(high + x, 0.0, storage)
    level = np.where(gain > 0, high, low)
    served = np.minimum(solar * output, load).sum(axis=1)
    for h in range(output.shape[1]):
        given = np.minimum(level, down[:, h])
        served += given
        level = np.minimum(level - given + up[:, h], storage)
    return served


def size(
    output: Floats,
    weight: Floats,
    *,
    share: float,
    efficiency: float,
    usd_per_kw: float,
    usd_per_kwh: float,
) -> SolarPlant:
    """Return the cheapest plant that gives ``share`` of the energy of a constant load of 1 MW.

    ``output`` (D, 24), ``weight`` (D,) days. Storage grows as solar shrinks, and the cost is convex
    in solar (the plants that suffice are the projection of a linear program): a golden-section
    search over solar, with the least storage of each by bisection.

    The curve says what the same plant gives to loads of other sizes: a larger one spills more.

    Raises ValueError if no plant can give that share.
    """
    weight = weight / weight.sum()
    hours = output.shape[1]

    def given(solar: float, storage: float) -> float:
        return float(weight @ simulate(output, solar, storage, efficiency, 1.0)) / hours

    def storage_for(solar: float) -> float:
        low, high = 0.0, float(hours)
        if given(solar, 0.0) >= share:
            return 0.0
        while high - low > _MWH:
            middle = (low + high) / 2
            low, high = (low, middle) if given(solar, middle) >= share else (middle, high)
        return high

    def cost(solar: float) -> float:
        return solar * usd_per_kw + storage_for(solar) * usd_per_kwh

    most = float(weight @ (output.max(axis=1) > 0))
    if share > most + 1e-12:
        raise ValueError(f"at most {most:.0%} of the days' energy can come from days with sun")
    high = 1.0
    while given(high, hours) < share:
        high *= 2
        if high > 1e6:
            raise ValueError(f"{share:.0%} of the energy would need more than a million MW per MW")
    low = 0.0
    for _ in range(_HALVES):
        middle = (low + high) / 2
        low, high = (low, middle) if given(middle, hours) >= share else (middle, high)
    least = high
    # no plant with more solar than this is cheaper than one already known
    known = 2 * least
    top = max(known, cost(known) / usd_per_kw) if usd_per_kw > 0 else 100 * least
    a, b = least, top
    x, y = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
    at_x, at_y = cost(x), cost(y)
    for _ in range(_SEARCH):
        if at_x <= at_y:
            b, y, at_y = y, x, at_x
            x = b - _GOLDEN * (b - a)
            at_x = cost(x)
        else:
            a, x, at_x = x, y, at_y
            y = a + _GOLDEN * (b - a)
            at_y = cost(y)
    solar = min((least, x, y), key=lambda s: (cost(s), s))
    storage = storage_for(solar)
    return SolarPlant(
        solar_mw=solar,
        storage_mwh=storage,
        usd_per_kw=solar * usd_per_kw + storage * usd_per_kwh,
        energy_share=share,
        worst_day=_worst_day(output, solar, storage, efficiency),
        curve=tuple(
            (x, float(weight @ simulate(output, x * solar, x * storage, efficiency, 1.0)) / hours)
            for x in SIZES
        ),
    )


def _worst_day(output: Floats, solar: float, storage: float, efficiency: float) -> float:
    hours, low, high = output.shape[1], 0.0, 1.0

    def carried(load: float) -> bool:
        served = simulate(output, solar, storage, efficiency, load)
        return bool((served >= load * hours - 1e-9).all())

    if carried(high):
        return high
    for _ in range(_HALVES):
        middle = (low + high) / 2
        low, high = (middle, high) if carried(middle) else (low, middle)
    return low
