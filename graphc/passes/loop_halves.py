"""The two loops that a loop becomes at a cut (loop_cuts.py), and the product between them.

The first one pushes what is multiplied, and what else the second one needs of it, on lists; the second one reads them at
a counter of its own. Where what is multiplied is a row of a tensor of which the loop reads every row, the tensor is
multiplied in front of the loop, which stays one.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import int32
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ir.spec import Spec, elements_of
from graphc.ops.array.transpose import Transpose
from graphc.ops.control.lists import HANDLE
from graphc.passes.loop_bodies import Needs
from graphc.passes.loop_cuts import Cut, crossing, row_source
from graphc.passes.rewriter import rebuilt

COUNT = Spec(int32, ())


class Copy:
    """A flow of a loop with more inputs: carried values behind those that it has, captured ones behind all. Called with one of that
    flow's values it gives that of the copy."""

    def __init__(self, body: Flow, carried: int, more: Sequence[Spec], captured: Sequence[Spec] = ()) -> None:
        old = body.inputs
        self.body = body
        self.carried = [_input(spec, carried + i) for i, spec in enumerate(more)]
        moved = [dataclasses.replace(n, op=dataclasses.replace(n.op, index=n.op.index + len(more)))  # type: ignore[attr-defined,call-arg]
                 for n in old[carried:]]
        self.captured = [_input(spec, len(old) + len(more) + i) for i, spec in enumerate(captured)]
        self.inputs = (*old[:carried], *(v.node for v in self.carried), *moved, *(v.node for v in self.captured))
        self.nodes: dict[Node, Node] = dict(zip(old[carried:], moved, strict=True))
        self.new: dict[Value, Value] = {a.value(): b.value() for a, b in self.nodes.items()}

    def __call__(self, value: Value) -> Value:
        return self.new.get(value, value)

    def fill(self, instead: Mapping[Value, Callable[[], Value]]) -> None:
        """Copies all nodes. instead: what makes the value that stands for one, of values that stand before it."""
        given = set(self.body.inputs)
        for node in self.body.nodes():
            if node not in given:
                made = rebuilt(node, tuple(map(self, node.inputs)), tuple(self.nodes.get(n, n) for n in node.after))
                self.nodes[node] = made
                self.new.update((node.value(i), made.value(i)) for i in range(len(node.specs)))
            for i in range(len(node.specs)):
                if node.value(i) in instead:
                    self.new[node.value(i)] = instead[node.value(i)]()

    def flow(self, outputs: Sequence[Value]) -> Flow:
        """The copy with these values of its own as outputs."""
        return dataclasses.replace(self.body, inputs=self.inputs, outputs=tuple(outputs))


def _input(spec: Spec, index: int) -> Value:
    assert spec.shape is not None
    return make_node(FlowInput("split", index, spec.dtype, spec.shape, None, spec.elements), ()).value()


class Halves:
    """Of one loop, at one cut. Nodes that it makes count as the product's."""

    def __init__(self, needs: Needs, cut: Cut) -> None:
        self.needs, self.cut = needs, cut
        self.node, self.loop = needs.node, needs.loop
        self.turned: bool = cut.product.op.transpose_b  # type: ignore[attr-defined]

    def results(self) -> tuple[Value, ...]:
        """What stands for the loop's results."""
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
        copy = Copy(self.loop.body, self.loop.carried, lists, [v.spec for v in rest])
        copy.fill(self._without_results(copy) if rest else {})
        values = [self._factor([copy(v) for v in self.cut.free]), *map(copy, kept[1:])]
        pushes = [self.make("TensorListPushBack", handle, v) for handle, v in zip(copy.carried, values, strict=True)]
        empty = [self.make("EmptyTensorList", element_shape=_said(v.spec), max_num_elements=-1,
                           element_dtype=v.spec.dtype) for v in kept]
        return self._loop(copy, pushes, empty, rest)

    def _second(self, kept: Sequence[Value], lists: Sequence[Value]) -> Node:
        """The loop with elements of lists in place of these values, and of the product's results."""
        rows, result = self._stacked(lists[0], kept[0]), self.cut.results[0].spec
        product = self.make("TensorListFromTensor", self._product(rows), element_shape=_said_columns(result, self.cut))
        rest = self._rest_of_rows()
        given = [product, *lists, *rest]
        copy = Copy(self.loop.body, self.loop.carried, [COUNT], [v.spec for v in given])
        counter = copy.carried[0]
        instead = {v: self._reader(handle, counter, v.spec)
                   for v, handle in zip(kept, copy.captured[1:], strict=False)}
        read = self._reader(copy.captured[0], counter, self._result_spec(kept[0].spec))
        copy.fill({**instead, **self._results_of(copy, read)})
        return self._loop(copy, [self.make("AddV2", counter, _number(1))], [_number(0)], given)

    def _whole(self, rows: Value) -> Node:
        """The loop with rows of the product in place of rows of its factor."""
        read = self.cut.free[0].node
        product = self._product(rows)
        if read.op.type == "TensorListGetItem":
            said = _said_columns(self.cut.results[0].spec, self.cut)
            product = self.make("TensorListFromTensor", product, element_shape=said)
        given = [product, *self._rest_of_rows()]
        specs = [v.spec for v in given]
        if read.op.type != "TensorListGetItem":
            inside = read.inputs[0].spec
            specs[0] = dataclasses.replace(inside, shape=(*inside.shape[:2], self.cut.columns[1]))  # type: ignore[index]
        copy = Copy(self.loop.body, self.loop.carried, [], specs)

        def made() -> Value:
            index = copy(read.inputs[1])
            if read.op.type == "TensorListGetItem":
                return self._reader(copy.captured[0], index, self._result_spec(read.specs[0]))()
            return self.make("GatherV2", copy.captured[0], index)

        copy.fill(self._results_of(copy, made))
        return self._loop(copy, [], [], given)

    def _loop(self, copy: Copy, more: Sequence[Value], initial: Sequence[Value], captured: Sequence[Value]) -> Node:
        """A loop with the copy as its body. more: the outputs of the carried values that it has in addition."""
        carried = self.loop.carried
        specs = [v.spec for v in copy.carried]
        test = Copy(self.loop.cond, carried, specs, [v.spec for v in copy.captured])
        test.fill({})
        op = dataclasses.replace(
            self.loop, cond=test.flow([test(v) for v in self.loop.cond.outputs]),
            body=copy.flow([*map(copy, self.loop.body.outputs), *more]), carried=carried + len(specs),
            result_specs=(*self.node.specs, *specs))
        inputs = (*self.node.inputs[:carried], *initial, *self.node.inputs[carried:], *captured)
        return dataclasses.replace(self.node, op=op, inputs=inputs, specs=op.result_specs)

    # What stands in the place of the product

    def _results_of(self, copy: Copy, read: Callable[[], Value]) -> dict[Value, Callable[[], Value]]:
        """What makes the values that the product of all iterations gives. read: its element of the iteration."""
        cut = self.cut
        if cut.split is None:
            return {cut.product.value(): lambda: self._sum(copy, read())}
        made: list[Value] = []

        def result(i: int) -> Value:
            if i == 0:
                made.extend(self._parted(read(), cut.results))
            return made[i]

        return {v: (lambda i=i: result(i)) for i, v in enumerate(cut.results)}  # type: ignore[misc]

    def _sum(self, copy: Copy, element: Value) -> Value:
        """element + the product of what stays in the loop, as large as the whole product."""
        product, left = self.cut.product, self.cut.product.inputs[0].node
        required = (*(left.requirements if len(self.cut.left) > 1 else ()), *product.requirements)
        if not dims.same(element.spec.shape[0], product.specs[0].shape[0]):  # type: ignore[index]
            element = self.make("Reshape", element, shape=product.specs[0].shape)
        if self.cut.staying:
            factor = self._factor([copy(v) for v in self.cut.staying])
            element = self.make("AddV2", element, self.make("MatMul", factor, copy.captured[-1], transpose_b=self.turned))
        node = dataclasses.replace(element.node, specs=product.specs, requirements=required)
        return node.value()

    def _without_results(self, copy: Copy) -> dict[Value, Callable[[], Value]]:
        """The results of the split that stay: of a product with the other columns."""
        cut = self.cut
        assert cut.split is not None
        staying = [v for v in map(cut.split.value, range(len(cut.split.specs))) if v not in cut.results]
        made: list[Value] = []

        def result(i: int) -> Value:
            if i == 0:
                made.extend(self._parted(self.make("MatMul", copy(cut.left[0]), copy.captured[-1],
                                                   transpose_b=self.turned), staying))
            return made[i]

        return {v: (lambda i=i: result(i)) for i, v in enumerate(staying)}  # type: ignore[misc]

    def _parted(self, value: Value, like: Sequence[Value]) -> list[Value]:
        """The columns of a value, in parts as wide as these."""
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

    def _result_spec(self, factor: Spec) -> Spec:
        """Of the product with such a factor."""
        return Spec(factor.dtype, (factor.shape[0], self.cut.columns[1]))  # type: ignore[index]

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
        if isinstance(matrix.node.op, Transpose) and matrix.node.op.perm == (1, 0) and not matrix.node.after:
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
        along = axis if not self.turned else 1 - axis
        whole: tuple[int, ...] = matrix.spec.shape  # type: ignore[assignment]
        end = leaving[0] + leaving[1]
        parts = []
        for first, count in ((0, leaving[0]), (end, whole[along] - end)):
            if count > 0:
                begin = (first, 0) if along == 0 else (0, first)
                size = (count, whole[1]) if along == 0 else (whole[0], count)
                parts.append(self.make("Slice", matrix, begin=begin, size=size))
        return [parts[0] if len(parts) == 1 else self.make("ConcatV2", *parts, axis=along)]


def _number(value: int) -> Value:
    return make_node(OPS.make("Const", value=np.array(value, np.int32), dtype=int32), ()).value()


def _said(spec: Spec) -> tuple[int, ...]:
    """The element shape of a list of such values: -1 where a size is not known."""
    return tuple(-1 if size is None else size for size in spec.static_shape or ())


def _said_columns(result: Spec, cut: Cut) -> tuple[int, ...]:
    return (_said(result)[0], cut.columns[1])
