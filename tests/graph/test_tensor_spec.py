"""TensorSpec."""
from __future__ import annotations

import copy
import pickle

import pytest

import graphc as gc


def test_fields_and_equality() -> None:
    spec = gc.TensorSpec([None, 3], "float32", name="x")
    assert spec.shape.as_list() == [None, 3] and spec.dtype is gc.float32 and spec.name == "x"
    assert spec == gc.TensorSpec((None, 3), name="x") and hash(spec) == hash(gc.TensorSpec((None, 3), name="x"))
    assert spec != gc.TensorSpec([None, 3]) and spec != gc.TensorSpec(None, name="x") and spec != "x"
    assert copy.deepcopy(spec) == spec == pickle.loads(pickle.dumps(spec))
    assert gc.TensorSpec.from_spec(spec, "y") == gc.TensorSpec([None, 3], name="y")


def test_compatibility() -> None:
    spec = gc.TensorSpec.from_tensor(gc.placeholder(gc.int32, [None, 2], name="p"))
    assert (spec.name, spec.dtype) == ("p", gc.int32)
    assert spec.is_compatible_with(gc.TensorSpec([4, 2], gc.int32))
    assert not spec.is_compatible_with(gc.zeros([4, 2])) and not spec.is_compatible_with(gc.zeros([2], gc.int32))
    assert spec.is_compatible_with(gc.Variable([[1, 2]]))
    with pytest.raises(TypeError):
        gc.TensorSpec([1], "no dtype")
