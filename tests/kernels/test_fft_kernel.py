"""fft: against NumPy, of lengths with all kinds of divisors, rows alone and side by side."""
from __future__ import annotations

import numpy as np
import pytest

from graphc.ops.signal.by_kernel import _factors, _roots

from kernel_harness import NUMPY, backwards, filled, load, normal

LENGTHS = (1, 2, 3, 4, 7, 15, 16, 31, 60, 64, 65, 77, 240, 1000, 2048)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_fft(dtype: str) -> None:
    kernel = load("fft")[f"fft.{dtype}"]
    for n in LENGTHS:
        first, second = _factors(n)
        roots = _roots(first, second).astype(NUMPY[dtype])
        for outer in (0, 1, 17):
            x = normal((outer, n, 2), dtype, n)
            numbers = x[..., 0] + 1j * x[..., 1].astype(np.float64)
            for inverse, function in enumerate((np.fft.fft, np.fft.ifft)):
                y = filled(x.shape, dtype)
                assert kernel(x, roots, y, dims=[outer, first, second], attrs=[inverse], order=backwards) == 0
                if outer:
                    wanted = function(numbers)
                    error = np.abs(y[..., 0] + 1j * y[..., 1].astype(np.float64) - wanted).max() / np.abs(wanted).max()
                    assert error < 4 * np.finfo(x.dtype).eps * max(np.log2(n), 1), (n, outer, inverse)
