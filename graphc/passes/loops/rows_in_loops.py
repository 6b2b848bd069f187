"""rows_in_loops: x[t] in a loop is gathered.

A slice at an index that an iteration computes begins at a size which only that iteration tells, so all that stands
after it would be bound again in every iteration. Its result has the same sizes for any index: a gathered row of which
the kernel reads the index needs no size. The row is copied, where a slice is read in place, so large ones stay slices.
"""
from __future__ import annotations

import dataclasses

import numpy as np

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ir.spec import with_requirements
from graphc.ops.array.slicing import StridedSlice
from graphc.ops.array.strides import dense
from graphc.passes.loops.copies import Copy
from graphc.passes.shared.control_flow import Loop
from graphc.passes.shared.internal_ops import BindSizes, SizeValues
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite

LARGEST = 1 << 15    # elements of a row whose copy takes as long as binding a few steps (measured)


def rows_in_loops(flow: Flow) -> Flow:
    return rewrite(flow, [gather_inside]) if flow.nested else flow


@asked_of(Loop)
def gather_inside(node: Node) -> Replacement:
    """while: x[t] -> while: gather(x, t)"""
    loop = node.op
    assert isinstance(loop, Loop)
    rows = {n.value(): found for n in loop.body.nodes() if (found := _row(n)) is not None}
    if not rows:
        return None
    copy = Copy(loop.body, loop.carried, [])
    copy.fill({value: (lambda value=value, row=row: _gathered(copy, value.node, *row))  # type: ignore[misc]
               for value, row in rows.items()})
    op = dataclasses.replace(loop, body=copy.flow([copy(v) for v in loop.body.outputs]))
    return dataclasses.replace(node, op=op)


def _row(node: Node) -> tuple[Value, int] | None:
    """The index and the axis of a slice that is all of its operand but for one axis, of which it takes one element."""
    if not isinstance(node.op, StridedSlice) or node.op.new_axis_mask or not node.after:
        return None
    shape, row = node.inputs[0].spec.shape, dims.product(node.specs[0].shape or ())
    if shape is None or (isinstance(row, int) and row > LARGEST):
        return None
    plan, _ = with_requirements(dense, [node.op, shape])
    axes = [i for i, shrunk in enumerate(plan.shrink) if shrunk]
    rest = [i for i in range(len(shape)) if i not in axes]
    if len(axes) != 1 or not all(dims.same(plan.size[i], shape[i]) and dims.same(plan.stride[i], 1) for i in rest):
        return None
    entry = next(i for i in range(len(node.op.begin)) if node.op.shrink_axis_mask >> i & 1)
    for maker in node.after:
        if isinstance(maker.op, BindSizes) and maker.op.symbols == (node.op.begin[entry],) \
                and maker.inputs[0].spec.shape == ():
            return maker.inputs[0], axes[0]
    return None


def _gathered(copy: Copy, node: Node, index: Value, axis: int) -> Value:
    """x[index]; a negative index counts from the back."""
    x, index = copy(node.inputs[0]), copy(index)
    size = x.spec.shape[axis]  # type: ignore[index]

    def make(op: str, *inputs: Value, **fields: object) -> Value:
        return make_node(OPS.make(op, **fields), inputs, node.origins).value()

    zero = make("Const", value=np.zeros((), index.spec.dtype.numpy), dtype=index.spec.dtype)
    from_back = make("AddV2", index, make_node(SizeValues((size,), index.spec.dtype, ()), (), node.origins).value())
    index = make("SelectV2", make("Less", index, zero), from_back, index)
    made = make_node(OPS.make("GatherV2", axis=axis), (x, index), node.origins,
                     [copy.nodes.get(n, n) for n in node.after if not isinstance(n.op, BindSizes)])
    return dataclasses.replace(made, specs=node.specs).value()
