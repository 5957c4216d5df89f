"""Networks that carry power and data: DC power flow and headroom on the grid, routes on fiber."""
