"""Which graph a tensor is used in: the bodies of loops and branches stand in each other."""
from __future__ import annotations

from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.tensor import Tensor


def own(graph: FuncGraph, tensor: Tensor) -> Tensor:
    return tensor if tensor.graph is graph else graph.capture(tensor)


def graphs_around(graph: Graph | None = None) -> list[Graph]:
    """A graph (the default one) and those around it."""
    found: list[Graph] = [graph or get_default_graph()]
    while isinstance(found[-1], FuncGraph):
        found.append(found[-1].outer_graph)
    return found
