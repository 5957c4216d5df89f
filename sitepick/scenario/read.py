"""Read a scenario: a YAML file, what it extends, and overrides; every fault in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sitepick.errors import ScenarioError
from sitepick.scenario.canonical import dump
from sitepick.scenario.futures import check_futures, with_future, without_futures
from sitepick.scenario.layering import apply_overrides, load_chain
from sitepick.scenario.schema import Scenario
from sitepick.scenario.yaml_tree import Node, Source


@dataclass(frozen=True)
class Loaded:
    """A scenario that has been read and checked.

    ``base`` is the folder that layer paths are relative to; ``resolved_yaml`` the merged scenario
    as given (defaults left out), with layer paths relative to ``base``; ``origins`` says for every
    given value (by dotted path) where it was written.
    """

    scenario: Scenario
    path: Path | None
    base: Path
    resolved_yaml: str
    sha256: str
    origins: dict[str, str]


def read_scenario(
    path: Path | None, overrides: Sequence[str] = (), future: str | None = None
) -> Loaded:
    """Return the checked scenario of ``path`` with ``key.key=value`` overrides laid over it.

    Without a path the overrides are all there is, and layer paths are relative to the current
    folder. ``future``: one of the scenario's own futures instead of it, overrides laid over both;
    "" leaves all futures out. Raises ScenarioError whose ``problems`` each say file, line, column,
    key and cure.
    """
    root = load_chain(Path(path)) if path is not None else Node({}, Source("scenario", (), False))
    if future:
        root = with_future(root, future)
    elif future is not None:
        root = without_futures(root)
    root = apply_overrides(root, overrides)
    scenario = _validated(root)
    if faults := list(check_futures(root, scenario, _validated)):
        raise ScenarioError(faults)
    text = dump(root)
    return Loaded(
        scenario=scenario,
        path=path,
        base=Path(path).parent if path is not None else Path(),
        resolved_yaml=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        origins={".".join(p): n.source.at(n.line, n.col) for p, n in root.leaves()},
    )


def _validated(root: Node) -> Scenario:
    from pydantic import ValidationError

    from sitepick.scenario.consistency import check_consistency
    from sitepick.scenario.messages import describe, numbers_meant_as_text

    # pydantic's own text is never made: it would print the input, which may be huge
    try:
        scenario = Scenario.model_validate(root.plain())
    except ValidationError as first:
        errors = first.errors(include_input=False, include_url=False)
        if not numbers_meant_as_text(root, errors):
            raise ScenarioError(describe(root, errors, Scenario)) from None
        try:
            scenario = Scenario.model_validate(root.plain())
        except ValidationError as second:
            errors = second.errors(include_input=False, include_url=False)
            raise ScenarioError(describe(root, errors, Scenario)) from None
    faults = check_consistency(scenario)
    if faults:
        raise ScenarioError([fault.shown(root) for fault in faults])
    return scenario
