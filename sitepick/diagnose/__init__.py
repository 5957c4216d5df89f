"""Why a scenario has no plan, and the least that would have to change: `diagnose`.

Three looks, from plain to thorough: limits that contradict each other by arithmetic alone
(`prechecks`), the least relative relaxation of the model's rows (`elastic`), and the inputs
themselves (`levers`, `search`): each is lifted, rebuilt and solved again, so that dates, whole
numbers, the grid and all that follows from an input take part. What is named has been applied.
"""

from sitepick.diagnose.diagnose import SECONDS, diagnose
from sitepick.diagnose.prechecks import contradictions

__all__ = ["SECONDS", "contradictions", "diagnose"]
