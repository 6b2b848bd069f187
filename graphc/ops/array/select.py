"""Choice between two tensors, element by element: SelectV2 and TF 1's Select."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import bool_, float32, float64, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Composite, Elementwise, Permuted, Sample, register
from graphc.ir.spec import Shape, Spec, broadcast_shapes, require_equal, text
from graphc.ir.tensor import Operation

_MASK = np.array([[True, False, True], [False, False, True]])


def _check_dtypes(condition: Spec, x: Spec, y: Spec) -> None:
    if condition.dtype != bool_:
        raise TypeError(f"argument 'condition' must be bool, but is {condition.dtype.name}")
    if x.dtype != y.dtype:
        raise TypeError(
            f"argument 'y' has dtype {y.dtype.name}, but 'x' has {x.dtype.name}; cast one of them (gc.cast)"
        )


def _samples(shapes: Sequence[Any]) -> list[Sample]:
    return [Sample({}, (c, a, b), (bool_, d, d)) for c, a, b in shapes for d in (float32, float64, int64)]


@register
class SelectV2(Elementwise):
    """t where condition, else e; all three broadcast."""

    operands = ("condition", "t", "e")
    results = ("output",)
    types: ClassVar = {"T": "t"}
    same = ("t", "e")
    samples: ClassVar = _samples([(_MASK, (2, 3), (2, 3)), (_MASK, (3,), ()), (_MASK[:, :1], (2, 5), (1, 5)),
                                  (_MASK[:0], (0, 3), (0, 3)), (_MASK[0], (5, 2, 3), (2, 1))])

    def infer(self, condition: Spec, x: Spec, y: Spec) -> Spec:
        check_dtype(self, self.operands[1], x.dtype, "element")
        _check_dtypes(condition, x, y)
        return Spec(x.dtype, broadcast_shapes(condition.shape, x.shape, y.shape))

    def scalar(self, s: Any, condition: Any, x: Any, y: Any) -> Any:
        return s("select", condition, x, y)

    def reference(self, condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(condition, x, y)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        condition, x, y = node.inputs
        z = node.outputs[0]
        nothing = g.zeros_like(dy)
        of_x, of_y = g.select_v2(condition, dy, nothing), g.select_v2(condition, nothing, dy)
        return [None, g.sum_like(of_x, x, z), g.sum_like(of_y, y, z)]


@register
class Select(Composite):
    """t where condition, else e, both of one shape; a condition of rank 1 chooses whole rows, a scalar all of one."""

    operands = ("condition", "t", "e")
    results = ("output",)
    types: ClassVar = {"T": "t"}
    same = ("t", "e")
    samples: ClassVar = _samples([(_MASK, (2, 3), (2, 3)), (_MASK[0], (3, 5), (3, 5)), (np.array(True), (7,), (7,)),
                                  (_MASK[0], (3,), (3,)), (_MASK[0], (3, 2, 5), (3, 2, 5))])

    def infer(self, condition: Spec, x: Spec, y: Spec) -> Spec:
        check_dtype(self, self.operands[1], x.dtype, "element")
        _check_dtypes(condition, x, y)
        if x.shape is None or y.shape is None:
            return Spec(x.dtype, y.shape if x.shape is None else x.shape)
        message = f"shapes {text(x.shape)} of x and {text(y.shape)} of y must be equal"
        shape = _equal(x.shape, y.shape, message)
        if condition.shape:
            message = (
                f"condition of shape {text(condition.shape)} must have the shape {text(x.shape)} of x, or be a vector "
                "of its first size"
            )
            if len(condition.shape) == 1 and shape:
                require_equal(condition.shape[0], shape[0], message)
            else:
                shape = _equal(shape, condition.shape, message)
        return Spec(x.dtype, shape)

    def reference(self, condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(condition.reshape(condition.shape + (1,) * (x.ndim - condition.ndim)), x, y)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        if ranks[0] not in (0, len(perm)) or (ranks[0] == 1 and len(perm) > 1):
            return None
        return Permuted(self, (perm if ranks[0] else None, perm, perm), (perm,))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        condition, x, _ = node.inputs
        nothing = g.zeros_like(x)
        return [None, g.select(condition, dy, nothing), g.select(condition, nothing, dy)]

    def expand(self, emit: Any, condition: Any, x: Any, y: Any) -> Any:
        from graphc.ops.array.shapes import Reshape

        have, want = condition.spec.shape, x.spec.shape
        if have and len(have) < len(want):
            condition = emit(Reshape((*have, *((1,) * (len(want) - len(have))))), condition)
        return emit(SelectV2(), condition, x, y)


def _equal(a: Shape, b: Shape, message: str) -> Shape:
    if len(a) != len(b):
        raise ValueError(message)
    return tuple(require_equal(i, j, message) for i, j in zip(a, b, strict=True))
