"""Bases of the elementwise ops, and what their gradients share.

A concrete op names a scalar primitive of kernels/scalars and the NumPy function that means the same; shapes,
broadcasting, fusion and kernels follow from the kind (ir/op.py). Integers wrap; floating point follows IEEE, without
warnings.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.dtypes import (
    COMPLEX,
    COMPUTED,
    FLOATING,
    INTEGERS,
    NUMERIC,
    QUANTIZED,
    WIDE,
    DType,
    bool_,
    float32,
    float64,
    int32,
    int64,
    string,
    uint64,
)
from graphc.ir.known import value_array
from graphc.ir.op import REFUSED, Elementwise, Sample, Scalars
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal, text

if TYPE_CHECKING:
    pass

SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (3,), (17,), (31,), (65,), (2, 3, 5), (4, 0))
PAIRS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()), ((17,), (17,)), ((65,), ()), ((), (31,)), ((2, 3, 5), (2, 3, 5)), ((2, 3, 5), (5,)), ((3, 1), (1, 7)),
    ((2, 1, 5), (2, 3, 1)), ((0, 3), (1, 3)),
)
KINDS: dict[str, tuple[DType, ...]] = {
    "floating": FLOATING,
    "float32_or_float64": (float32, float64),
    "analytic": (*FLOATING, *COMPLEX),
    "number": (*FLOATING, *INTEGERS),
    "number_in_int64": (*FLOATING, *(d for d in INTEGERS if d != uint64)),
    "numeric": NUMERIC,
    "wide": WIDE,
    "product": (*WIDE, *COMPLEX),
    "integer": INTEGERS,
    "index": (int32, int64),
    "bool": (bool_,),
    "any": COMPUTED,
    "element": (*COMPUTED, *QUANTIZED, string),
    "bits": (*NUMERIC, *QUANTIZED),
    "quantized": QUANTIZED,
    "comparable": (*FLOATING, *INTEGERS, bool_, string),
}
_NUMBERS = {kind: frozenset(d.number for d in dtypes) for kind, dtypes in KINDS.items()}


def check_kind(op: Any, inputs: Sequence[Spec], kind: str) -> None:
    """Raises TypeError unless the dtype of each input is of that kind (see KINDS)."""
    for spec in inputs:
        if spec.dtype.number not in _NUMBERS[kind]:
            fields = op.field_operands()
            for name, given in zip((o for o in op.operands if o not in fields), inputs, strict=False):
                check_dtype(op, name, given.dtype, kind)


def check_dtype(op: Any, name: str, dtype: DType, kind: str) -> None:
    """Raises TypeError unless the dtype of an argument or attribute is of that kind."""
    if dtype.number not in _NUMBERS[kind]:
        names = ", ".join(d.name for d in KINDS[kind])
        raise TypeError(f"argument '{name}' has dtype {dtype.name}, but {op.type} takes {kind} types only ({names}); "
                        "cast it (gc.cast)")


PICTURES = frozenset({"input", "value", "x"})    # operands of ops on batches of pictures


def check_one_string(op: Any, name: str, spec: Spec) -> None:
    """Raises TypeError or ValueError for an operand that is no single string."""
    if spec.dtype != string:
        raise TypeError(f"argument '{name}' must be a string, but has dtype {spec.dtype.name}")
    if spec.shape is not None and spec.shape != ():
        raise ValueError(f"argument '{name}' of {op.type} must be one string, but has shape {text(spec.shape)}; "
                         "gc.map_fn does it for each of many")


def check_rank(name: str, spec: Spec, rank: int) -> None:
    """Raises ValueError if the rank of `spec` is known and another one."""
    if spec.shape is not None and len(spec.shape) != rank:
        hint = "; for a single picture, add a batch axis: gc.expand_dims(x, 0)" if (
            rank == 4 and len(spec.shape) == 3 and name in PICTURES) else ""
        raise ValueError(f"argument '{name}' must have rank {rank}, but its shape is {text(spec.shape)}{hint}")


def _typed_by_first(op: type[Elementwise]) -> None:
    """A subclass that names its operands again (TF's "features") is typed by the first of them."""
    if "operands" in vars(op) and "types" not in vars(op):
        op.types = {"T": op.operands[0]}


@dataclass(frozen=True)
class Unary(Elementwise):
    """y = primitive(x)."""

    operands = ("x",)
    types = {"T": "x"}
    kind: ClassVar[str] = "floating"
    primitive: ClassVar[str]
    function: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        _typed_by_first(cls)

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, self.kind)
        return super().infer(*inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        with np.errstate(all="ignore"):
            return np.asarray(type(self).function(x)).astype((self.output_dtype or _DTypeOf(x)).numpy, copy=False)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s(self.primitive, *x)


@dataclass(frozen=True)
class Binary(Elementwise):
    """z = primitive(x, y), broadcast."""

    operands = ("x", "y")
    results = ("z",)
    types = {"T": "x"}
    kind: ClassVar[str] = "number"
    primitive: ClassVar[str]
    function: ClassVar[Callable[..., Any]]
    sizes_function: ClassVar[Callable[[Size, Size], Size] | None] = None    # the op on sizes known while compiling

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        _typed_by_first(cls)

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, self.kind)
        spec = super().infer(*inputs)
        function = type(self).sizes_function
        return spec if function is None else with_computed_value(function, spec, inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        refuse(self, inputs)
        with np.errstate(all="ignore"):
            result = type(self).function(*inputs)
            return np.asarray(result).astype((self.output_dtype or _DTypeOf(inputs[0])).numpy, copy=False)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s(self.primitive, *x)


class InDouble:
    """Mixed into an op whose primitive is one of float64 only: float32 is cast there and back."""

    primitive: ClassVar[str]

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s.cast(s(self.primitive, *(s.cast(v, float64) for v in x)), s.dtype(x[0]))


def conjugate(s: Scalars, x: Any) -> Any:
    """x, or its conjugate if it is complex: gradients of complex functions are taken in that direction, as in TF."""
    return s("conj", x) if s.dtype(x).is_complex else x


class UnaryGrad(Binary):
    """The gradient of a function, of dy and its operand or result: both have one shape."""

    kind = "floating"

    def infer(self, *inputs: Spec) -> Spec:
        spec, shapes = super().infer(*inputs), [i.shape for i in inputs]
        if shapes[0] is None or shapes[1] is None:
            return spec
        message = f"{self.operands[0]} and {self.operands[1]} must have the same shape"
        if len(shapes[0]) != len(shapes[1]):
            raise ValueError(f"{message}, but have {text(shapes[0])} and {text(shapes[1])}")
        return Spec(spec.dtype, tuple(require_equal(a, b, message) for a, b in zip(*shapes, strict=True)))


def refuse(op: Elementwise, inputs: Sequence[np.ndarray]) -> None:
    """Raises InvalidArgumentError if the last operand holds an integer that the op refuses and a result needs."""
    last = inputs[-1]
    if op.refused is None or last.dtype.kind not in "iu" or 0 in np.broadcast_shapes(*(x.shape for x in inputs)):
        return
    found, message = REFUSED[op.refused]
    if np.any(found(last)):
        raise InvalidArgumentError(message)


@dataclass(frozen=True)
class _DTypeOf:
    """The NumPy dtype of an array under the attribute name that a DType has it."""

    array: np.ndarray

    @property
    def numpy(self) -> np.dtype[Any]:
        return self.array.dtype


def with_computed_value(function: Callable[..., Size], spec: Spec, inputs: Sequence[Spec]) -> Spec:
    """spec with its value, if it is an integer tensor and the inputs' values are known: function of their elements."""
    arrays = [value_array(x) for x in inputs]
    if not spec.dtype.is_integer or spec.shape is None or any(a is None for a in arrays):
        return spec
    try:
        computed = np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object).ravel().tolist()
    except ZeroDivisionError:
        return spec
    fits = all(not isinstance(v, int) or spec.dtype.min <= v <= spec.dtype.max for v in computed)
    return spec.with_value(computed) if fits else spec


def unary_samples(low: float = -2.0, high: float = 2.0, integers: bool = False, **more: Any) -> list[Sample]:
    """One sample a shape of SHAPES in float32, one in float64, and the integer dtypes if the op takes them."""
    made = [Sample({}, (shape,), low=low, high=high, **more) for shape in SHAPES]
    made.append(Sample({}, ((3, 7),), (float64,), low=low, high=high, **more))
    if integers:
        made += [Sample({}, ((17,),), (d,), gradient=False, low=-9, high=9) for d in (int32, int64)]
    return made


def binary_samples(low: float = -2.0, high: float = 2.0, integers: bool = True, **more: Any) -> list[Sample]:
    """One sample a pair of PAIRS in float32, one in float64, and the integer dtypes if the op takes them."""
    made = [Sample({}, pair, low=low, high=high, **more) for pair in PAIRS]
    made.append(Sample({}, ((3, 7), (7,)), (float64, float64), low=low, high=high, **more))
    if integers:
        bounds = (1, 9) if low > 0 else (-9, 9)
        made += [
            Sample({}, ((17,), (17,)), (d, d), gradient=False, low=bounds[0], high=bounds[1]) for d in (int32, int64)
        ]
    return made


def gradient_samples(low: float = -2.0, high: float = 2.0) -> list[Sample]:
    """For ops of two operands that have one shape in every graph: gradient ops."""
    return [Sample({}, (shape, shape), low=low, high=high) for shape in SHAPES]




