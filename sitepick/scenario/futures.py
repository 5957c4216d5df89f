"""The user's own futures: each is the scenario with keys laid over it, and must be valid."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from sitepick.errors import ScenarioError
from sitepick.scenario.layering import merged, set_at, split_keys
from sitepick.scenario.messages import did_you_mean
from sitepick.scenario.schema import Scenario
from sitepick.scenario.yaml_tree import Node, problem

KEY = "futures"
FIXED = ("version", "as_of", "periods", "objective", "baseline", "extends", KEY)
"""Keys that no future changes: a plan must be comparable with the one that is held."""


def with_future(root: Node, name: str) -> Node:
    """Return the tree of a future of ``root``, without any futures of its own.

    Raises ScenarioError where there is none of that name, or it changes what no future may.
    """
    below = root.value.get(KEY)
    named = below.value if below is not None and isinstance(below.value, dict) else {}
    if name not in named:
        hint = did_you_mean(name, named) or f"; named: {', '.join(named) or 'none'}"
        raise ScenarioError(f"futures: there is no future '{name}'{hint}")
    over = named[name]
    if not isinstance(over.value, dict):
        raise ScenarioError(
            problem(over.place(), "must be a map of keys, such as {key: value}", f"{KEY}.{name}")
        )
    tree = without_futures(root)
    problems = []
    for key, node in over.value.items():
        try:
            keys = split_keys(key)
        except ValueError:
            keys = []
        place = node.place(of_key=True)
        if not keys:
            problems.append(problem(place, "write a key, or key.key", f"{KEY}.{name}.{key}"))
        elif keys[0] in FIXED:
            text = f"no future changes {keys[0]}: its plan must be comparable with yours"
            problems.append(problem(place, text, f"{KEY}.{name}.{key}"))
        elif len(keys) == 1:
            old, new = tree.value.get(key), copy.deepcopy(node)
            tree.value[key] = new if old is None else merged(old, new)
        else:
            new = copy.deepcopy(node)
            try:
                set_at(tree, keys, new, node.source)
                new.key_at = node.key_at
            except ScenarioError as why:
                problems += [f"{KEY}.{name}: {text}" for text in why.problems]
    if problems:
        raise ScenarioError(problems)
    return tree


def without_futures(root: Node) -> Node:
    """Return a tree of its own without the futures."""
    tree = copy.deepcopy(root)
    tree.value.pop(KEY, None)
    return tree


def check_futures(
    root: Node, scenario: Scenario, validated: Callable[[Node], Scenario]
) -> Iterator[str]:
    """Yield what is wrong with each future of a scenario that is valid itself."""
    for name in scenario.futures:
        try:
            validated(with_future(root, name))
        except ScenarioError as why:
            yield from (
                text if KEY in text.partition("\n")[0] else _within(name, text)
                for text in why.problems
            )


def _within(name: str, text: str) -> str:
    """Return a problem that says in which future it is."""
    head, mark, rest = text.partition("error: ")
    return f"{head}{mark}{KEY}.{name}: {rest}" if mark else f"{KEY}.{name}: {text}"
