"""Rights of way: joined where they cross, tied to fiber nodes, pruned and merged to new edges."""

from __future__ import annotations

import make_layers as make
import numpy as np
import pytest
from test_fiber_network import links, network, nodes, road

from sitepick.candidates.fiber_access import attached
from sitepick.candidates.fiber_rows import with_rights_of_way
from sitepick.candidates.geo import straight_km
from sitepick.layers.types import Layers
from sitepick.network import fiber_routes as routes


def ways(*lines):
    rows = [{"row_id": f"w{k}", "kind": "rail", "at": None} for k in range(len(lines))]
    import shapely

    for row, line in zip(rows, lines, strict=True):
        del row["at"]
        row["geometry"] = shapely.LineString(line)
    return make._geo(rows, {"row_id": None, "kind": None})


def built(made, rows, **fiber):
    scenario = make.scenario(power={"model": "none"}, fiber=fiber)
    whole, notes = with_rights_of_way(scenario, Layers(rights_of_way=rows), made)
    return whole, {n.code for n in notes}


@pytest.fixture
def triangle():
    """Fiber a-b-c; no fiber between a and c."""
    return network(
        links(("ab", road((-97, 31), (-97, 32)), ("a", "b")),
              ("bc", road((-97, 32), (-96, 32)), ("b", "c"))),
        nodes(a=(-97, 31), b=(-97, 32), c=(-96, 32)),
    )[0]  # fmt: skip


def test_a_railway_joins_two_nodes_by_one_new_edge(triangle):
    # from 0.01 degrees (0.95 km) east of a to 0.02 (2.2 km) south of c, in two touching pieces
    first = [(-96.99, 30.9), (-96.99, 31.0), (-96.5, 31.5)]
    second = [(-96.5, 31.5), (-96.0, 31.98), (-95.5, 31.98)]
    whole, codes = built(triangle, ways(first, second), route_factor=1.5)
    assert codes == set()
    assert whole.new.tolist() == [False, False, True]
    new = 2
    assert {whole.node_id[whole.from_node[new]], whole.node_id[whole.to_node[new]]} == {"a", "c"}
    rail = straight_km(-96.99, 31, -96.5, 31.5) + straight_km(-96.5, 31.5, -96, 31.98)
    ties = 1.5 * (straight_km(-97, 31, -96.99, 31) + straight_km(-96, 32, -96, 31.98))
    assert whole.km[new] == pytest.approx(rail + ties, rel=2e-3)
    line = whole.line[new]
    assert {tuple(line[0]), tuple(line[-1])} == {(-97, 31), (-96, 32)}
    # it is not there yet, and what may be built makes a ring of the chain
    assert whole.there().tolist() == [True, True, False]
    assert len(routes.bridges(whole, whole.there())) == 2
    assert len(routes.bridges(whole)) == 0
    assert np.isnan(whole.pairs[new])
    assert whole.owner[new] is None


def test_ways_that_cross_are_a_junction(triangle):
    cross = [(-97.0, 31.02), (-96.0, 31.02)], [(-96.5, 30.5), (-96.5, 31.98), (-96.0, 31.98)]
    whole, codes = built(triangle, ways(*cross))
    assert codes == set()
    # a to the crossing and on to c; the far end of each leads nowhere and is left out
    assert whole.new.sum() == 1
    more = [*cross, [(-96.5, 31.5), (-97, 32.02)]]
    whole, _ = built(triangle, ways(*more))
    assert whole.new.sum() == 3  # three arms meet where the third begins


def test_nothing_to_join_is_said(triangle):
    whole, codes = built(triangle, ways([(-90, 31), (-91, 32)]))
    assert codes == {"fiber_row_unused"}
    assert whole is triangle
    whole, codes = built(triangle, ways([(-97.0, 31.02), (-90, 31)]))
    assert codes == {"fiber_row_unused"}


def test_sites_do_not_enter_what_is_not_there(triangle):
    whole, _ = built(triangle, ways([(-97.0, 31.02), (-96.5, 31.5), (-96.0, 31.98)]))
    scenario = make.scenario(power={"model": "none"})
    at = np.array([-96.5]), np.array([31.5])
    found, meets = attached(scenario, whole, *at, np.array([False]))
    assert meets.lateral_km[0] > 30
    edges = (found.from_node == meets.node[0]) | (found.to_node == meets.node[0])
    assert not found.new[edges].all()


def test_the_order_of_rows_changes_nothing(triangle):
    lines = [[(-97.0, 31.02), (-96.0, 31.02)], [(-96.5, 30.5), (-96.5, 31.98), (-96.0, 31.98)],
             [(-96.5, 31.5), (-97, 32.02)]]  # fmt: skip
    one, _ = built(triangle, ways(*lines))
    two, _ = built(triangle, ways(*lines[::-1]))
    assert one.edge_id.tolist() == two.edge_id.tolist()
    np.testing.assert_allclose(one.km, two.km)
