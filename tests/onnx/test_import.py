"""gc.onnx.load: models made by onnx.helper, with NumPy written out beside them."""
from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import model_of, numbers, run

import graphc as gc
from graphc.errors import UnimplementedError

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def test_a_dense_layer_with_any_batch() -> None:
    w, b = numbers(3, 2), numbers(2)
    model = model_of([helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Relu", ["h"], ["y"])],
                     {"x": (FLOAT, ["batch", 3])}, ["y"], {"w": w, "b": b})
    made = gc.onnx.load(model)
    assert list(made.inputs) == ["x"] and list(made.outputs) == ["y"]
    assert made.inputs["x"].shape.as_list() == [None, 3]
    with gc.Session(graph=made.graph) as session:
        for batch in (1, 5):
            x = numbers(batch, 3)
            found = session.run(made.outputs, {made.inputs["x"]: x})
            np.testing.assert_allclose(found["y"], np.maximum(x @ w + b, 0), rtol=1e-5)


def test_names_that_graphc_cannot_have() -> None:
    model = model_of([helper.make_node("Neg", ["/in:0"], ["/out.1//b"])], {"/in:0": (FLOAT, [2])}, ["/out.1//b"])
    made = gc.onnx.load(model)
    assert list(made.inputs) == ["/in:0"] and list(made.outputs) == ["/out.1//b"]
    np.testing.assert_array_equal(run(model, np.array([1, 2], np.float32))[0], [-1, -2])


def test_two_graphs_in_one_process_do_not_mix() -> None:
    with gc.Graph().as_default() as users:
        first = gc.onnx.load(model_of([helper.make_node("Neg", ["x"], ["y"])], {"x": (FLOAT, [1])}, ["y"]))
        second = gc.onnx.load(model_of([helper.make_node("Abs", ["x"], ["y"])], {"x": (FLOAT, [1])}, ["y"]))
    assert first.graph is not second.graph and not users.get_operations()


def test_gradients_go_through_an_imported_model() -> None:
    w = numbers(3, 2)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Tanh", ["h"], ["y"])]
    made = gc.onnx.load(model_of(nodes, {"x": (FLOAT, [4, 3])}, ["y"], {"w": w}))
    x = numbers(4, 3)
    with made.graph.as_default(), gc.Session(graph=made.graph) as session:
        (dx,) = gc.gradients(made.outputs["y"], [made.inputs["x"]])
        found = session.run(dx, {made.inputs["x"]: x})
    np.testing.assert_allclose(found, (1 - np.tanh(x @ w) ** 2) @ w.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("pads", "strides", "dilations", "group"), [
    ([0, 0, 0, 0], [1, 1], [1, 1], 1), ([1, 0, 2, 1], [2, 1], [1, 1], 1), ([1, 1, 1, 1], [1, 1], [2, 1], 2),
    ([1, 1, 1, 1], [1, 2], [1, 1], 4), ([1, 0, 2, 1], [2, 2], [1, 1], 4), ([2, 1, 0, 1], [1, 1], [2, 1], 4)])
def test_convolutions(pads: list[int], strides: list[int], dilations: list[int], group: int) -> None:
    x, w, b = numbers(2, 4, 7, 6), numbers(8, 4 // group, 3, 2), numbers(8)
    model = model_of([helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=pads, strides=strides, dilations=dilations,
                                       group=group)], {"x": (FLOAT, ["n", 4, "h", "w_"])}, ["y"], {"w": w, "b": b})
    padded = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    rows, columns = ((padded.shape[2 + i] - (w.shape[2 + i] - 1) * dilations[i] - 1) // strides[i] + 1 for i in (0, 1))
    expected = np.zeros((2, 8, rows, columns))
    for o in range(8):
        first = o // (8 // group) * (4 // group)
        for i, j in np.ndindex(3, 2):
            part = padded[:, first:first + 4 // group, i * dilations[0]:, j * dilations[1]:]
            part = part[:, :, :(rows - 1) * strides[0] + 1:strides[0], :(columns - 1) * strides[1] + 1:strides[1]]
            expected[:, o] += np.einsum("ncij,c->nij", part, w[o, :, i, j])
    np.testing.assert_allclose(run(model, x)[0], expected + b.reshape(1, 8, 1, 1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("counts_pads", [0, 1])
def test_average_pools_count_what_they_should(counts_pads: int) -> None:
    """Sizes that are not known, pads on one side, and windows that ceil_mode adds."""
    x = numbers(1, 1, 5, 5)
    model = model_of([helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2],
                                       pads=[1, 0, 0, 0], ceil_mode=1, count_include_pad=counts_pads)],
                     {"x": (FLOAT, ["n", 1, "h", "w"])}, ["y"])
    expected = np.zeros((3, 3))
    for i, j in np.ndindex(3, 3):
        rows, columns = range(2 * i - 1, 2 * i + 1), range(2 * j, 2 * j + 2)
        inside = [x[0, 0, r, c] for r in rows for c in columns if 0 <= r < 5 and 0 <= c < 5]
        counted = sum(-1 <= r < 5 and 0 <= c < 5 for r in rows for c in columns) if counts_pads else len(inside)
        expected[i, j] = sum(inside) / counted
    np.testing.assert_allclose(run(model, x)[0][0, 0], expected, rtol=1e-5)


def test_a_loop_with_a_branch_in_it() -> None:
    """The sum grows by what is taken from outside while it is small, then doubles; each sum is a row, too."""
    grow = helper.make_graph([helper.make_node("Add", ["sum", "step"], ["grown"])], "grow", [],
                             [helper.make_tensor_value_info("grown", FLOAT, None)])
    double = helper.make_graph([helper.make_node("Add", ["sum", "sum"], ["doubled"])], "double", [],
                               [helper.make_tensor_value_info("doubled", FLOAT, None)])
    body = helper.make_graph(
        [helper.make_node("ReduceSum", ["sum"], ["total"], keepdims=0),
         helper.make_node("Less", ["total", "limit"], ["is_small"]),
         helper.make_node("If", ["is_small"], ["next"], then_branch=grow, else_branch=double),
         helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["next"], ["row"])],
        "body", [helper.make_tensor_value_info("i", INT64, []),
                 helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                 helper.make_tensor_value_info("sum", FLOAT, None)],
        [helper.make_empty_tensor_value_info(name) for name in ("go_on", "next", "row")])
    model = model_of([helper.make_node("Loop", ["count", "", "start"], ["last", "rows"], body=body)],
                     {"count": (INT64, []), "start": (FLOAT, [2]), "step": (FLOAT, [2])}, ["last", "rows"],
                     {"limit": np.float32(5)})
    last, rows = run(model, np.array(4), np.zeros(2, np.float32), np.array([1, 2], np.float32))
    np.testing.assert_array_equal(rows, [[1, 2], [2, 4], [4, 8], [8, 16]])
    np.testing.assert_array_equal(last, [8, 16])


def test_functions_of_the_model_with_attributes() -> None:
    inner = helper.make_node("LeakyRelu", ["a"], ["b"])
    inner.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    function = helper.make_function("own", "Bent", ["a"], ["b"], [inner], [helper.make_opsetid("", 21)], ["slope"])
    model = model_of([helper.make_node("Bent", ["x"], ["y"], domain="own", slope=0.5)], {"x": (FLOAT, [3])}, ["y"],
                     functions=[function])
    np.testing.assert_array_equal(run(model, np.array([-2, 0, 3], np.float32))[0], [-1, 0, 3])


def test_nodes_may_stand_in_any_order() -> None:
    model = model_of([helper.make_node("Neg", ["h"], ["y"]), helper.make_node("Abs", ["x"], ["h"])],
                     {"x": (FLOAT, [2])}, ["y"])
    np.testing.assert_array_equal(run(model, np.array([-2, 3], np.float32))[0], [-2, -3])


def test_axes_that_are_fed_must_be_given_as_values() -> None:
    model = model_of([helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)],
                     {"x": (FLOAT, [2, 3]), "axes": (INT64, [1])}, ["y"])
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"it comes of axes: give it to gc.onnx.load, values="):
        gc.onnx.load(model)
    x = numbers(2, 3)
    np.testing.assert_allclose(run(model, x, values={"axes": [1]})[0], x.sum(1), rtol=1e-5)
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"'values' has \['axis'\], but the model's inputs are"):
        gc.onnx.load(model, values={"axis": [1]})


def test_all_missing_operators_are_told_at_once() -> None:
    model = model_of([helper.make_node("Wobble", ["x"], ["a"], domain="own"), helper.make_node("Woggle", ["x"],
                                                                                               ["b"]),
                      helper.make_node("Wobble", ["a"], ["c"], domain="own")], {"x": (FLOAT, [2])}, ["c"])
    with pytest.raises(UnimplementedError, match=r"does not have: Woggle \(1\), own.Wobble \(2\)"):
        gc.onnx.load(model)


def test_a_node_of_the_wrong_shape_is_named() -> None:
    model = model_of([helper.make_node("MatMul", ["x", "w"], ["y"], name="product")], {"x": (FLOAT, [2, 3])}, ["y"],
                     {"w": numbers(4, 2)})
    with pytest.raises(ValueError, match=r"node 'product' \(MatMul\) -> y: .*3.*4"):
        gc.onnx.load(model)


def test_quantized_layers_are_exact() -> None:
    """QLinearMatMul by its definition in whole numbers."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (3, 8)).astype(np.uint8), rng.integers(-128, 128, (8, 4)).astype(np.int8)
    constants = {"b": b, "as": np.float32(0.02), "az": np.uint8(120), "bs": np.float32(0.05), "bz": np.int8(3),
                 "ys": np.float32(0.9), "yz": np.int8(-7)}
    model = model_of([helper.make_node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"])],
                     {"a": (TensorProto.UINT8, ["n", 8])}, ["y"], constants)
    whole = (a.astype(np.int64) - 120) @ (b.astype(np.int64) - 3)
    factor = np.float32(0.02) * np.float32(0.05) / np.float32(0.9)
    expected = np.clip(np.rint(whole.astype(np.float32) * factor) - 7, -128, 127).astype(np.int8)
    np.testing.assert_array_equal(run(model, a)[0], expected)


def test_an_lstm_of_both_directions_with_lengths() -> None:
    """Gates input, output, forget, cell; rows behind a length are zeros."""
    rng = np.random.default_rng(1)
    w, r, b = (rng.normal(size=s).astype(np.float32) for s in ((2, 12, 2), (2, 12, 3), (2, 24)))
    x, lengths = numbers(4, 2, 2), np.array([4, 2], np.int32)
    model = model_of([helper.make_node("LSTM", ["x", "w", "r", "b", "lengths"], ["y", "h"], hidden_size=3,
                                       direction="bidirectional")],
                     {"x": (FLOAT, ["t", "n", 2]), "lengths": (TensorProto.INT32, ["n"])}, ["y", "h"],
                     {"w": w, "r": r, "b": b})

    def sigmoid(v: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-v))

    y, last = np.zeros((4, 2, 2, 3)), np.zeros((2, 2, 3))
    for d in (0, 1):
        for n in (0, 1):
            h = c = np.zeros(3)
            steps = range(lengths[n]) if d == 0 else range(lengths[n] - 1, -1, -1)
            for t in steps:
                gates = w[d] @ x[t, n] + r[d] @ h + b[d, :12] + b[d, 12:]
                i, o, f = (sigmoid(gates[k * 3:k * 3 + 3]) for k in range(3))
                c = f * c + i * np.tanh(gates[9:])
                h = o * np.tanh(c)
                y[t, d, n] = h
            last[d, n] = h
    found = run(model, x, lengths)
    np.testing.assert_allclose(found[0], y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], last, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sizes", [[2, 3, 2], ["batch", "steps", 2]])
@pytest.mark.parametrize("backwards", [0, 1])
def test_a_scan_of_before_version_9_has_batches(sizes: list, backwards: int) -> None:
    state, row = (helper.make_tensor_value_info(name, FLOAT, [2]) for name in ("state", "row"))
    new, made = (helper.make_tensor_value_info(name, FLOAT, [2]) for name in ("new", "made"))
    body = helper.make_graph([helper.make_node("Add", ["state", "row"], ["new"]),
                              helper.make_node("Identity", ["new"], ["made"])], "body", [state, row], [new, made])
    scan = helper.make_node("Scan", ["", "first", "rows"], ["last", "all"], num_scan_inputs=1, body=body,
                            directions=[backwards])
    model = model_of([scan], {"first": (FLOAT, [sizes[0], 2]), "rows": (FLOAT, sizes)}, ["last", "all"], opset=8)
    first, rows = numbers(2, 2), numbers(2, 3, 2)
    expected = np.cumsum(rows[:, ::-1] if backwards else rows, 1) + first[:, None]
    last, found = run(model, first, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(last, expected[:, -1], rtol=1e-5)


def test_gradients_of_what_stands_in_the_graph() -> None:
    domain = "ai.onnx.preview.training"
    nodes = [helper.make_node("Mul", ["a", "b"], ["c"]), helper.make_node("Add", ["c", "a"], ["d"]),
             helper.make_node("Gradient", ["a", "b"], ["da", "db"], domain=domain, xs=["a", "b"], y="d")]
    model = model_of(nodes, {"a": (FLOAT, ["n"]), "b": (FLOAT, ["n"])}, ["d", "da", "db"])
    model.opset_import.append(helper.make_opsetid(domain, 1))
    a, b = numbers(3), numbers(3) + 2
    d, da, db = run(model, a, b)
    for found, expected in ((d, a * b + a), (da, b + 1), (db, a)):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    model.graph.node[-1].input[0] = "b"
    with pytest.raises(UnimplementedError, match="its inputs are b, b, but xs and zs are a, b"):
        gc.onnx.load(model)
