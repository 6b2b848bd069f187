"""Files of safetensors: what the format's own library reads and writes, and what is refused.

FILE was written by safetensors 0.8 (safetensors.numpy.save_file): two arrays, metadata. tests/peers has torch's side.
"""
from __future__ import annotations

import json
import os
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.io.checkpoint.opening import open_checkpoint

FILE = (b'\xa0\x00\x00\x00\x00\x00\x00\x00{"__metadata__":{"format":"pt"},"layer.w":{"dtype":"F32","shape":[2,3],'
        b'"data_offsets":[0,24]},"layer.b":{"dtype":"I16","shape":[3],"data_offsets":[24,30]}}     '
        + np.arange(6, dtype="<f4").tobytes() + np.array([7, 8, 9], "<i2").tobytes())
VALUES = {"a": np.arange(6.0).reshape(2, 3), "b": np.float16(1.5), "c": np.array([True, False]),
          "d": np.zeros((0, 4), np.uint64), "e": np.array([1 + 2j], np.complex64), "f": np.array([-1], np.int8)}


def header_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    count = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + count])


def file_of(header: Any, size: int = 0) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def test_the_librarys_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(FILE)
    found = gc.train.load_safetensors(path)
    assert found["layer.w"].tolist() == [[0, 1, 2], [3, 4, 5]] and found["layer.b"].tolist() == [7, 8, 9]
    assert found["layer.b"].dtype == np.int16 and gc.train.safetensors_metadata(path) == {"format": "pt"}
    assert gc.train.list_variables(path) == [("layer.b", [3]), ("layer.w", [2, 3])]
    assert gc.train.load_variable(str(path), "layer.b").tolist() == [7, 8, 9]


def test_ours_lie_as_the_librarys(tmp_path: Path) -> None:
    """Largest elements first, then by name, behind a header of a multiple of 8 bytes; views of any strides."""
    path = tmp_path / "m.safetensors"
    backwards = np.asfortranarray(VALUES["a"])[::-1, ::2]
    gc.train.save_safetensors(path, {**VALUES, "g": backwards, "é": np.float32(2)}, {"step": "7"})
    header = header_of(path)
    assert list(header) == ["__metadata__", "a", "d", "e", "g", "é", "b", "c", "f"]
    assert header["g"] == {"dtype": "F64", "shape": [2, 2], "data_offsets": [56, 88]}
    assert struct.unpack("<Q", path.read_bytes()[:8])[0] % 8 == 0
    found = gc.train.load_safetensors(path)
    for name, value in {**VALUES, "g": backwards}.items():
        assert found[name].dtype == value.dtype and np.array_equal(found[name], value), name
    assert gc.train.safetensors_metadata(path) == {"step": "7"} and os.listdir(tmp_path) == ["m.safetensors"]
    before = path.read_bytes()
    with pytest.raises(errors.UnimplementedError, match="tensor 't' has dtype string"):
        gc.train.save_safetensors(path, {"t": np.array([b"x"], object)})
    with pytest.raises(TypeError, match="'metadata' holds texts"):
        gc.train.save_safetensors(path, {}, {"step": 7})     # type: ignore[dict-item]
    assert path.read_bytes() == before


def test_bfloat16(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    path = str(tmp_path / "m.safetensors")
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable(gc.cast([1.5, -2.0], gc.bfloat16), name="v")
        session.run(v.initializer)
        gc.train.Saver().save(session, path)
        session.run(v.assign(v * gc.cast(2.0, gc.bfloat16)))
        gc.train.Saver().restore(session, path)
        assert session.run(v).astype(np.float32).tolist() == [1.5, -2.0]
    assert header_of(Path(path))["v"]["dtype"] == "BF16"


def test_savers(tmp_path: Path) -> None:
    """Partitioned variables are written whole, the step stands before the ending, old files go, names may be others."""
    with gc.Graph().as_default(), gc.Session() as session:
        halves = gc.fixed_size_partitioner(2)
        w = gc.get_variable("w", [4, 2], partitioner=halves, initializer=gc.ones_initializer())
        b = gc.get_variable("b", initializer=np.arange(3, dtype=np.float32))
        session.run(gc.global_variables_initializer())
        saver = gc.train.Saver(max_to_keep=2)
        for step in range(3):
            last = saver.save(session, str(tmp_path / "m.safetensors"), step)
        assert last == str(tmp_path / "m-2.safetensors") == gc.train.latest_checkpoint(tmp_path)
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "checkpoint", *(f"m-{i}.safetensors{end}" for i in (1, 2) for end in ("", ".meta"))]
        assert gc.train.checkpoint_exists(last) and not gc.train.checkpoint_exists(tmp_path / "m-0.safetensors")
        assert header_of(Path(last))["w"]["shape"] == [4, 2]
        session.run([*(part.assign(part * 0) for part in w), b.assign(b * 0)])
        saver.restore(session, last)
        assert session.run([w.as_tensor(), b])[1].tolist() == [0, 1, 2] and session.run(w.as_tensor()).min() == 1
        gc.train.Saver({"layer.b": b}).save(session, str(tmp_path / "n.safetensors"), write_meta_graph=False)
        other = gc.get_variable("other", [3])
        gc.train.init_from_checkpoint(str(tmp_path / "n.safetensors"), {"layer.b": other})
        session.run(other.initializer)
        assert session.run(other).tolist() == [0, 1, 2]
        with pytest.raises(errors.NotFoundError, match=r"(?s)Key other not found .*not used: 'layer.b' \[3\]"):
            gc.train.Saver([other]).restore(session, str(tmp_path / "n.safetensors"))
        with pytest.raises(errors.UnimplementedError, match="leave out `sharded`"):
            gc.train.Saver(sharded=True).save(session, str(tmp_path / "s.safetensors"))
    with gc.Graph().as_default(), gc.Session() as session:
        gc.train.import_meta_graph(f"{last}.meta").restore(session, last)
        assert session.run("b:0").tolist() == [0, 1, 2]


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(("data", "message"), [
    (b"", "it has 0 bytes"), (b"\xff" * 8 + b"{}", "says that its header has 18446744073709551615"),
    (file_of(b"[]"), "no JSON object"), (file_of(b"{'a'}"), "cannot be read"), (file_of(b"\xff{}"), "cannot be read"),
    (file_of(b"[" * 100_000), "cannot be read"), (file_of(b'{"a":1,"a":2}'), "a name comes twice"),
    (file_of({"a": 3}), "what it says of tensor 'a'"), (file_of({"a": {**ENTRY, "more": 1}}), "cannot be read"),
    (file_of({"a": {**ENTRY, "shape": [-2]}}, 8), "no shape or place"),
    (file_of({"a": {**ENTRY, "shape": [True]}}, 8), "no shape or place"),
    (file_of({"a": {**ENTRY, "shape": [1 << 62, 4]}}, 8), "no shape or place"),
    (file_of({"a": {**ENTRY, "data_offsets": [8, 0]}}, 8), "but -8 bytes"),
    (file_of({"a": ENTRY}, 7), "have 8 bytes, but there are 7"), (file_of({"a": ENTRY}, 9), "there are 9"),
    (file_of({"a": ENTRY, "b": ENTRY}, 8), "'b' begins at byte 0"),
    (file_of({"a": {**ENTRY, "data_offsets": [4, 12]}}, 12), "'a' begins at byte 4"),
    (file_of({"__metadata__": {"a": 1}}), "must hold texts")])
def test_what_is_wrong(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(errors.DataLossError, match=f"m.safetensors.*{message}"):
        gc.train.load_safetensors(path)
    with pytest.raises(errors.NotFoundError, match="no file"):
        gc.train.load_safetensors(tmp_path / "other.safetensors")


def test_dtypes_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(file_of({"a": {**ENTRY, "dtype": "F8_E4M3"}}, 8))
    with pytest.raises(errors.UnimplementedError, match="'F8_E4M3', which graphc does not have"):
        open_checkpoint(str(tmp_path / "m.safetensors"))


def test_any_change_is_an_error_or_another_value(tmp_path: Path) -> None:
    """Headers changed at random: a clear error, or arrays of what there is."""
    path, choose = tmp_path / "m.safetensors", random.Random(0)
    for _ in range(2000):
        data = bytearray(FILE)
        for _ in range(choose.randint(1, 3)):
            data[choose.randrange(len(data))] = choose.randrange(256)
        path.write_bytes(data[:choose.choice([len(data), choose.randrange(len(data))])])
        try:
            found = gc.train.load_safetensors(path)
        except (errors.DataLossError, errors.UnimplementedError) as error:
            assert str(path) in str(error)
        else:
            assert sum(value.nbytes for value in found.values()) <= len(data)
