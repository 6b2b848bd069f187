"""Kernels on the parts of sparse tensors, declared; their functions stand in kernels/cpu/sparse/.

Rows are index tuples, int64, `depth` of them each; "order" lists rows so that they ascend lexicographically.
"""
from __future__ import annotations

from .dtypes import NUMBERS
from .kernel import Kernel, Operand, at_least, at_most, over

_GROUPS = ("n", "depth", "width")
_FIND = ("n", "m", "depth")
_PRODUCT = ("n", "m", "k", "p")
_DISTANCE = ("h", "t", "groups")

KERNELS = (
    Kernel("row_order",
           (Operand("rows", "in", "i64", "n * depth"), Operand("order", "out", "i64", "n")),
           ("n", "depth"), (), over(), "cpu.sparse.rows:make_order",
           (*at_least(0, "n", "depth"), *at_most(1 << 40, "n")), "n * depth"),
    Kernel("row_groups",
           (Operand("rows", "in", "i64", "n * depth"), Operand("order", "in", "i64", "n"),
            Operand("group", "out", "i64", "n"), Operand("count", "out", "i64", "1")),
           _GROUPS, (), over(), "cpu.sparse.rows:make_groups",
           (*at_least(0, *_GROUPS), "width <= depth")),
    Kernel("find_rows",
           (Operand("rows", "in", "i64", "n * depth"), Operand("table", "in", "i64", "m * depth"),
            Operand("order", "in", "i64", "m"), Operand("place", "out", "i64", "n")),
           _FIND, (), over(), "cpu.sparse.rows:make_find",
           at_least(0, *_FIND)),
    Kernel("check_rows",
           (Operand("rows", "in", "i64", "n * depth"), Operand("sizes", "in", "i64", "depth"),
            Operand("y", "out", "i64", "n * depth")),
           ("n", "depth"), ("ordered",), over(), "cpu.sparse.rows:make_check",
           (*at_least(0, "n", "depth", "ordered"), *at_most(1, "ordered"))),
    Kernel("sparse_matmul",
           (Operand("indices", "in", "i64", "2 * n"), Operand("values", "in", "T", "n"),
            Operand("b", "in", "T", "k * p"), Operand("out", "out", "T", "m * p")),
           _PRODUCT, ("swapped",), over(T=NUMBERS), "cpu.sparse.product:make",
           (*at_least(0, *_PRODUCT, "swapped"), *at_most(1, "swapped")), "2 * n * p"),
    Kernel("edit_distance",
           (Operand("found", "in", "i64", "h"), Operand("found_group", "in", "i64", "h"),
            Operand("truth", "in", "i64", "t"), Operand("truth_group", "in", "i64", "t"),
            Operand("out", "out", "f32", "groups")),
           _DISTANCE, ("normalized",), over(), "cpu.sparse.distance:make",
           (*at_least(0, *_DISTANCE, "normalized"), *at_most(1, "normalized"), *at_most(1 << 40, "t")), "h * t"),
)
