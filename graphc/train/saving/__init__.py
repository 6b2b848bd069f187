"""Saving and restoring: Saver, meta graphs, and what is in a checkpoint. Built from public names and the formats of
files (graphc/io, graphc/serial)."""
