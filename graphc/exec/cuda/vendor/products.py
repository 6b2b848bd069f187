"""Products by cuBLASLt where it is faster than graphc's own kernels, which is measured (choices.py): once for a product
of these sizes on this GPU, when a plan with it is bound. Small products, where nothing can be gained, are never the
library's.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import ALIGNMENT, Block
from graphc.exec.cuda.vendor.choices import Choices, Question
from graphc.exec.cuda.vendor.cublas import Algorithm, Cublas, Matmul, Problem
from graphc.exec.cuda.work import Work
from graphc.exec.map_code import SIZES

FEWEST_OPERATIONS, FEWEST_BYTES = 1e8, 1 << 24 # of a product that is worth a trial: some 10 us
WORKSPACE = 32 << 20                           # bytes, what the library asks for on the newest GPUs
TRIED = 4                                      # algorithms, those that the library thinks best
KIND = "product-"

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
        self._choices = Choices(device, KIND, (cublas.version,), Algorithm)
        self._workspace: Block | None = None

    def work(self, call: Call, f: Factors, addresses: tuple[int, int, int], own: Own) -> list[Work] | None:
        """What makes the product, None if the own kernels are to. own: what they do, at addresses of a, b and c."""
        lies_otherwise = f.windows is not None or f.spaced is not None
        if lies_otherwise or f.dtype not in ("f32", "f64") or any(at % ALIGNMENT for at in addresses):
            return None
        problem = problem_of(f, f.stored == "f32" and call.products != Products.FUSED)
        if not is_worth_it(problem):
            return None
        algorithm = self._choices.choose(call, self._question(problem, own))
        return None if algorithm is None else [self._product(Matmul(self._cublas, problem), algorithm, *addresses)]

    def _product(self, matmul: Matmul, algorithm: Algorithm, a: int, b: int, c: int) -> LibraryProduct:
        if self._workspace is None:
            self._workspace = Block(self._device, WORKSPACE)       # one for all: products follow one another
        return LibraryProduct(matmul, algorithm, a, b, c, self._workspace.address)

    def _question(self, p: Problem, own: Own) -> Question[Algorithm]:
        return Question(
            str(p), repr(p), p.element, p.result, p.factors, p.batch * p.m * p.n, p.k, p.operations, own,
            lambda: Matmul(self._cublas, p).algorithms(TRIED, WORKSPACE),
            lambda algorithm: lambda call, *at: [self._product(Matmul(self._cublas, p), algorithm, *at)])


def problem_of(f: Factors, tensor_cores: bool) -> Problem:
    """The product as the library is asked for it."""
    return Problem(f.dtype, f.batch, f.m, f.n, f.k, f.a_batch, f.b_batch, f.transpose_a, f.transpose_b, tensor_cores,
                   f.stored, f.made)


def is_worth_it(p: Problem) -> bool:
    """Whether other ways than the own kernel may gain something."""
    moved = p.batch * (SIZES[p.element] * (p.m * p.k + p.k * p.n) + SIZES[p.result] * p.m * p.n)
    return are_many(p.operations) or moved >= FEWEST_BYTES


def are_many(operations: float) -> bool:
    """Whether that many are worth a trial."""
    return operations >= FEWEST_OPERATIONS
