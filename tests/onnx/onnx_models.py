"""Models made by onnx.helper, and a run of them."""
from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper, numpy_helper

import graphc as gc


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def model_of(nodes: list[Any], inputs: dict[str, tuple[int, Any]], outputs: list[str],
             constants: dict[str, np.ndarray] | None = None, opset: int = 21, functions: Any = ()) -> Any:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=list(functions))


def run(model: Any, *arrays: np.ndarray, **options: Any) -> list[np.ndarray]:
    made = gc.onnx.load(model, **options)
    with gc.Session(graph=made.graph) as session:
        found = session.run(made.outputs, dict(zip(made.inputs.values(), arrays, strict=True)))
    return list(found.values())
