"""Reductions along axes: sum, mean, product, largest, smallest, all, any; and the index of the largest and smallest.

axis None means every axis. The results of an empty reduction are the combination's neutral element, as in TF (for Max
and Min the infinity, or the dtype's bound for integers; NaN for Mean).
"""
from __future__ import annotations

import functools
import math
import typing
from collections.abc import Sequence

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float32, float64, int8, int16, int32, int64, uint8, uint32, uint64
from graphc.ir.elementwise import check_dtype, check_kind
from graphc.ir.op import (
    Op,
    Permuted,
    Reduction,
    Sample,
    Scalars,
    attr,
    normalise_axes,
    normalise_axis,
    operand_field,
    register,
)
from graphc.ir.spec import Spec, require_less, text

if typing.TYPE_CHECKING:
    from graphc.ir.tensor import Tensor


_CASES: tuple[tuple[tuple[int, ...], tuple[int, ...], bool], ...] = (
    ((17,), (0,), False),
    ((65,), (0,), True),
    ((2, 3, 5), (0,), False),
    ((2, 3, 5), (1,), True),
    ((2, 3, 5), (-1,), False),
    ((2, 3, 5), (0, 2), False),
    ((2, 3, 5), (0, 1, 2), False),
    ((3, 31), (1,), False),
    ((31, 3), (0,), False),
    ((2, 3), (), False),
    ((), (), False),
    ((2, 3, 4, 5), (0, 1, 2), False),
    ((2, 3, 4, 5), (2, 0), True),
    ((3, 0), (1,), False),
    ((0, 3), (1,), False),
)


def _samples(
    dtypes: Sequence[DType] = (float32, float64, int32, int64), empty: bool = True, **more: typing.Any
) -> list[Sample]:
    made = []
    for dtype in dtypes:
        cases = [c for c in _CASES if empty or 0 not in c[0]]
        for shape, axis, keep in cases if dtype is dtypes[0] else cases[3:6]:
            low, high = more.get("low", -1.0), more.get("high", 1.0)
            if dtype.is_integer:
                low, high = (1, 3) if low > 0 else (-9, 9)
            made.append(Sample({"axis": axis, "keep_dims": keep}, (shape,), (dtype,), low=low, high=high,
                               gradient=dtype.is_floating and more.get("gradient", True)))
    return made


class _Reduced(Reduction):
    """What TF's reductions share: names and the NumPy form."""

    operands = ("input", "axis")
    constant_names = {"axis": "reduction_indices"}
    results = ("output",)
    types = {"T": "input", "Tidx": "axis"}
    kind: typing.ClassVar[str] = "number"
    function: typing.ClassVar[typing.Callable[..., typing.Any]]
    initial: typing.ClassVar[typing.Any] = None
    sizes_function: typing.ClassVar[typing.Callable[[Size, Size], Size] | None] = None

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, self.kind)
        spec, value = super().infer(*inputs), inputs[0].value
        # The sum or product of a shape is known where the shape is.
        if (
            value
            and self.sizes_function is not None
            and inputs[0].rank == 1
            and inputs[0].dtype.is_integer
            and self.axis
        ):
            return spec.with_value([functools.reduce(type(self).sizes_function, value)])
        return spec

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        axes = normalise_axes(self.axis, x.ndim)
        more = {} if self.initial is None else {"initial": type(self).initial(x.dtype)}
        with np.errstate(all="ignore"):
            result = type(self).function(x, axis=axes, keepdims=self.keep_dims, **more)
        return np.asarray(result).astype(x.dtype, copy=False)

    def spread(self, g: GradientBuilder, node: typing.Any, value: Tensor) -> Tensor:
        """A result (or its gradient) with the reduced axes back at size 1, so that it broadcasts against the input."""

        if self.keep_dims:
            return value
        x, axis = node.inputs
        if x.spec.shape is None or self.axis is None:
            return g.spread(value, g.shape(x), axis)
        for number in normalise_axes(self.axis, len(x.spec.shape)):
            value = g.expand_dims(value, number)
        return value

    def filled(self, g: GradientBuilder, node: typing.Any, value: Tensor) -> Tensor:
        """The same, broadcast to the input's shape."""

        return g.broadcast_to(self.spread(g, node, value), g.shape(node.inputs[0]))


@register
class Sum(_Reduced):
    """The sum along axes"""

    kind = "numeric"
    combine = "add"
    sizes_function = staticmethod(lambda x, y: x + y)
    function = np.sum
    samples = _samples()

    def grad(self, g, node, dy):
        return [self.filled(g, node, dy), None]


@register
class Mean(_Reduced):
    """The sum along axes, divided by the number of elements; integers are summed in 64 bits and rounded towards 0"""

    kind = "numeric"
    combine = "add"
    samples = _samples()

    def map_element(self, s: Scalars, x: typing.Any) -> typing.Any:
        wide = uint64 if s.dtype(x) == uint64 else int64
        return s.cast(x, wide) if s.dtype(x).is_integer else x

    def finish(self, s: Scalars, total: typing.Any, count: typing.Any) -> typing.Any:
        dtype = s.dtype(total)
        return s("truncdiv" if dtype.is_integer else "div", total, s.cast(count, dtype))

    @classmethod
    def keeps_single(cls) -> bool:
        return True

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        axes = normalise_axes(self.axis, x.ndim)
        count = math.prod(x.shape[a] for a in axes)
        with np.errstate(all="ignore"):
            if x.dtype.kind in "fc":
                return np.asarray(np.sum(x, axis=axes, keepdims=self.keep_dims) / count, x.dtype)
            if x.dtype == np.uint64:
                return np.asarray(np.sum(x, axis=axes, keepdims=self.keep_dims) // np.uint64(max(count, 1)))
            total = np.sum(x, axis=axes, keepdims=self.keep_dims, dtype=np.int64)
            return np.asarray(np.sign(total) * (np.abs(total) // max(count, 1))).astype(x.dtype)

    def grad(self, g, node, dy):
        if dy.dtype.is_half:            # float16 counts to 65504
            share = g.cast(self.filled(g, node, dy), float32) / elements_along(g, node, self.axis, float32)
            return [g.cast(share, dy.dtype), None]
        return [self.filled(g, node, dy) / elements_along(g, node, self.axis), None]


@register
class Prod(_Reduced):
    """The product along axes"""

    kind = "numeric"
    combine = "mul"             # of complex numbers: passes/shared/number_types.py
    sizes_function = staticmethod(lambda x, y: x * y)
    function = np.prod
    samples = [*_samples(low=0.5, high=1.5),
               Sample({"axis": (1,)}, (np.array([[0, 2, 3], [0, 0.5, 0], [4, 0, -1], [0, 0, 0]], np.float32),))]

    def grad(self, g, node, dy):
        """Exact where elements are 0: the product of the others is made of exclusive products from both sides."""

        x, axis = node.inputs
        flat = g.conj(g.rows(x, axis))
        others = g.cumprod(flat, axis=1, exclusive=True) * g.cumprod(flat, axis=1, exclusive=True, reverse=True)
        return [g.unrows(g.reshape(dy, [-1, 1]) * others, g.shape(x), axis), None]


_OF_NOTHING = [Sample({"axis": (0,)}, ((0, 3),), (dtype,), gradient=False) for dtype in (int8, uint8, int16, uint32)]


class _Extreme(_Reduced):
    """Max and Min: elements that tie share the gradient equally."""

    def grad(self, g, node, dy):
        chosen = g.cast(g.equal(self.spread(g, node, node.outputs[0]), node.inputs[0]), dy.dtype)
        ties = g.sum(chosen, node.inputs[1], keep_dims=True)
        return [chosen / ties * self.spread(g, node, dy), None]


@register
class Max(_Extreme):
    """The largest along axes; NaN if one is NaN"""

    combine = "max"
    sizes_function = staticmethod(dims.maximum)
    function = np.max
    initial = staticmethod(lambda d: -np.inf if d.kind == "f" else np.iinfo(d).min)
    samples = [*_samples(), Sample({"axis": (1,)}, (np.array([[1, 3, 3], [2, 2, 2]], np.float32),), gradient=False),
               *_OF_NOTHING]


@register
class Min(_Extreme):
    """The smallest along axes; NaN if one is NaN"""

    combine = "min"
    sizes_function = staticmethod(dims.minimum)
    function = np.min
    initial = staticmethod(lambda d: np.inf if d.kind == "f" else np.iinfo(d).max)
    samples = [*_samples(), Sample({"axis": (1,)}, (np.array([[1, 1, 3], [2, 2, 2]], np.float32),), gradient=False),
               *_OF_NOTHING]


class _Logical(_Reduced):
    types = {"Tidx": "axis"}
    kind = "bool"
    samples = _samples((bool_,), gradient=False)

    def grad(self, g, node, dy):
        return [None, None]


@register
class All(_Logical):
    """Whether all are true along axes"""

    combine = "and"
    function = np.all


@register
class Any(_Logical):
    """Whether any is true along axes"""

    combine = "or"
    function = np.any


@register
class _BesselMean(_Reduced):
    """The sum along axes divided by one less than the number of elements, by 1 if there is one (of none it is NaN):
    from squared deviations, the unbiased variance that FusedBatchNorm gives out. graphc's own op: only Composite ops
    make it."""

    combine = "add"
    kind = "floating"
    samples = _samples((float32, float64))

    def finish(self, s: Scalars, total: typing.Any, count: typing.Any) -> typing.Any:
        one = s.constant(1, int64)
        return s("div", total, s.cast(s("max", s("sub", count, one), s("min", count, one)), s.dtype(total)))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        axes = normalise_axes(self.axis, x.ndim)
        elements = math.prod(x.shape[a] for a in axes)
        count = elements - 1 if elements > 1 else elements
        with np.errstate(all="ignore"):
            return np.asarray(np.sum(x, axis=axes, keepdims=self.keep_dims) / x.dtype.type(count), x.dtype)

    def grad(self, g, node, dy):
        count = g.maximum(elements_along(g, node, self.axis) - 1, 1)
        return [self.filled(g, node, dy) / count, None]


class _Position(Op):
    """The index of an extreme element along one axis; the first one in a tie."""

    operands = ("input", "dimension")
    results = ("output",)
    types = {"T": "input", "Tidx": "dimension"}
    kernel: typing.ClassVar[str]
    function: typing.ClassVar[typing.Callable[..., typing.Any]]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.output_type,)

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "number")
        check_dtype(self, "output_type", self.output_type, "index")
        x = inputs[0]
        if x.shape is None:
            return Spec(self.output_type, None)
        axis = normalise_axis(self.dimension, len(x.shape))
        message = f"axis {axis} of a tensor of shape {text(x.shape)} is empty: there is no extreme element"
        if dims.same(x.shape[axis], 0):
            raise ValueError(message)
        require_less(0, x.shape[axis], message)
        return Spec(self.output_type, x.shape[:axis] + x.shape[axis + 1:])

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, least = inputs[0], self.kernel == "argmin"
        if x.dtype.kind == "f":         # no NaN is the greatest or least, nor is the other infinity
            x = np.fmin(x, np.finfo(x.dtype).max) if least else np.fmax(x, np.finfo(x.dtype).min)
        return np.asarray(type(self).function(x, axis=self.dimension), self.output_type.numpy)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        axis = normalise_axis(self.dimension, len(perm))
        left = [p for p in perm if p != axis]
        order = sorted(left)
        made = type(self)(dimension=perm.index(axis), output_type=self.output_type)
        return Permuted(made, (perm,), (tuple(order.index(p) for p in left),))

    def lower(self, b: typing.Any, inputs: typing.Any, outputs: typing.Any) -> None:
        x = inputs[0]
        axis = normalise_axis(self.dimension, x.rank)
        if x.dtype == uint64:
            ordered = b.temporary(int64, x.shape)      # int64 is in the order of uint64 with the highest bit flipped
            b.map(lambda s, v: s("xor", s.cast(v, int64), s.constant(-2**63, int64)), [x], [ordered])
            x = ordered
        b.call(self.kernel, [x, outputs[0]],
               dims=[dims.product(x.shape[:axis]), x.shape[axis], dims.product(x.shape[axis + 1:])])

    def grad(self, g, node, dy):
        return [None, None]


_POSITIONS = [Sample({"dimension": axis, "output_type": out}, (shape,), (dtype,), gradient=False, low=-9, high=9)
              for dtype, out in ((float32, int64), (float32, int32), (float64, int64), (int32, int64))
              for shape, axis in (((17,), 0), ((2, 3, 5), 1), ((31, 10), 1), ((2, 3, 5), -3), ((0, 3), 1))]
# What no comparison finds: NaNs, and the infinity that nothing is worse than.
_ODD = [Sample({"dimension": 0}, (np.array([x, np.negative(x)], dtype).T.copy(),), gradient=False)
        for dtype in (np.float32, np.float64)
        for x in ([1, np.nan, 3, np.inf], [np.nan, -np.inf, 2, -3], [np.nan, -np.inf, np.nan], [-np.inf, np.nan])]


@register
class ArgMax(_Position):
    """The index of the largest element along an axis"""

    kernel = "argmax"
    function = np.argmax
    dimension: int = operand_field("int")
    output_type: DType = attr("type", int64)
    samples = [*_POSITIONS, Sample({"dimension": 0}, (np.array([1, 3, 3], np.float32),), gradient=False), *_ODD]


@register
class ArgMin(_Position):
    """The index of the smallest element along an axis"""

    kernel = "argmin"
    function = np.argmin
    dimension: int = operand_field("int")
    output_type: DType = attr("type", int64)
    samples = [*_POSITIONS, *_ODD]


def elements_along(g: GradientBuilder, node: typing.Any, axes: Sequence[int] | None,
                   dtype: DType | None = None) -> Tensor:
    """How many elements of its input each result of a reduction is made of, as a scalar tensor of dtype, by default the
    input's."""

    x = node.inputs[0]
    dtype = x.dtype if dtype is None else dtype
    if x.spec.shape is None or axes is None:
        return g.cast(g.floor_div(g.size(x), g.maximum(g.size(node.outputs[0]), 1)), dtype)
    found = normalise_axes(axes, len(x.spec.shape))
    sizes = [x.spec.shape[a] for a in found]
    if all(isinstance(size, int) for size in sizes):
        return g.constant(math.prod(sizes), dtype)
    return g.cast(g.prod(g.gather_v2(g.shape(x), list(found), 0), 0), dtype)
