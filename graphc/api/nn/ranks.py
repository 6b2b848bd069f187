"""What functions for one, two and three spatial axes share: data formats and lists with one value an axis."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.shapes import expand_dims, squeeze
from graphc.ir.tensor import Tensor
from graphc.ir.values import whole

CHANNELS_LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
CHANNELS_FIRST = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def is_channels_first(data_format: str | None) -> bool:
    return data_format is not None and data_format.startswith("NC")


def check_format(data_format: str | None, rank: int, *more: str) -> str:
    """The data format, channels last by default. Raises ValueError for one of another rank; `more`: others that
    count."""
    known = (CHANNELS_LAST[rank], CHANNELS_FIRST[rank], *more)
    if data_format is None:
        return known[0]
    if data_format not in known:
        raise ValueError(f"data_format must be one of {', '.join(known)}, but is {data_format!r}")
    return data_format


def full_list(values: Any, name: str, rank: int, first: bool) -> tuple[int, ...]:
    """One value an axis, batch and channels included, from an int, one, `rank` or rank + 2 of them; None: ones."""
    if values is None:
        return (1,) * (rank + 2)
    listed = [int(values)] if isinstance(values, (int, np.integer)) else [whole(v) for v in values]
    if len(listed) == rank + 2:
        return tuple(listed)
    if len(listed) not in (1, rank):
        raise ValueError(f"{name} should be of length 1, {rank} or {rank + 2} but was {len(listed)}")
    inner = listed * rank if len(listed) == 1 else listed
    return (1, 1, *inner) if first else (1, *inner, 1)


def padding_word(padding: Any) -> str:
    """Raises ValueError for anything but SAME and VALID, in any case."""
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise ValueError(f"padding must be \"SAME\" or \"VALID\", but is {padding!r}")
    return padding.upper()


def with_height(x: Any, first: bool) -> Tensor:
    """[batch, width, channels] as pictures of height 1."""
    result: Tensor = expand_dims(x, 2 if first else 1)
    return result


def without_height(x: Tensor, first: bool, name: str | None = None) -> Tensor:
    result: Tensor = squeeze(x, [2 if first else 1], name=name)
    return result
