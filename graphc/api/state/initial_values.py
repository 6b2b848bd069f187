"""Initial values that read other variables, and where variables are made: outside loops and branches."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from graphc.api.control.cond import cond
from graphc.api.state import state
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.tensor import Operation, Tensor


@contextmanager
def outside_bodies() -> Iterator[Graph]:
    """The outermost graph, without control dependencies: variables made in a loop or branch belong to the whole graph.
    """
    graph = get_default_graph()
    scope = graph.get_name_scope()
    while isinstance(graph, FuncGraph):
        graph = graph.outer_graph
        scope = graph.get_name_scope()
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope(f"{scope}/" if scope else None):
        yield graph


def initialized_value(variable: Any) -> Tensor:
    with outside_bodies():
        return cond(state.is_variable_initialized(variable), variable.read_value, lambda: variable.initial_value)


def without_variables(value: Tensor) -> Tensor:
    """`value` with each variable it reads replaced by cond(is_initialized, variable, its initial value).

    One run of global_variables_initializer then works in any order, and shares random numbers. Ops between
    the variable and the value are made again; the others are used as they are.
    """
    return _Replacing(value.graph).tensor(value)


def _variables_of(graph: Graph) -> list[Any]:
    found = [v for key in graph.collections for v in graph.get_collection(key) if hasattr(v, "initial_value")]
    return list(dict.fromkeys(found))


class _Replacing:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.done: dict[Tensor, Tensor] = {}

    @cached_property
    def by_ref(self) -> dict[Tensor, Any]:
        """The graph's variables: few initial values read any, so nobody looks through all of them for each."""
        return {v._ref(): v for v in _variables_of(self.graph)}

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor not in self.done:
            self._fill(tensor)
        return self.done[tensor]

    def _fill(self, tensor: Tensor) -> None:
        """Without recursion over the graph's depth: inputs first."""
        waiting = [tensor]
        while waiting:
            current = waiting[-1]
            operation = current.op
            missing = [t for t in operation.inputs if t not in self.done]
            if current in self.done or (missing and operation.type not in _STOPS):
                waiting.pop() if current in self.done else waiting.extend(missing)
                continue
            waiting.pop()
            self.done.update(zip(operation.outputs, self._outputs(operation), strict=True))

    def _outputs(self, operation: Operation) -> Sequence[Tensor]:
        if operation.type in _STOPS:
            return operation.outputs
        if operation.type in ("Identity", "RefIdentity") and operation.inputs[0].op.type in _VARIABLES:
            variable = self.by_ref.get(operation.inputs[0])
            if variable is not None:
                return [initialized_value(variable)]
        inputs = [self.done[t] for t in operation.inputs]
        if all(new is old for new, old in zip(inputs, operation.inputs, strict=True)):
            return operation.outputs
        name = operation.name.rpartition("/")[2]
        return operation.graph.create(operation.definition, inputs, name=name).outputs


_VARIABLES = ("VariableV2", "Variable")
_STOPS = (*_VARIABLES, "IsVariableInitialized", "If", "StatelessIf", "Const", "Placeholder")
