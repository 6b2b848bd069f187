"""Sizes that are equal only because an op requires it: what an op expands to keeps its sizes, whatever is behind."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import OpError
from graphc.exec.reference import run_reference
from graphc.ir import dims
from graphc.ir.apply import apply
from graphc.ops.array.select import Select
from graphc.ops.nn.batch_norm import FusedBatchNormGradV2, FusedBatchNormV2
from graphc.passes.images.layout import NOMINAL, elements

A, B = (np.random.default_rng(i).normal(size=(3, 4)).astype(np.float32) for i in range(2))
PICTURE = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(np.float32)

BEHIND: dict[str, Callable[[Any], Any]] = {
    "rows": lambda y: gc.reduce_sum(y, -1),
    "kept": lambda y: gc.reduce_mean(y, 0, keepdims=True) * y,
    "all": lambda y: gc.reduce_sum(y) + gc.reduce_max(y),
    "slice": lambda y: gc.tanh(y[1:] * 2.0),
    "index": lambda y: gc.reduce_sum(y[:, ::-1], 1),
    "reshape": lambda y: gc.reshape(y, [-1]) + 1.0,
    "softmax": lambda y: gc.nn.softmax(gc.reshape(y, [gc.shape(y)[0], -1])),
    "gradient": lambda y: gc.gradients(gc.reduce_sum(y * y, 1), y)[0],
}


def unknown(dtype: Any, rank: int) -> Any:
    return gc.placeholder(dtype, [None] * rank)


def chosen(unknown: Callable[..., Any]) -> tuple[Any, dict[Any, Any]]:
    c, a, b = unknown(gc.bool, 2), unknown(gc.float32, 2), unknown(gc.float32, 2)
    return apply(Select, c, a, b), {c: A > B, a: A, b: B}


def chosen_rows(unknown: Callable[..., Any]) -> tuple[Any, dict[Any, Any]]:
    c, a, b = unknown(gc.bool, 1), unknown(gc.float32, 2), unknown(gc.float32, 2)
    return apply(Select, c, a, b), {c: A[:, 0] > 0, a: A, b: B}


def summed(unknown: Callable[..., Any]) -> tuple[Any, dict[Any, Any]]:
    a, b = unknown(gc.float32, 2), unknown(gc.float32, 2)
    return gc.add_n([a, b, a]), {a: A, b: B}


def biased(unknown: Callable[..., Any]) -> tuple[Any, dict[Any, Any]]:
    a, b = unknown(gc.float32, 4), unknown(gc.float32, 1)
    return gc.nn.bias_add(a, b, data_format="NCHW"), {a: PICTURE, b: PICTURE[0, :, 0, 0]}


def normalised(data_format: str, training: bool) -> Callable[..., Any]:
    def build(unknown: Callable[..., Any]) -> tuple[Any, dict[Any, Any]]:
        x, *rows = unknown(gc.float32, 4), *(unknown(gc.float32, 1) for _ in range(4))
        row = np.abs(PICTURE[0, :, 0, 0] if data_format == "NCHW" else PICTURE[0, 0, 0]) + 0.5
        y, mean, variance = gc.nn.fused_batch_norm(x, *rows[:2 if training else 4], data_format=data_format,
                                                   is_training=training)
        axes = [1 if data_format == "NCHW" else 3, 0, 0, 0]
        return y + gc.reshape(mean[::-1] + variance, [-1 if i == axes[0] else 1 for i in range(4)]), {
            x: PICTURE, **dict.fromkeys(rows[:2 if training else 4], row)}
    return build


OPS: dict[str, Callable[..., Any]] = {
    "select": chosen, "select rows": chosen_rows, "add_n": summed, "bias": biased,
    **{f"batch norm {f} {t}": normalised(f, t) for f in ("NHWC", "NCHW") for t in (True, False)},
}


def values(op: str, behind: str, unknown: Callable[..., Any]) -> np.ndarray:
    with gc.Graph().as_default():
        y, feeds = OPS[op](unknown)
        with gc.Session() as session:
            return session.run(BEHIND[behind](y), feeds)


@pytest.mark.parametrize("fusion", ["1", "0"])
@pytest.mark.parametrize("op", OPS)
def test_unknown_sizes_give_what_known_ranks_give(op: str, fusion: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    rows = {1: (3,), 2: (3, 4), 4: (2, 3, 4, 5)}
    if "NHWC" in op:
        rows[1] = (5,)
    for behind in BEHIND:
        expected = values(op, behind, lambda dtype, rank: gc.placeholder(dtype, rows[rank]))
        found = values(op, behind, unknown)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=behind)


def test_what_is_required_stays_checked() -> None:
    """Behind an expansion too, whose parts would broadcast."""
    with gc.Graph().as_default():
        y, feeds = chosen(unknown)
        z = gc.reduce_sum(y, 1)
        x, *rows = unknown(gc.float32, 4), *(unknown(gc.float32, 1) for _ in range(2))
        n = gc.reduce_sum(gc.nn.fused_batch_norm(x, *rows)[0], 3)
        with gc.Session() as session:
            with pytest.raises((ValueError, OpError), match="must be equal"):
                session.run(z, {**feeds, list(feeds)[2]: B[:1]})
            with pytest.raises((ValueError, OpError), match="channels"):
                session.run(n, {x: PICTURE, rows[0]: np.ones(1, np.float32), rows[1]: np.ones(5, np.float32)})


def test_estimates_of_sizes_that_do_not_fit() -> None:
    n, m = dims.symbol("n"), dims.symbol("m")
    assert elements((dims.broadcast(n // 2, m),)) == NOMINAL
    assert elements((n // (m - NOMINAL), n % (m - NOMINAL))) == 0
    assert elements((n, 3)) == 3 * NOMINAL and elements(None) == 1


def test_a_picture_pooled_and_scaled_in_channels_first() -> None:
    with gc.Graph().as_default():
        x, w = unknown(gc.float32, 4), unknown(gc.float32, 4)
        y = gc.nn.avg_pool(x, [1, 1, 2, 2], [1, 1, 2, 2], "SAME", data_format="NCHW") * w
        given = {x: PICTURE, w: np.ones((2, 3, 2, 3), np.float32)}
        with gc.Session() as session:
            found, *_ = session.run([y, *gc.gradients(y, [x, w])], given)
    full = PICTURE[:, :, :, :4].reshape(2, 3, 2, 2, 2, 2).mean((3, 5))
    np.testing.assert_allclose(found[..., :2], full, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("context", ["top", "loop"])
@pytest.mark.parametrize("of", ["mask", "fed", "computed"])
def test_requirements_on_sizes_of_what_is_not_used(of: str, context: str) -> None:
    """The mean needs neither scale nor offset, whose sizes must fit nevertheless; what makes them known runs before."""
    with gc.Graph().as_default():
        x, v, n = unknown(gc.float32, 4), unknown(gc.float32, 1), gc.placeholder(gc.int32, [])

        def mean(v: Any) -> Any:
            scale = {"mask": lambda: gc.boolean_mask(v, v > 0.0), "fed": lambda: gc.ones([n]),
                     "computed": lambda: gc.tanh(gc.exp(v))}[of]()
            return gc.reduce_sum(gc.nn.fused_batch_norm(x, scale, scale)[1])

        y = mean(v)
        if context == "loop":
            y = gc.while_loop(lambda k, a: k < 1, lambda k, a: [k + 1, mean(v)], [0, 0.0])[1]
        with gc.Session() as session:
            found = session.run(y, {x: PICTURE, v: np.ones(5), n: 5})
            np.testing.assert_allclose(found, PICTURE.mean((0, 1, 2)).sum(), rtol=1e-4, atol=1e-5)
            with pytest.raises((ValueError, OpError), match="channels"):
                session.run(y, {x: PICTURE, v: np.ones(4), n: 4})


def test_a_constant_that_waits_for_a_size_stays_in_the_run() -> None:
    """What a gradient's gradient folds to still requires that x has the shape of the variable."""
    picture, x, one = gc.Variable(PICTURE[:1, :1, :1, :1]), gc.placeholder(gc.float32, [None, None, 1, 1]), [1.0]
    results = apply(FusedBatchNormGradV2, picture, x, one, one, one, is_training=True)
    slope = gc.gradients(results[3], picture, unconnected_gradients="zero")[0]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run([slope, results[4]], {x: [[[[1.0]]]]})[0].tolist() == [[[[0.0]]]]
        with pytest.raises(gc.errors.InvalidArgumentError, match="FusedBatchNormGradV2"):
            session.run([slope, results[4]], {x: [[[[1.0]]], [[[1.0]]]]})


def test_what_only_the_run_proves_stays_in_the_run() -> None:
    """The batch norm of a variable waits for nothing that is fed but the size of its mean, which must fit."""
    x = gc.placeholder(gc.float32, [None])
    picture, one = gc.Variable(PICTURE[..., :1]), gc.constant([1.0])
    results = apply(FusedBatchNormV2, picture, one, one, x, one, is_training=True)
    y = gc.reduce_sum(gc.square(results[0])) + gc.reduce_sum(results[1])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        expected = session.run(y, {x: [1.0]})
        for fed in ([2.0], [], [3.0], [], [1.0]):        # of no use in training, where it may be empty
            assert session.run(y, {x: fed}) == expected
        with pytest.raises(gc.errors.InvalidArgumentError, match="FusedBatchNormV2"):
            session.run(y, {x: [1.0, 2.0]})


SAID: dict[str, tuple[Callable[[Any, Any], Any], list[int]]] = {
    "mask": (lambda x, m: gc.boolean_mask(x, m), [2, 3]),
    "where": (lambda x, m: gc.where(m), [2, 1]),
    "branch": (lambda x, m: gc.cond(gc.reduce_any(m), lambda: gc.boolean_mask(x, m), lambda: x), [2, 3]),
    "loop": (lambda x, m: gc.while_loop(lambda k, a: k < 1, lambda k, a: [k + 1, gc.boolean_mask(x, m)], [0, x],
                                        [gc.TensorShape([]), gc.TensorShape([None, 3])])[1], [2, 3]),
    "reshape": (lambda x, m: gc.reshape(x, [-1, 3])[:gc.shape(gc.where(m))[0]], [2, 3]),
}


@pytest.mark.parametrize("behind", [lambda y: y, lambda y: gc.tanh(y * 2.0), lambda y: gc.reduce_sum(y, 0)])
@pytest.mark.parametrize("kind", SAID)
def test_what_set_shape_says_holds(kind: str, behind: Callable[[Any], Any]) -> None:
    """Of sizes that only the op itself makes known, too; the run checks it."""
    x, m = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.bool, [None])
    made, said = SAID[kind]
    y, plain = made(x, m), made(x, m)
    y.set_shape(said)
    assert y.shape.as_list() == said
    y, plain = (behind(gc.cast(t, gc.float32)) for t in (y, plain))
    with gc.Session() as session:
        right = {x: A[:3, :3], m: [True, False, True]}
        for _ in range(2):
            np.testing.assert_array_equal(*session.run([y, plain], right))
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"set_shape.* 3 and 2, must be equal"):
            session.run(y, {x: A[:3, :3], m: [True, True, True]})


def test_a_rank_that_set_shape_says_wrongly() -> None:
    x = gc.placeholder(gc.float32)
    y = gc.square(x)
    y.set_shape([None, 2])
    with gc.Session() as session:
        assert session.run(y, {x: [[1.0, 2.0]]}).tolist() == [[1.0, 4.0]]
        with pytest.raises(gc.errors.UnimplementedError, match=r"set_shape gave 'Square.*:0' the shape .*rank 1"):
            session.run(y, {x: [1.0, 2.0]})


NOT_NEEDED: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda x, n: gc.matmul(x, gc.reshape(x, [4, -1])[:, :n]), "add": lambda x, n: x + x[:n],
    "reshape": lambda x, n: gc.reshape(x, [n, 3]), "concat": lambda x, n: gc.concat([x, x[:, :n]], 0),
}


@pytest.mark.parametrize("of", [gc.zeros_like, gc.shape, lambda t: gc.ones(gc.shape(gc.tanh(t))) * 2.0])
@pytest.mark.parametrize("kind", NOT_NEEDED)
def test_sizes_that_do_not_fit_are_refused_where_only_a_shape_is_needed(kind: str, of: Callable[[Any], Any]) -> None:
    """As where the value is; the NumPy evaluator knows no difference either."""
    x, n = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.int32, [])
    y = of(NOT_NEEDED[kind](x, n))
    with gc.Session() as session:
        for number in (1, 2, 3, 4):
            feeds = {x: A, n: number}
            try:
                expected = run_reference(y, feeds)
            except Exception:
                with pytest.raises(gc.errors.InvalidArgumentError):
                    session.run(y, feeds)
            else:
                np.testing.assert_array_equal(session.run(y, feeds), expected)
