"""The public functions: names, argument aliases, compositions and errors; values through the NumPy evaluator."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]], np.float32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(tensor, feeds=None):
    return run_reference(tensor, feeds)


def close(tensor, expected, tolerance=1e-5):
    np.testing.assert_allclose(value(tensor), expected, rtol=tolerance, atol=tolerance)


def test_operators_have_the_names_and_types_of_tf():
    x, y = gc.constant(X), gc.constant(2 * X)
    made = [x + y, x - y, x * y, x / y, x // y, x % y, x**2.0, -x, abs(x), x < y, 1 - x, np.ones(3) * x]
    assert [t.op.type for t in made] == ["AddV2", "Sub", "Mul", "RealDiv", "FloorDiv", "FloorMod", "Pow", "Neg", "Abs",
                                         "Less", "Sub", "Mul"]
    assert [t.op.name for t in made] == ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "Neg", "Abs", "Less",
                                         "sub_1", "mul_1"]
    close(1 - x, 1 - X)
    close(2.0**x, 2.0**X)
    close(x @ gc.transpose(y), X @ (2 * X).T)


def test_integer_division():
    x = gc.constant([-7, 7])
    assert (x / 2).dtype == gc.float64
    np.testing.assert_array_equal(value(x // 2), [-4, 3])
    np.testing.assert_array_equal(value(gc.div(x, 2)), [-4, 3])
    np.testing.assert_array_equal(value(gc.truncatediv(x, 2)), [-3, 3])
    np.testing.assert_array_equal(value(x % 4), [1, 3])


def test_dtypes_never_promote():
    with pytest.raises(TypeError):
        1.5 * gc.constant([1, 2])
    with pytest.raises(TypeError, match="dtype"):
        gc.constant(1.0) + gc.constant(1)
    assert (gc.constant(1.0) + np.float64(2)).dtype == gc.float32


def test_reductions_take_their_older_names():
    x = gc.constant(X)
    close(gc.reduce_sum(x), X.sum())
    close(gc.reduce_sum(x, reduction_indices=[1], keep_dims=True), X.sum(1, keepdims=True))
    close(gc.reduce_mean(x, 0), X.mean(0))
    close(gc.reduce_logsumexp(x, 1), np.log(np.exp(X).sum(1)))
    np.testing.assert_array_equal(value(gc.argmax(x, dimension=1)), X.argmax(1))
    with pytest.raises(ValueError, match="reduction_indices"):
        gc.reduce_sum(x, axis=0, reduction_indices=[1])
    with pytest.raises(ValueError, match="out of range"):
        gc.reduce_sum(x, axis=2)


def test_errors_name_the_op_and_the_sizes():
    with pytest.raises(ValueError, match=r"MatMul.*\n?.*inner dimensions 3 and 2"):
        gc.matmul(gc.constant(X), gc.constant(X))
    with pytest.raises(ValueError, match="bias of 2 does not fit 3 channels"):
        gc.nn.bias_add(gc.constant(X), gc.constant([1.0, 2.0]))
    with pytest.raises(ValueError, match="window of 5 does not fit"):
        gc.nn.max_pool(gc.ones([1, 3, 3, 1]), 5, 1, "VALID")
    with pytest.raises(ValueError, match="input depth"):
        gc.nn.conv2d(gc.ones([1, 4, 4, 3]), gc.ones([2, 2, 4, 1]), 1, "SAME")
    with pytest.raises(ValueError, match="padding"):
        gc.nn.conv2d(gc.ones([1, 4, 4, 3]), gc.ones([2, 2, 3, 1]), 1, "FULL")
    with pytest.raises(ValueError, match="named arguments"):
        gc.nn.softmax_cross_entropy_with_logits(gc.constant(X), gc.constant(X))
    with pytest.raises(ValueError, match="Rank mismatch"):
        gc.nn.sparse_softmax_cross_entropy_with_logits(labels=gc.constant([[1, 2]]), logits=gc.constant(X))


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 0), (2, 0, 4), (0, 3, 1)])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("known", [True, False])
def test_gather_nd_takes_slices_at_tuples_and_none_outside_of_an_axis(shape, depth, known):
    array = np.arange(float(np.prod(shape)), dtype=np.float32).reshape(shape)
    tuples = np.array(list(np.ndindex(*shape[:depth])), np.int32).reshape(-1, depth)[::-1]
    params = gc.placeholder("float32", shape if known else [None] * 3)
    indices = gc.placeholder("int32", [None, depth])
    rows = gc.gather_nd(params, indices)
    gradient = gc.convert_to_tensor(gc.gradients(rows * rows, params)[0])      # of tuples of one index: IndexedSlices
    with gc.Session() as session:
        found, dx = session.run([rows, gradient], {params: array, indices: tuples})
        expected = np.array([array[tuple(t)] for t in tuples]).reshape(len(tuples), *shape[depth:])
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(dx, 2 * array)
        for axis in range(depth):
            for outside in (-1, shape[axis]):
                wrong = np.zeros((1, depth), np.int32)
                wrong[0, axis] = outside
                with pytest.raises(gc.errors.InvalidArgumentError, match=r"is not in|do not index into shape"):
                    session.run(rows, {params: np.zeros(shape), indices: wrong})


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 0), (2, 0, 4), (0, 3, 1)])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("known", [True, False])
def test_scatters_take_no_tuple_outside_of_an_axis(shape, depth, known):
    given = gc.constant if known else lambda value: gc.placeholder_with_default(value, None)
    table = given(np.ones(shape, np.float32))
    with gc.Session() as session:
        for axis in range(depth):
            for outside in (-1, shape[axis]):
                wrong = np.zeros((1, depth), np.int32)
                wrong[0, axis] = outside
                indices, rows = given(wrong), given(np.ones((1, *shape[depth:]), np.float32))
                for made in (gc.scatter_nd(indices, rows, shape), gc.tensor_scatter_update(table, indices, rows),
                             gc.tensor_scatter_add(table, indices, rows)):
                    with pytest.raises(gc.errors.InvalidArgumentError, match=r"is not in|do not index into shape"):
                        session.run(made)


@pytest.mark.parametrize("row", [(), (2,), (0,), (3, 0)])
def test_a_stitch_takes_no_negative_index(row):
    indices = gc.placeholder("int32", [None])
    made = gc.dynamic_stitch([indices], [gc.ones([2, *row])])
    with gc.Session() as session:
        assert session.run(made, {indices: [3, 1]}).shape == (4, *row)
        with pytest.raises(gc.errors.InvalidArgumentError, match="-1 is not in"):
            session.run(made, {indices: [3, -1]})


def test_an_empty_axis_has_no_slices():
    assert gc.unstack(gc.zeros([0, 3])) == gc.unstack(gc.placeholder("float32", [2, 0]), axis=-1) == []


def test_losses():
    x = gc.constant(X)
    z = np.array([[1, 0, 1], [0, 1, 1]], np.float32)
    p = 1 / (1 + np.exp(-X))
    close(gc.nn.sigmoid_cross_entropy_with_logits(labels=gc.constant(z), logits=x),
          -z * np.log(p) - (1 - z) * np.log(1 - p))
    soft = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    close(gc.nn.softmax_cross_entropy_with_logits(labels=z / z.sum(1, keepdims=True), logits=x),
          -(z / z.sum(1, keepdims=True) * np.log(soft)).sum(1))
    close(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=[2, 0], logits=x), -np.log(soft[[0, 1], [2, 0]]))
    three = gc.reshape(x, [1, 2, 3])
    close(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=[[2, 0]], logits=three),
          -np.log(soft[[0, 1], [2, 0]])[None])
    close(gc.nn.softmax(x, axis=0), np.exp(X) / np.exp(X).sum(0))
    close(gc.nn.l2_loss(x), (X**2).sum() / 2)
    close(gc.nn.l2_normalize(x, 1), X / np.sqrt((X**2).sum(1, keepdims=True)))


def test_labels_have_gradients_in_the_second_version_only():
    labels, logits = gc.constant(np.full((2, 3), 1 / 3, np.float32)), gc.constant(X)
    old = gc.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    new = gc.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
    assert gc.gradients(old, [labels]) == [None]
    assert gc.gradients(new, [labels])[0] is not None


def test_ties():
    x = gc.constant([0.0, 1.0, 1.0])
    np.testing.assert_array_equal(value(gc.gradients(gc.maximum(x, 0.0), [x])[0]), [1, 1, 1])
    np.testing.assert_array_equal(value(gc.gradients(gc.reduce_max(x), [x])[0]), [0, 0.5, 0.5])
    np.testing.assert_array_equal(value(gc.gradients(gc.nn.relu(x), [x])[0]), [0, 1, 1])


def test_normalisation():
    pictures = np.random.default_rng(0).normal(size=(4, 3, 2, 5)).astype(np.float32)
    x = gc.constant(pictures)
    mean, variance = gc.nn.moments(x, [0, 1, 2])
    close(mean, pictures.mean((0, 1, 2)))
    close(variance, pictures.var((0, 1, 2)))
    expected = (pictures - pictures.mean((0, 1, 2))) / np.sqrt(pictures.var((0, 1, 2)) + 1e-3)
    close(gc.nn.batch_normalization(x, mean, variance, None, None, 1e-3), expected)
    y, _, unbiased = gc.nn.fused_batch_norm(x, np.ones(5, np.float32), np.zeros(5, np.float32))
    close(y, expected)
    close(unbiased, pictures.var((0, 1, 2), ddof=1))


def test_dropout_scales_what_it_keeps_and_its_gradient_sees_the_same_draw():
    x = gc.ones([1000])
    y = gc.nn.dropout(x, keep_prob=0.8, seed=1)
    gradient, = gc.gradients(y, [x])
    found, found_gradient = run_reference([y, gradient])
    np.testing.assert_array_equal(found, found_gradient)
    assert set(np.round(np.unique(found), 5)) == {0, 1.25} and 150 < (found == 0).sum() < 250
    assert gc.nn.dropout(x, rate=0) is x
    with pytest.raises(ValueError, match="range"):
        gc.nn.dropout(x, keep_prob=0)
    with pytest.raises(ValueError, match="both"):
        gc.nn.dropout(x, keep_prob=0.5, rate=0.5)


def test_random_seeds():
    first, second = gc.random_normal([5], seed=3), gc.random_normal([5], seed=3)
    assert first.op.inputs[0].op.inputs[0].op.definition.seed2 == 3
    assert second.op.name == "random_normal_1"
    gc.set_random_seed(7)
    drawn = gc.random_uniform([4], -1, 1).op.inputs[0].op.inputs[0].op
    assert drawn.type == "RandomUniform" and drawn.definition.seed == 7
    with pytest.raises(ValueError, match="maxval"):
        gc.random_uniform([4], dtype=gc.int32)
    assert gc.random_uniform([4], 0, 5, dtype=gc.int32).op.type == "RandomUniformInt"


def test_clipping():
    x = gc.constant(X)
    close(gc.clip_by_value(x, -1, 1), np.clip(X, -1, 1))
    clipped, norm = gc.clip_by_global_norm([x, None, x], 1.0)
    close(norm, np.sqrt(2 * (X**2).sum()))
    assert clipped[1] is None
    close(clipped[0], X / np.sqrt(2 * (X**2).sum()))
    close(gc.clip_by_norm(x, 1.0), X / np.sqrt((X**2).sum()))
    close(gc.clip_by_norm(gc.zeros([3]), 1.0), np.zeros(3))


def test_sizes_flow_through_arithmetic():
    x = gc.placeholder(gc.float32, [None, 4, 6])
    s = gc.shape(x)
    assert gc.reshape(x, [s[0] * 4, s[2] // 2, -1]).shape.as_list() == [None, 3, 2]
    assert gc.reshape(x, [-1, gc.reduce_prod(s[1:])]).shape.as_list() == [None, 24]


@pytest.mark.parametrize(("shape", "mask"), [((1, 0), [True]), ((0, 3), np.zeros(0, bool)), ((2, 0, 3), [True, False])])
def test_boolean_mask_of_empty_axes(shape: tuple[int, ...], mask: Any) -> None:
    value = np.zeros(shape, np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        x, m = gc.placeholder(gc.float32, [None] * len(shape)), gc.placeholder(gc.bool, [None])
        assert session.run(gc.boolean_mask(value, np.array(mask))).shape == value[np.array(mask)].shape
        assert session.run(gc.boolean_mask(x, m), {x: value, m: mask}).shape == value[np.array(mask)].shape


def test_windows_that_do_not_fit_are_refused_whenever_it_is_known() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [1, None, None, 1])
        y = gc.nn.max_pool(x, [1, 2, 3, 1], [1, 1, 1, 1], "VALID")
        assert session.run(y, {x: np.ones((1, 2, 3, 1))}).shape == (1, 1, 1, 1)
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"does not fit|must fit"):
            session.run(y, {x: np.ones((1, 2, 2, 1))})
        with pytest.raises(ValueError, match="does not fit"):
            gc.nn.max_pool(gc.zeros([1, 2, 2, 1]), [1, 2, 3, 1], [1, 1, 1, 1], "VALID")


def test_dropout_keeps_the_shape_whatever_the_rate_is() -> None:
    x, keep = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.float32)
    y = gc.nn.dropout(x, keep)
    assert y.shape.as_list() == [None, 3]
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(y, {x: np.ones((2, 3)), keep: 1.0}), np.ones((2, 3)))


def test_labels_of_a_softmax_may_have_axes_more_than_logits() -> None:
    logits, labels = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.float32, [1, None, 3])
    loss = gc.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
    plain = gc.nn.softmax_cross_entropy_with_logits_v2(labels=labels[0], logits=logits)
    with gc.Session() as session:
        feeds = {logits: np.arange(6.0).reshape(2, 3), labels: np.eye(3)[[[2, 0]]]}
        found, expected = session.run([loss, plain], feeds)
    assert found.shape == (2,)
    np.testing.assert_array_equal(found, expected)


def test_one_row_of_labels_or_logits_serves_all_rows() -> None:
    """As in TensorFlow, whose gradient of it fails; here it is the sum."""
    many = gc.placeholder(gc.float32, [None, 3])
    one = gc.constant([[0.5, 0.5, 0.0]])
    rows = gc.tile(one, [2, 1])
    pairs = [((one, many), (rows, many)), ((many, one), (many, rows))]
    losses = [[gc.nn.softmax_cross_entropy_with_logits_v2(*given) for given in pair] for pair in pairs]
    gradients = [[gc.gradients(loss, [one, many]) for loss in pair] for pair in losses]
    with gc.Session() as session:
        found = session.run([losses, gradients], {many: np.eye(3)[[2, 0]]})
    for (short, full), (of_short, of_full) in zip(*found, strict=True):
        np.testing.assert_array_equal(short, full)
        for a, b in zip(of_short, of_full, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_in_top_k_takes_arrays_of_any_integers(dtype: type) -> None:
    predictions = np.array([[0.1, 0.9], [0.8, 0.2]], np.float32)
    with gc.Session() as session:
        assert session.run(gc.nn.in_top_k(predictions, np.array([1, 1], dtype), 1)).tolist() == [True, False]
