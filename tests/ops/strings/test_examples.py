"""tf.train.Example as tensors: the functions, what they refuse, what a file may hold."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.ops.files.example_wire import read_example, write_example

FULL = write_example({"i": [1, -2, 2**62], "f": np.array([1.5, 2.5], np.float32), "s": [b"x", b"\0"], "one": [7]})
SHORT = write_example({"i": [5], "one": [8], "none": None})


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def test_one_example() -> None:
    x = gc.placeholder(gc.string, [])
    made = gc.parse_single_example(x, {
        "i": gc.FixedLenFeature([3], gc.int64), "f": gc.FixedLenFeature([2, 1], gc.float32),
        "s": gc.io.FixedLenFeature([2], gc.string), "one": gc.FixedLenFeature((), gc.int64),
        "gone": gc.FixedLenFeature([2], gc.string, ["a", "b"])})
    assert made["f"].shape.as_list() == [2, 1] and made["one"].shape.as_list() == [] and set(made) == {
        "i", "f", "s", "one", "gone"}
    found = run(made, {x: FULL})
    assert found["i"].tolist() == [1, -2, 2**62] and found["f"].tolist() == [[1.5], [2.5]] and found["one"] == 7
    assert found["s"].tolist() == [b"x", b"\0"] and found["gone"].tolist() == [b"a", b"b"]


def test_a_batch() -> None:
    x = gc.placeholder(gc.string, [None])
    made = gc.parse_example(x, {"one": gc.FixedLenFeature([], gc.int64), "i": gc.FixedLenSequenceFeature(
        [], gc.int64, allow_missing=True, default_value=-1), "f": gc.FixedLenSequenceFeature([2], gc.float32, True)})
    assert made["one"].shape.as_list() == [None] and made["f"].shape.as_list() == [None, None, 2]
    with gc.Session() as session:
        for batch in ([FULL, SHORT], [SHORT], []):
            found = session.run(made, {x: np.array(batch, object)})
            assert found["one"].tolist() == [7, 8][:len(batch)] if len(batch) != 1 else found["one"].tolist() == [8]
        found = session.run(made, {x: [SHORT, FULL]})
    assert found["i"].tolist() == [[5, -1, -1], [1, -2, 2**62]]
    assert found["f"].tolist() == [[[0, 0]], [[1.5, 2.5]]]


def test_features_of_any_length() -> None:
    x = gc.placeholder(gc.string, [])
    both = gc.placeholder(gc.string, [None])
    single = gc.parse_single_example(x, {"i": gc.VarLenFeature(gc.int64), "q": gc.VarLenFeature(gc.string)})
    batch = gc.parse_example(both, {"i": gc.VarLenFeature(gc.int64), "one": gc.FixedLenFeature([], gc.int64)})
    one, many = run([single, batch], {x: FULL, both: [SHORT, FULL]})
    assert one["i"].indices.tolist() == [[0], [1], [2]] and one["i"].values.tolist() == [1, -2, 2**62]
    assert one["q"].values.tolist() == [] and one["q"].dense_shape.tolist() == [0]
    assert many["i"].indices.tolist() == [[0, 0], [1, 0], [1, 1], [1, 2]] and many["one"].tolist() == [8, 7]
    assert many["i"].dense_shape.tolist() == [2, 3]


@pytest.mark.parametrize("feature, data, message", [
    (gc.FixedLenFeature([], gc.int64), write_example({}), r"Feature: k \(data type: int64\) is required"),
    (gc.FixedLenFeature([], gc.int64), b"", r"Feature: k \(data type: int64\) is required"),
    (gc.FixedLenFeature([], gc.float32), write_example({"k": [1]}), "Data type: int64 but expected type: float32"),
    (gc.FixedLenFeature([2], gc.int64), write_example({"k": [1]}), r"Values size: 1 but output shape: \[2\]"),
    (gc.FixedLenSequenceFeature([2], gc.int64, True), write_example({"k": [1]}), "not a multiple of stride length 2"),
    (gc.FixedLenFeature([], gc.int64, 0), FULL[:-3], "Could not parse example input"),
    (gc.FixedLenFeature([], gc.int64, 0), b"\xff\xff", "Could not parse example input"),
])
def test_examples_that_are_refused(feature: Any, data: bytes, message: str) -> None:
    x = gc.placeholder(gc.string, [])
    with pytest.raises(errors.InvalidArgumentError, match=message):
        run(gc.parse_single_example(x, {"k": feature}), {x: data})
    named = f"Name: mine, .*{message}" if "Feature" in message else message
    with pytest.raises(errors.InvalidArgumentError, match=named):
        run(gc.parse_example([data], {"k": feature}, example_names=["mine"]))


@pytest.mark.parametrize("features, error, message", [
    ({}, ValueError, "features was None or empty"),
    ({"k": gc.FixedLenFeature(None, gc.int64)}, ValueError, "Missing shape for feature k"),
    ({"k": gc.FixedLenFeature([None], gc.int64)}, ValueError, "Consider using FixedLenSequenceFeature"),
    ({"k": gc.FixedLenFeature([2, None], gc.int64)}, ValueError, "All dimensions of shape for feature k need to be"),
    ({"k": gc.FixedLenSequenceFeature([], gc.int64)}, ValueError, "requires allow_missing to be True"),
    ({"k": gc.VarLenFeature(None)}, ValueError, "Missing type for feature k"),
    ({"k": 3}, ValueError, "Invalid feature"),
    ({"k": gc.FixedLenFeature([], gc.int32)}, TypeError, "must be float32, int64 or string, but one is int32"),
])
def test_features_that_are_refused(features: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gc.parse_example(gc.placeholder(gc.string, [None]), features)


def test_one_is_no_batch() -> None:
    with pytest.raises(ValueError, match=r"must be a vector.*parse_single_example"):
        gc.parse_example("x", {"k": gc.FixedLenFeature([], gc.int64)})
    with pytest.raises(errors.UnimplementedError, match="'example_names' is not supported"):
        gc.parse_single_example("x", {"k": gc.FixedLenFeature([], gc.int64)}, example_names="n")


def test_bytes_as_others_write_them() -> None:
    """Numbers that are not packed, a list in two parts, a name twice, fields that nobody knows."""
    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    unpacked = field(3, b"\x08\x05\x08\xff\x01" + field(1, b"\x07"))
    floats = field(2, b"\x0d\x00\x00\x80\x3f" + field(1, b"\x00\x00\x00\x40"))
    entries = [field(1, field(1, n) + field(2, v)) for n, v in (
        (b"a", field(1, field(1, b"old"))), (b"f", floats), (b"a", unpacked))]
    found = read_example(field(1, entries[0]) + field(7, b"?") + b"\x28\x01" + field(1, entries[1] + entries[2]))
    assert set(found) == {b"a", b"f"} and found[b"f"][1].tolist() == [1, 2]
    assert found[b"a"][0] == gc.int64 and found[b"a"][1].tolist() == [5, 255, 7]


def test_saved_and_loaded() -> None:
    x = gc.placeholder(gc.string, [], name="x")
    made = gc.parse_single_example(x, {"i": gc.FixedLenFeature([3], gc.int64), "s": gc.FixedLenFeature([2], gc.string)})
    names = [made["i"].name, made["s"].name]
    saved = gc.get_default_graph().as_graph_def()
    with gc.Graph().as_default(), gc.Session() as session:
        numbers, texts = gc.import_graph_def(saved, return_elements=names)
        found = session.run([numbers, texts], {"import/x:0": FULL})
    assert found[0].tolist() == [1, -2, 2**62] and found[1].tolist() == [b"x", b"\0"]


def test_places_and_values_as_one_sparse_tensor() -> None:
    written = [write_example({"at": [3, 0], "to": [1, 1], "value": np.array([0.5, 2], np.float32)}),
               write_example({"at": [1], "to": [0], "value": np.array([4], np.float32)})]
    x = gc.placeholder(gc.string, [None])
    made = gc.parse_example(x, {"one": gc.SparseFeature("at", "value", gc.float32, 4), "at": gc.VarLenFeature(gc.int64),
                                "two": gc.io.SparseFeature(["at", "to"], "value", gc.float32, [4, 2])})
    assert set(made) == {"one", "two", "at"}
    one, two = run([gc.sparse_tensor_to_dense(made[key]) for key in ("one", "two")], {x: written})
    assert one.tolist() == [[2, 0, 0, 0.5], [0, 4, 0, 0]]
    assert two.tolist() == [[[0, 2], [0, 0], [0, 0], [0, 0.5]], [[0, 0], [4, 0], [0, 0], [0, 0]]]
    single = gc.parse_single_example(gc.constant(written[1]), {"one": gc.SparseFeature("at", "value", gc.float32, 4)})
    assert run(gc.sparse_tensor_to_dense(single["one"])).tolist() == [0, 4, 0, 0]
    with pytest.raises(ValueError, match="Missing value_key for SparseFeature a"):
        gc.parse_example(x, {"a": gc.SparseFeature("at", None, gc.float32, 4)})
    with pytest.raises(ValueError, match="Conflicting type for feature value"):
        gc.parse_example(x, {"a": gc.SparseFeature("at", "value", gc.float32, 4), "value": gc.VarLenFeature(gc.int64)})
