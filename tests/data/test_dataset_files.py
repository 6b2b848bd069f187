"""Datasets of files: text, records, CSV. The expected values are TensorFlow's."""
from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.data.test_datasets import elements, plain

D = gc.data.Dataset
E = gc.data.experimental


@pytest.fixture(autouse=True)
def own_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_bytes(b"l1\r\nl2\n\nl\r4")
    (tmp_path / "b.txt").write_bytes(b"m1\nm2\n")
    (tmp_path / "e.txt").write_bytes(b"")
    (tmp_path / "f.bin").write_bytes(b"HHabcdefghiF")
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"z1\nz2\r\n"))
    (tmp_path / "c.csv").write_text('a,b,c\n1,2.5,x\n,3.5,"y,\nz"\n4,,\n')
    (tmp_path / "d.csv").write_text("a;b;c\n1;NA;4.5\n2;y;NA\n3;z;1\n")
    for name, packed, count in (("r.tfr", "", 3), ("r.gz", "GZIP", 2)):
        with gc.python_io.TFRecordWriter(str(tmp_path / name), packed) as writer:
            for i in range(count):
                writer.write(b"rec%d" % i)
    return tmp_path


def test_lines(folder: Path) -> None:
    a, b, e = (str(folder / name) for name in ("a.txt", "b.txt", "e.txt"))
    assert elements(gc.data.TextLineDataset([a, e, b])) == [b"l1", b"l2", b"", b"l4", b"m1", b"m2"]
    assert elements(gc.data.TextLineDataset(gc.constant(str(folder / "a.gz")), "GZIP")) == [b"z1", b"z2"]
    names = D.from_tensor_slices([b, a])
    assert elements(gc.data.TextLineDataset(names).skip(1).take(2)) == [b"m2", b"l1"]
    assert elements(names.flat_map(lambda name: gc.data.TextLineDataset(name).skip(1))) == [b"m2", b"l2", b"", b"l4"]
    with pytest.raises(gc.errors.NotFoundError, match=r"nope\.txt; No such file"):
        elements(gc.data.TextLineDataset("nope.txt"))


def test_names_that_are_fed(folder: Path) -> None:
    names = gc.placeholder(gc.string, [None])
    iterator = gc.data.TFRecordDataset(names).repeat().batch(4).make_initializable_iterator()
    following = iterator.get_next()
    with gc.Session() as session:
        session.run(iterator.initializer, {names: [str(folder / "r.tfr")]})
        assert session.run(following).tolist() == [b"rec0", b"rec1", b"rec2", b"rec0"]


def test_records(folder: Path) -> None:
    plain_file, packed = str(folder / "r.tfr"), str(folder / "r.gz")
    assert elements(gc.data.TFRecordDataset([plain_file] * 2)) == [b"rec0", b"rec1", b"rec2"] * 2
    assert elements(gc.data.TFRecordDataset([plain_file] * 2, num_parallel_reads=2)) == [
        b"rec0", b"rec0", b"rec1", b"rec1", b"rec2", b"rec2"]
    assert elements(gc.data.TFRecordDataset(packed, "GZIP")) == [b"rec0", b"rec1"]
    with pytest.raises(gc.errors.DataLossError):
        elements(gc.data.TFRecordDataset(packed))
    assert elements(gc.data.FixedLengthRecordDataset(str(folder / "f.bin"), 3, 2, 1)) == [b"abc", b"def", b"ghi"]
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"body length 9 bytes.*record length .4 bytes"):
        elements(gc.data.FixedLengthRecordDataset(str(folder / "f.bin"), 4, 2, 1))


def test_list_files(folder: Path) -> None:
    names = [str(folder / name).encode() for name in ("a.txt", "b.txt", "e.txt")]
    assert elements(D.list_files(f"{folder}/*.txt", shuffle=False)) == names
    found = elements(D.list_files([f"{folder}/*.txt", f"{folder}/*.gz"], seed=3))
    assert [Path(name.decode()).name for name in found] == ["r.gz", "e.txt", "b.txt", "a.txt", "a.gz"]
    with pytest.raises(gc.errors.InvalidArgumentError, match="No files matched pattern"):
        elements(D.list_files(f"{folder}/*.nothing"))


def test_csv(folder: Path) -> None:
    c, d = str(folder / "c.csv"), str(folder / "d.csv")
    assert elements(E.CsvDataset(c, [[0], [0.0], ["?"]], header=True)) == [
        (1, 2.5, b"x"), (0, 3.5, b"y,\nz"), (4, 0.0, b"?")]
    assert elements(E.CsvDataset([d], [gc.int64], header=True, field_delim=";", select_cols=[0])) == [(1,), (2,), (3,)]
    with pytest.raises(gc.errors.InvalidArgumentError, match="Field 0 is required but missing"):
        elements(E.CsvDataset(c, [gc.float32], header=True, select_cols=[1]))


def test_csv_with_inferred_columns(folder: Path) -> None:
    made: dict[str, Any] = {"batch_size": 2, "field_delim": ";", "na_value": "NA", "shuffle": False}
    features, label = elements(E.make_csv_dataset(str(folder / "d.csv"), num_epochs=1, label_name="b", **made))[0]
    assert features["a"].dtype == np.int32 and plain(tuple(features.values())) == ([1, 2], [4.5, 0])
    assert label.tolist() == [b"", b"y"]
    chosen = elements(E.make_csv_dataset(str(folder / "d.csv"), num_epochs=2, select_columns=["a", "c"],
                                         column_defaults=[gc.int64, [-1.0]], **made))
    assert [plain(tuple(b.values())) for b in chosen] == [
        ([1, 2], [4.5, -1]), ([3, 1], [1, 4.5]), ([2, 3], [-1, 1])]


def test_examples(folder: Path) -> None:
    with gc.python_io.TFRecordWriter(str(folder / "examples")) as writer:
        for i in range(4):
            feature = {"x": gc.train.Feature(float_list=gc.train.FloatList(value=[i, i + 1])),
                       "ids": gc.train.Feature(int64_list=gc.train.Int64List(value=range(i)))}
            writer.write(gc.train.Example(features=gc.train.Features(feature=feature)).SerializeToString())
    features = {"x": gc.FixedLenFeature([2], gc.float32), "ids": gc.VarLenFeature(gc.int64)}

    def parsed(record: gc.Tensor) -> Any:
        example = gc.parse_single_example(record, features)
        return example["x"], gc.sparse_tensor_to_dense(example["ids"])

    data = gc.data.TFRecordDataset(str(folder / "examples"))
    x, ids = elements(data.map(parsed).padded_batch(4, ([2], [None])))[0]
    assert x.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert ids.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 2]]
    batch = elements(E.make_batched_features_dataset(str(folder / "examples"), 4, features, shuffle=False,
                                                     num_epochs=1))[0]
    assert batch["ids"].dense_shape.tolist() == [4, 3] and batch["ids"].values.tolist() == [0, 0, 1, 0, 1, 2]


def test_cache_in_a_file(tmp_path: Path) -> None:
    calls = []

    def counted(x: gc.Tensor) -> gc.Tensor:
        made = gc.py_func(lambda v: calls.append(1) or v, [x], gc.int64)
        made.set_shape([])
        return made

    data = D.range(3).map(counted).cache(str(tmp_path / "kept")).repeat(2)
    assert elements(data) == [0, 1, 2] * 2 and elements(data) == [0, 1, 2] * 2 and len(calls) == 3
    assert elements(D.range(3).map(counted).cache().repeat(2)) == [0, 1, 2] * 2 and len(calls) == 6
