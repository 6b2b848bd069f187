"""The array ops' public functions, gathered from their families."""
from __future__ import annotations

from graphc.ops import getitem as getitem
from graphc.ops.broadcast import broadcast_static_shape, broadcast_to, sum_to, tile
from graphc.ops.cast import cast, to_double, to_float, to_int32, to_int64
from graphc.ops.fill import fill, ones, ones_like, range_, zeros, zeros_like
from graphc.ops.gather import boolean_mask, gather, gather_nd, one_hot, scatter_sum, where
from graphc.ops.identity import group, identity, no_op, stop_gradient, tuple_of
from graphc.ops.join import concat, split, stack, unstack
from graphc.ops.pad import pad
from graphc.ops.select import select, where_v2
from graphc.ops.shapes import expand_dims, rank, reshape, shape, size, squeeze
from graphc.ops.slicing import slice_, strided_slice
from graphc.ops.transpose import invert_permutation, matrix_transpose, reverse, transpose

__all__ = [
    "boolean_mask",
    "broadcast_static_shape",
    "broadcast_to",
    "cast",
    "concat",
    "expand_dims",
    "fill",
    "gather",
    "gather_nd",
    "group",
    "identity",
    "invert_permutation",
    "matrix_transpose",
    "no_op",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "range_",
    "rank",
    "reshape",
    "reverse",
    "scatter_sum",
    "select",
    "shape",
    "size",
    "slice_",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "sum_to",
    "tile",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
    "transpose",
    "tuple_of",
    "unstack",
    "where",
    "where_v2",
    "zeros",
    "zeros_like",
]
