"""A verdict on every candidate, without a re-solve each: why not this site, what would it cost.

All figures come from one set of duals, those that prove the plan's bound (docs/explain.md):

* proven   `max(0, bound with the site forced open - plan)`: `sitepick.solve.forcing`;
* estimate the same bound less the bound as it is: the linear price of forcing;
* blocked  sites that would earn their place if the limits they share with others cost nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from sitepick.blocks.columns import it_at, open_at, poi_at
from sitepick.blocks.deliverability import JOINT
from sitepick.dispatch.result import main_pair
from sitepick.instance.leases import periods_of_term
from sitepick.matrix import SHARED, FloatArray, IntArray, Matrix
from sitepick.planner import Planner
from sitepick.program import Family
from sitepick.run import Charge, LimitUse, Verdict
from sitepick.serving import serve_alike
from sitepick.solve.forcing import Forced, forced_bounds
from sitepick.solve.outcome import Certificate, Outcome
from sitepick.solve.owners import Owners, numbered
from sitepick.solve.sifting import relax_by_pricing
from sitepick.words import LIMIT_WORDS, LINES

_SHARED_LIMITS = ("headroom.limit", "headroom.shared", "headroom.ramp", "deliverability.",
                  "flexible.area", "regions.", "siting.count", "onsite.permit")  # fmt: skip
"""Row families whose limits one site takes from another, by the start of their names. Money,
supply and demand concern all sites alike: a site that they keep away is dearer, not blocked."""
_LEAST_MUSD = 0.01  # gains below 10,000 USD are noise of the solver
_REWARD_MUSD = 200.0
"""Per ref_mw-year: enough that a site at full size costs less than it is rewarded with."""
_MOST_CHARGES = 4
_USD_PER_KW_MONTH = 1e6 / 1000 / 12  # of 1 MUSD per IT MW and year
ENTERED = "regions.entered"


def prices_of(planner: Planner, outcome: Outcome) -> Certificate:
    """Return the certificate that verdicts rest on: the outcome's, or one made now."""
    if outcome.certificate is not None:
        return outcome.certificate
    owners = Owners(numbered(planner.program.matrix), planner.limits.threads)
    return relax_by_pricing(owners, planner.limits).duals


@dataclass(frozen=True)
class Explained:
    """What explains a plan: a verdict on every place, by site_id, and how far limits are used."""

    verdicts: tuple[Verdict, ...] = ()
    limits: tuple[LimitUse, ...] = ()


def explained(planner: Planner, outcome: Outcome, held: FloatArray | None) -> Explained:
    """Explain the plan of ``outcome``, the last solve by cost.

    ``held`` (m,) are prices with whole decisions held. Rows that were added after the bound was
    proven count as free.
    """
    assert outcome.values is not None
    desk = _Desk(planner, outcome.values, prices_of(planner, outcome), outcome.objective)
    made = {v.site_id: v for v in (*desk.chosen(), *desk.others())}
    cand = planner.prepared.candidates
    failed: dict[str, list[str]] = defaultdict(list)
    tests = cand.failed[["site_id", "test", "value", "threshold", "unit", "message"]]
    for site, *test in tests.itertuples(index=False, name=None):
        failed[site].append(_failed_line(*test))
    for site in cand.sites["site_id"]:
        if site not in made:
            told = "; ".join(failed[site]) or "not a candidate"
            made[site] = Verdict(site, "rejected", f"screened out: {told}")
    verdicts = tuple(made[site] for site in cand.sites["site_id"])
    return Explained(verdicts, planner.limit_uses(outcome.values, held, desk.forced.duals))


def _failed_line(test: str, value: float, threshold: float, unit: str, message: str) -> str:
    text = f"{test}: {message}" if message else test
    both = all(isinstance(x, (int, float)) and math.isfinite(x) for x in (value, threshold))
    if not both or not unit:
        return text
    far = f"{abs(value - threshold):,.4g} {unit} from passing"
    if message:
        return f"{text} ({far})"
    return f"{text}: {value:,.4g} against {threshold:,.4g} {unit} ({far})"


@dataclass
class _Desk:
    """What all verdicts are made from. Owners of ``matrix`` are 0, 1, ...; S sites."""

    planner: Planner
    values: FloatArray
    certificate: Certificate
    objective: float

    def __post_init__(self) -> None:
        self.program, self.inst = self.planner.program, self.planner.instance
        self.whole = self.program.matrix
        self.matrix: Matrix = numbered(self.whole)
        self.owners = Owners(self.matrix)
        last = open_at(self.program, self.inst)[:, -1]
        self.owner: IntArray = self.matrix.owner[last]  # (S,)
        it = it_at(self.program, self.inst)
        mw = np.where(it >= 0, self.values[np.maximum(it, 0)], 0.0)
        self.it_mw: FloatArray = mw[..., -1].sum(axis=(1, 2))  # (S,) at the horizon's end
        self.opened = self.values[last] > 0.5
        self.out = np.flatnonzero(~self.opened)
        self.serving = np.flatnonzero(self.opened & (self.it_mw > 1e-6))
        rows = _shared_rows(self.planner, self.matrix)
        named = [_label(self.planner, family, j) for family, j in rows]
        self.labels, self.dates = [x[:2] for x in named], [x[2] for x in named]
        self.label_at = {x: n for n, x in enumerate(dict.fromkeys(self.labels))}
        self.at = np.array([f.start + j for f, j in rows], dtype=np.int64)
        self.poi_rows, self.poi_columns = self._poi_links()
        self.forced: Forced = forced_bounds(
            self.matrix,
            self.certificate,
            last[self.out],
            also=self._asked,
            slight=_LEAST_MUSD,
            threads=self.planner.limits.threads,
        )

    def _poi_links(self) -> tuple[IntArray, IntArray]:
        """Return the rows that add up grid MW at POIs of several sites, and the POIs' columns."""
        total = self.program.row_families.get("headroom.poi")
        if total is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        column = poi_at(self.program, self.inst)[total.keys["poi"], total.keys["period"]]
        shared = self.matrix.owner[column] == SHARED
        return total.indices[shared], column[shared]

    # --- sites of the plan ------------------------------------------------------------------

    def chosen(self) -> list[Verdict]:
        level = open_at(self.program, self.inst)
        out = []
        for i in np.flatnonzero(self.opened):
            mw = float(self.it_mw[i])
            if self.inst.sites.existing[i]:
                said, why = "existing", f"stands already; {mw:,.1f} IT MW at the end"
            else:
                first = int(np.argmax(self.values[level[i]] > 0.5))
                said = "chosen"
                why = f"in the plan from {self.inst.time.names[first]}; {mw:,.1f} IT MW at the end"
                if self.inst.leased[i]:
                    why = self._leased(int(i))
            out.append(Verdict(self.inst.sites.ids[i], said, why, it_mw=mw))
        return out

    def _leased(self, i: int) -> str:
        """Say what the plan leases of offer ``i``, from when, and when its term ends."""
        inst, name = self.inst, self.inst.time.names
        family = self.program.column_families["leases.mw"]
        mine = inst.leases.site[family.keys["lease"]] == i
        mw = np.where(mine, self.values[family.indices], 0.0)
        begun = int(family.keys["period"][int(np.argmax(mw))])
        term = float(inst.leases.term_years[int(np.flatnonzero(inst.leases.site == i)[0])])
        end = begun + periods_of_term(inst.time, term)
        until = f"until {name[end]}, when its term ends" if end < inst.time.n else "to the end"
        return f"leased: {mw.max():,.1f} IT MW from {name[begun]} {until}"

    # --- sites that are not in the plan -----------------------------------------------------

    def others(self) -> list[Verdict]:
        """Return the verdicts on candidates that the plan leaves out."""
        if not len(self.out):
            return []
        would, built = self.forced.answers
        free = self._free(self.forced.duals)
        gain = -self._by_owner(free * would)
        prices = sp.diags_array(-self.forced.duals[self.at])
        charge = sp.csc_array(prices @ self._by_row_and_owner(would))
        charge.sort_indices()  # equal charges are told in the order of rows
        alone_mw, alone_usd = self._alone(built)
        out = []
        for k, i in enumerate(self.out):
            o, bound = int(self.owner[i]), float(self.forced.at_least[k])
            never = self._never(int(i)) if math.isinf(bound) else ""
            estimate = None if never else max(0.0, bound - self.forced.bound)
            proven = None if never else max(0.0, bound - self.objective)
            limits: tuple[Charge, ...] = ()
            if gain[o] > _LEAST_MUSD and not never:
                mine = slice(charge.indptr[o], charge.indptr[o + 1])
                limits = self._dearest(charge.indices[mine].astype(np.int64), charge.data[mine])
            instead, shares = self._instead(k, limits[0].names if limits else None)
            verdict = Verdict(
                self.inst.sites.ids[i],
                "blocked" if limits or never else "not_chosen",
                estimate_musd=estimate,
                proven_musd=proven,
                charges=limits,
                instead=instead,
                instead_shares=shares,
                alone_it_mw=float(alone_mw[o]),
                alone_usd_per_kw_month=None if math.isnan(alone_usd[o]) else float(alone_usd[o]),
            )
            within = self.objective - self.forced.bound
            out.append(replace(verdict, why=_why(verdict, never, float(gain[o]), within)))
        return out

    def _never(self, i: int) -> str:
        """Say why site ``i`` cannot be opened at all, whatever the others do."""
        sites, n = self.inst.sites, self.inst.time.n
        first = int(sites.open_from[i])
        if first >= n:
            return "it cannot open within the horizon: its lead time ends after the last period"
        if sites.closed[i, first:].all():
            return "a moratorium stands in every period in which it could open"
        if self.inst.leased[i]:
            return "its own terms (dates, least MW) leave no way to lease it"
        return "its own limits (land, ties, dated MW, smallest size) leave no way to open it"

    def _dearest(self, rows: IntArray, charge: FloatArray) -> tuple[Charge, ...]:
        """Return what limits, by some shared ``rows``, take from a site, summed over dates."""
        total: dict[tuple[str, str], float] = defaultdict(float)
        when: dict[tuple[str, str], str] = {}
        for n in np.argsort(-charge, kind="stable"):  # the date of the largest part comes first
            r = int(rows[n])
            total[self.labels[r]] += float(charge[n])
            when.setdefault(self.labels[r], self.dates[r])
        found = [Charge(*key, when[key], musd) for key, musd in total.items() if musd > _LEAST_MUSD]
        return tuple(sorted(found, key=lambda c: (-c.musd, c.names))[:_MOST_CHARGES])

    def _instead(self, k: int, limit: tuple[str, str] | None) -> tuple[str, str]:
        """Return the site of the plan that takes the place of ``out[k]``, and what they share.

        Of those that use ``limit``, else serve work that it could serve, the one with the lowest
        reduced cost per IT MW.
        """
        shares = "the limit"
        there = np.zeros(0, dtype=np.int64)  # positions in `serving`
        if limit is not None:
            there = np.flatnonzero(self._uses[self.label_at[limit]] > 1e-6)
        if not len(there):
            start = self._alike.indptr
            there = np.sort(self._alike.indices[start[k] : start[k + 1]])
            shares = "the work"
        if not len(there):
            return "", ""
        return self.inst.sites.ids[self.serving[there[int(np.argmin(self._worth[there]))]]], shares

    @cached_property
    def _alike(self) -> sp.csr_array:
        """(out, serving) above 0 where sites of the plan serve what others could."""
        return serve_alike(self.program, self.inst, self.values, self.out, self.serving)

    @cached_property
    def _worth(self) -> FloatArray:
        """(serving,) reduced cost per IT MW."""
        return np.asarray(
            self.forced.parts.part[self.owner[self.serving]] / self.it_mw[self.serving]
        )

    @cached_property
    def _uses(self) -> FloatArray:
        """(labels, serving) how much of each limit, over its dates, sites of the plan use."""
        used = sp.csc_array(self._by_row_and_owner(self.values))[:, self.owner[self.serving]]
        of = np.array([self.label_at[x] for x in self.labels], dtype=np.int64)
        sums = sp.csr_array((np.ones(len(of)), (of, np.arange(len(of)))))
        return np.asarray((sums @ used).toarray())

    # --- prices -----------------------------------------------------------------------------

    def _asked(self, duals: FloatArray) -> list[FloatArray]:
        """Return the costs (n,) at which sites answer: shared limits free, and each alone."""
        return [self._free(duals), self._alone_goal()]

    def _free(self, duals: FloatArray) -> FloatArray:
        """Return costs (n,) at ``duals`` (m,), the limits that sites share at no price."""
        y = duals.copy()
        charged = self.matrix.A[self.at].T @ y[self.at]
        y[self.at] = 0.0
        if len(self.poi_rows):  # the price of MW at a POI reaches its sites through one row
            y[self.poi_rows] += charged[self.poi_columns]
        return self.owners.reduced(y)

    def _by_row_and_owner(self, values: FloatArray) -> sp.csr_array:
        """Return (rows, owners), mostly 0: use of each shared limit by owners in ``values``."""
        n, owned = len(values), self.matrix.owner >= 0
        who = sp.csr_array(
            (values[owned], (np.flatnonzero(owned), self.matrix.owner[owned])),
            shape=(n, self.owners.count),
        )
        direct = sp.csr_array(self.matrix.A[self.at] @ who)
        if not len(self.poi_rows):
            return direct
        at_poi = -(self.matrix.A[self.poi_rows] @ who)  # grid MW of owners by POI and period
        return sp.csr_array(direct + self.matrix.A[self.at][:, self.poi_columns] @ at_poi)

    def _by_owner(self, values: FloatArray) -> FloatArray:
        owned = self.matrix.owner >= 0
        total = np.bincount(
            self.matrix.owner[owned], weights=values[owned], minlength=self.owners.count
        )
        return np.asarray(total, dtype=float)

    @cached_property
    def _alone_cost(self) -> FloatArray:
        """(n,) what a site pays if nothing is scarce: its own costs and demand charges."""
        y = np.zeros(self.matrix.A.shape[0])
        if len(self.poi_rows):
            y[self.poi_rows] = self.matrix.cost[self.poi_columns]  # demand charges
        return self.owners.reduced(y)

    def _alone_goal(self) -> FloatArray:
        """Return (n,) those costs less a reward for work: at these a site is built at full size."""
        serve = self.program.column_families["demand.serve"]
        goal = self._alone_cost.copy()
        goal[serve.indices] -= _REWARD_MUSD * self.inst.time.yearly[serve.keys["period"]]
        return goal

    def _alone(self, built: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return by owner the IT MW at the end of sites ``built`` (n,) as large as they can be,
        alone, and their cost, USD per IT kW and month (nan where nothing can be built)."""
        cost, yearly = self._alone_cost, self.inst.time.yearly
        it = it_at(self.program, self.inst)
        i, k, h, t = np.nonzero(it >= 0)
        column = it[i, k, h, t]
        weight = np.zeros(len(cost))
        weight[column] = yearly[t]
        years = self._by_owner(weight * built)
        weight[column] = t == self.inst.time.n - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            usd = np.where(years > 1e-6, self._by_owner(cost * built) / years, np.nan)
        return self._by_owner(weight * built), usd * _USD_PER_KW_MONTH


def _shared_rows(planner: Planner, matrix: Matrix) -> list[tuple[Family, int]]:
    """Return family and number of the linking rows of limits that sites take from each other."""
    return [
        (family, int(j))
        for name, family in planner.program.row_families.items()
        if name.startswith(_SHARED_LIMITS)
        and (family.relaxable or name == ENTERED)
        and not family.redundant
        for j in np.flatnonzero(matrix.row_owner[family.indices] < 0)
    ]


def _label(planner: Planner, family: Family, j: int) -> tuple[str, str, str]:
    """Return the limit's family, what it is a limit of, and its date."""
    names = {
        dim: planner.program.dims[dim][int(key[j])]
        for dim, key in family.keys.items()
        if dim in planner.program.dims
    }
    when = names.pop("period", names.pop("year", ""))
    if family.name.startswith(f"{JOINT}#"):
        joint = planner.joint
        assert joint is not None
        return LINES, main_pair(joint, family.start + j), when
    if family.name == ENTERED:
        names.pop("site", None)
    return family.name, " ".join(n for n in names.values() if n), when


def _why(verdict: Verdict, never: str, gain: float, within: float) -> str:
    """Return the planner's line for a candidate that is not in the plan.

    ``gain``: MUSD that it would save if shared limits cost nothing; ``within``: MUSD by which the
    plan may be dearer than the best one.
    """
    if never:
        return f"blocked: {never}"
    parts = []
    if verdict.charges:
        top = verdict.charges[0]
        where = f" at {top.where}" if top.where else ""
        since = f" (most in {top.when})" if top.when else ""
        words = LIMIT_WORDS.get(top.limit, top.limit.replace(".", " ").replace("_", " "))
        parts.append(
            f"blocked by {words}{where}{since}: without what it shares with others it would save"
            f" {gain:,.2f} MUSD (LP), this limit's price takes {top.musd:,.2f} MUSD"
        )
    else:
        parts.append("not chosen: at the plan's prices (LP) other sites serve the work for less")
    if verdict.instead:
        parts.append(f"{verdict.instead} has {verdict.instead_shares}")
    assert verdict.estimate_musd is not None
    assert verdict.proven_musd is not None
    forced = f"forced in it would cost {verdict.estimate_musd:,.2f} MUSD more (LP estimate)"
    if verdict.proven_musd > 0:
        parts.append(f"{forced}, at least {verdict.proven_musd:,.2f} MUSD (proven)")
    else:
        parts.append(f"{forced}; not proven dearer")
        if within > verdict.estimate_musd + _LEAST_MUSD:
            parts[-1] += f": this plan may be up to {within:,.2f} MUSD above the best"
    return "; ".join(parts)
