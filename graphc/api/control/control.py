"""While and If operations made of traced bodies: what while_loop.py and cond.py share.

Bodies are FuncGraphs. All bodies of one op have the same inputs: the explicit ones first (carried values; none for a
branch), then one for each tensor of the graph around that any of them uses. What a body does not need for its outputs
(or by control dependencies of them) does not run, as in TensorFlow 1.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.ir.func_graph import FuncGraph, outermost
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import Effect

if TYPE_CHECKING:
    from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import If, StatelessIf, StatelessWhile, While, merged_spec


def has_effects(graph: FuncGraph) -> bool:
    return any(op.definition.effect is not Effect.PURE and op.type != "VariableV2" for op in graph.get_operations())


# Building.
def new_function(name: str, make: Callable[[str, Graph], Any] = FuncGraph) -> Any:
    """An empty body inside the default graph, make(name, graph), listed under a unique name in the outermost graph."""
    outer = get_default_graph()
    root = outermost(outer)
    name = name.replace("/", "_")
    unique, count = name, 0
    while unique in root.functions:
        count += 1
        unique = f"{name}_{count}"
    graph = make(unique, outer)
    root.functions[unique] = graph
    return graph


def align_captures(graphs: Sequence[FuncGraph]) -> list[Tensor]:
    """Gives all bodies the same captured inputs in the same order; returns the tensors to pass for them."""
    union = list(dict.fromkeys(t for graph in graphs for t in graph.captures))
    for graph in graphs:
        explicit = len(graph.inputs) - len(graph.captures)
        for tensor in union:
            graph.capture(tensor)
        graph.captures = {tensor: graph.captures[tensor] for tensor in union}
        graph.inputs[explicit:] = list(graph.captures.values())
    return union


def _outer_controls(graphs: Sequence[FuncGraph]) -> list[Operation]:
    """What the bodies' operations must wait for outside; left to the graph further out if it is not the nearest."""
    around = graphs[0].outer_graph
    waits = dict.fromkeys(op for graph in graphs for op in graph.outer_controls)
    if isinstance(around, FuncGraph):
        around.outer_controls.extend(op for op in waits if op.graph is not around)
    return [op for op in waits if op.graph is around]


def make_while(cond: FuncGraph, body: FuncGraph, initial: Sequence[Tensor], name: str,
               parallel_iterations: int = 10) -> list[Tensor]:
    """The While operation of two traced bodies; its outputs."""
    captured = align_captures([cond, body])
    inputs = [*initial, *captured]
    kind = While if has_effects(cond) or has_effects(body) else StatelessWhile
    op = kind(T=tuple(t.dtype for t in inputs), cond=cond, body=body, parallel_iterations=parallel_iterations,
              output_shapes=tuple(t.spec.static_shape for t in body.inputs[:len(initial)]))
    controls = _outer_controls([cond, body])
    return body.outer_graph.create(op, inputs, name=name, control_inputs=controls).outputs


def make_if(pred: Tensor, then: FuncGraph, otherwise: FuncGraph, name: str) -> Operation:
    """The If operation of two traced branches."""
    captured = align_captures([then, otherwise])
    kind = If if has_effects(then) or has_effects(otherwise) else StatelessIf
    shapes = tuple(merged_spec(then, a.spec, otherwise, b.spec).static_shape
                   for a, b in zip(then.outputs, otherwise.outputs, strict=True))
    op = kind(Tin=tuple(t.dtype for t in captured), Tout=tuple(t.dtype for t in then.outputs), then_branch=then,
              else_branch=otherwise, output_shapes=shapes)
    controls = _outer_controls([then, otherwise])
    return then.outer_graph.create(op, [pred, *captured], name=name, control_inputs=controls)
