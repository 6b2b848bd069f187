"""TensorSpec: the shape and dtype of a tensor that is yet to come."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("TensorSpec", "contrib.framework.TensorSpec")
class TensorSpec:
    """Shape, dtype and name of a tensor. As `tf.TensorSpec`.

    shape: what TensorShape takes. Raises TypeError for what is no dtype. Equal ones are equal, and hash alike.

    >>> spec = gc.TensorSpec([None, 3], gc.float32, name="x")
    >>> spec
    TensorSpec(shape=(?, 3), dtype=gc.float32, name='x')
    >>> spec.is_compatible_with(gc.zeros([2, 3])), spec.is_compatible_with(gc.zeros([2, 4]))
    (True, False)
    >>> gc.TensorSpec.from_tensor(gc.zeros([2], name="z"))
    TensorSpec(shape=(2,), dtype=gc.float32, name='z')
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self._shape, self._dtype, self._name = as_shape(shape), as_dtype(dtype), name

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """The same shape and dtype, under another name if one is given."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """What is known of the tensor; it bears its op's name unless another is given."""
        return cls(tensor.get_shape(), tensor.dtype.base_dtype, name or tensor.op.name)

    @property
    def shape(self) -> TensorShape:
        """The shape, as far as it is known."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name; None without one."""
        return self._name

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Whether a tensor, or a tensor of that spec, has this dtype and may have this shape."""
        return self._dtype == spec_or_tensor.dtype.base_dtype and self._shape.is_compatible_with(spec_or_tensor.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        sizes = None if self._shape.ndims is None else tuple(self._shape.as_list())
        return sizes, self._dtype, self._name

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorSpec, (self._shape, self._dtype, self._name)

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"
