"""Ops of com.microsoft, and quantized numbers as onnxruntime writes them. The results of onnxruntime 1.32 stand in
onnxruntime_numbers.json."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import model_of, run

FLOAT, UINT8, INT32 = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT32
DOMAIN = "com.microsoft"
RECORDED = json.loads(Path(__file__).with_name("onnxruntime_numbers.json").read_text())


def waves(*shape: int) -> np.ndarray:
    return np.sin(np.arange(np.prod(shape)) * 0.7).reshape(shape).astype(np.float32)


def own(op: str, inputs: str, fed: dict[str, Any], constants: dict[str, Any], **attributes: Any) -> Any:
    model = model_of([helper.make_node(op, inputs.split(), ["y"], domain=DOMAIN, **attributes)], fed, ["y"],
                     {k: np.asarray(v) for k, v in constants.items()}, opset=17)
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return model


U = np.arange(0, 240, 10, dtype=np.uint8).reshape(1, 2, 3, 4)
UNITS = {"x": (UINT8, [1, 2, 3, 4])}
SCALES = {"s": np.float32(0.1), "z": np.uint8(120), "t": np.float32(0.05), "u": np.uint8(100)}
ROWS = {"x": (FLOAT, ["n", 4])}
THREE = {"x": (FLOAT, [1, 3, 4]), "k": (FLOAT, [1, 3, 4])}
ONE = "x s z t u"
WEIGHTS = {"w": np.array([[1, 2, 3, 4], [5, 6, 7, 250]], np.uint8), "ws": np.array([0.01, 0.02], np.float32),
           "wz": np.array([3, 100], np.uint8), "c": np.array([100, -5], np.int32)}
CASES = {
    "QLinearAdd": (own("QLinearAdd", "x s z x t u s z", UNITS, SCALES), [U]),
    "QLinearMul": (own("QLinearMul", "x s z x t u s z", UNITS, SCALES), [U]),
    "QLinearSigmoid": (own("QLinearSigmoid", ONE, UNITS, SCALES), [U]),
    "QLinearLeakyRelu": (own("QLinearLeakyRelu", ONE, UNITS, SCALES, alpha=0.2), [U]),
    "QLinearAveragePool": (own("QLinearAveragePool", ONE, UNITS, SCALES, kernel_shape=[2, 2]), [U]),
    "QLinearGlobalAveragePool": (own("QLinearGlobalAveragePool", ONE, UNITS, SCALES), [U]),
    "QLinearConcat": (own("QLinearConcat", "t u x s z x t u", UNITS, SCALES, axis=1), [U]),
    "QGemm": (own("QGemm", "x s z w ws wz c t u", {"x": (UINT8, ["n", 4])}, {**SCALES, **WEIGHTS}, transB=1),
              [U.reshape(6, 4)]),
    "DynamicQuantizeMatMul": (own("DynamicQuantizeMatMul", "x w ws wz b", ROWS, {
        "w": np.array([[1, 20], [30, 4], [5, 6], [7, 250]], np.uint8), "ws": np.float32(0.01), "wz": np.uint8(100),
        "b": waves(2)}), [waves(3, 4)]),
    "FusedMatMul": (own("FusedMatMul", "x w", ROWS, {"w": waves(2, 4)}, transB=1, alpha=0.5), [waves(3, 4)]),
    "FusedGemm": (own("FusedGemm", "x w b", ROWS, {"w": waves(4, 2), "b": waves(2)}, activation="LeakyRelu",
                      activation_alpha=0.25), [waves(3, 4)]),
    "FusedConv": (own("FusedConv", "x w b", {"x": (FLOAT, [1, 2, 4, 4])}, {"w": waves(3, 2, 2, 2), "b": waves(3)},
                      activation="Clip", activation_params=[-0.25, 0.5]), [waves(1, 2, 4, 4)]),
    "BiasGelu": (own("BiasGelu", "x b", ROWS, {"b": waves(4)}), [waves(3, 4)]),
    "FastGelu": (own("FastGelu", "x b", ROWS, {"b": waves(4)}), [waves(3, 4)]),
    "QuickGelu": (own("QuickGelu", "x", ROWS, {}, alpha=1.5), [waves(3, 4)]),
    "SkipLayerNormalization": (own("SkipLayerNormalization", "x k g b c", THREE, {
        "g": waves(4) + 1, "b": waves(4), "c": waves(4) * 2}), [waves(1, 3, 4), waves(1, 3, 4) ** 2]),
    "SkipSimplifiedLayerNormalization": (own("SkipSimplifiedLayerNormalization", "x k g", THREE, {"g": waves(4) + 1}),
                                         [waves(1, 3, 4), waves(1, 3, 4) ** 2]),
}


@pytest.mark.parametrize("op", CASES)
def test_as_onnxruntime_computes_it(op: str) -> None:
    model, arrays = CASES[op]
    found = run(model, *arrays)[0]
    np.testing.assert_allclose(found.reshape(-1), RECORDED[op], rtol=1e-4, atol=1e-5)


def test_one_scale_lies_along_no_axis() -> None:
    """onnxruntime writes biases with a scale [1] and the default axis, which a bias has not."""
    node = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"])
    model = model_of([node], {"x": (INT32, [3])}, ["y"], {"s": np.array([0.5], np.float32),
                                                         "z": np.array([0], np.int32)}, opset=13)
    np.testing.assert_array_equal(run(model, np.array([2, -4, 5], np.int32))[0], [1, -2, 2.5])


def test_the_weights_of_a_quantized_lstm() -> None:
    """[1, width, 4 * hidden] of INT8 with a scale for each direction: the layer of the real weights."""
    rng = np.random.default_rng(1)
    w, r = rng.integers(-90, 90, (1, 2, 12)).astype(np.int8), rng.integers(-90, 90, (1, 3, 12)).astype(np.int8)
    constants = {"w": w, "r": r, "ws": np.array([0.01], np.float32), "wz": np.array([3], np.int8),
                 "rs": np.array([0.02], np.float32), "rz": np.array([0], np.int8)}
    fed = {"x": (FLOAT, ["t", "n", 2])}
    found = run(_quantized_lstm(constants, fed), waves(4, 2, 2))
    real = {"w": ((w.astype(np.float32) - 3) * np.float32(0.01)).transpose(0, 2, 1).copy(),
            "r": (r.astype(np.float32) * np.float32(0.02)).transpose(0, 2, 1).copy()}
    plain = model_of([helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=3)], fed, ["y"], real)
    np.testing.assert_allclose(found[0], run(plain, waves(4, 2, 2))[0], rtol=1e-5, atol=1e-6)


def _quantized_lstm(constants: dict[str, Any], fed: dict[str, Any]) -> Any:
    inputs = ["x", "w", "r", "", "", "", "", "", "ws", "wz", "rs", "rz"]
    model = model_of([helper.make_node("DynamicQuantizeLSTM", inputs, ["y"], domain=DOMAIN, hidden_size=3)], fed, ["y"],
                     constants, opset=17)
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return model
