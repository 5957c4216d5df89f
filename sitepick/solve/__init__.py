"""Solve a `Program`: knows columns, rows and owners, nothing of sites."""

from sitepick.solve.choose import solve_with

__all__ = ["solve_with"]
