"""Complex numbers: made of two real ones, taken apart, conjugated; size and angle.

Gradients follow TensorFlow's convention: of a real loss they are the direction of steepest ascent, the conjugate of the
derivative by z.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphc.ir.dtypes import COMPLEX, DType, complex64, complex128, float32, float64
from graphc.ir.elementwise import PAIRS, SHAPES
from graphc.ir.op import Elementwise, Sample, Scalars, attr, register
from graphc.ir.spec import Spec


def _samples() -> list[Sample]:
    made = [Sample({}, (shape,), (complex64,), gradient=False, low=-2, high=2) for shape in SHAPES]
    return [*made, Sample({}, ((3, 7),), (complex128,), gradient=False, low=-2, high=2)]


def _with_results(samples: list[Sample]) -> list[Sample]:
    """Each with the attribute that says the result's dtype."""
    return [dataclasses.replace(s, attributes={"Tout": s.dtypes[0].real_dtype}) for s in samples]  # type: ignore


def _check_complex(op: Any, name: str, dtype: DType) -> None:
    if dtype not in COMPLEX:
        raise TypeError(f"argument '{name}' has dtype {dtype.name}, but {op.type} takes complex64 and complex128 only")


@register
class Complex(Elementwise):
    """real + i imag, broadcast"""

    operands = ("real", "imag")
    results = ("out",)
    types = {"T": "real"}
    Tout: DType = attr("type", complex64)
    samples = [Sample({"Tout": complex64}, pair, gradient=False) for pair in PAIRS] + [
        Sample({"Tout": complex128}, ((3, 7), (7,)), (float64, float64), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        spec = super().infer(*inputs)
        if spec.dtype not in (float32, float64):
            raise TypeError(f"argument 'real' has dtype {spec.dtype.name}, but {self.type} takes float32 and float64 "
                            "only")
        if self.Tout.real_dtype != spec.dtype or self.Tout not in COMPLEX:
            raise TypeError(f"{self.type} of {spec.dtype.name} does not give {self.Tout.name}")
        return Spec(self.Tout, spec.shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        real, imaginary = np.broadcast_arrays(*inputs)
        made = np.empty(real.shape, self.Tout.numpy)
        made.real, made.imag = real, imaginary        # a product by i would make NaN of infinities
        return made

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s.complex(*x)

    def grad(self, g, node, dy):
        (x, y), z, real = node.inputs, node.outputs[0], node.inputs[0].dtype
        return [g.sum_like(g.real(dy, Tout=real), x, z), g.sum_like(g.imag(dy, Tout=real), y, z)]


class _Part(Elementwise):
    """A real number of each complex one."""

    operands = ("input",)
    results = ("output",)
    types = {"T": "input"}
    primitive: str
    function: Any
    samples = _with_results(_samples())

    def infer(self, *inputs: Spec) -> Spec:
        _check_complex(self, self.operands[0], inputs[0].dtype)
        if self.Tout != inputs[0].dtype.real_dtype:
            raise TypeError(f"{self.type} of {inputs[0].dtype.name} does not give {self.Tout.name}")
        return Spec(self.Tout, inputs[0].shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(type(self).function(inputs[0]), self.Tout.numpy)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s(self.primitive, *x)


@register
class Real(_Part):
    """The real part"""

    primitive = "real"
    function = np.real
    Tout: DType = attr("type", float32)

    def grad(self, g, node, dy):
        return [g.complex(dy, g.zeros_like(dy), Tout=node.inputs[0].dtype)]


@register
class Imag(_Part):
    """The imaginary part"""

    primitive = "imag"
    function = np.imag
    Tout: DType = attr("type", float32)

    def grad(self, g, node, dy):
        return [g.complex(g.zeros_like(dy), dy, Tout=node.inputs[0].dtype)]


@register
class ComplexAbs(_Part):
    """The size: the root of the sum of both squares; its gradient at 0 is 0."""

    operands = ("x",)
    results = ("y",)
    types = {"T": "x"}
    primitive = "size"
    function = np.abs
    Tout: DType = attr("type", float32)

    def grad(self, g, node, dy):
        x = node.inputs[0]
        size = node.outputs[0]
        share = dy / g.select(g.equal(size, 0), g.ones_like(size), size)
        return [g.complex(share, g.zeros_like(share), Tout=x.dtype) * x]


@register
class Angle(_Part):
    """The angle from the positive real numbers, above -pi, up to pi"""

    primitive = "angle"
    function = np.angle
    Tout: DType = attr("type", float32)

    def grad(self, g, node, dy):
        x = node.inputs[0]
        turned = g.reciprocal(g.complex(g.imag(x, Tout=self.Tout), g.real(x, Tout=self.Tout), Tout=x.dtype))
        return [g.neg(g.complex(dy, g.zeros_like(dy), Tout=x.dtype)) * turned]


@register
class Conj(Elementwise):
    """The number with the opposite imaginary part"""

    operands = ("input",)
    results = ("output",)
    types = {"T": "input"}
    samples = _samples()

    def infer(self, *inputs: Spec) -> Spec:
        _check_complex(self, "input", inputs[0].dtype)
        return super().infer(*inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return np.conj(inputs[0])

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("conj", *x)

    def grad(self, g, node, dy):
        return [g.conj(dy)]
