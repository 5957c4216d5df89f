"""Joins the hand-made market tables to states, so that a region layer can be joined by its id."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rebuild_parts.write import DATA, write_csv


def build(folder: Path) -> None:
    """Write ``tables/prices_by_state.csv`` and ``tables/time_to_power_by_state.csv``.

    States without a market (Alaska, Hawaii) get no row: no figure was collected for them.
    """
    states = _read("market_by_state").rename(columns={"state_id": "region_id"})
    who = ["region_id", "postal", "state"]
    prices = _read("prices_by_market")
    joined = states[[*who, "market_id"]].merge(prices, on="market_id", how="inner")
    write_csv("tables/prices_by_state.csv", joined)
    waits = _read("time_to_power").drop(columns="note")
    joined = states[[*who, "power_area_id"]].merge(waits, on="power_area_id", how="inner")
    write_csv("tables/time_to_power_by_state.csv", joined)


def _read(name: str) -> pd.DataFrame:
    """A hand-made table as text, so that its figures are copied and not reformatted."""
    return pd.read_csv(DATA / "tables" / f"{name}.csv", dtype=str, keep_default_na=False)
