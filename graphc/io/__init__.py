"""Files: records and checkpoints, as `tf.io`."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["io"])
__getattr__, __dir__ = lookup(__name__)
