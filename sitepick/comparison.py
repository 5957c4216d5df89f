"""What differs between two plans and their inputs, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputChange:
    """A key of the scenario, a cell of a table, or a file that is not the same in both runs.

    ``names``: the sites, POIs and regions that it speaks of; none: all sites. ``row`` and
    ``column`` say where a cell stands, by the file's own words where they are known.
    """

    kind: str  # key | row | file
    where: str  # "budget_musd.2028", "letters.csv row 7 (letter O1): mw", "substations: a.csv"
    before: str
    after: str
    names: frozenset[str]
    row: str = ""  # "letters.csv row 7 (letter O1)", or "letter O1"
    column: str = ""


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
