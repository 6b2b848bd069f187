"""Boxes in pictures: crops and their gradients, the best boxes, drawn ones, random parts."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.serial.freeze import add_plan

GENERATOR = np.random.default_rng(8)
IMAGE = GENERATOR.uniform(size=(2, 6, 7, 3)).astype(np.float32)
BOXES = np.array([[0.13, 0.21, 0.77, 0.83], [0.9, 0.1, 0.23, 0.6], [0.31, 0.32, 0.61, 0.67]], np.float32)
INDEX = np.array([1, 0, 1], np.int32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


def test_a_crop_of_all_is_the_picture() -> None:
    whole = np.array([[0, 0, 1, 1], [1, 1, 0, 0]], np.float32)
    for method in ("bilinear", "nearest"):
        found = value(gc.image.crop_and_resize(IMAGE, whole, [0, 1], [6, 7], method=method))
        np.testing.assert_allclose(found, [IMAGE[0], IMAGE[1, ::-1, ::-1]], atol=1e-6)


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
def test_gradient_by_the_picture_is_the_transposed_map(method: str) -> None:
    x, w = gc.placeholder(gc.float32, [None] * 4), GENERATOR.normal(size=(3, 4, 5, 3)).astype(np.float32)
    y = gc.image.crop_and_resize(x, BOXES, INDEX, [4, 5], method=method)
    slope, = gc.gradients(y, x, grad_ys=gc.constant(w))
    made, found = value([y, slope], {x: IMAGE})
    np.testing.assert_allclose((made * w).sum(), (found * IMAGE).sum(), rtol=1e-4)


def test_gradient_by_the_boxes() -> None:
    """Against differences: boxes that lie between pixels, of a picture that is smooth enough."""
    ramp = np.add.outer(np.arange(6.0), 2 * np.arange(7.0))[None, :, :, None].astype(np.float32)
    boxes = gc.placeholder(gc.float32, [None, 4])
    total = gc.reduce_sum(gc.image.crop_and_resize(ramp, boxes, [0, 0, 0], [3, 4]))
    slope, = gc.gradients(total, boxes)
    with gc.Session() as session:
        found = session.run(slope, {boxes: BOXES})
        for i, j in np.ndindex(3, 4):
            step = np.zeros_like(BOXES)
            step[i, j] = 1e-2
            ahead, behind = (session.run(total, {boxes: BOXES + s * step}) for s in (1, -1))
            np.testing.assert_allclose(found[i, j], (ahead - behind) / 2e-2, rtol=2e-3)
    with pytest.raises(LookupError, match="No gradient defined"):
        gc.gradients(slope, boxes)


def test_what_crops_refuse() -> None:
    index = gc.placeholder(gc.int32, [None])
    y = gc.image.crop_and_resize(IMAGE, BOXES, index, [2, 2], name="cut")
    for bad in (2, -1):
        with pytest.raises(gc.errors.InvalidArgumentError, match=f"CropAndResize 'cut': index {bad} is not in"):
            value(y, {index: [0, bad, 1]})
    with pytest.raises(gc.errors.InvalidArgumentError, match="one length"):
        value(y, {index: [0, 1]})
    with pytest.raises(ValueError, match="'bilinear' or 'nearest', but is 'cubic'"):
        gc.image.crop_and_resize(IMAGE, BOXES, INDEX, [2, 2], method="cubic")
    with pytest.raises(ValueError, match="rows of 4"):
        gc.image.crop_and_resize(IMAGE, BOXES[:, :3], INDEX, [2, 2])
    with pytest.raises(TypeError, match="must be given"):
        gc.image.crop_and_resize(IMAGE, BOXES)


def test_boxes_that_do_not_overlap() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 5, 1, 6], [0, 5, 1, 6], [0, 9, 1, 10]], np.float32)
    scores = np.array([0.5, 0.9, 0.7, 0.7, 0.2], np.float32)
    np.testing.assert_array_equal(value(gc.image.non_max_suppression(boxes, scores, 10)), [1, 2, 4])
    np.testing.assert_array_equal(value(gc.image.non_max_suppression(boxes, scores, 2)), [1, 2])
    np.testing.assert_array_equal(value(gc.image.non_max_suppression(boxes, scores, 10, 0.9)), [1, 2, 0, 4])
    np.testing.assert_array_equal(value(gc.image.non_max_suppression(boxes, scores, 10, score_threshold=0.5)), [1, 2])
    numbers, count = value(gc.image.non_max_suppression_padded(boxes, scores, 5, pad_to_max_output_size=True))
    np.testing.assert_array_equal(numbers, [1, 2, 4, 0, 0])
    assert count == 3
    chosen, best = value(gc.image.non_max_suppression_with_scores(boxes, scores, 5))
    np.testing.assert_array_equal(best, scores[chosen])
    with pytest.raises(ValueError, match="must not be negative, but is -1"):
        gc.image.non_max_suppression(boxes, scores, -1)


def test_how_many_boxes_is_known_behind_the_run_only() -> None:
    boxes, scores, most = (gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.float32, [None]),
                           gc.placeholder(gc.int32, []))
    numbers = gc.image.non_max_suppression(boxes, scores, most)
    best = gc.gather(boxes, numbers) * 2.0
    with gc.Session() as session:
        for n in (0, 1, 40):
            fed = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
            found = session.run(best, {boxes: fed, scores: np.arange(n, dtype=np.float32), most: 3})
            np.testing.assert_array_equal(found, 2 * fed[::-1][:3][:len(found)])
            assert len(found) == min(n, 3) or n == 40


def test_scores_that_are_no_numbers_are_no_candidates() -> None:
    boxes = np.array([[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]], np.float32)
    found = value(gc.image.non_max_suppression(boxes, np.array([np.nan, 0.1, np.inf], np.float32), 5))
    np.testing.assert_array_equal(found, [2, 1])


def test_drawn_boxes() -> None:
    image = np.zeros((1, 5, 5, 3), np.float32)
    box = np.array([[[0.25, 0.25, 0.75, 0.75]]], np.float32)
    found = value(gc.image.draw_bounding_boxes(image, box, colors=[[0.1, 0.2, 0.3]]))
    ring = np.zeros((5, 5), np.bool_)
    ring[1:4, 1:4] = True
    ring[2, 2] = False
    np.testing.assert_allclose(found[0][ring], np.tile(np.float32([0.1, 0.2, 0.3]), (8, 1)))
    assert not found[0][~ring].any()
    yellow = value(gc.image.draw_bounding_boxes(image, box))
    np.testing.assert_array_equal(yellow[0, 1, 1], [1, 1, 0])
    x = gc.placeholder(gc.float32, image.shape)
    assert gc.gradients(gc.image.draw_bounding_boxes(x, box), x) == [None]
    with pytest.raises(ValueError, match="1, 3 or 4 channels, but has 2"):
        gc.image.draw_bounding_boxes(image[..., :2], box)


def test_random_parts() -> None:
    boxes = np.array([[[0.1, 0.1, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]]], np.float32)
    image = gc.placeholder(gc.uint8, [None, None, 3])
    begin, size, drawn = gc.image.sample_distorted_bounding_box(gc.shape(image), boxes, min_object_covered=0.3, seed=5)
    part = gc.slice(image, begin, size)
    fed = np.zeros((60, 80, 3), np.uint8)
    seen = set()
    with gc.Session() as session:
        for _ in range(60):
            start, extent, box, cut = session.run([begin, size, drawn, part], {image: fed})
            (y, x, _), (high, wide, rest) = start, extent
            assert rest == -1 and start[2] == 0 and cut.shape == (high, wide, 3)
            assert 0 <= y and y + high <= 60 and 0 <= x and x + wide <= 80
            np.testing.assert_allclose(box[0, 0], [y / 60, x / 80, (y + high) / 60, (x + wide) / 80], rtol=1e-5)
            seen.add((int(y), int(x), int(high), int(wide)))
            if (high, wide) == (60, 80):
                continue
            assert 0.05 * 4800 <= high * wide <= 4800 and 0.7 <= wide / high <= 1.4
            cover = []
            for y1, x1, y2, x2 in np.trunc(boxes[0] * [60, 80, 60, 80]):
                shared = max(0, min(y2, y + high) - max(y1, y)) * max(0, min(x2, x + wide) - max(x1, x))
                cover.append(shared / ((y2 - y1) * (x2 - x1)))
            assert max(cover) >= 0.3 - 1e-6
    assert len(seen) > 20


def test_random_parts_of_what_cannot_be() -> None:
    empty = np.zeros((1, 0, 4), np.float32)
    with pytest.raises(ValueError, match="No bounding boxes provided"):
        gc.image.sample_distorted_bounding_box([40, 50, 3], empty)
    begin, size, _ = gc.image.sample_distorted_bounding_box(
        [40, 50, 3], empty, use_image_if_no_bounding_boxes=True, aspect_ratio_range=(30.0, 40.0), area_range=(0.9, 1.0))
    start, extent = value([begin, size])
    assert start.tolist() == [0, 0, 0] and extent.tolist() == [40, 50, -1]      # none fits: all of it


def test_in_the_runner() -> None:
    from files import build_runner
    from native import Native

    image, boxes = gc.placeholder(gc.float32, [None, None, None, 3]), gc.placeholder(gc.float32, [None, 4])
    scores = gc.placeholder(gc.float32, [None])
    best = gc.gather(boxes, gc.image.non_max_suppression(boxes, scores, 2))
    crops = gc.image.crop_and_resize(image, best, gc.zeros_like(gc.cast(best[:, 0], gc.int32)), [3, 3])
    y = gc.image.adjust_saturation(gc.image.resize_bicubic(crops, [5, 4]), 0.5)
    fed = [IMAGE, BOXES, np.array([0.1, 0.9, 0.5], np.float32)]
    expected = value(y, dict(zip((image, boxes, scores), fed, strict=True)))
    saved = gc.get_default_graph().as_graph_def()
    add_plan(saved, [y.name], [image.name, boxes.name, scores.name])
    with Native(build_runner() / "libgraphc.so").load(saved.SerializeToString()) as model:
        np.testing.assert_allclose(model.run(fed)[0], expected, rtol=1e-5, atol=1e-6)


def test_no_colours_are_the_ten_usual_ones() -> None:
    pictures, boxes = gc.constant(np.zeros((1, 9, 9, 3), np.float32)), gc.constant([[[0.0, 0.0, 1.0, 1.0]]])
    usual = value(gc.image.draw_bounding_boxes(pictures, boxes))
    np.testing.assert_array_equal(value(gc.image.draw_bounding_boxes(pictures, boxes, colors=gc.zeros([0, 4]))), usual)
    assert usual.any()
