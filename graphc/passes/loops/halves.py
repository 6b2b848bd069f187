"""The two loops that a loop becomes at a cut (cuts.py), and the product between them.

The first one pushes what is multiplied, and what else the second one needs of it, on lists; the second one reads them
at a counter of its own. Where what is multiplied is a row of a tensor of which the loop reads every row, the tensor is
multiplied in front of the loop, which stays one.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import int32
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ir.spec import Spec, elements_of
from graphc.ops.array.transpose import Transpose
from graphc.ops.control.lists import HANDLE
from graphc.passes.loops.copies import Copy
from graphc.passes.loops.cuts import Cut, crossing, row_source
from graphc.passes.loops.dependencies import Needs
from graphc.passes.shared.rewriter import rebuilt

COUNT = Spec(int32, ())


class Halves:
    """Of one loop, at one cut. Nodes that it makes count as the product's."""

    def __init__(self, needs: Needs, cut: Cut) -> None:
        self.needs, self.cut = needs, cut
        self.node, self.loop = needs.node, needs.loop
        self.sized = _telling_sizes(needs)
        self.turned: bool = cut.product.op.transpose_b  # type: ignore[attr-defined]

    def results(self) -> tuple[Value, ...]:
        """What stands for the loop's results."""
        if self.cut.fed == 0:
            first = self._first([])
            return tuple(first.value(i) for i in range(self.loop.carried))
        rows = row_source(self.needs, self.cut)
        if rows is not None:
            whole = self._whole(rows)
            return tuple(whole.value(i) for i in range(self.loop.carried))
        kept = list(dict.fromkeys([self._factor(self.cut.free), *crossing(self.cut, self.needs)]))
        first = self._first(kept)
        lists = [first.value(self.loop.carried + i) for i in range(len(kept))]
        second = self._second(kept, lists)
        return tuple((second if self.cut.fed >> i & 1 else first).value(i) for i in range(self.loop.carried))

    def make(self, op: str, *inputs: Value, **fields: Any) -> Value:
        """A value in the user's name of the product."""
        return make_node(OPS.make(op, **fields), inputs, self.cut.product.origins).value()

    # The loops

    def _first(self, kept: Sequence[Value]) -> Node:
        """The loop with lists of values as further results."""
        lists = [dataclasses.replace(HANDLE, elements=elements_of(v.spec)) for v in kept]
        rest = self._rest_of_columns()
        copy = Copy(self.loop.body, self.loop.carried, lists, [*self._sized_specs(), *(v.spec for v in rest)])
        copy.fill(self._without_results(copy) if rest else {})
        values = [self._factor([copy(v) for v in self.cut.free]), *map(copy, kept[1:])]
        pushes = [self.make("TensorListPushBack", handle, v) for handle, v in zip(copy.carried, values, strict=False)]
        empty = [self.make("EmptyTensorList", element_shape=_said(v.spec), max_num_elements=-1,
                           element_dtype=v.spec.dtype) for v in kept]
        return self._loop(copy, pushes, empty, rest)

    def _second(self, kept: Sequence[Value], lists: Sequence[Value]) -> Node:
        """The loop with elements of lists in place of these values, and rows of a product in place of the product's
        results."""
        product = self._product(self._stacked(lists[0], kept[0]))
        copy, given = self._copy([COUNT], product, [*lists, *self._rest_of_rows()])
        counter = copy.carried[0]
        instead = {v: self._reader(handle, counter, v.spec)
                   for v, handle in zip(kept, copy.captured[len(self.sized) + 1:], strict=False)}
        copy.fill({**instead, **self._results_of(copy, lambda: counter)})
        return self._loop(copy, [self.make("AddV2", counter, _number(1))], [_number(0)], given)

    def _whole(self, rows: Value) -> Node:
        """The loop with rows of the product in place of rows of its factor."""
        index = self.cut.free[0].node.inputs[1]
        copy, given = self._copy([], self._product(rows), self._rest_of_rows())
        copy.fill(self._results_of(copy, lambda: copy(index)))
        return self._loop(copy, [], [], given)

    def _copy(self, more: Sequence[Spec], product: Value, given: Sequence[Value]) -> tuple[Copy, list[Value]]:
        """A copy of the body that captures the product and these values; and those."""
        batch, columns = self.cut.product.specs[0].shape[0], self.cut.columns[1]  # type: ignore[index]
        inside = Spec(product.spec.dtype, (dims.symbol("iterations"), batch, columns))
        specs = [*self._sized_specs(), inside, *(v.spec for v in given)]
        return Copy(self.loop.body, self.loop.carried, more, specs), [product, *given]

    def _loop(self, copy: Copy, more: Sequence[Value], initial: Sequence[Value], captured: Sequence[Value]) -> Node:
        """A loop with the copy as its body. more: the outputs of the carried values that it has in addition."""
        carried = self.loop.carried
        specs = [v.spec for v in copy.carried]
        results = [dataclasses.replace(s, elements=tuple(e.renamed(self.needs.outside) for e in s.elements))
                   for s in specs]
        test = Copy(self.loop.cond, carried, specs, [v.spec for v in copy.captured])
        test.fill({})
        op = dataclasses.replace(
            self.loop, cond=test.flow([test(v) for v in self.loop.cond.outputs]),
            body=copy.flow([*map(copy, self.loop.body.outputs), *more]), carried=carried + len(specs),
            result_specs=(*self.node.specs, *results))
        inputs = (*self.node.inputs[:carried], *initial, *self.node.inputs[carried:],
                  *map(self.node.inputs.__getitem__, self.sized), *captured)
        return dataclasses.replace(self.node, op=op, inputs=inputs, specs=op.result_specs)

    def _sized_specs(self) -> list[Spec]:
        return [self.loop.body.inputs[i].specs[0] for i in self.sized]

    # What stands in the place of the product

    def _results_of(self, copy: Copy, index: Callable[[], Value]) -> dict[Value, Callable[[], Value]]:
        """What makes the values that the product of all iterations gives, of the iteration at an index."""
        cut = self.cut

        def row() -> Value:
            return self.make("GatherV2", copy.captured[len(self.sized)], index(), axis=0)

        if cut.split is None:
            return {cut.product.value(): lambda: self._sum(copy, row())}
        return self._parts(row, cut.results)

    def _sum(self, copy: Copy, row: Value) -> Value:
        """row + the product of what stays in the loop"""
        if not self.cut.staying:
            return row
        factor = self._factor([copy(v) for v in self.cut.staying])
        return self.make("AddV2", row, self.make("MatMul", factor, copy.captured[-1], transpose_b=self.turned))

    def _without_results(self, copy: Copy) -> dict[Value, Callable[[], Value]]:
        """The results of the split that stay: of a product with the other columns."""
        cut = self.cut
        assert cut.split is not None
        staying = [v for v in map(cut.split.value, range(len(cut.split.specs))) if v not in cut.results]
        return self._parts(lambda: self.make("MatMul", copy(cut.left[0]), copy.captured[-1],
                                             transpose_b=self.turned), staying)

    def _parts(self, whole: Callable[[], Value], like: Sequence[Value]) -> dict[Value, Callable[[], Value]]:
        """What makes the columns of a value, in parts as wide as these; asked in turn."""
        made: list[Value] = []

        def part(number: int) -> Value:
            if not made:
                made.extend(self._split(whole(), like))
            return made[number]

        return {v: partial(part, number) for number, v in enumerate(like)}

    def _split(self, value: Value, like: Sequence[Value]) -> list[Value]:
        if len(like) == 1:
            return [value]
        widths = tuple(v.spec.shape[1] for v in like)  # type: ignore[index]
        node = make_node(OPS.make("SplitV", size_splits=widths, split_dim=1, num_split=len(like)), (value,),
                         self.cut.product.origins)
        return [node.value(i) for i in range(len(like))]

    def _reader(self, handle: Value, index: Value, spec: Spec) -> Callable[[], Value]:
        """What reads an element of this spec of a list."""
        def read() -> Value:
            op = OPS.make("TensorListGetItem", element_shape=_said(spec), element_dtype=spec.dtype)
            node = make_node(op, (handle, index), self.cut.product.origins)
            return dataclasses.replace(node, specs=(dataclasses.replace(node.specs[0], shape=spec.shape),)).value()

        return read

    # Outside of the loop

    def _factor(self, parts: Sequence[Value]) -> Value:
        return parts[0] if len(parts) == 1 else self.make("ConcatV2", *parts, axis=1)

    def _stacked(self, handle: Value, factor: Value) -> Value:
        """All that was multiplied, [iterations, rows, columns]."""
        rows = self.needs.outside(self.cut.product.specs[0].shape[0])  # type: ignore[index]
        return self.make("TensorListStack", handle, element_shape=(rows, self.cut.rows[1]), num_elements=-1,
                         element_dtype=factor.spec.dtype)

    def _product(self, rows: Value) -> Value:
        """[iterations, rows, columns] of the factors of all iterations times the part of the matrix."""
        count, batch, width = rows.spec.shape  # type: ignore[misc]
        matrix, turned = self._outside(self.cut.product.inputs[1]), self.turned
        if _is_turned(matrix):
            matrix, turned = matrix.node.inputs[0], not turned
        part = self._part(matrix, turned, self.cut.rows, self.cut.columns)
        flat = self.make("Reshape", rows, shape=(count * batch, width))
        product = self.make("MatMul", flat, part, transpose_b=turned)
        return self.make("Reshape", product, shape=(count, batch, self.cut.columns[1]))

    def _outside(self, value: Value) -> Value:
        """What stands around the loop for a weight of its body."""
        node = value.node
        if isinstance(node.op, FlowInput):
            return self.node.inputs[node.op.index]
        if not node.inputs:
            return value
        return rebuilt(node, tuple(map(self._outside, node.inputs)), ()).value(value.index)

    def _part(self, matrix: Value, turned: bool, rows: tuple[int, int], columns: tuple[int, int]) -> Value:
        begin, size = zip(*((columns, rows) if turned else (rows, columns)), strict=True)
        if begin == (0, 0) and size == matrix.spec.shape:
            return matrix
        return self.make("Slice", matrix, begin=begin, size=size)

    def _rest_of_rows(self) -> list[Value]:
        """The rows of the matrix that meet what is multiplied in the loop: one value or none."""
        return self._rest(self.cut.rows, 0) if self.cut.staying else []

    def _rest_of_columns(self) -> list[Value]:
        """The columns of the matrix whose results stay in the loop: one value or none."""
        cut = self.cut
        return self._rest(cut.columns, 1) if cut.split is not None and len(cut.results) < len(cut.split.specs) else []

    def _rest(self, leaving: tuple[int, int], axis: int) -> list[Value]:
        """The matrix without some rows (axis 0) or columns (1)."""
        matrix = self._outside(self.cut.product.inputs[1])
        if _is_turned(matrix):               # a part of it is turned, not all
            return [self.make("Transpose", v, perm=(1, 0)) for v in
                    self._without(matrix.node.inputs[0], leaving, axis if self.turned else 1 - axis)]
        return self._without(matrix, leaving, 1 - axis if self.turned else axis)

    def _without(self, matrix: Value, leaving: tuple[int, int], along: int) -> list[Value]:
        whole: tuple[int, ...] = matrix.spec.shape  # type: ignore[assignment]
        end = leaving[0] + leaving[1]
        parts = []
        for first, count in ((0, leaving[0]), (end, whole[along] - end)):
            if count > 0:
                begin = (first, 0) if along == 0 else (0, first)
                size = (count, whole[1]) if along == 0 else (whole[0], count)
                parts.append(self.make("Slice", matrix, begin=begin, size=size))
        return [parts[0] if len(parts) == 1 else self.make("ConcatV2", *parts, axis=along)]


def _is_turned(matrix: Value) -> bool:
    return isinstance(matrix.node.op, Transpose) and matrix.node.op.perm == (1, 0) and not matrix.node.after


def _number(value: int) -> Value:
    return make_node(OPS.make("Const", value=np.array(value, np.int32), dtype=int32), ()).value()


def _said(spec: Spec) -> tuple[int, ...]:
    """The element shape of a list of such values: -1 where a size is not known."""
    return tuple(-1 if size is None else size for size in spec.static_shape or ())


def _telling_sizes(needs: Needs) -> list[int]:
    """Carried values that tell the sizes of all of them, which no iteration changes: their first values are captured,
    so that a half that only needs a size need not carry a value."""
    found, known = [], set[dims.Size]()
    for i, node in enumerate(needs.loop.body.inputs[:needs.loop.carried]):
        sizes = {s for s in node.specs[0].shape or () if not isinstance(s, int)}
        if not sizes <= known:
            known |= sizes
            found.append(i)
    return found
