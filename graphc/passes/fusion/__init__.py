"""Neighbouring nodes as one step."""
