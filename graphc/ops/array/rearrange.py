"""Elements moved along axes: Roll (all by one distance), ReverseSequence (the first ones of each sequence reversed)."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_kind, check_rank
from graphc.ir.op import Op, Permuted, Sample, attr, normalise_axis, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation


@register
class Roll(Op):
    """Element i along axis[k] goes to i + shift[k], around the end."""

    operands = ("input", "shift", "axis")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tshift": "shift", "Taxis": "axis"}
    shift: tuple[Size, ...] = operand_field("int_or_ints")
    axis: tuple[int, ...] = operand_field("int_or_ints")
    samples: ClassVar = [Sample({"shift": z, "axis": a}, (s,), (d,)) for z, a, s, d in (
        ((2,), (0,), (7,), None), ((-1, 3), (0, 1), (3, 5), float64), ((1, 1), (1, 1), (2, 4, 3), int64),
        ((100,), (-1,), (2, 3), None), ((1,), (0,), (0, 3), None), ((2, 1, -1), (0, 2, 1), (2, 3, 5), int32))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "element")
        if len(self.shift) != len(self.axis):
            raise ValueError(f"shift has {len(self.shift)} elements, but axis {len(self.axis)}; they must be as many")
        if x.shape is not None:
            if not x.shape:
                raise ValueError("argument 'input' must have at least one axis, but is a scalar")
            for axis in self.axis:
                normalise_axis(axis, len(x.shape))
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.roll(x, self.shift, self.axis)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, shift, axis = node.inputs
        return [g.roll(dy, g.neg(shift), axis), None, None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = tuple(perm.index(normalise_axis(a, len(perm))) for a in self.axis)
        return Permuted(replace(self, axis=moved), (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        total: dict[int, Size] = {}
        for shift, axis in zip(self.shift, self.axis, strict=True):
            at = normalise_axis(axis, x.rank)
            total[at] = total.get(at, 0) + shift
        # Along each axis the elements fall into two parts; every combination is one copy.
        parts = []
        for axis, shift in total.items():
            size = x.shape[axis]
            moved = dims.minimum(dims.mod(shift, dims.maximum(size, 1)), size)
            rest = size - moved
            parts.append([(axis, 0, moved, rest), (axis, rest, 0, moved)])
        for chosen in itertools.product(*parts):
            source, target = x, y
            for axis, begin, to, count in chosen:
                source, target = source.part(axis, begin, count), target.part(axis, to, count)
            b.copy(source, target)


@register
class ReverseSequence(Op):
    """Of each sequence, along seq_dim, the first seq_lengths[i] elements reversed; i is the index along batch_dim."""

    checks_data = True
    operands = ("input", "seq_lengths")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tlen": "seq_lengths"}
    seq_dim: int = attr("int")
    batch_dim: int = attr("int", 0)
    samples: ClassVar = [Sample({"seq_dim": q, "batch_dim": n}, (s, np.array(z, t)), (d, None)) for q, n, s, z, t,
                         d in (
        (1, 0, (3, 5), [2, 0, 5], np.int64, None), (0, 1, (4, 2, 3), [3, 1], np.int32, float64),
        (2, 1, (2, 3, 4), [4, 1, 2], np.int64, int64), (1, 0, (2, 0), [0, 0], np.int64, None),
        (3, 0, (1, 2, 2, 7), [6], np.int32, None))]

    def _axes(self, rank: int) -> tuple[int, int]:
        sequence, batch = normalise_axis(self.seq_dim, rank), normalise_axis(self.batch_dim, rank)
        if sequence == batch:
            raise ValueError(f"seq_dim and batch_dim must be different axes, but both are {batch}")
        return sequence, batch

    def infer(self, x: Spec, lengths: Spec) -> Spec:
        check_kind(self, (x,), "element")
        check_dtype(self, "seq_lengths", lengths.dtype, "index")
        check_rank("seq_lengths", lengths, 1)
        if x.shape is not None:
            _, batch = self._axes(len(x.shape))
            if lengths.shape is not None:
                require_equal(lengths.shape[0], x.shape[batch], f"the length of seq_lengths and axis {batch} of an "
                                                                f"input "
                              f"of shape {text(x.shape)}")
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        sequence, batch = self.seq_dim % x.ndim, self.batch_dim % x.ndim
        if x.size and np.any((lengths < 0) | (lengths > x.shape[sequence])):
            raise InvalidArgumentError(f"seq_lengths {lengths} are not all in [0, {x.shape[sequence]}]")
        result = np.array(x)
        rows, source = np.moveaxis(result, (batch, sequence), (0, 1)), np.moveaxis(x, (batch, sequence), (0, 1))
        for i, length in enumerate(lengths):
            rows[i, :length] = source[i, :length][::-1]
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.reverse_sequence(dy, node.inputs[1], seq_dim=self.seq_dim, batch_dim=self.batch_dim), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        sequence, batch = self._axes(len(perm))
        moved = replace(self, seq_dim=perm.index(sequence), batch_dim=perm.index(batch))
        return Permuted(moved, (perm, None), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, lengths = inputs
        sequence, batch = self._axes(x.rank)
        order = [batch, sequence, *(i for i in range(x.rank) if i not in (batch, sequence))]
        moved, target = x.transpose(order), outputs[0].transpose(order)
        indices = b.temporary(int64, moved.shape[:2])
        stored = b.temporary(int64, (1,))
        b.store_sizes([moved.shape[1]], stored)

        def position(s: Any, length: Any, size: Any) -> Any:
            count, i = s.cast(length, int64), s.index(1)
            last = s("sub", count, s.constant(1, int64))
            inside = s("select", s("less", i, count), s("sub", last, i), i)
            # A length that is not possible is an index that the kernel refuses by its value.
            wrong = s("or", s("less", count, s.constant(0, int64)), s("less", size, count))
            return s("select", wrong, count, inside)

        b.map(position, [lengths.expand(1).broadcast(moved.shape[:2]), stored.select(0, 0).broadcast(moved.shape[:2])],
              [indices])
        rows = b.temporary(x.dtype, moved.shape)
        sizes = [moved.shape[0], moved.shape[1], dims.product(moved.shape[2:]), moved.shape[1], 1, 1, 1, 1, 1, 1]
        b.call("gather_nd", [moved, indices, rows], sizes, [1])
        b.copy(rows, target)
