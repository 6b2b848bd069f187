"""Rows of a variable written by index: ScatterUpdate, ScatterAdd and their kin, TF 1's ops on reference variables.

Rows are written in the order of the indices. `updates` may be a scalar, which counts for every row.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphc.ir.elementwise import check_dtype
from graphc.ir.op import OPS, Composite, Effect, Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.training.rows import _RowsInside, _ScatterRows, check_indices, check_rows

_TWICE = np.array([1, 3, 1, 0], np.int32)


def _samples(low: float = -1.0) -> list[Sample]:
    cases = (((5, 3), _TWICE, (4, 3)), ((4,), _TWICE.astype(np.int64), (4,)), ((4, 2), _TWICE.reshape(2, 2), (2, 2, 2)),
             ((5, 3), _TWICE, ()), ((5, 3), np.array(2, np.int64), (3,)), ((5, 3), _TWICE[:0], (0, 3)))
    return [Sample({}, case, gradient=False, low=low) for case in cases]


@dataclass(frozen=True)
class _Scatter(Composite):
    operands = ("ref", "indices", "updates")
    results = ("output_ref",)
    types: ClassVar = {"T": "ref", "Tindices": "indices"}
    refs = ("ref",)
    effect = Effect.WRITE
    combine: ClassVar[str]
    kind: ClassVar[str] = "wide"
    use_locking: bool = attr("bool", False)

    def infer(self, ref: Spec, indices: Spec, updates: Spec) -> Spec:
        check_dtype(self, "ref", ref.dtype, self.kind)
        check_indices(self, indices)
        if updates.dtype != ref.dtype:
            raise TypeError(f"the variable has dtype {ref.dtype.name}, but the updates {updates.dtype.name}; cast them "
                            "(gc.cast)")
        if updates.shape != ():
            check_rows(ref.shape, indices.shape, updates.shape, "updates")
        return ref

    def reference(self, ref: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> Any:
        rows = np.broadcast_to(updates, (*indices.shape, *ref.shape[1:]))
        result = ref.copy()
        for place in np.ndindex(indices.shape):
            result[indices[place]] = self.combined(result[indices[place]], rows[place])
        return result

    def combined(self, old: Any, new: Any) -> Any:
        raise NotImplementedError(f"{self.type}.combined")

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        ref, indices, updates = inputs
        inside = emit(_RowsInside(ref.spec.shape[0]), indices)
        if updates.spec.shape == ():
            updates = emit(OPS.make("BroadcastTo", shape=(*indices.spec.shape, *ref.spec.shape[1:])), updates)
        return (emit(_ScatterRows(self.combine), ref, inside, updates),)


@register
class ScatterUpdate(_Scatter):
    """ref[indices] = updates; of equal indices the last one stays."""

    combine = "set"
    kind = "any"
    use_locking: bool = attr("bool", True)
    samples = _samples()

    def combined(self, old: Any, new: Any) -> Any:
        return new


@register
class ScatterAdd(_Scatter):
    """ref[indices] += updates"""

    combine = "add"
    samples = _samples()

    def combined(self, old: Any, new: Any) -> Any:
        return old + new


@register
class ScatterSub(_Scatter):
    """ref[indices] -= updates"""

    combine = "sub"
    samples = _samples()

    def combined(self, old: Any, new: Any) -> Any:
        return old - new


@register
class ScatterMul(_Scatter):
    """ref[indices] *= updates"""

    combine = "mul"
    samples = _samples()

    def combined(self, old: Any, new: Any) -> Any:
        return old * new


@register
class ScatterDiv(_Scatter):
    """ref[indices] /= updates"""

    combine = "div"
    kind = "floating"
    samples = _samples(0.5)

    def combined(self, old: Any, new: Any) -> Any:
        return old / new


@register
class ScatterMin(_Scatter):
    """ref[indices] = min(ref[indices], updates)"""

    combine = "min"
    samples = _samples()

    def combined(self, old: Any, new: Any) -> Any:
        return np.minimum(old, new)


@register
class ScatterMax(_Scatter):
    """ref[indices] = max(ref[indices], updates)"""

    combine = "max"
    samples = _samples()

    def combined(self, old: Any, new: Any) -> Any:
        return np.maximum(old, new)
