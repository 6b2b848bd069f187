"""Scalar summaries of one merge become one: with the bytes that the merge of them had."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.simplification.simplify import simplify

from checking import check_rewrite, flow_of

X = np.float64([2.5, 1e300, -3.0])


def scalar(tag: str, value: Any) -> Any:
    return gc.raw_ops.ScalarSummary(tag, value)


def merged(*summaries: Any) -> Any:
    return gc.raw_ops.MergeSummary(list(summaries))


CASES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "all of them": (lambda x: merged(scalar("a", x[0]), scalar("b", x[2])),
                    ["ScalarSummary", "Pack", *["Cast", "StridedSlice"] * 2]),
    "of other dtypes": (lambda x: merged(scalar("", gc.cast(x[0], gc.float32)), scalar("", gc.cast(x[2], gc.int64))),
                        ["ScalarSummary", "Pack", "Cast", "Cast", "Cast", "StridedSlice", "StridedSlice"]),
    "neighbours": (
        lambda x: merged(scalar("a", x[0]), gc.summary.histogram("h", x), scalar("b", x[1]), scalar("c", x[2])),
        ["MergeSummary", "ScalarSummary", "ScalarSummary", "HistogramSummary", "Pack", "Cast", "Cast",
         *["StridedSlice"] * 3]),
    "one alone": (lambda x: merged(scalar("a", x[0])), ["MergeSummary", "ScalarSummary", "StridedSlice"]),
    "of vectors": (lambda x: merged(gc.raw_ops.ScalarSummary(["a", "b"], x[:2]), scalar("c", x[0])),
                   ["MergeSummary", "ScalarSummary", "ScalarSummary", "StridedSlice", "StridedSlice"]),
    "of a dtype without a kernel to cast it": (
        lambda x: merged(scalar("a", gc.constant(7, gc.uint64)), scalar("b", x[0])),
        ["MergeSummary", "ScalarSummary", "ScalarSummary", "StridedSlice"]),
}


@pytest.mark.parametrize("name", CASES)
def test_structure_and_bytes(name: str) -> None:
    make, expected = CASES[name]
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float64, [3], name="x")
        check_rewrite(flow_of([make(x)], [x]), simplify, [X], expected)


def test_a_tag_that_stands_there_twice_is_refused_as_before() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [])
        for parts in ((scalar("a", x), scalar("a", x)),
                      (scalar("a", x), scalar("b", x), gc.summary.histogram("h", x), scalar("c", x), scalar("a", x))):
            with pytest.raises(gc.errors.InvalidArgumentError, match="Duplicate tag a found in summary inputs"):
                session.run(merged(*parts), {x: 1.0})


def test_with_its_parts_behind_a_write_and_in_a_branch() -> None:
    """As ever: what a control dependency comes behind, it comes behind."""
    with gc.Graph().as_default(), gc.Session() as session:
        v, wanted = gc.Variable(1.0), gc.placeholder(gc.bool, [])
        with gc.control_dependencies([v.assign_add(1.0)]):
            first = scalar("first", v.read_value())
        with gc.control_dependencies([first]):
            second = scalar("second", v.read_value() * 2.0)
        both = gc.cond(wanted, lambda: merged(first, second), lambda: gc.constant(""))
        plain = merged(first, second)
        session.run(v.initializer)
        for step in (2.0, 3.0):
            values = session.run([both, plain, first, second], {wanted: step == 2})
            assert values[1] == values[2] + values[3] and values[0] == (values[1] if step == 2 else b"")
            found = [(value.tag, value.simple_value) for value in gc.Summary.FromString(values[1]).value]
            assert found == [("first", step), ("second", 2 * step)]
