"""Our columns out of a file's: names mapped, units converted, every bad cell reported."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sitepick.layers import presets, values
from sitepick.layers.reading import Reading, count_of, some
from sitepick.layers.roles import ID_OF, ROLES
from sitepick.layers.table import Table, object_array
from sitepick.layers.units import factor


@dataclass(frozen=True)
class Found:
    """A column of the file that stands for one of ours; ``unit`` as stated, None: ours."""

    name: str
    unit: str | None


def plain(name: str) -> str:
    """Return a column name without case, blanks and signs, for lenient matching."""
    return re.sub(r"[^0-9a-zäöüéèñç%$]+", "", name.casefold())


class Columns:
    """Typed access to the rows of ``table`` by our column names. Faults go to ``reading``."""

    def __init__(self, table: Table, reading: Reading, mapped: dict[str, Found]) -> None:
        self.table = table
        self.reading = reading
        self.mapped = mapped
        self._ids: np.ndarray | None = None
        self._nulls: frozenset[Any] = frozenset()
        self.unlimited: tuple[str, ...] = ()
        self.lenient: tuple[str, ...] = ()
        self.unread: dict[str, set[int]] = {}  # column of the file -> rows already refused

    def with_preset(self, chosen: presets.Preset) -> Columns:
        """Take over the preset's own words for null and unlimited."""
        self._nulls = frozenset(str(n).casefold() for n in chosen.nulls)
        self.unlimited, self.lenient = chosen.unlimited, chosen.lenient
        return self

    def on(self, table: Table) -> Columns:
        """Return the same mapping over other rows of the same file."""
        other = Columns(table, self.reading, self.mapped)
        other._nulls, other.unlimited = self._nulls, self.unlimited
        other.lenient = self.lenient
        return other

    def __len__(self) -> int:
        return len(self.table)

    def has(self, ours: str) -> bool:
        """Return whether the file has this column."""
        return ours in self.mapped

    def at(self, row: int) -> str:
        """Return where a row is: ``#17 (id)`` for features, ``:5 (id)`` for tables."""
        sign = ":" if self.table.tabular else "#"
        where = f"{sign}{self.table.number[row]}"
        if self._ids is None:
            ours = ID_OF.get(self.reading.role, "")
            found = self.mapped.get(ours)
            raw = self.table.frame[found.name].to_numpy(object) if found else None
            self._ids = raw if raw is not None else np.full(len(self), None, dtype=object)
        ident = self._ids[row]
        if values.is_null(ident):
            return where
        return f"{where} ({values.clean_text(ident)})"

    def ats(self, rows: Any) -> list[str]:
        """Return `at` of several rows, without the leading colon of table rows."""
        return [self.at(int(i)).replace(":", "row ", 1) for i in rows]

    def raw(self, ours: str, words: frozenset[str] = values.NULL_WORDS) -> np.ndarray:
        """Return the cells of a column [n], nulls and sentinels as None."""
        found = self.mapped.get(ours)
        if found is None:
            return np.full(len(self), None, dtype=object)
        column = self.table.frame[found.name]
        cells = column.to_numpy(dtype=object, copy=True)
        gone: dict[str, int] = {}
        verdict: dict[Any, bool] = {}
        if column.dtype.kind in "iufb" and not self._nulls:
            cells[column.isna().to_numpy()] = None
            return cells
        for i, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, (str, float, int)):
                null = verdict.get(cell)
                if null is None:
                    null = values.is_null(cell, words) or str(cell).casefold() in self._nulls
                    verdict[cell] = null
            else:
                null = values.is_null(cell, words)
            if null:
                cells[i] = None
                if cell == cell and str(cell).strip():
                    gone[str(cell).strip()] = gone.get(str(cell).strip(), 0) + 1
        if gone:
            said = some(f"{word!r} x {n:,}" for word, n in sorted(gone.items()))
            n = sum(gone.values())
            text = f"column '{found.name}': {count_of(n, 'value')} read as unknown ({said})"
            self.reading.note("null_word", text, n)
        return cells

    def text(self, ours: str) -> np.ndarray:
        """Return texts [n] or None: whole numbers without ``.0``, control characters dropped."""
        cells = self.raw(ours, values.NULL_IDS)
        clean = not values.has_control("".join([c for c in cells if type(c) is str]))
        if clean and all(c is None or type(c) is str for c in cells):  # nearly all columns of text
            return object_array([(c or "").strip() or None for c in cells])
        dirty = [i for i, cell in enumerate(cells) if values.has_control(cell)]
        if dirty:
            text = f"column '{self.mapped[ours].name}': control characters dropped"
            self.reading.note("control_characters", f"{text} ({some(self.ats(dirty))})", len(dirty))
        return object_array([None if c is None else values.clean_text(c) or None for c in cells])

    def ids(self, ours: str, *, required: bool = True) -> np.ndarray:
        """Return ids as text [n]; a missing one is a fault if ``required``."""
        out = self.text(ours)
        missing = [i for i, cell in enumerate(out) if cell is None]
        if missing and required and ours in self.mapped:
            name = self.mapped[ours].name
            self.reading.fault(
                f"{count_of(len(missing), 'row')} without {ours} (column '{name}'): "
                f"{some(self._places(missing))}; fill them in, or drop them with "
                f"`where: '\"{name}\" IS NOT NULL'`"
            )
        return out

    def _places(self, rows: Any) -> list[str]:
        sign = "row " if self.table.tabular else "#"
        return [f"{sign}{self.table.number[int(i)]}" for i in rows]

    def number(
        self, ours: str, *, low: float = 0.0, high: float = math.inf, default: float = math.nan
    ) -> np.ndarray:
        """Return numbers [n] in our unit, ``default`` where empty; outside low..high is a fault.

        Sentinels such as -9999 count as empty, with a note.
        """
        spec = ROLES[self.reading.role][ours]
        found = self.mapped.get(ours)
        if found is None:
            return np.full(len(self), default)
        scale = self._scale(found, spec.unit)
        read = values.kilovolts if spec.kind == "kv" else self._number
        out, bad = self._convert(self.raw(ours), read, scale, spec.unit)
        if ours in self.lenient and bad:
            listed = some(f"{self.table.frame[found.name].iloc[i]!r:.40}" for i, _ in bad)
            text = f"column '{found.name}': {count_of(len(bad), 'free text')} read as unknown"
            self.reading.note("free_text", f"{text} ({listed})", len(bad))
        else:
            self._report(found.name, bad, "number")
        sentinel = np.isin(out / scale, list(values.NULL_NUMBERS)) & (out < 0)
        if sentinel.any():
            n = int(sentinel.sum())
            worst = some(f"{v:g}" for v in np.unique(out[sentinel] / scale))
            text = f"column '{found.name}': {count_of(n, 'value')} of {worst} read as unknown"
            self.reading.note("sentinel_null", text, n)
            out[sentinel] = math.nan
        wrong = np.flatnonzero((out < low) | (out > high))
        if len(wrong):
            said = some(f"{out[i]:g} at {a}" for i, a in zip(wrong, self.ats(wrong), strict=True))
            limit = f"at least {low:g}" + ("" if math.isinf(high) else f" and at most {high:g}")
            text = f"column '{found.name}': {count_of(len(wrong), 'value')} out of range"
            unit = f" {spec.unit}" if spec.unit else ""
            self.reading.fault(f"{text} ({said}); {ours} is {limit}{unit}")
        known = out[~np.isnan(out)]
        if len(known) > 5 and spec.unit == "mw" and not known.any():
            text = f"column '{found.name}': all {len(known):,} values are 0; is it the right one?"
            self.reading.note("all_zero", text, len(known))
        return np.where(np.isnan(out), default, out)

    def voltages(self, ours: str) -> list[tuple[float, ...]]:
        """Return every voltage of each cell, kV, from ``345;138``; none where the cell is empty.

        Cells that are no voltages are faults, but not in columns that `number` reads as well.
        """
        found = self.mapped.get(ours)
        if found is None:
            return [()] * len(self)
        scale = self._scale(found, ROLES[self.reading.role][ours].unit)
        out: list[tuple[float, ...]] = []
        bad: list[tuple[int, str]] = []
        seen: dict[str, tuple[float, ...]] = {}
        for i, cell in enumerate(self.raw(ours)):
            if type(cell) is str and cell in seen:
                out.append(seen[cell])
                continue
            faults = len(bad)
            parts = cell if isinstance(cell, (list, tuple, np.ndarray)) else values.listed(cell)
            try:
                read = [values.kilovolts(part) for part in parts]
            except ValueError as error:
                bad.append((i, str(error)))
                read = []
            units = [factor(unit, "kv") if unit else scale for _, unit in read]
            got = [kv * unit for (kv, _), unit in zip(read, units, strict=True)]
            out.append(tuple(kv for kv in got if kv > 0 and math.isfinite(kv)))
            if type(cell) is str and len(bad) == faults:
                seen[cell] = out[-1]
        if ours == "kv_levels" and bad:
            self._report(found.name, bad, "list of voltages")
        return out

    def _number(self, cell: Any) -> tuple[float, str | None]:
        return values.number(cell, comma_decimal=self.table.comma_decimal)

    def _scale(self, found: Found, unit: str | None) -> float:
        if found.unit is None:
            return 1.0
        if unit is None:
            self.reading.fault(f"column '{found.name}' has no unit, so '[{found.unit}]' cannot be")
            return 1.0
        try:
            return factor(found.unit, unit)
        except ValueError as error:
            self.reading.fault(f"column '{found.name}': {error}")
            return 1.0

    def _convert(
        self,
        cells: np.ndarray,
        read: Callable[[Any], tuple[float, str | None]],
        scale: float,
        unit: str | None,
    ) -> tuple[np.ndarray, list[tuple[int, str]]]:
        out = np.full(len(cells), math.nan)
        bad: list[tuple[int, str]] = []
        seen: dict[str, float] = {}  # voltage classes and the like repeat a lot
        for i, cell in enumerate(cells):
            if cell is None:
                continue
            if type(cell) is str and cell in seen:
                out[i] = seen[cell]
                continue
            if type(cell) in (int, float):
                out[i] = cell * scale
                if math.isinf(out[i]):
                    bad.append((i, "not a finite number"))
                continue
            try:
                got, written = read(cell)
                out[i] = got * (factor(written, unit) if written and unit else scale)
                if type(cell) is str:
                    seen[cell] = out[i]
            except ValueError as error:
                bad.append((i, str(error)))
        return out, bad

    def _report(self, name: str, bad: list[tuple[int, str]], what: str) -> None:
        if not bad:
            return
        self.unread.setdefault(name, set()).update(i for i, _ in bad)
        cells = self.table.frame[name].to_numpy(object)
        listed = some(f"{cells[i]!r:.40} at {self.ats([i])[0]}: {why}" for i, why in bad)
        verb = "is" if len(bad) == 1 else "are"
        self.reading.fault(
            f"column '{name}': {count_of(len(bad), 'value')} that {verb} no {what} ({listed})"
        )

    def dates(self, ours: str, *, end: bool = False) -> np.ndarray:
        """Return dates [n] or None; a year means its first day, with ``end`` its last."""
        found = self.mapped.get(ours)
        cells = self.raw(ours)
        if found is None:
            return cells
        try:
            order = values.slashed_order(list(cells))
        except ValueError as error:
            self.reading.fault(f"column '{found.name}': {error}")
            return np.full(len(self), None, dtype=object)
        out = np.full(len(self), None, dtype=object)
        bad: list[tuple[int, str]] = []
        how: dict[str, int] = {}
        for i, cell in enumerate(cells):
            if cell is None or (isinstance(cell, float) and cell in values.NULL_NUMBERS):
                continue
            try:
                out[i], style = values.day(cell, end=end, order=order)
                how[style] = how.get(style, 0) + 1
            except (ValueError, OverflowError) as error:
                text = str(error)
                bad.append((i, text if text.startswith(("not", "can")) else "no such day"))
        self._report(found.name, bad, "date")
        edge = "last" if end else "first"
        said = {
            "span": (
                "date_span",
                f"give only a year, half-year, quarter or month: {edge} day meant",
            ),
            "serial": ("date_serial", "are Excel day numbers, read as dates"),
            "epoch_ms": ("date_epoch_ms", "are milliseconds since 1970, read as dates"),
        }
        for style, (code, text) in said.items():
            if how.get(style):
                n = how[style]
                self.reading.note(code, f"column '{found.name}': {count_of(n, 'value')} {text}", n)
        if order is not None:
            style = "month/day/year" if order == "mdy" else "day/month/year"
            self.reading.note("date_order", f"column '{found.name}': dates read as {style}", 0)
        return out

    def flags(self, ours: str, *, default: bool) -> np.ndarray:
        """Return booleans [n]; empty cells mean ``default``."""
        out = np.full(len(self), default)
        bad = []
        for i, cell in enumerate(self.raw(ours)):
            if cell is None:
                continue
            try:
                out[i] = values.yes_no(cell)
            except ValueError as error:
                bad.append((i, str(error)))
        if bad:
            self._report(self.mapped[ours].name, bad, "yes or no")
        return out

    def choices(self, ours: str, default: str | None = None) -> np.ndarray:
        """Return one of the column's allowed words [n]; other spellings are noted or refused."""
        allowed = ROLES[self.reading.role][ours].choices
        known = presets.raw("headers")["values"].get(ours, {})
        words = {plain(word): ours_ for ours_, list_ in known.items() for word in list_}
        words |= {plain(word): word for word in allowed}
        out = np.full(len(self), default, dtype=object)
        bad: list[tuple[int, str]] = []
        meant: dict[tuple[str, str], int] = {}
        for i, cell in enumerate(self.text(ours)):
            if cell is None:
                continue
            word = words.get(plain(cell))
            if word is None:
                close = difflib.get_close_matches(plain(cell), list(words), 1, 0.6)
                hint = f"did you mean '{words[close[0]]}'?" if close else ""
                bad.append((i, hint or f"known are {', '.join(allowed)}"))
                continue
            out[i] = word
            if plain(cell) != plain(word):
                meant[cell, word] = meant.get((cell, word), 0) + 1
        if bad:
            self._report(self.mapped[ours].name, bad, ours)
        for (cell, word), n in sorted(meant.items()):
            text = f"column '{self.mapped[ours].name}': '{cell}' read as {word} ({n:,} x)"
            self.reading.note("value_meant", text, n)
        return out

    def id_tuples(self, ours: str) -> np.ndarray:
        """Return tuples of ids [n] or None, from ``A; B`` (or , or |) or a list."""
        out = np.full(len(self), None, dtype=object)
        for i, cell in enumerate(self.raw(ours)):
            if cell is None:
                continue
            if isinstance(cell, (list, tuple, np.ndarray)):
                parts = [values.clean_text(c) for c in cell if not values.is_null(c)]
            else:
                text = values.clean_text(cell).strip("[]")
                mark = next((m for m in (";", "|", "\n", ",") if m in text), ";")
                parts = [p.strip().strip("\"'") for p in text.split(mark)]
            parts = [p for p in dict.fromkeys(parts) if p]
            if parts:
                out[i] = tuple(parts)
        return out
