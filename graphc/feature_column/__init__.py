"""Feature columns: how raw features become the input of a model, as `tf.feature_column`. Built only from public
names."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["feature_column"])
__getattr__, __dir__ = lookup(__name__)
