"""Bad and hostile ONNX files: a clear error each, before memory is taken or another file is read."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import graphc as gc
from graphc.errors import DataLossError, InvalidArgumentError, NotFoundError, UnimplementedError


def saved(folder: Path, weights: Any, nodes: Any = None, **options: Any) -> str:
    """A model y = x + w, or of other nodes."""
    graph = helper.make_graph(nodes or [helper.make_node("Add", ["x", "w"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
                              [helper.make_empty_tensor_value_info("y")], [weights] if weights is not None else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, **options)
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return str(path)


def external(location: str, offset: Any = 0, length: Any = 16, dims: tuple[int, ...] = (4,)) -> Any:
    made = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        made.external_data.add(key=key, value=str(value))
    return made


def test_external_data_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"\0" * 8 + np.arange(4, dtype=np.float32).tobytes())
    made = gc.onnx.load(saved(tmp_path, external("w.bin", 8)))
    with gc.Session(graph=made.graph) as session:
        found = session.run(made.outputs["y"], {made.inputs["x"]: np.ones(4, np.float32)})
    np.testing.assert_array_equal(found, [1, 2, 3, 4])


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "", "sub/../../secret.bin", "link.bin", "a\0b"])
def test_external_data_outside_of_the_folder(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"x" * 16)
    os.symlink(tmp_path / "secret.bin", folder / "link.bin")
    with pytest.raises(InvalidArgumentError, match="not inside the model's folder"):
        gc.onnx.load(saved(folder, external(location)))


@pytest.mark.parametrize(("offset", "length", "dims"), [
    (0, 16, (2**40,)), (8, 16, (4,)), (-4, 16, (4,)), (0, 12, (4,)), ("no", 16, (4,)), (0, 16, (-4,)),
    (2**62, 16, (4,))])
def test_external_data_that_do_not_fit(tmp_path: Path, offset: Any, length: Any, dims: tuple[int, ...]) -> None:
    (tmp_path / "w.bin").write_bytes(b"\0" * 16)
    with pytest.raises(DataLossError, match="'w'"):
        gc.onnx.load(saved(tmp_path, external("w.bin", offset, length, dims)))


def test_external_data_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        gc.onnx.load(saved(tmp_path, external("w.bin")))
    os.mkfifo(tmp_path / "w.bin")
    with pytest.raises(InvalidArgumentError, match=r"no regular file"):
        gc.onnx.load(saved(tmp_path, external("w.bin")))


def test_external_data_of_a_model_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"give gc\.onnx\.load the path"):
        gc.onnx.load(Path(saved(tmp_path, external("w.bin"))).read_bytes())


@pytest.mark.parametrize("weights", [
    TensorProto(name="w", data_type=1, dims=[2**40], raw_data=b"\0" * 16),
    TensorProto(name="w", data_type=1, dims=[2**32, 2**32], float_data=[1.0]),
    TensorProto(name="w", data_type=8, dims=[3], string_data=[b"a"]),
    TensorProto(name="w", data_type=7, dims=[4], int32_data=[1, 2, 3, 4]),
    TensorProto(name="w", data_type=3, dims=[-1], int32_data=[1])])
def test_weights_that_do_not_fit_their_shape(tmp_path: Path, weights: TensorProto) -> None:
    with pytest.raises(DataLossError, match="tensor 'w'"):
        gc.onnx.load(saved(tmp_path, weights))


def test_a_sparse_tensor_that_would_fill_the_memory(tmp_path: Path) -> None:
    model = onnx.load(saved(tmp_path, None))
    sparse = onnx.SparseTensorProto(dims=[2**40], values=TensorProto(name="w", data_type=1, dims=[1], float_data=[1.0]),
                                    indices=TensorProto(data_type=7, dims=[1], int64_data=[5]))
    model.graph.sparse_initializer.append(sparse)
    with pytest.raises(DataLossError, match="not taken"):
        gc.onnx.load(model)


@pytest.mark.parametrize(("nodes", "message"), [
    ([helper.make_node("Add", ["x", "b"], ["a"], name="first"), helper.make_node("Neg", ["a"], ["b"], name="second"),
      helper.make_node("Neg", ["a"], ["y"])], "in a circle: 'first'"),
    ([helper.make_node("Add", ["x", "nowhere"], ["y"])], "'nowhere', which nothing makes"),
    ([helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Abs", ["x"], ["y"])], "'y' is made twice"),
    ([helper.make_node("Neg", ["x"], ["z"])], "output 'y', which no node makes"),
    ([helper.make_node("Concat", ["x"], ["y"], axis=7)], "axis 7 is none of a tensor of rank 1"),
    ([helper.make_node("Squeeze", ["x"], ["y"], axis=7)], "no attribute axis"),
    ([helper.make_node("Add", ["x"], ["y"])], "1 inputs, but its op takes 2 to 2")])
def test_graphs_that_are_none(tmp_path: Path, nodes: Any, message: str) -> None:
    with pytest.raises((DataLossError, InvalidArgumentError, ValueError), match=message):
        gc.onnx.load(saved(tmp_path, None, nodes))


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    call = helper.make_node("Again", ["a"], ["b"], domain="own")
    function = helper.make_function("own", "Again", ["a"], ["b"], [call], [helper.make_opsetid("own", 1)])
    model = helper.make_model(
        helper.make_graph([helper.make_node("Again", ["x"], ["y"], domain="own")], "g",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
                          [helper.make_empty_tensor_value_info("y")]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)], ir_version=8, functions=[function])
    with pytest.raises(DataLossError, match="calls itself"):
        gc.onnx.load(model)


def test_bytes_that_are_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    for content in (b"", b"\xff" * 100, b"PK\3\4" + b"x" * 50):
        path.write_bytes(content)
        with pytest.raises(DataLossError, match="no ONNX model"):
            gc.onnx.load(str(path))
    with pytest.raises(NotFoundError):
        gc.onnx.load(str(tmp_path / "not_there.onnx"))


def test_a_truncated_model(tmp_path: Path) -> None:
    """Each of its beginnings is refused, or is whole without what came behind."""
    weights = TensorProto(name="w", data_type=1, dims=[4], raw_data=np.ones(4, np.float32).tobytes())
    whole = Path(saved(tmp_path, weights)).read_bytes()
    for length in range(0, len(whole), 3):
        with pytest.raises((DataLossError, UnimplementedError, InvalidArgumentError, ValueError)):
            gc.onnx.load(whole[:length])


def test_a_newer_format(tmp_path: Path) -> None:
    model = onnx.load(saved(tmp_path, None))
    model.ir_version = 99
    with pytest.raises(UnimplementedError, match="version 99 of the format"):
        gc.onnx.load(model)
