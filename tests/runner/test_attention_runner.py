"""Attention in a saved graph: a Session of any number of threads, the C++ runner and NumPy, for sizes that change."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner

HEADS, DEPTH, WIDTH = 3, 17, 40


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


def by_numpy(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | float) -> np.ndarray:
    scores = q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) * 0.25 + mask
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v.astype(np.float64)


@pytest.mark.parametrize("fusion", ["1", "0"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
def test_saved(dtype: gc.DType, masked: bool, fusion: str, native: n.Native, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    with gc.Graph().as_default() as graph:
        q, k, v, mask = (gc.placeholder(dtype, shape, name=name) for name, shape in (
            ("q", [None, HEADS, None, DEPTH]), ("k", [None, HEADS, None, DEPTH]), ("v", [None, HEADS, None, WIDTH]),
            ("mask", [None, None])))
        scores = gc.matmul(q, k, transpose_b=True) * 0.25
        y = gc.matmul(gc.nn.softmax(scores + mask if masked else scores), v)
        made = gc.tanh(y) + gc.reduce_sum(mask) * 0.0
        sessions = [gc.Session(graph=graph, config=gc.ConfigProto(intra_op_parallelism_threads=t)) for t in (1, 2)]
        file = gc.freeze(sessions[0], [made], [q, k, v, mask]).SerializeToString()
        assert b"attention." in file
        draw = np.random.default_rng(3)
        with native.load(file) as model:
            for batch, rows, cols in ((1, 1, 1), (2, 17, 31), (1, 65, 3), (2, 200, 300), (0, 3, 3), (1, 0, 5),
                                      (3, 1, 65)):
                shapes = ((batch, HEADS, rows, DEPTH), (batch, HEADS, cols, DEPTH), (batch, HEADS, cols, WIDTH),
                          (rows, cols))
                fed = [draw.standard_normal(shape).astype(dtype.as_numpy_dtype) for shape in shapes]
                right = np.tanh(by_numpy(*fed[:3], fed[3] if masked else 0))
                found = [s.run(made, dict(zip((q, k, v, mask), fed, strict=True))) for s in sessions]
                found += [model.run(fed)[0] for _ in range(2)]
                for each in found:
                    np.testing.assert_array_equal(each, found[0])
                np.testing.assert_allclose(found[0], right, rtol=2e-4, atol=2e-4)
        for session in sessions:
            session.close()
