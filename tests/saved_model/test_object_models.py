"""SavedModels of TensorFlow 2, whose signatures are functions, and what `graphc inspect` says of a folder.

tests/saved_model/data was written by TensorFlow 2.21 (tests/peers/object_models.py small), with what it computes.
"""
from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.cli import main
from graphc.saved_model.loading import read_saved_model

DATA = Path(__file__).parent / "data"
VALUE = ".ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


def run(session: gc.Session, signature: Any, **given: Any) -> dict[str, Any]:
    return session.run({key: info.name for key, info in signature.outputs.items()},
                       {signature.inputs[key].name: value for key, value in given.items()})


@pytest.mark.parametrize("scope", [None, "inside"])
@pytest.mark.parametrize("name", ["dense", "words", "loop"])
def test_signatures_give_tensorflows_numbers(name: str, scope: str | None) -> None:
    expected = dict(np.load(DATA / name / "expected.npz"))
    with gc.Session() as session:
        meta = gc.saved_model.load(session, ["serve"], str(DATA / name), import_scope=scope)
        signature = meta.signature_def["serving_default"]
        prefix = f"{scope}/" if scope else ""
        found = session.run({f"out/{key}": prefix + info.name for key, info in signature.outputs.items()},
                            {prefix + signature.inputs[key[3:]].name: value for key, value in expected.items()
                             if key.startswith("in/")})
    assert {f"out/{key}" for key in signature.outputs} == {key for key in expected if key.startswith("out/")}
    for key, value in found.items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-6, atol=1e-6)


def test_signatures_that_change_variables(tmp_path: Path) -> None:
    """A call has its effects once a run; the values can be saved by the model's own function and by a Saver."""
    with gc.Session() as session:
        meta = gc.saved_model.load(session, ["serve"], str(DATA / "dense"))
        for expected in (4, 8):
            assert run(session, meta.signature_def["bump"], by=4) == {"count": expected}
        gc.train.Saver(saver_def=meta.saver_def).save(session, str(tmp_path / "again"), write_meta_graph=False)
        assert gc.train.load_variable(str(tmp_path / "again"), f"count/{VALUE}") == 8
        gc.train.Saver(saver_def=meta.saver_def).restore(session, str(DATA / "dense/variables/variables"))
        assert run(session, meta.signature_def["bump"], by=1) == {"count": 1}


def test_variables_of_objects() -> None:
    prefix = str(DATA / "dense/variables/variables")
    assert gc.train.list_variables(prefix) == [
        ("_CHECKPOINTABLE_OBJECT_GRAPH", []), (f"count/{VALUE}", []), (f"layers/0/{VALUE}", [3, 2]),
        (f"layers/1/{VALUE}", [2])]
    np.testing.assert_array_equal(gc.train.load_variable(prefix, f"layers/0/{VALUE}"),
                                  np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2))


def test_models_can_be_frozen(tmp_path: Path) -> None:
    with gc.Session() as session:
        signature = gc.saved_model.load(session, ["serve"], str(DATA / "dense")).signature_def["serving_default"]
        frozen = gc.freeze(session, [signature.outputs["y"].name])
    expected = dict(np.load(DATA / "dense/expected.npz"))
    with gc.Graph().as_default(), gc.Session() as session:
        gc.import_graph_def(frozen, name="")
        np.testing.assert_allclose(run(session, signature, x=expected["in/x"])["y"], expected["out/y"], rtol=1e-6)


def test_inspect(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["inspect", str(DATA / "words")]) == 0
    out = capsys.readouterr().out
    for line in ("tags serve   (TensorFlow 2.21.0)", "  signature serving_default   tensorflow/serving/predict",
                 "    input words: string [?]   serving_default_words:0",
                 "    output rows: float32 [?, 2]   StatefulPartitionedCall:0",
                 "  asset assets/words.txt   asset_path_initializer:0", f"  rows/{VALUE}: float32 [4, 2]"):
        assert line in out.splitlines()
    assert "cannot load it" not in out
    assert main(["inspect", str(tmp_path)]) == 1
    assert "SavedModel file does not exist" in capsys.readouterr().err
    shutil.copytree(DATA / "dense", tmp_path / "m")
    saved = read_saved_model(str(DATA / "dense"))
    saved.meta_graphs[0].graph_def.node.add(name="new", op="FromTheFuture")
    (tmp_path / "m/saved_model.pb").write_bytes(saved.SerializeToString())
    (tmp_path / "m/variables/variables.index").write_bytes(b"")
    assert main(["inspect", str(tmp_path / "m")]) == 0
    out = capsys.readouterr().out
    assert "graphc cannot load it: " in out and "FromTheFuture" in out and "variables cannot be read" in out


def test_functions_that_are_damaged(tmp_path: Path) -> None:
    """What no node calls is left out, whatever is in it; what is called must be there and fit."""
    saved = read_saved_model(str(DATA / "dense"))
    graph = saved.meta_graphs[0].graph_def
    graph.library.function.add().signature.name = "not_called"
    graph.library.function[-1].node_def.add(name="x", op="FromTheFuture")
    shutil.copytree(DATA / "dense", tmp_path / "m")
    (tmp_path / "m/saved_model.pb").write_bytes(saved.SerializeToString())
    with gc.Session() as session:
        gc.saved_model.load(session, ["serve"], str(tmp_path / "m"))
    node = graph.node.add(name="loop", op="While", input=["count"])
    for key in ("cond", "body"):
        node.attr[key].func.name = "nothing"
    (tmp_path / "m/saved_model.pb").write_bytes(saved.SerializeToString())
    with gc.Graph().as_default(), gc.Session() as session:
        with pytest.raises(errors.DataLossError, match="While 'loop' has 0 types and the body 'nothing'"):
            gc.saved_model.load(session, ["serve"], str(tmp_path / "m"))
