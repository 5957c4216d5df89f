"""Colours that colour-blind readers can tell apart, and the shapes that go with them."""

from __future__ import annotations

from collections.abc import Iterable

# Okabe and Ito, "Color Universal Design" (2008); yellow last, for it is faint on white
LAYERS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442",
)  # fmt: skip
TEXT = ("#ffffff", *("#000000",) * 7)
"""What is written on each of them."""
HATCHES = (" ", "/", ".", "x", "\\", "-", "o", "+")
MARKERS = ("circle", "square", "diamond", "triangle", "inverted_triangle", "hex", "star", "plus")
INK, QUIET, FAINT = "#1b1f24", "#5b6470", "#c9ced6"
LINES = ("#3d4450", "#6b7380", "#8e96a3", "#b3bac4", "#ccd1d9", "#dde1e6")
FIBER, TIE, LIMITING, EXCLUDED = "#009E73", "#1b1f24", "#D55E00", "#B09C85"
LINKS = ("#CC79A7", "#0072B2", "#E69F00", "#56B4E9", "#000000")
"""Links over fiber, by group or service; the first are drawn widest, below the others."""
VERDICTS = {
    "rejected": ("rejected by a test", "x", "#8a8f98", "#8a8f98"),
    "not_chosen": ("passed, not chosen", "circle", "#56B4E9", "#0072B2"),
    "blocked": ("blocked by shared limits", "triangle", "#F0E442", "#1b1f24"),
}
"""Words, marker, fill and line of places that are not in the plan, by verdict."""

HEADROOM = (
    (None, "unknown headroom", "#ffffff"),
    (0.0, "no headroom", "#e3d9ee"),
    (1e-9, "up to 100 MW", "#c2a5cf"),
    (100.0, "100 to 300 MW", "#9970ab"),
    (300.0, "300 MW and more", "#5a2a77"),
)
"""Least grid MW of a class, its words and its colour: the more, the darker."""


def link_looks(services: Iterable[str]) -> dict[str, tuple[str, float]]:
    """Return colour and width (pixels) of the links of each service."""
    names = sorted(set(services))
    return {s: (LINKS[i % len(LINKS)], max(2.5, 6.5 - 1.5 * i)) for i, s in enumerate(names)}


def headroom_class(mw: float | None) -> int:
    """Return the index into `HEADROOM` of a headroom, grid MW; None: unknown."""
    if mw is None:
        return 0
    return max(i for i, (low, _, _) in enumerate(HEADROOM) if i == 1 or (i > 1 and mw >= low))  # type: ignore[operator]
