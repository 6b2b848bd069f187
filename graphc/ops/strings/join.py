"""Strings made of several: StringJoin, ReduceJoin, UnsortedSegmentJoin; and of one: StringSplit."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, int64, string
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, normalise_axes, operand_field, register
from graphc.ir.spec import Spec, require_equal
from graphc.ir.spec import text as shown
from graphc.ir.values import zeros
from graphc.ops.strings.base import WORDS, check_scalar, check_string, strings_of, text, texts


class _Join(Host):
    results = ("output",)
    separator: str

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)

    def joined(self, rows: np.ndarray) -> np.ndarray:
        """The strings along the last axis as one each."""
        between = self.separator.encode()
        flat = rows.reshape(-1, rows.shape[-1]) if rows.size else rows
        if not rows.size:
            return zeros(rows.shape[:-1], None)
        return strings_of((between.join(row) for row in flat.tolist()), rows.shape[:-1])


@register
class StringJoin(_Join):
    """The strings at each place, one after the other. Scalars stand at every place."""

    operands = ("inputs*",)
    separator: str = attr("string", "")
    samples: ClassVar = [Sample({"separator": s}, xs, gradient=False) for s in ("", ", ") for xs in (
        (WORDS, WORDS[::-1].copy()), (WORDS.reshape(3, 2), text("-"), WORDS.reshape(3, 2)), (text("a"), text("b")),
        (WORDS,), (WORDS[:0], WORDS[:0]), (text("a"), WORDS[:0]))]

    def infer(self, *inputs: Spec) -> Spec:
        shape: Any = ()
        for spec in inputs:
            check_string(self, inputs=spec)
            if spec.shape is None or shape is None:
                shape = None if shape in ((), None) else shape
            elif spec.shape and not shape:
                shape = spec.shape
            elif spec.shape:
                if len(spec.shape) != len(shape):
                    raise ValueError(f"inputs must be scalars or of one shape, but are {shown(shape)} and "
                                     f"{shown(spec.shape)}")
                shape = tuple(require_equal(a, b, "the sizes of inputs that are no scalars")
                              for a, b in zip(shape, spec.shape, strict=True))
        return Spec(string, shape)

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        shape = next((x.shape for x in inputs if x.ndim), ())
        if any(x.shape not in ((), shape) for x in inputs):
            raise InvalidArgumentError(f"Input shapes do not match: {[x.shape for x in inputs]}")
        return self.joined(np.stack([np.broadcast_to(x, shape) for x in inputs], -1) if inputs else zeros((0,), None))


@register
class ReduceJoin(_Join):
    """The strings along the axes, one after the other, the first axis in `reduction_indices` running fastest."""

    operands = ("inputs", "reduction_indices")
    reduction_indices: tuple[int, ...] = operand_field("int_or_ints")
    keep_dims: bool = attr("bool", False)
    separator: str = attr("string", "")
    samples: ClassVar = [
        Sample({"reduction_indices": a, "keep_dims": k, "separator": s}, (x,), gradient=False)
        for x, a, k, s in (
            (WORDS.reshape(2, 3), (0,), False, "."), (WORDS.reshape(2, 3), (-1,), True, ""),
            (WORDS.reshape(2, 3), (1, 0), False, "-"), (WORDS.reshape(2, 3), (0, 1), True, "-"),
            (WORDS, (0,), False, ""), (WORDS.reshape(1, 3, 2), (2, 0), False, ","),
            (WORDS.reshape(2, 3), (), False, ""),
            (zeros((0, 2), None), (0,), False, ","), (zeros((2, 0), None), (0,), True, ","), (text("a"), (), True, ""))]

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        check_string(self, inputs=x)
        if x.shape is None:
            return Spec(string, None)
        axes = normalise_axes(self.reduction_indices, len(x.shape))
        kept = [i for i in range(len(x.shape)) if self.keep_dims or i not in axes]
        return Spec(string, tuple(1 if i in axes else x.shape[i] for i in kept))

    def compute(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        axes = [a % x.ndim for a in self.reduction_indices]
        if not axes:
            return x
        kept = [i for i in range(x.ndim) if i not in axes]
        moved = x.transpose([*kept, *axes[::-1]])
        count = int(np.prod([x.shape[a] for a in axes]))
        found = self.joined(moved.reshape(*(x.shape[i] for i in kept), count))
        return found.reshape([1 if i in axes else s for i, s in enumerate(x.shape)]) if self.keep_dims else found


@register
class UnsortedSegmentJoin(_Join):
    """For each segment the strings with its number, one after the other; empty ones in front of all are left out."""

    operands = ("inputs", "segment_ids", "num_segments")
    types: ClassVar = {"Tindices": "segment_ids", "Tnumsegments": "num_segments"}
    num_segments: Size = operand_field("int")
    separator: str = attr("string", "")
    samples: ClassVar = [
        Sample({"num_segments": n, "separator": s}, (x, np.array(ids, t)), gradient=False) for x, ids, n, s, t in (
            (WORDS, [1, 0, 1, 3, 0, 1], 4, ":", np.int32), (WORDS.reshape(3, 2), [1, 1, 0], 2, "", np.int64),
            (WORDS.reshape(3, 2), [[0, 1], [1, 1], [2, 0]], 3, ",", np.int32), (WORDS[:0], [], 2, "", np.int32))]

    def infer(self, x: Spec, ids: Spec) -> Spec:  # type: ignore[override]
        check_string(self, inputs=x)
        check_dtype(self, "segment_ids", ids.dtype, "index")
        if isinstance(self.num_segments, int) and self.num_segments < 0:
            raise ValueError(f"argument 'num_segments' must not be negative, but is {self.num_segments}")
        if x.shape is None or ids.shape is None:
            return Spec(string, None)
        if len(ids.shape) > len(x.shape):
            raise ValueError(f"segment_ids of shape {shown(ids.shape)} must be the first axes of inputs of shape "
                             f"{shown(x.shape)}")
        for a, b in zip(ids.shape, x.shape, strict=False):
            require_equal(a, b, "the sizes of segment_ids and of the first axes of inputs")
        return Spec(string, (self.num_segments, *x.shape[len(ids.shape):]))

    def compute(self, x: np.ndarray, ids: np.ndarray) -> np.ndarray:  # type: ignore[override]
        rows = x.reshape(ids.size, -1) if x.size else zeros((ids.size, 0), None)
        found: list[list[list[bytes]]] = [[[] for _ in range(rows.shape[1])] for _ in range(int(self.num_segments))]
        for i, segment in enumerate(ids.ravel().tolist()):
            if not 0 <= segment < int(self.num_segments):
                raise InvalidArgumentError(f"segment id {segment} is out of range [0, {self.num_segments})")
            for parts, value in zip(found[segment], rows[i].tolist(), strict=True):
                if parts or value:
                    parts.append(value)
        between, shape = self.separator.encode(), (int(self.num_segments), *x.shape[ids.ndim:])
        if not x.size:
            return zeros(shape, None)
        return strings_of((between.join(p) for row in found for p in row), shape)


class _Split(Host):
    """The parts of each string of a vector, as the parts of a sparse matrix."""

    results = ("indices", "values", "shape")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, string, int64

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x, by = inputs
        check_string(self, **dict(zip(self.operands, inputs, strict=True)))
        check_rank("input", x, 1)
        check_scalar(self.operands[1], by)
        count = own_symbol(self, "count")
        return Spec(int64, (count, 2)), Spec(string, (count,)), Spec(int64, (2,))

    def parts(self, value: bytes, by: bytes) -> list[bytes]:
        raise NotImplementedError

    def compute(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x, by = inputs[0], inputs[1][()]
        found = [self.parts(value, by) for value in x.tolist()]
        indices = [(i, j) for i, parts in enumerate(found) for j in range(len(parts))]
        values = list(itertools.chain(*found))
        return (np.array(indices, np.int64).reshape(-1, 2), strings_of(values, (len(values),)),
                np.array([len(found), max(map(len, found), default=0)], np.int64))

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None]


_LINES = texts("a b", "", " c,,d ", "x\ty,\v")


@register
class StringSplit(_Split):
    """Split at every character of `delimiter`; between all characters if that is empty."""

    operands = ("input", "delimiter")
    skip_empty: bool = attr("bool", True)
    samples: ClassVar = [Sample({"skip_empty": s}, (x, text(d)), gradient=False)
                         for s in (True, False) for x, d in (
        (_LINES, " "), (_LINES, ", "), (_LINES, ""), (_LINES[:0], " "), (texts(""), " "), (texts(",,"), ","))]

    def parts(self, value: bytes, by: bytes) -> list[bytes]:
        if not by:
            return [value[i:i + 1] for i in range(len(value))]
        if not value:
            return []
        for other in by[1:]:
            value = value.replace(bytes([other]), by[:1])
        return [part for part in value.split(by[:1]) if part or not self.skip_empty]


@register
class StringSplitV2(_Split):
    """Split at `sep`, at most `maxsplit` times (-1: everywhere); at white space if `sep` is empty."""

    operands = ("input", "sep")
    maxsplit: int = attr("int", -1)
    samples: ClassVar = [Sample({"maxsplit": m}, (x, text(d)), gradient=False)
                         for m in (-1, 1, 0) for x, d in (
        (_LINES, ""), (_LINES, ","), (_LINES, ",,"), (_LINES[:0], ""), (texts(""), ","))]

    def parts(self, value: bytes, by: bytes) -> list[bytes]:
        if self.maxsplit == 0:
            return [value]
        found = value.split(by or None, self.maxsplit)
        # As in TensorFlow, what is left behind the last word that may be split off is a part even if it is empty.
        return [*found, b""] if not by and len(found) == self.maxsplit else found
