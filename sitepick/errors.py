"""Errors that a user can cause, each with its exit code. Everything else is a bug of ours."""

from __future__ import annotations


class SitepickError(Exception):
    """Base of all expected errors. ``problems`` holds one line per fault, all found in one pass."""

    exit_code = 2

    def __init__(self, problems: str | list[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class ScenarioError(SitepickError):
    """The scenario, an override or the command line is wrong."""

    exit_code = 2


class LayerError(SitepickError):
    """An input file is missing, unreadable or holds unusable data."""

    exit_code = 3


class InfeasibleError(SitepickError):
    """No plan satisfies the scenario's limits."""

    exit_code = 4


class NoPlanError(SitepickError):
    """A limit of time or work ended the search before any plan was found."""

    exit_code = 5


class CheckError(SitepickError):
    """The independent check found the plan wrong."""

    exit_code = 7
