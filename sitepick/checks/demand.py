"""Demand: work asked by workload, place and period, who may serve it, and what is turned away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.asked import Asked, asked
from sitepick.checks.case import ANYWHERE, Case, number
from sitepick.checks.groups import delivered_share, most_work
from sitepick.checks.tolerance import more, off
from sitepick.finding import Finding
from sitepick.scenario.catalog import reference


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `demand.*` rows."""
    wanted = asked(case)
    yield from _balance(case, wanted)
    yield from _reach(case)
    yield from _yield(case)
    if case.scenario.objective == "earliest_mw":
        yield from _no_more_than_asked(case, wanted)


def gain(case: Case, kind: str, workload: str) -> float:
    """Return the work of 1 IT MW of a hardware on a workload, ref_mw, network share included."""
    uses = case.workloads[workload].uses
    if uses == "it":
        return 1.0
    of_reference = float(getattr(reference(case.scenario), uses))
    return float(getattr(case.hardware[kind], uses)) / of_reference if of_reference else 0.0


def _balance(case: Case, wanted: Asked) -> Iterator[Finding]:
    served: Asked = defaultdict(float)
    for (_, workload, place, t), mw in case.served.items():
        served[workload, place, t] += mw
    for key in sorted({*wanted, *served, *case.short}):
        workload, place, t = key
        where = f"{workload} at {place}, {case.when(t)}"
        short = case.short.get(key, 0.0)
        accounted, asked_mw = served.get(key, 0.0) + short, wanted.get(key, 0.0)
        apart = off(accounted, asked_mw)
        if apart:
            message = (
                f"{served.get(key, 0.0):,.6g} ref_mw served and {short:,.6g} turned away "
                f"do not make the {asked_mw:,.6g} asked"
            )
            yield Finding("demand.balance", where, apart, "ref_mw", message)
        if case.workloads[workload].must_serve and more(short, 0.0):
            message = "work that must be served is turned away"
            yield Finding("demand.must_serve", where, short, "ref_mw", message)


def _reach(case: Case) -> Iterator[Finding]:
    for (site, workload, place, t), mw in sorted(case.served.items()):
        if not more(mw, 0.0):
            continue
        where = f"{workload} at {place} from site {site}, {case.when(t)}"
        if not case.is_open(site, t):
            message = "work is served from a site that is not open"
            yield Finding("demand.link", where, mw, "ref_mw", message)
        limit = case.workloads[workload].rtt_ms_max
        if place == ANYWHERE or limit is None:
            continue
        rtt = number(case.reach.get((site, place), {}).get("rtt_ms"))
        if rtt is None:
            message = f"no round-trip time is known, {limit:g} ms is the limit"
            yield Finding("demand.reach", where, mw, "ref_mw", message)
        elif rtt > limit * (1 + 1e-9):
            message = f"the round trip takes {rtt:,.6g} ms, {limit:g} ms is the limit"
            yield Finding("demand.reach", where, rtt - limit, "ms", message)


def _yield(case: Case) -> Iterator[Finding]:
    work: dict[tuple[str, int, str], float] = defaultdict(float)
    plain = case.scenario.hardware == "none"
    for (site, workload, _, t), mw in case.served.items():
        done = mw / delivered_share(case, workload, t)
        work[site, t, "all work" if plain else workload] += done
    able: dict[tuple[str, int, str], float] = defaultdict(float)
    if plain:
        for site in case.active_sites:
            for t in case.times:
                able[site, t, "all work"] = case.it_mw([site], t)
    else:
        free = 1 - case.scenario.network_share_pct / 100
        for (site, kind, workload, t), mw in case.used.items():
            able[site, t, workload] += free * gain(case, kind, workload) * mw
    for (site, t, name), mw in sorted(work.items()):
        over = more(mw, able.get((site, t, name), 0.0))
        if over:
            can = able.get((site, t, name), 0.0)
            message = f"{mw:,.6g} ref_mw are served, the hardware at work yields {can:,.6g}"
            where = f"{name} from site {site}, {case.when(t)}"
            yield Finding("demand.yield", where, over, "ref_mw", message)


def _no_more_than_asked(case: Case, wanted: Asked) -> Iterator[Finding]:
    most_of = {name: most_work(case, name) for name in case.workloads}
    by_period = {
        t: sum(mw * most_of[name] for (name, _, at), mw in wanted.items() if at == t)
        for t in case.times
    }
    most = max(by_period.values())
    for t in case.times:
        it_mw = case.it_mw(case.active_sites, t)
        over = more(it_mw, most)
        if over:
            message = f"{it_mw:,.6g} IT MW stand, the largest demand of any period is {most:,.6g}"
            yield Finding("demand.most", case.when(t), over, "IT MW", message)
