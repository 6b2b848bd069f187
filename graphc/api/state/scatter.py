"""Updates of some rows of a variable: scatter_update, scatter_nd_add, ...; and the methods of Variable that do so."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import range_
from graphc.api.array.gather import gather, gather_nd
from graphc.api.array.getitem import getitem
from graphc.api.array.join import stack
from graphc.api.array.shapes import expand_dims, reshape
from graphc.api.array.shapes import shape as shape_of
from graphc.api.public import public
from graphc.api.state.state import assign, ref_of
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.state.scatter import (
    ScatterAdd,
    ScatterDiv,
    ScatterMax,
    ScatterMin,
    ScatterMul,
    ScatterNdAdd,
    ScatterNdSub,
    ScatterNdUpdate,
    ScatterSub,
    ScatterUpdate,
)

if TYPE_CHECKING:
    from graphc.ir.op import Op
    from graphc.ir.tensor import Tensor


def _updated(op: type[Op], ref: Any, indices: Any, updates: Any, use_locking: bool, name: str | None) -> Tensor:
    return apply(op, ref_of(ref, op.type), indices, updates, name=name, use_locking=bool(use_locking))


@public("scatter_update")
def scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Tensor:
    """ref[indices] = updates; the result is the new value, all of it.

    indices: int32 or int64 of any shape; updates: of the variable's dtype, indices' shape and then that of a row, or a
    scalar. Of equal indices the last counts. An index that is no row is an InvalidArgumentError when run. As
    `tf.scatter_update`. Raises TypeError for other dtypes, ValueError for shapes that do not fit, a scalar variable,
    and what is no variable.

    >>> v = gc.Variable([[1., 1.], [2., 2.], [3., 3.]])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_update(v, [2, 0], [[30., 31.], [10., 11.]]).eval()
    array([[10., 11.],
           [ 2.,  2.],
           [30., 31.]], dtype=float32)
    """
    return _updated(ScatterUpdate, ref, indices, updates, use_locking, name)


@public("scatter_add")
def scatter_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] += updates, indices that come twice twice; the result is the new value, all of it.

    indices: int32 or int64; updates: indices' shape and that of a row. The variable: of numbers, complex ones too. As
    `tf.scatter_add`. Raises as `scatter_update`, and TypeError for a variable of strings or bools.

    >>> v = gc.Variable([1, 2, 3])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_add(v, [0, 2, 2], [10, 20, 30]).eval()
    array([11,  2, 53], dtype=int32)
    """
    return _updated(ScatterAdd, ref, indices, updates, use_locking, name)


@public("scatter_sub")
def scatter_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] -= updates, indices that come twice twice; the result is the new value, all of it. As
    `tf.scatter_sub`.

    Arguments and errors as of `scatter_add`.

    >>> v = gc.Variable([1, 2, 3])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_sub(v, [0, 2, 2], [1, 1, 1]).eval()
    array([0, 2, 1], dtype=int32)
    """
    return _updated(ScatterSub, ref, indices, updates, use_locking, name)


@public("scatter_mul")
def scatter_mul(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] *= updates, indices that come twice twice; the result is the new value, all of it. As
    `tf.scatter_mul`.

    Arguments and errors as of `scatter_add`; complex numbers are refused (TypeError).

    >>> v = gc.Variable([1, 2, 3])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_mul(v, [2, 2], [10, 10]).eval()
    array([  1,   2, 300], dtype=int32)
    """
    return _updated(ScatterMul, ref, indices, updates, use_locking, name)


@public("scatter_div")
def scatter_div(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] /= updates, indices that come twice twice; the result is the new value, all of it. As
    `tf.scatter_div`.

    Arguments and errors as of `scatter_add`; complex numbers are refused (TypeError). Integers are divided towards
    zero; by 0 the run ends with InvalidArgumentError.

    >>> v = gc.Variable([1., 2., 3.])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_div(v, [1, 2], [4., 2.]).eval()
    array([1. , 0.5, 1.5], dtype=float32)
    """
    return _updated(ScatterDiv, ref, indices, updates, use_locking, name)


@public("scatter_min")
def scatter_min(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] = minimum(ref[indices], updates); the result is the new value, all of it. As `tf.scatter_min`.

    Arguments and errors as of `scatter_add`; the variable is of floating point, int32 or int64 (TypeError).

    >>> v = gc.Variable([1, 2, 3])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_min(v, [0, 2], [5, -5]).eval()
    array([ 1,  2, -5], dtype=int32)
    """
    return _updated(ScatterMin, ref, indices, updates, use_locking, name)


@public("scatter_max")
def scatter_max(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] = maximum(ref[indices], updates); the result is the new value, all of it. As `tf.scatter_max`.

    Arguments and errors as of `scatter_add`; the variable is of floating point, int32 or int64 (TypeError).

    >>> v = gc.Variable([1, 2, 3])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_max(v, [0, 2], [5, -5]).eval()
    array([5, 2, 3], dtype=int32)
    """
    return _updated(ScatterMax, ref, indices, updates, use_locking, name)


@public("scatter_nd_update")
def scatter_nd_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True,
                      name: str | None = None) -> Tensor:
    """The elements or slices of ref at the index tuples become updates; the result is the new value, all of it.

    indices: int32 or int64 [..., k], each row the first k indices into ref; updates: indices' shape without its last
    axis, then that of what k indices leave of ref. As `tf.scatter_nd_update`. Raises TypeError for updates of another
    dtype than the variable's, ValueError for shapes that do not fit and what is no variable, InvalidArgumentError when
    run for a tuple outside of ref.

    >>> v = gc.Variable([[1, 2], [3, 4]])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_nd_update(v, [[0, 1], [1, 0]], [20, 30]).eval()
    array([[ 1, 20],
           [30,  4]], dtype=int32)
    >>> gc.scatter_nd_update(v, [[1]], [[7, 8]]).eval()
    array([[ 1, 20],
           [ 7,  8]], dtype=int32)
    """
    return _updated(ScatterNdUpdate, ref, indices, updates, use_locking, name)


@public("scatter_nd_add")
def scatter_nd_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """updates are added to the elements or slices of ref at the index tuples; the result is the new value, all of it.

    Shapes and errors as of `scatter_nd_update`, and TypeError for strings and bools.
    Tuples that come twice count twice. As `tf.scatter_nd_add`.

    >>> v = gc.Variable([[1, 2], [3, 4]])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_nd_add(v, [[0, 1], [0, 1]], [10, 100]).eval()
    array([[  1, 112],
           [  3,   4]], dtype=int32)
    """
    return _updated(ScatterNdAdd, ref, indices, updates, use_locking, name)


@public("scatter_nd_sub")
def scatter_nd_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """updates are subtracted from the elements or slices of ref at the index tuples; as `scatter_nd_add`.

    Arguments and errors as of it. As `tf.scatter_nd_sub`.

    >>> v = gc.Variable([[1, 2], [3, 4]])
    >>> gc.global_variables_initializer().run()
    >>> gc.scatter_nd_sub(v, [[1]], [[3, 3]]).eval()
    array([[1, 2],
           [0, 1]], dtype=int32)
    """
    return _updated(ScatterNdSub, ref, indices, updates, use_locking, name)


@public("batch_scatter_update")
def batch_scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True,
                         name: str | None = None) -> Tensor:
    """ref[b..., indices[b..., i]] = updates[b..., i], where b runs over all axes of indices but the last.

    The result is the new value, all of it. indices: int32 or int64 [..., n]; updates: of ref's dtype, indices' shape
    and then that of what is left of ref. As `tf.batch_scatter_update`. Raises ValueError if the rank of indices is not
    known, else as `scatter_nd_update`.

    >>> v = gc.Variable([[1, 2, 3], [4, 5, 6]])
    >>> gc.global_variables_initializer().run()
    >>> gc.batch_scatter_update(v, [[2, 0], [1, 1]], [[30, 10], [50, 51]]).eval()
    array([[10,  2, 30],
           [ 4, 51,  6]], dtype=int32)
    """
    with get_default_graph().name_scope(name):
        indices = convert_to_tensor(indices, name="indices")
        rank = indices.spec.rank
        if rank is None:
            raise ValueError("batch_scatter_update: the rank of indices must be known; say it by set_shape")
        sizes = shape_of(indices)
        columns = []
        for axis in range(rank - 1):
            own = reshape(range_(0, sizes[axis]), [-1 if i == axis else 1 for i in range(rank)])
            columns.append(broadcast_to(cast(own, indices.dtype), sizes))
        places = stack([*columns, indices], axis=-1) if columns else expand_dims(indices, -1)
        return scatter_nd_update(ref, places, updates, use_locking, name)


def assign_part(variable: Any, key: Any, value: Any, name: str | None = None) -> Tensor:
    """variable[key] = value, broadcast; the result is the new value of all of it. The key may have tensors in it."""
    shape = variable.shape.as_list()
    if not shape:
        return assign(variable, value, name=name)
    numbers = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    with get_default_graph().name_scope(name or "strided_slice/_assign"):
        try:
            chosen = numbers[key]
        except (IndexError, TypeError, ValueError):          # places that a run computes
            part = getitem(convert_to_tensor(numbers), key)
            axes = [numbers.strides[i] // numbers.itemsize for i in range(len(shape))]
            places: Any = stack([part // step % size for step, size in zip(axes, shape, strict=True)], -1)
            sizes: Any = shape_of(part)
        else:
            places, sizes = np.stack(np.unravel_index(chosen, shape), -1).astype(np.int32), list(chosen.shape)
        values = broadcast_to(convert_to_tensor(value, variable.dtype, name="value"), sizes)
        return scatter_nd_update(variable, places, values)


class ScatterMethods:
    """The methods of Variable that read or write some of its rows. sparse_delta: IndexedSlices.

    Raises TypeError for another sparse_delta.
    """

    def _ref(self) -> Tensor:
        raise NotImplementedError

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at the indices: `gc.gather` of it."""
        return gather(self, indices, name=name)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements or slices at the index tuples: `gc.gather_nd` of it."""
        return gather_nd(self, indices, name=name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_sub` of IndexedSlices; the result is the new value, as of the others."""
        return scatter_sub(self, *_slices(sparse_delta), use_locking, name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_add` of IndexedSlices."""
        return scatter_add(self, *_slices(sparse_delta), use_locking, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_max` of IndexedSlices."""
        return scatter_max(self, *_slices(sparse_delta), use_locking, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_min` of IndexedSlices."""
        return scatter_min(self, *_slices(sparse_delta), use_locking, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_mul` of IndexedSlices."""
        return scatter_mul(self, *_slices(sparse_delta), use_locking, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_div` of IndexedSlices."""
        return scatter_div(self, *_slices(sparse_delta), use_locking, name)

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.scatter_update` of IndexedSlices."""
        return scatter_update(self, *_slices(sparse_delta), use_locking, name)

    def batch_scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """`gc.batch_scatter_update` of IndexedSlices."""
        return batch_scatter_update(self, *_slices(sparse_delta), use_locking, name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """`gc.scatter_nd_sub` of index tuples [..., k] and updates."""
        return scatter_nd_sub(self, indices, updates, True, name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """`gc.scatter_nd_add` of index tuples [..., k] and updates."""
        return scatter_nd_add(self, indices, updates, True, name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """`gc.scatter_nd_update` of index tuples [..., k] and updates."""
        return scatter_nd_update(self, indices, updates, True, name)


def _slices(delta: Any) -> tuple[Any, Any]:
    """indices and values of IndexedSlices. Raises TypeError for anything else, as TF."""
    if isinstance(delta, np.ndarray) or not (hasattr(delta, "indices") and hasattr(delta, "values")):
        raise TypeError(f"sparse_delta is not IndexedSlices: {delta!r}; gc.scatter_update and its kin take the "
                        f"variable, "
                        "indices and updates")
    return delta.indices, delta.values
