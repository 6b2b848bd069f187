"""CIFAR-10 as `tf.keras.datasets.cifar10` gives it, from files that are there: nothing is downloaded.

The files are pickles of Python 2: a dictionary with b"data", (10000, 3072) bytes, and b"labels". They are read by an
unpickler that makes arrays and nothing else.
"""
from __future__ import annotations

import os
import pickle
import tarfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from graphc.api.public import public
from graphc.errors import DataLossError

FOLDER = "cifar-10-batches-py"
PACKED = ("cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz")
TRAINED = [f"data_batch_{i}" for i in range(1, 6)]
_ROW = 3 * 32 * 32
_Part = tuple[np.ndarray, list[int]]


@public("compat.v1.keras.datasets.cifar10.load_data", "compat.v1.contrib.keras.datasets.cifar10.load_data")
def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """((pictures, labels) to train with, (pictures, labels) to test), as `tf.keras.datasets.cifar10.load_data`.

    Pictures are [N, 32, 32, 3] of uint8, labels [N, 1] of 0 to 9; N is 50000 and 10000. Read from
    ~/.keras/datasets: the folder cifar-10-batches-py, or the archive that it comes in; nothing is downloaded.
    Raises FileNotFoundError if neither is there, DataLossError for a damaged file.

    >>> import os, pickle
    >>> home, os.environ["HOME"] = os.environ.get("HOME", ""), "."     # small files for the example
    >>> folder = ".keras/datasets/cifar-10-batches-py"
    >>> gc.io.gfile.makedirs(folder)
    >>> for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
    ...     with open(f"{folder}/{name}", "wb") as file:
    ...         pickle.dump({b"data": np.zeros([2, 3072], np.uint8), b"labels": [3, 7]}, file)
    >>> (pictures, labels), (tested, tested_labels) = gc.compat.v1.keras.datasets.cifar10.load_data()
    >>> pictures.shape, labels.shape, tested_labels.tolist()
    ((10, 32, 32, 3), (10, 1), [[3], [7]])
    >>> os.environ["HOME"] = home
    """
    place = os.path.expanduser("~/.keras/datasets")
    if os.path.isdir(os.path.join(place, FOLDER)):
        return _all(lambda name: _part(os.path.join(place, FOLDER, name), open))
    for packed in PACKED:
        path = os.path.join(place, packed)
        if os.path.isfile(path):
            try:
                with tarfile.open(path) as archive:
                    return _all(lambda name: _part(f"{FOLDER}/{name}", lambda inner, _: _member(archive, inner)))
            except (tarfile.TarError, EOFError, OSError) as error:
                raise DataLossError(f"{path} is damaged: {error}") from error
    raise FileNotFoundError(f"CIFAR-10 is expected in the folder {os.path.join(place, FOLDER)} (data_batch_1 to "
                            f"data_batch_5, test_batch), or as {' or '.join(PACKED)} in {place}; graphc downloads "
                            "nothing. It is at https://www.cs.toronto.edu/~kriz/cifar.html")


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = archive.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise DataLossError(f"{archive.name} has no file {name}")
    return found


def _all(read: Callable[[str], _Part]) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    parts = [read(name) for name in TRAINED]
    labels = np.array([label for _, found in parts for label in found], np.uint8)
    pictures, tested_labels = read("test_batch")
    return ((_pictures(np.concatenate([data for data, _ in parts])), labels[:, None]),
            (_pictures(pictures), np.array(tested_labels)[:, None]))


def _pictures(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def _part(path: str, opener: Callable[..., Any]) -> _Part:
    """(rows, labels) of one file."""
    try:
        with opener(path, "rb") as file:
            found = _OnlyArrays(file, encoding="bytes").load()
    except FileNotFoundError:
        raise
    except Exception as error:          # whatever a damaged pickle makes of NumPy
        raise DataLossError(f"{path} is no batch of CIFAR-10, or damaged: {type(error).__name__}: {error}") from error
    data = found.get(b"data") if isinstance(found, dict) else None
    labels = found.get(b"labels") if isinstance(found, dict) else None
    if not (isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 2 and data.shape[1] == _ROW
            and isinstance(labels, list) and len(labels) == len(data)
            and all(isinstance(label, int) and 0 <= label < 10 for label in labels)):
        raise DataLossError(f"{path} is no batch of CIFAR-10: it must have b'data', rows of {_ROW} bytes, and as many "
                            "b'labels' from 0 to 9")
    return data, labels


class _OnlyArrays(pickle.Unpickler):
    """An unpickler that knows what arrays of bytes need: a file can neither run nor allocate anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return lambda *_: np.empty(0, np.uint8)         # filled by its state, whose bytes the file holds
        if (module, name) == ("numpy", "ndarray"):
            return None
        if (module, name) == ("numpy", "dtype"):
            return _dtype_of_bytes
        if (module, name) == ("_codecs", "encode"):          # bytes in pickles of Python 3, of protocol 2
            return lambda text, _: (text.decode("latin1") if isinstance(text, bytes) else text).encode("latin1")
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no batch of CIFAR-10 has")


def _dtype_of_bytes(code: Any, *_: Any) -> np.dtype:
    if code not in ("u1", b"u1"):
        raise pickle.UnpicklingError(f"it has an array of dtype {code!r}, not of bytes")
    return np.dtype("u1", False, True)           # a copy, which the pickle's state is put into
