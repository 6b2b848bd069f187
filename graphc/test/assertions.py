"""Assertions about arrays; tensors among what they compare are evaluated first."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import graphc as gc

LISTED = 10       # elements at fault that a message shows


class ArrayAssertions:
    """For a unittest.TestCase with `evaluate`."""

    def _array(self, value: Any) -> np.ndarray:
        """As an array; object arrays for lists of unequal lengths."""
        value = self.evaluate(value) if gc.is_tensor(value) else value  # type: ignore[attr-defined]
        try:
            return np.asarray(value)
        except ValueError:
            return np.asarray(value, dtype=object)

    def _arrays(self, a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
        """Two tensors are evaluated in one run."""
        if gc.is_tensor(a) and gc.is_tensor(b):
            a, b = self.evaluate((a, b))  # type: ignore[attr-defined]
        return self._array(a), self._array(b)

    # Equal

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """The same shape, and equal elements; NaN equals NaN."""
        a, b = self._arrays(a, b)
        self._same_shape(a, b, msg)
        a, b = _as_bytes(a, b)
        same = np.asarray(a == b)
        if a.dtype.kind in "fc" and b.dtype.kind in "fc":
            same |= np.isnan(a) & np.isnan(b)
        if not np.all(same):
            raise AssertionError(_difference(msg, "not equal", a, b, ~same))

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        self._must_fail(lambda: self.assertAllEqual(a, b), "The two values are equal at all elements.", msg)

    def _same_shape(self, a: np.ndarray, b: np.ndarray, msg: str | None) -> None:
        if a.shape != b.shape:
            shown = f" with contents {b!r}" if b.size < 500 else ""
            raise AssertionError(f"Shape mismatch: expected {a.shape}, got {b.shape}{shown}. {msg or ''}")

    def _must_fail(self, check: Any, text: str, msg: str | None) -> None:
        try:
            check()
        except AssertionError:
            return
        raise AssertionError(f"{text} {msg or ''}")

    # Close

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """The same structure (dicts, lists, namedtuples) and shapes; elements differ by no more than atol + rtol * |b|.
        """
        self._all_close(a, b, rtol, atol, msg, "")

    def _all_close(self, a: Any, b: Any, rtol: float, atol: float, msg: str | None, path: str) -> None:
        a, b = (x._asdict() if hasattr(x, "_asdict") else x for x in (a, b))
        if isinstance(a, Mapping) != isinstance(b, Mapping):
            raise ValueError(f"Can't compare dict to non-dict, a{path} vs b{path}. {msg or ''}")
        if isinstance(a, Mapping):
            if set(a) != set(b):
                raise AssertionError(f"mismatched keys: a{path} has {sorted(a)}, but b{path} has {sorted(b)}. "
                                     f"{msg or ''}")
            for key in a:
                self._all_close(a[key], b[key], rtol, atol, msg, f"{path}[{key}]")
        elif isinstance(a, (list, tuple)) and not self._is_array_like(a, b):
            if len(a) != len(b):
                raise ValueError(f"Mismatched length: a{path} has {len(a)} items, but b{path} has {len(b)}. "
                                 f"{msg or ''}")
            for i, (x, y) in enumerate(zip(a, b, strict=True)):
                self._all_close(x, y, rtol, atol, msg, f"{path}[{i}]")
        else:
            self._arrays_close(*self._arrays(a, b), rtol, atol, f"a{path} and b{path} differ. {msg or ''}")

    def _is_array_like(self, a: Any, b: Any) -> bool:
        """Whether both become arrays of numbers as a whole."""
        if any(gc.is_tensor(x) or isinstance(x, Mapping) for x in a):
            return False
        return all(self._array(x).dtype.kind != "O" for x in (a, b))

    def _arrays_close(self, a: np.ndarray, b: np.ndarray, rtol: float, atol: float, msg: str) -> None:
        self._same_shape(a, b, msg)
        close = np.isclose(a, b, rtol, atol, equal_nan=True)
        if not np.all(close):
            raise AssertionError(_difference(msg, f"not close (rtol={rtol}, atol={atol})", a, b, ~close))

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        self._must_fail(lambda: self.assertAllClose(a, b, rtol, atol), "The two values are close at all elements.", msg)

    def assertAllCloseAccordingToType(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6,
                                      float_rtol: float = 1e-6, float_atol: float = 1e-6, half_rtol: float = 1e-3,
                                      half_atol: float = 1e-3, bfloat16_rtol: float = 1e-2,
                                      bfloat16_atol: float = 1e-2, msg: str | None = None) -> None:
        """assertAllClose with the tolerance of the narrower dtype."""
        a, b = self._arrays(a, b)
        for names, relative, absolute in ((("float32", "complex64"), float_rtol, float_atol),
                                          (("float16",), half_rtol, half_atol),
                                          (("bfloat16",), bfloat16_rtol, bfloat16_atol)):
            if a.dtype.name in names or b.dtype.name in names:
                rtol, atol = max(rtol, relative), max(atol, absolute)
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNear(self, f1: Any, f2: Any, err: float, msg: str | None = None) -> None:
        """Two numbers differ by no more than err."""
        if not (f1 == f2 or abs(f1 - f2) <= err):
            raise AssertionError(f"{f1} != {f2} +/- {err} (difference: {abs(f1 - f2)}) {msg or ''}")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: str | None = None) -> None:
        """Two vectors of numbers, element by element."""
        self._same_shape(np.asarray(farray1), np.asarray(farray2), msg)
        for x, y in zip(farray1, farray2, strict=True):
            self.assertNear(float(x), float(y), err, msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None) -> None:
        """The norm of the difference is below err."""
        distance = np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2))
        if not distance < err:
            raise AssertionError(f"the norm of the difference is {distance}, not below {err} {msg or ''}")

    # Ranges

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        self._all(a, np.greater, comparison_target, "greater than")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        self._all(a, np.less, comparison_target, "less than")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        self._all(a, np.greater_equal, comparison_target, "greater than or equal to")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        self._all(a, np.less_equal, comparison_target, "less than or equal to")

    def _all(self, a: Any, holds: Any, bound: Any, text: str) -> None:
        a = self._array(a)
        wrong = ~np.asarray(holds(a, bound))
        if np.any(wrong):
            raise AssertionError(f"{np.sum(wrong)} of {a.size} elements are not {text} {bound}:\n{_listed(a, wrong)}")

    def assertAllInRange(self, target: Any, lower_bound: Any, upper_bound: Any, open_lower_bound: bool = False,
                         open_upper_bound: bool = False) -> None:
        """All elements, which must be numbers and not NaN, are in the interval."""
        a = self._array(target)
        if a.dtype.kind not in "iuf":
            raise AssertionError(f"The value of {target} does not have an ordered numeric type, but {a.dtype}")
        inside = (a > lower_bound if open_lower_bound else a >= lower_bound) & (
            a < upper_bound if open_upper_bound else a <= upper_bound)
        if not np.all(inside):
            interval = f"{'([' [not open_lower_bound]}{lower_bound}, {upper_bound}{')]'[not open_upper_bound]}"
            raise AssertionError(f"{np.sum(~inside)} of the {a.size} element(s) are outside the range {interval}:\n"
                                 f"{_listed(a, ~inside)}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """All elements are in the set."""
        odd = np.setdiff1d(self._array(target).ravel(), list(expected_set))
        if odd.size:
            raise AssertionError(f"{odd.size} unique element(s) are not in the set {expected_set}: {odd}")

    # Shapes and dtypes

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: str | None = None) -> None:
        """The static shape of the tensor is the array's."""
        shapes = [x.get_shape().as_list() if gc.is_tensor(x) else list(np.shape(x)) for x in (np_array, tf_tensor)]
        if shapes[0] != shapes[1]:
            raise AssertionError(f"shapes differ: {shapes[0]} and {shapes[1]} {msg or ''}")

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """The dtype of the value."""
        found = self._array(target).dtype
        if found != expected_dtype:
            raise AssertionError(f"the dtype is {found}, not {expected_dtype}")


def _as_bytes(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """str and bytes compare as bytes."""
    if not {a.dtype.kind, b.dtype.kind} & {"U", "S", "O"}:
        return a, b
    encode = np.vectorize(lambda x: x.encode() if isinstance(x, str) else x, otypes=[object])
    return tuple(encode(x) if x.size else x for x in (a, b))  # type: ignore[return-value]


def _difference(msg: str | None, what: str, a: np.ndarray, b: np.ndarray, wrong: np.ndarray) -> str:
    places = np.argwhere(wrong)
    lines = [msg or "", f"{what} at {len(places)} of {a.size} elements, where = {places[:LISTED].tolist()}",
             f"lhs = {a[wrong][:LISTED]}", f"rhs = {b[wrong][:LISTED]}"]
    if a.dtype.kind in "fciu" and b.dtype.kind in "fciu":
        lines.append(f"dif = {np.abs(np.subtract(a, b, dtype=np.result_type(a, b, np.float32)))[wrong][:LISTED]}")
    return "\n".join([*lines, f"dtype = {a.dtype}, shape = {a.shape}"])


def _listed(a: np.ndarray, wrong: np.ndarray) -> str:
    places = np.argwhere(wrong)
    lines = [f"  {place.tolist()} : {a[tuple(place)]}" for place in places[:LISTED]]
    return "\n".join([*lines, *(["  ..."] if len(places) > LISTED else [])])
