"""On-site power: access, dates, blocks, firm MW, energy, bridges, permits, land and money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sitepick.checks import headroom
from sitepick.checks.case import Case, TieKey, day, key_of, number
from sitepick.checks.tolerance import MW, more, off
from sitepick.finding import Finding
from sitepick.solution import OnsiteRow


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `onsite.*` rows."""
    for (site, option, start, end), blocks in sorted(case.stays.items(), key=str):
        yield from _stay(case, site, option, start, end, blocks)
    standing, built, gone = _counted(case)
    for key in sorted({*standing, *built, *gone, *case.onsite}):
        row = case.onsite.get(key)
        said = (row.blocks, row.built, row.retired) if row else (0.0, 0.0, 0.0)
        found = (standing[key], built[key], gone[key])
        for name, stated, counted in zip(("stand", "begin", "leave"), said, found, strict=True):
            apart = off(stated, counted, MW)
            if apart:
                message = f"{stated:,.6g} blocks {name} as stated, {counted:,.6g} by their stays"
                yield Finding("onsite.blocks", _where(case, *key), apart, "blocks", message)
        if row is not None:
            yield from _row(case, key, row)
    for site in sorted({site for site, _, _ in case.onsite}):
        yield from _bridge(case, site)
    yield from _permits(case)


def of_site(case: Case, site: str, t: int) -> list[OnsiteRow]:
    """Return the rows of on-site power of a site in a period."""
    rows = (case.onsite.get((site, option, t)) for option in case.options)
    return [row for row in rows if row is not None]


def mean_mw(case: Case, site: str, t: int) -> float:
    """Return mean MW served on site."""
    return sum(row.mean_mw for row in of_site(case, site, t))


def has_options(case: Case, site: str) -> bool:
    """Return whether the site may have on-site power."""
    return any((site, option) in case.access for option in case.options)


def _where(case: Case, site: str, option: str, t: int) -> str:
    return f"{option} at site {site}, {case.when(t)}"


def _stay(
    case: Case, site: str, option: str, start: int, end: int | None, blocks: float
) -> Iterator[Finding]:
    kind, where = case.options[option], _where(case, site, option, start)
    if (site, option) not in case.access:
        message = "this option is not possible here (gas access, or a permit)"
        yield Finding("onsite.access", where, blocks * kind.block_mw, "MW", message)
        return
    begins, earliest = case.calendar.starts[start], _earliest(case, site, option)
    if begins < earliest:
        message = f"blocks are energised before {earliest}: lead time, or permit"
        yield Finding("onsite.early", where, (earliest - begins).days, "days", message)
    if case.closed(site, start):
        message = "blocks are energised during a moratorium of the region"
        yield Finding("onsite.closed", where, blocks, "blocks", message)
    if kind.whole and abs(blocks - round(blocks)) > 1e-6:
        message = f"{blocks:,.6g} blocks are not whole"
        yield Finding("onsite.whole", where, abs(blocks - round(blocks)), "blocks", message)
    if end is None:
        return
    if not kind.leaves:
        message = "blocks leave that can be neither salvaged nor given back"
        yield Finding("onsite.leaves", where, blocks, "blocks", message)
    late = end - (start + case.calendar.periods_of(kind.life_years))
    if late > 0 or end <= start:
        message = "blocks leave before they come, or after the end of their life"
        yield Finding("onsite.life", where, max(1, late), "periods", message)


def _earliest(case: Case, site: str, option: str) -> date:
    permitted = day(case.access[site, option]["from_date"])
    ordered = case.calendar.earliest(case.options[option].lead_months)
    return ordered if permitted is None else max(ordered, permitted)


def serves_alone_from(case: Case, site: str) -> date:
    """Return the day from which the site may be served without a tie (``date.max``: never)."""
    dates = [
        _earliest(case, site, option)
        for option, kind in case.options.items()
        if (site, option) in case.access and (kind.role == "bridge" or kind.islanded)
    ]
    return min(dates, default=date.max)


def _leaves_at(case: Case, option: str, start: int, end: int | None) -> int:
    """Return the first period in which blocks of ``start`` stand no more, maybe behind the last."""
    natural = start + case.calendar.periods_of(case.options[option].life_years)
    return natural if end is None else end


Counts = dict[tuple[str, str, int], float]


def _counted(case: Case) -> tuple[Counts, Counts, Counts]:
    standing: Counts = defaultdict(float)
    built: Counts = defaultdict(float)
    gone: Counts = defaultdict(float)
    for (site, option, start, end), blocks in case.stays.items():
        until = _leaves_at(case, option, start, end)
        built[site, option, start] += blocks
        if until < case.calendar.count:
            gone[site, option, until] += blocks
        for t in range(start, min(until, case.calendar.count)):
            standing[site, option, t] += blocks
    return standing, built, gone


def _serving(case: Case, site: str, option: str, t: int) -> float:
    """Return the blocks that may serve in a period: those of a bridge for a limited time."""
    kind, total = case.options[option], 0.0
    for (at, of, start, end), blocks in case.stays.items():
        if (at, of) != (site, option) or not start <= t < _leaves_at(case, option, start, end):
            continue
        longest = kind.bridge_years_max
        if longest is None or t < start + case.calendar.periods_of(longest):
            total += blocks
    return total


def firm_mw(case: Case, option: str, blocks: float) -> float:
    """Return firm MW of equal blocks: those beyond the spare ones, or all times one credit."""
    kind = case.options[option]
    if kind.spare_blocks is not None:
        return max(0.0, blocks - kind.spare_blocks) * kind.block_mw
    if option in case.sized:
        return blocks * kind.block_mw * float(case.sized[option]["firm_credit"])
    credit = kind.availability if kind.firm_credit is None else kind.firm_credit
    return blocks * kind.block_mw * credit


def solar_mean_mw(case: Case, option: str, mw: float, load_mw: float) -> float:
    """Return what solar of that size gives to a constant load: between the points of its curve."""
    points = case.sized[option]["curve"]
    if load_mw <= 0 or mw <= 0:
        return 0.0
    size, below = mw / load_mw, points[0]
    for point in points[1:]:
        if size <= point[0]:
            part = (size - below[0]) / (point[0] - below[0])
            return float(load_mw * (below[1] + part * (point[1] - below[1])))
        below = point
    return float(load_mw * below[1])


def _row(case: Case, key: tuple[str, str, int], row: OnsiteRow) -> Iterator[Finding]:
    site, option, t = key
    kind, where = case.options[option], _where(case, *key)
    apart = off(row.mw, row.blocks * kind.block_mw, MW)
    if apart:
        message = f"{row.mw:,.6g} MW are stated, the blocks make {row.blocks * kind.block_mw:,.6g}"
        yield Finding("onsite.mw", where, apart, "MW", message)
    if row.mw > MW and not case.is_open(site, t):
        yield Finding("onsite.open", where, row.mw, "MW", "blocks stand at a site that is not open")
    allowed = firm_mw(case, option, _serving(case, site, option, t))
    over = more(row.firm_mw, allowed)
    if over:
        message = f"{row.firm_mw:,.6g} MW are counted as firm, {allowed:,.6g} are"
        yield Finding("onsite.firm", where, over, "MW", message)
    most = row.blocks * kind.block_mw * kind.availability
    if option in case.sized:
        most = solar_mean_mw(case, option, row.mw, case.facility_mean_mw(site, t))
    over = more(row.mean_mw, most)
    if over:
        message = f"{row.mean_mw:,.6g} mean MW are served, the blocks can give {most:,.6g}"
        yield Finding("onsite.energy", where, over, "mean MW", message)
    over = more(row.mean_mw, row.firm_mw) if kind.role == "bridge" else 0.0
    if over:
        message = f"a bridge serves {row.mean_mw:,.6g} mean MW, it stands in for {row.firm_mw:,.6g}"
        yield Finding("onsite.backup", where, over, "mean MW", message)
    beside = kind.role == "prime" and not kind.islanded
    tied = any(case.is_tied(key_of(tie), t) for tie in case.ties_of.get(site, []))
    if beside and not tied and row.firm_mw > MW:
        message = "prime power that is not made for an island counts as firm without a tie"
        yield Finding("onsite.tied", where, row.firm_mw, "MW", message)


def _bridge(case: Case, site: str) -> Iterator[Finding]:
    """A bridge stands in for grid MW that the site has in the end and that come later."""
    bridges = [o for o, kind in case.options.items() if kind.role == "bridge"]
    firm = {
        t: sum(case.onsite[site, o, t].firm_mw for o in bridges if (site, o, t) in case.onsite)
        for t in case.times
    }
    if max(firm.values()) <= MW:
        return
    end = case.site_grid_mw(site, case.calendar.last)
    for t in case.times:
        late = sum(
            _still_late(case, key_of(tie), t)
            for tie in case.ties_of.get(site, [])
            if case.is_tied(key_of(tie), case.calendar.last)
        )
        over = more(firm[t], late)
        if over:
            message = (
                f"bridges stand in for {firm[t]:,.6g} MW, of the POIs' MW only {late:,.6g} are "
                "dated later"
            )
            yield Finding("onsite.dated", f"site {site}, {case.when(t)}", over, "MW", message)
        now = case.site_grid_mw(site, t)
        over = more(firm[t] + now, end)
        if over:
            message = (
                f"bridges stand in for {firm[t]:,.6g} MW beside {now:,.6g} grid MW, "
                f"the site gets {end:,.6g} grid MW in the end"
            )
            yield Finding("onsite.until", f"site {site}, {case.when(t)}", over, "MW", message)


def _still_late(case: Case, tie: TieKey, t: int) -> float:
    """Return the MW that the tie can carry in some later period, and not yet in period ``t``."""

    def carried(when: int) -> float:
        earliest = case.calendar.earliest(case.tie_months)
        if case.own_tie(tie[0]) != tie and case.calendar.starts[when] < earliest:
            return 0.0
        cap = number(case.ties[tie]["cap_mw"])
        return min(headroom.possible_mw(case, tie[1], when), float("inf") if cap is None else cap)

    return max(carried(when) for when in range(t, case.calendar.count)) - carried(t)


def _permits(case: Case) -> Iterator[Finding]:
    for permit in case.scenario.onsite.permits:
        if permit.max_mw is None:
            continue
        totals: dict[tuple[str, int], float] = defaultdict(float)
        for (site, option, t), row in case.onsite.items():
            region = case.regions_of[site].get(permit.level)
            if region is None or (permit.ids is not None and region not in permit.ids):
                continue
            if permit.options is None or option in permit.options:
                whom = f"{permit.level} {region}" if permit.per == "region" else f"site {site}"
                totals[whom, t] += row.mw
        for (whom, t), mw in sorted(totals.items()):
            over = more(mw, permit.max_mw)
            if over:
                message = f"{mw:,.6g} MW stand on site, the permit allows {permit.max_mw:,.6g}"
                yield Finding("onsite.permit", f"{whom}, {case.when(t)}", over, "MW", message)


def capex_musd_per_mw(case: Case, option: str) -> float:
    """Return the overnight cost of a MW of blocks: 1000 USD per kW are a MUSD per MW."""
    kind = case.options[option]
    usd_per_kw = kind.capex_usd_per_kw or 0.0
    if option in case.sized:
        usd_per_kw = float(case.sized[option]["capex_usd_per_kw"])
    return usd_per_kw / 1000 * case.price(kind.price_year)


def ha_per_mw(case: Case, option: str) -> float:
    """Return the land of a MW of blocks, ha."""
    if option in case.sized:
        return float(case.sized[option]["ha_per_mw"])
    return case.options[option].ha_per_mw


def land_ha(case: Case, site: str, t: int) -> float:
    """Return the land under the on-site power of a site, ha."""
    return sum(
        row.blocks * case.options[option].block_mw * ha_per_mw(case, option)
        for (at, option, when), row in case.onsite.items()
        if (at, when) == (site, t)
    )


def salvaged(case: Case) -> float:
    """Return what blocks that leave early give back: their share of the annuities still to come."""
    total = 0.0
    for (_, option, start, end), blocks in case.stays.items():
        kind = case.options[option]
        if end is None or not kind.leaves:
            continue
        musd = blocks * kind.block_mw * capex_musd_per_mw(case, option)
        left = case.calendar.still_to_come(musd, start, end, kind.life_years, kind.lead_months)
        total += kind.salvage_pct / 100 * left
    return total


def running(case: Case, t: int) -> float:
    """Return fuel, O&M and rent of a period, MUSD a year."""
    usd = 0.0
    for (site, option, at), row in case.onsite.items():
        if at != t:
            continue
        kind = case.options[option]
        price = case.price(kind.price_year)
        per_mwh = price * (kind.energy_usd_per_mwh + kind.variable_om_usd_per_mwh)
        if kind.burns and (site, option) in case.access:
            gas = number(case.access[site, option]["gas_usd_per_mmbtu"]) or 0.0
            per_mwh += (kind.heat_rate_mmbtu_per_mwh or 0.0) * gas
        usd += row.mean_mw * 8760 * per_mwh
        per_kw = price * (kind.fixed_om_usd_per_kw_year + 12 * kind.rent_usd_per_kw_month)
        usd += row.blocks * kind.block_mw * 1000 * per_kw
    return usd / 1e6
