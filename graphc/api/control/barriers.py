"""Barrier, as TensorFlow's data_flow_ops.Barrier: elements whose components come from different runs, by their key.

The barrier itself belongs to the session. Taking elements out waits until enough of them are complete.
"""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int32, string
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("python.ops.data_flow_ops.Barrier")
class Barrier:
    """A map from strings to tuples of tensors that come one by one; complete tuples are taken in batches.

    types, shapes: of the components; one where there is one component. It is the session's. As
    `tf.python.ops.data_flow_ops.Barrier`. Raises ValueError for a shape without elements, another number of shapes than
    types, and what insert_many is given if it does not fit; TypeError for keys that are no strings.

    >>> barrier = gc.python.ops.data_flow_ops.Barrier((gc.float32, gc.int32), shapes=([], []))
    >>> barrier.insert_many(0, keys=["a", "b"], values=[1., 2.]).run()
    >>> barrier.insert_many(1, keys=["b"], values=[20]).run()
    >>> barrier.ready_size().eval(), barrier.incomplete_size().eval()
    (np.int32(1), np.int32(1))
    >>> _, keys, values = barrier.take_many(1)
    >>> gc.get_default_session().run([keys, values])
    [array([b'b'], dtype=object), [array([2.], dtype=float32), array([20], dtype=int32)]]
    """

    def __init__(self, types: Any, shapes: Any = None, shared_name: str | None = None, name: str = "barrier") -> None:
        self._types = [as_dtype(t) for t in (types if isinstance(types, (list, tuple)) else [types])]
        self._shapes = _shapes(shapes, len(self._types))
        for i, shape in enumerate(self._shapes):
            if shape.num_elements() == 0:
                raise ValueError(f"Empty tensors are not supported, but received shape '{shape}' at index {i}")
        sizes = tuple(None if s.ndims is None else s.sizes for s in self._shapes)
        self._barrier_ref: Tensor = apply(OPS["Barrier"], name=name, component_types=tuple(self._types),
                                          shapes=() if all(s is None for s in sizes) else sizes,
                                          shared_name=shared_name or "")

    barrier_ref = property(lambda self: self._barrier_ref, doc="The barrier's handle.")
    name = property(lambda self: self._barrier_ref.op.name, doc="The name of the op that makes the barrier.")

    def _named(self, name: str | None, what: str) -> str:
        return name or f"{self.name.rpartition('/')[2]}_Barrier{what}"

    def insert_many(self, component_index: int, keys: Any, values: Any, name: str | None = None) -> Operation:
        """Gives the elements of `keys` a component: a row of `values` each."""
        if not 0 <= component_index < len(self._types):
            raise ValueError(f"Barrier.insert_many: argument 'component_index' must be below the number of components, "
                             f"{len(self._types)}, but is {component_index}")
        value = convert_to_tensor(values, self._types[component_index], name="values")
        if value.shape.ndims:
            value.shape[1:].assert_is_compatible_with(self._shapes[component_index])
        named = convert_to_tensor(keys, string, name="keys")
        made: Operation = apply(OPS["BarrierInsertMany"], self._barrier_ref, named, value, T=value.dtype,
                                component_index=component_index, name=self._named(name, "InsertMany"))
        return made

    def take_many(self, num_elements: Any, allow_small_batch: bool = False, timeout: Any = None,
                  name: str | None = None) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(indices, keys, values) of num_elements complete elements, in the order in which their keys came first:
        indices count the insert_many that brought new keys from -2**63 on. allow_small_batch: fewer, once the barrier
        is closed."""
        if timeout is not None:
            raise UnimplementedError(f"Barrier.take_many: argument 'timeout' is not supported, but is {timeout!r}: "
                                     "give the run a limit, gc.RunOptions(timeout_in_ms=...)")
        count = convert_to_tensor(num_elements, int32, name="num_elements")
        indices, keys, *values = apply(OPS["BarrierTakeMany"], self._barrier_ref, count,
                                       component_types=tuple(self._types), allow_small_batch=allow_small_batch,
                                       name=self._named(name, "TakeMany"))
        known = count.spec.value
        rows = known[0] if known and isinstance(known[0], int) and not allow_small_batch else None
        indices.set_shape([rows])
        keys.set_shape([rows])
        for value, shape in zip(values, self._shapes, strict=True):
            if shape.ndims is not None:
                value.set_shape([rows, *shape.as_list()])
        return indices, keys, values

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """No new keys any more; elements that lack components may be completed. cancel_pending_enqueues: these are
        dropped, too."""
        made: Operation = apply(OPS["BarrierClose"], self._barrier_ref, name=self._named(name, "Close"),
                                cancel_pending_enqueues=cancel_pending_enqueues)
        return made

    def ready_size(self, name: str | None = None) -> Tensor:
        """The number of complete elements."""
        return apply(OPS["BarrierReadySize"], self._barrier_ref,  # type: ignore[no-any-return]
                     name=self._named(name, "ReadySize"))

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """The number of elements that lack components."""
        return apply(OPS["BarrierIncompleteSize"], self._barrier_ref,  # type: ignore[no-any-return]
                     name=self._named(name, "IncompleteSize"))


def _shapes(shapes: Any, count: int) -> list[TensorShape]:
    if shapes is None:
        return [as_shape(None)] * count
    if isinstance(shapes, TensorShape) or not isinstance(shapes, (list, tuple)) or not all(
            s is None or isinstance(s, (list, tuple, TensorShape)) for s in shapes) or (not shapes and count == 1):
        shapes = [shapes]                      # of the only component
    if len(shapes) != count:
        raise ValueError(f"Barrier: argument 'shapes' must have a shape for each of the {count} components, but has "
                         f"{len(shapes)}")
    return [as_shape(s) for s in shapes]
