"""The global step: an int64 variable that counts training steps."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.api.state.get_variable import get_variable
from graphc.api.state.initializers import Zeros
from graphc.api.state.variables import Variable
from graphc.ir.dtypes import int64
from graphc.ir.graph import Graph, GraphKeys, get_default_graph


@public("train.get_global_step")
def get_global_step(graph: Graph | None = None) -> Any:
    """The global step of the graph, or None. Raises ValueError if the graph has several."""
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        raise ValueError(f"Multiple tensors in global_step collection: {', '.join(v.name for v in found)}")
    if found:
        assert_global_step(found[0])
        return found[0]
    return None


@public("train.create_global_step")
def create_global_step(graph: Graph | None = None) -> Variable:
    """Makes the global step. Raises ValueError if there is one."""
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists; use gc.train.get_or_create_global_step()')
    with graph.as_default(), graph.name_scope(None):
        return get_variable(GraphKeys.GLOBAL_STEP, shape=[], dtype=int64, initializer=Zeros(), trainable=False,
                            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP])


@public("train.get_or_create_global_step")
def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The global step; made if there is none."""
    graph = graph or get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


@public("train.assert_global_step")
def assert_global_step(tensor: Any) -> None:
    """Raises TypeError unless `tensor` is an integer scalar."""
    if not tensor.dtype.is_integer or tensor.shape.ndims not in (0, None):
        raise TypeError(f"Existing \"global_step\" must be an integer scalar, but is {tensor!r}")


@public("train.global_step")
def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in a session."""
    return int(sess.run(global_step_tensor))
