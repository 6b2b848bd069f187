"""Ops that write into their operand in TensorFlow, as values: InplaceUpdate and so on; with them DeepCopy and Empty."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Alias, Op, Permuted, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.scatter import call_scatter

_ROWS: tuple[tuple[tuple[int, ...], list[int], Any], ...] = (
    ((4, 3), [2, 0], None), ((5,), [1, 1, -1, 7], float64), ((3, 2, 5), [0], int64), ((1, 0), [0, 0], None),
    ((2, 3), [], int32))


class _InPlace(Op):
    """x, its rows number i (which wrap around) changed by the rows of v."""

    operands = ("x", "i", "v")
    types: ClassVar = {"T": "x"}
    checks_data = True
    how: ClassVar[str]
    samples: ClassVar = [Sample({}, (shape, np.array(rows, np.int32), (len(rows), *shape[1:])), (dtype, None, dtype),
                                gradient=False) for shape, rows, dtype in _ROWS]

    def infer(self, x: Spec, i: Spec, v: Spec) -> Spec:  # type: ignore[override]
        check_dtype(self, "x", x.dtype, "any" if self.how == "update" else "number")
        if i.dtype != int32:
            raise TypeError(f"argument 'i' has dtype {i.dtype.name}, but must be int32; cast it (gc.cast)")
        if v.dtype != x.dtype:
            raise TypeError(f"argument 'v' has dtype {v.dtype.name}, but 'x' has {x.dtype.name}; cast one of them "
                            "(gc.cast)")
        check_rank("i", i, 1)
        if x.shape is None or v.shape is None:
            return Spec(x.dtype, x.shape)
        if not x.shape or len(v.shape) != len(x.shape):
            raise ValueError(f"x and v must have one rank of at least 1, but have shapes {text(x.shape)} and "
                             f"{text(v.shape)}")
        if i.shape is not None:
            require_equal(i.shape[0], v.shape[0], "'v' must have a row for each element of 'i'")
        for a, b in zip(x.shape[1:], v.shape[1:], strict=True):
            require_equal(a, b, "rows of 'x' and 'v' must have one shape")
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray, i: np.ndarray, v: np.ndarray) -> np.ndarray:  # type: ignore[override]
        y = x.copy()
        for row, change in zip(i, v, strict=True):
            y[row % len(y)] = change if self.how == "update" else y[row % len(y)] + (
                change if self.how == "add" else -change)
        return y

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, rows, v = inputs
        wrapped, size = b.temporary(int32, rows.shape), b.temporary(int32, ())
        b.store_sizes([x.shape[0]], size)
        b.elementwise(lambda s, row, n: s("mod", row, s("max", n, s.constant(1, int32))), [rows, size], [wrapped])
        call_scatter(b, x, wrapped.expand(1), v, outputs[0], self.how)


@register
class InplaceUpdate(_InPlace):
    """x with the rows of v in place of its rows i; of several for one row the last one counts."""

    moves = True
    how = "update"


@register
class InplaceAdd(_InPlace):
    """x with the rows of v added to its rows i."""

    how = "add"


@register
class InplaceSub(_InPlace):
    """x with the rows of v subtracted from its rows i."""

    how = "sub"


@register
class DeepCopy(Alias):
    """y = x: values never share what is written to."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    samples: ClassVar = [Sample({}, (s,), (d,), gradient=False) for s, d in (
        ((2, 3, 5), None), ((), float64), ((0, 3), None), ((17,), int64))] + [
        Sample({}, (np.array([True, False]),), (bool_,), gradient=False)]

    def infer(self, x: Spec) -> Spec:
        return x

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,))


@register
class Empty(Op):
    """A tensor of that shape, whatever it holds: zeros, whether `init` asks for them or not."""

    operands = ("shape",)
    results = ("output",)
    shape: tuple[Size, ...] = operand_field("ints")
    dtype: DType = attr("type")
    init: bool = attr("bool", False)
    samples: ClassVar = [Sample({"shape": s, "dtype": d, "init": i}, (), gradient=False) for s, d, i in (
        ((2, 3), float32, True), ((), int64, False), ((0, 5), float64, True), ((7,), bool_, True))]

    def infer(self) -> Spec:
        check_dtype(self, "dtype", self.dtype, "any")
        if any(isinstance(size, int) and size < 0 for size in self.shape or ()):
            raise ValueError(f"shape {text(self.shape)} has a negative size")
        require_nonnegative(self.shape or (), "a shape must not have a negative size")
        return Spec(self.dtype, self.shape)

    def reference(self) -> np.ndarray:
        return np.zeros([int(s) for s in self.shape], self.dtype.numpy)  # type: ignore[call-overload]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.fill(outputs[0], 0)
