"""Grey-scale dilation of pictures, and its gradients. NHWC only; filters are [height, width, channels]."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import float64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Op, Sample, attr, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.nn.window import Axis, axes, check_list

# picture, filter, strides, rates, padding
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 5, 7, 3), (3, 3, 3), (1, 1), (1, 1), "SAME"),
    ((1, 6, 5, 17), (2, 3, 17), (1, 2), (1, 1), "VALID"),
    ((1, 9, 8, 2), (3, 2, 2), (2, 1), (2, 3), "SAME"),
    ((1, 7, 9, 1), (2, 3, 1), (1, 1), (3, 2), "VALID"),
    ((0, 4, 4, 2), (2, 2, 2), (1, 1), (1, 1), "SAME"),
)


def _fields(case: tuple[Any, ...]) -> dict[str, Any]:
    return {"strides": (1, *case[2], 1), "rates": (1, *case[3], 1), "padding": case[4]}


def _result(case: tuple[Any, ...]) -> Shape:
    height, width = axes(case[0], case[1][:2], (1, *case[2], 1), (1, *case[3], 1), case[4], (), "NHWC")
    return case[0][0], height.output, width.output, case[0][3]


class _Dilation(Op):
    """What the three ops share. Their attributes are the same."""

    def spatial(self, picture: Shape, filter: Shape) -> tuple[Axis, Axis]:
        check_list("strides", self.strides, "NHWC")
        check_list("rates", self.rates, "NHWC")
        if self.padding not in ("SAME", "VALID"):
            raise ValueError(f"padding must be SAME or VALID, but is {self.padding!r}")
        return axes(picture, filter[:2], self.strides, self.rates, self.padding, (), "NHWC")

    def result_shape(self, inputs: tuple[Spec, ...]) -> Shape | None:
        """The dilation's shape. Raises ValueError if the operands do not fit."""
        check_kind(self, inputs, "number_in_int64")
        same_dtypes(self, inputs)
        for name, spec, rank in zip(self.operands, inputs, (4, 3, 4), strict=False):
            check_rank(name, spec, rank)
        picture, filter = inputs[0].shape, inputs[1].shape
        if picture is None or filter is None:
            return None
        require_equal(picture[3], filter[2], "depth of the picture and of the filter")
        height, width = self.spatial(picture, filter)
        return picture[0], height.output, width.output, picture[3]

    def check_result(self, inputs: tuple[Spec, ...]) -> None:
        expected, given = self.result_shape(inputs), inputs[2].shape
        if expected is not None and given is not None:
            for a, b in zip(given, expected, strict=True):
                require_equal(a, b, f"out_backprop has shape {text(given)}, but the dilation has {text(expected)}")

    def taps(self, x: np.ndarray, f: np.ndarray) -> Any:
        """For each result: its index and the (value, place in x, place in f) of every tap in the picture."""
        height, width = self.spatial(x.shape, f.shape)
        for p, i, j, k in np.ndindex(x.shape[0], height.output, width.output, x.shape[3]):
            found = []
            for u, v in np.ndindex(*f.shape[:2]):
                row = i * height.stride - height.before + u * height.dilation
                column = j * width.stride - width.before + v * width.dilation
                if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                    found.append((x[p, row, column, k] + f[u, v, k], (p, row, column, k), (u, v, k)))
            yield (p, i, j, k), found

    def call(self, b: Any, kernel: str, inputs: Any, output: Any) -> None:
        picture, filter = inputs[0].shape, inputs[1].shape
        height, width = self.spatial(picture, filter)
        b.call(kernel, [*inputs, output],
               dims=[*picture, height.window, width.window, height.output, width.output, height.before, width.before],
               attrs=[height.stride, width.stride, height.dilation, width.dilation])


@register
class Dilation2D(_Dilation):
    """The greatest sum of the picture's and the filter's elements in each window; what lies outside takes no part"""

    operands = ("input", "filter")
    results = ("output",)
    types = {"T": "input"}
    strides: tuple[int, ...] = attr("list(int)")
    rates: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    # The gradient is tested in test_dilation.py: TensorFlow has none of second order.
    samples = [Sample(_fields(c), c[:2], gradient=False) for c in _CASES] + [
        Sample(_fields(_CASES[0]), _CASES[0][:2], (float64, float64), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(inputs[0].dtype, self.result_shape(inputs))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        height, width = self.spatial(inputs[0].shape, inputs[1].shape)
        y = np.zeros((inputs[0].shape[0], height.output, width.output, inputs[0].shape[3]), inputs[0].dtype)
        with np.errstate(over="ignore"):
            for at, found in self.taps(*inputs):
                y[at] = max(value for value, _, _ in found)
        return y

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        self.call(b, "dilation2d", inputs, outputs[0])

    def grad(self, g, node, dy):
        fields = {"strides": self.strides, "rates": self.rates, "padding": self.padding}
        x, w = node.inputs
        return [g.dilation2d_backprop_input(x, w, dy, **fields), g.dilation2d_backprop_filter(x, w, dy, **fields)]


class _DilationGradient(_Dilation):
    """What both gradients share: each result's part of dy goes to one element of the input that is `by`."""

    types = {"T": "input"}
    by: ClassVar[int]                      # 0: the picture, 1: the filter
    kernel: ClassVar[str]
    samples = [Sample(_fields(c), (*c[:2], _result(c)), gradient=False) for c in _CASES]

    def infer(self, *inputs: Spec) -> Spec:
        self.check_result(inputs)
        return Spec(inputs[self.by].dtype, inputs[self.by].shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, w, dy = inputs
        gradient = np.zeros_like(inputs[self.by])
        with np.errstate(over="ignore"):
            for at, found in self.taps(x, w):
                gradient[max(found, key=lambda tap: tap[0])[1 + self.by]] += dy[at]
        return gradient

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        self.call(b, self.kernel, inputs, outputs[0])


@register
class Dilation2DBackpropInput(_DilationGradient):
    """The gradient of Dilation2D by its input: to the first greatest element of each window"""

    operands = ("input", "filter", "out_backprop")
    results = ("in_backprop",)
    by, kernel = 0, "dilation2d_input_grad"
    strides: tuple[int, ...] = attr("list(int)")
    rates: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")


@register
class Dilation2DBackpropFilter(_DilationGradient):
    """The gradient of Dilation2D by its filter"""

    operands = ("input", "filter", "out_backprop")
    results = ("filter_backprop",)
    by, kernel = 1, "dilation2d_filter_grad"
    strides: tuple[int, ...] = attr("list(int)")
    rates: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
