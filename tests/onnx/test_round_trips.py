"""gc.onnx.export: what it writes, gc.onnx.load reads back with the same results. onnxruntime runs it in `make onnx`."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import graphc as gc
from graphc.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError

from exported_nets import NETS


@pytest.mark.parametrize("name", sorted(NETS))
def test_nets(name: str, tmp_path: Path) -> None:
    """Two batch sizes with one export."""
    path = str(tmp_path / "net.onnx")
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        inputs, outputs, make = NETS[name]()
        session.run(gc.global_variables_initializer())
        gc.onnx.export(session, outputs, path, inputs)
        onnx.checker.check_model(path, full_check=True)
        back = gc.onnx.load(path)
        with gc.Session(graph=back.graph) as second:
            for batch in (3, 1):
                values = make(batch)
                expected = session.run(outputs, dict(zip(inputs, values, strict=True)))
                found = second.run(list(back.outputs.values()), dict(zip(back.inputs.values(), values, strict=True)))
                for a, b in zip(expected, found, strict=True):
                    np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


def test_pictures_are_transposed_where_they_enter_and_leave_only() -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        inputs, outputs, _ = NETS["digits"]()
        session.run(gc.global_variables_initializer())
        model = gc.onnx.export(session, outputs, None, inputs)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Transpose") == 2 and kinds.count("Conv") == 2


def test_names_and_sizes() -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        y = gc.identity(x * 2.0, name="y")
        model = gc.onnx.export(session, {"twice": y}, None, {"picture": x})
        assert [i.name for i in model.graph.input] == ["picture"]
        sizes = model.graph.input[0].type.tensor_type.shape.dim
        assert sizes[0].dim_param and sizes[1].dim_value == 3
        assert [o.name for o in model.graph.output] == ["twice"]
        assert model.opset_import[0].version == 17


def test_weights_in_a_side_file(tmp_path: Path) -> None:
    path = str(tmp_path / "big.onnx")
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x = gc.placeholder(gc.float32, [None, 64], name="x")
        y = gc.matmul(x, gc.Variable(gc.random_normal([64, 32], seed=1)), name="y")
        session.run(gc.global_variables_initializer())
        gc.onnx.export(session, y, path, side_file=True)
        values = np.ones((2, 64), np.float32)
        expected = session.run(y, {x: values})
    assert (tmp_path / "big.onnx").stat().st_size < 1000
    assert (tmp_path / "big.onnx.data").stat().st_size == 64 * 32 * 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.onnx", "big.onnx.data"]
    back = gc.onnx.load(path)
    with gc.Session(graph=back.graph) as session:
        np.testing.assert_allclose(session.run(back.outputs["y"], {back.inputs["x"]: values}), expected, rtol=1e-5)


def test_all_ops_without_an_equivalent_are_told_at_once() -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x = gc.placeholder(gc.float32, [2, 2], name="x")
        y = gc.matrix_inverse(x, name="inverse") + gc.lgamma(x, name="logarithm")
        with pytest.raises(UnimplementedError, match=r"(?s)MatrixInverse 'inverse'.*test_round_trips.py.*Lgamma "
                                                     r"'logarithm': there is no rule"):
            gc.onnx.export(session, y)


def test_a_list_that_is_written_backwards_is_refused() -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        array = gc.TensorArray(gc.float32, 4)
        _, array = gc.while_loop(lambda i, a: i >= 0, lambda i, a: (i - 1, a.write(i, gc.cast(i, gc.float32))),
                                 [gc.constant(3), array])
        with pytest.raises(UnimplementedError, match="row after row from 0 on"):
            gc.onnx.export(session, array.stack())


def test_rows_that_a_loop_never_writes_are_zeros() -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        n = gc.placeholder(gc.int32, [], name="n")
        array = gc.TensorArray(gc.float32, 5, element_shape=[2])
        _, array = gc.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, gc.ones([2]))),
                                 [gc.constant(0), array])
        rows = array.stack()
        model = gc.onnx.export(session, rows)
        expected = session.run(rows, {n: 3})
    back = gc.onnx.load(model)
    with gc.Session(graph=back.graph) as session:
        found = session.run(next(iter(back.outputs.values())), {back.inputs["n"]: 3})
    np.testing.assert_array_equal(found, expected)


def test_errors_name_what_is_missing() -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x, z = gc.placeholder(gc.float32, [2], name="x"), gc.placeholder(gc.float32, None, name="z")
        v = gc.Variable(gc.zeros([2]), name="v")
        with pytest.raises(InvalidArgumentError, match="need the placeholder 'z', which is not among the inputs"):
            gc.onnx.export(session, x + z, None, [x])
        with pytest.raises(InvalidArgumentError, match="the rank of the input 'z' is not known"):
            gc.onnx.export(session, z * 2.0)
        with pytest.raises(FailedPreconditionError, match="v"):
            gc.onnx.export(session, x + v)


def test_nothing_is_left_of_an_export_that_failed(tmp_path: Path) -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x = gc.placeholder(gc.float32, [2, 2], name="x")
        with pytest.raises(UnimplementedError):
            gc.onnx.export(session, gc.matrix_inverse(x), str(tmp_path / "m.onnx"))
    assert not list(tmp_path.iterdir())
