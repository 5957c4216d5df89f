"""The model, one module per concern: each adds its columns, then its rows (docs/model.md).

A block is a module with ``NAME``, ``applies(instance)``, ``columns(program, instance, ledger)`` and
``rows(program, instance, ledger)``. `build` reads as the model's table of contents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sitepick.blocks import (
    budget,
    change,
    commitments,
    deliverability,
    demand,
    fiber,
    flexible,
    groups,
    halls,
    hardware,
    headroom,
    leases,
    limits,
    onsite,
    power,
    procurement,
    regions,
    services,
    siting,
    split,
    swing,
    ties,
)
from sitepick.blocks.columns import gross, it_at
from sitepick.blocks.ledger import NPC_TERMS, Ledger
from sitepick.instance.types import Instance
from sitepick.program import Program


class Block(Protocol):
    """What a module of this package offers."""

    NAME: str

    def applies(self, inst: Instance) -> bool: ...
    def columns(self, program: Program, inst: Instance, ledger: Ledger) -> None: ...
    def rows(self, program: Program, inst: Instance, ledger: Ledger) -> None: ...


BLOCKS: tuple[Block, ...] = (
    siting, ties, power, onsite, headroom, deliverability, halls, hardware, leases, demand, groups,
    services, split, fiber, flexible, swing, regions, procurement, budget, limits, commitments,
    change,
)  # fmt: skip

GOALS = {"max_compute": "compute", "earliest_mw": "earliest"}
"""Objective term (negative, to be minimised) of the goals that come before cost."""


def build(inst: Instance, blocks: Sequence[Block] = BLOCKS) -> tuple[Program, Ledger]:
    """Return the program of an instance, its objective set to net present cost, and its ledger."""
    program = Program(dims=inst.dims)
    ledger = Ledger(program, inst.time)
    chosen = [block for block in blocks if block.applies(inst)]
    for block in chosen:
        block.columns(program, inst, ledger)
    for block in chosen:
        block.rows(program, inst, ledger)
    _goal(program, inst)
    program.minimise(NPC_TERMS)
    return program, ledger


def _goal(program: Program, inst: Instance) -> None:
    """Add the term that `max_compute` or `earliest_mw` minimises first."""
    dt = inst.time.dt
    if inst.objective == "max_compute":
        serve = program.column_families["demand.serve"]
        weight = inst.demand.weight[serve.keys["workload"]] * dt[serve.keys["period"]]
        program.add_cost(serve.indices, -weight, "compute")
        works, workload, lost = groups.lost_work(program, inst)
        if works is not None:
            weight = inst.demand.weight[workload] * dt[works.keys["period"]]
            program.add_cost(works.indices, weight * lost, "compute")
    elif inst.objective == "earliest_mw":
        it = it_at(program, inst)
        i, k, h, t = np.nonzero(it >= 0)
        program.add_cost(it[i, k, h, t], -dt[t], "earliest")
        row = program.add_rows(
            "demand.most",
            keys={"period": np.arange(inst.time.n)},
            upper=(inst.demand.mw.sum(axis=1).T @ gross(inst)).max(initial=0.0),
            unit="IT MW",
        )
        program.add_entries(row[t], it[i, k, h, t], 1)
