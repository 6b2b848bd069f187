"""Loops and branches: the functional ops While and If.

Bodies are FuncGraphs. All bodies of one op have the same inputs: the explicit ones first (carried values; none for a
branch), then one for each tensor of the graph around that any of them uses. What a body does not need for its outputs
(of a branch, those that the run needs), or by control dependencies of them, does not run, as in TensorFlow 1.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphc.ir import dims
from graphc.ir.dtypes import DType, bool_
from graphc.ir.func_graph import FuncGraph
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
        _check_inputs(self, len(inputs), self.cond, self.body)
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
        _check_inputs(self, len(inputs), self.then_branch, self.else_branch)
        counts = len(self.then_branch.outputs), len(self.else_branch.outputs)
        if counts[0] != counts[1]:
            raise ValueError(f"the branches of {self.type} must give equally many values, but give {counts[0]} and "
                             f"{counts[1]}")
        return tuple(merged_spec(self.then_branch, a.spec, self.else_branch, b.spec)
                     for a, b in zip(self.then_branch.outputs, self.else_branch.outputs, strict=True))


@register
class If(StatelessIf):
    """A StatelessIf whose branches have effects."""

    effect = Effect.WRITE


def _check_inputs(op: Op, count: int, *graphs: FuncGraph) -> None:
    """A file may say anything."""
    for graph in graphs:
        if len(graph.inputs) != count:
            raise ValueError(f"{op.type} has {count} inputs, but a function of it takes {len(graph.inputs)}")


def _carried_spec(first: Spec, entering: Spec, leaving: Spec) -> Spec:
    """The spec of a carried value after the loop: what holds on entry and, for sizes, after every iteration."""
    if entering.shape is None or leaving.shape is None or first.shape is None:
        return Spec(entering.dtype, None)
    return Spec(entering.dtype, tuple(
        f if dims.same(a, b) else dims.symbol(f"while.{i}")
        for i, (f, a, b) in enumerate(zip(first.shape, entering.shape, leaving.shape, strict=True))))


def merged_spec(then: FuncGraph, a: Spec, otherwise: FuncGraph, b: Spec) -> Spec:
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


LOOPS = (StatelessWhile, While)
BRANCHES = (StatelessIf, If)


def bodies(definition: Op) -> tuple[FuncGraph, ...]:
    """The bodies of a loop or branch; () for every other op."""
    if isinstance(definition, StatelessWhile):
        return definition.cond, definition.body
    if isinstance(definition, StatelessIf):
        return definition.then_branch, definition.else_branch
    return ()


def uses_of(tensor: Tensor) -> Iterator[Operation]:
    """The operations that take the tensor, and those inside of loops and branches that take what stands for it."""
    for operation in tensor.consumers():
        yield operation
        for body in bodies(operation.definition):
            if tensor in body.captures:
                yield from uses_of(body.captures[tensor])
