"""cross_entropy and softmax_grad: what becomes one step, what may not, and memory that is taken over."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.simplification.simplify import simplify
from graphc.passes.softmax.cross_entropy import cross_entropy
from graphc.passes.softmax.softmax_grad import softmax_grad
from graphc.plan.compile import compile_graph
from graphc.plan.plan import BufferKind, Call

from checking import check_rewrite, flow_of, types

SPARSE, DENSE = "weighted_sparse_softmax_cross_entropy.f32.i32", "weighted_softmax_cross_entropy.f32"


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def calls(fetches: Any, feeds: Any, **how: Any) -> list[Any]:
    plan = compile_graph(list(fetches), feeds=list(feeds), **how).plan
    return [step for body in plan.bodies for step in body.steps if isinstance(step, Call)]


def names(fetches: Any, feeds: Any, **how: Any) -> set[str]:
    return {step.kernel for step in calls(fetches, feeds, **how)}


def losses_of(logits: Any, labels: Any, sparse: bool) -> Any:
    if sparse:
        return gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return gc.nn.softmax_cross_entropy_with_logits(labels=gc.one_hot(labels, logits.shape[1]), logits=logits)


def exact(x: np.ndarray, w: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """The losses of x w, and the gradients of sum(losses * weights) by x and w."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    logits = x @ w
    logs = logits - logits.max(-1, keepdims=True)
    logs = logs - np.log(np.exp(logs).sum(-1, keepdims=True))
    by_logits = (np.exp(logs) - np.eye(w.shape[1])[labels]) * weights[:, None]
    return [-logs[np.arange(len(x)), labels], by_logits @ w.T, x.T @ by_logits]


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (3, 17), (31, 65), (5, 1031)], ids=str)
def test_masked_means_with_any_number_of_threads(shape: tuple[int, int], sparse: bool) -> None:
    rows, classes = shape
    x, w, labels = values(rows, 4), values(4, classes, seed=1), np.arange(rows, dtype=np.int32) % classes
    mask = (np.arange(rows) % 3 > 0).astype(np.float32) + np.float32(0.5)
    with gc.Graph().as_default():
        feeds = [gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.int32, [None]),
                 gc.placeholder(gc.float32, [None])]
        variable = gc.Variable(w)
        found = losses_of(gc.matmul(feeds[0], variable), feeds[1], sparse)
        weights = gc.reshape(feeds[2], [gc.shape(feeds[0])[0]])
        total = gc.reduce_sum(found * weights) / gc.reduce_sum(feeds[2])
        fetches = [found, *gc.gradients(total, [feeds[0], variable])]
        results = []
        for threads in (1, 3):
            with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
                session.run(gc.global_variables_initializer())
                results.append(session.run(fetches, dict(zip(feeds, (x, labels, mask), strict=True))))
    with np.errstate(all="ignore"):
        wanted = exact(x, w, labels, mask / mask.sum())
    for one, two, right in zip(*results, wanted, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sparse", [True, False])
def test_the_gradient_of_a_mean(sparse: bool) -> None:
    with gc.Graph().as_default():
        x, labels = gc.placeholder(gc.float32, [5, 7]), gc.constant([0, 6, 2, 3, 4])
        loss = gc.reduce_mean(losses_of(x, labels, sparse))
        fetches = [loss, *gc.gradients(loss, x)]
        assert (SPARSE if sparse else DENSE) in names(fetches, [x])
        assert not {SPARSE, DENSE} & names(fetches, [x], sides={})
        check_rewrite(simplify(flow_of(fetches, [x])), cross_entropy, [values(5, 7)])


def test_the_gradient_lies_in_the_memory_of_logits_that_nobody_else_needs() -> None:
    with gc.Graph().as_default():
        x, labels = gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.int32, [None])
        w = gc.Variable(values(4, 9))
        logits = gc.matmul(x, w)
        loss = gc.reduce_mean(losses_of(logits, labels, True))
        by_w = gc.gradients(loss, w)
        for more, copied in (([], False), ([gc.argmax(logits, 1)], True)):
            fetches = [loss, *by_w, *more]
            plan = compile_graph(fetches, feeds=[x, labels]).plan
            body = plan.bodies[0]
            call = next(s for s in body.steps if isinstance(s, Call) and s.kernel == SPARSE)
            product = next(s for s in body.steps if isinstance(s, Call) and s.kernel == "matmul.f32")

            def root(buffer: int, body: Any = body) -> int:
                found = body.buffers[buffer]
                return found.index if found.kind == BufferKind.ALIAS else buffer

            assert (root(call.operands[-1]) != root(product.operands[-1])) == copied
            with gc.Session() as session:
                session.run(gc.global_variables_initializer())
                given = values(6, 4, seed=2), np.arange(6, dtype=np.int32)
                found = session.run(fetches, dict(zip((x, labels), given, strict=True)))
            wanted = exact(given[0], values(4, 9), given[1], np.full(6, 1 / 6))
            np.testing.assert_allclose(found[1], wanted[2], rtol=1e-4, atol=1e-5)


def test_weights_that_depend_on_a_loss_and_gradients_that_others_read_stay() -> None:
    with gc.Graph().as_default():
        x, labels = gc.placeholder(gc.float32, [5, 7]), gc.constant([0, 6, 2, 3, 4])
        first, second = losses_of(x, labels, True), losses_of(x * 2.0, labels, True)
        for loss in (gc.square(first), first * second, gc.exp(-first)):
            fetches = [loss, *gc.gradients(gc.reduce_sum(loss), x)]
            assert not {SPARSE, DENSE} & names(fetches, [x])
        by_x = gc.gradients(gc.reduce_mean(first), x)[0]
        again = gc.gradients(gc.reduce_sum(gc.square(by_x)), x)
        check_rewrite(simplify(flow_of([by_x, *again], [x])), cross_entropy, [values(5, 7)])


def test_an_impossible_label_is_an_error_with_its_line() -> None:
    with gc.Graph().as_default():
        x, labels = gc.placeholder(gc.float32, [None, 7]), gc.placeholder(gc.int32, [None])
        loss = gc.reduce_mean(losses_of(x * 2.0, labels, True))
        fetches = [loss, *gc.gradients(loss, x)]
        assert SPARSE in names(fetches, [x, labels])
        with gc.Session() as session:
            session.run(fetches, {x: values(2, 7), labels: [0, 6]})
            with pytest.raises(gc.errors.InvalidArgumentError, match="7"):
                session.run(fetches, {x: values(2, 7), labels: [0, 7]})


@pytest.mark.parametrize("function", [gc.nn.softmax, gc.nn.log_softmax])
@pytest.mark.parametrize("shape", [(3, 17), (2, 3, 65), (0, 5), (4,)], ids=str)
def test_gradients_of_softmax(function: Any, shape: tuple[int, ...]) -> None:
    kernel = "softmax_grad.f32" if function is gc.nn.softmax else "log_softmax_grad.f32"
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [*[None] * (len(shape) - 1), shape[-1]])
        y = function(x)
        fetches = [y, *gc.gradients(gc.reduce_sum(gc.sin(y) * y), x)]
        assert kernel in names(fetches, [x])
        assert kernel not in names(fetches, [x], sides={})
        flow = check_rewrite(simplify(flow_of(fetches, [x])), softmax_grad, [values(*shape)])
        assert any(name in types(flow) for name in ("_SoftmaxGrad", "_LogSoftmaxGrad"))
        with gc.Session() as session:
            found = session.run(fetches, {x: values(*shape)})
    wide = values(*shape).astype(np.float64)
    p = np.exp(wide - wide.max(-1, keepdims=True)) if wide.size else wide
    p = p / p.sum(-1, keepdims=True)
    y = p if function is gc.nn.softmax else np.log(p)
    dy = np.cos(y) * y + np.sin(y)
    right = (dy - (dy * p).sum(-1, keepdims=True)) * p if function is gc.nn.softmax else \
        dy - dy.sum(-1, keepdims=True) * p
    for one, two in zip(found, (y, right), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


def test_in_a_loop() -> None:
    x = values(4, 6)
    with gc.Graph().as_default():
        fed = gc.placeholder(gc.float32, [None, 6])
        looped = gc.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, gc.nn.softmax(h) * h), [gc.constant(0), fed])[1]
        plain = fed
        for _ in range(3):
            plain = gc.nn.softmax(plain) * plain
        with gc.Session() as session:
            found, wanted = (session.run([y, *gc.gradients(gc.reduce_sum(y * fed), fed)], {fed: x})
                             for y in (looped, plain))
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
