"""gc.graph_util: work on GraphDefs, as `tf.graph_util`."""
from __future__ import annotations

from graphc.serial.freeze import convert_variables_to_constants, extract_sub_graph
from graphc.serial.importer import import_graph_def

__all__ = ["convert_variables_to_constants", "extract_sub_graph", "import_graph_def"]
