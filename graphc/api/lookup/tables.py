"""Lookup tables that are filled once: `tf.lookup.StaticHashTable`, `tf.contrib.lookup.HashTable`.

The table itself belongs to the session. Within one run what is done with tables happens in the order in which the ops
were made.
"""
from __future__ import annotations

from typing import Any

from graphc.api.lookup.initializers import TableInitializerBase, outside_loops
from graphc.api.public import public
from graphc.api.state.initial_values import outside_bodies
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import as_shape


@public("contrib.lookup.LookupInterface")
class LookupInterface:
    """What all tables have in common: `key_dtype`, `value_dtype`, `name`, `size()` and `lookup(keys)`.

    Keys are of key_dtype, in any shape. As `tf.contrib.lookup.LookupInterface`. Here size and lookup raise
    NotImplementedError.

    >>> table = gc.contrib.lookup.MutableHashTable(gc.string, gc.int64, default_value=0)
    >>> isinstance(table, gc.contrib.lookup.LookupInterface), table.key_dtype
    (True, gc.string)
    """

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype, self._value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)

    key_dtype = property(lambda self: self._key_dtype, doc="The dtype of the keys.")
    value_dtype = property(lambda self: self._value_dtype, doc="The dtype of the values.")

    @property
    def name(self) -> Any:
        """The table's name."""
        raise NotImplementedError

    def size(self, name: str | None = None) -> Tensor:
        """The number of keys."""
        raise NotImplementedError

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of the keys."""
        raise NotImplementedError

    def _check_keys(self, keys: Any) -> None:
        if keys.dtype != self._key_dtype:
            raise TypeError(f"Signature mismatch. Keys must be dtype {self._key_dtype.name}, got {keys.dtype.name}.")


class TableWithHandle(LookupInterface):
    """A table that is one of the session's: what is done with it, by ops on its handle."""

    _resource_handle: Tensor
    _default_value: Tensor

    resource_handle = property(lambda self: self._resource_handle, doc="The table's handle.")
    default_value = property(lambda self: self._default_value, doc="The value of keys that are not there.")

    @property
    def name(self) -> str:
        return self._resource_handle.op.name.rpartition("/")[2]

    def size(self, name: str | None = None) -> Tensor:
        with get_default_graph().name_scope(name or f"{self.name}_Size"):
            found: Tensor = apply(OPS["LookupTableSizeV2"], self._resource_handle)
            return found

    def _export(self, scope: str) -> tuple[Tensor, Tensor]:
        with get_default_graph().name_scope(scope):
            keys, values = apply(OPS["LookupTableExportV2"], self._resource_handle, Tkeys=self._key_dtype,
                                 Tvalues=self._value_dtype)
        one = as_shape(self._key_shape())
        if one.ndims is not None:
            keys.set_shape(as_shape([None]).concatenate(one))
        if self._default_value.shape.ndims is not None:
            values.set_shape(as_shape([None]).concatenate(self._default_value.shape))
        return keys, values

    def _find(self, keys: Tensor) -> Tensor:
        found: Tensor = apply(OPS["LookupTableFindV2"], self._resource_handle, keys, self._default_value)
        rank, one, value = keys.shape.ndims, as_shape(self._key_shape()).ndims, self._default_value.shape
        if rank is not None and one is not None and value.ndims is not None:
            found.set_shape(keys.shape[:rank - one].concatenate(value))
        return found

    def _key_shape(self) -> Any:
        """The shape of one key."""
        return []


@public("contrib.lookup.InitializableLookupTableBase", "contrib.lookup.InitializableLookupTableBaseV1")
class InitializableLookupTableBase(TableWithHandle):
    """A table that an initialiser fills: base of `StaticHashTable` and `HashTable`.

    default_value: a scalar of the initialiser's value_dtype. As `tf.contrib.lookup.InitializableLookupTableBase`.
    Raises TypeError for another dtype, ValueError for another shape.

    >>> words = gc.lookup.KeyValueTensorInitializer(["a"], [1.5])
    >>> table = gc.lookup.StaticHashTable(words, -1.)
    >>> isinstance(table, gc.contrib.lookup.InitializableLookupTableBase), table.initializer.type
    (True, 'LookupTableImportV2')
    """

    def __init__(self, default_value: Any, initializer: TableInitializerBase) -> None:
        super().__init__(initializer.key_dtype, initializer.value_dtype)
        self._default_value = convert_to_tensor(default_value, self._value_dtype)
        self._default_value.shape.assert_is_compatible_with(as_shape([]))
        self._initializer = initializer
        with outside_bodies():
            self._resource_handle = self._create_resource()
        with outside_loops():
            self._init_op = initializer.initialize(self)

    def _create_resource(self) -> Tensor:
        raise NotImplementedError

    @property
    def initializer(self) -> Operation:
        """The Operation that fills the table."""
        return self._init_op

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of the keys (a tensor, or the values of a SparseTensor), default_value for those not there."""
        sparse = not isinstance(keys, Tensor) and hasattr(keys, "dense_shape") and hasattr(keys, "values")
        tensor = convert_to_tensor(keys.values if sparse else keys, None if hasattr(keys, "dtype") else self._key_dtype)
        self._check_keys(tensor)
        with get_default_graph().name_scope(name or f"{self.name}_Lookup"):
            values = self._find(tensor)
        return type(keys)(keys.indices, values, keys.dense_shape) if sparse else values


@public("lookup.StaticHashTable")
class StaticHashTable(InitializableLookupTableBase):
    """A table that is filled once, by its initialiser; default_value for keys that are not in it.

    A lookup before that is a FailedPreconditionError. Keys of a SparseTensor give a SparseTensor. Keys: of the
    initialiser's key_dtype in any shape; default_value: a scalar of its value_dtype. As `tf.lookup.StaticHashTable`.
    Raises TypeError for other dtypes, ValueError for a default_value that is no scalar.

    >>> words = gc.lookup.KeyValueTensorInitializer(["a", "b"], [1.5, 2.5])
    >>> table = gc.lookup.StaticHashTable(words, default_value=-1.)
    >>> table.lookup(gc.constant(["b"])).eval()
    Traceback (most recent call last):
        ...
    graphc.errors.FailedPreconditionError: LookupTableFindV2 'hash_table_Lookup/LookupTableFindV2': ...
    >>> table.initializer.run()
    >>> table.lookup(gc.constant([["b", "c"]])).eval()
    array([[ 2.5, -1. ]], dtype=float32)
    """

    def __init__(self, initializer: TableInitializerBase, default_value: Any, name: str | None = None) -> None:
        self._name, self._shared = name or "hash_table", initializer._shared_name
        super().__init__(default_value, initializer)

    def _create_resource(self) -> Tensor:
        made: Tensor = apply(OPS["HashTableV2"], name=self._name, key_dtype=self._initializer.key_dtype,
                             value_dtype=self._initializer.value_dtype, shared_name=self._shared)
        return made

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and their values."""
        return self._export(name or f"{self.name}_Export")


@public("contrib.lookup.HashTable")
class HashTable(StaticHashTable):
    """A table that is filled once, by `init`; default_value for keys that are not in it.

    shared_name: tables of one name are one. Other arguments, dtypes and errors as of `gc.lookup.StaticHashTable`. As
    `tf.contrib.lookup.HashTable`.

    >>> table = gc.contrib.lookup.HashTable(gc.lookup.KeyValueTensorInitializer([1, 2], ["one", "two"]), "many")
    >>> table.init.run()
    >>> table.lookup(gc.constant([2, 9])).eval()
    array([b'two', b'many'], dtype=object)
    """

    def __init__(self, initializer: TableInitializerBase, default_value: Any, shared_name: str | None = None,
                 name: str | None = None) -> None:
        self._name, self._shared = name or "hash_table", shared_name or ""
        InitializableLookupTableBase.__init__(self, default_value, initializer)

    @property
    def init(self) -> Operation:
        """The Operation that fills the table."""
        return self._init_op
