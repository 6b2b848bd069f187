"""VGG (Simonyan and Zisserman): blocks of 3x3 convolutions, and dense layers written as convolutions."""
from __future__ import annotations

from collections import OrderedDict
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import arg_scope
from graphc.compat.layers.convolution import convolution2d
from graphc.compat.layers.fully_connected import fully_connected
from graphc.compat.layers.pooling import max_pool2d
from graphc.compat.layers.reshaping import dropout
from graphc.compat.layers.stacking import repeat
from graphc.compat.layers.utils import convert_collection_to_dict

_WIDTHS = (64, 128, 256, 512, 512)
Result = tuple[Any, OrderedDict[str, Any]]


@public("contrib.slim.nets.vgg.vgg_arg_scope")
def vgg_arg_scope(weight_decay: float = 0.0005) -> dict[str, Any]:
    """The arguments of layers that VGG is trained with, to be entered by `arg_scope`: relu, SAME, L2 of weight_decay.

    weight_decay: a float, not negative; ValueError for an int and for less than 0. As
    `tf.contrib.slim.nets.vgg.vgg_arg_scope`.

    >>> slim = gc.compat.v1.contrib.slim
    >>> with slim.arg_scope(slim.nets.vgg.vgg_arg_scope(weight_decay=0.01)):
    ...     y = slim.conv2d(gc.zeros([1, 8, 8, 3]), 4, [3, 3])
    >>> y.op.type, len(gc.losses.get_regularization_losses())
    ('Relu', 1)
    """
    with arg_scope([convolution2d, fully_connected], activation_fn=gc.nn.relu,
                   weights_regularizer=gc.contrib.layers.l2_regularizer(weight_decay),
                   biases_initializer=gc.zeros_initializer()), arg_scope([convolution2d], padding="SAME") as scope:
        return scope  # type: ignore[no-any-return]


def _vgg(counts: tuple[int, ...], inputs: Any, num_classes: int, is_training: Any, keep_prob: Any, squeeze: bool,
         scope: Any, default_scope: str) -> Result:
    """counts: how many convolutions each of the five blocks has."""
    with gc.variable_scope(scope, default_scope, [inputs]) as entered:
        collection = f"{entered.original_name_scope}_end_points"
        with arg_scope([convolution2d, fully_connected, max_pool2d], outputs_collections=collection):
            net = inputs
            for i, (count, width) in enumerate(zip(counts, _WIDTHS, strict=True), 1):
                net = repeat(net, count, convolution2d, width, [3, 3], scope=f"conv{i}")
                net = max_pool2d(net, [2, 2], scope=f"pool{i}")
            net = convolution2d(net, 4096, [7, 7], padding="VALID", scope="fc6")
            net = dropout(net, keep_prob, is_training=is_training, scope="dropout6")
            net = convolution2d(net, 4096, [1, 1], scope="fc7")
            net = dropout(net, keep_prob, is_training=is_training, scope="dropout7")
            net = convolution2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="fc8")
        ends = convert_collection_to_dict(collection)
        if squeeze:
            net = gc.squeeze(net, [1, 2], name="fc8/squeezed")
            ends[f"{entered.name}/fc8"] = net
        return net, ends


@public("contrib.slim.nets.vgg.vgg_a")
def vgg_a(inputs: Any, num_classes: int = 1000, is_training: Any = True, dropout_keep_prob: Any = 0.5,
          spatial_squeeze: bool = True, scope: Any = "vgg_a") -> Result:
    """(logits, end points) of VGG with 11 layers, for pictures [batch, 224, 224, 3].

    Logits are [batch, num_classes], or [batch, 1, 1, num_classes] if not spatial_squeeze: larger pictures need that,
    and give more than one place. dropout_keep_prob is used if is_training. Pictures are floating point, and the logits
    have their dtype. Raises ValueError for another rank, pictures that are too small, and larger ones with
    spatial_squeeze; TypeError for other dtypes. As `tf.contrib.slim.nets.vgg.vgg_a`.

    >>> pictures = gc.placeholder(gc.float32, [None, 224, 224, 3])
    >>> logits, ends = gc.contrib.slim.nets.vgg.vgg_a(pictures, num_classes=10, is_training=False)
    >>> logits.shape.as_list(), ends["vgg_a/pool5"].shape.as_list()
    ([None, 10], [None, 7, 7, 512])
    """
    return _vgg((1, 1, 2, 2, 2), inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, "vgg_a")


@public("contrib.slim.nets.vgg.vgg_16", "contrib.slim.nets.vgg.vgg_d")
def vgg_16(inputs: Any, num_classes: int = 1000, is_training: Any = True, dropout_keep_prob: Any = 0.5,
           spatial_squeeze: bool = True, scope: Any = "vgg_16") -> Result:
    """(logits, end points) of VGG with 16 layers; arguments, shapes, dtypes and errors as `vgg_a`.

    As `tf.contrib.slim.nets.vgg.vgg_16`.

    >>> pictures = gc.placeholder(gc.float32, [None, 256, 256, 3])
    >>> places, ends = gc.contrib.slim.nets.vgg.vgg_16(pictures, 10, is_training=False, spatial_squeeze=False)
    >>> places.shape.as_list(), ends["vgg_16/conv4/conv4_3"].shape.as_list()
    ([None, 2, 2, 10], [None, 32, 32, 512])
    """
    return _vgg((2, 2, 3, 3, 3), inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, "vgg_16")


@public("contrib.slim.nets.vgg.vgg_19", "contrib.slim.nets.vgg.vgg_e")
def vgg_19(inputs: Any, num_classes: int = 1000, is_training: Any = True, dropout_keep_prob: Any = 0.5,
           spatial_squeeze: bool = True, scope: Any = "vgg_19") -> Result:
    """(logits, end points) of VGG with 19 layers; arguments, shapes, dtypes and errors as `vgg_a`.

    As `tf.contrib.slim.nets.vgg.vgg_19`.

    >>> pictures = gc.placeholder(gc.float32, [None, 224, 224, 3])
    >>> logits, ends = gc.contrib.slim.nets.vgg.vgg_19(pictures, num_classes=10, is_training=False)
    >>> logits.shape.as_list(), ends["vgg_19/conv5/conv5_4"].shape.as_list()
    ([None, 10], [None, 14, 14, 512])
    """
    return _vgg((2, 2, 4, 4, 4), inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, "vgg_19")


for _net in (vgg_a, vgg_16, vgg_19):
    _net.default_image_size = 224  # type: ignore[attr-defined]
