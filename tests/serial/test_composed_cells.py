"""Nodes of recurrent cells and layers, of counts, ragged rows and volumes, in files. Numbers are TensorFlow 2.21's."""
from __future__ import annotations

import numpy as np
import pytest
from lowered_files import const, graph_def, node, placeholder, run

import graphc as gc
from graphc import errors

I32, I64 = gc.int32, gc.int64
CELL = [[0.2296040, 0.8735440], [0.2245037, 0.0133172], [0.1630022, 0.5797060], [0.9066243, 0.8692718],
        [0.9777867, -0.6241967], [0.2208064, 0.0133164], [0.2001885, 0.0115756]]
LAYER = [[0.2245037, 0.2215690, 0.25, -0.25, 0, 0], [0.2001885, 0.2020022, 0.2172296, -0.0784976, 0, 0]]
LAYER_2 = [[-0.2272590, -0.2028750, -0.6792589, 0.5370710, -0.6786656, -0.0025915],
           [-0.2025633, -0.1739732, -0.5090804, 0.2673884, -0.3545866, -0.0017955]]
GRU = [[0.3213809, 0.5684608], [0.7098930, 0.5506202], [0.7793304, 0.4427451], [0.2260892, 0.7295153]]
NORM = [0.3587198, 2.0739510, 1.0870209, -1.8706529, -0.8894262, 0.2861179, 1.7694633, 0.5344964]


def numbers(*shape: int) -> np.ndarray:
    return np.sin(np.arange(np.prod(shape)) * 1.3).reshape(shape).astype(np.float32)


WEIGHTS = (const("cs", numbers(1, 2)), const("h", numbers(1, 2) * 2), const("w", numbers(4, 8)),
           const("wci", numbers(2)), const("wcf", numbers(2) * 2), const("wco", numbers(2) * 3), const("b", numbers(8)))


def test_a_cell_and_its_gates() -> None:
    graph = graph_def(placeholder("x", shape=(-1, 2)), *WEIGHTS,
                      node("cell", "LSTMBlockCell", "x", *(w.name for w in WEIGHTS)))
    for number, expected in enumerate(CELL):
        found = run(graph, f"cell:{number}", {"x:0": numbers(3, 1, 2)[0]})
        np.testing.assert_allclose(found.reshape(-1), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("op", "steps", "expected", "attributes"), [
    ("BlockLSTM", 2, LAYER, {"forget_bias": 0.5, "cell_clip": 0.25, "use_peephole": True}),
    ("BlockLSTMV2", 3, LAYER_2, {})])
def test_a_layer_that_ends_before_its_rows_do(op: str, steps: int, expected: list, attributes: dict) -> None:
    graph = graph_def(const("steps", steps, I64), placeholder("x", shape=(-1, -1, 2)), *WEIGHTS,
                      node("layer", op, "steps", "x", *(w.name for w in WEIGHTS), **attributes))
    for number, values in zip((1, 6), expected, strict=True):
        found = run(graph, f"layer:{number}", {"x:0": numbers(3, 1, 2)})
        assert found.shape == (3, 1, 2)
        np.testing.assert_allclose(found.reshape(-1), values, rtol=1e-5, atol=1e-6)


def test_a_gated_cell() -> None:
    given = (const("h", numbers(1, 2)), const("w_ru", numbers(4, 4)), const("w_c", numbers(4, 2)),
             const("b_ru", numbers(4)), const("b_c", numbers(2)))
    graph = graph_def(placeholder("x", shape=(-1, 2)), *given,
                      node("cell", "GRUBlockCell", "x", *(w.name for w in given)))
    for number, expected in enumerate(GRU):
        found = run(graph, f"cell:{number}", {"x:0": numbers(3, 1, 2)[0]})
        np.testing.assert_allclose(found.reshape(-1), expected, rtol=1e-5, atol=1e-6)


def test_the_norm_of_volumes() -> None:
    given = [const(name, np.array(v, np.float32)) for name, v in (("scale", [1, 2]), ("offset", [0.5, 0.25]),
                                                                  ("mean", [0.1, 0.2]), ("variance", [0.5, 0.7]))]
    graph = graph_def(placeholder("x", shape=(-1, 2, -1, 2, 2)), *given, node(
        "y", "FusedBatchNormV3", "x", *(w.name for w in given), data_format="NDHWC", is_training=False, epsilon=0.001))
    found = run(graph, "y:0", {"x:0": numbers(1, 2, 1, 2, 2)})
    np.testing.assert_allclose(found.reshape(-1), NORM, rtol=1e-5)


def counted(x: np.ndarray, binary: bool, weights: np.ndarray) -> np.ndarray:
    graph = graph_def(placeholder("x", I32, [-1] * x.ndim), const("size", 4, I32), const("weights", weights),
                      node("y", "DenseBincount", "x", "size", "weights", binary_output=binary))
    return run(graph, "y:0", {"x:0": x})


def test_counts_of_each_row() -> None:
    x, none = np.array([[1, 2, 2], [0, 5, 1]], np.int32), np.zeros(0, np.float32)
    np.testing.assert_array_equal(counted(x, False, none), [[0, 1, 2, 0], [1, 1, 0, 0]])
    np.testing.assert_array_equal(counted(x, True, none), [[0, 1, 1, 0], [1, 1, 0, 0]])
    np.testing.assert_array_equal(counted(x[0], False, none), [0, 1, 2, 0])
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(counted(x, False, weights), [[0, 0, 3, 0], [3, 5, 0, 0]])
    with pytest.raises(errors.InvalidArgumentError, match="non-negative"):
        counted(np.array([[1, 2], [-1, 0]], np.int32), False, none)


@pytest.mark.parametrize(("wanted", "expected"), [
    (-1, [[1, 2, 0], [0, 0, 0], [3, 4, 5]]), ([-1, 2], [[1, 2], [0, 0], [3, 4]]), ([2, -1], [[1, 2, 0], [0, 0, 0]]),
    ([4, 4], [[1, 2, 0, 0], [0, 0, 0, 0], [3, 4, 5, 0], [0, 0, 0, 0]])])
@pytest.mark.parametrize("by", ["splits", "rows"])
def test_ragged_rows_filled_up(by: str, wanted: object, expected: list) -> None:
    rows = [const("splits", [0, 2, 2, 5], I64)] if by == "splits" else [
        const("count", 3, I64), const("rows", [0, 0, 2, 2, 2], I64)]
    kinds = ["ROW_SPLITS"] if by == "splits" else ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]
    graph = graph_def(placeholder("x", shape=(-1,)), const("shape", wanted, I64), const("rest", 0.0), *rows,
                      node("y", "RaggedTensorToTensor", "shape", "x", "rest", *(r.name for r in rows),
                           row_partition_types=kinds))
    found = run(graph, "y:0", {"x:0": np.arange(1, 6, dtype=np.float32)})
    np.testing.assert_array_equal(found, expected)
