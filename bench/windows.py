"""Depthwise convolutions and pooling, with their gradients, on one thread; with PyTorch where it is installed.

`PYTHONPATH=.:bench python bench/windows.py [PYTHON]`: as bench/conv.py. Bytes are those of all pictures that an op
reads and writes, once.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"


@dataclass(frozen=True)
class Case:
    """Pictures of n x size x size x c, windows of k x k."""

    n: int
    size: int
    c: int
    k: int
    stride: int
    pad: int

    @property
    def out(self) -> int:
        return (self.size + 2 * self.pad - self.k) // self.stride + 1

    def __str__(self) -> str:
        stride = f"/{self.stride}" if self.stride > 1 else ""
        return f"b{self.n} {self.c} @{self.size} {self.k}x{self.k}{stride}"


DEPTHWISE = [Case(1, 112, 32, 3, 1, 1), Case(1, 112, 96, 3, 2, 1), Case(1, 56, 144, 3, 1, 1), Case(1, 14, 384, 3, 1, 1),
             Case(1, 7, 960, 3, 1, 1), Case(16, 28, 64, 3, 1, 1), Case(16, 28, 12, 3, 1, 1), Case(1, 28, 240, 5, 2, 2),
             Case(16, 56, 32, 7, 1, 3)]
POOLING = [Case(64, 28, 32, 2, 2, 0), Case(64, 14, 64, 2, 2, 0), Case(16, 112, 64, 3, 2, 1), Case(16, 28, 6, 2, 2, 0),
           Case(16, 28, 32, 3, 1, 1), Case(4, 56, 256, 2, 2, 0), Case(32, 7, 512, 7, 1, 0)]




def depthwise(case: Case, kernels: dict[str, Any]) -> dict[str, Callable[[], None]]:
    from kernel_timing import aligned_normal, prepared
    x, f = aligned_normal((case.n, case.size, case.size, case.c)), aligned_normal((case.k, case.k, case.c))
    y = aligned_normal((case.n, case.out, case.out, case.c))
    turned = case.k - 1 - case.pad
    dims = (case.n, case.size, case.size, case.c, case.k, case.k, case.out, case.out, case.pad, case.pad)
    back = (case.n, case.out, case.out, case.c, case.k, case.k, case.size, case.size, turned, turned)
    steps = (case.stride, case.stride, 1, 1)
    name = "depthwise_conv2d"
    return {"forward": prepared(kernels[f"{name}.f32"], (x, f, y), dims, (*steps, 0)),
            "input_grad": prepared(kernels[f"{name}.f32"], (y, f, x), back, (*steps, 1)) if case.stride == 1 else
            prepared(kernels[f"{name}_input_grad.f32"], (y, f, x), dims, steps),
            "filter_grad": prepared(kernels[f"{name}_filter_grad.f32"], (x, y, f), dims, steps)}


def pooling(case: Case, kernels: dict[str, Any]) -> dict[str, Callable[[], None]]:
    from kernel_timing import aligned_normal, prepared
    picture, result = (case.n, case.size, case.size, case.c), (case.n, case.out, case.out, case.c)
    x, dx, y, dy, mean = *(aligned_normal(picture) for _ in range(2)), *(aligned_normal(result) for _ in range(3))
    dims = (case.n, case.size, case.size, case.c, case.k, case.k, case.out, case.out)
    attrs = (case.stride, case.stride, case.pad, case.pad)
    operands = {"max": (x, y), "max_grad": (x, y, dy, dx), "avg": (x, mean), "avg_grad": (dy, dx)}
    made = {way: prepared(kernels[f"{way.replace('_', '_pool_') if '_' in way else way + '_pool'}.f32"], arrays, dims,
                          attrs) for way, arrays in operands.items()}
    made["max"]()        # the gradient reads what it finds
    return made


def moved(case: Case, way: str) -> int:
    """Bytes of the pictures."""
    pictures, results = (2, 2) if way == "max_grad" else (1, 1)
    return 4 * case.n * case.c * (pictures * case.size**2 + results * case.out**2)


def ours() -> dict[str, dict[str, float]]:
    """Seconds of each way of each case."""
    from graphc.kernels.toolchain.testing import load_kernels

    from kernel_timing import medians
    kernels = load_kernels(["depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_filter_grad",
                            "max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad"])
    return ({f"depthwise {case}": medians(depthwise(case, kernels)) for case in DEPTHWISE}
            | {f"pooling {case}": medians(pooling(case, kernels)) for case in POOLING})


def peer() -> dict[str, dict[str, float]]:
    """The same by PyTorch; run by the Python that has it."""
    import torch

    from peer_timing import medians
    torch.set_num_threads(1)
    functional, aten, result = torch.nn.functional, torch.ops.aten, {}

    def picture(case: Case) -> Any:
        return torch.randn(case.n, case.c, case.size, case.size).to(memory_format=torch.channels_last)

    with torch.inference_mode():
        for case in DEPTHWISE:
            x, s, p = picture(case), case.stride, case.pad
            f = torch.randn(case.c, 1, case.k, case.k).to(memory_format=torch.channels_last)
            dy = torch.randn_like(functional.conv2d(x, f, None, s, p, 1, case.c))

            def back(mask, x=x, f=f, dy=dy, case=case):
                return aten.convolution_backward(dy, x, f, None, [case.stride] * 2, [case.pad] * 2, [1, 1], False,
                                                 [0, 0], case.c, mask)

            result[f"depthwise {case}"] = medians(
                {"forward": lambda x=x, f=f, case=case: functional.conv2d(x, f, None, case.stride, case.pad, 1, case.c),
                 "input_grad": lambda back=back: back([True, False, False]),
                 "filter_grad": lambda back=back: back([False, True, False])})
        for case in POOLING:
            x, k, s, p = picture(case), case.k, case.stride, case.pad
            y, places = functional.max_pool2d(x, k, s, p, return_indices=True)
            dy = torch.randn_like(y)
            result[f"pooling {case}"] = medians(
                {"max": lambda x=x, k=k, s=s, p=p: functional.max_pool2d(x, k, s, p),
                 "max_grad": lambda x=x, dy=dy, places=places, k=k, s=s, p=p: aten.max_pool2d_with_indices_backward(
                     dy, x, [k] * 2, [s] * 2, [p] * 2, [1, 1], False, places),
                 "avg": lambda x=x, k=k, s=s, p=p: functional.avg_pool2d(x, k, s, p, count_include_pad=False),
                 "avg_grad": lambda x=x, dy=dy, k=k, s=s, p=p: aten.avg_pool2d_backward(
                     dy, x, [k] * 2, [s] * 2, [p] * 2, False, False, None)})
    return result


def main() -> None:
    if sys.argv[1:] == ["peer"]:
        print(json.dumps(peer()))
        return
    theirs = {}
    if len(sys.argv) > 1:
        theirs = json.loads(subprocess.run([sys.argv[1], __file__, "peer"], check=True, capture_output=True,
                                           text=True).stdout)
    cases = {f"depthwise {case}": case for case in DEPTHWISE} | {f"pooling {case}": case for case in POOLING}
    print("f32; GB/s of pictures (us; times PyTorch)")
    for name, times in ours().items():
        cells = []
        for way, seconds in times.items():
            ratio = f"; {theirs[name][way] / seconds:.2f}" if theirs else ""
            cells.append(f"{way} {moved(cases[name], way) / seconds / 1e9:5.1f} ({seconds * 1e6:.0f}{ratio})")
        print(f"{name:26}", "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
