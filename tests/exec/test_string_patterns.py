"""What automata find of regular expressions is what Python's `re` finds; Base64 and bytes in memory by kernels, too."""
from __future__ import annotations

import random
import re

import numpy as np
import pytest
from exec.test_string_kernels import both, strings, words

import graphc as gc
from graphc.ir.op import OPS
from graphc.ops.strings.automaton import finder, matcher, paths
from graphc.ops.strings.program import byte_ranges
from graphc.ops.strings.re2 import compiled

SIZES = (0, 1, 3, 17, 31, 65)
# Ends and beginnings, preferred and longest parts, characters of all sizes, bytes that are none, groups.
PATTERNS = ["a+", "a|ab", "ab|a", "a+?b", "^a|b$", "a$", "^ab$", "[^a]", ".", "é+", "[à-ž]b?", "[^a-z0-9]", "a.b",
            "(?:ab){2,3}", "a{0,2}b", "日|語", "\U0001f600?a", "[\\x{80}-\\x{10ffff}]", "a|é|日本", "\\s+", "\\W",
            "b|a$", "(?:a|b)*c", "a.*b", "a.*?b", "(?s)a.b", "\\n$", "x*a|b"]
REWRITES = ["", "-", "<\\0>", "\\0\\0é"]
GROUPS = [(r"(\w+) (\w+)", r"\2 \1"), (r"(a+)(b?)", r"[\1|\2]"), (r"^(a)|(b)$", r"\2\1"),
          (r"(?:(a)|(b)|é)+c?", r"<\1\2>"),
          (r"((a)b)+", r"\1-\2"), (r"(a)(?:b$|c)", r"\1.")]
EMPTY = ["", "a*", "(a|b)*", "^$", "a?b?", "a|$"]
# What no automaton is made for.
OTHERS = ["(?i)a", r"\ba", "(?:a*)*b", "(?m)^a", "[ab]*a[ab]{12}"]


def lines(size: int, seed: int) -> np.ndarray:
    draw = random.Random(seed)
    letters = ["a", "b", "c", "é", "日", "\U0001f600", " ", "\n", "1"]
    made = ["".join(draw.choices(letters, [6, 5, 2, 1, 1, 1, 1, 1, 1], k=draw.randrange(14))).encode()
            for _ in range(size)]
    return strings([b"\xff".join([m[:3], m[3:]]) if draw.random() < 0.3 else m for m in made])


@pytest.mark.parametrize("size", SIZES)
def test_base64_and_bytes(size: int) -> None:
    x = words(size, size)
    for pad in (True, False):
        both(OPS["EncodeBase64"](pad=pad), [x])
        letters = OPS["EncodeBase64"](pad=pad).compute(x)
        both(OPS["DecodeBase64"](), [letters])
    raw = strings([bytes(random.Random(i).choices(range(256), k=24)) for i in range(size)])
    for dtype in (gc.float32, gc.float64, gc.int16, gc.uint8, gc.int64):
        op = OPS["DecodeRaw"](out_type=dtype)
        both(op, [raw], plain=size > 0)
    both(OPS["DecodeRaw"](out_type=gc.int32, little_endian=False), [raw], plain=False)


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("everywhere", [True, False])
def test_replaced(rewrite: str, everywhere: bool) -> None:
    for i, pattern in enumerate(PATTERNS):
        both(OPS["StaticRegexReplace"](pattern=pattern, rewrite=rewrite, replace_global=everywhere),
             [lines(SIZES[i % 6], i)])
    for pattern in EMPTY:
        both(OPS["StaticRegexReplace"](pattern=pattern, rewrite=rewrite, replace_global=everywhere),
             [lines(31, 3)], plain=False)


@pytest.mark.parametrize(("pattern", "rewrite"), GROUPS)
def test_groups(pattern: str, rewrite: str) -> None:
    assert paths(compiled(pattern.encode())) is not None
    for size in (17, 65):
        both(OPS["StaticRegexReplace"](pattern=pattern, rewrite=rewrite), [lines(size, size)])
    assert paths(compiled(b"(a*)(a)")) is None
    both(OPS["StaticRegexReplace"](pattern="(a*)(a)", rewrite=rewrite), [lines(31, 1)], plain=False)


def test_whole_strings() -> None:
    for i, pattern in enumerate([*PATTERNS, *EMPTY, "(?:^a|b)+", "[^b]*"]):
        assert matcher(compiled(pattern.encode())) is not None
        x = np.concatenate([lines(SIZES[i % 6], i), strings([b"", b"a", b"ab", b"a\nb", "é".encode(), b"\n", b"ba"])])
        both(OPS["StaticRegexFullMatch"](pattern=pattern), [x])
        both(OPS["RegexFullMatch"](), [x, strings([pattern.encode()], ())])


def test_strings_that_grow_and_long_ones() -> None:
    x = strings([b"a" * 100_000 + b"b", b"ba", b"a" * 3])
    both(OPS["StaticRegexReplace"](pattern="a", rewrite="xyz"), [x])
    both(OPS["StaticRegexReplace"](pattern="b", rewrite="\\0\\0"), [x])
    both(OPS["RegexReplace"](), [x, strings([b"a+"], ()), strings([b""], ())])


@pytest.mark.parametrize("pattern", OTHERS)
def test_others_are_left_to_python(pattern: str) -> None:
    found = compiled(pattern.encode())
    assert finder(found) is None and matcher(found) is None
    both(OPS["StaticRegexReplace"](pattern=pattern, rewrite="-"), [lines(31, 1)], plain=False)
    both(OPS["StaticRegexFullMatch"](pattern=pattern), [lines(31, 1)], plain=False)


def test_random_patterns() -> None:
    draw = random.Random(7)

    def piece(depth: int) -> str:
        kind = draw.randrange(8 if depth else 4)
        if kind < 4:
            return draw.choice(["a", "b", "c", "é", ".", "[ab]", "[^a]", "\\w", "日", "[b-é]"])
        inner = piece(depth - 1) + piece(depth - 1)
        return {4: f"({inner})", 5: f"(?:{inner}|{piece(depth - 1)})", 6: f"(?:{inner}){draw.choice('*+?')}",
                7: f"(?:{inner}){draw.choice(['*?', '+?', '{1,3}', '{2}', '??'])}"}[kind]

    automata = 0
    for seed in range(60):
        pattern = f"{draw.choice(['', '', '^'])}{piece(3)}{piece(2)}{draw.choice(['', '', '$'])}"
        automata += finder(compiled(pattern.encode())) is not None
        x = lines(12, seed)
        groups = compiled(pattern.encode()).groups
        both(OPS["StaticRegexReplace"](pattern=pattern, rewrite="<\\1>" if groups else "[\\0]"), [x], plain=False)
        both(OPS["StaticRegexFullMatch"](pattern=pattern), [x], plain=False)
    assert automata > 40


def test_bytes_of_ranges_are_those_of_the_characters() -> None:
    ends = [0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0x1234, 0xFFFF, 0x10000, 0x12345, 0x40000, 0x10FFFF]
    for low, high in [(a, b) for a in ends for b in ends if a <= b and not (a <= 0xDFFF and b >= 0xD800)]:
        rows = byte_ranges(low, high)
        written = [b"".join(b"[\\x%02x-\\x%02x]" % pair for pair in row) for row in rows]
        pattern = re.compile(b"|".join(written))
        near = {c + d for c in (*ends, low, high) for d in (-1, 0, 1)}
        for c in sorted(n for n in near if 0 <= n <= 0x10FFFF and not 0xD800 <= n <= 0xDFFF):
            assert (pattern.fullmatch(chr(c).encode()) is not None) == (low <= c <= high), (low, high, c)
