"""InputSpec: what a layer asks of its inputs."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("layers.InputSpec", "compat.v1.python.layers.base.InputSpec")
class InputSpec:
    """dtype, shape, rank (ndim, min_ndim, max_ndim) and sizes (axes: axis -> size) that an input must have; None asks
    for nothing. As `tf.layers.InputSpec`.

    A layer raises ValueError for an input that does not fit.

    >>> spec = gc.layers.InputSpec(ndim=4, axes={-1: 3})
    >>> spec.ndim, spec.axes
    (4, {-1: 3})
    """

    def __init__(self, dtype: Any = None, shape: Any = None, ndim: int | None = None, max_ndim: int | None = None,
                 min_ndim: int | None = None, axes: dict[int, int | None] | None = None) -> None:
        self.dtype = None if dtype is None else gc.as_dtype(dtype)
        self.shape = shape
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}

    def __repr__(self) -> str:
        parts = (f"{name}={value}" for name, value in vars(self).items() if value)
        return f"InputSpec({', '.join(parts)})"

    def check(self, given: gc.Tensor, which: int, layer: str) -> None:
        """Raises ValueError if the `which`-th input of the layer does not fit."""
        start = f"Input {which} of layer {layer} is incompatible with the layer: "
        shape = given.get_shape()
        rank, found = shape.ndims, f"Full shape received: {shape}"
        if rank is None:
            if self.ndim is not None or self.min_ndim is not None or self.max_ndim is not None:
                raise ValueError(f"{start}its rank is undefined, but the layer requires a defined rank.")
            return
        if self.ndim is not None and rank != self.ndim:
            raise ValueError(f"{start}expected ndim={self.ndim}, found ndim={rank}. {found}")
        if self.max_ndim is not None and rank > self.max_ndim:
            raise ValueError(f"{start}expected max_ndim={self.max_ndim}, found ndim={rank}. {found}")
        if self.min_ndim is not None and rank < self.min_ndim:
            raise ValueError(f"{start}expected min_ndim={self.min_ndim}, found ndim={rank}. {found}")
        if self.dtype is not None and given.dtype != self.dtype:
            raise ValueError(f"{start}expected dtype={self.dtype.name}, found dtype={given.dtype.name}.")
        self._check_sizes(shape.as_list(), start, found)

    def _check_sizes(self, sizes: Sequence[int | None], start: str, found: str) -> None:
        for axis, wanted in self.axes.items():
            if wanted is not None and sizes[axis] not in (wanted, None):
                raise ValueError(f"{start}expected axis {axis} of input shape to have value {wanted} but received "
                                 f"{sizes[axis]}. {found}")
        for wanted, size in zip(self.shape or (), sizes, strict=False):
            if None not in (wanted, size) and int(wanted) != size:
                raise ValueError(f"{start}expected shape={tuple(self.shape)}, found shape={tuple(sizes)}")
