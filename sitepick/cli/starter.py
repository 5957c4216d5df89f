"""The text of scenarios that `init` writes: a commented starter, and one made for given files."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

PUE_GUESS = 1.3
"""Grid MW per IT MW assumed only to turn the letters' MW into a first demand."""
HALL = "dlc"
"""Hall class of a first plan."""
LONGEST_YEARS = 10
"""Longest horizon that is guessed from letters."""
_PLAIN = re.compile(r"[A-Za-z_./][\w ./()+-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf"})

STARTER = """\
# yaml-language-server: $schema=sitepick.schema.json
# (`sitepick schema -o sitepick.schema.json` makes that file: completion and checks in an editor)
version: 1
name: my-plan
as_of: {as_of}                  # today, for the plan: nothing starts before it
periods: {{from: {first}, to: {last}, step: quarter}}   # or half_year, year
money: {{price_year: {year}, discount_rate_pct: 9}}        # all MUSD are real, of this year
objective: min_cost                # or max_compute, earliest_mw

layers:                            # paths are relative to this file; `sitepick layers FILE` helps
  parcels: {{file: parcels.csv}}     # parcel_id, lon, lat, usable_ha, ask_musd, poi_ids, ...
  power_offers: {{file: power_offers.csv}}   # letters: poi_id, mw_total, from_date, stage, ...
  # substations: {{file: subs.gpkg, preset: hifld}}   # POIs with kV, where letters name none
  # regions: {{file: counties.gpkg, level: county, id: GEOID}}
  # exclusions: [{{file: flood.gpkg, where: "ZONE IN ('A','AE','VE')", buffer_km: 0.1}}]
  # shared_limits: {{file: shared_limits.csv}}
  # tariffs: {{file: tariffs.csv}}

power:
  unknown_headroom: exclude        # a POI without a stated MW has none
  count_stages: [energised, signed, studied, published]
  slip_years: {{studied: 1}}         # studied MW come a year later than the letter says
  tie_km_max: 15                   # longest tie from a parcel to a POI, route km

demand:
  it_mw: {{{demand}}}   # IT MW by year
  shortfall_musd_per_mw_year: 4    # price of turned-away IT MW; `must_serve: true` makes it hard

halls: [dlc]                       # `sitepick catalog halls`
hardware: none                     # or accelerators: `sitepick catalog hardware`
# budget_musd: {{{first}: 1000, {second}: 2000}}   # capital by calendar year, MUSD
solver: {{gap_pct: 0.25, time_limit_s: 600}}
"""


def starter(today: date) -> str:
    """Return the commented starter for a scenario that begins next year."""
    first = today.year + 1
    demand = ", ".join(f"{first + i}: {mw}" for i, mw in enumerate((0, 50, 150, 300)))
    return STARTER.format(
        as_of=today, first=first, second=first + 1, last=first + 3, year=today.year, demand=demand
    )


@dataclass(frozen=True)
class Recognised:
    """A file and the role it was recognised for; ``spec`` is its YAML map (file, preset, ...)."""

    role: str
    spec: Mapping[str, Any]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guess:
    """What stands in the scenario without having been said by the user."""

    as_of: date
    first_year: int
    last_year: int
    it_mw: Mapping[int, float]
    count_stages: tuple[str, ...] = ()
    places: bool = False  # demand places are given
    doubts: tuple[str, ...] = field(default=())

    @property
    def step(self) -> str:
        """Period length: short horizons in quarters, long ones in years."""
        years = self.last_year - self.first_year + 1
        return "quarter" if years <= 5 else "half_year" if years <= 8 else "year"


@dataclass(frozen=True)
class Tranche:
    """A letter's tranche: ``mw_total`` grid MW at the POI, cumulative, from ``since`` on."""

    poi_id: str
    mw_total: float
    since: date
    stage: str
    firm: bool = True


def guess(
    today: date, tranches: Sequence[Tranche], counted: Sequence[str], months: float = 0
) -> Guess:
    """Guess the horizon from the letters' dates and the demand from the firm MW that they carry.

    ``months`` is how long ties and halls take: before that nothing can be served, nothing asked.
    """
    first = today.year + 1
    used = [t for t in tranches if t.stage in counted and t.firm]
    ready = _months_later(today, months)
    last_letter = max((t.since.year for t in used), default=first)
    last = min(max(first + 3, last_letter + 1), first + LONGEST_YEARS - 1)
    doubts = [f"as_of is today, {today}; periods {first} to {last}: are these the years you plan?"]
    if last_letter > last:
        doubts.append(f"letters reach {last_letter}; the plan ends {last}")
    left_out = sorted({t.stage for t in tranches} - set(counted))
    if left_out:
        rows = sum(t.stage in left_out for t in tranches)
        doubts.append(
            f"{rows} letter rows of stage {', '.join(left_out)} do not count; add the stage to"
            " power.count_stages if it should"
        )
    soft = sum(t.stage in counted and not t.firm for t in tranches)
    if soft:
        doubts.append(
            f"{soft} letter rows are not firm and do not count; power.nonfirm: count or flexible"
            " would use them"
        )
    days = [date(year, 1, 1) for year in range(first, last + 1)]
    demand = {day.year: letters_it_mw(used, day) if day >= ready else 0.0 for day in days}
    if any(demand.values()):
        doubts.append(
            "demand is a guess: what the firm letters carry at each 1 January, grid MW /"
            f" {PUE_GUESS:g}"
            + (f", from {ready} when ties and halls can stand" if months else "")
            + "; write what you need"
        )
    else:
        demand = {year: 50.0 * (year - first + 1) for year in range(first, last + 1)}
        doubts.append("demand is a guess, 50 IT MW more each year; write what you need")
    return Guess(today, first, last, demand, doubts=tuple(doubts))


def _months_later(day: date, months: float) -> date:
    """Return the first of the month in which ``months`` after ``day`` have passed."""
    index = day.year * 12 + day.month - 1 + math.ceil(months)
    return date(index // 12, index % 12 + 1, 1)


def letters_it_mw(tranches: Sequence[Tranche], when: date) -> float:
    """Return IT MW that the letters in force at ``when`` carry, rounded down to two digits."""
    latest: dict[str, Tranche] = {}
    for tranche in sorted(tranches, key=lambda t: t.since):
        if tranche.since <= when:
            latest[tranche.poi_id] = tranche
    it_mw = sum(t.mw_total for t in latest.values()) / PUE_GUESS
    if it_mw < 1:
        return 0.0
    unit = 10.0 ** max(math.floor(math.log10(it_mw)) - 1, 0)
    return math.floor(it_mw / unit) * unit


def scenario_text(name: str, files: Sequence[Recognised], said: Guess) -> str:
    """Return the YAML of a scenario for ``files``, with the doubts as comments on top."""
    doubts = [*said.doubts, *(doubt for file in files for doubt in file.doubts)]
    lines = ["# Written by `sitepick init`. Doubts to settle before you trust the plan:"]
    lines += [f"#  - {_one_line(doubt)}" for doubt in doubts]
    lines += [
        "version: 1",
        f"name: {scalar(name)}",
        f"as_of: {said.as_of}",
        f"periods: {{from: {said.first_year}, to: {said.last_year}, step: {said.step}}}",
        f"money: {{price_year: {said.as_of.year}, discount_rate_pct: 9}}",
        "objective: min_cost",
        "layers:",
        *_layers(files),
        "power:",
        "  unknown_headroom: exclude",
        f"  count_stages: {flow(list(said.count_stages))}",
        "  tie_km_max: 30",
        "demand:",
        *([f"  it_mw: {flow(said.it_mw)}"] if said.it_mw else []),
        *(["  spread: by_weight"] if said.places else []),
        "  shortfall_musd_per_mw_year: 4",
        f"halls: [{HALL}]",
        "hardware: none",
        f"# budget_musd: {{{said.first_year}: 1000}}   # capital by calendar year, MUSD",
    ]
    return "\n".join(lines) + "\n"


def _layers(files: Sequence[Recognised]) -> list[str]:
    lines = []
    for role in dict.fromkeys(file.role for file in files):
        specs = [file.spec for file in files if file.role == role]
        if len(specs) == 1:
            lines.append(f"  {role}: {flow(specs[0])}")
        else:
            lines += [f"  {role}:", *(f"    - {flow(spec)}" for spec in specs)]
    return lines


def flow(value: Any) -> str:
    """Return ``value`` as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    return scalar(value) if isinstance(value, str) else str(value)


def scalar(text: str) -> str:
    """Return text as a YAML scalar: quoted unless no reader could take it for something else."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text == text.strip()
    return text if plain else json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
