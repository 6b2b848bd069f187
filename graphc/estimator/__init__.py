"""Estimators: a model function, trained, evaluated, asked and exported, as `tf.estimator`. Built only from public
names."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["estimator"])
__getattr__, __dir__ = lookup(__name__)
