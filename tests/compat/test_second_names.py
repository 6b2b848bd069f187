"""tf.compat.v2: TensorFlow 2's names, in its order of arguments, over TensorFlow 1's functions."""
from __future__ import annotations

import inspect

import numpy as np
import pytest

import graphc.compat.v1 as tf
import graphc.compat.v1.compat.v2 as tf2
from graphc.compat.v1 import second


def test_names_are_those_of_the_top() -> None:
    from graphc.compat.v1.compat import v2

    assert v2 is tf2 and tf2.float32 is tf.float32 and tf2.concat is tf.concat
    assert tf2.math.log is tf.math.log and tf2.linalg.det is tf.linalg.det


@pytest.mark.parametrize("path", second.SIGNATURES)
def test_every_argument_is_one_of_the_function(path: str) -> None:
    function = tf
    for part in second.INSTEAD.get(path, path).split("."):
        function = getattr(function, part)
    renamed = second._RENAMED.get(path, {})
    wanted = {renamed.get(name, name) for name in second.SIGNATURES[path].split()} | set(second.DEFAULTS.get(path, ()))
    assert wanted <= set(inspect.signature(function).parameters)


def test_positions() -> None:
    with tf.Session() as session:
        x = tf.constant([[1., 2.], [3., 4.]])
        found = session.run([
            tf2.boolean_mask(x, [True, False], 1), tf2.transpose(x, [1, 0], False, "t"), tf2.shape(x, tf.int64),
            tf2.argmax(x, 1, tf.int32), tf2.pad(x, [[0, 0], [1, 0]], "CONSTANT", 9.), tf2.zeros_like(input=x),
            tf2.nn.moments(x, [0], None, True)[0], tf2.where(x > 2., 1., [[7., 8.]]), tf2.gather(x, [1], axis=1)])
    expected = [[[1], [3]], [[1, 3], [2, 4]], [2, 2], [1, 1], [[9, 1, 2], [9, 3, 4]], np.zeros([2, 2]), [[2, 3]],
                [[7, 8], [1, 1]], [[2], [4]]]
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert found[2].dtype == np.int64 and found[3].dtype == np.int32


def test_what_differs_in_meaning() -> None:
    labels = tf.constant([[0.5, 0.5]])
    loss = tf2.nn.softmax_cross_entropy_with_logits(labels, tf.constant([[1., 2.]]))
    assert tf.gradients(loss, labels)[0] is not None            # TensorFlow 1's has a gradient of its logits alone
    parts = [tf.constant([[1.], [2.]]), tf.constant([[3.], [4.]])]
    chosen = tf2.cond(tf.constant(True), lambda: [tf.constant(1)], lambda: [tf.constant(2)])
    with tf.Session() as session:
        assert session.run(tf2.nn.embedding_lookup(parts, [1, 2])).tolist() == [[2.], [3.]]      # in blocks
        assert session.run(tf.nn.embedding_lookup(parts, [1, 2])).tolist() == [[3.], [2.]]
        assert session.run(chosen) == [1]


def test_what_is_another_thing_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"tf\.compat\.v2\.image\.resize is out of reach: it puts pixels else"):
        tf2.image.resize  # noqa: B018
    with pytest.raises(AttributeError, match=r"tf\.compat\.v2\.losses is out of reach: tf.losses has TensorFlow 1's"):
        tf2.losses  # noqa: B018
    with pytest.raises(AttributeError, match=r"does not have tf\.compat\.v2\.nn\.unheard_of"):
        tf2.nn.unheard_of  # noqa: B018
    with pytest.raises(TypeError, match=r"tf\.compat\.v2\.shape\(\): argument .optimize. is not one of input"):
        tf2.shape([1.], optimize=False)
    with pytest.raises(TypeError, match=r"tf\.compat\.v2\.size\(\) takes 3 arguments"):
        tf2.size([1.], tf.int32, "n", True)
