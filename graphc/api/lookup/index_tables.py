"""Vocabularies: tables from words to ids, with buckets for words that are not in them, and back."""
from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_
from graphc.api.array.identity import no_op
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import size
from graphc.api.lookup.initializers import (
    KeyValueTensorInitializer,
    TableInitializerBase,
    TextFileIdTableInitializer,
    TextFileIndex,
    TextFileStringTableInitializer,
)
from graphc.api.lookup.tables import HashTable, LookupInterface
from graphc.api.math.comparison import not_equal
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, int64, string
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor


@public("contrib.lookup.HasherSpec")
class HasherSpec(namedtuple("HasherSpec", ["hasher", "key"])):
    """Which hash gives a word its bucket: the name of one, and its key. As `tf.contrib.lookup.HasherSpec`.

    hasher: fasthash, legacy or stronghash, else a lookup raises ValueError. key: of stronghash two integers.

    >>> gc.contrib.lookup.FastHashSpec
    HasherSpec(hasher='fasthash', key=None)
    """

    __slots__ = ()


FastHashSpec = HasherSpec("fasthash", None)


@public("contrib.lookup.StrongHashSpec")
class StrongHashSpec(HasherSpec):
    """A hash of which nobody without the key knows which words collide. As `tf.contrib.lookup.StrongHashSpec`.

    key: two integers (ValueError, TypeError).

    >>> gc.contrib.lookup.StrongHashSpec([1, 2]).hasher
    'stronghash'
    """

    __slots__ = ()

    def __new__(cls, key: Sequence[int]) -> StrongHashSpec:
        if len(key) != 2:
            raise ValueError(f"key must have size 2, got {len(key)}.")
        if not all(isinstance(k, (int, np.integer)) for k in key):
            raise TypeError(f"Invalid key {key}. Must be unsigned integer values.")
        return super().__new__(cls, "stronghash", key)


_HASHES = {"fasthash": "StringToHashBucketFast", "legacy": "StringToHashBucket",
           "stronghash": "StringToHashBucketStrong"}


class _WithBuckets(LookupInterface):
    """A table (or none) from words to ids, and num_oov_buckets ids after those for all other words."""

    def __init__(self, table: Any, num_oov_buckets: int, hasher_spec: HasherSpec, name: str | None,
                 key_dtype: Any) -> None:
        super().__init__(_key_dtype(table, key_dtype), int64)
        if not isinstance(hasher_spec, HasherSpec):
            raise TypeError(f"hasher_spec must be of type HasherSpec, got {type(hasher_spec).__name__}")
        self._table, self._num_oov_buckets, self._hasher_spec = table, num_oov_buckets, hasher_spec
        given = name.rstrip("/") if name else table.name if table is not None else "hash_bucket"
        self._table_name = given.rpartition("/")[2]

    @property
    def name(self) -> str:
        return self._table_name

    @property
    def resource_handle(self) -> Tensor | None:
        """The table's handle; None without a table."""
        return None if self._table is None else self._table.resource_handle

    @property
    def initializer(self) -> Operation:
        """The Operation that fills the table."""
        if self._table is not None:
            return self._table.initializer  # type: ignore[no-any-return]
        with get_default_graph().name_scope("init"):
            return no_op()

    @property
    def init(self) -> Operation:
        """`initializer` under its old name."""
        return self.initializer

    def size(self, name: str | None = None) -> Tensor:
        """The number of words and buckets."""
        with get_default_graph().name_scope(name or f"{self.name}_Size"):
            known = self._table.size() if self._table is not None else convert_to_tensor(0, int64)
            return known + self._num_oov_buckets  # type: ignore[no-any-return]

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The ids of the words (a tensor, or the values of a SparseTensor)."""
        self._check_keys(keys)
        sparse = not isinstance(keys, Tensor) and hasattr(keys, "dense_shape")
        ids = self._ids(convert_to_tensor(keys.values if sparse else keys), name)
        return type(keys)(keys.indices, ids, keys.dense_shape) if sparse else ids

    def _ids(self, values: Tensor, name: str | None) -> Tensor:
        if self._table is not None and self._table.key_dtype == int64:
            values = cast(values, int64)
        if self._num_oov_buckets == 0:
            found: Tensor = self._table.lookup(values, name=name)
            return found
        with get_default_graph().name_scope(name or f"{self.name}_Lookup"):
            words = values if values.dtype == string else apply(OPS["AsString"], values)
            more = {"key": tuple(self._hasher_spec.key)} if self._hasher_spec.hasher == "stronghash" else {}
            buckets: Tensor = apply(OPS[_hash(self._hasher_spec)], words, name="hash_bucket",
                                    num_buckets=self._num_oov_buckets, **more)
            if self._table is None:
                return buckets
            ids = self._table.lookup(values)
            buckets = buckets + self._table.size()
            return where_v2(not_equal(ids, self._table.default_value), ids, buckets)


def _hash(spec: HasherSpec) -> str:
    if spec.hasher not in _HASHES:
        raise ValueError(f"Unknown hasher {spec.hasher}; it is one of {', '.join(_HASHES)}")
    return _HASHES[spec.hasher]


def _key_dtype(table: Any, key_dtype: Any) -> DType:
    """The dtype of what is looked up, if a table takes it."""
    wanted = as_dtype(key_dtype) if key_dtype is not None else table.key_dtype if table is not None else string
    if table is not None:
        if table.key_dtype not in (int64, string):
            raise TypeError(f"Invalid key dtype, expected int64 or string, but got {table.key_dtype.name}.")
        if table.key_dtype.is_integer != wanted.is_integer:
            raise TypeError(f"Invalid key dtype, expected {'integer' if wanted.is_integer else 'non-integer'} but got "
                            f"{table.key_dtype.name}.")
        if table.value_dtype != int64:
            raise TypeError(f"Invalid value dtype, expected int64 but got {table.value_dtype.name}.")
    if not wanted.is_integer and wanted != string:
        raise TypeError(f"Invalid key_dtype, expected integer or string, got {wanted.name}.")
    return wanted


@public("contrib.lookup.IdTableWithHashBuckets")
class IdTableWithHashBuckets(_WithBuckets):
    """A table, or none, with num_oov_buckets more ids after it for words that are not in it, by their hash.

    table: from int64 or strings to int64; key_dtype: of what is looked up, in any shape: strings or integers; the ids
    are int64. As `tf.contrib.lookup.IdTableWithHashBuckets`. Raises ValueError without table and buckets; TypeError for
    other dtypes, also of what is looked up, and another hasher_spec.

    >>> table = gc.contrib.lookup.IdTableWithHashBuckets(None, num_oov_buckets=3)
    >>> ids = table.lookup(gc.constant(["a", "b", "a"])).eval()
    >>> bool(ids[0] == ids[2]), bool((ids < 3).all())
    (True, True)
    """

    def __init__(self, table: Any, num_oov_buckets: int, hasher_spec: HasherSpec = FastHashSpec,
                 name: str | None = None, key_dtype: Any = None) -> None:
        if table is None and num_oov_buckets <= 0:
            raise ValueError("oov_buckets must be > 0 if no table is supplied.")
        super().__init__(table, num_oov_buckets, hasher_spec, name, key_dtype)


@public("lookup.StaticVocabularyTable")
class StaticVocabularyTable(_WithBuckets):
    """An initialiser's words with their ids, and num_oov_buckets more ids for all other words, by their hash.

    initializer: of keys to int64 values, or None; lookup_key_dtype: string (default) or int64 keys. What is looked up
    has any shape; the ids are int64. As `tf.lookup.StaticVocabularyTable`. Raises ValueError for a num_oov_buckets
    below 1, TypeError for other dtypes, also of what is looked up.

    >>> words = gc.lookup.KeyValueTensorInitializer(["a", "b"], gc.constant([0, 1], gc.int64))
    >>> table = gc.lookup.StaticVocabularyTable(words, num_oov_buckets=1)
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["b", "what", "a"])).eval()
    array([1, 2, 0])
    """

    def __init__(self, initializer: TableInitializerBase | None, num_oov_buckets: int, lookup_key_dtype: Any = None,
                 name: str | None = None) -> None:
        if num_oov_buckets <= 0:
            raise ValueError("oov_buckets must be > 0; use StaticHashTable for a table without buckets.")
        table = None if initializer is None else HashTable(initializer, -1, shared_name=initializer._shared_name)
        super().__init__(table, num_oov_buckets, FastHashSpec, name, lookup_key_dtype if table is not None else string)


def _check_buckets(num_oov_buckets: int) -> None:
    if num_oov_buckets < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {num_oov_buckets}.")


def _with_buckets(table: HashTable, num_oov_buckets: int, hasher_spec: HasherSpec, dtype: DType) -> Any:
    return IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, key_dtype=dtype) if num_oov_buckets else table


def _check_file(vocabulary_file: Any, vocab_size: int | None) -> None:
    if vocabulary_file is None or (isinstance(vocabulary_file, (str, bytes)) and not vocabulary_file):
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(f"vocab_size must be greater than 0, got {vocab_size}.")


@public("contrib.lookup.index_table_from_file")
def index_table_from_file(vocabulary_file: Any = None, num_oov_buckets: int = 0, vocab_size: int | None = None,
                          default_value: int = -1, hasher_spec: HasherSpec = FastHashSpec, key_dtype: Any = string,
                          name: str | None = None, key_column_index: int = TextFileIndex.WHOLE_LINE,
                          value_column_index: int = TextFileIndex.LINE_NUMBER, delimiter: str = "\t") -> Any:
    r"""The table from the words in a file, one a line, to the numbers of their lines (int64, from 0).

    Args:
        vocabulary_file: its name; it is read when the table is initialised (NotFoundError).
        num_oov_buckets: that many more ids for all other words, by their hash (hasher_spec).
        vocab_size: how many lines count; all by default.
        default_value: the id of all other words if there are no buckets.
        key_dtype: string, or an integer dtype for numbers in the file.
        key_column_index, value_column_index, delimiter: which columns of the line, or `gc.lookup.TextFileIndex`.

    Keys may have any shape. As `tf.contrib.lookup.index_table_from_file`. Raises ValueError without a name of a file,
    for a vocab_size below 1 and a negative num_oov_buckets; TypeError for another key_dtype, and for keys of another
    dtype.

    >>> gc.write_file("words.txt", "the\ncat\nsat\n").run()
    >>> table = gc.contrib.lookup.index_table_from_file("words.txt", default_value=-1)
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["sat", "dog", "the"])).eval()
    array([ 2, -1,  0])
    """
    _check_file(vocabulary_file, vocab_size)
    _check_buckets(num_oov_buckets)
    dtype = as_dtype(key_dtype)
    if not dtype.is_integer and dtype != string:
        raise TypeError("Only integer and string keys are supported.")
    with get_default_graph().name_scope(name or "string_to_index"):
        with get_default_graph().name_scope("hash_table"):
            filled_by = TextFileIdTableInitializer(
                vocabulary_file, vocab_size=vocab_size, key_dtype=int64 if dtype.is_integer else dtype,
                name="table_init", key_column_index=key_column_index, value_column_index=value_column_index,
                delimiter=delimiter)
            table = HashTable(filled_by, default_value, shared_name=filled_by._shared_name)
        return _with_buckets(table, num_oov_buckets, hasher_spec, dtype)


@public("contrib.lookup.index_table_from_tensor")
def index_table_from_tensor(mapping: Any, num_oov_buckets: int = 0, default_value: int = -1,
                            hasher_spec: HasherSpec = FastHashSpec, dtype: Any = string,
                            name: str | None = None) -> Any:
    """The table from the words in a vector to their positions (int64, from 0); other arguments as of
    `index_table_from_file`.

    As `tf.contrib.lookup.index_table_from_tensor`. A word that stands twice is a FailedPreconditionError when run.
    Raises ValueError without mapping, if it is not of `dtype`, and for a negative num_oov_buckets; TypeError for a
    dtype that is neither an integer one nor string.

    >>> table = gc.contrib.lookup.index_table_from_tensor(["the", "cat"], num_oov_buckets=1)
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["cat", "dog"])).eval()
    array([1, 2])
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    _check_buckets(num_oov_buckets)
    wanted = as_dtype(dtype)
    if not wanted.is_integer and wanted != string:
        raise TypeError("Only integer and string keys are supported.")
    with get_default_graph().name_scope(name or "string_to_index"):
        keys = convert_to_tensor(mapping)
        if keys.dtype.is_integer != wanted.is_integer:
            raise ValueError(f"Expected {'integer' if wanted.is_integer else 'non-integer'}, got {keys.dtype.name}.")
        if not wanted.is_integer and keys.dtype != wanted:
            raise ValueError(f"Expected {wanted.name}, got {keys.dtype.name}.")
        values = cast(range_(size(keys)), int64)
        with get_default_graph().name_scope("hash_table"):
            words = cast(keys, int64) if keys.dtype.is_integer else keys
            table = HashTable(KeyValueTensorInitializer(words, values, words.dtype, int64, name="table_init"),
                              default_value)
        return _with_buckets(table, num_oov_buckets, hasher_spec, wanted)


@public("contrib.lookup.string_to_index_table_from_file")
def string_to_index_table_from_file(vocabulary_file: Any = None, num_oov_buckets: int = 0,
                                    vocab_size: int | None = None, default_value: int = -1,
                                    hasher_spec: HasherSpec = FastHashSpec, name: str | None = None) -> Any:
    r"""`index_table_from_file` of strings, under its old name.

    Arguments and errors as of that. As `tf.contrib.lookup.string_to_index_table_from_file`.

    >>> gc.write_file("words.txt", "the\ncat\n").run()
    >>> table = gc.contrib.lookup.string_to_index_table_from_file("words.txt")
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["cat"])).eval()
    array([1])
    """
    return index_table_from_file(vocabulary_file, num_oov_buckets, vocab_size, default_value, hasher_spec, string, name)


@public("contrib.lookup.string_to_index_table_from_tensor")
def string_to_index_table_from_tensor(mapping: Any, num_oov_buckets: int = 0, default_value: int = -1,
                                      hasher_spec: HasherSpec = FastHashSpec, name: str | None = None) -> Any:
    """`index_table_from_tensor` of strings, under its old name.

    Arguments and errors as of that; ValueError for what are no strings. As
    `tf.contrib.lookup.string_to_index_table_from_tensor`.

    >>> table = gc.contrib.lookup.string_to_index_table_from_tensor(["the", "cat"])
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant(["cat"])).eval()
    array([1])
    """
    words = convert_to_tensor(mapping)
    if words.dtype != string:
        raise ValueError("string_to_index_table_from_tensor requires string.")
    return index_table_from_tensor(words, num_oov_buckets, default_value, hasher_spec, name=name)


@public("contrib.lookup.string_to_index")
def string_to_index(tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None) -> Any:
    """The positions of words in a vector, default_value for others: `index_table_from_tensor` and its lookup.

    `gc.tables_initializer` must have run. tensor: strings of any shape, or a SparseTensor of them; the ids are int64.
    As `tf.contrib.lookup.string_to_index`. Raises TypeError for keys of another dtype, else as
    `index_table_from_tensor`.

    >>> ids = gc.contrib.lookup.string_to_index(gc.constant(["cat", "dog"]), mapping=["the", "cat"])
    >>> gc.tables_initializer().run()
    >>> ids.eval()
    array([ 1, -1])
    """
    return index_table_from_tensor(mapping, default_value=default_value, name=name).lookup(tensor)


@public("contrib.lookup.index_to_string_table_from_file")
def index_to_string_table_from_file(vocabulary_file: Any, vocab_size: int | None = None, default_value: Any = "UNK",
                                    name: str | None = None, key_column_index: int = TextFileIndex.LINE_NUMBER,
                                    value_column_index: int = TextFileIndex.WHOLE_LINE,
                                    delimiter: str = "\t") -> HashTable:
    r"""The table from numbers of lines (int64) to the words in them, default_value for others.

    Columns as of `index_table_from_file`. Keys: int64 of any shape. As
    `tf.contrib.lookup.index_to_string_table_from_file`. Raises ValueError without a name of a file and for a vocab_size
    below 1, TypeError for a default_value that is no string; NotFoundError when it is initialised without the file.

    >>> gc.write_file("words.txt", "the\ncat\n").run()
    >>> table = gc.contrib.lookup.index_to_string_table_from_file("words.txt")
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant([1, 7], gc.int64)).eval()
    array([b'cat', b'UNK'], dtype=object)
    """
    _check_file(vocabulary_file, vocab_size)
    with get_default_graph().name_scope(name or "index_to_string"):
        filled_by = TextFileStringTableInitializer(
            vocabulary_file, vocab_size=vocab_size, name="table_init", key_column_index=key_column_index,
            value_column_index=value_column_index, delimiter=delimiter)
        return HashTable(filled_by, default_value, shared_name=filled_by._shared_name)


@public("contrib.lookup.index_to_string_table_from_tensor")
def index_to_string_table_from_tensor(mapping: Any, default_value: Any = "UNK", name: str | None = None) -> HashTable:
    """The table from positions in a vector (int64) to the words there, default_value for others.

    mapping: a vector of strings; keys: int64 of any shape. As `tf.contrib.lookup.index_to_string_table_from_tensor`.
    Raises ValueError without mapping, TypeError for one that is no strings, and keys of another dtype.

    >>> table = gc.contrib.lookup.index_to_string_table_from_tensor(["the", "cat"], default_value="?")
    >>> gc.tables_initializer().run()
    >>> table.lookup(gc.constant([1, 7], gc.int64)).eval()
    array([b'cat', b'?'], dtype=object)
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    with get_default_graph().name_scope(name or "index_to_string"):
        words = convert_to_tensor(mapping, string)
        keys = cast(range_(size(words)), int64)
        return HashTable(KeyValueTensorInitializer(keys, words, int64, string, name="table_init"), default_value)


@public("contrib.lookup.index_to_string")
def index_to_string(tensor: Any, mapping: Any, default_value: Any = "UNK", name: str | None = None) -> Any:
    """The words at positions (int64) of a vector, default_value for others. As `tf.contrib.lookup.index_to_string`.

    tensor: of any shape. Raises ValueError without mapping, TypeError for other dtypes. `gc.tables_initializer` must
    have run.

    >>> words = gc.contrib.lookup.index_to_string(gc.constant([1, 0], gc.int64), mapping=["the", "cat"])
    >>> gc.tables_initializer().run()
    >>> words.eval()
    array([b'cat', b'the'], dtype=object)
    """
    return index_to_string_table_from_tensor(mapping, default_value, name).lookup(tensor)
