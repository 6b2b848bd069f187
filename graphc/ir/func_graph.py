"""FuncGraph: the body of a loop or branch. What it uses of the graph around it becomes one of its inputs.

Invariants: `inputs` are outputs of Placeholder operations of this graph, the explicit ones first, then one for each
capture in the order of first use; `captures[i]` is the outer tensor of inputs[explicit + i].
"""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from graphc.ir import dims
from graphc.ir.graph import Graph
from graphc.ir.op import OPS, Op
from graphc.ir.spec import VALUE_LIMIT, Spec
from graphc.ir.tensor import Operation, Tensor


def full_name(graph: Graph, name: str) -> str:
    """The name of an operation of `graph`, unlike that of any other in the program: names in bodies are local."""
    return f"{graph.name}/{name}" if isinstance(graph, FuncGraph) else name


class FuncGraph(Graph):
    """A graph with inputs and outputs, built inside `outer`."""

    def __init__(self, name: str, outer: Graph) -> None:
        super().__init__()
        self.name = name
        self.outer_graph = outer
        self.seed = outer.seed
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.captures: dict[Tensor, Tensor] = {}    # outer tensor -> inner Placeholder's output
        self.structured_outputs: Any = None
        self.outer_controls: list[Operation] = []   # of the graphs around: what the whole loop or branch must wait for
        self._sizes: dict[dims.Dim, dims.Size] = {}
        self._copied: dict[Tensor, Tensor] = {}
        self._scopes.gradient_names = outer._scopes.gradient_names
        self._scopes.variable_creators, self._scopes.container = outer.variable_creators, outer.container_name
        self._collections = outer._collections      # collections belong to the whole program

    @property
    def building_function(self) -> bool:
        return True

    def add_input(self, spec: Spec, name: str = "input") -> Tensor:
        """A new explicit input. Must come before the first capture."""
        assert not self.captures, "explicit inputs come before captures"
        return self._placeholder(spec, name)

    def capture(self, tensor: Tensor) -> Tensor:
        """The inner tensor that stands for one of the graphs around this one. A small constant of integers is copied.
        """
        found = self.captures.get(tensor)
        if found is not None:
            return found
        if tensor.graph is not self.outer_graph and isinstance(self.outer_graph, FuncGraph):
            outer = self.outer_graph.capture(tensor)
        elif tensor.graph is self.outer_graph:
            outer = tensor
        else:
            raise ValueError(f"{tensor!r} belongs to a graph that is not around the body '{self.name}' in which it is "
                             "used: a tensor made inside a branch or loop body cannot be used outside of it")
        if outer in self.captures:
            return self.captures[outer]
        inner = self._copied_constant(outer)
        if inner is None:
            inner = self._placeholder(self._inner_spec(outer.spec), _last_part(outer.op.name))
            self.captures[outer] = inner
        return inner

    def _copied_constant(self, outer: Tensor) -> Tensor | None:
        definition = outer.op.definition
        if outer.dtype.is_floating or outer.dtype.is_complex:
            return None             # a copy would be a constant for gradients, too
        count = dims.product(outer.spec.shape or ())
        if definition.type != "Const" or not isinstance(count, int) or count > VALUE_LIMIT:
            return None
        if outer not in self._copied:
            with self.control_dependencies(None):
                operation = self.create(definition, [], name=_last_part(outer.op.name))
            self._copied[outer] = operation.outputs[0]
        return self._copied[outer]

    def _placeholder(self, spec: Spec, name: str) -> Tensor:
        op = OPS.make("Placeholder", dtype=spec.dtype, shape=spec.shape)
        with self.control_dependencies(None):
            operation = self.create(op, [], name=name, specs=(spec,))
        self.inputs.append(operation.outputs[0])
        return operation.outputs[0]

    def _inner_spec(self, spec: Spec) -> Spec:
        """Unknown sizes of the outer graph become symbols of this one, equal ones the same symbol; values stay
        unknown."""
        if spec.shape is None:
            return replace(spec, value=None)
        shape = tuple(
            s if isinstance(s, int) else self._sizes.setdefault(s, dims.symbol(f"{self.name}.{len(self._sizes)}"))
            for s in spec.shape
        )
        known = spec.value is not None and all(isinstance(v, int) for v in spec.value)
        return Spec(spec.dtype, shape, spec.value if known else None)

    def _own(self, tensor: Any, op: Op) -> Tensor:
        if isinstance(tensor, Tensor) and tensor.graph is not self:
            return self.capture(tensor)
        return super()._own(tensor, op)

    def control_dependencies(self, control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
        inner: list[Any] | None = None
        if control_inputs is not None:
            inner = []
            for control in control_inputs:
                element = self.as_graph_element(control)
                operation = element.op if isinstance(element, Tensor) else element
                (inner if operation.graph is self else self.outer_controls).append(operation)
        return super().control_dependencies(inner)

    def _own_controls(self, operations: Any) -> list[Operation]:
        # What stands outside runs before the body does, so waiting for it is nothing to record.
        return [op for op in operations if op.graph is self]

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, (Tensor, Operation)) and obj.graph is not self and self._is_outer(obj.graph):
            return obj
        return super().as_graph_element(obj, allow_tensor, allow_operation)

    def _is_outer(self, graph: Graph) -> bool:
        outer: Graph | None = self.outer_graph
        while outer is not None:
            if outer is graph:
                return True
            outer = getattr(outer, "outer_graph", None)
        return False


def _last_part(name: str) -> str:
    """Of an operation's name, as one that an operation may begin with: those of files may begin with underscores."""
    return name.rpartition("/")[2].lstrip("_-/\\>") or "captured"


def outermost(graph: Graph) -> Graph:
    while isinstance(graph, FuncGraph):
        graph = graph.outer_graph
    return graph
