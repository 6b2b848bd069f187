"""gc.gradients: what it connects, adds up and refuses."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


def test_contributions_are_added() -> None:
    x = gc.placeholder(gc.float32, [3])
    y = x * x + gc.sin(x) + x
    dx, = gc.gradients(y, x)
    value = np.array([0.5, 1, 2], np.float32)
    np.testing.assert_allclose(run_reference(dx, {x: value}), 2 * value + np.cos(value) + 1, rtol=1e-6)


def test_unconnected_is_none_or_zero() -> None:
    x, z = gc.placeholder(gc.float32, [3]), gc.placeholder(gc.float32, [2])
    assert gc.gradients(x * 2.0, [z]) == [None]
    zero, = gc.gradients(x * 2.0, [z], unconnected_gradients=gc.UnconnectedGradients.ZERO)
    assert run_reference(zero, {z: np.ones(2)}).tolist() == [0, 0]


def test_stop_gradient_and_stop_gradients() -> None:
    x = gc.placeholder(gc.float32, [])
    square = x * x
    dx, = gc.gradients(gc.stop_gradient(square) + x, x)
    assert run_reference(dx, {x: 3.0}) == 1
    dx, = gc.gradients(square * x, x, stop_gradients=[square])
    assert run_reference(dx, {x: 3.0}) == 9


def test_grad_ys_and_several_ys() -> None:
    x = gc.placeholder(gc.float32, [2])
    dx, = gc.gradients([x * 3.0, x * x], x, grad_ys=[gc.constant([1.0, 2.0]), None])
    np.testing.assert_allclose(run_reference(dx, {x: [1, 2]}), [3 + 2, 6 + 4])
    with pytest.raises(ValueError, match="2 grad_ys do not fit 1 ys"):
        gc.gradients(x, x, grad_ys=[x, x])
    with pytest.raises(ValueError, match=r"grad_ys\[0\] has shape \(3,\)"):
        gc.gradients(x, x, grad_ys=gc.constant([1.0, 2.0, 3.0]))


def test_gradient_by_an_inner_tensor_and_by_the_result() -> None:
    x = gc.placeholder(gc.float32, [])
    middle = x * 2.0
    y = middle * middle
    dm, dy, dx = gc.gradients(y, [middle, y, x])
    assert run_reference([dm, dy, dx], {x: 3.0}) == [12, 1, 24]


def test_variables_gather_over_all_reads() -> None:
    v = gc.Variable([1.0, 2.0], name="v")
    y = v * v + v.read_value()
    dv, = gc.gradients(y, v)
    np.testing.assert_allclose(run_reference(dv, states={"v": np.array([1, 2], np.float32)}), [3, 5])


def test_third_order() -> None:
    x = gc.placeholder(gc.float64, [])
    y = x**4
    for expected in (4 * 8.0, 12 * 4.0, 24 * 2.0):
        y, = gc.gradients(y, x)
        np.testing.assert_allclose(run_reference(y, {x: 2.0}), expected)


def test_hessian() -> None:
    x = gc.placeholder(gc.float64, [2])
    h, = gc.hessians(x[0] ** 2 * x[1], x)
    np.testing.assert_allclose(run_reference(h, {x: [1.0, 2.0]}), [[4, 2], [2, 0]])


def test_names() -> None:
    x = gc.placeholder(gc.float32, [], name="x")
    gc.gradients(gc.square(x, name="y"), x)
    names = [op.name for op in x.graph.get_operations()]
    assert any(n.startswith("gradients/y_grad/") for n in names)


def test_through_a_long_chain_without_recursion() -> None:
    x = gc.placeholder(gc.float32, [])
    y = x
    for _ in range(3000):
        y = y + 1.0
    dx, = gc.gradients(y, x)
    assert run_reference(dx, {x: 0.0}) == 1


def test_errors_name_op_and_line() -> None:
    x = gc.placeholder(gc.float32, [3])
    y = _without_gradient(x)
    with pytest.raises(LookupError) as caught:
        gc.gradients(y, x)
    message = str(caught.value)
    assert message.startswith("No gradient defined for operation 'opaque' (op type: _TestOpaque)")
    assert "test_gradients.py" in message and "gc.stop_gradient" in message


def _without_gradient(x: gc.Tensor) -> gc.Tensor:
    from graphc.ir.apply import apply
    from graphc.ir.op import Op
    from graphc.ir.spec import Spec

    class _TestOpaque(Op):
        operands = ("x",)
        type = "_TestOpaque"

        def infer(self, x: Spec) -> Spec:
            return x

    return apply(_TestOpaque, x, name="opaque")


@pytest.mark.parametrize("mode", ["REFLECT", "SYMMETRIC"])
def test_gradient_of_mirrored_borders_that_are_fed(mode: str) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, borders = gc.placeholder(gc.float64, [None, None]), gc.placeholder(gc.int32, [2, 2])
        gradient = gc.gradients(gc.reduce_sum(gc.square(gc.pad(x, borders, mode))), x)[0]
        value = np.random.default_rng(0).normal(size=(3, 4))
        for given in ([[1, 2], [2, 1]], [[0, 0], [3, 2]], [[0, 0], [0, 0]], [[2, 0], [0, 1]]):
            times = np.zeros_like(value)
            np.add.at(times.reshape(-1), np.pad(np.arange(12).reshape(3, 4), given, mode=mode.lower()).reshape(-1), 1)
            np.testing.assert_allclose(session.run(gradient, {x: value, borders: given}), 2 * value * times)
