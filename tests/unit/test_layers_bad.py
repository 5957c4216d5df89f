"""One tiny bad file per refusal: what the message must say stands in expected.yaml."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

from sitepick.errors import LayerError
from sitepick.layers import Layers, load
from sitepick.scenario.flexible import Flexible
from sitepick.scenario.inputs import LayerList

BAD = Path(__file__).parents[1] / "data" / "bad" / "layers"
CASES: list[dict[str, Any]] = YAML(typ="safe").load((BAD / "expected.yaml").read_text("utf-8"))


def read(base: Path, **roles: Any) -> Layers:
    return load(SimpleNamespace(layers=LayerList(**roles), flexible=Flexible()), base)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=[f"{c['file']}-{i}" for i, c in enumerate(CASES)])
def test_bad_file_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(LayerError) as caught:
        read(BAD, **{case["role"]: {"file": case["file"], **case["spec"]}})
    said = "\n".join(caught.value.problems)
    assert caught.value.exit_code == 3
    for fragment in case["expect"]:
        assert fragment in said
    for problem in caught.value.problems:
        assert "\n" not in problem
        assert "Traceback" not in problem


def test_every_bad_file_is_used() -> None:
    named = {c["file"] for c in CASES}
    helpers = {"expected.yaml", "wrong_keys.csv"}
    assert {p.name for p in BAD.iterdir()} - named - helpers == set()


def test_all_faults_of_all_files_in_one_error() -> None:
    with pytest.raises(LayerError) as caught:
        read(
            BAD,
            substations=[{"file": "watts.csv"}, {"file": "empty.geojson"}],
            power_offers={"file": "stage.csv"},
            lines={"file": "raster.tif"},
        )
    said = caught.value.problems
    assert [p.split(":")[0] for p in said] == [
        "watts.csv",
        "empty.geojson",
        "raster.tif",
        "stage.csv",
    ]


def test_a_lying_name_never_lets_gdal_open_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("token\nhunter2\n")
    evil = tmp_path / "evil.geojson"
    evil.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{secret}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(LayerError, match="virtual file"):
        read(tmp_path, substations={"file": "evil.geojson"})
