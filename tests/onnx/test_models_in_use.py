"""What models that are in use do, and the standard does not say: found with files of other programs."""
from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper
from onnx_models import model_of, numbers, run

import graphc as gc

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def test_a_size_of_minus_one_is_not_known() -> None:
    """Paddle's exporter writes that."""
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (FLOAT, [-1, 3])}, ["y"])
    assert gc.onnx.load(model).inputs["x"].shape.as_list() == [None, 3]
    np.testing.assert_array_equal(run(model, numbers(4, 3))[0], np.maximum(numbers(4, 3), 0))
