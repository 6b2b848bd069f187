"""Benchmark: times an operation, reports it, and is found by `tf.test.main`."""
from __future__ import annotations

import re
import sys
import time
from types import FrameType
from typing import Any, ClassVar

import numpy as np

import graphc as gc
from graphc.api.public import public


@public("test.Benchmark")
class Benchmark:
    """Base of benchmarks, as `tf.test.Benchmark`: methods called benchmark... of subclasses are run by gc.test.main()
    with --benchmarks=PATTERN.

    >>> class SumBenchmark(gc.test.Benchmark):
    ...     def benchmark_sum(self):
    ...         self.report_benchmark(iters=10, wall_time=0.25)
    >>> SumBenchmark().benchmark_sum()
    SumBenchmark.benchmark_sum: iters: 10, wall_time: 0.25
    """

    _classes: ClassVar[list[type[Benchmark]]] = []

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        Benchmark._classes.append(cls)

    def report_benchmark(self, iters: int | None = None, cpu_time: float | None = None, wall_time: float | None = None,
                         throughput: float | None = None, extras: dict[str, Any] | None = None,
                         name: str | None = None) -> None:
        """Prints what is given, under the method's name by default."""
        name = name or f"{type(self).__name__}.{_running()}"
        told = {"iters": iters, "cpu_time": cpu_time, "wall_time": wall_time, "throughput": throughput,
                **(extras or {})}
        print(f"{name}: " + ", ".join(f"{key}: {value}" for key, value in told.items() if value is not None))

    def run_op_benchmark(self, sess: Any, op_or_tensor: Any, feed_dict: Any = None, burn_iters: int = 2,
                         min_iters: int = 10, store_trace: bool = False, store_memory_usage: bool = True,
                         name: str | None = None, extras: dict[str, Any] | None = None,
                         mbs: float = 0) -> dict[str, Any]:
        """Reports the median time of min_iters runs after burn_iters more; a dict of it. store_trace: prints the
        kernels of one run. store_memory_usage has no effect. mbs: megabytes of a run, for a throughput."""
        target = op_or_tensor.op if hasattr(op_or_tensor, "op") else op_or_tensor
        for _ in range(burn_iters):
            sess.run(target, feed_dict=feed_dict)
        seconds = []
        for _ in range(min_iters):
            start = time.perf_counter()
            sess.run(target, feed_dict=feed_dict)
            seconds.append(time.perf_counter() - start)
        if store_trace:
            metadata = gc.RunMetadata()
            sess.run(target, feed_dict, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), metadata)
            print(metadata)
        median = float(np.median(seconds))
        name = name or f"{type(self).__name__}.{_running()}"
        throughput = mbs / median if mbs else None
        extras = {**(extras or {}), "wall_time_mean": float(np.mean(seconds)),
                  "wall_time_stdev": float(np.std(seconds))}
        self.report_benchmark(min_iters, None, median, throughput, extras, name)
        return {"iters": min_iters, "wall_time": median, "extras": extras, "name": name,
                "throughput": throughput or 0.0}


def _running() -> str:
    """The name of the benchmark method that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frame.f_code.co_name.startswith("benchmark"):
        frame = frame.f_back
    return frame.f_code.co_name if frame is not None else "benchmark"


@public("test.benchmark_config")
def benchmark_config() -> Any:
    """The ConfigProto for benchmarks: the usual one, as graphc has no optimiser of dependencies to switch off.

    As `tf.test.benchmark_config`.

    >>> type(gc.test.benchmark_config()).__name__
    'ConfigProto'
    """
    return gc.ConfigProto()


def run_benchmarks(pattern: str) -> None:
    """All whose "Class.method" the pattern finds something in."""
    for kind in Benchmark._classes:
        made = kind()
        for name in dir(kind):
            if name.startswith("benchmark") and re.search(pattern, f"{kind.__name__}.{name}"):
                gc.reset_default_graph()
                getattr(made, name)()
