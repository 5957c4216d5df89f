"""A fiber network out of layers: noding, every fault by id, entries, laterals and diverse ones."""

from __future__ import annotations

import make_layers as make
import numpy as np
import pytest
import shapely

from sitepick.candidates import propose
from sitepick.candidates.fiber import access
from sitepick.candidates.fiber_access import attached
from sitepick.candidates.fiber_lines import Lines, cut, km_along
from sitepick.candidates.fiber_noding import network_of
from sitepick.candidates.geo import Features, as_geoms, nearest_km, straight_km
from sitepick.layers.types import Layers
from sitepick.network import fiber_routes as routes

NO_POWER = {"power": {"model": "none"}}


def nodes(**places):
    rows = [{"node_id": k, "name": k.title(), "at": v} for k, v in places.items()]
    return make._geo(rows, {"node_id": None, "name": ""})


def links(*rows):
    """Each row: id, corners, and optionally the ids of both ends and further columns."""
    out = []
    for ident, corners, *more in rows:
        start, end = more[0] if more else (None, None)
        own = more[1] if len(more) > 1 else {}
        out.append({"link_id": ident, "from_node": start, "to_node": end,
                    "geometry": shapely.LineString(corners), **own})  # fmt: skip
    return make._geo(out, {"link_id": None, "from_node": None, "to_node": None})


def network(fiber_links, fiber_nodes=None, **fiber):
    scenario = make.scenario(**NO_POWER, fiber=fiber)
    layers = Layers(fiber_links=fiber_links, fiber_nodes=fiber_nodes)
    made, notes = network_of(scenario, layers)
    return made, {n.code: n for n in notes}


def road(*corners):
    """Return a line with a corner in the middle of each leg, so that it is a route."""
    xy = np.array(corners, dtype=float)
    middle = (xy[1:] + xy[:-1]) / 2
    out = [xy[0]]
    for m, c in zip(middle, xy[1:], strict=True):
        out += [m, c]
    return [tuple(c) for c in out]


def test_ends_are_joined_within_the_tolerance_and_no_further():
    # 0.0005 degrees of latitude are 55 m, 0.002 are 222 m
    made, notes = network(links(
        ("a", road((-97, 31), (-97, 32))),
        ("b", road((-97, 32.0005), (-97, 33))),
        ("c", road((-97, 33.002), (-97, 34))),
    ))  # fmt: skip
    assert made.n_edge == 3
    assert made.n_node == 5
    assert routes.components(made).tolist().count(1) == 2
    assert set(notes) == {"fiber_unstated"}
    joined, _ = network(links(
        ("a", road((-97, 31), (-97, 32))),
        ("b", road((-97, 32.0005), (-97, 33))),
        ("c", road((-97, 33.002), (-97, 34))),
    ), snap_km=0.3)  # fmt: skip
    assert joined.n_node == 4
    km = straight_km(-97, 31, -97, 34)
    assert routes.shortest(joined, 0, 3).km == pytest.approx(km, abs=0.3)


def test_a_link_is_cut_where_another_ends_on_it_and_not_where_it_is_crossed():
    made, _ = network(links(
        ("main", road((-98, 31), (-96, 31))),
        ("branch", road((-97.3, 31), (-97.3, 32))),
        ("over", road((-96.5, 30), (-96.5, 32))),
    ))  # fmt: skip
    assert sorted(made.edge_id) == ["branch", "main/1", "main/2", "over"]
    assert set(made.link_id) == {"branch", "main", "over"}
    part = routes.components(made)
    assert sorted(np.bincount(part)) == [2, 4]
    # the pieces are as long as the link, and start where the branch does
    main = made.km[[made.edge_of["main/1"], made.edge_of["main/2"]]]
    assert main.sum() == pytest.approx(km_along(np.array(road((-98, 31), (-96, 31))))[-1])
    assert main[0] == pytest.approx(straight_km(-98, 31, -97.3, 31), rel=1e-3)


def test_ends_named_by_id_beat_places():
    made, notes = network(
        links(("x", road((-97, 31), (-97, 32)), ("b", "a")), ("y", road((-97, 32), (-96, 32)))),
        nodes(a=(-97, 31), b=(-97, 32.5)),
    )
    assert made.node_id[made.from_node[0]] == "b"
    assert made.node_id[made.to_node[0]] == "a"
    assert made.line[0][0].tolist() == [-97, 32.5]
    assert made.line[0][-1].tolist() == [-97, 31]
    # drawn on to b, half a degree further; y ends where x was drawn, but x names its node
    assert made.km[0] == pytest.approx(straight_km(-97, 31, -97, 32.5), rel=1e-6)
    assert "x (55.4 km from b)" in notes["fiber_end_far"].message
    assert len(set(routes.components(made).tolist())) == 2


def test_missing_nodes_are_made_and_named():
    made, notes = network(
        links(("x", road((-97, 31), (-97, 32)), ("a", "ghost")),
              ("y", road((-97, 32), (-96, 32)), ("ghost", "a"))),
        nodes(a=(-97, 31)),
    )  # fmt: skip
    assert made.n_node == 2
    assert set(made.node_id) == {"a", "ghost"}
    assert notes["fiber_missing_node"].count == 1
    assert "'ghost' (of x, y)" in notes["fiber_missing_node"].message


def test_rings_and_doubled_nodes_are_said():
    made, notes = network(
        links(("ring", [(-97, 31), (-97, 31.2), (-96.8, 31.1), (-97, 31)]),
              ("x", road((-97, 31), (-97, 32)), ("a", "c"))),
        nodes(a=(-97, 31), a2=(-97, 31.0004), c=(-97, 32)),
    )  # fmt: skip
    assert made.edge_id.tolist() == ["x"]
    assert "ring" in notes["fiber_ring"].message
    assert "a+a2" in notes["fiber_nodes_joined"].message


def test_nodes_that_a_file_tells_apart_stay_apart():
    # two points of presence of one city and one network, joined by a detour only
    made, notes = network(
        links(("x", road((-97, 31), (-97, 32)), ("a", "c")),
              ("y", road((-97, 32), (-97, 31.0004)), ("c", "b"))),
        nodes(a=(-97, 31), b=(-97, 31.0004), c=(-97, 32)),
    )  # fmt: skip
    assert made.n_node == 3
    assert len(routes.bridges(made)) == 2
    assert "fiber_nodes_joined" not in notes
    # an end that names none goes to the nearer of the two
    made, _ = network(
        links(("x", road((-97, 31), (-97, 32)), ("a", "c")),
              ("y", road((-97, 32), (-97, 31.0004)), ("c", "b")),
              ("z", road((-97.0001, 31.0005), (-98, 31)))),
        nodes(a=(-97, 31), b=(-97, 31.0004), c=(-97, 32)),
    )  # fmt: skip
    assert made.n_node == 4
    z = made.edge_of["z"]
    assert "b" in {made.node_id[made.from_node[z]], made.node_id[made.to_node[z]]}


def test_a_ring_that_others_end_on_is_used():
    made, notes = network(links(
        ("ring", [(-97, 31), (-97, 31.2), (-96.8, 31.1), (-97, 31)]),
        ("spur", road((-96.8, 31.1), (-96, 31.1))),
    ))  # fmt: skip
    assert sorted(made.edge_id) == ["ring/1", "ring/2", "spur"]
    assert "fiber_ring" not in notes
    assert routes.bridges(made).tolist() == [made.edge_of["spur"]]


def test_parts_of_one_feature_are_links_of_their_own():
    frame = links(("m", [(0, 0), (1, 1)]))
    frame["geometry"] = [shapely.MultiLineString([road((-97, 31), (-97, 32)),
                                                  road((-96, 31), (-96, 32))])]  # fmt: skip
    made, notes = network(frame)
    assert sorted(made.edge_id) == ["m.1", "m.2"]
    assert notes["fiber_in_parts"].count == 1
    touching = links(("m", [(0, 0), (1, 1)]))
    touching["geometry"] = [shapely.MultiLineString([road((-97, 31), (-97, 32)),
                                                     road((-97, 32), (-96, 32))])]  # fmt: skip
    assert network(touching)[0].edge_id.tolist() == ["m"]


def test_straight_links_are_taken_as_longer_unless_they_state_their_km():
    ends = [(-97, 31), (-97, 32)]
    km = float(straight_km(-97, 31, -97, 32))
    frame = links(("s", ends), ("t", ends, (None, None), {"km": 150.0}),
                  ("u", ends, (None, None), {"km": 40.0}))  # fmt: skip
    made, notes = network(frame, straight_factor=1.5)
    assert made.km.tolist() == pytest.approx([1.5 * km, 150, km])
    assert notes["fiber_straight"].count == 1
    assert "u (40.0 of 110.9 km)" in notes["fiber_km_odd"].message


def test_attributes_travel_and_what_is_unknown_is_said():
    frame = links(
        ("s", road((-97, 31), (-97, 32)), (None, None), {"owner": "Acme", "pairs": 12.0}),
        ("t", road((-97, 32), (-97, 33)), (None, None), {"owner": None, "pairs": np.nan}),
    )
    made, notes = network(frame)
    assert made.owner.tolist() == ["Acme", None]
    assert made.filled("pairs", 4)[0].tolist() == [12, 4]
    assert "owner of 1" in notes["fiber_unstated"].message
    assert "capacity of 2" in notes["fiber_unstated"].message


def test_pieces_of_a_line_by_hand():
    line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    along = km_along(line)
    pieces = cut(line, along, [along[-1] / 4, along[1], 0.75 * along[-1]])
    assert [p[:, 0].tolist() for p in pieces] == [[0, 0.5], [0.5, 1], [1, 1.5], [1.5, 2]]
    assert [p.tolist() for p in cut(line, along, [])] == [line.tolist()]
    both = cut(line, along, [0.1 * along[1], 0.2 * along[1]])
    assert [len(p) for p in both] == [2, 2, 3]
    np.testing.assert_allclose(both[2][:, 0], [0.2, 1, 2])


@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_line_is_as_near_as_the_ellipsoid_says(seed):
    rng = np.random.default_rng(seed)
    middles = rng.uniform((-104, 28), (-94, 36), (12, 2))
    shapes = [m + rng.normal(0, 2, (3, 2)) for m in middles]
    lon, lat = rng.uniform(-106, -92, 60), rng.uniform(26, 38, 60)
    feet = Lines(shapes).nearest(lon, lat)
    assert feet.point.tolist() == list(range(60))
    want = nearest_km(lon, lat, Features(as_geoms([shapely.LineString(s) for s in shapes])))
    np.testing.assert_allclose(feet.km, want, atol=5e-3)
    apart = straight_km(lon, lat, feet.lon, feet.lat)
    np.testing.assert_allclose(apart, feet.km)


def place(made, lon, lat, diverse=False, **fiber):
    scenario = make.scenario(**NO_POWER, fiber=fiber)
    at = np.array([lon], dtype=float), np.array([lat], dtype=float)
    return attached(scenario, made, *at, np.array([diverse]))


def test_a_lateral_enters_the_link_and_runs_to_its_nearest_entry():
    made, _ = network(links(("a", road((-97, 31), (-97, 32)))))
    km = float(made.km[0])
    found, at = place(made, -96.9, 31.48, entry_km=30, route_factor=1.3)
    # four steps of a quarter; the foot is 0.48 of the way, so the second is nearest
    assert found.n_edge == 2
    assert found.edge_id.tolist() == ["a/1", "a/2"]
    assert found.node_id[at.node[0]] == f"a@{km / 2:.0f}"
    assert at.lateral_km[0] == pytest.approx(1.3 * straight_km(-96.9, 31.48, -97, 31.48), rel=1e-4)
    assert at.along_km[0] == pytest.approx(0.02 * km, abs=0.05)
    assert found.km.tolist() == pytest.approx([km / 2, km / 2])
    # close to the end of the link it is the node, and nothing is cut
    found, at = place(made, -96.9, 31.05, entry_km=30)
    assert found.n_edge == 1
    assert at.along_km[0] == pytest.approx(0.05 * km, abs=0.05)


def test_a_lateral_to_nodes_only():
    made, _ = network(links(("a", road((-97, 31), (-97, 32)))))
    found, at = place(made, -96.9, 31.4, enter_at="nodes", route_factor=1)
    assert found.n_edge == 1
    assert at.lateral_km[0] == pytest.approx(float(straight_km(-96.9, 31.4, -97, 31)))
    assert at.along_km[0] == 0


def test_a_place_nowhere_enters_nowhere():
    made, _ = network(links(("a", road((-97, 31), (-97, 32)))))
    for rule in ("links", "nodes"):
        _, at = place(made, np.nan, np.nan, enter_at=rule)
        assert at.node.tolist() == [-1]
        assert np.isnan(at.lateral_km[0])
        assert not at.known[0]


def two_loops():
    """A core ring a-b-c, and a spur over bridge c-d to a ring d-e-f."""
    return network(links(
        ("ab", road((-98, 31), (-97, 31))), ("bc", road((-97, 31), (-97, 32))),
        ("ca", road((-97, 32), (-98, 31))), ("xa", road((-98, 31), (-98, 30))),
        ("xb", road((-98, 30), (-97, 31))),
        ("cd", road((-97, 32), (-97, 33))),
        ("de", road((-97, 33), (-96, 33))), ("ef", road((-96, 33), (-96.5, 34))),
        ("fd", road((-96.5, 34), (-97, 33))),
    ))[0]  # fmt: skip


def reaches_apart(made, a, b, goal):
    """Whether two ways without a common edge lead from a point tied to a and b to ``goal``."""
    import networkx as nx

    graph = nx.Graph()
    for e, (u, v) in enumerate(zip(made.from_node, made.to_node, strict=True)):
        graph.add_edge(int(u), ("edge", e))
        graph.add_edge(("edge", e), int(v))
    graph.add_edge("site", int(a))
    graph.add_edge("site", int(b))
    return nx.edge_connectivity(graph, "site", int(goal)) >= 2


@pytest.mark.parametrize("entry_km", [20, 60, 1000])
def test_a_second_lateral_shares_no_cut_with_the_first(entry_km):
    made = two_loops()
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-98.5, -95.5, 40), rng.uniform(29.8, 34.2, 40)
    scenario = make.scenario(**NO_POWER, fiber={"entry_km": entry_km, "route_factor": 1})
    whole, at = attached(scenario, made, lon, lat, np.ones(40, dtype=bool))
    core = whole.node_of[made.node_id[made.from_node[made.edge_of["ab"]]]]
    assert (at.second_node >= 0).all()
    for k in range(40):
        if at.node[k] != core and at.second_node[k] != core:
            assert reaches_apart(whole, at.node[k], at.second_node[k], core)
    assert (at.second_km >= at.lateral_km - 1e-9).all()
    assert (at.node != at.second_node).all()
    # behind the bridge the second way has to go round it
    beyond = lat > 33.05
    assert beyond.any()
    second = at.second_node[beyond]
    assert (whole.lat[second] <= 32.0 + 1e-6).all()


def test_candidates_know_their_network():
    places = make.parcels(
        {"parcel_id": "P", "at": (-96.9, 31.5), "usable_ha": 50.0},
        {"parcel_id": "Q", "at": (-96.9, 31.6), "usable_ha": 50.0, "decision": "forbid"},
    )
    layers = Layers(
        parcels=places,
        fiber_links=links(("a", road((-97, 31), (-97, 32))), ("z", road((-90, 31), (-90, 32)))),
        fiber_nodes=nodes(lonely=(-80, 31)),
        demand=make.demand({"place_id": "NEAR", "at": (-97, 32.1)},
                           {"place_id": "FAR", "at": (-97, 34)}),
    )  # fmt: skip
    scenario = make.scenario(**NO_POWER, demand={"it_mw": 10, "spread": "by_weight"},
                             fiber={"diverse": True, "enter_at": "nodes"})  # fmt: skip
    found = propose(scenario, layers)
    assert found.fiber is not None
    assert found.fiber.sites.known.tolist() == [True, False]
    assert found.fiber.places.known.tolist() == [False, True]  # FAR, NEAR
    codes = {n.code: n.message for n in found.notes}
    assert "FAR" in codes["fiber_place_far"]
    assert "in 2 parts" in codes["fiber_apart"]
    assert "Lonely" in codes["fiber_node_alone"]
    # a chain of one link has no core but one of its ends, and from the other no second way
    assert "fiber_not_diverse" not in codes
    without = Layers(parcels=places, demand=layers.demand)
    assert propose(scenario, without).fiber is None


def test_candidates_off_the_network_are_noted_where_there_is_traffic():
    places = make.parcels({"parcel_id": "P", "at": (-96.9, 31.5), "usable_ha": 50.0})
    layers = Layers(parcels=places, fiber_links=links(("a", road((-97, 31), (-97, 32)))))
    service = {"name": "v", "workload": "it", "to_nodes": ["x"], "gbps_per_ref_mw": 1}
    scenario = make.scenario(**NO_POWER, fiber={"services": [service]})
    sites = propose(scenario, layers).sites
    nowhere = sites.assign(lon=np.nan)
    no_places = make.demand({"place_id": "X", "at": (-97, 31)}).assign(lon=-97.0, lat=31.0).iloc[:0]
    _, notes = access(scenario, layers, nowhere, no_places)
    (note,) = [n for n in notes if n.code == "fiber_off_network"]
    assert "P" in note.message
    _, notes = access(scenario, layers, sites, no_places)
    assert "fiber_off_network" not in {n.code for n in notes}
