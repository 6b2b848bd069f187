"""slim's nets: the variables of published checkpoints, end points, holes in place of strides."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf

slim, nets = tf.contrib.slim, tf.contrib.slim.nets


def _variables() -> tuple[int, int]:
    """(how many, of how many numbers)"""
    found = gc.global_variables()
    return len(found), sum(v.shape.num_elements() for v in found)


# Counts of graphs that TensorFlow 1.15's own files build.
def test_vgg_16() -> None:
    with slim.arg_scope(nets.vgg.vgg_arg_scope()):
        logits, ends = nets.vgg.vgg_16(gc.placeholder(gc.float32, [None, 224, 224, 3]))
    assert logits.name == "vgg_16/fc8/squeezed:0" and logits.shape.as_list() == [None, 1000]
    assert list(ends)[:3] == ["vgg_16/conv1/conv1_1", "vgg_16/conv1/conv1_2", "vgg_16/pool1"] and len(ends) == 21
    assert _variables() == (32, 138357544) and nets.vgg.vgg_16.default_image_size == 224
    assert len(gc.losses.get_regularization_losses()) == 16


@pytest.mark.parametrize(("version", "count", "numbers"), [(1, 267, 25610152), (2, 272, 25613800)])
def test_resnet_50(version: int, count: int, numbers: int) -> None:
    module = getattr(nets, f"resnet_v{version}")
    name = f"resnet_v{version}_50"
    with slim.arg_scope(module.resnet_arg_scope()):
        logits, ends = getattr(module, name)(gc.placeholder(gc.float32, [None, 224, 224, 3]), 1000)
    assert logits.shape.as_list() == [None, 1, 1, 1000] and "predictions" in ends and len(ends) == 75
    assert _variables() == (count, numbers)
    slim.get_unique_variable(f"{name}/block4/unit_3/bottleneck_v{version}/conv2/BatchNorm/gamma")


@pytest.mark.parametrize("version", [1, 2])
def test_a_small_resnet_trains(version: int) -> None:
    module = getattr(nets, f"resnet_v{version}")
    block, make = getattr(module, f"resnet_v{version}_block"), getattr(module, f"resnet_v{version}")
    blocks = [block("one", 4, 2, 2), block("two", 8, 2, 1)]
    x = gc.constant(np.random.default_rng(1).normal(size=[4, 17, 17, 3]).astype(np.float32))
    with slim.arg_scope(nets.resnet_utils.resnet_arg_scope()):
        logits, _ = make(x, blocks, 3, scope="r")
        holes, _ = make(x, blocks, global_pool=False, output_stride=4, scope="h")
        with pytest.raises(ValueError, match="The target output_stride cannot be reached"):
            make(x, blocks, output_stride=16, scope="far")
    assert holes.shape.as_list() == [4, 5, 5, 32]
    loss = slim.losses.sparse_softmax_cross_entropy(gc.squeeze(logits, [1, 2]), gc.constant([0, 1, 2, 0]))
    with gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS, "r/")):
        step = gc.train.GradientDescentOptimizer(0.05).minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        before = session.run(loss)
        for _ in range(8):
            session.run(step)
        assert session.run(loss) < before


def test_inception_v3() -> None:
    net = nets.inception.inception_v3
    with slim.arg_scope(nets.inception_v3.inception_v3_arg_scope()):
        logits, ends = net(gc.placeholder(gc.float32, [None, net.default_image_size, 299, 3]), 1001)
    assert logits.name == "InceptionV3/Logits/SpatialSqueeze:0" and logits.shape.as_list() == [None, 1001]
    assert list(ends)[-6:] == ["Mixed_7b", "Mixed_7c", "AuxLogits", "PreLogits", "Logits", "Predictions"]
    assert len(gc.get_collection("moving_vars")) == 192 and len(gc.losses.get_regularization_losses()) == 98
    slim.get_unique_variable("InceptionV3/Mixed_5c/Branch_1/Conv_1_0c_5x5/weights")
    assert _variables() == (388, 27182194)
    with pytest.raises(ValueError, match="Unknown final endpoint Mixed_8"):
        nets.inception.inception_v3_base(np.zeros([1, 299, 299, 3], np.float32), "Mixed_8", scope="other")
