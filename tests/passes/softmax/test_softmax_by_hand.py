"""softmax_by_hand: what becomes softmax or log-softmax, with its gradient, and what must not."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.pipeline import PIPELINE
from graphc.passes.simplification.simplify import simplify
from graphc.passes.softmax.softmax_by_hand import softmax_by_hand

from checking import check_rewrite, flow_of, types

Form = Callable[[Any], Any]


def rows(reduce: Callable[..., Any], x: Any) -> Any:
    return reduce(x, axis=-1, keepdims=True)


def normed(e: Any) -> Any:
    return e / rows(gc.reduce_sum, e)


def less_log(z: Any) -> Any:
    return z - gc.log(rows(gc.reduce_sum, gc.exp(z)))


def held(x: Any) -> Any:
    return gc.stop_gradient(rows(gc.reduce_max, x))


JOINED: dict[str, Form] = {
    "Softmax": lambda x: normed(gc.exp(x - rows(gc.reduce_max, x))),
    "Softmax, held": lambda x: normed(gc.exp(x - held(x))),
    "LogSoftmax": lambda x: less_log(x - rows(gc.reduce_max, x)),
    "LogSoftmax, held": lambda x: less_log(x - held(x)),
    "LogSoftmax, written twice": lambda x: (lambda m: x - m - gc.log(rows(gc.reduce_sum, gc.exp(x - m))))(
        rows(gc.reduce_max, x)),
    "LogSoftmax, twice, held": lambda x: (lambda m: x - m - gc.log(rows(gc.reduce_sum, gc.exp(x - m))))(held(x)),
}
LEFT: dict[str, Form] = {
    "without the maximum": lambda x: normed(gc.exp(x)),
    "another axis": lambda x: (lambda e: e / gc.reduce_sum(e, 1, keepdims=True))(
        gc.exp(x - gc.reduce_max(x, 1, keepdims=True))),
    "a maximum of all": lambda x: normed(gc.exp(x - gc.reduce_max(x))),
    "the maximum of another": lambda x: normed(gc.exp(x - rows(gc.reduce_max, -x))),
    "a number beside the sum": lambda x: (lambda e: e / (rows(gc.reduce_sum, e) + 1e-9))(
        gc.exp(x - rows(gc.reduce_max, x))),
    "a mask between": lambda x: normed(gc.exp(x - rows(gc.reduce_max, x)) * gc.cast(x > 0, x.dtype)),
    "a sum that others read": lambda x: (lambda e: e / rows(gc.reduce_sum, e) + gc.log(rows(gc.reduce_sum, e)))(
        gc.exp(x - rows(gc.reduce_max, x))),
    "exponentials that others read": lambda x: (lambda e: normed(e) * gc.sqrt(e))(gc.exp(x - rows(gc.reduce_max, x))),
    "a maximum that others read": lambda x: (lambda m: normed(gc.exp(x - m)) * m)(rows(gc.reduce_max, x)),
}


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32) * 3


def trained(form: Form, x: Any) -> list[Any]:
    y = form(x * 2.0)
    return [y, *gc.gradients(gc.reduce_sum(y * array(5, 7) + gc.square(x)), [x])]


@pytest.mark.parametrize("name", JOINED)
def test_joined(name: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 5, 7])
        kind = name.partition(",")[0]
        for fetches in ([JOINED[name](x)], trained(JOINED[name], x)):
            found = types(check_rewrite(simplify(flow_of(fetches, [x])), softmax_by_hand, [array(2, 5, 7)]))
            assert kind in found and not {"Max", "RealDiv", "Log", "Equal"} & set(found)


@pytest.mark.parametrize("name", LEFT)
def test_left_as_it_is(name: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 5, 7])
        for fetches in ([LEFT[name](x)], trained(LEFT[name], x)):
            found = types(check_rewrite(simplify(flow_of(fetches, [x])), softmax_by_hand, [array(2, 5, 7)]))
            assert not {"Softmax", "LogSoftmax"} & set(found)


def test_a_gradient_of_second_order_and_what_is_fetched_between_stay() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 5, 7])
        _, by_x = trained(JOINED["Softmax"], x)
        e = gc.exp(x - rows(gc.reduce_max, x))
        for fetches in (gc.gradients(gc.reduce_sum(gc.square(by_x)), [x]), [e, normed(e)]):
            found = types(check_rewrite(simplify(flow_of(fetches, [x])), softmax_by_hand, [array(2, 5, 7)]))
            assert "Max" in found


def test_attention_by_hand_is_one_step_each_way() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 2, None, 12], name="x")
        q, k, v = gc.split(x, 3, axis=-1)
        y = gc.matmul(JOINED["Softmax"](gc.matmul(q, k, transpose_b=True) * 0.5), v)
        flow = simplify(flow_of([y, *gc.gradients(gc.reduce_sum(gc.square(y)), [x])], [x]))
        for name, rewrite in PIPELINE:
            if name in ("softmax_by_hand", "attention"):
                flow = check_rewrite(flow, rewrite, [array(2, 2, 9, 12) / 6])
    assert {"_AttentionKept", "_AttentionGrad"} <= set(types(flow)) and "Softmax" not in types(flow)


@pytest.mark.parametrize("n", [0, 1, 3, 17, 31, 65])
@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_in_a_session(name: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice in a row, behind a loop of itself, with open sizes and rows that are not finite: as composed."""
    def run(given: np.ndarray) -> list[np.ndarray]:
        with gc.Graph().as_default(), gc.Session() as session:
            x = gc.placeholder(gc.float32, [None, None])
            form = JOINED[name]
            _, h = gc.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, form(h * 2.0) + h), [gc.constant(0), x])
            y = form(h) * 3.0
            y = form(y) + y
            found: list[np.ndarray] = session.run([y, *gc.gradients(gc.reduce_sum(gc.square(y)), [x])], {x: given})
        return found

    given = array(6, n)
    given[2:3, :1], given[3:4, -1:], given[4] = np.nan, np.inf, -np.inf
    joined = run(given)
    monkeypatch.setattr("graphc.plan.compile.PIPELINE", tuple(p for p in PIPELINE if p[0] != "softmax_by_hand"))
    for a, b in zip(joined, run(given), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
