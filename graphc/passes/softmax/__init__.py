"""Softmax, cross entropy, and their gradients, as one step each."""
