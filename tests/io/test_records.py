"""TFRecord files: bytes are TensorFlow's, what is damaged is told."""
from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest

import graphc as gc

KIND = gc.python_io.TFRecordCompressionType
RECORDS = [b"", b"abc", b"x" * 300]
# Written by TensorFlow 2.21.
PLAIN = bytes.fromhex("000000000000000029039807d8ea82a20300000000000000b099490e6162636e57f1212c01000000000000f2fe5b9d"
                      ) + b"x" * 300
ZLIB = "789c636080004de619ec375e352d6286f237ccf4e44b4c4ace0bffa8a8c30811faf42f7a6ec528201a9c6d9aa2080052389a0b"
GZIP = ("1f8b0800000000000003636080004de619ec375e352d6286f237ccf4e44b4c4ace0bffa8a8c30811faf42f7a6ec528201a9c6d9aa2080"
        "0bc1e04f65f010000")


def write(path: Path, options: Any = None) -> bytes:
    with gc.python_io.TFRecordWriter(str(path), options) as writer:
        for record in RECORDS:
            writer.write(record)
    return path.read_bytes()


def read(path: Path, options: Any = None) -> list[bytes]:
    return list(gc.python_io.tf_record_iterator(str(path), options))


def test_plain(tmp_path: Path) -> None:
    data = write(tmp_path / "r")
    assert data[:-4] == PLAIN and read(tmp_path / "r") == RECORDS


@pytest.mark.parametrize(("kind", "theirs"), [(KIND.ZLIB, ZLIB), (KIND.GZIP, GZIP), ("GZIP", GZIP)])
def test_compressed(kind: Any, theirs: str, tmp_path: Path) -> None:
    """The bytes of deflate are zlib's of the day, so it is what is in them that is compared."""
    options = gc.python_io.TFRecordOptions(kind)
    unpacked = [zlib.decompress(data, 47) for data in (write(tmp_path / "r", options), bytes.fromhex(theirs))]
    assert unpacked[0] == unpacked[1] and unpacked[0][:-4] == PLAIN
    (tmp_path / "theirs").write_bytes(bytes.fromhex(theirs))
    for name in ("r", "theirs"):
        assert read(tmp_path / name, options) == read(tmp_path / name, kind) == RECORDS


def test_options_of_zlib(tmp_path: Path) -> None:
    options = gc.io.TFRecordOptions("ZLIB", flush_mode=zlib.Z_SYNC_FLUSH, window_bits=9, compression_level=0,
                                    mem_level=1, compression_strategy=zlib.Z_HUFFMAN_ONLY)
    writer = gc.io.TFRecordWriter(str(tmp_path / "r"), options)
    writer.write(RECORDS[2])
    writer.flush()
    assert zlib.decompressobj().decompress((tmp_path / "r").read_bytes())[12:-4] == RECORDS[2]
    assert (tmp_path / "r").read_bytes()[0] >> 4 == 1          # the window has 2**(1 + 8) bytes
    writer.close()
    assert read(tmp_path / "r", options) == RECORDS[2:]
    assert gc.io.TFRecordOptions.get_compression_type_string(options) == "ZLIB"
    with pytest.raises(ValueError, match='Not a valid compression_type: "LZ"'):
        gc.io.TFRecordOptions("LZ")


def test_long_records_and_packed_files_behind_each_other(tmp_path: Path) -> None:
    records = [bytes(3_000_000), b"end"]
    with gc.io.TFRecordWriter(str(tmp_path / "r"), "GZIP") as writer:
        for record in records:
            writer.write(record)
    data = (tmp_path / "r").read_bytes()
    (tmp_path / "r").write_bytes(data + data)
    assert read(tmp_path / "r", "GZIP") == records * 2


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


@pytest.mark.parametrize(("damage", "whole", "message"), [
    (lambda d: d[:-1], 2, "truncated record at 35"), (lambda d: d[:20], 1, "truncated record at 16"),
    (lambda d: d[:3], 0, "truncated record at 0"), (lambda d: changed(d, 17), 1, "corrupted record at 16"),
    (lambda d: changed(d, 24), 1, "corrupted record at 16"), (lambda d: changed(d, 30), 1, "corrupted record at 16"),
    (lambda d: changed(d, 60), 2, "corrupted record at 35"), (lambda d: changed(d, len(d) - 1), 2, "corrupted record"),
])
@pytest.mark.parametrize("packed", [False, True])
def test_damage(damage: Any, whole: int, message: str, packed: bool, tmp_path: Path) -> None:
    """TensorFlow 1.15's messages, with the file's name."""
    data = damage(write(tmp_path / "r"))
    (tmp_path / "r").write_bytes(zlib.compress(data) if packed else data)
    records = gc.python_io.tf_record_iterator(str(tmp_path / "r"), "ZLIB" if packed else None)
    assert [next(records) for _ in range(whole)] == RECORDS[:whole]
    with pytest.raises(gc.errors.DataLossError, match=message):
        next(records)


def test_a_length_is_not_trusted(tmp_path: Path) -> None:
    length = (1 << 62).to_bytes(8, "little")
    from graphc.io.crc32c import masked_crc32c

    data = length + masked_crc32c(length).to_bytes(4, "little") + b"abc"
    for packed in (False, True):
        (tmp_path / "r").write_bytes(zlib.compress(data) if packed else data)
        with pytest.raises(gc.errors.DataLossError, match="truncated record at 0"):
            read(tmp_path / "r", "ZLIB" if packed else None)


def test_errors(tmp_path: Path) -> None:
    write(tmp_path / "r")
    with pytest.raises(gc.errors.DataLossError, match="no GZIP data"):
        read(tmp_path / "r", "GZIP")
    with pytest.raises(gc.errors.NotFoundError, match="No such file"):
        read(tmp_path / "missing")
    with pytest.raises(gc.errors.NotFoundError, match="No such file"):
        gc.python_io.TFRecordWriter(str(tmp_path / "missing" / "r"))
    with gc.python_io.TFRecordWriter(str(tmp_path / "w")) as writer:
        writer.write("text")
        with pytest.raises(TypeError, match="must be bytes, but is int"):
            writer.write(3)
    writer.close()
    with pytest.raises(gc.errors.FailedPreconditionError, match="Writer is closed"):
        writer.write(b"")
    assert read(tmp_path / "w") == [b"text"]
    (tmp_path / "empty").write_bytes(b"")
    assert read(tmp_path / "empty") == read(tmp_path / "empty", "GZIP") == []


def test_examples(tmp_path: Path) -> None:
    with gc.python_io.TFRecordWriter(str(tmp_path / "r")) as writer:
        for i in range(3):
            feature = {"i": gc.train.Feature(int64_list=gc.train.Int64List(value=[i])),
                       "s": gc.train.Feature(bytes_list=gc.train.BytesList(value=[b"s%d" % i]))}
            writer.write(gc.train.Example(features=gc.train.Features(feature=feature)).SerializeToString())
    with gc.Graph().as_default(), gc.Session() as session:
        data = gc.placeholder(gc.string, [None])
        parsed = gc.parse_example(data, {"i": gc.FixedLenFeature([], gc.int64), "s": gc.FixedLenFeature([], gc.string)})
        found = session.run(parsed, {data: read(tmp_path / "r")})
    assert found["i"].tolist() == [0, 1, 2] and found["s"].tolist() == [b"s0", b"s1", b"s2"]


def test_a_full_disk() -> None:
    writer = gc.io.TFRecordWriter("/dev/full")
    with pytest.raises(gc.errors.UnknownError, match="/dev/full; No space left"):
        writer.write(bytes(1_000_000))
    writer = gc.io.TFRecordWriter("/dev/full")
    writer.write(b"little")
    with pytest.raises(gc.errors.UnknownError, match="/dev/full; No space left"):
        writer.close()
    writer.close()
