"""tf.image's functions against NumPy: forms, sizes known and unknown, dtypes, what is refused, gradients."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS

GENERATOR = np.random.default_rng(4)
BATCH = GENERATOR.uniform(size=(2, 7, 5, 3)).astype(np.float32)
BYTES = GENERATOR.integers(0, 256, size=(6, 9, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def both(function: Any, *given: np.ndarray) -> Any:
    """What function makes of placeholders, whose sizes are known, and are not: equal."""
    found = []
    for known in (True, False):
        fed = [gc.placeholder(x.dtype, x.shape if known else [None] * x.ndim) for x in given]
        with gc.Session() as session:
            found.append(session.run(function(*fed), dict(zip(fed, given, strict=True))))
    np.testing.assert_allclose(*found, rtol=1e-6)
    return found[0]


# Sizes

@pytest.mark.parametrize("image", [BATCH, BATCH[0], BYTES])
@pytest.mark.parametrize("method", [gc.image.ResizeMethod.BILINEAR, gc.image.ResizeMethod.NEAREST_NEIGHBOR,
                                    gc.image.ResizeMethod.BICUBIC, gc.image.ResizeMethod.AREA])
def test_resize_images(image: np.ndarray, method: int) -> None:
    found = both(lambda x: gc.image.resize_images(x, [4, 11], method), image)
    assert found.shape == (*image.shape[:-3], 4, 11, 3)
    assert found.dtype == (image.dtype if method == gc.image.ResizeMethod.NEAREST_NEIGHBOR else np.float32)
    over = 0.5 * float(np.ptp(image)) if method == gc.image.ResizeMethod.BICUBIC else 1e-5
    assert image.min() - over <= found.min() and found.max() <= image.max() + over
    same = both(lambda x: gc.cast(gc.image.resize_images(x, list(image.shape[-3:-1]), method), gc.float32), image)
    np.testing.assert_allclose(same, image, rtol=1e-5)


def test_known_pictures() -> None:
    x = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)
    np.testing.assert_allclose(both(lambda p: gc.image.resize_bilinear(p, [4, 4])[0, :, :, 0], x),
                               [[0, 0.5, 1, 1], [1, 1.5, 2, 2], [2, 2.5, 3, 3], [2, 2.5, 3, 3]])
    np.testing.assert_allclose(both(lambda p: gc.image.resize_bilinear(p, [3, 3], align_corners=True)[0, :, :, 0], x),
                               [[0, 0.5, 1], [1, 1.5, 2], [2, 2.5, 3]])
    np.testing.assert_allclose(both(lambda p: gc.image.resize_area(p, [1, 2])[0, :, :, 0], x), [[1, 2]])
    np.testing.assert_array_equal(both(lambda p: gc.image.resize_nearest_neighbor(p, [3, 4])[0, :, :, 0], x),
                                  [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]])


def test_proportions() -> None:
    def shape(function: Any) -> list[int]:
        return list(both(function, BATCH).shape)

    assert shape(lambda x: gc.image.resize_images(x, [14, 14], preserve_aspect_ratio=True)) == [2, 14, 10, 3]
    assert shape(lambda x: gc.image.resize_image_with_pad(x, 14, 14)) == [2, 14, 14, 3]
    found = both(lambda x: gc.image.resize_image_with_pad(x, 14, 14), BATCH)
    assert (found[:, :, :2] == 0).all() and (found[:, :, -2:] == 0).all() and found[:, :, 2:-2].all()


def test_sizes_that_are_tensors() -> None:
    x, n = gc.placeholder(gc.float32, [None, None, None, 3]), gc.placeholder(gc.int32, [])
    y = gc.image.resize_images(x, [n, n * 2])
    assert y.shape.as_list()[0] is None and y.shape.as_list()[3] == 3
    with gc.Session() as session:
        for size in (3, 8):
            assert session.run(y, {x: BATCH, n: size}).shape == (2, size, 2 * size, 3)


@pytest.mark.parametrize("name", ["resize_bilinear", "resize_bicubic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [{}, {"align_corners": True}, {"half_pixel_centers": True}])
@pytest.mark.parametrize("size", [(3, 9), (14, 2), (1, 1)])
def test_gradient_is_the_transposed_map(name: str, dtype: Any, form: dict, size: tuple[int, int]) -> None:
    """<w, f(x)> = <gradient, x> for a linear f; and the gradient of the gradient is f again."""
    w = GENERATOR.normal(size=(2, *size, 3)).astype(np.float32)
    x = gc.placeholder(dtype, [None, None, None, 3])
    y = getattr(gc.image, name)(x, size, **form)
    dy = gc.placeholder(gc.float32, y.shape)
    slope, = gc.gradients(y, x, grad_ys=dy)
    again, = gc.gradients(gc.reduce_sum(slope * gc.stop_gradient(x)), dy)
    with gc.Session() as session:
        made, found, twice = session.run([y, slope, again], {x: BATCH, dy: w})
    assert found.dtype == dtype and found.shape == BATCH.shape
    np.testing.assert_allclose((w * made).sum(), (found * BATCH).sum(), rtol=2e-4, atol=1e-3)
    np.testing.assert_allclose(twice, made, rtol=1e-4, atol=1e-5)


def test_what_resizing_refuses() -> None:
    x = gc.placeholder(gc.float32, [2, 7, 5, 3])
    with pytest.raises(ValueError, match="half_pixel_centers is True, align_corners must be False"):
        gc.image.resize_bilinear(x, [2, 2], align_corners=True, half_pixel_centers=True)
    with pytest.raises(ValueError, match="'size' must be positive"):
        gc.image.resize_bicubic(x, [0, 2])
    with pytest.raises(ValueError, match="1-D Tensor of 2 elements"):
        gc.image.resize_images(x, [1, 2, 3])
    with pytest.raises(ValueError, match="either 3 or 4 dimensions"):
        gc.image.resize_images(x[0, 0], [1, 2])
    with pytest.raises(LookupError, match="No gradient defined"):
        gc.gradients(gc.image.resize_area(x, [2, 2]), x)
    assert gc.gradients(gc.image.resize_bilinear(gc.placeholder(gc.uint8, [1, 2, 2, 1]), [3, 3]), [x]) == [None]


# Parts of pictures

def test_parts() -> None:
    for image in (BATCH, BATCH[0]):
        lead = (slice(None),) * (image.ndim - 3)
        np.testing.assert_array_equal(both(lambda x: gc.image.crop_to_bounding_box(x, 1, 2, 3, 2), image),
                                      image[(*lead, slice(1, 4), slice(2, 4))])
        widths = [(0, 0)] * (image.ndim - 3) + [(1, 3), (2, 1), (0, 0)]
        np.testing.assert_array_equal(both(lambda x: gc.image.pad_to_bounding_box(x, 1, 2, 11, 8), image),
                                      np.pad(image, widths))
        np.testing.assert_array_equal(both(lambda x: gc.image.central_crop(x, 0.5), image),
                                      image[(*lead, slice(1, 6), slice(1, 4))])
        found = both(lambda x: gc.image.resize_image_with_crop_or_pad(x, 3, 9), image)
        np.testing.assert_array_equal(found[..., 2:7, :], image[(*lead, slice(2, 5))])
        assert not found[..., :2, :].any() and not found[..., 7:, :].any()


def test_turns() -> None:
    for image in (BATCH, BATCH[0]):
        rows, columns = image.ndim - 3, image.ndim - 2
        np.testing.assert_array_equal(both(gc.image.flip_left_right, image), np.flip(image, columns))
        np.testing.assert_array_equal(both(gc.image.flip_up_down, image), np.flip(image, rows))
        np.testing.assert_array_equal(both(gc.image.transpose_image, image), np.swapaxes(image, rows, columns))
        for k in range(-1, 5):
            expected = np.rot90(image, k, (rows, columns))
            np.testing.assert_array_equal(both(lambda x, k=k: gc.image.rot90(x, k), image), expected)
        square = image[..., :5, :, :]
        for k in range(-1, 5):
            found = both(lambda x, n: gc.image.rot90(x, n), square, np.array(k, np.int32))
            np.testing.assert_array_equal(found, np.rot90(square, k, (rows, columns)))


def test_random_flips() -> None:
    x, batch = gc.constant(BATCH[0]), gc.constant(np.tile(BATCH[:1], (40, 1, 1, 1)))
    single, many = gc.image.random_flip_left_right(x, seed=1), gc.image.random_flip_up_down(batch, seed=2)
    with gc.Session() as session:
        seen = {bool((session.run(single) == BATCH[0]).all()) for _ in range(40)}
        assert seen == {True, False}
        found = session.run(many)
    kept = [(y == BATCH[0]).all() for y in found]
    turned = [(y == BATCH[0][::-1]).all() for y in found]
    assert all(a != b for a, b in zip(kept, turned, strict=True)) and any(kept) and any(turned)


@pytest.mark.parametrize(("make", "message"), [
    (lambda x: gc.image.crop_to_bounding_box(x, 5, 0, 3, 2), "height must be >= target \\+ offset"),
    (lambda x: gc.image.crop_to_bounding_box(x, 0, -1, 3, 2), "offset_width must be >= 0"),
    (lambda x: gc.image.pad_to_bounding_box(x, 0, 0, 3, 20), "height must be <= target - offset"),
    (lambda x: gc.image.central_crop(x, 1.5), "within \\(0, 1\\]"),
    (lambda x: gc.image.flip_left_right(x[0, 0]), "either 3 or 4 dimensions"),
    (lambda x: gc.image.random_brightness(x, -1), "non-negative"),
    (lambda x: gc.image.random_hue(x, 0.6), "<= 0.5"),
    (lambda x: gc.image.random_contrast(x, 2, 1), "upper must be > lower"),
    (lambda x: gc.image.random_saturation(x, -1, 1), "non-negative"),
    (lambda x: gc.image.adjust_gamma(x, -1), "non-negative real"),
    (lambda x: gc.image.grayscale_to_rgb(x), "must be of size 1"),
    (lambda x: gc.image.rgb_to_hsv(x[..., :2]), "three colours"),
    (lambda x: gc.image.ssim(x, x, 1.0), "smaller than filter_size, 11"),
    (lambda x: gc.image.psnr(x, x[:, 1:], 1.0), "incompatible"),
    (lambda x: gc.image.sobel_edges(x[0]), "4D tensor"),
])
def test_what_is_refused_while_building(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(gc.placeholder(gc.float32, [2, 7, 5, 3]))


# Colours

@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int32])
def test_dtypes_there_and_back(dtype: Any) -> None:
    whole = GENERATOR.integers(0, np.iinfo(dtype).max, size=(4, 5, 3), endpoint=True).astype(dtype)
    single = both(lambda x: gc.image.convert_image_dtype(x, gc.float64), whole)
    np.testing.assert_allclose(single, whole / np.iinfo(dtype).max)
    back = both(lambda x: gc.image.convert_image_dtype(x, dtype), single)
    np.testing.assert_array_equal(back, whole)
    clipped = both(lambda x: gc.image.convert_image_dtype(x, dtype, saturate=True), single.astype(np.float32) * 3 - 1)
    assert clipped.dtype == dtype
    if dtype is not np.int32:                      # float32 does not hold its largest value
        assert clipped.max() == np.iinfo(dtype).max


def test_integers_of_other_widths() -> None:
    wide = both(lambda x: gc.image.convert_image_dtype(x, gc.uint16), BYTES)
    np.testing.assert_array_equal(wide, BYTES.astype(np.uint16) * 256)
    np.testing.assert_array_equal(both(lambda x: gc.image.convert_image_dtype(x, gc.uint8), wide), BYTES)


def test_adjustments() -> None:
    x = BATCH
    mean = x.mean((-3, -2), keepdims=True, dtype=np.float64)
    for function, expected in (
            (lambda p: gc.image.adjust_brightness(p, 0.25), x + np.float32(0.25)),
            (lambda p: gc.image.adjust_contrast(p, 1.5), mean + (x - mean) * 1.5),
            (lambda p: gc.image.adjust_gamma(p, 2.0, 0.5), 0.5 * x ** 2),
            (lambda p: gc.image.adjust_hue(p, 1.0), x), (lambda p: gc.image.adjust_saturation(p, 1.0), x),
            (lambda p: gc.image.hsv_to_rgb(gc.image.rgb_to_hsv(p)), x),
            (lambda p: gc.image.yiq_to_rgb(gc.image.rgb_to_yiq(p)) / 10, x / 10),
            (lambda p: gc.image.yuv_to_rgb(gc.image.rgb_to_yuv(p)), x),
            (lambda p: gc.image.rgb_to_grayscale(p), (x @ np.array([0.2989, 0.587, 0.114], np.float32))[..., None])):
        np.testing.assert_allclose(both(function, x), expected, atol=2e-5)
    gray = both(lambda p: gc.image.adjust_saturation(p, 0.0), x)
    assert np.ptp(gray, axis=-1).max() < 1e-6
    turned = both(lambda p: gc.image.adjust_hue(p, 1 / 3), x)
    np.testing.assert_allclose(turned, x[..., [2, 0, 1]], atol=1e-5)


def test_adjustments_of_bytes() -> None:
    brighter = both(lambda x: gc.image.adjust_brightness(x, 0.2), BYTES)
    expected = np.clip((BYTES / 255 + 0.2) * 255.5, 0, 255).astype(np.uint8)
    assert brighter.dtype == np.uint8
    assert np.abs(brighter.astype(int) - expected.astype(int)).max() <= 1
    assert both(lambda x: gc.image.rgb_to_grayscale(x), BYTES).shape == (6, 9, 1)
    np.testing.assert_array_equal(both(lambda x: gc.image.grayscale_to_rgb(x), BYTES[..., :1]),
                                  np.repeat(BYTES[..., :1], 3, -1))


def test_random_adjustments_stay_in_their_range() -> None:
    x = gc.constant(BATCH)
    brightness = gc.image.random_brightness(x, 0.3, seed=3) - x
    contrast = gc.image.random_contrast(x, 0.5, 1.5, seed=3)
    hue, saturation = gc.image.random_hue(x, 0.2, seed=3), gc.image.random_saturation(x, 0.5, 1.5, seed=3)
    with gc.Session() as session:
        shifts = [session.run(brightness) for _ in range(20)]
        found = [session.run([contrast, hue, saturation]) for _ in range(2)]
    assert all(np.ptp(s) < 1e-5 and abs(s.mean()) <= 0.3 for s in shifts) and np.ptp([s.mean() for s in shifts]) > 0.05
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(*found, strict=True))


def test_standardization() -> None:
    for image in (BATCH, BYTES):
        found = both(gc.image.per_image_standardization, image)
        np.testing.assert_allclose(found.mean((-3, -2, -1)), 0, atol=1e-5)
        np.testing.assert_allclose(found.std((-3, -2, -1)), 1, rtol=1e-4)
    assert not both(gc.image.per_image_standardization, np.full((4, 4, 3), 7, np.uint8)).any()


# Differences

def test_differences_within_a_picture() -> None:
    x = BATCH
    expected = np.abs(np.diff(x, axis=1)).sum((1, 2, 3)) + np.abs(np.diff(x, axis=2)).sum((1, 2, 3))
    np.testing.assert_allclose(both(gc.image.total_variation, x), expected, rtol=1e-5)
    np.testing.assert_allclose(both(gc.image.total_variation, x[0]), expected[0], rtol=1e-5)
    dy, dx = (both(lambda p, i=i: gc.image.image_gradients(p)[i], x) for i in range(2))
    np.testing.assert_array_equal(dy, np.pad(np.diff(x, axis=1), [(0, 0), (0, 1), (0, 0), (0, 0)]))
    np.testing.assert_array_equal(dx, np.pad(np.diff(x, axis=2), [(0, 0), (0, 0), (0, 1), (0, 0)]))
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    kernel = np.outer([-1, 0, 1], [1, 2, 1])
    edges = both(gc.image.sobel_edges, x)
    for i, filter_ in enumerate((kernel, kernel.T)):
        expected = sum(filter_[u, v] * padded[:, u:u + 7, v:v + 5] for u in range(3) for v in range(3))
        np.testing.assert_allclose(edges[..., i], expected, atol=1e-5)


def test_differences_of_two_pictures() -> None:
    a = GENERATOR.uniform(size=(2, 20, 17, 3)).astype(np.float32)
    b = (0.9 * a + 0.05).astype(np.float32)
    expected = -10 * np.log10(((a - b).astype(np.float64) ** 2).mean((1, 2, 3)))
    np.testing.assert_allclose(both(lambda x, y: gc.image.psnr(x, y, 1.0), a, b), expected, rtol=1e-5)
    np.testing.assert_allclose(both(lambda x: gc.image.ssim(x, x, 1.0), a), 1, rtol=1e-5)
    near, far = (both(lambda x, y: gc.image.ssim(x, y, 1.0), a, c.astype(np.float32)) for c in (b, 1 - a))
    assert (near > 0.9).all() and (far < 0).all()
    np.testing.assert_allclose(near, [similarity(p, q) for p, q in zip(a, b, strict=True)], rtol=1e-4)
    several = both(lambda x, y: gc.image.ssim_multiscale(x, y, 1.0, power_factors=(0.3, 0.7), filter_size=5), a, b)
    assert ((several > 0.9) & (several < 1)).all()
    fed = gc.placeholder(gc.float32, [2, None, None, 3])
    slope, = gc.gradients(gc.image.ssim(fed, b, 1.0), fed)
    with gc.Session() as session:
        climbed = session.run(gc.image.ssim(fed, b, 1.0), {fed: a + 5 * session.run(slope, {fed: a})})
    assert (climbed > near).all()


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al., 2004, window by window."""
    g = np.exp(-np.square(np.arange(11) - 5) / 4.5)
    weights = (np.outer(g, g) / np.outer(g, g).sum())[:, :, None]
    found = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            p, q = (x[i:i + 11, j:j + 11].astype(np.float64) for x in (a, b))
            mean_p, mean_q = (weights * p).sum((0, 1)), (weights * q).sum((0, 1))
            both_ = (weights * (p - mean_p) * (q - mean_q)).sum((0, 1))
            each = (weights * ((p - mean_p) ** 2 + (q - mean_q) ** 2)).sum((0, 1))
            found.append((2 * mean_p * mean_q + 1e-4) * (2 * both_ + 9e-4)
                         / ((mean_p ** 2 + mean_q ** 2 + 1e-4) * (each + 9e-4)))
    return float(np.mean(found))


def test_names_of_one_function() -> None:
    assert gc.image.resize is gc.image.resize_images and gc.image.transpose is gc.image.transpose_image
    assert gc.image.resize_with_crop_or_pad is gc.image.resize_image_with_crop_or_pad


@pytest.mark.parametrize("op", ["ResizeBilinearGrad", "ResizeBicubicGrad"])
def test_gradients_of_other_pictures_are_refused(op):
    """Sizes that are known while building, and those of a feed."""
    picture = gc.zeros([1, 4, 4, 2])
    with pytest.raises(ValueError, match="channels of grads and of original_image"):
        apply(OPS[op], gc.zeros([1, 8, 8, 1]), picture)
    fed = gc.placeholder(gc.float32, [None, 8, 8, None])
    made = apply(OPS[op], fed, picture)
    with gc.Session() as session:
        assert session.run(made, {fed: np.ones((1, 8, 8, 2))}).shape == (1, 4, 4, 2)
        for shape in ((1, 8, 8, 1), (2, 8, 8, 2)):
            with pytest.raises(gc.errors.InvalidArgumentError, match="grads"):
                session.run(made, {fed: np.ones(shape)})
