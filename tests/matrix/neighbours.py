"""What stands in front of an op and behind it: each as graph operations and as NumPy, and both the same to the bit.

A Front makes an operand x of something that is fed (`feed`, of which x is made back by `array` and by `tensor`). A
Behind makes what is fetched of a result. Numbers fed beside them (an offset, a factor) are `Extra`: one placeholder
each in a graph.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc

Extra = Callable[[str, np.ndarray], Any]     # (name, value) -> a placeholder that is fed the value in every run
OFFSET = np.array(1, np.int32)


@dataclass(frozen=True)
class Front:
    feed: Callable[[np.ndarray], np.ndarray]
    array: Callable[[np.ndarray], np.ndarray]
    tensor: Callable[[Any, Extra], Any]
    takes: Callable[[np.ndarray], bool] = lambda x: x.dtype.kind in "fiub"


@dataclass(frozen=True)
class Behind:
    array: Callable[[np.ndarray], np.ndarray]
    tensor: Callable[[Any, int, Extra], Any]      # (result, its rank, extra)
    takes: Callable[[np.ndarray], bool] = lambda y: True


def ones(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Ones of a dtype; strings are "1"."""
    return np.full(shape, b"1", object) if dtype.kind == "O" else np.ones(shape, dtype)


def is_list(x: np.ndarray) -> bool:
    """Whether it is the reference's form of a list of tensors."""
    return x.dtype.kind == "O" and x.ndim == 0 and isinstance(x.item(), tuple)


def _one(x: np.ndarray) -> np.ndarray:
    return np.array(1, x.dtype)


# Elementwise: x = fed * 0.5, fed + 1, or fed != True: exact for every number but the largest.

def _scaled_feed(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        if x.dtype.kind == "f":
            return np.asarray(x * x.dtype.type(2))
        return np.logical_not(x) if x.dtype.kind == "b" else np.asarray(x - _one(x))


def _scaled_array(fed: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        if fed.dtype.kind == "f":
            return np.asarray(fed * fed.dtype.type(0.5))
        return np.not_equal(fed, True) if fed.dtype.kind == "b" else np.asarray(fed + _one(fed))


def is_computed_with(x: np.ndarray) -> bool:
    return x.dtype.kind == "b" or x.dtype in (np.float32, np.float64, np.int32, np.int64)


def _scaled_tensor(fed: Any, extra: Extra) -> Any:
    dtype = fed.dtype.numpy
    if dtype.kind == "f":
        return fed * extra("half", np.array(0.5, dtype))
    if dtype.kind == "b":
        return gc.not_equal(fed, extra("true", np.array(True)))
    return fed + extra("one", np.array(1, dtype))


# Reduction: x = the sum (of bools: any) of two fed parts, the second one zeros.

def _parts(x: np.ndarray) -> np.ndarray:
    return np.stack([x, np.zeros_like(x)])


def _sum(x: np.ndarray, axis: int) -> np.ndarray:
    if x.dtype.kind == "b":
        return np.asarray(np.any(x, axis))
    with np.errstate(all="ignore"):
        return np.asarray(np.sum(x, axis, dtype=x.dtype))


def _sum_tensor(x: Any, axis: int) -> Any:
    return gc.reduce_any(x, axis) if x.dtype.is_bool else gc.reduce_sum(x, axis)


# Views with an offset that is known only when run: x = fed[i:] and fed[i].

def _longer(x: np.ndarray) -> np.ndarray:
    return np.concatenate([ones((1, *x.shape[1:]), x.dtype), x])


def _two(x: np.ndarray) -> np.ndarray:
    return np.stack([ones(x.shape, x.dtype), x])


FRONTS: dict[str, Front] = {
    "direct": Front(lambda x: x, lambda x: x, lambda fed, extra: fed, lambda x: not is_list(x)),
    "elementwise": Front(_scaled_feed, _scaled_array, _scaled_tensor, is_computed_with),
    "reduction": Front(_parts, lambda fed: _sum(fed, 0), lambda fed, extra: _sum_tensor(fed, 0), is_computed_with),
    "slice": Front(_longer, lambda fed: fed[1:], lambda fed, extra: fed[extra("offset", OFFSET):],
                   lambda x: x.ndim > 0 and x.dtype.kind in "fiub"),
    "index": Front(_two, lambda fed: fed[1], lambda fed, extra: fed[extra("offset", OFFSET)]),
    # These three get x itself: as a constant of the graph, in a variable, through a Python function.
    "constant": Front(lambda x: x, lambda x: x, lambda fed, extra: fed),
    "variable": Front(lambda x: x, lambda x: x, lambda fed, extra: fed),
    "python": Front(lambda x: x, lambda x: x, lambda fed, extra: _through_python(fed)),
}


def _through_python(fed: Any) -> Any:
    result = gc.py_func(lambda x: x, [fed], fed.dtype)
    result.set_shape(fed.shape)
    return result


def _behind_elementwise(y: Any, extra: Extra) -> Any:
    dtype = y.dtype.numpy
    if dtype.kind == "f":
        return y * extra("two", np.array(2, dtype))
    if dtype.kind == "b":
        return gc.not_equal(y, extra("true", np.array(True)))
    return y + extra("one", np.array(1, dtype))


def _behind_elementwise_array(y: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        if y.dtype.kind == "f":
            return np.asarray(y * y.dtype.type(2))
        return np.not_equal(y, True) if y.dtype.kind == "b" else np.asarray(y + _one(y))


BEHINDS: dict[str, Behind] = {
    "direct": Behind(lambda y: y, lambda y, rank, extra: y),
    "elementwise": Behind(_behind_elementwise_array, lambda y, rank, extra: _behind_elementwise(y, extra),
                          is_computed_with),
    # Along the last axis; a scalar counts as a vector of one element.
    "reduction": Behind(lambda y: _sum(np.atleast_1d(y), -1),
                        lambda y, rank, extra: _sum_tensor(_vector(y, rank), -1),
                        is_computed_with),
    "slice": Behind(lambda y: np.atleast_1d(y)[1:], lambda y, rank, extra: _vector(y, rank)[extra("offset", OFFSET):]),
}


def _vector(y: Any, rank: int) -> Any:
    return y if rank else gc.reshape(y, [1])


def declared(array: np.ndarray, how: str) -> Any:
    """The shape of a placeholder for the array."""
    return {"known": list(array.shape), "unknown": [None] * array.ndim, "unranked": None}[how]
