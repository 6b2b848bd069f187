"""Checkpoints as files: TensorFlow's bundles (V2), read and written, and its older tables of slices (V1), read."""
