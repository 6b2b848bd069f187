"""Networks of contrib.layers with fixed weights, for graphc and TensorFlow alike: outputs, gradients, variables, names.

    TF_USE_LEGACY_KERAS=1 python tests/layers/contrib_cases.py      with TensorFlow 2, tf_keras and tf_slim (contrib's
successor, whose tensorflow.python.layers must be tf_keras.src.legacy_tf_layers): writes the JSON file
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import layer_cases
import numpy as np
from layer_cases import values

RECORDED = Path(__file__).parent / "data" / "layers_of_contrib.json"
Cases = Iterator[tuple[str, Callable[[], Any], int]]


def cases(tf: Any, slim: Any) -> Cases:
    """(name, what builds the output, how many steps to run)."""
    x2, x3, x4 = values([3, 4], 1), values([2, 7, 3], 2), values([2, 6, 5, 3], 3)
    x5 = values([2, 4, 5, 4, 2], 4)
    penalty = slim.l2_regularizer(0.1)
    yield "fully_connected", lambda: slim.fully_connected(slim.fully_connected(x2, 5), 2, activation_fn=None,
                                                          weights_regularizer=penalty, scope="out"), 1
    yield "normalized", lambda: slim.fully_connected(x2, 5, normalizer_fn=slim.batch_norm), 2
    yield "linear", lambda: slim.linear(slim.relu6(slim.elu(x3, 4), 3), 2), 1
    yield "stack", lambda: slim.stack(x2, slim.fully_connected, [3, 4, 5], scope="fc"), 1
    yield "repeat", lambda: slim.repeat(x4, 2, slim.conv2d, 4, [3, 3], scope="conv"), 1
    yield "reused", lambda: _reused(tf, slim, x4), 1
    yield "legacy", lambda: slim.legacy_fully_connected(x3, 4, tf.nn.relu), 1
    for rank, x in ((1, x3), (2, x4), (3, x5)):
        convolution = getattr(slim, f"conv{rank}d")
        yield f"conv{rank}d", lambda f=convolution, x=x: f(f(x, 4, 3, stride=2), 3, 2, padding="VALID"), 1
    yield "rate", lambda: slim.conv2d(x4, 3, 2, rate=2, biases_initializer=None), 1
    yield "conv2d_transpose", lambda: slim.conv2d_transpose(x4, 4, 3, stride=2), 1
    yield "conv3d_transpose", lambda: slim.conv3d_transpose(x5, 3, 3, stride=2), 1
    yield "in plane", lambda: slim.conv2d_in_plane(tf.constant(x4), [3, 2], stride=2), 1
    yield "separable", lambda: slim.separable_conv2d(x4, 4, [3, 3], depth_multiplier=2, weights_regularizer=penalty), 1
    yield "depthwise", lambda: slim.separable_conv2d(tf.constant(x4), None, [3, 3], stride=2), 1
    yield "pools", lambda: slim.avg_pool2d(slim.max_pool2d(slim.conv2d(x4, 4, 3), 2, 1, scope="max"), [2, 3], 2), 1
    yield "pool", lambda: slim.pool(slim.conv2d(x4, 4, 3), 2, "AVG", stride=2), 1
    yield "bias_add", lambda: slim.bias_add(x4, activation_fn=tf.nn.relu), 1
    yield "softmax", lambda: slim.softmax(slim.bias_add(x3)), 1
    yield "spatial_softmax", lambda: slim.spatial_softmax(tf.constant(x4), temperature=0.5), 1
    yield "maxout", lambda: slim.maxout(slim.bias_add(x2), 2), 1
    yield "unit_norm", lambda: slim.unit_norm(slim.bias_add(x3), 1), 1
    yield "layer_norm", lambda: slim.layer_norm(x4, begin_norm_axis=2, activation_fn=tf.nn.relu), 1
    yield "instance_norm", lambda: slim.instance_norm(x4), 1
    yield "group_norm", lambda: slim.group_norm(slim.conv2d(x4, 4, 3), groups=2), 1
    yield "group_norm close", lambda: slim.group_norm(values([2, 6, 5, 4], 3), groups=2, mean_close_to_zero=True), 1
    yield from _batch_norms(slim, x2, x3, x4)


def _batch_norms(slim: Any, x2: Any, x3: Any, x4: Any) -> Cases:
    kinds: dict[str, dict[str, Any]] = {
        "plain": {}, "scaled": {"scale": True, "decay": 0.9}, "unfused": {"fused": False},
        "at once": {"updates_collections": None, "decay": 0.9},
        "at once unfused": {"updates_collections": None, "fused": False, "decay": 0.9},
        "debiased": {"zero_debias_moving_mean": True, "decay": 0.9},
        "weighted": {"batch_weights": np.array([0.5, 2.0], np.float32), "scale": True, "decay": 0.9},
        "own collection": {"updates_collections": "update_ops_of_mine"},
    }
    for name, given in kinds.items():
        for training in (True, False):
            yield f"batch_norm {name} {training}", lambda g=given, t=training: slim.batch_norm(x4, is_training=t,
                                                                                               **g), 2
    yield "batch_norm 2", lambda: slim.batch_norm(x2, decay=0.9), 2
    yield "batch_norm 3", lambda: slim.batch_norm(x3, decay=0.9), 2


def _reused(tf: Any, slim: Any, x: Any) -> Any:
    with slim.arg_scope([slim.conv2d], activation_fn=None, weights_regularizer=slim.l1_regularizer(0.1)):
        with tf.variable_scope("a"):
            y = slim.conv2d(slim.conv2d(x, 3, 3), 3, 3, scope="named")
        with tf.variable_scope("a", reuse=True):
            return slim.conv2d(slim.conv2d(y, 3, 3), 3, 3, scope="named")


if __name__ == "__main__":
    import tensorflow.compat.v1 as tf
    import tf_slim

    tf.disable_v2_behavior()
    tf.disable_resource_variables()
    layer_cases.record(tf, cases(tf, tf_slim), RECORDED)
