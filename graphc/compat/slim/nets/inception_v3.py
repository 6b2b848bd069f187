"""Inception, version 3 (Szegedy et al., "Rethinking the inception architecture"): the net as tables, and what runs it.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import arg_scope
from graphc.compat.layers.batch_norm import batch_norm
from graphc.compat.layers.convolution import convolution2d
from graphc.compat.layers.fully_connected import fully_connected
from graphc.compat.layers.pooling import avg_pool2d, max_pool2d
from graphc.compat.layers.reshaping import dropout, softmax

Result = tuple[Any, dict[str, Any]]
Depth = Callable[[int], int]


class Conv(NamedTuple):
    """A convolution; its kernel stands in the scope's name ("Conv2d_0b_5x5") unless given."""

    scope: str
    width: int
    stride: int = 1
    kernel: tuple[int, int] | None = None


class Pool(NamedTuple):
    """A 3x3 pool, of the average or the largest, as the scope's name says."""

    scope: str
    stride: int = 1


Branch = Sequence[Conv | Pool | tuple[Conv, ...]]       # a tuple: side by side, joined after
_STEM: tuple[tuple[Conv | Pool, str], ...] = (
    (Conv("Conv2d_1a_3x3", 32, 2), "VALID"), (Conv("Conv2d_2a_3x3", 32), "VALID"), (Conv("Conv2d_2b_3x3", 64), "SAME"),
    (Pool("MaxPool_3a_3x3", 2), "VALID"), (Conv("Conv2d_3b_1x1", 80), "VALID"), (Conv("Conv2d_4a_3x3", 192), "VALID"),
    (Pool("MaxPool_5a_3x3", 2), "VALID"),
)


def _pooled(width: int) -> Branch:
    return [Pool("AvgPool_0a_3x3"), Conv("Conv2d_0b_1x1", width)]


def _of_5(pooled: int, first: str = "Conv2d_0a_1x1", second: str = "Conv2d_0b_5x5") -> list[Branch]:
    return [[Conv("Conv2d_0a_1x1", 64)], [Conv(first, 48), Conv(second, 64)],
            [Conv("Conv2d_0a_1x1", 64), Conv("Conv2d_0b_3x3", 96), Conv("Conv2d_0c_3x3", 96)], _pooled(pooled)]


def _of_6(width: int) -> list[Branch]:
    """7x7 as 1x7 and 7x1."""
    return [[Conv("Conv2d_0a_1x1", 192)],
            [Conv("Conv2d_0a_1x1", width), Conv("Conv2d_0b_1x7", width), Conv("Conv2d_0c_7x1", 192)],
            [Conv("Conv2d_0a_1x1", width), Conv("Conv2d_0b_7x1", width), Conv("Conv2d_0c_1x7", width),
             Conv("Conv2d_0d_7x1", width), Conv("Conv2d_0e_1x7", 192)], _pooled(192)]


def _of_7(second: str) -> list[Branch]:
    return [[Conv("Conv2d_0a_1x1", 320)],
            [Conv("Conv2d_0a_1x1", 384), (Conv("Conv2d_0b_1x3", 384), Conv(second, 384))],
            [Conv("Conv2d_0a_1x1", 448), Conv("Conv2d_0b_3x3", 384),
             (Conv("Conv2d_0c_1x3", 384), Conv("Conv2d_0d_3x1", 384))], _pooled(192)]


# Some scopes are named otherwise than their neighbours: published checkpoints have these names.
_MIXED: dict[str, list[Branch]] = {
    "Mixed_5b": _of_5(32), "Mixed_5c": _of_5(64, "Conv2d_0b_1x1", "Conv_1_0c_5x5"), "Mixed_5d": _of_5(64),
    "Mixed_6a": [[Conv("Conv2d_1a_1x1", 384, 2, (3, 3))],
                 [Conv("Conv2d_0a_1x1", 64), Conv("Conv2d_0b_3x3", 96), Conv("Conv2d_1a_1x1", 96, 2, (3, 3))],
                 [Pool("MaxPool_1a_3x3", 2)]],
    "Mixed_6b": _of_6(128), "Mixed_6c": _of_6(160), "Mixed_6d": _of_6(160), "Mixed_6e": _of_6(192),
    "Mixed_7a": [[Conv("Conv2d_0a_1x1", 192), Conv("Conv2d_1a_3x3", 320, 2)],
                 [Conv("Conv2d_0a_1x1", 192), Conv("Conv2d_0b_1x7", 192), Conv("Conv2d_0c_7x1", 192),
                  Conv("Conv2d_1a_3x3", 192, 2)], [Pool("MaxPool_1a_3x3", 2)]],
    "Mixed_7b": _of_7("Conv2d_0b_3x1"), "Mixed_7c": _of_7("Conv2d_0c_3x1"),
}


def _applied(step: Conv | Pool | tuple[Conv, ...], net: Any, depth: Depth, padding: str) -> Any:
    if isinstance(step, Pool):
        pool = avg_pool2d if step.scope.startswith("Avg") else max_pool2d
        return pool(net, [3, 3], stride=step.stride, padding=padding, scope=step.scope)
    if isinstance(step, Conv):
        kernel = step.kernel or tuple(int(size) for size in step.scope.rpartition("_")[2].split("x"))
        return convolution2d(net, depth(step.width), kernel, stride=step.stride, padding=padding, scope=step.scope)
    return gc.concat([_applied(part, net, depth, padding) for part in step], 3)


def _mixed(branches: list[Branch], net: Any, depth: Depth) -> Any:
    outputs = []
    for i, branch in enumerate(branches):
        with gc.variable_scope(f"Branch_{i}"):
            output = net
            for step in branch:
                halved = isinstance(step, (Conv, Pool)) and step.stride == 2
                output = _applied(step, output, depth, "VALID" if halved else "SAME")
            outputs.append(output)
    return gc.concat(outputs, 3)


def _points(net: Any, depth: Depth) -> Iterator[tuple[str, Any]]:
    for step, padding in _STEM:
        net = _applied(step, net, depth, padding)
        yield step.scope, net
    for name, branches in _MIXED.items():
        with gc.variable_scope(name):
            net = _mixed(branches, net, depth)
        yield name, net


def _depth(multiplier: float, least: int) -> Depth:
    if multiplier <= 0:
        raise ValueError(f"depth_multiplier is not greater than zero: {multiplier}")
    return lambda width: max(int(width * multiplier), least)


@public("contrib.slim.nets.inception.inception_v3_base", "contrib.slim.nets.inception_v3.inception_v3_base")
def inception_v3_base(inputs: Any, final_endpoint: str = "Mixed_7c", min_depth: int = 16, depth_multiplier: float = 1.0,
                      scope: Any = None) -> Result:
    """(net, end points) of Inception v3 up to final_endpoint, without the classifier.

    inputs: [batch, height, width, channels], of which each size may be None. depth_multiplier: of the widths of all
    layers, which are at least min_depth; ValueError if it is not positive. Raises ValueError for an unknown
    final_endpoint; they are the keys of the end points. Inputs are floating point, their channels known. Raises
    ValueError for another rank, TypeError for other dtypes. As `tf.contrib.slim.nets.inception.inception_v3_base`.

    >>> pictures = gc.placeholder(gc.float32, [None, 299, 299, 3])
    >>> base = gc.contrib.slim.nets.inception.inception_v3_base
    >>> net, ends = base(pictures, final_endpoint="Conv2d_2b_3x3", depth_multiplier=0.5)
    >>> net.shape.as_list(), list(ends)
    ([None, 147, 147, 32], ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3'])
    """
    depth, ends = _depth(depth_multiplier, min_depth), {}
    with gc.variable_scope(scope, "InceptionV3", [inputs]):
        for name, net in _points(inputs, depth):
            ends[name] = net
            if name == final_endpoint:
                return net, ends
    raise ValueError(f"Unknown final endpoint {final_endpoint}; they are {list(ends)}")


@public("contrib.slim.nets.inception.inception_v3", "contrib.slim.nets.inception_v3.inception_v3")
def inception_v3(inputs: Any, num_classes: int = 1000, is_training: Any = True, dropout_keep_prob: Any = 0.8,
                 min_depth: int = 16, depth_multiplier: float = 1.0, prediction_fn: Callable[..., Any] = softmax,
                 spatial_squeeze: bool = True, reuse: Any = None, scope: Any = "InceptionV3") -> Result:
    """(logits, end points) of Inception v3 (Szegedy et al., "Rethinking the Inception Architecture").

    inputs: [batch, height, width, 3], made for 299x299; AuxLogits needs about 107x107. Logits are [batch, num_classes],
    or [batch, 1, 1, num_classes] if not spatial_squeeze. Among the end points are Predictions (prediction_fn of the
    logits) and AuxLogits, a second classifier for training. is_training: dropout, and batch normalisation by the batch.
    depth_multiplier and min_depth as `inception_v3_base`. Inputs are floating point, and the logits have their dtype.
    Raises ValueError for another rank, pictures that are too small, larger ones with spatial_squeeze, and a
    depth_multiplier that is not positive; TypeError for other dtypes. As `tf.contrib.slim.nets.inception.inception_v3`.

    >>> pictures = gc.placeholder(gc.float32, [None, 299, 299, 3])
    >>> net = gc.contrib.slim.nets.inception.inception_v3
    >>> logits, ends = net(pictures, num_classes=10, is_training=False, depth_multiplier=0.1)
    >>> logits.shape.as_list(), ends["AuxLogits"].shape.as_list(), ends["Mixed_7c"].shape.as_list()
    ([None, 10], [None, 10], [None, 8, 8, 203])
    """
    depth = _depth(depth_multiplier, min_depth)
    with gc.variable_scope(scope, "InceptionV3", [inputs, num_classes], reuse=reuse) as entered, \
            arg_scope([batch_norm, dropout], is_training=is_training):
        net, ends = inception_v3_base(inputs, min_depth=min_depth, depth_multiplier=depth_multiplier, scope=entered)
        with gc.variable_scope("AuxLogits"):
            ends["AuxLogits"] = _auxiliary(ends["Mixed_6e"], num_classes, depth, spatial_squeeze)
        with gc.variable_scope("Logits"):
            kernel = _fitting(net, 8)
            net = avg_pool2d(net, kernel, padding="VALID", scope=f"AvgPool_1a_{kernel[0]}x{kernel[1]}")
            net = ends["PreLogits"] = dropout(net, keep_prob=dropout_keep_prob, scope="Dropout_1b")
            logits = convolution2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None,
                                   scope="Conv2d_1c_1x1")
            if spatial_squeeze:
                logits = gc.squeeze(logits, [1, 2], name="SpatialSqueeze")
        ends["Logits"] = logits
        ends["Predictions"] = prediction_fn(logits, scope="Predictions")
    return logits, ends


inception_v3.default_image_size = 299  # type: ignore[attr-defined]


def _auxiliary(net: Any, num_classes: int, depth: Depth, squeeze: bool) -> Any:
    net = avg_pool2d(net, [5, 5], stride=3, padding="VALID", scope="AvgPool_1a_5x5")
    net = convolution2d(net, depth(128), [1, 1], scope="Conv2d_1b_1x1")
    kernel = _fitting(net, 5)
    net = convolution2d(net, depth(768), kernel, weights_initializer=gc.truncated_normal_initializer(0.0, 0.01),
                        padding="VALID", scope=f"Conv2d_2a_{kernel[0]}x{kernel[1]}")
    net = convolution2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None,
                        weights_initializer=gc.truncated_normal_initializer(0.0, 0.001), scope="Conv2d_2b_1x1")
    return gc.squeeze(net, [1, 2], name="SpatialSqueeze") if squeeze else net


def _fitting(net: Any, size: int) -> list[int]:
    """A kernel no larger than a small picture."""
    known = net.get_shape().as_list()[1:3]
    return [size, size] if None in known else [min(size, k) for k in known]


@public("contrib.slim.nets.inception.inception_v3_arg_scope", "contrib.slim.nets.inception_v3.inception_v3_arg_scope")
def inception_v3_arg_scope(weight_decay: float = 0.00004, batch_norm_var_collection: str = "moving_vars",
                           batch_norm_decay: float = 0.9997, batch_norm_epsilon: float = 0.001,
                           updates_collections: Any = gc.GraphKeys.UPDATE_OPS,
                           use_fused_batchnorm: bool = True) -> dict[str, Any]:
    """The arguments of layers that Inception v3 is trained with, to be entered by `arg_scope`.

    Weights with weight_decay (L2), relu, batch normalisation whose averages are in the collection
    batch_norm_var_collection, too. weight_decay: a float, not negative; ValueError for an int and for less than 0. As
    `tf.contrib.slim.nets.inception.inception_v3_arg_scope`.

    >>> slim = gc.compat.v1.contrib.slim
    >>> with slim.arg_scope(slim.nets.inception.inception_v3_arg_scope(weight_decay=0.01)):
    ...     y = slim.conv2d(gc.zeros([1, 8, 8, 3]), 4, [3, 3])
    >>> len(gc.losses.get_regularization_losses()), len(gc.get_collection("moving_vars"))
    (1, 2)
    """
    averages = [batch_norm_var_collection]
    given = {"decay": batch_norm_decay, "epsilon": batch_norm_epsilon, "updates_collections": updates_collections,
             "fused": use_fused_batchnorm, "variables_collections": {
                 "beta": None, "gamma": None, "moving_mean": averages, "moving_variance": averages}}
    with arg_scope([convolution2d, fully_connected],
                   weights_regularizer=gc.contrib.layers.l2_regularizer(weight_decay)), \
            arg_scope([convolution2d], weights_initializer=gc.contrib.layers.variance_scaling_initializer(),
                      activation_fn=gc.nn.relu, normalizer_fn=batch_norm, normalizer_params=given) as scope:
        return scope  # type: ignore[no-any-return]
