"""Kernels of a Plan on the device, by name: each becomes maps, products, copies or a kernel of its own (code/).

CALLS is the one list of what the device has. A kernel that looks at indices has them checked by a map of its own, which
leaves their smallest and largest value where the engine looks when the run is done (call.py: Check); with a bad one it
only promises not to touch memory that is not its own.
"""
from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from graphc.exec.cuda.calls import rows, windows
from graphc.exec.cuda.calls.call import Call, ProgramBuilder, checked, map_work, size_of
from graphc.exec.cuda.calls.products import Factors, product
from graphc.exec.cuda.code.indices import gather_text, scatter_text
from graphc.exec.cuda.code.ptx import make_ptx
from graphc.exec.cuda.work import Clear, Copy, Launch, Work

THREADS = 256


def _copy(call: Call) -> Sequence[Work]:
    """As a map, which in a CUDA graph is faster than the driver's copy (docs/adr/0032)."""
    x, y = call.operands
    return map_work(call, ProgramBuilder(call.types[0]).program(0), (call.dims[0],), 0, [(x, (1,)), (y, (1,))])


def _sizes(call: Call) -> list[Work]:
    start, count = call.attrs
    size = size_of(call.types[0])
    stored = struct.pack(f"<{count}{'i' if size == 4 else 'q'}", *call.dims[:count])
    return [Copy(call.operands[0] + start * size, call.facts(stored), len(stored))] if count else []


def _matmul(call: Call) -> list[Work]:
    batch, m, n, k, a_batch, b_batch = call.dims
    a, b, c = call.operands
    return product(call, Factors(call.types[0], batch, m, n, k, a_batch, b_batch, bool(call.attrs[0]),
                                 bool(call.attrs[1])), a, b, c)


def _gather(call: Call) -> list[Work]:
    (params, indices, out), (outer, axis, inner, count) = call.operands, call.dims
    element, index = call.types
    elements = outer * count * inner
    if not elements or not axis:
        return checked(call, indices, count, index, axis)
    ptx = make_ptx(gather_text(size_of(element), index))
    words = (params, indices, out, elements, axis, inner, count)
    return [*checked(call, indices, count, index, axis),
            Launch(ptx, "gc_gather", (-(-elements // THREADS),), (THREADS,), words)]


def _scatter_add(call: Call) -> list[Work]:
    (updates, indices, out), (outer, axis, inner, count) = call.operands, call.dims
    element, index = call.types
    work = [*checked(call, indices, count, index, axis), Clear(out, outer * axis * inner * size_of(element))]
    if outer * axis * inner * count:
        ptx = make_ptx(scatter_text(element, index))
        words = (updates, indices, out, outer * inner, axis, inner, count)
        work.append(Launch(ptx, "gc_scatter_add", (-(-outer * inner // THREADS),), (THREADS,), words))
    return work


CALLS: dict[str, Callable[[Call], Sequence[Work]]] = {
    "copy": _copy, "sizes": _sizes, "matmul": _matmul, "gather": _gather, "scatter_add": _scatter_add,
    "softmax": rows.softmax, "log_softmax": rows.log_softmax,
    "softmax_cross_entropy": rows.losses, "sparse_softmax_cross_entropy": rows.sparse_losses,
    "conv2d": windows.convolution, "conv2d_input_grad": windows.input_gradient,
    "conv2d_filter_grad": windows.filter_gradient, "max_pool": windows.max_pool,
    "max_pool_grad": windows.max_pool_gradient, "avg_pool": windows.mean_pool,
    "avg_pool_grad": windows.mean_pool_gradient,
}
STATE_CHECK, STATE_MARK = "state_check", "state_mark"          # on the host: what is known of variables stands there
