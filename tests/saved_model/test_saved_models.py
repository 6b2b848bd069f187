"""SavedModels: written and loaded again, signatures, assets, the main op, and what is wrong with them."""
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors

SM = gc.saved_model


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


def model() -> tuple[Any, Any, gc.Session]:
    x = gc.placeholder(gc.float32, [None, 2], name="x")
    w = gc.get_variable("w", initializer=np.array([[1], [2]], np.float32))
    y = gc.matmul(x, w, name="y")
    session = gc.Session()
    session.run(gc.global_variables_initializer())
    return x, y, session


def test_simple_save(tmp_path: Path) -> None:
    x, y, session = model()
    SM.simple_save(session, str(tmp_path / "m"), {"x": x}, {"y": y})
    assert sorted(os.listdir(tmp_path / "m")) == ["saved_model.pb", "variables"]
    assert sorted(os.listdir(tmp_path / "m/variables")) == ["variables.data-00000-of-00001", "variables.index"]
    assert SM.maybe_saved_model_directory(tmp_path / "m") and not SM.contains_saved_model(tmp_path)
    with gc.Graph().as_default(), gc.Session() as other:
        meta = SM.loader.load(other, [SM.tag_constants.SERVING], str(tmp_path / "m"))
        signature = meta.signature_def[SM.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY]
        assert signature.method_name == SM.PREDICT_METHOD_NAME and SM.is_valid_signature(signature)
        assert [d.size for d in signature.inputs["x"].tensor_shape.dim] == [-1, 2]
        found = other.run(signature.outputs["y"].name, {signature.inputs["x"].name: [[3, 4]]})
        assert found.tolist() == [[11]]
        assert SM.get_tensor_from_tensor_info(signature.outputs["y"]).name == "y:0"
    with gc.Graph().as_default(), gc.Session() as other:
        SM.load(other, {"serve"}, str(tmp_path / "m"), import_scope="in")
        assert other.run("in/y:0", {"in/x:0": [[1, 1]]}).tolist() == [[3]]


def test_builder_with_all(tmp_path: Path) -> None:
    """Two graphs, assets of one name, a main op that reads one of them, text form."""
    for folder, text in (("a", "one"), ("b", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words.txt").write_text(text)
    x, y, session = model()
    paths = [gc.constant(str(tmp_path / f / "words.txt"), name=f"path_{f}") for f in "aba"]
    words = gc.Variable("", name="words", collections=[gc.GraphKeys.LOCAL_VARIABLES])
    main = gc.group(gc.assign(words, gc.string_join([gc.read_file(p) for p in paths])))
    builder = SM.builder.SavedModelBuilder(str(tmp_path / "m"))
    with pytest.raises(AssertionError, match="add_meta_graph_and_variables"):
        builder.add_meta_graph(["train"])
    signature = SM.signature_def_utils.build_signature_def(
        {"x": SM.utils.build_tensor_info(x)}, {"y": SM.build_tensor_info(y)}, "mine")
    builder.add_meta_graph_and_variables(session, ["train", "gpu"], {"s": signature}, assets_collection=paths,
                                         main_op=main)
    builder.add_meta_graph(["serve"], clear_devices=True, strip_default_attrs=True)
    with pytest.raises(AssertionError, match="already been saved"):
        builder.add_meta_graph_and_variables(session, ["x"])
    assert builder.save(as_text=True) == os.fsencode(tmp_path / "m/saved_model.pbtxt")
    assert sorted(os.listdir(tmp_path / "m/assets")) == ["words.txt", "words.txt_1"]
    for folder in "ab":
        (tmp_path / folder / "words.txt").unlink()
    with gc.Graph().as_default(), gc.Session() as other:
        meta = SM.load(other, ["gpu", "train"], tmp_path / "m")
        assert other.run("words:0") == b"onetwoone" and meta.signature_def["s"].method_name == "mine"
    with gc.Graph().as_default(), gc.Session() as other:
        assert not SM.load(other, ["serve"], tmp_path / "m").signature_def
        assert other.run("w:0").tolist() == [[1], [2]]


def test_signatures() -> None:
    text, number = gc.placeholder(gc.string, [None]), gc.placeholder(gc.float32)
    regression = SM.regression_signature_def(text, number)
    both = SM.classification_signature_def(text, text, number)
    assert SM.is_valid_signature(regression) and SM.is_valid_signature(both)
    assert regression.outputs["outputs"].tensor_shape.unknown_rank
    assert set(both.outputs) == {"classes", "scores"}
    assert SM.is_valid_signature(SM.classification_signature_def(text, None, number))
    for wrong in (None, SM.build_signature_def({}, {}, SM.PREDICT_METHOD_NAME), SM.build_signature_def(
            both.inputs, regression.outputs, SM.CLASSIFY_METHOD_NAME), SM.build_signature_def(method_name="other")):
        assert not SM.is_valid_signature(wrong)
    sparse = gc.sparse_placeholder(gc.int64, name="sparse")
    info = SM.build_tensor_info(sparse)
    assert info.coo_sparse.values_tensor_name == sparse.values.name
    assert SM.get_tensor_from_tensor_info(info).indices is sparse.indices
    for arguments, message in (((number, number), "must be a string"), ((None, number), "cannot be None"),
                               (("x", number), "must be of type Tensor")):
        with pytest.raises(ValueError, match=message):
            SM.regression_signature_def(*arguments)
    with pytest.raises(ValueError, match="cannot both be None"):
        SM.classification_signature_def(text, None, None)
    with pytest.raises(ValueError, match="`outputs` cannot be None or empty"):
        SM.predict_signature_def({"x": text}, {})


def test_what_is_wrong(tmp_path: Path) -> None:
    x, y, session = model()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("")
    with pytest.raises(AssertionError, match="already exists, and isn't empty"):
        SM.Builder(str(tmp_path / "full"))
    builder = SM.Builder(str(tmp_path / "m"))
    empty = SM.build_signature_def({"x": type(SM.build_tensor_info(x))()}, {})
    with pytest.raises(AssertionError, match="must have the name"):
        builder.add_meta_graph_and_variables(session, ["serve"], {"s": empty})
    with pytest.raises(KeyError, match="reserved"):
        builder.add_meta_graph_and_variables(session, ["serve"], {"__saved_model_init_op": empty})
    with pytest.raises(TypeError, match="needs to be an Operation"):
        builder.add_meta_graph_and_variables(session, ["serve"], main_op=y)
    with pytest.raises(TypeError, match="must be a constant string"):
        builder.add_meta_graph_and_variables(session, ["serve"], assets_collection=[y])
    with pytest.raises(OSError, match="SavedModel file does not exist at"):
        SM.load(session, ["serve"], str(tmp_path / "m"))
    builder.add_meta_graph_and_variables(session, ["serve"])
    path = builder.save()
    with pytest.raises(RuntimeError, match=r"tags \['train'\] could not be found .* available tags \[\['serve'\]\]"):
        SM.load(session, ["train"], str(tmp_path / "m"))
    Path(os.fsdecode(path)).write_bytes(b"\xff\xff no message")
    with pytest.raises(errors.DataLossError, match="is no SavedModel, or damaged"):
        SM.load(session, ["serve"], str(tmp_path / "m"))


def test_main_ops(graph: Any) -> None:
    v = gc.Variable(3.0)
    operation = SM.main_op.main_op()
    assign = gc.assign(v, 7.0, name="later")
    both = SM.main_op_with_restore(assign.op.name)
    with gc.Session() as session:
        session.run(operation)
        assert session.run(v) == 3
        session.run(both)
        assert session.run(v) == 7
