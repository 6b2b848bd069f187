"""Gradients against central differences in float64: the oracle of every test of gradients in this folder."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import graphc as gc

STEP = 1e-5
Evaluate = Callable[[Any, Mapping[Any, Any]], Any]


def session_run(fetches: Any, feeds: Mapping[Any, Any]) -> Any:
    with gc.Session() as session:
        return session.run(fetches, dict(feeds))


def check(y: gc.Tensor, feeds: Mapping[gc.Tensor, np.ndarray], order: int = 1, evaluate: Evaluate = session_run,
          tolerance: float = 2e-5) -> list[gc.Tensor | None]:
    """The gradients of a random combination of y's elements in a random direction, up to `order`; those of first order.

    Every gradient must have its x's shape and dtype. An x without gradient must not move y.
    """
    rng = np.random.default_rng(7)
    xs = list(feeds)
    weights = rng.uniform(0.5, 1.5, np.shape(evaluate(y, feeds)))
    value, first = gc.reduce_sum(y * weights), None
    for _ in range(order):
        found = gc.gradients(value, xs)
        first = found if first is None else first
        present = [g for g in found if g is not None]
        arrays = iter(evaluate(present, feeds) if present else [])
        directions = {x: rng.standard_normal(np.shape(v)) for x, v in feeds.items()}
        exact, size = 0.0, 1.0
        for x, g in zip(xs, found, strict=True):
            if g is not None:
                array = np.asarray(next(arrays))
                assert array.shape == np.shape(feeds[x]) and array.dtype == np.float64, (x, array.shape, array.dtype)
                exact += float(np.sum(array * directions[x]))
                size = max(size, float(np.abs(array).max(initial=0)))
        ahead, behind = (float(evaluate(value, {x: v + sign * STEP * directions[x] for x, v in feeds.items()}))
                         for sign in (1, -1))
        numeric = (ahead - behind) / (2 * STEP)
        assert abs(exact - numeric) <= tolerance * max(size, abs(numeric)), f"{exact} by gradients, {numeric} expected"
        if not present:
            break
        value = gc.add_n([gc.reduce_sum(g * rng.uniform(0.5, 1.5, np.shape(v)))
                          for g, v in zip(found, feeds.values(), strict=True) if g is not None])
    return first or []


def placeholders(shapes: Sequence[Sequence[int]], declared: str = "sizes unknown", low: float = 0.5,
                 high: float = 1.5) -> dict[gc.Tensor, np.ndarray]:
    """float64 placeholders with random values to feed. declared: "known", "sizes unknown" or "rank unknown"."""
    rng = np.random.default_rng(3)
    said: dict[str, Callable[[Sequence[int]], Any]] = {
        "known": lambda s: s, "sizes unknown": lambda s: [None] * len(s), "rank unknown": lambda s: None}
    return {gc.placeholder(gc.float64, said[declared](s)): rng.uniform(low, high, s) for s in shapes}
