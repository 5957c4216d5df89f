"""Power balance: design-day MW against contracted grid MW; mean MW for energy and its price."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import draw_at, grid_at, it_at, periods
from sitepick.blocks.flexible import mean_mw_columns
from sitepick.blocks.ledger import Ledger
from sitepick.blocks.onsite import firm_at
from sitepick.instance.power import HOURS
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

NAME = "power"


def applies(inst: Instance) -> bool:
    """Where power is modelled."""
    return inst.grid


def choosers(inst: Instance) -> IntArray:
    """Return the sites with several sources, whose energy is split: ties, or on-site power."""
    return np.union1d(inst.ties.site[~inst.ties.only], inst.onsite.site)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `power.draw` where a site has a choice, and the price of energy."""
    ties, n = inst.ties, inst.time.n
    choice = np.flatnonzero(~ties.only)
    tie, period = np.repeat(choice, n), periods(inst, len(choice))
    site = ties.site[tie]
    existing = np.where(ties.first[site] == tie, inst.headroom.existing_mw[site], 0.0)
    drawn = program.add_columns(
        "power.draw",
        keys={"tie": tie, "period": period},
        owner=site,
        upper=inst.load_factor * (ties.tight_mw[tie] + existing),
        unit="mean MW",
    )
    musd = HOURS * ties.energy_usd_per_mwh[tie] / 1e6
    ledger.yearly("energy", drawn, period, musd)


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `power.balance` and `power.draw`. The power of a leased hall is its owner's."""
    ties, n = inst.ties, inst.time.n
    own = np.flatnonzero(~inst.leased)
    site, period = np.repeat(own, n), periods(inst, len(own))
    balance = np.full((len(inst.sites.ids), n), -1)
    balance[own] = program.add_rows(
        "power.balance",
        keys={"site": site, "period": period},
        upper=inst.headroom.existing_mw[site],
        unit="grid MW",
    ).reshape(len(own), n)
    for col, i, k, t in _it_columns(program, inst):
        known = balance[i, t] >= 0
        row = balance[i, t][known]
        program.add_entries(row, col[known], inst.halls.pue_peak[i[known], k])
    grid = grid_at(program, inst)
    program.add_entries(balance[ties.site], grid, -1)
    firm = firm_at(program, inst)
    pair, when = np.nonzero(firm >= 0)
    program.add_entries(balance[inst.onsite.site[pair], when], firm[pair, when], -1)
    _draws(program, inst)
    price = _only_tie(inst, ties.energy_usd_per_mwh) * HOURS / 1e6
    for col, i, k, t in _it_columns(program, inst):
        mean = inst.load_factor * inst.halls.pue_avg[i, k]
        ledger.yearly("energy", col, t, mean * price[i])


def _draws(program: Program, inst: Instance) -> None:
    ties, n = inst.ties, inst.time.n
    chosen = choosers(inst)
    if not len(chosen):
        return
    site, period = np.repeat(chosen, n), periods(inst, len(chosen))
    energy = program.add_rows(
        "power.energy", keys={"site": site, "period": period}, lower=0, upper=0, unit="mean MW"
    ).reshape(len(chosen), n)
    place = np.full(len(inst.sites.ids), -1)
    place[chosen] = np.arange(len(chosen))
    for col, i, k, t in _it_columns(program, inst):
        here = place[i] >= 0
        mean = inst.load_factor * inst.halls.pue_avg[i[here], k]
        program.add_entries(energy[place[i[here]], t[here]], col[here], -mean)
    choice = np.flatnonzero(~ties.only)
    drawn, grid = draw_at(program, inst)[choice], grid_at(program, inst)[choice]
    program.add_entries(energy[place[ties.site[choice]]], drawn, 1)
    mean = firm_at(program, inst, "onsite.mean")
    pair, when = np.nonzero(mean >= 0)
    program.add_entries(energy[place[inst.onsite.site[pair]], when], mean[pair, when], 1)
    tie, period = np.repeat(choice, n), periods(inst, len(choice))
    first = ties.first[ties.site[tie]] == tie
    existing = np.where(first, inst.headroom.existing_mw[ties.site[tie]], 0.0)
    limit = program.add_rows(
        "power.draw",
        keys={"tie": tie, "period": period},
        upper=inst.load_factor * existing,
        unit="mean MW",
    )
    program.add_entries(limit, drawn.ravel(), 1)
    program.add_entries(limit, grid.ravel(), -inst.load_factor)


def _it_columns(program: Program, inst: Instance) -> list[tuple[IntArray, IntArray, int, IntArray]]:
    """Return (columns, sites, class, periods) of `hardware.it`, one entry per class."""
    it = it_at(program, inst)
    out = []
    for k in range(it.shape[1]):
        i, h, t = np.nonzero(it[:, k] >= 0)
        out.append((it[i, k, h, t], i, k, t))
    return out


def _only_tie(inst: Instance, value: FloatArray) -> FloatArray:
    """Return (S,) a tie's value for sites with one possible tie, 0 for the others."""
    out = np.zeros(len(inst.sites.ids))
    out[inst.ties.site[inst.ties.only]] = value[inst.ties.only]
    return out


def mean_mw_terms(
    program: Program, inst: Instance, sites: IntArray, period: int, value: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Return columns and coefficients of sum over sites of mean MW x ``value`` (E,) of the tie."""
    inside = np.zeros(len(inst.sites.ids), dtype=bool)
    inside[sites] = True
    cols, vals = [], []
    per_site = _only_tie(inst, value)
    for col, i, k, t in _it_columns(program, inst):
        here = inside[i] & (t == period) & (per_site[i] != 0)
        cols.append(col[here])
        vals.append(inst.load_factor * inst.halls.pue_avg[i[here], k] * per_site[i[here]])
    for col, i, t, mean in mean_mw_columns(program, inst):
        here = inside[i] & (t == period) & (per_site[i] != 0)
        cols.append(col[here])
        vals.append(mean[here] * per_site[i[here]])
    choice = np.flatnonzero(~inst.ties.only & inside[inst.ties.site])
    cols.append(draw_at(program, inst)[choice, period])
    vals.append(value[choice])
    return np.concatenate(cols), np.concatenate(vals)
