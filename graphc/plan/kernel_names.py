"""Full names of kernels: the abstract name and the dtypes of its type variables ("gather.f32.i64").

The declarations in kernels/ say which operands are of a variable type; compiling must not import those modules (they
need numba), so the one thing a name needs stands here: the operands whose dtypes are the suffix, in order. The default
is the first operand. tests/plan/test_builder.py checks this table against the declarations.
"""
from __future__ import annotations

from collections.abc import Sequence

TYPED_BY: dict[str, tuple[int, ...]] = {
    "gather": (0, 1),
    "scatter_add": (0, 1),
    "set_rows": (1, 0),
    "combine_rows": (1, 0),
    "argmax": (0, 1),
    "argmin": (0, 1),
    "sparse_softmax_cross_entropy": (0, 1),
    "gather_nd": (0, 1),
    "scatter_nd": (1, 0),
    "in_top_k": (1,),
    "unique": (0, 1),
    "bincount": (1,),
    "search_sorted": (0, 2),
    "segment": (0, 1),
    "nonzero": (),
    "candidates": (),
    "ctc_sparse": (),
    "crop_boxes_image_grad": (3,),
    "crop_boxes_box_grad": (1,),
    "draw_boxes": (),
    "suppress_boxes": (),
    "random_gamma": (),
    "random_poisson": (),
    "random_gamma_grad": (),
    "permutation": (),
    "mixed_seeds": (),
    "search_sums": (2,),
    "stateless_uniform": (1,),
    "stateless_normal": (1,),
    "stateless_truncated_normal": (1,),
    "stateless_int": (1,),
    "state_mark": (),
    "state_check": (),
}


def full_name(kernel: str, dtypes: Sequence[str]) -> str:
    """The name under which a Plan calls `kernel` on operands of these dtypes (short names)."""
    return ".".join([kernel, *(dtypes[i] for i in TYPED_BY.get(kernel, (0,)))])
