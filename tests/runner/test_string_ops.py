"""Ops on strings in the C++ library: what a Session gives, and errors for what is no number, line or Example."""
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.files.example_wire import write_example

from files import build_runner
from native import INVALID_ARGUMENT, Native, NativeError

SIZES = (0, 1, 3, 17, 65)


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(build_runner() / "libgraphc.so")


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def texts(values: Sequence[bytes]) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made


def words(count: int) -> np.ndarray:
    draw = random.Random(count)
    pool = [b"", b"cat", b"a b,c ", b"\xff\0x", b" Many  Words\n", bytes(range(200))]
    return texts([draw.choice(pool) for _ in range(count)])


def frozen(session: gc.Session, fetches: Sequence[gc.Tensor]) -> bytes:
    return gc.freeze(session, list(fetches)).SerializeToString(deterministic=True)


def same_in_both(native: Native, x: gc.Tensor, fetches: Sequence[Any], *feeds: np.ndarray) -> None:
    """x: the only thing fed. Each feed twice: the second run finds a frame of the first."""
    named = [gc.identity(t) for t in fetches]
    for isa in ("", "x86-64-v3"):
        if isa and isa not in native.isas():
            continue
        with gc.Session() as session, native.load(frozen(session, named), isa=isa.encode() or None) as model:
            for given in (*feeds, *feeds):
                for found, wanted in zip(model.run([given]), session.run(named, {x: given}), strict=True):
                    wanted = np.array(wanted, object) if isinstance(wanted, bytes) else np.asarray(wanted)
                    assert found.dtype == wanted.dtype and found.shape == wanted.shape
                    np.testing.assert_array_equal(found, wanted)


def test_letters_and_parts(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    upper = gc.strings.upper(gc.strings.strip(x))
    parts, whole = gc.string_split(x, ", "), gc.string_split(x, "")
    joined = gc.string_join([upper, "it's: ", gc.strings.lower(x), x], "\u00e9\n'")
    same_in_both(native, x, [upper, gc.strings.length(joined), joined, parts.indices, parts.values, parts.dense_shape,
                             whole.values, gc.strings.upper(gc.strings.upper(parts.values)), gc.equal(upper, joined)],
                 *map(words, SIZES))


def test_substrings_and_rows_joined(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    length = gc.strings.length(x, unit="UTF8_CHAR")
    first, last = gc.substr(x, 0, 2), gc.strings.substr(x, length // 2, length, unit="UTF8_CHAR")
    rows = gc.stack([x, first, last], 1)
    strong = gc.string_to_hash_bucket_strong(rows, 1 << 60, [-3, 1 << 62])
    same_in_both(native, x, [length, first, last, strong, gc.reduce_join(rows, 1, separator="; "),
                             gc.reduce_join(rows, 0, keep_dims=True), gc.reduce_join(gc.stack([rows, rows]), 1)],
                 *(texts([b"\xe4\xb8\xadx" + word for word in words(n)]) for n in SIZES))


def test_a_place_outside_of_a_string_is_an_error(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    with gc.Session() as session, native.load(frozen(session, [gc.substr(x, 2, 1)])) as model:
        assert model.run([texts([b"abc"])])[0].tolist() == [b"c"]
        with pytest.raises(NativeError, match="pos out of range for string 'a'") as found:
            model.run([texts([b"abc", b"a"])])
        assert found.value.status == INVALID_ARGUMENT


def test_hashes_in_an_embedding(native: Native) -> None:
    """From sentences to a net's result: split, hashed, looked up, summed."""
    x = gc.placeholder(gc.string, [None], name="x")
    parts = gc.string_split(x)
    ids = gc.SparseTensor(parts.indices, gc.string_to_hash_bucket_fast(parts.values, 50), parts.dense_shape)
    table = gc.constant(np.random.RandomState(0).standard_normal((50, 4)).astype(np.float32))
    mean = gc.nn.embedding_lookup_sparse(table, ids, None, combiner="mean")
    given = texts([b"one two three", b"two", b"four one one"])
    same_in_both(native, x, [mean, gc.string_to_hash_bucket(x, 1 << 40)], given, given[:1])


def test_numbers(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    drawn = [repr(v).encode() for v in np.random.RandomState(1).lognormal(0, 40, 50).tolist()]
    hard = [b"0x1p3", b"inf", b"1e400", b"4.9e-324", b" -7.5\n", b"16777217", b"1.00000017881393432617187499"]
    values = gc.string_to_number(x, gc.float64)
    same_in_both(native, x, [values, gc.string_to_number(x), gc.as_string(values, precision=3),
                             gc.as_string(gc.cast(gc.string_to_number(x), gc.int32))],
                 texts(drawn), texts(hard), texts([]))


def test_whole_numbers(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    values = gc.string_to_number(x, gc.int64)
    given = texts([b"12", b"-9223372036854775808", b"9223372036854775807", b"+5"])
    again = gc.string_to_number(gc.as_string(values % 100), gc.int32)
    same_in_both(native, x, [values, gc.as_string(values), again], given)


def test_lines(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    columns = gc.decode_csv(x, [[0.5], [7], ["none"], gc.constant([], gc.int32)], na_value="NA")
    chosen = gc.decode_csv(x, [["-"]], select_cols=[2])
    draw = random.Random(2)
    fields = ([b"1.5", b"-2e3", b"", b"NA"], [b"12", b""], [b"a", b"", b'"x,""y"""'], [b"1", b"-3"])
    lines = texts([b",".join(map(draw.choice, fields)) for _ in range(65)])
    same_in_both(native, x, [*columns, *chosen], lines, lines[:1], lines[:0])


@pytest.mark.parametrize("single", [False, True])
def test_examples(native: Native, single: bool) -> None:
    x = gc.placeholder(gc.string, [] if single else [None], name="x")
    features = {"pixels": gc.FixedLenFeature([2, 2], gc.float32), "label": gc.FixedLenFeature([], gc.int64, 5),
                "name": gc.FixedLenFeature([2], gc.string), "ids": gc.VarLenFeature(gc.int64),
                "more": gc.FixedLenSequenceFeature([], gc.int64, allow_missing=True)}
    draw = random.Random(4)

    def example() -> bytes:
        made: dict[str, Any] = {"pixels": np.arange(4, dtype=np.float32), "name": [b"a", b""],
                                "ids": [draw.getrandbits(40) for _ in range(draw.randrange(4))]}
        return write_example(made | ({"label": [draw.randrange(9)]} if draw.random() < 0.5 else {"more": [1, 2]}))

    parsed = (gc.parse_single_example if single else gc.parse_example)(x, features)
    fetches = [parsed[name] for name in ("pixels", "label", "name", "more")]
    ids = parsed["ids"]
    given = [np.array(example(), object)] if single else [texts([example() for _ in range(n)]) for n in (1, 17)]
    same_in_both(native, x, [*fetches, ids.indices, ids.values, ids.dense_shape], *given)


@pytest.mark.parametrize(("make", "given", "said"), [
    (gc.string_to_number, b"1_0", "could not correctly convert string: '1_0'"),
    (lambda x: gc.string_to_number(x, gc.int32), b"2147483648", "could not correctly convert string: '2147483648'"),
    (lambda x: gc.decode_csv(x, [[1], [2]])[0], b"1,2,3", "record 1 does not have the 2 fields that are wanted"),
    (lambda x: gc.parse_example(x, {"a": gc.FixedLenFeature([], gc.int64)})["a"], b"\x0a\xff",
     "example 1 cannot be parsed")])
def test_what_is_wrong_is_named(native: Native, make: Any, given: bytes, said: str) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    right = {"1_0": b"1", "2147483648": b"1", "1,2,3": b"1,2"}.get(given.decode("latin-1"), write_example({"a": [1]}))
    with gc.Session() as session, native.load(frozen(session, [gc.identity(make(x), name="y")])) as model:
        for _ in range(2):
            with pytest.raises(NativeError, match=said) as caught:
                model.run([texts([right, given])])
            assert caught.value.status == INVALID_ARGUMENT and "test_string_ops.py" in str(caught.value)
            model.run([texts([right])])


def test_in_a_loop(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")

    def body(i: Any, text: Any) -> Any:
        return i + 1, gc.string_join([text, gc.as_string(gc.fill(gc.shape(text), i))], "-")

    _, text = gc.while_loop(lambda i, _: i < 4, body, [gc.constant(0), x])
    same_in_both(native, x, [text, gc.strings.length(text)], *map(words, SIZES))


def test_what_is_pythons_alone_is_refused() -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    for made in (gc.as_string(gc.string_to_number(x), width=9), gc.reduce_join(gc.reshape(x, [2, -1]), [1, 0]),
                 gc.strings.regex_replace(x, "a", "b"), gc.strings.lower(x, encoding="utf-8")):
        with gc.Session() as session, pytest.raises(gc.errors.UnimplementedError, match="computed in Python"):
            gc.export_model(session, {"y": gc.Signature({"y": made}, x)})
