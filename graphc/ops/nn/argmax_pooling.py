"""Max pooling that says where each greatest element lies, and the gradients that go by these places. NHWC only.

A place is (row * width + column) * channels + channel, plus the picture's first element with include_batch_in_index. As
in TensorFlow the first of equal elements counts, and NaN only where it comes first.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import DType, float32, float64, int32, int64, uint32
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import Sample, attr, register, same_dtypes
from graphc.ir.spec import Shape, Spec
from graphc.ops.nn.pooling import CASES, Pooling, distinct, sample_attributes, sample_shapes

COMPUTED = (float32, float64, int32, int64)      # dtypes of the kernels; the narrow ones are exact in int32 or int64


class _ArgmaxPooling(Pooling):
    data_format = "NHWC"

    def attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("ksize", "strides", "padding", "include_batch_in_index")}

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> None:
        """Places depend on the layout."""

    def check_argmax(self, picture: Shape, *given: tuple[str, Spec, Shape]) -> None:
        for name, spec, expected in given:
            check_rank(name, spec, 4)
            self.check_shape(name, spec, expected, "the picture" if expected is picture else "the pooling's result")

    def sizes_of(self, picture: Shape, places: Shape) -> list[Any]:
        return [picture[0], dims.product(places[1:]), dims.product(picture[1:])]


def _computed(b: Any, x: Any) -> Any:
    """x in a dtype that kernels have."""
    if x.dtype in COMPUTED:
        return x
    made = b.temporary(int64 if x.dtype == uint32 else int32, x.shape)
    b.map(lambda s, v: s.cast(v, made.dtype), [x], [made])
    return made


def _wide(b: Any, places: Any) -> Any:
    if places.dtype == int64:
        return places
    made = b.temporary(int64, places.shape)
    b.map(lambda s, v: s.cast(v, int64), [places], [made])
    return made


def _stored(b: Any, dtype: DType, y: Any) -> Any:
    """A buffer in `dtype` for what becomes y; `_store` brings it there."""
    return y if y.dtype == dtype else b.temporary(dtype, y.shape)


def _store(b: Any, made: Any, y: Any) -> None:
    if made is not y:
        b.map(lambda s, v: s.cast(v, y.dtype), [made], [y])


@register
class MaxPoolWithArgmax(_ArgmaxPooling):
    """The greatest element of each window, and its place"""

    operands = ("input",)
    results = ("output", "argmax")
    types = {"T": "input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    include_batch_in_index: bool = attr("bool", False)
    dtype: DType = attr("type", int64, name="Targmax")
    samples = [Sample(
        {**{k: v for k, v in sample_attributes(case, "NHWC").items() if k != "data_format"},
         "include_batch_in_index": batched, "dtype": dtype}, (distinct(case[0]),))
        for case in CASES for batched, dtype in ((False, int64), (True, int32))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[0].dtype, self.dtype

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x = inputs[0]
        check_dtype(self, "input", x.dtype, "number")
        check_dtype(self, "Targmax", self.dtype, "index")
        check_rank("input", x, 4)
        shape = None if x.shape is None else self.result_shape(x.shape)
        return Spec(x.dtype, shape), Spec(self.dtype, shape)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = inputs[0]
        height, width = self.spatial(x.shape)
        y = np.zeros((x.shape[0], height.output, width.output, x.shape[3]), x.dtype)
        where = np.zeros(y.shape, self.dtype.numpy)
        for p, i, j, k in np.ndindex(*y.shape):
            top, left = i * height.stride - height.before, j * width.stride - width.before
            rows = range(max(top, 0), min(top + height.window, x.shape[1]))
            columns = range(max(left, 0), min(left + width.window, x.shape[2]))
            first = best = (p, rows[0], columns[0], k)
            for place in ((p, a, b, k) for a in rows for b in columns):
                best = place if x[best] < x[place] else best
            y[p, i, j, k] = x[best]
            where[p, i, j, k] = np.ravel_multi_index(best if self.include_batch_in_index else (0, *best[1:]),
                                                     (first[0] + 1, *x.shape[1:]))
        return y, where

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, (y, where) = _computed(b, inputs[0]), outputs
        height, width = self.spatial(x.shape)
        best, places = _stored(b, x.dtype, y), _stored(b, int64, where)
        b.call("max_pool_argmax", [x, best, places],
               dims=[*x.shape, height.window, width.window, height.output, width.output, height.before, width.before],
               attrs=[height.stride, width.stride, int(self.include_batch_in_index)])
        _store(b, best, y)
        _store(b, places, where)

    def grad(self, g, node, dy, _=None):
        if dy is None:
            return [None]
        return [g.max_pool_grad_with_argmax(node.inputs[0], dy, node.outputs[1], **self.attributes())]


class _OfPlaces(_ArgmaxPooling):
    """The two gradients: of a picture, of values and of places."""

    operands = ("input", "grad", "argmax")
    results = ("output",)
    types = {"T": "input", "Targmax": "argmax"}
    checks_data = True

    def infer(self, *inputs: Spec) -> Spec:
        x, given, places = inputs
        check_dtype(self, "input", x.dtype, "number")
        check_dtype(self, "argmax", places.dtype, "index")
        same_dtypes(self, inputs[:2])
        check_rank("input", x, 4)
        if x.shape is None:
            return Spec(x.dtype, None)
        result = self.result_shape(x.shape)
        scatters = self.type == "MaxPoolGradWithArgmax"
        self.check_argmax(x.shape, ("grad", given, result if scatters else x.shape), ("argmax", places, result))
        return Spec(x.dtype, x.shape if scatters else result)

    def inside(self, places: np.ndarray, picture: tuple[int, ...]) -> np.ndarray:
        """The places in the whole batch. Raises IndexError for one outside of its picture."""
        first = (np.arange(picture[0]) * int(np.prod(picture[1:]))).reshape(-1, 1, 1, 1)
        of_picture = places.astype(np.int64) - (first if self.include_batch_in_index else 0)
        if of_picture.size and (of_picture.min() < 0 or of_picture.max() >= np.prod(picture[1:])):
            raise IndexError("argmax out of range")
        return of_picture + first


def _of_places_samples(scatters: bool) -> list[Sample]:
    made = []
    for case in CASES:
        for batched, dtype in ((False, int64), (True, int32)):
            fields = {**{k: v for k, v in sample_attributes(case, "NHWC").items() if k != "data_format"},
                      "include_batch_in_index": batched}
            x = distinct(case[0])
            _, places = MaxPoolWithArgmax(**fields, dtype=dtype).reference(x)
            given = sample_shapes(case, "NHWC")[1] if scatters else case[0]
            made.append(Sample(fields, (x, given, places)))
    return made


@register
class MaxPoolGradWithArgmax(_OfPlaces):
    """Zeros, to which each element of grad is added at its place"""

    operands = ("input", "grad", "argmax")
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    include_batch_in_index: bool = attr("bool", False)
    samples = _of_places_samples(True)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, dy, places = inputs
        dx = np.zeros(x.size, x.dtype)
        np.add.at(dx, self.inside(places, x.shape).ravel(), dy.ravel())
        return dx.reshape(x.shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        (x, dy, places), dx = inputs, outputs[0]
        dy = _computed(b, dy)
        made = _stored(b, dy.dtype, dx)
        b.call("max_pool_scatter", [dy, _wide(b, places), made], dims=self.sizes_of(x.shape, places.shape),
               attrs=[int(self.include_batch_in_index)])
        _store(b, made, dx)

    def grad(self, g, node, ddx):
        x, _, places = node.inputs
        return [g.zeros_like(x), g.max_pool_grad_grad_with_argmax(x, ddx, places, **self.attributes()), None]


@register
class MaxPoolGradGradWithArgmax(_OfPlaces):
    """The elements of grad at the places"""

    operands = ("input", "grad", "argmax")
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    include_batch_in_index: bool = attr("bool", False)
    samples = _of_places_samples(False)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, ddx, places = inputs
        return ddx.ravel()[self.inside(places, x.shape)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        (x, ddx, places), ddy = inputs, outputs[0]
        ddx = _computed(b, ddx)
        made = _stored(b, ddx.dtype, ddy)
        b.call("max_pool_pick", [ddx, _wide(b, places), made], dims=self.sizes_of(x.shape, places.shape),
               attrs=[int(self.include_batch_in_index)])
        _store(b, made, ddy)

    def grad(self, g, node, dddy):
        x, _, places = node.inputs
        return [g.zeros_like(x), g.max_pool_grad_with_argmax(x, dddy, places, **self.attributes()), None]


