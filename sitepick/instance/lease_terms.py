"""Offers of leased halls as arrays. L offers; money is MUSD of the scenario's price year."""

from __future__ import annotations

from dataclasses import dataclass

from sitepick.matrix import FloatArray, IntArray


@dataclass(frozen=True)
class Leases:
    """Offers of leased halls, L of them, in order of site: each is a site of its own.

    Rent and other money are MUSD per leased IT MW.
    """

    site: IntArray  # (L,)
    hall: IntArray  # (L,) hall class that it counts as
    it_mw_min: FloatArray  # (L,)
    it_mw_max: FloatArray  # (L,)
    first: IntArray  # (L,) first period that it can begin; T: never
    term_years: FloatArray  # (L,) inf: it may be kept
    rent_musd: FloatArray  # (L,) a year, in the first year of the lease
    grows: FloatArray  # (L,) real rent of a year over that of the year before
    energy_usd_per_mwh: FloatArray  # (L,) 0 where the rent includes it
    co2_kg_per_mwh: FloatArray  # (L,)
    fit_out_musd: FloatArray  # (L,) overnight, before the region's factor; 0: colocation
    fit_out_months: float
    fit_out_life: FloatArray  # (L,) years, at most the term
    om_musd: FloatArray  # (L,) a year, of the tenant's own operation; 0: colocation
