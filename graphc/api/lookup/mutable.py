"""Lookup tables that change while a graph runs: `tf.contrib.lookup.MutableHashTable` and MutableDenseHashTable."""
from __future__ import annotations

from typing import Any

from graphc.api.lookup.tables import TableWithHandle
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import as_shape


class _Changing(TableWithHandle):
    """Tables of which keys are put in and taken out."""

    def _scope(self, what: str, name: str | None) -> Any:
        return get_default_graph().name_scope(name or f"{self.name}_lookup_table_{what}")

    def lookup(self, keys: Any, name: str | None = None) -> Tensor:
        """The values of the keys, default_value for those that are not there."""
        with self._scope("find", name):
            return self._find(convert_to_tensor(keys, self._key_dtype, name="keys"))

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """Gives the keys values, in place of those that they had."""
        with self._scope("insert", name):
            keys = convert_to_tensor(keys, self._key_dtype, name="keys")
            values = convert_to_tensor(values, self._value_dtype, name="values")
            made: Operation = apply(OPS["LookupTableInsertV2"], self._resource_handle, keys, values)
        return made

    def remove(self, keys: Any, name: str | None = None) -> Operation:
        """Takes the keys out; those that are not in are ignored."""
        self._check_keys(keys if hasattr(keys, "dtype") else convert_to_tensor(keys))
        with self._scope("remove", name):
            made: Operation = apply(OPS["LookupTableRemoveV2"], self._resource_handle, keys)
        return made

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and their values, in any order."""
        return self._export(name or f"{self.name}_lookup_table_export_values")


@public("contrib.lookup.MutableHashTable")
class MutableHashTable(_Changing):
    """A table that runs change: keys with values of the shape of default_value, which keys that are not in it have.

    checkpoint: makes the tensors that a saver keeps, those of `export`. shared_name, of TF 1.13 and before: tables of
    one name are one. It is the session's, and needs no initialising. Keys: of key_dtype in any shape; values: their
    shape and that of default_value. As `tf.contrib.lookup.MutableHashTable`. Raises TypeError for Python values of
    another kind, ValueError for tensors of another dtype (remove: TypeError), InvalidArgumentError when run for values
    of another shape.

    >>> table = gc.contrib.lookup.MutableHashTable(gc.string, gc.int64, default_value=-1)
    >>> table.insert(gc.constant(["a", "b"]), gc.constant([1, 2], gc.int64)).run()
    >>> table.remove(gc.constant(["a"])).run()
    >>> table.lookup(gc.constant(["a", "b"])).eval(), table.size().eval()
    (array([-1,  2]), np.int64(1))
    """

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any,
                 name: str | None = "MutableHashTable", checkpoint: bool = True,
                 shared_name: str | None = None) -> None:
        super().__init__(key_dtype, value_dtype)
        self._default_value = convert_to_tensor(default_value, as_dtype(value_dtype))
        shape = self._default_value.shape
        op, more = ("MutableHashTableV2", {}) if shape.ndims == 0 else (
            "MutableHashTableOfTensorsV2", {"value_shape": tuple(shape.as_list())})
        self._resource_handle = apply(OPS[op], name=name, key_dtype=self._key_dtype, value_dtype=self._value_dtype,
                                      use_node_name_sharing=bool(checkpoint), shared_name=shared_name or "", **more)
        self._kept = self.export() if checkpoint else None


@public("contrib.lookup.MutableDenseHashTable", "lookup.experimental.DenseHashTable")
class MutableDenseHashTable(_Changing):
    """As `MutableHashTable`; keys may be vectors, and empty_key and deleted_key are none of them
    (InvalidArgumentError).

    empty_key and deleted_key differ, and initial_num_buckets is a power of 2 from 4 on: else InvalidArgumentError when
    run. Keys: of key_dtype. As `tf.contrib.lookup.MutableDenseHashTable`.

    >>> table = gc.contrib.lookup.MutableDenseHashTable(gc.int64, gc.float32, default_value=[0., 0.], empty_key=-1,
    ...                                                 deleted_key=-2)
    >>> table.insert(gc.constant([7], gc.int64), gc.constant([[1., 2.]])).run()
    >>> table.lookup(gc.constant([7, 8], gc.int64)).eval()
    array([[1., 2.],
           [0., 0.]], dtype=float32)
    """

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any, empty_key: Any, deleted_key: Any,
                 initial_num_buckets: int | None = None, name: str | None = "MutableDenseHashTable",
                 checkpoint: bool = True, shared_name: str | None = None) -> None:
        super().__init__(key_dtype, value_dtype)
        self._default_value = convert_to_tensor(default_value, as_dtype(value_dtype), name="default_value")
        self._empty_key = convert_to_tensor(empty_key, self._key_dtype, name="empty_key")
        deleted = convert_to_tensor(deleted_key, self._key_dtype, name="deleted_key")
        more = {} if initial_num_buckets is None else {"initial_num_buckets": initial_num_buckets}
        self._resource_handle = apply(OPS["MutableDenseHashTableV2"], self._empty_key, deleted, name=name,
                                      value_dtype=self._value_dtype, use_node_name_sharing=bool(checkpoint),
                                      shared_name=shared_name or "",
                                      value_shape=tuple(self._default_value.shape.as_list()), **more)
        self._kept = self.export() if checkpoint else None

    def _key_shape(self) -> Any:
        return as_shape(self._empty_key.shape)

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """`insert` under its other name."""
        return self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> Operation:
        """`remove` under its other name."""
        return self.remove(keys, name)
