"""Layers: functions and classes that make their variables themselves, as `tf.layers`. Built only from public names."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["layers"])
__getattr__, __dir__ = lookup(__name__)
