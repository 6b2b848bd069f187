"""Norms, moments, and their gradients, as one step each."""
