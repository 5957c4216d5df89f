"""Offers of leased halls as they are read, recognised and screened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sitepick import pipeline
from sitepick.candidates import Candidates
from sitepick.errors import LayerError
from sitepick.layers.guess import guess_role
from sitepick.layers.load import load_one
from sitepick.scenario.inputs import LayerFile

HEAD = "offer_id,it_mw_max,ready_date,usd_per_kw_month,term_years"
ROW = "V,20,2028-01-01,150,5"


def read(folder: Path, text: str, **spec: Any) -> tuple[Any, list[str], list[str]]:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    frame, problems, notes = load_one("leases", LayerFile(file="t.csv", **spec), folder)
    return frame, problems, [n.code for n in notes]


def test_a_brokers_sheet_is_recognised_with_its_units(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(
        "Offer ID,Building,Landlord,Type,Critical kW,RFS Date,Rent per kW-month,Escalator,"
        "Term (months),Lat,Lon\n"
        'L-1,Hall 3,Acme,turnkey,"20,000",2028-06-01,155,3,60,31.5,-97.5\n',
        encoding="utf-8",
    )
    role, fields, _ = guess_role(path)
    assert role == "leases"
    frame, problems, notes = load_one(
        "leases", LayerFile(file="sheet.csv", fields=fields), tmp_path
    )
    assert problems == []
    assert frame is not None
    row = frame.iloc[0]
    assert (row["offer_id"], row["operator"], row["kind"]) == ("L-1", "Acme", "colocation")
    assert (row["it_mw_max"], row["term_years"], row["escalation_pct"]) == (20, 5, 3)
    assert (row["it_mw_min"], row["renews"], row["power_included"]) == (0, False, False)
    assert row["liquid"] is None
    assert (row.geometry.x, row.geometry.y) == (-97.5, 31.5)
    assert [n.code for n in notes if n.code.startswith("lease_")] == ["lease_power_assumed"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("offer_id,ready_date\nV,2028\n", "no column for it_mw_max"),
        (f"{HEAD}\n{ROW}\n{ROW}\n", "given more than once"),
        (f"{HEAD}\nV,0,2028-01-01,150,5\n", "without it_mw_max"),
        (f"{HEAD}\nV,20,,150,5\n", "without ready_date"),
        (f"{HEAD}\nV,20,2028-01-01,,5\n", "without usd_per_kw_month"),
        (f"{HEAD}\nV,20,2028-01-01,150,0\n", "without term_years"),
        (f"{HEAD}\nV,20,2028-01-01,150,300\n", "out of range"),
        (f"{HEAD}\nV,20000,2028-01-01,150,5\n", "values look like KW"),
        (f"{HEAD},it_mw_min\n{ROW},30\n", "ask for more IT MW at least than at most"),
        (f"{HEAD},pue_avg\n{ROW},0.9\n", "PUE below 1"),
        (f"{HEAD},pue_avg,pue_peak\n{ROW},1.3,1.2\n", "design-day PUE below the annual one"),
        (f"{HEAD},price_year\n{ROW},26\n", "odd price_year"),
        (f"{HEAD},kind\n{ROW},barn\n", "that is no kind"),
    ],
)
def test_faults_are_told(tmp_path: Path, text: str, said: str) -> None:
    frame, problems, _ = read(tmp_path, text)
    assert frame is None
    assert said in "\n".join(problems)


def test_an_odd_rent_and_missing_columns_are_noted(tmp_path: Path) -> None:
    frame, problems, codes = read(tmp_path, f"{HEAD}\nV,20,2028-01-01,0.15,5\n")
    assert not problems
    assert frame is not None
    assert codes == ["lease_rent_odd", "lease_kind_assumed", "lease_power_assumed"]


BASE = """
version: 1
as_of: 2027-01-01
periods: {from: 2028, to: 2030}
layers:
  leases: {file: t.csv}
halls:
  - {id: air, kw_per_rack: 20, hall_it_mw: 10, capex_musd_per_mw: 10, pue_avg: 1.3, pue_peak: 1.5}
  - {id: wet, kw_per_rack: 140, hall_it_mw: 10, capex_musd_per_mw: 12, pue_avg: 1.1, pue_peak: 1.2,
     liquid_share: 0.8}
demand: {it_mw: 10}
power: {energy_usd_per_mwh: 44}
"""


@dataclass
class World:
    folder: Path

    def proposed(self, table: str, more: str = "", **files: str) -> Candidates:
        (self.folder / "t.csv").write_text(table, encoding="utf-8")
        for name, text in files.items():
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
        path = self.folder / "s.yaml"
        path.write_text(BASE + more, encoding="utf-8")
        return pipeline.prepare(pipeline.load(path)).candidates


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_offers_alone_are_enough_of_places(world: World) -> None:
    found = world.proposed(f"{HEAD},hall,kw_per_rack\n{ROW},,\nW,8,2028-01-01,90,5,,60\n")
    assert found.sites["status"].tolist() == ["candidate", "candidate"]
    terms = found.leases.set_index("site_id")
    # the first class, with a note; the least dense that holds 60 kW, which it then keeps to
    assert terms["hall"].tolist() == ["air", "wet"]
    assert terms["kw_per_rack"].tolist() == [20, 60]
    assert terms["liquid"].tolist() == [False, True]
    assert terms["energy_usd_per_mwh"].tolist() == [44, 44]
    assert "lease_hall_assumed" in {n.code for n in found.notes}


def test_every_test_says_how_far(world: World) -> None:
    head = f"{HEAD},kind,reply_by,it_mw_min"
    table = "\n".join(
        [
            head,
            "A,20,2028-01-01,150,5,colocation,2026-11-01,0",
            "B,20,2030-02-01,150,5,colocation,,0",
            "C,20,2029-09-01,150,5,shell,,0",
            "D,20,2028-01-01,150,0.5,colocation,,0",
            "E,20,2028-01-01,150,5,colocation,,15",
            "F,20,2029-04-01,150,5,shell,,0",
        ]
    )
    found = world.proposed(table, "candidates: {max_it_mw_per_site: 12}\n")
    told = dict(zip(found.failed["site_id"], found.failed["test"], strict=True))
    assert told == {
        "A": "lease_lapsed", "B": "lease_late", "C": "lease_late", "D": "lease_short",
        "E": "lease_large",
    }  # fmt: skip
    # a shell needs nine months more: from 2029-04-01 on it is there in 2030
    assert found.sites["status"].tolist()[-1] == "candidate"
    assert set(found.leases["it_mw_max"]) == {12}


def test_density_that_holds_no_hardware_is_screened_out(world: World) -> None:
    found = world.proposed(
        f"{HEAD},hall\n{ROW},air\nW,8,2028-01-01,90,5,wet\n", "hardware: [gb200_nvl72]\n"
    )
    assert found.failed["test"].tolist() == ["lease_density"]
    assert found.failed["site_id"].tolist() == ["V"]


@pytest.mark.parametrize(
    ("table", "more", "files", "said"),
    [
        (f"{HEAD},hall\n{ROW},wett\n", "", {}, "did you mean 'wet'"),
        (f"{HEAD}\n{ROW}\n", "  parcels: {file: p.csv}\n",
         {"p": "parcel_id,lon,lat,poi_ids\nV,-97,31,Q\n"}, "is the id of another place too"),
        (f"{HEAD}\n{ROW}\n", "  commitments: {file: c.csv}\n",
         {"c": "site_id,what,mw,date\nV,grid_mw,5,2028-01-01\n"}, "has no grid MW of one's own"),
    ],
)  # fmt: skip
def test_what_contradicts_the_other_inputs_is_refused(
    world: World, table: str, more: str, files: dict[str, str], said: str
) -> None:
    lines = BASE.replace("  leases: {file: t.csv}\n", f"  leases: {{file: t.csv}}\n{more}")
    (world.folder / "s.yaml").write_text(lines, encoding="utf-8")
    (world.folder / "t.csv").write_text(table, encoding="utf-8")
    for name, text in files.items():
        (world.folder / f"{name}.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LayerError, match=said):
        pipeline.prepare(pipeline.load(world.folder / "s.yaml"))


def test_a_committed_offer_stays_although_it_lapsed(world: World) -> None:
    (world.folder / "c.csv").write_text("site_id,what,mw,date\nV,site,,2029-01-01\n", "utf-8")
    (world.folder / "t.csv").write_text(f"{HEAD},reply_by\n{ROW},2026-06-30\n", encoding="utf-8")
    lines = BASE.replace("{file: t.csv}\n", "{file: t.csv}\n  commitments: {file: c.csv}\n")
    (world.folder / "s.yaml").write_text(lines, encoding="utf-8")
    run = pipeline.solve(pipeline.prepare(pipeline.load(world.folder / "s.yaml")))
    assert "kept_fact" in {n.code for n in run.prepared.candidates.notes}
    assert run.solution is not None
    assert run.findings == ()
    assert [(r.site_id, r.it_mw) for r in run.solution.leases] == [("V", pytest.approx(10))]
