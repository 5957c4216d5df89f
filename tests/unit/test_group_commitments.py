"""Members of campus groups that are already decided: commitments with ``what: member``."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.campuses import SYNC, world

from sitepick import pipeline
from sitepick.candidates.types import FiberAccess
from sitepick.errors import LayerError, ScenarioError
from sitepick.layers.load import load_one
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.scenario.inputs import LayerFile
from sitepick.solve.outcome import Limits

EDGES = [("ab", "a", "b", 100.0), ("bc", "b", "c", 100.0), ("ac", "a", "c", 100.0)]
WORK = {"big": {"uses": "it", "ref_mw": {"2028": 60, "2029": 100}, "must_serve": True}}
GROUP = {"name": "g", "workload": "big", "sites_max": 2, "min_site_it_mw": 20,
         "route_km_max": 300, "sync": SYNC}  # fmt: skip


def made(folder: Path, *rows: str, **group: Any) -> Prepared:
    """Return three sites of 60 IT MW, C the dearest, and what is committed by ``rows``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "site_id,what,group,mw,date\n" + "".join(f"{row}\n" for row in rows)
    (folder / "commitments.csv").write_text(text, encoding="utf-8")
    prepared = world(
        folder, [("A", 60.0, 1.0), ("B", 60.0, 2.0), ("C", 60.0, 50.0)], [{**GROUP, **group}],
        WORK, EDGES, [("a", 5.0), ("b", 5.0), ("c", 5.0)],
    )  # fmt: skip
    if not rows:
        return prepared
    frame, problems, _ = load_one("commitments", LayerFile(file="commitments.csv"), folder)
    assert not problems
    candidates = dataclasses.replace(prepared.candidates, commitments=frame)
    return dataclasses.replace(prepared, candidates=candidates)


def members(prepared: Prepared) -> dict[str, set[str]]:
    _, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert plan is not None
    assert pipeline.check(prepared, plan) == []
    out: dict[str, set[str]] = {}
    for row in plan.members:
        out.setdefault(row.period[:4], set()).add(row.site_id)
    return out


def test_a_committed_member_is_one(tmp_path):
    assert members(made(tmp_path / "free")) == {"2028": {"A", "B"}, "2029": {"A", "B"}}
    held = made(tmp_path / "held", "C,member,g,,2029-01-01")
    # members are chosen once, so it is one from the beginning
    assert members(held) == {"2028": {"A", "C"}, "2029": {"A", "C"}}
    moving = made(tmp_path / "moving", "C,member,g,,2029-01-01", migrate=True)
    found = members(moving)
    assert found["2029"] == {"A", "C"}
    assert "C" not in found["2028"]


def test_a_plan_without_it_is_caught(tmp_path):
    free = made(tmp_path / "free")
    _, plan = Planner(free, Limits(gap=0)).solve(None)
    assert plan is not None
    held = made(tmp_path / "held", "C,member,g,,2029-01-01")
    (found,) = pipeline.check(held, plan)
    assert (found.check, found.where, found.amount) == (
        "commitments.member", "site C, 2029-01-01", 1,
    )  # fmt: skip


def test_faults_are_told(tmp_path):
    (tmp_path / "t.csv").write_text(
        "site_id,what,group,mw,date\nA,member,,,2029\nA,it_mw,,,2029\n", encoding="utf-8"
    )
    _, problems, _ = load_one("commitments", LayerFile(file="t.csv"), tmp_path)
    text = "\n".join(problems)
    assert "group" in text
    assert "mw" in text
    held = made(tmp_path / "held", "C,member,g,,2029-01-01")
    access = held.candidates.fiber
    assert isinstance(access, FiberAccess)
    node = access.sites.node.copy()
    node[[str(s) for s in held.candidates.sites["site_id"]].index("C")] = -1
    off = dataclasses.replace(access, sites=dataclasses.replace(access.sites, node=node))
    far = dataclasses.replace(held, candidates=dataclasses.replace(held.candidates, fiber=off))
    with pytest.raises(ScenarioError, match="C meets no fiber that group 'g' may use"):
        Planner(far, Limits(gap=0))


def test_an_unknown_group_is_told(tmp_path):
    (tmp_path / "commitments.csv").write_text(
        "site_id,what,group,mw,date\nC,member,gg,,2029-01-01\n", encoding="utf-8"
    )
    made(tmp_path / "world")
    path = tmp_path / "world" / "sitepick.yaml"
    override = 'layers.commitments={"file": "../commitments.csv"}'
    with pytest.raises((ScenarioError, LayerError), match="there is no campus group 'gg'"):
        pipeline.prepare(pipeline.load(path, [override]))


def test_the_table_keeps_groups_of_members_alone(tmp_path):
    held = made(tmp_path, "C,member,g,,2029-01-01", "A,site,g,,2028-01-01")
    table = held.candidates.commitments
    assert dict(zip(table["site_id"], table["group"], strict=True)) == {"C": "g", "A": None}
    assert [pd.Timestamp(d).date() for d in table["date"]] == [date(2029, 1, 1), date(2028, 1, 1)]
