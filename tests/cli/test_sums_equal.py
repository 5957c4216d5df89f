"""Every table says the same in every format, and tables that tell of the same thing agree."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from sitepick.actions import KINDS
from sitepick.cli.app import main
from tests.helpers import campus_files, everything, tables

GRID = Path(__file__).parents[2] / "scenarios" / "grid" / "sitepick.yaml"
UNIT_IN_NAME = {
    "MW": "mw", "MWh": "mwh", "MUSD": "musd", "kUSD": "kusd", "USD": "usd", "km": "km",
    "kV": "kv", "kW": "kw", "ha": "ha", "%": "pct", "months": "months", "days": "days",
    "years": "years", "year": "year", "hours": "hours", "kg": "kg", "CO2": "co2",
    "Tb/s": "tbps", "ms": "ms", "pairs": "pairs", "laterals": "laterals", "waves": "waves",
    "nodes": "nodes", "litres": "ml", "sites": "sites", "halls": "halls", "blocks": "blocks",
    "rows": "rows",
}  # fmt: skip
"""Word of a unit -> what the name of its column says for it."""
NO_UNIT_IN_NAME = {"lon", "lat", "amount", "used", "slack", "excused", "route"}
"""Degrees; limits, whose unit is a column beside them; a count of overloads beside their MW; the
number of a route."""


@dataclass(frozen=True)
class Made:
    """A run folder, its exports and what `solve --json` said."""

    run: Path
    said: dict[str, Any]
    book: dict[str, tables.Rows]  # the tables, from the GeoPackage

    @property
    def plan(self) -> dict[str, Any]:
        return json.loads((self.run / "solution.json").read_text(encoding="utf-8"))

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.run / "report.json").read_text(encoding="utf-8"))

    def kinds(self, table: str) -> dict[str, str]:
        """Return column -> type of a table, as the data dictionary says."""
        return tables.kinds_of(self.run)[table]


def call(*words: str | Path) -> str:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(word) for word in words])
    assert code == 0, err.getvalue()
    return out.getvalue()


def make(scenario: Path, folder: Path) -> Made:
    said = json.loads(call("solve", scenario, "--out", folder / "run", "--no-report", "--quiet",
                           "--json"))  # fmt: skip
    for to in ("csv", "xlsx", "gpkg", "geojson"):
        call("export", folder / "run", "--to", to, "-o", folder / f"all.{to}")
    return Made(folder / "run", said, tables.of_gpkg(folder / "run" / "plan.gpkg"))


@pytest.fixture(scope="module")
def everything_made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = everything.write(tmp_path_factory.mktemp("everything"))
    call("solve", folder / "sitepick.yaml", "--out", folder / "first", "--no-report", "--quiet")
    return make(folder / "next.yaml", folder)


@pytest.fixture(scope="module")
def campus_made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = campus_files.write(tmp_path_factory.mktemp("campus"))
    return make(folder / "sitepick.yaml", folder)


@pytest.fixture(scope="module", params=["everything", "campus", "grid"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    if request.param != "grid":
        found: Made = request.getfixturevalue(f"{request.param}_made")
        return found
    return make(GRID, tmp_path_factory.mktemp("grid"))


def test_every_table_is_the_same_in_every_format(made: Made) -> None:
    tables.assert_exports_equal(made.run, made.run.parent)


def test_rows_of_the_json_record_are_those_of_the_tables(made: Made) -> None:
    told = {"actions": made.said["actions"]}
    told["notes"] = [
        {"role": n["role"], "code": n["code"], "rows": n["count"], "message": n["message"]}
        for n in made.said["notes"]
    ]
    for table in ("campus_groups", "campus_members", "fiber_links", "fiber_edges"):
        assert (table in made.book) == bool(made.said[table]), table
        if table in made.book:
            told[table] = made.said[table]
    if made.said["baseline"] is not None:
        told["changes"] = made.said["baseline"]["changes"]
    for table, rows in told.items():
        tables.assert_same(made.book[table], rows, made.kinds(table), f"--json, {table}")


def test_names_of_columns_tell_their_unit(made: Made) -> None:
    wrong, looked = [], 0
    for row in tables.of_csv(made.run / "data_dictionary.csv"):
        file, name = row["file"], row["name"]
        if row["type"] not in ("number", "integer") or file.startswith("sitepick"):
            continue
        if name in NO_UNIT_IN_NAME or row["meaning"] == "your own column, as given":
            continue
        looked += 1
        words = row["unit"].replace(",", " ").replace("(", " ").replace(")", " ").split()
        needed = [UNIT_IN_NAME[word] for word in words if word in UNIT_IN_NAME]
        parts = set(name.split("_"))
        if not needed or not parts & {*needed, *(n.removesuffix("s") for n in needed)}:
            wrong.append((file, name, row["unit"]))
    assert looked > 100
    assert not wrong


def total(rows: tables.Rows, column: str, **where: Any) -> float:
    return sum(
        float(row[column] or 0) for row in rows if all(row[k] == v for k, v in where.items())
    )


def by(rows: tables.Rows, key: str, column: str) -> dict[str, float]:
    out: dict[str, float] = defaultdict(float)
    for row in rows:
        out[str(row[key])] += float(row[column] or 0)
    return dict(out)


def near(value: object) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-6)


def shown(made: Made, title: str) -> dict[str, list[Any]]:
    """Return a table of the report: its rows by their first cell, numbers alone."""
    table = next(t for t in made.report["tables"] if t["title"].startswith(title))
    return {
        str(row[0]).strip(): [c for c in row[1:] if isinstance(c, (int, float))]
        for row in table["rows"]
    }


def test_mw_by_date_agree_across_tables(made: Made) -> None:
    rows, plan, said = made.book["sites_by_period"], made.plan, made.said
    periods = plan["periods"]
    it = by(rows, "period", "it_mw")
    assert it == near(by(plan["it"], "period", "it_mw"))
    assert it == near(said["it_mw"])
    asked = shown(made, "Asked and placed")
    assert asked["Placed"] == near([it[p] for p in periods])
    grid = by(rows, "period", "grid_mw_peak")
    assert grid == near(said["grid_mw"])
    assert asked["Grid, design day"] == near([grid[p] for p in periods])
    stages = [name for name in made.kinds("sites_by_period")
              if name.startswith("grid_mw_") and name != "grid_mw_peak"]  # fmt: skip
    assert sum(total(rows, name) for name in stages) == near(sum(grid.values()))

    end = periods[-1]
    for table in ("sites", "candidates", "verdicts"):
        assert total(made.book[table], "it_mw") == near(it[end]), table
    assert sum(site["it_mw"] for site in said["sites"]) == near(it[end])
    assert sum(site["grid_mw"] for site in said["sites"]) == near(grid[end])
    for period in periods:
        year = period[:4]
        assert total(made.book["sites"], f"it_mw_{year}") == near(it[period])
        assert total(made.book["sites"], f"grid_mw_{year}") == near(grid[period])
    new = total(plan["grid"], "grid_mw", period=end)
    assert total(made.book["links"], "grid_mw") == near(new)
    assert total(made.book["substations"], "grid_mw") == near(new)
    assert total(rows, "facility_mw") > total(rows, "it_mw") > 0


def test_money_agrees_across_tables(made: Made) -> None:
    rows, plan, said = made.book["sites_by_period"], made.plan, made.said
    cash = made.book["cash"]
    years = by(cash, "year", "cash_musd")
    assert {y: of["total"] for y, of in said["capex_musd"].items()} == near(years)
    capital = shown(made, "Capital by calendar year")
    assert sum(capital["Spendable"]) == near(sum(years.values()))
    parts = [capital[k] for k in ("facility", "IT", "batteries", "ties, land, other")
             if k in capital]  # fmt: skip
    assert [sum(column) for column in zip(*parts, strict=True)] == near(capital["Spendable"])
    paid = by(cash, "category", "cash_musd")
    edges = made.book.get("fiber_edges_by_period", [])  # what no site carries
    laid = total(edges, "capex_musd")
    assert laid == near(total(made.book.get("fiber_edges", []), "capex_musd"))
    assert total(rows, "capex_musd") + laid == near(sum(years.values()))
    assert total(made.book["sites"], "capex_musd") + laid == near(sum(years.values()))
    spread = {name.removeprefix("capex_").removesuffix("_musd"): total(rows, name)
              for name in made.kinds("sites_by_period")
              if name.startswith("capex_") and name != "capex_musd"}  # fmt: skip
    if laid:
        spread["fiber"] += laid
    assert {k: v for k, v in spread.items() if v} == near(paid)
    due: dict[str, float] = defaultdict(float)
    for row in made.book["actions"]:
        due[KINDS[row["action"]].cash] += row["musd"] or 0.0
    assert due.pop("", 0.0) == 0
    assert {k: v for k, v in due.items() if v} == near(paid)  # land may be free

    terms = plan["npc_musd"]
    cost = sum(value for name, value in terms.items() if name != "penalty")
    assert said["net_present_cost_musd"] == near(cost)
    assert said["penalty_musd"] == near(terms["penalty"])
    assert said["objective"]["value"] == near(cost + terms["penalty"])
    if not edges:  # annuities of fiber are no site's
        assert total(made.book["sites"], "net_present_cost_musd") == near(cost)
    info = {row["item"]: row["value"] for row in made.book["run_info"]}
    assert float(info["objective_value"].split()[0]) == pytest.approx(plan["objective"], abs=1e-6)


def test_yearly_costs_are_the_terms_of_the_net_present_cost(made: Made) -> None:
    """Each yearly column times its discount factor, as docs/model.md has it."""
    from datetime import date

    from sitepick.scenario.read import read_scenario

    scenario = read_scenario(made.run / "scenario.resolved.yaml").scenario
    rate = scenario.money.discount_rate_pct / 100
    worth = {}
    for period in made.plan["periods"]:  # years, all of them
        ahead = (date.fromisoformat(period) - scenario.as_of).days / 365.25
        worth[period] = (1 + rate) ** -(ahead + 0.5)
    rows, terms = made.book["sites_by_period"], made.plan["npc_musd"]
    yearly = [n for n in made.kinds("sites_by_period") if n.endswith("_musd_per_year")]
    assert len(yearly) >= 4
    for name in yearly:
        edges = made.book.get("fiber_edges_by_period", [])
        value = sum(row.get(name, 0.0) * worth[row["period"]] for row in [*rows, *edges])
        assert value == near(terms.get(name.removesuffix("_musd_per_year"), 0.0)), name


def test_work_served_and_turned_away_agree(made: Made) -> None:
    said, plan = made.said, made.plan
    for name, key in (("serve", "served"), ("turned_away", "turned_away")):
        mine: dict[tuple[str, str], float] = defaultdict(float)
        for row in plan[name]:
            mine[row["period"], row["workload"]] += row["ref_mw"]
        told = {(p, w): mw for p, of in said[key].items() for w, mw in of.items() if mw}
        assert told == near({k: v for k, v in mine.items() if v}), key
    assert sum(sum(of.values()) for of in said["turned_away"].values()) > 0
    asked = shown(made, "Asked and placed")
    for label, values in asked.items():
        if label.startswith("Short"):
            name = label.removeprefix("Short").strip() or "it"
            assert values == near([of[name] for of in said["turned_away"].values()])
    short = {(r["period"], r["workload"]): r["short_ref_mw"] for r in said["why_turned_away"]}
    for (period, workload), mw in short.items():
        assert mw == near(said["turned_away"][period][workload])


def test_parts_of_the_plan_are_in_the_rows_of_its_sites(everything_made: Made) -> None:
    made = everything_made
    rows, said = made.book["sites_by_period"], made.said
    for name in ("onsite_mw", "onsite_firm_mw", "onsite_mean_mw"):
        assert by(rows, "period", name) == near(by(made.book["onsite"], "period", name))
        assert total(rows, name) > 0
    nonfirm = by(made.book["nonfirm"], "period", "nonfirm_grid_mw")
    assert nonfirm == near(said["nonfirm_grid_mw"])
    assert nonfirm == near(by(rows, "period", "nonfirm_grid_mw"))
    hard = by(rows, "period", "firm_grid_mw")
    assert {p: hard[p] + nonfirm[p] for p in hard} == near(said["grid_mw"])
    flexible = shown(made, "Flexible connections")
    assert flexible["non-firm"] == near(list(nonfirm.values()))
    assert total(made.book["sites"], "leased_it_mw") == near(
        total(made.book["leases"], "leased_it_mw")
    )
    assert by(rows, "period", "leased_it_mw") == near(said["leased_it_mw"])
    for period in made.plan["periods"]:
        rent = total(made.book["leases"], f"rent_musd_per_year_{period[:4]}")
        assert rent == near(total(rows, "rent_musd_per_year", period=period))
    assert shown(made, "Asked and placed")["leased"] == near(
        [total(rows, "leased_it_mw", period=p) for p in made.plan["periods"]]
    )
    used = total(made.book["letters"], "used_grid_mw")
    assert used == near(sum(offer["grid_mw"] for offer in made.plan["offers"]))
    it = [name for name in made.kinds("sites_by_period") if name in ("it_mw_gpu", "it_mw_next")]
    assert sum(total(rows, name) for name in it) == near(total(rows, "it_mw"))
    assert total(rows, "it_mw_hall") == near(total(rows, "it_mw"))
    assert total(made.book["regions"], "it_mw") == near(total(made.book["sites"], "it_mw"))
    assert total(made.book["regions"], "sites") == len(made.book["sites"])
    assert {row["site_id"] for row in made.book["changes"]} <= {
        row["site_id"] for row in made.book["sites"]
    }
    moved = total(made.book["changes"], "change_mw", what="it_mw")
    first = tables.of_csv(made.run.parent / "first" / "sites.csv")
    assert moved == near(total(rows, "it_mw") - total(first, "it_mw"))
    taken = {row["action"] for row in made.book["actions"]}
    assert taken >= {
        "accept_letter", "post_security", "pay_letter_upgrade", "order_upgrade_step",
        "sign_lease", "start_fit_out", "order_onsite", "order_battery", "enter_region",
    }  # fmt: skip


def test_groups_links_and_edges_are_those_of_the_plan(campus_made: Made) -> None:
    book, plan = campus_made.book, campus_made.plan
    for name in ("it_mw", "demand_ref_mw", "worked_ref_mw", "delivered_ref_mw"):
        assert by(book["campus_groups"], "period", name) == near(by(plan["groups"], "period", name))
    for row in book["campus_groups"]:
        asked = row["delivered_ref_mw"] + row["turned_away_ref_mw"]
        assert asked == near(row["demand_ref_mw"])
        assert row["worked_ref_mw"] * row["efficiency_pct"] / 100 == near(row["delivered_ref_mw"])
        mine = {"group": row["group"], "period": row["period"]}
        assert total(book["campus_members"], "it_mw", **mine) == near(row["it_mw"])
    short = total(book["campus_groups"], "turned_away_ref_mw")
    assert short == near(sum(
        of[name] for of in campus_made.said["turned_away"].values() for name in ("big", "small")
    ))  # fmt: skip
    links = book["fiber_links"]
    assert {row["kind"] for row in links} >= {"group", "service"}
    for period in plan["periods"]:
        carried = sum(row["tbps"] for row in plan["links"] if row["period"] == period)
        assert total(links, f"tbps_{period[:4]}") == near(carried)
        assert carried > 0
        # what links carry, edge by edge (both routes of a link that survives cuts), is their use
        over = sum(row["used_tbps"] for row in plan["edges"] if row["period"] == period)
        mine = by(book["fiber_edges_by_period"], "period", "used_tbps")[period]
        assert mine == near(over) == total(book["fiber_edges"], f"used_tbps_{period[:4]}")
        assert over == near(sum(
            row["tbps"] * len(row["edges"]) for row in plan["links"] if row["period"] == period
        ))  # fmt: skip
    for row in links:
        if row["disjoint_link_id"]:
            (other,) = (r for r in links if r["link_id"] == row["disjoint_link_id"])
            assert other["disjoint_link_id"] == row["link_id"]
            assert not set(json.loads(row["edges"])) & set(json.loads(other["edges"]))
    assert {row["service"] for row in links if row["disjoint_link_id"]} == {"south"}
    figures = ("idle_musd_per_year", "capacity_tbps", "stranded_tbps", "lit_tbps", "peak_tbps")
    edges, end = book["fiber_edges_by_period"], plan["periods"][-1]
    for name in figures:
        assert by(edges, "period", name) == near(by(plan["edges"], "period", name)), name
        last = total(edges, name, period=end)
        assert total(book["fiber_edges"], name) == near(last), name
    for row in edges:
        if row["use_pct"] is not None:
            used = row["use_pct"] / 100 * row["capacity_tbps"]
            assert used == near(row["used_tbps"])
            assert row["use_pct"] < 100.001


def test_the_report_tells_groups_links_and_edges(campus_made: Made) -> None:
    book, end = campus_made.book, campus_made.plan["periods"][-1]
    groups = shown(campus_made, "Campus groups")
    for name in ("north", "south"):
        asked = [r["demand_ref_mw"] for r in book["campus_groups"] if r["group"] == name]
        assert groups[f"{name}, asked"] == near(asked)
    titles = {t["title"]: t["rows"] for t in campus_made.report["tables"]}
    told = titles["Links over fiber"]
    assert sum(row[-1] for row in told) == near(total(book["fiber_links"], "tbps"))
    assert sum(row[4] for row in told) == near(total(book["fiber_links"], "route_km"))
    edges = titles["Fiber edges, at the horizon's end"]
    assert sum(row[4] for row in edges) == near(
        total(book["fiber_edges_by_period"], "capacity_tbps", period=end)
    )
    assert sum(row[8] for row in edges) == near(total(book["fiber_edges"], "idle_musd_per_year"))


def test_links_lie_along_their_routes(campus_made: Made) -> None:
    """Every link begins and ends at its nodes, passes the bends of its edges, and has their km."""

    def lines(name: str) -> list[dict[str, Any]]:
        path = campus_made.run / f"{name}.geojson"
        return list(json.loads(path.read_text(encoding="utf-8"))["features"])

    course = {f["properties"]["edge_id"]: f for f in lines("fiber_edges")}
    assert len(course) == len(campus_made.book["fiber_edges"]) >= 4
    bent = 0
    for link in lines("fiber_links"):
        told = link["properties"]
        (line,) = link["geometry"]["coordinates"]
        assert line[0] == list(campus_files.TOWNS[told["from_node"]])
        assert line[-1] == list(campus_files.TOWNS[told["to_node"]])
        corners = {tuple(p) for e in told["edges"] for p in course[e]["geometry"]["coordinates"][0]}
        assert set(map(tuple, line)) == corners
        km = sum(course[e]["properties"]["route_km"] for e in told["edges"])
        assert told["route_km"] == near(km)
        bent += len(line) > len(told["edges"]) + 1
    assert bent > 0


def test_the_grid_counts_what_the_sites_draw(made: Made) -> None:
    if "grid_pois" not in made.book:
        assert "grid" not in made.run.parent.name
        return
    rows, end = made.book["sites_by_period"], made.plan["periods"][-1]
    joint = total(made.book["grid_pois"], "joint_mw")
    assert joint == near(made.said["grid_mw"][end])
    assert joint == near(made.said["grid"]["joint_mw"])
    for condition in made.said["grid"]["conditions"]:
        drawn = {row["period"]: row["new_load_mw"] for row in made.book["grid_states"]
                 if row["condition"] == condition}  # fmt: skip
        assert drawn == near(by(rows, "period", "grid_mw_peak"))
    assert total(made.book["grid_upgrades"], "cost_musd") == near(
        total(made.book["cash"], "cash_musd", category="upgrades")
    )


def test_a_difference_would_be_found(everything_made: Made) -> None:
    made = everything_made
    rows, kinds = made.book["actions"], made.kinds("actions")
    for name, cell in (("musd", 4.5), ("needed", "2028-02-01"), ("late_by_days", 3),
                       ("why", "for once"), ("mw", None)):  # fmt: skip
        other = [dict(row) for row in rows]
        at = next(n for n, row in enumerate(rows) if row["mw"] and row[name] != cell)
        other[at][name] = cell
        with pytest.raises(AssertionError, match=f"elsewhere: .*{name}"):
            tables.assert_same(rows, other, kinds, "elsewhere")
    with pytest.raises(AssertionError, match="elsewhere"):
        tables.assert_same(rows, rows[:-1], kinds, "elsewhere")
