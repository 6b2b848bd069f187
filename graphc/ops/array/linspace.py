"""Evenly spaced numbers: LinSpace; and positions as indices: UnravelIndex."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, operand_field, register
from graphc.ir.spec import Spec, require_less_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.refuse import require_none


@register
class LinSpace(Op):
    """num numbers from start to stop, both included, equally far apart."""

    operands = ("start", "stop", "num")
    results = ("output",)
    types: ClassVar = {"T": "start", "Tidx": "num"}
    num: Size = operand_field("int")
    samples: ClassVar = [Sample({"num": n}, (np.array(a, d.numpy), np.array(b, d.numpy)), gradient=False)
                         for n, a, b, d in ((5, 0.0, 1.0, float32), (1, 3.0, 9.0, float64), (17, 2.0, -3.0, float32),
                                            (2, -1.0, 1.0, float64), (65, 0.0, 1e6, float32))]

    def infer(self, start: Spec, stop: Spec) -> Spec:
        check_dtype(self, "start", start.dtype, "floating")
        for name, spec in (("start", start), ("stop", stop)):
            check_rank(name, spec, 0)
            if spec.dtype != start.dtype:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but 'start' has {start.dtype.name}")
        require_less_equal(1, self.num, "Requires num > 0")
        return Spec(start.dtype, (self.num if isinstance(self.num, int) else dims.maximum(self.num, 1),))

    def reference(self, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        count: Any = self.num
        step = (stop - start) / np.asarray(max(count - 1, 1), start.dtype)
        made = (start + step * np.arange(count, dtype=start.dtype)).astype(start.dtype)
        if count > 1:
            made[-1] = stop
        return made

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        stored = b.temporary(int64, (1,))
        b.store_sizes([y.shape[0] - 1], stored)

        def element(s: Any, start: Any, stop: Any, last: Any) -> Any:
            one = s.constant(1, int64)
            step = s("div", s("sub", stop, start), s.cast(s("max", last, one), y.dtype))
            inner = s("add", start, s("mul", step, s.cast(s.index(0), y.dtype)))
            ends = s("and", s("equal", s.index(0), last), s("less_equal", one, last))
            return s("select", ends, stop, inner)

        b.map(element, [x.broadcast(y.shape) for x in (*inputs, stored.select(0, 0))], [y])


@register
class UnravelIndex(Op):
    """Positions in a row-major tensor of shape dims as one index for each of its axes, one axis a row."""

    checks_data = True
    operands = ("indices", "dims")
    results = ("output",)
    types: ClassVar = {"Tidx": "indices"}
    dims: tuple[Size, ...] = operand_field("ints", dtype="indices")
    samples: ClassVar = [Sample({"dims": s}, (np.array(i, d.numpy),), gradient=False) for s, i, d in (
        ((7, 6), [22, 41, 37], int32), ((6, 7, 8, 9), 1621, int64), ((3,), [2, 0], int32), ((2, 3), [], int64),
        ((), [0, 0], int32))]

    def infer(self, indices: Spec) -> Spec:
        check_dtype(self, "indices", indices.dtype, "index")
        require_nonnegative(self.dims, f"dims {text(self.dims)} must not be negative")
        if indices.shape is None:
            return Spec(indices.dtype, None)
        if len(indices.shape) > 1:
            raise ValueError(f"argument 'indices' must be a scalar or a vector, but has shape {text(indices.shape)}")
        return Spec(indices.dtype, (len(self.dims), *indices.shape))

    def reference(self, indices: np.ndarray) -> np.ndarray:
        if np.any((indices < 0) | (indices >= int(np.prod(self.dims)))):  # type: ignore[arg-type]
            raise InvalidArgumentError(f"indices {indices} are out of bounds for dims {self.dims}")
        places = np.unravel_index(indices, self.dims) if self.dims else ()  # type: ignore[arg-type]
        return np.array(places, indices.dtype).reshape(len(self.dims), *indices.shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y, rank = inputs[0], outputs[0], len(self.dims)
        stored = b.temporary(x.dtype, (rank + 1,))
        b.store_sizes([dims.product(self.dims), *(dims.maximum(s, 1) for s in self.dims)], stored)

        def outside(s: Any, index: Any, limit: Any) -> Any:
            return s("or", s("less", index, s.constant(0, x.dtype)), s("less_equal", limit, index))

        require_none(b, outside, [x, stored.select(0, 0)], x.shape,
                     f"an index is out of bound as with dims {text(self.dims)}")
        if not rank:
            b.fill(y, 0)                        # which has no rows
        inner = x
        for axis in reversed(range(rank)):
            size, target = stored.select(0, axis + 1).broadcast(x.shape), y.select(0, axis)
            outer = b.temporary(x.dtype, x.shape)
            b.map(lambda s, i, n: (s("mod", i, n), s("floordiv", i, n)), [inner, size], [target, outer])
            inner = outer
