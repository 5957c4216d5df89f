"""One step of a limit: ``budget_musd.2029=+100`` as the override that adds it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sitepick.errors import ScenarioError
from sitepick.scenario.fields import ALL_TIME
from sitepick.scenario.messages import did_you_mean
from sitepick.scenario.schema import Scenario


def stepped(scenario: Scenario, steps: Sequence[str]) -> list[str]:
    """Return ``key.key=+n`` or ``key.key=-n`` as overrides ``key.key=value``.

    Raises ScenarioError with every step that has no sign, or names nothing that is a number.
    """
    tree = scenario.model_dump(mode="json", by_alias=True)
    out, problems = [], []
    for number, text in enumerate(steps, start=1):
        try:
            out.append(_override(tree, text))
        except ScenarioError as why:
            problems += [f"--step #{number}: {text!r} {problem}" for problem in why.problems]
    if problems:
        raise ScenarioError(problems)
    return out


def _override(tree: Any, text: str) -> str:
    path, _, change = text.partition("=")
    found = re.fullmatch(r"\s*([+-]\s*\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*", change)
    if found is None:
        raise ScenarioError("is no step: write key.key=+100 or key.key=-100; `--set` sets a value")
    path = re.sub(r"\[(\d+)\]", r".\1", path)  # rules[0], as messages write it
    at, keys = tree, [key.strip().strip("\"'") for key in path.split(".")]
    for i, key in enumerate(keys):
        before = ".".join(keys[:i]) or "the scenario"
        if isinstance(at, list) and key.isdigit() and int(key) < len(at):
            at = at[int(key)]
        elif isinstance(at, dict) and (name := _key(at, key)) is not None:
            at = at[name]
        else:
            known = [str(k) for k in at] if isinstance(at, dict) else []
            raise ScenarioError(f"names nothing: {before} has no '{key}'{did_you_mean(key, known)}")
    if isinstance(at, dict) and list(at) == [ALL_TIME.isoformat()]:
        at = at[ALL_TIME.isoformat()]  # one number that stands for all time
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        raise ScenarioError(f"is no number in this scenario: it is {at!r}; use --set")
    return f"{path.strip()}={at + float(found[1].replace(' ', '')):.12g}"


def _key(at: dict[Any, Any], key: str) -> Any:
    """Return the key meant: a year stands for its first day."""
    return next((k for k in at if str(k) in (key, f"{key}-01-01")), None)
