"""graphc.onnx.backend, by cases that the package onnx ships with: models that PyTorch exported, and sequences. `make
onnx` runs all."""
from __future__ import annotations

import unittest
from typing import Any
from unittest import mock

import numpy as np
import onnx.backend.test
import onnx.backend.test.runner
import pytest
from onnx import TensorProto, helper

from graphc.onnx.backend import GraphcBackend, run_model

LOAD = onnx.backend.test.runner.load_model_tests


def _without_nodes(kind: str) -> list[Any]:
    """The package would make the data of all its cases of single nodes, for seconds."""
    return [] if kind == "node" else LOAD(kind=kind)


with mock.patch.object(onnx.backend.test.runner, "load_model_tests", _without_nodes):
    CASES = onnx.backend.test.BackendTest(GraphcBackend, __name__).test_cases
TESTS = [test for kind in ("OnnxBackendPyTorchOperatorModelTest", "OnnxBackendSimpleModelTest")
         for test in unittest.defaultTestLoader.loadTestsFromTestCase(CASES[kind])
         if test.id().endswith("_cpu") and "gradient_of" not in test.id()]     # an op of onnx.preview.training


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.id().rpartition(".")[2])
def test_cases_of_onnx(test: unittest.TestCase) -> None:
    result = test.run()
    assert result is not None and not result.failures and not result.errors, result


def test_a_graph_for_each_value_that_must_be_known() -> None:
    model = helper.make_model(
        helper.make_graph([helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)], "g",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3]),
                           helper.make_tensor_value_info("axes", TensorProto.INT64, [1])],
                          [helper.make_empty_tensor_value_info("y")]),
        opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    prepared = GraphcBackend.prepare(model)
    for axis in (0, 1, 0):
        np.testing.assert_array_equal(prepared.run([x, np.array([axis])])[0], x.sum(axis))
    np.testing.assert_array_equal(run_model(model, {"x": x, "axes": np.array([1])})[0], x.sum(1))
    with pytest.raises(ValueError, match="runs on the CPU"):
        GraphcBackend.prepare(model, "CUDA")
