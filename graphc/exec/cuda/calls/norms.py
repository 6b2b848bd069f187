"""Rows normalised by their own moments, and the gradient, as maps (kernels/cpu/nn/layer_norm.py has the equations)."""
from __future__ import annotations

import struct

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.work import Clear, Work


class Moments:
    """Of the rows of x[rows, groups, params], which are `stored` in memory: `work` computes what stands at `mean` (0:
    not centred) and `inverse`."""

    def __init__(self, call: Call, x: int, stored: str, centred: int, epsilon: int) -> None:
        self.call, self.dtype, (self.rows, groups, params) = call, call.types[0], call.dims
        self.stored = stored
        self.count = groups * params
        self.mean, self.inverse = self.of_rows() if centred else 0, self.of_rows()
        self.work: list[Work] = []
        all_of_x, of_rows, (added,) = (self.count, 1), (1, 0), struct.unpack("<d", struct.pack("<q", epsilon))
        if centred:
            b = ProgramBuilder(stored)
            program = b.program(self.share(b, b("reduce.add", self.dtype, b.as_type(self.dtype, 0))))
            self.work += map_work(call, program, (self.rows, self.count), 1, [(x, all_of_x), (self.mean, of_rows)])
        b = ProgramBuilder(stored, *[self.dtype] * (1 if centred else 0))
        value = b.as_type(self.dtype, 0)
        d = b("sub", self.dtype, value, 1) if centred else value
        variance = self.share(b, b("reduce.add", self.dtype, b("mul", self.dtype, d, d)))
        root = b("sqrt", self.dtype, b("add", self.dtype, variance, b("const", self.dtype, value=added)))
        program = b.program(b("div", self.dtype, b("const", self.dtype, value=1.0), root))
        places = [(x, all_of_x), *([(self.mean, of_rows)] if centred else []), (self.inverse, of_rows)]
        self.work += map_work(call, program, (self.rows, self.count), 1, places)

    def of_rows(self) -> int:
        return self.call.scratch(self.rows * size_of(self.dtype))

    def share(self, b: ProgramBuilder, total: int) -> int:
        """A row's mean, of its sum."""
        return b("mul", self.dtype, total, b("const", self.dtype, value=1.0 / self.count))


def layer_norm(call: Call) -> list[Work]:
    (x, scale, shift, y), (rows, groups, params) = call.operands, call.dims
    centred, scaled, shifted, epsilon = call.attrs
    if not rows * groups * params:
        return []
    moments = Moments(call, x, call.stored_as(0), centred, epsilon)
    return [*moments.work, *_normalised(call, moments, x, scale if scaled else 0, shift if shifted else 0, y,
                                        call.stored_as(3))]


def _normalised(call: Call, moments: Moments, x: int, scale: int, shift: int, y: int, result: str) -> list[Work]:
    """(x - mean) * inverse * scale + shift; mean, scale and shift may be 0: there is none. result: of y in memory."""
    (rows, groups, params), dtype = call.dims, call.types[0]
    elements, of_rows, of_params = (groups * params, params, 1), (1, 0, 0), (0, 0, 1)
    places = [(x, elements), (moments.inverse, of_rows), (moments.mean, of_rows), (scale, of_params),
              (shift, of_params)]
    loads = [place for place in places if place[0]]
    b, further = ProgramBuilder(moments.stored, *[dtype] * (len(loads) - 1)), iter(range(2, len(loads)))
    value = b.as_type(dtype, 0)
    made = b("mul", dtype, b("sub", dtype, value, next(further)) if moments.mean else value, 1)
    made = b("mul", dtype, made, next(further)) if scale else made
    made = b("add", dtype, made, next(further)) if shift else made
    return list(map_work(call, b.program(b.as_type(result, made)), (rows, groups, params), 0,
                         [*loads, (y, elements)]))


def layer_norm_gradient(call: Call) -> list[Work]:
    """With x' the normalised row and w = dy * scale: dx = (w - M(w) - x' M(w x')) inverse + addend."""
    (dy, x, scale, addend, dx, by_scale, by_shift, total), (rows, groups, params) = call.operands, call.dims
    dtype, (centred, scaled, added, summed, epsilon) = call.types[0], call.attrs
    if not rows * groups * params:
        return [Clear(place, params * size_of(dtype)) for place in (by_scale, by_shift, total)[:2 + summed]]
    moments = Moments(call, x, call.stored_as(1), centred, epsilon)
    given, result = call.stored_as(0), call.stored_as(4)
    normal = call.scratch(rows * moments.count * size_of(dtype))
    work = [*moments.work, *_normalised(call, moments, x, 0, 0, normal, dtype)]
    elements, of_rows, of_columns, sums = (moments.count, params, 1), (1, 0, 0), (1, moments.count, params), (1, 0, 0)
    columns = (params, rows, groups)
    b = ProgramBuilder(given, dtype)
    by = b.as_type(dtype, 0)
    program = b.program(b("reduce.add", dtype, b("mul", dtype, by, 1)), b("reduce.add", dtype, by))
    work += map_work(call, program, columns, 2, [(dy, of_columns), (normal, of_columns), (by_scale, sums),
                                                 (by_shift, sums)])
    weighted = dy
    if scaled:
        weighted, b = call.scratch(rows * moments.count * size_of(dtype)), ProgramBuilder(given, dtype)
        work += map_work(call, b.program(b("mul", dtype, b.as_type(dtype, 0), 1)), (rows, groups, params), 0,
                         [(dy, elements), (scale, (0, 0, 1)), (weighted, elements)])
        given = dtype
    mean, mean_product, b = moments.of_rows(), moments.of_rows(), ProgramBuilder(given, dtype)
    by = b.as_type(dtype, 0)
    program = b.program(moments.share(b, b("reduce.add", dtype, by)),
                        moments.share(b, b("reduce.add", dtype, b("mul", dtype, by, 1))))
    work += map_work(call, program, (rows, groups, params), 2, [(weighted, elements), (normal, elements),
                                                                (mean, of_rows), (mean_product, of_rows)])
    b = ProgramBuilder(given, *[dtype] * (5 if added else 4))
    by = b.as_type(dtype, 0)
    made = b("sub", dtype, by, 3) if centred else by
    made = b("mul", dtype, b("sub", dtype, made, b("mul", dtype, 1, 4)), 2)
    made = b("add", dtype, made, 5) if added else made
    # What is summed is not rounded before.
    whole = call.scratch(rows * moments.count * size_of(dtype)) if summed and result != dtype else 0
    stores = [b.as_type(result, made), *([made] if whole else [])]
    work += map_work(call, b.program(*stores), (rows, groups, params), 0, [
        (weighted, elements), (normal, elements), (moments.inverse, of_rows), (mean, of_rows), (mean_product, of_rows),
        *([(addend, elements)] if added else []), (dx, elements), *([(whole, elements)] if whole else [])])
    if summed:
        b = ProgramBuilder(dtype)
        work += map_work(call, b.program(b("reduce.add", dtype, 0)), columns, 2,
                         [(whole or dx, of_columns), (total, sums)])
    return work
