"""Attention, and its gradient, as one step each."""
