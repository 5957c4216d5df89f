"""Rows on fiber in `solution.json`."""

from __future__ import annotations

from sitepick.solution import Solution
from sitepick.solution_fiber import EdgeRow, GroupRow, LinkRow, MemberRow


def test_rows_on_fiber_survive_json():
    plan = Solution(
        scenario="x",
        periods=("2028-01-01",),
        status="optimal",
        objective_name="min_cost",
        objective=1.0,
        bound=1.0,
        gap=0.0,
        gap_without_penalty=0.0,
        bound_certified=True,
        groups=(GroupRow("g", "2028-01-01", 3, 2, 0.98, 310.0, 306.0, 299.88, 0.12, 300.0),),
        members=(MemberRow("g", "2028-01-01", "A", "n1", 4.5, 110.0, 102.0),),
        links=(LinkRow("g", "n1", "n2", 1, "2028-01-01", ("e1", "e2"), 410.0, 4.6, 0.53),),
        edges=(EdgeRow("e1", "2028-01-01", 1, 0, 2, 61.6, 0.53, 0.6, 0.4),),
    )
    assert Solution.from_json(plan.to_json()) == plan
