"""Kernels of the GPU beside PyTorch's on the same GPU: `python bench/gpu_kernels.py`, with a Python that has PyTorch.

Both are recorded as CUDA graphs of many calls and timed by events; a ratio is PyTorch's time by ours, above 1 graphc is
faster. PyTorch has its libraries (cuBLAS, cuDNN), pictures with channels last, and tf32 where ours may use it, too.
"""
from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from graphc.exec.cuda.calls.all import CALLS
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.driver import find_device
from graphc.exec.library import load_library

from gpu import CONVOLUTIONS, REPEATS, ROUNDS, Bench

PRODUCTS = ((1, 1024, 1024, 1024), (1, 4096, 4096, 4096), (1, 8192, 8192, 8192), (1, 64, 512, 784),
            (1, 128, 3072, 768), (1, 128, 768, 3072), (1, 1024, 50257, 768), (96, 128, 128, 64), (12, 1024, 64, 1024))


def peer(run: Callable[[], Any]) -> float:
    """Seconds of the device for one call."""
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(REPEATS):
            run()
    graph.replay()
    times = []
    for _ in range(ROUNDS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1e3 / REPEATS)
    return statistics.median(times)


def call(bench: Bench, kernel: str, operands: Any, dims: Any, attrs: Any = (),
         products: Products = Products.FUSED) -> float:
    """Seconds of the device for the kernel once."""
    name, *types = kernel.split(".")
    made = Call(tuple(types), tuple(operands), tuple(dims), tuple(attrs), load_library(), bench.room, lambda _: 0,
                products=products)
    return bench.time(list(CALLS[name](made)))


def show(what: str, ours: float, theirs: float, work: float = 0) -> None:
    """work: operations, for TFLOP/s."""
    rates = f"  {work / ours / 1e12:7.1f} {work / theirs / 1e12:7.1f} TFLOP/s" if work else ""
    print(f"{what:52} {ours * 1e6:9.1f} us, PyTorch {theirs * 1e6:9.1f}  {theirs / ours:5.2f}x{rates}", flush=True)


def ways() -> list[tuple[str, Products]]:
    return [("float32", Products.FUSED), ("tf32", Products.ROUNDED)]


def allow(way: str) -> None:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = way == "tf32"


def products(bench: Bench) -> None:
    for batch, m, n, k in PRODUCTS:
        a, b, c = (bench.fill(batch * x * y) for x, y in ((m, k), (k, n), (m, n)))
        x, y = torch.randn(batch, m, k, device="cuda"), torch.randn(batch, k, n, device="cuda")
        for way, how in ways():
            allow(way)
            dims = (batch, m, n, k, m * k if batch > 1 else 0, k * n if batch > 1 else 0)
            ours = call(bench, "matmul.f32", (a, b, c), dims, (0, 0), how)
            show(f"{way} {batch} x {m} x {n} x {k}", ours, peer(lambda x=x, y=y: x @ y), 2.0 * batch * m * n * k)
        half = (x.bfloat16(), y.bfloat16())
        ours = call(bench, "matmul.f32", (a, b, c), dims, (0, 0), Products.EXACT)
        show(f"bfloat16 {batch} x {m} x {n} x {k}", ours, peer(lambda h=half: h[0] @ h[1]), 2.0 * batch * m * n * k)
        bench.kept.clear()


def convolutions(bench: Bench) -> None:
    torch.backends.cudnn.benchmark = True
    for n, size, c, oc, kernel, stride in CONVOLUTIONS:
        out, pad = -(-size // stride), (kernel - 1) // 2
        x, w, y = (bench.fill(e) for e in (n * size * size * c, kernel * kernel * c * oc, n * out * out * oc))
        last = {"memory_format": torch.channels_last}
        tx = torch.randn(n, c, size, size, device="cuda").contiguous(**last)
        tw = torch.randn(oc, c, kernel, kernel, device="cuda").contiguous(**last)
        ty = torch.randn(n, oc, out, out, device="cuda").contiguous(**last)
        dims, attrs = (n, size, size, c, kernel, kernel, oc, out, out), (stride, stride, 1, 1, pad, pad)
        work = 2.0 * n * out * out * oc * c * kernel * kernel

        def gradient(of_x: bool, x: Any = tx, w: Any = tw, y: Any = ty, s: int = stride, p: int = pad) -> Any:
            return torch.ops.aten.convolution_backward(y, x, w, None, (s, s), (p, p), (1, 1), False, (0, 0), 1,
                                                       (of_x, not of_x, False))

        for way, how in ways():
            allow(way)
            label = f"{way} {n} x {size} x {size} x {c}, {kernel}x{kernel}x{oc}/{stride}"
            show(label, call(bench, "conv2d.f32", (x, w, y), dims, attrs, how),
                 peer(lambda x=tx, w=tw, s=stride, p=pad: F.conv2d(x, w, None, s, p)), work)
            show(f"{label} input", call(bench, "conv2d_input_grad.f32", (y, w, x), dims, attrs, how),
                 peer(lambda g=gradient: g(True)), work)
            show(f"{label} filter", call(bench, "conv2d_filter_grad.f32", (x, y, w), dims, attrs, how),
                 peer(lambda g=gradient: g(False)), work)
        bench.kept.clear()


def rows(bench: Bench) -> None:
    x, y, z = (bench.fill(1 << 26) for _ in range(3))
    drawn = np.random.default_rng(0).integers(0, 50000, 1 << 20)
    indices = bench.room(drawn.nbytes)
    bench.device.upload(indices, drawn.ctypes.data, drawn.nbytes)
    bench.device.wait()
    t, ti = torch.randn(1 << 26, device="cuda"), torch.from_numpy(drawn).cuda()
    table, few = torch.zeros(50000, 64, device="cuda"), torch.randn(65536, 64, device="cuda")
    wide = t.view(8192, 8192)
    cases: tuple[tuple[str, str, Any, Any, Any, Callable[[], Any]], ...] = (
        ("softmax of [8192, 8192]", "softmax.f32", (x, y), (8192, 8192), (), lambda: wide.softmax(-1)),
        ("softmax of [65536, 1000]", "softmax.f32", (x, y), (65536, 1000), (),
         lambda: t[:65536000].view(65536, 1000).softmax(-1)),
        ("argmax of rows of [8192, 8192]", "argmax.f32.i64", (x, y), (8192, 8192, 1), (), lambda: wide.argmax(-1)),
        ("top 5 of rows of [1024, 50000]", "top_k.f32", (x, y, z), (1024, 50000, 5), (),
         lambda: t[:51200000].view(1024, 50000).topk(5)),
        ("cumsum of 2^26", "cumsum.f32", (x, y), (1, 1 << 26, 1), (0, 0), lambda: t.cumsum(0)),
        ("cumsum of rows of [65536, 512]", "cumsum.f32", (x, y), (65536, 512, 1), (0, 0),
         lambda: t[:1 << 25].view(65536, 512).cumsum(1)),
        ("65536 rows of 64 added to [50000, 64]", "scatter_add.f32.i64", (x, indices, y), (1, 50000, 64, 65536), (),
         lambda: table.index_add_(0, ti[:65536], few)),
        ("65536 rows of 64 gathered", "gather.f32.i64", (x, indices, y), (1, 50000, 64, 65536), (),
         lambda: table[ti[:65536]]))
    for what, kernel, operands, dims, attrs, theirs in cases:
        show(what, call(bench, kernel, operands, dims, attrs), peer(theirs))


def main() -> None:
    device = find_device()
    if device is None:
        raise SystemExit("there is no GPU on this machine (or no driver: libcuda.so.1)")
    torch.zeros(1, device="cuda")
    device.enter()
    bench = Bench(device)
    print(f"{device.name}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}, "
          f"cuDNN {torch.backends.cudnn.version()}")
    for measure in (rows, products, convolutions):
        measure(bench)
        bench.kept.clear()
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
