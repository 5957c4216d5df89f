"""Tables on leased halls: what is rented and paid by year, and the rent against building."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.exports.leases import AgainstBuild, against_build
from sitepick.report.tables import Cell, Column, Table
from sitepick.report.years import year_ends

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows
    from sitepick.run import Run

MOST_OFFERS = 8


def lease_tables(run: Run, made: SiteRows) -> tuple[Table, ...]:
    """Return the tables "Leased halls" and "Lease against build"; none without offers."""
    if not made.leases.rows:
        return ()
    return (_leased(run, made), _against(made))


def name_of(made: SiteRows, site: str) -> str:
    """Return id and name of a site."""
    name = made.look.sites[site]["name"]
    return site if not name or name == site else f"{site} {name}"


def _leased(run: Run, made: SiteRows) -> Table:
    """Return leased IT MW and rent at year ends."""
    ends = year_ends(run)
    at = {name: t for t, name in enumerate(made.solution.periods)}
    price_year = made.scenario.money.price_year
    columns = (
        Column("Leased halls", align="left"),
        Column("", align="left"),
        *(Column(e.label) for e in ends),
    )
    rows: list[tuple[Cell, ...]] = []
    total = [0.0] * len(ends)
    places = []
    for lease in made.solution.leases:
        mw, start = [], at[lease.since]
        for j, end in enumerate(ends):
            t = at[end.period]
            over = lease.until is not None and t >= at[lease.until]
            mw.append(0.0 if t < start or over else lease.it_mw)
            total[j] += lease.it_mw * made.leases.rent_musd(lease.site_id, start, t)
        rows.append((name_of(made, lease.site_id), "IT MW", *mw))
        places.append(f"site:{lease.site_id}")
    if rows:
        rows.append(("Rent", f"MUSD/a (real, {price_year})", *total))
        places.append("")
    note = "Terms end as agreed: no renewal is assumed." if _ends(made) else ""
    return Table(
        "Leased halls, IT MW at 31 December", columns, tuple(rows), note,
        places=tuple(places),
    )  # fmt: skip


def _ends(made: SiteRows) -> bool:
    return any(lease.until is not None for lease in made.solution.leases)


def _status(made: SiteRows, row: AgainstBuild) -> str:
    out = made.look.sites[row.site_id]["status"] == "rejected"
    return "taken" if row.taken else "screened out" if out else ""


def _against(made: SiteRows) -> Table:
    """Return each offer's rent beside what the plan's cheapest own build costs."""
    found = against_build(made)
    found.sort(key=lambda row: (not row.taken, row.lease, row.site_id))
    rows: list[tuple[Cell, ...]] = [
        (
            name_of(made, row.site_id), _status(made, row), row.since[:7],
            row.rent, row.lease, row.own, row.break_even,
        )
        for row in found
    ]  # fmt: skip
    columns = (
        Column("Lease against build", align="left"),
        Column("", align="left"),
        Column("from", align="left"),
        Column("rent", "USD per leased IT kW and month, first year, real", decimals=1),
        Column("lease, all in", "USD per IT kW and month, fully used, hardware left out",
               decimals=1),
        Column("own build", "USD per IT kW and month, hardware left out", decimals=1),
        Column("break-even rent", "USD per leased IT kW and month, first year, real", decimals=1),
    )  # fmt: skip
    own = next(((row.own_site, row.own_from) for row in found if row.own_site), None)
    if own is None:
        note = "USD/kW-month. The plan builds no site to compare with."
    else:
        note = (
            f"USD/kW-month, an estimate. Own build: {own[0]}, the cheapest that the plan builds, "
            f"with IT from {str(own[1])[:7]}; at the break-even rent the lease costs as much. An "
            "earlier lease also saves turning work away, which is not counted."
        )
    return Table(
        "Lease against build", columns, tuple(rows), note, most=MOST_OFFERS,
        rest="... {} more in leases.csv", places=tuple(f"site:{row.site_id}" for row in found),
    )  # fmt: skip
