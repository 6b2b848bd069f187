"""ldmatrix and mma in the emulator against NumPy's products, by the fragments that PTX documents."""
from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from ptx.programs import run

RANDOM = np.random.default_rng(6)


def address(target: int, base: str, *terms: tuple[str, int]) -> str:
    """%rd<target> = base + the sum of registers times numbers."""
    lines = "mov.b32 %r99, 0;\n" + "".join(f"mad.lo.u32 %r99, {register}, {by}, %r99;\n" for register, by in terms)
    return f"{lines}cvt.u64.u32 %rd{target}, %r99;\nadd.u64 %rd{target}, %rd{target}, {base};\n"


def registers(first: int, count: int, kind: str = "%r") -> str:
    return "{" + ", ".join(f"{kind}{first + i}" for i in range(count)) + "}"


def to_shared(base: str, count: int, place: int) -> str:
    """The first thread copies `count` bytes."""
    return "".join(f"@%p1 ld.global.b64 %rd9, [{base}+{i}];\n@%p1 st.shared.b64 [room+{place + i}], %rd9;\n"
                   for i in range(0, count, 8))


GROUP_AND_QUAD = "shr.u32 %r2, %r0, 2;\nand.b32 %r3, %r0, 3;\n"


def multiplied(kind: str, deep: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a[16, deep] b[deep, 8] + 1 through shared memory, ldmatrix and mma; elements of 2 bytes."""
    of_a, of_b = deep // 4, deep // 8
    lines = ["mov.u64 %rd1, room;\nsetp.eq.u32 %p1, %r0, 0;\n", to_shared("%rd40", 32 * deep, 0),
             to_shared("%rd41", 16 * deep, 32 * deep), "bar.sync 0;\nand.b32 %r4, %r0, 15;\nshr.u32 %r5, %r0, 4;\n",
             address(2, "%rd1", ("%r4", 2 * deep), ("%r5", 16 if deep == 16 else 0)),
             f"and.b32 %r6, %r0, {deep - 1};\n", address(3, "%rd1", ("%r6", 16)),
             f"ldmatrix.sync.aligned.m8n8.x{of_a}.shared.b16 {registers(10, of_a)}, [%rd2];\n",
             f"ldmatrix.sync.aligned.m8n8.x{of_b}.trans.shared.b16 {registers(20, of_b)}, [%rd3+{32 * deep}];\n",
             "mov.b32 %r30, 0f3F800000;\n",
             f"mma.sync.aligned.m16n8k{deep}.row.col.f32.{kind}.{kind}.f32 {registers(31, 4)}, {registers(10, of_a)}, "
             f"{registers(20, of_b)}, {{%r30, %r30, %r30, %r30}};\n",
             GROUP_AND_QUAD, address(4, "%rd42", ("%r2", 32), ("%r3", 8)),
             "st.global.v2.b32 [%rd4], {%r31, %r32};\nst.global.v2.b32 [%rd4+256], {%r33, %r34};"]
    return run("".join(lines), a, b, np.zeros((16, 8), np.float32))[2]


@pytest.mark.parametrize("kind", ["f16", "bf16"])
@pytest.mark.parametrize("deep", [8, 16])
def test_a_product_of_halves_through_ldmatrix(kind: str, deep: int) -> None:
    dtype = np.dtype(np.float16 if kind == "f16" else ml_dtypes.bfloat16)
    a, b = RANDOM.standard_normal((16, deep)).astype(dtype), RANDOM.standard_normal((deep, 8)).astype(dtype)
    found = multiplied(kind, deep, a, b)
    np.testing.assert_allclose(found, a.astype(np.float64) @ b.astype(np.float64) + 1, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("deep", "kind", "dtype"), [(4, "tf32", np.float32), (8, "tf32", np.float32),
                                                     (4, "f64", np.float64)])
def test_a_product_by_registers(deep: int, kind: str, dtype: type) -> None:
    """A lane's row of a and column of b is its group, its place along both its quad; rows 8 and quads 4 apart."""
    size, register = np.dtype(dtype).itemsize, "%rd" if dtype is np.float64 else "%r"
    tall, bits, sums = (8, 64, "f64") if dtype is np.float64 else (16, 32, "f32")
    of_a = [(row, column) for column in range(0, deep, 4) for row in range(0, tall, 8)]
    lines = [GROUP_AND_QUAD]
    for i, (row, column) in enumerate(of_a):
        lines += [address(9, "%rd40", ("%r2", deep * size), ("%r3", size)),
                  f"ld.global.b{bits} {register}{10 + i}, [%rd9+{(row * deep + column) * size}];\n"]
    for i in range(deep // 4):
        lines += [address(9, "%rd41", ("%r3", 8 * size), ("%r2", size)),
                  f"ld.global.b{bits} {register}{20 + i}, [%rd9+{4 * i * 8 * size}];\n"]
    count = tall // 8 * 2
    zeros = ", ".join([f"{register}29"] * count)
    lines += [f"mov.b{bits} {register}29, 0;\n",
              f"mma.sync.aligned.m{tall}n8k{deep}.row.col.{sums}.{kind}.{kind}.{sums} ",
              f"{registers(30, count, register)}, ",
              f"{registers(10, len(of_a), register)}, {registers(20, deep // 4, register)}, {{{zeros}}};\n",
              address(9, "%rd42", ("%r2", 8 * size), ("%r3", 2 * size))]
    lines += [f"st.global.v2.b{bits} [%rd9+{8 * i * 8 * size}], {registers(30 + 2 * i, 2, register)};\n"
              for i in range(tall // 8)]
    a, b = RANDOM.standard_normal((tall, deep)).astype(dtype), RANDOM.standard_normal((deep, 8)).astype(dtype)
    found = run("".join(lines), a, b, np.zeros((tall, 8), dtype), only_emulated=dtype is np.float64)[2]
    if dtype is np.float64:
        np.testing.assert_allclose(found, a @ b, rtol=1e-12)
        return
    a, b = ((v.view(np.uint32) & 0xFFFFE000).view(np.float32).astype(np.float64) for v in (a, b))
    np.testing.assert_allclose(found, a @ b, rtol=1e-6, atol=1e-6)
