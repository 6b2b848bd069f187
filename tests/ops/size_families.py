"""Ops whose sizes or indices only running tells, and the places where a program may use them.

A Family is made of one tensor x [rows, 3] and one fed integer n, in graphc and in NumPy. `values(rows)` are the n for
which it means something. A place puts a family behind, before or inside something else.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc

COLUMNS = 3


def _all(rows: int) -> list[int]:
    return [-rows - 1, -1, 0, 1, rows, rows + 2]


def _sizes(rows: int) -> list[int]:
    return [0, 1, rows]


def _within(rows: int) -> list[int]:
    return sorted({0, min(1, rows), rows})


def _divisors(rows: int) -> list[int]:
    return [d for d in (1, 3, rows * 3) if d]


def _indices(rows: int) -> list[int]:
    return sorted({-rows, -1, 0, rows - 1}) if rows else []


@dataclass(frozen=True)
class Family:
    graph: Callable[[Any, Any], Any]
    numpy: Callable[[np.ndarray, int], np.ndarray]
    values: Callable[[int], list[int]]
    gradient: bool = True


def _slice_sizes(x: np.ndarray, n: int) -> np.ndarray:
    return x[:, :1] if n == -1 else x[:n, :1]


FAMILIES: dict[str, Family] = {
    "x[n]": Family(lambda x, n: x[n], lambda x, n: x[n], _indices),
    "x[:, n]": Family(lambda x, n: x[:, n], lambda x, n: x[:, n], lambda rows: [-3, -1, 0, 2]),
    "x[n, 1:]": Family(lambda x, n: x[n, 1:], lambda x, n: x[n, 1:], _indices),
    "x[n, 0]": Family(lambda x, n: x[n, 0], lambda x, n: np.asarray(x[n, 0]), _indices),
    "x[n:]": Family(lambda x, n: x[n:], lambda x, n: x[n:], _all),
    "x[:n]": Family(lambda x, n: x[:n], lambda x, n: x[:n], _all),
    "x[n::2]": Family(lambda x, n: x[n::2], lambda x, n: x[n::2], _all),
    "x[:n:-1]": Family(lambda x, n: x[:n:-1], lambda x, n: x[:n:-1], _all),
    "x[n::-2]": Family(lambda x, n: x[n::-2], lambda x, n: x[n::-2], _all),
    "x[::n]": Family(lambda x, n: x[::n], lambda x, n: x[::n], lambda rows: [-2, -1, 1, 2]),
    "x[1:n:n]": Family(lambda x, n: x[1:n:n], lambda x, n: x[1:n:n], lambda rows: [-2, -1, 1, 3]),
    "x[None, n:, ...]": Family(lambda x, n: x[None, n:, ..., 1], lambda x, n: x[None, n:, ..., 1], _all),
    "slice begin": Family(lambda x, n: gc.slice(x, [n, 0], [-1, 2]), lambda x, n: x[n:, :2], _within),
    "slice size": Family(lambda x, n: gc.slice(x, [0, 0], [n, 1]), _slice_sizes, lambda rows: [-1, *_within(rows)]),
    "transpose": Family(lambda x, n: gc.transpose(x[n:]), lambda x, n: x[n:].T, _all),
    "reverse": Family(lambda x, n: gc.reverse(x[:n], [0]), lambda x, n: x[:n][::-1], _all),
    "broadcast_to": Family(lambda x, n: gc.broadcast_to(x[:, :1], [n, gc.shape(x)[0], 2]),
                           lambda x, n: np.broadcast_to(x[:, :1], (n, len(x), 2)), _sizes),
    "fill": Family(lambda x, n: gc.fill([n, 2], 7.0), lambda x, n: np.full((n, 2), 7.0), _sizes, False),
    "zeros": Family(lambda x, n: gc.zeros([n, 2]), lambda x, n: np.zeros((n, 2)), _sizes, False),
    "range": Family(lambda x, n: gc.cast(gc.range(n), gc.float32), lambda x, n: np.arange(n) * 1.0, _sizes, False),
    "range by n": Family(lambda x, n: gc.cast(gc.range(5, n * 4, n), gc.float32),
                         lambda x, n: np.arange(5, n * 4, n) * 1.0, lambda rows: [-2, -1, 2, 3], False),
    "expand_dims": Family(lambda x, n: gc.expand_dims(x[n:], 1), lambda x, n: x[n:, None], _all),
    "squeeze": Family(lambda x, n: gc.squeeze(x[n:, 1:2], 1), lambda x, n: x[n:, 1], _all),
    "squeeze a row": Family(lambda x, n: gc.squeeze(gc.slice(x, [n, 0], [1, 3])), lambda x, n: x[n],
                            lambda rows: list(range(rows))),
    "reshape [n, -1]": Family(lambda x, n: gc.reshape(x, [n, -1]), lambda x, n: x.reshape(n, -1), _divisors),
    "reshape [-1, n]": Family(lambda x, n: gc.reshape(x, [-1, n]), lambda x, n: x.reshape(-1, n), _divisors),
    "reshape [n]": Family(lambda x, n: gc.reshape(x, [n]), lambda x, n: x.reshape(-1),
                          lambda rows: [-1, rows * 3] if rows else [0]),
    "reshape [n, 3]": Family(lambda x, n: gc.reshape(x, [n, 3]), lambda x, n: x, lambda rows: [-1, rows]),
    "reshape of constants": Family(lambda x, n: gc.reshape(np.arange(6, dtype=np.float32), [n, -1]),
                                   lambda x, n: np.arange(6.0).reshape(n, -1), lambda rows: [1, 2, 6], False),
    "tile": Family(lambda x, n: gc.tile(x, [n, 2]), lambda x, n: np.tile(x, (n, 2)), _sizes),
    "pad": Family(lambda x, n: gc.pad(x, [[n, 0], [1, n]]), lambda x, n: np.pad(x, ((n, 0), (1, n))), _sizes),
    "concat": Family(lambda x, n: gc.concat([x[:n], x, x[n:]], 0), lambda x, n: np.concatenate([x[:n], x, x[n:]]),
                     _all),
    "stack": Family(lambda x, n: gc.stack([x[:n], x[:n] * 2.0], 1), lambda x, n: np.stack([x[:n], x[:n] * 2.0], 1),
                    _all),
    "unstack": Family(lambda x, n: gc.unstack(x[n:], axis=1)[1], lambda x, n: x[n:, 1], _all),
    "split": Family(lambda x, n: gc.split(x, [n, -1], 0)[1], lambda x, n: x[n:], _within),
    "split, -1 fed": Family(lambda x, n: gc.split(x, [n, 1], 1)[0], lambda x, n: x[:, :2], lambda rows: [-1, 2]),
    "boolean_mask": Family(lambda x, n: gc.boolean_mask(x, gc.range(gc.shape(x)[0]) < n),
                           lambda x, n: x[np.arange(len(x)) < n], _all),
    "where": Family(lambda x, n: gc.cast(gc.where(gc.range(gc.shape(x)[0]) < n), gc.float32),
                    lambda x, n: np.argwhere(np.arange(len(x)) < n) * 1.0, _all, False),
    "gather": Family(lambda x, n: gc.gather(x, gc.range(n)), lambda x, n: x[:n], _within),
    "one_hot": Family(lambda x, n: gc.one_hot(gc.constant([0, 2]), n, axis=0),
                      lambda x, n: (np.arange(n)[:, None] == [0, 2]) * 1.0, _sizes, False),
    "shape": Family(lambda x, n: gc.cast(gc.shape(x[n:]), gc.float32), lambda x, n: np.array(x[n:].shape) * 1.0, _all,
                    False),
    "shape[n]": Family(lambda x, n: gc.cast(gc.shape(x)[n], gc.float32), lambda x, n: np.float64(x.shape[n]),
                       lambda rows: [-2, -1, 0, 1], False),
    "shape[n:]": Family(lambda x, n: gc.cast(gc.shape(x)[n:], gc.float32), lambda x, n: np.array(x.shape[n:]) * 1.0,
                        lambda rows: [-3, -1, 0, 1, 2], False),
    "size": Family(lambda x, n: gc.cast(gc.size(x[n:]), gc.float32), lambda x, n: np.float64(x[n:].size), _all, False),
    "rank": Family(lambda x, n: gc.cast(gc.rank(x[n:]), gc.float32), lambda x, n: np.float64(2), _all, False),
}

# A place makes a float tensor of a family f, and the same in NumPy.
Place = tuple[Callable[..., Any], Callable[..., np.ndarray]]


def _loop(x: Any, n: Any, f: Any) -> Any:
    return gc.while_loop(lambda k, total: k < 2, lambda k, total: [k + 1, total + gc.reduce_sum(f(x, n) * 2.0)],
                         [0, gc.constant(0.0)])[1]


def _square(x: Any, n: Any, f: Any) -> Any:
    y = f(x, n)
    return gc.matmul(gc.reshape(y, [1, -1]), gc.reshape(y, [-1, 1]))


def _per_row(x: Any, n: Any, f: Any) -> Any:
    y = f(gc.expand_dims(gc.reduce_sum(gc.square(x), 1), 1) * x, n) * 0.5
    return gc.reduce_sum(gc.square(y), -1) if y.shape.ndims else y


def _per_row_numpy(x: np.ndarray, n: int, f: Any) -> np.ndarray:
    y = f(np.square(x).sum(1)[:, None] * x, n) * 0.5
    return np.square(y).sum(-1) if y.ndim else y


W = np.array([[1, 2, 0], [0, 1, 1], [3, 0, 1]], np.float32)
PLACES: dict[str, Place] = {
    "alone": (lambda x, n, f: f(x, n), lambda x, n, f: f(x, n)),
    "before a map": (lambda x, n, f: gc.square(f(x, n)) * 2.0 + 1.0, lambda x, n, f: np.square(f(x, n)) * 2 + 1),
    "behind a map": (lambda x, n, f: f(gc.square(x) + 1.0, n), lambda x, n, f: f(np.square(x) + 1, n)),
    "summed": (lambda x, n, f: gc.reduce_sum(f(x, n)), lambda x, n, f: np.asarray(f(x, n).sum())),
    "between reductions": (_per_row, _per_row_numpy),
    "behind matmul": (lambda x, n, f: f(gc.matmul(x, W), n), lambda x, n, f: f(x @ W.astype(np.float64), n)),
    "in matmul": (_square, lambda x, n, f: np.square(f(x, n)).sum().reshape(1, 1)),
    "in a loop": (_loop, lambda x, n, f: np.asarray(f(x, n).sum() * 4)),
    "in a branch": (lambda x, n, f: gc.cond(gc.reduce_sum(x) > -1e9, lambda: f(x, n) + 1.0, lambda: f(x, n) - 1.0),
                    lambda x, n, f: f(x, n) + 1),
}
