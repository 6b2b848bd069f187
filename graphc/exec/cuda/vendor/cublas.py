"""cuBLASLt by ctypes: a product of batches of matrices, the algorithms that the library knows for it, and one of them
put into a stream.

The library's matrices lie column by column, ours row by row, so it multiplies b by a: what it makes is c transposed,
column by column, which is c. Memory for an algorithm is given by the caller, so a call allocates nothing and may be
recorded.
"""
from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from typing import Any

from graphc.exec.cuda.vendor.functions import Functions, LibraryError

_POINTER, _INT, _SIZE = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
NOT_SUPPORTED = 15
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cublasLtCreate": (_POINTER,),
    "cublasLtMatmulDescCreate": (_POINTER, _INT, _INT),
    "cublasLtMatmulDescDestroy": (_POINTER,),
    "cublasLtMatmulDescSetAttribute": (_POINTER, _INT, _POINTER, _SIZE),
    "cublasLtMatrixLayoutCreate": (_POINTER, _INT, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_int64),
    "cublasLtMatrixLayoutDestroy": (_POINTER,),
    "cublasLtMatrixLayoutSetAttribute": (_POINTER, _INT, _POINTER, _SIZE),
    "cublasLtMatmulPreferenceCreate": (_POINTER,),
    "cublasLtMatmulPreferenceDestroy": (_POINTER,),
    "cublasLtMatmulPreferenceSetAttribute": (_POINTER, _INT, _POINTER, _SIZE),
    "cublasLtMatmulAlgoGetHeuristic": (*[_POINTER] * 7, _INT, _POINTER, _POINTER),
    "cublasLtMatmul": (*[_POINTER] * 14, _SIZE, _POINTER),
}
# Numbers of cublasLt.h and library_types.h, which are the same in all versions.
_REAL = {"f32": 0, "f64": 1, "f16": 2, "bf16": 14}
_COMPUTE_32, _COMPUTE_32_BY_TF32, _COMPUTE_64 = 68, 77, 70
_TRANSPOSE_A, _TRANSPOSE_B = 3, 4              # attributes of a product,
_BATCH_COUNT, _BATCH_STRIDE = 5, 6             # of a matrix,
_MOST_WORKSPACE, _REDUCTIONS = 1, 3            # of a search for algorithms
_NONE_OR_IN_FLOAT32 = 2                        # parts of sums are not rounded to a result of 16 bits
_TRANSPOSED = 1
_ALGORITHM_BYTES = 64


class _Found(ctypes.Structure):
    """cublasLtMatmulHeuristicResult_t"""

    _fields_ = [("algorithm", ctypes.c_ubyte * _ALGORITHM_BYTES), ("workspace", _SIZE), ("state", _INT),
                ("waves", ctypes.c_float), ("reserved", _INT * 4)]


@dataclass(frozen=True)
class Algorithm:
    """How the library multiplies: its own description, in hexadecimal digits, which holds for its version only; bytes
    of workspace."""

    description: str
    workspace: int
    name = "cuBLASLt"


@dataclass(frozen=True)
class Problem:
    """c = op(a) op(b), each row by row: op(a) is m x k, op(b) k x n, of `batch` products. a_batch, b_batch: elements
    from one matrix to the next, 0 for one that all share. tensor_cores: factors may be rounded to tf32. dtype: of the
    sums; element, result: what the factors, and c, are in memory."""

    dtype: str
    batch: int
    m: int
    n: int
    k: int
    a_batch: int
    b_batch: int
    transpose_a: bool
    transpose_b: bool
    tensor_cores: bool
    element: str
    result: str

    def __str__(self) -> str:
        return f"a product of {self.batch} times [{self.m}, {self.k}] and [{self.k}, {self.n}] in {self.element}"

    @property
    def factors(self) -> tuple[int, int]:
        """Elements of all matrices a and b."""
        return (self.batch - 1) * self.a_batch + self.m * self.k, (self.batch - 1) * self.b_batch + self.k * self.n

    @property
    def operations(self) -> float:
        return 2.0 * self.batch * self.m * self.n * self.k


class Cublas(Functions):
    """The library with a handle for the device of the current context.

    Raises AttributeError if it lacks a function, LibraryError if it cannot use the device.
    """

    def __init__(self, library: ctypes.CDLL, path: str) -> None:
        super().__init__(library, path, _SIGNATURES, "cublasLtGetStatusName")
        library.cublasLtGetVersion.restype = _SIZE
        self.version = int(library.cublasLtGetVersion())
        self.handle = self.made("cublasLtCreate")


class Matmul:
    """A product as the library has it described. Raises LibraryError."""

    def __init__(self, cublas: Cublas, problem: Problem) -> None:
        p, real, element = problem, _REAL[problem.dtype], _REAL[problem.element]
        self._cublas, self._rounds = cublas, p.result != p.dtype
        compute = _COMPUTE_64 if p.dtype == "f64" else _COMPUTE_32_BY_TF32 if p.tensor_cores else _COMPUTE_32
        self._description = self._kept("cublasLtMatmulDesc", compute, real)
        for attribute, transposed in ((_TRANSPOSE_A, p.transpose_b), (_TRANSPOSE_B, p.transpose_a)):
            if transposed:
                self._set("cublasLtMatmulDesc", self._description, attribute, _INT(_TRANSPOSED))
        rows = (p.n, p.k) if not p.transpose_b else (p.k, p.n), (p.k, p.m) if not p.transpose_a else (p.m, p.k)
        self._b = self._matrix(element, *rows[0], p.batch, p.b_batch)
        self._a = self._matrix(element, *rows[1], p.batch, p.a_batch)
        self._c = self._matrix(_REAL[p.result], p.n, p.m, p.batch, p.m * p.n)
        number = ctypes.c_double if p.dtype == "f64" else ctypes.c_float
        self._one, self._zero = number(1), number(0)

    def _kept(self, kind: str, *arguments: int) -> int:
        made = self._cublas.made(f"{kind}Create", *arguments)
        weakref.finalize(self, self._cublas.call, f"{kind}Destroy", made).atexit = False
        return made

    def _matrix(self, real: int, rows: int, columns: int, batch: int, stride: int) -> int:
        """Columns of `rows` elements, side by side."""
        made = self._kept("cublasLtMatrixLayout", real, rows, columns, max(rows, 1))
        if batch > 1:
            self._set("cublasLtMatrixLayout", made, _BATCH_COUNT, _INT(batch))
            self._set("cublasLtMatrixLayout", made, _BATCH_STRIDE, ctypes.c_int64(stride))
        return made

    def _set(self, kind: str, made: int, attribute: int, value: Any) -> None:
        self._cublas.call(f"{kind}SetAttribute", made, attribute, ctypes.byref(value), ctypes.sizeof(value))

    def algorithms(self, most: int, workspace: int) -> list[Algorithm]:
        """Those that the library thinks the fastest, of so many bytes of workspace at most; none if it has none."""
        found, count = (_Found * most)(), _INT()
        preference = self._cublas.made("cublasLtMatmulPreferenceCreate")
        try:
            self._set("cublasLtMatmulPreference", preference, _MOST_WORKSPACE, ctypes.c_uint64(workspace))
            if self._rounds:
                self._set("cublasLtMatmulPreference", preference, _REDUCTIONS, ctypes.c_uint32(_NONE_OR_IN_FLOAT32))
            self._cublas.call("cublasLtMatmulAlgoGetHeuristic", self._cublas.handle, self._description, self._b,
                              self._a, self._c, self._c, preference, most, found, ctypes.byref(count))
        except LibraryError as error:
            if error.status == NOT_SUPPORTED:
                return []
            raise
        finally:
            self._cublas.call("cublasLtMatmulPreferenceDestroy", preference)
        return [Algorithm(bytes(one.algorithm).hex(), one.workspace) for one in found[:count.value] if not one.state]

    def submit(self, algorithm: Algorithm, a: int, b: int, c: int, workspace: int, stream: int) -> None:
        """Puts the product into a stream. Addresses are multiples of 256."""
        description = (ctypes.c_ubyte * _ALGORITHM_BYTES).from_buffer_copy(bytes.fromhex(algorithm.description))
        self._cublas.call("cublasLtMatmul", self._cublas.handle, self._description, ctypes.byref(self._one), b, self._b,
                          a, self._a, ctypes.byref(self._zero), c, self._c, c, self._c, ctypes.byref(description),
                          workspace, algorithm.workspace, stream)
