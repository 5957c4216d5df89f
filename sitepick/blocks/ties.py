"""Ties: which POI a site uses, the contracted grid MW at it, and what the tie costs."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import grid_at, open_at, periods, tie_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.program import Program

NAME = "ties"


def applies(inst: Instance) -> bool:
    """Where power is modelled."""
    return inst.grid


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `ties.tie` (of sites with a choice) and `ties.grid`."""
    ties, n = inst.ties, inst.time.n
    choice = np.flatnonzero(~ties.only)
    tie, period = np.repeat(choice, n), periods(inst, len(choice))
    # a further tie of an existing site takes as long to build as any other
    begins = np.where(ties.owned[tie], 0, inst.time.after(inst.sites.lead_months))
    program.add_columns(
        "ties.tie",
        keys={"tie": tie, "period": period},
        owner=ties.site[tie],
        lower=ties.owned[tie].astype(float),
        upper=(period >= begins).astype(float),
        integer=True,
    )
    every = np.repeat(np.arange(len(ties.site)), n)
    period = periods(inst, len(ties.site))
    program.add_columns(
        "ties.grid",
        keys={"tie": every, "period": period},
        owner=ties.site[every],
        upper=ties.tight_mw[every],
        unit="grid MW",
    )
    ledger.level_purchase(
        "ties",
        tie_at(program, inst),
        ties.musd,
        life_years=ties.life_years,
        lead_months=inst.sites.lead_months,
    )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `ties.*`."""
    ties, n = inst.ties, inst.time.n
    stands, grid = tie_at(program, inst), grid_at(program, inst)
    every = np.repeat(np.arange(len(ties.site)), n)
    period = periods(inst, len(ties.site))
    cap = program.add_rows(
        "ties.cap",
        keys={"tie": every, "period": period},
        upper=0,
        unit="grid MW",
        relaxable=True,
    )
    program.add_entries(cap, grid.ravel(), 1)
    program.add_entries(cap, stands.ravel(), -ties.cap_mw[every])
    _tight(program, inst)
    choice = np.flatnonzero(~ties.only)
    if not len(choice):
        return
    if n > 1:
        tie = np.repeat(choice, n - 1)
        later = np.tile(np.arange(1, n), len(choice))
        stay = program.add_rows("ties.stay", keys={"tie": tie, "period": later}, lower=0)
        program.add_entries(stay, stands[tie, later], 1)
        program.add_entries(stay, stands[tie, later - 1], -1)
    choosers = np.unique(ties.site[choice])
    site, period = np.repeat(choosers, n), periods(inst, len(choosers))
    most = program.add_rows("ties.most", keys={"site": site, "period": period}, upper=0)
    program.add_entries(most, open_at(program, inst)[site, period], -float(ties.most))
    first = np.full(len(inst.sites.ids), -1)
    first[choosers] = np.arange(len(choosers)) * n
    for t in range(n):
        program.add_entries(most[first[ties.site[choice]] + t], stands[choice, t], 1)


def _tight(program: Program, inst: Instance) -> None:
    """Add what follows from the POI's headroom once a tie is whole: a stronger relaxation."""
    ties, n = inst.ties, inst.time.n
    less = np.flatnonzero(ties.tight_mw < ties.cap_mw)
    if not len(less):
        return
    tie, period = np.repeat(less, n), periods(inst, len(less))
    row = program.add_rows(
        "ties.tight",
        keys={"tie": tie, "period": period},
        upper=0,
        unit="grid MW",
        redundant=True,
    )
    row = row.reshape(len(less), n)
    program.add_entries(row, grid_at(program, inst)[less], 1)
    program.add_entries(row, tie_at(program, inst)[less], -ties.tight_mw[less][:, None])
