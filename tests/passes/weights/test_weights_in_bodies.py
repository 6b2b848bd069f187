"""weights_in_bodies: structure, values, and that the run packs such weights once."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.node import Flow
from graphc.ir.verify import verify
from graphc.passes.weights.weights_in_bodies import weights_in_bodies
from graphc.plan import plan as p

from checking import check_compiled, flow_of

pytestmark = pytest.mark.usefixtures("graph")

RNG = np.random.default_rng(3)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def repeated(x: Any, step: Any, times: int = 3) -> Any:
    return gc.while_loop(lambda i, _: i < times, lambda i, y: (i + 1, step(y)), [0, x])[1]


def operands(flow: Flow) -> list[int]:
    return [len(node.inputs) for node in flow.nested]


def changed(fetches: list[Any], feeds: list[Any], arrays: list[np.ndarray]) -> Flow:
    """The flow behind the pass, valid and a fixpoint; compiled, it must compute what the graph's reference does."""
    check_compiled(fetches, feeds, arrays)
    flow = weights_in_bodies(flow_of(fetches, feeds))
    verify(flow, "weights_in_bodies")
    assert weights_in_bodies(flow) is flow
    return flow


def test_a_loop_reads_a_constant_itself() -> None:
    x, w, given = gc.placeholder("float32", (None, 3)), gc.constant(array(3, 3)), gc.placeholder("float32", (3, 3))
    y = repeated(x, lambda y: gc.tanh(gc.matmul(y, w) + gc.matmul(y, given)))
    assert operands(flow_of([y], [x, given])) == [4]
    after = changed([y], [x, given], [array(2, 3), array(3, 3)])
    assert operands(after) == [3]                                   # the counter, x, what is fed


def test_a_carried_constant_stays_what_changes() -> None:
    x = gc.placeholder("float32", (2,))
    y = gc.while_loop(lambda i, *_: i < 3, lambda i, a, b: (i + 1, b * x, a + 1.0),
                      [0, gc.constant([1.0, 2.0]), gc.constant([3.0, 4.0])])
    assert operands(changed(list(y), [x], [array(2)])) == operands(flow_of(y, [x]))


def test_a_constant_that_requires_sizes_of_others_is_passed_on() -> None:
    """A batch's mean, folded, which holds only if the offset, of a size unknown, has as many elements."""
    x, offset, which = gc.constant(array(2, 3, 3, 4)), gc.placeholder("float32", (None,)), gc.placeholder("bool", ())
    mean = gc.nn.fused_batch_norm(x, gc.ones([4]), offset)[1]
    y = gc.cond(which, lambda: mean, lambda: gc.zeros([4]))
    for chosen in (True, False):
        check_compiled([y], [offset, which], [array(4), np.array(chosen)])
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match="offset"):
        session.run(y, {offset: array(3), which: True})


def test_branches_and_loops_in_loops() -> None:
    x, flag, w = gc.placeholder("float32", (None, 3)), gc.placeholder("bool", ()), gc.constant(array(3, 3))
    flat = gc.reshape(w, [9])

    def step(y: Any) -> Any:
        inner = repeated(y, lambda z: gc.matmul(z, w) * 0.1, 2)
        return gc.cond(flag, lambda: inner + gc.reduce_sum(flat), lambda: gc.matmul(inner, w))

    y = repeated(x, step)
    check_compiled([y], [x, flag], [array(2, 3), np.array(False)])
    after = changed([y], [x, flag], [array(2, 3), np.array(True)])
    body = after.nested[0].op.body
    assert operands(after) == [3] and sorted(operands(body)) == [2, 2]     # counter, value; predicate, value


def test_prepared_weights_are_read_inside() -> None:
    """A product of two variables is work on weights alone; the loop has it as a buffer of its own."""
    x = gc.placeholder("float32", (None, 40))
    a, b = gc.Variable(array(40, 70)), gc.Variable(array(70, 40))
    y = repeated(x, lambda y, w=gc.matmul(a, b): gc.tanh(gc.matmul(y, w)))
    states = {v.op.name: array(*v.shape.as_list()) * 0.1 for v in (a, b)}
    made = check_compiled([y], [x], [array(5, 40)], states)
    bodies = [body for body in made.plan.bodies if any(isinstance(s, p.Call) and s.kernel == "matmul.f32"
                                                       for s in body.steps) and body.inputs]
    inside = [body for body in bodies if any(b.kind == p.BufferKind.PREPARED for b in body.buffers)]
    assert len(inside) == 1 and len(inside[0].inputs) == 2


@pytest.mark.parametrize("rows", [1, 20])
def test_a_constant_is_packed_once(rows: int, capfd: pytest.CaptureFixture[str],
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_TRACE", "1")
    x, w = gc.placeholder("float32", (None, 64)), gc.constant(array(64, 64) * 0.1)
    y, fed = repeated(x, lambda y: gc.matmul(y, w)), array(rows, 64)
    with gc.Session() as session:
        first, again = session.run(y, {x: fed}), session.run(y, {x: fed})
    packings = [line for line in capfd.readouterr().err.splitlines() if "pack for matmul" in line]
    assert len(packings) == 1
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, fed @ np.linalg.matrix_power(w.op.definition.value, 3), rtol=1e-4, atol=1e-5)
