"""ResNet, version 2 (He et al., "Identity mappings"): units normalise and activate before their convolutions, and add
to a path that nothing else touches."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.batch_norm import batch_norm
from graphc.compat.layers.convolution import convolution2d
from graphc.compat.layers.utils import collect_named_outputs, last_dimension
from graphc.compat.slim.nets.residual import Block, Result, conv2d_same, four_blocks, resnet, subsample, units


@public("contrib.slim.nets.resnet_v2.bottleneck")
@add_arg_scope
def bottleneck(inputs: Any, depth: int, depth_bottleneck: int, stride: int, rate: int = 1,
               outputs_collections: Any = None, scope: Any = None) -> Any:
    """A unit: 1x1 to fewer channels, 3x3, 1x1 to `depth` channels, added to the input."""
    with gc.variable_scope(scope, "bottleneck_v2", [inputs]) as entered:
        same = depth == last_dimension(inputs.get_shape(), min_rank=4)
        ready = batch_norm(inputs, activation_fn=gc.nn.relu, scope="preact")
        plain: dict[str, Any] = {"normalizer_fn": None, "activation_fn": None}
        shortcut = subsample(inputs, stride, "shortcut") if same else convolution2d(
            ready, depth, [1, 1], stride=stride, scope="shortcut", **plain)
        net = convolution2d(ready, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        net = conv2d_same(net, depth_bottleneck, 3, stride, rate, scope="conv2")
        net = convolution2d(net, depth, [1, 1], stride=1, scope="conv3", **plain)
        return collect_named_outputs(outputs_collections, entered.name, shortcut + net)


@public("contrib.slim.nets.resnet_v2.resnet_v2")
def resnet_v2(inputs: Any, blocks: Sequence[Block], num_classes: int | None = None, is_training: Any = True,
              global_pool: bool = True, output_stride: int | None = None, include_root_block: bool = True,
              reuse: Any = None, scope: Any = None) -> Result:
    """(net, end points) of these blocks. output_stride: how much smaller the last features are; holes replace strides
    beyond it. num_classes None: no logits."""
    return resnet(bottleneck, True, inputs, blocks, num_classes, is_training, global_pool, output_stride,
                  include_root_block, reuse, scope, "resnet_v2")


@public("contrib.slim.nets.resnet_v2.resnet_v2_block")
def resnet_v2_block(scope: str, base_depth: int, num_units: int, stride: int) -> Block:
    """A block of num_units bottlenecks of base_depth * 4 channels."""
    return units(scope, bottleneck, base_depth, num_units, stride)


@public("contrib.slim.nets.resnet_v2.resnet_v2_50")
def resnet_v2_50(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                 output_stride: int | None = None, reuse: Any = None,
                 scope: Any = "resnet_v2_50") -> Result:
    """(net, end points) of 50 layers."""
    return resnet_v2(inputs, four_blocks(bottleneck, (3, 4, 6, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


@public("contrib.slim.nets.resnet_v2.resnet_v2_101")
def resnet_v2_101(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                  output_stride: int | None = None, reuse: Any = None,
                  scope: Any = "resnet_v2_101") -> Result:
    """(net, end points) of 101 layers."""
    return resnet_v2(inputs, four_blocks(bottleneck, (3, 4, 23, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


@public("contrib.slim.nets.resnet_v2.resnet_v2_152")
def resnet_v2_152(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                  output_stride: int | None = None, reuse: Any = None,
                  scope: Any = "resnet_v2_152") -> Result:
    """(net, end points) of 152 layers."""
    return resnet_v2(inputs, four_blocks(bottleneck, (3, 8, 36, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


@public("contrib.slim.nets.resnet_v2.resnet_v2_200")
def resnet_v2_200(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                  output_stride: int | None = None, reuse: Any = None,
                  scope: Any = "resnet_v2_200") -> Result:
    """(net, end points) of 200 layers."""
    return resnet_v2(inputs, four_blocks(bottleneck, (3, 24, 36, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


for _net in (resnet_v2, resnet_v2_50, resnet_v2_101, resnet_v2_152, resnet_v2_200):
    _net.default_image_size = 224  # type: ignore[attr-defined]
