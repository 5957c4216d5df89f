"""Dataclasses as plain dicts: the same as the standard library makes of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from sitepick.records import as_record


@dataclass(frozen=True)
class Inner:
    name: str
    mw: float | None = None


@dataclass
class Outer:
    one: Inner
    many: tuple[Inner, ...] = ()
    by_id: dict[str, list[Inner]] = field(default_factory=dict)
    pair: tuple[int, bool] = (1, True)


def test_a_record_is_what_asdict_makes() -> None:
    made = Outer(Inner("a"), (Inner("b", 1.5), Inner("c")), {"x": [Inner("d", 2.0)], "y": []})
    record = as_record(made)
    assert record == asdict(made)
    assert [type(v) for v in record.values()] == [dict, tuple, dict, tuple]
