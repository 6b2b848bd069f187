"""ONNX models: `gc.onnx.load` makes a graph of one, `gc.onnx.export` writes one. Built only from public ops; needs the
package onnx (`pip install graphc[onnx]`), which is imported when they are called."""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["onnx"])
__getattr__, __dir__ = lookup(__name__)
