"""Checkpoints that the C++ library writes are the Saver's, byte for byte, and it restores the Saver's; of damaged ones
it says what is wrong, and changes nothing."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.io.checkpoint.bundle import Bundle
from graphc.io.checkpoint.table import table_bytes
from graphc.io.checkpoint.write_bundle import write_bundle

import native as n
from files import build_runner


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


VALUES = {
    "w": np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32),
    "layer/b": np.arange(4.0),
    "counts": np.array([1, -2, 1 << 40]),
    "flags": np.array([[True, False]]),
    "step": np.array(7),
    "none": np.zeros((0, 3), np.float32),
    "half": np.array([1.5, -2.0], np.float16),
}


def variables(values: dict[str, np.ndarray] = VALUES) -> dict[str, gc.Variable]:
    return {name: gc.Variable(np.zeros_like(value), name=name) for name, value in values.items()}


def exported(session: gc.Session, **options: object) -> bytes:
    doubled = gc.get_default_graph().get_tensor_by_name("w/read:0") * 2
    return gc.export_model(session, {"double": gc.Signature(doubled)}, **options).SerializeToString()


@pytest.fixture
def file() -> bytes:
    with gc.Graph().as_default(), gc.Session() as session:
        made = variables()
        for name, value in VALUES.items():
            made[name].load(value, session)
        return exported(session)


@pytest.fixture
def model(native: n.Native, file: bytes) -> Iterator[n.Model]:
    with native.load(file) as model:
        yield model


def test_saved_as_the_saver_does(model: n.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "native")
    write_bundle(str(tmp_path / "python"), [(name, "", VALUES[name]) for name in sorted(VALUES)])
    for ending in (".index", ".data-00000-of-00001"):
        assert (tmp_path / f"native{ending}").read_bytes() == (tmp_path / f"python{ending}").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("native")) == [
        "native.data-00000-of-00001", "native.index"]


def test_restored_by_the_saver(model: n.Model, tmp_path: Path) -> None:
    model.set_state([name for name, _, _ in model.infos("state")].index("w"), VALUES["w"] + 1)
    model.save(tmp_path / "ckpt")
    with gc.Graph().as_default(), gc.Session() as session:
        made = variables()
        gc.train.Saver().restore(session, str(tmp_path / "ckpt"))
        for name, value in {**VALUES, "w": VALUES["w"] + 1}.items():
            np.testing.assert_array_equal(session.run(made[name]), value, err_msg=name)


def test_restores_what_the_saver_saved(model: n.Model, tmp_path: Path) -> None:
    other = {name: np.ones_like(value) for name, value in VALUES.items()}
    with gc.Graph().as_default(), gc.Session() as session:
        made = variables()
        for name, value in other.items():
            made[name].load(value, session)
        prefix = gc.train.Saver().save(session, str(tmp_path / "ckpt"), global_step=3)
    model.restore(Path(prefix))
    for name, value in other.items():
        np.testing.assert_array_equal(model.states()[name], value, err_msg=name)
    np.testing.assert_array_equal(model.run([])[0], 2 * other["w"])


def test_thousands_of_variables(native: n.Native, tmp_path: Path) -> None:
    """An index of several blocks."""
    names = [f"{'long_scope_' * 8}{i % 7}/variable_{i}" for i in range(3000)]
    tensors = [(name, "", np.array([i], np.int32)) for i, name in enumerate(sorted(names))]
    write_bundle(str(tmp_path / "python"), tensors)
    file = gc.GraphDef()
    with gc.Graph().as_default(), gc.Session() as session:
        gc.Variable([0.0], name="w").load([1.0], session)
        file.ParseFromString(exported(session))
    del file.state.variables[:]
    for name, _, _ in tensors:
        file.state.variables.add(name=name, dtype=gc.int32.number, shape=[1], key=name)
    with native.load(file.SerializeToString()) as model:
        model.restore(tmp_path / "python")
        restored = [model.get_state(i, np.zeros(1, np.int32)) for i in range(3000)]
        np.testing.assert_array_equal(np.concatenate(restored), range(3000))
        model.save(tmp_path / "native")
    for ending in (".index", ".data-00000-of-00001"):
        assert (tmp_path / f"native{ending}").read_bytes() == (tmp_path / f"python{ending}").read_bytes()


def partitioned(parts: int) -> gc.Variable:
    return gc.get_variable("table", [7, 5], partitioner=gc.fixed_size_partitioner(parts) if parts > 1 else None)


@pytest.mark.parametrize(("saved", "wanted"), [(3, 3), (1, 3), (3, 1), (2, 3)])
def test_partitioned_variables(native: n.Native, tmp_path: Path, saved: int, wanted: int) -> None:
    """Saved in `saved` parts by one side and restored in `wanted` parts by the other, both ways."""
    value = np.arange(35, dtype=np.float32).reshape(7, 5)

    def session_of(parts: int) -> tuple[gc.Session, gc.Tensor, bytes]:
        with gc.Graph().as_default():
            table = gc.convert_to_tensor(partitioned(parts))
            session = gc.Session()
            session.run(gc.global_variables_initializer())
            start = 0
            for v in gc.global_variables():
                rows = v.shape.as_list()[0]
                v.load(value[start:start + rows], session)
                start += rows
            file = gc.export_model(session, {"all": gc.Signature(gc.identity(table))})
            return session, table, file.SerializeToString()

    session, _, file = session_of(saved)
    with session.graph.as_default():
        gc.train.Saver().save(session, str(tmp_path / "python"), write_meta_graph=False)
    with native.load(file) as model:
        model.save(tmp_path / "native")
    for ending in (".index", ".data-00000-of-00001"):
        assert (tmp_path / f"native{ending}").read_bytes() == (tmp_path / f"python{ending}").read_bytes()
    _, _, other = session_of(wanted)
    with native.load(other) as model:
        for i, (_, _, shape) in enumerate(model.infos("state")):
            model.set_state(i, np.zeros(shape, np.float32))
        model.restore(tmp_path / "python")
        np.testing.assert_array_equal(model.run([])[0], value)


def test_nothing_changes_if_anything_is_missing(native: n.Native, model: n.Model, tmp_path: Path) -> None:
    before = model.states()
    ones = {name: np.ones_like(value) for name, value in VALUES.items()}
    complete = [(name, "", ones[name]) for name in VALUES]

    def refused(tensors: list[tuple[str, str, np.ndarray]], status: int, message: str) -> None:
        write_bundle(str(tmp_path / "ckpt"), tensors)
        with pytest.raises(n.NativeError, match=message) as caught:
            model.restore(tmp_path / "ckpt")
        assert caught.value.status == status
        for name, value in model.states().items():
            np.testing.assert_array_equal(value, before[name], err_msg=name)

    refused([t for t in complete if t[0] != "w"], n.NOT_FOUND, "Key w not found in checkpoint")
    refused([("w", "", np.ones((5, 3), np.float32)) if t[0] == "w" else t for t in complete], n.INVALID_ARGUMENT,
            r"'w' is of dtype float32 and shape \[3, 5\], but 'w' in checkpoint .* of float32 and \[5, 3\]")
    refused([("w", "", np.ones((3, 5))) if t[0] == "w" else t for t in complete], n.INVALID_ARGUMENT, "of float64")
    with pytest.raises(n.NativeError, match=r"cannot read .*none\.index: No such file"):
        model.restore(tmp_path / "none")


def test_damaged_checkpoints(model: n.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "ckpt")
    index, data = tmp_path / "ckpt.index", tmp_path / "ckpt.data-00000-of-00001"
    whole, bytes_ = index.read_bytes(), data.read_bytes()

    def damaged(message: str) -> None:
        with pytest.raises(n.NativeError, match=message) as caught:
            model.restore(tmp_path / "ckpt")
        assert caught.value.status in (n.DATA_LOSS, n.UNIMPLEMENTED)

    data.write_bytes(bytes_[:-1])
    damaged("has .* bytes, fewer than .* says")
    data.write_bytes(bytes([bytes_[0] ^ 1]) + bytes_[1:])
    damaged("the checksum of tensor .* is wrong")
    data.write_bytes(bytes_)
    index.write_bytes(whole[:-1])
    damaged("does not end as a table does")
    index.write_bytes(b"")
    damaged("it has 0 bytes")
    for at in range(0, len(whole) - 100, 7):                 # in the block of entries
        index.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
        damaged("checksum of the block|compressed")
    index.write_bytes(whole)
    model.restore(tmp_path / "ckpt")


def test_an_index_that_lies(model: n.Model, tmp_path: Path) -> None:
    """Its checksums are right, what it says is not."""
    model.save(tmp_path / "ckpt")
    found = Bundle(str(tmp_path / "ckpt"))

    def refused(message: str, **fields: int) -> None:
        entries = {key: entry.SerializeToString() for key, entry in found.entries.items()}
        changed = type(found.entries[b"w"]).FromString(entries[b"w"])
        for field, value in fields.items():
            setattr(changed, field, value)
        entries |= {b"w": changed.SerializeToString(), b"": found.header.SerializeToString()}
        (tmp_path / "ckpt.index").write_bytes(table_bytes(entries))
        with pytest.raises(n.NativeError, match=message):
            model.restore(tmp_path / "ckpt")

    refused("what it says of 'w' cannot be", size=-1)
    refused("what it says of 'w' cannot be", size=1 << 50)
    refused("what it says of 'w' cannot be", shard_id=1)
    refused("what it says of 'w' cannot be", shard_id=-1)
    refused("fewer than", offset=1 << 62)
    refused("fewer than", offset=-1)
    refused("checksum of tensor 'w'", offset=4)


def test_variables_that_cannot_be_saved(native: n.Native, tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        gc.Variable([1.0], name="w")
        file = exported(session)
        frozen = gc.GraphDef.FromString(file)
    with native.load(file) as model:
        with pytest.raises(n.NativeError, match="variable 'w' has no value, so that no checkpoint can be saved"):
            model.save(tmp_path / "ckpt")
        with pytest.raises(n.NativeError, match=r"cannot write .*missing/ckpt"):
            model.save(tmp_path / "missing" / "ckpt")
    frozen.ClearField("state")
    with native.load(frozen.SerializeToString()) as model, pytest.raises(n.NativeError, match="lists no variables"):
        model.save(tmp_path / "ckpt")
    assert list(tmp_path.iterdir()) == []


def test_chosen_variables(native: n.Native, tmp_path: Path) -> None:
    """var_list: names in checkpoints that are not the variables' own; others are left out."""
    with gc.Graph().as_default(), gc.Session() as session:
        w, _ = gc.Variable([1.0], name="w"), gc.Variable([2.0], name="left_out")
        session.run(gc.global_variables_initializer())
        file = exported(session, var_list={"other": w})
    with native.load(file) as model:
        model.save(tmp_path / "ckpt")
    assert Bundle(str(tmp_path / "ckpt")).names() == ["other"]
