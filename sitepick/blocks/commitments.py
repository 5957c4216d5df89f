"""Commitments: what is already decided stays so, from its date on."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import grid_at, it_at, open_at
from sitepick.blocks.group_units import units
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.program import Program

NAME = "commitments"


def applies(inst: Instance) -> bool:
    """Where something is committed."""
    return bool(inst.commitments)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """No columns of its own."""


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add one row per commitment and period from its start."""
    level, it = open_at(program, inst), it_at(program, inst)
    grid = grid_at(program, inst)
    for what, unit in (("site", "1"), ("it_mw", "IT MW"), ("grid_mw", "grid MW")):
        mine = [(c, t) for c in inst.commitments if c.what == what
                for t in range(c.start, inst.time.n)]  # fmt: skip
        if not mine:
            continue
        existing = inst.headroom.existing_mw
        least = [
            1.0 if what == "site" else c.mw - (existing[c.site] if what == "grid_mw" else 0.0)
            for c, _ in mine
        ]
        row = program.add_rows(
            f"commitments.{what}",
            keys={
                "site": [c.site for c, _ in mine],
                "period": [t for _, t in mine],
                "number": np.arange(len(mine)),
            },
            lower=least,
            unit=unit,
            relaxable=True,
        )
        for r, (c, t) in zip(row, mine, strict=True):
            if what == "site":
                program.add_entries(r, level[c.site, t], 1)
                continue
            here = it[c.site, :, :, t] if what == "it_mw" else grid[inst.ties.site == c.site, t]
            program.add_entries(r, here[here >= 0], 1)
    _members(program, inst)


def _members(program: Program, inst: Instance) -> None:
    """Add a row per committed member and era of its group that lasts beyond the date."""
    mine = [
        (c, unit)
        for c in inst.commitments
        for unit in (units(inst) if c.group >= 0 else ())
        if unit.index == c.group and int(unit.periods[-1]) >= c.start
    ]
    if not mine:
        return
    row = program.add_rows(
        "commitments.member",
        keys={
            "site": [c.site for c, _ in mine],
            "period": [unit.start for _, unit in mine],
            "number": np.arange(len(mine)),
        },
        lower=1,
        unit="1",
        relaxable=True,
    )
    for r, (c, unit) in zip(row, mine, strict=True):
        member = unit.columns(program, "groups.member")
        program.add_entries(r, member[unit.group.site == c.site], 1)
