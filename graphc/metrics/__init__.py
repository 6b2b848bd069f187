"""Metrics over many batches: (value, update) pairs over local variables, as `tf.metrics`. Built only from public
ops."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["metrics"])
__getattr__, __dir__ = lookup(__name__)
