"""FarmHash's fingerprint of many strings at once: those of up to 16 bytes, which are most words, by NumPy.

As hashes.py has it, a string an element; uint64 wraps, which is what the masks there do.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.ops.strings.hashes import K0, K2, fingerprint64

FEW, SHORT = 16, 16
_K0, _K2 = np.uint64(K0), np.uint64(K2)


def fingerprints(strings: Sequence[bytes]) -> np.ndarray:
    """uint64 of each."""
    if len(strings) < FEW:
        return np.array([fingerprint64(string) for string in strings], np.uint64)
    sizes = np.fromiter(map(len, strings), np.int64, len(strings))
    made = np.empty(len(strings), np.uint64)
    data = np.frombuffer(b"".join([string[:SHORT].ljust(SHORT, b"\0") for string in strings]), np.uint8)
    data = data.reshape(-1, SHORT)
    for least, most, function in ((8, 16, _of_8), (4, 7, _of_4), (1, 3, _of_1)):
        which = np.flatnonzero((sizes >= least) & (sizes <= most))
        if which.size:
            made[which] = function(data[which], sizes[which])
    made[sizes == 0] = _K2
    for i in np.flatnonzero(sizes > SHORT):
        made[i] = fingerprint64(strings[i])
    return made


def _words(data: np.ndarray, at: np.ndarray | int, count: int) -> np.ndarray:
    """The number that `count` bytes of each row make, from byte `at` of it on."""
    place = np.broadcast_to(at, len(data))[:, None] + np.arange(count)
    taken = np.zeros((len(data), 8), np.uint8)
    taken[:, :count] = data[np.arange(len(data))[:, None], place]
    return taken.view("<u8")[:, 0].astype(np.uint64)


def _rotate(x: np.ndarray, by: int) -> np.ndarray:
    return (x >> np.uint64(by)) | (x << np.uint64(64 - by))


def _mixed(x: np.ndarray) -> np.ndarray:
    return x ^ (x >> np.uint64(47))


def _both(u: np.ndarray, v: np.ndarray, mul: np.ndarray) -> np.ndarray:
    a = _mixed((u ^ v) * mul)
    return _mixed((v ^ a) * mul) * mul


def _of_8(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    mul = _K2 + sizes.astype(np.uint64) * np.uint64(2)
    a, b = _words(data, 0, 8) + _K2, _words(data, sizes - 8, 8)
    return _both(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)


def _of_4(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    size = sizes.astype(np.uint64)
    first, last = _words(data, 0, 4), _words(data, sizes - 4, 4)
    return _both(size + (first << np.uint64(3)), last, _K2 + size * np.uint64(2))


def _of_1(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    first, middle, last = (_words(data, at, 1) for at in (0, sizes >> 1, sizes - 1))
    y, z = first + (middle << np.uint64(8)), sizes.astype(np.uint64) + (last << np.uint64(2))
    return _mixed((y * _K2) ^ (z * _K0)) * _K2
