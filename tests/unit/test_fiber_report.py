"""Groups and links on the page and in the layers: names stay names, lines follow their routes."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers import campus_files, fibers, listed
from helpers.browser import CHROMIUM, Browser
from test_html import Reader, page

from sitepick import pipeline
from sitepick.exports.fiber_lines import line_along
from sitepick.exports.folder import write_run
from sitepick.exports.kml_out import kml_text
from sitepick.exports.sheets import run_sheets
from sitepick.exports.styles import style_of
from sitepick.report import colours, draw_map
from sitepick.report.build import report_of
from sitepick.report.html import html_of
from sitepick.report.page import Page
from sitepick.run import Run

EVIL = '<img src=x onerror="alert(7)">'


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the small world of groups, one of which has a name that would be markup."""
    folder = campus_files.write(tmp_path_factory.mktemp("campus"))
    path = folder / "sitepick.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("name: south", f"name: {json.dumps(EVIL)}"), encoding="utf-8")
    return pipeline.solve(pipeline.prepare(pipeline.load(Path(path))))


@pytest.fixture(scope="module")
def shown(solved: Run) -> Page:
    return page(solved)


def test_the_map_draws_every_link_along_its_route(solved: Run, shown: Page) -> None:
    assert solved.solution is not None
    assert shown.plan_map is not None
    drawn = shown.plan_map.links
    planned = {(r.service, r.from_node, r.to_node, r.route) for r in solved.solution.links}
    assert len(drawn["name"]) == len(planned) >= 6
    (second,) = (i for i, partner in enumerate(drawn["partner"]) if partner)
    assert drawn["service"][second] == EVIL
    for part, km in zip(drawn["part"], drawn["km"], strict=True):
        lon, lat = np.radians(np.array(part).reshape(-1, 2)).T
        # degrees as km on a sphere, near enough to tell a route from a straight line
        flat = np.hypot(np.diff(lon) * np.cos(lat[:-1]), np.diff(lat)).sum() * 6371
        assert flat == pytest.approx(km, rel=0.01)
    assert len(colours.link_looks(drawn["service"])) == len({r[0] for r in planned})


def test_members_and_links_are_settled_before_their_sites_and_pairs(solved: Run) -> None:
    prepared, plan = solved.prepared, solved.solution
    assert plan is not None
    rows = listed.table(prepared, plan)
    assert listed.wrong(prepared, plan, rows) == []
    joined = {r["site_id"] for r in rows if r["action"] == "join_group"}
    assert joined == {m.site_id for m in plan.members}
    opened = {s.site_id for s in plan.sites if s.opened is not None}
    assert {r["lead_months"] for r in rows if r["site_id"] in opened & joined
            and r["action"] == "join_group"} == {"12"}  # fmt: skip
    ends = {f"{r.service}: {r.from_node} - {r.to_node}" for r in plan.links if r.rtt_ms
            and r.service in {g.group for g in plan.groups}}  # fmt: skip
    assert {r["item"] for r in rows if r["action"] == "link_nodes"} == ends


def test_links_on_the_map_tell_what_they_carry_in_every_period(solved: Run, shown: Page) -> None:
    assert shown.plan_map is not None
    assert solved.solution is not None
    drawn, periods = shown.plan_map.links, solved.solution.periods
    carried: dict[tuple[str, int, str], float] = defaultdict(float)
    for row in solved.solution.links:
        carried[row.service, row.route, row.period] += row.tbps
    for service, route in {key[:2] for key in carried}:
        rows = [i for i, name in enumerate(drawn["service"])
                if (name, drawn["route"][i]) == (service, route)]  # fmt: skip
        for t, period in enumerate(periods):
            told = sum(drawn["by_period"][i][t] for i in rows)
            assert told == pytest.approx(carried[service, route, period], abs=1e-3)
    assert any(len(set(of)) > 1 for of in drawn["by_period"])


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_slider_moves_the_links(shown: Page, tmp_path: Path) -> None:
    """A link that carries nothing yet is faint, and what it carries is told by date."""
    assert shown.plan_map is not None
    links = {**shown.plan_map.links}
    idle = links["service"].index("north")
    links["by_period"] = [[0.0, *of[1:]] if i == idle else of
                          for i, of in enumerate(links["by_period"])]  # fmt: skip
    later = replace(shown, plan_map=replace(shown.plan_map, links=links))
    (tmp_path / "report.html").write_text(html_of(later), encoding="utf-8")
    code = """(() => {
      const slider = document.getElementById('period');
      slider.value = %d;
      slider.dispatchEvent(new Event('input'));
      return Bokeh.documents[0].get_model_by_name('map').renderers
        .filter(r => r.name === 'links')
        .flatMap(r => Array.from(r.data_source.data.tbps).map((tbps, i) => [
          r.data_source.data.service[i], tbps, r.data_source.data.alpha[i]]));
    })()"""
    with Browser(tmp_path / "profile") as browser:
        browser.open(tmp_path / "report.html")
        first, last = ([row for row in browser.js(code % t) if row[0] == "north"] for t in (0, 2))
        text = browser.js("document.getElementById('standing').textContent")
    assert ["north", "0 Tb/s", draw_map.IDLE_LINK] in first
    want = {f"{max(of):.4f}".rstrip("0") + " Tb/s" for i, of in enumerate(links["by_period"])
            if links["service"][i] == "north"}  # fmt: skip
    assert {row[1] for row in last} == want
    assert {row[2] for row in last} == {1}
    assert re.search(r"routes? over fiber in use$", text)


def test_names_of_groups_stay_names(shown: Page) -> None:
    text = html_of(shown)
    assert "<img" not in text
    seen = Reader(text)
    assert seen.words.count(EVIL) >= 3  # the legend, and the tables of groups and links
    data = re.search(r'id="page-data">(.*?)</script>', text, re.S)
    assert data is not None
    assert "<" not in data[1]
    assert EVIL in json.dumps(json.loads(data[1])).replace('\\"', '"')


def test_members_have_the_number_of_their_site(shown: Page) -> None:
    sites = next(t for t in shown.tables if "sites, IT MW" in t.title)
    groups = next(t for t in shown.tables if t.title.startswith("Campus groups"))
    number = {place: str(i) for i, place in enumerate(sites.places, start=1)}
    rows = Reader(html_of(shown)).rows
    for place, cells in zip(groups.places, groups.shown(), strict=True):
        assert [number.get(place, ""), *cells] in rows
    assert set(number) & set(groups.places)


def test_groups_without_a_fiber_layer_have_no_links_and_say_so(solved: Run) -> None:
    assert solved.solution is not None
    bare = replace(solved.prepared.candidates, fiber=None)
    plan = replace(solved.solution, links=(), edges=(), pairs=(), light=(), waves=(), builds=())
    run = replace(solved, prepared=replace(solved.prepared, candidates=bare), solution=plan)
    told = {t.title: t for t in report_of(run).tables}
    assert "routes and traffic are unknown" in told["Campus groups, at 31 December"].note
    assert "Links over fiber" not in told
    names = {sheet.name for sheet in run_sheets(run)}
    assert {"campus_groups", "campus_members"} <= names
    assert not {"fiber_links", "fiber_edges", "fiber_edges_by_period"} & names


def test_a_page_goes_through_json_and_an_older_one_has_no_links(shown: Page) -> None:
    assert Page.from_json(shown.to_json()) == shown
    record = json.loads(shown.to_json())
    del record["plan_map"]["links"]
    older = Page.from_json(json.dumps(record))
    assert older.plan_map is not None
    assert older.plan_map.links == {}
    assert "links over fiber" not in Reader(html_of(older)).words


def test_layers_of_links_and_edges_have_their_look(solved: Run) -> None:
    sheets = {sheet.name: sheet for sheet in run_sheets(solved)}
    links = style_of(sheets["fiber_links"])
    assert links is not None
    assert (links.how, links.column) == ("category", "service")
    assert {c.value for c in links.classes} == {r["service"] for r in sheets["fiber_links"].rows}
    edges = style_of(sheets["fiber_edges"])
    assert edges is not None
    assert edges.column == "peak_use_pct"
    for name in ("fiber_links", "fiber_edges"):
        assert all(shape is not None for shape in sheets[name].geometry or ())
        assert f'<Folder id="{name}">' in kml_text(list(sheets.values()))
    assert sheets["campus_groups"].shape is None


def test_the_picture_of_the_docs_is_drawn_from_a_run(
    solved: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    import make_fiber_picture

    text = make_fiber_picture.draw(write_run(solved, tmp_path / "run", html=False))
    picture = ElementTree.fromstring(text)
    words = [e.text or "" for e in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert any(line.startswith(f"{EVIL} (hub): 2 sites deliver") for line in words)
    assert solved.solution is not None
    last = solved.solution.periods[-1]
    members = [m for m in solved.solution.members if m.period == last]
    circles = list(picture.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == len(members) == sum("IT MW" in line for line in words)
    assert text.count("stroke-dasharray") == 1


def test_a_route_runs_along_edges_both_ways_and_is_cut_at_180_degrees() -> None:
    net = fibers.network(("ab", "A", "B", 12.0), ("cb", "C", "B", 12.0))
    a, b, c = ([float(net.lon[k]), float(net.lat[k])] for k in range(3))
    there = line_along(net, "A", ("ab", "cb"))
    assert there is not None
    assert there["coordinates"] == [[a, b, c]]
    back = line_along(net, "C", ("cb", "ab"))
    assert back is not None
    assert back["coordinates"] == [[c, b, a]]
    across = fibers.network(("ab", "A", "B", 200.0))
    across.line[0][:] = [[179.0, 10.0], [-179.0, 10.0]]
    cut = line_along(across, "A", ("ab",))
    assert cut is not None
    assert cut["coordinates"] == [[[179.0, 10.0], [180.0, 10.0]], [[-180.0, 10.0], [-179.0, 10.0]]]
    across.line[0][:] = np.nan
    assert line_along(across, "A", ("ab",)) is None
