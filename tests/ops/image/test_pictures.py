"""Pictures in files: the functions of gc.image, what they refuse, and that they fit each other."""
from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

import graphc as gc
from graphc import errors
from graphc.ops.image import sample_files as files
from graphc.ops.image.png import png_file


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def saved(picture: Any, kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([127 + 120 * np.sin(x / (5 + i) + y / (7 - i)) for i in range(channels)], -1).astype(np.uint8)


# What is said while a graph is built


def test_shapes() -> None:
    x = gc.placeholder(gc.string, [])
    for made, shape, dtype in (
            (gc.image.decode_png(x), [None] * 3, gc.uint8),
            (gc.image.decode_png(x, 3, gc.uint16), [None, None, 3], gc.uint16),
            (gc.image.decode_jpeg(x, channels=1), [None, None, 1], gc.uint8),
            (gc.io.decode_bmp(x), [None] * 3, gc.uint8),
            (gc.image.decode_gif(x), [None, None, None, 3], gc.uint8),
            (gc.image.decode_and_crop_jpeg(x, [1, 2, 3, 4]), [3, 4, None], gc.uint8),
            (gc.image.decode_and_crop_jpeg(x, gc.placeholder(gc.int32, [4]), 3), [None, None, 3], gc.uint8),
            (gc.image.extract_jpeg_shape(x, gc.int64), [3], gc.int64),
            (gc.image.decode_image(x, expand_animations=False), [None] * 3, gc.uint8),
            (gc.image.encode_png(gc.zeros([2, 2, 3], gc.uint8)), [], gc.string)):
        assert made.shape.as_list() == shape and made.dtype == dtype, made
    assert gc.image.decode_image(x, 3, gc.float32).shape.ndims is None


@pytest.mark.parametrize("make, error, message", [
    (lambda x: gc.image.decode_png(x, 2), ValueError, "'channels' of DecodePng must be one of 0, 1, 3, 4, but is 2"),
    (lambda x: gc.image.decode_png(x, dtype=gc.float32), TypeError, "'dtype' of DecodePng must be uint8 or uint16"),
    (lambda x: gc.image.decode_jpeg(x, 4), ValueError, "must be one of 0, 1, 3, but is 4"),
    (lambda x: gc.image.decode_jpeg(x, ratio=3), ValueError, "'ratio' of DecodeJpeg must be 1, 2, 4, or 8, but is 3"),
    (lambda x: gc.image.decode_jpeg(x, dct_method="SLOW"), ValueError, "'dct_method'.*'SLOW'"),
    (lambda x: gc.image.decode_image(x, 2), ValueError, "channels must be in"),
    (lambda x: gc.image.decode_image(x, dtype=gc.int32), TypeError, "or float32, but is int32.*convert_image"),
    (lambda x: gc.image.decode_and_crop_jpeg(x, [1, 2, 3]), ValueError, "must hold y, x, height and width"),
    (lambda x: gc.image.decode_png(gc.placeholder(gc.string, [2])), ValueError, r"but has shape \(2,\).*map_fn"),
    (lambda x: gc.image.encode_png(gc.zeros([2, 2, 5], gc.uint8)), ValueError, "1 or 2 or 3 or 4 channels, but has 5"),
    (lambda x: gc.image.encode_png(gc.zeros([2, 2])), TypeError, "uint8 or uint16, but has dtype float32"),
    (lambda x: gc.image.encode_png(gc.zeros([2, 2, 1], gc.uint8), 10), ValueError, r"in \[-1, 9\], but is 10"),
    (lambda x: gc.image.encode_jpeg(gc.zeros([2, 2, 4], gc.uint8)), ValueError, "1 or 3 channels, but has 4"),
    (lambda x: gc.image.encode_jpeg(gc.zeros([2, 2, 3], gc.uint8), "grayscale"), ValueError, "1 channels, but has 3"),
    (lambda x: gc.image.encode_jpeg(gc.zeros([2, 2, 3], gc.uint8), quality=101), ValueError, "but is 101"),
    (lambda x: gc.image.encode_jpeg(gc.zeros([2, 2], gc.uint8)), ValueError, "3-dimensional"),
    (lambda x: gc.image.random_jpeg_quality(gc.zeros([2, 2, 3]), 5, 101), ValueError, "between 0 and 100"),
    (lambda x: gc.image.random_jpeg_quality(gc.zeros([2, 2, 3]), 5, 5), ValueError, "less than max_jpeg_quality"),
])
def test_arguments_that_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(gc.placeholder(gc.string, []))


# Files


@pytest.mark.parametrize("contents, decode, message", [
    (b"", gc.image.decode_png, "Input is empty"), (b"abcd", gc.image.decode_jpeg, "Unknown image file format"),
    (files.png(np.uint8, 3)[:40], gc.image.decode_png, "Invalid PNG data, size 40"),
    (files.png(np.uint8, 3)[:-20] + b"x" * 20, gc.image.decode_png, "Invalid PNG data"),
    (files.JPEG_RGB[:-10], gc.image.decode_jpeg, "Invalid JPEG data or crop window, .*try_recover_truncated"),
    (files.JPEG_RGB[:40], gc.image.decode_jpeg, "Invalid JPEG data, size 40"),
    (files.JPEG_RGB[:40], gc.image.extract_jpeg_shape, "Invalid JPEG data, size 40"),
    (files.GIF[:20], gc.image.decode_gif, "Invalid GIF data"),
    (files.GIF, gc.image.decode_png, "Got 2 frames.*gc.image.decode_gif"),
    (files.bmp(files.RGB_PIXELS), gc.image.decode_png, "BMP format using a wrong op"),
    (files.bmp(files.RGB_PIXELS)[:99], gc.image.decode_bmp, "Incomplete bmp content, requires at least"),
    (files.JPEG_RGB, gc.image.decode_bmp, "JPEG format using DecodeBmp"),
    (files.png(np.uint8, 3)[:16] + b"\x7f" * 8 + files.png(np.uint8, 3)[24:], gc.image.decode_png, "too large"),
])
def test_files_that_are_refused(contents: bytes, decode: Any, message: str) -> None:
    x = gc.placeholder(gc.string, [])
    with pytest.raises(errors.InvalidArgumentError, match=message):
        run(decode(x), {x: contents})


def test_any_kind_of_file() -> None:
    x = gc.placeholder(gc.string, [])
    pixels = smooth(6, 5)
    made = {"png": png_file(pixels, -1), "bmp": files.bmp(pixels), "jpeg": saved(Image.fromarray(pixels), "JPEG"),
            "gif": saved(Image.fromarray(pixels).convert("P"), "GIF")}
    first, floats = gc.image.decode_image(x, expand_animations=False), gc.image.decode_image(x, 3, gc.float32)
    with gc.Session() as session:
        for kind, contents in made.items():
            found = session.run(first, {x: contents})
            assert found.shape == (6, 5, 3) and found.dtype == np.uint8
            if kind in ("png", "bmp"):
                np.testing.assert_array_equal(found, pixels)
            if kind != "gif":
                np.testing.assert_allclose(session.run(floats, {x: contents}), found / 255, atol=1e-6)
        two = gc.image.decode_image(x)
        two.set_shape([None] * 4)
        assert session.run(two, {x: files.GIF}).shape == (2, 4, 5, 3)
        assert session.run(two, {x: made["gif"]}).shape == (1, 6, 5, 3)
        with pytest.raises(errors.InvalidArgumentError, match=r"GIF, with frames: \[2, 4, 5, 3\].*rank 3.*set_shape"):
            session.run(floats, {x: files.GIF})
        with pytest.raises(errors.InvalidArgumentError, match="GIF, with frames"):
            session.run(gc.image.decode_image(gc.constant(files.GIF)))
        with pytest.raises(errors.InvalidArgumentError, match="without frames"):
            session.run(two, {x: made["png"]})
        assert session.run(first, {x: files.GIF}).shape == (4, 5, 3)
        with pytest.raises(errors.InvalidArgumentError, match=r"Channels must be in \(None, 0, 3\)"):
            session.run(gc.image.decode_image(x, 1, expand_animations=False), {x: files.GIF})


def test_frames_are_drawn_over_each_other() -> None:
    found = run(gc.image.decode_gif(gc.constant(files.GIF)))
    assert found.dtype == np.uint8
    assert found[0, 1, 2].tolist() == [200, 0, 0] and found[0, 0, 0].tolist() == [10, 20, 30]
    assert found[1, 2, 3].tolist() == [0, 200, 100] and found[1, 0, 0].tolist() == [10, 20, 30]
    assert found[1, 1, 2].tolist() == [10, 20, 30]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 33)])
def test_png_there_and_back(channels: int, dtype: Any, size: tuple[int, int]) -> None:
    top = np.iinfo(dtype).max
    for pixels in (np.random.default_rng(channels).integers(0, top + 1, (*size, channels)).astype(dtype),
                   np.linspace(0, top, size[0] * size[1] * channels).reshape(*size, channels).astype(dtype)):
        back = gc.image.decode_png(gc.image.encode_png(pixels, compression=channels), dtype=gc.as_dtype(dtype))
        np.testing.assert_array_equal(run(back), pixels)


def test_png_of_few_bits_palettes_and_transparency() -> None:
    x = gc.placeholder(gc.string, [])
    picture = Image.fromarray(smooth(9, 7))
    palette = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=6)
    with gc.Session() as session:
        for other, channels in ((palette, 3), (palette, 1), (picture.convert("1"), 1), (picture.convert("L"), 3)):
            expected = np.asarray(other.convert("RGB" if channels == 3 else "L")).reshape(9, 7, -1)
            if channels == 1 and other is palette:
                expected = np.floor(np.asarray(other.convert("RGB")) @ [0.299, 0.587, 0.114])[..., None]
            found = session.run(gc.image.decode_png(x, channels), {x: saved(other, "PNG")})
            assert np.abs(found.astype(int) - expected).max() <= (other is palette and channels == 1)
        clear = session.run(gc.image.decode_png(x), {x: saved(palette, "PNG", transparency=2)})
        np.testing.assert_array_equal(clear[..., 3], np.where(np.asarray(palette) == 2, 0, 255))
        key = tuple(int(v) for v in np.asarray(picture)[4, 4])
        found = session.run(gc.image.decode_png(x, 4), {x: saved(picture, "PNG", transparency=key)})
        np.testing.assert_array_equal(found[..., 3] == 0, (np.asarray(picture) == key).all(-1))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("more", [{}, {"progressive": True}, {"subsampling": 0, "quality": 98}])
def test_jpeg_is_what_pillow_reads(mode: str, more: dict[str, Any]) -> None:
    contents = saved(Image.fromarray(smooth(61, 83)).convert(mode), "JPEG", **more)
    x = gc.placeholder(gc.string, [])
    whole = np.asarray(Image.open(io.BytesIO(contents))).reshape(61, 83, -1)
    accurate = {"dct_method": "INTEGER_ACCURATE"}
    fetches = [gc.image.decode_jpeg(x, **accurate), gc.image.decode_jpeg(x, ratio=8), gc.image.extract_jpeg_shape(x),
               gc.image.decode_and_crop_jpeg(x, [3, 5, 20, 30], **accurate)]
    found, small, shape, crop = run(fetches, {x: contents})
    np.testing.assert_array_equal(found, whole)
    assert small.shape == (8, 11, whole.shape[2]) and shape.tolist() == list(whole.shape)
    np.testing.assert_array_equal(crop, whole[3:23, 5:35])


@pytest.mark.parametrize(("method", "gradual", "ratio", "checksum"), [
    ("", True, 1, 4070273437), ("INTEGER_FAST", True, 1, 4070273437), ("INTEGER_ACCURATE", True, 1, 3416369231),
    ("", False, 1, 3139928612), ("INTEGER_ACCURATE", False, 1, 2234806417), ("", True, 2, 1802881418),
    ("INTEGER_ACCURATE", False, 2, 1264297651)])
def test_pixels_are_tensorflows(method: str, gradual: bool, ratio: int, checksum: int) -> None:
    """checksum: CRC-32 of what TensorFlow 2.21 decodes."""
    found = run(gc.image.decode_jpeg(gc.constant(files.JPEG_RGB), ratio=ratio, fancy_upscaling=gradual,
                                     dct_method=method))
    assert zlib.crc32(found.tobytes()) == checksum


@pytest.mark.parametrize("ratio", [1, 2, 4, 8])
def test_a_ratio_larger_than_the_picture(ratio: int) -> None:
    contents = saved(Image.fromarray(smooth(1, 3)), "JPEG")
    assert run(gc.image.decode_jpeg(gc.constant(contents), ratio=ratio)).shape == (1, -(-3 // ratio), 3)


def test_jpeg_that_is_cut_off() -> None:
    contents = saved(Image.fromarray(smooth(64, 48)), "JPEG")
    whole = np.asarray(Image.open(io.BytesIO(contents)))
    x = gc.placeholder(gc.string, [])
    cut = contents[:len(contents) * 3 // 4]
    with gc.Session() as session:
        recovered = session.run(gc.image.decode_jpeg(x, try_recover_truncated=True), {x: cut})
        partly = session.run(gc.image.decode_jpeg(x, acceptable_fraction=0.2), {x: cut})
        np.testing.assert_array_equal(recovered[:16], whole[:16])
        np.testing.assert_array_equal(partly[:16], whole[:16])
        assert not partly[-4:].any() and recovered[-4:].any()
        with pytest.raises(errors.InvalidArgumentError, match="ends in row"):
            session.run(gc.image.decode_jpeg(x, acceptable_fraction=0.9), {x: cut})


def test_crop_windows_known_while_running() -> None:
    x, window = gc.placeholder(gc.string, []), gc.placeholder(gc.int32, [4])
    crop = gc.image.decode_and_crop_jpeg(x, window, channels=3, dct_method="INTEGER_ACCURATE")
    whole = np.asarray(Image.open(io.BytesIO(files.JPEG_RGB)))
    with gc.Session() as session:
        for y, left, height, width in ((0, 0, 9, 7), (2, 1, 3, 4), (8, 6, 1, 1)):
            found = session.run(crop, {x: files.JPEG_RGB, window: [y, left, height, width]})
            np.testing.assert_array_equal(found, whole[y:y + height, left:left + width])
        for wrong in ([0, 0, 10, 7], [-1, 0, 3, 3], [0, 0, 0, 3], [5, 5, 5, 5]):
            with pytest.raises(errors.InvalidArgumentError, match="Invalid JPEG data or crop window"):
                session.run(crop, {x: files.JPEG_RGB, window: wrong})


def test_what_a_jpeg_makes_of_a_picture() -> None:
    pixels = smooth(16, 16).astype(np.float32) / 255
    quality = gc.placeholder(gc.int32, [])
    with gc.Session() as session:
        adjusted = gc.image.adjust_jpeg_quality(pixels, quality)
        errors_of = [np.abs(session.run(adjusted, {quality: q}) - pixels).mean() for q in (5, 50, 100)]
        assert errors_of[0] > errors_of[1] > errors_of[2] and errors_of[2] < 0.02
        by_number = session.run(gc.image.adjust_jpeg_quality(pixels, 50))
        np.testing.assert_array_equal(by_number, session.run(adjusted, {quality: 50}))
        drawn = gc.image.random_jpeg_quality(pixels, 1, 100, seed=1)
        assert drawn.dtype == gc.float32 and drawn.shape.as_list() == [None, None, 3]
        assert any(not np.array_equal(session.run(drawn), session.run(drawn)) for _ in range(3))
        with pytest.raises(errors.InvalidArgumentError, match=r"quality must be in \[0,100\], but is 101"):
            session.run(adjusted, {quality: 101})


def test_pictures_of_a_batch() -> None:
    contents = [png_file(smooth(4, 3) + i, -1) for i in range(3)]
    x = gc.placeholder(gc.string, [None])
    pictures = gc.map_fn(lambda c: gc.image.decode_png(c, 3), x, gc.uint8)
    resized = gc.image.resize_bilinear(pictures, [2, 2])
    with gc.Session() as session:
        found = session.run(pictures, {x: contents})
        np.testing.assert_array_equal(found, [smooth(4, 3) + i for i in range(3)])
        assert session.run(resized, {x: contents}).shape == (3, 2, 2, 3)


def test_no_gradients() -> None:
    f = gc.placeholder(gc.float32, [4, 4, 3])
    back = gc.image.decode_png(gc.image.encode_png(gc.cast(f, gc.uint8)))
    assert gc.gradients(gc.cast(back, gc.float32), f) == [None]


def test_saved_and_loaded() -> None:
    made = gc.image.decode_image(gc.placeholder(gc.string, [], name="x"), channels=3, name="decoded")
    gc.image.decode_image(made.op.inputs[0], name="frames")
    saved_graph = gc.get_default_graph().as_graph_def()
    with gc.Graph().as_default(), gc.Session() as session:
        loaded, frames = gc.import_graph_def(saved_graph, return_elements=["decoded:0", "frames:0"])
        frames.set_shape([None] * 4)
        assert session.run(loaded, {"import/x:0": files.JPEG_GREY}).shape == (9, 7, 3)
        assert session.run(frames, {"import/x:0": files.GIF}).shape == (2, 4, 5, 3)


def test_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIL", "PIL.PngImagePlugin", "PIL.JpegImagePlugin", "PIL.Image", "simplejpeg"):
        monkeypatch.setitem(sys.modules, name, None)
    x = gc.placeholder(gc.string, [])
    for made, contents in ((gc.image.decode_png(x), files.png(np.uint8, 3)), (gc.image.decode_jpeg(x), files.JPEG_RGB)):
        with pytest.raises(errors.UnimplementedError, match=r"pip install 'graphc\[image\]'"):
            run(made, {x: contents})
    np.testing.assert_array_equal(run(gc.image.decode_bmp(x), {x: files.bmp(files.RGB_PIXELS)}), files.RGB_PIXELS)


def test_is_jpeg() -> None:
    x = gc.placeholder(gc.string, [])
    with gc.Session() as session:
        for contents in (files.JPEG_RGB, files.GIF, b"\xff", b""):
            assert session.run(gc.image.is_jpeg(x), {x: contents}) == (contents is files.JPEG_RGB)
