"""Memory of many packed weights, and blocks that are large enough for large pages."""
from __future__ import annotations

import ctypes
from itertools import pairwise

import numpy as np
import pytest

import graphc as gc
from graphc.exec import host
from graphc.kernels.runtime import tables as t
from graphc.kernels.runtime.block import LARGE, PAGE
from graphc.kernels.runtime.pack import REGION

SIZES = (3, 600, 17, 1200, 1100, 800, 1, 65, 1500, 31, 700)      # of layers, so that packed weights differ much


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[host.Host]:
    """The host tables that are made from here on."""
    made: list[host.Host] = []
    init = host.Host.__init__

    def noted(self: host.Host, *arguments: object, **named: object) -> None:
        init(self, *arguments, **named)                         # type: ignore[arg-type]
        made.append(self)
    monkeypatch.setattr(host.Host, "__init__", noted)
    return made


def layers(rng: np.random.Generator) -> list[np.ndarray]:
    return [(rng.standard_normal(pair) / max(pair[0], 1) ** 0.5).astype(np.float32)
            for pair in pairwise(SIZES)]


@pytest.mark.parametrize("seed", range(3))
def test_packed_weights_stand_side_by_side(hosts: list[host.Host], seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, x = layers(rng), rng.standard_normal((40, SIZES[0])).astype(np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        fed = gc.placeholder(gc.float32, [None, SIZES[0]])
        value, exact = fed, x.astype(np.float64)
        for w in weights:
            value, exact = gc.matmul(value, gc.constant(w)), exact @ w
        for rows in (40, 1, 7):
            np.testing.assert_allclose(session.run(value, {fed: x[:rows]}), exact[:rows], rtol=1e-4, atol=1e-4)
    assert sum(w.nbytes for w in weights) > LARGE
    # Room for twice as much as was packed, and what a run itself needs.
    assert max(int(made.words[t.HOST_USED]) for made in hosts) < 2 * sum(w.nbytes for w in weights) + REGION // 4


def test_variables_are_packed_anew_in_their_place() -> None:
    rng = np.random.default_rng(0)
    weights, x = layers(rng), rng.standard_normal((40, SIZES[0])).astype(np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        value: gc.Tensor = gc.constant(x)
        variables = [gc.Variable(w) for w in weights]
        for v in variables:
            value = gc.matmul(value, v)
        session.run(gc.global_variables_initializer())
        scale = gc.group(*[gc.assign(v, v * 2) for v in variables[1:4]])
        before = session.run(value)
        session.run(scale)
        np.testing.assert_allclose(session.run(value), 8 * before, rtol=1e-6)


@pytest.mark.parametrize(("elements", "advised"), [(1000, False), (LARGE // 4 - 1000, False), (LARGE // 2, True)])
def test_only_large_blocks_are_advised(monkeypatch: pytest.MonkeyPatch, elements: int, advised: bool) -> None:
    seen: list[tuple[int, int, int]] = []

    @ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    def advise(address: int, size: int, advice: int) -> int:
        seen.append((address, size, advice))
        return -1                          # what the system says to it does not matter
    monkeypatch.setattr(host._process, "madvise", advise)
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        y = gc.cumsum(gc.cumsum(x) + 1)    # between them a buffer of the arena
        result = session.run(y, {x: np.zeros(elements, np.float32)})
        assert result.shape == (elements,) and result[0] == 1 and result[2] == 3
    assert bool(seen) == advised
    for address, size, advice in seen:
        assert address % PAGE == 0 and size % PAGE == 0 and size >= LARGE - 2 * PAGE and advice == 14
