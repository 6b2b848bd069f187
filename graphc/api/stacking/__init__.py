"""A function of one element as a function of many, stacked along a new first axis (docs/adr/0085)."""
