"""The checksum of TensorFlow's files: CRC-32C, masked where it stands beside the data that it is of.

It is computed by google-crc32c, at several GB/s: a checkpoint is checked faster than it is copied.
"""
from __future__ import annotations

from typing import Any

import google_crc32c
import numpy as np

_MASK = 0xA282EAD8
_ALL = 0xFFFFFFFF


def crc32c(data: Any, before: int = 0) -> int:
    """Of `data` (bytes, or an array's elements as they stand), which comes after what has the checksum `before`."""
    return int(google_crc32c.extend(before, _readable(data)))


def masked_crc32c(data: Any) -> int:
    """As files hold it: a checksum of data that hold checksums would be no good one."""
    return masked(crc32c(data))


def masked(checksum: int) -> int:
    return ((checksum >> 15 | checksum << 17) + _MASK) & _ALL


def _readable(data: Any) -> Any:
    """What google-crc32c takes: bytes, or an array that is marked as read only."""
    if isinstance(data, bytes):
        return data
    view = np.frombuffer(data, np.uint8) if not isinstance(data, np.ndarray) else data.reshape(-1).view(np.uint8)
    view.flags.writeable = False
    return view
