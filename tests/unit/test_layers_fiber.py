"""Fiber files as published: OFDS, topohub, the Topology Zoo; and what is broken in them."""

from __future__ import annotations

import json
import math
import os
import random
from contextlib import suppress
from datetime import date
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepick.candidates.fiber_noding import network_of
from sitepick.errors import SitepickError
from sitepick.layers.graphs import graph_table
from sitepick.layers.inspect import inspect
from sitepick.layers.load import load
from sitepick.layers.sniff import sniff
from sitepick.layers.table import Refused
from sitepick.network import fiber_routes as routes
from sitepick.scenario.schema import Scenario

HERE = Path(__file__).parents[1] / "data" / "layers" / "fiber"


def scenario(**layers):
    return Scenario.model_validate({
        "version": 1, "as_of": "2026-11-01", "periods": {"from": "2027", "to": "2028"},
        "demand": {"it_mw": 1}, "layers": layers,
    })  # fmt: skip


def read(**layers):
    asked = scenario(**{role: {"file": file} for role, file in layers.items()})
    found = load(asked, HERE)
    return asked, found, {n.code: n for n in found.notes}


def test_ofds_package():
    asked, found, notes = read(fiber_nodes="ofds.json", fiber_links="ofds.json")
    nodes, links = found.fiber_nodes, found.fiber_links
    # two networks: an id is preceded by that of its network
    assert nodes["node_id"].tolist() == [
        "11111111-1", "11111111-2", "11111111-3", "22222222-1", "22222222-2"
    ]  # fmt: skip
    links = links.set_index("link_id")
    assert links.index.tolist() == ["11111111-1", "11111111-4", "22222222-1"]
    first = links.loc["11111111-1"]
    assert (first["from_node"], first["to_node"]) == ("11111111-1", "11111111-2")
    assert (first["owner"], first["pairs"], first["lit"]) == ("FibreCo", 12, False)
    assert (first["lit_tbps"], first["km"]) == (0.4, 165)
    assert first["in_service"] == date(2018, 1, 1)
    assert links.loc["11111111-4", "in_service"] == date(2029, 6, 1)
    assert links.loc["11111111-4", "owner"] == "FastWeb"
    assert links.loc["11111111-4", "lit"] is True
    assert math.isnan(links.loc["22222222-1", "pairs"])
    assert notes["ofds_status"].count == 2
    assert "11111111-2 (planned)" in notes["ofds_status"].message
    assert notes["straight_links"].count == 2
    made, more = network_of(asked, found)
    assert made.n_edge == 3
    # Waco of both networks is one place
    assert "fiber_nodes_joined" in {n.code for n in more}
    assert made.km[made.edge_of["11111111-1"]] == pytest.approx(165)
    assert made.there(date(2027, 1, 1))[made.edge_of["11111111-4"]] == np.False_


def test_ofds_geojson():
    asked, found, _ = read(fiber_nodes="ofds_nodes.geojson", fiber_links="ofds_spans.geojson")
    assert found.fiber_nodes["node_id"].tolist() == ["1", "2"]
    link = found.fiber_links.iloc[0]
    assert (link["link_id"], link["from_node"], link["to_node"]) == ("s1", "1", "2")
    assert (link["owner"], link["pairs"], link["lit"]) == ("FibreCo", 12, False)
    made, _ = network_of(asked, found)
    assert routes.shortest(made, 0, 1).km == pytest.approx(154, abs=2)


@pytest.mark.parametrize("file", ["zoo.graphml", "zoo.gml"])
def test_the_topology_zoo(file):
    asked, found, notes = read(fiber_nodes=file, fiber_links=file)
    assert found.fiber_nodes["name"].tolist() == ["Dallas", "Houston"]
    link = found.fiber_links.iloc[0]
    assert (link["from_node"], link["to_node"]) == ("0", "1")
    assert link["lit_tbps"] == pytest.approx(0.01)
    if file == "zoo.graphml":
        assert notes["fiber_repeat"].count == 1
        assert "(1)" in notes["fiber_repeat"].message
        assert "(2)" in notes["fiber_no_place"].message
        assert "1 - 9" in notes["fiber_missing_end"].message
    made, _ = network_of(asked, found)
    # Dallas to Houston is 362 km; the link is straight, so 1.3 times as long
    assert made.km[0] == pytest.approx(1.3 * 362, rel=1e-3)


def test_repeated_ids_and_attributes():
    _, found, notes = read(fiber_links="doubled.geojson")
    links = found.fiber_links
    assert links["link_id"].tolist() == ["a", "a~2"]
    assert links["pairs"].tolist()[0] == 4
    assert links["lit"].tolist() == [True, None]
    assert "1 id given more than once (a)" in notes["fiber_repeat"].message
    assert notes["zero_length"].count == 1


@pytest.mark.parametrize(
    ("file", "role", "links"),
    [("ofds.json", "fiber_nodes", True), ("ofds_spans.geojson", "fiber_links", False),
     ("ofds_nodes.geojson", "fiber_nodes", True), ("zoo.graphml", "fiber_nodes", True),
     ("zoo.gml", "fiber_nodes", True)],
)  # fmt: skip
def test_looking_into_a_file_tells_its_role(file, role, links):
    found = inspect(HERE / file)
    said = "\n".join(found.lines())
    assert f"{role}:" in said
    assert ("holds links as well" in said) == links


@pytest.mark.parametrize("seed", range(80))
def test_damaged_networks_make_no_traceback(seed, tmp_path):
    dice = random.Random(seed)
    whole = json.loads((HERE / dice.choice(["ofds.json", "ofds_spans.geojson"])).read_text())
    if seed % 3 == 0:
        whole = json.loads((HERE.parent / "graph.json").read_text())
    for _ in range(dice.randint(1, 3)):
        whole = damaged(whole, dice)
    (tmp_path / "f.json").write_text(json.dumps(whole))
    for role in ("fiber_nodes", "fiber_links"):
        with suppress(SitepickError):  # anything else is a fault of ours
            load(scenario(**{role: {"file": "f.json"}}), tmp_path)


JUNK = [None, 1, "x", [], {}, True, -5.5, [None], {"id": 3}, "", [[1, 2]], {"type": "Point"},
        {"type": "LineString", "coordinates": [[1, 2]]}]  # fmt: skip


def damaged(value, dice):
    """Return JSON in which something is another thing, or gone."""
    if isinstance(value, dict) and value:
        key, value = dice.choice(list(value)), dict(value)
        if dice.random() < 0.3:
            value[key] = dice.choice(JUNK)
        elif dice.random() < 0.1:
            del value[key]
        else:
            value[key] = damaged(value[key], dice)
        return value
    if isinstance(value, list) and value:
        value, k = list(value), dice.randrange(len(value))
        value[k] = damaged(value[k], dice) if dice.random() < 0.8 else dice.choice(JUNK)
        return value
    return dice.choice(JUNK)


def test_kinds_are_told_by_content(tmp_path):
    for name in ("zoo.gml", "zoo.graphml"):
        other = tmp_path / "file.txt"
        other.write_bytes((HERE / name).read_bytes())
        assert sniff(other) == name.rpartition(".")[2]
    table = tmp_path / "graph.csv"
    table.write_text("graph,kind\n1,2\n")
    assert sniff(table) == "csv"


@given(st.text(alphabet='graph node[]"id0 \n#-1.5', max_size=60))
def test_no_gml_makes_a_traceback(text):
    try:
        graph_table(("graph [" + text).encode(), "gml", Path("x.gml"), "fiber_links")
    except (Refused, SitepickError):
        return


REAL = Path(os.environ.get("SITEPICK_REALDATA", "/nonexistent"))


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="SITEPICK_REALDATA names no folder of real layers")
def test_real_networks_are_made():
    for path in sorted((REAL / "fiber/topohub").glob("*.json")):
        asked = scenario(fiber_nodes={"file": str(path)}, fiber_links={"file": str(path)})
        found = load(asked, HERE)
        made, notes = network_of(asked, found)
        assert made.n_edge == len(found.fiber_links)
        assert (made.km > 0).all()
        graph = nx.MultiGraph()
        for ident, a, b in found.fiber_links[["link_id", "from_node", "to_node"]].to_numpy():
            graph.add_edge(a, b, key=ident)
        apart = nx.number_connected_components(graph)
        told = {n.code: n for n in notes}
        mine = set(made.edge_id[routes.bridges(made)])
        theirs = {k for a, b in nx.bridges(graph) for k in graph[a][b]}
        # nodes of separate parts at one place are one, which may close a ring
        assert mine <= theirs
        assert mine == theirs or (apart > 1 and "fiber_nodes_joined" in told)
    union = REAL / "fiber/derived"
    asked = scenario(
        fiber_nodes={"file": str(union / "us_backbone_union_nodes.geojson")},
        fiber_links={"file": str(union / "us_backbone_union_links.geojson")},
    )
    made, _ = network_of(asked, load(asked, HERE))
    assert (made.n_node, made.n_edge) == (213, 469)
    assert len(routes.bridges(made)) == 26
    assert routes.components(made).max() == 0
