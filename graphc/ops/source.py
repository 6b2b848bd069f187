"""Where values come from: constants and placeholders."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.graph import get_default_graph
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import VALUE_LIMIT, Shape, Spec
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import as_shape
from graphc.ops.build import apply
from graphc.ops.values import to_array


@register
class Const(Op):
    """A known array. `value` is never written to."""

    results = ("output",)
    value: np.ndarray = attr("tensor")
    dtype: DType = attr("type")

    def infer(self) -> Spec:
        spec = Spec(self.dtype, self.value.shape)
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

    def grad(self, node: Any, *dys: Any) -> tuple[()]:
        return ()

    samples: ClassVar = [Sample({"value": np.array([[1.0, -2.5, 3.0]], np.float32), "dtype": float32})]


def _bytes(array: np.ndarray) -> Any:
    # Compared by bits: 0.0 and -0.0 are two constants, and a NaN equals itself.
    return tuple(array.ravel()) if array.dtype == object else array.tobytes()


def const_of(array: np.ndarray, name: str = "Const") -> Tensor:
    """A Const operation of a copy of `array` in the default graph."""
    own = np.array(array, order="C", copy=True)
    own.setflags(write=False)
    return get_default_graph().create(Const(own, as_dtype(own.dtype)), [], name=name).outputs[0]


def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> Tensor:
    """A tensor of known values, as `tf.constant`.

    Arrays keep their dtype, Python floats give float32, Python ints int32. shape: fewer values are filled up with the
    last one, unless verify_shape. Raises TypeError if the values do not convert, ValueError if they do not fit the
    shape.
    """
    array = to_array(value, None if dtype is None else as_dtype(dtype), None if verify_shape else shape)
    if verify_shape and shape is not None and not as_shape(shape).is_compatible_with(array.shape):
        raise TypeError(f"Expected Tensor's shape: {tuple(as_shape(shape).as_list())}, got {array.shape}.")
    return const_of(array, name)


@register
class Placeholder(Op):
    """A value fed at each run. Unknown sizes in `shape` are symbols, each its own; None: unknown rank."""

    results = ("output",)
    dtype: DType = attr("type")
    shape: Shape | None = attr("shape", None)

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape)

    def grad(self, node: Any, *dys: Any) -> tuple[()]:
        return ()

    samples: ClassVar = []


def symbolic_shape(shape: Any, name: str) -> Shape | None:
    """A user's shape with a new symbol for each unknown size."""
    sizes = as_shape(shape).sizes
    if sizes is None:
        return None
    return tuple(dims.symbol(f"{name}.{i}", ("size", i)) if s is None else s for i, s in enumerate(sizes))


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor to be fed at each run, as `tf.placeholder`. Unknown sizes are None; shape None: any rank."""
    result: Tensor = apply(Placeholder, name=name, dtype=as_dtype(dtype),
                           shape=symbolic_shape(shape, name or "Placeholder"))
    return result


@register
class PlaceholderWithDefault(Op):
    """A value that may be fed; else the input's."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"dtype": "input"}
    shape: Shape | None = attr("shape", None)

    def infer(self, x: Spec) -> Spec:
        if self.shape is not None and x.shape is not None and len(self.shape) != len(x.shape):
            raise ValueError(
                f"the default has rank {len(x.shape)}, but the shape {self.shape} has rank {len(self.shape)}"
            )
        return Spec(x.dtype, self.shape if self.shape is not None else None)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def grad(self, node: Any, dy: Any) -> tuple[Any]:
        return (dy,)

    samples: ClassVar = []


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """`input`, unless something is fed in its place, as `tf.placeholder_with_default`."""
    result: Tensor = apply(PlaceholderWithDefault, input, name=name,
                           shape=symbolic_shape(shape, name or "PlaceholderWithDefault"))
    return result
