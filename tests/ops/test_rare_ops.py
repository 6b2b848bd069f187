"""Ops that graphs of other programs have and no public function makes, with TensorFlow's numbers: what samples do not
say."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS


def value(tensors: Any) -> Any:
    with gc.Session() as session:
        return session.run(tensors)


def made(op: str, *inputs: Any, **attributes: Any) -> Any:
    return apply(OPS[op], *map(gc.convert_to_tensor, inputs), **attributes)


def test_one_element_of_sorted_rows() -> None:
    x = gc.constant([[1.0, 5, 5, -2]])
    found = [value(made("NthElement", x, n, reverse=r))[0] for r in (False, True) for n in (0, 1, 3)]
    assert found == [-2, 1, 5, 5, 5, -2]
    slope = gc.gradients(made("NthElement", x, 2), x)[0]
    np.testing.assert_array_equal(value(slope), [[0, 0.5, 0.5, 0]])
    n = gc.placeholder(gc.int32, [])
    y = made("NthElement", x, n)
    with gc.Session() as session:
        assert session.run(y, {n: 1}) == 1
        with pytest.raises(gc.errors.InvalidArgumentError, match="NthElement"):
            session.run(y, {n: 4})
    with pytest.raises(ValueError, match=r"at least n\+1 = 5 columns but got 4"):
        made("NthElement", x, 4)


def test_numbers_of_intervals() -> None:
    x, bounds = np.array([-1, 0, 0.1, 2, 3.3, 9]), (0.0, 0.1, 3.3, 9.0)
    # The boundaries are float32 numbers: 0.1 is below one of them, 3.3 above.
    for dtype, expected in ((np.float32, [0, 1, 2, 2, 3, 4]), (np.float64, [0, 1, 1, 2, 3, 4]),
                            (np.int32, [0, 1, 1, 2, 2, 4])):
        np.testing.assert_array_equal(value(made("Bucketize", x.astype(dtype), boundaries=bounds)), expected)
    with pytest.raises(ValueError, match="Expected sorted boundaries"):
        made("Bucketize", x, boundaries=(3.0, 1.0))


def test_rows_written_in_place() -> None:
    x, rows, v = np.arange(6.0).reshape(3, 2), gc.constant([2, -1, 4, 0]), np.ones((4, 2))
    for op, expected in (("InplaceUpdate", np.ones((3, 2))), ("InplaceAdd", [[1, 2], [3, 4], [6, 7]]),
                         ("InplaceSub", [[-1, 0], [1, 2], [2, 3]])):
        np.testing.assert_array_equal(value(made(op, x, rows, v)), expected)
    with pytest.raises(ValueError, match="a row for each element"):
        made("InplaceAdd", x, rows, v[:2])
    with pytest.raises(TypeError, match="must be int32"):
        made("InplaceAdd", x, gc.constant([1], gc.int64), v[:1])


def test_clipping_in_one_op() -> None:
    t, low, high = gc.constant([-2.0, -1, 0, 0.5, 3]), gc.constant(-1.0), gc.constant(0.5)
    y = made("ClipByValue", t, low, high)
    np.testing.assert_array_equal(value(y), [-1, -1, 0, 0.5, 0.5])
    slopes = value(gc.gradients(y, [t, low, high]))
    np.testing.assert_array_equal(slopes[0], [0, 1, 1, 1, 0])
    assert slopes[1:] == [1, 1]
    np.testing.assert_array_equal(value(made("ClipByValue", [1.0, 2.0], 3.0, 0.0)), [3, 3])
    with pytest.raises(ValueError, match="shape of t"):
        made("ClipByValue", t, [0.0, 1.0], high)


def test_empty_tensors_hold_zeros_and_copies_are_equal() -> None:
    np.testing.assert_array_equal(value(apply(OPS["Empty"], [2, 3], dtype=gc.float32)), np.zeros((2, 3)))
    assert value(made("DeepCopy", 3)) == 3
    assert value(apply(OPS["AccumulateNV2"], [gc.constant(1.0), gc.constant(2.0)], shape=())) == 3


def test_the_shape_of_a_sum_is_known_where_those_of_its_terms_are_not() -> None:
    x = gc.placeholder(gc.float32, [None, None])
    y = apply(OPS["AccumulateNV2"], [x, x], shape=(2, None))
    assert y.shape.as_list() == [2, None]
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(y, {x: np.ones((2, 3))}), np.full((2, 3), 2))
        with pytest.raises(gc.errors.InvalidArgumentError, match="AccumulateNV2"):
            session.run(y, {x: np.ones((3, 3))})


@pytest.mark.parametrize("sizes", [[1, 5, 6, 2], [1, None, None, 2]])
def test_sizes_of_a_pooled_picture_are_saved_as_int64(sizes: list[int | None]) -> None:
    """As TensorFlow's op of gradients takes them."""
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, sizes)
        gc.gradients(gc.nn.fractional_avg_pool(x, [1, 1.5, 1.5, 1])[0], x)
    nodes = {n.name: n for n in graph.as_graph_def().node}
    slope = next(n for n in nodes.values() if n.op == "FractionalAvgPoolGrad")
    source = nodes[slope.input[0].split(":")[0]]
    made = source.attr["out_type" if source.op == "Shape" else "dtype" if source.op == "Const" else "DstT"]
    assert made.type == gc.int64.number


def test_a_single_element_has_no_stride_backwards() -> None:
    with pytest.raises(ValueError, match="only stride 1 allowed on non-range indexing, but index 1 has -1"):
        gc.strided_slice(gc.ones([3, 4]), [0, 2], [2, 3], [1, -1], shrink_axis_mask=2)
