"""What the residual networks share (slim's resnet_utils): blocks of units, strides that become holes, the trunk."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope, arg_scope
from graphc.compat.layers.batch_norm import batch_norm
from graphc.compat.layers.convolution import convolution2d
from graphc.compat.layers.pooling import max_pool2d
from graphc.compat.layers.reshaping import softmax
from graphc.compat.layers.utils import collect_named_outputs, convert_collection_to_dict

Result = tuple[Any, OrderedDict[str, Any]]


@public("contrib.slim.nets.resnet_utils.Block")
class Block(NamedTuple):
    """A part of a residual network: a scope, the function of its units, and the arguments of each unit, one dict each.

    scope: a string; args: keyword arguments of unit_fn. As `tf.contrib.slim.nets.resnet_utils.Block`.

    >>> nets = gc.contrib.slim.nets
    >>> units = [{"depth": 8, "depth_bottleneck": 2, "stride": stride} for stride in (1, 2)]
    >>> block = nets.resnet_utils.Block("block1", nets.resnet_v1.bottleneck, units)
    >>> nets.resnet_utils.stack_blocks_dense(gc.zeros([1, 8, 8, 8]), [block]).shape.as_list()
    [1, 4, 4, 8]
    """

    scope: str
    unit_fn: Callable[..., Any]
    args: Sequence[dict[str, Any]]


@public("contrib.slim.nets.resnet_utils.subsample")
def subsample(inputs: Any, factor: int, scope: str | None = None) -> Any:
    """Every factor-th point of [batch, height, width, channels], in both directions; the inputs for the factor 1.

    Inputs are floating point unless the factor is 1. Raises ValueError for another rank, TypeError for other dtypes. As
    `tf.contrib.slim.nets.resnet_utils.subsample`.

    >>> x = gc.reshape(gc.range(16.), [1, 4, 4, 1])
    >>> gc.contrib.slim.nets.resnet_utils.subsample(x, 2).eval()[0, :, :, 0]
    array([[ 0.,  2.],
           [ 8., 10.]], dtype=float32)
    """
    return inputs if factor == 1 else max_pool2d(inputs, [1, 1], stride=factor, scope=scope)


@public("contrib.slim.nets.resnet_utils.conv2d_same")
def conv2d_same(inputs: Any, num_outputs: int, kernel_size: int, stride: int, rate: int = 1,
                scope: str | None = None) -> Any:
    """A convolution whose padding does not depend on the size of the picture, as SAME's does with strides.

    The output has the size ceil(size / stride). kernel_size: one number for both directions; rate: distance of its
    points. Activation and the rest as `gc.contrib.layers.conv2d`. Inputs [batch, height, width, channels], floating
    point. Raises ValueError for another rank and for stride and rate both above 1, TypeError for other dtypes. As
    `tf.contrib.slim.nets.resnet_utils.conv2d_same`.

    >>> x = gc.placeholder(gc.float32, [None, 7, 8, 3])
    >>> gc.contrib.slim.nets.resnet_utils.conv2d_same(x, 4, kernel_size=3, stride=2).shape.as_list()
    [None, 4, 4, 4]
    """
    if stride == 1:
        return convolution2d(inputs, num_outputs, kernel_size, stride=1, rate=rate, padding="SAME", scope=scope)
    total = (kernel_size - 1) * rate
    around = [total // 2, total - total // 2]
    padded = gc.pad(inputs, [[0, 0], around, around, [0, 0]])
    return convolution2d(padded, num_outputs, kernel_size, stride=stride, rate=rate, padding="VALID", scope=scope)


@public("contrib.slim.nets.resnet_utils.stack_blocks_dense")
@add_arg_scope
def stack_blocks_dense(net: Any, blocks: Sequence[Block], output_stride: float | None = None,
                       outputs_collections: Any = None) -> Any:
    """The blocks one after the other.

    output_stride: how much smaller the result is; once that is reached, units keep the size, and their convolutions
    have holes in place of strides. Raises ValueError if the strides do not lead to it. net: floating point [batch,
    height, width, channels], its channels known; ValueError for another rank, too. As
    `tf.contrib.slim.nets.resnet_utils.stack_blocks_dense`.

    >>> nets, x = gc.contrib.slim.nets, gc.zeros([1, 16, 16, 8])
    >>> blocks = [nets.resnet_v1.resnet_v1_block(f"block{i}", base_depth=2, num_units=1, stride=2) for i in range(3)]
    >>> stack = nets.resnet_utils.stack_blocks_dense
    >>> stack(x, blocks).shape.as_list()
    [1, 2, 2, 8]
    >>> with gc.variable_scope("dense"):
    ...     stack(x, blocks, output_stride=4).shape.as_list()
    [1, 4, 4, 8]
    """
    reached, rate = 1, 1
    for block in blocks:
        with gc.variable_scope(block.scope, "block", [net]) as entered:
            for i, unit in enumerate(block.args, 1):
                stride = unit.get("stride", 1)
                if output_stride is not None and reached > output_stride:
                    raise ValueError("The target output_stride cannot be reached.")
                with gc.variable_scope(f"unit_{i}", values=[net]):
                    if output_stride is not None and reached == output_stride:
                        net = block.unit_fn(net, rate=rate, **{**unit, "stride": 1})
                        rate *= stride
                    else:
                        net = block.unit_fn(net, rate=1, **unit)
                        reached *= stride
            net = collect_named_outputs(outputs_collections, entered.name, net)
    if output_stride is not None and reached != output_stride:
        raise ValueError("The target output_stride cannot be reached.")
    return net


@public("contrib.slim.nets.resnet_utils.resnet_arg_scope", "contrib.slim.nets.resnet_v1.resnet_arg_scope",
        "contrib.slim.nets.resnet_v2.resnet_arg_scope")
def resnet_arg_scope(weight_decay: float = 0.0001, batch_norm_decay: float = 0.997, batch_norm_epsilon: float = 1e-5,
                     batch_norm_scale: bool = True) -> dict[str, Any]:
    """The arguments of layers that residual networks are trained with, to be entered by `arg_scope`.

    Weights with weight_decay (L2), relu, batch normalisation with batch_norm_decay, _epsilon and _scale, pooling with
    SAME. A dict, as `arg_scope` gives it. weight_decay: a float, not negative; ValueError for an int and for less than
    0. As `tf.contrib.slim.nets.resnet_utils.resnet_arg_scope`.

    >>> slim = gc.compat.v1.contrib.slim
    >>> with slim.arg_scope(slim.nets.resnet_utils.resnet_arg_scope(weight_decay=0.01)):
    ...     y = slim.conv2d(gc.zeros([1, 8, 8, 3]), 4, [3, 3])
    >>> [v.op.name for v in gc.trainable_variables()]
    ['Conv/weights', 'Conv/BatchNorm/gamma', 'Conv/BatchNorm/beta']
    """
    given = {"decay": batch_norm_decay, "epsilon": batch_norm_epsilon, "scale": batch_norm_scale,
             "updates_collections": gc.GraphKeys.UPDATE_OPS}
    with arg_scope([convolution2d], weights_regularizer=gc.contrib.layers.l2_regularizer(weight_decay),
                   weights_initializer=gc.contrib.layers.variance_scaling_initializer(), activation_fn=gc.nn.relu,
                   normalizer_fn=batch_norm, normalizer_params=given), \
            arg_scope([batch_norm], **given), arg_scope([max_pool2d], padding="SAME") as scope:
        return scope  # type: ignore[no-any-return]


def units(scope: str, unit: Callable[..., Any], base_depth: int, num_units: int, stride: int) -> Block:
    """A block of bottlenecks, the last of which has the stride."""
    sizes = {"depth": base_depth * 4, "depth_bottleneck": base_depth}
    return Block(scope, unit, [{**sizes, "stride": 1}] * (num_units - 1) + [{**sizes, "stride": stride}])


def four_blocks(unit: Callable[..., Any], counts: tuple[int, int, int, int]) -> list[Block]:
    """The blocks of the published nets."""
    return [units(f"block{i + 1}", unit, 64 << i, count, 1 if i == 3 else 2) for i, count in enumerate(counts)]


def resnet(unit: Callable[..., Any], preactivated: bool, inputs: Any, blocks: Sequence[Block], num_classes: int | None,
           is_training: Any, global_pool: bool, output_stride: Any, include_root_block: bool, reuse: Any, scope: Any,
           default_scope: str) -> Result:
    """(net, end points). preactivated (version 2): normalisation and relu stand before the convolutions of a unit."""
    with gc.variable_scope(scope, default_scope, [inputs], reuse=reuse) as entered:
        collection = f"{entered.original_name_scope}_end_points"
        with arg_scope([convolution2d, unit, stack_blocks_dense], outputs_collections=collection), \
                arg_scope([batch_norm], is_training=is_training):
            net = inputs
            if include_root_block:
                if output_stride is not None and output_stride % 4:
                    raise ValueError(f"The output_stride needs to be a multiple of 4, but is {output_stride}.")
                output_stride = None if output_stride is None else output_stride / 4
                plain = {"activation_fn": None, "normalizer_fn": None} if preactivated else {}
                with arg_scope([convolution2d], **plain):
                    net = conv2d_same(net, 64, 7, stride=2, scope="conv1")
                net = max_pool2d(net, [3, 3], stride=2, scope="pool1")
            net = stack_blocks_dense(net, blocks, output_stride)
            if preactivated:
                net = batch_norm(net, activation_fn=gc.nn.relu, scope="postnorm")
            if global_pool:
                net = gc.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
            if num_classes is not None:
                net = convolution2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="logits")
            ends = convert_collection_to_dict(collection)
            if num_classes is not None:
                ends["predictions"] = softmax(net, scope="predictions")
            return net, ends
