"""Blocks of pictures that become channels, and back: SpaceToDepth, DepthToSpace. Both are reshapes around a
transpose."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.errors import UnimplementedError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float64, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.op import OPS, Composite, Permuted, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ir.values import zeros
from graphc.ops.array.space import check_block

_FORMATS = {"NHWC": (1, 2, 3), "NCHW": (2, 3, 1)}       # height, width, channels
_TURNED = {("NHWC", (0, 3, 1, 2)): "NCHW", ("NCHW", (0, 2, 3, 1)): "NHWC"}


def _check_format(op: Any, x: Spec) -> tuple[int, int, int]:
    if op.data_format == "NCHW_VECT_C":
        raise UnimplementedError(f"{op.type} with data_format NCHW_VECT_C is not supported; use NHWC or NCHW")
    if op.data_format not in _FORMATS:
        raise ValueError(f"data_format must be NHWC or NCHW, not {op.data_format!r}")
    check_block(op.block_size, x)
    return _FORMATS[op.data_format]


def _turned(op: Any, perm: tuple[int, ...]) -> Permuted | None:
    other = _TURNED.get((op.data_format, tuple(perm)))
    return None if other is None else Permuted(replace(op, data_format=other), (perm,), (perm,))


@register
class SpaceToDepth(Composite):
    """Blocks of pictures become channels: those of the first place in a block first."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    block_size: int = attr("int")
    data_format: str = attr("string", "NHWC")
    samples: ClassVar = [Sample({"block_size": b, "data_format": f}, (s,), (d,)) for b, f, s, d in (
        (2, "NHWC", (1, 4, 6, 3), None), (3, "NHWC", (2, 3, 6, 2), float64), (2, "NCHW", (2, 3, 4, 2), None),
        (2, "NHWC", (0, 2, 4, 5), int64))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "element")
        height, width, channels = _check_format(self, x)
        if x.shape is None:
            return Spec(x.dtype, None)
        sizes = list(x.shape)
        for axis in (height, width):
            require_equal(dims.mod(sizes[axis], self.block_size), 0, f"axis {axis} of an input of shape "
                          f"{text(x.shape)} must be a multiple of block_size {self.block_size}")
            sizes[axis] = dims.floordiv(sizes[axis], self.block_size)
        sizes[channels] = sizes[channels] * self.block_size**2
        return Spec(x.dtype, tuple(sizes))

    def reference(self, x: np.ndarray) -> np.ndarray:
        height, width, channels = _FORMATS[self.data_format]
        moved, b = np.moveaxis(x, (height, width, channels), (1, 2, 3)), self.block_size
        made = np.concatenate([moved[:, i::b, j::b] for i in range(b) for j in range(b)], axis=3)
        return np.moveaxis(made, (1, 2, 3), (height, width, channels))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.depth_to_space(dy, block_size=self.block_size, data_format=self.data_format)]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return _turned(self, perm)

    def expand(self, emit: Any, x: Any) -> Any:
        result, b = self.infer(x.spec).shape, self.block_size
        assert result is not None
        if self.data_format == "NHWC":
            n, h, w, _ = result
            split, perm = (n, h, b, w, b, x.spec.shape[3]), (0, 1, 3, 2, 4, 5)
        else:
            n, _, h, w = result
            split, perm = (n, x.spec.shape[1], h, b, w, b), (0, 3, 5, 1, 2, 4)
        moved = emit(OPS.make("Transpose", perm=perm), emit(OPS.make("Reshape", shape=split), x))
        return emit(OPS.make("Reshape", shape=result), moved)


@register
class DepthToSpace(Composite):
    """Channels become blocks of pictures: the first ones the first place in a block."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    block_size: int = attr("int")
    data_format: str = attr("string", "NHWC")
    samples: ClassVar = [Sample({"block_size": b, "data_format": f}, (s,), (d,)) for b, f, s, d in (
        (2, "NHWC", (1, 2, 3, 12), None), (3, "NHWC", (2, 1, 2, 18), float64), (2, "NCHW", (2, 8, 4, 1), None),
        (2, "NHWC", (0, 2, 4, 8), int64))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "element")
        height, width, channels = _check_format(self, x)
        if x.shape is None:
            return Spec(x.dtype, None)
        sizes, block = list(x.shape), self.block_size**2
        require_equal(dims.mod(sizes[channels], block), 0, f"axis {channels} of an input of shape {text(x.shape)} must "
                      f"be a multiple of {block}, the square of block_size")
        sizes[channels] = dims.floordiv(sizes[channels], block)
        for axis in (height, width):
            sizes[axis] = sizes[axis] * self.block_size
        return Spec(x.dtype, tuple(sizes))

    def reference(self, x: np.ndarray) -> np.ndarray:
        height, width, channels = _FORMATS[self.data_format]
        moved, b = np.moveaxis(x, (height, width, channels), (1, 2, 3)), self.block_size
        n, h, w, c = moved.shape
        made, depth = zeros((n, h * b, w * b, c // b**2), x.dtype), c // b**2
        for k, (i, j) in enumerate(np.ndindex(b, b)):
            made[:, i::b, j::b] = moved[..., k * depth:(k + 1) * depth]
        return np.moveaxis(made, (1, 2, 3), (height, width, channels))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.space_to_depth(dy, block_size=self.block_size, data_format=self.data_format)]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return _turned(self, perm)

    def expand(self, emit: Any, x: Any) -> Any:
        result, b = self.infer(x.spec).shape, self.block_size
        assert result is not None
        if self.data_format == "NHWC":
            n, h, w, _ = x.spec.shape
            split, perm = (n, h, w, b, b, result[3]), (0, 1, 3, 2, 4, 5)
        else:
            n, _, h, w = x.spec.shape
            split, perm = (n, b, b, result[1], h, w), (0, 3, 4, 1, 5, 2)
        moved = emit(OPS.make("Transpose", perm=perm), emit(OPS.make("Reshape", shape=split), x))
        return emit(OPS.make("Reshape", shape=result), moved)
