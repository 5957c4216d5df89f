"""Single outages: which pairs of a monitored branch and a lost one can matter at all.

After the loss of branch c, branch l carries ``f_l + LODF[l,c] f_c``. While both keep their normal
ratings r, that is at most ``r_l + |LODF| r_c``: a pair for which this stays within l's emergency
rating can never bind, and is dropped exactly. It leaves a few in a hundred.
"""

from __future__ import annotations

import numpy as np

from sitepick.network.grid import DcFlow, FloatArray, IntArray

_CHUNK = 256


class Contingencies:
    """The pairs that can bind, Q of them: ``branch``, ``outage`` (Q,) branches, ``lodf`` (Q,).

    ``radial`` are the branches whose loss cuts the grid in two: reported, never taken out.
    """

    def __init__(
        self,
        dc: DcFlow,
        outages: IntArray,
        rating_mw: FloatArray,
        emergency_factor: float,
        most_mw: FloatArray | None = None,
    ) -> None:
        """``rating_mw`` (M,) are normal ratings (inf: not monitored), ``most_mw`` (M,) the same as
        high as they can become: a line that is upgraded may carry more, and lose more."""
        self.dc = dc
        self.monitored = np.flatnonzero(np.isfinite(rating_mw))
        self._loose = np.zeros(dc.grid.n_branch, dtype=bool)
        # an unlimited branch can carry no more than everything that is produced and drawn
        most = float(dc.grid.pmax_mw.sum() + np.abs(dc.grid.load_mw).sum()) + 1.0
        carried = np.where(np.isfinite(rating_mw), rating_mw if most_mw is None else most_mw, most)
        spare = (emergency_factor - 1.0) * rating_mw[self.monitored]
        parts: list[tuple[IntArray, IntArray, FloatArray]] = []
        lasting: list[IntArray] = []
        radial: list[IntArray] = []
        for start in range(0, len(outages), _CHUNK):
            lost = outages[start : start + _CHUNK]
            lodf, islanding = dc.lodf(lost)
            radial.append(lost[islanding])
            lost, lodf = lost[~islanding], lodf[self.monitored][:, ~islanding]
            lasting.append(lost)
            may = np.abs(lodf) * carried[lost] > spare[:, None]
            may &= self.monitored[:, None] != lost[None, :]
            row, column = np.nonzero(may)
            parts.append((self.monitored[row], lost[column], lodf[row, column]))
        none = np.zeros(0, dtype=np.int64)
        self.outages = np.concatenate([none, *lasting])
        self.radial = np.concatenate([none, *radial])
        self.branch = np.concatenate([none, *(p[0] for p in parts)])
        self.outage = np.concatenate([none, *(p[1] for p in parts)])
        self.lodf = np.concatenate([np.zeros(0), *(p[2] for p in parts)])

    def overloaded(self, branches: IntArray) -> bool:
        """Take in every pair of branches that carry more than their rating; return if any is new.

        What is dropped rests on normal ratings being kept; these do not keep theirs.
        """
        new = branches[~self._loose[branches]]
        if not len(new):
            return False
        self._loose[new] = True
        parts = [(self.branch, self.outage, self.lodf)]
        lost = np.intersect1d(new, self.outages)
        for start in range(0, len(lost), _CHUNK):
            some = lost[start : start + _CHUNK]
            lodf = self.dc.lodf(some)[0][self.monitored]
            row, column = np.nonzero(self.monitored[:, None] != some[None, :])
            parts.append((self.monitored[row], some[column], lodf[row, column]))
        seen = np.intersect1d(new, self.monitored)
        if len(seen) and len(self.outages):
            lodf = self._rows(seen)
            row, column = np.nonzero(seen[:, None] != self.outages[None, :])
            parts.append((seen[row], self.outages[column], lodf[row, column]))
        branch, outage = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        values = np.concatenate([p[2] for p in parts])
        _, first = np.unique(branch * self.dc.grid.n_branch + outage, return_index=True)
        first.sort()
        self.branch, self.outage, self.lodf = branch[first], outage[first], values[first]
        return True

    def _rows(self, branches: IntArray) -> FloatArray:
        """Return (L, outages) LODF of some monitored branches, one solve for each of them."""
        grid = self.dc.grid
        sensitivity = self.dc.ptdf_rows(branches)
        ends = grid.from_bus[self.outages], grid.to_bus[self.outages]
        transfer = sensitivity[:, ends[0]] - sensitivity[:, ends[1]]
        own = self.dc.own_transfer(self.outages)
        return np.asarray(transfer / (1.0 - own))
