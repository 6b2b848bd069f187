"""Arguments of layers, checked and spelled out: sizes for each spatial axis, paddings, data formats, lengths."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public

CHANNELS_FIRST, CHANNELS_LAST = "channels_first", "channels_last"
_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


@public("compat.v1.python.layers.utils.normalize_tuple")
def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """`value`, an integer or n of them, as n integers. Raises ValueError that names the argument.

    As TensorFlow's of that module.

    >>> gc.compat.v1.python.layers.utils.normalize_tuple(3, 2, "kernel_size")
    (3, 3)
    """
    if isinstance(value, int):
        value = (value,) * n
    try:
        value = tuple(value)
        given = tuple(int(size) for size in value)
    except (TypeError, ValueError):
        given = ()
    if len(given) != n or given != value:
        raise ValueError(f"The `{name}` argument must be a tuple of {n} integers. Received: {value!r}")
    return given


def positive_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """The same of what no size may be 0 of. Raises ValueError that names the argument."""
    given = normalize_tuple(value, n, name)
    if min(given) < 1:
        raise ValueError(f"The `{name}` argument must be a tuple of {n} positive integers. Received: {value!r}")
    return given


@public("compat.v1.python.layers.utils.normalize_data_format")
def normalize_data_format(value: str | None) -> str:
    """channels_last (what None means, too) or channels_first. Raises ValueError.

    As TensorFlow's of that module.

    >>> gc.compat.v1.python.layers.utils.normalize_data_format(None)
    'channels_last'
    """
    wanted = CHANNELS_LAST if value is None else value.lower()
    if wanted not in (CHANNELS_FIRST, CHANNELS_LAST):
        raise ValueError('The `data_format` argument must be one of "channels_first", "channels_last". Received: '
                         f"{value!r}")
    return wanted


@public("compat.v1.python.layers.utils.normalize_padding")
def normalize_padding(value: str) -> str:
    """valid, same or causal, in lower case. Raises ValueError.

    As TensorFlow's of that module.

    >>> gc.compat.v1.python.layers.utils.normalize_padding("SAME")
    'same'
    """
    if not isinstance(value, str) or value.lower() not in ("valid", "same", "causal"):
        raise ValueError('The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: '
                         f"{value!r}")
    return value.lower()


@public("compat.v1.python.layers.utils.convert_data_format")
def convert_data_format(data_format: str, ndim: int) -> str:
    """The data format as gc.nn spells it for a rank: NHWC, NCW, ...

    ndim: 3, 4 or 5, else ValueError. As TensorFlow's of that module.

    >>> gc.compat.v1.python.layers.utils.convert_data_format("channels_first", 4)
    'NCHW'
    """
    if ndim not in (3, 4, 5):
        raise ValueError(f"Input rank not supported: {ndim}")
    letters = _LETTERS[ndim - 2]
    return f"NC{letters}" if data_format == CHANNELS_FIRST else f"N{letters}C"


def channel_axis(data_format: str) -> int:
    return 1 if data_format == CHANNELS_FIRST else -1


def spatial_axes(data_format: str, rank: int) -> range:
    """The axes of the `rank` spatial sizes."""
    start = 2 if data_format == CHANNELS_FIRST else 1
    return range(start, start + rank)


def with_channels(spatial: Sequence[Any], data_format: str, batch: Any = 1, channels: Any = 1) -> list[Any]:
    """Spatial sizes between those of batch and channels, in the order of the data format."""
    return [batch, channels, *spatial] if data_format == CHANNELS_FIRST else [batch, *spatial, channels]


@public("compat.v1.python.layers.utils.conv_output_length")
def conv_output_length(input_length: int | None, filter_size: int, padding: str, stride: int,
                       dilation: int = 1) -> int | None:
    """The length that a convolution or pool gives; None if the input's is not known.

    padding: "valid", "same" or "causal", of which the last two count as one. As TensorFlow's of that module.

    >>> gc.compat.v1.python.layers.utils.conv_output_length(28, filter_size=5, padding="valid", stride=2)
    12
    """
    if input_length is None:
        return None
    reach = (filter_size - 1) * dilation
    return (input_length - (reach if padding == "valid" else 0) + stride - 1) // stride


@public("compat.v1.python.layers.utils.deconv_output_length")
def deconv_output_length(input_length: Any, filter_size: int, padding: str, stride: int) -> Any:
    """The length (a number, or a tensor of it) that a transposed convolution gives; None if the input's is not known.

    padding: "valid" or "same". As TensorFlow's of that module.

    >>> gc.compat.v1.python.layers.utils.deconv_output_length(7, filter_size=4, padding="same", stride=2)
    14
    """
    if input_length is None:
        return None
    length = input_length * stride
    return length + max(filter_size - stride, 0) if padding == "valid" else length
