"""The passes, in the order in which they run, and why in that order. Each is a file of its name."""
from __future__ import annotations

from graphc.passes.attention.attention import attention
from graphc.passes.attention.attention_strides import attention_strides
from graphc.passes.driver import Pass
from graphc.passes.fusion.fuse import fuse
from graphc.passes.fusion.split_parts import split_parts
from graphc.passes.images.layout import layout
from graphc.passes.images.pads import pads
from graphc.passes.images.resize import resize
from graphc.passes.loops.erased_elements import erased_elements
from graphc.passes.loops.prune import prune
from graphc.passes.loops.rows_in_loops import rows_in_loops
from graphc.passes.loops.split_loops import split_loops
from graphc.passes.loops.unused_results import unused_results
from graphc.passes.norms.batch_norm import batch_norm
from graphc.passes.norms.layer_norm import layer_norm
from graphc.passes.norms.moments import moments
from graphc.passes.simplification.check_operands import check_operands
from graphc.passes.simplification.common_subexpressions import common_subexpressions
from graphc.passes.simplification.expand import expand
from graphc.passes.simplification.fold_constants import fold_constants
from graphc.passes.simplification.join_products import join_products
from graphc.passes.simplification.simplify import simplify
from graphc.passes.softmax.cross_entropy import cross_entropy
from graphc.passes.softmax.softmax_by_hand import softmax_by_hand
from graphc.passes.softmax.softmax_grad import softmax_grad
from graphc.passes.weights.fold_batch_norm import fold_batch_norm
from graphc.passes.weights.prepare import prepare
from graphc.passes.weights.transpose_weights import transpose_weights
from graphc.passes.weights.weights_in_bodies import weights_in_bodies

_UNFUSED: tuple[tuple[str, Pass], ...] = (
    # First: what was made for gradients that nobody asks for is no work for the others.
    ("unused_results", unused_results),
    # Before expansion: an op on constants is computed by its own reference, in one go.
    ("fold_constants", fold_constants),
    # Identities and reshapes of reshapes would hide equal nodes and adjacent transposes from the passes after.
    ("simplify", simplify),
    # After simplify, after which an index is a counter and a number.
    ("erased_elements", erased_elements),
    # After simplify, which makes transposes parts of products.
    ("join_products", join_products),
    # After join_products, for which the gradients of an unrolled network's weights are sums of transposed products.
    ("transpose_weights", transpose_weights),
    # Before split_loops, which takes gathered rows out of loops.
    ("rows_in_loops", rows_in_loops),
    # After join_products, whose products of an unrolled network have their rows in one already.
    ("split_loops", split_loops),
    # Before attention, which looks for softmax.
    ("softmax_by_hand", softmax_by_hand),
    # After simplify, too; before layout, which would move what stands between.
    ("attention", attention),
    # Before expansion, too, which takes means and gradients apart.
    ("layer_norm", layer_norm),
    # After attention, which looks for the gradient of its softmax.
    ("softmax_grad", softmax_grad),
    ("cross_entropy", cross_entropy),
    # Before expansion: `permuted` of an op such as FusedBatchNorm knows its layout, its parts do not.
    ("layout", layout),
    # Both after layout, which brings pictures into the order that their kernels know.
    ("pads", pads),
    ("batch_norm", batch_norm),
    # After layer_norm and layout, too; before expansion, which takes means apart.
    ("moments", moments),
    # Before expansion, whose casts are maps like those that it makes.
    ("resize", resize),
    # From here on only elementwise ops, reductions, views, aliases and kernels.
    ("expand", expand),
    # Expansion makes constants and neutral factors.
    ("fold_expanded", fold_constants),
    ("simplify_expanded", simplify),
    # After what makes constants of divisors, which need no check; before equal checks are merged.
    ("check_operands", check_operands),
    # After all that makes nodes equal; before fusion, which would copy equal work into several steps.
    ("common_subexpressions", common_subexpressions),
    # Folding and merging leave loops and branches with operands that nothing inside uses; the graph itself was pruned
    # when the snapshot was taken.
    ("prune", prune),
    # Needs the expanded form of batch norms; before `prepare`, which takes the scaled weights out of the run.
    ("fold_batch_norm", fold_batch_norm),
    # After everything that finds work on weights alone; before fusion, which would mix it with the run's.
    ("prepare", prepare),
    # After `prepare`, whose results are weights, too; before fusion, which puts numbers into its programs.
    ("weights_in_bodies", weights_in_bodies),
    # After all that changes reshapes and transposes; before fusion, of which it leaves less to copy.
    ("attention_strides", attention_strides),
    # After the passes that look for splits; before fusion, which lets maps read views.
    ("split_parts", split_parts),
)
PIPELINE: tuple[tuple[str, Pass], ...] = (
    *_UNFUSED,
    # Last: a Fused node is opaque to every other pass.
    ("fuse", fuse),
)
UNFUSED = _UNFUSED
