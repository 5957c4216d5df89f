"""The JSON Schema for editors and the reference page, both made from the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sitepick.scenario.document import main, scenario_reference
from sitepick.scenario.json_schema import json_schema
from sitepick.scenario.messages import all_paths, yaml_keys
from sitepick.scenario.schema import Scenario
from sitepick.scenario.yaml_tree import parse

ROOT = Path(__file__).parent.parent.parent
STARTER = ROOT / "tests" / "data" / "scenario" / "starter.yaml"


def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft7Validator.check_schema(json_schema())
    return jsonschema.Draft7Validator(json_schema())


def starter(**changes: Any) -> dict[str, Any]:
    tree: dict[str, Any] = parse(STARTER.read_text(encoding="utf-8"), "starter").plain()
    return {**tree, **changes}


def test_the_schema_is_draft_07_and_whole() -> None:
    schema = json_schema()
    text = json.dumps(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$defs" not in text
    used = {part.split('"')[0] for part in text.split("#/definitions/")[1:]}
    assert used <= set(schema["definitions"])
    assert set(schema["properties"]) == {*yaml_keys(Scenario), "extends"}


def test_every_key_has_a_title_and_a_description() -> None:
    schema = json_schema()
    for section in [schema, *schema["definitions"].values()]:
        for key, node in section.get("properties", {}).items():
            assert node["title"].split(" ")[0] == key
            assert node.get("description"), key


def test_titles_carry_the_unit() -> None:
    power = json_schema()["definitions"]["Power"]["properties"]
    assert power["tie_km_max"]["title"] == "tie_km_max (km)"
    assert power["energy_usd_per_mwh"]["title"] == "energy_usd_per_mwh (USD per MWh)"
    assert "from" in json_schema()["definitions"]["Periods"]["properties"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": 5},
        {"halls": "none"},
        {"extends": "base.yaml"},
        {"candidates": {"max_it_mw_per_site": "500 MW"}},
        {"demand": {"it_mw": 300}},
        {"regions": {"rules": [{"ids": [48, "NO"], "max_it_mw": {"2027-03": 5}}]}},
        {"power": {"count_stages": "signed", "tie_musd_per_km": {"138": 2}}},
        {"hardware": ["h100", {"id": "x", "kw_per_rack": 9, "training": 1, "prefill": 1,
                               "decode": 1, "capex_musd_per_mw": 30}]},
    ],
)  # fmt: skip
def test_editors_accept_what_the_reader_accepts(changes: dict[str, Any]) -> None:
    assert [e.message for e in validator().iter_errors(starter(**changes))] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"objectiv": "min_cost"},
        {"version": 9},
        {"objective": "min_cots"},
        {"candidates": {"max_it_mw_per_site": "500 apples"}},
        {"power": {"route_factor": 0.5}},
        {"power": {"slip_years": {"studid": 1}}},
        {"budget_musd": {"next": 5}},
        {"layers": {"substations": {"preset": "hifld"}}},
        {"solver": {"threads": 0}},
    ],
)
def test_editors_refuse_what_the_reader_refuses(changes: dict[str, Any]) -> None:
    assert list(validator().iter_errors(starter(**changes)))


def test_a_child_may_leave_out_what_its_parent_gives() -> None:
    assert not list(validator().iter_errors({"extends": "base.yaml", "name": "child"}))
    assert list(validator().iter_errors({"name": "child"}))


def test_the_reference_page_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["--check"]) == 0


def test_the_check_notices_an_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    page = tmp_path / "docs" / "scenario.md"
    page.write_text(page.read_text() + "more\n")
    assert main(["--check"]) == 1


def test_every_key_is_in_the_reference() -> None:
    text = scenario_reference()
    for path in all_paths(Scenario):
        assert f"| `{path.rpartition('.')[2]}` |" in text, path
