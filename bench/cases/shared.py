"""Sizes and data that every peer of bench/run.py uses."""
from __future__ import annotations

import itertools

import numpy as np

CHAIN_LENGTH, CHAIN_SIZE = 500, 4096
MLP = (784, 512, 512, 10)
BATCH = 64
RATE = 0.01


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def mlp_weights() -> list[np.ndarray]:
    r = rng()
    pairs = itertools.pairwise(MLP)
    return [(r.standard_normal((m, n)) / np.sqrt(m)).astype(np.float32) for m, n in pairs]


def mlp_batch() -> tuple[np.ndarray, np.ndarray]:
    r = rng()
    return r.standard_normal((BATCH, MLP[0])).astype(np.float32), r.integers(0, 10, BATCH)


def lenet_weights() -> list[np.ndarray]:
    """HWIO convolutions 5x5x1x32 and 5x5x32x64, dense 3136x512 and 512x10."""
    r = rng()
    shapes = ((5, 5, 1, 32), (5, 5, 32, 64), (7 * 7 * 64, 512), (512, 10))
    return [(r.standard_normal(s) / np.sqrt(np.prod(s[:-1]))).astype(np.float32) for s in shapes]


def lenet_batch() -> tuple[np.ndarray, np.ndarray]:
    r = rng()
    return r.standard_normal((BATCH, 28, 28, 1)).astype(np.float32), r.integers(0, 10, BATCH)
