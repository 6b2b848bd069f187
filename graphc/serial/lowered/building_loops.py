"""A loop -> a While, whose condition and body are built as regions are (building.py).

The body is built again while it turns out that a carried shape changes, or that it changes a TensorArray or stack,
which the loop must carry then. What was found out stays known, for when a loop around this one is built again.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphc.api.array.identity import identity
from graphc.api.control import lists
from graphc.api.control.control import make_while, new_function
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir import dims
from graphc.ir.func_graph import FuncGraph, outermost
from graphc.ir.graph import get_default_graph
from graphc.ir.spec import Spec
from graphc.ir.tensor import Tensor
from graphc.serial.lowered.branches import ordered
from graphc.serial.lowered.graphs import graphs_around, own
from graphc.serial.lowered.handles import Handle
from graphc.serial.lowered.parts import Carried, Loop, Part, Step
from graphc.serial.lowered.values import Values, local_name

if TYPE_CHECKING:
    from graphc.serial.lowered.building import Builder

Shape = tuple[int | None, ...] | None


@dataclass
class LoopSpecs:
    """What is known so far of what a loop carries. shapes: of the carried values; handles: of what it changes."""

    cond: list[Step]
    body: list[Step]
    shapes: list[Shape]
    handles: list[Handle] = field(default_factory=list)


def build_loop(b: Builder, loop: Loop, values: Values, full_name: Callable[[str], str]) -> None:
    initial = [b.tensor(c.enter, values) for c in loop.carried]
    name = b.fresh(loop.frame.rstrip("/") or "while")
    specs = b.loops.get(loop)
    if specs is None:
        specs = b.loops[loop] = LoopSpecs(ordered(loop.cond), ordered(loop.body), [])
        specs.shapes = [t.spec.static_shape for t in initial]
    specs.shapes = [_wider(s, t.spec.static_shape) for s, t in zip(specs.shapes, initial, strict=True)]
    functions = outermost(get_default_graph()).functions
    before = dict(functions)
    while (body := _body(b, loop, specs, initial, values, name)) is None:
        functions.clear()
        functions.update(before)
    cond = _cond(b, loop, specs, initial, values, name)
    handed = [b.visible(b.handles.raw(h)) for h in specs.handles]
    outputs = make_while(cond, body, [*initial, *handed], name)
    b.handles.lists.update(zip(specs.handles, outputs[len(initial):], strict=True))
    for exit_, number in loop.exits.items():
        full = full_name(exit_)
        get_default_graph().mark_name(full)
        made = identity(outputs[number], name=f"{full}/")
        values.operations[exit_] = made.op
        values.name(exit_, made)


def _begin(b: Builder, loop: Loop, specs: LoopSpecs, initial: Sequence[Tensor], values: Values,
           name: str) -> tuple[FuncGraph, Values]:
    """An empty body with its inputs, and what names stand for in it."""
    graph = new_function(name)
    inner = Values(values)
    for i, (carried, tensor) in enumerate(zip(loop.carried, initial, strict=True)):
        leaf = graph.add_input(_spec(tensor, specs.shapes[i], i), f"loop_var_{i}")
        inner.name(carried.merge, leaf)
    for handle in specs.handles:
        b.handles.lists[handle] = graph.add_input(lists.HANDLE, "list")
    for switch, text in loop.switches.items():
        for i, result in enumerate(("output_false", "output_true")):
            value = inner.find(text)
            if value is not None:
                inner.name(switch, value, i, result)
    return graph, inner


def _body(b: Builder, loop: Loop, specs: LoopSpecs, initial: Sequence[Tensor], values: Values,
          name: str) -> FuncGraph | None:
    """The body of a loop; None if it turns out that something else must be said of what it carries."""
    with b.handles.scope() as inside:
        graph, inner = _begin(b, loop, specs, initial, values, f"{name}body")
        with graph.as_default():
            b.build(specs.body, inner, local_name)
            graph.outputs = [_next(b, c, inner, graph) for c in loop.carried]
        changed = inside.changed()
        graph.outputs += [own(graph, inside.raw(h)) for h in specs.handles]
    shapes = [_wider(s, t.spec.static_shape) for s, t in zip(specs.shapes, graph.outputs, strict=False)]
    more = [h for h in changed          # those that the body makes are its own
            if h not in specs.handles and graph not in graphs_around(b.handles.raw(h).graph)]
    fits = shapes == specs.shapes and not more
    specs.shapes, specs.handles = shapes, [*specs.handles, *more]
    for carried, tensor, first in zip(loop.carried, graph.outputs, initial, strict=False):
        if tensor.dtype != first.dtype:
            raise DataLossError(f"Merge '{carried.merge}' of the GraphDef gets {first.dtype.name} when the loop "
                                f"starts, but {tensor.dtype.name} from an iteration; the file is damaged")
    return graph if fits else None


def _next(b: Builder, carried: Carried, inner: Values, graph: FuncGraph) -> Tensor:
    part = Part(carried.next, (carried.next,), carried.waits)
    value = own(graph, b.tensor(carried.next, inner))
    waits = [op for op in b.waits(part, inner) if op in b.after_effects]
    if waits:
        with graph.control_dependencies(waits):
            value = identity(value)
    return value


def _cond(b: Builder, loop: Loop, specs: LoopSpecs, initial: Sequence[Tensor], values: Values, name: str) -> FuncGraph:
    with b.handles.scope() as inside:
        graph, inner = _begin(b, loop, specs, initial, values, f"{name}cond")
        with graph.as_default():
            b.build(specs.cond, inner, local_name)
            graph.outputs = [own(graph, b.tensor(loop.test, inner))]
        if inside.changed().keys() - set(specs.handles):
            raise UnimplementedError(f"the condition of the loop '{loop.frame}' changes a TensorArray or stack")
    return graph


def _wider(a: Shape, b: Shape) -> Shape:
    """What both shapes have in common."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True))


def _spec(tensor: Tensor, shape: Shape, position: int) -> Spec:
    """The spec of a carried value inside: sizes that are not known are symbols of the body's own."""
    if shape is None:
        return Spec(tensor.dtype, None)
    return Spec(tensor.dtype, tuple(dims.symbol(f"loop{position}.{i}") if s is None else s
                                    for i, s in enumerate(shape)))
