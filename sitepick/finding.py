"""What checks, pre-checks and diagnosis return: a measured breach, never just a boolean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One breach. ``amount`` (in ``unit``) is how far the limit named by ``check`` is missed."""

    check: str  # e.g. "headroom.poi"
    where: str  # e.g. "POI 4411, 2028"
    amount: float
    unit: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message} ({self.where}, {self.amount:,.6g} {self.unit})"
