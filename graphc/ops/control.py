"""Loops and branches: the functional ops While and If, which while_loop.py and cond.py make.

Bodies are FuncGraphs. All bodies of one op have the same inputs: the explicit ones first (carried values; none for a
branch), then one for each tensor of the graph around that any of them uses. What a body does not need for its outputs
(or by control dependencies of them) does not run, as in TensorFlow 1.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.ir import dims
from graphc.ir.dtypes import DType, bool_
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import Effect, Op, attr, register
from graphc.ir.spec import Shape, Spec

if TYPE_CHECKING:
    from graphc.ir.tensor import Operation, Tensor


@register
class StatelessWhile(Op):
    """while cond(*input): input[:carried] = body(*input). The outputs are the carried inputs' last values."""

    operands = ("input*",)
    results = ("output*",)
    T: tuple[DType, ...] = attr("list(type)")
    cond: FuncGraph = attr("func")
    body: FuncGraph = attr("func")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    parallel_iterations: int = attr("int", 10)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        carried = len(self.body.outputs)
        return tuple(_carried_spec(first, i.spec, o.spec) for first, i, o in
                     zip(inputs[:carried], self.body.inputs, self.body.outputs, strict=False))


@register
class While(StatelessWhile):
    """A StatelessWhile whose bodies have effects."""

    effect = Effect.WRITE


@register
class StatelessIf(Op):
    """then_branch(*input) if cond else else_branch(*input)."""

    operands = ("cond", "input*")
    results = ("output*",)
    types = {"Tcond": "cond"}
    Tin: tuple[DType, ...] = attr("list(type)")
    Tout: tuple[DType, ...] = attr("list(type)")
    then_branch: FuncGraph = attr("func")
    else_branch: FuncGraph = attr("func")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())

    def infer(self, cond: Spec, *inputs: Spec) -> tuple[Spec, ...]:
        if cond.dtype != bool_ or (cond.shape is not None and cond.shape != ()):
            raise TypeError(f"argument 'pred' must be a bool scalar, but is {cond}")
        return tuple(_merged_spec(self.then_branch, a.spec, self.else_branch, b.spec)
                     for a, b in zip(self.then_branch.outputs, self.else_branch.outputs, strict=True))


@register
class If(StatelessIf):
    """A StatelessIf whose branches have effects."""

    effect = Effect.WRITE


LOOPS = (StatelessWhile, While)
BRANCHES = (StatelessIf, If)


def bodies(definition: Op) -> tuple[FuncGraph, ...]:
    """The bodies of a loop or branch; () for every other op."""
    if isinstance(definition, StatelessWhile):
        return definition.cond, definition.body
    if isinstance(definition, StatelessIf):
        return definition.then_branch, definition.else_branch
    return ()


def has_effects(graph: FuncGraph) -> bool:
    return any(op.definition.effect is not Effect.PURE and op.type != "VariableV2" for op in graph.get_operations())


def _carried_spec(first: Spec, entering: Spec, leaving: Spec) -> Spec:
    """The spec of a carried value behind the loop: what holds on entry and, for sizes, after every iteration."""
    if entering.shape is None or leaving.shape is None or first.shape is None:
        return Spec(entering.dtype, None)
    return Spec(entering.dtype, tuple(
        f if dims.same(a, b) else dims.symbol(f"while.{i}")
        for i, (f, a, b) in enumerate(zip(first.shape, entering.shape, leaving.shape, strict=True))))


def _merged_spec(then: FuncGraph, a: Spec, otherwise: FuncGraph, b: Spec) -> Spec:
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        return Spec(a.dtype, None)
    shape = []
    for i, (x, y) in enumerate(zip(a.shape, b.shape, strict=True)):
        x, y = _outer_size(then, x), _outer_size(otherwise, y)
        shape.append(x if x is not None and y is not None and dims.same(x, y) else dims.symbol(f"cond.{i}"))
    return Spec(a.dtype, tuple(shape))


def _outer_size(graph: FuncGraph, size: dims.Size) -> dims.Size | None:
    """A size of the body in terms of the graph around it, None if it is known only inside."""
    if isinstance(size, int):
        return size
    known = {next(iter(dims.atoms(inner))): outer for outer, inner in graph._sizes.items()}
    if not all(atom in known for atom in dims.atoms(size) if isinstance(atom, dims.Symbol)):
        return None
    return dims.substitute(size, known)  # type: ignore[arg-type]


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


def outermost(graph: Graph) -> Graph:
    while isinstance(graph, FuncGraph):
        graph = graph.outer_graph
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
    shapes = tuple(_merged_spec(then, a.spec, otherwise, b.spec).static_shape
                   for a, b in zip(then.outputs, otherwise.outputs, strict=True))
    op = kind(Tin=tuple(t.dtype for t in captured), Tout=tuple(t.dtype for t in then.outputs), then_branch=then,
              else_branch=otherwise, output_shapes=shapes)
    controls = _outer_controls([then, otherwise])
    return then.outer_graph.create(op, [pred, *captured], name=name, control_inputs=controls)
