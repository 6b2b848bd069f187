"""SparseTensor: a tensor given by its nonzero elements, as three tensors: indices, values and dense_shape.

Nothing converts one to a tensor unasked: gc.sparse.to_dense does. What computes with them stands beside this file.
"""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

from graphc.api.array.source import placeholder
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, register_conversion
from graphc.ir.dtypes import DType, as_dtype, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.stacks import get_default_session
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape


@public("SparseTensorValue")
class SparseTensorValue(NamedTuple):
    """What fetching a SparseTensor gives, and what may be fed for one: three arrays.

    indices: int64 [n, rank]; values: [n]; dense_shape: int64 [rank]. Nothing is checked before it is used. As
    `tf.SparseTensorValue`.

    >>> value = gc.SparseTensorValue(indices=[[0, 1], [1, 0]], values=[5., 7.], dense_shape=[2, 2])
    >>> gc.sparse.to_dense(value).eval()
    array([[0., 5.],
           [7., 0.]], dtype=float32)
    """

    indices: Any
    values: Any
    dense_shape: Any


@public("SparseTensor", "sparse.SparseTensor")
class SparseTensor:
    """values[i] at indices[i], and zeros elsewhere, of a tensor of dense_shape.

    Args:
        indices: int64 [n, rank], the place of each value, for most functions in row-major order (gc.sparse.reorder).
        values: [n], of any dtype.
        dense_shape: int64 [rank].

    Raises ValueError if the three are known not to fit. It may be fed, fetched, and carried through loops and branches;
    it has the operators * and / by a dense tensor that broadcasts to its shape, and no others. Where a dense tensor is
    wanted it is refused: gc.sparse.to_dense. As `tf.SparseTensor`.

    >>> x = gc.SparseTensor(indices=[[0, 0], [1, 2]], values=[1., 2.], dense_shape=[2, 3])
    >>> gc.sparse.to_dense(x * [[10.], [100.]]).eval()
    array([[ 10.,   0.,   0.],
           [  0.,   0., 200.]], dtype=float32)
    >>> x.eval().values
    array([1., 2.], dtype=float32)
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        with get_default_graph().name_scope("SparseTensor"):
            self._indices = convert_to_tensor(indices, int64, name="indices")
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(dense_shape, int64, name="dense_shape")
        parts = zip(("indices", "values", "dense_shape"), self._tensors, (2, 1, 1), strict=True)
        rows, counts, ranks = (_with_rank(name, tensor, rank) for name, tensor, rank in parts)
        if not rows[:1].is_compatible_with(counts):
            raise ValueError(f"SparseTensor: argument 'indices' has {rows[0]} rows, but 'values' {counts[0]} elements; "
                             "there must be one row of indices for each value")
        if not rows[1:].is_compatible_with(ranks):
            raise ValueError(f"SparseTensor: argument 'indices' has {rows[1]} columns, but 'dense_shape' {ranks[0]} "
                             "sizes; there must be one column for each axis")

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A SparseTensor of a SparseTensorValue; a SparseTensor as another one of the same parts. Raises TypeError
        for anything else.
        """
        if not isinstance(sparse_tensor_value, (SparseTensor, SparseTensorValue)):
            raise TypeError(f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value}.")
        return cls(*parts_of(sparse_tensor_value))

    @property
    def indices(self) -> Tensor:
        """The places, int64 [n, rank]."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The values, [n], of any dtype."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The shape of the whole, int64 [rank]."""
        return self._dense_shape

    @property
    def _tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return self._indices, self._values, self._dense_shape

    @property
    def op(self) -> Operation:
        """The operation that computes the values."""
        return self._values.op

    @property
    def dtype(self) -> DType:
        """That of the values."""
        return self._values.dtype

    @property
    def graph(self) -> Any:
        """The graph in which its tensors are."""
        return self._indices.graph

    @property
    def shape(self) -> TensorShape:
        """What is known of the dense shape while the graph is built: a TensorShape."""
        sizes = self._dense_shape.value_sizes()
        return TensorShape(None if sizes is None else [s if isinstance(s, int) and s >= 0 else None for s in sizes])

    def get_shape(self) -> TensorShape:
        """As `shape`."""
        return self.shape

    def consumers(self) -> list[Operation]:
        """The operations that read one of the three tensors."""
        return list(dict.fromkeys(op for tensor in self._tensors for op in tensor.consumers()))

    def eval(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> Any:
        """Its SparseTensorValue in `session`, or in the default one."""
        session = session if session is not None else get_default_session()
        if session is None:
            raise ValueError("Cannot evaluate tensor using `eval()`: No default session is registered. Use `with "
                             "gc.Session():` or pass an explicit session to `eval(session=session)`")
        return session.run(self, feed_dict)

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"

    # By a dense tensor, broadcast to this one's shape: TensorFlow has these operators and no others.

    def __mul__(self, dense: Any) -> SparseTensor:
        return _operator("multiplied", self, dense)

    def __rmul__(self, dense: Any) -> Any:
        known = isinstance(dense, Tensor) or hasattr(dense, "_ref")
        return _operator("multiplied", self, dense) if known else NotImplemented

    def __truediv__(self, dense: Any) -> SparseTensor:
        return _operator("divided", self, dense)

    __div__ = __truediv__

    # How Sessions, loops and branches see it (session/fetches.py, ir/nest.py).

    def _fetch_parts(self) -> tuple[Sequence[Tensor], Callable[..., SparseTensorValue]]:
        return self._tensors, SparseTensorValue

    def _with_parts(self, tensors: Sequence[Tensor]) -> SparseTensor:
        return SparseTensor(*tensors)

    def _part_invariants(self, shape: TensorShape | None) -> list[TensorShape]:
        """Of the three tensors, in a loop whose invariant for this one is `shape`: that of dense_shape, [rank]."""
        known = self._dense_shape.shape if shape is None else shape
        rank = known.with_rank(1)[0].value
        return [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]


def _operator(name: str, sparse: SparseTensor, dense: Any) -> SparseTensor:
    made: SparseTensor = getattr(load("graphc.api.sparse.elementwise"), name)(sparse, dense)
    return made


def _with_rank(name: str, tensor: Tensor, rank: int) -> TensorShape:
    if tensor.shape.ndims not in (rank, None):
        raise ValueError(f"SparseTensor: argument '{name}' must have rank {rank}, but has shape {tensor.shape}")
    return tensor.shape.with_rank(rank)


def _no_tensor(sparse: SparseTensor, dtype: DType | None, name: str | None) -> NoReturn:
    raise TypeError(f"Failed to convert object of type {type(sparse)} to Tensor: {sparse}; a dense tensor is needed "
                    "here: gc.sparse.to_dense, or a function of gc.sparse")


register_conversion(SparseTensor, _no_tensor)


def parts_of(sparse: Any) -> tuple[Any, Any, Any]:
    """(indices, values, dense_shape) of a SparseTensor or its Value."""
    return sparse.indices, sparse.values, sparse.dense_shape


def as_sparse(value: Any, argument: str = "sp_input") -> SparseTensor:
    """A SparseTensor, or its Value as one. Raises TypeError for what is neither."""
    if isinstance(value, SparseTensorValue):
        return SparseTensor(*value)
    if not isinstance(value, SparseTensor):
        raise TypeError(f"argument '{argument}': Input must be a SparseTensor, but is {value!r}")
    return value


def rank_of(sparse: SparseTensor) -> int | None:
    """The number of axes, if it is known while the graph is built."""
    known: int | None = sparse.dense_shape.shape.with_rank(1)[0].value
    return known if known is not None else sparse.indices.shape.with_rank(2)[1].value


F = TypeVar("F", bound=Callable[..., Any])


def takes_sparse(function: F) -> F:
    """Decorates a function of a tensor that keeps zeros: of a sparse one it is that of its values."""
    @functools.wraps(function)
    def of_values(*arguments: Any, **more: Any) -> Any:
        x = arguments[0] if arguments else more.get("x")
        if not isinstance(x, SparseTensor):
            return function(*arguments, **more)
        rest = {name: value for name, value in more.items() if name != "x"}
        return SparseTensor(x.indices, function(x.values, *arguments[1:], **rest), x.dense_shape)

    return of_values  # type: ignore[return-value]


@public("convert_to_tensor_or_sparse_tensor")
def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A SparseTensor, or a SparseTensorValue as one; anything else as a tensor.

    dtype: what it must be: of a sparse one that has another RuntimeError is raised. Any dtype and shape. As
    `tf.convert_to_tensor_or_sparse_tensor`. Raises ValueError for a tensor of another dtype, TypeError for what does
    not convert.

    >>> gc.convert_to_tensor_or_sparse_tensor([1., 2.]).eval()
    array([1., 2.], dtype=float32)
    >>> gc.convert_to_tensor_or_sparse_tensor(gc.SparseTensorValue([[0]], [1.], [3])).shape
    TensorShape([Dimension(3)])
    """
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        return convert_to_tensor(value, dtype, name)
    if dtype is not None and value.dtype != as_dtype(dtype):
        raise RuntimeError(f"Sparse dtype mismatch. Requested: {as_dtype(dtype).name},  Actual: {value.dtype.name}")
    return value


@public("sparse_placeholder", "sparse.placeholder")
def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor to be fed at each run by a SparseTensorValue or a tuple (indices, values, dense_shape).

    dtype: of the values. shape: a known one becomes a constant, and is fed with the others all the same; if it holds
    None, only the rank is said; None: any rank. As `tf.sparse_placeholder`. Raises TypeError for what is no dtype, and
    for a shape that is no list of ints and None.

    >>> x = gc.sparse_placeholder(gc.float32, shape=[None, 3])
    >>> gc.sparse.reduce_sum(x, axis=1).eval({x: ([[0, 0], [0, 2], [1, 1]], [1., 2., 5.], [2, 3])})
    array([3., 5.], dtype=float32)
    """
    def named(part: str) -> str | None:
        return None if name is None else f"{name}/{part}"

    if shape is None:
        rank = None
    elif isinstance(shape, Tensor):
        rank = shape.shape.with_rank(1)[0].value
    else:
        shape = [s.value if hasattr(s, "value") else s for s in shape]
        rank = len(shape)
    if shape is None or (isinstance(shape, list) and None in shape):
        dense_shape = placeholder(int64, [rank], name=named("shape"))
    else:
        dense_shape = convert_to_tensor(shape, int64, name=named("shape"))
    return SparseTensor(values=placeholder(dtype, [None], name=named("values")),
                        indices=placeholder(int64, [None, rank], name=named("indices")), dense_shape=dense_shape)
