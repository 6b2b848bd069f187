"""What old scripts need: `graphc.compat.v1` is TensorFlow 1.15's namespace; the folders beside it map its names that
graphc spells otherwise (TF's flags and files, contrib's signatures) on graphc's own."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["compat"])
__getattr__, __dir__ = lookup(__name__)
