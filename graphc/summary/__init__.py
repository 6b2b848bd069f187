"""Summaries for TensorBoard, as `tf.summary`: what a training writes down of itself. Built only from public names."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["summary"])
__getattr__, __dir__ = lookup(__name__)
