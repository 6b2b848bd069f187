"""What is computed of many strings at once is what it is one by one: numbers, lines of text, hashes."""
from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.strings.hashes import fingerprint64
from graphc.ops.strings.many_hashes import fingerprints

PLAIN = ["12", "-7", " 5\n", "1.5", ".25", "7.", "-2e3", "1e400", "-1e-400", "1.0000000596046448",
         "1.00000017881393432617187499", "3.4028235677973366e38", "0", "-0"]
ODD = ["inf", "0x1p3", "nan", "-Infinity"]
WRONG = ["", "1_0", "1\0", "1\x002", "a", "1 2", "--1"]


def value(tensor: Any) -> Any:
    with gc.Session() as session:
        return session.run(tensor)


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
@pytest.mark.parametrize("texts", [PLAIN, PLAIN + ODD])
def test_reals(dtype: Any, texts: list[str]) -> None:
    found = value(gc.string_to_number(texts, dtype))
    single = np.array([value(gc.string_to_number(text, dtype)) for text in texts])
    np.testing.assert_array_equal(found.view(np.uint8), single.view(np.uint8))


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_number_is_named(wrong: str) -> None:
    for dtype in (gc.float32, gc.int32):
        with pytest.raises(gc.errors.InvalidArgumentError, match="could not correctly convert string"):
            value(gc.string_to_number(["1"] * 6 + [wrong], dtype))


def test_integers_at_the_ends_of_their_range() -> None:
    for dtype, least in ((gc.int32, -2**31), (gc.int64, -2**63)):
        texts = [str(least), str(-least - 1), "+5", "007", " 3 "]
        np.testing.assert_array_equal(value(gc.string_to_number(texts, dtype)), [int(t) for t in texts])
        with pytest.raises(gc.errors.InvalidArgumentError, match=str(least - 1)):
            value(gc.string_to_number([*texts, str(least - 1)], dtype))


@pytest.mark.parametrize("numbers", [np.array([1.5, -2.25, 1e10, 0.0]), np.array([1.5, np.nan, -np.inf]),
                                     np.array([[3, -4], [5, 0]])])
def test_numbers_as_strings(numbers: Any) -> None:
    found = value(gc.as_string(numbers))
    assert found.shape == numbers.shape
    assert found.ravel().tolist() == [value(gc.as_string(n)) for n in numbers.ravel()]


@pytest.mark.parametrize("lines", [
    ["1,2,a", "-3.5,4,", ",-5,b c"], ['1,2,"a"', "3,4,b"], ["1,2,a\r", "3,4,b"], ["1,2,a", "inf,4,b"]])
def test_lines(lines: list[str]) -> None:
    together = gc.decode_csv(lines, [[0.5], [7], [""]])
    single = [gc.decode_csv(line, [[0.5], [7], [""]]) for line in lines]
    with gc.Session() as session:
        if any("\r" in line for line in lines):
            with pytest.raises(gc.errors.InvalidArgumentError, match="Unquoted fields cannot have quotes/CRLFs"):
                session.run(together)
            return
        found, expected = session.run([together, single])
    for i, column in enumerate(found):
        assert column.tolist() == [row[i] for row in expected]


def test_lines_that_are_wrong() -> None:
    for line, message in (("1,2", "Expect 3 fields but have 2 in record 1"), ("", "Expect 3 fields but have 0"),
                          ("1,2.5,a", "Field 1 in record 1 is not a valid int32: 2.5"),
                          ("1,99999999999,a", "is not a valid int32"), ("1,,a", "Field 1 is required but missing")):
        with pytest.raises(gc.errors.InvalidArgumentError, match=message):
            value(gc.decode_csv(["1,2,a", line], [[0.5], gc.constant([], gc.int32), [""]]))


def test_fingerprints() -> None:
    draw = random.Random(3)
    strings = [bytes(draw.randrange(256) for _ in range(draw.randrange(0, 40))) for _ in range(400)]
    strings += [b"", b"\0", b"a\0\0", b"\xff" * 16, b"\xff" * 17]
    assert fingerprints(strings).tolist() == [fingerprint64(s) for s in strings]
    assert fingerprints(strings[:3]).tolist() == [fingerprint64(s) for s in strings[:3]]
