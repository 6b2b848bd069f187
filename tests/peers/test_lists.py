"""Random programs on a TensorArray, saved and loaded by TensorFlow: the ops on lists, and their gradients.

The lists that loops keep for their gradients (PushBack, PopBack) are compared in
tests/serial/test_loops_in_tensorflow.py.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from both import Program, compare_program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_parity import TOLERANCE, Record, compared, of_shapes

import graphc as gc

from samples import Built

EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "20"))
DTYPES = (gc.float32, gc.float64, gc.int32)
STARTS = ("unstack", "write", "scatter", "grow", "split")
ENDS: dict[str, Callable[[Any, Any], Any]] = {
    "stack": lambda array, places: array.stack(),
    "concat": lambda array, places: array.concat(),
    "gather": lambda array, places: array.gather(places),
    "read": lambda array, places: array.read(places[0]),
    "size": lambda array, places: array.size(),
    "move": lambda array, places: array.write(places[-1], array.read(places[0])).read(places[-1]) * 2,
}


def started(start: str, x: Any, order: list[int], lengths: list[int]) -> Any:
    """A TensorArray of the rows of x."""
    array = gc.TensorArray(x.dtype, 0 if start == "grow" else len(lengths if start == "split" else order),
                           dynamic_size=start == "grow", infer_shape=start != "split")
    if start == "unstack":
        return array.unstack(x)
    if start == "split":
        return array.split(x, lengths)
    if start == "scatter":
        return array.scatter(order, gc.gather(x, order))
    for i in sorted(order) if start == "grow" else order:
        array = array.write(i, x[i])
    return array


@st.composite
def programs(draw: st.DrawFn, start: str) -> tuple[Program, str]:
    rows = draw(st.integers(1, 5))
    shape = (rows, *draw(st.lists(st.sampled_from((1, 2, 3, 5)), min_size=start == "split", max_size=2)))
    order = draw(st.permutations(range(rows)))
    lengths = [rows] if rows == 1 else [1, rows - 1]
    ends = draw(st.lists(st.sampled_from(("concat", "size") if start == "split" else sorted(ENDS)), min_size=1,
                         unique=True))
    if len(shape) == 1:
        ends = [end for end in ends if end != "concat"] or ["stack"]      # scalars have no axis to be joined along
    # No place twice: of those TensorFlow 2.21's gradient keeps one share, graphc's, as TensorFlow 1.15's, all.
    places = draw(st.lists(st.sampled_from(range(rows)), min_size=1, unique=True))
    dtype = draw(st.sampled_from(DTYPES))
    values = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).uniform(-9, 9, shape).astype(dtype.numpy)

    def built(known: bool) -> Built:
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(dtype, shape if known else [None] * len(shape), name="x")
            array = started(start, x, order, lengths)
            outputs = [ENDS[end](array, places) for end in ends]
        return Built(graph, [x], outputs, outputs[0].op)

    whole = built(True)
    return (Program(whole, built(False), [], whole.outputs, (values,), True),
            f"{start} {dtype.name}{list(shape)} {order} -> {ends} at {places}")


@pytest.mark.parametrize("start", STARTS)
def test_lists_agree(start: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @given(programs(start))
    def check(drawn: tuple[Program, str]) -> None:
        program, words = drawn
        ours, theirs = compare_program(program)
        assert (ours.error, theirs.error, theirs.open_error) == (None, None, None), words
        record = Record(start)
        found = [*of_shapes(ours.known_shapes, theirs.known_shapes),
                 *compared("value", ours.values, theirs.values, record, TOLERANCE),
                 *compared("gradient", ours.gradients, theirs.gradients, record, TOLERANCE)]
        assert not found, f"{words}: {found}"

    check()
