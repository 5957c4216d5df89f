"""The earlier plan by the sites, ties and periods of today, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.tables import records
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import Earlier, Ties


def earlier_of(
    candidates: Candidates,
    time: Timeline,
    site_at: Mapping[str, int],
    ties: Ties,
    poi_ids: Sequence[str],
) -> Earlier | None:
    """Return the earlier plan of `Candidates.earlier`, None without one.

    A period is compared with what stood on its first day; periods that begin outside the earlier
    plan's horizon are not compared. Sites that are no candidates now are left out.
    """
    if not len(candidates.earlier):
        return None
    it_mw = np.zeros((len(site_at), time.n))
    stands = np.zeros(it_mw.shape, dtype=bool)
    compared = np.zeros(time.n, dtype=bool)
    planned = np.zeros(len(site_at), dtype=bool)
    pois: dict[int, set[str]] = {}
    for row in records(candidates.earlier):
        here = np.array([row["from_date"] <= day <= row["to_date"] for day in time.starts[:-1]])
        compared |= here
        i = site_at.get(str(row["site_id"]))
        if i is not None:
            planned[i] = True
            it_mw[i, here] = row["it_mw"]
            stands[i, here] = row["open"]
            pois[i] = set(row["poi_ids"])
    tied = [poi_ids[b] in pois.get(int(i), ()) for i, b in zip(ties.site, ties.poi, strict=True)]
    return Earlier(it_mw, stands, compared, planned, np.array(tied, dtype=bool))
