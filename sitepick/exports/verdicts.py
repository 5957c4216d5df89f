"""Sheets that explain a plan: a verdict on every place, and how far each limit is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.exports.sheet import Field, Row, Sheet, plain
from sitepick.words import LIMIT_WORDS

if TYPE_CHECKING:
    from sitepick.run import LimitUse, Run, Verdict

VERDICT_FIELDS = (
    Field("verdict", "", "text",
          "existing, chosen, not_chosen, blocked (in but for limits it shares with others, or "
          "impossible to open) or rejected (by a test)"),
    Field("why", "", "text", "the verdict in one line"),
    Field("forced_cost_estimate_musd", "MUSD, net present", "number",
          "LP estimate of what forcing it in would cost; empty: in the plan, rejected or "
          "impossible"),
    Field("forced_cost_proven_musd", "MUSD, net present", "number",
          "what forcing it in costs at least, proven; 0: not proven dearer"),
)  # fmt: skip


def verdict_cells(verdict: Verdict | None) -> Row:
    """Return the cells of `VERDICT_FIELDS`; all None without a verdict."""
    if verdict is None:
        return {f.name: None for f in VERDICT_FIELDS}
    return {
        "verdict": verdict.verdict,
        "why": plain(verdict.why),
        "forced_cost_estimate_musd": plain(verdict.estimate_musd),
        "forced_cost_proven_musd": plain(verdict.proven_musd),
    }


def explain_sheets(run: Run) -> list[Sheet]:
    """Return the sheets ``verdicts`` and ``limits``, where the run has them."""
    out = []
    if run.verdicts:
        out.append(_verdicts_sheet(run.verdicts))
    if run.limits:
        out.append(_limits_sheet(run.limits))
    return out


def _verdicts_sheet(verdicts: tuple[Verdict, ...]) -> Sheet:
    fields = (
        Field("site_id", "", "text", "id of the place"),
        *VERDICT_FIELDS,
        Field("it_mw", "IT MW", "number", "in the plan, at the horizon's end"),
        Field("blocked_by", "", "text", "limit that takes most from a blocked site"),
        Field("blocked_at", "", "text", "its POI, region, or line and outage"),
        Field("blocked_when", "", "text", "date on which it takes most"),
        Field("blocked_musd", "MUSD, net present", "number",
              "what the limit's LP price takes from the site at its best size"),
        Field("instead", "", "text", "site of the plan that takes its place"),
        Field("instead_shares", "", "text", "what that site has: the limit, or the work"),
        Field("alone_it_mw", "IT MW", "number",
              "at the end, if it were built as large as its own limits allow (LP)"),
        Field("alone_usd_per_kw_month", "USD per IT kW and month", "number",
              "net present cost of that over the discounted IT kW (LP)"),
    )  # fmt: skip
    rows: list[Row] = []
    for v in verdicts:
        top = v.charges[0] if v.charges else None
        rows.append(
            {
                "site_id": plain(v.site_id),
                **verdict_cells(v),
                "it_mw": plain(float(v.it_mw)),
                "blocked_by": None if top is None else LIMIT_WORDS.get(top.limit, top.limit),
                "blocked_at": None if top is None else plain(top.where) or None,
                "blocked_when": None if top is None else top.when or None,
                "blocked_musd": None if top is None else plain(top.musd),
                "instead": plain(v.instead) or None,
                "instead_shares": v.instead_shares or None,
                "alone_it_mw": plain(v.alone_it_mw),
                "alone_usd_per_kw_month": plain(v.alone_usd_per_kw_month),
            }
        )
    return Sheet("verdicts", "why each place is in the plan or not", fields, rows)


def _limits_sheet(limits: tuple[LimitUse, ...]) -> Sheet:
    fields = (
        Field("limit", "", "text", "kind of limit"),
        Field("family", "", "text", "its row family, as in the model's documentation"),
        Field("where", "", "text", "what it is a limit of; empty: the whole plan"),
        Field("when", "", "text", "first day of the period, or calendar year; empty: always"),
        Field("amount", "", "number", "the limit, in the row's unit"),
        Field("used", "", "number", "used by the plan, in the row's unit"),
        Field("slack", "", "number", "left of it; of a minimum: above it"),
        Field("unit", "", "text", "unit of amount, used and slack"),
        Field("lp_price_musd", "MUSD per unit", "number",
              "LP dual of the whole problem: saved by one more unit if all is decided anew, in "
              "fractions; empty: not known"),
        Field("held_price_musd", "MUSD per unit", "number",
              "dual with whole decisions held: saved without opening or building anything else; "
              "empty: not known"),
    )  # fmt: skip
    rows: list[Row] = [
        {
            "limit": LIMIT_WORDS.get(x.limit, x.limit),
            "family": x.limit,
            "where": plain(x.where) or None,
            "when": x.when or None,
            "amount": plain(x.amount),
            "used": plain(x.used),
            "slack": plain(x.slack),
            "unit": x.unit,
            "lp_price_musd": plain(x.lp_price_musd),
            "held_price_musd": plain(x.held_price_musd),
        }
        for x in limits
    ]
    return Sheet("limits", "limits that the plan uses or that have a price", fields, rows)
