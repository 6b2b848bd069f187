"""What functions of graphc.api.math do with rare dtypes and shapes. Numbers: TensorFlow 2.21's, unless said."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc


def _run(fetches):
    with gc.Session() as session:
        return session.run(fetches)


def test_clipped_slices_stay_slices() -> None:
    slices = gc.IndexedSlices(gc.constant([[3.0, -2.0]]), gc.constant([1]), gc.constant([4, 2]))
    clipped = gc.clip_by_value(slices, -1.0, 1.0)
    assert isinstance(clipped, gc.IndexedSlices)
    values, indices, shape = _run(clipped)
    assert values.tolist() == [[1.0, -1.0]] and indices.tolist() == [1] and shape.tolist() == [4, 2]


def test_bounds_that_make_the_clipped_tensor_larger_are_refused() -> None:
    with pytest.raises(ValueError, match=r"clip_by_value: the bounds make shape \(2,\) of t's shape \(1,\)"):
        gc.clip_by_value([1.0], [0.0, 0.0], 2.0)


def test_the_norm_of_nothing_is_0() -> None:
    assert _run(gc.global_norm([None])) == 0
    clipped, norm = gc.clip_by_global_norm([None, None], 1.0)
    assert clipped == [None, None] and _run(norm) == 0


@pytest.mark.parametrize("divide", [gc.truediv, gc.div, gc.divide])
def test_division_of_two_dtypes_is_a_type_error(divide) -> None:
    with pytest.raises(TypeError):
        divide(gc.constant([1.0]), gc.constant([1]))


@pytest.mark.parametrize("divide", [gc.truediv, gc.div])
def test_a_number_takes_the_dtype_of_the_variable_it_is_divided_by(divide) -> None:
    halves = gc.Variable(np.full(2, 0.5))
    quotient = divide(1, halves)
    assert quotient.dtype == gc.float64
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(quotient).tolist() == [2.0, 2.0]


def test_the_variance_of_complex_numbers_is_real_and_integers_have_none() -> None:
    x = gc.constant([1 + 1j, 2, 3])
    assert np.allclose(_run(gc.math.reduce_variance(x)), 0.888888888888889)
    assert np.allclose(_run(gc.math.reduce_std(x)), 0.9428090415820634)
    for function in (gc.math.reduce_variance, gc.math.reduce_std):
        with pytest.raises(TypeError, match="has dtype int32, but must be floating point or complex"):
            function(gc.constant([1, 2, 3]))


def test_strings_that_are_not_empty_are_counted() -> None:
    x = gc.constant([["a", "", "b"], ["", "", ""]])
    assert _run([gc.count_nonzero(x), gc.count_nonzero(x, axis=1)])[0] == 2
    assert _run(gc.count_nonzero(x, axis=1, keepdims=True)).tolist() == [[2], [0]]


def test_strings_that_are_not_empty_become_sparse() -> None:
    found = _run(gc.sparse.from_dense(gc.constant([["", "a"], ["b", ""]])))
    assert found.indices.tolist() == [[0, 1], [1, 0]] and found.values.tolist() == [b"a", b"b"]


def test_the_diagonal_of_complex_numbers_comes_back() -> None:
    x = gc.constant([1 + 1j, 2])
    square = gc.diag(x)
    assert _run(square).tolist() == [[1 + 1j, 0], [0, 2]] and _run(gc.diag_part(square)).tolist() == [1 + 1j, 2]


def test_the_trace_of_a_vector_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"trace: argument 'x' must have rank 2 or more, but has shape \(2,\)"):
        gc.trace(gc.zeros([2]))


def test_the_next_number_of_16_bits_is_refused() -> None:
    with pytest.raises(TypeError, match="NextAfter takes float32_or_float64 types only"):
        gc.math.nextafter(gc.constant([1.0], gc.float16), gc.constant([2.0], gc.float16))


@pytest.mark.parametrize("function", [gc.sqrt, gc.rsqrt, gc.reciprocal])
@pytest.mark.parametrize("at", [0.0, np.nan])
def test_what_a_mask_leaves_out_has_no_part_in_the_gradient(function, at: float) -> None:
    x = gc.constant([4.0, *[at] * 36])
    chosen = gc.where(x > 1.0, function(x), gc.zeros_like(x))
    found = _run(gc.gradients(chosen, x)[0])
    assert np.isfinite(found).all() and found[0] != 0 and not found[1:].any()


def test_the_deviation_of_equal_numbers_can_be_masked() -> None:
    x = gc.constant([[2.0, 2.0], [1.0, 3.0]])
    masked = gc.math.reduce_std(x, axis=1) * gc.constant([0.0, 1.0])
    assert _run(gc.gradients(masked, x)[0]).tolist() == [[0.0, 0.0], [-0.5, 0.5]]
