"""Products by cuBLASLt where it is faster than graphc's own kernels, which is measured: once for a product of these
sizes on this GPU, when a plan with it is bound.

What was found is kept on disk, by GPU, driver, and versions of the library and of graphc: the next process takes the
same algorithm, so results are the same to the bit. Without that file it is measured anew; then another algorithm may
win, whose sums are in another order. Small products, where nothing can be gained, are never the library's.
"""
from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from graphc import errors
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import ALIGNMENT, Block
from graphc.exec.cuda.vendor.cublas import Algorithm, Cublas, CublasError, Matmul, Problem
from graphc.exec.cuda.vendor.find import are_wanted, open_cublas
from graphc.exec.cuda.vendor.trial import Trial
from graphc.exec.cuda.work import Work
from graphc.exec.map_code import SIZES
from graphc.kernels.toolchain import cache

FEWEST_OPERATIONS, FEWEST_BYTES = 1e8, 1 << 24 # of a product that is worth a trial: some 10 us
WORKSPACE = 32 << 20                           # bytes, what the library asks for on the newest GPUs
TRIED = 4                                      # algorithms, those that the library thinks best
CLEARLY = 0.95                                 # of the own kernel's time an algorithm may take
KIND, LIBRARY = "product-", "cublasLt"

Own = Callable[[Call, int, int, int], Sequence[Work]]


@dataclass(frozen=True)
class LibraryProduct:
    """A product that the library makes, at these addresses."""

    matmul: Matmul
    algorithm: Algorithm
    a: int
    b: int
    c: int
    workspace: int
    name = "cublasLtMatmul"

    def prepare(self, device: Device) -> None:
        """Nothing: whoever chose the algorithm has run it."""

    def submit(self, device: Device) -> None:
        self.matmul.submit(self.algorithm, self.a, self.b, self.c, self.workspace, device.stream)


class LibraryProducts:
    """Of one device. All calls are under the device's lock, by a thread that uses it."""

    def __init__(self, device: Device, cublas: Cublas) -> None:
        self._device, self._cublas = device, cublas
        self._chosen: dict[Problem, Algorithm | None] = {}
        self._workspace: Block | None = None

    def work(self, call: Call, f: Factors, addresses: tuple[int, int, int], own: Own) -> list[Work] | None:
        """What makes the product, None if the own kernels are to. own: what they do, at addresses of a, b and c."""
        lies_otherwise = f.windows is not None or f.spaced is not None
        if lies_otherwise or f.dtype not in ("f32", "f64") or any(at % ALIGNMENT for at in addresses):
            return None
        problem = Problem(f.dtype, f.batch, f.m, f.n, f.k, f.a_batch, f.b_batch, f.transpose_a, f.transpose_b,
                          f.dtype == "f32" and call.products != Products.FUSED)
        if not is_worth_it(problem):
            return None
        if problem not in self._chosen:
            self._chosen[problem] = self._choose(call, problem, own)
        algorithm = self._chosen[problem]
        return None if algorithm is None else [self._product(Matmul(self._cublas, problem), algorithm, *addresses)]

    def _product(self, matmul: Matmul, algorithm: Algorithm, a: int, b: int, c: int) -> LibraryProduct:
        if self._workspace is None:
            self._workspace = Block(self._device, WORKSPACE)       # one for all: products follow one another
        return LibraryProduct(matmul, algorithm, a, b, c, self._workspace.address)

    def _choose(self, call: Call, problem: Problem, own: Own) -> Algorithm | None:
        """The algorithm that is faster than the own kernel, if there is one. Where the device has no memory for a
        trial, none is."""
        key = self._key(problem)
        known = _read(key)
        if known == []:
            return None
        self._device.wait()
        try:
            trial = Trial(self._device, problem)
            if known is not None:
                self._tried(trial, problem, known[0])              # loads its code, which recording must not do
                return known[0]
            found = self._fastest(call, problem, own, trial)
        except errors.ResourceExhaustedError:
            return None
        _write(key, found)
        return found

    def _tried(self, trial: Trial, problem: Problem, algorithm: Algorithm) -> list[Work]:
        work: list[Work] = [self._product(Matmul(self._cublas, problem), algorithm, trial.a, trial.b, trial.c)]
        trial.once(work)
        return work

    def _fastest(self, call: Call, problem: Problem, own: Own, trial: Trial) -> Algorithm | None:
        there = replace(call, scratch=trial.room, checks=[], library_products=None, warpgroup_products=None)
        shortest, found = CLEARLY * trial.seconds(list(own(there, trial.a, trial.b, trial.c))), None
        for algorithm in Matmul(self._cublas, problem).algorithms(TRIED, WORKSPACE):
            taken = trial.seconds(self._tried(trial, problem, algorithm))
            if taken < shortest:
                shortest, found = taken, algorithm
        return found

    def _key(self, problem: Problem) -> str:
        from graphc import __version__

        device = self._device
        about = (__version__, self._cublas.version, device.name, device.compute, device.multiprocessors,
                 device.driver_version, problem)
        return f"{KIND}{cache.hash_of(*map(str, about))}.json"


def is_worth_it(p: Problem) -> bool:
    """Whether a trial may gain something."""
    moved = SIZES[p.dtype] * p.batch * (p.m * p.k + p.k * p.n + p.m * p.n)
    return 2.0 * p.batch * p.m * p.n * p.k >= FEWEST_OPERATIONS or moved >= FEWEST_BYTES


def _read(key: str) -> list[Algorithm] | None:
    """What was found before, none in the list if the own kernel was faster; None if nothing is known."""
    stored = cache.read_used(key)
    return None if stored is None else [Algorithm(bytes.fromhex(text), size) for text, size in json.loads(stored)]


def _write(key: str, found: Algorithm | None) -> None:
    stored = [] if found is None else [[found.description.hex(), found.workspace]]
    cache.write_few(key, json.dumps(stored).encode(), KIND)


def library_products(device: Device) -> LibraryProducts | None:
    """Of the device, whose context is this thread's; None without a library. One that is there and does not work is
    warned of, once."""
    if not are_wanted() or not isinstance(device, Device):
        return None
    if LIBRARY not in device.libraries:
        device.libraries[LIBRARY] = _opened(device)
    found: LibraryProducts | None = device.libraries[LIBRARY]
    return found


def _opened(device: Device) -> LibraryProducts | None:
    try:
        found = open_cublas(device.driver_version)
        return None if found is None else LibraryProducts(device, Cublas(*found))
    except (OSError, AttributeError, CublasError) as error:
        warnings.warn(f"graphc: cuBLASLt cannot be used, graphc's own kernels multiply instead: {error}", stacklevel=2)
        return None
