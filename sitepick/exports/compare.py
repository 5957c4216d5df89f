"""What changed between two runs: inputs, sites, dates, money; and which input a site follows."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitepick.comparison import Comparison, InputChange, MoneyChange, SiteChange
from sitepick.exports.inputs import KEYS, Inputs, Table, inputs_of, read_inputs
from sitepick.exports.sheet import Field, Sheet
from sitepick.scenario.layering import load_chain
from sitepick.scenario.yaml_tree import Node, parse

if TYPE_CHECKING:
    from pathlib import Path

    from sitepick.exports.folder import RunFolder
    from sitepick.run import Run
    from sitepick.solution import Solution

LEAST_MW = 0.05
LEAST_MUSD = 0.005
FOLLOWS = "follows from "
"""Begins the cause of a site that no changed input names."""
OTHERS = FOLLOWS + "the others"
"""The same where there are many changed inputs."""
SAME = "no input differs (solver, limits of time, or version)"
_SILENT = ("name", "solver", "baseline")
"""Keys that change no plan within the gap."""
_ROUTINE = ("as_of", "layers.")
"""Keys that are a cause only where there is no other: a month has passed, a file has another name.
What is in the files is compared row by row."""
_SILENT_COLUMNS = ("name", "source", "synthetic")
"""Columns that change no plan; neither do columns of the user's own."""
_MOST = 3
_WORDS = {
    "offers": "letter", "pois": "POI", "queue": "queue of POI", "shared_limits": "shared limit",
    "sites": "site", "site_regions": "region of site", "commitments": "commitment",
    "places": "demand place", "demand_mw": "demand", "regions": "region",
    "onsite": "on-site option", "margins": "flexible area",
    "leases": "lease offer",
}  # fmt: skip
_IDS = ("site_id", "poi_id", "region_id")
_TOLD_BY = {"sites": ("leases",), "site_regions": ("leases", "sites")}
"""Tables that follow from others: a new lease offer is one change of inputs, not three."""


@dataclass(frozen=True)
class Side:
    """One of two runs. ``files``: "role: path" -> SHA-256; ``why``: tells why a site is screened
    out, "" if it is not."""

    name: str
    solution: Solution
    keys: dict[tuple[str, ...], Any]
    files: dict[str, str]
    inputs: Inputs
    why: Callable[[str], str]


def compare(before: RunFolder, after: RunFolder) -> Comparison:
    """Return what differs from one run folder to another, see `compared`.

    Raises ScenarioError for folders that cannot be read.
    """
    return compared(side_of(before), side_of(after))


def side_of(run: RunFolder) -> Side:
    """Return a run folder as one of two runs. Raises ScenarioError if it cannot be read."""
    return Side(
        name=str(run.path),
        solution=run.solution,
        keys=_leaves(load_chain(run.scenario_path)),
        files={f"{i['role']}: {i['path']}": i["sha256"] for i in run.manifest["inputs"]},
        inputs=read_inputs(run.path),
        why=lambda site: _told(run.path / "verdicts.csv", site),
    )


def side_of_run(run: Run) -> Side:
    """Return a run with a plan, which need not be written yet, as one of two runs."""
    assert run.solution is not None
    prepared = run.prepared
    sources = (*prepared.layers.sources, *prepared.candidates.sources)
    verdicts = {v.site_id: v.why for v in run.verdicts if v.verdict == "rejected"}
    return Side(
        name=run.solution.scenario,
        solution=run.solution,
        keys=_leaves(parse(prepared.loaded.resolved_yaml, "scenario")),
        files={f"{s.role}: {s.path}": s.sha256 for s in sources},
        inputs=inputs_of(prepared.candidates, prepared.layers),
        why=lambda site: verdicts.get(site, ""),
    )


def _told(path: Path, site: str) -> str:
    """Return why a site is screened out, from a run's verdicts; "" if it is not, or not known."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if row.get("site_id") == site and row.get("verdict") == "rejected":
                    return row.get("why") or ""
    except (OSError, ValueError, csv.Error):
        return ""
    return ""


def compared(before: Side, after: Side) -> Comparison:
    """Return what differs from one run to another.

    A site's causes are the changed inputs that name it, a POI of its in either plan, or its region;
    without one, changed inputs that concern all sites, and those of other sites, from which it
    follows. That is a rule, not a proof.
    """
    changed = (
        *_keys(before.keys, after.keys),
        *(c for name in KEYS for c in _rows(name, before, after)),
    )
    files = tuple(_files(before.files, after.files))
    a, b = before.solution, after.solution
    return Comparison(
        before=before.name,
        after=after.name,
        objective_name=b.objective_name,
        objective_before=a.objective,
        objective_after=b.objective,
        proven=_apart(a, b) if a.objective_name == b.objective_name else None,
        inputs=changed + files,
        sites=tuple(_sites(a, b, changed, files, (before.inputs.tables, after.inputs.tables))),
        money=tuple(_money(a, b)),
    )


def _apart(a: Solution, b: Solution) -> bool:
    """Return whether the intervals from bound to objective have no point in common."""
    low, high = sorted((a.objective, a.bound)), sorted((b.objective, b.bound))
    return low[1] < high[0] or high[1] < low[0]


def _keys(old: dict[tuple[str, ...], Any], new: dict[tuple[str, ...], Any]) -> list[InputChange]:
    out = []
    for path in sorted(old.keys() | new.keys()):
        x, y = old.get(path), new.get(path)
        if x == y or path[0] in _SILENT or _of_a_layer_that_came(path, old, new):
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
        where = ".".join(path)
        out.append(InputChange("key", where, _text(x), _text(y), frozenset(named), where))
    return out


def _of_a_layer_that_came(path: tuple[str, ...], *sides: dict[tuple[str, ...], Any]) -> bool:
    """Return whether a key only says how a file is read that one of the two runs does not have."""
    entry = path[:3] if len(path) > 2 and path[2].isdigit() else path[:2]
    file = (*entry, "file")
    return path[0] == "layers" and path != file and sum(file in side for side in sides) == 1


def _leaves(root: Node) -> dict[tuple[str, ...], Any]:
    return {tuple(str(p) for p in path): node.value for path, node in root.leaves()}


def _files(old: dict[str, str], new: dict[str, str]) -> list[InputChange]:
    return [
        InputChange("file", name, _hash(old.get(name)), _hash(new.get(name)), frozenset(), name)
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _hash(sha256: str | None) -> str:
    return "not read" if sha256 is None else sha256[:12]


def _rows(name: str, before: Side, after: Side) -> list[InputChange]:
    old, new = before.inputs.tables[name], after.inputs.tables[name]
    told_by = _TOLD_BY.get(name)
    out = []
    for x_key, y_key in _pairs(name, old, new):
        x, y = old.get(x_key or ""), new.get(y_key or "")
        if told_by and (x is None or y is None) and _come_or_gone(x or y, told_by, before, after):
            continue
        here = {str(row[c]) for row in (x, y) if row for c in _IDS if row.get(c) is not None}
        side, key = (after, y_key) if y_key is not None else (before, x_key)
        file, at = side.inputs.rows.get(name, {}).get(key or "", ("", ""))
        what = f"{_WORDS[name]} {key}"
        row = f"{file}{at} ({what})" if file else what
        if x is None or y is None:
            told = ("none", "a row") if x is None else ("a row", _gone(name, str(key), after))
            out.append(InputChange("row", row, *told, frozenset(here), row))
            continue
        theirs = side.inputs.columns.get(name, {}).get(file, {})
        for column in sorted(x.keys() | y.keys()):
            silent = column in _SILENT_COLUMNS or column.startswith("keep:")
            if x.get(column) != y.get(column) and not silent:
                told = _text(x.get(column)), _text(y.get(column))
                called = theirs.get(column, column)
                out.append(
                    InputChange("row", f"{row}: {called}", *told, frozenset(here), row, called)
                )
    return out


def _come_or_gone(
    row: dict[str, Any] | None, tables: tuple[str, ...], before: Side, after: Side
) -> bool:
    """Return whether the site of a row is new, or gone, as a row of other ``tables`` says."""
    site = str((row or {}).get("site_id"))
    return any(
        (site in before.inputs.tables[t]) != (site in after.inputs.tables[t]) for t in tables
    )


def _pairs(name: str, old: Table, new: Table) -> list[tuple[str | None, str | None]]:
    """Return the keys of rows that are to be compared.

    Letters without an id of their own are known by POI and date: where the date itself changed,
    those of one POI are paired in order.
    """
    both = [(k, k) for k in old.keys() & new.keys()]
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    pairs: list[tuple[str | None, str | None]] = [*both]
    if name == "offers":
        for key in list(gone):
            poi = old[key].get("poi_id")
            made = str(key).startswith(f"{poi} ")
            match = next(
                (k for k in come if new[k].get("poi_id") == poi and k.startswith(f"{poi} ")), None
            )
            if made and match is not None:
                pairs.append((key, match))
                gone.remove(key)
                come.remove(match)
    pairs += [(k, None) for k in gone] + [(None, k) for k in come]
    return sorted(pairs, key=lambda p: str(p[1] if p[0] is None else p[0]))


def _gone(name: str, key: str, after: Side) -> str:
    why = after.why(key) if name == "sites" else ""
    return why or "none"


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
    files: tuple[InputChange, ...],
    tables: tuple[dict[str, Table], dict[str, Table]],
) -> list[SiteChange]:
    names = _names(a, b, tables)
    out = []
    opened = [{s.site_id: s.opened or "stands" for s in plan.sites} for plan in (a, b)]
    pois = [_pois(plan) for plan in (a, b)]
    mw = [_mw(plan) for plan in (a, b)]
    for site in sorted(opened[0].keys() | opened[1].keys()):
        causes = _causes(names[site] | {site}, changed, files)
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


def _causes(
    names: set[str], changed: tuple[InputChange, ...], files: tuple[InputChange, ...]
) -> tuple[str, ...]:
    direct = _sentences([c for c in changed if c.names & names])
    if direct:
        return direct
    everywhere = [c for c in changed if not c.names]
    telling = [c for c in everywhere if not c.row.startswith(_ROUTINE)]
    rows = list(dict.fromkeys(c.row for c in changed if c.names))
    follows = FOLLOWS + " and ".join(rows) if len(rows) <= _MOST else OTHERS
    if rows or telling:
        return (*_sentences(telling), *((follows,) if rows else ()))
    if everywhere:
        return _sentences(everywhere)
    if files:
        return tuple(f"{c.where} is another file" for c in files)
    return (SAME,)


def _sentences(changes: list[InputChange]) -> tuple[str, ...]:
    """Return one text for each row or key: all that changed in it; those of files first."""
    rows: dict[str, list[str]] = {}
    for c in sorted(changes, key=lambda c: not (c.kind == "row" and c.row.endswith(")"))):
        told = f"{c.before} -> {c.after}"
        rows.setdefault(c.row, []).append(f"{c.column} {told}" if c.column else told)
    return tuple(f"{row}: {', '.join(told)}" for row, told in rows.items())


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
