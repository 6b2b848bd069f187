"""Values known while compiling (Spec.value), and what may be said of symbolic sizes."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.access import Access, row_major
from graphc.ir.dims import Size, nonnegative
from graphc.ir.op import Op
from graphc.ir.spec import VALUE_LIMIT, Shape, Spec, require_less_equal


def with_moved_value(op: Op, spec: Spec, *inputs: Spec) -> Spec:
    """`spec` with its value, if all inputs' values are known and `op` only moves elements: its NumPy meaning moves
    sizes too."""
    if not spec.dtype.is_integer or spec.shape is None:
        return spec
    if isinstance(op, Op) and op.sizes():
        return spec                          # which elements are moved is known only while running
    arrays: list[Any] = [value_array(x) for x in inputs]
    if any(a is None for a in arrays) or not all(isinstance(s, int) for s in spec.shape):
        return spec
    if dims.product(spec.shape) > VALUE_LIMIT:  # type: ignore[operator]
        return spec
    # A scalar result of NumPy on objects is the bare element: asarray makes it an array again.
    return spec.with_value(np.array(op.reference(*arrays), dtype=object).ravel().tolist())


def value_array(spec: Spec) -> np.ndarray | None:
    """The known value as an array of Sizes in the tensor's shape, or None."""
    if spec.value is None or spec.shape is None:
        return None
    array = np.empty(len(spec.value), dtype=object)
    array[:] = spec.value
    return array.reshape(spec.shape)  # type: ignore[arg-type]


def require_nonnegative(sizes: Sequence[Size], message: str) -> None:
    """Says that each of `sizes` must be 0 or more: they may be elements of a tensor, known only while running."""
    for size in sizes:
        if not nonnegative(size):
            require_less_equal(0, size, message)


def own_symbol(op: Op, name: str) -> dims.Size:
    """A size that only running `op` tells; the same symbol each time this op object is asked."""
    found = op.__dict__.get(f"_{name}")
    if found is None:
        found = dims.symbol(f"{op.type}.{name}", ("runtime", name))
        object.__setattr__(op, f"_{name}", found)
    result: dims.Size = found
    return result


def regrouped(access: Access, shape: Sequence[Size]) -> Access:
    """A whole access of a result under another shape of as many elements."""
    return replace(access, shape=tuple(shape), strides=row_major(shape))


def known_ints(values: Sequence[Any], what: str) -> tuple[int, ...]:
    """Raises ValueError unless all values are known ints."""
    for value in values:
        if not isinstance(value, (int, np.integer)):
            raise ValueError(f"{what} must be known while the graph is built, but holds {value}; give it as a constant")
    return tuple(int(v) for v in values)


def known_shape(x: Any) -> Shape | None:
    """The Spec shape of a Tensor if all of its sizes are ints."""
    shape: Shape | None = x.spec.shape
    return shape if shape is not None and all(isinstance(s, int) for s in shape) else None
