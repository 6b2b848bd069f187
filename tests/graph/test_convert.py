"""Values to tensors: dtypes as in TensorFlow 1, constants, NumPy's slices."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"),
        (1.5, "float32"),
        (True, "bool"),
        ("a", "string"),
        (2**40, "int64"),
        ([1, 2], "int32"),
        ([1, 2.5], "float32"),
        (np.ones(2), "float64"),
        (np.float64(1), "float64"),
        (np.arange(3), "int64"),
        (np.array(["a"]), "string"),
        ([np.float32(1)], "float32"),
        ([], "float32"),
    ],
)
def test_dtypes_of_constants(value, dtype):
    assert gc.constant(value).dtype == dtype


def test_operand_takes_the_tensors_dtype():
    f, i = gc.constant([1.0]), gc.constant([1])
    assert (
        (f + np.float64(2)).dtype == gc.float32 and (2 * f).dtype == gc.float32 and (np.ones(1) * f).dtype == gc.float32
    )
    assert (f + 1).dtype == gc.float32
    with pytest.raises(TypeError, match=r"Expected int32, got 1\.5 of type 'float' instead"):
        1.5 * i
    with pytest.raises(TypeError, match="int32"):
        f + i
    assert (gc.constant([1.0], gc.float64) * 2.5).dtype == gc.float64


def test_convert_checks_dtype():
    t = gc.constant([1.0])
    assert gc.convert_to_tensor(t) is t
    with pytest.raises(ValueError, match="requested dtype int32 for Tensor with dtype float32"):
        gc.convert_to_tensor(t, gc.int32)
    with pytest.raises(TypeError, match="Expected bool, got 1"):
        gc.constant(1, gc.bool)
    with pytest.raises(ValueError, match="None values not supported"):
        gc.convert_to_tensor(None)
    with pytest.raises(ValueError, match="out of range for int8"):
        gc.constant(300, gc.int8)
    with pytest.raises(ValueError, match="unequal lengths"):
        gc.constant([[1], [1, 2]])


def test_constant_shape_fills():
    value = gc.constant([1, 2], shape=[2, 2]).op.get_attr("value")
    np.testing.assert_array_equal(value, [[1, 2], [2, 2]])
    with pytest.raises(ValueError, match="do not fill"):
        gc.constant([1, 2, 3], shape=[2])
    with pytest.raises(TypeError, match="Expected Tensor's shape"):
        gc.constant([1, 2], shape=[3], verify_shape=True)


def test_constant_is_a_copy():
    array = np.ones(3)
    made = gc.constant(array)
    array[:] = 7
    np.testing.assert_array_equal(made.op.get_attr("value"), 1)


def test_lists_with_tensors_are_packed():
    a = gc.constant(2.0)
    packed = gc.convert_to_tensor([[a, 1], [3, a]])
    assert packed.shape.as_list() == [2, 2] and packed.dtype == gc.float32
    x = gc.placeholder(gc.float32, [None, 3])
    assert gc.reshape(x, [3, gc.shape(x)[0]]).shape.as_list() == [3, None]
    assert gc.reshape(x, (gc.Dimension(3), -1)).shape.as_list() == [3, None]


SLICES = [np.s_[1], np.s_[-1], np.s_[1:], np.s_[:-1], np.s_[::2], np.s_[::-1], np.s_[..., 0], np.s_[:, None, 1],
np.s_[None],
          np.s_[1:3, ..., ::-2], np.s_[3:1], np.s_[10:], np.s_[-2:, :1, 0], np.s_[4:1:-2, ..., None, -1], np.s_[...],
          np.s_[None, ..., None, None], np.s_[0, 0, 0]]


@pytest.mark.parametrize("key", SLICES, ids=str)
def test_slices_mean_what_numpy_means(key):
    array = np.arange(5 * 4 * 3).reshape(5, 4, 3).astype(np.float32)
    made = gc.constant(array)[key]
    assert made.shape.as_list() == list(array[key].shape)
    np.testing.assert_array_equal(made.op.definition.reference(array), array[key])
    unknown = gc.placeholder(gc.float32, [None, 4, 3])[key].op.definition
    np.testing.assert_array_equal(unknown.reference(array), array[key])


def test_slices_of_unknown_sizes():
    x = gc.placeholder(gc.float32, [None, 4])
    assert x[0].shape.as_list() == [4] and x[:, 1:3].shape.as_list() == [None, 2]
    assert x[:, :-1].shape.as_list() == [None, 3] and x[1:].shape.as_list() == [None, 4]
    a, b = gc.placeholder(gc.float32, [2, None], name="words")[:, :-1], None
    b = a.op.inputs[0][:, 1:]
    assert a.spec.shape[1] is b.spec.shape[1], "inputs and targets of a language model have one length"
    assert x[gc.shape(x)[0] - 1].shape.as_list() == [4]


@pytest.mark.parametrize("key", [[0, 1], 1.5, True, "a"], ids=str)
def test_keys_that_are_none(key):
    with pytest.raises(TypeError, match=r"gc\.gather for lists of indices"):
        gc.zeros([3, 4])[key]


def test_masks_as_keys():
    x = gc.constant([[1.0, -2.0], [3.0, 4.0]])
    with gc.Session() as session:
        assert session.run(x[x > 0.0]).tolist() == [1, 3, 4]
        assert session.run(x[np.array([False, True])]).tolist() == [[3, 4]]


def test_slice_errors():
    x = gc.zeros([3, 4])
    with pytest.raises(ValueError, match="index 3 is out of bounds for axis 0"):
        x[3]
    with pytest.raises(ValueError, match="3 indices are too many"):
        x[0, 0, 0]
    with pytest.raises(ValueError, match="only one ellipsis"):
        x[..., 0, ...]
    with pytest.raises(ValueError, match="must not be 0"):
        x[::0]


def test_deprecated_argument_orders():
    a = gc.zeros([2, 3])
    assert gc.concat(0, [a, a]).shape.as_list() == [4, 3]
    assert gc.squeeze(gc.zeros([1, 3]), squeeze_dims=[0]).shape.as_list() == [3]
    assert gc.expand_dims(a, dim=1).shape.as_list() == [2, 1, 3]
    assert [t.shape.as_list() for t in gc.split(a, [1, 2], 1)] == [[2, 1], [2, 2]]


def test_none_is_no_dtype() -> None:
    assert gc.float64 != None  # noqa: E711  (what `dtype in (None, gc.float16)` asks)
    with pytest.raises(TypeError, match="cannot convert None to a dtype"):
        gc.as_dtype(None)
