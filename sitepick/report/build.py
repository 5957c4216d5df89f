"""A run to its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.exports.manifest import all_seconds
from sitepick.exports.rows import SiteRows
from sitepick.report.actions import actions_table
from sitepick.report.changes import changes_table
from sitepick.report.diagnosis import remedy_table
from sitepick.report.fiber import fiber_tables
from sitepick.report.flexible import flexible_table
from sitepick.report.grid import grid_tables
from sitepick.report.leases import lease_tables
from sitepick.report.limits import binding_table, greedy_table, sharing_table, waterfall_table
from sitepick.report.plan import capital_table, demand_table, headline, sites_table
from sitepick.report.tables import Report
from sitepick.report.turned_away import turned_away_table

if TYPE_CHECKING:
    from sitepick.run import Run


def report_of(run: Run, made: SiteRows | None = None) -> Report:
    """Return the report of a run: all tables that have rows, without a plan the diagnosis.

    ``made``: its `SiteRows`, where they are known already.
    """
    seconds = all_seconds(run)
    if run.solution is None:
        found = () if run.diagnosis is None else (remedy_table(run.diagnosis),)
        return Report(headline(run), tuple(t for t in found if t.rows), seconds)
    if made is None:
        made = SiteRows(run.prepared.scenario, run.prepared.candidates, run.solution)
    tables = (
        demand_table(run, made),
        turned_away_table(run),
        sites_table(run, made),
        changes_table(run),
        *fiber_tables(run, made),
        *grid_tables(run, made),
        flexible_table(run, made),
        *lease_tables(run, made),
        capital_table(run),
        actions_table(run, made),
        waterfall_table(run, made),
        binding_table(run),
        sharing_table(run, made),
        greedy_table(run, made),
    )
    return Report(headline(run), tuple(t for t in tables if t.rows), seconds)
