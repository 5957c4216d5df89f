"""What changed between two runs: inputs, sites, dates, money; and which input a site follows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitepick.exports.inputs import KEYS, Table, read_inputs
from sitepick.exports.sheet import Field, Sheet
from sitepick.scenario.layering import load_chain

if TYPE_CHECKING:
    from sitepick.exports.folder import RunFolder
    from sitepick.solution import Solution

LEAST_MW = 0.05
LEAST_MUSD = 0.005
OTHERS = "follows from the others"
"""Cause of a site that no changed input names."""
SAME = "no input differs (solver, limits of time, or version)"
_SILENT = ("name", "solver")
"""Keys that change no plan within the gap."""
_WORDS = {
    "offers": "letter", "pois": "POI", "queue": "queue of POI", "shared_limits": "shared limit",
    "sites": "site", "site_regions": "region of site", "commitments": "commitment",
    "places": "demand place", "demand_mw": "demand",
}  # fmt: skip
_IDS = ("site_id", "poi_id", "place_id")


@dataclass(frozen=True)
class InputChange:
    """A key of the scenario, a cell of a table, or a file that is not the same in both runs.

    ``names``: the sites, POIs and regions that it speaks of; none: all sites.
    """

    kind: str  # key | row | file
    where: str  # "budget_musd.2028", "letter O1: mw_total", "substations: a.csv"
    before: str
    after: str
    names: frozenset[str]


@dataclass(frozen=True)
class SiteChange:
    """A figure of a site that differs. ``causes``: inputs that name it, else keys for all sites."""

    site_id: str
    what: str  # it_mw | grid_mw | opened | poi
    period: str  # "" for opened and poi
    before: float | str | None
    after: float | str | None
    unit: str
    causes: tuple[str, ...]


@dataclass(frozen=True)
class MoneyChange:
    """A term of the net present cost, or a year's capital, that differs, MUSD."""

    what: str  # "energy", "cash 2028"
    before_musd: float
    after_musd: float


@dataclass(frozen=True)
class Comparison:
    """One run against another. ``proven``: their objectives cannot be equal, by their bounds."""

    before: str
    after: str
    objective_name: str
    objective_before: float
    objective_after: float
    proven: bool | None  # None: objectives of different kinds
    inputs: tuple[InputChange, ...]
    sites: tuple[SiteChange, ...]
    money: tuple[MoneyChange, ...]


def compare(before: RunFolder, after: RunFolder) -> Comparison:
    """Return what differs from one run to another.

    A site's causes are the changed inputs that name it, a POI of its in either plan, or its region;
    without one, changed keys that concern all sites; without those, it follows from the others.
    That is a rule, not a proof. Raises ScenarioError for folders that cannot be read.
    """
    tables = read_inputs(before.path), read_inputs(after.path)
    changed = (
        *_keys(before, after),
        *(c for name in KEYS for c in _rows(name, tables[0][name], tables[1][name])),
    )
    files = tuple(_files(before, after))
    a, b = before.solution, after.solution
    return Comparison(
        before=str(before.path),
        after=str(after.path),
        objective_name=b.objective_name,
        objective_before=a.objective,
        objective_after=b.objective,
        proven=_apart(a, b) if a.objective_name == b.objective_name else None,
        inputs=changed + files,
        sites=tuple(_sites(a, b, changed, tables)),
        money=tuple(_money(a, b)),
    )


def _apart(a: Solution, b: Solution) -> bool:
    """Return whether the intervals from bound to objective have no point in common."""
    low, high = sorted((a.objective, a.bound)), sorted((b.objective, b.bound))
    return low[1] < high[0] or high[1] < low[0]


def _keys(before: RunFolder, after: RunFolder) -> list[InputChange]:
    old, new = (_leaves(run) for run in (before, after))
    out = []
    for path in sorted(old.keys() | new.keys()):
        x, y = old.get(path), new.get(path)
        if x == y or path[0] in _SILENT:
            continue
        named: set[str] = set()
        if path[:2] == ("regions", "rules"):
            for leaves in (old, new):
                rule = leaves.get((*path[:3], "ids"))
                ids = [rule] if rule is not None else [
                    v for p, v in leaves.items() if p[:4] == (*path[:3], "ids")
                ]  # fmt: skip
                named |= {str(v) for v in ids}
        if path[0] == "existing":
            named |= {str(v) for s in (old, new) if (v := s.get((*path[:2], "site_id")))}
        out.append(InputChange("key", ".".join(path), _text(x), _text(y), frozenset(named)))
    return out


def _leaves(run: RunFolder) -> dict[tuple[str, ...], Any]:
    root = load_chain(run.scenario_path)
    return {tuple(str(p) for p in path): node.value for path, node in root.leaves()}


def _files(before: RunFolder, after: RunFolder) -> list[InputChange]:
    old, new = (
        {f"{i['role']}: {i['path']}": i["sha256"] for i in run.manifest["inputs"]}
        for run in (before, after)
    )
    return [
        InputChange("file", name, _hash(old.get(name)), _hash(new.get(name)), frozenset())
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _hash(sha256: str | None) -> str:
    return "not read" if sha256 is None else sha256[:12]


def _rows(name: str, old: Table, new: Table) -> list[InputChange]:
    out = []
    for key in sorted(old.keys() | new.keys()):
        x, y = old.get(key), new.get(key)
        here = {str(row[c]) for row in (x, y) if row for c in _IDS if row.get(c) is not None}
        where = f"{_WORDS[name]} {key}"
        if x is None or y is None:
            out.append(InputChange("row", where, *_there(x, y), frozenset(here)))
            continue
        for column in sorted(x.keys() | y.keys()):
            if x.get(column) != y.get(column):
                told = _text(x.get(column)), _text(y.get(column))
                out.append(InputChange("row", f"{where}: {column}", *told, frozenset(here)))
    return out


def _there(x: Any, y: Any) -> tuple[str, str]:
    return "none" if x is None else "a row", "none" if y is None else "a row"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _sites(
    a: Solution,
    b: Solution,
    changed: tuple[InputChange, ...],
    tables: tuple[dict[str, Table], dict[str, Table]],
) -> list[SiteChange]:
    names = _names(a, b, tables)
    out = []
    opened = [{s.site_id: s.opened or "stands" for s in plan.sites} for plan in (a, b)]
    pois = [_pois(plan) for plan in (a, b)]
    mw = [_mw(plan) for plan in (a, b)]
    for site in sorted(opened[0].keys() | opened[1].keys()):
        causes = _causes(names[site] | {site}, changed)
        for what, told in (("opened", opened), ("poi", pois)):
            x, y = told[0].get(site), told[1].get(site)
            if x != y:
                out.append(SiteChange(site, what, "", x, y, "", causes))
        for what, unit in (("it_mw", "IT MW"), ("grid_mw", "grid MW")):
            for period in sorted({*a.periods, *b.periods}):
                before, after = (m[site, what, period] for m in mw)
                if abs(after - before) > LEAST_MW:
                    out.append(SiteChange(site, what, period, before, after, unit, causes))
    return out


def _pois(plan: Solution) -> dict[str, str]:
    out: dict[str, list[str]] = defaultdict(list)
    for tie in plan.ties:
        if tie.poi_id not in out[tie.site_id]:
            out[tie.site_id].append(tie.poi_id)
    return {site: ", ".join(sorted(ids)) for site, ids in out.items()}


def _mw(plan: Solution) -> defaultdict[tuple[str, str, str], float]:
    out: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for row in plan.it:
        out[row.site_id, "it_mw", row.period] += row.it_mw
    for line in plan.grid:
        out[line.site_id, "grid_mw", line.period] += line.grid_mw
    return out


def _names(
    a: Solution, b: Solution, tables: tuple[dict[str, Table], dict[str, Table]]
) -> defaultdict[str, set[str]]:
    """Return by site the POIs of its ties in either plan, and its regions."""
    out: defaultdict[str, set[str]] = defaultdict(set)
    for plan in (a, b):
        for tie in plan.ties:
            out[tie.site_id].add(tie.poi_id)
    for kept in tables:
        for row in kept["site_regions"].values():
            out[str(row["site_id"])].add(str(row["region_id"]))
    return out


def _causes(names: set[str], changed: tuple[InputChange, ...]) -> tuple[str, ...]:
    direct = tuple(c.where for c in changed if c.names & names)
    everywhere = tuple(c.where for c in changed if not c.names)
    if direct or everywhere:
        return direct or everywhere
    return (OTHERS,) if changed else (SAME,)


def _money(a: Solution, b: Solution) -> list[MoneyChange]:
    told = []
    for plan in (a, b):
        of: defaultdict[str, float] = defaultdict(float, plan.npc_musd)
        for row in plan.cash:
            of[f"cash {row.year}"] += row.musd
        told.append(of)
    names = sorted(told[0].keys() | told[1].keys(), key=lambda n: (n.startswith("cash "), n))
    return [
        MoneyChange(n, told[0][n], told[1][n])
        for n in names
        if abs(told[1][n] - told[0][n]) > LEAST_MUSD
    ]


FIELDS = (
    Field("run", "", "text", "the run that is compared with the first one"),
    Field("kind", "", "text", "key, row, file (inputs), site, money"),
    Field("where", "", "text", "scenario key, table row and column, file, site or cost term"),
    Field("what", "", "text", "of sites: it_mw, grid_mw, opened, poi"),
    Field("period", "", "text", "first day of the period; empty where there is none"),
    Field("before", "", "text", "in the first run"),
    Field("after", "", "text", "in this run"),
    Field("unit", "", "text", "unit of both"),
    Field("cause", "", "text", "of sites: the changed inputs that name it, by rule"),
)


def comparison_sheet(found: list[Comparison]) -> Sheet:
    """Return all changes of some comparisons as rows of text."""
    rows: list[tuple[str, ...]] = []
    for one in found:
        rows += [
            (one.after, c.kind, c.where, "", "", c.before, c.after, "", "") for c in one.inputs
        ]
        rows += [
            (one.after, "site", c.site_id, c.what, c.period, _text(c.before), _text(c.after),
             c.unit, "; ".join(c.causes))
            for c in one.sites
        ]  # fmt: skip
        rows += [
            (one.after, "money", c.what, "", "", _text(c.before_musd), _text(c.after_musd),
             "MUSD", "")
            for c in one.money
        ]  # fmt: skip
    names = [f.name for f in FIELDS]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    return Sheet("comparison", "what differs between runs", FIELDS, records)
