"""The emulator itself: instructions against Python's numbers, warps, fragments of matrices, copies that come later."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from ptx.programs import each_thread, run
from ptx.text import PtxError

RANDOM = np.random.default_rng(5)
EVERY = 0xFFFFFFFF
SAVE = "mad.lo.u64 %rd21, %rd0, 4, %rd{to};\nst.global.b32 [%rd21], {register};\n"


def words(count: int = 32, kind: Any = np.uint32) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(kind).max, count, dtype=kind, endpoint=True)


# Bits

def _permuted(a: int, b: int, selector: int) -> int:
    made = 0
    for i in range(4):
        choice = selector >> 4 * i & 15
        byte = (b << 32 | a) >> 8 * (choice & 7) & 255
        made |= (255 * (byte >> 7) if choice & 8 else byte) << 8 * i
    return made


def _field(value: int, at: int, count: int) -> int:
    return value >> min(at & 255, 32) & ((1 << (count & 255)) - 1)


def _signed_field(value: int, at: int, count: int) -> int:
    value = value - (1 << 32) if value >> 31 else value
    at, count = at & 255, count & 255
    if not count:
        return 0
    bits = value >> at & ((1 << count) - 1)
    sign = value >> min(at + count - 1, 31) & 1
    return (bits | (-1 << count if sign else 0)) & EVERY if count < 32 else (value >> min(at, 31)) & EVERY


def _inserted(a: int, b: int, at: int, count: int) -> int:
    at, count = at & 255, count & 255
    mask = ((1 << count) - 1) << at & EVERY
    return a << at & mask | b & ~mask & EVERY


BITS = {
    "prmt.b32 {d}, {0}, {1}, {2};": _permuted,
    "bfe.u32 {d}, {0}, {1}, {2};": _field,
    "bfe.s32 {d}, {0}, {1}, {2};": _signed_field,
    "bfi.b32 {d}, {0}, {1}, {2}, {3};": _inserted,
    "shf.l.wrap.b32 {d}, {0}, {1}, {2};": lambda a, b, n: (b << 32 | a) << (n & 31) >> 32 & EVERY,
    "shf.r.clamp.b32 {d}, {0}, {1}, {2};": lambda a, b, n: (b << 32 | a) >> min(n, 32) & EVERY,
    "lop3.b32 {d}, {0}, {1}, {2}, 0xCA;": lambda a, b, c: a & b | ~a & EVERY & c,
    "lop3.b32 {d}, {0}, {1}, {2}, 150;": lambda a, b, c: a ^ b ^ c,
    "clz.b32 {d}, {0};": lambda a: 32 - a.bit_length(),
    "brev.b32 {d}, {0};": lambda a: int(f"{a:032b}"[::-1], 2),
    "popc.b32 {d}, {0};": int.bit_count,
    "shl.b32 {d}, {0}, {1};": lambda a, n: a << n & EVERY if n < 32 else 0,
    "mul.hi.u32 {d}, {0}, {1};": lambda a, b: a * b >> 32,
}


@pytest.mark.parametrize("line", BITS)
@pytest.mark.parametrize("small", [False, True])
def test_instructions_on_bits(line: str, small: bool) -> None:
    count = 4 if "{3}" in line else 3 if "{2}" in line else 2 if "{1}" in line else 1
    given = [words() for _ in range(count)]
    if small:                          # for shifts and widths
        given[-2:] = [w % 40 for w in given[-2:]]
    given[0][:3] = 0, 1, EVERY
    expected = [BITS[line](*(int(v) for v in values)) for values in zip(*given, strict=True)]
    assert each_thread(line, "b32", *given).tolist() == expected


def test_the_upper_half_of_a_product_of_long_numbers() -> None:
    a, b = words(kind=np.uint64), words(kind=np.uint64)
    found = each_thread("mul.hi.u64 {d}, {0}, {1};", "b64", a, b)
    assert found.tolist() == [int(x) * int(y) >> 64 for x, y in zip(a, b, strict=True)]
    found = each_thread("mul.hi.s64 {d}, {0}, {1};", "b64", a, b)
    signed = zip(a.view(np.int64), b.view(np.int64), strict=True)
    assert found.view(np.int64).tolist() == [int(x) * int(y) >> 64 for x, y in signed]


# 16-bit floats

def _ratio(bits: int, kind: np.dtype) -> tuple[int, int]:
    return float(np.array(bits, np.uint16).view(kind)).as_integer_ratio()


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_a_fused_sum_of_halves_is_rounded_once(kind: str) -> None:
    dtype = np.dtype(np.float16 if kind == "f16" else ml_dtypes.bfloat16)
    given = [(RANDOM.standard_normal(64) * scale).astype(dtype) for scale in (1, 2, 40)]
    given[2][::2] = (-(given[0][::2].astype(float) * given[1][::2].astype(float)) * 1.002).astype(dtype)
    given[2][1::8] = (given[0][1::8].astype(float) * 2.0 ** 9).astype(dtype)
    found = each_thread(f"fma.rn.{kind} {{d}}, {{0}}, {{1}}, {{2}};", "b16", *(g.view(np.uint16) for g in given),
                        threads=64, only_emulated=True)
    finite = np.arange(1 << 16, dtype=np.uint16)
    finite = finite[np.isfinite(finite.view(dtype).astype(np.float32))]
    values = finite.view(dtype).astype(np.float64)
    for bits, (x, y, z) in zip(found, zip(*given, strict=True), strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        near = np.argsort(np.abs(values - float(exact)), kind="stable")[:6]
        best = min(finite[near].tolist(), key=lambda b: (abs(Fraction(*_ratio(b, dtype)) - exact), b & 1))
        assert np.array(bits, np.uint16).view(dtype) == np.array(best, np.uint16).view(dtype), (x, y, z)


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_conversions_and_pairs_of_halves(kind: str) -> None:
    dtype = np.dtype(np.float16 if kind == "f16" else ml_dtypes.bfloat16)
    x = np.concatenate([RANDOM.standard_normal(28) * 100, [0.0, np.inf, -np.inf, 1e-7]]).astype(np.float32)
    found = each_thread(f"cvt.rn.{kind}.f32 {{d}}, {{0}};", "b32", x.view(np.uint32), result="b16")
    assert found.tolist() == x.astype(dtype).view(np.uint16).tolist()
    back = each_thread(f"cvt.f32.{kind} {{d}}, {{0}};", "b16", found, result="b32")
    assert back.view(np.float32).tolist() == x.astype(dtype).astype(np.float32).tolist()
    pairs = [RANDOM.standard_normal(64).astype(dtype) for _ in range(2)]
    made = each_thread(f"add.rn.{kind}x2 {{d}}, {{0}}, {{1}};", "b32", *(p.view(np.uint32) for p in pairs),
                       only_emulated=True)
    assert made.view(np.uint16).tolist() == (pairs[0] + pairs[1]).view(np.uint16).tolist()
    made = each_thread(f"cvt.rn.{kind}x2.f32 {{d}}, {{0}}, {{1}};", "b32", x.view(np.uint32),
                       x[::-1].copy().view(np.uint32))
    assert made.tolist() == [int(h) << 16 | int(low) for h, low in zip(found, found[::-1], strict=True)]


def test_rounding_to_tf32_is_half_away_from_zero() -> None:
    x = np.array([0x3F801000, 0x3F800FFF, 0xBF801000, 0x7F800000, 0x3F803000], np.uint32)
    found = each_thread("cvt.rna.tf32.f32 {d}, {0};", "b32", np.resize(x, 32))
    assert found[:5].tolist() == [0x3F802000, 0x3F800000, 0xBF802000, 0x7F800000, 0x3F804000]


def test_the_least_of_zeros_and_of_no_numbers() -> None:
    x, y = np.float32([0.0, -0.0, np.nan, 1.0] * 8), np.float32([-0.0, 0.0, 2.0, np.nan] * 8)
    least, most, strict = (each_thread(f"{name}.f32 {{d}}, {{0}}, {{1}};", "b32", x.view(np.uint32), y.view(np.uint32))
                           .view(np.float32) for name in ("min", "max", "max.NaN"))
    assert np.signbit(least[:2]).all() and not np.signbit(most[:2]).any() and least[2:4].tolist() == [2.0, 1.0]
    assert np.isnan(strict[2:4]).all()


# Warps

@pytest.mark.parametrize(("mode", "by", "limit", "source"), [
    ("bfly", 5, 31, lambda lane: lane ^ 5), ("down", 3, 31, lambda lane: lane + 3 if lane < 29 else lane),
    ("up", 3, 0, lambda lane: lane - 3 if lane > 2 else lane), ("idx", 7, 31, lambda lane: 7),
    ("bfly", 4, 0x181F, lambda lane: lane ^ 4), ("idx", 2, 0x181F, lambda lane: lane & 24 | 2)])
def test_shuffles(mode: str, by: int, limit: int, source: Any) -> None:
    x = words(64)
    found = each_thread(f"shfl.sync.{mode}.b32 {{d}}, {{0}}, {by}, {limit}, -1;", "b32", x, threads=64)
    assert found.tolist() == [x[i & 32 | source(i & 31)] for i in range(64)]


def test_votes_matches_and_sums() -> None:
    x = RANDOM.integers(0, 4, 32).astype(np.uint32)
    ballot = each_thread("setp.eq.u32 %p1, {0}, 2;\nvote.sync.ballot.b32 {d}, %p1, -1;", "b32", x)
    assert set(ballot.tolist()) == {sum(1 << i for i in range(32) if x[i] == 2)}
    match = each_thread("match.any.sync.b32 {d}, {0}, -1;", "b32", x)
    assert match.tolist() == [sum(1 << j for j in range(32) if x[j] == x[i]) for i in range(32)]
    for how, expected in (("add.u32", x.sum()), ("min.u32", x.min()), ("max.s32", x.max()),
                          ("or.b32", np.bitwise_or.reduce(x)), ("and.b32", np.bitwise_and.reduce(x))):
        assert set(each_thread(f"redux.sync.{how} {{d}}, {{0}}, -1;", "b32", x).tolist()) == {expected}


def test_a_warp_that_has_come_apart_is_refused() -> None:
    apart = """setp.gt.u32 %p1, %r0, 15;
@%p1 bra behind;
shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;
behind:
"""
    with pytest.raises(PtxError, match="not together here"):
        run(apart, np.zeros(1, np.uint32))
    halves = apart.replace("-1;", "0xFFFF;") + SAVE.format(to=40, register="%r0")
    assert run(halves, np.zeros(32, np.uint32))[0].tolist() == list(range(32))


def test_a_barrier_of_a_warp_orders_its_memory() -> None:
    exchange = """mov.u64 %rd1, room;
mad.lo.u64 %rd2, %rd0, 4, %rd1;
st.shared.b32 [%rd2], %r0;
{barrier}
xor.b32 %r1, %r0, {with};
cvt.u64.u32 %rd3, %r1;
mad.lo.u64 %rd3, %rd3, 4, %rd1;
ld.shared.b32 %r2, [%rd3];
""" + SAVE.format(to=40, register="%r2")
    out = np.zeros(64, np.uint32)
    lines = exchange.replace("{barrier}", "bar.warp.sync -1;").replace("{with}", "9")
    assert run(lines, out, threads=64)[0].tolist() == [i ^ 9 for i in range(64)]
    for barrier, other in (("", "9"), ("bar.warp.sync -1;", "40")):
        with pytest.raises(PtxError, match="race in shared memory"):
            run(exchange.replace("{barrier}", barrier).replace("{with}", other), out, threads=64)


# Atomic operations

@pytest.mark.parametrize(("what", "kind", "expected"), [
    ("add", "u32", lambda old, given: old + given.sum()), ("max", "s32", lambda old, given: max(old, given.max())),
    ("min", "u32", lambda old, given: min(old, given.min())), ("xor", "b32", lambda old, given: np.bitwise_xor.reduce(
        [old, *given])), ("or", "b32", lambda old, given: np.bitwise_or.reduce([old, *given]))])
@pytest.mark.parametrize("space", ["global", "shared"])
def test_atomic_operations(what: str, kind: str, expected: Any, space: str) -> None:
    given, old = RANDOM.integers(0, 1000, 64).astype(np.uint32), np.uint32([77])
    address = "%rd41" if space == "global" else "room"
    begin = "" if space == "global" else """setp.ne.u32 %p1, %r0, 0;
@%p1 bra there;
ld.global.b32 %r5, [%rd41];
st.shared.b32 [room], %r5;
there:
bar.sync 0;
"""
    end = "" if space == "global" else """bar.sync 0;
@%p1 bra done;
ld.shared.b32 %r6, [room];
st.global.b32 [%rd41], %r6;
done:
"""
    lines = f"""{begin}mad.lo.u64 %rd2, %rd0, 4, %rd40;
ld.global.b32 %r1, [%rd2];
atom.{space}.{what}.{kind} %r2, [{address}], %r1;
{end}"""
    assert run(lines, given, old, threads=64)[1].tolist() == [expected(77, given)]


def test_an_atomic_operation_gives_what_was_there() -> None:
    turns = run("atom.global.add.u32 %r1, [%rd40], 1;\n" + SAVE.format(to=41, register="%r1"), np.zeros(1, np.uint32),
                np.zeros(64, np.uint32), only_emulated=True)
    assert turns[0] == 32 and sorted(turns[1][:32].tolist()) == list(range(32))
    swapped = run("atom.global.cas.b32 %r1, [%rd40], 5, %r0;\n" + SAVE.format(to=41, register="%r1"),
                  np.uint32([5]), np.zeros(32, np.uint32), only_emulated=True)
    assert swapped[1].tolist().count(5) == 1 and swapped[0] == 0
    floats = run("cvt.rn.f32.u32 %r1, %r0;\nred.global.add.f32 [%rd40], %r1;", np.float32([0.5]))
    assert floats[0].tolist() == [496.5]


def test_atomic_and_plain_accesses_must_not_meet() -> None:
    with pytest.raises(PtxError, match="race in global memory"):
        run("atom.global.add.u32 %r1, [%rd40], 1;\nld.global.b32 %r2, [%rd40];", np.zeros(1, np.uint32))
    run("atom.global.add.u32 %r1, [%rd40], 1;\nbar.sync 0;\nld.global.b32 %r2, [%rd40];", np.zeros(1, np.uint32))
    with pytest.raises(PtxError, match="race in global memory"):       # other blocks do not wait there
        run("atom.global.add.u32 %r1, [%rd40], 1;\nbar.sync 0;\nld.global.b32 %r2, [%rd40];", np.zeros(1, np.uint32),
            blocks=2)


# Copies that come later

COPY = """mov.u64 %rd1, room;
mad.lo.u64 %rd2, %rd0, 16, %rd1;
mad.lo.u64 %rd3, %rd0, 16, %rd40;
cp.async.cg.shared.global [%rd2], [%rd3], 16;
cp.async.commit_group;
{wait}
xor.b32 %r1, %r0, {other};
cvt.u64.u32 %rd4, %r1;
mad.lo.u64 %rd4, %rd4, 16, %rd1;
ld.shared.b32 %r2, [%rd4];
""" + SAVE.format(to=41, register="%r2")


def copied(wait: str, other: int = 0) -> list[int]:
    x = np.arange(128, dtype=np.uint32)
    return run(COPY.format(wait=wait, other=other), x, np.zeros(32, np.uint32))[1].tolist()


def test_a_copy_is_there_when_its_thread_has_waited() -> None:
    assert copied("cp.async.wait_group 0;") == copied("cp.async.wait_all;") == [4 * i for i in range(32)]
    assert copied("cp.async.wait_all;\nbar.sync 0;", 3) == [4 * (i ^ 3) for i in range(32)]
    for wait in ("", "cp.async.wait_group 1;", "bar.sync 0;"):
        with pytest.raises(PtxError, match=r"to which cp\.async has not come"):
            copied(wait)
    with pytest.raises(PtxError, match="race in shared memory"):       # its own thread alone has waited
        copied("cp.async.wait_all;", 3)


def test_a_copy_nobody_waits_for_is_refused() -> None:
    with pytest.raises(PtxError, match=r"the kernel ended, and cp\.async was not waited for"):
        run("cp.async.ca.shared.global [room], [%rd40], 4;\nret;", np.zeros(1, np.uint32), threads=1)


def test_a_copy_of_fewer_bytes_ends_in_zeros() -> None:
    lines = """mov.u64 %rd1, room;
mad.lo.u64 %rd2, %rd0, 16, %rd1;
mov.b32 %r9, 8;
cp.async.ca.shared.global [%rd2], [%rd40], 16, %r9;
cp.async.wait_all;
ld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [%rd2];
st.global.v4.b32 [%rd41], {%r1, %r2, %r3, %r4};
"""
    assert run(lines, np.uint32([1, 2, 3, 4]), np.zeros(4, np.uint32), threads=1)[1].tolist() == [1, 2, 0, 0]


# What is refused

@pytest.mark.parametrize(("lines", "said"), [
    ("ld.global.b32 %r1, [%rd40+128];", "outside global memory"),
    ("ld.global.b32 %r1, [%rd40+2];", "no multiple of 4"),
    ("ld.shared.b32 %r1, [room+1024];", "outside shared memory"),
    ("ld.shared.b32 %r1, [room];", "shared memory is read before it was written"),
    ("st.global.b32 [%rd40], %r0;", "threads store to one address"),
    ("st.shared.b32 [room], %r0;\nbar.sync 0;", "threads store to one address"),
    ("ld.global.nc.b32 %r1, [%rd40];\nbar.sync 0;\nsetp.eq.u32 %p1, %r0, 0;\n@%p1 st.global.b32 [%rd40], %r0;",
     "read as constant"),
    ("setp.lt.u32 %p1, %r0, 9;\n@%p1 bra end;\nbar.sync 0;\nend:", "a barrier that not all threads"),
    ("add.u32 %r1, %r2, 1;", "%r2 is read and was never written"),
    ("ex2.approx.f32 %r1, %r0;", "not emulated"),
    ("activemask.b32 %r1;", "activemask is refused"),
    ("again:\nbra again;", "no end after"),
])
def test_what_a_gpu_gets_wrong_is_refused(lines: str, said: str) -> None:
    with pytest.raises(PtxError, match=said):
        run(lines, np.zeros(32, np.uint32), most_steps=1000)


def test_a_predicate_chooses_threads() -> None:
    lines = "setp.lt.u32 %p1, %r0, 5;\nmov.b32 %r1, 7;\n@%p1 mov.b32 %r1, 9;\n@!%p1 add.u32 %r1, %r1, 1;\n"
    found = run(lines + SAVE.format(to=40, register="%r1"), np.zeros(32, np.uint32))[0]
    assert found.tolist() == [9] * 5 + [8] * 27
