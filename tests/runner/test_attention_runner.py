"""Attention in a saved graph: a Session of any number of threads, the C++ runner and NumPy, for sizes that change."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc as gc
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call

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
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
def test_saved(dtype: gc.DType, causal: bool, fusion: str, native: n.Native, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(dtype, [None, HEADS, None, DEPTH], name="x")
        weights = np.random.default_rng(1).standard_normal((DEPTH, WIDTH)).astype(dtype.as_numpy_dtype)
        scores = gc.matmul(gc.tanh(x), x, transpose_b=True) * 0.25
        places = gc.range(gc.shape(x)[2])
        later = gc.cast(gc.expand_dims(places, 0) > gc.expand_dims(places, 1), dtype) * -1e9
        y = gc.matmul(gc.nn.softmax(scores + later if causal else scores), gc.matmul(x, gc.constant(weights)))
        made = gc.tanh(y)
        calls = [step.kernel for body in compile_graph([made], feeds=[x]).plan.bodies for step in body.steps
                 if isinstance(step, Call)]
        assert [c for c in calls if c.startswith("attention.")] and not [c for c in calls if c.startswith("softmax.")]
        sessions = [gc.Session(graph=graph, config=gc.ConfigProto(intra_op_parallelism_threads=t)) for t in (1, 2)]
        file = gc.freeze(sessions[0], [made], [x]).SerializeToString()
        draw = np.random.default_rng(3)
        with native.load(file) as model, sessions[0], sessions[1]:
            for batch, rows in ((1, 1), (2, 17), (1, 65), (2, 300), (0, 3), (1, 0), (3, 3)):
                fed = draw.standard_normal((batch, HEADS, rows, DEPTH)).astype(dtype.as_numpy_dtype)
                hidden = np.triu(np.full((rows, rows), -1e9), 1) if causal else 0.0
                right = np.tanh(by_numpy(np.tanh(fed), fed, fed @ weights.astype(np.float64), hidden)) \
                    if fed.size else np.zeros((batch, HEADS, rows, WIDTH))
                found = [s.run(made, {x: fed}) for s in sessions] + [model.run([fed])[0] for _ in range(2)]
                for each in found:
                    np.testing.assert_array_equal(each, found[0])
                np.testing.assert_allclose(found[0], right, rtol=2e-4, atol=2e-4)


def test_parts_of_one_product(native: n.Native) -> None:
    """q, k and v are read where the product lies, and the heads are written behind the rows."""
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, None, 8], name="x")
        draw, size = np.random.default_rng(1), gc.shape(x)
        into, out = (gc.constant(draw.standard_normal(s).astype(np.float32)) for s in ((8, 3 * 51), (51, 8)))
        product = gc.reshape(gc.matmul(gc.reshape(x, [-1, 8]), into), [size[0], size[1], 3 * 51])
        q, k, v = (gc.transpose(gc.reshape(part, [size[0], size[1], HEADS, DEPTH]), [0, 2, 1, 3])
                   for part in gc.split(product, 3, axis=-1))
        mixed = gc.matmul(gc.nn.softmax(gc.matmul(q, k, transpose_b=True) * 0.25), v)
        y = gc.matmul(gc.reshape(gc.transpose(mixed, [0, 2, 1, 3]), [-1, 51]), out)
        with gc.Session(graph=graph) as session:
            file = gc.freeze(session, [y], [x]).SerializeToString()
            with native.load(file) as model:
                for shape in ((1, 1, 8), (2, 17, 8), (1, 65, 8), (0, 3, 8), (3, 0, 8), (2, 17, 8)):
                    fed = draw.standard_normal(shape).astype(np.float32)
                    np.testing.assert_array_equal(model.run([fed])[0], session.run(y, {x: fed}))


@pytest.mark.parametrize("mask", ["where", "products", "of its own batch"])
def test_masks_that_are_not_added(mask: str, native: n.Native) -> None:
    """Heads share one k and v; keys are hidden in each way, in one row all of them. In a loop, in both libraries."""
    with gc.Graph().as_default() as graph:
        x, fed_seen = gc.placeholder(gc.float32, [None, HEADS, None, DEPTH]), gc.placeholder(gc.bool, [None, None])
        seen = gc.reshape(fed_seen, [gc.shape(x)[0] if mask != "of its own batch" else -1, 1, 1, gc.shape(x)[2]])
        keys = x[:, :1] * 0.5

        def step(i: gc.Tensor, h: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
            s, flags = gc.matmul(h, keys, transpose_b=True) * 0.25, gc.cast(seen, gc.float32)
            s = s * flags - 1e10 * (1 - flags) if mask == "products" else gc.where_v2(seen, s, -1e9)
            return i + 1, gc.tanh(gc.reshape(gc.matmul(gc.nn.softmax(s), gc.tanh(keys)), gc.shape(x)))

        _, y = gc.while_loop(lambda i, h: i < 2, step, [gc.constant(0), x])
        assert [step for body in compile_graph([y], feeds=[x, fed_seen]).plan.bodies for step in body.steps
                if isinstance(step, Call) and step.kernel == "attention.f32"]
        sessions = [gc.Session(graph=graph, config=gc.ConfigProto(intra_op_parallelism_threads=t)) for t in (1, 2)]
        file = gc.freeze(sessions[0], [y], [x, fed_seen]).SerializeToString()
        draw = np.random.default_rng(3)
        with native.load(file) as model, sessions[0], sessions[1]:
            for batch, rows in ((1, 1), (2, 17), (1, 300), (0, 3), (3, 65)):
                given = draw.standard_normal((batch, HEADS, rows, DEPTH)).astype(np.float32)
                shown = (draw.random((batch, rows)) > 0.3) & (np.arange(batch)[:, None] != 1)
                hidden = np.where(shown, 0, -np.inf)[:, None, None]
                hidden[~shown.any(-1)] = 0                                   # a row hidden whole: equal weights
                factor = np.where(shown.any(-1), 1.0, 0.0)[:, None, None, None]
                right, k = given, given[:, :1] * 0.5
                for _ in range(2):
                    right = np.tanh(by_numpy(right * factor, k, np.tanh(k), hidden)) if given.size else given
                found = [s.run(y, {x: given, fed_seen: shown}) for s in sessions] + [model.run([given, shown])[0]]
                for each in found:
                    np.testing.assert_array_equal(each, found[0])
                np.testing.assert_allclose(found[0], right, rtol=2e-4, atol=2e-4)
