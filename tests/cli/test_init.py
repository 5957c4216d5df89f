"""What `init` writes is a scenario that reads, and it never overwrites unasked."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sitepick.cli.starter import Tranche, flow, guess, letters_it_mw, starter
from sitepick.cli.templates import TABLES
from sitepick.layers.roles import PLACE, ROLES
from sitepick.scenario.read import read_scenario

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


COUNTED = ("energised", "signed", "studied", "published")


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2027, 1, 1), date(2028, 2, 29)])
def test_the_starter_is_a_valid_scenario(tmp_path: Path, today: date) -> None:
    path = tmp_path / "sitepick.yaml"
    path.write_text(starter(today))
    loaded = read_scenario(path)
    assert loaded.scenario.as_of == today
    assert loaded.scenario.layers.parcels[0].file == "parcels.csv"


def test_init_validate(cli: Cli) -> None:
    assert cli("init").code == 0
    answer = cli("validate")
    assert answer.code == 0
    assert "16 quarters" in answer.out
    assert "IT MW" in answer.out


def test_init_refuses_to_overwrite(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "sitepick.yaml"
    target.write_text("mine")
    answer = cli("init")
    assert answer.code == 2
    assert "--force" in answer.err
    assert target.read_text() == "mine"
    assert cli("init", "--force").code == 0
    assert target.read_text() != "mine"


def test_templates_write_all_or_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tariffs.csv").write_text("mine")
    assert cli("init", "--templates").code == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tariffs.csv"]


def test_templates_hold_columns_that_layers_know(cli: Cli, tmp_path: Path) -> None:
    assert cli("init", "--templates", "--out", "t").code == 0
    drawn = {
        "lines",
        "fiber_nodes",
        "fiber_links",
        "rights_of_way",
        "regions",
        "exclusions",
    }  # maps
    assert set(TABLES) == set(ROLES) - drawn
    for role, columns in TABLES.items():
        names = [c.name for c in columns]
        with (tmp_path / "t" / f"{role}.csv").open() as stream:
            rows = list(csv.reader(stream))
        assert rows[0] == names
        assert len(rows) == 2
        assert set(names) <= set(ROLES[role]) | set(PLACE)
        required = {name for name, column in ROLES[role].items() if column.required}
        assert required <= {c.name for c in columns if c.needed}


def test_templates_as_workbook(cli: Cli, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    answer = cli("init", "--templates", "--xlsx", "--json")
    assert answer.code == 0
    book = openpyxl.load_workbook(tmp_path / answer.record["files"][0])
    assert book.sheetnames == list(TABLES)
    header = [cell.value for cell in book["power_offers"][2]]
    assert header == [c.name for c in TABLES["power_offers"]]
    assert "grid MW" in book["power_offers"][2][header.index("mw_total")].comment.text


def test_unknown_example_names_those_that_ship(cli: Cli) -> None:
    answer = cli("init", "--example", "texsa")
    assert answer.code == 2
    assert "texas" in answer.err


def test_options_that_do_not_go_together(cli: Cli) -> None:
    assert cli("init", "--xlsx").code == 2
    assert cli("init", "--templates", "--example", "texas").code == 2


def test_demand_guess_is_what_the_letters_carry() -> None:
    letters = [
        Tranche("A", 100.0, date(2027, 6, 1), "signed"),
        Tranche("A", 260.0, date(2029, 1, 1), "studied"),
        Tranche("B", 130.0, date(2028, 1, 1), "energised"),
        Tranche("C", 900.0, date(2028, 1, 1), "requested"),
    ]
    assert letters_it_mw(letters[:3], date(2027, 1, 1)) == 0
    # (100 + 130) / 1.3 = 176.9 and (260 + 130) / 1.3 = 300 IT MW, rounded down to two digits
    assert letters_it_mw(letters[:3], date(2028, 1, 1)) == 170
    assert letters_it_mw(letters[:3], date(2029, 1, 1)) == 300
    said = guess(date(2026, 11, 23), letters, COUNTED)
    assert (said.first_year, said.last_year, said.step) == (2027, 2030, "quarter")
    assert said.it_mw == {2027: 0, 2028: 170, 2029: 300, 2030: 300}
    assert any("1 letter rows of stage requested" in doubt for doubt in said.doubts)


@pytest.mark.parametrize(
    ("last", "years", "step"), [(2028, 4, "quarter"), (2033, 8, "half_year"), (2050, 10, "year")]
)
def test_the_horizon_follows_the_letters(last: int, years: int, step: str) -> None:
    said = guess(date(2026, 11, 23), [Tranche("A", 10.0, date(last, 5, 1), "signed")], COUNTED)
    assert said.last_year - said.first_year + 1 == years
    assert said.step == step


def test_yaml_on_one_line_reads_back(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    value = {
        "file": "my parcels, new.xlsx", "sheet": "no", "where": "ZONE IN ('A','AE')", "n": 2.5,
        "keep": ["Broker: name", "1e3", "2027", "- x", "é", 'quo"te'], "flag": True,
    }  # fmt: skip
    assert dict(YAML(typ="safe", pure=True).load(flow(value))) == value
