"""Batches of matrices made one batch, where an op does not broadcast them itself."""
from __future__ import annotations

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape, shape
from graphc.ir.tensor import Tensor


def with_one_batch(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the axes in front of the last two that they have together by NumPy's rules."""
    fronts = [None if x.shape.ndims is None else x.shape[:-2] for x in (a, b)]
    if all(f is not None and f.is_fully_defined() for f in fronts) and fronts[0].as_list() == fronts[1].as_list():  # type: ignore[union-attr]
        return a, b
    sizes = [shape(x) for x in (a, b)]
    batch = broadcast_dynamic_shape(sizes[0][:-2], sizes[1][:-2])
    first, second = (broadcast_to(x, concat([batch, s[-2:]], 0)) for x, s in zip((a, b), sizes, strict=True))
    return first, second
