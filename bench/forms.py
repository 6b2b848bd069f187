"""Products of every form against libraries made for them: `PYTHONPATH=.:bench python bench/forms.py [WORD ...]`.

A grid of sizes in classes (few rows, few columns, short sums, batches, ...), transposed in each way, neither operand
known beforehand unless --constant. One thread, CPU time, medians; PyTorch, onnxruntime and NumPy's OpenBLAS are
processes of their own and take turns with graphc, --rounds times, of which the fastest counts. Told are the cases,
worst first, and for each class geometric means. GRAPHC_ISA chooses the instruction set; with words, classes are left
out unless their names have one of them.
"""
from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from micro import HERE, PEERS, Peer, product

from graphc.exec.machine_speed import machine_speed
from graphc.kernels.toolchain.testing import load_kernels

from kernel_timing import medians
from micro_cases import Product

FORMS = ("ab", "abt", "atb", "atbt")
SECONDS = 0.04                         # of a case in a round
# Sizes m, n, k of each class; batches as batch, m, n, k.
DENSE = ((64, 64, 64), (100, 100, 100), (128, 128, 128), (256, 256, 256), (1000, 1000, 1000), (128, 512, 784),
         (20, 800, 400), (400, 2000, 200), (1024, 256, 1024), (200, 2000, 400))
ROWS = tuple((m, n, k) for m in (2, 3, 4, 8, 16) for n, k in ((256, 256), (1000, 1000), (4096, 256)))
COLUMNS = tuple((m, n, k) for n in (2, 3, 4, 8, 16, 17) for m, k in ((256, 256), (1000, 1000), (4096, 100)))
VECTORS = ((1, 256, 256), (1, 1000, 1000), (1, 4096, 256), (1, 256, 4096), (1, 4096, 4096))
SUMS = tuple((m, n, k) for k in (1, 2, 3, 4, 8, 16, 17) for m, n in ((256, 256), (1000, 1000), (4096, 16)))
SMALL = tuple((batch, side, side, side) for side, batch in (
    (2, 4096), (3, 1000), (4, 64), (4, 4096), (8, 512), (16, 64), (16, 512), (17, 64), (32, 64), (32, 512)))
HEADS = ((96, 128, 128, 64), (96, 128, 64, 128), (64, 64, 64, 32), (64, 32, 32, 64), (12, 512, 512, 64),
         (12, 512, 64, 512), (96, 1, 128, 64), (96, 1, 64, 128), (96, 8, 128, 64))
DOUBLE = ((64, 64, 64), (256, 256, 256), (1000, 1000, 1000), (4, 1000, 1000), (1000, 4, 1000), (1, 1000, 1000))
INTEGER = ((64, 64, 64), (256, 256, 256), (1, 1000, 1000), (1000, 4, 100))


def _products(sizes: Sequence[tuple[int, ...]], dtype: str = "float32") -> Iterator[Product]:
    for (*batch, m, n, k), form in itertools.product(sizes, FORMS):
        yield Product(m, n, k, form, *batch or (1,), dtype, False)


def classes() -> dict[str, list[Product]]:
    """The cases by class. Vectors: a row times a matrix, and a matrix times a column."""
    columns = tuple((n, 1, k) for _, n, k in VECTORS)
    return {"dense": [*_products(DENSE)], "few rows": [*_products(ROWS)], "few columns": [*_products(COLUMNS)],
            "vectors": [*_products((*VECTORS, *columns))], "short sums": [*_products(SUMS)],
            "small batches": [*_products(SMALL)], "heads": [*_products(HEADS)],
            "float64": [*_products(DOUBLE, "float64")], "int32": [*_products(INTEGER, "int32")],
            "int64": [*_products(INTEGER, "int64")]}


def measured(case: Product, peers: dict[str, Peer], kernels: dict[str, Any], rounds: int) -> dict[str, float]:
    """Seconds of each library that has the case, and of graphc."""
    run, found = product(case, kernels), dict[str, float]()
    for _ in range(rounds):
        for name, peer in peers.items():
            if (seconds := peer.seconds(case, SECONDS)) is not None:
                found[name] = min(seconds, found.get(name, math.inf))
        found["graphc"] = min(medians({"run": run}, SECONDS)["run"], found.get("graphc", math.inf))
    return found


def mean(values: Sequence[float]) -> float:
    """The geometric one."""
    return math.exp(sum(map(math.log, values)) / max(len(values), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--constant", action="store_true", help="b is known beforehand")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--worst", type=int, default=12, help="so many cases of each class are told")
    parser.add_argument("--peer-python", default=str(HERE.parent / "build/peers/bin/python"))
    options = parser.parse_args()
    possible = {name: Peer(name, options.peer_python) for name in PEERS} if Path(options.peer_python).exists() else {}
    peers = {name: peer for name, peer in possible.items() if peer.there}
    kernels, speed = load_kernels(("matmul",)), machine_speed(1)
    for name, cases in classes().items():
        if options.words and not any(word in name for word in options.words):
            continue
        told: list[tuple[float, str]] = []
        for case in cases:
            found = measured(replace(case, constant=options.constant), peers, kernels, options.rounds)
            own, best = found.pop("graphc"), min(found, key=lambda peer: found[peer], default="none")
            ratio = found.get(best, math.nan) / own
            rate = f"{case.flops / own / 1e9:6.1f} GF/s {case.bytes / own / 1e9:6.1f} GB/s"
            told.append((ratio, f"{ratio:5.2f} {best:11} {case!s:26} {own * 1e6:9.2f} us {rate}  " + "  ".join(
                f"{peer} {seconds * 1e6:.2f}" for peer, seconds in found.items())))
        for _, line in sorted(told)[:options.worst]:
            print(line)
        ratios = [ratio for ratio, _ in told]
        print(f"{name}: best peer / graphc {mean(ratios):.2f} of {len(ratios)}, below 1: "
              f"{sum(ratio < 1 for ratio in ratios)}, worst {min(ratios):.2f}; peak {speed.f32 / 1e9:.0f} GF/s f32\n",
              flush=True)


if __name__ == "__main__":
    main()
