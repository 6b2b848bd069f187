"""What functions of arrays, strings and linear algebra make of rare arguments, and how they refuse them."""
from __future__ import annotations

import pytest

import graphc as gc


@pytest.mark.parametrize(("function", "label"), [
    (lambda parts: gc.concat(parts, 0), "values"), (lambda parts: gc.stack(parts, axis=1), "values"),
    (gc.add_n, "inputs")])
def test_of_a_list_the_value_with_another_dtype_is_named(function, label: str) -> None:
    with pytest.raises(TypeError, match=rf"argument '{label}\[2\]' has dtype int32, but '{label}\[0\]' has float32"):
        function([gc.zeros([2]), gc.zeros([2]), gc.zeros([2], gc.int32)])


@pytest.mark.parametrize("function", [gc.tuple, gc.shape_n, gc.identity_n])
def test_an_empty_list_of_tensors_is_refused(function) -> None:
    with pytest.raises(ValueError, match="must hold at least one tensor"):
        function([])


def test_there_are_no_strings_that_are_1() -> None:
    for make in (lambda: gc.ones([2], gc.string), lambda: gc.ones_like(gc.constant(["a"]))):
        with pytest.raises(TypeError, match="there is no string that is 1"):
            make()


def test_a_default_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"axis 0 of the default of shape \(1,\) has size 1, but 'shape' says 2"):
        gc.placeholder_with_default([1.0], [2])
    assert gc.placeholder_with_default([1.0], [None]).shape.as_list() == [None]


def test_keepdims_of_joined_strings_under_both_names_is_refused() -> None:
    with pytest.raises(ValueError, match="give 'keepdims' or 'keep_dims', not both"):
        gc.strings.reduce_join([["a"]], axis=1, keepdims=True, keep_dims=True)


def test_the_regularizer_does_not_say_the_dtype_of_least_squares() -> None:
    matrix, rhs = [[1.0], [2.0]], [[1.0], [3.0]]
    wide = gc.constant(matrix, gc.float64)
    assert gc.matrix_solve_ls(matrix, rhs, l2_regularizer=0.5).dtype == gc.float32
    assert gc.matrix_solve_ls(wide, rhs).dtype == gc.matrix_solve_ls(matrix, wide).dtype == gc.float64


def test_a_range_that_is_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be greater than 'input_max'"):
        gc.quantization.quantize_and_dequantize([0.5], 1.0, -1.0, range_given=True)


def test_a_matrix_of_strings_is_split_along_a_new_axis() -> None:
    x = gc.placeholder(gc.string, [None, 2])
    with gc.Session() as session:
        found = session.run(gc.strings.split(x), {x: [["a b", "c"], ["", "d e f"]]})
    assert found.indices.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 0], [1, 1, 1], [1, 1, 2]]
    assert found.values.tolist() == [b"a", b"b", b"c", b"d", b"e", b"f"] and found.dense_shape.tolist() == [2, 2, 3]


def test_whole_numbers_of_floating_point_are_sizes() -> None:
    assert gc.zeros([4 / 2, 3]).shape.as_list() == [2, 3] and gc.ones((6 / 2,), gc.int32).shape.as_list() == [3]
    with pytest.raises(TypeError, match="integers are needed"):
        gc.zeros([5 / 2])


def test_split_takes_a_known_dimension_as_the_number_of_parts() -> None:
    x = gc.placeholder(gc.float32, [None, 2])
    assert [part.shape.as_list() for part in gc.split(x, x.shape[1], axis=1)] == [[None, 1]] * 2
    with pytest.raises(TypeError, match="this Dimension is unknown while the graph is built"):
        gc.split(x, x.shape[0], axis=1)
