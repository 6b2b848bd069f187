"""The picture functions that scipy.misc had (SciPy 1.0), on Pillow."""
from __future__ import annotations

from typing import Any

import numpy as np


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("scipy.misc's picture functions need Pillow: pip install 'graphc[image]'") from error
    return Image


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: int = 255, low: int = 0) -> np.ndarray:
    """Numbers of [cmin, cmax] (by default smallest and largest) as bytes of [low, high]; bytes stay."""
    array = np.asarray(data)
    if array.dtype == np.uint8:
        return array
    smallest = array.min() if cmin is None else cmin
    largest = array.max() if cmax is None else cmax
    scale = (high - low) / ((largest - smallest) or 1)
    return (np.clip((array - smallest) * scale + low, low, high) + 0.5).astype(np.uint8)


def toimage(arr: Any, high: int = 255, low: int = 0, cmin: Any = None, cmax: Any = None, pal: Any = None,
            mode: str | None = None, channel_axis: int | None = None) -> Any:
    """An array (height, width) or with 3 or 4 channels, last or first, as a Pillow image."""
    if pal is not None:
        raise ValueError("toimage: argument 'pal': palettes are not supported; give the picture its colours")
    array = np.asarray(arr)
    if channel_axis is not None:
        array = np.moveaxis(array, channel_axis, -1)
    if array.ndim == 3 and array.shape[-1] not in (3, 4) and array.shape[0] in (3, 4):
        array = array.transpose(1, 2, 0)
    image = _pillow().fromarray(bytescale(array, cmin, cmax, high, low))
    return image if mode is None else image.convert(mode)


def fromimage(im: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """A Pillow image as an array; flatten: one channel of float32."""
    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    return np.array(im.convert("F")) if flatten else np.array(im)


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    with _pillow().open(name) as image:
        return fromimage(image, flatten, mode)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    toimage(arr).save(name, format)


def imshow(arr: Any) -> None:
    toimage(arr).show()


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> np.ndarray:
    """The picture in another size: a fraction, percent as an int, or (height, width)."""
    image = toimage(arr, mode=mode)
    if isinstance(size, (int, np.integer)):
        size = size / 100.0
    if isinstance(size, (float, np.floating)):
        wanted = tuple((np.array(image.size) * size).astype(int))
    else:
        wanted = (int(size[1]), int(size[0]))
    return fromimage(image.resize(wanted, resample=getattr(_pillow(), interp.upper())))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> np.ndarray:
    return fromimage(toimage(arr).rotate(angle, resample=getattr(_pillow(), interp.upper())))
