"""Who serves whom, where a program holds no flows: rows that enter when violated, and the flows.

With many sites and places the flows site x workload x place x period are most of a program. Where
carrying work costs nothing they need not be there: by the theorem of Gale and Hoffman a supply can
be handed out within reach if and only if, for every set D of places,

    work of the sites that reach D  +  work turned away in D  >=  work asked in D.

A maximum flow finds the sets that a plan fails; the flows themselves are found once, for the plan.
"""

from __future__ import annotations

from sitepick.serving.handout import Flows, flows, serve_alike
from sitepick.serving.limits import ReachLimits
from sitepick.serving.sets import failing_sets, in_common

__all__ = ["Flows", "ReachLimits", "failing_sets", "flows", "in_common", "serve_alike"]
