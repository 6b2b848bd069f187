"""Convolutions by cuDNN, and their gradients, where it is faster than graphc's own kernels, which is measured
(choices.py): once for a convolution of these sizes on this GPU, when a plan with it is bound. Small ones, where nothing
can be gained, are never the library's.

graphc's filters lie [kh, kw, channels, results], the library's [results, kh, kw, channels], pictures alike; or all
channel by channel, for which pictures are turned, too. What turns them is part of what is measured. The library pads
both sides of an axis alike; where zeros are more on one side, it gets pictures in a frame of zeros, as the own kernels
do.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

from graphc.exec.cuda.calls.call import Call, Products, size_of
from graphc.exec.cuda.calls.convolutions import Convolution, Made
from graphc.exec.cuda.calls.products import HALVES, NARROW
from graphc.exec.cuda.calls.windows import Pictures, copied, inside
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import ALIGNMENT
from graphc.exec.cuda.vendor import cudnn
from graphc.exec.cuda.vendor.choices import Choices, Measured, Question
from graphc.exec.cuda.vendor.cudnn import Algorithm, Cudnn, Kind, Layout, Problem
from graphc.exec.cuda.work import Clear, Work

FEWEST_OPERATIONS, FEWEST_BYTES = 1e8, 1 << 24 # of a convolution that is worth a trial: some 10 us
MOST_WORKSPACE = 256 << 20                     # bytes of an algorithm, in memory that steps share
ENTRIES = "convolution-"

Sizes = tuple[int, int, int, int]


@dataclass(frozen=True)
class LibraryConvolution:
    """A convolution that the library makes, at these addresses."""

    described: cudnn.Convolution
    algorithm: Algorithm
    factors: tuple[int, int]
    result: int
    workspace: int
    name = "cudnnConvolution"

    def prepare(self, device: Device) -> None:
        """Nothing: whoever chose the algorithm has run it."""

    def submit(self, device: Device) -> None:
        self.described.submit(self.algorithm, self.factors, self.result, self.workspace)


class LibraryConvolutions:
    """Of one device. All calls are under the device's lock, by a thread that uses it."""

    def __init__(self, device: Device, library: Cudnn) -> None:
        self._cudnn = library
        self._choices = Choices(device, ENTRIES, (library.version,), Algorithm)

    def work(self, call: Call, problem: Problem, v: Convolution, own: Made, mend: Made) -> list[Work] | None:
        """What makes the call's result, None if the own kernels are to. own: what they do; mend: what looks at what
        zeros have made NaN, behind the library's result."""
        question = self._question(problem, v, own, mend)
        algorithm = self._choices.choose(call, question)
        return None if algorithm is None else list(question.work(algorithm)(call, *call.operands))

    def measured(self, call: Call, problem: Problem, v: Convolution, own: Made, mend: Made) -> Measured[Algorithm]:
        """All ways, measured now."""
        return self._choices.measured(call, self._question(problem, v, own, mend))

    def _question(self, p: Problem, v: Convolution, own: Made, mend: Made) -> Question[Algorithm]:
        def made(algorithm: Algorithm, there: Call, *at: int) -> list[Work]:
            return self._work(there, v, p, algorithm, *at) + mend(there, v, *at)

        first, second, result = (prod(sizes) for sizes, _ in _operands(p.kind, v))
        taps = p.kh * p.kw
        terms = {Kind.FORWARD: taps * p.c, Kind.INPUT: taps * p.oc, Kind.FILTER: p.n * p.oh * p.ow}[p.kind]
        return Question(
            f"{_SAID[p.kind]} of pictures [{v.n}, {v.h}, {v.w}, {v.groups * v.c}] by filters [{p.kh}, {p.kw}, {p.c}, "
            f"{p.groups * p.oc}] in {p.dtype}, strides {p.strides}, dilations {p.dilations}", f"{p} {v}", p.dtype,
            p.dtype, (first, second), result, terms, _operations(p), lambda there, *at: own(there, v, *at),
            lambda: self._algorithms(p), lambda algorithm: partial(made, algorithm))

    def _algorithms(self, problem: Problem) -> Iterator[Algorithm]:
        for layout in (Layout.NHWC, Layout.NCHW):
            yield from cudnn.Convolution(self._cudnn, problem, layout).algorithms(MOST_WORKSPACE)

    def _work(self, call: Call, v: Convolution, p: Problem, algorithm: Algorithm, first: int, second: int,
              result: int) -> list[Work]:
        """Factors turned and framed, the library's call, and the result turned back and taken out of its frame."""
        layout, (a, b, c) = Layout(algorithm.layout), _operands(p.kind, v)
        call = call.of_type(p.dtype)
        work: list[Work] = []
        whole = result                         # of the pictures in their frame, if x is the result
        if _is_framed(p, v) and p.kind is Kind.INPUT:
            c = (p.n, p.h, p.w, p.groups * p.c), False
            whole = call.scratch(prod(c[0]) * size_of(p.dtype))
        elif _is_framed(p, v):
            more, x = inside(call, v.x(first), v.windows, v.top, v.left)
            work, first, a = work + more, x.address, ((x.n, x.h, x.w, x.c), False)
        for_a, first = _turned(call, *a, layout, first)
        for_b, second = _turned(call, *b, layout, second)
        order = _order(layout, c[1])
        target = whole if order == _AS_IT_IS else call.scratch(prod(c[0]) * size_of(p.dtype))
        workspace = call.scratch(algorithm.workspace) if algorithm.workspace else 0
        described = cudnn.Convolution(self._cudnn, p, layout)
        work += [*for_a, *for_b, LibraryConvolution(described, algorithm, (first, second), target, workspace)]
        if target != whole:
            work += copied(call, c[0], (target, _strides(c[0], order)), (whole, _strides(c[0], _AS_IT_IS)))
        if whole != result:
            work += _unframed(call, v, Pictures(whole, *c[0]), v.x(result))
        return work


_SAID = {Kind.FORWARD: "a convolution", Kind.INPUT: "the gradient for the input of a convolution",
         Kind.FILTER: "the gradient for the filter of a convolution"}
_AS_IT_IS = (0, 1, 2, 3)


def _operands(kind: Kind, v: Convolution) -> tuple[tuple[Sizes, bool], ...]:
    """The sizes of both factors and of the result as graphc has them, and which one is the filter."""
    w = v.windows
    x, y = ((v.n, v.h, v.w, v.groups * v.c), False), ((v.n, w.oh, w.ow, v.groups * v.oc), False)
    filters = (w.kh, w.kw, v.c, v.groups * v.oc), True
    return {Kind.FORWARD: (x, filters, y), Kind.INPUT: (y, filters, x), Kind.FILTER: (x, y, filters)}[kind]


def _order(layout: Layout, is_filter: bool) -> Sizes:
    """graphc's axes in the order in which the library has them: of pictures n, h, w, channels; of a filter kh, kw,
    channels, results."""
    if layout is Layout.NHWC:
        return (3, 0, 1, 2) if is_filter else _AS_IT_IS
    return (3, 2, 0, 1) if is_filter else (0, 3, 1, 2)


def _strides(sizes: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """Of each axis, in memory where they follow one another in that order."""
    return tuple(prod(sizes[other] for other in order[order.index(axis) + 1:]) for axis in range(len(sizes)))


def _turned(call: Call, sizes: Sizes, is_filter: bool, layout: Layout, address: int) -> tuple[list[Work], int]:
    """What makes the library's order of graphc's, and where it is."""
    order = _order(layout, is_filter)
    if order == _AS_IT_IS:
        return [], address
    there = call.scratch(prod(sizes) * size_of(call.types[0]))
    return copied(call, sizes, (address, _strides(sizes, _AS_IT_IS)), (there, _strides(sizes, order))), there


def _unframed(call: Call, v: Convolution, framed: Pictures, x: Pictures) -> list[Work]:
    """x out of its frame; what no window sees is 0."""
    size = size_of(call.types[0])
    top, left = max(-v.top, 0), max(-v.left, 0)                    # of x, the first pixel that lies in the frame
    rows, columns = min(v.h, framed.h - v.top) - top, min(v.w, framed.w - v.left) - left
    work: list[Work] = [Clear(x.address, x.count * size)] if (rows, columns) != (v.h, v.w) else []
    if rows > 0 and columns > 0:
        source = framed.at(0, top + v.top, left + v.left, size), framed.strides
        work += copied(call, (x.n, rows, columns, x.c), source, (x.at(0, top, left, size), x.strides))
    return work


def worthwhile(call: Call, kind: Kind, v: Convolution) -> Problem | None:
    """What the library would be asked for, None if there is nothing to gain or it could not do it."""
    stored = {call.stored_as(operand) for operand in range(3)}
    dtype = stored.pop()
    if stored or dtype not in ("f32", "f64", *HALVES) or any(at % ALIGNMENT for at in call.operands):
        return None
    problem = problem_of(kind, v, dtype, dtype == "f32" and call.products != Products.FUSED)
    return problem if _is_worth_it(problem) else None


def problem_of(kind: Kind, v: Convolution, dtype: str, by_tf32: bool) -> Problem:
    w = v.windows
    even = _is_even(v.h, v.top, w.oh, w.kh, w.stride_h, w.dilation_h) and _is_even(v.w, v.left, w.ow, w.kw, w.stride_w,
                                                                                  w.dilation_w)
    height, width, pads = (v.h, v.w, (v.top, v.left)) if even else (max(w.rows, 1), max(w.columns, 1), (0, 0))
    return Problem(kind, dtype, v.n, height, width, v.groups, v.c, w.kh, w.kw, v.oc, w.oh, w.ow, pads,
                   (w.stride_h, w.stride_w), (w.dilation_h, w.dilation_w), by_tf32)


def _is_even(size: int, pad: int, windows: int, taps: int, stride: int, dilation: int) -> bool:
    """Whether so many windows are what the library counts if there is as much padding behind as before."""
    room = size + 2 * pad - (taps - 1) * dilation - 1
    return pad >= 0 and room >= 0 and room // stride + 1 == windows


def _is_framed(p: Problem, v: Convolution) -> bool:
    return (p.h, p.w, *p.pads) != (v.h, v.w, v.top, v.left)


def _operations(p: Problem) -> float:
    return 2.0 * p.n * p.oh * p.ow * p.groups * p.oc * p.c * p.kh * p.kw


def _is_worth_it(p: Problem) -> bool:
    counts = (p.n * p.h * p.w * p.groups * p.c, p.kh * p.kw * p.c * p.groups * p.oc,
              p.n * p.oh * p.ow * p.groups * p.oc)
    if not min(counts) or max(counts) >= NARROW:                   # the library counts in 32 bits
        return False
    return _operations(p) >= FEWEST_OPERATIONS or size_of(p.dtype) * sum(counts) >= FEWEST_BYTES
