"""Campus groups: what a pencil finds, wrong plans, faults of the scenario, a plan as a start."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.campuses import SYNC, attached, network, world

from sitepick import pipeline
from sitepick.blocks.group_reach import cliques
from sitepick.candidates.types import FiberAccess
from sitepick.checks.geodesic import geodesic_km
from sitepick.errors import ScenarioError
from sitepick.planner import Planner
from sitepick.solve.outcome import Limits

SQUARE = [
    ("ab", "a", "b", 100.0), ("bc", "b", "c", 100.0), ("cd", "c", "d", 100.0),
    ("ad", "a", "d", 100.0), ("ac", "a", "c", 130.0),
]  # fmt: skip
SITES = [("A", 60.0, 1.0), ("B", 60.0, 1.0), ("C", 60.0, 1.0), ("D", 60.0, 50.0)]
WHERE = [("a", 5.0), ("b", 5.0), ("c", 5.0), ("d", 5.0)]
WORK = {"big": {"uses": "it", "ref_mw": {"2028": 100, "2029": 150}, "must_serve": True}}
GROUP = {
    "name": "g", "workload": "big", "sites_max": 3, "min_site_it_mw": 30, "route_km_max": 320,
    "sync": SYNC, "loss_pct_per_extra_site": 2, "routes": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """The square: A, B and C (D is dear) do 150 IT MW as a ring of three."""
    folder = tmp_path_factory.mktemp("square")
    prepared = world(folder, SITES, [GROUP], WORK, SQUARE, WHERE)
    planner = Planner(prepared, Limits(gap=0))
    out, plan = planner.solve(None)
    assert out.status == "optimal"
    return prepared, planner, plan


def test_three_sites_of_a_square(solved):
    prepared, _, plan = solved
    assert pipeline.check(prepared, plan) == []
    last = next(r for r in plan.groups if r.period == "2029-01-01")
    assert (last.sites, last.nodes, last.efficiency) == (3, 3, pytest.approx(0.96))
    assert last.worked_ref_mw == pytest.approx(150 / 0.96)
    assert last.delivered_ref_mw == pytest.approx(150)
    assert {r.site_id for r in plan.members} == {"A", "B", "C"}
    links = {(r.from_node, r.to_node): r for r in plan.links if r.period == "2029-01-01"}
    assert {k: (r.edges, r.km) for k, r in links.items()} == {
        ("a", "b"): (("ab",), 100.0), ("b", "c"): (("bc",), 100.0), ("a", "c"): (("ac",), 130.0),
    }  # fmt: skip
    # 2 x 2/3 x 1e12 x 16 bit / 30 s, and 2 x (130 + 5 + 5) km x 4.9 us + 0.5 ms
    assert links["a", "c"].tbps == pytest.approx(4 / 3 * 16 / 30)
    assert links["a", "c"].rtt_ms == pytest.approx(2 * 140 * 4.9e-3 + 0.5)
    used = {r.edge: r.used_tbps for r in plan.edges if r.period == "2029-01-01"}
    assert used == {e: pytest.approx(4 / 3 * 16 / 30) for e in ("ab", "bc", "ac")}


def test_edge_disjoint_routes(tmp_path):
    """With cuts survived every link takes the other way round as well; both within the limit."""
    group = {**GROUP, "survive_cut": True, "shape": "hub", "sites_min": 3}
    prepared = world(tmp_path, SITES, [group], WORK, SQUARE, WHERE)
    out, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert out.status == "optimal"
    assert pipeline.check(prepared, plan) == []
    links = [r for r in plan.links if r.period == "2029-01-01"]
    assert len(links) == 4  # two links of two routes
    for one in (r for r in links if r.route == 1):
        (two,) = [
            r for r in links if (r.from_node, r.to_node, r.route) == (one.from_node, one.to_node, 2)
        ]
        assert not set(one.edges) & set(two.edges)
        assert two.km + 10 <= 320


def test_a_plan_is_a_start_again(solved):
    _, planner, plan = solved
    again = planner.started_from(plan)
    assert again is not None
    assert planner.program.matrix.objective(again) == pytest.approx(sum(plan.npc_musd.values()))


def wrong(plan, table, change, pick=lambda r: r.period == "2029-01-01"):
    """Return the plan with ``change`` made to the rows of a table that ``pick`` chooses."""
    rows = [
        dataclasses.replace(r, **{k: v(r) if callable(v) else v for k, v in change.items()})
        if pick(r)
        else r
        for r in getattr(plan, table)
    ]
    return dataclasses.replace(plan, **{table: tuple(rows)})


def found(prepared, plan, check):
    return [f for f in pipeline.check(prepared, plan) if f.check == check]


def test_wrong_figures_are_found(solved):
    prepared, _, plan = solved
    bad = wrong(plan, "groups", {"efficiency": 1.0})
    (finding,) = found(prepared, bad, "groups.figures")
    assert finding.amount == pytest.approx(0.04)
    bad = wrong(plan, "links", {"tbps": lambda r: r.tbps / 2})
    assert [f.amount for f in found(prepared, bad, "groups.tbps")] == [pytest.approx(16 / 45)] * 3
    bad = wrong(plan, "members", {"lateral_km": 3.0})
    assert [f.amount for f in found(prepared, bad, "groups.lateral")] == [pytest.approx(2)] * 0
    bad = wrong(plan, "members", {"lateral_km": 3.0}, lambda r: True)
    assert [f.amount for f in found(prepared, bad, "groups.lateral")] == [pytest.approx(2)] * 3
    bad = wrong(plan, "links", {"km": lambda r: r.km - 20, "rtt_ms": lambda r: r.rtt_ms - 0.196})
    assert {round(f.amount, 3) for f in found(prepared, bad, "groups.route")} == {20.0, 0.196}


def test_wrong_members_are_found(solved):
    prepared, _, plan = solved
    swap = {"site_id": "D", "node": "d"}
    bad = wrong(plan, "members", swap, lambda r: r.site_id == "B" and r.period == "2029-01-01")
    (finding,) = found(prepared, bad, "groups.fixed")
    assert finding.amount == 2
    (finding,) = found(prepared, bad, "groups.load")  # what B still does, no member now
    work = {r.site_id: r.ref_mw for r in plan.serve if r.period == "2029-01-01"}
    assert finding.amount == pytest.approx(work["B"])
    (finding,) = found(prepared, bad, "groups.least")
    assert finding.amount == pytest.approx(30)
    dropped = dataclasses.replace(
        plan, members=tuple(r for r in plan.members if r.site_id == "A"),
    )  # fmt: skip
    assert found(prepared, dropped, "groups.links")


def test_wrong_links_are_found(solved):
    prepared, _, plan = solved
    fewer = dataclasses.replace(plan, links=plan.links[1:])
    assert [f.unit for f in found(prepared, fewer, "groups.links")] == ["links"]
    bad = wrong(plan, "links", {"edges": ("ab", "cd")}, lambda r: r.edges == ("ac",))
    assert found(prepared, bad, "groups.route")
    longer = wrong(
        plan, "links", {"edges": ("ad", "cd"), "km": 200.0, "rtt_ms": 2 * 210 * 4.9e-3 + 0.5},
        lambda r: r.edges == ("ac",),
    )  # fmt: skip
    assert not found(prepared, longer, "groups.route")


def test_limits_are_judged_by_a_search_of_the_check(solved):
    """The same plan under tighter rules: too far apart, too few, no second route."""
    prepared, _, plan = solved

    def under(**rules):
        group = prepared.scenario.campus_groups[0].model_copy(update=rules)
        scenario = prepared.scenario.model_copy(update={"campus_groups": [group]})
        loaded = dataclasses.replace(prepared.loaded, scenario=scenario)
        return dataclasses.replace(prepared, loaded=loaded)

    near = found(under(route_km_max=125.0), plan, "groups.apart")
    assert [(f.where, round(f.amount, 6)) for f in near] == [("group g, sites A and C", 15.0)]
    ways = found(under(route_km_max=125.0), plan, "groups.way_km")
    assert {round(f.amount, 6) for f in ways} == {15.0}
    assert [f.amount for f in found(under(sites_min=4, sites_max=5), plan, "groups.sites")] == [
        1,
        1,
    ]
    assert {f.amount for f in found(under(survive_cut=True), plan, "groups.cut")} == {1}
    assert found(under(shape="hub"), plan, "groups.links")
    assert [f.amount for f in found(under(min_site_it_mw=70.0), plan, "groups.least")]


def test_no_fiber_layer(tmp_path):
    """Straight lines times the route factor: sites 0.1 degrees apart; no links are known."""
    group = {**GROUP, "route_km_max": 30, "shape": "ring"}
    prepared = world(tmp_path, SITES, [group], WORK)
    out, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert out.status == "optimal"
    assert pipeline.check(prepared, plan) == []
    assert plan.links == ()
    assert {r.site_id for r in plan.members} == {"A", "B", "C"}
    # A to C are 0.2 degrees, 19.1 km, 26.7 km of route
    tight = {**group, "route_km_max": 26}
    prepared = world(
        tmp_path, SITES, [tight], {**WORK, "big": {**WORK["big"], "must_serve": False}}
    )
    _, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert pipeline.check(prepared, plan) == []
    assert max(r.sites for r in plan.groups) == 2


def test_migration_and_losses_by_time(tmp_path):
    """Members may move: one site is enough in 2028, three in 2029; no loss without distance."""
    group = {**GROUP, "migrate": True}
    work = {"big": {**WORK["big"], "ref_mw": {"2028": 50, "2029": 150}}}
    prepared = world(tmp_path, SITES, [group], work, SQUARE, WHERE)
    _, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert pipeline.check(prepared, plan) == []
    assert [r.sites for r in plan.groups] == [1, 3]
    assert plan.groups[0].efficiency == 1.0


def test_sites_without_attachment_are_no_members(tmp_path):
    prepared = world(tmp_path, SITES, [GROUP], WORK, SQUARE, WHERE)
    net = network(SQUARE)
    access = FiberAccess(net, attached(net, [*WHERE[:2], (None, 0.0), WHERE[3]]), attached(net, []))
    candidates = dataclasses.replace(prepared.candidates, fiber=access)
    prepared = dataclasses.replace(prepared, candidates=candidates)
    _, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert pipeline.check(prepared, plan) == []
    assert {r.site_id for r in plan.members} == {"A", "B", "D"}


@pytest.mark.parametrize("seed", range(5))
def test_cliques_cover_all_pairs_and_no_others(seed):
    rng = np.random.default_rng(seed)
    apart = np.triu(rng.random((20, 20)) < 0.5, 1)
    apart |= apart.T
    seen = np.zeros_like(apart)
    for clique in cliques(apart):
        block = np.ix_(clique, clique)
        seen[block] = True
        assert apart[block].sum() == len(clique) * (len(clique) - 1)
    np.fill_diagonal(seen, False)
    assert (seen == apart).all()


def test_geodesic_of_the_check():
    """Ashburn to Atlanta and Flinders Peak to Buninyong (Vincenty's own line, 54972.271 m)."""
    assert geodesic_km(-77.4874, 39.0438, -84.3880, 33.7490) == pytest.approx(853, abs=1)
    line = (144.42486788, -37.95103341, 143.92649552, -37.65282113)
    assert geodesic_km(*line) == pytest.approx(54.972271, abs=0.12)
    assert geodesic_km(179.9, 0, -179.9, 0) == pytest.approx(0.2 * 111.319491, abs=1e-5)
    assert geodesic_km(10, 50, 10, 50) == 0


FAULTS = [
    ({"sites_min": 5}, "sites_min 5 is more than sites_max 3"),
    ({"route_km_max": None}, "give rtt_ms_max or route_km_max"),
    ({"rtt_ms_max": 0.4}, "0.4 ms leave no time for any distance"),
    ({"loss_pct_per_extra_site": 60}, "120 % of the work would be lost"),
    ({"workload": "bug"}, "unknown workload 'bug'; did you mean 'big'?"),
    ({"survive_cut": True}, "needs a fiber network: name a file in layers.fiber_links"),
    ({"sync": {"params_billion": 0}}, "params_billion is 0"),
    ({"sync": {**SYNC, "window_s": 40}}, "transfers would pile up"),
]


@pytest.mark.parametrize(("change", "message"), FAULTS)
def test_faults_of_groups(tmp_path, change, message):
    with pytest.raises(ScenarioError) as error:
        world(tmp_path, SITES, [{**GROUP, **change}], WORK)
    assert message in str(error.value)


def test_all_faults_at_once(tmp_path):
    works = {"big": {**WORK["big"], "uses": "it"}, "far": {"uses": "it"}}
    twice = [GROUP, {**GROUP, "route_km_max": None}, {**GROUP, "workload": "far", "name": "h"}]
    with pytest.raises(ScenarioError) as error:
        world(tmp_path, SITES, [twice[0], twice[0], twice[2]], works)
    said = str(error.value)
    for part in ("'g' is listed twice", "is served by group 'g' already", "must state ref_mw"):
        assert part in said
