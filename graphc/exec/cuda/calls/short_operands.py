"""Kernels that read and write 16-bit floats in memory where a plan says float32 (narrowed.py): which of their operands,
and for which sizes. What they compute is float32 all the same; a result is rounded once, when it is stored."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphc.exec.cuda.calls.products import SMALLEST, Factors

Sizes = Sequence[int]
PIECE = 8                  # elements of 16 bits that a product copies at a time


@dataclass(frozen=True)
class Takes:
    """operands: which are 16-bit floats, all of one type, or all float32. results: which may be rounded to that type,
    each or not. fits: whether sizes (dims and attributes) let them be."""

    operands: tuple[int, ...]
    results: tuple[int, ...]
    fits: Callable[[Sizes, Sizes], bool]


def taken_by(kernel: str) -> Takes | None:
    """kernel: with its dtypes, as a plan calls it. None: it has float32 alone, or none."""
    name, _, dtype = kernel.partition(".")
    return TAKEN.get(name) if dtype == "f32" else None


def _always(dims: Sizes, attrs: Sizes) -> bool:
    return True


def _product(dims: Sizes, attrs: Sizes) -> bool:
    batch, m, n, k, a_batch, b_batch = dims
    return Factors("f32", batch, m, n, k, a_batch, b_batch, bool(attrs[0]), bool(attrs[1])).fits_halves


def _convolution(dims: Sizes, attrs: Sizes) -> bool:
    """A product of windows, or of windows turned for the filter's gradient."""
    n, c, kh, kw, oc, oh, ow = dims[0], *dims[-6:]
    return not (c % PIECE or oc % PIECE) and min(n * oh * ow, oc, kh * kw * c) >= SMALLEST


def _input_gradient(dims: Sizes, attrs: Sizes) -> bool:
    """Either by windows or by columns (convolutions.py)."""
    n, h, w, c, oc = *dims[:3], dims[-6], dims[-3]
    return _convolution(dims, attrs) and min(n * h * w, c, oc) >= SMALLEST


TAKEN = {
    "matmul": Takes((0, 1), (2,), _product),
    **{f"{groups}conv2d{gradient}": Takes((0, 1), (2,), fits) for groups in ("", "grouped_") for gradient, fits in (
        ("", _convolution), ("_input_grad", _input_gradient), ("_filter_grad", _convolution))},
    "max_pool": Takes((0,), (1,), _always), "max_pool_grad": Takes((0, 1, 2), (3,), _always),
    "softmax": Takes((0,), (1,), _always), "log_softmax": Takes((0,), (1,), _always),
    "softmax_grad": Takes((0, 1), (2,), _always), "log_softmax_grad": Takes((0, 1), (2,), _always),
    "layer_norm": Takes((0,), (3,), _always), "layer_norm_grad": Takes((0, 1), (4,), _always),
    "avg_pool": Takes((0,), (1,), _always), "avg_pool_grad": Takes((0,), (1,), _always),
}
