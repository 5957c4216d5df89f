"""`sitepick layers --fiber`: parts, bridges and single points of failure by name."""

from __future__ import annotations

import json

import pytest

SCENARIO = """
version: 1
as_of: 2026-11-01
periods: {from: 2027, to: 2028}
demand: {it_mw: 10}
layers:
  fiber_nodes: {file: net.json}
  fiber_links: {file: net.json}
  rights_of_way: {file: rail.geojson}
  parcels: {file: not-there.csv}
"""


@pytest.fixture
def town(tmp_path):
    """A ring a-b-c, a bridge c-d, a spur d-e, and two nodes of another part."""
    at = {"a": (-97, 31), "b": (-97, 32), "c": (-96, 31.5), "d": (-95, 31.5), "e": (-94.5, 32),
          "p": (-90, 31), "q": (-90, 32)}  # fmt: skip
    nodes = [{"id": k, "name": k.upper(), "pos": v} for k, v in at.items()]
    ends = ["ab", "bc", "ca", "cd", "de", "pq"]
    edges = [{"source": e[0], "target": e[1]} for e in ends]
    (tmp_path / "net.json").write_text(json.dumps({"nodes": nodes, "edges": edges}))
    rail = {"type": "LineString", "coordinates": [[-95, 31.51], [-92, 31.2], [-90, 31.01]]}
    features = [{"type": "Feature", "properties": {}, "geometry": rail}]
    whole = {"type": "FeatureCollection", "features": features}
    (tmp_path / "rail.geojson").write_text(json.dumps(whole))
    (tmp_path / "plan.yaml").write_text(SCENARIO)
    return tmp_path / "plan.yaml"


def test_the_network_is_told_by_name(cli, town):
    answer = cli("layers", "--fiber", town)
    assert answer.code == 0, answer.err
    assert "7 nodes, 6 links" in answer.out
    assert "1 stretch of" in answer.out
    assert "2 (5 nodes with A; 2 nodes with P)" in answer.out
    assert "comes apart: 3" in answer.out
    # a degree of longitude there is 95.0 km, and the link is straight: 1.3 times that
    assert "C - D, 124 km, 2 nodes behind" in answer.out
    assert "d  D, 2 parts left" in answer.out
    assert "owner of 6" in answer.out
    assert "note fiber_apart" in answer.out


def test_as_json(cli, town):
    record = cli("layers", "--fiber", town, "--json").record
    net = record["network"]
    assert [b["link_id"] for b in net["bridges"]] == ["3", "4", "5"]
    assert [p["node_id"] for p in net["points"]] == ["c", "d"]
    assert net["parts"] == [{"nodes": 5, "with": "A"}, {"nodes": 2, "with": "P"}]
    assert net["new"] == 1
    assert net["unknown"]["pairs"] == 6
    assert {n["code"] for n in record["notes"]} >= {"fiber_straight", "fiber_apart"}


def test_no_links_no_network(cli, town):
    bare = SCENARIO.replace("  fiber_links: {file: net.json}\n", "")
    town.write_text(bare)
    answer = cli("layers", "--fiber", town)
    assert answer.code == 2
    assert "no fiber links" in answer.err
