"""What the GPU of this machine does: `make gpu` (python bench/gpu.py [--tiny] [SECTION ...]).

Times of maps, reductions and products are the device's own (events around launches); bytes are those that must be
moved, each operand once. A copy from device memory to device memory is the measure of what can be had. Whole runs are
Session.run, feeds and fetches and all, in microseconds of the clock; beside them the CPU's. --tiny: once each, on a few
numbers: whether it runs, for what stands in for a GPU.
"""
from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from gpu_convolutions import convolutions, short_convolutions

import graphc as gc
from graphc.exec.cuda.calls.all import CALLS
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.calls.warpgroups import variants
from graphc.exec.cuda.calls.warpgroups import work as warpgroup_work
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE, WARPGROUP_COMPUTE
from graphc.exec.cuda.driver import Device, find_device
from graphc.exec.cuda.maps import BoundMap, Place, launches
from graphc.exec.cuda.memory import Block
from graphc.exec.library import load_library
from graphc.plan.plan import Instr, Program

REPEATS, ROUNDS = 20, 7
PEAKS = {"bf16": 989e12, "f16": 989e12, "tf32": 494e12}        # operations a second of an H100 or H200 (SXM), dense


class Bench:
    """tiny: as in the header."""

    def __init__(self, device: Device, tiny: bool = False) -> None:
        self.device, self.tiny, self.kept = device, tiny, []  # type: Device, bool, list[Block]
        self.repeats, self.rounds = (1, 1) if tiny else (REPEATS, ROUNDS)

    def size(self, count: int) -> int:
        """That many; of tiny ones a few, but an odd one stays odd."""
        return min(count, 32 + count % 2) if self.tiny else count

    def median(self, measure: Callable[[], float]) -> float:
        return statistics.median(measure() for _ in range(self.rounds))

    def room(self, count: int) -> int:
        self.kept.append(Block(self.device, count))
        return self.kept[-1].address

    def fill(self, count: int, dtype: str = "f32") -> int:
        """Device memory with that many random numbers: float32, or 16-bit floats."""
        values = np.random.default_rng(0).standard_normal(count, dtype=np.float32)
        if dtype != "f32":                     # of bfloat16 the bits: NumPy may have none
            values = values.astype(np.float16) if dtype == "f16" else (values.view(np.uint32) >> 16).astype(np.uint16)
        address = self.room(values.nbytes)
        self.device.upload(address, values.ctypes.data, values.nbytes)
        self.device.wait()
        return address

    def time(self, work: list[Any]) -> float:
        """Seconds of the device for the work once."""
        for step in work:
            step.prepare(self.device)

        def repeated() -> None:
            for _ in range(self.repeats):
                for step in work:
                    step.submit(self.device)

        graph = self.device.record(repeated)               # launches from Python take longer than small kernels
        self.device.replay(graph)
        self.device.wait()
        return self.median(lambda: self.device.seconds(lambda: self.device.replay(graph))) / self.repeats

    def map(self, program: Program, domain: tuple[int, ...], reduced: int, places: list[Place]) -> list[Any]:
        return list(launches(BoundMap(program, domain, reduced, dict(enumerate(places))), load_library(), self.room))


def environment(bench: Bench) -> None:
    device = bench.device
    print(f"GPU {device.name}, compute capability {device.compute}, {device.multiprocessors} multiprocessors, "
          f"{device.memory >> 20} MiB, driver for CUDA {device.driver_version}")
    asked = ["nvidia-smi", "--query-gpu=name,driver_version,clocks.sm,clocks.mem", "--format=csv,noheader"]
    try:
        print(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"nvidia-smi: {error}")


def overheads(bench: Bench) -> None:
    device, x = bench.device, bench.fill(1024)
    program = Program(("f32",), (Instr("const", "f32", (), 1.5), Instr("mul", "f32", (0, 1))), (2,))
    begin = time.perf_counter()
    [work] = bench.map(program, (1024,), 0, [Place(x, (4,)), Place(x, (4,))])
    made = time.perf_counter()
    work.prepare(device)
    loaded = time.perf_counter()
    print(f"a map of one op: LLVM text to PTX {(made - begin) * 1e3:.1f} ms (0 if in the disk cache), the driver's "
          f"compiler {(loaded - made) * 1e3:.1f} ms")

    def clock(act: Callable[[], None], times: int) -> float:
        begin = time.perf_counter()
        for _ in range(times):
            act()
        device.wait()
        return (time.perf_counter() - begin) / times * 1e6

    times = bench.size(200)
    print(f"launch, from Python: {bench.median(lambda: clock(lambda: work.submit(device), 5 * times)):.2f} us; "
          f"on the device {device.seconds(lambda: [work.submit(device) for _ in range(times)]) / times * 1e6:.2f} us")
    for count in (1, 10, 100):
        graph = device.record(lambda count=count: [work.submit(device) for _ in range(count)])  # type: ignore[misc]

        def once(graph: int = graph) -> None:
            device.replay(graph)
            device.wait()

        print(f"graph of {count} launches, replayed and waited for: {bench.median(lambda: clock(once, times)):.1f} us")


def bandwidths(bench: Bench) -> None:
    rows, cols = bench.size(1 << 14), bench.size(1 << 13)
    count = rows * cols
    x, y, z = (bench.fill(count) for _ in range(3))

    def copies() -> None:                                   # in a graph they are slower
        for _ in range(bench.repeats):
            bench.device.copy(y, x, 4 * count)

    copy = 2 * 4 * count * bench.repeats / bench.median(lambda: bench.device.seconds(copies))
    print(f"copy on the device: {copy / 1e9:.0f} GB/s")
    f32 = "f32"
    add = Program((f32, f32), (Instr("add", f32, (0, 1)),), (2,))
    chain = Program((f32, f32), (Instr("const", f32, (), 2.0), Instr("mul", f32, (0, 2)), Instr("tanh", f32, (1,)),
                                 Instr("add", f32, (3, 4))), (5,))
    scale = Program((f32,), (Instr("const", f32, (), 2.0), Instr("mul", f32, (0, 1))), (2,))
    total = Program((f32,), (Instr("reduce.add", f32, (0,)),), (1,))
    flat, grid, turned, of_rows = (4,), (4 * cols, 4), (4, 4 * rows), (4, 0)

    def show(what: str, moved: int, work: list[Any]) -> None:
        rate = moved / bench.time(work)
        print(f"{what:44} {rate / 1e9:7.0f} GB/s  {rate / copy:5.0%} of the copy")

    show("x * 2", 8 * count, bench.map(scale, (count,), 0, [Place(x, flat), Place(y, flat)]))
    show("x + y", 12 * count, bench.map(add, (count,), 0, [Place(x, flat), Place(y, flat), Place(z, flat)]))
    show("x += y", 12 * count, bench.map(add, (count,), 0, [Place(x, flat), Place(y, flat), Place(x, flat)]))
    show("x * 2 + tanh(y)", 12 * count, bench.map(chain, (count,), 0, [Place(x, flat), Place(y, flat), Place(z, flat)]))
    show("x[16384, 8192] + y[8192]", 8 * count, bench.map(add, (rows, cols), 0, [
        Place(x, grid), Place(y, (0, 4)), Place(z, grid)]))
    show("transpose of [8192, 16384]", 8 * count, bench.map(scale, (rows, cols), 0, [Place(x, turned), Place(z, grid)]))
    show("sum of all", 4 * count, bench.map(total, (count,), 1, [Place(x, flat), Place(z, (0,))]))
    show("sum of rows of [16384, 8192]", 4 * count, bench.map(total, (rows, cols), 1, [
        Place(x, grid), Place(z, of_rows)]))
    show("sum of columns of [16384, 8192]", 4 * count, bench.map(total, (cols, rows), 1, [
        Place(x, (4, 4 * cols)), Place(z, of_rows)]))
    show("sum of rows of [2^24, 8]", 4 * count, bench.map(total, (count // 8, 8), 1, [
        Place(x, (32, 4)), Place(z, of_rows)]))
    call = Call((f32,), (x, z), (rows, cols), (), load_library(), bench.room, lambda stored: 0)
    show("softmax of [16384, 8192]", 8 * count, list(CALLS["softmax"](call)))


def rows(bench: Bench) -> None:
    """Kernels of rows: how much of what must be moved they move a second."""
    x, y, z = (bench.fill(1 << 20 if bench.tiny else 1 << 26) for _ in range(3))
    drawn = np.random.default_rng(0).integers(0, bench.size(50000), bench.size(1 << 20))
    indices = bench.room(drawn.nbytes)
    bench.device.upload(indices, drawn.ctypes.data, drawn.nbytes)
    bench.device.wait()
    cases = (
        ("argmax of rows of [4096, 8192]", "argmax.f32.i64", (x, y), (4096, 8192, 1), ()),
        ("top 5 of rows of [1024, 50000]", "top_k.f32", (x, y, z), (1024, 50000, 5), ()),
        ("cumsum of 2^26", "cumsum.f32", (x, y), (1, 1 << 26, 1), (0, 0)),
        ("cumsum of rows of [65536, 512]", "cumsum.f32", (x, y), (65536, 512, 1), (0, 0)),
        ("65536 rows of 64 added to [50000, 64]", "scatter_add.f32.i64", (x, indices, y), (1, 50000, 64, 65536), ()),
        ("2^20 indices sorted, rows of 1 added", "scatter_add.f32.i64", (x, indices, y), (1, 50000, 1, 1 << 20), ()),
        ("depthwise 3x3 of [64, 56, 56, 128]", "depthwise_conv2d.f32", (x, z, y),
         (64, 56, 56, 128, 3, 3, 56, 56, 1, 1), (1, 1, 1, 1, 0)),
        ("softmax of [65536, 1000]", "softmax.f32", (x, y), (65536, 1000), ()),
        ("2^26 stateless normal numbers", "stateless_normal.f32", (indices, y), (1 << 26,), ()))
    for what, kernel, operands, dims, attrs in cases:
        name, *types = kernel.split(".")
        call = Call(tuple(types), operands, tuple(map(bench.size, dims)), attrs, load_library(), bench.room,
                    lambda stored: 0)
        print(f"{what:44} {bench.time(list(CALLS[name](call))) * 1e6:9.1f} us")


def tensor_products(bench: Bench) -> None:
    """Of float32 rounded to tf32, and of such that has been 16-bit floats."""
    if bench.device.compute < TENSOR_COMPUTE:
        print("this GPU has no tensor cores that graphc uses")
        return
    for size in sorted({bench.size(n) for n in (1024, 4096, 8192)}):
        a, b, c = (bench.fill(size * size) for _ in range(3))
        for turned in ((0, 0), (1, 0), (0, 1)):
            for how in (Products.ROUNDED, Products.EXACT):
                call = Call(("f32",), (a, b, c), (1, size, size, size, 0, 0), turned, load_library(), bench.room,
                            lambda stored: 0, products=how)
                seconds = bench.time(list(CALLS["matmul"](call)))
                print(f"tensor cores, {how.name.lower()}, {size}, transposed {turned}: {seconds * 1e6:9.1f} us "
                      f"{2 * size ** 3 / seconds / 1e12:6.1f} TFLOP/s")
        del bench.kept[-3:]
        for kind, how in (("bf16", Products.EXACT_BF16), ("f16", Products.EXACT_F16)):
            a, b, c = (bench.fill(size * size, kind) for _ in range(3))
            for turned in ((0, 0), (1, 0), (0, 1)):
                call = Call(("f32",), (a, b, c), (1, size, size, size, 0, 0), turned, load_library(), bench.room,
                            lambda stored: 0, products=how, stored=(kind,) * 3)
                seconds = bench.time(list(CALLS["matmul"](call)))
                print(f"tensor cores, {kind} in memory, {size}, transposed {turned}: {seconds * 1e6:9.1f} us "
                      f"{2 * size ** 3 / seconds / 1e12:6.1f} TFLOP/s")
            del bench.kept[-3:]


def warpgroups(bench: Bench) -> None:
    """Each variant, beside what the tensor cores do at most (NVIDIA's data sheet, without sparsity)."""
    device = bench.device
    if device.compute != WARPGROUP_COMPUTE:
        print("this GPU has no warpgroups that graphc uses")
        return
    kinds = {"bf16": Products.EXACT_BF16, "f16": Products.EXACT_F16, "tf32": Products.ROUNDED}
    for size in sorted({bench.size(n) for n in (1024, 4096, 8192)}):
        # What plans have in memory: 16-bit floats, or float32; and 16-bit floats that were widened, which are copied.
        everything = (False, True), (False, False), (True, False)
        for kind, stored, ways in (("bf16", "bf16", everything), ("f16", "f16", everything[:1]),
                                   ("tf32", "", everything), ("bf16", "", everything[:1])):
            a, b, c = (bench.fill(size * size, stored or "f32") for _ in range(3))
            for turned in ways:
                call = Call(("f32",), (), (), (), load_library(), bench.room, lambda stored: 0, products=kinds[kind])
                factors = Factors("f32", 1, size, size, size, size * size, size * size, *turned, element=stored,
                                  result=stored)
                for variant in variants(call, factors):
                    seconds = bench.time(warpgroup_work(call, factors, variant, a, b, c))
                    done = 2 * size ** 3 / seconds
                    print(f"warpgroups, factors {kind}{' in memory' * bool(stored)}, {size}, transposed {turned}, "
                          f"{variant}: {seconds * 1e6:9.1f} us {done / 1e12:6.1f} TFLOP/s, "
                          f"{100 * done / PEAKS[variant.element]:.0f} % of what is possible")
                    del bench.kept[3:]
            bench.kept.clear()


def products(bench: Bench) -> None:
    for dtype, sizes in (("f32", ((128, 512, 784), (1024, 1024, 1024), (4096, 4096, 4096), (8192, 8192, 8192))),
                         ("f64", ((4096, 4096, 4096),))):
        for m, n, k in (tuple(map(bench.size, dims)) for dims in sizes):
            width = 2 if dtype == "f64" else 1
            a, b, c = bench.fill(m * k * width), bench.fill(k * n * width), bench.fill(m * n * width)
            for turned in ((0, 0), (1, 0), (0, 1)) if m == 4096 and dtype == "f32" else ((0, 0),):
                call = Call((dtype,), (a, b, c), (1, m, n, k, 0, 0), turned, load_library(), bench.room,
                                  lambda stored: 0)
                seconds = bench.time(list(CALLS["matmul"](call)))
                print(f"matmul.{dtype} {m} x {n} x {k}, transposed {turned}: {seconds * 1e6:9.1f} us "
                      f"{2 * m * n * k / seconds / 1e12:6.2f} TFLOP/s")
            del bench.kept[-3:]


def dense_net(x: Any) -> Any:
    return gc.layers.dense(gc.layers.dense(x, 512, gc.nn.relu), 512, gc.nn.relu)


def picture_net(x: Any) -> Any:
    for filters in (32, 64):
        x = gc.layers.conv2d(gc.reshape(x, [-1, 28, 28, 1]) if filters == 32 else x, filters, 5, padding="same",
                             activation=gc.nn.relu)
        x = gc.layers.max_pooling2d(x, 2, 2)
    return gc.layers.dense(gc.layers.flatten(x), 512, gc.nn.relu)


def sessions(bench: Bench) -> None:
    print("Session.run, microseconds, with [batch, 784] fed:")
    for where in ("/gpu:0", "/cpu:0"):
        with gc.Graph().as_default(), gc.device(where):
            x, t = gc.placeholder(gc.float32, [None, 784]), gc.placeholder(gc.int64, [None])
            fetches = {"x * 2 + 1": x * 2.0 + 1.0, "its sum": gc.reduce_sum(x * 2.0 + 1.0)}
            for name, net in (("dense 512-512-10", dense_net), ("5x5x32, 5x5x64, 512-10", picture_net)):
                losses = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=gc.layers.dense(net(x), 10))
                loss = gc.reduce_mean(losses)
                fetches[f"training step, {name}"] = gc.train.GradientDescentOptimizer(0.05).minimize(loss)
            with gc.Session() as session:
                session.run(gc.global_variables_initializer())
                for batch in (1, 2) if bench.tiny else (1, 128, 4096):
                    rng = np.random.default_rng(0)
                    feed = {x: rng.standard_normal((batch, 784), np.float32), t: rng.integers(0, 10, batch)}
                    for name, fetch in fetches.items():
                        given = feed if "step" in name else {x: feed[x]}
                        print(f"{where} batch {batch:5} {clocked(session, fetch, given):9.0f}  {name}")


def clocked(session: Any, fetch: Any, given: Any) -> float:
    """Microseconds of a run, the median of as many as take a second or so."""
    for _ in range(5):
        session.run(fetch, given)
    times: list[float] = []
    while len(times) < 3 or (sum(times) < 0.5 and len(times) < 50):
        begin = time.perf_counter()
        session.run(fetch, given)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


SECTIONS = {section.__name__: section for section in (environment, overheads, bandwidths, rows, products,
                                                      tensor_products, warpgroups, convolutions, short_convolutions,
                                                      sessions)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all, if none")
    parser.add_argument("--tiny", action="store_true", help="once each, on a few numbers")
    options = parser.parse_args()
    device = find_device()
    if device is None:
        raise SystemExit("there is no GPU on this machine (or no driver: libcuda.so.1)")
    device.enter()
    bench = Bench(device, options.tiny)
    for name in options.sections or SECTIONS:
        SECTIONS[name](bench)
        bench.kept.clear()


if __name__ == "__main__":
    main()
