"""What fills lookup tables: tensors of keys and values, the lines of a text file."""
from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from graphc.api.array.identity import group, no_op
from graphc.api.public import public
from graphc.api.state.initial_values import outside_bodies
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, int64, string
from graphc.ir.graph import get_default_graph
from graphc.ir.names import GraphKeys
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor


def outside_loops() -> AbstractContextManager[Any]:
    """Inside, what a loop or branch makes belongs to the graph around it."""
    return outside_bodies() if get_default_graph().building_function else nullcontext()


@public("tables_initializer", "initializers.tables_initializer")
def tables_initializer(name: str = "init_all_tables") -> Operation:
    """An Operation that fills all tables made so far; once for each session, before the first lookup.

    Without tables it does nothing. As `tf.tables_initializer`.

    >>> table = gc.contrib.lookup.index_table_from_tensor(["a", "b"])
    >>> gc.tables_initializer().run()
    >>> table.size().eval()
    np.int64(2)
    """
    found = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
    return group(*found, name=name) if found else no_op(name=name)


@public("initialize_all_tables")
def initialize_all_tables(name: str = "init_all_tables") -> Operation:
    """`tables_initializer` under its old name.

    As `tf.initialize_all_tables`.

    >>> table = gc.contrib.lookup.index_table_from_tensor(["a", "b"])
    >>> gc.initialize_all_tables().run()
    >>> table.size().eval()
    np.int64(2)
    """
    return tables_initializer(name)


@public("contrib.lookup.TableInitializerBase")
class TableInitializerBase:
    """What initialisers of tables have in common: `key_dtype`, `value_dtype`, and `initialize(table)`, an Operation.

    As `tf.contrib.lookup.TableInitializerBase`. Raises TypeError for what is no dtype; `initialize` is a
    NotImplementedError here, and of subclasses a TypeError for a table of other dtypes.

    >>> initializer = gc.lookup.KeyValueTensorInitializer(["a"], [1.5])
    >>> isinstance(initializer, gc.contrib.lookup.TableInitializerBase), initializer.key_dtype, initializer.value_dtype
    (True, gc.string, gc.float32)
    """

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype, self._value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)

    key_dtype = property(lambda self: self._key_dtype, doc="The dtype of the keys.")
    value_dtype = property(lambda self: self._value_dtype, doc="The dtype of the values.")

    @property
    def _shared_name(self) -> str:
        """The name under which tables that are filled alike are one; "": none."""
        return ""

    def initialize(self, table: Any) -> Operation:
        """The Operation that fills the table."""
        raise NotImplementedError

    def _check(self, table: Any) -> None:
        for role, mine, wanted in (("key", self._key_dtype, table.key_dtype),
                                   ("value", self._value_dtype, table.value_dtype)):
            if mine != wanted:
                raise TypeError(f"Invalid {role} dtype, expected {wanted.name} but got {mine.name}.")


@public("lookup.KeyValueTensorInitializer", "contrib.lookup.KeyValueTensorInitializer")
class KeyValueTensorInitializer(TableInitializerBase):
    """keys[i] gets values[i]: two vectors of one length.

    key_dtype, value_dtype: what Python values become. As `tf.lookup.KeyValueTensorInitializer`. Raises TypeError for
    values of another kind. When the table is initialised lengths that differ are an InvalidArgumentError, a key with
    two values a FailedPreconditionError.

    >>> words = gc.lookup.KeyValueTensorInitializer(["a", "b"], [1.5, 2.5])
    >>> table = gc.lookup.StaticHashTable(words, default_value=-1.)
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["b", "c"])).eval()
    array([ 2.5, -1. ], dtype=float32)
    """

    def __init__(self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None,
                 name: str | None = None) -> None:
        with outside_loops():
            self._keys = convert_to_tensor(keys, key_dtype, name="keys")
            self._values = convert_to_tensor(values, value_dtype, name="values")
        self._name = name if name is not None else "key_value_init"
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> Operation:
        """The Operation that puts the keys and values into the table."""
        self._check(table)
        graph = get_default_graph()
        with graph.name_scope(self._name):
            filled: Operation = apply(OPS["LookupTableImportV2"], table.resource_handle, self._keys, self._values)
        graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, filled)
        return filled


@public("lookup.TextFileIndex", "contrib.lookup.TextFileIndex")
class TextFileIndex:
    """What of a line is meant, beside the number of a column: WHOLE_LINE (a string) or LINE_NUMBER (int64).

    As `tf.lookup.TextFileIndex`.

    >>> gc.lookup.TextFileIndex.WHOLE_LINE, gc.lookup.TextFileIndex.LINE_NUMBER
    (-2, -1)
    """

    WHOLE_LINE = -2
    LINE_NUMBER = -1


@public("lookup.TextFileInitializer", "contrib.lookup.TextFileInitializer")
class TextFileInitializer(TableInitializerBase):
    r"""A key and a value from each line of a file.

    key_index, value_index: the number of a column, from 0, or one of `gc.lookup.TextFileIndex`. vocab_size: the number
    of lines that count, which must be there; delimiter: one character. As `tf.lookup.TextFileInitializer`. A file that
    is missing or does not fit is an error when the table is initialised. Raises ValueError without filename, for an
    index below -2, LINE_NUMBER of a dtype that is not int64, WHOLE_LINE of one that is neither integers nor string, and
    a vocab_size below 1.

    >>> gc.write_file("prices.csv", "tea,3\nmilk,2\n").run()
    >>> prices = gc.lookup.TextFileInitializer("prices.csv", gc.string, 0, gc.int64, 1, delimiter=",")
    >>> table = gc.lookup.StaticHashTable(prices, default_value=0)
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["milk", "cake"])).eval()
    array([2, 0])
    """

    def __init__(self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any, value_index: int,
                 vocab_size: int | None = None, delimiter: str = "\t", name: str | None = None) -> None:
        if not isinstance(filename, Tensor) and not np.size(filename):
            raise ValueError("Filename required for TextFileInitializer.")
        super().__init__(key_dtype, value_dtype)
        _check_index("key", key_index, self._key_dtype)
        _check_index("value", value_index, self._value_dtype)
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"Invalid vocab_size {vocab_size}.")
        self._filename, self._name, self._delimiter = filename, name, delimiter
        self._key_index, self._value_index, self._vocab_size = key_index, value_index, vocab_size

    def initialize(self, table: Any) -> Operation:
        """The Operation that reads the file into the table."""
        self._check(table)
        graph = get_default_graph()
        with graph.name_scope(self._name or "text_file_init"):
            filename = convert_to_tensor(self._filename, string, name="asset_filepath")
            filled: Operation = apply(
                OPS["InitializeTableFromTextFileV2"], table.resource_handle, filename, key_index=self._key_index,
                value_index=self._value_index, vocab_size=-1 if self._vocab_size is None else self._vocab_size,
                delimiter=self._delimiter)
        graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, filled)
        if filename.op.type == "Const":
            graph.add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return filled

    @property
    def _shared_name(self) -> str:
        name = self._filename.name if isinstance(self._filename, Tensor) else self._filename
        size = f"{self._vocab_size}_" if self._vocab_size else ""
        return f"hash_table_{name}_{size}{self._key_index}_{self._value_index}"


def _check_index(role: str, index: int, dtype: DType) -> None:
    if index < -2:
        raise ValueError(f"Invalid {role} index {index}.")
    if index == TextFileIndex.LINE_NUMBER and dtype != int64:
        raise ValueError(f"Signature mismatch. {role.capitalize()}s must be dtype int64, got {dtype.name}.")
    if index == TextFileIndex.WHOLE_LINE and not dtype.is_integer and dtype != string:
        raise ValueError(f"Signature mismatch. {role.capitalize()}s must be integer or string, got {dtype.name}.")


@public("contrib.lookup.TextFileStringTableInitializer")
class TextFileStringTableInitializer(TextFileInitializer):
    r"""`TextFileInitializer` of strings by int64 ids, which by default are the numbers of the lines.

    Other arguments and errors as of that. As `tf.contrib.lookup.TextFileStringTableInitializer`.

    >>> gc.write_file("words.txt", "the\ncat\n").run()
    >>> words = gc.contrib.lookup.TextFileStringTableInitializer("words.txt")
    >>> table = gc.contrib.lookup.HashTable(words, default_value="?")
    >>> table.init.run()
    >>> table.lookup(gc.constant([1, 5], gc.int64)).eval()
    array([b'cat', b'?'], dtype=object)
    """

    def __init__(self, filename: Any, key_column_index: int = TextFileIndex.LINE_NUMBER,
                 value_column_index: int = TextFileIndex.WHOLE_LINE, vocab_size: int | None = None,
                 delimiter: str = "\t", name: str = "text_file_string_table_init") -> None:
        super().__init__(filename, int64, key_column_index, string, value_column_index, vocab_size, delimiter, name)


@public("contrib.lookup.TextFileIdTableInitializer")
class TextFileIdTableInitializer(TextFileInitializer):
    r"""`TextFileInitializer` of int64 ids, by default the numbers of the lines, by strings.

    Other arguments and errors as of that; key_dtype: string or integers. As
    `tf.contrib.lookup.TextFileIdTableInitializer`.

    >>> gc.write_file("words.txt", "the\ncat\n").run()
    >>> table = gc.contrib.lookup.HashTable(gc.contrib.lookup.TextFileIdTableInitializer("words.txt"), default_value=-1)
    >>> table.init.run()
    >>> table.lookup(gc.constant(["cat"])).eval()
    array([1])
    """

    def __init__(self, filename: Any, key_column_index: int = TextFileIndex.WHOLE_LINE,
                 value_column_index: int = TextFileIndex.LINE_NUMBER, vocab_size: int | None = None,
                 delimiter: str = "\t", name: str = "text_file_id_table_init", key_dtype: Any = string) -> None:
        super().__init__(filename, key_dtype, key_column_index, int64, value_column_index, vocab_size, delimiter, name)
