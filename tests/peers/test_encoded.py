"""Files of pictures that graphc wrote, decoded by TensorFlow: their bytes are the libraries', their pixels are not."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphc as gc
from graphc.ir.apply import apply
from graphc.ops.image.encode import EncodeJpegVariableQuality

SHAPES = [(9, 7, 1), (9, 7, 3), (1, 1, 1), (31, 17, 3)]


def pixels(shape: tuple[int, ...], top: int, dtype: Any) -> np.ndarray:
    """Smooth ones, of which JPEG keeps nearly all."""
    y, x, c = np.meshgrid(*map(np.arange, shape), indexing="ij")
    return ((0.5 + 0.4 * np.sin(x / 9 + y / 7 + c)) * top).astype(dtype)


def written(tensor: Any) -> bytes:
    with gc.Session() as session:
        return session.run(tensor)


@pytest.mark.parametrize("shape", [*SHAPES, (5, 6, 2), (5, 6, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png(shape: tuple[int, ...], dtype: Any) -> None:
    x = pixels(shape, np.iinfo(dtype).max, dtype)
    with gc.Graph().as_default():
        for compression in (-1, 0, 9):
            found = tf.io.decode_png(written(gc.image.encode_png(x, compression)), dtype=tf.as_dtype(dtype)).numpy()
            np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"quality": 100}, {"progressive": True},
                                     {"optimize_size": True}, {"chroma_downsampling": False}])
def test_jpeg(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    """As near to the pixels as TensorFlow's own file is, and the same but for rounding."""
    x = pixels(shape, 255, np.uint8)
    with gc.Graph().as_default():
        ours = written(gc.image.encode_jpeg(x, **options))
    theirs = tf.io.encode_jpeg(x, **options)
    found, expected = (tf.io.decode_jpeg(f, dct_method="INTEGER_ACCURATE").numpy() for f in (ours, theirs))
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 2


def test_jpeg_of_a_quality_of_the_run() -> None:
    x = pixels((16, 16, 3), 255, np.uint8)
    for quality in (1, 50, 100):
        with gc.Graph().as_default():
            ours = written(apply(EncodeJpegVariableQuality, gc.constant(x), gc.constant(quality)))
        theirs = tf.raw_ops.EncodeJpegVariableQuality(images=x, quality=quality)
        found, expected = (tf.io.decode_jpeg(f, dct_method="INTEGER_ACCURATE").numpy() for f in (ours, theirs))
        assert np.abs(found.astype(int) - expected.astype(int)).max() <= 2
