"""What a TF1 program is made of beside its graph: flags, app.run, logging, files, MNIST."""
from __future__ import annotations

import gzip
import io
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc.compat.v1 as tf

FLAGS_PROGRAM = """
import graphc.compat.v1 as tf
tf.app.flags.DEFINE_integer("steps", 3, "how many")
tf.flags.DEFINE_string(flag_name="name", default_value="x", docstring="a name")
tf.app.flags.DEFINE_boolean("quick", False, "")
FLAGS = tf.app.flags.FLAGS
{first}
def main(rest):
    print(FLAGS.steps, FLAGS.name, FLAGS.quick, rest[1:])
    return 7
if __name__ == "__main__":
    tf.app.run()
"""


def program(tmp_path: Path, first: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "program.py"
    path.write_text(FLAGS_PROGRAM.format(first=first))
    return subprocess.run([sys.executable, str(path), *arguments], capture_output=True, text=True, check=False)


def test_run_parses_flags_and_ends_with_what_main_returns(tmp_path: Path) -> None:
    done = program(tmp_path, "", "--steps=5", "--quick", "rest", "--unknown=1")
    assert (done.returncode, done.stdout) == (7, "5 x True ['rest', '--unknown=1']\n"), done.stderr


def test_flags_parse_when_first_read(tmp_path: Path) -> None:
    done = program(tmp_path, "print(FLAGS.name, sorted(FLAGS.__flags)[-1])", "--name", "graph")
    assert done.stdout.splitlines() == ["graph steps", "3 graph False []"], done.stderr


def test_flags_of_before_1_5(tmp_path: Path) -> None:
    done = program(tmp_path, "FLAGS._parse_flags(); FLAGS.steps = 9; print(FLAGS.steps)", "--name=y")
    assert done.stdout.splitlines() == ["9", "9 y False []"], done.stderr


@pytest.mark.parametrize("arguments, said", [(("--steps=many",), "steps"), (("--help",), "how many")])
def test_wrong_flags_and_help(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = program(tmp_path, "", *arguments)
    assert done.returncode == 1 and said in done.stdout + done.stderr


def test_logging_goes_through_pythons(caplog: pytest.LogCaptureFixture) -> None:
    before = tf.logging.get_verbosity()
    tf.logging.set_verbosity(tf.logging.INFO)
    try:
        with caplog.at_level(logging.INFO, logger="tensorflow"):
            tf.logging.info("step %d", 3)
            tf.logging.debug("not shown")
            for _ in range(4):
                tf.logging.log_first_n(tf.logging.WARN, "twice", 2)
            for _ in range(5):
                tf.logging.log_every_n(tf.logging.WARN, "every other", 2)
    finally:
        tf.logging.set_verbosity(before)
    assert [r.getMessage() for r in caplog.records] == ["step 3", "twice", "twice", *["every other"] * 3]
    assert tf.logging.WARN == logging.WARNING


def test_files(tmp_path: Path) -> None:
    folder = str(tmp_path / "a" / "b")
    tf.gfile.MakeDirs(folder)
    tf.gfile.MakeDirs(folder)
    path = f"{folder}/text.txt"
    with tf.gfile.GFile(path, "w") as file:
        file.write("one\ntwo\n")
        file.write("drei ä\n")
    assert tf.gfile.Exists(path) and not tf.gfile.Exists(f"{path}x") and tf.gfile.IsDirectory(folder)
    assert list(tf.gfile.Open(path)) == ["one\n", "two\n", "drei ä\n"]
    assert tf.gfile.FastGFile(path, "rb").read() == "one\ntwo\ndrei ä\n".encode()
    with tf.gfile.GFile(path) as file:
        assert (file.readline(), file.tell(), file.size()) == ("one\n", 4, 16)
    assert tf.gfile.Glob(f"{folder}/*.txt") == [path] and tf.gfile.ListDirectory(folder) == ["text.txt"]
    assert tf.gfile.Stat(path).length == 16 and not tf.gfile.Stat(path).is_directory
    tf.gfile.Copy(path, f"{path}2")
    with pytest.raises(tf.errors.AlreadyExistsError, match="overwrite=True"):
        tf.gfile.Copy(path, f"{path}2")
    tf.gfile.Rename(f"{path}2", path, overwrite=True)
    assert [files for _, _, files in tf.gfile.Walk(folder)] == [["text.txt"]]
    tf.gfile.Remove(path)
    tf.gfile.DeleteRecursively(str(tmp_path / "a"))
    assert not tf.gfile.Exists(folder)


@pytest.mark.parametrize("do", [
    lambda p: tf.gfile.GFile(p).read(), lambda p: tf.gfile.Remove(p), lambda p: tf.gfile.ListDirectory(p),
    lambda p: tf.gfile.Copy(p, f"{p}2"), lambda p: tf.gfile.Stat(p), lambda p: tf.gfile.MkDir(f"{p}/q"),
])
def test_files_that_are_not_there(tmp_path: Path, do: object) -> None:
    with pytest.raises(tf.errors.NotFoundError, match="absent"):
        do(str(tmp_path / "absent"))  # type: ignore[operator]


def test_a_file_is_written_by_its_mode(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    tf.gfile.GFile(path, "w").close()
    with pytest.raises(tf.errors.PermissionDeniedError, match="mode is 'r'"):
        tf.gfile.GFile(path).write("x")
    with pytest.raises(tf.errors.PermissionDeniedError, match="mode is 'w'"):
        tf.gfile.GFile(path, "w").read()
    with pytest.raises(tf.errors.InvalidArgumentError, match="'mode' is 'x'"):
        tf.gfile.GFile(path, "x")


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.asarray(array.shape, ">i4").tobytes() + array.tobytes()


def test_mnist_reads_idx_files(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, count in (("train", 30), ("t10k", 7)):
        images = random.integers(0, 256, (count, 28, 28), np.uint8)
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        with gzip.open(tmp_path / f"{name}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(idx(np.arange(count, dtype=np.uint8) % 10))
    data = tf.examples.tutorials.mnist.input_data.read_data_sets(str(tmp_path), one_hot=True, validation_size=10)
    assert (data.train.num_examples, data.validation.num_examples, data.test.num_examples) == (20, 10, 7)
    assert data.test.images.shape == (7, 784) and data.test.images.dtype == np.float32
    np.testing.assert_array_equal(data.test.images[0], images[0].reshape(-1) / np.float32(255))
    np.testing.assert_array_equal(data.test.labels.argmax(1), np.arange(7))
    seen = np.concatenate([data.train.next_batch(8)[1].argmax(1) for _ in range(5)])    # two epochs
    assert data.train.epochs_completed == 1
    assert sorted(seen[:20]) == sorted(np.arange(10, 30) % 10) == sorted(seen[20:40])
    whole = tf.examples.tutorials.mnist.input_data.read_data_sets(str(tmp_path), validation_size=0)
    assert whole.train.images.shape == (30, 784) and whole.validation.images.shape == (0, 784)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(images)[:-5])
    with pytest.raises(tf.errors.DataLossError, match="needs 5488 bytes, but 5483 follow"):
        tf.examples.tutorials.mnist.input_data.read_data_sets(str(tmp_path))


@pytest.mark.parametrize("damage", [
    lambda data: data[:-3], lambda data: b"junk", lambda data: data[:20] + b"????" + data[24:],
    lambda data: gzip.compress(bytes((0, 0, 8, 3)) + np.array([9, -1, -1], ">i4").tobytes() + bytes(9)),
])
def test_damaged_idx_files(damage: Callable[[bytes], bytes]) -> None:
    packed = gzip.compress(idx(np.arange(2 * 9, dtype=np.uint8).reshape(2, 3, 3)))
    with pytest.raises(tf.errors.DataLossError):
        tf.examples.tutorials.mnist.input_data.extract_images(io.BytesIO(damage(packed)))


@pytest.mark.parametrize("found", [b"junk", b"PK\x03\x04junk", b"", "npy", "other arrays"])
def test_damaged_mnist_of_keras(tmp_path: Path, found: Any) -> None:
    path = tmp_path / "mnist.npz"
    with path.open("wb") as file:
        if found == "npy":
            np.save(file, np.zeros(3))
        elif found == "other arrays":
            np.savez(file, a=np.zeros(3))
        else:
            file.write(found)
    with pytest.raises(tf.errors.DataLossError, match="is damaged, or no"):
        tf.keras.datasets.mnist.load_data(str(path))


@pytest.mark.parametrize(("of_graph", "own"), [(1, None), (None, 2), (1, 2)])
def test_batches_of_mnist_repeat_with_a_seed(of_graph: int | None, own: int | None) -> None:
    tf.set_random_seed(of_graph)                 # as in TensorFlow, the graph's counts where there is no own one
    numbers = np.arange(50, dtype=np.float32)
    rows = [tf.examples.tutorials.mnist.input_data.DataSet(numbers[:, None], numbers, seed=own).next_batch(50)[1]
            for _ in range(2)]
    np.testing.assert_array_equal(*rows)
    assert not np.array_equal(rows[0], numbers)


def test_mnist_without_files_says_so(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="NOT MNIST"):
        data = tf.contrib.learn.datasets.mnist.read_data_sets(str(tmp_path), reshape=False)
    assert data.train.images.shape == (55000, 28, 28, 1) and data.test.labels.shape == (10000,)
    assert 0.9 < data.train.images.max() <= 1
