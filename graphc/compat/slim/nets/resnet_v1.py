"""ResNet, version 1 (He et al., "Deep residual learning"): each unit adds to its input, and normalises and activates
after its convolutions."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.convolution import convolution2d
from graphc.compat.layers.utils import collect_named_outputs, last_dimension
from graphc.compat.slim.nets.residual import Block, Result, conv2d_same, four_blocks, resnet, subsample, units


@public("contrib.slim.nets.resnet_v1.bottleneck")
@add_arg_scope
def bottleneck(inputs: Any, depth: int, depth_bottleneck: int, stride: int, rate: int = 1,
               outputs_collections: Any = None, scope: Any = None) -> Any:
    """A unit: 1x1 to depth_bottleneck channels, 3x3, 1x1 to `depth` channels, added to the input, then relu.

    inputs: [batch, height, width, channels]; the result is `stride` times smaller. Where channels is not `depth`, the
    input goes through a 1x1 convolution of its own. rate: distance of the points of the 3x3. Inputs are floating point,
    and their channels known. Raises ValueError for another rank or unknown channels, TypeError for other dtypes. As
    `tf.contrib.slim.nets.resnet_v1.bottleneck`.

    >>> x = gc.placeholder(gc.float32, [None, 8, 8, 4])
    >>> y = gc.contrib.slim.nets.resnet_v1.bottleneck(x, depth=16, depth_bottleneck=4, stride=2)
    >>> y.shape.as_list(), [v.shape.as_list() for v in gc.trainable_variables() if v.shape.ndims == 4]
    ([None, 4, 4, 16], [[1, 1, 4, 16], [1, 1, 4, 4], [3, 3, 4, 4], [1, 1, 4, 16]])
    """
    with gc.variable_scope(scope, "bottleneck_v1", [inputs]) as entered:
        same = depth == last_dimension(inputs.get_shape(), min_rank=4)
        shortcut = subsample(inputs, stride, "shortcut") if same else convolution2d(
            inputs, depth, [1, 1], stride=stride, activation_fn=None, scope="shortcut")
        net = convolution2d(inputs, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        net = conv2d_same(net, depth_bottleneck, 3, stride, rate, scope="conv2")
        net = convolution2d(net, depth, [1, 1], stride=1, activation_fn=None, scope="conv3")
        return collect_named_outputs(outputs_collections, entered.name, gc.nn.relu(shortcut + net))


@public("contrib.slim.nets.resnet_v1.resnet_v1")
def resnet_v1(inputs: Any, blocks: Sequence[Block], num_classes: int | None = None, is_training: Any = True,
              global_pool: bool = True, output_stride: int | None = None, include_root_block: bool = True,
              reuse: Any = None, scope: Any = None) -> Result:
    """(net, end points) of a residual network of these blocks, version 1.

    inputs: [batch, height, width, channels]. include_root_block: a 7x7 convolution and a pooling, both with the stride
    2, come first. output_stride: how much smaller the last features are; holes replace strides beyond it; ValueError if
    it cannot be, or with a root block is no multiple of 4. global_pool: the mean over all places, [batch, 1, 1,
    channels]. num_classes: logits [batch, 1, 1, num_classes] by a 1x1 convolution, and the end point predictions; None
    for the features. Inputs are floating point, and the result has their dtype. Raises ValueError for another rank or
    unknown channels, TypeError for other dtypes. As `tf.contrib.slim.nets.resnet_v1.resnet_v1`.

    >>> nets = gc.contrib.slim.nets
    >>> blocks = [nets.resnet_v1.resnet_v1_block(f"block{i}", base_depth=2, num_units=2, stride=2) for i in range(2)]
    >>> pictures = gc.placeholder(gc.float32, [None, 32, 32, 3])
    >>> logits, ends = nets.resnet_v1.resnet_v1(pictures, blocks, num_classes=10, is_training=False)
    >>> logits.shape.as_list(), ends["resnet_v1/block1"].shape.as_list()
    ([None, 1, 1, 10], [None, 2, 2, 8])
    >>> features, ends = nets.resnet_v1.resnet_v1(pictures, blocks, global_pool=False, output_stride=8, scope="dense")
    >>> features.shape.as_list()
    [None, 4, 4, 8]
    """
    return resnet(bottleneck, False, inputs, blocks, num_classes, is_training, global_pool, output_stride,
                  include_root_block, reuse, scope, "resnet_v1")


@public("contrib.slim.nets.resnet_v1.resnet_v1_block")
def resnet_v1_block(scope: str, base_depth: int, num_units: int, stride: int) -> Block:
    """A `Block` of num_units bottlenecks of base_depth * 4 channels, the last of which has the stride.

    As `tf.contrib.slim.nets.resnet_v1.resnet_v1_block`.

    >>> gc.contrib.slim.nets.resnet_v1.resnet_v1_block("block1", base_depth=2, num_units=2, stride=2).args
    [{'depth': 8, 'depth_bottleneck': 2, 'stride': 1}, {'depth': 8, 'depth_bottleneck': 2, 'stride': 2}]
    """
    return units(scope, bottleneck, base_depth, num_units, stride)


@public("contrib.slim.nets.resnet_v1.resnet_v1_50")
def resnet_v1_50(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                 output_stride: int | None = None, reuse: Any = None,
                 scope: Any = "resnet_v1_50") -> Result:
    """(net, end points) of `resnet_v1` with 50 layers: blocks of 3, 4, 6 and 3 units.

    Inputs [batch, height, width, 3]; shapes, dtypes and errors as `resnet_v1`. As
    `tf.contrib.slim.nets.resnet_v1.resnet_v1_50`.

    >>> pictures = gc.placeholder(gc.float32, [None, 64, 64, 3])
    >>> net, ends = gc.contrib.slim.nets.resnet_v1.resnet_v1_50(pictures, num_classes=10, is_training=False)
    >>> net.shape.as_list(), ends["resnet_v1_50/block4"].shape.as_list()
    ([None, 1, 1, 10], [None, 2, 2, 2048])
    """
    return resnet_v1(inputs, four_blocks(bottleneck, (3, 4, 6, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


@public("contrib.slim.nets.resnet_v1.resnet_v1_101")
def resnet_v1_101(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                  output_stride: int | None = None, reuse: Any = None,
                  scope: Any = "resnet_v1_101") -> Result:
    """(net, end points) of `resnet_v1` with 101 layers: blocks of 3, 4, 23 and 3 units, as `resnet_v1_50` in all else.

    As `tf.contrib.slim.nets.resnet_v1.resnet_v1_101`. Its size of pictures:

    >>> gc.contrib.slim.nets.resnet_v1.resnet_v1_101.default_image_size
    224
    """
    return resnet_v1(inputs, four_blocks(bottleneck, (3, 4, 23, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


@public("contrib.slim.nets.resnet_v1.resnet_v1_152")
def resnet_v1_152(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                  output_stride: int | None = None, reuse: Any = None,
                  scope: Any = "resnet_v1_152") -> Result:
    """(net, end points) of `resnet_v1` with 152 layers: blocks of 3, 8, 36 and 3 units, as `resnet_v1_50` in all else.

    As `tf.contrib.slim.nets.resnet_v1.resnet_v1_152`. Its size of pictures:

    >>> gc.contrib.slim.nets.resnet_v1.resnet_v1_152.default_image_size
    224
    """
    return resnet_v1(inputs, four_blocks(bottleneck, (3, 8, 36, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


@public("contrib.slim.nets.resnet_v1.resnet_v1_200")
def resnet_v1_200(inputs: Any, num_classes: int | None = None, is_training: Any = True, global_pool: bool = True,
                  output_stride: int | None = None, reuse: Any = None,
                  scope: Any = "resnet_v1_200") -> Result:
    """(net, end points) of `resnet_v1` with 200 layers: blocks of 3, 24, 36 and 3 units, as `resnet_v1_50` in all else.

    As `tf.contrib.slim.nets.resnet_v1.resnet_v1_200`. Its size of pictures:

    >>> gc.contrib.slim.nets.resnet_v1.resnet_v1_200.default_image_size
    224
    """
    return resnet_v1(inputs, four_blocks(bottleneck, (3, 24, 36, 3)), num_classes, is_training, global_pool,
                     output_stride, True, reuse, scope)


for _net in (resnet_v1, resnet_v1_50, resnet_v1_101, resnet_v1_152, resnet_v1_200):
    _net.default_image_size = 224  # type: ignore[attr-defined]
