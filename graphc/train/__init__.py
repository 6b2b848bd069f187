"""Training: optimizers and the global step, as `tf.train`. Built only from public ops."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["train"])
__getattr__, __dir__ = lookup(__name__)
