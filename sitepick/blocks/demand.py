"""Demand: work served from sites within reach, the rest turned away at a price."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import it_at, open_at
from sitepick.blocks.ledger import PENALTY, Ledger
from sitepick.instance.types import Instance
from sitepick.program import SHARED, Program

NAME = "demand"


def applies(inst: Instance) -> bool:
    """Always."""
    return True


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `demand.serve` (where something is asked) and `demand.turned_away`."""
    demand = inst.demand
    asked = demand.mw[demand.serve_workload, demand.serve_place]  # (N, T)
    triple, period = np.nonzero(asked > 0)
    site = demand.serve_site[triple]
    serve = program.add_columns(
        "demand.serve",
        keys={
            "site": site,
            "workload": demand.serve_workload[triple],
            "place": demand.serve_place[triple],
            "period": period,
        },
        owner=site,
        upper=asked[triple, period],
        unit="ref_mw",
    )
    ledger.yearly("transport", serve, period, demand.transport_musd[triple])
    workload, place, t = np.nonzero(demand.mw > 0)
    short = program.add_columns(
        "demand.turned_away",
        keys={"workload": workload, "place": place, "period": t},
        owner=SHARED,
        upper=np.where(demand.must[workload], 0.0, demand.mw[workload, place, t]),
        unit="ref_mw",
    )
    ledger.yearly(PENALTY, short, t, demand.penalty_musd[workload])


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `demand.*`."""
    demand = inst.demand
    serve = program.column_families["demand.serve"]
    short = program.column_families["demand.turned_away"]
    w, d, t = (short.keys[name] for name in ("workload", "place", "period"))
    asked = demand.mw[w, d, t]
    balance = program.add_rows(
        "demand.balance",
        keys={"workload": w, "place": d, "period": t},
        lower=asked,
        upper=asked,
        unit="ref_mw",
        relaxable=True,
    )
    program.add_entries(balance, short.indices, 1)
    at = np.full(demand.mw.shape, -1)
    at[w, d, t] = balance
    i, sw, sd, st = (serve.keys[name] for name in ("site", "workload", "place", "period"))
    program.add_entries(at[sw, sd, st], serve.indices, 1)
    if inst.hardware.bought:
        _yield(program, inst)
    else:
        _plain(program, inst)
    if not inst.halls.whole:
        link = program.add_rows("demand.link", keys=dict(serve.keys), upper=0, unit="ref_mw")
        program.add_entries(link, serve.indices, 1)
        program.add_entries(link, open_at(program, inst)[i, st], -demand.mw[sw, sd, st])


def _yield(program: Program, inst: Instance) -> None:
    """Add `demand.yield`: work by site, workload and period from the hardware in use."""
    serve, n, m = program.column_families["demand.serve"], inst.time.n, len(inst.demand.workloads)
    i, w, t = (serve.keys[name] for name in ("site", "workload", "period"))
    code, place = np.unique((i * m + w) * n + t, return_inverse=True)
    row = program.add_rows(
        "demand.yield",
        keys={"site": code // n // m, "workload": code // n % m, "period": code % n},
        upper=0,
        unit="ref_mw",
    )
    program.add_entries(row[place], serve.indices, 1)
    use = program.column_families["hardware.use"]
    s, h, uw, ut = (use.keys[name] for name in ("site", "hardware", "workload", "period"))
    wanted = (s * m + uw) * n + ut
    found = np.searchsorted(code, wanted)
    known = (found < len(code)) & (code[np.minimum(found, len(code) - 1)] == wanted)
    program.add_entries(row[found[known]], use.indices[known], -inst.hardware.gain[h, uw][known])


def _plain(program: Program, inst: Instance) -> None:
    """Add `demand.yield` without hardware: what a site serves is at most its IT MW."""
    serve, n = program.column_families["demand.serve"], inst.time.n
    i, t = serve.keys["site"], serve.keys["period"]
    code, place = np.unique(i * n + t, return_inverse=True)
    row = program.add_rows(
        "demand.yield", keys={"site": code // n, "period": code % n}, upper=0, unit="ref_mw"
    )
    program.add_entries(row[place], serve.indices, 1)
    it = it_at(program, inst)
    for k in range(it.shape[1]):
        here = it[code // n, k, 0, code % n]
        program.add_entries(row[here >= 0], here[here >= 0], -1)
