"""Services: traffic of served work between the nodes of sites and of places, over a few routes."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import periods
from sitepick.blocks.ledger import Ledger
from sitepick.blocks.traffic import Traffic, over_ways
from sitepick.instance.fiber_types import Services
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray
from sitepick.program import Program

NAME = "services"


def applies(inst: Instance) -> bool:
    """Where work makes traffic between two nodes."""
    return inst.fiber is not None and bool(len(inst.fiber.services.service))


def _of(inst: Instance) -> Services:
    assert inst.fiber is not None
    return inst.fiber.services


def _most_tbps(inst: Instance) -> FloatArray:
    """Return (F, T) the most Tb/s of each flow: that of all work that may go over it."""
    services, demand = _of(inst), inst.demand
    asked = demand.mw[demand.serve_workload, demand.serve_place][services.serve]  # (m, T)
    out = np.zeros((len(services.service), inst.time.n))
    # a place is asked once, however many sites could serve it
    place = demand.serve_place[services.serve]
    _, first = np.unique(services.flow * len(demand.places) + place, return_index=True)
    np.add.at(out, services.flow[first], asked[first])
    return out * services.tbps[services.service][:, None]


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `services.sent`: Tb/s in ordinary hours by way and period."""
    services, most = _of(inst), _most_tbps(inst)
    way, period = np.nonzero(most[services.ways.flow] > 0)
    program.add_columns(
        "services.sent",
        keys={"way": way, "period": period},
        owner=SHARED,
        upper=most[services.ways.flow[way], period],
        unit="Tb/s",
    )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `services.flow`: what goes over the ways of a flow is the traffic of its work."""
    services, n = _of(inst), inst.time.n
    count = len(services.service)
    row = program.add_rows(
        "services.flow",
        keys={"flow": np.repeat(np.arange(count), n), "period": periods(inst, count)},
        lower=0,
        upper=0,
        unit="Tb/s",
    ).reshape(count, n)
    sent = program.column_families["services.sent"]
    way, period = sent.keys["way"], sent.keys["period"]
    program.add_entries(row[services.ways.flow[way], period], sent.indices, 1)
    serve = program.column_families["demand.serve"]
    shape = (len(inst.sites.ids), len(inst.demand.workloads), len(inst.demand.places), n)
    at = program.index(serve.name, shape)
    triple = services.serve
    demand = inst.demand
    here = at[
        demand.serve_site[triple], demand.serve_workload[triple], demand.serve_place[triple]
    ]  # (m, T)
    entry, period = np.nonzero(here >= 0)
    flow = services.flow[entry]
    tbps = services.tbps[services.service[flow]]
    program.add_entries(row[flow, period], here[entry, period], -tbps)


def traffic(program: Program, inst: Instance) -> Traffic:
    """Return the traffic of `services.sent` by edge."""
    services = _of(inst)
    family = program.column_families["services.sent"]
    way = family.keys["way"]
    service = services.service[services.ways.flow[way]]
    ordinary = np.ones(len(way))
    ratio = services.peak_tbps[service] / services.tbps[service]
    return over_ways(
        services.ways, family.indices, way, family.keys["period"], ordinary, ratio,
        services.peak_hours[service],
    )  # fmt: skip
