"""Attention and its gradient as what they stand for: products, sums and exponentials, with a matrix of all scores in
memory. As long as that is not large, products fill the device better than code/attention.py's kernels do."""
from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphc.exec.cuda.calls.call import Call, Products, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.products import Factors, product
from graphc.exec.cuda.calls.rows import softmax
from graphc.exec.cuda.code.dropped import PER_GROUP, dropped
from graphc.exec.cuda.work import Work

Place = tuple[int, Sequence[int]]      # an address; elements from one outer, inner, row and column to the next


@dataclass(frozen=True)
class Dropping:
    """Dropout of weights: where draw and drop are (kernels/cpu/attention/dropping.py), the place of the first."""

    draw: int
    drop: int
    first: int

    def of(self, call: Call, s: _Sizes, scores: int) -> list[Work]:
        """Numbers of all weights times the weights' factors, in place."""
        count = s.batch * s.rows * s.cols
        groups = count // PER_GROUP[s.dtype] + 2
        return launch(call, dropped(s.dtype), groups, scores, self.draw, self.drop, groups, self.first, count)


@dataclass(frozen=True)
class ByMask:
    """The gradient by what is added to the scores: where it is, elements from one outer, inner and row to the next, 0
    along what is added up; begun: whether there is something that these matrices' is added to."""

    address: int
    steps: tuple[int, int, int]
    begun: bool


def _of_computed(call: Call) -> Call:
    """The call as it multiplies factors that it has computed: those were no 16-bit floats."""
    return call if call.products == Products.FUSED else replace(call, products=Products.ROUNDED)


class _Sizes:
    def __init__(self, call: Call) -> None:
        self.outer, self.inner, self.rows, self.cols, self.depth, self.columns, *self.mask_steps = call.dims
        self.batch, self.dtype, self.masked = self.outer * self.inner, call.types[0], bool(call.attrs[0])
        self.scale: float = struct.unpack("<d", struct.pack("<q", call.attrs[1]))[0]

    @property
    def domain(self) -> tuple[int, int, int, int]:
        return self.outer, self.inner, self.rows, self.cols

    def scores(self, address: int) -> Place:
        each = self.rows * self.cols
        return address, (self.inner * each, each, self.cols, 1)

    def of_rows(self, address: int, each: int = 1) -> Place:
        """A number of each row, `each` elements apart."""
        return address, (self.inner * self.rows * each, self.rows * each, each, 0)

    def program(self, *loads: str) -> ProgramBuilder:
        return ProgramBuilder(self.dtype, *([self.dtype] if self.masked else []), *loads)

    def score(self, b: ProgramBuilder) -> int:
        """Of a product of q and k, the first load; the mask is the second one."""
        scaled = b("mul", self.dtype, 0, b("const", self.dtype, value=self.scale))
        return b("add", self.dtype, scaled, 1) if self.masked else scaled

    def loads(self, scores: int, mask: int) -> list[Place]:
        return [self.scores(scores), *([(mask, (*self.mask_steps, 1))] if self.masked else [])]


def _products_of_rows(call: Call, s: _Sizes, a: int, b: int, length: int) -> tuple[list[Work], int]:
    """(what multiplies rows by rows of the other side, where the products stand)."""
    made = call.scratch(s.batch * s.rows * s.cols * size_of(s.dtype))
    factors = Factors(s.dtype, s.batch, s.rows, s.cols, length, s.rows * length, s.cols * length, transpose_b=True)
    return product(call, factors, a, b, made), made


def attended(call: Call, dropping: Dropping | None = None) -> list[Work]:
    """attention(q, k, v, mask, y); attention_kept(q, k, v, mask, kept, y)."""
    s, (q, k, v, mask, *kept, y) = _Sizes(call), call.operands
    work, scores = _products_of_rows(call, s, q, k, s.depth)
    b, places = s.program(), s.loads(scores, mask)
    work += map_work(call, b.program(s.score(b)), s.domain, 0, [*places, s.scores(scores)])
    work += _kept_softmax(call, s, scores, kept[0]) if kept else softmax(
        replace(call, operands=(scores, scores), dims=(s.batch * s.rows, s.cols), attrs=()))
    work += dropping.of(call, s, scores) if dropping is not None else []
    factors = Factors(s.dtype, s.batch, s.rows, s.columns, s.cols, s.rows * s.cols, s.cols * s.columns)
    return work + product(_of_computed(call), factors, scores, v, y)


def _kept_softmax(call: Call, s: _Sizes, scores: int, kept: int) -> list[Work]:
    """In place; kept is of each row the largest score, and 1 by the sum of its exponentials."""
    part, dtype = kept + size_of(s.dtype), s.dtype
    b = ProgramBuilder(dtype)
    work = list(map_work(call, b.program(b("reduce.max", dtype, 0)), s.domain, 1,
                         [s.scores(scores), s.of_rows(kept, 2)]))
    b = ProgramBuilder(dtype, dtype)
    power = b("exp", dtype, b("sub", dtype, 0, 1))
    total = b("div", dtype, b("const", dtype, value=1.0), b("reduce.add", dtype, power))
    work += map_work(call, b.program(power, total), s.domain, 1,
                     [s.scores(scores), s.of_rows(kept, 2), s.scores(scores), s.of_rows(part, 2)])
    b = ProgramBuilder(dtype, dtype)
    return [*work, *map_work(call, b.program(b("mul", dtype, 0, 1)), s.domain, 0,
                             [s.scores(scores), s.of_rows(part, 2), s.scores(scores)])]


def gradient(call: Call, sums: int, dropping: Dropping | None = None, by_mask: ByMask | None = None) -> list[Work]:
    """attention_grad(q, k, v, y, kept, dy, mask, dq, dk, dv). sums: dy * y, added up along rows."""
    s, (q, k, v, _, kept, dy, mask, dq, dk, dv) = _Sizes(call), call.operands
    dtype = s.dtype
    work, powers = _products_of_rows(call, s, q, k, s.depth)
    b = s.program(dtype, dtype)
    known = len(b.loads) - 2
    power = b("mul", dtype, b("exp", dtype, b("sub", dtype, s.score(b), known)), known + 1)
    places = [*s.loads(powers, mask), s.of_rows(kept, 2), s.of_rows(kept + size_of(dtype), 2)]
    work += map_work(call, b.program(power), s.domain, 0, [*places, s.scores(powers)])
    more, by_scores = _products_of_rows(call, s, dy, v, s.columns)
    work += more + (dropping.of(call, s, by_scores) if dropping is not None else [])
    places = [s.scores(powers), s.scores(by_scores), s.of_rows(sums)]
    work += _by_mask(call, s, by_mask, places) if by_mask is not None else []
    b = ProgramBuilder(dtype, dtype, dtype)
    found = b("mul", dtype, b("mul", dtype, 0, b("sub", dtype, 1, 2)), b("const", dtype, value=s.scale))
    work += map_work(call, b.program(found), s.domain, 0, [*places, s.scores(by_scores)])
    work += dropping.of(call, s, powers) if dropping is not None else []
    each, by_rows, call = s.rows * s.cols, (s.batch, s.cols), _of_computed(call)
    work += product(call, Factors(dtype, *by_rows, s.columns, s.rows, each, s.rows * s.columns, transpose_a=True),
                    powers, dy, dv)
    work += product(call, Factors(dtype, s.batch, s.rows, s.depth, s.cols, each, s.cols * s.depth), by_scores, k, dq)
    return work + product(call, Factors(dtype, *by_rows, s.depth, s.rows, each, s.rows * s.depth, transpose_a=True),
                          by_scores, q, dk)


def _by_mask(call: Call, s: _Sizes, by_mask: ByMask, places: Sequence[Place]) -> list[Work]:
    """places: of the weights, the gradient by them, and `sums`. Axes along which is added up stand last."""
    dtype, summed = s.dtype, [axis for axis in range(3) if not by_mask.steps[axis]]
    axes = [*(axis for axis in range(3) if axis not in summed), 3, *summed]
    b = ProgramBuilder(dtype, dtype, dtype, *([dtype] if by_mask.begun else []))
    total = b("mul", dtype, 0, b("sub", dtype, 1, 2))
    total = b("reduce.add", dtype, total) if summed else total
    total = b("add", dtype, 3, total) if by_mask.begun else total
    target = by_mask.address, (*by_mask.steps, 1)
    turned = [(at, [steps[axis] for axis in axes])
              for at, steps in (*places, *([target] if by_mask.begun else []), target)]
    return list(map_work(call, b.program(total), [s.domain[axis] for axis in axes], len(summed), turned))
