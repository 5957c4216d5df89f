"""What the plan pays: objective terms, and the cash of each purchase by calendar year.

A block says once what a purchase costs and when it is energised; the ledger turns that into the
objective coefficient (annuity within the horizon) and remembers the cash for the budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sitepick.instance.timeline import FOREVER, Timeline
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

PENALTY = "penalty"
NPC_TERMS = (
    "facility", "it", "ties", "onsite", "land", "site", "fiber", "upgrades", "security", "entry",
    "energy", "demand_charge", "onsite_running", "rent", "om", "transport", "battery",
    "curtailed", PENALTY,
)  # fmt: skip
"""Terms of the net present cost. The penalty and `curtailed` are the price of work not done, all
others are money that the plan pays."""


@dataclass(frozen=True)
class Cash:
    """Cash entries: column, calendar year index, MUSD per unit of the column."""

    category: str
    columns: IntArray
    years: IntArray
    musd: FloatArray


@dataclass
class Ledger:
    """Collects costs while the program is built."""

    program: Program
    time: Timeline
    cash: list[Cash] = field(default_factory=list)

    def purchase(
        self,
        term: str,
        columns: npt.ArrayLike,
        period: npt.ArrayLike,
        musd: npt.ArrayLike,
        *,
        life_years: float,
        lead_months: float,
    ) -> None:
        """Charge ``musd`` (overnight) per unit of ``columns``, energised at ``period`` (each (n,)).

        A negative amount undoes a purchase: a level that stands from t to t' is bought at t and
        given back at t' only in the difference of two levels, see `level_purchase`.
        """
        c, t, x = np.broadcast_arrays(
            np.asarray(columns, dtype=np.int64),
            np.asarray(period, dtype=np.int64),
            np.asarray(musd, dtype=float),
        )
        c, t, x = c.ravel(), t.ravel(), x.ravel()
        factor = self.time.purchase(life_years, lead_months)
        self.program.add_cost(c, x * factor[t], term)
        share = self.time.cash(lead_months)[t] * x[:, None]
        row, year = np.nonzero(share)
        self.cash.append(Cash(term, c[row], year.astype(np.int64), share[row, year]))

    def level_purchase(
        self,
        term: str,
        levels: IntArray,
        musd: npt.ArrayLike,
        *,
        life_years: float = FOREVER,
        lead_months: float = 0.0,
    ) -> None:
        """Charge increases of never-falling ``levels`` (n, T); ``musd`` (n,) or scalar per unit.

        The purchase at t is ``level[t] - level[t-1]``; -1 in ``levels`` means the level is 0.
        """
        x = np.broadcast_to(np.asarray(musd, dtype=float).reshape(-1, 1), levels.shape)
        for sign, shift in ((1.0, 0), (-1.0, 1)):
            n = levels.shape[1] - shift
            here = levels[:, :n]
            period = np.broadcast_to(np.arange(n) + shift, here.shape)
            known = (here >= 0) & (x[:, :n] != 0)
            self.purchase(
                term, here[known], period[known], sign * x[:, :n][known],
                life_years=life_years, lead_months=lead_months,
            )  # fmt: skip

    def yearly(
        self, term: str, columns: npt.ArrayLike, period: npt.ArrayLike, musd: npt.ArrayLike
    ) -> None:
        """Charge ``musd`` per year and unit of ``columns`` during ``period``."""
        t = np.asarray(period, dtype=np.int64)
        self.program.add_cost(columns, np.asarray(musd, dtype=float) * self.time.yearly[t], term)

    def deposit(self, term: str, columns: IntArray, year: IntArray, musd: FloatArray) -> None:
        """Charge interest on ``musd`` (n,) per unit, posted in ``year`` and held to the end."""
        held = self.time.rate * float(self.time.yearly.sum())
        self.program.add_cost(columns, musd * held, term)
        self.cash.append(Cash(term, columns, year, np.asarray(musd, dtype=float)))
