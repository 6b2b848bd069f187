"""The best boxes, softly, by a table of overlaps, and class by class, as TensorFlow has them; glimpses and their
noise."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ops.image.glimpse import ExtractGlimpse
from graphc.ops.image.suppress_classes import CombinedNonMaxSuppression
from graphc.ops.image.suppression import NonMaxSuppressionV5, NonMaxSuppressionWithOverlaps

BOXES = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1, 11.1, 0, 10.1],
                  [0, 100, 1, 101], [3, 3, 3, 9]], np.float32)
SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.6], np.float32)
MANY = np.random.default_rng(3).uniform(-0.2, 1.2, (2, 9, 3, 4)).astype(np.float32)
OF_MANY = np.random.default_rng(4).permutation(54).reshape(2, 9, 3).astype(np.float32) / 54


def value(*tensors: Any) -> Any:
    with gc.Session() as session:
        return session.run(list(tensors))


def test_soft_suppression() -> None:
    expected = [0.95, 0.9, 0.6, 0.38400355, 0.3, 0.2560026, 0.19697244]
    for threshold, sigma, numbers in ((-np.inf, 0.5, [3, 0, 6, 1, 5, 4, 2]), (0.1, 0.5, [3, 0, 6, 1, 5, 4, 2]),
                                      (0.2, 0.1, [3, 0, 6, 5]), (0.1, 0.0, [3, 0, 6, 5])):
        found, kept = value(*gc.image.non_max_suppression_with_scores(BOXES, SCORES, 30, 0.5, threshold, sigma))
        np.testing.assert_array_equal(found, numbers)
        np.testing.assert_allclose(kept, expected if len(numbers) == 7 else [0.95, 0.9, 0.6, 0.3], rtol=1e-6)
    sigma = gc.placeholder(gc.float32, [])
    found, _ = gc.image.non_max_suppression_with_scores(BOXES, SCORES, 30, 0.5, 0.1, sigma)
    with gc.Session() as session:
        assert [len(session.run(found, {sigma: s})) for s in (0.5, 0.0)] == [7, 4]


@pytest.mark.parametrize("count", [0, 1, 3, 17, 31, 65, 300])
def test_many_boxes_with_equal_scores(count: int) -> None:
    """More picked ones than a block of them holds; scores that are infinite, negative, -0 and no numbers."""
    draw = np.random.default_rng(count)
    low = draw.uniform(0, 1, (count, 2))
    boxes = np.concatenate([low, low + draw.uniform(-0.05, 0.3, (count, 2))], 1).astype(np.float32)
    scores = draw.choice(np.array([-np.inf, -1, -0.0, 0, 0.25, 0.5, 1, np.inf, np.nan], np.float32), count)
    table = draw.uniform(0, 1, (count, count)).astype(np.float32)
    several = np.stack([np.stack([boxes, boxes[::-1]], 1)] * 2)
    of_several = np.nan_to_num(np.stack([np.stack([scores, scores[::-1]], 1), np.stack([scores] * 2, 1)]))
    cases: list[tuple[Any, list[Any]]] = [
        (NonMaxSuppressionV5(most), [boxes, scores, np.float32(overlap), np.float32(least), np.float32(sigma)])
        for most, overlap, least, sigma in ((count + 5, 0.5, -np.inf, 0), (40, 0, -0.5, 0), (9, 0.3, 0.2, 0),
                                            (40, 0.5, 0.1, 0.5))]
    cases += [(NonMaxSuppressionWithOverlaps(30), [table, scores, np.float32(0.9), np.float32(-2)]),
              (CombinedNonMaxSuppression(20, 30), [several, of_several, np.float32(0.4), np.float32(-2)])]
    for op, given in cases:
        fields = {f: getattr(op, f) for f in ("max_output_size", "max_output_size_per_class", "max_total_size")
                  if hasattr(op, f)}
        made = apply(type(op), *given[:2], *fields.values(), *given[2:])
        expected = op.reference(*given)
        for found, wanted in zip(value(*(made if isinstance(made, (tuple, list)) else [made])),
                                 expected if isinstance(expected, tuple) else [expected], strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_scores_that_rise() -> None:
    """Negative scores rise as they fall towards 0; as in TensorFlow, they wait for their turn first."""
    boxes, scores = [[0, 0, 1, 1], [0, 0, 1, 0.9], [5, 5, 6, 6]], [0.5, -1.0, -0.8]
    found, kept = value(*gc.image.non_max_suppression_with_scores(boxes, scores, 3, 0.5, -9.0, 0.5))
    np.testing.assert_array_equal(found, [0, 2, 1])
    np.testing.assert_allclose(kept, [0.5, -0.8, -np.exp(-0.81)], rtol=1e-6)


def test_suppression_by_a_table() -> None:
    table = np.random.default_rng(0).uniform(0, 2, (7, 7)).astype(np.float32)
    for threshold, numbers in ((0.3, [3, 0]), (0.8, [3, 0]), (1.5, [3, 0, 2, 4])):
        found = gc.image.non_max_suppression_overlaps(table, SCORES, 30, threshold)
        np.testing.assert_array_equal(value(found)[0], numbers)
    with pytest.raises(ValueError, match="must be square"):
        gc.image.non_max_suppression_overlaps(table[:5], SCORES[:5], 3)


def test_suppression_class_by_class() -> None:
    made = gc.image.combined_non_max_suppression(MANY, OF_MANY, 3, 5, 0.3, 0.1)
    boxes, scores, classes, count = value(*made)
    np.testing.assert_allclose(scores, np.array([[53, 52, 51, 48, 47], [50, 49, 46, 39, 35]]) / 54, rtol=1e-6)
    np.testing.assert_array_equal(classes, [[2, 0, 2, 1, 0], [1, 1, 1, 2, 0]])
    np.testing.assert_array_equal(count, [5, 5])
    np.testing.assert_allclose(boxes.sum(), 22.35527, rtol=1e-6)
    made = gc.image.combined_non_max_suppression(MANY, OF_MANY, 9, 20, 0.5, 0.4, pad_per_class=True, clip_boxes=False)
    boxes, scores, classes, count = value(*made)
    np.testing.assert_array_equal(count, [17, 15])
    np.testing.assert_array_equal(classes[1], [1, 1, 1, 1, 2, 1, 0, 0, 2, 0, 2, 2, 0, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(boxes.sum(), 64.4469, rtol=1e-6)
    *_, count = value(*gc.image.combined_non_max_suppression(MANY[:, :, :1], OF_MANY, 2, 40, 0.0, 0.0, True))
    np.testing.assert_array_equal(count, [6, 6])


def test_sizes_of_what_is_found_class_by_class() -> None:
    boxes, scores = gc.placeholder(gc.float32, [None, None, 1, 4]), gc.placeholder(gc.float32, [None, None, None])
    most = gc.placeholder(gc.int32, [])
    padded = gc.image.combined_non_max_suppression(boxes, scores, 3, most, pad_per_class=True)
    full = gc.image.combined_non_max_suppression(boxes, scores, 3, 11)
    assert full[0].shape.as_list() == [None, 11, 4]
    with gc.Session() as session:
        found = session.run([*padded, *full], {boxes: MANY[:, :, :1], scores: OF_MANY, most: 20})
    assert [v.shape for v in found] == [(2, 9, 4), (2, 9), (2, 9), (2,), (2, 11, 4), (2, 11), (2, 11), (2,)]


def test_refusals() -> None:
    for threshold in (1.5, -0.1, np.nan):
        for made in (gc.image.non_max_suppression(BOXES, SCORES, 3, threshold),
                     gc.image.combined_non_max_suppression(MANY, OF_MANY, 3, 3, threshold)[3]):
            with pytest.raises(gc.errors.InvalidArgumentError, match=r"iou_threshold must be in \[0, 1\]"):
                value(made)
    with pytest.raises(ValueError, match="boxes for every class, or for all"):
        gc.image.combined_non_max_suppression(MANY[:, :, :2], OF_MANY, 3, 5)
    with pytest.raises(ValueError, match="max_total_size must be positive, but is 0"):
        gc.image.combined_non_max_suppression(MANY, OF_MANY, 3, 0)
    with pytest.raises(TypeError, match="takes float32 only"):
        apply(ExtractGlimpse, np.zeros((1, 2, 2, 1)), [1, 1], np.zeros((1, 2), np.float32))
    with pytest.raises(ValueError, match="uniform_noise must be False if noise is 'zero'"):
        apply(ExtractGlimpse, np.zeros((1, 2, 2, 1), np.float32), [1, 1], np.zeros((1, 2), np.float32), noise="zero")


@pytest.mark.parametrize(("centered", "normalized", "place", "rows"), [
    (0, 0, [0.3, -0.4], [[0, 0, 0], [0, 0, 1], [0, 4, 5], [0, 8, 9]]),
    (0, 0, [1.2, 3.7], [[2, 3, 0], [6, 7, 0], [10, 11, 0], [14, 15, 0]]),
    (0, 1, [0, 0], [[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 4, 5]]),
    (1, 0, [-1, 1], [[1, 2, 3], [5, 6, 7], [9, 10, 11], [13, 14, 15]]),
    (1, 1, [0.3, -0.4], [[4, 5, 6], [8, 9, 10], [12, 13, 14], [16, 17, 18]]),
    (1, 1, [-1, 1], [[0, 0, 0], [0, 0, 0], [2, 3, 0], [6, 7, 0]]), (1, 1, [1e30, 0], [[0] * 3] * 4)])
def test_glimpses_are_tensorflows(centered: int, normalized: int, place: list[float], rows: list[list[int]]) -> None:
    picture = np.arange(20, dtype=np.float32).reshape(1, 5, 4, 1)
    made = apply(ExtractGlimpse, picture, [4, 3], np.array([place], np.float32), centered=bool(centered),
                 normalized=bool(normalized), uniform_noise=False, noise="zero")
    np.testing.assert_array_equal(value(made)[0][0, :, :, 0], rows)


def test_noise_of_glimpses() -> None:
    picture = np.zeros((1, 4, 4, 2), np.float32)
    picture[..., 0], picture[..., 1] = np.linspace(100, 200, 16).reshape(4, 4), np.arange(16).reshape(4, 4)
    outside = np.array([[-3, -3]], np.float32)
    flat = gc.image.extract_glimpse(picture, [100, 100], outside)
    bell = apply(ExtractGlimpse, picture, [100, 100], outside, uniform_noise=False, noise="gaussian")
    with gc.Session() as session:
        first, normal = session.run([flat, bell])
        assert not np.array_equal(first, session.run(flat))
    assert first.min() >= 0 and first.max() <= 200 and abs(first.mean() - 100) < 3 and abs(first.std() - 57.7) < 2
    for channel, (low, high, mean) in enumerate(((100, 200, 150), (0, 15, 7.5))):
        drawn = normal[..., channel]
        assert drawn.min() == low and drawn.max() == high and abs(drawn.mean() - mean) < (high - low) / 60
        assert abs(drawn.std() / (high - low) - 0.28) < 0.02
