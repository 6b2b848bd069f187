"""Kernels of a Plan on the device, by name: each becomes maps, products, copies or a kernel of its own (code/).

CALLS is the one list of what the device has. What a kernel refuses is told by checks (checks.py), at which the
engine looks when the run is done.
"""
from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

from graphc.exec.cuda.calls import (
    boxes,
    convolutions,
    ctc,
    drawn,
    draws,
    fourier,
    fractional,
    fused_rows,
    indices,
    matrices,
    norms,
    rows,
    scans,
    sorts,
    suppression,
    taps,
    tuples,
    windows,
)
from graphc.exec.cuda.calls.attention import attention, attention_gradient, attention_kept
from graphc.exec.cuda.calls.attention_in_training import attention_dropped, attention_general_gradient
from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.calls.products import HALVES, Factors, product
from graphc.exec.cuda.work import Copy, Work


def _copy(call: Call) -> Sequence[Work]:
    """As a map, which in a CUDA graph is faster than the driver's copy (docs/adr/0032)."""
    x, y = call.operands
    return map_work(call, ProgramBuilder(call.types[0]).program(0), (call.dims[0],), 0, [(x, (1,)), (y, (1,))])


def _pad(call: Call) -> Sequence[Work]:
    """The value everywhere, then x where it goes."""
    (x, value, y), (outer, *axes, unit) = call.operands, call.dims
    sizes, before = axes[::3], axes[1::3]
    whole = [outer, *(sum(axes[i:i + 3]) for i in (0, 3, 6)), unit]
    strides, given = ([unit * math.prod(n[i + 1:4]) for i in range(4)] + [1] for n in (whole, [outer, *sizes]))
    start = sum(n * stride for n, stride in zip(before, strides[1:], strict=False)) * size_of(call.types[0])
    moved = ProgramBuilder(call.types[0]).program(0)
    return [*map_work(call, moved, whole, 0, [(value, (0, 0, 0, 0, 1)), (y, strides)]),
            *map_work(call, moved, [outer, *sizes, unit], 0, [(x, given), (y + start, strides)])]


def _sizes(call: Call) -> list[Work]:
    start, count = call.attrs
    size = size_of(call.types[0])
    stored = struct.pack(f"<{count}{'i' if size == 4 else 'q'}", *call.dims[:count])
    return [Copy(call.operands[0] + start * size, call.facts(stored), len(stored))] if count else []


def _matmul(call: Call) -> list[Work]:
    batch, m, n, k, a_batch, b_batch = call.dims
    a, b, c = call.operands
    element, result = (dtype if dtype in HALVES else "" for dtype in (*call.stored[1:], *["", ""])[:2])
    return product(call, Factors(call.types[0], batch, m, n, k, a_batch, b_batch, bool(call.attrs[0]),
                                 bool(call.attrs[1]), element=element, result=result), a, b, c)


CALLS: dict[str, Callable[[Call], Sequence[Work]]] = {
    "copy": _copy, "pad": _pad, "sizes": _sizes, "matmul": _matmul,
    # Rows by index
    "gather": indices.gather, "gather_nd": indices.gather_nd, "scatter_add": indices.scatter_add,
    "scatter_nd": indices.scatter_nd, "checked_indices": indices.checked_indices, "checked": indices.checked_integers,
    "segment": indices.segment, "segment_count": indices.segment_count, "bincount": indices.bincount,
    "sum_equal": indices.sum_equal, "invert_permutation": indices.invert_permutation,
    "sparse_matmul": indices.sparse_product,
    # Orders and searches
    "top_k": sorts.top_k, "row_order": sorts.row_order, "search_sorted": sorts.search_sorted,
    "first_equal": sorts.first_equal, "unique": sorts.unique, "row_groups": tuples.row_groups,
    "find_rows": tuples.find_rows, "check_rows": tuples.check_rows,
    # Running sums
    "cumsum": scans.cumsum, "cumprod": scans.cumprod, "nonzero": scans.nonzero,
    # Whole rows
    "argmax": rows.argmax, "argmin": rows.argmin, "in_top_k": rows.in_top_k, "softmax": rows.softmax,
    "log_softmax": rows.log_softmax, "softmax_cross_entropy": rows.losses,
    "sparse_softmax_cross_entropy": rows.sparse_losses, "softmax_grad": fused_rows.softmax_gradient,
    "log_softmax_grad": fused_rows.log_softmax_gradient, "layer_norm": norms.layer_norm,
    "layer_norm_grad": norms.layer_norm_gradient, "weighted_softmax_cross_entropy": fused_rows.weighted_losses,
    "weighted_sparse_softmax_cross_entropy": fused_rows.weighted_sparse_losses, "attention": attention,
    "attention_kept": attention_kept, "attention_grad": attention_gradient, "attention_dropped": attention_dropped,
    "attention_general_grad": attention_general_gradient,
    "ctc_loss": ctc.loss, "ctc_greedy": ctc.greedy,
    # Windows
    "conv2d": convolutions.convolution, "conv2d_input_grad": convolutions.input_gradient,
    "conv2d_filter_grad": convolutions.filter_gradient, "grouped_conv2d": convolutions.convolution,
    "grouped_conv2d_input_grad": convolutions.input_gradient,
    "grouped_conv2d_filter_grad": convolutions.filter_gradient, "max_pool": windows.max_pool,
    "max_pool_grad": windows.max_pool_gradient, "max_pool_grad_grad": taps.pool_second_gradient,
    "avg_pool": windows.mean_pool, "avg_pool_grad": windows.mean_pool_gradient, "max_pool_argmax": taps.pool_places,
    "max_pool_scatter": taps.pool_scatter, "max_pool_pick": taps.pool_pick, "max_pool3d_grad": taps.pool3d_gradient,
    "max_pool3d_grad_grad": taps.pool3d_second_gradient, "depthwise_conv2d": convolutions.depthwise,
    "depthwise_conv2d_input_grad": convolutions.depthwise_input_gradient,
    "depthwise_conv2d_filter_grad": convolutions.depthwise_filter_gradient, "unfold_depth": taps.unfold_depth,
    "fold_depth": taps.fold_depth, "window_sum": taps.window_sum, "dilation2d": taps.dilation,
    "dilation2d_input_grad": taps.dilation_input_gradient, "dilation2d_filter_grad": taps.dilation_filter_gradient,
    "pooling_edges": fractional.edges, "fractional_max_pool": fractional.largest,
    "fractional_max_pool_grad": fractional.largest_gradient, "fractional_mean_pool": fractional.mean,
    "fractional_mean_pool_grad": fractional.mean_gradient, "crop_boxes": boxes.crop,
    "crop_boxes_image_grad": boxes.image_gradient, "crop_boxes_box_grad": boxes.box_gradient,
    "suppress_boxes": suppression.boxes, "suppress_overlaps": suppression.overlaps,
    "suppress_classes": suppression.classes, "glimpse": drawn.glimpse, "draw_boxes": drawn.boxes,
    # Transforms
    "fft": fourier.fft,
    # Matrices
    "cholesky": matrices.cholesky, "triangular_solve": matrices.triangular_solve,
    "lu": matrices.lu, "lu_solve": matrices.lu_solve, "qr": matrices.qr,
    # Draws
    "mixed_seeds": draws.mixed_seeds, "stateless_uniform": draws.uniform, "stateless_normal": draws.normal,
    "stateless_truncated_normal": draws.truncated_normal, "stateless_int": draws.integers,
    "search_sums": draws.search_sums, "random_gamma": draws.gamma, "random_poisson": draws.poisson,
    "random_gamma_grad": draws.gamma_gradient, "random_truncated": draws.truncated,
}
STATE_CHECK, STATE_MARK = "state_check", "state_mark"          # on the host: what is known of variables stands there
