"""MNIST as `tensorflow.examples.tutorials.mnist.input_data` gives it.

The real pictures are read from their four idx files if these are in the folder; nothing is downloaded. Else
scikit-learn's digits take their place, scaled from 8x8 to 28x28 and repeated up to MNIST's sizes, and a warning says
so.
"""
from __future__ import annotations

import gzip
import math
import os
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.errors import DataLossError
from graphc.ir.dtypes import as_dtype
from graphc.wording import warn

SIDE, TRAINED, TESTED = 28, 60000, 10000
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


class Datasets(NamedTuple):
    """train, validation and test, as `tf.contrib.learn.datasets.base.Datasets`."""

    train: DataSet
    validation: DataSet
    test: DataSet


@public("compat.v1.examples.tutorials.mnist.input_data.DataSet", "compat.v1.contrib.learn.datasets.mnist.DataSet")
class DataSet:
    """Pictures and labels in batches.

    images: [N, 28, 28, 1] of uint8; kept as float32 [N, 784] in [0, 1], as they are if dtype is uint8, with their
    four axes if not reshape. labels: [N], or [N, 10] one-hot. seed: of the order; without one the graph's counts.
    Raises ValueError if there are not as many labels, TypeError for another dtype. As
    `tf.contrib.learn.datasets.mnist.DataSet`.

    >>> pictures, labels = np.full([5, 28, 28, 1], 255, np.uint8), np.arange(5)
    >>> data = gc.compat.v1.examples.tutorials.mnist.input_data.DataSet(pictures, labels)
    >>> batch, numbers = data.next_batch(4, shuffle=False)
    >>> batch.shape, batch.max(), numbers
    ((4, 784), np.float32(1.0), array([0, 1, 2, 3]))
    >>> data.next_batch(4, shuffle=False)[1], data.epochs_completed
    (array([4, 0, 1, 2]), 1)
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, fake_data: bool = False, one_hot: bool = False,
                 dtype: Any = np.float32, reshape: bool = True, seed: int | None = None) -> None:
        kind = as_dtype(dtype).as_numpy_dtype
        if kind not in (np.uint8, np.float32):
            raise TypeError(f"DataSet: argument 'dtype' must be uint8 or float32, but is {np.dtype(kind).name}")
        of_graph, own = gc.get_seed(seed)
        np.random.seed(of_graph if seed is None else own)
        self.one_hot, self._is_fake = one_hot, fake_data
        if fake_data:
            images, labels = np.ones((10000, SIDE, SIDE, 1), np.uint8), np.zeros(10000, np.uint8)
        elif len(images) != len(labels):
            raise ValueError(f"DataSet: {len(images)} images, but {len(labels)} labels")
        if reshape:
            images = images.reshape(len(images), math.prod(images.shape[1:]))      # -1 is no size where none is left
        self._images = images.astype(np.float32) / np.float32(255) if kind is np.float32 else images
        self._labels = labels
        self._epochs_completed = self._next = 0

    @property
    def images(self) -> np.ndarray:
        return self._images

    @property
    def labels(self) -> np.ndarray:
        return self._labels

    @property
    def num_examples(self) -> int:
        return len(self._images)

    @property
    def epochs_completed(self) -> int:
        return self._epochs_completed

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """The next batch_size pictures and labels; what is left of an epoch and the begin of the next are one batch."""
        if fake_data:
            label = [1] + [0] * 9 if self.one_hot else 0
            return [[1] * (SIDE * SIDE)] * batch_size, [label] * batch_size
        start = self._next
        if shuffle and start == 0 and self._epochs_completed == 0:
            self._shuffle()
        if start + batch_size <= self.num_examples:
            self._next += batch_size
            return self._images[start:self._next], self._labels[start:self._next]
        self._epochs_completed += 1
        images, labels = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._next = batch_size - len(images)
        return (np.concatenate([images, self._images[:self._next]]),
                np.concatenate([labels, self._labels[:self._next]]))

    def _shuffle(self) -> None:
        order = np.arange(self.num_examples)
        np.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


@public("compat.v1.examples.tutorials.mnist.input_data.read_data_sets",
        "compat.v1.contrib.learn.datasets.mnist.read_data_sets")
def read_data_sets(train_dir: str, fake_data: bool = False, one_hot: bool = False, dtype: Any = np.float32,
                   reshape: bool = True, validation_size: int = 5000, seed: int | None = None,
                   source_url: str | None = None) -> Datasets:
    """The training, validation and test set, as `tf.examples.tutorials.mnist.input_data.read_data_sets`.

    train_dir: the folder of MNIST's four idx files, packed by gzip or not; where they are not there, scikit-learn's
    digits stand in, and a warning says so. one_hot: labels [N, 10]. validation_size: how many of the training
    pictures, the first ones, are kept for validation. dtype, reshape and seed: as `DataSet`. source_url has no
    effect: nothing is downloaded. Raises DataLossError for a damaged file, ValueError for a validation_size that is
    not there.

    >>> def idx(array):
    ...     return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes() + array.tobytes()
    >>> pictures, labels = np.zeros([30, 28, 28], np.uint8), np.arange(30, dtype=np.uint8) % 10
    >>> gc.io.gfile.makedirs("mnist")
    >>> for name in ["train", "t10k"]:
    ...     with open(f"mnist/{name}-images-idx3-ubyte", "wb") as file:
    ...         n = file.write(idx(pictures))
    ...     with open(f"mnist/{name}-labels-idx1-ubyte", "wb") as file:
    ...         n = file.write(idx(labels))
    >>> input_data = gc.compat.v1.examples.tutorials.mnist.input_data
    >>> data = input_data.read_data_sets("mnist", one_hot=True, validation_size=10)
    >>> data.train.images.shape, data.validation.labels.shape, data.test.num_examples
    ((20, 784), (10, 10), 30)
    """
    def made(images: np.ndarray, labels: np.ndarray) -> DataSet:
        return DataSet(images, labels, fake_data, one_hot, dtype, reshape, seed)

    if fake_data:
        nothing = np.empty(0, np.uint8)
        return Datasets(*(made(nothing, nothing) for _ in range(3)))
    images, labels, tested_images, tested_labels = _from_files(train_dir) or _from_digits(train_dir)
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"Validation size should be between 0 and {len(images)}. Received: {validation_size}.")
    if one_hot:
        labels, tested_labels = dense_to_one_hot(labels, 10), dense_to_one_hot(tested_labels, 10)
    return Datasets(train=made(images[validation_size:], labels[validation_size:]),
                    validation=made(images[:validation_size], labels[:validation_size]),
                    test=made(tested_images, tested_labels))


@public("compat.v1.examples.tutorials.mnist.input_data.dense_to_one_hot")
def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Classes [N] as rows [N, num_classes] of float64 with a 1 each.

    Raises IndexError for a class that is not below num_classes. As
    `tf.examples.tutorials.mnist.input_data.dense_to_one_hot`.

    >>> gc.compat.v1.examples.tutorials.mnist.input_data.dense_to_one_hot(np.array([1, 0]), 3)
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    return np.eye(num_classes)[labels_dense]


@public("compat.v1.examples.tutorials.mnist.input_data.extract_images")
def extract_images(f: Any) -> np.ndarray:
    """Pictures [N, rows, columns, 1] of uint8, of an idx file packed by gzip and open for reading bytes.

    Raises DataLossError for a damaged file. As `tf.examples.tutorials.mnist.input_data.extract_images`.

    >>> import gzip, io
    >>> head = bytes((0, 0, 8, 3)) + np.array([2, 28, 28], ">i4").tobytes()
    >>> file = io.BytesIO(gzip.compress(head + bytes(2 * 28 * 28)))
    >>> gc.compat.v1.examples.tutorials.mnist.input_data.extract_images(file).shape
    (2, 28, 28, 1)
    """
    return _of_packed_idx(f, 3)[..., None]


@public("compat.v1.examples.tutorials.mnist.input_data.extract_labels")
def extract_labels(f: Any, one_hot: bool = False, num_classes: int = 10) -> np.ndarray:
    """Labels [N] of uint8, or [N, num_classes] one-hot, of an idx file packed by gzip and open for reading bytes.

    Raises DataLossError for a damaged file. As `tf.examples.tutorials.mnist.input_data.extract_labels`.

    >>> import gzip, io
    >>> file = io.BytesIO(gzip.compress(bytes((0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1))))
    >>> gc.compat.v1.examples.tutorials.mnist.input_data.extract_labels(file)
    array([7, 2, 1], dtype=uint8)
    """
    labels = _of_packed_idx(f, 1)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


@public("compat.v1.keras.datasets.mnist.load_data", "compat.v1.contrib.keras.datasets.mnist.load_data")
def load_data(path: str = "mnist.npz") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """((pictures, labels) to train with, (pictures, labels) to test), as `tf.keras.datasets.mnist.load_data`.

    Pictures are [N, 28, 28] of uint8, labels [N]. path: an .npz file of Keras, here or in ~/.keras/datasets; else
    the idx files of this folder, else scikit-learn's digits, as `read_data_sets`. Nothing is downloaded. Raises
    DataLossError for a damaged file.

    >>> pictures, labels = np.zeros([3, 28, 28], np.uint8), np.array([5, 0, 4], np.uint8)
    >>> np.savez("small.npz", x_train=pictures, y_train=labels, x_test=pictures[:1], y_test=labels[:1])
    >>> (x, y), (x_test, y_test) = gc.compat.v1.keras.datasets.mnist.load_data("small.npz")
    >>> x.shape, y, x_test.shape
    ((3, 28, 28), array([5, 0, 4], dtype=uint8), (1, 28, 28))
    """
    for folder in ("", os.path.expanduser("~/.keras/datasets")):
        if os.path.exists(file := os.path.join(folder, path)):
            try:
                with np.load(file, allow_pickle=False) as found:
                    return (found["x_train"], found["y_train"]), (found["x_test"], found["y_test"])
            except (*_DAMAGED, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
                raise DataLossError(f"{file} is damaged, or no .npz file with x_train, y_train, x_test and y_test: "
                                    f"{error}") from error
    images, labels, tested_images, tested_labels = _from_files(".") or _from_digits(".")
    return (images[..., 0], labels), (tested_images[..., 0], tested_labels)


def _from_files(folder: str) -> tuple[np.ndarray, ...] | None:
    found = [_data(folder, name) for name in FILES]
    if None in found:
        return None
    arrays = [_of_idx(data, 3 if "idx3" in name else 1, name) for name, data in zip(FILES, found, strict=True)
              if data is not None]
    return arrays[0][..., None], arrays[1], arrays[2][..., None], arrays[3]


def _data(folder: str, name: str) -> bytes | None:
    openers: tuple[tuple[str, Callable[..., Any]], ...] = (("", open), (".gz", gzip.open))
    for ending, opener in openers:
        path = os.path.join(folder, name + ending)
        if os.path.exists(path):
            try:
                with opener(path, "rb") as file:
                    return bytes(file.read())
            except _DAMAGED as error:
                raise DataLossError(f"{path} is damaged: {error}") from error
    return None


def _of_packed_idx(file: Any, rank: int) -> np.ndarray:
    name = str(getattr(file, "name", "file"))
    try:
        data = gzip.GzipFile(fileobj=file).read()
    except _DAMAGED as error:
        raise DataLossError(f"{name} is damaged: {error}") from error
    return _of_idx(data, rank, name)


def _of_idx(data: bytes, rank: int, name: str) -> np.ndarray:
    """An idx file: two zero bytes, 8 for bytes, the rank, the sizes as big-endian int32, the elements."""
    head = 4 + 4 * rank
    if data[:4] != bytes((0, 0, 8, rank)) or len(data) < head:
        raise DataLossError(f"{name} is no idx file of bytes of rank {rank}: it begins with {data[:4].hex()}")
    shape = np.frombuffer(data, ">i4", rank, 4)
    if shape.min() < 0 or math.prod(shape.tolist()) != len(data) - head:
        raise DataLossError(f"{name} is damaged: its shape {shape.tolist()} needs {math.prod(shape.tolist())} bytes, "
                            f"but {len(data) - head} follow")
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def _from_digits(folder: str) -> tuple[np.ndarray, ...]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise FileNotFoundError(f"{folder} holds no {FILES[0]} (packed or not), and scikit-learn, whose digits would "
                                "take its place, is not installed: pip install 'graphc[demo]', or put the four files "
                                "of MNIST there") from error
    warn(f"NOT MNIST: {folder} holds no idx files, so scikit-learn's 1,797 digits of 8x8 are used, scaled "
         f"to 28x28 and repeated to {TRAINED} and {TESTED} pictures")
    digits = load_digits()
    small = np.round(digits.images * (255 / 16)).astype(np.uint8)
    rows = np.arange(SIDE) * 8 // SIDE
    images = small[:, rows][:, :, rows][..., None]
    labels = digits.target.astype(np.uint8)
    trained, tested = np.arange(TRAINED) % 1497, 1497 + np.arange(TESTED) % 300
    return images[trained], labels[trained], images[tested], labels[tested]
