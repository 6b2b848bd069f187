"""attention_strides: in whatever way q, k and v are taken from one product, nothing is copied around attention; and
what strides cannot say stays as it was. Numbers are those of the flow without the pass, in C++ too."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.attention.attention import attention
from graphc.passes.attention.attention_strides import attention_strides
from graphc.passes.pipeline import PIPELINE
from graphc.passes.simplification.simplify import simplify
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call, Map

from checking import check_rewrite, flow_of, types

B, T, H, D = 2, 17, 3, 5
Build = Callable[[Any], Any]


def heads(x: Any) -> Any:
    return gc.transpose(gc.reshape(x, [-1, T, H, D]), [0, 2, 1, 3])


def split(x: Any) -> Any:
    return [heads(part) for part in gc.split(x, 3, axis=-1)]


def split_unevenly(x: Any) -> Any:
    return [heads(part) for part in gc.split(x, [H * D] * 3, axis=2)]


def unstacked(x: Any) -> Any:
    return gc.unstack(gc.transpose(gc.reshape(x, [-1, T, 3, H, D]), [2, 0, 3, 1, 4]))


def sliced(x: Any) -> Any:
    parts = gc.reshape(x, [-1, T, 3, H, D])
    return [gc.transpose(parts[:, :, i], [0, 2, 1, 3]) for i in range(3)]


def interleaved(x: Any) -> Any:
    """Heads outside, as some checkpoints have them."""
    parts = gc.transpose(gc.reshape(x, [-1, T, H, 3 * D]), [0, 2, 1, 3])
    return [gc.slice(parts, [0, 0, 0, i * D], [-1, -1, -1, D]) for i in range(3)]


TAKEN: dict[str, Build] = {f.__name__: f for f in (split, split_unevenly, unstacked, sliced, interleaved)}


def attended(q: Any, k: Any, v: Any) -> Any:
    mixed = gc.matmul(gc.nn.softmax(gc.matmul(q, k, transpose_b=True) * D ** -0.5), v)
    return gc.reshape(gc.transpose(mixed, [0, 2, 1, 3]), [-1, T, H * D])


def given(batch: int = B) -> np.ndarray:
    return np.random.default_rng(batch).standard_normal((batch, T, 3 * H * D)).astype(np.float32)


@pytest.mark.parametrize("name", TAKEN)
def test_nothing_is_copied(name: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [B, T, 3 * H * D])
        flow = attention(simplify(flow_of([attended(*TAKEN[name](x))], [x])))
        check_rewrite(flow, attention_strides, [given()], ["Reshape", "_Attention"])


def layer(x: Any, take: Build) -> Any:
    """Attention behind a product and in front of one."""
    width = x.shape[-1]
    draw = np.random.default_rng(3)
    into, out = (gc.constant(draw.standard_normal(shape).astype(np.float32) * 0.3)
                 for shape in ((width, 3 * H * D), (H * D, width)))
    product = gc.reshape(gc.matmul(gc.reshape(x, [-1, width]), into), [-1, T, 3 * H * D])
    return gc.reshape(gc.matmul(gc.reshape(attended(*take(product)), [-1, H * D]), out), [-1, T, width])


@pytest.mark.parametrize("name", TAKEN)
def test_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two layers and their gradients, the batch unknown, once in a loop: one thread, two, and without the pass."""
    def made(threads: int, without: bool) -> list[np.ndarray]:
        if without:
            monkeypatch.setattr("graphc.plan.compile.PIPELINE", [p for p in PIPELINE if p[0] != "attention_strides"])
        with gc.Graph().as_default():
            x = gc.placeholder(gc.float32, [None, T, 8])
            _, h = gc.while_loop(lambda i, h: i < 1, lambda i, h: (i + 1, h + layer(h, TAKEN[name])),
                                 [gc.constant(0), x])
            y = layer(layer(h, TAKEN[name]), TAKEN[name])
            fetches = [y, *gc.gradients(gc.reduce_sum(gc.square(y)), [x])]
            with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
                return [a for n in (1, 3, 0) for a in session.run(fetches, {x: given(n)[..., :8]})]

    one, two, before = made(1, False), made(2, False), made(1, True)
    for a, b, c in zip(one, two, before, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scores", ["bqhd,bkhd->bhqk", "bkhd,bqhd->bhqk"])
def test_einsum(scores: str) -> None:
    """Projections of each head and both orders of the factors (Keras has keys in front)."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in [(8, H, D)] * 3 + [(H, D, 8)]]
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, 8])
        *into, out = [gc.constant(a) for a in arrays]
        q, k, v = (gc.einsum("btw,whd->bthd", x, w) for w in into)
        factors = (q, k) if scores.startswith("bq") else (k, q)
        p = gc.nn.softmax(gc.einsum(scores, *factors) * D ** -0.5)
        y = gc.einsum("bthd,hdw->btw", gc.einsum("bhqk,bkhd->bqhd", p, v), out)
        steps = steps_of([y], [x])
        assert "copy" not in steps and "attention.f32" in steps
        found = gc.Session().run(y, {x: given()[..., :8]})
    x, wq, wk, wv, wo = (a.astype(np.float64) for a in (given()[..., :8], *arrays))
    q, k, v = (np.einsum("btw,whd->bthd", x, w) for w in (wq, wk, wv))
    e = np.exp(np.einsum("bqhd,bkhd->bhqk", q, k) * D ** -0.5)
    right = np.einsum("bthd,hdw->btw", np.einsum("bhqk,bkhd->bqhd", e / e.sum(-1, keepdims=True), v), wo)
    np.testing.assert_allclose(found, right, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("scores", ["bqhd,bkhd->bhqk", "bkhd,bqhd->bhqk"])
@pytest.mark.parametrize("scaled", ["q", "scores"])
def test_einsum_in_training(scores: str, scaled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of queries and other keys, as Keras' MultiHeadAttention has them: one step, one for the gradient, no copy."""
    def made(without: bool) -> list[np.ndarray]:
        if without:
            monkeypatch.setattr("graphc.plan.compile.PIPELINE", [p for p in PIPELINE if p[0] != "attention"])
        with gc.Graph().as_default():
            feeds = [gc.placeholder(gc.float32, [B, None, 8]), gc.placeholder(gc.float32, [B, None, 8])]
            weights = [gc.constant(a) for a in arrays]
            q, k, v = (gc.einsum("btw,whd->bthd", feeds[i > 0], w) for i, w in enumerate(weights[:3]))
            q = q * D ** -0.5 if scaled == "q" else q
            p = gc.einsum(scores, *((q, k) if scores.startswith("bq") else (k, q)))
            p = gc.nn.softmax(p if scaled == "q" else p * D ** -0.5)
            y = gc.einsum("bthd,hdw->btw", gc.einsum("bhqk,bkhd->bqhd", p, v), weights[3])
            fetches = [y, *gc.gradients(gc.reduce_sum(gc.square(y)), [*feeds, *weights])]
            steps = steps_of(fetches, feeds)
            assert without or ("attention_grad.f32" in steps and "softmax.f32" not in steps and "copy" not in steps)
            return gc.Session().run(fetches, dict(zip(feeds, (given()[..., :8], given()[:, :9, :8]), strict=True)))

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(np.float32) * 0.4 for shape in [(8, H, D)] * 3 + [(H, D, 8)]]
    for joined, composed in zip(made(False), made(True), strict=True):
        np.testing.assert_allclose(joined, composed, rtol=2e-3, atol=2e-4)


def steps_of(fetches: Any, feeds: Any) -> list[str]:
    """Kernels, and "copy" for maps that compute nothing."""
    plan = compile_graph(fetches, feeds=feeds).plan
    return [step.kernel if isinstance(step, Call) else "copy" if isinstance(step, Map) and not
            plan.programs[step.program].instrs else "map"
            for body in plan.bodies for step in body.steps if isinstance(step, (Call, Map))]


@pytest.mark.parametrize("name", ["split", "sliced"])
def test_a_layer_and_its_gradient_copy_only_what_is_joined(name: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, T, 8])
        y = layer(x, TAKEN[name])
        assert steps_of([y], [x]) == ["matmul.f32", "attention.f32", "matmul.f32"]


def test_a_cache_of_keys_is_read_where_it_lies() -> None:
    """One new row, and keys that lie [rows, heads, depth]: few rows of q read both as they are."""
    rng = np.random.default_rng(0)
    cache = rng.standard_normal((2, 40, H, D)).astype(np.float32)
    q = rng.standard_normal((1, H, 1, D)).astype(np.float32)
    with gc.Graph().as_default():
        fed, new = gc.placeholder(gc.float32, [2, None, H, D]), gc.placeholder(gc.float32, [1, H, 1, D])
        k, v = (gc.transpose(fed[i:i + 1], [0, 2, 1, 3]) for i in range(2))
        y = gc.matmul(gc.nn.softmax(gc.matmul(new, k, transpose_b=True)), v)
        assert steps_of([y], [fed, new]) == ["attention.f32"]
        found = gc.Session().run(y, {fed: cache, new: q})
    keys, values = cache.transpose(0, 2, 1, 3).astype(np.float64)
    e = np.exp(q.astype(np.float64)[0] @ keys.swapaxes(-1, -2))
    np.testing.assert_allclose(found[0], e / e.sum(-1, keepdims=True) @ values, rtol=1e-5, atol=1e-5)


KEPT: dict[str, tuple[Build, list[str]]] = {
    "rows backwards": (lambda x: attended(*[gc.reverse(part, [2]) for part in split(x)]), ["ReverseV2"]),
    "every second element": (lambda x: gc.matmul(gc.nn.softmax(gc.matmul(
        split(x)[0][..., ::2], split(x)[1][..., ::2], transpose_b=True)), split(x)[2]), ["StridedSlice"]),
    "a result that is fetched": (lambda x: gc.matmul(gc.nn.softmax(gc.matmul(
        split(x)[0], split(x)[1], transpose_b=True)), split(x)[2]), []),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_strides_cannot_say_stays(name: str) -> None:
    build, left = KEPT[name]
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [B, T, 3 * H * D])
        flow = attention(simplify(flow_of([build(x)], [x])))
        check_rewrite(flow, attention_strides, [given()])
        assert [t for t in types(attention_strides(flow)) if t in ("ReverseV2", "StridedSlice")][:1] == left


def test_a_result_that_others_read_too_keeps_its_order() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [B, T, 3 * H * D])
        q, k, v = split(x)
        mixed = gc.matmul(gc.nn.softmax(gc.matmul(q, k, transpose_b=True)), v)
        both = [gc.transpose(mixed, [0, 2, 1, 3]), gc.reduce_sum(mixed, [1])]
        check_rewrite(attention(simplify(flow_of(both, [x]))), attention_strides, [given()],
                      ["Sum", "Transpose", "_Attention"])
