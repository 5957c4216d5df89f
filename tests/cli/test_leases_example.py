"""The example of leased halls, by hand: what is leased, what it costs, at which rent that turns."""

from __future__ import annotations

import csv
import json
from datetime import date
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "leases" / "sitepick.yaml"
RATE = 0.08


def crf(years: float) -> float:
    return RATE / (1 - (1 + RATE) ** -years)


def built(months: float) -> float:
    """Return what 1 MUSD paid evenly over ``months`` has become."""
    return float(((1 + RATE) ** (months / 12) - 1) / (months / 12 * log(1 + RATE)))


def per_kw(musd_per_mw_year: float) -> float:
    return musd_per_mw_year * 1000 / 12


# own: halls of 10 MUSD/MW over 20 years, 0.2 operation, energy at 50 USD/MWh (load factor 0.8, PUE
# 1.1), 5 USD per kW and month of 1.25 grid MW; a full hall, free land and tie
ENERGY = 0.8 * 1.1 * 8760 * 50 / 1e6
OWN = 10 * crf(20) * built(12) + 0.2 + ENERGY + 1.25 * 5 * 12 / 1000
# the shell's tenant adds 70 % of 10 MUSD/MW over its 15 years, operation and energy
SHELL = 7 * crf(15) * built(9) + 0.2 + ENERGY
DISCOUNT = {
    y: (1 + RATE) ** -((date(y, 1, 1) - date(2027, 6, 1)).days / 365.25 + 0.5)
    for y in range(2029, 2034)
}


def rows(name: str, key: str) -> dict[str, dict[str, str]]:
    with Path("run", name).open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


@pytest.fixture(autouse=True)
def solved(cli: Cli) -> str:
    answer = cli("solve", EXAMPLE, "--out", "run")
    assert answer.code == 0, answer.err
    return answer.out


def test_the_record_tells_leased_mw_by_period(cli: Cli) -> None:
    answer = cli("solve", EXAMPLE, "--out", "again", "--json", "--quiet", "--no-report")
    leased = {day[:4]: mw for day, mw in answer.record["leased_it_mw"].items() if mw}
    assert leased == {y: pytest.approx(40) for y in ("2029", "2030", "2031", "2032", "2033")}


def test_colocation_bridges_and_a_shell_is_cheaper_than_building(cli: Cli) -> None:
    record = json.loads(Path("run/solution.json").read_text(encoding="utf-8"))
    leases = {r["site_id"]: (r["since"][:4], r["until"], r["it_mw"]) for r in record["leases"]}
    assert leases == {
        "COLO-E": ("2029", "2031-01-01", pytest.approx(40)),
        # ready on 2030-03-01, nine months later it is fitted out: 2031
        "SHELL-W": ("2031", None, pytest.approx(40)),
    }
    it: dict[str, dict[str, float]] = {}
    for r in record["it"]:
        it.setdefault(r["site_id"], {})[r["period"][:4]] = r["it_mw"]
    assert it == {
        "COLO-E": {"2029": pytest.approx(40), "2030": pytest.approx(40)},
        "SHELL-W": {y: pytest.approx(40) for y in ("2031", "2032", "2033")},
        "P-1": {y: pytest.approx(40) for y in ("2032", "2033")},
    }
    shell = SHELL + 22 * 12 / 1000
    cost = sum(DISCOUNT[y] * 40 * 150 * 12 / 1000 for y in (2029, 2030))
    cost += sum(DISCOUNT[y] * 40 * shell for y in (2031, 2032, 2033))
    cost += sum(DISCOUNT[y] * 40 * OWN for y in (2032, 2033))
    assert record["objective"] == pytest.approx(cost, rel=1e-6)
    # rent is no capital: what is paid in 2030 is the shell's fit-out, in 2031 the halls
    cash = {(r["year"], r["category"]): r["musd"] for r in record["cash"]}
    assert cash == {(2030, "facility"): pytest.approx(280), (2031, "facility"): pytest.approx(400)}
    assert cli("check", "run").code == 0


def test_the_tables_say_the_break_even(solved: str) -> None:
    offers = rows("leases.csv", "offer_id")
    assert {k: r["status"] for k, r in offers.items()} == {
        "COLO-E": "taken", "SHELL-W": "taken", "COLO-S": "not taken", "SHELL-N": "rejected",
    }  # fmt: skip
    assert offers["SHELL-N"]["why"].startswith("screened out: lease_lapsed: the answer was due")
    wanted = {"COLO-E": OWN, "SHELL-W": OWN - SHELL, "SHELL-N": OWN - SHELL}
    for offer, musd in wanted.items():
        told = float(offers[offer]["break_even_usd_per_kw_month"])
        assert told == pytest.approx(per_kw(musd), rel=1e-6), offer
        assert float(offers[offer]["own_usd_per_kw_month"]) == pytest.approx(per_kw(OWN), rel=1e-6)
    lease = float(offers["SHELL-W"]["lease_usd_per_kw_month"])
    assert lease == pytest.approx(per_kw(SHELL) + 22, rel=1e-6)
    # 3 % a year against 2.5 % inflation over three years from 2029
    steps = [(1.03 / 1.025) ** k for k in range(3)]
    mean = sum(s * DISCOUNT[2029 + k] for k, s in enumerate(steps))
    mean /= sum(DISCOUNT[y] for y in (2029, 2030, 2031))
    south = offers["COLO-S"]
    assert float(south["lease_usd_per_kw_month"]) == pytest.approx(175 * mean, rel=1e-6)
    told = float(south["break_even_usd_per_kw_month"])
    assert told == pytest.approx(per_kw(OWN) / mean, rel=1e-6)
    rents = [float(offers["SHELL-W"][f"rent_musd_per_year_{y}"]) for y in range(2029, 2034)]
    assert rents == pytest.approx([0, 0, 10.56, 10.56, 10.56])
    assert "Lease against build" in solved
    assert "leased          IT MW      40    40    40    40    40" in solved


def test_a_rent_beyond_the_break_even_is_not_paid(cli: Cli) -> None:
    at = per_kw(OWN - SHELL)
    text = EXAMPLE.with_name("leases.csv").read_text(encoding="utf-8")
    assert ",22,," in text
    for rent, leased in ((at - 0.05, 3), (at + 0.05, 2)):
        Path("offers.csv").write_text(text.replace(",22,,", f",{rent},,"), encoding="utf-8")
        path = json.dumps(str(Path("offers.csv").resolve()))
        # in 2031 the parcel has its grid MW and could do all that the shell does
        answer = cli(
            "solve", EXAMPLE, "--out", f"run{leased}", "--set", f"layers.leases.file={path}"
        )
        assert answer.code == 0, answer.err
        record = json.loads(Path(f"run{leased}/solution.json").read_text(encoding="utf-8"))
        shell = [r for r in record["leases"] if r["site_id"] == "SHELL-W"]
        assert bool(shell) == (leased == 3)
    told = cli("compare", "run3", "run2")
    assert told.code == 0, told.err
    assert "offers.csv row 4" in told.out
    assert "usd_per_kw_month" in told.out


def test_sites_are_marked_and_the_sums_agree(cli: Cli) -> None:
    with Path("run/sites.csv").open(encoding="utf-8", newline="") as file:
        sites = list(csv.DictReader(file))
    status = {(r["site_id"], r["period"][:4]): r["status"] for r in sites}
    assert status["COLO-E", "2030"] == "leased"
    assert status["COLO-E", "2031"] == "lease over"
    assert status["SHELL-W", "2030"] == "not yet open"
    assert status["P-1", "2033"] == "open"
    leased = {r["period"][:4]: 0.0 for r in sites}
    for r in sites:
        leased[r["period"][:4]] += float(r["leased_it_mw"])
    assert leased == {y: pytest.approx(40) for y in ("2029", "2030", "2031", "2032", "2033")}
    rent = sum(float(r["rent_musd_per_year"]) for r in sites if r["period"].startswith("2030"))
    assert rent == pytest.approx(72)
    explained = cli("explain", "run", "--site", "COLO-E")
    assert explained.code == 0, explained.err
    assert "leased: 40.0 IT MW from 2029-01-01 until 2031-01-01" in explained.out


def test_leases_are_signed_in_time_and_their_land_is_not_bought(cli: Cli) -> None:
    with Path("run/actions.csv").open(encoding="utf-8", newline="") as file:
        found = [
            (r["do_by"], r["action"], r["site_id"], r["musd"])
            for r in csv.DictReader(file)
            if r["site_id"] != "P-1"
        ]
    assert found == [
        ("2027-12-31", "sign_lease", "COLO-E", ""),
        ("2028-06-30", "sign_lease", "SHELL-W", ""),
        ("2030-04-01", "start_fit_out", "SHELL-W", "280"),
    ]
    assert cli("check", "run").code == 0
