"""Functions on sparse tensors: what they give against dense NumPy, forms and aliases, errors, fed ones of any rank."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

A = np.array([[0, 1, 0, -2], [0, 0, 0, 0], [3, 0, 0, 0]], np.float32)
B = np.array([[5, 0, 0, 2], [0, 0, 0, 0], [0, 0, 0, -7]], np.float32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(dense: np.ndarray) -> gc.SparseTensorValue:
    rows = np.argwhere(dense)
    return gc.SparseTensorValue(rows, dense[tuple(rows.T)], np.array(dense.shape))


def run(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


def dense(found: Any) -> np.ndarray:
    """A SparseTensorValue as an array; its indices must ascend."""
    assert isinstance(found, gc.SparseTensorValue)
    rows = found.indices.tolist()
    assert rows == sorted(rows) and len({tuple(r) for r in rows}) == len(rows)
    made = np.zeros(found.dense_shape, found.values.dtype)
    made[tuple(found.indices.T)] = found.values
    return made


UNARY: dict[str, tuple[Any, Any]] = {
    "to_dense": (gc.sparse.to_dense, lambda x: x),
    "reorder": (gc.sparse.reorder, lambda x: x),
    "reshape": (lambda x: gc.sparse.reshape(x, [2, -1]), lambda x: x.reshape(2, -1)),
    "transpose": (gc.sparse.transpose, np.transpose),
    "sum": (gc.sparse.reduce_sum, np.sum),
    "sum of rows": (lambda x: gc.sparse.reduce_sum(x, 1), lambda x: x.sum(1)),
    "sum sparse": (lambda x: gc.sparse.reduce_sum_sparse(x, 0, keepdims=True), lambda x: x.sum(0, keepdims=True)),
    "max": (lambda x: gc.sparse.reduce_max(x, 1), lambda x: np.array([1, 0, 3])),
    "max sparse": (lambda x: gc.sparse.reduce_max_sparse(x, -1), lambda x: np.array([1, 0, 3])),
    "slice": (lambda x: gc.sparse.slice(x, [0, 1], [2, 9]), lambda x: x[0:2, 1:]),
    "split": (lambda x: gc.sparse.split(sp_input=x, num_split=3, axis=1)[0], lambda x: x[:, :2]),
    "concat": (lambda x: gc.sparse.concat(1, [x, x]), lambda x: np.concatenate([x, x], 1)),
    "add": (lambda x: gc.sparse.add(x, value(B)), lambda x: x + B),
    "add dense": (lambda x: gc.sparse.add(x, B), lambda x: x + B),
    "dense add": (lambda x: gc.sparse.add(B, x), lambda x: x + B),
    "maximum": (lambda x: gc.sparse.maximum(x, value(B)), lambda x: np.maximum(x, B)),
    "minimum": (lambda x: gc.sparse.minimum(x, value(B)), lambda x: np.minimum(x, B)),
    "times": (lambda x: x * np.array([1, 2, 3, 4], np.float32), lambda x: x * [1, 2, 3, 4]),
    "dense times": (lambda x: gc.constant([[2.0], [3.0], [4.0]]) * x, lambda x: x * [[2], [3], [4]]),
    "over": (lambda x: x / gc.constant(2.0), lambda x: x / 2),
    "matmul": (lambda x: gc.sparse.matmul(x, B, adjoint_b=True), lambda x: x @ B.T),
    "adjoint": (lambda x: gc.sparse.matmul(x, B, adjoint_a=True), lambda x: x.T @ B),
    "dense matmul": (lambda x: gc.sparse.matmul(B, x, adjoint_b=True), lambda x: B @ x.T),
    "dense adjoint": (lambda x: gc.sparse.matmul(B, x, adjoint_a=True), lambda x: B.T @ x),
    "expand": (gc.sparse.expand_dims, lambda x: x[..., None]),
    "expand first": (lambda x: gc.sparse.expand_dims(x, 0), lambda x: x[None]),
    "fill": (lambda x: gc.sparse.fill_empty_rows(x, 9.0)[0], lambda x: x + [[0], [9], [0]] * np.array([1, 0, 0, 0])),
    "reset": (lambda x: gc.sparse.reset_shape(x, [5, 4]), lambda x: np.concatenate([x, np.zeros((2, 4))])),
    "map": (lambda x: gc.sparse.map_values(gc.square, x), np.square),
    "map two": (lambda x: gc.sparse.map_values(gc.add, x, y=x), lambda x: 2 * x),
}


@pytest.mark.parametrize("shape", ["constant", "known rank", "any rank"])
@pytest.mark.parametrize("name", UNARY)
def test_values(name: str, shape: str) -> None:
    function, wanted = UNARY[name]
    x = gc.SparseTensor(*value(A)) if shape == "constant" else gc.sparse_placeholder(
        gc.float32, [None, None] if shape == "known rank" else None)
    found = run(function(x), {} if shape == "constant" else {x: value(A)})
    found = dense(found) if isinstance(found, gc.SparseTensorValue) else found
    np.testing.assert_allclose(found, wanted(A), rtol=1e-6)


B64 = B.astype(np.float64)
GRADIENTS: dict[str, Any] = {
    "to_dense": gc.sparse.to_dense, "sum": lambda x: gc.sparse.reduce_sum(x, 1),
    "sum kept": lambda x: gc.sparse.reduce_sum(x, 0, keepdims=True),
    "matmul": lambda x: gc.sparse.matmul(x, B64, adjoint_b=True),
    "adjoint": lambda x: gc.sparse.matmul(x, B64, adjoint_a=True), "add": lambda x: gc.sparse.add(x, value(B64)).values,
    "add dense": lambda x: gc.sparse.add(x, B64), "times": lambda x: (x * gc.constant(B64 + 1)).values,
    "over": lambda x: (x / gc.constant(B64 + 9)).values, "slice": lambda x: gc.sparse.slice(x, [0, 2], [2, 2]).values,
    "reorder": lambda x: gc.sparse.reorder(x).values, "transpose": lambda x: gc.sparse.transpose(x).values,
    "softmax": lambda x: gc.sparse.softmax(x).values,
    "fill": lambda x: gc.sparse.fill_empty_rows(x, 9.0)[0].values,
}


@pytest.mark.parametrize("shape", [[3, 4], [None, None], None])
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_values(name: str, shape: Any) -> None:
    """Of a weighted sum of squares, against central differences."""
    x = gc.sparse_placeholder(gc.float64, shape)
    given = value(A.astype(np.float64))
    y = GRADIENTS[name](x)
    total = gc.reduce_sum(gc.square(y) * gc.cast(gc.reshape(gc.range(1, gc.size(y) + 1), gc.shape(y)), gc.float64))
    slope = gc.convert_to_tensor(gc.gradients(total, x.values)[0])
    with gc.Session() as session:
        found = session.run(slope, {x: given})
        for i in range(len(found)):
            ends = []
            for step in (1e-5, -1e-5):
                moved = given.values.copy()
                moved[i] += step
                ends.append(session.run(total, {x: given._replace(values=moved)}))
            np.testing.assert_allclose(found[i], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-6)


def test_names() -> None:
    pairs = {"sparse_add": "add", "sparse_concat": "concat", "sparse_fill_empty_rows": "fill_empty_rows",
             "sparse_mask": "mask", "sparse_maximum": "maximum", "sparse_merge": "merge", "sparse_minimum": "minimum",
             "sparse_placeholder": "placeholder", "sparse_reduce_max": "reduce_max",
             "sparse_reduce_max_sparse": "reduce_max_sparse", "sparse_reduce_sum": "reduce_sum",
             "sparse_reduce_sum_sparse": "reduce_sum_sparse", "sparse_reorder": "reorder",
             "sparse_reset_shape": "reset_shape", "sparse_reshape": "reshape", "sparse_retain": "retain",
             "sparse_slice": "slice", "sparse_softmax": "softmax", "sparse_split": "split",
             "sparse_tensor_dense_matmul": "matmul", "sparse_tensor_to_dense": "to_dense",
             "sparse_to_indicator": "to_indicator", "sparse_transpose": "transpose", "SparseTensor": "SparseTensor"}
    for old, new in pairs.items():
        assert getattr(gc, old) is getattr(gc.sparse, new)
    assert gc.sparse.matmul is gc.sparse.sparse_dense_matmul
    for old, new in (("set_size", "size"), ("set_union", "union"), ("set_difference", "difference"),
                     ("set_intersection", "intersection")):
        assert getattr(gc.sets, old) is getattr(gc.sets, new)


def test_deprecated_arguments() -> None:
    x = gc.SparseTensor(*value(A))
    np.testing.assert_array_equal(run(gc.sparse_reduce_sum(x, reduction_axes=1, keep_dims=True)), A.sum(1)[:, None])
    np.testing.assert_array_equal(dense(run(gc.sparse_concat(None, [x, x], concat_dim=0))), np.concatenate([A, A]))
    np.testing.assert_array_equal(dense(run(gc.sparse_split(sp_input=x, num_split=2, split_dim=1)[1])), A[:, 2:])
    kept = run(gc.sparse_add(x, value(B), thresh=1.5))
    assert kept.indices.tolist() == [[0, 0], [0, 1], [2, 0], [2, 3]]        # 1 has no partner, -2 + 2 is left out
    for wrong in (lambda: gc.sparse_reduce_sum(x, 0, reduction_axes=1),
                  lambda: gc.sparse_concat(0, [x, x], concat_dim=0), lambda: gc.sparse_add(x, x, 1, thresh=1)):
        with pytest.raises(ValueError, match="Cannot specify both"):
            wrong()
    with pytest.raises(ValueError, match="Keyword arguments are required"):
        gc.sparse_split(x, 2, 1)
    with pytest.raises(ValueError, match="num_split is required"):
        gc.sparse_split(sp_input=x, axis=1)


def test_static_shapes() -> None:
    x, fed = gc.SparseTensor(*value(A)), gc.sparse_placeholder(gc.float32)
    assert gc.sparse.to_dense(x).shape == gc.sparse.reorder(x).shape == gc.TensorShape([3, 4])
    assert gc.sparse.to_dense(fed).shape.ndims is None
    assert gc.sparse.matmul(fed, gc.zeros([4, 5])).shape.as_list() == [None, 5]
    assert gc.sparse.matmul(x, gc.zeros([4, 5])).shape == gc.TensorShape([3, 5])
    assert gc.sparse.transpose(x).shape == gc.TensorShape([4, 3])
    assert gc.sparse.reshape(x, [2, -1]).shape == gc.TensorShape([2, 6])
    assert gc.sparse.concat(0, [x, x]).shape == gc.TensorShape([6, 4])
    assert gc.sparse.reduce_sum(x, 0).shape == gc.TensorShape([4])
    assert gc.sparse.add(x, value(B)).shape == gc.TensorShape([3, 4])


def test_to_dense_of_wrong_indices() -> None:
    rows = [[2, 0], [0, 3], [0, 3]]
    x = gc.SparseTensor(rows, [1.0, 2.0, 3.0], [3, 4])
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"out of order or repeated.*gc.sparse.reorder.*\(1, 1\)"):
        run(gc.sparse.to_dense(x))
    found = run(gc.sparse.to_dense(x, default_value=-1.0, validate_indices=False))
    assert found[0, 3] == 3 and found[2, 0] == 1 and found[1, 1] == -1
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"\(1, 0\)"):
        run(gc.sparse.to_dense(gc.SparseTensor([[0, 1], [0, 0]][:1] * 2, [1.0, 2.0], [3, 4])))
    for validate in (True, False):
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"indices \[0, 4\].*do not index into shape \[3, 4\]"):
            run(gc.sparse.to_dense(gc.SparseTensor([[0, 4]], [1.0], [3, 4]), validate_indices=validate))


def test_sparse_to_dense() -> None:
    np.testing.assert_array_equal(run(gc.sparse_to_dense([1, 3], [5], [7, 8], -1)), [-1, 7, -1, 8, -1])
    np.testing.assert_array_equal(run(gc.sparse_to_dense([[0, 1], [1, 1]], (2, 2), 5)), [[0, 5], [0, 5]])
    np.testing.assert_array_equal(run(gc.sparse_to_dense(3, [5], 7)), [0, 0, 0, 7, 0])
    found = run(gc.sparse_to_dense(gc.constant([0, 2], gc.int64), gc.constant([3], gc.int64), True, False))
    np.testing.assert_array_equal(found, [True, False, True])
    with pytest.raises(ValueError, match="there must be one for each column"):
        gc.sparse_to_dense([[1, 1]], [5], [7])
    with pytest.raises(ValueError, match="incorrect shape"):
        gc.sparse_to_dense([1, 2], [5], [7, 8, 9])
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"index 5 is not in \[0, 5\)"):
        run(gc.sparse_to_dense([1, 5], [5], [7, 8]))


def test_one_hot_of_a_batch_of_unknown_size() -> None:
    """As scripts of 2016 made it."""
    labels = gc.placeholder(gc.int32, [None])
    size = gc.size(labels)
    rows = gc.expand_dims(gc.range(0, size), 1)
    made = gc.sparse_to_dense(gc.concat([rows, gc.expand_dims(labels, 1)], 1), gc.stack([size, 10]), 1.0, 0.0)
    assert made.shape.as_list() == [None, 10]
    for given in ([3, 1, 9], [0]):
        np.testing.assert_array_equal(run(made, {labels: given}), np.eye(10)[given])


def test_from_dense_and_indicators() -> None:
    np.testing.assert_array_equal(dense(run(gc.sparse.from_dense(A))), A)
    np.testing.assert_array_equal(dense(run(gc.sparse.from_dense(A > 0))), A > 0)
    ids = gc.SparseTensor([[0, 0], [0, 1], [2, 0]], np.array([3, 1, 2]), [3, 2])
    wanted = np.zeros((3, 5), np.bool_)
    wanted[[0, 0, 2], [3, 1, 2]] = True
    np.testing.assert_array_equal(run(gc.sparse.to_indicator(ids, 5)), wanted)
    values = gc.SparseTensor(ids.indices, [1.0, 2.0, 3.0], ids.dense_shape)
    np.testing.assert_array_equal(dense(run(gc.sparse.merge(ids, values, 5))),
                                  [[0, 2, 0, 1, 0], [0] * 5, [0, 0, 3, 0, 0]])
    two = run(gc.sparse.merge([ids, ids], values, [5, 4]))
    assert two.indices.tolist() == [[0, 1, 1], [0, 3, 3], [2, 2, 2]] and two.dense_shape.tolist() == [3, 5, 4]
    unsorted = run(gc.sparse.merge(ids, values, 5, already_sorted=True))
    assert unsorted.indices.tolist() == [[0, 3], [0, 1], [2, 2]]
    with pytest.raises(TypeError, match="vocab_size has to be a list"):
        gc.sparse.merge([ids], values, 5)
    with pytest.raises(ValueError, match="equal lengths"):
        gc.sparse.merge([ids], values, [5, 5])
    np.testing.assert_array_equal(dense(run(gc.sparse.eye(2, 3, gc.int32))), np.eye(2, 3))
    np.testing.assert_array_equal(dense(run(gc.sparse.eye(3))), np.eye(3))


def test_retain_mask_and_reset() -> None:
    x = gc.SparseTensor(*value(A))
    np.testing.assert_array_equal(run(gc.sparse_retain(x, [True, False, True])).values, [1, 3])
    np.testing.assert_array_equal(dense(run(gc.sparse_retain(x, gc.not_equal(x.values, -2)))), np.maximum(A, 0))
    with pytest.raises(ValueError, match="to_retain"):
        gc.sparse_retain(x, [True, False])
    slices = gc.IndexedSlices([[1.0], [2.0], [3.0]], [4, 5, 6], [9, 1])
    found = run(gc.sparse_mask(slices, [5, 7]))
    assert found.indices.tolist() == [4, 6] and found.values.tolist() == [[1], [3]]
    assert run(gc.sparse.reset_shape(gc.SparseTensor([[0, 2]], [1], [7, 7]))).dense_shape.tolist() == [1, 3]
    none = gc.SparseTensor(np.zeros((0, 2)), np.zeros(0), [7, 7])
    assert run(gc.sparse.reset_shape(none)).dense_shape.tolist() == [0, 0]
    with pytest.raises(ValueError, match="dimension sizes >="):
        gc.sparse.reset_shape(x, [2, 5])
    with pytest.raises(ValueError, match="3 sizes, but sp_input 2"):
        gc.sparse.reset_shape(x, [3, 4, 5])
    fed = gc.sparse_placeholder(gc.float32)
    with pytest.raises(gc.errors.InvalidArgumentError, match="did not hold"):
        run(gc.sparse.reset_shape(fed, [2, 5]), {fed: value(A)})


def test_concat_with_other_sizes() -> None:
    x, y = gc.SparseTensor(*value(A)), gc.SparseTensor([[4, 1]], [8.0], [5, 2])
    wanted = np.zeros((5, 6), np.float32)
    wanted[:3, :4], wanted[4, 5] = A, 8
    for axis in (1, -1):
        np.testing.assert_array_equal(dense(run(gc.sparse.concat(axis, [x, y], expand_nonconcat_dims=True))), wanted)
    with pytest.raises(gc.errors.InvalidArgumentError, match="sizes that differ"):
        run(gc.sparse.concat(1, [x, y]))
    assert gc.sparse.concat(1, [x]) is x
    with pytest.raises(TypeError, match=r"'sp_inputs\[1\]': Input must be a SparseTensor"):
        gc.sparse.concat(1, [x, A])


def test_arithmetic_that_does_not_fit() -> None:
    x, fed = gc.SparseTensor(*value(A)), gc.sparse_placeholder(gc.float32)
    with pytest.raises(ValueError, match="broadcasts dense to sparse only"):
        x * gc.constant([1.0, 2.0])
    with pytest.raises(ValueError, match="broadcasts dense to sparse only"):
        x * gc.ones([2, 3, 4])
    for wrong in ([1.0, 2.0], np.ones((2, 3, 4), np.float32)):
        with pytest.raises(gc.errors.InvalidArgumentError, match="broadcasts dense to sparse only"):
            run(fed * gc.constant(wrong), {fed: value(A)})
    with pytest.raises(ValueError, match="requested dtype float32"):
        x * gc.constant([1, 2, 3, 4])
    for function in (lambda: 2.0 * x, lambda: x + x, lambda: -x):
        with pytest.raises(TypeError):
            function()
    with pytest.raises(ValueError, match="did you forget adjoint"):
        gc.sparse.matmul(x, B)
    with pytest.raises(gc.errors.InvalidArgumentError, match="did you forget adjoint"):
        run(gc.sparse.matmul(fed, B), {fed: value(A)})
    with pytest.raises(ValueError, match="shapes do not match"):
        gc.sparse.add(x, gc.SparseTensor([[0, 0]], [1.0], [3, 5]))
    with pytest.raises(gc.errors.InvalidArgumentError, match="shapes do not match"):
        run(gc.sparse.add(fed, gc.SparseTensor([[0, 0]], [1.0], [3, 5])), {fed: value(A)})
    with pytest.raises(TypeError, match=r"dense tensors: gc\.add"):
        gc.sparse.add(A, B)
    integers = gc.SparseTensor([[0], [1]], [3, 1], [2])
    assert run((integers / gc.constant(2)).values).tolist() == [1.5, 0.5]


def test_map_values() -> None:
    x = gc.SparseTensor(*value(A))
    with pytest.raises(ValueError, match="No SparseTensor"):
        gc.sparse.map_values(gc.add, 1, 2)
    other = gc.SparseTensor([[0, 0], [0, 3], [2, 0]], [1.0, 2.0, 3.0], [3, 4])
    with pytest.raises(gc.errors.InvalidArgumentError, match="Mismatched indices"):
        run(gc.sparse.map_values(gc.add, x, other))


@pytest.mark.parametrize(("name", "gradient"), [
    ("maximum", "error"), ("minimum", "error"), ("split", "error"), ("reduce_max", "error"), ("concat", None)])
def test_gradients_that_tensorflow_lacks(name: str, gradient: Any) -> None:
    x = gc.SparseTensor(*value(A))
    y = {"maximum": lambda: gc.sparse.maximum(x, x).values, "minimum": lambda: gc.sparse.minimum(x, x).values,
         "split": lambda: gc.sparse.split(sp_input=x, num_split=2, axis=0)[0].values,
         "reduce_max": lambda: gc.sparse.reduce_max(x), "concat": lambda: gc.sparse.concat(0, [x, x]).values}[name]()
    if gradient == "error":
        with pytest.raises(LookupError, match="No gradient defined"):
            gc.gradients(y, x.values)
    else:
        assert gc.gradients(y, x.values) == [None]


def test_several_variadic_operands_and_results_in_a_saved_loop() -> None:
    def swapped(i: Any, x: Any) -> Any:
        first, second, third = gc.sparse.split(sp_input=x, num_split=3, axis=1)
        return i + 1, gc.sparse.concat(1, [third, gc.sparse.concat(1, [first, second])])

    x = gc.SparseTensor(*value(A))
    _, y = gc.while_loop(lambda i, _: i < 2, swapped, (0, x))
    joined = gc.sparse.concat(0, [x, x, x])
    names = [gc.identity(part).name for part in (y.indices, y.values, y.dense_shape, joined.values)]
    saved = gc.get_default_graph().as_graph_def()
    found = [n.attr["N"].i for n in saved.node if n.op == "SparseConcat"]
    assert found == [3]
    with gc.Graph().as_default():
        gc.import_graph_def(saved, name="")
        again = run(names)
    np.testing.assert_array_equal(dense(gc.SparseTensorValue(*again[:3])), np.roll(A, 2, 1))
    assert again[3].tolist() == [1, -2, 3] * 3


def test_sets() -> None:
    one = gc.SparseTensor([[0, 0], [0, 2], [1, 0], [1, 3]], [3, 3, 9, 1], [2, 4])
    two = gc.constant([[3, 1, 3], [9, 7, 0]])
    assert run(gc.sets.size(one)).tolist() == [1, 2]
    sets = {"union": [[1, 3], [0, 1, 7, 9]], "intersection": [[3], [9]], "difference": [[], [1]]}
    for name, wanted in sets.items():
        found = run(getattr(gc.sets, name)(one, two))
        assert found.dense_shape.tolist() == [2, max(map(len, wanted))]
        assert [found.values[found.indices[:, 0] == i].tolist() for i in (0, 1)] == wanted
    assert run(gc.sets.difference(one, two, aminusb=False)).values.tolist() == [1, 0, 7]
    with pytest.raises(TypeError, match="Expected `SparseTensor`"):
        gc.sets.size(two)
    with pytest.raises(TypeError, match="float32, but DenseToDense"):
        gc.sets.union([[1.0]], [[2.0]])
    with pytest.raises(ValueError, match="must have one shape but for their last axes"):
        gc.sets.union(two, [[1]])
    unsorted = gc.SparseTensor([[0, 1], [0, 0]], [1, 2], [1, 2])
    with pytest.raises(gc.errors.InvalidArgumentError, match="out of order or repeated"):
        run(gc.sets.size(unsorted))
    assert run(gc.sets.size(unsorted, validate_indices=False)).tolist() == [2]


def test_edit_distance() -> None:
    found = gc.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 2, 5], [2, 2])
    truth = gc.SparseTensor([[0, 0], [0, 1], [0, 2], [2, 0]], [2, 2, 1, 7], [3, 3])
    np.testing.assert_allclose(run(gc.edit_distance(found, truth)), [2 / 3, np.inf, 1], rtol=1e-6)
    np.testing.assert_array_equal(run(gc.edit_distance(found, truth, normalize=False)), [2, 1, 1])
    with pytest.raises(TypeError, match="Truth must be a SparseTensor"):
        gc.edit_distance(found, [1])
    with pytest.raises(ValueError, match="must have one rank"):
        gc.edit_distance(found, gc.SparseTensor([[0]], [1], [1]))
    flat = gc.SparseTensor([[0]], [1], [1])
    with pytest.raises(ValueError, match="of at least 2"):
        gc.edit_distance(flat, flat)
