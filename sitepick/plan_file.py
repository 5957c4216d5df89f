"""Reads somebody's plan: a CSV of site_id, period, it_mw, as `sites.csv` has them."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from sitepick.errors import LayerError

NEEDED = ("site_id", "period", "it_mw")


def read_plan_rows(path: Path) -> list[tuple[str, str, float]]:
    """Return (site_id, period, IT MW) rows. Raises LayerError naming every wrong line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LayerError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LayerError(f"{path}: not UTF-8 at byte {error.start}") from error
    table = csv.DictReader(text.splitlines())
    missing = [name for name in NEEDED if name not in (table.fieldnames or [])]
    if missing:
        raise LayerError(
            f"{path}: no column {', '.join(missing)}; a plan has the columns {', '.join(NEEDED)}"
        )
    rows: list[tuple[str, str, float]] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(table, start=2):
        site, period = (row["site_id"] or "").strip(), (row["period"] or "").strip()
        try:
            mw = float(row["it_mw"] or "")
        except ValueError:
            mw = math.nan
        if not site or not period:
            problems.append(f"{path}:{number}: site_id and period must not be empty")
        elif not (math.isfinite(mw) and mw >= 0):
            problems.append(
                f"{path}:{number}: it_mw must be a number of IT MW, not {row['it_mw']!r}"
            )
        elif (site, period) in seen:
            first = seen[site, period]
            problems.append(f"{path}:{number}: {site} in {period} is on line {first} already")
        else:
            seen[site, period] = number
            rows.append((site, period, mw))
    if problems:
        raise LayerError(problems)
    if not rows:
        raise LayerError(f"{path}: has no rows")
    return rows
