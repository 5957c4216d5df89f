"""No test reads or leaves anything in the user's cache of layers."""

from __future__ import annotations

import os

os.environ["SITEPICK_CACHE"] = "off"
