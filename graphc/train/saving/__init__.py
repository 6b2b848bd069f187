"""Saving and restoring: Saver, meta graphs, and what is in a checkpoint. Built only from public names."""
