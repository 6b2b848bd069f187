"""A bias a channel: BiasAdd and its gradient by the bias. The channel axis is the last one (NHWC) or axis 1 (NCHW).

BiasAdd in NCHW has no lowering: the layout pass turns it to NHWC through `permuted`, which any permutation that moves
the channels from axis 1 to the end allows.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.dtypes import float64, int32
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Composite, Elementwise, Permuted, Sample, Scalars, attr, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.reduction import Sum
from graphc.ops.nn.window import check_format, require_nhwc

_CASES = (
    ((17,), "NHWC"),
    ((2, 3, 5), "NHWC"),
    ((2, 3, 4, 5), "NHWC"),
    ((2, 3, 4, 5), "NCHW"),
    ((31, 3), "NHWC"),
    ((3, 7), "NCHW"),
    ((0, 3), "NHWC"),
    ((2, 5, 3), "NCHW"),
    ((1, 2, 3, 4, 5), "NHWC"),
)


def channels(op: Any, rank: int) -> int:
    """The channel axis of a tensor of this rank. Raises ValueError for a rank below 2."""
    check_format(op.data_format)
    if rank < 2:
        raise ValueError(f"{op.type} needs a tensor of rank 2 or more, not {rank}")
    return rank - 1 if op.data_format == "NHWC" else 1


def moved_format(data_format: str, perm: tuple[int, ...]) -> str | None:
    """The data format of a tensor of any rank after transposing by perm, or None if the channels end up elsewhere."""
    last = len(perm) - 1
    at = perm.index(last if data_format == "NHWC" else 1)
    return "NHWC" if at == last else "NCHW" if at == 1 else None


@register
class BiasAdd(Elementwise):
    """value + bias along the channel axis"""

    neutral_operand = 0, (1,)
    homogeneous = True
    operands = ("value", "bias")
    results = ("output",)
    types = {"T": "value"}
    data_format: str = attr("string", "NHWC")
    samples = [
        Sample({"data_format": f}, (shape, (shape[-1] if f == "NHWC" else shape[1],))) for shape, f in _CASES[1:]
    ] + [
        Sample({}, ((3, 5), (5,)), (float64, float64)),
        Sample({}, ((3, 5), (5,)), (int32, int32), gradient=False, low=-9, high=9),
    ]

    def infer(self, *inputs: Spec) -> Spec:
        value, bias = inputs
        check_kind(self, inputs, "numeric")
        same_dtypes(self, inputs)
        check_rank("bias", bias, 1)
        if value.shape is None:
            return Spec(value.dtype, None)
        axis = channels(self, len(value.shape))
        if bias.shape is None:
            return Spec(value.dtype, value.shape)
        try:
            size = require_equal(value.shape[axis], bias.shape[0], "channels of value and bias")
        except ValueError:
            raise ValueError(f"a bias of {bias.shape[0]} does not fit {value.shape[axis]} channels (axis {axis} of "
                             f"{text(value.shape)}, {self.data_format})") from None
        return Spec(value.dtype, (*value.shape[:axis], size, *value.shape[axis + 1:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        value, bias = inputs
        return value + (bias if self.data_format == "NHWC" else bias.reshape(-1, *(1,) * (value.ndim - 2)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        require_nhwc(self)
        return s("add", *x)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        data_format = moved_format(self.data_format, perm)
        return data_format and Permuted(dataclasses.replace(self, data_format=data_format), (perm, None), (perm,))

    def grad(self, g, node, dy):
        return [dy, g.bias_add_grad(dy, data_format=self.data_format)]


@register
class BiasAddGrad(Composite):
    """The sum over every axis but the channels"""

    operands = ("out_backprop",)
    results = ("output",)
    types = {"T": "out_backprop"}
    data_format: str = attr("string", "NHWC")
    samples = [Sample({"data_format": f}, (shape,)) for shape, f in _CASES[1:]]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "numeric")
        shape = inputs[0].shape
        return Spec(inputs[0].dtype, None if shape is None else (shape[channels(self, len(shape))],))

    def others(self, rank: int) -> tuple[int, ...]:
        axis = channels(self, rank)
        return tuple(i for i in range(rank) if i != axis)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        by_channel = np.moveaxis(inputs[0], -1 if self.data_format == "NHWC" else 1, 0)
        return by_channel.sum(axis=tuple(range(1, by_channel.ndim)), dtype=inputs[0].dtype)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return emit(Sum(axis=self.others(len(inputs[0].spec.shape))), inputs[0])

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        data_format = moved_format(self.data_format, perm)
        return data_format and Permuted(dataclasses.replace(self, data_format=data_format), (perm,), (None,))

    def grad(self, g, node, ddx):
        dy = node.inputs[0]
        if self.data_format == "NHWC":               # the last axis, whatever the rank
            return [g.broadcast_to(ddx, g.shape(dy))]
        behind = g.ones_like(g.shape(dy)[2:]) if dy.spec.shape is None else np.ones(len(dy.spec.shape) - 2, np.int32)
        return [g.broadcast_to(g.reshape(ddx, g.concat_v2([[-1], behind], 0)), g.shape(dy))]
