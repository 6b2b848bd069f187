"""Lookup tables of strings: words and ids, vocabularies in files, buckets for words that are in no table."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import graphc as gc
from graphc import errors

lookup = gc.contrib.lookup


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def words() -> Any:
    return lookup.index_table_from_tensor(["emerson", "lake", "palmer"], default_value=-7)


def test_words_and_ids() -> None:
    x = gc.placeholder(gc.string, None)
    table = words()
    back = lookup.index_to_string_table_from_tensor(["emerson", "lake", "palmer"], default_value="?")
    ids = table.lookup(x)
    with gc.Session() as session:
        session.run(gc.tables_initializer())
        assert session.run(ids, {x: [["lake", "and"], ["", "emerson"]]}).tolist() == [[1, -7], [-7, 0]]
        assert session.run(back.lookup(ids), {x: "palmer"}) == b"palmer"
        assert session.run(back.lookup(ids), {x: ["lake", "x"]}).tolist() == [b"lake", b"?"]
        keys, values = session.run(back.export())
        assert dict(zip(keys.tolist(), values.tolist(), strict=True)) == {0: b"emerson", 1: b"lake", 2: b"palmer"}
        assert session.run(lookup.string_to_index(["lake"], ["lake"]).op.graph.get_collection(
            gc.GraphKeys.TABLE_INITIALIZERS)[-1]) is None


@pytest.mark.parametrize("key, value, keys, values, default", [
    (gc.string, gc.string, ["a", "b"], ["x", "y\0z"], ""), (gc.string, gc.float32, ["a", ""], [1.5, 2.5], 0.0),
    (gc.string, gc.bool, ["a", "b"], [True, False], False), (gc.string, gc.int32, ["ü", "b"], [1, 2], 0),
    (gc.int64, gc.string, [1, -2**40], ["x", "y"], "none"), (gc.int32, gc.string, [1, 2], ["x", "y"], "none")])
def test_strings_in_tables(key: Any, value: Any, keys: Any, values: Any, default: Any) -> None:
    static = lookup.HashTable(lookup.KeyValueTensorInitializer(keys, values, key, value), default)
    changing = lookup.MutableHashTable(key, value, default)
    put = changing.insert(gc.constant(keys, key), gc.constant(values, value))
    asked = gc.constant([keys[1], keys[0], "other" if key == gc.string else 77], key)
    expected = [v.encode() if isinstance(v, str) else v for v in (values[1], values[0], default)]
    with gc.Session() as session:
        session.run([static.init, put])
        for table in (static, changing):
            assert session.run(table.lookup(asked)).tolist() == expected
            found = session.run(table.export())
            as_bytes = [[v.encode() if isinstance(v, str) else v for v in x] for x in (keys, values)]
            assert sorted(zip(*(x.tolist() for x in found), strict=True)) == sorted(zip(*as_bytes, strict=True))


def test_dense_tables_of_words() -> None:
    table = lookup.MutableDenseHashTable(gc.string, gc.int64, -1, empty_key="", deleted_key="<gone>")
    put, found = table.insert(["a", "b"], gc.constant([1, 2], gc.int64)), table.lookup(["b", "c"])
    with gc.Session() as session:
        session.run(put)
        assert session.run(found).tolist() == [2, -1]
        with pytest.raises(errors.InvalidArgumentError, match="empty_key"):
            session.run(table.lookup([""]))


def test_many_words_do_not_pile_up() -> None:
    table = lookup.MutableHashTable(gc.string, gc.string, "")
    x = gc.placeholder(gc.string, [None])
    put, gone, found = table.insert(x, x), table.remove(x), table.lookup(x)
    from graphc.exec.strings.table import TABLE

    with gc.Session() as session:
        for i in range(30):
            given = [f"{i}:{k}" for k in range(200)]
            session.run(put, {x: given})
            assert session.run(found, {x: given[:2]}).tolist() == [b"%d:0" % i, b"%d:1" % i]
            session.run(gone, {x: given})
        assert session.run(table.size()) == 0
        assert len(TABLE) < 2000


# Files


@pytest.fixture
def vocabulary(tmp_path: Any) -> str:
    path = tmp_path / "words.txt"
    path.write_bytes(b"brain\t5\r\nsalad\t-6\nsurgery\t7")
    return str(path)


def test_words_in_a_file(vocabulary: str) -> None:
    ids = lookup.index_table_from_file(vocabulary, key_column_index=0, value_column_index=1, default_value=-1)
    lines = lookup.index_to_string_table_from_file(vocabulary)
    numbers = lookup.HashTable(lookup.TextFileInitializer(
        vocabulary, gc.int64, lookup.TextFileIndex.LINE_NUMBER, gc.float32, 1), 0.0)
    some = lookup.index_to_string_table_from_file(vocabulary, vocab_size=2, value_column_index=0)
    name = gc.placeholder(gc.string, [])
    fed = lookup.HashTable(lookup.TextFileIdTableInitializer(name, 0, 1), -1)
    with gc.Session() as session:
        session.run([ids.init, lines.init, numbers.init, some.init])
        assert session.run(ids.lookup(gc.constant(["salad", "x", "brain"]))).tolist() == [-6, -1, 5]
        three = gc.constant([2, 0, 3], gc.int64)
        assert session.run(lines.lookup(three)).tolist() == [b"surgery\t7", b"brain\t5", b"UNK"]
        assert session.run(numbers.lookup(three)).tolist() == [7, 5, 0]
        assert session.run(some.lookup(three)).tolist() == [b"UNK", b"brain", b"UNK"]
        assert gc.get_default_graph().get_collection(gc.GraphKeys.ASSET_FILEPATHS)
        session.run(fed.init, {name: vocabulary})
        assert session.run(fed.size()) == 3


COLUMNS = {"key_column_index": 0, "value_column_index": 1}


@pytest.mark.parametrize("lines, arguments, kind, message", [
    (b"a\n\nb\n", {}, "InvalidArgument", "empty line found at line 2"),
    (b"a\nb\n", {"vocab_size": 3}, "InvalidArgument", "expected 3 but got 2"),
    (b"a\t1\nb\n", COLUMNS, "InvalidArgument", r"line 1 \(b\): expected at least"),
    (b"a\tx\n", COLUMNS, "InvalidArgument", "Field x in line 0 is not a valid int64"),
    (b"a\t99999999999999999999\n", COLUMNS, "InvalidArgument", "not a valid int64"),
    (b"a\n", {"delimiter": "ab", "key_column_index": 0}, "InvalidArgument", "delimiter must be only 1 char"),
    (None, {}, "NotFound", "No such file or directory"),
])
def test_files_that_fill_no_table(tmp_path: Any, lines: bytes | None, arguments: dict[str, Any], kind: str,
                                  message: str) -> None:
    path = tmp_path / "words.txt"
    if lines is not None:
        path.write_bytes(lines)
    table = lookup.index_table_from_file(str(path), **arguments)
    with gc.Session() as session, pytest.raises(getattr(errors, f"{kind}Error"), match=message):
        session.run(table.init)


def test_arguments_that_make_no_table() -> None:
    with pytest.raises(ValueError, match="vocabulary_file must be specified"):
        lookup.index_table_from_file("")
    with pytest.raises(ValueError, match="vocab_size must be greater than 0, got 0"):
        lookup.index_table_from_file("f", vocab_size=0)
    with pytest.raises(ValueError, match="num_oov_buckets must be greater or equal than 0, got -1"):
        lookup.index_table_from_tensor(["a"], num_oov_buckets=-1)
    with pytest.raises(ValueError, match="mapping must be specified"):
        lookup.index_table_from_tensor(None)
    with pytest.raises(TypeError, match="Only integer and string keys"):
        lookup.index_table_from_tensor([1.0], dtype=gc.float32)
    with pytest.raises(ValueError, match="Expected integer, got string"):
        lookup.index_table_from_tensor(["a"], dtype=gc.int64)
    with pytest.raises(ValueError, match="Invalid key index -3"):
        lookup.TextFileInitializer("f", gc.string, -3, gc.int64, -1)
    with pytest.raises(ValueError, match="Values must be dtype int64, got string"):
        lookup.TextFileInitializer("f", gc.string, -2, gc.string, -1)
    with pytest.raises(TypeError, match="Invalid value dtype, expected int64"):
        lookup.IdTableWithHashBuckets(lookup.MutableHashTable(gc.string, gc.float32, 0.0), 1)
    with pytest.raises(ValueError, match="oov_buckets must be > 0"):
        lookup.IdTableWithHashBuckets(None, 0)
    with pytest.raises(ValueError, match="key must have size 2, got 3"):
        lookup.StrongHashSpec((1, 2, 3))


# Words that are in no table


WORDS = ["a", "lake", "", "üü", "x" * 100, "palmer"]


@pytest.mark.parametrize("make, asked, expected, size", [        # what TensorFlow gives
    (lambda: lookup.index_table_from_tensor(["lake", "palmer"], 5), WORDS, [6, 0, 5, 5, 6, 1], 7),
    (lambda: lookup.index_table_from_tensor(["lake"], 3, hasher_spec=lookup.StrongHashSpec([1, 2])), WORDS,
     [3, 0, 2, 3, 2, 2], 4),
    (lambda: lookup.index_table_from_tensor([5, 7], 4, dtype=gc.int64), [5, 7, 9, -3], [0, 1, 3, 5], 6),
    (lambda: lookup.index_table_from_tensor([5, 7], 4, dtype=gc.int32), [5, 7, 9, -3], [0, 1, 3, 5], 6),
    (lambda: lookup.IdTableWithHashBuckets(None, 6), WORDS, [3, 4, 5, 1, 1, 3], 6),
    (lambda: gc.lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(
        ["lake"], [0], gc.string, gc.int64), 2), WORDS, [2, 0, 2, 2, 2, 2], 3),
    (lambda: gc.lookup.StaticVocabularyTable(None, 2), WORDS, [1, 0, 1, 1, 1, 1], 2),
])
def test_buckets(make: Any, asked: Any, expected: list[int], size: int) -> None:
    table = make()
    keys = gc.constant(asked, table.key_dtype)
    found, count = table.lookup(keys), table.size()
    with gc.Session() as session:
        session.run(gc.tables_initializer())
        session.run(table.init)
        assert session.run(found).tolist() == expected and session.run(count) == size
    with pytest.raises(TypeError, match="Keys must be dtype"):
        table.lookup(gc.constant([1.0]))


def test_buckets_behind_a_file(vocabulary: str) -> None:
    table = lookup.index_table_from_file(vocabulary, num_oov_buckets=2, key_column_index=0)
    with gc.Session() as session:
        session.run(table.init)
        found = session.run(table.lookup(gc.constant(["salad", "brain", "none"])))
    assert found[:2].tolist() == [1, 0] and found[2] in (3, 4)


def test_words_in_a_sparse_tensor() -> None:
    words_in = gc.SparseTensor(gc.constant([[0, 0], [1, 2]], gc.int64), gc.constant(["lake", "?"]),
                               gc.constant([2, 3], gc.int64))
    plain, with_buckets = lookup.index_table_from_tensor(["lake"]), lookup.index_table_from_tensor(["lake"], 1)
    with gc.Session() as session:
        session.run(gc.tables_initializer())
        for table, values in ((plain, [0, -1]), (with_buckets, [0, 1])):
            found = session.run(table.lookup(words_in))
            assert found.values.tolist() == values and found.indices.tolist() == [[0, 0], [1, 2]]
            assert found.dense_shape.tolist() == [2, 3]
