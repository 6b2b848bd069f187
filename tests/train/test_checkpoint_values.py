"""What is in a checkpoint, and variables that begin with it: readers, init_from_checkpoint, assign_from_checkpoint.

The checkpoints are those that TensorFlow wrote for tests/io/test_bundles.py.
"""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors

DATA = Path(__file__).parent.parent / "io" / "data"
TENSORS, SLICES = str(DATA / "tensors"), str(DATA / "slices-v1")
W = np.random.RandomState(0).randn(4, 3).astype(np.float32)
B = np.arange(3.0)


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


@pytest.mark.parametrize("file", [TENSORS, SLICES])
def test_reader(file: str) -> None:
    reader = gc.train.NewCheckpointReader(file)
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    assert shapes["layer/w"] == [4, 3] and shapes["scalar"] == [] and shapes["p/emb"] == [10, 2]
    assert dtypes["layer/b"] == gc.float64 and dtypes["flags"] == gc.bool and set(shapes) == set(dtypes)
    assert reader.has_tensor("layer/w") and reader.has_tensor(b"layer/w") and not reader.has_tensor("layer")
    np.testing.assert_array_equal(reader.get_tensor("layer/w"), W)
    assert reader.get_tensor("layer/w").flags.writeable
    assert type(reader.get_tensor("scalar")) is np.int64 and reader.get_tensor("scalar") == -7
    with pytest.raises(errors.NotFoundError, match=r"Key layer/W not found in checkpoint.*did you mean 'layer/w'"):
        reader.get_tensor("layer/W")
    lines = reader.debug_string().decode().splitlines()
    assert "layer/w (DT_FLOAT) [4,3]" in lines and "scalar (DT_INT64) []" in lines
    assert "p/emb (DT_FLOAT) [10,2], 3 slices" in lines


def test_functions_of_names_and_folders(tmp_path: Path) -> None:
    assert gc.train.list_variables(TENSORS)[:3] == [("bf", [2]), ("c64", [1]), ("empty", [0, 3])]
    assert gc.train.load_variable(TENSORS, "layer/b:0").tolist() == [0, 1, 2]
    assert gc.contrib.framework.load_checkpoint(TENSORS).has_tensor("u8")
    gc.train.update_checkpoint_state(str(tmp_path), TENSORS)
    assert gc.contrib.framework.load_variable(tmp_path, "scalar") == -7
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file or checkpoints in given directory"):
        gc.train.list_variables(tmp_path)
    with pytest.raises(errors.NotFoundError, match="Failed to find any matching files"):
        gc.train.NewCheckpointReader(str(tmp_path / "x"))


def values(*variables: Any) -> list[Any]:
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return session.run(list(variables))


@pytest.mark.parametrize("file", [TENSORS, SLICES])
def test_init_from_checkpoint(graph: Any, file: str) -> None:
    w, b, other = gc.get_variable("w", [4, 3]), gc.get_variable("o/b", [3], gc.float64), gc.get_variable("n", [2])
    count = len(graph.get_operations())
    gc.train.init_from_checkpoint(file, {"layer/w": w, "layer/b": "o/b"})
    assert [op.name for op in graph.get_operations()[count:] if op.type in ("RestoreV2", "Assign")] == [
        "checkpoint_initializer", "Assign", "checkpoint_initializer_1", "Assign_1"]
    twice = gc.Variable(w.initialized_value() * 2)
    found = values(w, b, twice, other)
    np.testing.assert_array_equal(found[0], W)
    np.testing.assert_array_equal(found[1], B)
    np.testing.assert_array_equal(found[2], W * 2)


@pytest.mark.parametrize(("old", "new", "made"), [
    ("layer/", "layer/", "layer/"), ("layer/", "deep/new/", "deep/new/"), ("layer/", "/", ""), ("/", "/", "layer/")])
def test_init_of_scopes(old: str, new: str, made: str) -> None:
    w, b = gc.get_variable(f"{made}w", [4, 3]), gc.get_variable(f"{made}b", [3], gc.float64)
    gc.train.init_from_checkpoint(TENSORS, {old: new})
    found = values(w, b)
    np.testing.assert_array_equal(found[0], W)
    np.testing.assert_array_equal(found[1], B)


def test_init_of_parts() -> None:
    parts = [gc.get_variable(f"emb/part_{i}", [5, 2]) for i in range(2)]
    for i, part in enumerate(parts):
        part._save_slice_info = gc.Variable.SaveSliceInfo("emb", [10, 2], [5 * i, 0], [5, 2])
    gc.train.init_from_checkpoint(TENSORS, {"p/emb": "emb"})
    np.testing.assert_array_equal(np.concatenate(values(*parts)), gc.train.load_variable(TENSORS, "p/emb"))


@pytest.mark.parametrize(("mapping", "message"), [
    ({"zz": "w"}, "Tensor zz is not found in"), ({"layer/b": "w"}, r"Shape of variable w:0 \(.*doesn't match"),
    ({"/": "/"}, r"Tensor w \(w in /\) is not found in"), ({"layer/w": "q"}, "should map to scope only"),
    ({"layer": "q/"}, "Should be 'scope/': 'other_scope/'")])
def test_init_of_what_is_not_there(mapping: dict[str, str], message: str) -> None:
    gc.get_variable("w", [4, 3])
    with pytest.raises(ValueError, match=message):
        gc.train.init_from_checkpoint(TENSORS, mapping)


def test_warm_start() -> None:
    w, b = gc.get_variable("layer/w", [4, 3]), gc.get_variable("layer/new", [3], gc.float64)
    step = gc.get_variable("scalar", [], gc.int64, trainable=False)
    gc.train.warm_start(TENSORS, "layer", var_name_to_prev_var_name={"layer/new": "layer/b"})
    gc.train.warm_start(TENSORS, ["scal"])
    found = values(w, b, step)
    np.testing.assert_array_equal(found[0], W)
    np.testing.assert_array_equal(found[1], B)
    assert found[2] == -7
    with pytest.raises(ValueError, match=r"not used: .'nothing'"):
        gc.train.warm_start(TENSORS, [w], var_name_to_prev_var_name={"nothing": "x"})


def _vocabularies(folder: Path) -> tuple[str, str]:
    (folder / "old").write_text("guava\nbanana\napple\nraspberry\nunused\n")
    (folder / "new").write_text("apple\nbanana\nguava\nblueberry\nkiwi\n")
    return str(folder / "new"), str(folder / "old")


def test_warm_start_in_another_vocabulary(tmp_path: Path) -> None:
    """Rows, or columns, by their words, as TensorFlow 2.21 gave them with zeros for new words and buckets."""
    new, old = _vocabularies(tmp_path)
    w = gc.get_variable("layer/w", [6, 3])
    info = gc.train.VocabInfo(new, 5, 1, old, 4, gc.constant_initializer(9.0))
    gc.train.warm_start(TENSORS, [w], {"layer/w": info})
    (found,) = values(w)
    np.testing.assert_array_equal(found, np.concatenate([W[[2, 1, 0]], np.full((3, 3), 9, np.float32)]))
    across = gc.get_variable("across", [4, 4])
    gc.train.warm_start(TENSORS, [across], {"across": info._replace(new_vocab_size=4, num_oov_buckets=0, axis=1,
                                                                    old_vocab_size=3, backup_initializer=None)},
                        {"across": "layer/w"})
    (found,) = values(across)
    np.testing.assert_array_equal(found, np.concatenate([W[:, [2, 1, 0]], np.zeros((4, 1), np.float32)], axis=1))


def test_warm_start_of_parts(tmp_path: Path) -> None:
    new, old = _vocabularies(tmp_path)
    halves = gc.fixed_size_partitioner(2)
    parts = gc.get_variable("layer/w", [5, 3], partitioner=halves)
    gc.train.warm_start(TENSORS, "layer", {"layer/w": gc.train.VocabInfo(new, 5, 0, old, 4)})
    found = np.concatenate(values(*parts))
    np.testing.assert_array_equal(found, np.concatenate([W[[2, 1, 0]], np.zeros((2, 3), np.float32)]))


def test_vocabularies_that_do_not_fit(tmp_path: Path) -> None:
    new, old = _vocabularies(tmp_path)
    w = gc.get_variable("layer/w", [6, 3])
    info = gc.train.VocabInfo(new, 5, 1, old, 4)
    for changed, message in ((info._replace(num_oov_buckets=2), r"has shape \[6, 3\], but .* 5 words and 2 buckets"),
                             (info._replace(axis=2), "axis 2"), (info._replace(old_vocab_size=7), "has 5 words, but 7"),
                             (info._replace(old_vocab_size=-1), r"shape \[4, 3\], but the old .* has 5 words")):
        with pytest.raises(ValueError, match=message):
            gc.train.warm_start(TENSORS, [w], {"layer/w": changed})
    with pytest.raises(ValueError, match=r"in var_name_to_vocab_info that were not used: .'nothing'"):
        gc.train.warm_start(TENSORS, [w], {"layer/w": info, "nothing": info})


def test_checkpoints_of_objects(tmp_path: Path) -> None:
    """tests/train/data/objects was written by tf.train.Checkpoint of TensorFlow 2.21: by the ways to the variables, and
    a Saver finds them by the names that they had."""
    prefix = str(DATA.parent.parent / "train/data/objects")
    value = ".ATTRIBUTES/VARIABLE_VALUE"
    assert gc.train.list_variables(prefix)[:3] == [
        ("_CHECKPOINTABLE_OBJECT_GRAPH", []), (f"model/layers/0/bias/{value}", [2]),
        (f"model/layers/0/kernel/{value}", [3, 2])]
    assert gc.train.load_variable(prefix, f"model/step/{value}") == 7
    with gc.variable_scope("first"):
        kernel, bias = gc.get_variable("kernel", [3, 2]), gc.get_variable("bias", [2])
    step = gc.train.get_or_create_global_step()
    other = gc.get_variable("other", [2, 4])
    with gc.Session() as session:
        gc.train.Saver([kernel, bias, step]).restore(session, prefix)
        assert session.run(kernel).tolist() == [[0, 1], [2, 3], [4, 5]]
        assert session.run(bias).tolist() == [3, 3] and session.run(step) == 7
        gc.train.Saver({f"model/layers/1/kernel/{value}": other}).restore(session, prefix)
        assert session.run(other).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
        with pytest.raises(errors.NotFoundError, match=r"(?s)Key other not found.*names are paths of objects"):
            gc.train.Saver().restore(session, prefix)


def test_assign_from_checkpoint() -> None:
    w, b = gc.get_variable("layer/w", [4, 3]), gc.get_variable("mine", [3], gc.float64)
    operation, feeds = gc.contrib.framework.assign_from_checkpoint(TENSORS, {"layer/w": w, "layer/b": b})
    with gc.Session() as session:
        session.run(operation, feeds)
        np.testing.assert_array_equal(session.run(w), W)
        np.testing.assert_array_equal(session.run(b), B)
        gc.contrib.framework.assign_from_values_fn({"mine": [7, 8, 9]})(session)
        assert session.run(b).tolist() == [7, 8, 9]
        with pytest.warns(UserWarning, match="Variable mine missing in checkpoint"):
            restore = gc.contrib.slim.assign_from_checkpoint_fn(TENSORS, [w, b], ignore_missing_vars=True)
        session.run(w.assign(gc.zeros([4, 3])))
        restore(session)
        np.testing.assert_array_equal(session.run(w), W)
    flat = gc.get_variable("flat", [12])
    with gc.Session() as session:
        gc.contrib.slim.assign_from_checkpoint_fn(TENSORS, {"layer/w": flat}, reshape_variables=True)(session)
        np.testing.assert_array_equal(session.run(flat), W.ravel())
    with pytest.raises(ValueError, match=r"Checkpoint is missing variable .mine"):
        gc.contrib.slim.assign_from_checkpoint(TENSORS, [b])
    with pytest.raises(ValueError, match="Total size of new array must be unchanged for layer/w"):
        gc.contrib.slim.assign_from_checkpoint(TENSORS, {"layer/w": flat})
    with pytest.raises(ValueError, match="Variable nothing wasn't found"):
        gc.contrib.slim.assign_from_values({"nothing": 1})
