"""wgmma's layouts, TMA's boxes and tensor maps, each against what the documentation says of it."""
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from graphc.exec.cuda.driver import CudaError, find_device
from graphc.exec.cuda.tensor_map import BYTES, TensorMap

from ptx.text import PtxError
from ptx.warpgroup import Descriptor
from stand_in_driver import IS_THERE, driver_standing_in


def listed(shape: Any, stride: Any) -> np.ndarray:
    """Offsets of a CuTe layout's mode, whose first part runs fastest."""
    if isinstance(shape, int):
        return np.arange(shape) * stride
    parts = [listed(s, d) for s, d in zip(shape, stride, strict=True)]
    return np.array([sum(reversed(one)) for one in itertools.product(*reversed(parts))])


# The examples of PTX ISA 9.0, 9.7.15.5.1.2.1.3: element bytes, whether k lies along lines, the swizzling mode, the
# exact layout of rows and of k in elements, leading and stride byte offsets in elements.
EXAMPLES = {
    "K-major, none, tf32": (4, True, 0, ((8, 2), (4, 32)), ((4, 4), (1, 64)), 64, 32),
    "K-major, 32 bytes, tf32": (4, True, 3, ((8, 2), (8, 64)), ((4, 4), (1, 4)), 0, 64),
    "MN-major, none, bf16": (2, False, 0, ((8, 1, 2), (1, 8, 64)), ((8, 2), (8, 128)), 128, 64),
    "MN-major, 32 bytes, bf16": (2, False, 3, ((8, 2, 2), (1, 8, 128)), ((8, 2), (16, 256)), 128, 256),
    "MN-major, 64 bytes, bf16": (2, False, 2, ((8, 4, 2), (1, 8, 256)), ((8, 2), (32, 512)), 256, 512),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_layouts_are_the_documented_ones(name: str) -> None:
    size, along_k, mode, rows, ks, leading, stride = EXAMPLES[name]
    wanted = size * (listed(*rows)[:, None] + listed(*ks)[None, :])
    word = mode << 62 | (stride * size >> 4) << 32 | (leading * size >> 4) << 16
    found = Descriptor.of(word).offsets(*wanted.shape, size, along_k)
    np.testing.assert_array_equal(found[..., 0], wanted)
    np.testing.assert_array_equal(found - found[..., :1], np.broadcast_to(np.arange(size), found.shape))


def test_a_swizzle_exchanges_16_bytes_by_the_number_of_the_line() -> None:
    """CuTe's Swizzle<3, 4, 3>: bits 4 to 6 of an address, exclusive or with bits 7 to 9."""
    word = 1 << 62 | 64 << 32 | 1 << 16
    places = Descriptor.of(word).places(16, 16, 2, True)[..., 0]
    for row, k in itertools.product(range(16), range(16)):
        line, chunk, rest = row, 2 * k // 16, 2 * k % 16
        assert places[row, k] == 128 * line + 16 * (chunk ^ line % 8) + rest
    with pytest.raises(PtxError, match="base offset"):
        Descriptor.of(word | 1 << 49)


GOOD = TensorMap("bf16", 1 << 20, 200, 130, 3, 400, 400 * 130, 128)


@pytest.mark.skipif(not IS_THERE, reason="the library stands in on x86-64 only")
@pytest.mark.parametrize("changes", [
    {"address": (1 << 20) + 8}, {"length": 0}, {"lines": (1 << 32) + 1}, {"batch": 0}, {"line": 392}, {"line": 384},
    {"line": 1 << 40}, {"matrix": 400 * 129}, {"across": 257}, {"across": 0}])
def test_maps_that_the_driver_refuses(changes: dict[str, int]) -> None:
    with driver_standing_in(compute=90):
        device = find_device()
        assert device is not None and len(device.tensor_map(GOOD)) == BYTES
        with pytest.raises(CudaError, match="cuTensorMapEncodeTiled: CUDA_ERROR_INVALID_VALUE"):
            device.tensor_map(TensorMap(**{**vars(GOOD), **changes}))
    with driver_standing_in(compute=80):
        device = find_device()
        assert device is not None
        with pytest.raises(CudaError, match="INVALID_VALUE"):
            device.tensor_map(GOOD)
