"""Functions on strings: their forms and other names, errors, and what samples do not reach."""
from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.strings.re2 import compiled


def run(tensor: Any, feeds: Any = None) -> Any:
    with gc.Session(graph=tensor.graph if hasattr(tensor, "graph") else None) as session:
        found = session.run(tensor, feeds)
    return found.tolist() if isinstance(found, np.ndarray) else found


def test_joined() -> None:
    assert run(gc.string_join([["a", "b"], "-", ["c", "d"]], separator=".")) == [b"a.-.c", b"b.-.d"]
    assert run(gc.strings.join(["a"])) == b"a"
    x = gc.constant([["a", "b"], ["c", "d"]])
    assert run(gc.reduce_join(x)) == b"abcd"
    assert run(gc.reduce_join(x, 0, separator="+")) == [b"a+c", b"b+d"]
    assert run(gc.strings.reduce_join(x, [0, 1])) == b"acbd"
    assert run(gc.reduce_join(x, reduction_indices=1, keepdims=True)) == [[b"ab"], [b"cd"]]
    assert run(gc.strings.unsorted_segment_join(["x", "y", "z"], [1, 1, 0], 2, ":")) == [b"z", b"x:y"]
    with pytest.raises(ValueError, match="inputs that are no scalars"):
        gc.string_join([["a", "b"], ["c"]])
    with pytest.raises(ValueError, match="give 'axis' or 'reduction_indices'"):
        gc.reduce_join(x, 0, reduction_indices=1)
    with pytest.raises(gc.errors.InvalidArgumentError, match="segment id 5 is out of range"):
        run(gc.strings.unsorted_segment_join(["x"], [5], 2))


def test_added() -> None:
    x, y = gc.placeholder(gc.string, [None]), gc.placeholder(gc.string, [None, 1])
    assert run(x + "!", {x: ["a", "b"]}) == [b"a!", b"b!"]
    assert run("<" + x, {x: ["a"]}) == [b"<a"]
    assert run(gc.add(["a", "b"], ["c", "d"])) == [b"ac", b"bd"]
    assert run(x + y, {x: ["a", "b"], y: [["1"], ["2"]]}) == [[b"a1", b"b1"], [b"a2", b"b2"]]
    assert run(x + x, {x: ["a", "b"]}) == [b"aa", b"bb"]
    with pytest.raises(TypeError, match="string"):
        x * "a"


def test_sizes_that_only_a_run_knows() -> None:
    x = gc.placeholder(gc.string, [None])
    parts = gc.string_join([x, gc.constant("."), x])
    assert parts.shape.as_list() == [None]
    assert run(parts, {x: ["a", "b"]}) == [b"a.a", b"b.b"]
    y = gc.placeholder(gc.string)
    with gc.Session() as session:
        z = gc.strings.length(y)
        assert session.run(z, {y: "abc"}) == 3
        assert session.run(z, {y: [["abc"]]}).tolist() == [[3]]


def test_in_loops_and_branches() -> None:
    x = gc.placeholder(gc.string, [])
    _, joined = gc.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, gc.string_join([s, gc.as_string(i)], ",")),
                              [0, x])
    upper = gc.cond(gc.equal(gc.strings.length(x), 1), lambda: gc.strings.upper(x), lambda: gc.string_strip(x))
    mapped = gc.map_fn(lambda s: gc.string_to_number(s, gc.int32), gc.constant(["1", "2"]), gc.int32)
    with gc.Session() as session:
        for _ in range(2):
            found = session.run([joined, upper, mapped], {x: "q"})
            assert found[0] == b"q,0,1,2" and found[1] == b"Q" and found[2].tolist() == [1, 2]


def test_numbers() -> None:
    assert run(gc.as_string([1, 20], width=4, fill="0")) == [b"0001", b"0020"]
    assert run(gc.strings.as_string(gc.constant(3.14159), precision=2)) == b"3.14"
    assert run(gc.string_to_number(["1", "2.5"])) == [1.0, 2.5]
    assert run(gc.strings.to_number(input="7", out_type=gc.int64)) == 7
    for wrong in ("", " ", "1.5f", "1_0", "--5", "1e", "1 2", "nanx", "٣"):
        with pytest.raises(gc.errors.InvalidArgumentError, match="could not correctly convert string"):
            run(gc.string_to_number(wrong))
    for wrong in ("1.0", "2147483648", "0x10", "- 5"):
        with pytest.raises(gc.errors.InvalidArgumentError, match="could not correctly convert string"):
            run(gc.string_to_number(wrong, gc.int32))
    with pytest.raises(ValueError, match="'scientific' and 'shortest'"):
        gc.as_string(1.0, scientific=True, shortest=True)
    with pytest.raises(ValueError, match="'precision' is for floating point"):
        gc.as_string(1, precision=2)
    with pytest.raises(ValueError, match="'fill' must be one of"):
        gc.as_string(1, fill="x")
    with pytest.raises(ValueError, match="give 'string_tensor' or 'input'"):
        gc.string_to_number("1", input="2")


def test_substrings_out_of_range() -> None:
    assert run(gc.substr("hello", 1, 3)) == b"ell"
    assert run(gc.strings.substr(["hello", "world"], [1, 2], [2, 3])) == [b"el", b"rld"]
    assert run(gc.strings.substr("héllo", 1, 1, unit="UTF8_CHAR")) == "é".encode()
    for pos in (6, -6):
        with pytest.raises(gc.errors.InvalidArgumentError, match=f"pos {pos} out of range for string"):
            run(gc.substr("hello", pos, 1))
    with pytest.raises(ValueError, match="pos and len must have the same shape"):
        gc.substr(["ab", "bc"], [1, 0], 1)
    with pytest.raises(ValueError, match="'unit' must be one of"):
        gc.strings.length("a", unit="CHAR")


def test_format() -> None:
    x = gc.placeholder(gc.float32, [None])
    assert run(gc.strings.format("x is {}, s is {}", [x, "s"]), {x: [1.5, 2, 3, 4, 5, 6, 7]}) == (
        b'x is [1.5 2 3 ... 5 6 7], s is "s"')
    assert run(gc.strings.format("%t", gc.constant(3), placeholder="%t")) == b"3"
    assert run(gc.strings.format("nothing", [])) == b"nothing"
    with pytest.raises(ValueError, match=r"must match: 1 vs\. 2"):
        gc.strings.format("{}", [x, x])


PATTERNS = [
    # pattern, string, what is left when matches become "_"
    ("a$", "a\n", "a\n"), (r"b\z", "ab", "a_"), ("(?m)a$", "a\na", "_\n_"), ("(?s)a.", "a\n", "_"),
    ("a.", "a\n", "a\n"),
    (r"\s", "\v ", "\v_"), (r"\d\w", "1a٣a", "_٣a"), ("[[:alpha:]]+", "aB1c", "_1_"), ("[[:^digit:]]", "a1 ", "_1_"),
    (r"\Q.*\E", "a.*", "a_"), (r"\x{e9}\x41", "éA", "_"), ("a{,2}", "a{,2}", "_"), ("[]a]", "]ab", "__b"),
    ("[^]a]", "]ab", "]a_"), ("(?i)É", "éÉ", "__"), ("(^|$)+", "ab", "_ab_"), (r"\b*a", "a", "_"),
    ("a(?i)b", "aBAB", "_AB"), ("(?i:a)b", "AbAB", "_AB"),
    ("(?P<name>a)(b)?", "aba", "__"), (r"\bw", "w ww", "_ _w"), ("a|", "ab", "_b_"), ("x*?y", "xxy", "_"),
    (r"[\d\-a]", "1-ab", "___b"), (r"[\W]", "a é", "a__"), ("é?", "é", "_"), (r"a\.b", "a.bab", "_ab"),
    (r"\101", "AB", "_B"),
    ("(a|ab)(c|bcd)", "abcd", "_"), (r"\pN", None, None), ("(?U)a+", None, None),
]


@pytest.mark.parametrize(("pattern", "string", "left"), PATTERNS)
def test_patterns(pattern: str, string: str | None, left: str | None) -> None:
    if string is None or left is None:
        with pytest.raises(gc.errors.UnimplementedError, match=r"regular expressions: .* is not supported"):
            compiled(pattern.encode())
        return
    assert run(gc.regex_replace(string, pattern, "_")) == left.encode()


@pytest.mark.parametrize("pattern", ["a(?=b)", "(?<!a)b", r"(a)\1", "a++", "a**", "(b", "b)", "[a", "a{1001}", r"b\Z",
                                     "*a", "(?#c)", "(?>a)", "[[:nothing:]]", "\\", r"\y", "a(?P=n)", "(?(1)a)"])
def test_patterns_that_re2_refuses(pattern: str) -> None:
    with pytest.raises(gc.errors.InvalidArgumentError, match="Invalid pattern: "):
        run(gc.strings.regex_full_match("a", pattern))


def test_a_pattern_may_be_a_tensor() -> None:
    pattern = gc.placeholder(gc.string, [])
    x = gc.constant(["abc", "xbc"])
    found = gc.strings.regex_full_match(x, pattern)
    replaced = gc.regex_replace(x, pattern, gc.constant("-"), replace_global=False)
    assert found.op.type == "RegexFullMatch" and gc.strings.regex_full_match(x, "a").op.type == "StaticRegexFullMatch"
    with gc.Session() as session:
        for value, expected in (("a.*", [True, False]), (b".bc", [True, True])):
            assert session.run(found, {pattern: value}).tolist() == expected
        assert session.run(replaced, {pattern: "b|c"}).tolist() == [b"a-c", b"x-c"]
        with pytest.raises(gc.errors.InvalidArgumentError, match="RegexFullMatch 'RegexFullMatch': Invalid pattern: "):
            session.run(found, {pattern: "("})


def test_hashes_and_their_errors() -> None:
    assert run(gc.string_to_hash_bucket(["a"], 2**62)) == [2996632905371535868]
    assert run(gc.strings.to_hash_bucket_fast(["a"], 2**62)) == [3694432073954588131]
    assert run(gc.string_to_hash_bucket_strong(["a"], 2**62, [1, 2])) == [546566331822570742]
    with pytest.raises(ValueError, match="'num_buckets' must be at least 1"):
        gc.string_to_hash_bucket_fast("a", 0)
    with pytest.raises(ValueError, match="'key' must have 2 elements"):
        gc.string_to_hash_bucket_strong("a", 3, [1])
    with pytest.raises(gc.errors.InvalidArgumentError, match="Unsupported data fingerprint method: md5"):
        run(gc.fingerprint(["a"], "md5"))


def test_raw_bytes() -> None:
    data = struct.pack("<3f", 1.5, -2, 3)
    assert run(gc.decode_raw(data, gc.float32)) == [1.5, -2, 3]
    assert run(gc.io.decode_raw(bytes=[data], out_type=gc.uint8)) == [list(data)]
    x = gc.placeholder(gc.string, [None])
    y = gc.reduce_sum(gc.reshape(gc.decode_raw(x, gc.int16, little_endian=False), [-1]))
    assert run(y, {x: [b"\0\1", b"\0\2"]}) == 3
    with pytest.raises(gc.errors.InvalidArgumentError, match="length 3 that is not a multiple of 2, the size of int16"):
        run(gc.decode_raw("abc", gc.int16))
    with pytest.raises(gc.errors.InvalidArgumentError, match="element 1 has size 4 != 2"):
        run(gc.decode_raw(["ab", "abcd"], gc.int16))
    with pytest.raises(TypeError, match="'out_type' must be one of"):
        gc.decode_raw("ab", gc.uint32)


def test_base64_that_is_none() -> None:
    assert run(gc.decode_base64(gc.encode_base64(["a\0", "bcd"], pad=True))) == [b"a\0", b"bcd"]
    for wrong in ("YQ=", "Y!Q=", "+/8=", " YQ"):
        with pytest.raises(gc.errors.InvalidArgumentError, match="Invalid character found in base64"):
            run(gc.decode_base64(wrong))
    with pytest.raises(gc.errors.InvalidArgumentError, match="cannot be 1 modulo 4"):
        run(gc.decode_base64("Y"))


def test_serialized_tensors_are_read_by_make_ndarray() -> None:
    from graphc.serial.graph_pb2 import TensorProto

    for value in (np.arange(6, dtype=np.float32).reshape(2, 3), np.array([b"a", b""], object),
                  np.zeros((0, 2), np.int32), np.array([0.1, 2], np.float16), np.array([1 + 2j], np.complex64)):
        found = gc.make_ndarray(TensorProto.FromString(run(gc.io.serialize_tensor(gc.constant(value)))))
        assert found.dtype == value.dtype and found.shape == value.shape and found.tolist() == value.tolist()


def test_unicode() -> None:
    assert run(gc.strings.unicode_transcode("é", "UTF-8", "UTF-16-BE")) == b"\0\xe9"
    assert run(gc.strings.unicode_encode([72, 233], "UTF-8")) == "Hé".encode()
    assert run(gc.strings.unicode_encode([[72, 73], [65, 66]], "UTF-8")) == [b"HI", b"AB"]
    assert run(gc.strings.unicode_decode("hé", "UTF-8")) == [104, 233]
    characters, offsets = gc.strings.unicode_decode_with_offsets("éh", "UTF-8")
    assert run(characters) == [233, 104] and run(offsets) == [0, 2]
    with pytest.raises(gc.errors.InvalidArgumentError, match="Invalid formatting on input string"):
        run(gc.strings.unicode_transcode(b"\xff", "UTF-8", "UTF-8", errors="strict"))
    with pytest.raises(gc.errors.InvalidArgumentError, match="Could not create converter for input encoding: bogus"):
        run(gc.strings.unicode_transcode("a", "bogus", "UTF-8"))
    with pytest.raises(gc.errors.UnimplementedError, match="no ragged tensors"):
        gc.strings.unicode_decode(["a"], "UTF-8")
    with pytest.raises(ValueError, match="'encoding': only utf-8"):
        gc.strings.lower("A", encoding="latin1")


def test_split_refuses_what_is_ragged() -> None:
    with pytest.raises(gc.errors.UnimplementedError, match="no ragged tensors"):
        gc.strings.split(["a b"], result_type="RaggedTensor")
    with pytest.raises(ValueError, match="result_type must be"):
        gc.string_split(["a b"], result_type="Dense")
    with pytest.raises(ValueError, match="give 'sep' or 'delimiter'"):
        gc.string_split(["a b"], ",", delimiter=",")


@pytest.mark.parametrize("function", [
    lambda: gc.string_strip(3), lambda: gc.strings.lower(gc.constant(1.0)),
    lambda: gc.string_join([gc.constant(1), "a"]),
    lambda: gc.decode_raw(gc.constant(1), gc.uint8), lambda: gc.regex_replace(gc.constant(1), "a", "b")])
def test_numbers_are_no_strings(function: Any) -> None:
    with pytest.raises(TypeError, match=r"string|int32|float32"):
        function()


def test_no_gradient_passes() -> None:
    x = gc.placeholder(gc.float32, [None])
    y = gc.string_to_number(gc.as_string(x))
    assert gc.gradients(y, x) == [None]


def test_strings_of_python() -> None:
    assert gc.compat.as_bytes("é") == gc.compat.as_bytes("é".encode()) == "é".encode()
    assert gc.compat.as_text(b"a") == gc.compat.as_str("a") == gc.compat.as_str_any(b"a") == "a"
    assert gc.compat.as_str_any(3) == "3"
    for function in (gc.compat.as_bytes, gc.compat.as_text):
        with pytest.raises(TypeError, match="Expected binary or unicode string, got 3"):
            function(3)
