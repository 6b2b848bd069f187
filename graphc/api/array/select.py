"""Choice between two tensors, element by element."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType
from graphc.ir.tensor import Tensor
from graphc.ops.array.gather import Where
from graphc.ops.array.select import Select, SelectV2


def select(condition: Any, x: Any, y: Any, name: str | None = None) -> Tensor:
    """x where condition, else y, without broadcasting (TF 1's `tf.where` with three arguments)."""
    x, y = _one_dtype(x, y)
    result: Tensor = apply(Select, condition, x, y, name=name)
    return result


@public("where_v2")
def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """x where condition, else y, all three broadcast; without x and y the indices of the true elements, as of
    `gc.where`.

    x, y: of one dtype; a Python number beside a tensor takes the tensor's. Both are computed. Raises ValueError if
    shapes do not broadcast or only one of x and y is given, TypeError for a condition that is not bool and if x and y
    differ in dtype. As `tf.where_v2`.

    >>> x = gc.constant([[1., -2.], [-3., 4.]])
    >>> gc.where_v2(x > 0., x, 0.).eval()
    array([[1., 0.],
           [0., 4.]], dtype=float32)
    """
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is None:
        result: Tensor = apply(Where, condition, name=name)
        return result
    x, y = _one_dtype(x, y)
    result = apply(SelectV2, condition, x, y, name=name)
    return result


def _one_dtype(x: Any, y: Any) -> tuple[Any, Any]:
    """A number beside a tensor takes the tensor's dtype."""
    dtype: DType | None = None
    for value in (x, y):
        if is_tensor_like(value):
            dtype = dtype or convert_to_tensor(value).dtype
    return tuple(v if is_tensor_like(v) or dtype is None else convert_to_tensor(v, dtype) for v in (x, y))  # type: ignore
