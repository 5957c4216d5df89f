"""What each block writes for a world of 3 sites, compared with stored text.

``SITEPICK_UPDATE_GOLDEN=1 pytest tests/golden`` writes the files anew: read the diff.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from helpers import fibers, tiny
from helpers.campuses import attached, network
from helpers.grids import tiny_grid
from helpers.lp_text import block_text
from helpers.worlds import prepared

from sitepick.blocks import BLOCKS
from sitepick.candidates.types import FiberAccess
from sitepick.earlier import earlier_table
from sitepick.planner import Planner
from sitepick.program import Program
from sitepick.solve.outcome import Limits

NAN = float("nan")
HERE = Path(__file__).parent / "lp"
MODEL = Path(__file__).parents[2] / "docs" / "model.md"
NAMES = [block.NAME for block in BLOCKS]


@cache
def onsite_program() -> Program:
    """Return a world with a bridge that is salvaged, N+2 engines for an island, and fuel cells."""
    engine = {"base": "recip", "block_mw": 10, "lead_months": 18}
    scenario = tiny.scenario(
        onsite={
            "options": [
                {**engine, "id": "bridge", "role": "bridge", "after": "salvage",
                 "bridge_years_max": 1, "firm_credit": 0.9},
                engine,
                {"base": "sofc", "price_year": 2025},
                {"base": "solar_bess", "id": "sun"},
            ],
            "permits": [{"level": "state", "ids": ["S1"], "options": ["recip"], "max_mw": 60}],
        },
    )  # fmt: skip
    pairs = (("A", "bridge", None, 4.0), ("A", "recip", date(2029, 1, 1), 5.0),
             ("B", "sofc", None, 3.0), ("B", "sun", None, NAN))  # fmt: skip
    curve = ((0.0, 0.0), (0.5, 0.4), (1.0, 0.6), (2.0, 0.7))
    tables = tiny.candidates(
        onsite=tiny.rows(*pairs, of="onsite"),
        onsite_sized=tiny.rows(("sun", 4, 8, 5000, 9.7, 0.6, 0.3, curve), of="onsite_sized"),
    )
    return Planner(prepared(scenario, tables), Limits()).program


@cache
def program() -> Program:
    """Return the program of the tiny world with something for every block to say."""
    scenario = tiny.scenario(
        power={"upgrade_step": {"mw": 10, "musd": 4, "lead_months": 24, "max_steps": 2},
               "max_ramp_mw_per_year": 90},
        regions={
            "rules": [
                {"level": "state", "ids": ["S1"], "entry_musd": 3, "min_it_mw_once_entered": 5,
                 "max_grid_mw": {"2029": 60}, "max_co2_kt_per_year": 150},
                {"level": "state", "ids": ["S2"], "max_share_pct": 60, "min_it_mw": 4,
                 "max_it_mw": 30, "max_water_ml_per_year": 90, "closed_from": "2030"},
            ],
            "max_entered": {"state": 2},
        },
        procurement={
            "transformers": {"per": "grid_mw", "cap": {"2027": 40}, "lead_months": 12},
            "labor": {"per": "construction_it_mw", "cap": {"2027": 30}},
            "chips": {"per": "hardware_it_mw", "hardware": "new", "cap": {"2028": 12}},
        },
        budget_musd={"2027": 900, "2028": 900},
        budget_carry_over=True,
        limits={"sites_max": 3, "net_present_cost_musd_max": 9000, "co2_kt_per_year_max": 300,
                "water_ml_per_year_max": 200, "it_mw_min": {"2029": 12},
                "served_ref_mw_min": 10},
    )  # fmt: skip
    tables = tiny.candidates(
        shared_limits=tiny.rows(
            ("corridor", "P", 1.0, 70.0, date(2028, 1, 1), ""),
            ("corridor", "Q", 0.5, 70.0, date(2028, 1, 1), ""),
            of="shared_limits",
        ),
        commitments=tiny.rows(
            ("A", "it_mw", 2.0, date(2029, 1, 1), float("nan")),
            ("B", "site", float("nan"), date(2030, 1, 1), float("nan")),
            of="commitments",
        ),
    )
    return Planner(prepared(scenario, tables), Limits()).program


@cache
def flexible() -> Program:
    """Return the program of the tiny world with a non-firm offer, an area and batteries."""
    scenario = tiny.scenario(
        power={"nonfirm": "flexible"},
        flexible={
            "areas": [{"name": "north", "poi_ids": ["P", "Q"], "curve": "north.csv",
                       "from_date": "2029"}],
            "battery": {"lead_months": 24, "life_years": 2},
        },
    )  # fmt: skip
    soft = {**tiny.OFFERS[1], "firm": False, "curtail_hours_per_year": 90.0}
    tables = tiny.candidates(
        offers=[tiny.OFFERS[0], soft],
        margins=tiny.rows(("north", 50.0, 300.0, 0.25, 1.0, 2.0, ("P", "Q")), of="margins"),
    )
    return Planner(prepared(scenario, tables), Limits()).program


@cache
def deliverable() -> Program:
    """Return the program of the tiny world on its grid, with the rows that too much MW call for."""
    scenario = tiny.scenario(
        grid={
            "file": "tiny", "conditions": [
                {"id": "peak", "credit_pct": {"wind": 20}},
                {"id": "night", "load_pct": 50, "new_load_pct": 90, "credit_pct": {"wind": 40}},
            ],
            "upgrades": [{"branch_id": "G-P", "mw": 25, "musd": 6, "lead_months": 30}],
            "adequacy": [{"zone": "all", "reserve_margin_pct": 10},
                         {"zone": "west", "reserve_margin_pct": 15, "import_mw": 60}],
        },
    )  # fmt: skip
    planner = Planner(prepared(scenario, tiny.candidates(), tiny_grid()), Limits())
    much = planner.program.matrix.upper.copy()
    much[planner.program.column_families["deliverability.upgrade"].indices] = 0
    assert planner.separate(much) > 0
    return planner.program


@cache
def steady() -> Program:
    """Return the program of the tiny world with its own plan as the earlier one, a year before."""
    days = [date(year, 1, 1) for year in (2028, 2029, 2030, 2031)]
    earlier = earlier_table(tiny.plan(), days)
    earlier = earlier[earlier["from_date"] < date(2030, 1, 1)]
    tables = replace(tiny.candidates(), earlier=earlier)
    return Planner(prepared(tiny.scenario(), tables), Limits()).program


@cache
def leased() -> Program:
    """Return the tiny world with a shell whose term ends in the horizon, and colocation to keep."""
    offers = [
        tiny.lease("V", 20.0, kind="powered_shell", it_mw_min=5.0, hall="liq", kw_per_rack=150.0,
                   liquid=True, term_years=1.5, escalation_pct=4.0, pue_avg=1.05),
        tiny.lease("W", 8.0, renews=True, power_included=True, ready_date=date(2028, 7, 1)),
    ]  # fmt: skip
    places = [tiny.site(v["site_id"], max_it_mw=v["it_mw_max"], land_musd=0.0) for v in offers]
    tables = tiny.candidates(sites=[*tiny.TABLES["sites"], *places], leases=offers)
    return Planner(prepared(tiny.scenario(), tables), Limits()).program


@cache
def on_fiber() -> Program:
    """Return the tiny world on a network: a leased pair, one to let, a new route, two services."""
    net = fibers.network(
        ("ab", "A", "B", 100.0), ("bc", "B", "C", 400.0), ("ac", "A", "C", 2500.0),
        pairs={"ab": 2.0}, lit_tbps={"bc": 0.9}, lease_usd_per_km_year={"bc": 300.0},
        in_service={"bc": date(2029, 1, 1)}, new={"ac": True},
    )  # fmt: skip
    scenario = tiny.scenario(
        fiber={
            "capacity": {"pair": {"term_years": 2}, "build": {"lead_months": 36}, "routes": 2},
            "services": [
                {"name": "chat", "workload": "serve", "gbps_per_ref_mw": 50,
                 "peak_gbps_per_ref_mw": 90, "peak_hours_per_year": 300},
                {"name": "data", "workload": "train", "gbps_per_ref_mw": 2, "to_nodes": ["C"],
                 "peak_gbps_per_ref_mw": 20, "peak_hours_per_year": 40},
            ],
        },
    )  # fmt: skip
    tables = fibers.on_fiber(
        tiny.candidates(), net, {"A": "A", "B": "B", "C": "C"}, {"X": "A", "Y": "C"}
    )
    return Planner(prepared(scenario, tables), Limits()).program


@cache
def split() -> Program:
    """Return the tiny world with work that needs two pools; C is on no network."""
    net = fibers.network(("ab", "A", "B", 100.0), ("near", "A", "B", 60.0))
    scenario = tiny.scenario(
        demand={"splits": [{"name": "chat", "prefill": "train", "decode": "serve",
                            "gbps_per_ref_mw": 5, "rtt_ms_max": 1.5}],
                "workloads": {
                    "train": {"uses": "training", "ref_mw": {"2028": 20, "2029": 40},
                              "spread": "by_weight"},
                    "serve": {"uses": "decode", "ref_mw": {"2029": 8}, "spread": "by_weight"}}},
    )  # fmt: skip
    tables = fibers.on_fiber(tiny.candidates(), net, {"A": "A", "B": "B"}, km=3.0)
    return Planner(prepared(scenario, tables), Limits()).program


@cache
def grouped() -> Program:
    """Return the tiny world on a triangle of fiber, its training the work of a group."""
    edges = [("p", "a", "b", 60.0), ("q", "b", "c", 50.0), ("r", "a", "c", 130.0)]
    group = {
        "name": "g", "workload": "train", "sites_max": 3, "min_site_it_mw": 2, "shape": "hub",
        "route_km_max": 140, "routes": 2, "sync": {"params_billion": 1000},
        "loss_pct_per_extra_site": 2,
    }  # fmt: skip
    net = network(edges)
    at = attached(net, [("a", 5.0), ("b", 3.0), ("c", 20.0)])
    tables = replace(tiny.candidates(), fiber=FiberAccess(net, at, attached(net, [])))
    return Planner(prepared(tiny.scenario(campus_groups=[group]), tables), Limits()).program


@cache
def swing() -> Program:
    """Return the tiny world with training that swings, and batteries."""
    works = {
        "train": {"uses": "training", "ref_mw": 20, "power_swing_pct": 15},
        "serve": {"uses": "decode", "ref_mw": 8, "spread": "by_weight"},
    }
    scenario = tiny.scenario(
        demand={"workloads": works}, flexible={"battery": {"lead_months": 36, "life_years": 1}}
    )
    return Planner(prepared(scenario, tiny.candidates()), Limits()).program


WORLDS = {
    "swing": swing,
    "split": split,
    "fiber": on_fiber,
    "services": on_fiber,
    "groups": grouped,
    "change": steady,
    "flexible": flexible,
    "onsite": onsite_program,
    "leases": leased,
    "deliverability": deliverable,
}
"""Worlds of their own for blocks whose options would change what the others write."""


@pytest.mark.parametrize("name", NAMES)
def test_a_block_writes_what_is_stored(name: str) -> None:
    path, text = HERE / f"{name}.lp", block_text(WORLDS.get(name, program)(), name)
    assert text.count("\n") > 2, f"the world says nothing to block {name}"
    if os.environ.get("SITEPICK_UPDATE_GOLDEN"):
        HERE.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path.name} is missing: set SITEPICK_UPDATE_GOLDEN=1 and read it"
    assert text == path.read_text(encoding="utf-8")


def test_no_stored_text_is_left_over() -> None:
    assert sorted(p.stem for p in HERE.glob("*.lp")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_block_has_its_check_and_its_rows_on_the_model_page(name: str) -> None:
    room = importlib.import_module(f"sitepick.checks.{name}")
    assert callable(room.check)
    assert re.search(rf"^\| `{name}\.", MODEL.read_text(encoding="utf-8"), re.MULTILINE)
