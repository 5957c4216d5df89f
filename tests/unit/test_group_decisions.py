"""Members and links of campus groups as decisions: when they are due, held, lost, and checked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from helpers import listed
from helpers.campuses import SYNC, world

from sitepick.actions import Decision, actions_of, decisions_due, decisions_of
from sitepick.actions.groups import stretches
from sitepick.checks import judge
from sitepick.exports.stress import stress_sheets
from sitepick.held import hold_plan
from sitepick.planner import Planner
from sitepick.report.stress import stress_report
from sitepick.run import Prepared
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits
from sitepick.studies.stress import Decided, plan_record, record_of, stress

SQUARE = [
    ("ab", "a", "b", 100.0), ("bc", "b", "c", 100.0), ("cd", "c", "d", 100.0),
    ("ad", "a", "d", 100.0), ("ac", "a", "c", 130.0),
]  # fmt: skip
WHERE = [("a", 5.0), ("b", 5.0), ("c", 5.0), ("d", 5.0)]
GROUP = {
    "name": "g", "workload": "big", "sites_max": 3, "min_site_it_mw": 20, "route_km_max": 320,
    "sync": SYNC, "loss_pct_per_extra_site": 2, "routes": 3,
}  # fmt: skip
# pairs of 1 Tb/s take 18 months, optics 6
CAPACITY = {
    "optics": [{"id": "o", "reach_km": 900, "tbps_per_pair": 1, "usd_per_gbps_end": 5,
                "lead_months": 6}],
    "pair": {"iru_usd_per_km": 1000, "term_years": 5, "lead_months": 18}, "wave": None,
}  # fmt: skip
PERIODS = {"from": "2028", "to": "2030"}
DAYS = ("2028-01-01", "2029-01-01", "2030-01-01")
LIMITS = Limits(gap=0)


def made(
    folder: Path, dear: str = "D", mw: float = 60.0, asked: Any = None, **group: Any
) -> Prepared:
    """Return the square; ``dear`` is the site that costs most, ``mw`` what each can carry."""
    sites = [(s, mw, 50.0 if s == dear else 1.0) for s in "ABCD"]
    work = {"big": {"uses": "it", "ref_mw": asked or {"2028": 0, "2029": 150},
                    "shortfall_musd_per_mw_year": 9}}  # fmt: skip
    return world(
        folder, sites, [{**GROUP, **group}], work, SQUARE, WHERE, periods=PERIODS,
        fiber={"capacity": CAPACITY},
    )  # fmt: skip


def solved(prepared: Prepared) -> Solution:
    _, plan = Planner(prepared, LIMITS).solve(None)
    assert plan is not None
    return plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Solution]:
    """A, B and C (D is dear) work as a ring of three from 2029 on."""
    prepared = made(tmp_path_factory.mktemp("square"))
    return prepared, solved(prepared)


def decision(what: str, *ids: str) -> Decision:
    return Decision(what, ("g", *ids))


def test_members_and_links_are_decisions_and_when_they_are_due(plan):
    prepared, solution = plan
    every = {d: v for d, v in decisions_of(solution).items() if d.what in ("member", "link")}
    assert every == {
        **{decision("member", site, DAYS[1]): 1.0 for site in "ABC"},
        **{decision("link", a, b, DAYS[1]): 1.0 for a, b in ("ab", "ac", "bc")},
    }
    rows = actions_of(prepared.scenario, prepared.candidates, solution)
    joins = {a.site_id: a for a in rows if a.action == "join_group"}
    # no grid: nothing takes time at sites
    when = {s: (str(a.needed), a.lead_months) for s, a in joins.items()}
    assert when == dict.fromkeys("ABC", (DAYS[1], 0))
    assert sum(a.mw or 0.0 for a in joins.values()) == pytest.approx(150 / 0.96)
    links = {a.item: a for a in rows if a.action == "link_nodes"}
    # 4/3 x 16 / 30 Tb/s on one pair: ordered 18 months before
    assert {i: (str(a.do_by), a.lead_from) for i, a in links.items()} == {
        f"g: {a} - {b}": ("2027-07-01", "fiber.capacity.pair.lead_months")
        for a, b in ("ab", "ac", "bc")
    }
    assert "130 km, up to 0.7111 Tb/s from 2029-01-01" in links["g: a - c"].why
    as_of = prepared.scenario.as_of
    due = decisions_due(solution, rows, as_of, 18)
    assert {d.what for d in due if d.what in ("member", "link", "pairs")} == {"link", "pairs"}
    assert {d.what for d in decisions_due(solution, rows, as_of, 36)} >= {"member", "link"}
    table = listed.table(prepared, solution)
    assert listed.wrong(prepared, solution, table) == []
    (row,) = [r for r in table if r["item"] == "g: a - c"]
    row |= {"do_by": "2027-07-31"}
    (found,) = listed.wrong(prepared, solution, table)
    assert (found.check, found.amount) == ("actions.do_by", 30)
    (lost,) = listed.wrong(
        prepared, solution, [r for r in listed.table(prepared, solution)
                             if (r["action"], r["site_id"]) != ("join_group", "B")],
    )  # fmt: skip
    assert (lost.check, lost.where) == ("actions.missing", "join_group, B, g, needed 2029-01-01")


def test_who_stays_takes_no_time_and_who_moves_is_settled_again(tmp_path):
    asked = {"2028": 50, "2029": 100, "2030": 150}
    prepared = made(tmp_path, asked=asked, migrate=True, shape="hub")
    solution = solved(prepared)
    parts = stretches(solution)
    assert [(p.since, len(p.members), len(p.links)) for p in parts] == [
        (DAYS[0], 1, 0), (DAYS[1], 2, 1), (DAYS[2], 3, 2),
    ]  # fmt: skip
    (link,) = parts[1].links
    assert link in parts[2].links  # the hub keeps its first link
    rows = actions_of(prepared.scenario, prepared.candidates, solution)
    months = {(a.item, str(a.needed)): a.lead_months for a in rows if a.action == "link_nodes"}
    name = f"g: {link[0]} - {link[1]}"
    assert (months[name, DAYS[1]], months[name, DAYS[2]]) == (18, 0)
    stay = [a for a in rows if a.action == "join_group" and a.why.startswith("stays")]
    assert len(stay) == 1 + 2
    assert listed.wrong(prepared, solution, listed.table(prepared, solution)) == []


def held_in(prepared: Prepared, plan: Solution, what: tuple[str, ...]) -> tuple[Any, Solution]:
    planner = Planner(prepared, LIMITS)
    asked = {d: v for d, v in decisions_of(plan).items() if d.what in what}
    kept = hold_plan(planner, plan, asked)
    assert kept.start is not None
    _, new = planner.solve(kept.start)
    assert new is not None
    assert judge(prepared.scenario, prepared.layers, prepared.candidates, new) == []
    return kept, new


def test_members_stay_where_others_would_be_cheaper(plan, tmp_path):
    other = made(tmp_path, dear="B")
    free = solved(other)
    assert {m.site_id for m in free.members} == {"A", "C", "D"}
    kept, new = held_in(other, plan[1], ("member",))
    assert not kept.lost
    assert {m.site_id for m in new.members} == {"A", "B", "C"}
    assert new.net_present_cost_musd > free.net_present_cost_musd + 3


def test_a_link_keeps_its_route(plan, tmp_path):
    """Were the chord to be had for nothing else, a and c would be linked over it all the same."""
    prepared, solution = plan
    round_about = tuple(
        dataclasses.replace(r, edges=("ad", "cd"), km=200.0) if r.edges == ("ac",) else r
        for r in solution.links
    )
    told = dataclasses.replace(solution, links=round_about)
    kept, new = held_in(prepared, told, ("member", "link"))
    assert not kept.lost
    assert {r.edges for r in new.links} == {("ab",), ("bc",), ("ad", "cd")}


def test_what_is_not_possible_any_more_is_told(plan, tmp_path):
    shorter = made(tmp_path, route_km_max=139)
    kept, new = held_in(shorter, plan[1], ("member", "link"))
    why = {str(row.decision): (row.held, row.why) for row in kept.lost}
    # of A and C, 140 km apart with laterals, one remains; their link has no route within the limit
    members = {d: h for d, (h, _) in why.items() if d.startswith("member")}
    assert sum(members.values()) == 0
    assert len(members) == 1
    assert why["link g, a, c, 2029-01-01"] == (0.0, "its route is not possible")
    assert {m.site_id for m in new.members} < {"A", "B", "C", "D"}
    renamed = made(tmp_path / "other", name="h")
    planner = Planner(renamed, LIMITS)
    gone = hold_plan(planner, plan[1], {decision("member", "A", DAYS[1]): 1.0})
    assert [row.why for row in gone.lost] == ["there is no campus group g"]


def test_a_future_tells_what_becomes_of_a_group(plan, tmp_path):
    prepared, solution = plan
    decided = Decided.of(prepared, solution, 24)
    assert {d.what for d in decided.due} >= {"pairs", "link"}
    cases = {"smaller": made(tmp_path / "s", mw=45.0), "less": made(
        tmp_path / "l", asked={"2028": 0, "2029": 70, "2030": 70})}  # fmt: skip
    told = []
    for name, future in cases.items():
        one = stress(future, decided, "all", LIMITS)
        assert one.run is not None
        assert one.run.findings == ()
        told.append({"future": name, "about": name, "plans": [record_of(one)]})
    base = {"hold": "", "status": "optimal", "verified": True, "held": 0, "lost": [],
            "lacking": [], "stranded": [], **plan_record(solution)}  # fmt: skip
    sheets = {s.name: s for s in stress_sheets(prepared, base, told)}
    rows = {(r["future"], r["period"]): r for r in sheets["stress_groups"].rows}
    own = rows["plan", DAYS[2]]
    assert (own["delivered_ref_mw"], own["members"], own["links"]) == (pytest.approx(150), 3, 3)
    # three sites of 45 MW at 96 %
    small = rows["smaller", DAYS[2]]
    assert small["delivered_ref_mw"] == pytest.approx(3 * 45 * 0.96)
    assert small["delivered_pct"] == pytest.approx(100 * 3 * 45 * 0.96 / 150)
    assert small["turned_away_ref_mw"] == pytest.approx(150 - 3 * 45 * 0.96)
    assert (small["members_kept"], small["members_lost"], small["links_lost"]) == (3, [], [])
    (table,) = [t for t in stress_report([sheets[name] for name in (
        "stress", "stress_sites", "stress_groups")], None, (), {}).tables
        if t.title.startswith("Campus")]  # fmt: skip
    assert [row[:2] for row in table.rows] == [("plan", ""), ("smaller", "all"), ("less", "all")]
    assert table.rows[1][3:8] == ("150", "130", "86", "3 of 3", "0")
    # who is held stays although two sites would do: nothing of the ring strands
    less = rows["less", DAYS[2]]
    assert (less["delivered_pct"], less["members_kept"]) == (pytest.approx(100), 3)


def test_a_group_that_needs_no_link_strands_it(plan, tmp_path):
    prepared, solution = plan
    future = made(tmp_path, asked={"2028": 0, "2029": 50, "2030": 50}, sites_max=1)
    one = stress(future, Decided.of(prepared, solution, None), "all", LIMITS)
    assert one.run is not None
    assert one.run.findings == ()
    record = {"future": "one", "about": "", "plans": [record_of(one)]}
    base = {"hold": "", "status": "optimal", "verified": True, "held": 0, "lost": [],
            "lacking": [], "stranded": [], **plan_record(solution)}  # fmt: skip
    sheet = next(s for s in stress_sheets(prepared, base, [record]) if s.name == "stress_groups")
    (last,) = [r for r in sheet.rows if (r["future"], r["period"]) == ("one", DAYS[2])]
    assert (last["members"], last["members_kept"], len(last["members_lost"])) == (1, 1, 2)
    assert last["links_lost"] == ["a - b", "a - c", "b - c"]
    assert last["links_lost_tbps"] == pytest.approx(3 * 4 / 3 * 16 / 30)
    lit = sum(i.tbps for i in one.idle if (i.kind, i.period) == ("fiber", DAYS[2]))
    assert lit == pytest.approx(last["links_lost_tbps"], abs=1e-4)


@pytest.mark.parametrize("lost", [None, "B"])
def test_one_member_is_held_with_whoever_makes_the_group_with_it(plan, tmp_path, lost):
    """The group needs three: others of the plan or, without B, D. None of them is held itself."""
    other = made(tmp_path, sites_min=3)
    if lost is not None:
        sites = other.candidates.sites
        sites.loc[sites["site_id"] == lost, "max_it_mw"] = 10.0  # a member gives 20 at least
    planner = Planner(other, LIMITS)
    kept = hold_plan(planner, plan[1], {decision("member", "A", DAYS[1]): 1.0})
    assert kept.start is not None
    assert not kept.lost
    _, new = planner.solve(planner.complete(kept.start))
    assert new is not None
    assert {m.site_id for m in new.members} == {"A", "C", "D" if lost else "B"}
