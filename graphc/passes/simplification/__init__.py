"""Passes that look at single nodes: constants, algebra, equal nodes, ops that are made of others."""
