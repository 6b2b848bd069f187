"""Gradients of loops and branches.

The gradient of a While is a While that runs as often, backwards; the gradient of an If is an If on the same predicate.
Their bodies are traced by walking the forward body (gradients.backward) with a GradientGraph as default graph: what
that graph uses of the forward body's tensors must have been kept.

 - What does not change while the loop runs (captured tensors, constants) is used from outside.
 - Anything else is pushed on a list by the forward body and popped by the backward one: the forward op gets one more
   carried value (a branch: one more output). So random numbers and Python functions run once. The forward op is
   extended where it stands, as in TensorFlow 2: its first outputs and inputs stay what they were.
 - Of indices and flags that follow of counters nothing is kept, they are computed again (counters.py).
 - Of tensors whose shape only is needed, the shape is kept.
 - The gradient of a matrix to which every iteration adds a product of few rows is one product after the loop, of the
   factors of all iterations (products.py).
 - The gradient of a table that the body gathers from is IndexedSlices: the rows and their indices of every iteration go
   on two lists, which are joined after the loop (rows.py); a branch gives out its rows, the other one none.

Lists are values like any other, closed under gradients, so loops inside loops and gradients of gradients need nothing
more.
"""
from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from graphc.api.array.shapes import shape
from graphc.api.array.source import constant
from graphc.api.array.transpose import transpose
from graphc.api.control import lists
from graphc.api.control.control import make_if, make_while, new_function, outermost
from graphc.api.gradients import products, rows
from graphc.api.gradients.counters import Counters
from graphc.api.gradients.slices import Gradient, IndexedSlices, as_dense
from graphc.api.gradients.walk import OF_OPERATIONS, backward, reaches, sum_of, zeros_for
from graphc.api.math.binary import add, subtract
from graphc.api.math.comparison import greater
from graphc.ir import dims
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import DType, int32, variant
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import Op
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor

Gradients = list[Gradient | None]
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
            kept = self.forward.kept(tensor) if isinstance(self.forward, GradientGraph) else None
            return super().capture(tensor) if kept is None else self.capture(kept)
        if tensor in self.outer:
            return super().capture(self.outer[tensor])
        if tensor not in self.saved:
            constant_copy = self._constant(tensor)
            self.saved[tensor] = self.save(tensor) if constant_copy is None else constant_copy
        return self.saved[tensor]

    def kept(self, tensor: Tensor) -> Tensor | None:
        """What stands here for a tensor of the forward body, or of that whose gradient it is, if it has been kept: a
        gradient of this gradient may use it, too (a custom gradient's own gradient does)."""
        if tensor.graph is not self.forward and isinstance(self.forward, GradientGraph):
            between = self.forward.kept(tensor)
            return None if between is None else self.kept(between)
        return self.saved.get(tensor)

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
    """The body of a While's gradient. Its explicit inputs are the values carried; initial: what they are before the
    first iteration; results: after one. The first is the number of iterations left."""

    def __init__(self, name: str, graph: Graph, loop: Operation, outer: dict[Tensor, Tensor]) -> None:
        super().__init__(name, graph, _body(loop), outer)
        self.loop = loop
        self.counters = Counters(loop, outer)
        self.initial: list[Tensor] = []
        self.results: list[Tensor | None] = []      # None: not yet known
        self.turned: dict[Tensor, Tensor] = {}      # matrices of the forward body, transposed outside
        self.stacks: dict[Tensor, Tensor] = {}      # the list outside that a value was popped from
        self.collected: dict[Tensor, int] = {}      # the carried list on which a value is collected

    def create(self, op: Op, inputs: Sequence[Tensor], name: str | None = None, **more: Any) -> Operation:
        if (op.type == "MatMul" and op.transpose_b and inputs[1] in self.outer  # type: ignore[attr-defined]
                and not products.has_few_rows(inputs[0])):
            # Transposed once: a product with a transposed matrix would bring it in order in every iteration.
            op, inputs = dataclasses.replace(op, transpose_b=False), [inputs[0], self._turned(inputs[1])]  # type: ignore[call-arg]
        return super().create(op, inputs, name, **more)

    def _turned(self, matrix: Tensor) -> Tensor:
        if matrix not in self.turned:
            with _outside(self):
                self.turned[matrix] = transpose(self.outer[matrix])
        return self.turned[matrix]

    def carry(self, initial: Tensor, spec: Spec, name: str) -> tuple[int, Tensor]:
        """One more carried value: its number, and the input. It stands before the captured ones whenever it is made."""
        made = self._placeholder(spec, name)
        self.inputs.insert(len(self.initial), self.inputs.pop())
        self.initial.append(initial)
        self.results.append(None)
        return len(self.initial) - 1, made

    def save(self, tensor: Tensor) -> Tensor:
        if self.counters.tell(tensor):
            assert self.results[0] is not None
            with self.as_default(), self.control_dependencies(None), self.name_scope(None):
                return self.counters.again(tensor, self.results[0], self.capture)
        number, handle = self.carry(accumulate(self.loop, tensor), lists.HANDLE, "stack")
        with self.as_default(), self.control_dependencies(None), self.name_scope(None):
            self.results[number], value = lists.pop(handle, tensor)
        self.stacks[value] = self.initial[number]
        return value

    def changes(self, tensor: Tensor) -> bool:
        """Whether it is a tensor of this body that may differ from iteration to iteration, no captured one."""
        return tensor.graph is self and tensor not in self.inputs[len(self.initial):]

    def collect(self, tensor: Tensor, trips: Tensor) -> Callable[[Sequence[Tensor]], Tensor]:
        """Keeps a tensor of this body, of every iteration, on a list, in the order of the forward loop's iterations;
        what finds it in the loop's results. trips: how many iterations there are."""
        if tensor in self.stacks:
            kept = self.stacks[tensor]
            return lambda results: kept
        if tensor not in self.collected:
            with _outside(self):
                empty = lists.reserve(trips, tensor)
            self.collected[tensor], handle = self.carry(empty, lists.HANDLE, "rows")
            self.results[self.collected[tensor]] = lists.set_element(handle, self.results[0], tensor)
        number = self.collected[tensor]
        return lambda results: results[number]

    def finish(self) -> None:
        """Sets the outputs. Capturing a result may make one more carried value."""
        for number in itertools.count():
            if number == len(self.results):
                break
            result = self.results[number]
            assert result is not None
            self.results[number] = result if result.graph is self else self.capture(result)
        self.outputs = [t for t in self.results if t is not None]


def while_gradient(loop: Operation, dys: Sequence[Gradient | None], wanted: Sequence[bool]) -> Gradients:
    """Gradients for the loop's inputs, in the order that they had when this was called."""
    body = _body(loop)
    inputs, count = loop.inputs, len(body.outputs)
    inner, outputs = list(body.inputs), list(body.outputs)
    passed = {i for i in range(count) if outputs[i] is inner[i]}
    carried, used = _flowing(inner, outputs, passed, dys, wanted)
    result: Gradients = [dys[i] if i in passed and wanted[i] else None for i in range(len(inputs))]
    if not carried:
        return result
    unchanging = {inner[i]: inputs[i] for i in range(len(inner)) if i >= count or i in passed}
    trips = trip_count(loop)
    starts = [zeros_for(loop.outputs[i]) if dys[i] is None else convert_to_tensor(dys[i]) for i in carried]
    graph = new_function(f"{body.name}_grad", lambda name, around: LoopGradient(name, around, loop, unchanging))
    with graph.as_default():
        graph.results[0] = subtract(graph.carry(trips, Spec(int32, ()), "left")[1], 1)
        arriving = [graph.carry(dy, _open_spec(inner[i]), f"dy_{i}") for i, dy in zip(carried, starts, strict=True)]
        found = backward([outputs[i] for i in carried], [dy for _, dy in arriving],
                         [inner[i] for i in (*carried, *used)])
        for i, (number, _), dx in zip(carried, arriving, found, strict=False):
            graph.results[number] = zeros_for(inner[i]) if dx is None else as_dense(dx)
        totals = {i: _total(graph, inputs[i], inner[i], dx, i, trips)
                  for i, dx in zip(used, found[len(carried):], strict=True) if dx is not None}
        graph.finish()
    with get_default_graph().name_scope("while") as scope:
        results = make_while(_while_left(graph), graph, graph.initial, scope)
    for i, (number, _) in zip(carried, arriving, strict=True):
        result[i] = results[number]
    for i, total in totals.items():
        behind = total(results)
        mine = result[i]
        result[i] = behind if mine is None else sum_of([mine, behind], inputs[i])
    return result


def _total(graph: LoopGradient, outside: Tensor, inside: Tensor, gradient: Gradient, position: int,
           trips: Tensor) -> Callable[[Sequence[Tensor]], Gradient]:
    """Makes the loop add up the gradient of a tensor that it does not change; gives what finds the sum in its results.
    """
    factors = None if isinstance(gradient, IndexedSlices) else products.factors(gradient, inside)
    if factors is not None and all(map(graph.changes, factors)):
        left, right = (graph.collect(factor, trips) for factor in factors)
        return lambda results: products.joined_product(left(results), right(results), outside)
    if isinstance(gradient, IndexedSlices):
        numbers = []
        for part in (gradient.values, gradient.indices):
            inner = part if part.graph is graph else graph.capture(part)
            with _outside(graph):
                empty = lists.like(inner)
            number, handle = graph.carry(empty, lists.HANDLE, f"rows_{position}")
            graph.results[number] = lists.push(handle, inner)
            numbers.append((number, inner))
        (values, like_values), (indices, like_indices) = numbers
        return lambda results: rows.joined_rows(results[values], like_values, results[indices], like_indices, outside)
    with _outside(graph):
        zero = zeros_for(outside)
    number, total = graph.carry(zero, _open_spec(inside), f"sum_{position}")
    graph.results[number] = (lists.add if total.dtype == variant else add)(total, gradient)
    return lambda results: results[number]


def _body(loop: Operation) -> FuncGraph:
    return loop.definition.body  # type: ignore[attr-defined]


def _flowing(inner: Sequence[Tensor], outputs: Sequence[Tensor], passed: set[int],
             dys: Sequence[Gradient | None], wanted: Sequence[bool]) -> tuple[list[int], list[int]]:
    """Positions of the carried inputs that gradients flow through and lead somewhere, and of the inputs that they reach
    and no iteration changes: captured ones, and carried ones that the body passes on."""
    count = len(outputs)
    reach = [reaches(t, inner) for t in outputs]
    flowing = {i for i in range(count) if dys[i] is not None and outputs[i].dtype.is_differentiable}
    useful = {i for i, w in enumerate(wanted) if w}
    while True:
        more = {j for i in flowing for j in reach[i] if j < count} - flowing
        leading = {i for i in range(count) if reach[i] & useful} - useful
        if not more and not leading:
            break
        flowing |= more
        useful |= leading
    carried = sorted((flowing & useful) - passed)
    used = sorted({j for i in carried for j in reach[i] if (j >= count or j in passed) and wanted[j]})
    return carried, used


@contextmanager
def _outside(graph: FuncGraph) -> Iterator[None]:
    with graph.outer_graph.as_default():
        yield


def _open_spec(tensor: Tensor) -> Spec:
    """The spec of the gradient of a carried value: unknown sizes may differ from iteration to iteration."""
    static = tensor.spec.static_shape
    if static is None:
        return Spec(tensor.dtype, None)
    return Spec(tensor.dtype, tuple(dims.symbol(f"d{i}") if s is None else s for i, s in enumerate(static)))


def _while_left(body: LoopGradient) -> FuncGraph:
    cond = new_function(f"{body.name}_cond")
    inputs = [cond.add_input(t.spec, "input") for t in body.inputs[:len(body.initial)]]
    with cond.as_default():
        cond.outputs = [greater(inputs[0], 0)]
    return cond


def accumulate(loop: Operation, tensor: Tensor) -> Tensor:
    """Makes the loop keep `tensor`, a value of its body, of every iteration: the list after the loop."""
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
    arriving = [i for i, dy in enumerate(dys) if dy is not None and branch.outputs[i].dtype.is_differentiable]
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
    tables = {k: rows.index_type(s[k] for s in slopes) for k in there}
    for graph, dxs in zip(made, slopes, strict=True):
        with graph.as_default():
            results = [t for k in there for t in _given(graph.capture(inputs[1 + targets[k]]), dxs[k], tables[k])]
            graph.outputs = [t if t.graph is graph else graph.capture(t) for t in results]
    with get_default_graph().name_scope("cond") as scope:
        given = iter(make_if(inputs[0], made[0], made[1], scope).outputs)
    found: Gradients = [None] * len(inputs)
    for k in there:
        x = 1 + targets[k]
        found[x] = next(given) if tables[k] is None else IndexedSlices(next(given), next(given), shape(inputs[x]))
    return found


def _given(table: Tensor, gradient: Gradient | None, indices: DType | None) -> list[Tensor]:
    """What a branch gives out as the gradient of a tensor. indices: the dtype of those of the rows; None: all of it."""
    if indices is None:
        return [zeros_for(table) if gradient is None else convert_to_tensor(gradient)]
    return rows.parts(table, gradient, indices)


def _branch_gradient(branch: Operation, forward: FuncGraph, inputs: Sequence[Tensor], arriving: Sequence[int],
                     dys: Sequence[Tensor | None], targets: Sequence[int]) -> tuple[BranchGradient, Gradients]:
    """The gradient's branch, without outputs yet, and the gradients of the targets in it: None where there is none."""
    outer = dict(zip(forward.inputs, inputs, strict=True))
    graph = new_function(f"{forward.name}_grad",
                         lambda name, around: BranchGradient(name, around, branch, forward, outer))
    outputs = list(forward.outputs)
    with graph.as_default():
        starts = [graph.capture(dys[i]) for i in arriving]  # type: ignore[arg-type]
        return graph, backward([outputs[i] for i in arriving], starts, [forward.inputs[j] for j in targets])


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
