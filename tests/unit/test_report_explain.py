"""What binds by date, the account of a site, and steps of a limit."""

from __future__ import annotations

import dataclasses

import pytest
from plan_by_hand import run, scenario

from sitepick.errors import ScenarioError
from sitepick.exports.explain import explain_text, read_stored, stored
from sitepick.exports.sheets import run_sheets
from sitepick.report.explain import explain_report, site_report, ties_table, what_binds
from sitepick.run import Charge, LimitUse, Verdict
from sitepick.scenario.schema import Periods
from sitepick.scenario.steps import stepped

LIMITS = (
    LimitUse("budget.year", "", "2029", 500.0, 400.0, "MUSD", False, 0.0, 0.0),
    LimitUse("budget.year", "", "2030", 500.0, 500.0, "MUSD", False, 0.2, 0.1),
    LimitUse("headroom.limit", "B1", "2030-01-01", 40.0, 32.0, "grid MW", False, 1.5, None),
    LimitUse("headroom.limit", "B2", "2030-01-01", 10.0, 10.0, "grid MW", False, 0.5, 2.5),
    LimitUse("siting.land", "N1", "2030-01-01", 80.0, 20.0, "ha", False, 0.0, 0.0),
    LimitUse("siting.land", "N2", "2030-01-01", 80.0, 70.0, "ha", False, 0.0, 0.0),
    LimitUse("regions.min_it", "state TX", "2030-01-01", 5.0, 9.0, "IT MW", True, 0.0, 0.0),
)
VERDICTS = (
    Verdict("C1", "blocked", "blocked by limits that POIs share at L1", 0.0, 3.0, 1.0,
            (Charge("headroom.shared", "L1", "2030-01-01", 4.0),), "N1", "the limit", 12.0, 99.0),
    Verdict("N1", "chosen", "in the plan", 20.0), Verdict("N2", "chosen", "in the plan", 20.0),
    Verdict("R1", "rejected", "screened out: min_ha"), Verdict("X1", "existing", "stands already"),
)  # fmt: skip


def explained_run():
    return dataclasses.replace(run(), verdicts=VERDICTS, limits=LIMITS)


def test_slack_of_a_limit_and_of_a_minimum():
    assert [x.slack for x in LIMITS] == [100, 0, 8, 0, 60, 10, 4]


def test_each_family_is_told_by_date_with_its_dearest_limit():
    table = what_binds(stored(explained_run()).limits, scenario())
    rows = {(r[0], r[1]): r[2:] for r in table.rows}
    # 2029 does not bind; at 2030 both POIs are tight or priced, B2 at the higher price
    assert rows["money", "2030"] == (1, "", "500", "500", "0.0", "MUSD", 0.2, 0.1)
    assert ("money", "2029") not in rows
    assert rows["dated grid MW at POIs", "2030"][:5] == (2, "B2", "10.0", "10.0", "0.0")
    # nothing of it binds: the tightest says how much is left
    assert rows["land", "2030"][:5] == (0, "N2", "80.0", "70.0", "10.0")
    assert rows["least IT MW of regions", "2030"][4] == "4.0"
    names = [r[0] for r in table.rows]
    assert names.index("dated grid MW at POIs") < names.index("money") < names.index("land")


def quarters():
    return scenario().model_copy(
        update={
            "periods": Periods.model_validate({"from": "2029", "to": "2030", "step": "quarter"})
        }
    )


def test_dates_that_follow_each_other_and_are_alike_share_a_row():
    def use(when, used, price=0.0):
        return LimitUse("headroom.limit", "B1", when, 10.0, used, "grid MW", False, price, 0.0)

    uses = (use("2029-01-01", 10.0), use("2029-04-01", 10.0), use("2029-07-01", 4.0),
            use("2029-10-01", 10.0), use("2030-01-01", 10.0, 0.5))  # fmt: skip
    rows = what_binds(uses, quarters()).rows
    assert [r[1] for r in rows] == ["2029-01 to 2029-04", "2029-10", "2030-01"]
    assert rows[2][-2] == 0.5


def test_ties_of_many_quarters_are_told_at_year_ends():
    starts = tuple(f"{y}-{m:02d}-01" for y in (2029, 2030) for m in (1, 4, 7, 10))
    mw = [float(t) for t in range(8)]
    kept = dataclasses.replace(
        stored(explained_run()), periods=starts,
        ties={"C1": [{"poi_id": "B1", "kv": 138.0, "km": 2.0, "cap_mw": 200.0}]},
        pois={"B1": {"mw": mw, "plan_mw": mw}},
    )  # fmt: skip
    table = ties_table(kept, quarters(), "C1")
    assert [c.name for c in table.columns][-2:] == ["2029", "2030"]
    assert [r[-2:] for r in table.rows] == [(3.0, 7.0), (3.0, 7.0)]


def test_the_report_counts_verdicts_and_shares_the_capital_table():
    report = explain_report(stored(explained_run()), scenario())
    titles = {t.title: t for t in report.tables}
    assert ("chosen", 2) in titles["Verdicts"].rows
    assert any(r[0] == "Spendable" for r in titles["Capital by calendar year"].rows)


def test_a_blocked_site_is_told_with_limits_costs_tests_and_ties():
    kept = stored(explained_run())
    report = site_report(kept, scenario(), "C1")
    assert report.headline[0].startswith("C1")
    assert report.headline[1] == VERDICTS[0].why
    assert "99 USD per IT kW and month" in report.headline[2]
    assert "12 IT MW" in report.headline[2]
    titles = {t.title: t for t in report.tables}
    assert titles["Limits that block the site"].rows == (
        ("limits that POIs share", "L1", "2030-01-01", 4.0),
    )
    ties = titles["Ties and the dated MW of their POIs"]
    assert len(ties.columns) == 5 + len(kept.periods)
    assert {r[4] for r in ties.rows} == {"alone", "in the plan"}


def test_a_rejected_site_has_its_failed_tests_with_the_margin():
    report = site_report(stored(explained_run()), scenario(), "R1")
    tests = next(t for t in report.tables if t.title == "Tests")
    rows = {r[0]: r[1:] for r in tests.rows}
    assert rows["min_ha"] == ("failed", 1.0, 10.0, -9.0, "ha")


def test_explain_json_reads_back(tmp_path):
    made = explained_run()
    (tmp_path / "explain.json").write_text(explain_text(made), encoding="utf-8")
    back = read_stored(tmp_path)
    assert back.verdicts == VERDICTS
    assert back.limits == LIMITS
    assert site_report(back, scenario(), "C1") == site_report(stored(made), scenario(), "C1")
    (tmp_path / "explain.json").write_text('{"schema": 1, "verdicts": 3}', encoding="utf-8")
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_stored(tmp_path)
    with pytest.raises(ScenarioError, match="solve again"):
        read_stored(tmp_path / "nowhere")


def test_sheets_of_verdicts_and_limits():
    sheets = {s.name: s for s in run_sheets(explained_run())}
    first = sheets["verdicts"].rows[0]
    assert (first["blocked_by"], first["blocked_at"]) == ("limits that POIs share", "L1")
    assert (first["forced_cost_estimate_musd"], first["forced_cost_proven_musd"]) == (3.0, 1.0)
    told = {r["site_id"]: r for r in sheets["candidates"].rows}
    assert told["C1"]["verdict"] == "blocked"
    assert told["C1"]["why"] == VERDICTS[0].why
    assert told["R1"]["forced_cost_proven_musd"] is None
    assert [r["slack"] for r in sheets["limits"].rows] == [100, 0, 8, 0, 60, 10, 4]
    assert {"verdicts", "limits"}.isdisjoint(s.name for s in run_sheets(run()))


def test_a_step_adds_to_what_the_scenario_says():
    made = scenario(budget_musd={"2029": 100}, demand={"it_mw": 40})
    assert stepped(made, ["budget_musd.2029=+25.5"]) == ["budget_musd.2029=125.5"]
    assert stepped(made, ["demand.it_mw=-10"]) == ["demand.it_mw=30"]
    with pytest.raises(ScenarioError) as found:
        stepped(made, ["budget_musd.2029=25", "budget_mus.2029=+1", "name=+1"])
    assert len(found.value.problems) == 3
    assert "write key.key=+100" in found.value.problems[0]
    assert "did you mean 'budget_musd'" in found.value.problems[1]
    assert "is no number" in found.value.problems[2]
