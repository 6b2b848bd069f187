"""Tests of programs that build graphs, as `tf.test`. Built only from public functions."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["test"])
__getattr__, __dir__ = lookup(__name__)
