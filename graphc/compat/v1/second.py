"""tf.compat.v2: TensorFlow 2's names for the ops that TensorFlow 1 has, too.

Most functions are the same in both. Those whose arguments stand in another order take them in TensorFlow 2's
(SIGNATURES), some have defaults of their own (DEFAULTS), or are another function of TensorFlow 1 (INSTEAD). What
has the name but computes something else is not here (OTHER): a program gets an error, not other numbers.
"""
from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

_CHECK = "x y message summarize name"
_CONVOLUTION = "input filters strides padding data_format dilations name"
_TRANSPOSED = "input filters output_shape strides padding data_format dilations name"
_POOLING = "input ksize strides padding data_format name"
_COMPARISONS = ("equal", "greater", "less", "greater_equal", "less_equal")
# The arguments of each, in TensorFlow 2's order.
SIGNATURES: dict[str, str] = {
    **{f"assert_{kind}": _CHECK for kind in _COMPARISONS},
    **{f"debugging.assert_{kind}": _CHECK for kind in _COMPARISONS},
    **{f"debugging.assert_{kind}": "x message summarize name"
       for kind in ("negative", "non_negative", "non_positive", "positive")},
    **{f"{inside}{kind}": "input axis output_type name" for inside in ("", "math.") for kind in ("argmax", "argmin")},
    **{f"{inside}in_top_k": "targets predictions k name" for inside in ("math.", "nn.")},
    **{f"{inside}space_to_batch": "input block_shape paddings name" for inside in ("", "nn.")},
    "assert_rank": "x rank message name", "debugging.assert_rank": "x rank message name",
    "debugging.assert_rank_at_least": "x rank message name", "debugging.assert_rank_in": "x ranks message name",
    "debugging.assert_scalar": "tensor message name", "debugging.assert_all_finite": "x message name",
    "debugging.assert_near": "x y rtol atol message summarize name",
    "debugging.assert_none_equal": "x y summarize message name",
    "batch_to_space": "input block_shape crops name", "boolean_mask": "tensor mask axis name",
    "cond": "pred true_fn false_fn name", "convert_to_tensor": "value dtype dtype_hint name",
    "gather": "params indices validate_indices axis batch_dims name",
    "gather_nd": "params indices batch_dims name",
    "gradients": "ys xs grad_ys name gate_gradients aggregation_method stop_gradients unconnected_gradients",
    "hessians": "ys xs gate_gradients aggregation_method name",
    "image.crop_and_resize": "image boxes box_indices crop_size method extrapolation_value name",
    "image.draw_bounding_boxes": "images boxes colors name",
    "io.decode_csv": "records record_defaults field_delim use_quote_delim na_value select_cols name",
    "io.parse_example": "serialized features example_names name",
    "io.parse_single_example": "serialized features example_names name",
    "math.confusion_matrix": "labels predictions num_classes weights dtype name",
    "math.count_nonzero": "input axis keepdims dtype name",
    "nn.avg_pool": _POOLING, "nn.avg_pool2d": _POOLING, "nn.max_pool": _POOLING,
    "nn.max_pool_with_argmax": "input ksize strides padding data_format output_dtype include_batch_in_index name",
    "nn.pool": "input window_shape pooling_type strides padding data_format dilations name",
    "nn.batch_norm_with_global_normalization":
        "input mean variance beta gamma variance_epsilon scale_after_normalization name",
    "nn.conv1d": "input filters stride padding data_format dilations name",
    "nn.conv2d": _CONVOLUTION, "nn.conv3d": _CONVOLUTION, "nn.convolution": _CONVOLUTION,
    "nn.conv2d_transpose": _TRANSPOSED, "nn.conv3d_transpose": _TRANSPOSED,
    "nn.depthwise_conv2d": "input filter strides padding data_format dilations name",
    "nn.separable_conv2d": "input depthwise_filter pointwise_filter strides padding data_format dilations name",
    "nn.crelu": "features axis name", "nn.depth_to_space": "input block_size data_format name",
    "nn.space_to_depth": "input block_size data_format name", "nn.dropout": "x rate noise_shape seed name",
    "nn.embedding_lookup": "params ids max_norm name",
    "nn.embedding_lookup_sparse": "params sp_ids sp_weights combiner max_norm name",
    "nn.moments": "x axes shift keepdims name", "nn.sufficient_statistics": "x axes shift keepdims name",
    "nn.weighted_moments": "x axes frequency_weights keepdims name",
    "nn.nce_loss": "weights biases labels inputs num_sampled num_classes num_true sampled_values "
                   "remove_accidental_hits name",
    "nn.sampled_softmax_loss": "weights biases labels inputs num_sampled num_classes num_true sampled_values "
                               "remove_accidental_hits seed name",
    "nn.softmax_cross_entropy_with_logits": "labels logits axis name",
    "ones_like": "input dtype name", "zeros_like": "input dtype name",
    "pad": "tensor paddings mode constant_values name", "random.poisson": "shape lam dtype seed name",
    "shape": "input out_type name", "size": "input out_type name",
    "sparse.concat": "axis sp_inputs expand_nonconcat_dims name", "sparse.split": "sp_input num_split axis name",
    **{f"sparse.segment_{kind}": "data indices segment_ids num_segments name" for kind in ("mean", "sqrt_n", "sum")},
    "strings.length": "input unit name", "strings.reduce_join": "inputs axis keepdims separator name",
    "strings.substr": "input pos len unit name", "strings.to_hash_bucket": "input num_buckets name",
    "strings.to_number": "input out_type name", "transpose": "a perm conjugate name",
    "tuple": "tensors control_inputs name",
    "while_loop": "cond body loop_vars shape_invariants parallel_iterations back_prop swap_memory maximum_iterations "
                  "name",
}
# What TensorFlow 2 leaves no choice of.
_CONTIGUOUS = {"partition_strategy": "div"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "cond": {"strict": True}, "nn.embedding_lookup": _CONTIGUOUS, "nn.embedding_lookup_sparse": _CONTIGUOUS,
    "nn.nce_loss": _CONTIGUOUS, "nn.sampled_softmax_loss": _CONTIGUOUS,
}
# Arguments that TensorFlow 1 calls otherwise.
_RENAMED: dict[str, dict[str, str]] = {"ones_like": {"input": "tensor"}, "zeros_like": {"input": "tensor"}}
INSTEAD: dict[str, str] = {
    "where": "where_v2", "random.set_seed": "random.set_random_seed",
    "nn.softmax_cross_entropy_with_logits": "nn.softmax_cross_entropy_with_logits_v2",
}
OTHER: dict[str, str] = {
    **{space: f"tf.{space} has TensorFlow 1's" for space in ("losses", "metrics", "initializers", "summary", "layers")},
    "optimizers": "tf.train has TensorFlow 1's", "estimator": "tf.estimator has TensorFlow 1's",
    "image.resize": "it puts pixels elsewhere than tf.image.resize", "strings.split": "it gives RaggedTensors",
    "nn.ctc_loss": "use tf.nn.ctc_loss, whose labels are a SparseTensor, or tf.nn.ctc_loss_v2",
    "nn.dilation2d": "use tf.nn.dilation2d", "nn.erosion2d": "use tf.nn.erosion2d",
    "nn.safe_embedding_lookup_sparse": "use tf.nn.safe_embedding_lookup_sparse",
    "io.decode_raw": "use tf.decode_raw", "math.bincount": "use tf.bincount", "device": "use tf.device",
    "image.extract_glimpse": "use tf.image.extract_glimpse", "test.compute_gradient": "use tf.test.compute_gradient",
    "sparse.reduce_max": "use tf.sparse.reduce_max", "sparse.reduce_sum": "use tf.sparse.reduce_sum",
}
_SPACE = "compat.v2"


def inside(path: str) -> str | None:
    """The path within tf.compat.v2; None if it is none there."""
    if path == _SPACE:
        return ""
    return path.removeprefix(f"{_SPACE}.") if path.startswith(f"{_SPACE}.") else None


def why_not(path: str) -> str:
    """Why tf.compat.v2.<path> is not TensorFlow 1's; "" if it may be."""
    parts = path.split(".")
    return next((OTHER[found] for i in range(len(parts)) if (found := ".".join(parts[:i + 1])) in OTHER), "")


def adapted(path: str, function: Any) -> Any:
    """tf.<path> with the arguments that it has in TensorFlow 2."""
    if path not in SIGNATURES:
        return function
    return _with_arguments(f"tf.compat.v2.{path}", function, SIGNATURES[path].split(), DEFAULTS.get(path, {}),
                           _RENAMED.get(path, {}))


def _with_arguments(called: str, function: Callable[..., Any], names: list[str], given: Mapping[str, Any],
                    renamed: Mapping[str, str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(names):
            raise TypeError(f"{called}() takes {len(names)} arguments ({', '.join(names)}), but {len(args)} are given")
        for name in kwargs:
            if name not in names or name in names[:len(args)]:
                what = "is given twice" if name in names else f"is not one of {', '.join(names)}"
                raise TypeError(f"{called}(): argument {name!r} {what}")
        named = dict(zip(names, args, strict=False)) | kwargs
        return function(**{renamed.get(name, name): value for name, value in named.items()}, **given)

    return call
