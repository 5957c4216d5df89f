"""Limits on what is read. Input files are untrusted: each limit's message names its constant."""

from __future__ import annotations

MAX_FILE_MB = 500.0
"""Largest input file, MB (1e6 bytes); for packed files the unpacked size counts."""
MAX_FEATURES = 2_000_000
"""Most features or rows of one file."""
MAX_UNPACK_RATIO = 200.0
"""Largest ratio of unpacked to packed size of a zip or gz of more than `RATIO_FREE_MB`."""
RATIO_FREE_MB = 5.0
"""Unpacked size below which the ratio does not matter, MB."""
MAX_ZIP_MEMBERS = 1000
"""Most members of a zip archive."""
MAX_NULL_GEOMETRY_PCT = 5.0
"""Largest share of features without usable location before the layer is refused, %."""
EXAMPLES = 3
"""How many ids or values a message lists."""


def too_big(size_bytes: int) -> str | None:
    """Return what to say about a file of ``size_bytes``, None when it may be read."""
    if size_bytes <= MAX_FILE_MB * 1e6:
        return None
    return (
        f"is {size_bytes / 1e6:,.0f} MB (unpacked); the limit is {MAX_FILE_MB:,.0f} MB "
        "(sitepick.layers.limits.MAX_FILE_MB): cut it to your area first, "
        "e.g. `ogr2ogr -spat W S E N cut.gpkg FILE`"
    )


def too_many(rows: int) -> str | None:
    """Return what to say about ``rows`` features, None when they may be read."""
    if rows <= MAX_FEATURES:
        return None
    return (
        f"has {rows:,} features; the limit is {MAX_FEATURES:,} "
        "(sitepick.layers.limits.MAX_FEATURES): cut it to your area first"
    )
