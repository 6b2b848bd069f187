"""What a GPU does of convolutions and their gradients: sections of gpu.py."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphc.exec.cuda.calls.all import CALLS
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.convolutions import Convolution, Made
from graphc.exec.cuda.calls.short_operands import TAKEN
from graphc.exec.cuda.calls.warpgroup_convolutions import seen, variants, work
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE, WARPGROUP_COMPUTE
from graphc.exec.cuda.vendor.convolutions import worthwhile
from graphc.exec.cuda.vendor.cudnn import Kind, Layout
from graphc.exec.cuda.vendor.libraries import libraries_of
from graphc.exec.library import load_library

SHAPES = (      # pictures, height and width, channels, filters, their size, stride
    (16, 56, 64, 64, 3, 1), (16, 28, 128, 128, 3, 1), (16, 14, 256, 256, 3, 1), (16, 7, 512, 512, 3, 1),
    (16, 56, 64, 256, 1, 1), (16, 14, 1024, 256, 1, 1), (16, 56, 128, 128, 3, 2), (16, 224, 3, 64, 7, 2),
    (64, 28, 1, 32, 5, 1), (64, 14, 32, 64, 5, 1))
KERNELS = ("conv2d", "conv2d_input_grad", "conv2d_filter_grad")


class Asked:
    """In place of NVIDIA's libraries: notes what one would be asked for."""

    products = None

    def convolution(self, call: Call, kind: Kind, v: Convolution, own: Made, mend: Made) -> None:
        self.asked = call, worthwhile(call, kind, v), v, own, mend
        self.kind = kind


def _calls(bench: Any, how: Products, stored: str = "") -> Iterator[tuple[str, Call, Asked, float]]:
    """(what it is, a call without addresses, what a library would be asked, operations), of 16-bit floats where plans
    would have them in memory."""
    for n, size, c, oc, kernel, stride in SHAPES:
        n, size, c, oc = (max(count // 16, 1) if bench.tiny else count for count in (n, size, c, oc))
        c, oc = (max(count // 16 * 16, 16) if stored else count for count in (c, oc))
        out, asked = -(-size // stride), Asked()
        before = max((out - 1) * stride + kernel - size, 0) // 2
        for name in KERNELS:
            dims, attrs = (n, size, size, c, kernel, kernel, oc, out, out), (stride, stride, 1, 1, before, before)
            if stored and not TAKEN[name].fits(dims, attrs):
                continue
            call = Call(("f32",), (0, 0, 0), dims, attrs, load_library(), bench.room, lambda facts: 0, products=how,
                        libraries=asked, stored=(stored,) * 3 if stored else ())  # type: ignore[arg-type]
            CALLS[name](call)
            said = f"{name} {stored or how.name.lower()} {n} x {size} x {size} x {c}, {kernel}x{kernel}x{oc}/{stride}"
            yield said, call, asked, 2.0 * n * out * out * oc * c * kernel * kernel


def convolutions(bench: Any) -> None:
    """By the own kernels, and by each algorithm of cuDNN that gives the same and repeats it."""
    ways = [Products.FUSED, *([Products.ROUNDED] if bench.device.compute >= TENSOR_COMPUTE else [])]
    if _cudnn(bench) is None:
        print("there is no cuDNN that can be used")
        return
    for how in ways:
        for said, _, asked, operations in _calls(bench, how):
            _by_library(bench, said, asked, operations)


def short_convolutions(bench: Any) -> None:
    """Of bfloat16 in memory: by the own kernels for tensor cores, by warpgroups where there are some, and by cuDNN."""
    if bench.device.compute < TENSOR_COMPUTE:
        print("this GPU has no tensor cores that graphc uses")
        return
    for said, call, asked, operations in _calls(bench, Products.EXACT_BF16, "bf16"):
        _, _, v, own, _ = asked.asked
        first, second, result = (bench.fill(count, "bf16") for count in _counts(asked.kind, v))
        seconds = bench.time(own(replace(call, libraries=None), v, first, second, result))
        print(f"{said}: own {rate(seconds, operations)}")
        s = seen(call, asked.kind, v) if bench.device.compute == WARPGROUP_COMPUTE else None
        for variant in variants(s) if s is not None else ():
            seconds = bench.time(work(call, s, variant, first, second, result))
            print(f"{said}: {variant} {rate(seconds, operations)}")
        if _cudnn(bench) is not None:
            _by_library(bench, said, asked, operations)
        bench.kept.clear()


def _counts(kind: Kind, v: Convolution) -> tuple[int, int, int]:
    """Elements of both factors and of the result."""
    x, y, f = v.x(0).count, v.y(0).count, v.taps * v.c * v.groups * v.oc
    return {Kind.FORWARD: (x, f, y), Kind.INPUT: (y, f, x), Kind.FILTER: (x, y, f)}[kind]


def _cudnn(bench: Any) -> Any:
    libraries = libraries_of(bench.device)
    return None if libraries is None else libraries.convolutions


def _by_library(bench: Any, said: str, asked: Asked, operations: float) -> None:
    if asked.asked[1] is None:
        print(f"{said}: too small to be asked for")
        return
    measured = _cudnn(bench).measured(*asked.asked)
    others = [f"{Layout(a.layout).name} {a.number} {rate(seconds, operations)}" for a, seconds in measured.others]
    print(f"{said}: own {rate(measured.own, operations)}; cuDNN {'; '.join(others) or 'has none'}")


def rate(seconds: float, work: float) -> str:
    return f"{seconds * 1e6:.1f} us {work / seconds / 1e12:.1f} TFLOP/s"
