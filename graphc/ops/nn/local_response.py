"""Local response normalisation over neighbouring channels, its gradient, and the gradient's gradient.

With W(z) the sum of z over the channels at most depth_radius away, s = bias + alpha W(x^2) and y = x s^-beta.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Composite, Op, Permuted, Sample, attr, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.array.source import Const
from graphc.ops.math.binary import AddV2, Mul, Pow, Sub
from graphc.ops.math.division import RealDiv
from graphc.ops.math.unary import Square

_SHAPES: tuple[Shape, ...] = ((2, 3, 2, 7), (1, 1, 2, 17), (1, 2, 2, 1), (0, 2, 2, 3))
_FIELDS: tuple[dict[str, Any], ...] = (
    {}, {"depth_radius": 2, "bias": 2.0, "alpha": 0.5, "beta": 0.75}, {"depth_radius": 0, "alpha": 0.3, "beta": 1.0})
_SAMPLES = [(fields, shape) for fields in _FIELDS for shape in _SHAPES]


def _neighbours(x: np.ndarray, radius: int) -> np.ndarray:
    """The sum over the channels at most `radius` away."""
    made = np.zeros(x.shape, np.float64)
    for channel in range(x.shape[-1]):
        made[..., channel] = x[..., max(channel - radius, 0):channel + radius + 1].sum(axis=-1)
    return made


@register
class _WindowSum(Op):
    """The sum of each element of a row and of its neighbours up to radius: graphc's own op"""

    operands = ("x",)
    types = {"T": "x"}
    radius: int = attr("int")
    samples = [Sample({"radius": r}, (shape,), (d,)) for r, shape, d in (
        (1, (3, 17), None), (5, (2, 3, 4), None), (0, (7,), None), (2, (0, 3), None), (2, (3, 7), float64))]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        if inputs[0].shape == ():
            raise ValueError("a tensor of rank 1 or more is needed, not a scalar")
        if self.radius < 0:
            raise ValueError(f"radius must not be negative, but is {self.radius}")
        return Spec(inputs[0].dtype, inputs[0].shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return _neighbours(inputs[0], self.radius).astype(inputs[0].dtype)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,)) if perm[-1] == len(perm) - 1 else None

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        shape = inputs[0].shape
        b.call("window_sum", [inputs[0], outputs[0]], dims=[dims.product(shape[:-1]), shape[-1]], attrs=[self.radius])

    def grad(self, g, node, dy):
        return [g.window_sum(dy, radius=self.radius)]


class _Local(Composite):
    """What the op and its gradient share. Their attributes are the same."""

    def check(self, inputs: tuple[Spec, ...]) -> Spec:
        check_kind(self, inputs, "floating")
        same_dtypes(self, inputs)
        shape = None
        for name, spec in zip(self.operands, inputs, strict=True):
            check_rank(name, spec, 4)
            if spec.shape is None:
                continue
            message = f"{name} has shape {text(spec.shape)}, but {self.operands[0]} has {text(shape or ())}"
            shape = spec.shape if shape is None else tuple(
                require_equal(a, b, message) for a, b in zip(shape, spec.shape, strict=True))
        return Spec(inputs[0].dtype, shape)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,) * len(ranks), (perm,)) if perm[-1] == len(perm) - 1 else None

    def attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("depth_radius", "bias", "alpha", "beta")}

    def scales(self, x: np.ndarray) -> np.ndarray:
        """s, of the reference."""
        return self.bias + self.alpha * _neighbours(np.square(x.astype(np.float64)), self.depth_radius)

    @staticmethod
    def number(emit: Callable[..., Any], x: Any, value: float) -> Any:
        dtype = x.spec.dtype
        return emit(Const(value=np.asarray(value, dtype.numpy), dtype=dtype))

    def scale(self, emit: Callable[..., Any], x: Any) -> Any:
        """s"""
        squares = emit(_WindowSum(radius=self.depth_radius), emit(Square(), x))
        return emit(AddV2(), emit(Mul(), squares, self.number(emit, x, self.alpha)), self.number(emit, x, self.bias))


@register
class LRN(_Local):
    """x (bias + alpha * the sum of squares of the channels at most depth_radius away) ^ -beta"""

    operands = ("input",)
    results = ("output",)
    types = {"T": "input"}
    depth_radius: int = attr("int", 5)
    bias: float = attr("float", 1.0)
    alpha: float = attr("float", 1.0)
    beta: float = attr("float", 0.5)
    samples = [Sample(fields, (shape,)) for fields, shape in _SAMPLES] + [Sample({}, (_SHAPES[0],), (float64,))]

    def infer(self, *inputs: Spec) -> Spec:
        return self.check(inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return (inputs[0] * self.scales(inputs[0]) ** -self.beta).astype(inputs[0].dtype)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        x = inputs[0]
        return emit(Mul(), x, emit(Pow(), self.scale(emit, x), self.number(emit, x, -self.beta)))

    def grad(self, g, node, dy):
        return [g.lrn_grad(dy, node.inputs[0], node.outputs[0], **self.attributes())]


@register
class LRNGrad(_Local):
    """dy s^-beta - 2 alpha beta x W(dy y / s)"""

    operands = ("input_grads", "input_image", "output_image")
    results = ("output",)
    types = {"T": "input_grads"}
    depth_radius: int = attr("int", 5)
    bias: float = attr("float", 1.0)
    alpha: float = attr("float", 1.0)
    beta: float = attr("float", 0.5)
    samples = [Sample(fields, (shape,) * 3) for fields, shape in _SAMPLES]

    def infer(self, *inputs: Spec) -> Spec:
        return self.check(inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        dy, x, y = (a.astype(np.float64) for a in inputs)
        s = self.scales(x)
        around = _neighbours(dy * y / s, self.depth_radius)
        return (dy * s ** -self.beta - 2 * self.alpha * self.beta * x * around).astype(inputs[0].dtype)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        dy, x, y = inputs
        s = self.scale(emit, x)
        around = emit(_WindowSum(radius=self.depth_radius), emit(RealDiv(), emit(Mul(), dy, y), s))
        factor = emit(Mul(), x, self.number(emit, x, 2 * self.alpha * self.beta))
        direct = emit(Mul(), dy, emit(Pow(), s, self.number(emit, x, -self.beta)))
        return emit(Sub(), direct, emit(Mul(), factor, around))

    def grad(self, g, node, e):
        dy, x, y = node.inputs
        squares = g.window_sum(g.square(x), radius=self.depth_radius)
        s = g.scale(self.alpha, squares) + self.bias
        power = g.pow(s, -self.beta)
        c = 2 * self.alpha * self.beta
        # of e x with the neighbours of the second term
        around = g.window_sum(e * x, radius=self.depth_radius)
        by_dy = e * power - g.scale(c, around) * y / s
        by_y = g.scale(-c, around) * dy / s
        by_s = g.scale(c, around) * dy * y / g.square(s) - g.scale(self.beta, e) * dy * power / s
        direct = g.scale(-c, e) * g.window_sum(dy * y / s, radius=self.depth_radius)
        by_x = direct + g.scale(2 * self.alpha, x) * g.window_sum(by_s, radius=self.depth_radius)
        return [by_dy, by_x, by_y]
