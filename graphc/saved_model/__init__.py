"""SavedModels: folders that hold a graph, its variables and what may be asked of it, as `tf.saved_model`."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["saved_model"])
__getattr__, __dir__ = lookup(__name__)
