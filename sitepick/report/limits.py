"""Tables on what the plan was chosen from and what holds it: waterfall, limits, sharing, greedy."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sitepick.exports.places import status
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheet import records
from sitepick.exports.stages import layer_mw, layer_tiers, offer_share, waits_of
from sitepick.instance.timeline import Timeline
from sitepick.report.plan import work_unit
from sitepick.report.priced import FREE, HELD, priced
from sitepick.report.tables import Cell, Column, Table
from sitepick.scenario.power import STAGES
from sitepick.words import limit_words

if TYPE_CHECKING:
    from sitepick.run import Binding, Run

_MOST_LIMITS = 4
_MOST_SHARED = 4


def waterfall_table(run: Run, made: SiteRows) -> Table:
    """Return how many places were looked at, fell at each test, passed, and are in the plan."""
    rows: list[tuple[Cell, ...]] = [
        ("passed every test" if step == "candidates" else step.replace("_", " "), count)
        for step, count in run.prepared.candidates.waterfall
    ]
    verdicts = [status(info, site in made.opened) for site, info in made.look.sites.items()]
    for verdict in ("chosen", "existing", "not chosen"):
        if verdict in verdicts:
            rows.append((verdict, verdicts.count(verdict)))
    columns = (Column("step", align="left"), Column("places", "places", decimals=0))
    return Table("Candidates (by first failed test)", columns, tuple(rows), inline=True)


def binding_table(run: Run) -> Table:
    """Return each kind of limit that binds, at its dearest, and what one more unit would save."""
    kinds: dict[str, list[Binding]] = defaultdict(list)
    limits, held = priced(run)
    for limit in limits:  # dearest first
        kinds[limit.limit].append(limit)
    # of dated MW at a POI with what its letters and steps bring
    whole = {(u.limit, u.where, u.when): u.amount for u in run.limits}
    rows: list[tuple[Cell, ...]] = []
    for name, found in kinds.items():
        dear = found[0]
        # a limit of 0 is a row between decisions, such as MW of a tie <= its size x built
        amount = whole.get((dear.limit, dear.where, dear.when), dear.amount) or None
        at = (dear.where, dear.when, amount, dear.unit, dear.price_musd)
        rows.append((limit_words(name, run.prepared.scenario), len(found), *at))
    columns = (
        Column(f"What binds (LP{' price' if held else ', all free'})", align="left"),
        Column("times", decimals=0),
        Column("dearest at", align="left"),
        Column("when", align="left"),
        Column("limit", decimals=1),
        Column("unit", align="left"),
        Column("MUSD per unit", "MUSD, net present, saved by one more unit", decimals=3),
    )
    return Table(
        f"Prices of limits (LP, {HELD if held else FREE})", columns, tuple(rows),
        most=_MOST_LIMITS, rest="... {} more kinds of limits bind",
    )  # fmt: skip


def sharing_table(run: Run, made: SiteRows) -> Table:
    """Return, per shared limit the plan touches, single headrooms summed against the joint MW.

    The joint MW is the most that the limit's POIs can carry together at the horizon's end: each
    within its own headroom, and the sum of factor x MW within the limit.
    """
    cand, last = run.prepared.candidates, len(made.solution.periods) - 1
    single = single_headrooms(run, made, last)
    rows: list[tuple[Cell, ...]] = []
    for limit, mw, members in _standing(records(cand.shared_limits), made.solution.periods[last]):
        used = [p for p, _ in members if made.grid.by_poi.get((p, last), 0.0) > 1e-6]
        if not used:
            continue
        known = [(single.get(p, 0.0), f) for p, f in members]
        total = sum(s for s, _ in known)
        load = sum(made.grid.by_poi.get((p, last), 0.0) for p, _ in members)
        rows.append((limit, len(members), total, joint_mw(known, mw), load, len(used)))
    rows.sort(key=lambda r: (float(r[3] or 0) - float(r[2] or 0), str(r[0])))
    columns = (
        Column("Shared limit, grid MW", align="left"),
        Column("POIs", decimals=0),
        Column("one by one", "grid MW"),
        Column("together", "grid MW"),
        Column("in the plan", "grid MW"),
        Column("at POIs", decimals=0),
    )
    title = "Headroom counted once, grid MW at the horizon's end"
    return Table(title, columns, tuple(rows), most=_MOST_SHARED, rest="... {} more")


def joint_mw(pois: list[tuple[float, float]], limit_mw: float) -> float:
    """Return the most MW of POIs (single MW, factor) with sum of factor x MW <= ``limit_mw``.

    Filled in order of factor: exact for a single limit, as in a fractional knapsack.
    """
    joint, left = 0.0, limit_mw
    for single, factor in sorted(pois, key=lambda p: p[1]):
        take = single if factor <= 0 else min(single, max(0.0, left) / factor)
        joint += take
        left -= factor * take
    return joint


def _standing(rows: list[dict[str, Any]], day: str) -> list[tuple[str, float, list[Any]]]:
    """Return (limit_id, MW, [(poi_id, factor)]) standing at ``day``, sorted by id."""
    by_date: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if (row["from_date"] or "") <= day:
            by_date[row["limit_id"]][row["from_date"] or ""].append(row)
    out = []
    for limit in sorted(by_date):
        now = by_date[limit][max(by_date[limit])]
        out.append((limit, float(now[0]["mw"]), [(r["poi_id"], float(r["factor"])) for r in now]))
    return out


def single_headrooms(run: Run, made: SiteRows, t: int) -> dict[str, float]:
    """Return the dated grid MW of each POI in period ``t``, as if it were the only one."""
    scenario = run.prepared.scenario
    power, time = scenario.power, Timeline.of(scenario)
    out: dict[str, float] = {}
    by_poi: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for offer in made.look.offers.values():
        by_poi[offer["poi_id"]].append(offer)
    for poi, offers in by_poi.items():
        offers.sort(key=lambda o: (o["mw_total"], STAGES.index(o["stage"]), o["offer_id"]))
        out[poi], below = 0.0, 0.0
        for offer in offers:
            firm = offer["firm"] or power.nonfirm != "exclude"
            counts = firm and offer["stage"] in power.count_stages
            if counts:
                there = offer_share(offer, scenario, time, t)
                out[poi] += max(0.0, offer["mw_total"] - below) * there
            below = max(below, offer["mw_total"])
    now = time.starts[t].isoformat()
    waits = waits_of(made.candidates)
    for poi, info in made.look.pois.items():
        if poi not in out:
            tiers = layer_tiers(info, waits.get(poi, []), scenario)
            out[poi] = layer_mw(tiers, scenario, time, t)
    for bought in made.solution.upgrades:
        if power.upgrade_step is not None and bought.period <= now:
            out[bought.poi_id] = out.get(bought.poi_id, 0.0) + bought.steps * power.upgrade_step.mw
    if power.max_mw_per_poi is not None:
        out = {poi: min(mw, power.max_mw_per_poi) for poi, mw in out.items()}
    return out


def greedy_table(run: Run, made: SiteRows) -> Table:
    """Return the plan beside the weighted-score greedy of today's practice on the same inputs."""
    solution = made.solution
    columns = (
        Column("On the same inputs", align="left"),
        Column("sites", decimals=0),
        Column("IT MW, end", "IT MW", decimals=0),
        Column("MW-years", f"{work_unit(run)}-years served", decimals=0),
        Column("NPC MUSD", "MUSD, net present cost without penalty", decimals=0),
        Column("penalty MUSD", "MUSD", decimals=0),
        Column("NPC per MW-year", "MUSD per MW-year served", decimals=2),
    )
    if run.greedy is None:
        return Table("Against weighted-score greedy", columns, ())
    dt = Timeline.of(run.prepared.scenario).dt
    at = {name: t for t, name in enumerate(solution.periods)}
    years = float(sum(r.ref_mw * dt[at[r.period]] for r in solution.serve))
    it_end = sum(r.it_mw for r in solution.it if r.period == solution.periods[-1])
    npc = solution.net_present_cost_musd
    other = run.greedy
    rows: tuple[tuple[Cell, ...], ...] = (
        ("this plan", len(solution.sites), it_end, years, npc, solution.penalty_musd,
         npc / years if years > 0 else None),
        ("weighted-score greedy", other.sites, other.it_mw_end, other.served_ref_mw_years,
         other.net_present_cost_musd, other.penalty_musd,
         other.net_present_cost_musd / other.served_ref_mw_years
         if other.served_ref_mw_years > 0 else None),
    )  # fmt: skip
    return Table("Against weighted-score greedy", columns, rows)
