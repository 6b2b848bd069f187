"""Loops that train and evaluate, as `tf.contrib.training`. Built only from public functions."""
