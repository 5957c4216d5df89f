"""Queue tables and ramps as they are read: units, levels, and every fault told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sitepick.layers.load import load_one
from sitepick.scenario.inputs import LayerFile, QueueFile, TariffFile


def read(tmp_path: Path, text: str, role: str = "queue", **spec: Any) -> tuple[Any, str]:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    kind = {"queue": QueueFile, "tariffs": TariffFile}.get(role, LayerFile)
    frame, problems, _ = load_one(role, kind(file="t.csv", **spec), tmp_path)
    return frame, "\n".join(problems)


def test_rows_of_a_region_and_rows_for_everywhere(tmp_path: Path) -> None:
    text = "region_id,over_mw,Wait\n01,0,18\n01,75 MW,36\n,,60\n"
    frame, problems = read(tmp_path, text, level="state", fields={"years": "Wait [months]"})
    assert not problems
    assert frame["level"].tolist() == ["state", "state", None]
    assert frame["region_id"].tolist() == ["01", "01", None]
    assert frame["over_mw"].tolist() == [0, 75, 0]
    assert frame["years"].tolist() == [1.5, 3, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("region_id,years\n01,3\n", "only one of level and region_id"),
        ("level,years\nstate,3\n", "only one of level and region_id"),
        ("level,region_id\nstate,01\n", "needs a column years"),
        ("level,region_id,years\nstate,01,\n", "without any years"),
        ("level,region_id,years\nstate,01,3\nstate,01,4\n", "given more than once"),
        ("level,region_id,years\nstate,01,300\n", "out of range"),
        ("level,region_id,years\nstate,01,soon\n", "no number"),
    ],
)
def test_faults_are_told(tmp_path: Path, text: str, said: str) -> None:
    frame, problems = read(tmp_path, text)
    assert frame is None
    assert said in problems
    assert problems.count("\n") == 0


def test_the_bundled_table_is_one(tmp_path: Path) -> None:
    spec = QueueFile(file="bundled:tables/time_to_power_by_state.csv", level="state")
    frame, problems, _ = load_one("queue", spec, tmp_path)
    assert not problems
    assert frame is not None
    assert len(frame) == 49
    texas = frame[frame["region_id"] == "48"].iloc[0]
    assert (texas["level"], texas["over_mw"], texas["p50_years"]) == ("state", 0, 3)
    assert texas["p10_years"] < texas["p50_years"] < texas["p90_years"]


def test_letters_state_their_ramp(tmp_path: Path) -> None:
    text = "poi_id,mw_total,from_date,stage,firm,Ramp\nA,100,2028-01-01,signed,yes,48\n"
    text += "B,100,2028-01-01,signed,yes,\n"
    frame, problems = read(tmp_path, text, "power_offers", fields={"ramp_years": "Ramp [months]"})
    assert not problems
    assert frame["ramp_years"].tolist() == [4, 0]
    _, problems = read(tmp_path, text.replace("48", "4800"), "power_offers",
                       fields={"ramp_years": "Ramp [months]"})  # fmt: skip
    assert "ramp_years is at least 0 and at most 50 years" in problems


def test_the_level_of_tariffs_may_stand_beside_the_file(tmp_path: Path) -> None:
    text = "poi_id,level,region_id,energy_usd_per_mwh\n,,48,50\n,county,48001,60\nA,,,70\n"
    frame, problems = read(tmp_path, text, "tariffs", level="state")
    assert not problems
    assert frame["level"].tolist() == ["state", "county", None]
    _, problems = read(tmp_path, text, "tariffs")
    assert "1 row with region_id but no level" in problems
    assert "`level: state` beside `file:`" in problems
