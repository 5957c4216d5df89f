"""`explain.json`: what `sitepick explain` tells of a run, so that nothing is solved again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.errors import ScenarioError
from sitepick.exports.places import candidates_sheet, sites_sheet
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheet import Row, Sheet, plain
from sitepick.records import as_record
from sitepick.run import Charge, LimitUse, Verdict

if TYPE_CHECKING:
    from sitepick.run import Run

NAME = "explain.json"
SCHEMA = 1


@dataclass(frozen=True)
class Stored:
    """What `explain.json` holds. Rows are plain: ids, numbers, ISO dates."""

    periods: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    limits: tuple[LimitUse, ...]
    capital: Row  # a report table: available, spendable, what stopped the rest
    places: dict[str, Row]  # by site_id: what was measured, as in candidates.csv
    regions: dict[str, dict[str, str]]  # site_id -> level -> region_id
    ties: dict[str, list[Row]]  # site_id -> poi_id, kv, km, cap_mw
    pois: dict[str, Row]  # poi_id -> mw and plan_mw by period
    letters: dict[str, list[Row]]  # poi_id -> its offers
    unit_costs: dict[str, float]  # USD per IT kW and month of the plan's sites


def explain_text(
    run: Run, made: SiteRows | None = None, sheets: Sequence[Sheet] | None = None
) -> str:
    """Return `explain.json` of a run with a plan; its `SiteRows` and sheets as in `stored`."""
    record = {"schema": SCHEMA, **as_record(stored(run, made, sheets))}
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def stored(run: Run, made: SiteRows | None = None, sheets: Sequence[Sheet] | None = None) -> Stored:
    """Return what explains a run with a plan.

    ``made`` and ``sheets``: its `SiteRows` and its sheets, where they are known already.
    """
    from sitepick.report.limits import single_headrooms
    from sitepick.report.plan import capital_table

    assert run.solution is not None
    if made is None:
        made = SiteRows(run.prepared.scenario, run.prepared.candidates, run.solution)
    if sheets is None:
        sheets = (sites_sheet(made, made.sheet()), candidates_sheet(made, run.verdicts))
    rows = {sheet.name: sheet.rows for sheet in sheets}
    periods = run.solution.periods
    ties: dict[str, list[Row]] = defaultdict(list)
    for tie in made.look.ties.values():
        cells = ("poi_id", "kv", "km", "cap_mw")
        ties[tie["site_id"]].append({k: tie[k] for k in cells})
    letters: dict[str, list[Row]] = defaultdict(list)
    for offer in made.look.offers.values():
        told = ("offer_id", "mw_total", "from_date", "to_date", "stage", "firm")
        letters[offer["poi_id"]].append({k: offer[k] for k in told})
    room = (
        [single_headrooms(run, made, t) for t in range(len(periods))]
        if run.prepared.scenario.power.model == "grid"
        else []
    )
    measured = ("name", "status", "decision", "usable_ha", "max_it_mw", "fiber_km", "failed",
                "land_musd")  # fmt: skip
    return Stored(
        periods=tuple(periods),
        verdicts=run.verdicts,
        limits=run.limits,
        capital=plain(as_record(capital_table(run))),
        places={r["site_id"]: {k: r[k] for k in measured} for r in rows["candidates"]},
        regions={
            site: {level: of[level] for level in made.level_columns if level in of}
            for site, of in made.look.regions_of.items()
        },
        ties=dict(ties),
        pois={
            poi: {
                "mw": [plain(float(of.get(poi, 0.0))) for of in room],
                "plan_mw": [
                    plain(float(made.grid.by_poi.get((poi, t), 0.0))) for t in range(len(periods))
                ],
            }
            for poi in made.look.pois
        },
        letters=dict(letters),
        unit_costs={
            r["site_id"]: r["usd_per_kw_month"]
            for r in rows["sites"]
            if r["usd_per_kw_month"] is not None
        },
    )


def read_stored(folder: Path) -> Stored:
    """Read `explain.json` of a run folder. Raises ScenarioError if it is not there or damaged."""
    try:
        record: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if record.pop("schema") != SCHEMA:
            raise ValueError("made by another version of sitepick")
        record["periods"] = tuple(record["periods"])
        record["verdicts"] = tuple(
            Verdict(**{**v, "charges": tuple(Charge(**c) for c in v["charges"])})
            for v in record["verdicts"]
        )
        record["limits"] = tuple(LimitUse(**x) for x in record["limits"])
        return Stored(**record)
    except OSError as error:
        raise ScenarioError(
            f"{folder}: has no {NAME} ({error.strerror}); solve again with this version"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScenarioError(f"{folder}: its {NAME} cannot be read: {error}") from error
