"""The grid's own plants under given loads: secure dispatch, excuses, cuts.

Linear programs of the grid alone, before and between the plans: no site, no hall, no cost of ours.
"""
