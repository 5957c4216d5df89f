"""What the check lets pass: stated once, used by every module of this room."""

from __future__ import annotations

MW = 1e-3
"""Largest breach that counts as none, MW (IT, facility, grid or ref_mw)."""
RELATIVE = 1e-6
"""Largest breach that counts as none, as a share, for money, land, carbon, water and supplies."""

EXCUSED_MW = 1e-2
"""By how much excused overloads may differ from the least there are, MW in all ..."""
EXCUSED_SHARE = 1e-3
"""... and as a share, whichever is more."""


def more(value: float, limit: float, slack: float = MW) -> float:
    """Return by how much ``value`` exceeds ``limit``; 0 if by no more than ``slack``."""
    excess = value - limit
    return excess if excess > slack else 0.0


def off(value: float, wanted: float, slack: float = MW) -> float:
    """Return how far ``value`` is from ``wanted``; 0 if by no more than ``slack``."""
    distance = abs(value - wanted)
    return distance if distance > slack else 0.0


def share_of(amount: float) -> float:
    """Return the slack for a quantity of that size: ``RELATIVE`` of it, of 1 at least."""
    return RELATIVE * max(1.0, abs(amount))
