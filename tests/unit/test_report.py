"""The terminal report: its figures, one screen, and names that cannot drive a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from plan_by_hand import NASTY, P, run, scenario, solution
from rich.console import Console

from sitepick.errors import ScenarioError
from sitepick.exports.folder import read_run, write_run
from sitepick.exports.rows import SiteRows
from sitepick.finding import Finding
from sitepick.report.build import report_of
from sitepick.report.limits import binding_table, joint_mw, sharing_table
from sitepick.report.plan import capital_table, demand_table, headline, sites_table
from sitepick.report.tables import Column, Report, Table
from sitepick.report.terminal import print_report, print_tables, solving_seconds, visible
from sitepick.report.years import spread, year_ends
from sitepick.run import Binding, LimitUse
from sitepick.solution import ItRow, SiteRow

NAMES = dict(zip(("C1", "N1", "N2", "R1", "X1"), NASTY, strict=False))


def shown(source, width: int = 100, color: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, color_system="standard" if color else None,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    print_report(source, console)
    return out.getvalue()


def cells(table: Table) -> dict[str, tuple]:
    return {str(r[0]).strip(): r[1:] for r in table.rows}


def made_of(of) -> SiteRows:
    return SiteRows(of.prepared.scenario, of.prepared.candidates, of.solution)


def test_asked_and_placed_by_year_end():
    got = cells(demand_table(run(), made_of(run())))
    assert got["Demand"] == ("ref MW", 60.0, 60.0)
    assert got["Short"] == ("ref MW", 40.0, 10.0)
    assert got["Placed"] == ("IT MW", 20.0, 50.0)
    assert got["Grid, design day"] == ("grid MW", 27.0, 63.0)
    stages = {k: v for k, v in got.items() if k in ("energised", "signed", "studied", "published")}
    assert stages == {
        "energised": ("grid MW", 15.0, 15.0), "signed": ("grid MW", 0, 20.0),
        "studied": ("grid MW", 0, 12.0), "published": ("grid MW", 12.0, 12.0),
    }  # fmt: skip


def test_sites_by_size_with_their_cost():
    table = sites_table(run(), made_of(run()))
    assert [r[0] for r in table.rows] == ["N1 place N1", "N2 place N2", "X1 place X1"]
    assert table.rows[0][1:5] == ("B1+B2 138+138 kV", "signed+published+assumed", 10.0, 20.0)
    # X1 pays energy 2.8908, upkeep 33.5 for 10 IT MW in each year, at 0 %
    assert table.rows[2][-1] == pytest.approx((2.8908 + 33.5) / 10 * 1e6 / 12_000)


def test_long_site_lists_are_cut():
    ids = [f"S{i:03}" for i in range(40)]
    big = run()
    frame = big.prepared.candidates.sites
    extra = frame.iloc[[0] * 40].assign(site_id=ids)
    grown = type(frame)([*frame.to_dict("records"), *extra.to_dict("records")])
    cand = replace(big.prepared.candidates, sites=grown)
    plan = replace(
        solution(),
        sites=(*solution().sites, *(SiteRow(i, P[0]) for i in ids)),
        it=(*solution().it, *(ItRow(i, "h", "c", P[1], 1.0, 0.0) for i in ids)),
    )
    big = replace(big, prepared=replace(big.prepared, candidates=cand), solution=plan)
    table = sites_table(big, made_of(big))
    assert len(table.rows) == 43
    assert len(table.brief().rows) == len(table.brief().places) == 12
    assert table.brief().note == "... 31 more in sites.csv"
    assert "... 31 more in sites.csv" in shown(big)
    assert len(shown(big).splitlines()) <= 53


def test_capital_and_what_stops_it():
    table = capital_table(run())
    assert [c.name for c in table.columns] == ["Capital, MUSD (real, 2026)", "2026", "2027", "2028"]
    got = cells(table)
    assert got["Available"] == (500.0, 900.0, 500.0)
    assert got["Spendable"] == (135.0, 686.0, 908.0)
    assert got["IT"] == (0, 300.0, 900.0)
    assert got["Stopped by"] == ("no price", "budget", "dated MW")
    # a year beyond all spending, after the plan's last purchase
    later = capital_table(run(budget_musd={2026: 500, 2027: 900, 2028: 500, 2029: 700}))
    assert cells(later)["Stopped by"][-1] == "horizon"
    assert "" not in cells(later)["Stopped by"]


def test_letters_that_no_candidate_is_near_are_counted_too():
    made = run()
    rows = made.prepared.layers.power_offers
    every = len(made.prepared.candidates.offers)
    frame = made.prepared.candidates.offers
    stated = type(frame)([*frame.to_dict("records"), *frame.to_dict("records")[:1]])
    assert rows is None or len(rows) == every
    layers = replace(made.prepared.layers, power_offers=stated)
    more = replace(made, prepared=replace(made.prepared, layers=layers))
    assert f"{every + 1} letter rows, {every} at POIs in reach;" in headline(more)[1]
    assert f"{every} letter rows;" in headline(made)[1]


def test_without_a_budget_there_is_no_available_row():
    assert "Available" not in cells(capital_table(run(budget_musd=None)))


def test_single_headrooms_against_the_joint():
    row = sharing_table(run(), made_of(run())).rows[0]
    # B1: letters 20 + 30; B2: layer 12 + one bought step of 20; the limit is 60 for both
    assert row == ("L", 2, 82.0, 60.0, 48.0, 2)


@pytest.mark.parametrize(
    ("pois", "limit", "joint"),
    [
        ([(100.0, 1.0)] * 7, 400.0, 400.0),
        ([(100.0, 1.0), (100.0, 0.5)], 100.0, 150.0),
        ([(100.0, 0.0), (100.0, 2.0)], 50.0, 125.0),
        ([(30.0, 1.0)], 50.0, 30.0),
        ([], 50.0, 0.0),
    ],
)
def test_joint_megawatts(pois, limit, joint):
    assert joint_mw(pois, limit) == pytest.approx(joint)


def test_the_whole_report_fits_a_screen():
    text = shown(run(names=NAMES))
    lines = text.splitlines()
    assert len(lines) <= 44
    assert max(map(len, lines)) <= 100
    for words in (
        "gap 0.20 % (0.23 % without the shortfall penalty)",
        "not utility approval",
        "not real headroom",
        "TARGET 60 ref MW by 2028-12: 50 placed, 10 short.",
        "5 looked at, 1 flood, 4 passed every test, 2 chosen, 1 existing",
        "weighted-score greedy",
        "1.500",
    ):
        assert words in " ".join(text.split()), words


@pytest.mark.parametrize("width", [100, 80, 72])
def test_a_narrow_terminal_breaks_headers_and_cuts_no_unit(width):
    head = ("Limiting line", "kV", "after loss of", "condition", "limit MW", "MUSD per MW")
    columns = tuple(
        Column(name, align="right" if "M" in name or name == "kV" else "left") for name in head
    )
    row = ("WH Westridge-Hub", 138.0, "PH", "summer peak", 100.0, 10.33)
    rows = [row, ("Q" * 28, *row[1:])]
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    print_tables(Report(("",), (Table("t", columns, tuple(rows)),), {}), console)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "\u2026" not in out.getvalue()
    assert len(lines) == (4 if width == 100 else 5)
    said = " ".join(lines[1:-2]).split()
    assert sorted(said) == sorted(word for name in head for word in name.split())


def test_names_cannot_drive_the_terminal():
    for color in (False, True):
        text = shown(run(names=NAMES), color=color)
        codes = set(re.findall("\x1b[^m]*m", text))
        assert bool(codes) is color
        assert "\x1b[31m" not in codes  # red is what the name asked for
        assert "\u202e" not in text
        assert "\x00" not in text
        assert "[red]" in text.replace("\x1b", "")
    assert visible("a\x1b[2J\u202eb\u200bc\r") == r"a\x1b[2J\x202eb\x200bc\x0d"


def test_no_color_is_obeyed(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    print_report(run(), Console(file=out, width=100, force_terminal=True))
    assert not re.search("\x1b\\[[0-9;]*3[0-7]m", out.getvalue())


def test_limits_that_bind_are_shown_once_a_kind_at_their_dearest():
    dear = Binding("headroom.limit", "B1", P[1], 32.0, "grid MW", 1.5)
    cheap = Binding("headroom.limit", "B2", P[1], 12.0, "grid MW", 0.5)
    tie = Binding("ties.cap", "N1>B1", P[1], 0.0, "grid MW", 0.4)
    got = binding_table(replace(run(), binding=(dear, cheap, tie)))
    assert got.rows == (
        ("dated grid MW at POIs", 2, "B1", P[1], 32.0, "grid MW", 1.5),
        ("tie size", 1, "N1>B1", P[1], None, "grid MW", 0.4),
    )
    # at a POI all of whose MW are letters' the row of dated MW is 0, and its limit what they bring
    letters = replace(dear, amount=0.0)
    use = LimitUse("headroom.limit", "B1", P[1], 45.0, 45.0, "grid MW", False, 1.5, 1.5)
    shown_mw = binding_table(replace(run(), binding=(letters,), limits=(use,))).rows[0][4]
    assert shown_mw == 45.0
    many = tuple(replace(dear, limit=f"limits.{i}") for i in range(7))
    assert (
        binding_table(replace(run(), binding=many)).brief().note
        == "... 3 more kinds of limits bind"
    )


def test_without_a_held_price_lp_prices_say_what_binds():
    """Whole halls leave a little of every limit: the report still names what stops the rest."""
    uses = (
        LimitUse("regions.water", "county 902", P[1], 75.0, 73.9, "ML/a", False, 3.3, 0.0),
        LimitUse("headroom.letter", "U-1", "", 150.0, 150.0, "grid MW", False, 9.9, 0.0),
        LimitUse("budget.year", "", "2027", 500.0, 499.0, "MUSD", False, 0.2, 0.0),
        LimitUse("siting.land", "N1", P[1], 80.0, 20.0, "ha", False, 0.0, 0.0),
    )
    made = replace(run(), binding=(), limits=uses)
    got = binding_table(made)
    assert got.columns[0].name == "What binds (LP, all free)"
    assert [row[0] for row in got.rows] == ["water caps of regions", "money"]
    assert "What binds: water caps of regions, money." in headline(made)[-1]
    stops = cells(capital_table(made))["Stopped by"]
    assert stops[1:] == ("budget", "water")
    held = replace(made, binding=(Binding("headroom.limit", "B1", P[1], 32.0, "grid MW", 1.5),))
    assert [row[0] for row in binding_table(held).rows] == ["dated grid MW at POIs"]


def test_seconds_are_those_of_solving():
    assert solving_seconds({"layers": 1.0, "mip": 3.0, "master": 2.0, "check": 1.0}) == 5.0
    assert solving_seconds({"layers": 1.0, "mip": 3.0, "total": 4.0}) == 4.0
    assert "; solved in 2.0 s" in shown(run())


def test_a_failed_check_is_said_first():
    text = shown(run(findings=(Finding("a.b", "x", 1, "MW", "m"),)))
    assert "CHECK FAILED: 1 finding; do not use this plan" in text
    assert "Plan checked" not in text


def test_without_a_plan_there_is_a_headline_only():
    text = shown(replace(run(), solution=None))
    assert "No plan: optimal" in text
    assert len(text.splitlines()) == 4


def test_an_earlier_run_shows_the_same(tmp_path):
    folder = write_run(run(names=NAMES), tmp_path / "r")
    assert shown(read_run(folder)) == shown(run(names=NAMES))
    (folder / "report.json").write_text("{}")
    with pytest.raises(ScenarioError, match="its report cannot be read"):
        shown(read_run(folder))


def test_a_report_goes_through_json_without_its_times():
    report = report_of(run())
    back = Report.from_json(report.to_json(), {})
    assert (back.headline, back.tables, back.seconds) == (report.headline, report.tables, {})


def test_year_ends_of_shorter_periods():
    of = run(periods={"from": "2027-04", "to": "2028-09", "step": "quarter"})
    assert [(e.label, e.period) for e in year_ends(of)] == [
        ("2027", "2027-10-01"), ("2028-09", "2028-07-01")
    ]  # fmt: skip
    years = scenario(periods={"from": "2027-07", "to": "2029-06"})
    assert [s.isoformat() for s in (years.periods.from_, years.periods.to)] == [
        "2027-07-01", "2029-06-30"
    ]  # fmt: skip
    late = year_ends(run(periods={"from": "2027-07", "to": "2029-06"}))
    assert [(e.label, e.period) for e in late] == [
        ("2027", "2027-07-01"), ("2028", "2028-07-01"), ("2029-06", "2028-07-01")
    ]  # fmt: skip


def test_many_years_are_thinned():
    assert spread(list(range(20))) == [0, 3, 5, 8, 11, 14, 16, 19]
    assert spread([1, 2]) == [1, 2]


def test_numbers_of_a_table_have_like_decimals():
    columns = (Column("a", align="left"), Column("b"), Column("c", decimals=0))

    def second(*values):
        return [r[1] for r in Table("", columns, tuple(("", v, 1234.5) for v in values)).shown()]

    assert second(1234.56, 0.4) == ["1,235", "0"]
    assert second(12.34, 0.4) == ["12.3", "0.4"]
    assert second(0.1234, None) == ["0.123", ""]
    assert second(10.0, -0.0) == ["10", "0"]
    assert Table("", columns, (("x", 1.0, 1234.5),)).shown() == [["x", "1", "1,234"]]
