"""The builder that `Op.grad` gets (ir/builder.py says what it offers): it makes ops in the default graph."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like, range_, zeros_like
from graphc.api.array.source import constant
from graphc.api.control import lists
from graphc.api.control.cond import cond
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.math.reduce import reduce_mean, reduce_sum
from graphc.ir import dims
from graphc.ir.apply import apply
from graphc.ir.builder import op_name
from graphc.ir.dtypes import DType, variant
from graphc.ir.op import OPS, Op
from graphc.ir.tensor import Tensor


class Builder:
    def __getattr__(self, name: str) -> Callable[..., Any]:
        op_type = _types().get(name)
        if op_type is None:
            raise AttributeError(f"no op type has the name '{name}'")
        function = functools.partial(apply, OPS[op_type])
        setattr(self, name, function)
        return function

    def make(self, op: type[Op], *values: Any, **fields: Any) -> Any:
        return apply(op, *values, **fields)

    def constant(self, value: Any, dtype: DType) -> Tensor:
        return constant(value, dtype)

    def cast(self, x: Tensor, dtype: DType) -> Tensor:
        return cast(x, dtype)

    def conj(self, x: Tensor) -> Tensor:
        return apply(OPS["Conj"], x) if x.dtype.is_complex else x  # type: ignore[no-any-return]

    def zeros_like(self, x: Tensor) -> Tensor:
        return lists.empty(variant, ()) if x.dtype == variant else zeros_like(x)

    def ones_like(self, x: Tensor) -> Tensor:
        return ones_like(x)

    def scale(self, value: float, x: Tensor) -> Tensor:
        scaled: Tensor = self.mul(x, value)
        return scaled

    def range(self, start: Any, limit: Any, delta: Any = 1) -> Tensor:
        return range_(start, limit, delta)

    def sum(self, x: Tensor, axis: Any = None, keep_dims: bool = False) -> Tensor:
        return reduce_sum(x, axis, keepdims=keep_dims)

    def mean(self, x: Tensor, axis: Any = None, keep_dims: bool = False) -> Tensor:
        return reduce_mean(x, axis, keepdims=keep_dims)

    def sum_like(self, dy: Tensor, x: Tensor, z: Tensor | None = None) -> Tensor:
        wanted = x.spec.shape
        for given in (dy.spec.shape, z.spec.shape if z is not None else None):
            if given is not None and wanted is not None and len(given) == len(wanted) \
                    and all(dims.same(a, b) for a, b in zip(given, wanted, strict=True)):
                return dy
        summed: Tensor = self.sum_to(dy, self.shape(x))
        return summed

    def indexed_slices(self, values: Tensor, indices: Tensor, dense_shape: Tensor) -> IndexedSlices:
        return IndexedSlices(values, indices, dense_shape)

    def list_like(self, x: Tensor) -> Tensor:
        return lists.like(x)

    def cond(self, pred: Tensor, then: Callable[[], Sequence[Tensor]],
             otherwise: Callable[[], Sequence[Tensor]]) -> Sequence[Tensor]:
        chosen: Sequence[Tensor] = cond(pred, then, otherwise, strict=True)
        return chosen


@functools.cache
def _types() -> dict[str, str]:
    return {op_name(op_type): op_type for op_type in OPS.types()}


BUILDER = Builder()
