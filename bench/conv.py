"""Convolutions on one thread against this machine's peak and, where it is installed, PyTorch.

`PYTHONPATH=.:bench python bench/conv.py [PYTHON]`. PyTorch runs in a process of its own, as its workers and allocator
disturb: PYTHON is one that has it, such as build/peers/bin/python; it is started with the argument "peer". It gets
NHWC memory (channels_last), which is faster there too. GRAPHC_WINOGRAD=0: without Winograd; GRAPHC_ISA and
ONEDNN_MAX_CPU_ISA choose instruction sets.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"


@dataclass(frozen=True)
class Case:
    n: int
    size: int
    c: int
    oc: int
    k: int = 3
    stride: int = 1
    wide: int = 0       # of texts: words of `wide` numbers are the pictures' lines, and filters as wide; no padding

    @property
    def pad(self) -> int:
        return 0 if self.wide else self.k // 2

    @property
    def out(self) -> int:
        return (self.size + 2 * self.pad - self.k) // self.stride + 1

    @property
    def widths(self) -> tuple[int, int, int]:
        """Of pictures, filters and results."""
        return (self.wide, self.wide, 1) if self.wide else (self.size, self.k, self.out)

    @property
    def flops(self) -> float:
        return 2.0 * self.n * self.out * self.oc * self.c * self.k * self.widths[1] * self.widths[2]

    def __str__(self) -> str:
        stride = f"/{self.stride}" if self.stride > 1 else ""
        wide = f"x{self.wide}" if self.wide else ""
        return f"b{self.n} {self.c}->{self.oc} @{self.size}{wide} {self.k}x{self.widths[1]}{stride}"


CASES = [Case(1, 224, 3, 64, 7, 2), Case(1, 56, 64, 64), Case(1, 28, 128, 128), Case(1, 14, 256, 256), Case(1, 7, 512,
                                                                                                            512),
         Case(1, 56, 64, 128, 3, 2), Case(1, 56, 64, 256, 1), Case(1, 28, 512, 128, 1), Case(1, 56, 128, 256, 1, 2),
         Case(1, 56, 256, 256), Case(1, 28, 512, 512), Case(16, 56, 64, 64), Case(16, 28, 128, 128),
         Case(16, 14, 256, 256), Case(16, 7, 512, 512), Case(64, 28, 1, 32, 5), Case(64, 14, 32, 64, 5),
         Case(64, 56, 1, 16, 3, wide=32), Case(64, 56, 1, 100, 3, wide=128)]
WAYS = ("forward", "input_grad", "filter_grad")


def ours() -> dict[str, dict[str, float]]:
    """GF/s of each way of each case. The filter is packed beforehand forwards, never for the gradients."""
    from graphc.kernels.toolchain.testing import load_kernels

    from kernel_timing import aligned_normal, medians, prepared
    names = ("conv2d", "conv2d_input_grad", "conv2d_filter_grad")
    kernels, result = load_kernels(names), {}
    winograd = os.environ.get("GRAPHC_WINOGRAD") != "0"
    for case in CASES:
        w, kw, ow = case.widths
        x, y = aligned_normal((case.n, case.size, w, case.c)), aligned_normal((case.n, case.out, ow, case.oc))
        f = aligned_normal((case.k, kw, case.c, case.oc))
        dims = (case.n, case.size, w, case.c, case.k, kw, case.oc, case.out, ow)
        attrs = (case.stride, case.stride, 1, 1, case.pad, case.pad)
        operands = {"forward": (x, f, y), "input_grad": (y, f, x), "filter_grad": (x, y, f)}
        times = medians({way: prepared(kernels[f"{name}.f32"], operands[way], dims, attrs, way == "forward",
                                       winograd)
                         for way, name in zip(WAYS, names, strict=True)})
        result[str(case)] = {way: case.flops / t / 1e9 for way, t in times.items()}
    return result


def peer() -> dict[str, dict[str, float]]:
    """The same by PyTorch; run by the Python that has it."""
    import torch

    from peer_timing import medians
    torch.set_num_threads(1)
    result = {}
    for case in CASES:
        w, kw, ow = case.widths
        x = torch.randn(case.n, case.c, case.size, w).to(memory_format=torch.channels_last)
        f = torch.randn(case.oc, case.c, case.k, kw).to(memory_format=torch.channels_last)
        dy = torch.randn(case.n, case.oc, case.out, ow).to(memory_format=torch.channels_last)

        def backward(mask, x=x, f=f, dy=dy, case=case):
            return torch.ops.aten.convolution_backward(dy, x, f, None, [case.stride] * 2, [case.pad] * 2, [1, 1],
                                                       False, [0, 0], 1, mask)

        with torch.inference_mode():
            times = medians({"forward": lambda x=x, f=f, case=case: torch.nn.functional.conv2d(x, f, None, case.stride,
                                                                                               case.pad),
                             "input_grad": lambda: backward([True, False, False]),
                             "filter_grad": lambda: backward([False, True, False])})
        result[str(case)] = {way: case.flops / t / 1e9 for way, t in times.items()}
    return result


def main() -> None:
    if sys.argv[1:] == ["peer"]:
        print(json.dumps(peer()))
        return
    from graphc.exec.machine_speed import machine_speed
    top = machine_speed(1).f32 / 1e9
    theirs = {}
    if len(sys.argv) > 1:
        theirs = json.loads(subprocess.run([sys.argv[1], __file__, "peer"], check=True, capture_output=True,
                                           text=True).stdout)
    print(f"f32, peak {top:.0f} GF/s a core; GF/s (% of peak; times PyTorch)")
    for name, speeds in ours().items():
        cells = []
        for way in WAYS:
            ratio = f"; {speeds[way] / theirs[name][way]:.2f}" if theirs else ""
            cells.append(f"{way} {speeds[way]:6.1f} ({100 * speeds[way] / top:3.0f}%{ratio})")
        print(f"{name:22}", "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
