"""Tables that explain a run: what binds by date, and all that is known of one site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sitepick.exports.explain import Stored
from sitepick.report.tables import Cell, Column, Report, Table
from sitepick.report.years import ends_within
from sitepick.scenario.fields import ALL_TIME
from sitepick.words import LETTER, LINES, REACH, limit_words

if TYPE_CHECKING:
    from sitepick.run import LimitUse, Verdict
    from sitepick.scenario.schema import Scenario

_ORDER = ("headroom.limit", LETTER, "headroom.ramp", "headroom.shared", LINES,
          "deliverability.adequacy", "flexible.area", "onsite.permit", "budget.year",
          "procurement.cap", "regions.", "limits.", "siting.count", REACH, "siting.land",
          "siting.max", "siting.min", "ties.cap")  # fmt: skip
"""The order in which families of limits are told, by the start of their names."""
_PRICED_MUSD = 1e-3
_MOST_PRICED = 40
_TIGHT = 1e-6
LP_NOTE = (
    "Prices: net present MUSD saved by one more unit. LP: dual of the whole problem, all decisions "
    "free and in fractions. Held: dual with the plan's whole decisions held. `--step KEY=+1` "
    "solves again and tells the true change. All limits: limits.csv."
)


def explain_report(stored: Stored, scenario: Scenario) -> Report:
    """Return what binds in a run by date, its deployable capital, and the count of verdicts."""
    counts: dict[str, int] = defaultdict(int)
    for verdict in stored.verdicts:
        counts[verdict.verdict.replace("_", " ")] += 1
    verdicts = Table(
        "Verdicts",
        (Column("verdict", align="left"), Column("places", decimals=0)),
        tuple(counts.items()),
        inline=True,
    )
    tables = (what_binds(stored.limits, scenario), capital_of(stored), verdicts)
    head = (f"{scenario.name}: what binds, by date",)
    return Report(head, tuple(t for t in tables if t.rows), {})


def what_binds(limits: Sequence[LimitUse], scenario: Scenario) -> Table:
    """Return a row for each family of limits and date at which one is tight or has a price.

    A family that binds nowhere has one row, with its tightest limit, so that its slack is seen.
    """
    groups: dict[str, dict[str, list[LimitUse]]] = defaultdict(lambda: defaultdict(list))
    for use in limits:
        groups[use.limit][use.when].append(use)
    rows: list[tuple[Cell, ...]] = []
    for family in sorted(groups, key=lambda f: (_rank(f), f)):
        tight = [
            (when, [u for u in uses if _binds(u)]) for when, uses in sorted(groups[family].items())
        ]
        tight = [(when, uses) for when, uses in tight if uses]
        if not tight:
            every = [u for uses in groups[family].values() for u in uses]
            closest = min(every, key=lambda u: (_share_left(u), u.when, u.where))
            rows.append(_limit_row(family, closest, 0, scenario))
        told: list[tuple[Cell, ...]] = []
        for _, uses in tight:
            top = min(uses, key=lambda u: (-_price(u), _share_left(u), u.where))
            told.append(_limit_row(family, top, len(uses), scenario))
        rows += _as_long_as_alike(told, sorted(groups[family]), [when for when, _ in tight])
    columns = (
        Column("Limit", align="left"),
        Column("when", align="left"),
        Column("tight", "limits of the family that are tight or priced", decimals=0),
        Column("dearest at", align="left"),
        Column("limit"),
        Column("used"),
        Column("slack"),
        Column("unit", align="left"),
        Column("LP", "MUSD per unit, dual of the whole problem", decimals=3),
        Column("held", "MUSD per unit, whole decisions held", decimals=3),
    )
    return Table("What binds, by date", columns, tuple(rows), LP_NOTE if rows else "")


def priced_limits(limits: Sequence[LimitUse], scenario: Scenario) -> Table:
    """Return the single limits with a price, dearest first, as many as a page has room for."""
    priced = [use for use in limits if _price(use) > _PRICED_MUSD]
    priced.sort(key=lambda use: (-_price(use), use.limit, use.where, use.when))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            limit_words(use.limit, scenario), use.where, use.when, _figure(use.amount),
            _figure(use.slack), use.unit, use.lp_price_musd, use.held_price_musd,
        )
        for use in priced[:_MOST_PRICED]
    )  # fmt: skip
    columns = (
        Column("Limit with a price", align="left"),
        Column("at", align="left"),
        Column("when", align="left"),
        Column("limit"),
        Column("slack"),
        Column("unit", align="left"),
        Column("LP", "MUSD per unit, dual of the whole problem", decimals=3),
        Column("held", "MUSD per unit, whole decisions held", decimals=3),
    )
    more = len(priced) - len(rows)
    note = f"... {more:,} more in limits.csv" if more else ""
    return Table("Single limits with a price, dearest first", columns, rows, note)


def _as_long_as_alike(
    rows: list[tuple[Cell, ...]], dates: list[str], at: list[str]
) -> list[tuple[Cell, ...]]:
    """Return the rows of a family with those of dates that follow each other as one, if alike.

    ``at`` is the date of each row, ``dates`` all those of the family. A row tells its date in its
    second cell, the last two are prices.
    """
    out: list[tuple[Cell, ...]] = []
    before: tuple[Any, ...] = ()
    for row, when in zip(rows, at, strict=True):
        prices = [round(p, 3) if isinstance(p, float) else p for p in row[-2:]]
        told, place = (row[0], *row[2:-2], *prices), dates.index(when)
        if before == (told, place - 1):
            since = str(out[-1][1]).split(" to ")[0]
            out[-1] = (row[0], f"{since} to {row[1]}", *row[2:])
        else:
            out.append(row)
        before = (told, place)
    return out


def _limit_row(family: str, use: LimitUse, tight: int, scenario: Scenario) -> tuple[Cell, ...]:
    when = use.when if scenario.periods.step != "year" else use.when.removesuffix("-01-01")
    when = when.removesuffix("-01") if len(when) == len("2027-01-01") else when
    figures = (_figure(x) for x in (use.amount, use.used, use.slack))
    return (
        limit_words(family, scenario), when, tight, use.where, *figures, use.unit,
        use.lp_price_musd, use.held_price_musd,
    )  # fmt: skip


def _figure(value: float) -> str:
    """Return a number as text: columns hold MW, MUSD, ha and counts alike."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def capital_of(stored: Stored) -> Table:
    """Return capital available against spendable by year, and what stopped the rest."""
    t = stored.capital
    columns = tuple(Column(**c) for c in t["columns"])
    return Table(t["title"], columns, tuple(tuple(r) for r in t["rows"]), t["note"])


def site_report(stored: Stored, scenario: Scenario, site_id: str) -> Report:
    """Return all that is known of one place. Raises KeyError for an unknown id."""
    verdict = next((v for v in stored.verdicts if v.site_id == site_id), None)
    place = stored.places[site_id]
    name = f" {place['name']}" if place["name"] and place["name"] != site_id else ""
    where = ", ".join(f"{level} {r}" for level, r in stored.regions.get(site_id, {}).items())
    head = [f"{site_id}{name}" + (f" ({where})" if where else "")]
    if verdict is not None:
        head += [verdict.why, *_cost_lines(stored, verdict)]
    tables = (
        charges_table(verdict, scenario),
        tests_table(stored, scenario, site_id),
        ties_table(stored, scenario, site_id),
        letters_table(stored, site_id),
        rules_table(stored, scenario, site_id),
    )
    return Report(tuple(head), tuple(t for t in tables if t.rows), {})


def _cost_lines(stored: Stored, verdict: Verdict) -> list[str]:
    """Say what the site costs per IT kW and month beside the plan's dearest and cheapest site."""
    costs = stored.unit_costs
    own, at = costs.get(verdict.site_id), "in the plan"
    if own is None:
        own, at = verdict.alone_usd_per_kw_month, "built as large as its own limits allow (LP)"
    if own is None or not costs:
        return []
    low, high = (pick(costs, key=lambda s: (costs[s], s)) for pick in (min, max))
    size = "" if verdict.alone_it_mw is None else f", {verdict.alone_it_mw:,.0f} IT MW"
    return [
        f"{own:,.0f} USD per IT kW and month {at}{size}; the plan's sites cost {costs[low]:,.0f} "
        f"({low}) to {costs[high]:,.0f} ({high})"
    ]


def charges_table(verdict: Verdict | None, scenario: Scenario) -> Table:
    """Return the limits that block a site, and what their prices take from it."""
    columns = (
        Column("Blocked by", align="left"), Column("at", align="left"),
        Column("most in", align="left"),
        Column("takes, MUSD", "net present MUSD (LP)", decimals=2),
    )  # fmt: skip
    charges = () if verdict is None else verdict.charges
    rows = tuple((limit_words(c.limit, scenario), c.where, c.when, c.musd) for c in charges)
    return Table("Limits that block the site", columns, rows)


def tests_table(stored: Stored, scenario: Scenario, site_id: str) -> Table:
    """Return the tests that a place failed, and those it passed with the margin."""
    place = stored.places[site_id]
    rows: list[tuple[Cell, ...]] = []
    failed = {t["test"] for t in place["failed"]}
    for t in place["failed"]:
        value, limit = t["value"], t["threshold"]
        both = isinstance(value, float) and isinstance(limit, float) and bool(t["unit"])
        if not t["unit"] and isinstance(value, float):  # yes or no
            value = limit = None
        rows.append((t["test"], "failed", value, limit, value - limit if both else None, t["unit"]))
    rules, power = scenario.candidates, scenario.power
    ties = stored.ties.get(site_id, [])
    most = max((max(stored.pois[t["poi_id"]]["mw"], default=0.0) for t in ties), default=None)
    near = min((t["km"] for t in ties if t["km"] is not None), default=None)
    for test, value, limit, least, unit in (
        ("min_ha", place["usable_ha"], rules.min_ha or None, True, "ha"),
        ("fiber_km_max", place["fiber_km"], rules.fiber_km_max, False, "km"),
        ("min_headroom_mw", most, rules.min_headroom_mw or None, True, "MW"),
        ("tie_km_max", near, power.tie_km_max, False, "km"),
    ):
        if test not in failed and value is not None and limit is not None:
            margin = value - limit if least else limit - value
            rows.append((test, "passed", value, limit, margin, unit))
    columns = (
        Column("Test", align="left"), Column("", align="left"), Column("value", decimals=1),
        Column("limit", decimals=1), Column("margin", decimals=1), Column("unit", align="left"),
    )  # fmt: skip
    return Table("Tests", columns, tuple(rows))


def ties_table(stored: Stored, scenario: Scenario, site_id: str) -> Table:
    """Return the possible ties of a site: MW of the POI alone, and what the plan uses of them.

    At 31 December, as in the tables of the plan: quarters would not fit. `--json` has all periods.
    """
    rows: list[tuple[Cell, ...]] = []
    ends = ends_within(scenario.periods)
    at = [stored.periods.index(end.period) for end in ends]
    for tie in stored.ties.get(site_id, []):
        poi = stored.pois[tie["poi_id"]]
        head = (tie["poi_id"], tie["kv"], tie["km"], tie["cap_mw"])
        rows.append((*head, "alone", *(poi["mw"][t] for t in at)))
        if any(poi["plan_mw"]):
            used = (poi["plan_mw"][t] for t in at)
            rows.append((tie["poi_id"], None, None, None, "in the plan", *used))
    columns = (
        Column("Tie to POI", align="left"), Column("kV", decimals=0), Column("km", decimals=1),
        Column("cap MW", decimals=0), Column("grid MW, 31 Dec", align="left"),
        *(Column(end.label, "grid MW", decimals=0) for end in ends),
    )  # fmt: skip
    return Table("Ties and the dated MW of their POIs", columns, tuple(rows))


def letters_table(stored: Stored, site_id: str) -> Table:
    """Return the letters of the POIs that a site can tie to."""
    pois = dict.fromkeys(t["poi_id"] for t in stored.ties.get(site_id, []))
    rows: list[tuple[Cell, ...]] = [
        (o["offer_id"], poi, o["stage"], "firm" if o["firm"] else "non-firm", o["mw_total"],
         o["from_date"], o["to_date"])
        for poi in pois for o in stored.letters.get(poi, [])
    ]  # fmt: skip
    columns = (
        Column("Letter", align="left"), Column("POI", align="left"),
        Column("stage", align="left"), Column("", align="left"),
        Column("MW, total", decimals=0), Column("from", align="left"), Column("to", align="left"),
    )  # fmt: skip
    return Table("Letters", columns, tuple(rows))


def rules_table(stored: Stored, scenario: Scenario, site_id: str) -> Table:
    """Return the region rules that speak of a site."""
    mine = stored.regions.get(site_id, {})
    rows: list[tuple[Cell, ...]] = []
    for rule in scenario.regions.rules:
        region = mine.get(rule.level)
        if region is None or (rule.ids is not None and region not in rule.ids):
            continue
        said = rule.model_dump(
            mode="json", exclude_defaults=True, exclude={"level", "ids", "together"}
        )
        rows += [(f"{rule.level} {region}", key, _said(value)) for key, value in said.items()]
    columns = (Column("Region", align="left"), Column("rule", align="left"),
               Column("value", align="left"))  # fmt: skip
    return Table("Rules of its regions", columns, tuple(rows))


def _said(value: Any) -> str:
    if isinstance(value, dict):
        if list(value) == [ALL_TIME.isoformat()]:
            return str(value[ALL_TIME.isoformat()])
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rank(family: str) -> int:
    return next((i for i, f in enumerate(_ORDER) if family.startswith(f)), len(_ORDER))


def _price(use: LimitUse) -> float:
    return max(use.lp_price_musd or 0.0, use.held_price_musd or 0.0)


def _binds(use: LimitUse) -> bool:
    return _price(use) > _PRICED_MUSD or use.slack <= _TIGHT * max(1.0, abs(use.amount))


def _share_left(use: LimitUse) -> float:
    return use.slack / max(abs(use.amount), 1e-9)
