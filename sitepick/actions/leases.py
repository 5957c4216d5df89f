"""Actions of leased halls: signing, and the fit-out of powered shells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sitepick.actions.entry import Draft
from sitepick.actions.facts import Facts, Lead, day
from sitepick.actions.types import Decision
from sitepick.instance.timeline import add_months, whole_months


def drafts(facts: Facts) -> Iterator[Draft]:
    """Yield what the plan's leases ask for; their land, works and ties are the owner's."""
    rules = facts.scenario.leases
    for row in facts.plan.leases:
        terms, begins = facts.leases[row.site_id], date.fromisoformat(row.since)
        shell = terms["kind"] == "powered_shell"
        months = rules.fit_out_months if shell else 0.0
        fit_out = Lead(months, "leases.fit_out_months" if shell else "ready_date")
        needed, lead, why = begins, fit_out, f"the lease begins {row.since}"
        reply = day(terms["reply_by"])
        if reply is not None and reply < add_months(begins, -whole_months(months)):
            needed, lead, why = reply, Lead(0, "reply_by"), f"answer due {reply}; {why}"
        made = tuple(Decision(what, (row.site_id,)) for what in ("site", "lease"))
        draft = Draft(
            "sign_lease", needed, lead, site=row.site_id, item=row.hall, mw=row.it_mw,
            mw_kind="IT MW", why=why, decisions=made,
        )  # fmt: skip
        yield draft
        if shell and row.hall in facts.halls:
            per_mw = facts.facility_musd_per_mw(row.site_id, row.hall) * rules.fit_out_pct / 100
            yield Draft(
                "start_fit_out", begins, fit_out, site=row.site_id, item=row.hall, mw=row.it_mw,
                mw_kind="IT MW", musd=row.it_mw * per_mw,
                why=f"{rules.fit_out_pct:g} % of a hall's capex; in service {row.since}",
                decisions=made,
            )  # fmt: skip
