"""gather_tree where sizes are not known when compiling; tests/ops has it with known ones."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.ops.array.gather_tree import GatherTree


def test_unknown_sizes() -> None:
    gc.reset_default_graph()
    steps, parents = (gc.placeholder(gc.int32, [None, None, None]) for _ in range(2))
    lengths, rng = gc.placeholder(gc.int32, [None]), np.random.default_rng(1)
    beams = gc.contrib.seq2seq.gather_tree(steps, parents, lengths, end_token=3)
    with gc.Session() as session:
        for time, batch, width in ((1, 1, 1), (7, 3, 4), (33, 2, 5), (0, 2, 2), (5, 0, 3)):
            ids = rng.integers(0, 9, (time, batch, width)).astype(np.int32)
            behind = rng.integers(0, width, (time, batch, width)).astype(np.int32)
            until = rng.integers(0, time + 2, batch).astype(np.int32)
            found = session.run(beams, {steps: ids, parents: behind, lengths: until})
            np.testing.assert_array_equal(found, GatherTree().reference(ids, behind, until, np.int32(3)))


def test_by_hand() -> None:
    """The example of TensorFlow's own test: ids are followed back along their parents."""
    gc.reset_default_graph()
    ids = [[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[-1, -1, -1]]]
    parents = [[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]]
    with gc.Session() as session:
        found = session.run(gc.contrib.seq2seq.gather_tree(ids, parents, [3], 10))
    assert found.tolist() == [[[2, 2, 2]], [[6, 5, 6]], [[7, 8, 9]], [[10, 10, 10]]]


def test_a_parent_that_is_no_beam() -> None:
    """It is an error if a beam comes from there, and only then: not on the first level, not behind the length."""
    gc.reset_default_graph()
    parents = gc.placeholder(gc.int32, [3, 1, 2])
    beams = gc.contrib.seq2seq.gather_tree(np.ones((3, 1, 2), np.int32), parents, [2], 0)
    with gc.Session() as session:
        session.run(beams, {parents: [[[7, -7]], [[0, 1]], [[9, 9]]]})
        with pytest.raises(gc.errors.InvalidArgumentError, match="GatherTree"):
            session.run(beams, {parents: [[[0, 0]], [[0, 2]], [[0, 0]]]})
