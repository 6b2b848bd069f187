"""keras.datasets.cifar10: Python 2's pickles are read, hostile ones are not run."""
from __future__ import annotations

import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc.compat.v1 as tf
from graphc.errors import DataLossError

NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def batch(first: int, rows: int = 2) -> dict[bytes, Any]:
    data = (np.arange(rows * 3072) + first).astype(np.uint8).reshape(rows, 3072)
    return {b"batch_label": b"one", b"labels": [(first + i) % 10 for i in range(rows)], b"data": data,
            b"filenames": [b"a.png"] * rows}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".keras" / "datasets"


def write(folder: Path) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate(NAMES):
        (folder / name).write_bytes(pickle.dumps(batch(i), protocol=2))


@pytest.mark.parametrize("load", [tf.keras.datasets.cifar10.load_data, tf.contrib.keras.datasets.cifar10.load_data])
def test_folder(home: Path, load: Any) -> None:
    write(home / "cifar-10-batches-py")
    (x, y), (tested_x, tested_y) = load()
    assert x.shape == (10, 32, 32, 3) and x.dtype == np.uint8 and y.shape == (10, 1) and y.dtype == np.uint8
    assert tested_x.shape == (2, 32, 32, 3) and tested_y.tolist() == [[5], [6]]
    assert y.ravel().tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    np.testing.assert_array_equal(x[2, 5, 7], batch(1)[b"data"][0].reshape(3, 32, 32)[:, 5, 7])


def test_a_batch_that_python_2_wrote(home: Path) -> None:
    """Python 2's pickles of protocol 2: strings of bytes, and numpy.core's names."""
    write(home / "cifar-10-batches-py")
    data = bytes(range(256)) * 12
    text = (b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
            b"U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ"
            b"\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + len(data).to_bytes(4, "little") + data
            + b"tbU\x06labelsq\x08]q\tK\x07au.")
    (home / "cifar-10-batches-py" / "test_batch").write_bytes(text)
    _, (x, y) = tf.keras.datasets.cifar10.load_data()
    assert y.tolist() == [[7]] and x[0, 0, :3, 0].tolist() == [0, 1, 2] and x[0, 0, 0].tolist() == [0, 0, 0]


def test_archive(home: Path) -> None:
    write(home / "made")
    with tarfile.open(home / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name in NAMES:
            archive.add(home / "made" / name, f"cifar-10-batches-py/{name}")
    assert tf.keras.datasets.cifar10.load_data()[0][1].ravel().tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    (home / "cifar-10-python.tar.gz").write_bytes((home / "cifar-10-python.tar.gz").read_bytes()[:300])
    with pytest.raises(DataLossError, match="damaged"):
        tf.keras.datasets.cifar10.load_data()


def test_no_files(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"is expected in the folder .*cifar-10-batches-py"):
        tf.keras.datasets.cifar10.load_data()


class Runs:
    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


def test_hostile_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "cifar-10-batches-py"
    write(folder)
    monkeypatch.chdir(home)
    wide = batch(0)
    wide[b"labels"] = [11, 1]
    several = {"names posix.mkdir": pickle.dumps(Runs(), protocol=2), "damaged": b"\x80\x02}q", "damaged ": b"",
               "must have b'data'": pickle.dumps({b"data": 3}), "labels' from 0 to 9": pickle.dumps(wide, protocol=2),
               "not of bytes": pickle.dumps({b"data": np.zeros((2, 3072))}, protocol=2)}
    for said, content in several.items():
        (folder / "data_batch_3").write_bytes(content)
        with pytest.raises(DataLossError, match=f"data_batch_3 is no batch of CIFAR-10.*{said.strip()}"):
            tf.keras.datasets.cifar10.load_data()
    assert not (home / "ran").exists()
    (folder / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError):
        tf.keras.datasets.cifar10.load_data()


def test_pickles_of_this_python_too() -> None:
    from graphc.compat.datasets.cifar10 import _OnlyArrays

    for protocol in (0, 2, 3):
        found = _OnlyArrays(io.BytesIO(pickle.dumps(batch(3), protocol=protocol)), encoding="bytes").load()
        np.testing.assert_array_equal(found[b"data"], batch(3)[b"data"])
