"""Studies of a plan that solve again: alternatives at nearly its cost, trade-offs, break-evens."""
