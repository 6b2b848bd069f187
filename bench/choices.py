"""How often kernels choose the quickest of their ways: `PYTHONPATH=.:bench python bench/choices.py [WORD ...]`.

Convolutions, their gradients and products of many sizes, with each way that the sizes allow, in turns, on one thread in
CPU time. Regret: the time of the way that bind chose, divided by that of the quickest. GRAPHC_ISA chooses the
instruction set; cases are left out unless their names have one of the words.
"""
from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphc.exec.library import load_library
from graphc.kernels.contracts.all import kernel_of
from graphc.kernels.contracts.calls import Choice
from graphc.kernels.toolchain.testing import LoadedKernel, load_kernels

from kernel_timing import aligned_normal, medians, prepared

NOISE = 1.03                           # a regret below is none
SECONDS = 0.25                         # of each case
# channels, results, pixels, filter, stride
SIZES = ((3, 64, 224, 7, 2), (3, 32, 112, 3, 1), (1, 32, 28, 5, 1), (8, 8, 28, 5, 1), (16, 16, 32, 3, 1),
         (16, 32, 32, 3, 1), (16, 24, 56, 5, 1), (32, 3, 28, 3, 1), (32, 32, 64, 3, 1), (32, 64, 14, 5, 1),
         (48, 48, 56, 3, 1), (64, 64, 56, 3, 1), (64, 64, 28, 5, 2), (64, 128, 56, 3, 2), (64, 256, 56, 1, 1),
         (96, 40, 9, 3, 1), (96, 96, 14, 3, 2), (128, 128, 7, 5, 1), (128, 128, 28, 3, 1), (128, 128, 56, 3, 2),
         (256, 256, 14, 3, 1), (256, 256, 28, 3, 2), (512, 128, 28, 1, 1), (512, 512, 4, 3, 1), (512, 512, 7, 3, 1),
         (512, 512, 14, 3, 2))
BATCHES = (1, 8)
# batch, m, n, k
PRODUCTS = ((1, 1, 1024, 1024), (1, 4, 1000, 2048), (1, 8, 512, 512), (1, 16, 3072, 768), (1, 20, 800, 200),
            (1, 32, 512, 784), (1, 48, 512, 512), (1, 64, 10, 128), (1, 96, 3072, 768), (1, 256, 256, 256),
            (1, 1024, 256, 1024), (64, 128, 32, 128), (64, 128, 128, 32), (16, 17, 31, 65), (64, 64, 64, 64))


@dataclass(frozen=True)
class Case:
    """A kernel's call. shapes: of its operands; persistent: whether the packable one is packed beforehand."""

    name: str
    kernel: str
    shapes: tuple[tuple[int, ...], ...]
    dims: tuple[int, ...]
    attrs: tuple[int, ...]
    persistent: bool


def convolutions() -> Iterator[Case]:
    for n in BATCHES:
        for c, oc, size, k, stride in SIZES:
            pad = k // 2
            out = (size + 2 * pad - k) // stride + 1
            x, f, y = (n, size, size, c), (k, k, c, oc), (n, out, out, oc)
            dims, attrs = (n, size, size, c, k, k, oc, out, out), (stride, stride, 1, 1, pad, pad)
            name = f"b{n} {c}->{oc} @{size} {k}x{k}" + (f"/{stride}" if stride > 1 else "")
            yield Case(f"{name} forward", "conv2d.f32", (x, f, y), dims, attrs, True)
            yield Case(f"{name} forward, filter changes", "conv2d.f32", (x, f, y), dims, attrs, False)
            yield Case(f"{name} input gradient", "conv2d_input_grad.f32", (y, f, x), dims, attrs, False)
            yield Case(f"{name} filter gradient", "conv2d_filter_grad.f32", (x, y, f), dims, attrs, False)


def products() -> Iterator[Case]:
    for batch, m, n, k in PRODUCTS:
        for form in ("ab", "abt", "atb"):
            a = (batch, k, m) if form == "atb" else (batch, m, k)
            b = (batch, n, k) if form == "abt" else (batch, k, n)
            yield Case(f"product {batch} x {m} x {n} x {k} {form}", "matmul.f32", (a, b, (batch, m, n)),
                       (batch, m, n, k, m * k, k * n), (int(form == "atb"), int(form == "abt")), False)


def times(case: Case, kernel: LoadedKernel) -> tuple[str, dict[str, float]]:
    """The way that bind chooses, and seconds of each that it can go."""
    declared = kernel_of(case.kernel)
    assert declared is not None
    operands = [aligned_normal(shape) for shape in case.shapes]

    def gone(way: int) -> int:
        return int(kernel.choice(case.dims, case.attrs, case.persistent, way=way)[Choice.VARIANT])

    possible = sorted({gone(way) for way in range(-1, len(declared.ways))})
    runs = {declared.ways[way]: prepared(kernel, operands, case.dims, case.attrs, case.persistent, way=way)
            for way in possible}
    return declared.ways[gone(-1)], medians(runs, SECONDS) if len(runs) > 1 else {}


def mean(regrets: Sequence[float]) -> float:
    """The geometric one."""
    return math.exp(sum(map(math.log, regrets)) / max(len(regrets), 1))


def main() -> None:
    words, kernels = sys.argv[1:], load_kernels(("conv2d", "conv2d_input_grad", "conv2d_filter_grad", "matmul"))
    regrets = []
    for case in [*convolutions(), *products()]:
        if words and not any(word in case.name for word in words):
            continue
        chosen, found = times(case, kernels[case.kernel])
        if not found:
            continue
        best = min(found, key=lambda way: found[way])
        regrets.append(found[chosen] / found[best])
        told = ", ".join(f"{way} {us * 1e6:,.1f}" for way, us in sorted(found.items(), key=lambda item: item[1]))
        mark = f"{regrets[-1]:.2f} {chosen} instead of {best}" if regrets[-1] > NOISE else f"     {chosen}"
        print(f"{case.name:44} {mark:34} {told} us", flush=True)
    wrong = [r for r in regrets if r > NOISE]
    print(f"{load_library().isa}: {len(regrets)} calls, another way was quicker in {len(wrong)}; regret: mean "
          f"{mean(regrets):.3f}, worst {max(regrets, default=1.0):.2f}")


if __name__ == "__main__":
    main()
