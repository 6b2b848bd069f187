"""Operations on the bits of integers. None has a gradient."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import int32, int64, uint8
from graphc.ir.elementwise import PAIRS, SHAPES, Binary, Unary
from graphc.ir.op import Sample, Scalars, register

_CASES = [
    Sample({}, pair, (d, d), gradient=False, low=-99, high=99)
    for d, pairs in ((int32, PAIRS), (int64, PAIRS[1:2]))
    for pair in pairs
]


class _Bits(Binary):
    kind = "integer"
    samples = _CASES

    def grad(self, g, node, dy):
        return [None, None]


@register
class BitwiseAnd(_Bits):
    """The bits that are 1 in both"""

    primitive = "and"
    function = np.bitwise_and


@register
class BitwiseOr(_Bits):
    """The bits that are 1 in one or both"""

    primitive = "or"
    function = np.bitwise_or


@register
class BitwiseXor(_Bits):
    """The bits that are 1 in one of the two"""

    primitive = "xor"
    function = np.bitwise_xor


class _Shift(_Bits):
    """By y bits; y is taken as 0 below 0 and as the number of bits less one above."""

    samples = [
        *_CASES,
        Sample({}, (np.array([-128, 1, -1, 64, 3], np.int8), np.array([7, 9, -1, 100, 2], np.int8)), gradient=False),
    ]

    def scalar(self, s: Scalars, *x: Any) -> Any:
        dtype = s.dtype(x[0])
        most = s.constant(8 * dtype.size - 1, dtype)
        return s(self.primitive, x[0], s("min", s("max", x[1], s.constant(0, dtype)), most))


@register
class LeftShift(_Shift):
    """x * 2**y"""

    primitive = "shift_left"
    function = staticmethod(lambda x, y: np.left_shift(x, np.clip(y, 0, 8 * y.dtype.itemsize - 1).astype(y.dtype)))


@register
class RightShift(_Shift):
    """x / 2**y, rounded down"""

    primitive = "shift_right"
    function = staticmethod(lambda x, y: np.right_shift(x, np.clip(y, 0, 8 * y.dtype.itemsize - 1).astype(y.dtype)))


@register
class Invert(Unary):
    """Every bit the other one"""

    kind = "integer"
    self_inverse = True
    primitive = "not"
    function = np.invert
    samples = [Sample({}, (shape,), (d,), gradient=False, low=-99, high=99) for d in (int32, int64) for shape in SHAPES]

    def grad(self, g, node, dy):
        return [None]


def _ones(x: np.ndarray) -> np.ndarray:
    places = 8 * x.dtype.itemsize
    return sum(((x >> np.array(i, x.dtype)) & 1) != 0 for i in range(places)) + np.zeros(x.shape, np.uint8)


@register
class PopulationCount(Unary):
    """How many bits of x are 1"""

    kind = "integer"
    output_dtype = uint8
    primitive = "population_count"
    function = staticmethod(_ones)
    samples = [Sample({}, (shape,), (d,), gradient=False, low=-99, high=99) for d in (int32, int64) for shape in SHAPES]

    def scalar(self, s: Scalars, *x: Any) -> Any:
        dtype = s.dtype(x[0])
        if dtype.size < 4 and dtype.min < 0:  # the sign's copies in the wider type do not count
            wide = s.cast(x[0], int32)
            return s.cast(s(self.primitive, s("and", wide, s.constant(2 ** (8 * dtype.size) - 1, int32))), uint8)
        wide = s.cast(x[0], int32 if dtype.size < 4 else int64 if dtype.is_unsigned else dtype)
        return s.cast(s(self.primitive, wide), uint8)

    def grad(self, g, node, dy):
        return [None]
