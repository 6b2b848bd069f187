"""attention with dropout of its weights: what becomes one step, which draws what the random op draws."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.passes.attention import attention as attention_pass
from graphc.passes.attention.attention import attention
from graphc.passes.attention.ops import Attending
from graphc.passes.pipeline import PIPELINE
from graphc.passes.simplification.simplify import simplify

from checking import check_rewrite, flow_of, types

Form = Callable[[Any, Any], Any]
RATE = 0.3


@pytest.fixture(autouse=True)
def few_rows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_pass, "FEW", 0)


def flags(p: Any, keep: Any) -> Any:
    return gc.floor(keep + gc.random_uniform(gc.shape(p), seed=5, dtype=p.dtype))


def stateless(p: Any, keep: Any) -> Any:
    drawn = gc.random.stateless_uniform(gc.shape(p), seed=[3, 4], dtype=p.dtype)
    return p * gc.cast(drawn >= 1.0 - keep, p.dtype) / keep


def keyed(p: Any, keep: Any) -> Any:
    drawn = apply(OPS["StatelessRandomUniformV2"], gc.shape(p), np.array([2**63 + 5], np.uint64),
                  np.array([0, 7], np.uint64), alg=1, dtype=p.dtype)
    return gc.cast(drawn >= RATE, p.dtype) * p


DROPPED: dict[str, Form] = {
    "a rate": lambda p, keep: gc.nn.dropout(p, rate=RATE, seed=3),
    "a part that is kept, fed": lambda p, keep: gc.nn.dropout(p, keep_prob=keep, seed=3),
    "flags by floor": lambda p, keep: gc.div(p, keep) * flags(p, keep),
    "flags first": lambda p, keep: flags(p, keep) * p * (1 / keep),
    "flags alone": lambda p, keep: p * flags(p, 1 - RATE),
    "stateless": stateless,
    "of a key and a counter": keyed,
}
COMPOSED: dict[str, Form] = {
    "rows together": lambda p, keep: gc.nn.dropout(p, rate=RATE, noise_shape=[2, 3, None, 1], seed=3),
    "other numbers": lambda p, keep: p * gc.cast(gc.random_normal(gc.shape(p), seed=3) >= RATE, p.dtype),
    "a rate for each row": lambda p, keep: p * gc.cast(
        gc.random_uniform(gc.shape(p), seed=3) >= np.full((2, 3, 5, 1), RATE, np.float32), p.dtype),
    "flags twice": lambda p, keep: p * flags(p, keep) * flags(p, keep),
    "a factor for each row": lambda p, keep: p * flags(p, keep) * np.full((2, 3, 5, 1), 0.5, np.float32),
}


def attended(x: Any, form: Form, keep: Any) -> Any:
    """Of q, k and v that are parts of x."""
    q, k, v = gc.split(x, 3, axis=-1)
    p = gc.nn.softmax(gc.matmul(q, k, transpose_b=True) * 0.5)
    return gc.matmul(form(p, keep), v)


def built(form: Form, training: bool) -> tuple[Any, list[np.ndarray]]:
    """A flow, and what it is fed."""
    x, keep = gc.placeholder(gc.float32, [2, 3, 5, 12]), gc.placeholder(gc.float32, [])
    y = attended(x, form, keep)
    fetches = [y, *(gc.gradients(gc.reduce_sum(gc.square(y)), [x]) if training else ())]
    array = np.random.default_rng(0).normal(size=(2, 3, 5, 12)).astype(np.float32)
    return simplify(flow_of(fetches, [x, keep])), [array, np.float32(0.6)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", DROPPED)
def test_joined(name: str, training: bool) -> None:
    with gc.Graph().as_default():
        flow, feeds = built(DROPPED[name], training)
        after = check_rewrite(flow, attention, feeds)
    found = types(after)
    assert "_AttentionKept" in found and ("_AttentionGrad" in found) == training
    assert all(n.op.dropped for n in after.nodes() if isinstance(n.op, Attending))
    assert not {"Softmax", "BatchMatMul", "BatchMatMulV2", "RandomUniform", "StatelessRandomUniform",
                "StatelessRandomUniformV2"} & set(found)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", COMPOSED)
def test_composed(name: str, training: bool) -> None:
    with gc.Graph().as_default():
        flow, feeds = built(COMPOSED[name], training)
        assert "Softmax" in types(check_rewrite(flow, attention, feeds))


def test_flags_that_others_read_are_drawn_twice() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 3, 5, 12])
        q, k, v = gc.split(x, 3, axis=-1)
        p = gc.nn.softmax(gc.matmul(q, k, transpose_b=True))
        kept = flags(p, 0.6)
        flow = simplify(flow_of([gc.matmul(p * kept, v), gc.reduce_sum(kept)], [x]))
        found = types(check_rewrite(flow, attention, [np.ones((2, 3, 5, 12), np.float32)]))
    assert {"_AttentionKept", "RandomUniform", "Floor"} <= set(found)


def test_a_plan_of_a_gpu_is_joined() -> None:
    with gc.Graph().as_default():
        flow, _ = built(DROPPED["a rate"], True)
        assert {"_AttentionKept", "_AttentionGrad"} <= set(types(attention(flow, {})))


def trained(form: Form, t: int, threads: int) -> list[Any]:
    """Two runs of two layers, one of them in a loop, and their gradients; the number of tokens is not known."""
    with gc.Graph().as_default():
        x, keep = gc.placeholder(gc.float32, [2, 3, None, 12]), gc.placeholder(gc.float32, [])
        _, h = gc.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, gc.tanh(gc.tile(
            attended(h, form, keep), [1, 1, 1, 3])) + h), [gc.constant(0), gc.stop_gradient(x)])
        y = attended(x + h, form, keep)
        fetches = [h, y, *gc.gradients(gc.reduce_sum(gc.square(y)), [x])]
        config = gc.ConfigProto(intra_op_parallelism_threads=threads)
        array = np.random.default_rng(1).normal(size=(2, 3, t, 12)).astype(np.float32)
        with gc.Session(config=config) as session:
            return [a for _ in range(2) for a in session.run(fetches, {x: array, keep: 0.6})]


@pytest.mark.parametrize("mode", ["graphc", "tensorflow"])
@pytest.mark.parametrize("t", [0, 1, 17, 65])
@pytest.mark.parametrize("name", ["a part that is kept, fed", "stateless", "of a key and a counter"])
def test_numbers_are_those_of_the_composed_form(name: str, t: int, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a loop, behind it, in both runs, for one thread and two; TensorFlow's streams of numbers, too."""
    before = gc.get_random_mode()
    gc.set_random_mode(mode)
    try:
        one, two = (trained(DROPPED[name], t, threads) for threads in (1, 2))
        monkeypatch.setattr("graphc.plan.compile.PIPELINE", tuple(p for p in PIPELINE if p[0] != "attention"))
        composed = trained(DROPPED[name], t, 1)
    finally:
        gc.set_random_mode(before)
    for a, b, c in zip(one, two, composed, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=2e-3, atol=1e-3)
    if t > 1:
        assert (np.abs(one[0] - one[3]).max() > 1e-3) == name.endswith("fed")


def test_gradients_are_those_of_finite_differences() -> None:
    """In float64, along a random direction; each session's first run draws the same numbers."""
    rng, step = np.random.default_rng(2), 1e-6
    array, direction = rng.normal(size=(2, 3, 17, 12)), rng.normal(size=(2, 3, 17, 12))
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float64, array.shape)
        loss = gc.reduce_sum(gc.square(attended(x, DROPPED["a rate"], None)))
        by_x = gc.gradients(loss, [x])[0]

        def first_run(fetch: Any, given: np.ndarray) -> Any:
            with gc.Session() as session:
                return session.run(fetch, {x: given})

        wanted = (first_run(loss, array + step * direction) - first_run(loss, array - step * direction)) / (2 * step)
        assert float(np.sum(first_run(by_x, array) * direction)) == pytest.approx(float(wanted), rel=1e-6)
