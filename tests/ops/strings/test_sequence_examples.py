"""SequenceExamples as tensors: what is in the context and in the lists, what is missing, and what does not fit."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import graphc as gc

CONTEXT = {"label": gc.FixedLenFeature([], gc.int64), "tags": gc.VarLenFeature(gc.string),
           "weight": gc.FixedLenFeature([2], gc.float32, [0.5, 1.5])}
LISTS = {"frames": gc.FixedLenSequenceFeature([2], gc.float32), "words": gc.VarLenFeature(gc.string),
         "ids": gc.FixedLenSequenceFeature([], gc.int64, allow_missing=True)}


@pytest.fixture(autouse=True)
def own_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield


def example(label: int, frames: Any, words: Any = (), ids: Any = None, tags: Any = ()) -> bytes:
    made = gc.train.SequenceExample()
    made.context.feature["label"].int64_list.value.append(label)
    if tags:
        made.context.feature["tags"].bytes_list.value.extend(tags)
    lists = made.feature_lists.feature_list
    for name, kind, steps in (("frames", "float_list", frames), ("words", "bytes_list", words),
                              ("ids", "int64_list", ids)):
        if steps is not None:
            lists[name].SetInParent()
        for step in steps or ():
            getattr(lists[name].feature.add(), kind).value.extend(step)
    return made.SerializeToString()


FIRST = example(3, [[1, 2], [3, 4]], [[b"a"], [], [b"b" * 200, b"c"]], [[7], [-8], [9]], [b"x", b""])
SECOND = example(-4, [[5, 6]], [[b"d"]])


def test_one() -> None:
    serialized = gc.placeholder(gc.string, [])
    context, lists = gc.parse_single_sequence_example(serialized, CONTEXT, LISTS)
    assert lists["frames"].shape.as_list() == [None, 2] and context["weight"].shape.as_list() == [2]
    with gc.Session() as session:
        found, listed = session.run([context, lists], {serialized: FIRST})
        assert found["label"] == 3 and found["weight"].tolist() == [0.5, 1.5]
        assert found["tags"].values.tolist() == [b"x", b""] and found["tags"].dense_shape.tolist() == [2]
        assert listed["frames"].tolist() == [[1, 2], [3, 4]] and listed["ids"].tolist() == [7, -8, 9]
        words = listed["words"]
        assert words.indices.tolist() == [[0, 0], [2, 0], [2, 1]] and words.dense_shape.tolist() == [3, 2]
        assert words.values.tolist() == [b"a", b"b" * 200, b"c"]
        found, listed = session.run([context, lists], {serialized: SECOND})
        assert listed["ids"].shape == (0,) and found["tags"].dense_shape.tolist() == [0]


def test_a_batch() -> None:
    serialized = gc.placeholder(gc.string, [None])
    wanted = gc.io.parse_sequence_example(serialized, CONTEXT, LISTS)
    with gc.Session() as session:
        context, lists, lengths = session.run(wanted, {serialized: [FIRST, SECOND]})
        assert context["label"].tolist() == [3, -4] and context["weight"].tolist() == [[0.5, 1.5]] * 2
        assert context["tags"].indices.tolist() == [[0, 0], [0, 1]]
        assert lists["frames"].tolist() == [[[1, 2], [3, 4]], [[5, 6], [0, 0]]]
        assert lists["ids"].tolist() == [[7, -8, 9], [0, 0, 0]]
        assert {k: v.tolist() for k, v in lengths.items()} == {"frames": [2, 1], "ids": [3, 0]}
        assert lists["words"].indices.tolist() == [[0, 0, 0], [0, 2, 0], [0, 2, 1], [1, 0, 0]]
        assert lists["words"].dense_shape.tolist() == [2, 3, 2]
        context, lists, lengths = session.run(wanted, {serialized: []})
        assert lists["frames"].shape == (0, 0, 2) and lengths["ids"].shape == (0,)


def test_in_a_data_set_and_through_a_file() -> None:
    dataset = gc.data.Dataset.from_tensor_slices([FIRST, SECOND]).map(
        lambda data: gc.parse_single_sequence_example(data, sequence_features=LISTS)[1]["frames"])
    element = gc.identity(dataset.padded_batch(2, [None, 2]).make_one_shot_iterator().get_next())
    with gc.Session() as session:
        assert session.run(element).shape == (2, 2, 2)
    _, lists = gc.parse_single_sequence_example(gc.constant(FIRST), CONTEXT, LISTS)
    gc.reduce_sum(lists["frames"], name="total")
    graph_def = gc.get_default_graph().as_graph_def()
    with gc.Graph().as_default():
        total, = gc.import_graph_def(gc.graph_util.extract_sub_graph(graph_def, ["total"]), return_elements=["total:0"])
        assert gc.Session().run(total) == 10


@pytest.mark.parametrize(("data", "message"), [
    (example(1, None), "x.*Feature list 'frames' is required but could not be found"),
    (example(1, [[1, 2], [3]]), r"frames, Index: 1.*Values size: 1 but output shape: \[2\]"),
    (example(1, [[1, 2]], ids=[[1], []]), "ids, Index: 1"),
    (b"\x0a\x05abc", "Could not parse example input")],
    ids=["missing", "short", "empty", "no_message"])
def test_what_does_not_fit(data: bytes, message: str) -> None:
    context, lists = gc.parse_single_sequence_example(data, CONTEXT, LISTS, example_name="x")
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match=message):
        session.run([context, lists])


@pytest.mark.parametrize(("context", "lists", "message"), [
    ({}, {}, "Missing features"),
    ({"a": gc.FixedLenSequenceFeature([], gc.int64)}, None, "'a' is of the context"),
    (None, {"a": gc.FixedLenFeature([], gc.int64)}, "sequence_features are VarLenFeatures"),
    (None, {"a": gc.FixedLenSequenceFeature(None, gc.int64)}, "Missing shape for feature a"),
    (None, {"a": gc.FixedLenSequenceFeature([None], gc.int64)}, "must be known")])
def test_what_is_refused(context: Any, lists: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gc.parse_single_sequence_example(FIRST, context, lists)
