"""Demand: work served from sites within reach, the rest turned away at a price.

Where flows by place would be most of the program (`DemandData.pooled`), it holds the work of each
site in all, and rows that say what is within reach enter when violated (`sitepick.serving`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from sitepick.blocks.columns import gross, it_at, open_at
from sitepick.blocks.energised import serves
from sitepick.blocks.ledger import PENALTY, Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Family, Program

NAME = "demand"
REACH = "demand.reach"


def applies(inst: Instance) -> bool:
    """Always."""
    return True


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `demand.serve` (where something is asked) and `demand.turned_away`."""
    demand = inst.demand
    keys, most = _work(inst)
    serve = program.add_columns(
        "demand.serve", keys=keys, owner=keys["site"], upper=most, unit="ref_mw"
    )
    if not demand.pooled:
        asked = demand.mw[demand.serve_workload, demand.serve_place]
        able = serves(inst)[demand.serve_site, demand.serve_workload]
        triple = np.nonzero((asked > 0) & able)[0]
        ledger.yearly("transport", serve, keys["period"], demand.transport_musd[triple])
    workload, place, t = np.nonzero(demand.mw > 0)
    short = program.add_columns(
        "demand.turned_away",
        keys={"workload": workload, "place": place, "period": t},
        owner=SHARED,
        upper=np.where(demand.must[workload], 0.0, demand.mw[workload, place, t]),
        unit="ref_mw",
    )
    ledger.yearly(PENALTY, short, t, demand.penalty_musd[workload])


def most_served(inst: Instance) -> FloatArray:
    """Return the upper bounds of `demand.serve`, ref_mw."""
    return _work(inst)[1]


def _work(inst: Instance) -> tuple[dict[str, IntArray], FloatArray]:
    """Return keys and limits, ref_mw, of the columns `demand.serve`."""
    return _pooled(inst) if inst.demand.pooled else _by_place(inst)


def _by_place(inst: Instance) -> tuple[dict[str, IntArray], FloatArray]:
    """Return keys and limits of work by site, workload, place and period."""
    demand = inst.demand
    asked = demand.mw[demand.serve_workload, demand.serve_place]  # (N, T)
    asked = np.where(serves(inst)[demand.serve_site, demand.serve_workload], asked, 0.0)
    triple, period = np.nonzero(asked > 0)
    keys = {
        "site": demand.serve_site[triple],
        "workload": demand.serve_workload[triple],
        "place": demand.serve_place[triple],
        "period": period,
    }
    return keys, asked[triple, period] * gross(inst)[keys["workload"]]


def _pooled(inst: Instance) -> tuple[dict[str, IntArray], FloatArray]:
    """Return keys and limits of work by site, workload and period, for all places in reach."""
    demand, works = inst.demand, len(inst.demand.workloads)
    asked = np.zeros((len(inst.sites.ids) * works, inst.time.n))
    pair = demand.serve_site * works + demand.serve_workload
    for t in range(inst.time.n):
        here = demand.mw[demand.serve_workload, demand.serve_place, t]
        asked[:, t] = np.bincount(pair, weights=here, minlength=len(asked))
    asked = np.where(serves(inst).reshape(asked.shape), asked, 0.0)
    some, period = np.nonzero(asked > 0)
    keys = {"site": some // works, "workload": some % works, "period": period}
    return keys, asked[some, period] * gross(inst)[keys["workload"]]


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `demand.*`."""
    demand = inst.demand
    serve = program.column_families["demand.serve"]
    short = program.column_families["demand.turned_away"]
    if demand.pooled:
        _total(program, inst, serve, short)
    else:
        _balance(program, inst, serve, short)
    if inst.hardware.bought:
        _yield(program, inst)
    else:
        _plain(program, inst)
    if not inst.halls.whole:
        link = program.add_rows("demand.link", keys=dict(serve.keys), upper=0, unit="ref_mw")
        program.add_entries(link, serve.indices, 1)
        opened = open_at(program, inst)[serve.keys["site"], serve.keys["period"]]
        program.add_entries(link, opened, -_work(inst)[1])


def _balance(program: Program, inst: Instance, serve: Family, short: Family) -> None:
    """Add `demand.balance`: what is asked at a place is served or turned away."""
    demand = inst.demand
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
    sw, sd, st = (serve.keys[name] for name in ("workload", "place", "period"))
    program.add_entries(at[sw, sd, st], serve.indices, 1)


def _total(program: Program, inst: Instance, serve: Family, short: Family) -> None:
    """Add `demand.total`: what is asked in all is served or turned away."""
    asked = inst.demand.mw.sum(axis=1)
    w, t = np.nonzero(asked > 0)
    total = program.add_rows(
        "demand.total",
        keys={"workload": w, "period": t},
        lower=asked[w, t],
        upper=asked[w, t],
        unit="ref_mw",
        relaxable=True,
    )
    at = np.full(asked.shape, -1)
    at[w, t] = total
    for family in (serve, short):
        here = at[family.keys["workload"], family.keys["period"]]
        program.add_entries(here, family.indices, 1)


@dataclass(frozen=True)
class ReachColumns:
    """Where work is in a program without flows: (S, W, T) served, (W, D, T) turned away; -1: none.
    ``count`` is the number of columns."""

    serve: IntArray
    short: IntArray
    count: int

    @classmethod
    def of(cls, program: Program, inst: Instance) -> ReachColumns:
        """Return the columns of a program."""
        shape = len(inst.sites.ids), len(inst.demand.workloads), inst.time.n
        return cls(
            program.index("demand.serve", shape),
            program.index("demand.turned_away", inst.demand.mw.shape),
            program.n_columns,
        )


Rows = tuple[sp.csr_array, FloatArray, FloatArray]
"""Rows (k, n) and their bounds."""


def reach_rows(
    at: ReachColumns,
    inst: Instance,
    workload: int,
    places: IntArray,
    sites: IntArray,
    period: IntArray,
) -> Rows:
    """Return the rows `demand.reach`, one for each ``period``.

    ``sites`` are all that reach one of ``places``, which ask for something in each period.
    """
    mw = inst.demand.mw[workload]
    served = np.zeros(len(inst.sites.ids), dtype=bool)
    served[sites] = True
    inside = np.zeros(len(mw), dtype=bool)
    inside[places] = True
    # by the total, what those out of reach do is at most what is asked elsewhere: the same in fewer
    # entries where most sites reach the places
    few = 2 * len(sites) <= len(served)
    asked = mw[inside if few else ~inside].sum(axis=0)[period]
    work = at.serve[served if few else ~served, workload]
    short = at.short[workload, inside if few else ~inside]
    columns = [np.concatenate([work[:, t], short[:, t]]) for t in period]
    columns = [c[c >= 0] for c in columns]
    ends = np.cumsum([0, *(len(c) for c in columns)])
    flat = np.concatenate([np.zeros(0, dtype=np.int64), *columns])
    A = sp.csr_array((np.ones(len(flat)), flat, ends), shape=(len(period), at.count))
    free = np.full(len(period), np.inf)
    return (A, asked, free) if few else (A, -free, asked)


def add_reach(program: Program, rows: Rows, workload: int, period: IntArray) -> IntArray:
    """Append `reach_rows` of a workload as `demand.reach#k`; return where they are."""
    A, lower, upper = rows
    number = sum(name.startswith(f"{REACH}#") for name in program.row_families)
    at = program.add_rows(
        f"demand.reach#{number}",
        keys={"workload": np.full(len(period), workload), "period": period},
        lower=lower,
        upper=upper,
        unit="ref_mw",
        relaxable=True,
    )
    program.add_entries(np.repeat(at, np.diff(A.indptr)), A.indices, 1)
    return at


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
