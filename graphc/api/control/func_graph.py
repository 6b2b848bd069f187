"""FuncGraph: a graph of its own for a Python function that is run element by element (graphc/data)."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.api.stacking.first_part import border
from graphc.api.stacking.graph import Stacked, is_pure, stacked
from graphc.ir import func_graph
from graphc.ir.func_graph import full_name
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.control.session_objects import SessionObject


@public("python.framework.func_graph.FuncGraph")
class FuncGraph(func_graph.FuncGraph):
    """The body of a loop or branch while it is built.

    Tensors of the graphs around it are its `inputs`, `captures` maps them; queues and tables it uses are those of the
    session that runs it. As `FuncGraph` of TensorFlow's python.framework.func_graph.

    >>> from graphc.api.control.func_graph import FuncGraph
    >>> gc.python.framework.func_graph.FuncGraph is FuncGraph
    True
    """

    def __init__(self, name: str, outer: Graph | None = None) -> None:
        super().__init__(name, outer if outer is not None else get_default_graph())
        self._handles: dict[Tensor, Tensor] = {}

    def capture(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor.op.definition, SessionObject):
            return super().capture(tensor)
        if tensor not in self._handles:
            self._handles[tensor] = self._same_object(tensor)
        return self._handles[tensor]

    def _same_object(self, handle: Tensor) -> Tensor:
        """The handle, in this graph, of the object that belongs to the session under the same name."""
        maker = handle.op
        definition: Any = maker.definition
        name = definition.shared_name or full_name(maker.graph, maker.name)
        with self.control_dependencies(None):
            constants = [self.create(t.op.definition, [], name=t.op.name.rpartition("/")[2]).outputs[0]
                         for t in maker.inputs]
            return self.create(dataclasses.replace(definition, shared_name=name), constants,
                                name=maker.name.rpartition("/")[2]).outputs[0]

    def stacked(self, feeds: Sequence[Tensor], inner: Sequence[Tensor], fetches: Sequence[Tensor],
                flat: Sequence[bool]) -> Stacked | None:
        """What computes the fetches of many values of the feeds at once, stacked along a new first axis, or, those that
        are flat, one after another; `inner` is fed as before. In a graph of its own. None if there is none."""
        return stacked(self, FuncGraph(f"{self.name}_rows", self.outer_graph), feeds, inner, fetches, flat)

    def border(self, feeds: Sequence[Tensor], fetches: Sequence[Tensor]) -> list[Tensor]:
        """What computes the slow part of the fetches that depends on the feeds alone gives to the rest; [] if nothing
        of it is slow."""
        return border(self, feeds, fetches)

    @property
    def is_pure(self) -> bool:
        """Whether to run it sooner, or once more, changes nothing."""
        return is_pure(self)
