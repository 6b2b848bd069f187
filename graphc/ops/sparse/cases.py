"""What references and samples of ops on sparse tensors share."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import InvalidArgumentError


def check_inside(indices: np.ndarray, shape: Sequence[int], ordered: bool = False) -> None:
    """Raises InvalidArgumentError for index tuples that are outside (or do not ascend)."""
    if np.any((indices < 0) | (indices >= np.array(shape, np.int64))):
        raise InvalidArgumentError(f"indices do not index into shape {list(shape)}")
    rows = indices.tolist()
    if ordered and any(a >= b for a, b in itertools.pairwise(rows)):
        raise InvalidArgumentError("the indices are out of order or repeated")


def entries(indices: np.ndarray, values: np.ndarray) -> list[tuple[tuple[int, ...], Any]]:
    return [(tuple(row), value) for row, value in zip(indices.tolist(), values, strict=True)]


def arrays_of(found: Sequence[tuple[tuple[int, ...], Any]], rank: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Indices and values of (index tuple, value)s."""
    return (np.array([row for row, _ in found], np.int64).reshape(len(found), rank),
            np.array([value for _, value in found], dtype))


# Samples: index tuples in order, and a shape. The first ones are short, so that matrices of them stay small.

SPARSE: list[tuple[Any, tuple[int, ...]]] = [
    ([[0, 1], [0, 3], [2, 0], [2, 2]], (3, 4)), ([[1], [4], [5]], (7,)), ([[0, 0, 1], [0, 2, 0], [1, 1, 1]], (2, 3, 2)),
    ([[0, 0]], (1, 1)), (np.zeros((0, 2)), (2, 3)), (np.zeros((0, 2)), (0, 3)),
]


def int64s(values: Any) -> np.ndarray:
    return np.array(values, np.int64)


def sparse(rows: Any, shape: Sequence[int]) -> tuple[np.ndarray, tuple[int], np.ndarray]:
    """indices, the shape of the values (to be drawn), and the dense shape, for a sample's inputs."""
    indices = int64s(rows).reshape(-1, len(shape))
    return indices, (len(indices),), int64s(shape)
