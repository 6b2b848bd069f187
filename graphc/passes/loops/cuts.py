"""Where a loop can be cut in two: at a product with a matrix that it does not change.

A product a @ w of one iteration is part of a product of all iterations if what comes of it is not needed for any `a`.
Often only a part of it is: of concat(x, h) @ w, as a recurrent cell computes it, the product of x with the upper rows
of w; of a gradient dy @ transposed(w), those columns that are the gradient of x.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64, string, variant
from graphc.ir.flow_ops import FlowInput, ReadState
from graphc.ir.node import Node, Value
from graphc.ir.op import Alias, View
from graphc.ops.array.gather import GatherV2
from graphc.ops.array.join import ConcatV2, Split, SplitV
from graphc.ops.array.source import Const
from graphc.ops.control.array_rows import TensorListFromTensor
from graphc.ops.control.arrays import TensorListGetItem
from graphc.ops.math.binary import Add
from graphc.ops.math.comparison import Less
from graphc.ops.math.matmul import MatMul
from graphc.passes.loops.dependencies import Needs, members

PAYS = 12            # times as many elements as go on lists in an iteration must the part of the matrix have (measured)
SMALLEST = 4096      # elements of a part of a matrix whose product is worth a step on a list (measured)


@dataclass(frozen=True)
class Cut:
    """product: the MatMul. free: the parts of its left operand, one beside the other, that are multiplied outside;
    rows, columns: (first, number) of the part of the matrix that these meet, and of the results that leave.
    left: all parts of the left operand; first, last: the place of those that are free. split: the node that parts the
    result, if only its results first_result.. last_result leave. fed: the carried values that are made of it; 0: it is
    not needed."""

    product: Node
    left: tuple[Value, ...]
    first: int
    last: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    split: Node | None
    first_result: int
    last_result: int
    fed: int

    @property
    def free(self) -> tuple[Value, ...]:
        return self.left[self.first:self.last]

    @property
    def staying(self) -> tuple[Value, ...]:
        """The parts of the left operand that are multiplied in the loop."""
        return (*self.left[:self.first], *self.left[self.last:])

    @property
    def results(self) -> tuple[Value, ...]:
        """The values that the product of all iterations gives."""
        if self.split is None:
            return (self.product.value(),)
        return tuple(self.split.value(i) for i in range(self.first_result, self.last_result))


def find_cut(needs: Needs) -> Cut | None:
    """The first product of the body at which it pays to cut."""
    if needs.test & ~needs.light:
        return None                          # both loops would compute what says whether they go on
    for node in needs.order:
        if isinstance(node.op, MatMul) and _is_candidate(node, needs):
            cut = _by_rows(node, needs) or _by_columns(node, needs)
            if cut is not None and _pays(cut, crossing(cut, needs)) and _is_sized(cut, needs):
                return cut
    return None


def _is_sized(cut: Cut, needs: Needs) -> bool:
    """Whether it is known around the loop how many rows an iteration multiplies."""
    return needs.outside(cut.product.specs[0].shape[0]) is not None or row_source(needs, cut) is not None  # type: ignore[index]


def is_weight(value: Value, needs: Needs) -> bool:
    """Whether the value is the same outside of the loop: an operand, a variable's first value, or a view of such."""
    node = value.node
    if isinstance(node.op, (View, Alias)):
        return not node.requirements and not node.after and is_weight(node.inputs[0], needs)
    return needs.of[node] == 0 and isinstance(node.op, (FlowInput, ReadState, Const))


def _is_candidate(node: Node, needs: Needs) -> bool:
    matrix = node.inputs[1]
    if node.op.transpose_a or node.after or matrix.spec.dtype not in (float32, float64):  # type: ignore[attr-defined]
        return False
    return all(isinstance(s, int) for s in matrix.spec.shape or ()) and is_weight(matrix, needs)


def _by_rows(node: Node, needs: Needs) -> Cut | None:
    """a @ w, or concat(a, b) @ w = a @ w[:n] + b @ w[n:]"""
    fed = needs.fed_by([node.value()])
    if not fed or fed & needs.test:
        return None
    parts = _columns_of(node.inputs[0])
    widths = [part.spec.shape[1] for part in parts]  # type: ignore[index]
    run = _longest_run([_is_free(part, fed, needs) and isinstance(width, int)
                        for part, width in zip(parts, widths, strict=True)])
    before = widths[:run.start]
    if not run or not all(isinstance(w, int) for w in before):
        return None
    rows = sum(before), sum(widths[run.start:run.stop])
    return Cut(node, parts, run.start, run.stop, rows, (0, node.specs[0].shape[1]), None, 0, 0, fed)  # type: ignore[index,arg-type]


def _by_columns(node: Node, needs: Needs) -> Cut | None:
    """split(a @ w) = a @ w[:, :n], a @ w[:, n:]; what nobody reads leaves first, for nowhere"""
    readers = [n for n in needs.order if node.value() in n.inputs]
    if len(readers) != 1 or node.value() in needs.loop.body.outputs or not _parts_columns(readers[0]):
        return None
    split, left = readers[0], node.inputs[0]
    widths = [spec.shape[1] for spec in split.specs]  # type: ignore[index]
    if not all(isinstance(w, int) for w in widths):
        return None
    needed = needs.closure(needs.of[left.node]) | needs.test
    fed = [needs.fed_by([split.value(i)]) for i in range(len(widths))]
    run = _longest_run([not f for f in fed]) or _longest_run([not f & needed for f in fed])
    together = needs.fed_by([split.value(i) for i in run])
    if not run or len(run) == len(widths) or needed == needs.test:
        return None
    columns = sum(widths[:run.start]), sum(widths[run.start:run.stop])
    return Cut(node, (left,), 0, 1, (0, left.spec.shape[1]), columns, split, run.start, run.stop, together)  # type: ignore[index,arg-type]


def _columns_of(value: Value) -> tuple[Value, ...]:
    op = value.node.op
    if isinstance(op, ConcatV2) and op.axis in (1, -1) and not value.node.after:
        return value.node.inputs
    return (value,)


def _parts_columns(node: Node) -> bool:
    return isinstance(node.op, (Split, SplitV)) and node.op.split_dim in (1, -1) and not node.after


def _is_free(part: Value, fed: int, needs: Needs) -> bool:
    """Whether a part of an operand changes from iteration to iteration, and needs none of what is made of the product.
    """
    needed = needs.closure(needs.of[part.node])
    return needed != 0 and not needed & fed


def _longest_run(free: Sequence[bool]) -> range:
    best = range(0)
    start = 0
    for i, is_free in enumerate((*free, False)):
        if not is_free:
            best = max(best, range(start, i), key=len)
            start = i + 1
    return best


def _pays(cut: Cut, kept: Sequence[Value]) -> bool:
    """kept: what crosses from one loop to the other in every iteration."""
    moved = cut.rows[1] * cut.columns[1]
    if moved < SMALLEST or any(v.spec.dtype == variant or v.spec.dtype == string for v in kept):
        return False
    if cut.fed == 0:
        return True
    batch = cut.product.specs[0].shape[0]  # type: ignore[index]
    sizes = [batch * (cut.rows[1] + cut.columns[1]),
             *(dims.product(v.spec.shape or ()) for v in kept if v not in cut.free)]
    known = [size for size in sizes if isinstance(size, int)]
    return len(known) < len(sizes) or PAYS * sum(known) <= moved


def crossing(cut: Cut, needs: Needs) -> tuple[Value, ...]:
    """What the second loop needs of the first one in every iteration. What follows of counters and popped values only
    is computed again."""
    outputs = needs.loop.body.outputs
    native = needs.behind(cut.results) | {v.node for v in cut.results}
    found: dict[Value, None] = {}
    seen: set[Node] = set()
    waiting = [*(outputs[i] for i in members(cut.fed | needs.test)), *cut.staying]
    while waiting:
        value = waiting.pop()
        needed = needs.closure(needs.of[value.node])
        if value in found or value in cut.results:
            continue
        if value.node not in native and not needed & cut.fed and needed & ~needs.light:
            found[value] = None
        elif value.node not in seen:
            seen.add(value.node)
            waiting += _operands(value.node, cut)
            waiting += [outputs[i] for i in members(needs.of[value.node]) if isinstance(value.node.op, FlowInput)]
    return tuple(found)


def _operands(node: Node, cut: Cut) -> Iterable[Value]:
    """What the second loop computes a node of."""
    return (*node.inputs, *(n.value() for n in node.after if n.specs))


def row_source(needs: Needs, cut: Cut) -> Value | None:
    """The tensor [iterations, rows, columns] around the loop, if what is multiplied is a row of it and the loop makes
    as many iterations as it has rows."""
    if cut.split is not None or len(cut.free) != 1:
        return None
    node = cut.free[0].node
    source = node.inputs[0] if isinstance(node.op, (TensorListGetItem, GatherV2)) else None
    if source is None or not isinstance(source.node.op, FlowInput) or source.node.op.index < needs.loop.carried:
        return None
    outside = needs.node.inputs[source.node.op.index]
    if isinstance(node.op, TensorListGetItem):
        if not isinstance(outside.node.op, TensorListFromTensor):
            return None
        outside = outside.node.inputs[0]
    elif node.op.axis != 0 or node.op.batch_dims != 0 or node.inputs[1].spec.shape != ():  # type: ignore[attr-defined]
        return None
    shape, trips = outside.spec.shape or (), _trips(needs)
    if node.after or len(shape) != 3 or trips is None or not dims.same(trips, shape[0]):
        return None
    batch = shape[1] if len(cut.left) == 1 else needs.outside(cut.product.specs[0].shape[0])  # type: ignore[index]
    return outside if batch is not None and dims.same(batch, shape[1]) else None


def _trips(needs: Needs) -> dims.Size | None:
    """How many iterations the loop makes: `end`, as it counts from 0 by 1 and its test is count < end."""
    test, loop = needs.loop.cond.outputs[0].node, needs.loop
    if not isinstance(test.op, Less) or not isinstance(test.inputs[0].node.op, FlowInput):
        return None
    number = test.inputs[0].node.op.index
    if number >= loop.carried or _constant(needs.node.inputs[number]) != 0:
        return None
    step = loop.body.outputs[number].node
    if not isinstance(step.op, Add) or [v.node for v in step.inputs[:1]] != [loop.body.inputs[number]] \
            or _constant(step.inputs[1]) != 1:
        return None
    end = test.inputs[1]
    if isinstance(end.node.op, FlowInput):
        end = needs.node.inputs[end.node.op.index]
        return None if end.spec.value is None else end.spec.value[0]
    return None if end.spec.value is None else needs.outside(end.spec.value[0], loop.cond)


def _constant(value: Value) -> int | None:
    known = value.spec.value
    return known[0] if known is not None and len(known) == 1 and isinstance(known[0], int) else None
