"""Variables' ops that write some of the rows: ScatterUpdate, ScatterAdd, ..., ScatterNdUpdate, ...

Each is a check of the indices, which may end the run, and then an update that cannot fail: so it may be done in the
variable's own memory, in the time of the rows (ADR 6).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float64, int32
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import OPS, Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.array.gather_nd import TUPLES
from graphc.ops.array.scatter import CHANGED, _CheckedIndices, _Scattered, check_updates, scattered, slice_shape
from graphc.ops.state.state import Update


def _check_dtypes(op: Op, how: str, ref: Spec, indices: Spec, updates: Spec) -> None:
    check_dtype(op, "indices", indices.dtype, "index")
    check_dtype(op, "ref", ref.dtype, CHANGED[how])
    if ref.dtype != updates.dtype:
        raise TypeError(f"the variable has dtype {ref.dtype.name}, but argument 'updates' {updates.dtype.name}; "
                        "cast the updates (gc.cast)")


class _Scatter(Update):
    """ref[indices[i, ..., j]] op= updates[i, ..., j], one after the other: what the kinds share."""

    operands = ("ref", "indices", "updates")
    types: ClassVar = {"T": "ref", "Tindices": "indices"}
    how: ClassVar[str]

    def infer(self, ref: Spec, indices: Spec, updates: Spec) -> Spec:
        _check_dtypes(self, self.how, ref, indices, updates)
        if ref.shape == ():
            raise ValueError("the variable is a scalar, which has no rows")
        if ref.shape is None or indices.shape is None or updates.shape in (None, ()):
            return ref
        wanted = (*indices.shape, *ref.shape[1:])
        message = (f"argument 'updates' of shape {text(updates.shape)} must have shape {text(wanted)}, that of "
                   f"indices and then of a row of the variable {text(ref.shape)}, or be a scalar")
        if len(wanted) != len(updates.shape or ()):
            raise ValueError(message)
        for a, b in zip(wanted, updates.shape or (), strict=True):
            require_equal(a, b, message)
        return ref

    def reference(self, ref: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        return scattered(self.how, ref, indices[..., None], np.broadcast_to(updates, (*indices.shape, *ref.shape[1:])))

    def expand(self, emit: Callable[..., Any], ref: Any, indices: Any, updates: Any) -> Any:
        count, row = dims.product(indices.spec.shape), ref.spec.shape[1:]
        tuples = emit(OPS.make("Reshape", shape=(count, 1)), indices)
        whole = (count, *row)
        if not updates.spec.shape:
            updates = emit(OPS.make("BroadcastTo", shape=whole), updates)
        rows = emit(OPS.make("Reshape", shape=whole), updates)
        checked = emit(_CheckedIndices(ref.spec.shape[:1]), tuples)
        return (emit(_scattered(self.how, ref.spec), ref, checked, rows),)


class _ScatterNd(Update):
    """ref at each index tuple in the last axis of indices op= updates, one after the other: what the kinds share."""

    operands = ("ref", "indices", "updates")
    types: ClassVar = {"T": "ref", "Tindices": "indices"}
    how: ClassVar[str]

    def infer(self, ref: Spec, indices: Spec, updates: Spec) -> Spec:
        _check_dtypes(self, self.how, ref, indices, updates)
        check_updates(self, indices, updates, ref.shape, "the variable")
        return ref

    def reference(self, ref: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        return scattered(self.how, ref, indices, updates)

    def expand(self, emit: Callable[..., Any], ref: Any, indices: Any, updates: Any) -> Any:
        depth = len(indices.spec.shape) - 1 + len(ref.spec.shape) - len(updates.spec.shape)
        checked = emit(_CheckedIndices(ref.spec.shape[:depth]), indices)
        return (emit(_scattered(self.how, ref.spec), ref, checked, updates),)


def _scattered(how: str, ref: Spec) -> Op:
    """An integer that divides may be 0: then the run ends, so the values are computed aside."""
    return _Divided(how) if how == "div" and ref.dtype.is_integer else _Scattered(how)


@register
class _Divided(_Scattered):
    """As _Scattered, for integers that divide."""

    checks_data = True
    overwrites = None
    samples: ClassVar = [Sample({"how": "div"}, ((5, 3), np.array([[4], [0], [4]], np.int32), (3, 3)), (int32, None,
                                                                                                        int32),
                                gradient=False, low=1, high=3)]


def _rows(low: float = -1.0, high: float = 1.0) -> list[Sample]:
    return [Sample({}, (s, i.astype(t), (*i.shape, *s[1:]) if u is None else u), (d, None, d), gradient=False, low=low,
                   high=high)
            for s, i, t, d, u in (
                ((5, 3), np.array([[4, 0], [2, 2]]), np.int32, None, None), ((7,), np.array(3), np.int64, float64,
                                                                             None),
                ((4, 2, 3), np.array([1, 1, 3, 1]), np.int32, None, None), ((5, 2), np.array([0, 4]), np.int32, int32,
                                                                            ()),
                ((5, 3), np.zeros((0,)), np.int32, None, None))]


def _tuples() -> list[Sample]:
    return [Sample({}, (s, i.astype(t), slice_shape(i, s)), (d, None, d), gradient=False)
            for n, (i, s) in enumerate(TUPLES) for d, t in (((None, np.int32), (float64, np.int64))[n % 2],)]


@register
class ScatterUpdate(_Scatter):
    """ref[indices[i, ..., j]] = updates[i, ..., j]; of several for one row the last one counts."""

    moves = True
    how: ClassVar[str] = "update"
    use_locking: bool = attr("bool", True)
    samples: ClassVar = _rows()


@register
class ScatterAdd(_Scatter):
    """ref[indices[i, ..., j]] += updates[i, ..., j]."""

    how: ClassVar[str] = "add"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _rows()


@register
class ScatterSub(_Scatter):
    """ref[indices[i, ..., j]] -= updates[i, ..., j]."""

    how: ClassVar[str] = "sub"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _rows()


@register
class ScatterMul(_Scatter):
    """ref[indices[i, ..., j]] *= updates[i, ..., j]."""

    how: ClassVar[str] = "mul"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _rows()


@register
class ScatterDiv(_Scatter):
    """ref[indices[i, ..., j]] /= updates[i, ..., j]; integers towards zero."""

    how: ClassVar[str] = "div"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _rows(1, 3)


@register
class ScatterMin(_Scatter):
    """ref[indices[i, ..., j]] = the smaller one of it and updates[i, ..., j]."""

    how: ClassVar[str] = "min"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _rows()


@register
class ScatterMax(_Scatter):
    """ref[indices[i, ..., j]] = the larger one of it and updates[i, ..., j]."""

    how: ClassVar[str] = "max"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _rows()


@register
class ScatterNdUpdate(_ScatterNd):
    """The slices of ref at the index tuples become updates; of several for one place the last one counts."""

    moves = True
    how: ClassVar[str] = "update"
    use_locking: bool = attr("bool", True)
    samples: ClassVar = _tuples()


@register
class ScatterNdAdd(_ScatterNd):
    """updates are added to the slices of ref at the index tuples."""

    how: ClassVar[str] = "add"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _tuples()


@register
class ScatterNdSub(_ScatterNd):
    """updates are subtracted from the slices of ref at the index tuples."""

    how: ClassVar[str] = "sub"
    use_locking: bool = attr("bool", False)
    samples: ClassVar = _tuples()
