"""Second laterals of members: told by member, and of use whatever single edge is cut."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from helpers import campus_files
from helpers.campuses import SYNC, world

from sitepick import pipeline
from sitepick.exports.fiber import members_sheet
from sitepick.exports.rows import SiteRows
from sitepick.finding import Finding
from sitepick.planner import Planner
from sitepick.report.fiber import fiber_tables
from sitepick.run import Prepared, Run
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits

TRIANGLE = [("ab", "a", "b", 100.0), ("bc", "b", "c", 100.0), ("ac", "a", "c", 100.0),
            ("cs", "c", "s", 50.0), ("st", "s", "t", 50.0)]  # fmt: skip
WORK = {"big": {"uses": "it", "ref_mw": 100, "must_serve": True}}
GROUP = {"name": "g", "workload": "big", "sites_max": 2, "min_site_it_mw": 30,
         "route_km_max": 900, "shape": "hub", "sync": SYNC}  # fmt: skip


def made(folder: Path, second: dict[str, tuple[str, float]], diverse: bool = True) -> Prepared:
    """Return A at the triangle and S on a spur; ``second``: node and km of their other laterals."""
    sites = [("A", 60.0, 1.0), ("S", 60.0, 1.0)]
    prepared = world(
        folder, sites, [GROUP], WORK, TRIANGLE, [("a", 3.0), ("s", 4.0)],
        fiber={"diverse": diverse},
    )  # fmt: skip
    access = prepared.candidates.fiber
    assert access is not None
    ids = [str(s) for s in prepared.candidates.sites["site_id"]]
    found = [second.get(s) for s in ids]
    at = dataclasses.replace(
        access.sites,
        second_node=np.array([-1 if f is None else access.network.node_of[f[0]] for f in found]),
        second_km=np.array([np.nan if f is None else f[1] for f in found]),
    )
    access = dataclasses.replace(access, sites=at)
    candidates = dataclasses.replace(prepared.candidates, fiber=access)
    return dataclasses.replace(prepared, candidates=candidates)


def solved(prepared: Prepared) -> tuple[Solution, list[Finding]]:
    _, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert plan is not None
    return plan, list(pipeline.check(prepared, plan))


def test_two_laterals_that_no_cut_parts(tmp_path):
    prepared = made(tmp_path, {"A": ("b", 7.0), "S": ("a", 90.0)})
    plan, wrong = solved(prepared)
    assert wrong == []
    assert {(m.site_id, m.second_node, m.second_km) for m in plan.members} == {
        ("A", "b", 7.0), ("S", "a", 90.0),
    }  # fmt: skip

    def told(**change):
        rows = tuple(dataclasses.replace(m, **change) if m.site_id == "S" else m
                     for m in plan.members)  # fmt: skip
        found = pipeline.check(prepared, dataclasses.replace(plan, members=rows))
        return {(f.check, round(f.amount, 6), f.unit) for f in found}

    # t lies behind the bridge c-s like s does: a cut of it parts S from A
    assert told(second_node="t") == {("groups.second", 1, "nodes"), ("groups.second", 1, "edges")}
    assert told(second_km=88.5) == {("groups.second", 1.5, "km")}
    assert told(second_node=None, second_km=None) == {("groups.second", 1, "nodes")}


def test_laterals_behind_one_bridge_are_found(tmp_path):
    """Even if the candidates say that the two are diverse."""
    _, wrong = solved(made(tmp_path, {"A": ("b", 7.0), "S": ("t", 9.0)}))
    (found,) = wrong
    assert (found.check, found.where) == ("groups.second", "group g, sites A and S")
    assert "a cut of fiber edge cs parts them" in found.message


def test_one_lateral_unless_asked(tmp_path):
    plan, wrong = solved(made(tmp_path, {"A": ("b", 7.0), "S": ("a", 9.0)}, diverse=False))
    assert wrong == []
    assert {m.second_node for m in plan.members} == {None}


@pytest.mark.parametrize("diverse", [False, True])
def test_reports_name_members_with_one_lateral(tmp_path, diverse):
    path = campus_files.write(tmp_path) / "sitepick.yaml"
    overrides = ["demand.splits=[]", "fiber.services=[]", f"fiber.diverse={str(diverse).lower()}"]
    run = pipeline.solve(pipeline.prepare(pipeline.load(path, overrides)))
    assert run.findings == ()
    codes = {n.code for n in run.prepared.candidates.notes}
    assert ("group_one_lateral" in codes) is not diverse
    laterals = {r["laterals"] for r in members_sheet(_rows(run)).rows}
    assert laterals == {2 if diverse else 1}
    table = fiber_tables(run, _rows(run))[0]
    named = [row[0] for row in table.rows if str(row[0]).endswith("(one lateral)")]
    assert len(named) == (0 if diverse else 2)  # members of the one that survives cuts
    assert ("One lateral: a cut of it" in table.note) is not diverse


def _rows(run: Run) -> SiteRows:
    assert run.solution is not None
    return SiteRows(run.prepared.scenario, run.prepared.candidates, run.solution)
