"""What kernels compute of strings (kernels/strings) is what Python computes, to the bit; what is not plain is left to
Python, whose errors name it."""
from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.ops
from graphc.exec.strings.ops import native_of
from graphc.ir.host import HostCall
from graphc.ir.op import OPS
from graphc.ir.values import as_array
from graphc.ops.files.example_wire import write_example
from graphc.ops.strings.base import strings_of
from graphc.ops.summary.histogram import bucket_limits

assert gc.matmul            # the first public name that is used registers the ops
SIZES = (0, 1, 3, 17, 31, 65)


def strings(values: Sequence[bytes], shape: Sequence[int] | None = None) -> np.ndarray:
    return strings_of(values, (len(values),) if shape is None else shape)


def words(count: int, seed: int, longest: int = 70) -> np.ndarray:
    """Random bytes, some of them equal and some empty."""
    draw = random.Random(seed)
    pool = [bytes(draw.choices(range(256), k=draw.randrange(longest))) for _ in range(max(count // 2, 1))] + [b""]
    return strings([draw.choice(pool) for _ in range(count)])


def both(op: Any, inputs: Sequence[np.ndarray], plain: bool = True) -> None:
    """A run gives what `compute` gives. plain: by a kernel alone."""
    wanted = op.compute(*inputs)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    with gc.Graph().as_default() as graph:
        fed = [gc.placeholder(gc.string if x.dtype == object else x.dtype, x.shape) for x in inputs]
        fields = [gc.constant(np.array(getattr(op, name), np.int32)) for name in op.field_operands()]
        made = graph.create(op, [*fed, *fields]).outputs
    with gc.Session(graph=graph) as session, pytest.MonkeyPatch.context() as patch:
        if plain:
            patch.setattr(HostCall, "__call__", _refused)
        found = session.run(list(made), dict(zip(fed, inputs, strict=True)))
    for a, b in zip(map(as_array, found), wanted, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        if a.dtype == object:
            assert a.tolist() == b.tolist()
        else:
            assert a.tobytes() == b.tobytes()


def _refused(*_: Any) -> None:
    raise AssertionError("Python was called")


HARD = [b"1e400", b"-1e-400", b"1.0000000596046448", b"1.00000017881393432617187499", b"3.4028235677973366e38", b"-0",
        b"0x1p3", b"-nan", b"1e-45", b"4.9e-324", b"9007199254740993", b"123456789012345678901234567890"]


def numbers(seed: int) -> list[bytes]:
    """Decimal numbers as people and printf write them, and hard ones: near the middle of two float32 or float64."""
    draw = random.Random(seed)
    made = [f"{draw.uniform(-100, 100):.{draw.randrange(8)}f}" for _ in range(40)]
    bits = [draw.getrandbits(64) & ~(1 << 62) | draw.getrandbits(1) << 61 for _ in range(40)]
    made += [repr(struct.unpack("d", struct.pack("Q", b))[0]) for b in bits]
    made += [repr(float(np.float32(draw.uniform(-1, 1)))) for _ in range(20)]
    made += [f"{draw.getrandbits(70)}e{draw.randrange(-60, 60)}" for _ in range(20)]
    made += [f"{2**24 + 2 * draw.randrange(1000) + 1}.{'0' * draw.randrange(20)}1" for _ in range(10)]
    return [*HARD[:seed], *(text.encode() for text in made if "nan" not in text)]


@pytest.mark.parametrize("size", SIZES)
def test_numbers_of_strings(size: int) -> None:
    for dtype in (gc.float32, gc.float64):
        # Some are beyond what the kernel is sure of.
        both(OPS["StringToNumber"](out_type=dtype), [strings(numbers(size)[:size])], plain=False)
    both(OPS["StringToNumber"](out_type=gc.float32), [strings([b" 1.25", b"-.5", b"inf\n", b"NaN", b"7."] * size)])
    for dtype in (gc.int32, gc.int64):
        drawn = random.Random(size).choices([b"12", b" -7 ", b"+0", b"007", b"2147483647", b"-2147483648"], k=size)
        both(OPS["StringToNumber"](out_type=dtype), [strings(drawn)])
    for dtype, most in ((gc.int32, 2**31 - 1), (gc.int64, 2**63 - 1)):
        ends = strings([str(most).encode(), str(-most - 1).encode()])
        both(OPS["StringToNumber"](out_type=dtype), [ends], plain=False)
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.string, [None])
            y = gc.string_to_number(x, dtype)
        with gc.Session(graph=graph) as session, pytest.raises(gc.errors.InvalidArgumentError, match=str(most + 1)):
            session.run(y, {x: [str(most + 1)]})


def test_a_number_beside_the_middle_of_two_float32_is_rounded_once() -> None:
    texts = [b"1.00000017881393432617187499", b"1.00000017881393432617187501", b"1.000000178813934326171875"]
    found = OPS["StringToNumber"](out_type=gc.float32).compute(strings(texts))
    assert found.tolist() == [1.00000011920928955078125, 1.0000002384185791015625, 1.0000002384185791015625]


def test_most_decimal_numbers_are_the_kernels() -> None:
    draw = random.Random(1)
    texts = [repr(draw.lognormvariate(0, 40)).encode() for _ in range(2000)]
    both(OPS["StringToNumber"](out_type=gc.float64), [strings(texts)])


@pytest.mark.parametrize("text", [b"", b" ", b"1_0", b"1\0", b"a", b"1 2", b"--1", b"+", b".", b"e5", b"1e", b"1e+",
                                  b"nanx"])
def test_what_is_no_number_is_named(text: bytes) -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [None])
        y = gc.string_to_number(x)
    with gc.Session(graph=graph) as session, pytest.raises(gc.errors.InvalidArgumentError, match="correctly convert"):
        session.run(y, {x: strings([b"1", text])})


@pytest.mark.parametrize("size", SIZES)
def test_strings_of_numbers(size: int) -> None:
    draw = np.random.RandomState(size)
    whole, real = draw.randint(-1000, 1000, size), draw.standard_normal(size) * 10.0 ** draw.randint(-8, 8, size)
    for dtype in (np.int32, np.int64):
        both(OPS["AsString"](), [whole.astype(dtype)])
    for precision in (-1, 0, 3):
        for dtype in (np.float32, np.float64):
            both(OPS["AsString"](precision=precision), [real.astype(dtype)], plain=precision < 1)
    both(OPS["AsString"](precision=2), [np.array([0.125, 0.375, -0.0, 2.5, 0.005, 1e-9] * size)])
    both(OPS["AsString"](), [np.array([np.iinfo(np.int64).min, np.nan, 1e300][:size])], plain=False)


@pytest.mark.parametrize("size", SIZES)
def test_hashes(size: int) -> None:
    given = [words(size, size, longest) for longest in (9, 40, 200)]
    for x in given:
        for name in ("StringToHashBucketFast", "StringToHashBucket"):
            both(OPS[name](num_buckets=1 << 62), [x])
            both(OPS[name](num_buckets=7), [x])
        for key in ((0, 0), (-5, 1 << 62), (1 << 63, 3)):
            both(OPS["StringToHashBucketStrong"](num_buckets=7919, key=key), [x])
        both(OPS["Fingerprint"](), [x, strings([b"farmhash64"], ())])
    both(OPS["Fingerprint"](), [np.arange(size), strings([b"farmhash64"], ())], plain=False)


def letters(count: int, seed: int) -> np.ndarray:
    """Characters of one to four bytes, with bytes among them that are none."""
    draw = random.Random(seed)
    pool = [*(c.encode() for c in "aZ \u00e9\u4e2d\U0001f600"), b"\x80", b"\xff", b"\xe4\xb8"]
    return strings([b"".join(draw.choices(pool, k=draw.randrange(12))) for _ in range(count)])


@pytest.mark.parametrize("unit", ["BYTE", "UTF8_CHAR"])
@pytest.mark.parametrize("size", SIZES)
def test_substrings(size: int, unit: str) -> None:
    op = OPS["Substr"](unit=unit)
    x = letters(size, size)
    lengths = OPS["StringLength"](unit=unit).compute(x)
    draw = np.random.RandomState(size)
    for dtype in (np.int32, np.int64):
        places = np.array([draw.randint(-n, n + 1) for n in lengths], dtype)
        both(op, [x, places, draw.randint(-2, 9, size).astype(dtype)])
        both(op, [x, np.array(0, dtype), np.array(3, dtype)])
        both(op, [strings([b"h\xc3\xa9llo"], ()), draw.randint(-5, 6, size).astype(dtype), np.full(size, 2, dtype)])
    both(op, [x.reshape(size, 1), np.array([0, 0], np.int32), np.array([1, 2], np.int32)], plain=False)


def test_a_place_outside_of_a_string_is_named() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [None])
        y = gc.substr(x, -3, 2)
    with gc.Session(graph=graph) as session:
        assert session.run(y, {x: ["abc", "abcd"]}).tolist() == [b"ab", b"bc"]
        with pytest.raises(gc.errors.InvalidArgumentError, match="pos -3 out of range for string b'ab' of length 2"):
            session.run(y, {x: ["abc", "ab"]})


@pytest.mark.parametrize("axis", [0, 1, -1, 2])
def test_joined_along_an_axis(axis: int) -> None:
    for keep in (False, True):
        op = OPS["ReduceJoin"](reduction_indices=(axis,), keep_dims=keep, separator="; ")
        both(op, [words(30, 5).reshape(5, 2, 3)], plain=axis not in (1,))
        both(op, [words(30, 6).reshape(1, 10, 3)])
        both(op, [words(0, 1).reshape(4, 0, 2)], plain=axis not in (1,))
        both(op, [words(3, 1).reshape(1, 1, 3)])
    both(OPS["ReduceJoin"](reduction_indices=(1, 0)), [words(6, 1).reshape(2, 3)], plain=False)
    both(OPS["ReduceJoin"](reduction_indices=()), [words(3, 1)], plain=False)


@pytest.mark.parametrize("size", SIZES)
def test_letters(size: int) -> None:
    x = words(size, size)
    padded = strings([b" \t" * (i % 3) + word + b"\n" * (i % 2) for i, word in enumerate(x)])
    for name in ("StringLength", "StringStrip", "StringLower", "StringUpper"):
        both(OPS[name](), [padded])
    both(OPS["StringLength"](unit="UTF8_CHAR"), [letters(size, size)])
    both(OPS["StringJoin"](separator=", "), [x, strings([b"-"], ()), padded])
    both(OPS["StringJoin"](), [strings([b"a"], ()), strings([b"b"], ())])


@pytest.mark.parametrize("size", SIZES)
def test_parts(size: int) -> None:
    draw = random.Random(size)
    x = strings(["".join(draw.choices("ab ,\t", k=draw.randrange(30))).encode() for _ in range(size)])
    for by in (b" ", b", ", b""):
        for skips in (True, False):
            both(OPS["StringSplit"](skip_empty=skips), [x, strings([by], ())])
        both(OPS["StringSplitV2"](), [x, strings([by], ())])
        both(OPS["StringSplitV2"](maxsplit=2), [x, strings([by], ())], plain=False)


@pytest.mark.parametrize("size", SIZES)
def test_lines(size: int) -> None:
    op = OPS["DecodeCSV"](OUT_TYPE=(gc.float32, gc.int64, gc.string, gc.int32), na_value="NA")
    defaults = [np.float32(0.5), np.array([7]), strings([b"none"]), np.zeros(0, np.int32)]
    fields = ([b"1.5", b"-2e3", b"", b"NA"], [b"12", b"", b" 5"], [b"a", b"", b'"x,""y"""', b'""'], [b"1", b"-3"])
    draw = random.Random(size)
    lines = strings([b",".join(map(draw.choice, fields)) for _ in range(size)])
    both(op, [lines, *defaults])
    chosen = OPS["DecodeCSV"](OUT_TYPE=(gc.int64,), na_value="NA", select_cols=(1,))
    both(chosen, [lines, defaults[1]])


@pytest.mark.parametrize(("line", "said"), [
    (b"1,2", "Expect 3 fields but have 2 in record 1"), (b"1,2,3,4", "Expect 3 fields but have 4 in record 1"),
    (b"", "Expect 3 fields but have 0 in record 1"), (b'1,"2,3', "Quoted field has to end with quote"),
    (b'1,"2"x,3', "Quote inside a string has to be escaped"), (b"1,2\n,3", "Unquoted fields cannot have quotes/CRLFs"),
    (b",2,3", "Field 0 is required but missing in record 1"), (b"1,2,1e5", "Field 2 in record 1 is not a valid int32")])
def test_lines_that_are_none_are_named(line: bytes, said: str) -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [None])
        columns = gc.decode_csv(x, [gc.constant([], gc.int32), [""], [1]])
    with gc.Session(graph=graph) as session:
        with pytest.raises(gc.errors.InvalidArgumentError, match=said):
            session.run(columns, {x: strings([b"1,2,3", line])})
        assert session.run(columns[1], {x: strings([b"1,a,3"])}).tolist() == [b"a"]


def example(draw: random.Random) -> bytes:
    features: dict[str, Any] = {
        "x": np.array([draw.random() for _ in range(3)], np.float32), "y": [draw.randrange(-5, 1 << 40)],
        "ids": [draw.getrandbits(63) for _ in range(draw.randrange(5))], "name": [b"n%d" % draw.randrange(3), b""],
        "other": None}
    names = draw.sample(sorted(features), len(features))
    return write_example({name: features[name] for name in names if name != "y" or draw.random() < 0.7})


@pytest.mark.parametrize("size", SIZES)
def test_examples(size: int) -> None:
    draw = random.Random(size)
    serialised = strings([example(draw) for _ in range(size)])
    keys = [strings([key], ()) for key in (b"ids", b"name", b"x", b"y", b"name", b"ids")]
    op = OPS["ParseExample"](
        Nsparse=2, Ndense=4, sparse_types=(gc.int64, gc.string), Tdense=(gc.float32, gc.int64, gc.string, gc.int64),
        dense_shapes=((3,), (), (2,), (None,)))
    defaults = [np.zeros(0, np.float32), np.array(-1), strings([]), np.array(9)]
    both(op, [serialised, strings([]), *keys, *defaults], plain=False)
    first = OPS["ParseExample"](Nsparse=1, Ndense=3, sparse_types=(gc.int64,), Tdense=(gc.float32, gc.int64, gc.string),
                                dense_shapes=((3,), (), (2,)))
    both(first, [serialised, strings([]), keys[0], *keys[2:5], *defaults[:3]])
    for single in serialised[:3]:
        both(OPS["ParseSingleExample"](
            num_sparse=1, sparse_keys=("ids",), dense_keys=("x", "y", "name"), sparse_types=(gc.int64,),
            Tdense=(gc.float32, gc.int64, gc.string), dense_shapes=((3,), (), (2,))),
            [strings([single], ()), *defaults[:3]])


def test_damaged_examples_are_what_python_says_of_them() -> None:
    """Bytes changed, cut off or doubled at random: either both read the same or both refuse."""
    draw = random.Random(5)
    op = OPS["ParseExample"](Nsparse=1, Ndense=1, sparse_types=(gc.int64,), Tdense=(gc.float32,), dense_shapes=((3,),))
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [None])
        rest = [gc.constant([], gc.string), gc.constant("ids"), gc.constant("x"), gc.zeros([3])]
        made = graph.create(op, [x, *rest]).outputs
    keys = [strings([b"ids"], ()), strings([b"x"], ())]
    with gc.Session(graph=graph) as session:
        for _ in range(400):
            data = bytearray(example(draw))
            for _ in range(draw.randrange(1, 4)):
                at = draw.randrange(len(data))
                data[at:at + draw.randrange(2)] = draw.choice([b"", bytes([draw.randrange(256)]), b"\x80\x80"])
            given = [strings([bytes(data)]), strings([]), *keys, np.zeros(3, np.float32)]
            try:
                wanted = op.compute(*given)
            except ValueError:
                with pytest.raises(gc.errors.InvalidArgumentError):
                    session.run(list(made), {x: given[0]})
                continue
            for a, b in zip(session.run(list(made), {x: given[0]}), wanted, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", SIZES[1:])
def test_crosses(size: int) -> None:
    draw = np.random.RandomState(size)
    rows = np.sort(draw.randint(0, size, 2 * size))
    places = np.stack([rows, np.arange(2 * size)], 1)
    shape, numbers = np.array([size, 9]), draw.randint(-5, 5, 2 * size)
    given = [places, places, words(2 * size, 1), numbers, shape, shape, words(size, 2).reshape(size, 1),
             draw.randint(0, 1 << 40, (size, 2))]
    kinds = (gc.string, gc.int64)
    fields = {"N": 2, "hashed_output": True, "sparse_types": kinds, "dense_types": kinds, "out_type": gc.int64,
              "internal_type": gc.int64}
    for buckets in (0, 7):
        both(OPS["SparseCross"](num_buckets=buckets, hash_key=0xDECAFCAFFE, **fields), given)
    turned = [places[::-1].copy(), *given[1:]]
    if size > 1:
        with gc.Graph().as_default() as graph:
            fed = [gc.constant(x) for x in turned[:-1]] + [gc.placeholder(gc.int64, [size, 2])]
            made = graph.create(OPS["SparseCross"](num_buckets=7, hash_key=1, **fields), fed).outputs
        with gc.Session(graph=graph) as session, pytest.raises(gc.errors.InvalidArgumentError, match="in the order"):
            session.run(list(made), {fed[-1]: turned[-1]})


@pytest.mark.parametrize("size", SIZES)
def test_histograms(size: int) -> None:
    draw = np.random.RandomState(size)
    real = draw.standard_normal(size) * 10.0 ** draw.randint(-15, 25, size)
    limits = np.repeat(bucket_limits()[1:-1], 3)
    near = np.nextafter(limits, [-np.inf, 0, np.inf] * (len(limits) // 3))
    for values in (real, real.astype(np.float32), draw.randint(-9, 9, (size, 1)), np.array([0.0, -0.0] * size), near):
        both(OPS["HistogramSummary"](), [strings([b"tag" * (size % 60)], ()), values], plain=values.size > 0)
    for wrong, said in ((np.nan, "Nan"), (-np.inf, "Infinity")):
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.float32, [None])
            y = gc.summary.histogram("named", x)
        with gc.Session(graph=graph) as session, pytest.raises(gc.errors.InvalidArgumentError,
                                                              match=f"{said} in summary histogram for: named"):
            session.run(y, {x: [1.0] * size + [wrong]})


def test_in_a_loop_and_twice_in_a_row() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.string, [None])

        def body(i: Any, text: Any) -> Any:
            return i + 1, gc.string_join([text, gc.as_string(gc.fill(gc.shape(text), i))], "-")

        _, text = gc.while_loop(lambda i, _: i < 3, body, [gc.constant(0), x])
        sizes = gc.strings.length(gc.strings.upper(gc.strings.upper(text)))
    with gc.Session(graph=graph) as session:
        for size in SIZES:
            given = words(size, 3)
            found, lengths = session.run([text, sizes], {x: given})
            assert found.tolist() == [word + b"-0-1-2" for word in given]
            assert lengths.tolist() == [len(word) + 6 for word in given]


def test_every_kernel_has_an_op() -> None:
    from graphc.exec.strings.ops import NATIVE
    assert set(NATIVE) <= set(OPS)
    assert native_of(OPS["UnicodeTranscode"](input_encoding="UTF-8", output_encoding="UTF-8")) is None
