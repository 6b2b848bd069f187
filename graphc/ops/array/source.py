"""Where values come from: constants and placeholders."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, float32, string
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import VALUE_LIMIT, Shape, Spec, text


@register
class Const(Op):
    """A known array. `value` is never written to."""

    results = ("output",)
    value: np.ndarray = attr("tensor")
    dtype: DType = attr("type")

    def infer(self) -> Spec:
        spec = Spec(self.dtype, self.value.shape)
        if self.value.dtype == object and self.dtype != string:
            raise TypeError(f"argument 'value' holds strings, but argument 'dtype' is {self.dtype.name}")
        if self.dtype.is_integer and self.value.size <= VALUE_LIMIT:
            return spec.with_value([int(v) for v in self.value.ravel()])
        return spec

    def reference(self) -> np.ndarray:
        return self.value

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        raise AssertionError("constants are buffers, not steps")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (isinstance(other, Const) and self.dtype == other.dtype and self.value.shape == other.value.shape
                and _bytes(self.value) == _bytes(other.value))

    def __hash__(self) -> int:
        return hash((self.dtype, self.value.shape, _bytes(self.value.ravel()[:64])))

    def grad(self, g: GradientBuilder, node: Any, *dys: Any) -> tuple[()]:
        return ()

    samples: ClassVar = [Sample({"value": np.array([[1.0, -2.5, 3.0]], np.float32), "dtype": float32})]


def _bytes(array: np.ndarray) -> Any:
    # Compared by bits: 0.0 and -0.0 are two constants, and a NaN equals itself.
    return tuple(array.ravel()) if array.dtype == object else array.tobytes()


@register
class Placeholder(Op):
    """A value fed at each run. Unknown sizes in `shape` are symbols, each its own; None: unknown rank."""

    results = ("output",)
    dtype: DType = attr("type")
    shape: Shape | None = attr("shape", None)

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape)

    def grad(self, g: GradientBuilder, node: Any, *dys: Any) -> tuple[()]:
        return ()

    samples: ClassVar = []


@register
class PlaceholderWithDefault(Op):
    """A value that may be fed; else the input's."""

    may_be_fed: ClassVar = True
    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"dtype": "input"}
    shape: Shape | None = attr("shape", None)

    def infer(self, x: Spec) -> Spec:
        if self.shape is not None and x.shape is not None and len(self.shape) != len(x.shape):
            raise ValueError(
                f"the default has rank {len(x.shape)}, but the shape {self.shape} has rank {len(self.shape)}"
            )
        if self.shape is not None and x.shape is not None:
            for axis, (given, wanted) in enumerate(zip(x.shape, self.shape, strict=True)):
                if isinstance(given, int) and isinstance(wanted, int) and given != wanted:
                    raise ValueError(f"axis {axis} of the default of shape {text(x.shape)} has size {given}, but "
                                     f"'shape' says {wanted}")
        return Spec(x.dtype, self.shape if self.shape is not None else None)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def grad(self, g: GradientBuilder, node: Any, dy: Any) -> tuple[Any]:
        return (dy,)

    samples: ClassVar = []
