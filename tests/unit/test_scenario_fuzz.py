"""Whatever is written in a scenario: it is read, or refused with a ScenarioError."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sitepick.errors import ScenarioError
from sitepick.scenario.read import Loaded, read_scenario
from sitepick.scenario.yaml_tree import parse

GOOD = """\
version: 1
name: fuzz
as_of: 2026-11-23
periods: {from: 2027-01, to: 2030-12, step: quarter}
money: {price_year: 2026, discount_rate_pct: 9}
layers:
  substations: {file: subs.gpkg, preset: hifld, fields: {kv: volt}, keep: [a]}
  regions: [{file: r.gpkg, level: state, attributes: {file: a.csv}}]
  demand: {file: metros.csv}
power:
  count_stages: [energised, signed]
  slip_years: {studied: 1}
  upgrade_step: {mw: 100, musd: 30}
  tie_mw_by_kv: {138: 200, 345: 1000}
demand:
  workloads:
    chat: {uses: decode, ref_mw: {2027: 100, 2029-07: 300}, spread: by_weight, rtt_ms_max: 20}
halls:
  - air_dense
  - dlc_retrofit
  - {id: own, kw_per_rack: 200, hall_it_mw: 10, capex_musd_per_mw: 12, pue_avg: 1.1, pue_peak: 1.2}
hardware: [h100, gb200_nvl72]
existing:
  - site_id: a
    halls: {air_dense: 2}
    hardware: [{hall: air_dense, hardware: h100, it_mw: 30, since: 2025-03}]
    grid_mw: 60
regions:
  rules: [{level: state, ids: [TX], min_it_mw: {2028: 10}, max_it_mw: 500, closed_from: 2029}]
  max_entered: {state: 3}
procurement:
  chips: {per: hardware_it_mw, hardware: h100, cap: {2027: 100}}
budget_musd: {2027: 4000, 2028: 7000}
solver: {threads: 2, seed: 1}
"""

WORDS = [
    "", " ", "none", "dlc", "h100", "NO", "~", "1,200", "500 MW", "500 mW", "2027", "2027-13",
    "1e999", "-0", "0x1F", "010", ".5", "version", "from", "<list>", "[key]", "it_mw", "\x1b[31m",
    "\u2028", "\ufeff", "é😀", "a: b", "# no", "'", '"', "\\", "{", "&a", "*a", "!!int", "- x",
    "%", "@", "`", "null", "True", "::", "..",
]  # fmt: skip
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS),
    st.text(max_size=12),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else []
    )
    return [path, *(p for k, v in below for p in places(v, (*path, k)))]


def written(value: Any) -> str:
    """JSON-like flow YAML, with characters that YAML cannot hold escaped."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(str(k))}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(v) for v in value) + "]"
    if isinstance(value, str):
        plain = value.isascii() and value.isalnum()
        return value if plain else '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    return "null" if value is None else repr(value).lower()


TREE = parse(GOOD, "good").plain()
PLACES = places(TREE)
DOTTED = [".".join(map(str, p)) for p in PLACES[1:]]
texts = st.sampled_from(WORDS) | st.text(max_size=10)


def attempt(text: str | bytes, overrides: list[str] | None = None) -> Loaded | None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_bytes(data)
        try:
            loaded = read_scenario(path, overrides or [])
        except ScenarioError as why:
            problems = why.problems
        else:
            problems = []
            path.write_text(loaded.resolved_yaml, encoding="utf-8")
            again = read_scenario(path)
            assert again.scenario == loaded.scenario
            assert again.resolved_yaml == loaded.resolved_yaml
    assert all(": error: " in p or p.startswith("... and") for p in problems)
    return None if problems else loaded


def test_the_unchanged_scenario_is_good() -> None:
    assert attempt(GOOD) is not None
    assert attempt(written(TREE)) is not None


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=3))
def test_replaced_values(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    tree = copy.deepcopy(TREE)
    for path, value in changes:
        at: Any = tree
        try:
            for part in path[:-1]:
                at = at[part]
            if path:
                at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    attempt(written(tree))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.text(max_size=8) | st.sampled_from(WORDS))
def test_spliced_text(at: int, cut: int, put: str) -> None:
    attempt(GOOD[:at] + put + GOOD[at + cut :])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
@example(b"a: \xc3\x28")
@example(b"? {a: b}\n")
@example(b"--- >\n\tx\n")
def test_any_bytes(data: bytes) -> None:
    assert attempt(data) is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(DOTTED), min_size=1, max_size=2), texts)
def test_any_override(keys: list[str], value: str) -> None:
    attempt(GOOD, [f"{key}={value}" for key in keys])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20))
def test_any_override_text(text: str) -> None:
    attempt(GOOD, [text])
