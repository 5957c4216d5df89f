"""Latency and transport follow known fiber routes, and the check finds these by itself."""

from __future__ import annotations

import dataclasses
from datetime import date

import make_layers as make
import numpy as np
import pandas as pd
import pytest
from helpers import fibers, tiny
from test_fiber_network import links, nodes, road

from sitepick.candidates import propose
from sitepick.candidates.geo import straight_km
from sitepick.checks import judge
from sitepick.layers.types import Layers

SITE, TOWN, FAR = (-96.9, 31.0), (-97.0, 32.05), (-90.0, 32.0)


def asked(**demand):
    return make.scenario(
        power={"model": "none"},
        fiber={"enter_at": "nodes", "route_factor": 1.2, **demand.pop("fiber", {})},
        demand={"it_mw": 10, "spread": "by_weight", "route_factor": 1.5, "hop_ms": 0.4, **demand},
    )


def made(**more):
    """A line from a at 31 degrees to b at 32, by way of a detour to the west."""
    detour = road((-97, 31), (-98, 31.5), (-97, 32))
    return Layers(**{
        "sites": make.sites({"site_id": "S", "at": SITE}),
        "demand": make.demand({"place_id": "TOWN", "at": TOWN}, {"place_id": "Z", "at": FAR}),
        "fiber_links": links(("ab", detour, ("a", "b"))),
        "fiber_nodes": nodes(a=(-97, 31), b=(-97, 32)),
        **more,
    })  # fmt: skip


def reach_of(scenario, layers):
    found = propose(scenario, layers)
    return found.reach.set_index("place_id"), {n.code: n for n in found.notes}


def test_a_route_is_lateral_links_and_lateral():
    reach, notes = reach_of(asked(), made())
    links_km = straight_km(-97, 31, -98, 31.5) + straight_km(-98, 31.5, -97, 32)
    ends = straight_km(*SITE, -97, 31) + straight_km(*TOWN, -97, 32)
    km = float(links_km + 1.2 * ends)
    assert km == pytest.approx(240, abs=3)  # 110 + 110 and 1.2 x (9.6 + 5.5)
    town = reach.loc["TOWN"]
    assert town["source"] == "route"
    assert town["km"] == pytest.approx(km, rel=1e-5)
    assert town["rtt_ms"] == pytest.approx(2 * 0.0049 * km + 0.4, rel=1e-5)
    # Z is 660 km from the network: nothing is known, and the straight line counts
    far = reach.loc["Z"]
    assert far["source"] == "straight"
    assert far["km"] == pytest.approx(1.5 * float(straight_km(*SITE, *FAR)))
    assert notes["fiber_route_unknown"].count == 1
    assert "not connected: Z" in notes["fiber_route_unknown"].message
    assert "Z" in notes["fiber_place_far"].message


def test_without_links_nothing_changes():
    without = made(fiber_links=None, fiber_nodes=None)
    reach, notes = reach_of(asked(), without)
    assert set(reach["source"]) == {"straight"}
    assert reach.loc["TOWN", "km"] == pytest.approx(1.5 * float(straight_km(*SITE, *TOWN)))
    assert "fiber_route_unknown" not in notes
    alone, _ = reach_of(asked(), made(fiber_links=None))
    pd.testing.assert_frame_equal(alone, reach)


def test_parts_that_nothing_joins_fall_back():
    apart = links(("a", road((-97, 31), (-97, 31.2))), ("b", road((-97, 31.8), (-97, 32))))
    reach, notes = reach_of(asked(), made(fiber_links=apart, fiber_nodes=None))
    assert set(reach["source"]) == {"straight"}
    assert notes["fiber_route_unknown"].count == 2
    assert "fiber_apart" in notes


def test_links_that_come_later_carry_nothing_yet():
    late = links(("ab", road((-97, 31), (-97, 32)), ("a", "b"), {"in_service": date(2029, 1, 1)}),
                 ("cd", road((-97, 31), (-98, 31.5), (-97, 32)), ("a", "b"),
                  {"in_service": date(2026, 1, 1)}))  # fmt: skip
    reach, _ = reach_of(asked(), made(fiber_links=late))
    assert reach.loc["TOWN", "km"] > 230
    soon = late.assign(in_service=date(2026, 1, 1))
    reach, _ = reach_of(asked(), made(fiber_links=soon))
    assert reach.loc["TOWN", "km"] < 150


def test_what_is_measured_counts_above_all():
    matrix = make.table({"site_id": "S", "place_id": "TOWN", "meaning": "rtt_ms", "value": 1.25})
    reach, _ = reach_of(asked(), made(matrix=matrix))
    town = reach.loc["TOWN"]
    assert (town["rtt_ms"], town["source"]) == (1.25, "measured")
    assert town["km"] > 230
    cost = matrix.assign(meaning="musd_per_mw_year", value=0.5)
    reach, _ = reach_of(asked(), made(matrix=cost))
    assert (reach.loc["TOWN", "musd_per_mw_year"], reach.loc["TOWN", "source"]) == (0.5, "route")


def test_a_limit_is_one_of_the_route():
    # 1.5 x the straight line is 175 km or 2.1 ms; the route takes 2.7 ms
    near, _ = reach_of(asked(rtt_ms_max=2.5), made())
    assert "TOWN" not in near.index
    straight, _ = reach_of(asked(rtt_ms_max=2.5), made(fiber_links=None))
    assert straight.loc["TOWN", "rtt_ms"] < 2.5
    wide, _ = reach_of(asked(rtt_ms_max=2.8), made())
    assert wide.loc["TOWN", "source"] == "route"


def test_a_second_lateral_is_measured_for_candidates():
    corners = [(-97, 31), (-97, 32), (-96, 32), (-96, 31)]
    sides = zip("abcd", corners, [*corners[1:], corners[0]], strict=True)
    square = links(*((name, road(a, b)) for name, a, b in sides))
    layers = made(fiber_links=square, fiber_nodes=None)
    one = propose(asked(), layers).sites.iloc[0]
    assert np.isnan(one["fiber_second_km"])
    two = propose(asked(fiber={"diverse": True}), layers).sites.iloc[0]
    # the lateral itself goes to the link beside the site; the second to a corner further off
    assert two["fiber_second_km"] == pytest.approx(
        1.2 * float(straight_km(*SITE, -96, 31)), rel=1e-6
    )


def judged(km, source="route", fiber=None):
    """Return what the check says of km of pairs in the small world, whose plan is right else."""
    scenario = tiny.scenario()
    net = fibers.network(("xy", "x", "y", 300.0), ("yz", "y", "z", 100.0), ("xz", "x", "z", 450.0),
                         **(fiber or {}))  # fmt: skip
    tables = tiny.candidates()
    hop = scenario.demand.hop_ms
    reach = tables.reach.assign(source=source)
    one = (reach["site_id"] == "C") & (reach["place_id"] == "X")
    reach.loc[~one, "source"] = "measured"
    reach.loc[one, ["km", "rtt_ms"]] = km, km * 0.0098 + hop
    tables = dataclasses.replace(tables, reach=reach)
    tables = fibers.on_fiber(tables, net, {"C": "x"}, {"X": "z"}, km=10)
    plan = tiny.plan()
    assert any((r.site_id, r.place_id) == ("C", "X") for r in plan.serve)
    found = judge(scenario, Layers(), tables, plan)
    return [(f.check, f.unit, round(f.amount, 6)) for f in found if f.check == "demand.route"]


def test_the_check_finds_routes_by_itself():
    assert judged(420.0) == []
    assert judged(400.0) == [("demand.route", "km", 20), ("demand.route", "ms", 0.196)]
    assert judged(450.0, source="straight")[0] == ("demand.route", "km", 30)
    assert judged(999.0, source="measured") == []
    # without the shorter ways it is 450 + 2 x 10; one is to be built, the other comes later
    cut = {"new": {"xy": True}}
    assert judged(470.0, fiber=cut) == []
    late = {"in_service": {"yz": date(2031, 1, 1)}}
    assert judged(470.0, fiber=late) == []
    assert judged(420.0, fiber=late)[0] == ("demand.route", "km", 50)
    none = {"new": {"xy": True, "xz": True}}
    assert judged(470.0, fiber=none) == [("demand.route", "km", 470)]
    assert judged(470.0, source="straight", fiber=none) == []
