"""Gradients of loops and branches.

The gradient of a While is a While that runs as often, backwards; the gradient of an If is an If on the same predicate.
Their bodies are traced by walking the forward body (gradients.backward) with a GradientGraph as default graph: what
that graph uses of the forward body's tensors must have been kept.

 - What does not change while the loop runs (captured tensors, constants) is used from outside.
 - Anything else is pushed on a list by the forward body and popped by the backward one: the forward op gets one more
   carried value (a branch: one more output). So random numbers and Python functions run once. The forward op is
   extended where it stands, as in TensorFlow 2: its first outputs and inputs stay what they were.
 - Of tensors whose shape only is needed, the shape is kept.

Lists are values like any other, closed under gradients, so loops inside loops and gradients of gradients need nothing
more.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from graphc.api.array.source import constant
from graphc.api.control import lists
from graphc.api.control.control import make_if, make_while, new_function, outermost
from graphc.api.gradients.slices import as_dense
from graphc.api.gradients.walk import OF_OPERATIONS, backward, is_differentiable, reaches, zeros_for
from graphc.api.math.binary import add, subtract
from graphc.api.math.comparison import greater
from graphc.ir import dims
from graphc.ir.dtypes import int32, variant
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import Op
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor

Gradients = list[Tensor | None]
ONLY_SHAPES = ("Shape", "ShapeN", "Size", "Rank")


class GradientGraph(FuncGraph):
    """The body of a gradient. `outer` maps the forward body's inputs that do not change to the tensors outside;
    save(tensor) keeps a tensor of the forward body and gives what stands for it in this graph."""

    def __init__(self, name: str, graph: Graph, forward: FuncGraph, outer: dict[Tensor, Tensor]) -> None:
        super().__init__(name, graph)
        self.forward = forward
        self.outer = outer
        self.saved: dict[Tensor, Tensor] = {}

    def save(self, tensor: Tensor) -> Tensor:
        raise NotImplementedError

    def capture(self, tensor: Tensor) -> Tensor:
        if tensor.graph is not self.forward:
            return super().capture(tensor)
        if tensor in self.outer:
            return super().capture(self.outer[tensor])
        if tensor not in self.saved:
            constant_copy = self._constant(tensor)
            self.saved[tensor] = self.save(tensor) if constant_copy is None else constant_copy
        return self.saved[tensor]

    def _constant(self, tensor: Tensor) -> Tensor | None:
        value = tensor.spec.value
        with self.as_default(), self.control_dependencies(None), self.name_scope(None):
            if tensor.op.type == "Const":
                return self.create(tensor.op.definition, [], name="Const").outputs[0]
            if value is not None and all(isinstance(v, int) for v in value):
                return constant(list(value), tensor.dtype, tensor.spec.static_shape)
        return None

    def create(self, op: Op, inputs: Sequence[Tensor], name: str | None = None, **more: Any) -> Operation:
        if op.type in ONLY_SHAPES and inputs and all(t.graph is self.forward and t not in self.outer for t in inputs):
            with self.forward.control_dependencies(None):
                return self.forward.create(op, inputs, **more)
        return super().create(op, inputs, name, **more)


# Loops


class LoopGradient(GradientGraph):
    """The body of a While's gradient. inputs: iterations left, gradients carried, then the lists."""

    def __init__(self, name: str, graph: Graph, loop: Operation, outer: dict[Tensor, Tensor]) -> None:
        super().__init__(name, graph, _body(loop), outer)
        self.loop = loop
        self.explicit = 0
        self.lists: list[tuple[Tensor, Tensor]] = []    # (the forward loop's list, what is left of it after the pop)

    def add(self, spec: Spec, name: str) -> Tensor:
        """A new explicit input; it stands before the captured ones whenever it is made."""
        made = self._placeholder(spec, name)
        self.inputs.insert(self.explicit, self.inputs.pop())
        self.explicit += 1
        return made

    def save(self, tensor: Tensor) -> Tensor:
        stack = accumulate(self.loop, tensor)
        handle = self.add(lists.HANDLE, "stack")
        with self.as_default(), self.control_dependencies(None), self.name_scope(None):
            rest, value = lists.pop(handle, tensor)
        self.lists.append((stack, rest))
        return value


def while_gradient(loop: Operation, dys: Sequence[Tensor | None], wanted: Sequence[bool]) -> Gradients:
    """Gradients for the loop's inputs, in the order that they had when this was called."""
    body = _body(loop)
    inputs, count = loop.inputs, len(body.outputs)
    inner, outputs = list(body.inputs), list(body.outputs)
    carried, captured = _flowing(inner, outputs, dys, wanted)
    if not carried:
        return [None] * len(inputs)
    unchanging = {inner[i]: inputs[i] for i in range(len(inner)) if i >= count or outputs[i] is inner[i]}
    graph = new_function(f"{body.name}_grad", lambda name, around: LoopGradient(name, around, loop, unchanging))
    with graph.as_default():
        left = graph.add(Spec(int32, ()), "left")
        arriving = [graph.add(_open_spec(inner[i]), f"dy_{i}") for i in carried]
        sums = [graph.add(_open_spec(inner[i]), f"sum_{i}") for i in captured]
        found = _backward([outputs[i] for i in carried], arriving, [inner[i] for i in (*carried, *captured)])
        _finish_body(graph, left, [inner[i] for i in carried], sums, found)
    trips = trip_count(loop)
    start = [zeros_for(loop.outputs[i]) if dys[i] is None else dys[i] for i in carried]
    zero = [zeros_for(inputs[i]) for i in captured]
    initial = [trips, *start, *zero, *(stack for stack, _ in graph.lists)]
    with get_default_graph().name_scope("while") as scope:
        results = make_while(_while_left(graph, initial), graph, initial, scope)
    by_position = dict(zip((*carried, *captured), results[1:], strict=False))
    nothing = {i for i, dx in zip(captured, found[len(carried):], strict=True) if dx is None}    # floordiv and its like
    return [None if i in nothing else by_position.get(i) for i in range(len(inputs))]


def _backward(ys: Sequence[Tensor], dys: Sequence[Tensor], xs: Sequence[Tensor]) -> Gradients:
    """`backward` inside a body, whose results are tensors."""
    return [as_dense(dx) for dx in backward(ys, dys, xs)]


def _body(loop: Operation) -> FuncGraph:
    return loop.definition.body  # type: ignore[attr-defined]


def _flowing(inner: Sequence[Tensor], outputs: Sequence[Tensor], dys: Sequence[Tensor | None],
             wanted: Sequence[bool]) -> tuple[list[int], list[int]]:
    """Positions of the carried inputs that gradients flow through and lead somewhere, and of the captured ones they
    reach."""
    count = len(outputs)
    reach = [reaches(t, inner) for t in outputs]
    flowing = {i for i in range(count) if dys[i] is not None and is_differentiable(outputs[i].dtype)}
    useful = {i for i, w in enumerate(wanted) if w}
    while True:
        more = {j for i in flowing for j in reach[i] if j < count} - flowing
        leading = {i for i in range(count) if reach[i] & useful} - useful
        if not more and not leading:
            break
        flowing |= more
        useful |= leading
    carried = sorted(flowing & useful)
    captured = sorted({j for i in carried for j in reach[i] if j >= count and wanted[j]})
    return carried, captured


def _open_spec(tensor: Tensor) -> Spec:
    """The spec of the gradient of a carried value: unknown sizes may differ from iteration to iteration."""
    static = tensor.spec.static_shape
    if static is None:
        return Spec(tensor.dtype, None)
    return Spec(tensor.dtype, tuple(dims.symbol(f"d{i}") if s is None else s for i, s in enumerate(static)))


def _finish_body(graph: LoopGradient, left: Tensor, carried: Sequence[Tensor], sums: Sequence[Tensor],
                 found: Sequence[Tensor | None]) -> None:
    outputs = [subtract(left, 1)]
    for tensor, gradient in zip(carried, found, strict=False):
        outputs.append(zeros_for(tensor) if gradient is None else gradient)
    for total, gradient in zip(sums, found[len(carried):], strict=True):
        plus = lists.add if total.dtype == variant else add
        outputs.append(total if gradient is None else plus(total, gradient))
    outputs = [t if t.graph is graph else graph.capture(t) for t in outputs]
    graph.outputs = [*outputs, *(rest for _, rest in graph.lists)]


def _while_left(body: LoopGradient, initial: Sequence[Tensor]) -> FuncGraph:
    cond = new_function(f"{body.name}_cond")
    inputs = [cond.add_input(t.spec, "input") for t in body.inputs[:len(initial)]]
    with cond.as_default():
        cond.outputs = [greater(inputs[0], 0)]
    return cond


def accumulate(loop: Operation, tensor: Tensor) -> Tensor:
    """Makes the loop keep `tensor`, a value of its body, of every iteration: the list behind the loop."""
    with _in_front_of(loop):
        empty = lists.like(tensor)
    return _carry(loop, empty, lambda handle: lists.push(handle, tensor))


def trip_count(loop: Operation) -> Tensor:
    """An int32 scalar: how many iterations the loop made."""
    if not hasattr(loop, "_trips"):
        with _in_front_of(loop):
            zero = constant(0, int32, name="trips")
        loop._trips = _carry(loop, zero, lambda count: add(count, 1))  # type: ignore[attr-defined]
    return loop._trips  # type: ignore[attr-defined]


@contextmanager
def _in_front_of(operation: Operation) -> Iterator[None]:
    """What is made inside counts as made just before `operation`: the order of effects stays that of the user's ops."""
    graph = operation.graph
    first = graph.version
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope(f"{operation.name}/"):
        yield
    front: int = getattr(operation, "_front", 0)
    for new in graph.get_operations()[first:]:
        front += 1
        new.number = operation.number - 1 + front * 2.0**-20  # type: ignore[assignment]
    operation._front = front  # type: ignore[attr-defined]


def _carry(loop: Operation, initial: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
    """Gives the loop one more carried value; its last value."""
    definition: Any = loop.definition
    count = len(definition.body.outputs)
    for graph in (definition.cond, definition.body):
        with graph.as_default():
            inner = graph._placeholder(initial.spec, "carried")
            graph.inputs.insert(count, graph.inputs.pop())
            if graph is definition.body:
                with graph.control_dependencies(None), graph.name_scope(None):
                    graph.outputs.append(step(inner))
    inputs = [*loop.inputs[:count], initial, *loop.inputs[count:]]
    shapes = (*definition.output_shapes, initial.spec.static_shape) if definition.output_shapes else ()
    return extend(loop, inputs, Spec(initial.dtype, initial.spec.shape),
                  dataclasses.replace(definition, T=tuple(t.dtype for t in inputs), output_shapes=shapes))


def extend(operation: Operation, inputs: Sequence[Tensor], spec: Spec, definition: Op) -> Tensor:
    """The one way in which an operation in a graph changes: more inputs, and one more output, which is returned."""
    with operation.graph._lock:
        for tensor in inputs:
            if tensor not in operation.inputs:
                tensor._consumers.append(operation)
        operation.inputs = tuple(inputs)
        operation.definition = definition
        operation.outputs.append(Tensor(operation, len(operation.outputs), spec))
    return operation.outputs[-1]


# Branches


class BranchGradient(GradientGraph):
    """The gradient of one branch."""

    def __init__(self, name: str, graph: Graph, branch: Operation, forward: FuncGraph,
                 outer: dict[Tensor, Tensor]) -> None:
        super().__init__(name, graph, forward, outer)
        self.branch = branch

    def save(self, tensor: Tensor) -> Tensor:
        handle = super().capture(keep(self.branch, self.forward, tensor))
        with self.as_default(), self.control_dependencies(None), self.name_scope(None):
            return lists.pop(handle, tensor)[1]


def if_gradient(branch: Operation, dys: Sequence[Tensor | None], wanted: Sequence[bool]) -> Gradients:
    """Gradients for the predicate (none) and the inputs of an If."""
    definition: Any = branch.definition
    inputs = branch.inputs
    arriving = [i for i, dy in enumerate(dys) if dy is not None and is_differentiable(branch.outputs[i].dtype)]
    forwards = (definition.then_branch, definition.else_branch)
    reached = {j for f in forwards for i in arriving for j in reaches(f.outputs[i], f.inputs)}
    targets = [j for j in sorted(reached) if wanted[j + 1]]
    if not targets:
        return [None] * len(inputs)
    made, slopes = zip(*(_branch_gradient(branch, f, inputs[1:], arriving, dys, targets) for f in forwards),
                       strict=True)
    there = [k for k in range(len(targets)) if any(dxs[k] is not None for dxs in slopes)]
    if not there:                            # only ops such as floordiv lead from the inputs to the results
        for graph in made:
            del outermost(graph).functions[graph.name]
        return [None] * len(inputs)
    for graph, dxs in zip(made, slopes, strict=True):
        with graph.as_default():
            results = [zeros_for(graph.capture(inputs[1 + targets[k]])) if dxs[k] is None else dxs[k] for k in there]
            graph.outputs = [t if t.graph is graph else graph.capture(t) for t in results]
    with get_default_graph().name_scope("cond") as scope:
        results = make_if(inputs[0], made[0], made[1], scope).outputs
    by_position = dict(zip((targets[k] for k in there), results, strict=True))
    return [None, *(by_position.get(j) for j in range(len(inputs) - 1))]


def _branch_gradient(branch: Operation, forward: FuncGraph, inputs: Sequence[Tensor], arriving: Sequence[int],
                     dys: Sequence[Tensor | None], targets: Sequence[int]) -> tuple[BranchGradient, Gradients]:
    """The gradient's branch, without outputs yet, and the gradients of the targets in it: None where there is none."""
    outer = dict(zip(forward.inputs, inputs, strict=True))
    graph = new_function(f"{forward.name}_grad",
                         lambda name, around: BranchGradient(name, around, branch, forward, outer))
    outputs = list(forward.outputs)
    with graph.as_default():
        starts = [graph.capture(dys[i]) for i in arriving]  # type: ignore[arg-type]
        return graph, _backward([outputs[i] for i in arriving], starts, [forward.inputs[j] for j in targets])


def keep(branch: Operation, forward: FuncGraph, tensor: Tensor) -> Tensor:
    """Makes an If give out `tensor` of one of its branches: a list that holds it if that branch was taken."""
    definition: Any = branch.definition
    for graph in (definition.then_branch, definition.else_branch):
        with graph.as_default(), graph.control_dependencies(None), graph.name_scope(None):
            handle = lists.like(tensor)
            graph.outputs.append(lists.push(handle, tensor) if graph is forward else handle)
    shapes = (*definition.output_shapes, ()) if definition.output_shapes else ()
    tout = (*definition.Tout, lists.HANDLE.dtype)
    return extend(branch, branch.inputs, lists.HANDLE,
                  dataclasses.replace(definition, Tout=tout, output_shapes=shapes))


OF_OPERATIONS.update({"While": while_gradient, "StatelessWhile": while_gradient, "If": if_gradient,
                      "StatelessIf": if_gradient})
