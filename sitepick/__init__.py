"""Decide where AI datacenters go when electric power, not money, is the limit."""

__version__ = "0.1.0"
