"""`actions.csv`: the list of actions as a sheet."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sitepick.actions import KINDS, Action
from sitepick.errors import ScenarioError
from sitepick.exports.sheet import Field, Row, Sheet, plain, point
from sitepick.exports.text import as_written

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

NAME = "actions"
CSV = "actions.csv"


def action_fields(price_year: int) -> tuple[Field, ...]:
    """Return the columns of the sheet ``actions``."""
    return (
        Field("do_by", "date", "date", "last day to do it: needed less lead_months"),
        Field("action", "", "text", "; ".join(f"{name}: {kind.meaning}" for name, kind in
                                              KINDS.items())),
        Field("site_id", "", "text", "site it is done for, several joined by +; empty: of none"),
        Field("poi_id", "", "text", "POI it is done for, several joined by +; empty: of none"),
        Field("mw", "MW, see mw_kind", "number", "size of what is done; empty: none"),
        Field("musd", f"MUSD (real, {price_year})", "number",
              "overnight cost that it commits, not discounted; empty: it pays nothing itself"),
        Field("lead_months", "months", "integer", "lead time, rounded up to whole months"),
        Field("why", "", "text", "what it is for"),
        Field("late_by_days", "days", "integer", "days by which do_by lies before as_of; 0: none"),
        Field("mw_kind", "", "text",
              "what mw is: IT MW, grid MW, on-site MW, battery MW or line MW (a rating)"),
        Field("item", "", "text",
              "hall class, hardware, on-site option, letter, equipment, supply, branch or region"),
        Field("needed", "date", "date", "day by which it must be done and delivered"),
        Field("lead_from", "", "text",
              "where the lead time comes from: key of the scenario, or row of a catalog"),
        Field("soft", "", "boolean",
              "true: the lead time is a general figure of the catalog, not the scenario's"),
    )  # fmt: skip


def action_row(action: Action) -> Row:
    """Return an action as a row of plain values."""
    return {
        "do_by": action.do_by.isoformat(),
        "action": action.action,
        "site_id": plain(action.site_id) or None,
        "poi_id": plain(action.poi_id) or None,
        "mw": None if action.mw is None else plain(float(action.mw)),
        "musd": None if action.musd is None else plain(float(action.musd)),
        "lead_months": action.lead_months,
        "why": plain(action.why),
        "late_by_days": action.late_by_days,
        "mw_kind": action.mw_kind or None,
        "item": plain(action.item) or None,
        "needed": action.needed.isoformat(),
        "lead_from": plain(action.lead_from),
        "soft": action.soft,
    }


def read_actions(folder: Path) -> list[dict[str, str]] | None:
    """Return the rows of `actions.csv` of a run folder as cells of text; None without the file.

    Raises ScenarioError if it is no such table.
    """
    path = folder / CSV
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise ScenarioError(f"{path}: cannot be read as a table: {error}") from error
    # a cell that a spreadsheet would run was written with an apostrophe in front
    return [
        {name: as_written(cell) for name, cell in row.items() if name and isinstance(cell, str)}
        for row in found
    ]


def actions_sheet(
    scenario: Scenario,
    actions: Sequence[Action],
    sites: Mapping[str, Row],
    pois: Mapping[str, Row],
) -> Sheet:
    """Return the sheet ``actions``; a row is drawn where its site stands, else its POI."""
    return Sheet(
        NAME, "what must be done by when, for this plan",
        action_fields(scenario.money.price_year), [action_row(a) for a in actions],
        [_place(a, sites, pois) for a in actions], "Point",
    )  # fmt: skip


def _place(action: Action, sites: Mapping[str, Row], pois: Mapping[str, Row]) -> Row | None:
    found = sites.get(action.site_id) or pois.get(action.poi_id)
    return None if found is None else point(found)
