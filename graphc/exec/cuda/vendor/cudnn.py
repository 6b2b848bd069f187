"""cuDNN by ctypes: a convolution of pictures or one of its gradients, the algorithms that the library knows for it, and
one of them put into a stream.

The functions are those that versions 8 and 9 have in common (cudnn_cnn.h, cudnn_ops.h); version 9 calls them deprecated
and has them all. Algorithms are taken only if

- the library says that they repeat to the bit;
- they are sums of products of pixels and filters as they are. Fourier and Winograd transforms mix pixels: there, one
  NaN or infinity reaches results whose windows do not see it, and rounding errors are larger;
- they multiply as they may: CUDNN_FMA_MATH says fused multiply-adds alone, float32 as it is; CUDNN_DEFAULT_MATH lets
  factors be rounded to tf32. None may convert to float16. 16-bit floats are multiplied on tensor cores
  (CUDNN_TENSOR_OP_MATH); what is summed is float32.

Memory for an algorithm is given by the caller, so a call allocates nothing and may be recorded.
"""
from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphc.exec.cuda.calls.products import HALVES
from graphc.exec.cuda.vendor.functions import Functions, LibraryError

_POINTER, _INT, _SIZE = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
_DESCRIPTORS = ("Tensor", "Filter", "Convolution")
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cudnnCreate": (_POINTER,),
    "cudnnSetStream": (_POINTER, _POINTER),
    **{f"cudnnCreate{kind}Descriptor": (_POINTER,) for kind in _DESCRIPTORS},
    **{f"cudnnDestroy{kind}Descriptor": (_POINTER,) for kind in _DESCRIPTORS},
    "cudnnSetTensor4dDescriptor": (_POINTER, *[_INT] * 6),
    "cudnnSetFilter4dDescriptor": (_POINTER, *[_INT] * 6),
    "cudnnSetConvolution2dDescriptor": (_POINTER, *[_INT] * 8),
    "cudnnSetConvolutionGroupCount": (_POINTER, _INT),
    "cudnnSetConvolutionMathType": (_POINTER, _INT),
    "cudnnGetConvolution2dForwardOutputDim": (*[_POINTER] * 7,),
    **{f"cudnnGetConvolution{kind}Algorithm_v7": (*[_POINTER] * 5, _INT, _POINTER, _POINTER)
       for kind in ("Forward", "BackwardData", "BackwardFilter")},
    **{f"cudnnGetConvolution{kind}WorkspaceSize": (*[_POINTER] * 5, _INT, _POINTER)
       for kind in ("Forward", "BackwardData", "BackwardFilter")},
    **{f"cudnnConvolution{kind}": (*[_POINTER] * 7, _INT, _POINTER, _SIZE, *[_POINTER] * 3)
       for kind in ("Forward", "BackwardData", "BackwardFilter")},
}
# Numbers of the headers, the same in both versions.
_REAL = {"f32": 0, "f64": 1, "f16": 2, "bf16": 9}
_CROSS_CORRELATION, _DETERMINISTIC = 1, 1
_DEFAULT_MATH, _TENSOR_MATH, _FMA_MATH = 0, 1, 3
_NOT_SUPPORTED = (9, *range(3000, 4000))       # of version 8, of version 9 with its reasons
_MOST_ALGORITHMS = 16                          # that the library may name; it has at most eight


class Layout(Enum):
    """How pictures and filters lie in memory, by the library's number."""

    NCHW = 0
    NHWC = 1


class Kind(Enum):
    """What is computed of what: y of x and the filter, dx of dy and the filter, the filter's gradient of x and dy. The
    value: what the library calls it, and its algorithms that are sums of products."""

    FORWARD = ("Forward", (0, 1, 2))           # implicit product, with indices computed before, explicit product
    INPUT = ("BackwardData", (1,))
    FILTER = ("BackwardFilter", (1,))


@dataclass(frozen=True)
class Problem:
    """n pictures of h x w with `groups` times c channels, oh x ow windows of kh x kw taps, oc results of a group; zeros
    on either side of each axis alike. dtype: of pictures, filters and results. by_tf32: factors may be rounded."""

    kind: Kind
    dtype: str
    n: int
    h: int
    w: int
    groups: int
    c: int
    kh: int
    kw: int
    oc: int
    oh: int
    ow: int
    pads: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    by_tf32: bool


@dataclass(frozen=True)
class Algorithm:
    """How the library computes it: its numbers of the layout, the algorithm and the way to multiply; bytes of
    workspace."""

    layout: int
    number: int
    math: int
    workspace: int
    name = "cuDNN"


class _Found(ctypes.Structure):
    """cudnnConvolutionFwdAlgoPerf_t, and those of the gradients"""

    _fields_ = [("algorithm", _INT), ("status", _INT), ("time", ctypes.c_float), ("memory", _SIZE),
                ("determinism", _INT), ("math", _INT), ("reserved", _INT * 3)]


class Cudnn(Functions):
    """The library with a handle for the device of the current context, whose work goes into `stream`. driver_version:
    13000 of a driver for CUDA 13.0.

    Raises AttributeError if it lacks a function, LibraryError if it is another version or cannot use the device.
    """

    def __init__(self, library: ctypes.CDLL, path: str, stream: int, driver_version: int) -> None:
        super().__init__(library, path, SIGNATURES, "cudnnGetErrorString")
        library.cudnnGetVersion.restype = library.cudnnGetCudartVersion.restype = _SIZE
        self.version, cuda = int(library.cudnnGetVersion()), int(library.cudnnGetCudartVersion())
        if not 8000 <= self.version < 9000 and not 90000 <= self.version < 100000:
            raise LibraryError(f"{path} says that it is version {self.version}; graphc knows versions 8 (8000 to 8999) "
                               "and 9 (90000 to 99999)")
        if cuda // 1000 > driver_version // 1000:
            raise LibraryError(f"{path} is made for CUDA {cuda // 1000}, the driver for CUDA {driver_version // 1000}")
        self.handle = self.made("cudnnCreate")
        self.call("cudnnSetStream", self.handle, stream)


class Description:
    """A convolution as the library has it described, in a layout. Raises LibraryError, also if the library counts other
    windows than graphc."""

    def __init__(self, library: Functions, problem: Problem, layout: Layout) -> None:
        p, real = problem, _REAL[problem.dtype]
        self._library = library
        self.x, self.y, self.filter, self.way = map(self._kept, ("Tensor", "Tensor", "Filter", "Convolution"))
        library.call("cudnnSetTensor4dDescriptor", self.x, layout.value, real, p.n, p.groups * p.c, p.h, p.w)
        library.call("cudnnSetTensor4dDescriptor", self.y, layout.value, real, p.n, p.groups * p.oc, p.oh, p.ow)
        library.call("cudnnSetFilter4dDescriptor", self.filter, real, layout.value, p.groups * p.oc, p.c, p.kh, p.kw)
        library.call("cudnnSetConvolution2dDescriptor", self.way, *p.pads, *p.strides, *p.dilations, _CROSS_CORRELATION,
                     _REAL["f64" if problem.dtype == "f64" else "f32"])
        library.call("cudnnSetConvolutionGroupCount", self.way, p.groups)
        found, wanted = self._sizes(), (p.n, p.groups * p.oc, p.oh, p.ow)
        if found != wanted:
            raise LibraryError(f"{library.path} counts results of {found} where graphc has {wanted}, for {p}")

    def _kept(self, kind: str) -> int:
        made = self._library.made(f"cudnnCreate{kind}Descriptor")
        weakref.finalize(self, self._library.call, f"cudnnDestroy{kind}Descriptor", made).atexit = False
        return made

    def _sizes(self) -> tuple[int, ...]:
        """(pictures, channels, rows, columns) of the results, as the library counts them."""
        found = [_INT() for _ in range(4)]
        self._library.call("cudnnGetConvolution2dForwardOutputDim", self.way, self.x, self.filter,
                           *map(ctypes.byref, found))
        return tuple(one.value for one in found)


class Convolution:
    """What the library does for a problem, in a layout. Raises LibraryError."""

    def __init__(self, cudnn: Cudnn, problem: Problem, layout: Layout) -> None:
        self._cudnn, self._problem, self._layout = cudnn, problem, layout
        self._call, self._algorithms = problem.kind.value
        self._description = of = Description(cudnn, problem, layout)
        self._way = of.way
        self._first, self._second, self._result = {
            Kind.FORWARD: (of.x, of.filter, of.y), Kind.INPUT: (of.filter, of.y, of.x),
            Kind.FILTER: (of.x, of.y, of.filter),
        }[problem.kind]                        # in the library's order, in which the filter comes before dy
        number = ctypes.c_double if problem.dtype == "f64" else ctypes.c_float
        self._one, self._zero = number(1), number(0)

    def algorithms(self, workspace: int) -> Iterator[Algorithm]:
        """Those that may be taken, those first that the library thinks fastest, of so many bytes of workspace at most;
        none if it has none."""
        asked = _DEFAULT_MATH
        if self._problem.dtype in HALVES:
            asked = _TENSOR_MATH
        elif self._problem.dtype == "f32" and not self._problem.by_tf32:
            asked = _FMA_MATH
        self._multiply(asked)
        found, count = (_Found * _MOST_ALGORITHMS)(), _INT()
        if not self._is_supported(f"cudnnGetConvolution{self._call}Algorithm_v7", _MOST_ALGORITHMS, ctypes.byref(count),
                                  found):
            return
        allowed = (_FMA_MATH,) if asked == _FMA_MATH else (_DEFAULT_MATH, _TENSOR_MATH, _FMA_MATH)
        for one in found[:count.value]:
            if one.status or one.determinism != _DETERMINISTIC or one.algorithm not in self._algorithms or (
                    one.math not in allowed):
                continue
            self._multiply(one.math)
            size = _SIZE()
            if self._is_supported(f"cudnnGetConvolution{self._call}WorkspaceSize", one.algorithm, ctypes.byref(size)
                                  ) and size.value <= workspace:
                yield Algorithm(self._layout.value, one.algorithm, one.math, size.value)

    def _is_supported(self, name: str, *arguments: Any) -> bool:
        """Calls a function that asks about this convolution."""
        try:
            self._cudnn.call(name, self._cudnn.handle, self._first, self._second, self._way, self._result, *arguments)
        except LibraryError as error:
            if error.status in _NOT_SUPPORTED:
                return False
            raise
        return True

    def _multiply(self, math: int) -> None:
        self._cudnn.call("cudnnSetConvolutionMathType", self._way, math)

    def submit(self, algorithm: Algorithm, factors: tuple[int, int], result: int, workspace: int) -> None:
        """Puts it into the stream. factors: addresses in the order of Kind; all are multiples of 256."""
        self._multiply(algorithm.math)
        a, b = factors if self._problem.kind is not Kind.INPUT else (factors[1], factors[0])
        self._cudnn.call(
            f"cudnnConvolution{self._call}", self._cudnn.handle, ctypes.byref(self._one), self._first, a, self._second,
            b, self._way, algorithm.number, workspace or None, algorithm.workspace, ctypes.byref(self._zero),
            self._result, result)
