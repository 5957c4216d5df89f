"""`report.html` as text: what it says, that names stay names, its bytes and its size."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pytest
from helpers.big import us_run
from plan_by_hand import P, run
from shapely.geometry import LineString, Point, Polygon, box

from sitepick import pipeline
from sitepick.dispatch.result import GridResult, Limiting
from sitepick.errors import ScenarioError
from sitepick.exports.folder import read_run, write_run
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheets import run_sheets
from sitepick.exports.simplify import parts_of, within
from sitepick.finding import Finding
from sitepick.report import colours
from sitepick.report.build import report_of
from sitepick.report.charts import charts_of
from sitepick.report.html import html_of
from sitepick.report.page import Page, page_of
from sitepick.report.places import map_of
from sitepick.report.stored import page_text, write_page
from sitepick.run import LimitUse, Run, Verdict
from sitepick.solution import OnsiteRow

HOSTILE = {
    "C1": "<script>alert(1)</script>", "N1": "</script><script>alert(2)</script>",
    "N2": "\"><img src=x onerror=alert(3)>", "R1": "' onmouseover='alert(4)", "X1": "a&b<!--\u2028",
}  # fmt: skip


def page(of: Run) -> Page:
    made = SiteRows(of.prepared.scenario, of.prepared.candidates, of.solution)
    return page_of(of, report_of(of, made), run_sheets(of, made), made)


class Reader(HTMLParser):
    """Elements, their attributes and the texts of a page, as a browser would take them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.words = ""
        self._code = self._cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._code = tag in ("script", "style")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        self._code = False
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data):
        if not self._code:
            self.words += data
            if self._cell:
                self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def plain_page() -> Page:
    return page(run())


@pytest.fixture(scope="module")
def plain_text(plain_page: Page) -> str:
    return html_of(plain_page)


@pytest.fixture(scope="module")
def flexible_run() -> Run:
    """Return the example with flexible connections, solved."""
    example = Path(__file__).parents[2] / "scenarios" / "flexible" / "sitepick.yaml"
    return pipeline.solve(pipeline.prepare(pipeline.load(example)))


def series(of: Page, title: str) -> dict[str, tuple[float, ...]]:
    chart = next(c for c in of.charts if c.title == title)
    return {s.name: s.values for s in chart.series}


def test_charts_show_the_figures_of_the_tables(plain_page):
    assert series(plain_page, "MW by date") == {
        "IT MW (servers)": (20.0, 50.0), "facility MW (with cooling)": (24.0, 60.0),
        "grid MW (contracted)": (27.0, 63.0),
    }  # fmt: skip
    assert series(plain_page, "Grid MW by letter stage") == {
        "energised": (15.0, 15.0), "signed": (0.0, 20.0), "studied": (0.0, 12.0),
        "published": (12.0, 12.0), "assumed": (0.0, 4.0),
    }  # fmt: skip
    money = series(plain_page, "Capital by calendar year")
    assert money["budget"] == (500.0, 900.0, 500.0)
    assert money["IT hardware"] == (0.0, 300.0, 900.0)
    assert sum(v[1] for k, v in money.items() if k != "budget") == pytest.approx(686)
    assert series(plain_page, "Turned-away work") == {"train": (40.0, 10.0)}
    assert series(plain_page, "Density: IT MW by hall class") == {
        "h (100 kW per rack)": (20.0, 50.0)
    }
    binds = next(c for c in plain_page.charts if c.title == "What binds, dearest first")
    assert binds.series[0].values == (1.5, 0.2)
    assert binds.ticks[0] == "dated grid MW at POIs B1 2028-01, per grid MW"


def test_power_mix_is_drawn_where_it_is_mixed(plain_page):
    assert "Power mix" not in {c.title for c in plain_page.charts}
    of = run()
    made = SiteRows(of.prepared.scenario, of.prepared.candidates, of.solution)
    onsite = (OnsiteRow("N1", "engine", P[1], 2.0, 10.0, 8.0, 6.0, 2.0, 0.0),)
    made.solution = replace(of.solution, onsite=onsite)
    mixed = replace(plain_page, charts=charts_of(of, made))
    assert series(mixed, "Power mix") == {
        "grid, firm": (27.0, 63.0), "on site: engine": (0.0, 8.0)
    }  # fmt: skip
    assert series(mixed, "On-site power") == {"engine": (0.0, 6.0)}


def test_non_firm_megawatts_are_told_apart(flexible_run):
    mixed = series(page(flexible_run), "Power mix")
    total = series(page(flexible_run), "MW by date")["grid MW (contracted)"]
    assert max(mixed["grid, non-firm"]) > 1
    assert [a + b for a, b in zip(mixed["grid, firm"], mixed["grid, non-firm"], strict=True)] == (
        pytest.approx(list(total))
    )


def test_the_map_has_every_place_with_its_verdict(plain_page):
    found = plain_page.plan_map
    assert found.sites["id"] == ["N1", "N2", "X1"]
    assert found.sites["it_mw"] == [[10.0, 20.0], [0.0, 20.0], [10.0, 10.0]]
    assert found.sites["hall"] == [[0, 0], [-1, 0], [0, 0]]
    assert found.candidates["id"] == ["C1", "N1", "N2", "X1", "R1"]  # rejected ones are drawn last
    assert "40 % lies in flood zone AE" in found.candidates["why"][-1]
    assert found.candidates["verdict"] == [
        "not_chosen", "chosen", "chosen", "existing", "rejected"
    ]  # fmt: skip
    assert found.substations["headroom_mw"] == [12.0, None, 0.0]
    assert len(found.ties) == 2  # the other two have no length
    assert found.outlines


def test_the_page_says_what_the_terminal_says(plain_page, plain_text):
    said = Reader(plain_text)
    sites = next(t for t in plain_page.tables if t.title.startswith("3 sites"))
    number = {place: str(i) for i, place in enumerate(sites.places, start=1)}
    for table in plain_page.tables:
        head = [c.name for c in table.columns]
        numbered = ["No."] if number.keys() & set(table.places) else []
        assert [*numbered, *head] in said.rows
        for place, row in zip_longest(table.places, table.shown()):
            assert [*([number.get(place, "")] if numbered else []), *row] in said.rows
    for words in ("not real headroom", "no utility has approved anything", "TARGET 60 ref MW",
                  "Headrooms of 1 of 3 substations are estimates", "ab" * 32, "PTDF", "N-1",
                  "no agreement secures: published"):  # fmt: skip
        assert words in said.words, words


def test_names_stay_names():
    of = run(names=HOSTILE)
    cand = of.prepared.candidates
    evil = '<svg onload="alert(5)">'
    pois = cand.pois.assign(name=[evil] * len(cand.pois))
    cand = replace(cand, pois=pois, failed=cand.failed.assign(message=[evil] * len(cand.failed)))
    text = html_of(page(replace(of, prepared=replace(of.prepared, candidates=cand))))
    plain = Reader(html_of(page(run())))
    seen = Reader(text)
    tags = [tag for tag, _ in seen.elements]
    assert tags == [tag for tag, _ in plain.elements]
    names = {name for _, attributes in seen.elements for name in attributes}
    assert not {n for n in names if n.startswith("on")}
    for name in ("N1", "N2", "X1"):
        assert HOSTILE[name].replace("\u2028", "") in seen.words.replace("\u2028", "")
    data = re.search(r'id="page-data">(.*?)</script>', text, re.S)[1]
    assert "<" not in data
    assert "\u2028" not in data
    assert evil in json.dumps(json.loads(data)).replace('\\"', '"')
    for markup in ("<script>alert", "<img", "<svg onload", "</script><script>alert"):
        assert markup not in text


def test_no_address_is_asked_for(plain_text):
    said = Reader(plain_text)
    policy = next(
        a["content"] for tag, a in said.elements if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'unsafe-eval' 'sha256-")
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    for tag, attributes in said.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert not {"src", "srcset", "data", "action"} & attributes.keys()
        assert attributes.get("href", "#").startswith("#")


def test_the_same_run_gives_the_same_page(plain_text):
    time.sleep(0.01)
    assert html_of(page(run())) == plain_text
    assert str(time.localtime().tm_year) + "-" not in Reader(plain_text).words.replace("2026-", "")


def test_a_page_goes_through_json(plain_page):
    back = Page.from_json(plain_page.to_json())
    assert back == plain_page
    with pytest.raises(ValueError, match="another version"):
        Page.from_json('{"schema": 0}')


def test_a_failed_check_is_said_first():
    of = page(run(findings=(Finding("a.b", "<x>", 1, "MW", "m"),)))
    assert of.warnings[0] == "The check found 1 faults. Do not use this plan."
    assert 'class="warnings failed"' in html_of(of)


def test_places_without_coordinates_have_no_map():
    of = run()
    cand = of.prepared.candidates
    nowhere = cand.sites.assign(lon=float("nan"), lat=float("nan"))
    prepared = replace(of.prepared, candidates=replace(cand, sites=nowhere))
    drawn = page(replace(of, prepared=prepared))
    assert drawn.plan_map is None
    assert "have no coordinates" in html_of(drawn)


def test_a_rejected_place_far_away_does_not_widen_the_map():
    of = run()
    cand = of.prepared.candidates
    sites = cand.sites.copy()
    sites.loc[sites["site_id"] == "R1", ["lon", "lat"]] = (0.0, 0.0)
    prepared = replace(of.prepared, candidates=replace(cand, sites=sites))
    west, south, east, north = page(replace(of, prepared=prepared)).plan_map.extent
    assert (west, south, east, north) == pytest.approx((-97.5, 30.9, -96.9, 31.5))


def test_lines_and_exclusions_are_light():
    wiggle = LineString([(x / 1000, (x % 2) * 1e-5) for x in range(1000)])
    ring = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], holes=[[(0.4, 0.4), (0.6, 0.4), (0.5, 0.6)]])
    got = parts_of([wiggle, ring, None, box(50, 50, 51, 51)], (-1, -1, 2, 2), 0.001)
    assert [len(p) // 2 for p in got] == [2, 5, 4]
    classes = [("500", [[0.0] * 20]), ("345", [[0.0] * 60]), ("230", [[0.0] * 60])]
    assert within(classes, 45) == ([0, 1], 40)


def test_branches_that_limit_are_drawn_between_their_substations():
    of = run()
    nan = float("nan")
    grid = SimpleNamespace(
        branch_ids=("AB", "BC"), from_bus=[0, 1], to_bus=[1, 2], bus_lon=[-97.0, nan, nan],
        bus_lat=[31.0, nan, nan], poi_ids=("B1",), poi_of_bus=[-1, 0, -1],
    )  # fmt: skip
    pois = gpd.GeoDataFrame({"poi_id": ["B1"]}, geometry=[Point(-97.15, 31.1)], crs="EPSG:4326")
    limits = [
        Limiting("all", P[1], name, 138.0, "base", 100.0, False, 2.0 - i)
        for i, name in enumerate(("AB", "BC", "corridor", "AB"))
    ]
    told = GridResult((), tuple(limits), (), (), 3, (), False, True)
    prepared = replace(
        of.prepared, study=SimpleNamespace(grid=grid), layers=replace(of.prepared.layers, pois=pois)
    )
    plain = page(of)
    made = SiteRows(of.prepared.scenario, of.prepared.candidates, of.solution)
    sheets = {s.name: s for s in run_sheets(of, made)}
    drawn = map_of(replace(of, prepared=prepared, grid=told), made, sheets)
    assert drawn.limiting == [[-97.0, 31.0, -97.15, 31.1]]  # C has no place, a corridor no branch
    assert "branches that limit" in html_of(replace(plain, plan_map=drawn))
    assert "branches that limit" not in html_of(plain)


def test_excluded_areas_are_drawn_unless_they_are_too_many():
    of = run()
    rules = gpd.GeoDataFrame(
        {"name": ["park", "back"], "buffer_km": [0.0, 0.0], "include": [False, True]},
        geometry=[box(-97.2, 31.0, -97.1, 31.1), box(-97.4, 31.0, -97.3, 31.1)], crs="EPSG:4326",
    )  # fmt: skip
    layers = replace(of.prepared.layers, exclusions=rules)
    drawn = page(replace(of, prepared=replace(of.prepared, layers=layers)))
    assert len(drawn.plan_map.exclusions) == 1
    assert "excluded areas" in html_of(drawn)


@pytest.mark.parametrize(
    ("mw", "words"),
    [(None, "unknown headroom"), (0.0, "no headroom"), (-5.0, "no headroom"),
     (1.0, "up to 100 MW"), (100.0, "100 to 300 MW"), (5000.0, "300 MW and more")],
)  # fmt: skip
def test_headroom_classes(mw, words):
    assert colours.HEADROOM[colours.headroom_class(mw)][1] == words


def test_a_run_of_the_size_of_the_us():
    of = us_run(41_000, 40_000)
    made = SiteRows(of.prepared.scenario, of.prepared.candidates, of.solution)
    report, sheets = report_of(of, made), run_sheets(of, made)
    began = time.process_time()
    drawn = page_of(of, report, sheets, made)
    text = html_of(drawn)
    assert time.process_time() - began < 20
    assert len(text.encode()) < 8e6
    assert len(drawn.plan_map.candidates["id"]) == 41_005
    assert drawn.plan_map.said == ("lines 230 kV, 115 to 161 kV, below 100 kV",)
    assert "Not drawn: lines 230 kV" in text


def test_a_page_is_drawn_again_from_its_folder(tmp_path):
    folder = write_run(run(names=HOSTILE), tmp_path / "r", html=False)
    assert not (folder / "report.html").exists()
    text = page_text(read_run(folder))
    whole = write_run(run(names=HOSTILE), tmp_path / "s")
    assert (whole / "report.html").read_text(encoding="utf-8") == text
    write_page(text, tmp_path / "deep" / "a.html")
    with pytest.raises(ScenarioError, match="add --force"):
        write_page(text, tmp_path / "deep" / "a.html")
    with pytest.raises(ScenarioError, match="is a folder"):
        write_page(text, tmp_path / "deep", force=True)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.html"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(schema=9), "another version"),
        (lambda r: r["plan_map"].pop("sites"), "cannot be drawn"),
        (lambda r: r["plan_map"]["candidates"].update(lon=3), "cannot be drawn"),
        (lambda r: r.update(name=None), "cannot be drawn"),
        (lambda r: r["charts"][0].update(series=[{}]), "cannot be drawn"),
    ],
)
def test_a_damaged_page_is_refused_without_a_traceback(tmp_path, change, words):
    folder = write_run(run(), tmp_path / "r", html=False)
    record = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    change(record)
    (folder / "page.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ScenarioError, match=words):
        page_text(read_run(folder))
    (folder / "page.json").unlink()
    with pytest.raises(ScenarioError, match="solve again"):
        page_text(read_run(folder))


def test_limits_have_both_prices_and_places_that_are_blocked_their_own_symbol(plain_page):
    of = run()
    use = [
        LimitUse("headroom.limit", "B1", P[1], 32.0, 32.0, "grid MW", False, 1.5, 0.25),
        LimitUse("budget.year", "", "2027", 900.0, 686.0, "MUSD", False, 0.0, None),
        LimitUse("regions.min_it", "TX", P[1], 10.0, 14.0, "IT MW", True, None, 2.0),
    ]
    verdict = Verdict("C1", "blocked", "B1 is full", estimate_musd=12.34, proven_musd=3.0)
    drawn = page(replace(of, limits=tuple(use), verdicts=(verdict,)))
    table = drawn.tables[-1]
    assert [row[0] for row in table.rows] == ["least IT MW of regions", "dated grid MW at POIs"]
    assert table.rows[0][3:] == ("10.0", "4.0", "IT MW", None, 2.0)
    assert table.rows[1][3:] == ("32.0", "0.0", "grid MW", 1.5, 0.25)
    assert drawn.tables[-2].title == "What binds, by date"  # as `explain` tells it
    found = drawn.plan_map.candidates
    at = found["id"].index("C1")
    assert [found[k][at] for k in ("verdict", "why", "estimate_musd", "proven_musd")] == [
        "blocked", "B1 is full", 12.3, 3.0
    ]  # fmt: skip
    assert "blocked by shared limits" in html_of(drawn)
    assert "blocked by shared limits" not in html_of(plain_page)
