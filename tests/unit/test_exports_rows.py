"""sites.csv: every sum equals the solution's, every figure the one worked out by hand."""

from __future__ import annotations

from collections import defaultdict

import pytest
from plan_by_hand import CAPEX, CASH, P, candidates, run, scenario, solution

from sitepick.exports.costs import site_costs
from sitepick.exports.rows import site_rows
from sitepick.exports.sheet import Field, Sheet, keep_names, plain
from sitepick.exports.sheets import run_sheets
from sitepick.exports.stages import staged_grid
from sitepick.exports.terms import CAPITAL
from sitepick.instance.timeline import Timeline


@pytest.fixture
def rows():
    return {(r["site_id"], r["period"]): r for r in site_rows(scenario(), candidates(), solution())}


def test_one_row_per_site_and_period(rows):
    assert list(rows) == [(s, p) for s in ("N1", "N2", "X1") for p in P]
    assert [r["status"] for r in rows.values()] == [
        "open", "open", "not yet open", "open", "existing", "existing"
    ]  # fmt: skip


def test_sums_equal_the_solution(rows):
    it, grid = defaultdict(float), defaultdict(float)
    for r in solution().it:
        it[r.period] += r.it_mw
    for g in solution().grid:
        grid[g.period] += g.grid_mw
    for p in P:
        mine = [r for (_, period), r in rows.items() if period == p]
        assert sum(r["it_mw"] for r in mine) == it[p]
        assert sum(r["it_mw_h"] for r in mine) == it[p]
        assert sum(r["it_mw_c"] for r in mine) == it[p]
        assert sum(r["grid_mw_peak"] for r in mine) == grid[p] + 15.0  # X1's own contract
        for r in mine:
            stages = sum(v for k, v in r.items() if k.startswith("grid_mw_") and k[8:] != "peak")
            assert stages == r["grid_mw_peak"]


def test_capital_equals_the_cash_by_category(rows):
    for category in CAPITAL:
        paid = sum(c.musd for c in CASH if c.category == category)
        assert sum(r[f"capex_{category}_musd"] for r in rows.values()) == pytest.approx(paid)
        assert paid == pytest.approx(CAPEX[category])
    assert sum(r["capex_musd"] for r in rows.values()) == pytest.approx(sum(CAPEX.values()))


def test_megawatts_by_stage(rows):
    def split(site, period):
        return {k[8:]: v for k, v in rows[site, period].items() if k.startswith("grid_mw_") and v}

    assert split("N1", P[0]) == {"peak": 12, "published": 12}
    # at B1 N1 comes first and takes signed MW; at B2 12 of the layer, 4 of the upgrade step
    assert split("N1", P[1]) == {"peak": 24, "signed": 8, "published": 12, "assumed": 4}
    assert split("N2", P[1]) == {"peak": 24, "signed": 12, "studied": 12}
    assert split("X1", P[1]) == {"peak": 15, "energised": 15}


def test_a_slipped_stage_does_not_count_before_its_date():
    made = scenario(power={**scenario().power.model_dump(), "slip_years": {"studied": 1}})
    split = staged_grid(made, candidates(), solution()).by_site["N2", 1]
    assert split == {"signed": 24}  # what no active offer covers counts as the least firm one


def test_yearly_costs_by_hand(rows):
    n1 = rows["N1", P[1]]
    # mean MW = 20 x 0.5 x 1.1 = 11; B1 (40 USD) gives 0.5 x 8 = 4 of them, B2 (50 USD) the rest
    assert n1["drawn_mw"] == pytest.approx(11)
    assert n1["energy_musd_per_year"] == pytest.approx((4 * 40 + 7 * 50) * 8760 / 1e6)
    assert n1["co2_kt_per_year"] == pytest.approx(11 * 8760 * 400 / 1e6)
    assert n1["water_ml_per_year"] == pytest.approx(10 * 8760 * 0.5 / 1000)
    # 2 halls x 10 MW x 0.25, 10 % of 20 MW x 30, 1 for the site
    assert n1["om_musd_per_year"] == pytest.approx(5 + 60 + 1)
    # B1 bills max(32, 50 % of 20 + 12) = 32 grid MW; B2 its 16
    assert n1["demand_charge_musd_per_year"] == pytest.approx((8 * 5 + 16 * 6) * 12 / 1000)
    # 2027: O1 has a minimum take of 10 grid MW before anybody uses B1
    billed = [rows[s, P[0]]["demand_charge_musd_per_year"] for s in ("N1", "N2")]
    assert sum(billed) == pytest.approx((12 * 6 + 10 * 5) * 12 / 1000)


def test_present_cost_of_a_purchase_is_its_annuity_within_the_horizon():
    costs = site_costs(scenario(), candidates(), solution())
    # at 0 %: N2's 20 MW x 30 MUSD live 5 years, one of them within the horizon
    assert costs.present_musd["N2", "it"] == pytest.approx(600 / 5)
    made = scenario(money={"price_year": 2026, "discount_rate_pct": 9})
    time = Timeline.of(made)
    costs = site_costs(made, candidates(), solution())
    assert costs.present_musd["N2", "it"] == pytest.approx(600 * time.purchase(5, 0)[1])
    assert costs.present_musd["N2", "om"] == pytest.approx(66 * time.yearly[1])


def test_own_columns_keep_their_names_and_values(rows):
    assert rows["N1", P[0]]["broker"] == "=Bob()"
    assert rows["X1", P[0]]["Rank"] == 5
    assert rows["X1", P[0]]["keep_status"] == "e"  # 'status' is a column of ours
    names = keep_names(["keep:FID", "keep:fid", "keep:", "site_id"], ["fid"])
    assert names == {"keep:FID": "keep_FID", "keep:fid": "keep_fid_", "keep:": "column"}


def test_without_a_grid_no_grid_megawatts_are_claimed():
    made = scenario(power={"model": "none"}, existing=[])
    none = site_rows(made, candidates(), solution().__class__(**{
        **solution().__dict__, "grid": (), "ties": (), "offers": (), "upgrades": ()}))  # fmt: skip
    assert {r["grid_mw_peak"] for r in none} == {None}
    assert {r["energy_musd_per_year"] for r in none} == {0.0}


def test_every_candidate_has_a_status_and_a_reason():
    sheet = next(s for s in run_sheets(run()) if s.name == "candidates")
    got = {r["site_id"]: (r["status"], r["why"]) for r in sheet.rows}
    assert {k: v[0] for k, v in got.items()} == {
        "C1": "not chosen", "N1": "chosen", "N2": "chosen", "R1": "rejected", "X1": "existing",
    }  # fmt: skip
    assert got["R1"][1] == "flood: 40 % lies in flood zone AE; min_ha: 1 against 10 ha"
    assert "B1 (32 grid MW)" in got["C1"][1]
    assert all(reason for _, reason in got.values())
    rejected = next(r for r in sheet.rows if r["site_id"] == "R1")
    assert [(t["test"], t["value"], t["threshold"]) for t in rejected["failed"]] == [
        ("flood", 0.4, None), ("min_ha", 1.0, 10.0)
    ]  # fmt: skip


def test_letters_say_what_is_used():
    sheet = next(s for s in run_sheets(run()) if s.name == "letters")
    got = {r["offer_id"]: (r["stage"], r["counts"], r["used_grid_mw"]) for r in sheet.rows}
    assert got == {
        "O1": ("signed", True, 20.0), "O2": ("studied", True, 12.0), "O3": ("requested", False, 0.0)
    }  # fmt: skip
    assert [r["contact"] for r in sheet.rows] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(float("nan"), None), (float("inf"), None), (-0.0, 0.0), (0.1 + 0.2, 0.3), ("a\x00b", "ab")],
)
def test_plain_values(value, expected):
    assert plain(value) == expected
    assert str(plain(value)) == str(expected)


def test_a_sheet_refuses_rows_without_a_column():
    field = Field("a", "", "text", "")
    with pytest.raises(ValueError, match="sheet s"):
        Sheet("s", "", (field,), [{"b": 1}])
    with pytest.raises(ValueError, match="case"):
        Sheet("s", "", (field, Field("A", "", "text", "")), [])
