"""matmul on one thread against NumPy's OpenBLAS and this machine's peak: `PYTHONPATH=. python bench/gemm.py [f32|f64]`;
`bfloat16` in place of a dtype: float32 that may be rounded to bfloat16, against the same products in float32.

"packed": B is a constant, packed beforehand, as weights in inference; "plain": B is packed in every call, as in
training. A ratio above 1 says that we are faster.
"""
from __future__ import annotations

import os
import sys

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np

from graphc.exec.bfloat16 import machine_bfloat16
from graphc.exec.machine_speed import machine_speed
from graphc.kernels.toolchain.testing import load_kernels

from kernel_timing import aligned_normal, medians, prepared

SIZES = [(256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (128, 512, 784), (32, 512, 784), (1, 1024, 1024), (4,
                                                                                                                  1000,
                                                                                                                  2048),
         (64, 10, 128), (1000, 1000, 1000), (3136, 64, 576), (96, 3072, 768), (2048, 64, 64)]


def rounded() -> None:
    """GF/s with both forms of B, in float32 and rounded as this machine does it."""
    kernel, by = load_kernels(["matmul"])["matmul.f32"], machine_bfloat16()
    columns = (f" {form:>8} {'rounded':>8} {'ratio':>6}" for form in ("packed", "plain"))
    print(f"{'m n k':>18} {'form':>6}", *columns, sep="")
    for m, n, k in SIZES:
        for form, ta, tb in (("ab", 0, 0), ("abt", 0, 1), ("atb", 1, 0)):
            operands = (aligned_normal((k, m) if ta else (m, k)), aligned_normal((n, k) if tb else (k, n)),
                        aligned_normal((m, n)))
            sizes = 1, m, n, k, m * k, k * n
            times = medians({f"{packed} {rounds}": prepared(kernel, operands, sizes, (ta, tb), packed, bfloat16=rounds)
                             for packed in (True, False) for rounds in (0, by)})
            speed = {name: 2 * m * n * k / t / 1e9 for name, t in times.items()}
            pairs = [(speed[f"{packed} 0"], speed[f"{packed} {by}"]) for packed in (True, False)]
            told = (f" {plain:8.1f} {made:8.1f} {made / plain:6.2f}" for plain, made in pairs)
            print(f"{m:5} {n:5} {k:5}  {form:>6}", *told, sep="", flush=True)


def main() -> None:
    dtype = sys.argv[1] if len(sys.argv) > 1 else "f32"
    if dtype == "bfloat16":
        rounded()
        return
    number = {"f32": np.float32, "f64": np.float64}[dtype]
    kernel = load_kernels(["matmul"])[f"matmul.{dtype}"]
    top = getattr(machine_speed(1), dtype) / 1e9
    print(f"{dtype}, peak {top:.0f} GF/s a core\n{'m n k':>18} {'form':>6} {'packed':>8} {'plain':>8} {'OpenBLAS':>9}"
          f" {'% of peak':>10} {'packed/BLAS':>12} {'plain/BLAS':>11}")
    ratios: dict[str, list[float]] = {"packed": [], "plain": []}
    for m, n, k in SIZES:
        for form, ta, tb in (("ab", 0, 0), ("abt", 0, 1), ("atb", 1, 0)):
            a = aligned_normal((k, m) if ta else (m, k), number)
            b = aligned_normal((n, k) if tb else (k, n), number)
            c, d = aligned_normal((m, n), number), aligned_normal((m, n), number)
            left, right = (a.T if ta else a), (b.T if tb else b)
            dims, attrs = (1, m, n, k, m * k, k * n), (ta, tb)
            times = medians({"packed": prepared(kernel, (a, b, c), dims, attrs, True),
                             "blas": lambda left=left, right=right, d=d: np.matmul(left, right, out=d),
                             "plain": prepared(kernel, (a, b, c), dims, attrs)})
            speed = {name: 2 * m * n * k / t / 1e9 for name, t in times.items()}
            for name in ratios:
                ratios[name].append(speed[name] / speed["blas"])
            print(f"{m:5} {n:5} {k:5}  {form:>6} {speed['packed']:8.1f} {speed['plain']:8.1f} {speed['blas']:9.1f}"
                  f" {100 * speed['packed'] / top:9.0f}% {ratios['packed'][-1]:12.2f} {ratios['plain'][-1]:11.2f}",
                  flush=True)
    print("geometric mean", {name: round(float(np.exp(np.mean(np.log(r)))), 2) for name, r in ratios.items()})


if __name__ == "__main__":
    main()
