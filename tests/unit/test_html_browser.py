"""`report.html` in a headless Chromium: no complaint, no request, sites in place, a slider."""

from __future__ import annotations

import io
import json

import pytest
from helpers.big import us_run
from helpers.browser import CHROMIUM, Browser
from plan_by_hand import run
from test_html import HOSTILE, page

from sitepick.report.bokeh_json import packed
from sitepick.report.html import _ASSETS as ASSETS
from sitepick.report.html import html_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
SITES = "Bokeh.documents[0].get_model_by_name('map').renderers.find(r => r.name === 'sites')"
BLUE = (0x00, 0x72, 0xB2)  # of the first hall class


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    (folder / "report.html").write_text(html_of(page(run(names=HOSTILE))), encoding="utf-8")
    with Browser(folder / "profile") as found:
        found.open(folder / "report.html")
        yield found


def pixel(browser: Browser, x: float, y: float, reach: int = 0) -> list[tuple[int, ...]]:
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.open(io.BytesIO(browser.picture())).convert("RGB")
    return [
        image.getpixel((round(x) + i, round(y) + j))
        for i in range(-reach, reach + 1)
        for j in range(-reach, reach + 1)
    ]


def place(browser: Browser, index: int) -> tuple[float, float]:
    """Return where a site is in the window, by the scales of the map itself."""
    browser.js("document.getElementById('map').scrollIntoView()")
    browser.settle()
    code = f"""(() => {{
      const plot = Bokeh.documents[0].get_model_by_name('map');
      const view = Bokeh.index.get_by_id(plot.id);
      const frame = view.frame;
      const data = {SITES}.data_source.data;
      const box = document.getElementById('map').getBoundingClientRect();
      return [box.x + frame.x_scale.compute(data.x[{index}]),
              box.y + frame.y_scale.compute(data.y[{index}])];
    }})()"""
    x, y = browser.js(code)
    return x, y


def near(colour, wanted) -> bool:
    return all(abs(a - b) < 45 for a, b in zip(colour, wanted, strict=True))


def slide(browser: Browser, t: int) -> None:
    browser.js(
        f"(() => {{const s = document.getElementById('period'); s.value = {t};"
        "s.dispatchEvent(new Event('input'));})()"
    )
    browser.settle()


def test_nothing_is_complained_of_or_asked_for(browser):
    assert browser.complaints() == []
    assert browser.requests() == []


def test_a_request_would_be_seen(browser, tmp_path):
    """The same page with an image from a server: the policy and the list of requests notice."""
    text = html_of(page(run())).replace("<h1>", '<img src="http://127.0.0.1:9/a.png"><h1>')
    (tmp_path / "bad.html").write_text(text, encoding="utf-8")
    with Browser(tmp_path / "profile") as other:
        other.open(tmp_path / "bad.html")
        assert any("Content Security Policy" in told for told in other.complaints())


def test_sites_are_where_they_are(browser):
    for index in range(3):
        x, y = place(browser, index)
        found = pixel(browser, x, y, reach=7)
        assert sum(near(c, BLUE) for c in found) > 0.3 * len(found)
    x, y = place(browser, 0)
    assert not any(near(c, BLUE) for c in pixel(browser, x + 60, y, reach=3))


def test_the_slider_changes_megawatts(browser):
    slide(browser, 0)
    data = browser.js(f"{SITES}.data_source.data")
    assert (data["it_now"], data["grid_now"][0]) == (["10", "0", "10"], "12")
    assert browser.js("document.getElementById('period-name').textContent") == "2027"
    assert "2 sites with 20 IT MW, 27 grid MW" in browser.js(
        "document.getElementById('standing').textContent"
    )
    small = data["size"]
    x, y = place(browser, 1)
    assert not any(near(c, BLUE) for c in pixel(browser, x + 7, y))
    slide(browser, 1)
    data = browser.js(f"{SITES}.data_source.data")
    assert data["it_now"] == ["20", "20", "10"]
    assert data["class"] == ["h", "h", "h"]
    assert data["size"][0] / small[0] == pytest.approx(2**0.5)
    assert any(near(c, BLUE) for c in pixel(browser, x + 12, y, reach=2))


def test_a_row_of_a_table_shows_on_the_map(browser):
    browser.js("document.querySelector('tr[data-place=\"site:N2\"]').click()")
    browser.settle()
    assert browser.js(f"{SITES}.data_source.selected.indices") == [1]
    assert browser.js("document.querySelector('tr.on').dataset.place") == "site:N2"
    assert HOSTILE["N2"] in browser.js("document.getElementById('chosen').textContent")
    # and a site of the map in the table
    x, y = place(browser, 0)
    browser.click(x, y)
    browser.settle()
    assert browser.js("document.querySelector('tr.on').dataset.place") == "site:N1"


def test_hover_tells_with_units_and_names_stay_names(browser):
    slide(browser, 1)
    x, y = place(browser, 0)
    browser.mouse(x + 2, y)
    browser.settle()
    code = """(() => {
      const words = [];
      const walk = (node) => {
        if (node.shadowRoot) walk(node.shadowRoot);
        if (node.classList && node.classList.contains('bk-Tooltip')) words.push(node);
        for (const child of node.children || []) walk(child);
      };
      walk(document.body);
      const text = (node) => [...(node.shadowRoot ? node.shadowRoot.childNodes : []),
        ...node.childNodes].map((n) => n.nodeType === 3 ? n.data
          : n.nodeName === 'STYLE' ? '' : text(n)).join(' ');
      return words.map(text).join(' ');
    })()"""
    told = " ".join(browser.js(code).split())
    assert "20 MW" in told
    assert HOSTILE["N1"] in told
    assert browser.complaints() == []


def test_long_lists_are_whole_again(browser):
    """What is packed for size is unpacked by the page's own script."""
    long = ["unknown", None, "1 MW", "unknown"] * 400
    record = json.dumps({"data": [packed(long), packed(long[:40])]})
    assert len(record) < len(json.dumps(long))
    source = (ASSETS / "page.js").read_text(encoding="utf-8")
    start = source.index("const whole = ")
    code = source[start : source.index("};", start) + 2]
    found = browser.js(f"(() => {{ {code} return whole({record}); }})()")
    assert found == {"data": [long, long[:40]]}


def test_names_of_cities_give_way_to_sites(browser):
    """A name is not drawn where a symbol of a site is, and comes back when it has room."""
    slide(browser, 1)
    moved = """(() => {
      const plot = Bokeh.documents[0].get_model_by_name('map');
      const of = (name) => plot.renderers.find((r) => r.name === name).data_source;
      const cities = of('cities'), sites = of('sites').data, before = cities.data;
      const named = () => {
        document.getElementById('period').dispatchEvent(new Event('input'));
        return Array.from(cities.data.name).filter(Boolean).length;
      };
      const put = (shift) => {
        cities.data = {...cities.data, x: Array.from(before.x, () => sites.x[0] + shift),
          y: Array.from(before.y, () => sites.y[0] + shift)};
        return named();
      };
      const far = plot.x_range.end - plot.x_range.start;
      const counts = [before.x.length > 0, put(0), put(far)];
      cities.data = {...cities.data, x: before.x, y: before.y};
      named();
      return counts;
    })()"""
    # all on one spot: under a site none has room, far from all sites the first of them has
    assert browser.js(moved) == [True, 0, 1]
    assert browser.complaints() == []


def test_a_place_is_found_by_name(browser):
    browser.js(
        "(() => {const w = document.getElementById('wanted'); w.value = 'ONMOUSEOVER';"
        "w.dispatchEvent(new Event('input'));})()"
    )
    assert browser.js("document.getElementById('found').children.length") == 1
    browser.js("document.querySelector('#found button').click()")
    browser.settle()
    assert "flood zone AE" in browser.js("document.getElementById('chosen').textContent")


def test_groups_can_be_hidden(browser):
    box = "document.querySelector('input[data-group=\"ties\"]')"
    visible = (
        "Bokeh.documents[0].get_model_by_name('map').renderers"
        ".filter(r => r.name === 'ties').map(r => r.visible)"
    )
    assert browser.js(visible) == [True]
    browser.js(f"{box}.click()")
    assert browser.js(visible) == [False]
    browser.js(f"{box}.click()")
    assert browser.js(visible) == [True]


def test_it_fits_a_laptop_and_prints(browser):
    assert browser.js("document.documentElement.scrollWidth") <= 1366
    charts = json.loads(
        browser.js("""JSON.stringify([...document.querySelectorAll('.plot')].map(
      (p) => p.firstElementChild ? p.firstElementChild.getBoundingClientRect().height : 0))""")
    )
    assert charts
    assert min(charts) > 300
    paper = browser.pdf()
    assert paper.startswith(b"%PDF")
    assert 2 <= paper.count(b"/Type /Page\n") <= 8


def test_the_us_opens(tmp_path):
    (tmp_path / "us.html").write_text(html_of(page(us_run(41_000, 5_000))), encoding="utf-8")
    with Browser(tmp_path / "profile") as found:
        found.open(tmp_path / "us.html")
        assert found.complaints() == []
        assert found.js("document.querySelectorAll('canvas').length") >= 0
        x, y = place(found, 0)
        assert any(near(c, BLUE) for c in pixel(found, x, y, reach=9))
