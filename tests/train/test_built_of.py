"""The public functions that optimizers are made of: update ops, sums of sparse rows, init_scope."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def test_update_ops_take_variables_and_operands_by_name() -> None:
    var = gc.Variable([1.0, 2.0])
    new = gc.raw_ops.ApplyGradientDescent(var=var, alpha=0.5, delta=[2.0, 4.0])
    rows = gc.Variable(np.ones((3, 1), np.float32))
    sums = gc.Variable(np.ones((3, 1), np.float32))
    sparse = gc.raw_ops.SparseApplyAdagrad(rows, sums, 1.0, grad=[[3.0 ** 0.5]], indices=[1])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(new).tolist() == [0.0, 0.0]
        assert np.allclose(session.run(sparse), [[1], [1 - 3 ** 0.5 / 2], [1]])


@pytest.mark.parametrize("operands, more, said", [
    (([0.0],), {}, "operand 'alpha' is missing"),
    (([0.0], 1.0), {"alpha": 1.0, "delta": [0.0]}, "operand 'alpha' is given twice"),
    (([0.0], 1.0, [0.0], 2.0), {}, "takes 3 operands"),
])
def test_update_ops_say_what_is_wrong(operands: tuple, more: dict, said: str) -> None:
    var = gc.Variable(operands[0])
    with pytest.raises(TypeError, match=said):
        gc.raw_ops.ApplyGradientDescent(var, *operands[1:], **more)


def test_rows_of_one_index_are_summed() -> None:
    rows = gc.IndexedSlices([[1.0], [2.0], [4.0]], [5, 3, 5], [9, 1])
    with gc.Session() as session:
        summed, single = session.run([rows.summed(), rows.deduplicated()])
    assert summed.values.tolist() == [[5], [2], [5]] and summed.indices.tolist() == [5, 3, 5]
    assert single.values.tolist() == [[5], [2]] and single.indices.tolist() == [5, 3]
    assert single.dense_shape.tolist() == [9, 1]


def test_init_scope_leaves_loops_and_waits_for_nothing(graph: gc.Graph) -> None:
    made: list[gc.Operation] = []

    def body(i: gc.Tensor) -> gc.Tensor:
        with gc.name_scope("inside"), gc.control_dependencies([i]), gc.init_scope():
            made.append(gc.constant(1.0).op)
        return i + 1

    gc.while_loop(lambda i: i < 3, body, [0])
    with gc.name_scope("outside"), gc.control_dependencies([gc.no_op()]), gc.init_scope():
        made.append(gc.constant(1.0).op)
    assert all(op.graph is graph and not op.control_inputs for op in made)
    assert made[-1].name.startswith("outside/")


def test_why_no_gradient() -> None:
    var = gc.Variable(2.0, name="v")
    said = gc.debugging.why_no_gradient(gc.cast(gc.cast(var, gc.int32), gc.float32), [var])
    assert "gives int32, which has no gradient" in said
