"""gc.train.write_graph; protobuf is imported when it is called."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("train.write_graph", "io.write_graph")
def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True,
                aside_over: int | None = None) -> str:
    """Writes a Graph or GraphDef to logdir/name, as `tf.train.write_graph`; returns the path. aside_over: constants
    of more bytes go to a second file, as all large ones do if the graph is too big for one. See gc.write_graph.

    Raises TypeError for anything else.

    >>> x = gc.constant(1., name="x")
    >>> gc.io.write_graph(gc.get_default_graph(), "run", "graph.pbtxt")
    'run/graph.pbtxt'
    >>> print(open("run/graph.pbtxt").read()[:28])
    node {
      name: "x"
      op: "Co
    """
    path: str = gc.write_graph(graph_or_graph_def, logdir, name, as_text, aside_over)
    return path
