"""Graph <-> GraphDef: round trips, TensorFlow's forms, unknown and damaged contents."""
from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

import graphc as gc
from graphc.serial.graph_pb2 import TensorProto
from graphc.serial.tensors import make_ndarray, make_tensor_proto


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def network() -> gc.Tensor:
    x = gc.placeholder(gc.float32, [None, 8, 8, 1], name="x")
    with gc.name_scope("conv"), gc.device("/cpu:0"):
        h = gc.nn.conv2d(x, gc.constant(np.ones((3, 3, 1, 4), np.float32)), [1, 1, 1, 1], "SAME")
    h = gc.reshape(gc.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), [gc.shape(x)[0], -1])
    parts = gc.split(h, 2, axis=1)
    with gc.control_dependencies([gc.no_op("before")]):
        return gc.concat([gc.nn.softmax(parts[1]), parts[0][:, ::-1]], 1, name="y")


def imported(graph_def: gc.GraphDef, **more):
    with gc.Graph().as_default() as graph:
        elements = gc.import_graph_def(graph_def, **{"name": "", **more})
    return graph, elements


def test_round_trip(graph):
    network()
    graph_def = graph.as_graph_def()
    again = gc.GraphDef.FromString(graph_def.SerializeToString())
    copy, _ = imported(again)
    assert copy.as_graph_def() == graph_def
    for a, b in zip(graph.get_operations(), copy.get_operations(), strict=True):
        assert [t.shape for t in a.outputs] == [t.shape for t in b.outputs]
        assert a.device == b.device and [c.name for c in a.control_inputs] == [c.name for c in b.control_inputs]


def test_text_round_trip(graph):
    network()
    graph_def = graph.as_graph_def()
    assert text_format.Parse(text_format.MessageToString(graph_def), gc.GraphDef()) == graph_def


def test_attributes_are_tensorflows(graph):
    network()
    nodes = {n.name: n for n in graph.as_graph_def().node}
    conv = nodes["conv/Conv2D"]
    assert list(conv.attr["strides"].list.i) == [1, 1, 1, 1] and conv.attr["padding"].s == b"SAME"
    assert conv.attr["T"].type == 1 and conv.device == "/device:CPU:0"
    assert list(nodes["split"].input) == ["split/split_dim", "Reshape"] and nodes["split"].attr["num_split"].i == 2
    assert nodes["y"].attr["N"].i == 2 and nodes["y"].attr["Tidx"].type == 3
    assert "split:1" in nodes["Softmax"].input and "^before" in nodes["Softmax"].input
    assert [d.size for d in nodes["x"].attr["shape"].shape.dim] == [-1, 8, 8, 1]
    assert graph.as_graph_def().versions.producer == 134


def test_default_prefix_and_elements(graph):
    network()
    graph_def = graph.as_graph_def()
    with gc.Graph().as_default() as other:
        assert gc.import_graph_def(graph_def) is None
        y, op = gc.import_graph_def(graph_def, return_elements=["y:0", "conv/Conv2D"])
        assert other.get_tensor_by_name("import/y:0") is not y and y.name == "import_1/y:0" and op.type == "Conv2D"
        with gc.name_scope("outer"):
            gc.import_graph_def(graph_def, name="net")
        assert "outer/net/y" in [o.name for o in other.get_operations()]
        assert gc.constant(1, name="import").op.name == "import_2"
        with pytest.raises(ValueError, match=r"'z:0' not found in graph_def"):
            gc.import_graph_def(graph_def, return_elements=["z:0"])


def test_input_map(graph):
    network()
    graph_def = graph.as_graph_def()
    with gc.Graph().as_default():
        mine = gc.placeholder(gc.float32, [5, 8, 8, 1], name="mine")
        y, = gc.import_graph_def(graph_def, {"x:0": mine}, ["y:0"], name="")
        assert y.shape.as_list() == [5, 64] and y.graph.get_operation_by_name("conv/Conv2D").inputs[0] is mine
        with pytest.raises(ValueError, match=r"not found in graph_def: \['nowhere:0'\]"):
            gc.import_graph_def(graph_def, {"nowhere": mine})


def test_nodes_in_any_order(graph):
    network()
    graph_def = graph.as_graph_def()
    backwards = gc.GraphDef()
    backwards.node.extend(reversed(graph_def.node))
    copy, (y,) = imported(backwards, return_elements=["y:0"])
    assert y.shape.as_list() == [None, 64] and len(copy.get_operations()) == len(graph_def.node)


def parsed(text: str) -> gc.GraphDef:
    return text_format.Parse(text, gc.GraphDef())


CONST = """node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value"
    value { tensor {
    dtype: DT_FLOAT tensor_shape { dim { size: 2 } dim { size: 2 } } %s } } } }"""


@pytest.mark.parametrize(("values", "expected"), [
    ("float_val: 3", [[3, 3], [3, 3]]), ("float_val: 1 float_val: 2", [[1, 2], [2, 2]]), ("", [[0, 0], [0, 0]]),
    (r'tensor_content: "\000\000\200?\000\000\000@\000\000@@\000\000\200@"', [[1, 2], [3, 4]])])
def test_short_value_lists_repeat_the_last(values, expected):
    copy, _ = imported(parsed(CONST % values))
    np.testing.assert_array_equal(copy.get_operation_by_name("c").get_attr("value"), expected)


def test_unknown_attributes_are_kept_and_missing_ones_take_defaults():
    copy, _ = imported(parsed(CONST % "float_val: 1" + """
        node { name: "m" op: "MatMul" input: "c" input: "c" attr { key: "_mine" value { i: 7 } }
               attr { key: "T" value { type: DT_FLOAT } } attr { key: "grad_a" value { b: true } } }"""))
    m = copy.get_operation_by_name("m")
    assert m.get_attr("transpose_a") is False and m.get_attr("_mine").i == 7
    node = next(n for n in copy.as_graph_def().node if n.name == "m")
    assert node.attr["_mine"].i == 7 and node.attr["grad_a"].b


def test_old_scalar_placeholder_shape_means_unknown():
    text = 'node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } ' \
           'attr { key: "shape" value { shape { } } } }'
    assert imported(parsed(text + " versions { producer: 21 }"), return_elements=["x:0"])[1][0].shape.ndims is None
    assert imported(parsed(text + " versions { producer: 27 }"), return_elements=["x:0"])[1][0].shape.ndims == 0


def test_unknown_op_types_are_all_named():
    said = r"Frobnicate \(1: 'a'\).*MatMull \(1: 'b'\); did you mean 'MatMul'"
    with pytest.raises(gc.errors.UnimplementedError, match=said):
        imported(parsed('node { name: "a" op: "Frobnicate" } node { name: "b" op: "MatMull" input: "a" }'))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('node { name: "a" op: "NoOp" } node { name: "a" op: "NoOp" }', ValueError, "'a' is not unique"),
        ('node { name: "a" op: "Identity" input: "b" }', ValueError, "Unknown input node 'b'; the file is incomplete"),
        ('node { name: "a" op: "NoOp" } node { name: "b" op: "Identity" input: "a" }', ValueError, "'a' has 0 outputs"),
        (
            'node { name: "a" op: "Identity" input: "b" } node { name: "b" op: "Identity" input: "a" }',
            gc.errors.DataLossError,
            "depend on each other",
        ),
        ('node { name: "a" op: "Identity" }', gc.errors.DataLossError, "has the inputs none, but takes 1"),
        ('node { name: "a" op: "Placeholder" }', gc.errors.DataLossError, "attribute 'dtype' is missing"),
        (
            'node { name: "a" op: "Placeholder" attr { key: "dtype" value { i: 3 } } }',
            gc.errors.DataLossError,
            "kind type was expected",
        ),
        (CONST % "float_val: [1, 2, 3, 4, 5]", gc.errors.DataLossError, "4 elements has 5 values"),
        (CONST % 'tensor_content: "abc"', gc.errors.DataLossError, "has 3 bytes instead of 16"),
        (CONST.replace("size: 2", "size: 99999999999") % "", gc.errors.DataLossError, "claims"),
        (
            'node { name: "a" op: "NoOp" } versions { min_consumer: 9999 }',
            gc.errors.DataLossError,
            "made by newer software; update",
        ),
    ],
    ids=str,
)
def test_damaged_graphs(text, error, message):
    with pytest.raises(error, match=message):
        imported(parsed(text))


def test_foreign_messages_are_refused():
    with pytest.raises(TypeError, match=r"must be a gc\.GraphDef, not bytes"):
        gc.import_graph_def(b"abc")


def test_loops_and_branches_round_trip(graph):
    from graphc.api.control.cond import cond
    from graphc.api.control.while_loop import while_loop

    n = gc.placeholder(gc.int32, [], name="n")
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    _, doubled = while_loop(
        lambda i, _: i < n, lambda i, v: (i + 1, cond(i > 2, lambda: v * 2.0, lambda: v + x)), [0, x]
    )
    result = gc.identity(doubled, name="result")
    graph_def = gc.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    assert len(graph_def.library.function) == 4
    copy, (again,) = imported(graph_def, return_elements=["result:0"])
    assert again.dtype == result.dtype and again.shape == result.shape
    assert copy.as_graph_def() == graph_def


@pytest.mark.parametrize(
    "dtype",
    [
        np.float32,
        np.float64,
        np.int32,
        np.int64,
        np.bool_,
        np.uint8,
        np.int8,
        np.int16,
        np.uint16,
        np.uint32,
        np.uint64,
        np.float16,
        np.complex64,
    ],
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3, 5)])
def test_tensors_round_trip(dtype, shape):
    array = (np.random.default_rng(0).uniform(0, 9, shape)).astype(dtype)
    again = make_ndarray(TensorProto.FromString(make_tensor_proto(array).SerializeToString()))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


def test_string_tensors_round_trip():
    again = make_ndarray(make_tensor_proto([["a", b"\xff"], ["", "ä"]]))
    np.testing.assert_array_equal(again, np.array([[b"a", b"\xff"], [b"", "ä".encode()]], dtype=object))


def test_as_graph_def_from_version_and_shapes(graph):
    gc.constant(1.0, name="a")
    version = graph.version
    gc.constant([1.0], name="b")
    assert [n.name for n in graph.as_graph_def(from_version=version).node] == ["b"]
    assert graph.as_graph_def(add_shapes=True).node[1].attr["_output_shapes"].list.shape[0].dim[0].size == 1
    assert graph.get_operation_by_name("b").node_def.op == "Const"


def test_a_loop_has_a_shape_for_each_result_that_it_has_in_a_file(graph):
    """What it captures is one there: TensorFlow refuses a node whose results and shapes do not match."""
    x = gc.placeholder(gc.float32, [None, 2])
    gc.while_loop(lambda i: i < 3.0, lambda i: i + gc.reduce_sum(x), [0.0], name="loop")
    node = next(n for n in graph.as_graph_def(add_shapes=True).node if n.op in ("While", "StatelessWhile"))
    shapes = [[d.size for d in s.dim] for s in node.attr["_output_shapes"].list.shape]
    assert len(node.input) == len(shapes) and shapes == [[], [-1, 2]]


def test_import_at_the_top_makes_names_unique() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2], name="x")
        gc.identity(gc.multiply(x, 2.0, name="x_1"), name="Y")
        saved = gc.get_default_graph().as_graph_def()
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(saved, name="")
        assert {op.name for op in graph.get_operations()} == {node.name for node in saved.node}
        names, elements = zip(*[
            (e.name, e) for e in gc.import_graph_def(saved, name="", return_elements=["x:0", "x_1:0", "Y:0"])],
            strict=True)
        assert names == ("x_2:0", "x_1_1:0", "Y_1:0")        # x_1 is another node's
        third = gc.import_graph_def(saved, name="", return_elements=["Y"])[0]
        assert third.name == "Y_2"
        session = gc.Session()
        assert session.run(elements[2], {elements[0]: [1, 2]}).tolist() == [2, 4]
        assert session.run(third.outputs[0], {"x_3:0": [3, 4]}).tolist() == [6, 8]
        assert session.run("Y:0", {"x:0": [5, 6]}).tolist() == [10, 12]
