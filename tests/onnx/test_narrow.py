"""Numbers of 8 bits and fewer in ONNX models: held in wider dtypes, exactly. The oracle is ml_dtypes."""
from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

import graphc as gc
from graphc.errors import DataLossError, UnimplementedError
from graphc.onnx.narrow import FORMATS, to_narrow

FLOATS = [narrow for narrow in FORMATS.values() if narrow.is_float]


def tensor(name: str, number: int, dims: list[int], packed: bytes) -> TensorProto:
    return TensorProto(name=name, data_type=number, dims=dims, raw_data=packed)


def loaded(nodes: list[Any], initializers: list[TensorProto]) -> Any:
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
                              [helper.make_empty_tensor_value_info("y")], initializers)
    return gc.onnx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))


def scales(*values: float, shape: list[int] | None = None) -> TensorProto:
    return helper.make_tensor("s", TensorProto.FLOAT, shape or [len(values)], values)


def test_weights_of_4_bits_in_blocks() -> None:
    """Two numbers a byte, the first one in the lower half; a scale for each two rows."""
    values = np.array([[-8, 7], [3, -1], [0, 5], [-4, 2]], np.int8)
    codes = values.reshape(-1).astype(np.uint8) & 15
    packed = (codes[::2] | codes[1::2] << 4).tobytes()
    made = loaded([helper.make_node("DequantizeLinear", ["w", "s"], ["d"], axis=0, block_size=2),
                   helper.make_node("MatMul", ["x", "d"], ["y"])],
                  [tensor("w", TensorProto.INT4, [4, 2], packed), scales(0.5, 2, 1, 4, shape=[2, 2])])
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    with gc.Session(graph=made.graph) as session:
        found = session.run(made.outputs["y"], {made.inputs["x"]: x})
    np.testing.assert_allclose(found, x @ (values * np.repeat([[0.5, 2], [1, 4]], 2, 0)), rtol=1e-6)


@pytest.mark.parametrize("narrow", FLOATS, ids=lambda narrow: narrow.name)
@pytest.mark.parametrize("saturate", [True, False])
def test_floats_are_rounded_as_by_ml_dtypes(narrow: Any, saturate: bool) -> None:
    """Random numbers, all values, all middles between two, the ends, and what is no number."""
    values = narrow.magnitudes().astype(np.float64)
    rng = np.random.default_rng(narrow.number)
    edges = np.concatenate([values, (values[1:] + values[:-1]) / 2, values[-1:] * [1.01], values[-1:] * 1.2,
                            rng.uniform(0, values[-1] * 1.5, 2000), np.exp(rng.uniform(-20, 15, 2000))])
    x = np.concatenate([edges, -edges, [np.inf, -np.inf, np.nan]]).astype(np.float32)
    limited = np.clip(x, -values[-1], values[-1]) if saturate else x
    with np.errstate(all="ignore"):
        expected = limited.astype(narrow.dtype).astype(np.float32)
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        found = session.run(to_narrow(gc.constant(x), narrow, saturate))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("number", "dtype"), [(TensorProto.INT4, ml_dtypes.int4),
                                               (TensorProto.UINT2, ml_dtypes.uint2)])
def test_quantizing_saturates_at_the_format(number: int, dtype: Any) -> None:
    zero = tensor("z", number, [], b"\1")
    made = loaded([helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
                   helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)], [scales(0.5, shape=[]), zero])
    x = np.array([[-9, -1, -0.25, 0.25], [0.75, 1.3, 3, 50]], np.float32)
    limits = ml_dtypes.iinfo(dtype)
    expected = np.clip(np.rint(x / np.float32(0.5)) + 1, int(limits.min), int(limits.max))
    with gc.Session(graph=made.graph) as session:
        np.testing.assert_array_equal(session.run(made.outputs["y"], {made.inputs["x"]: x}), expected)


def test_nothing_is_computed_with_them() -> None:
    weights = tensor("w", TensorProto.INT4, [4], b"\1\2")
    with pytest.raises(UnimplementedError, match="does not compute with INT4: dequantize it"):
        loaded([helper.make_node("Add", ["w", "w"], ["y"])], [weights])
    with pytest.raises(UnimplementedError, match="does not compute with INT4"):      # moved, it is still the same
        loaded([helper.make_node("Reshape", ["w", "shape"], ["r"]), helper.make_node("Neg", ["r"], ["y"])],
               [weights, helper.make_tensor("shape", TensorProto.INT64, [2], [2, 2])])


def test_bytes_that_do_not_fit() -> None:
    for packed in (b"\1", b"\1\2\3"):
        with pytest.raises(DataLossError, match=r"tensor 'w': its shape \[3\] takes 2 bytes"):
            loaded([helper.make_node("Identity", ["w"], ["y"])], [tensor("w", TensorProto.INT4, [3], packed)])
