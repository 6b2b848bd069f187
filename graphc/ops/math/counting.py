"""How often numbers occur: Bincount, HistogramFixedWidth; and where they belong in a sorted row: LowerBound,
UpperBound."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_kind, check_rank
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.widened import in_order

_NUMBERS = np.array([[1, 5, 1], [0, 7, 5]], np.int32)


@register
class Bincount(Op):
    """How often each of the integers from 0 to size - 1 occurs in arr; with weights: the sum of those. Larger integers
    are left out, smaller ones refused."""

    checks_data = True
    refusal = "Input arr must be non-negative! Element {1} is {0}"
    operands = ("arr", "size", "weights")
    results = ("bins",)
    types: ClassVar = {"T": "weights"}
    size: Size = operand_field("int")
    samples: ClassVar = [
        *(
            Sample({"size": n}, (_NUMBERS, np.zeros(0, t)), gradient=False)
            for n, t in ((8, np.int32), (6, np.int64), (3, np.float32), (0, np.float64))
        ),
        *(
            Sample({"size": 6}, (_NUMBERS, (2, 3)), (None, d), gradient=False, low=-9, high=9)
            for d in (float32, float64, int32, int64)
        ),
        Sample({"size": 4}, (np.zeros(0, np.int32), np.zeros(0, np.float32)), gradient=False),
    ]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, *inputs: Spec) -> Spec:
        arr, weights = inputs
        check_dtype(self, "weights", weights.dtype, "wide")
        if arr.dtype != int32:
            raise TypeError(f"argument 'arr' must be int32, but is {arr.dtype.name}; cast it (gc.cast)")
        if isinstance(self.size, int) and self.size < 0:
            raise ValueError(f"size must not be negative, but is {self.size}")
        require_nonnegative([self.size], "size must not be negative")
        counts = [dims.product(s.shape) if s.shape is not None else None for s in (arr, weights)]
        if all(isinstance(c, int) for c in counts) and counts[1] not in (0, counts[0]):
            raise ValueError(
                f"weights must have the shape of arr or no elements, but have {text(weights.shape)}, and arr "
                f"{text(arr.shape)}"
            )
        return Spec(weights.dtype, (self.size,))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        arr, weights = (v.ravel() for v in inputs)
        if (arr < 0).any():
            raise InvalidArgumentError("Input arr must be non-negative!")
        bins = np.zeros(self.size, weights.dtype)  # type: ignore[arg-type]
        inside = arr < self.size  # type: ignore[operator]
        np.add.at(bins, arr[inside], weights[inside] if weights.size else weights.dtype.type(1))
        return bins

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        arr, weights = inputs
        b.call("bincount", [arr, weights, outputs[0]], dims=[arr.elements, weights.elements, self.size])


@register
class HistogramFixedWidth(Op):
    """How many of values fall into each of nbins equal parts of value_range; those outside count in the outer ones."""

    checks_data = True
    refusal = "value_range must be ascending"
    operands = ("values", "value_range", "nbins")
    results = ("out",)
    types: ClassVar = {"T": "values"}
    nbins: Size = operand_field("int")
    dtype: DType = attr("type", int32)
    samples: ClassVar = [
        Sample({"nbins": n, "dtype": d}, (np.array(v, t), np.array(r, t)), gradient=False)
        for n, d, v, r, t in (
            (5, int32, [-1, 0, 1.5, 2, 5, 15], [0, 5], np.float32),
            (4, int64, [[-1, 0], [1.5, 2]], [-1, 2], np.float64),
            (3, int32, [], [0, 1], np.float32),
            (3, int32, [1, 2, 3, 9, -4], [0, 6], np.int32),
            (1, int64, [1, 2], [0, 6], np.int64),
        )
    ]

    def infer(self, *inputs: Spec) -> Spec:
        bounds = inputs[1]
        check_kind(self, inputs, "wide")
        same_dtypes(self, inputs)
        check_dtype(self, "dtype", self.dtype, "index")
        check_rank("value_range", bounds, 1)
        if bounds.shape is not None:
            require_equal(bounds.shape[0], 2, f"value_range must have two elements, but has shape {text(bounds.shape)}")
        if isinstance(self.nbins, int) and self.nbins <= 0:
            raise ValueError(f"nbins should be a positive number, but got '{self.nbins}'")
        require_nonnegative([self.nbins - 1], "nbins must be positive")
        return Spec(self.dtype, (self.nbins,))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        values, (low, high) = inputs[0].ravel(), inputs[1]
        if not low < high:
            raise InvalidArgumentError(f"{self.refusal}: {low} and {high}")
        step = (float(high - low)) / float(self.nbins)  # type: ignore[arg-type]
        places = np.minimum((np.maximum(values, low) - low).astype(np.float64) / step, self.nbins - 1)
        places = np.where(np.isnan(places), 0, places)
        return np.bincount(places.astype(np.int64), minlength=int(self.nbins)).astype(self.dtype.numpy)  # type: ignore

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        values, bounds = inputs
        low, high = (bounds.select(0, i) for i in (0, 1))
        places = b.temporary(int32, values.shape)

        def place(s: Any, v: Any, first: Any, last: Any, parts: Any) -> Any:
            number = s.cast(parts, float64)
            step = s("div", s.cast(s("sub", last, first), float64), number)
            at = s("div", s.cast(s("sub", s("max", v, first), first), float64), step)
            inside = s("min", at, s("sub", number, s.constant(1, float64)))
            ordered = s("less", first, last)
            return s("select", ordered, s.cast(inside, int32), s.constant(-1, int32))

        size = b.temporary(int64, ())
        b.store_sizes([self.nbins], size)
        b.elementwise(place, [values, low, high, size], [places])
        none = b.temporary(self.dtype, (0,))
        b.fill(none, 0)
        b.call("bincount", [places, none, outputs[0]], dims=[places.elements, 0, self.nbins])


class _Bound(Op):
    operands = ("sorted_inputs", "values")
    types: ClassVar[dict[str, str]] = {"T": "sorted_inputs"}
    results = ("output",)
    upper: ClassVar[bool]
    out_type: DType

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.out_type,)

    def infer(self, *inputs: Spec) -> Spec:
        row, values = inputs
        check_kind(self, inputs, "number")
        same_dtypes(self, inputs)
        check_dtype(self, "out_type", self.out_type, "index")
        check_rank("sorted_inputs", row, 2)
        check_rank("values", values, 2)
        if row.shape is None or values.shape is None:
            return Spec(self.out_type, values.shape)
        rows = require_equal(
            row.shape[0],
            values.shape[0],
            f"sorted_inputs of shape {text(row.shape)} and values of shape {text(values.shape)} must have "
            "the same number of rows",
        )
        return Spec(self.out_type, (rows, values.shape[1]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        side: Any = "right" if self.upper else "left"
        found = [_bisected(row, values, side) for row, values in zip(*inputs, strict=True)]
        return np.array(found, self.out_type.numpy).reshape(inputs[1].shape)

    def grad(self, g: Any, node: Any, dy: Any) -> list[Any]:
        return [None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        row, values = inputs
        b.call(
            "search_sorted",
            [in_order(b, row), in_order(b, values), outputs[0]],
            dims=[row.shape[0], row.shape[1], values.shape[1]],
            attrs=[int(self.upper)],
        )


def _bisected(row: np.ndarray, values: np.ndarray, side: Any) -> np.ndarray:
    """A NaN is less than nothing and nothing is less than it: it stands in front of all, or after all."""
    return np.where(values == values, np.searchsorted(row, values, side), 0 if side == "left" else len(row))


_ROW = np.sort(np.random.default_rng(0).integers(0, 9, (3, 17)), axis=1)
_SOUGHT = np.random.default_rng(1).integers(-1, 10, (3, 5))
_BOUNDS = [
    Sample({"out_type": o}, (_ROW.astype(t), _SOUGHT.astype(t)), gradient=False)
    for t, o in ((np.float32, int32), (np.float64, int64), (np.int32, int32), (np.int64, int64), (np.int8, int32))
] + [
    Sample({}, (np.zeros((2, 0), np.float32), np.ones((2, 3), np.float32)), gradient=False),
    Sample(
        {}, (np.array([[1, 2, 3]], np.float32), np.array([[np.nan, np.inf, -np.inf, 2]], np.float32)), gradient=False
    ),
]


@register
class LowerBound(_Bound):
    """How many elements of the sorted row are less than each value."""

    upper = False
    out_type: DType = attr("type", int32)
    samples = _BOUNDS


@register
class UpperBound(_Bound):
    """How many elements of the sorted row are not greater than each value."""

    upper = True
    out_type: DType = attr("type", int32)
    samples = _BOUNDS
