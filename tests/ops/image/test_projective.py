"""tf.contrib.image: pictures through projective maps; numbers recorded from TensorFlow 2.21's
ImageProjectiveTransformV2, what rotate and translate must give written out."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

image = gc.contrib.image
X = np.arange(24, dtype=np.float32).reshape(1, 4, 6, 1)
ROW = [0.8, -0.3, 0.4, 0.2, 0.9, -0.5, 0.01, -0.02]


def value(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


def test_nearest_and_bilinear() -> None:
    assert value(image.transform(X, ROW))[0, ..., 0].tolist() == [
        [0, 1, 2, 3, 3, 4], [0, 7, 8, 8, 9, 10], [6, 13, 13, 14, 15, 16], [0, 18, 19, 20, 21, 22]]
    mixed = image.transform(X, [ROW], "bilinear", output_shape=[3, 2])
    assert mixed.shape == [1, 3, 2, 1]
    assert value(mixed)[0, ..., 0].tolist() == [[0.20000000298023224, 0.8352121710777283],
                                                [2.5510199069976807, 4.545454502105713],
                                                [6.432291507720947, 9.896907806396484]]
    assert value(image.transform(X.astype(np.uint8), ROW, "BILINEAR"))[0, ..., 0].tolist() == [
        [0, 0, 1, 3, 5, 7], [2, 4, 6, 8, 10, 12], [6, 9, 11, 13, 15, 17], [6, 15, 17, 19, 19, 16]]


def test_of_nothing() -> None:
    assert value(image.transform(np.zeros((2, 0, 6, 1), np.float32), ROW, output_shape=[2, 3])).tolist() == [
        [[[0], [0], [0]], [[0], [0], [0]]]] * 2


def test_gradient_is_through_the_inverse() -> None:
    x = gc.constant(X)
    slope = gc.gradients(image.transform(x, ROW, "BILINEAR", [3, 4]), x)[0]
    np.testing.assert_allclose(value(slope)[0, ..., 0], [
        [0.73076928, 1, 1, 0.55624557, 0, 0], [1, 1, 1, 0.35013247, 0, 0],
        [0.4292798, 0.64564896, 0.86923027, 0.03129029, 0, 0], [0] * 6], rtol=1e-4)


def test_rotate() -> None:
    """By a quarter turn, counter-clockwise; each picture of a batch by its own angle, of sizes known in the run."""
    square = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert value(image.rotate(square, np.pi / 2)).tolist() == np.rot90(square).tolist()
    x = gc.placeholder(gc.float32, [None, None, None, 1])
    turned = image.rotate(x, [0.0, np.pi / 2, np.pi], "BILINEAR")
    batch = np.stack([square] * 3)[..., None]
    found = value(turned, {x: batch})[..., 0]
    np.testing.assert_allclose(found, [square, np.rot90(square), np.rot90(square, 2)], atol=1e-5)


def test_translate() -> None:
    moved = value(image.translate(X[0], [1, -1]))[..., 0]
    np.testing.assert_array_equal(moved[:3, 1:], X[0, 1:, :5, 0])
    assert not moved[3].any() and not moved[:, 0].any()
    each = value(image.translate(np.concatenate([X, X]), [[0, 0], [2, 0]]))[..., 0]
    np.testing.assert_array_equal(each[0], X[0, ..., 0])
    np.testing.assert_array_equal(each[1, :, 2:], X[0, :, :4, 0])


def test_maps() -> None:
    one = image.translations_to_projective_transforms([2.0, 3])
    two = image.angles_to_projective_transforms(0.5, gc.constant([4.0]), gc.constant([6.0]))
    both = value(image.compose_transforms(one, two))
    matrices = value([image.flat_transforms_to_matrices(v) for v in (one, two)])
    product = matrices[0][0] @ matrices[1][0]
    np.testing.assert_allclose(both[0], (product / product[2, 2]).ravel()[:8], rtol=1e-5)
    np.testing.assert_allclose(value(image.matrices_to_flat_transforms(3 * matrices[0])), value(one), rtol=1e-6)


def test_names_of_the_graph() -> None:
    with gc.Graph().as_default() as graph:
        image.transform(gc.constant(X), ROW)
        assert graph.get_operation_by_name("transform/ImageProjectiveTransformV2").type == "ImageProjectiveTransformV2"


def test_refusals() -> None:
    with pytest.raises(TypeError, match="Invalid dtype int8"):
        image.transform(X.astype(np.int8), ROW)
    with pytest.raises(TypeError, match="Images should have rank between 2 and 4"):
        image.rotate(X[0, 0, :, 0], 1.0)
    with pytest.raises(ValueError, match=r"\[1, 8\] or \[number of images, 8\]"):
        image.transform(X, [ROW, ROW])
    with pytest.raises(ValueError, match="output dimensions must be positive"):
        image.transform(X, ROW, output_shape=[0, 3])
    with pytest.raises(ValueError, match="NEAREST or BILINEAR"):
        image.transform(X, ROW, "cubic")
    x, rows = gc.placeholder(gc.float32, [None, 4, 6, 1]), gc.placeholder(gc.float32, [None, 8])
    made = image.transform(x, rows)
    assert value(made, {x: X, rows: [ROW]}).shape == (1, 4, 6, 1)
    with pytest.raises(gc.errors.InvalidArgumentError, match="number of images"):
        value(made, {x: X, rows: [ROW, ROW]})
