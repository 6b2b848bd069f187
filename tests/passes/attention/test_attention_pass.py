"""attention: what becomes one step, what must not, and that both compute the same."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.attention import attention as attention_pass
from graphc.passes.attention.attention import attention
from graphc.passes.pipeline import PIPELINE
from graphc.passes.simplification.simplify import simplify
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call

from checking import check_rewrite, flow_of, types

B, H, T, S, D, W = 2, 3, 5, 7, 4, 6


@pytest.fixture(autouse=True)
def few_rows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_pass, "FEW", 0)


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


Q, K, V = values(B, H, T, D), values(B, H, S, D, seed=1), values(B, H, S, W, seed=2)


def scores(q: Any, k: Any) -> Any:
    return gc.matmul(q, k, transpose_b=True)


def attend(x: Any, v: Any) -> Any:
    return gc.matmul(gc.nn.softmax(x), v)


JOINED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "plain": lambda q, k, v: attend(scores(q, k), v),
    "scaled": lambda q, k, v: attend(scores(q, k) * 0.5, v),
    "scaled from the left": lambda q, k, v: attend(0.5 * scores(q, k), v),
    "divided": lambda q, k, v: attend(scores(q, k) / 2.0, v),
    "mask of columns": lambda q, k, v: attend(scores(q, k) * 0.5 + values(S, seed=3), v),
    "mask of rows": lambda q, k, v: attend(values(T, S, seed=3) + scores(q, k) / 2.0, v),
    "mask of batches": lambda q, k, v: attend(scores(q, k) + values(B, 1, 1, S, seed=3), v),
    "mask of heads": lambda q, k, v: attend(scores(q, k) + values(H, T, S, seed=3), v),
    "k transposed by hand": lambda q, k, v: attend(gc.matmul(q, gc.transpose(k, [0, 1, 3, 2])) * 0.5, v),
}
SEEN = (np.arange(S) % 3 != 1)[None] & (np.arange(T)[:, None] != 2)          # of row 2 nothing


def seen(*shape: int) -> Any:
    """Known while running only."""
    return gc.broadcast_to(gc.placeholder_with_default(SEEN, [T, S]), [*shape, T, S])


def multiplied(x: Any, flags: Any) -> Any:
    return x * flags - 1e10 * (1 - flags)


def flags() -> Any:
    return gc.cast(seen(1, 1), gc.float32)


HIDDEN: dict[str, Callable[[Any, Any, Any], Any]] = {
    "where": lambda q, k, v: attend(gc.where(seen(B, H), scores(q, k) * 0.5, gc.fill([B, H, T, S], -1e9)), v),
    "where, of constants": lambda q, k, v: attend(gc.where(
        np.broadcast_to(SEEN, (B, H, T, S)), scores(q, k), np.full((B, H, T, S), -1e9, np.float32)), v),
    "where, the other way": lambda q, k, v: attend(gc.where(
        gc.logical_not(seen(B, H)), gc.ones([B, H, T, S]) * -1e4, scores(q, k) * 0.5), v),
    "where, broadcast": lambda q, k, v: attend(gc.where_v2(seen(1, 1), scores(q, k) / 2.0, -1e9), v),
    "products": lambda q, k, v: attend(multiplied(scores(q, k) * 0.5, flags()), v),
    "products of constants": lambda q, k, v: attend(multiplied(scores(q, k), SEEN.astype(np.float32)), v),
    "products that are added": lambda q, k, v: (lambda b: attend((b - 1) * 1e9 + b * (scores(q, k) / 2.0), v))(flags()),
    "the lower triangle": lambda q, k, v: attend(multiplied(scores(q, k), gc.linalg.band_part(flags(), -1, 0)), v),
    "a mask that is subtracted": lambda q, k, v: attend(scores(q, k) - 50.0 * (1 - flags()), v),
    "two masks": lambda q, k, v: attend(scores(q, k) * 0.5 + values(H, T, S, seed=3) - 50.0 * (1 - flags()), v),
}
JOINED |= HIDDEN
KEPT: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a number above 0 in place of scores": lambda q, k, v: attend(gc.where_v2(seen(1, 1), scores(q, k), 1.0), v),
    "numbers in place of scores": lambda q, k, v: attend(
        gc.where(seen(B, H), scores(q, k), values(B, H, T, S, seed=3)), v),
    "products with what is not 0 or 1": lambda q, k, v: attend(multiplied(scores(q, k), values(T, S, seed=3)), v),
    "a number that is added where scores are seen": lambda q, k, v: attend(
        scores(q, k) * flags() - (2.0 - flags()), v),
    "rows of scores from the mask": lambda q, k, v: attend(scores(q[:, :, :1], k) + values(T, S, seed=3), v),
    "a mask that is a column": lambda q, k, v: attend(scores(q, k) + values(T, 1, seed=3), v),
    "a factor for each row": lambda q, k, v: attend(scores(q, k) * values(T, 1, seed=3), v),
    "a number divided by scores": lambda q, k, v: attend(2.0 / scores(q, k), v),
    "weights that others read": lambda q, k, v: (lambda p: gc.reduce_sum(p) + gc.matmul(p, v))(
        gc.nn.softmax(scores(q, k))),
    "scores that others read": lambda q, k, v: (lambda s: gc.reduce_max(s) + attend(s, v))(scores(q, k)),
    "the product of other operands": lambda q, k, v: attend(gc.tanh(scores(q, k)), v),
}


MADE = ("Add", "AddV2", "BroadcastTo", "Cast", "LogicalNot", "MatrixBandPart", "Mul", "Neg", "PlaceholderWithDefault",
        "Select", "SelectV2", "Sub")                 # of which masks are made


def joined_types(flow: Any) -> list[str]:
    return [name for name in types(flow) if name not in MADE]


def built(build: Callable[[Any, Any, Any], Any], shapes: Any) -> Any:
    feeds = [gc.placeholder(gc.float32, shape) for shape in shapes]
    return simplify(flow_of([build(*feeds)], feeds))


@pytest.mark.parametrize("name", JOINED)
def test_joined(name: str) -> None:
    with gc.Graph().as_default():
        flow = check_rewrite(built(JOINED[name], [Q.shape, K.shape, V.shape]), attention, [Q, K, V])
        assert joined_types(flow) == ["_Attention"]


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    with gc.Graph().as_default():
        assert "Softmax" in types(attention(built(KEPT[name], [Q.shape, K.shape, V.shape])))


def test_batches_that_may_broadcast_are_left_alone() -> None:
    """Each feed's batch is a size of its own: one of them may be 1."""
    with gc.Graph().as_default():
        shapes = [(None, H, T, D), (None, H, S, D), (None, H, S, W)]
        assert "Softmax" in types(attention(built(JOINED["scaled"], shapes)))


def test_heads_that_share_keys() -> None:
    """Multi-query attention: k and v have one head, which broadcasts; nothing is copied, gradients are sums."""
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K[:, :1], V[:, 0])]
        y = JOINED["mask of rows"](feeds[0], feeds[1], feeds[2][:, None])
        flow = simplify(flow_of([y, *squares(y, feeds)], feeds))
        after = check_rewrite(flow, attention, [Q, K[:, :1], V[:, 0]])
        assert [types(after).count(name) for name in ("_AttentionKept", "_AttentionGrad", "Softmax")] == [1, 1, 0]
        plan = compile_graph([y], feeds=feeds).plan
        assert [type(step) for body in plan.bodies for step in body.steps] == [Call]


OWN_BATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "added": lambda s, seen: s * 0.5 + (1 - seen) * -50.0,
    "added to what is added": lambda s, seen: s * 0.5 + values(H, T, T, seed=3) - 50.0 * (1 - seen),
    "where": lambda s, seen: gc.where_v2(seen > 0.5, s, -1e9),
    "products": lambda s, seen: multiplied(s * 0.5, gc.cast(seen > 0.5, gc.float32)),
}


@pytest.mark.parametrize("name", OWN_BATCHES)
def test_a_mask_of_its_own_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fed apart from the tokens: its batch may turn out to be the same, or either of the two 1."""
    def made(joined: bool) -> list[np.ndarray]:
        if not joined:
            monkeypatch.setattr("graphc.plan.compile.PIPELINE", tuple(p for p in PIPELINE if p[0] != "attention"))
        with gc.Graph().as_default():
            feeds = [gc.placeholder(gc.float32, [None, T, H, D]), gc.placeholder(gc.float32, [None, T])]
            q, k, v = (gc.transpose(x, [0, 2, 1, 3]) for x in (feeds[0], gc.tanh(feeds[0]), feeds[0] * 0.5))
            y = gc.transpose(attend(OWN_BATCHES[name](scores(q, k), feeds[1][:, None, None, :]), v), [0, 2, 1, 3])
            fetches = [y, *squares(y, feeds[:1])]
            calls = [step.kernel for body in compile_graph(fetches, feeds=feeds).plan.bodies for step in body.steps
                     if isinstance(step, Call)]
            assert ("attention_grad.f32" in calls) == joined
            session = gc.Session()
            return [a for n, m in ((2, 2), (1, 3), (3, 1), (1, 1), (0, 0), (0, 1)) for a in session.run(
                fetches, {feeds[0]: values(n, T, H, D), feeds[1]: np.float32(values(m, T, seed=6) > -0.5)})]

    for joined, composed in zip(made(True), made(False), strict=True):
        np.testing.assert_allclose(joined, composed, rtol=2e-4, atol=2e-5)


def test_open_sizes_of_one_tensor() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, H * D])
        heads = gc.transpose(gc.reshape(x, [gc.shape(x)[0], -1, H, D]), [0, 2, 1, 3])
        flow = simplify(flow_of([JOINED["scaled"](heads, gc.tanh(heads), heads * 2.0)], [x]))
        assert "_Attention" in types(attention(flow))


def test_matrices_of_no_batch_are_left_alone() -> None:
    with gc.Graph().as_default():
        assert "Softmax" in types(attention(built(JOINED["scaled"], [(T, D), (S, D), (S, W)])))


def test_a_plan_of_a_gpu_joins_what_runs_on_one_side() -> None:
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K, V)]
        y = JOINED["mask of rows"](*feeds)
        everything = {(op.name, op.type): 1 for op in y.graph.get_operations()}
        for sides, kernel in ((None, "attention.f32"), ({}, "attention.f32"), (everything, "attention.f32"),
                              ({(y.op.name, y.op.type): -1}, "softmax.f32")):
            plan = compile_graph([y], feeds=feeds, sides=sides).plan
            assert kernel in [step.kernel for body in plan.bodies for step in body.steps if isinstance(step, Call)]


def squares(y: Any, feeds: Any) -> Any:
    return gc.gradients(gc.reduce_sum(gc.square(y)), feeds)


@pytest.mark.parametrize("name", JOINED)
def test_a_gradient_becomes_one_step_too(name: str) -> None:
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K, V)]
        y = JOINED[name](*feeds)
        flow = simplify(flow_of([y, *squares(y, feeds)], feeds))
        transposes = ["Transpose"] * 2 * name.startswith("k transposed")
        after = check_rewrite(flow, attention, [Q, K, V])
        assert joined_types(after) == [*transposes, "_AttentionGrad", "_AttentionKept"]


def test_a_gradient_alone() -> None:
    """Nobody reads the result, whose gradient is given."""
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K, V)]
        dy = gc.placeholder(gc.float32, (B, H, T, W))
        grads = gc.gradients(JOINED["mask of heads"](*feeds), feeds, dy)
        check_rewrite(simplify(flow_of(grads, [*feeds, dy])), attention, [Q, K, V, values(B, H, T, W, seed=5)],
                      ["_AttentionGrad", "_AttentionKept"])


def test_q_k_and_v_of_one_value() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, Q.shape)
        y = JOINED["scaled"](x, x, x)
        flow = simplify(flow_of([y, *squares(y, [x])], [x]))
        assert "_AttentionGrad" in types(check_rewrite(flow, attention, [Q]))


def test_layer_behind_layer() -> None:
    """What was joined changes the operands of what stands behind, which must be joined all the same."""
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K, K)]
        y = feeds[0]
        for _ in range(3):
            y = JOINED["mask of rows"](gc.tanh(y), feeds[1], feeds[2])
        before = simplify(flow_of([y], feeds))
        assert types(check_rewrite(before, attention, [Q, K, K])).count("_Attention") == 3
        trained = simplify(flow_of([y, *squares(y, feeds)], feeds))
        after = types(check_rewrite(trained, attention, [Q, K, K]))
        assert [after.count(name) for name in ("_AttentionKept", "_AttentionGrad", "Softmax")] == [3, 3, 0]


KEPT_IN_TRAINING: dict[str, Callable[[Any], Any]] = {
    "a mask that is trained for each key alone": lambda f: gc.gradients(
        gc.reduce_sum(gc.square(attend(scores(*f[:2]) + f[3][:, :1], f[2]))), f),
    "two masks that are trained": lambda f: gc.gradients(
        gc.reduce_sum(gc.square(attend(scores(*f[:2]) + f[3] + f[3][:1], f[2]))), f),
    "few rows and keys": lambda f: squares(JOINED["scaled"](*f[:3]), f[:3]),
    "no gradient by v": lambda f: gc.gradients(gc.reduce_sum(gc.square(JOINED["scaled"](*f[:3]))), f[:2]),
    "no gradient by q": lambda f: gc.gradients(gc.reduce_sum(gc.square(JOINED["scaled"](*f[:3]))), f[1:3]),
    "weights that are fetched": lambda f: (lambda p: [p, *squares(gc.matmul(p, f[2]), f[:3])])(
        gc.nn.softmax(scores(*f[:2]))),
    "a gradient of second order": lambda f: gc.gradients(
        gc.reduce_sum(squares(JOINED["scaled"](*f[:3]), f[:3])[0]), f[:3]),
}


@pytest.mark.parametrize("name", KEPT_IN_TRAINING)
def test_kept_in_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("few"):
        monkeypatch.undo()
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K, V)] + [gc.placeholder(gc.float32, (T, S))]
        flow = simplify(flow_of(KEPT_IN_TRAINING[name](feeds), feeds))
        assert "Softmax" in types(check_rewrite(flow, attention, [Q, K, V, values(T, S, seed=3)]))


TRAINED_MASKS: dict[str, tuple[tuple[int, ...], Callable[[Any, Any], Any]]] = {
    "of heads": ((1, H, T, S), lambda s, m: s * 0.5 + m),
    "of heads, without a batch": ((H, T, S), lambda s, m: s + m),
    "of rows": ((T, S), lambda s, m: (s + m) / 2.0),
    "of keys": ((S,), lambda s, m: s * 0.5 + m),
    "of batches": ((B, 1, 1, S), lambda s, m: s * 0.5 + m),
    "behind another": ((H, T, S), lambda s, m: s * 0.5 + values(B, 1, 1, S, seed=4) + m),
    "in front of another": ((1, H, T, S), lambda s, m: s * 0.5 + m - 50.0 * (1 - flags())),
    "subtracted": ((H, 1, S), lambda s, m: s * 0.5 - gc.square(m)),
}


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("name", TRAINED_MASKS)
def test_masks_that_are_trained(name: str, drops: bool) -> None:
    """Their gradient is a result of the same step."""
    shape, masked = TRAINED_MASKS[name]
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, x.shape) for x in (Q, K, V)] + [gc.placeholder(gc.float32, shape)]
        p = gc.nn.softmax(masked(scores(*feeds[:2]), feeds[3]))
        y = gc.matmul(gc.nn.dropout(p, rate=0.3, seed=1) if drops else p, feeds[2])
        flow = simplify(flow_of([y, *squares(y, feeds)], feeds))
        found = types(check_rewrite(flow, attention, [Q, K, V, values(*shape, seed=3)]))
    joined = name not in ("of rows", "subtracted")     # a factor behind the sum; a gradient that is turned first
    assert ("_AttentionGrad" in found) == joined and ("Softmax" in found) != joined


def eager(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray) -> np.ndarray:
    s = q.astype(np.float64) @ k.swapaxes(-1, -2) * 0.5 + mask
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("t", [0, 1, 3, 17, 65, 200])
def test_in_a_loop_of_a_session(t: int, threads: int) -> None:
    """Between other ops, in a loop, with transposes around: what NumPy computes."""
    q, k, v, mask = values(2, t, 3, 32), values(2, t, 3, 32, seed=1), values(2, t, 3, 32, seed=2), values(t, t, seed=4)
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, [2, t, 3, 32]) for _ in range(3)]
        added = gc.placeholder(gc.float32, [t, t])
        heads = [gc.transpose(x, [0, 2, 1, 3]) for x in feeds]

        def step(i: Any, h: Any) -> Any:
            return i + 1, attend(scores(h, heads[1]) * 0.5 + added, heads[2])

        _, y = gc.while_loop(lambda i, h: i < 2, step, [gc.constant(0), heads[0]])
        out = gc.transpose(y, [0, 2, 1, 3]) * 2.0 + 1.0
        calls = [step.kernel for body in compile_graph([out], feeds=[*feeds, added]).plan.bodies
                 for step in body.steps if isinstance(step, Call)]
        assert "attention.f32" in calls
        with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
            found = session.run(out, dict(zip([*feeds, added], [q, k, v, mask], strict=True)))
    q, k, v = (x.transpose(0, 2, 1, 3) for x in (q, k, v))
    if t:
        q = eager(eager(q, k, v, mask), k, v, mask)
    np.testing.assert_allclose(found, q.transpose(0, 2, 1, 3) * 2 + 1, rtol=2e-4, atol=2e-4)


def trained(threads: int, t: int, joined: bool, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Two layers of causal attention in a loop, with open sizes: the result, and the gradients by its operands."""
    if not joined:
        monkeypatch.setattr("graphc.plan.compile.PIPELINE", tuple(p for p in PIPELINE if p[0] != "attention"))
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, [2, 3, None, 32]) for _ in range(3)]
        added = gc.placeholder(gc.float32, [None, None])
        size = gc.shape(feeds[0])[2]
        x, k, v = (gc.reshape(f, [2, 3, size, 32]) for f in feeds)
        hidden = gc.reshape(added, [size, size])

        def step(i: Any, h: Any) -> Any:
            return i + 1, gc.tanh(attend(scores(h, k) * 0.2 + hidden, v)) + h

        _, y = gc.while_loop(lambda i, h: i < 2, step, [gc.constant(0), x])
        y = attend(scores(y * 2.0, k) / 5.0 + hidden, v) + y
        fetches = [y, *gc.gradients(gc.reduce_sum(gc.square(y)), feeds)]
        calls = [step.kernel for body in compile_graph(fetches, feeds=[*feeds, added]).plan.bodies
                 for step in body.steps if isinstance(step, Call)]
        assert ("attention_grad.f32" in calls) == joined
        mask = np.triu(np.full((t, t), -1e9, np.float32), 1)
        arrays = [*(values(2, 3, t, 32, seed=i) for i in range(3)), mask]
        with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
            found: list[np.ndarray] = session.run(fetches, dict(zip([*feeds, added], arrays, strict=True)))
    return found


@pytest.mark.parametrize("t", [0, 1, 3, 17, 65, 300])
def test_training_in_a_session(t: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With loops in front and behind: one thread and two to the bit, and the composed form within rounding."""
    one, two = (trained(threads, t, True, monkeypatch) for threads in (1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(one, trained(1, t, False, monkeypatch), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", [name for name in JOINED if name not in HIDDEN and not name.startswith("mask")])
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    """In float64, along a random direction."""
    arrays, step = [x.astype(np.float64) for x in (Q, K, V)], 1e-6
    directions = [values(*x.shape, seed=9).astype(np.float64) for x in arrays]
    with gc.Graph().as_default(), gc.Session() as session:
        feeds = [gc.placeholder(gc.float64, x.shape) for x in arrays]
        loss = gc.reduce_sum(gc.square(JOINED[name](*feeds)))
        found = session.run(gc.gradients(loss, feeds), dict(zip(feeds, arrays, strict=True)))

        def at(distance: float) -> float:
            moved = [x + distance * d for x, d in zip(arrays, directions, strict=True)]
            return float(session.run(loss, dict(zip(feeds, moved, strict=True))))

        wanted = (at(step) - at(-step)) / (2 * step)
    assert sum(float(np.sum(g * d)) for g, d in zip(found, directions, strict=True)) == pytest.approx(wanted, rel=1e-6)
