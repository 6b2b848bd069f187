"""Checkpoints as files: those that TensorFlow wrote are read, ours are theirs byte for byte, damaged ones are refused.

tests/io/data was written by TensorFlow 2.21 with reference variables: tensors.* (format V2) by tf.train.Saver(),
slices-v1 by tf.train.Saver(write_version=SaverDef.V1) of the variables that it can hold.
"""
from __future__ import annotations

import random
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from graphc import errors
from graphc.io.checkpoint.bundle import Bundle
from graphc.io.checkpoint.opening import open_checkpoint
from graphc.io.checkpoint.slices import TensorSlice, parse_slice, slice_key
from graphc.io.checkpoint.table import read_table, table_bytes
from graphc.io.checkpoint.write_bundle import join_bundles, write_bundle
from graphc.io.crc32c import crc32c, masked_crc32c
from graphc.io.wire import number_bytes

DATA = Path(__file__).parent / "data"
ENDS = (".index", ".data-00000-of-00001")
# What TensorFlow was given. p/emb and p2/emb are partitioned: random_uniform initial values, read back by TensorFlow.
VALUES = {
    "layer/w": np.random.RandomState(0).randn(4, 3).astype(np.float32), "layer/b": np.arange(3.0),
    "empty": np.zeros((0, 3), np.int32), "scalar": np.array(-7), "flags": np.array([True, False]),
    "c64": np.array([1 + 2j], np.complex64), "u8": np.arange(7, dtype=np.uint8), "i16": np.arange(7, dtype=np.int16)}
MORE = {"texts": np.array([[b"one", b""], [b"x" * 200, b"\x00\xff"]], object), "half": np.array([1.5], np.float16)}
PARTS = {"p/emb": ((10, 2), [((0, 4), (0, 2)), ((4, 3), (0, 2)), ((7, 3), (0, 2))]),
         "p2/emb": ((2, 10), [((0, 2), (i, 2)) for i in range(0, 10, 2)])}


def test_checksums() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(np.frombuffer(b"6789", np.uint8), crc32c(b"12345")) == 0xE3069283
    assert masked_crc32c(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize(("file", "values"), [("tensors", {**VALUES, **MORE}), ("slices-v1", VALUES)])
def test_tensorflows_files_are_read(file: str, values: dict[str, np.ndarray]) -> None:
    checkpoint = open_checkpoint(str(DATA / file))
    assert set(checkpoint.names()) == {*values, *PARTS, *(["bf"] if file == "tensors" else [])}
    for name, value in values.items():
        found = checkpoint.tensor(name)
        assert found.dtype == value.dtype and found.shape == value.shape and (found == value).all(), name
    for name, (shape, parts) in PARTS.items():
        stored = checkpoint.stored(name)
        assert stored is not None and stored.shape == shape and {p.extents for p in stored.parts} == set(parts)
        whole = checkpoint.tensor(name)
        assert whole.shape == shape and (whole > 0).all() and (whole < 1).all()
        for extents in (*parts, ((1, 1), (1, 1))):
            part = TensorSlice(extents)
            np.testing.assert_array_equal(checkpoint.part(name, part), whole[part.bounds(shape)])


def test_ours_are_theirs_byte_for_byte(tmp_path: Path) -> None:
    theirs = Bundle(str(DATA / "tensors"))
    tensors = []
    for name in theirs.names():
        stored = theirs.stored(name)
        assert stored is not None
        sizes = " ".join(map(str, stored.shape))
        tensors += [(name, f"{sizes} {part}", theirs.part(name, part)) for part in stored.parts]
        tensors += [] if stored.parts else [(name, "", theirs.tensor(name))]
    write_bundle(str(tmp_path / "made"), tensors)
    for end in ENDS:
        assert (tmp_path / f"made{end}").read_bytes() == (DATA / f"tensors{end}").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"made{end}" for end in ENDS)


def test_tables_of_many_blocks(tmp_path: Path) -> None:
    entries = {b"": b"first", **{f"scope/variable_{i:05d}".encode(): bytes([i % 256]) * 60 for i in range(9000)},
               b"\xff\xff": b"", b"\xff\xff\xff": b"last"}
    (tmp_path / "table").write_bytes(table_bytes(entries))
    assert (tmp_path / "table").stat().st_size > 2 << 18
    assert read_table(str(tmp_path / "table")) == dict(sorted(entries.items()))


def test_keys_of_parts() -> None:
    """As TensorFlow's files have them, and the ordered code of numbers of two and more bytes."""
    keys = [key for key in Bundle(str(DATA / "tensors")).entries if key.startswith(b"\0")]
    assert keys == [slice_key(name.encode(), TensorSlice(e)) for name, (_, parts) in PARTS.items() for e in parts]
    assert slice_key(b"a\0\xff", TensorSlice(((0, -1),))) == b"\0a\0\xff\xff\0\0\1" b"\1\1" b"\x80\x7f"
    assert slice_key(b"", TensorSlice(((64, 8191), (8192, 1 << 40)))) == (
        b"\0\0\1" b"\1\2" b"\xc0\x40" b"\xdf\xff" b"\xe0\x20\0" b"\xfd\0\0\0\0\0")


def test_slices_as_text() -> None:
    assert parse_slice("10 4 0,5:-") == ((10, 4), TensorSlice(((0, 5), (0, -1))))
    assert str(TensorSlice(((0, 5), (0, -1)))) == "0,5:-"
    for wrong in ("10 4", "10 4 0,5", "10 4 8,5:-", "x 0,1", "10 0;5", "10 -1,2"):
        with pytest.raises(errors.InvalidArgumentError):
            parse_slice(wrong)


def test_several_shards(tmp_path: Path) -> None:
    halves = np.arange(12.0).reshape(4, 3)
    for i in range(2):
        write_bundle(str(tmp_path / f"_temp/part-{i}"), [(f"v{i}", "", np.full(3, i)),
                                                         ("w", f"4 3 {2 * i},2:-", halves[2 * i:2 * i + 2])])
    join_bundles([str(tmp_path / f"_temp/part-{i}") for i in range(2)], str(tmp_path / "all"), delete_old=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "all.data-00000-of-00002", "all.data-00001-of-00002", "all.index"]
    joined = Bundle(str(tmp_path / "all"))
    assert [joined.tensor(f"v{i}").tolist() for i in range(2)] == [[0, 0, 0], [1, 1, 1]]
    np.testing.assert_array_equal(joined.tensor("w"), halves)


def test_two_tensors_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="two tensors 'a'"):
        write_bundle(str(tmp_path / "x"), [("a", "", np.zeros(1)), ("a", "", np.ones(1))])
    assert list(tmp_path.iterdir()) == []


def _everything(prefix: Path) -> dict[str, bytes]:
    checkpoint = open_checkpoint(str(prefix))
    return {name: (t.tobytes() if t.dtype != object else repr(t).encode()) + str(t.shape).encode()
            for name in checkpoint.names() for t in [checkpoint.tensor(name)]}


@pytest.mark.parametrize(("name", "end"), [("tensors", ".index"), ("tensors", ENDS[1]), ("slices-v1", "")])
def test_damage_is_found(name: str, end: str, tmp_path: Path) -> None:
    """Every byte changed, every length: a DataLossError that names the file, or what was there (unused bytes)."""
    for other in ENDS if end else ("",):
        shutil.copy(DATA / f"{name}{other}", tmp_path / f"{name}{other}")
    path, expected = tmp_path / f"{name}{end}", _everything(tmp_path / name)
    right, found = path.read_bytes(), 0
    changed = [right[:i] + bytes([right[i] ^ 1 << i % 8]) + right[i + 1:] for i in range(len(right))]
    for data in (*changed, *(right[:i] for i in range(0, len(right), 7)), b"", right * 2):
        path.write_bytes(data)
        try:
            assert _everything(tmp_path / name) == expected
        except (errors.DataLossError, errors.UnimplementedError) as error:
            found += 1
            assert str(tmp_path / name) in str(error)
    assert found > 0.95 * len(right)


def test_lengths_that_lie(tmp_path: Path) -> None:
    """Entries whose checksums are right, but that ask for more than there is: no memory is taken for it."""
    write_bundle(str(tmp_path / "x"), [("a", "", np.zeros(4)), ("t", "", np.array([b"one", b"two"], object))])
    for change in ({"shape": [1 << 62]}, {"shape": [0, 1 << 62]}, {"shape": [1 << 40, 1 << 40]}, {"size": 1 << 50},
                   {"offset": 1 << 62}, {"offset": -8}, {"size": -1}, {"shard_id": 7}, {"dtype": 99}, {"shape": [-4]}):
        for name in ("a", "t"):
            bundle = Bundle(str(tmp_path / "x"))
            entry = bundle.entries[name.encode()]
            for field, value in change.items():
                if field == "shape":
                    del entry.shape.dim[:]
                    for size in value:
                        entry.shape.dim.add(size=size)
                else:
                    setattr(entry, field, value)
            with pytest.raises(errors.DataLossError, match=str(tmp_path / "x")):
                bundle.tensor(name)


def _table(blocks: list[bytes]) -> bytes:
    """A table of these blocks, whatever is in them, with right checksums."""
    made, index = bytearray(), b""
    for i, block in enumerate(blocks):
        handle = number_bytes(len(made)) + number_bytes(len(block))
        made += block + b"\0" + struct.pack("<I", masked_crc32c(block + b"\0"))
        index += number_bytes(0) + number_bytes(1) + number_bytes(len(handle)) + bytes([i]) + handle
    index += struct.pack("<II", 0, 1)
    place = number_bytes(len(made)) + number_bytes(len(index))
    made += index + b"\0" + struct.pack("<I", masked_crc32c(index + b"\0"))
    return bytes(made) + (b"\0\0" + place).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def _entry(shared: int, more: bytes, value: bytes) -> bytes:
    return number_bytes(shared) + number_bytes(len(more)) + number_bytes(len(value)) + more + value


def test_keys_that_swell(tmp_path: Path) -> None:
    """300 KB whose keys would take 15 GB: each shares 100,000 bytes with the one before, and never stands in full."""
    block = _entry(0, b"k" * 100_000, b"") + b"".join(_entry(100_000, struct.pack(">I", i), b"")
                                                      for i in range(30_000)) + struct.pack("<II", 0, 1)
    (tmp_path / "x.index").write_bytes(_table([block]))
    with pytest.raises(errors.DataLossError, match=r"x\.index .* the keys of a block of"):
        Bundle(str(tmp_path / "x"))


def test_hostile_blocks(tmp_path: Path) -> None:
    """Bytes of the index changed at random, and the checksums made right again: clear errors, and no more memory than
    the file could hold."""
    right, choose = (DATA / "tensors.index").read_bytes(), random.Random(0)
    entries = read_table(str(DATA / "tensors.index"))
    shutil.copy(DATA / f"tensors{ENDS[1]}", tmp_path / f"x{ENDS[1]}")
    found = 0
    for _ in range(1500):
        block = bytearray()
        for key, value in entries.items():
            block += _entry(0, key, value)
        block += struct.pack("<II", 0, 1)
        for _ in range(choose.randint(1, 4)):
            at = choose.randrange(len(block))
            block[at:at + choose.randint(0, 2)] = choose.randbytes(choose.randint(0, 3))
        (tmp_path / "x.index").write_bytes(_table([bytes(block)]))
        try:
            for value in _everything(tmp_path / "x").values():
                assert len(value) < 100 * len(right)
        except (errors.DataLossError, errors.UnimplementedError, errors.NotFoundError, FileNotFoundError) as error:
            found += 1
            assert str(tmp_path / "x") in str(error)
    assert found > 1000


def test_foreign_files(tmp_path: Path) -> None:
    shutil.copy(DATA / "tensors.index", tmp_path / "only.index")
    with pytest.raises(FileNotFoundError, match=r"only\.data-00000-of-00001"):
        open_checkpoint(str(tmp_path / "only")).tensor("layer/w")
    with pytest.raises(errors.NotFoundError, match="did you mean 'only'"):
        open_checkpoint(str(tmp_path / "onli"))
    (tmp_path / "graph.meta").write_bytes(b"some graph, which is no table" * 9)
    with pytest.raises(errors.DataLossError, match=r"named without the ending: '.*graph'"):
        open_checkpoint(str(tmp_path / "graph.meta"))
    with pytest.raises(errors.NotFoundError, match=r"named without the ending: '.*only'"):
        open_checkpoint(str(tmp_path / "only.data-00000-of-00003"))
