"""gc.summary: names, tags and bytes are TensorFlow's; what cannot be summed up is an error that says so."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

sys.path.insert(0, str(Path(__file__).parent))
from summary_cases import lines

RECORDED = dict(line.split(": ", 1) for line in
                (Path(__file__).parent / "data" / "summaries.txt").read_text().splitlines())


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in lines(gc))


@pytest.mark.parametrize("name", RECORDED)
def test_summaries_are_tensorflows(name: str, ours: dict[str, str]) -> None:
    """data/summaries.txt was recorded from TensorFlow 2.21 by summary_cases.py."""
    assert ours[name] == RECORDED[name]


def run(tensor: Any, feeds: Any = None) -> gc.Summary:
    with gc.Session() as session:
        return gc.Summary.FromString(session.run(tensor, feeds))


def test_in_a_loop_and_a_branch_of_a_size_of_the_run() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None])
        merged = gc.while_loop(lambda i, s: i < gc.size(x), lambda i, s: (i + 1, gc.summary.scalar("inside", x[i])),
                               [0, gc.constant("")])[1]
        chosen = gc.cond(gc.reduce_sum(x) > 0, lambda: gc.summary.histogram("h", x), lambda: gc.constant(""))
        assert run(merged, {x: [1, 2, 7]}).value[0].simple_value == 7
        assert run(chosen, {x: [1, 2, 7, 1]}).value[0].histo.num == 4
        assert len(run(chosen, {x: [-1]}).value) == 0


def test_the_same_twice_in_one_run_and_in_two_runs() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float64, [])
        one, other = gc.summary.scalar("x", x), gc.summary.scalar("x", x)
        merged = gc.summary.merge_all()
        for value in (1.0, 2.5):
            found = gc.Summary.FromString(session.run([merged, one, other], {x: value})[0])
            assert [(v.tag, v.simple_value) for v in found.value] == [("x", value), ("x_1", value)]


@pytest.mark.parametrize("tag", ["a", "", "t" * 119, "t" * 120, "t" * 121, "t" * 122, "t" * 300])
def test_merged_summaries_are_those_put_together(tag: str) -> None:
    """Short ones with one value, long ones, and ones of several values are read in different ways."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [])
        parts = [gc.raw_ops.ScalarSummary(tag, x), gc.raw_ops.ScalarSummary(["b", "c"], gc.stack([x, x + 1.0]))]
        for number in (2.5, 1e38):
            values = session.run([gc.summary.merge(parts), *parts], {x: number})
            assert values[0] == values[1] + values[2]
        found = gc.Summary.FromString(values[0]).value
        assert [(v.tag, v.simple_value) for v in found] == [(n, np.float32(1e38)) for n in (tag, "b", "c")]
        twice = gc.summary.merge([*parts, gc.raw_ops.ScalarSummary([tag, "d"], gc.stack([x, x]))])
        if tag:
            with pytest.raises(gc.errors.InvalidArgumentError, match=f"Duplicate tag {tag} found"):
                session.run(twice, {x: 1.0})


def test_no_summary() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.constant(1.0)
        assert gc.summary.merge_all() is None
        with pytest.raises(TypeError, match=r"fetches\[1\].*merged summary of a graph without summaries"):
            session.run([x, gc.summary.merge_all()])


@pytest.mark.parametrize(("made", "message"), [
    (lambda x: gc.summary.scalar("v", x), r"tags and values not the same shape: \[\] != \[2\] \(tag 'v'\)"),
    (lambda x: gc.summary.histogram("v", x / 0.0), "Infinity in summary histogram for: v"),
    (lambda x: gc.summary.histogram("v", x * np.nan), "Nan in summary histogram for: v"),
    (lambda x: gc.summary.image("v", x), r"Tensor must be 4-D with last dim 1, 3, or 4, not \[2\]"),
    (lambda x: gc.summary.audio("v", x, 1.0), r"Tensor must be 3-D or 2-D, got: \[2\]"),
    (lambda x: gc.summary.audio("v", x[None], gc.reduce_sum(x) - 3), "sample_rate must be > 0"),
    (lambda x: gc.summary.merge(2 * [gc.summary.scalar("v", x[0])]), "Duplicate tag v found in summary inputs"),
    (lambda x: gc.summary.merge([gc.as_string(x[0])]), "Could not parse one of the summary inputs"),
])
def test_what_a_run_refuses(made: Any, message: str) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        summary = made(x)
        with pytest.raises(gc.errors.InvalidArgumentError, match=message):
            session.run(summary, {x: [1.0, 2.0]})


@pytest.mark.parametrize(("made", "message"), [
    (lambda: gc.summary.scalar("v", gc.constant(True)), "argument 'values' has dtype bool"),
    (lambda: gc.summary.image("v", gc.zeros([1, 2, 2, 1], gc.int32)), "'tensor' must be uint8, float32.*int32"),
    (lambda: gc.summary.text("v", gc.constant(1.0)), "to have dtype string, got"),
    (lambda: gc.summary.image("v", gc.zeros([1, 2, 2, 1]), max_outputs=0), "'max_images' must be at least 1"),
    (lambda: gc.raw_ops.ScalarSummary(1.0, 1.0), "argument 'tags' must be a string"),
])
def test_what_building_refuses(made: Any, message: str) -> None:
    with gc.Graph().as_default(), pytest.raises((TypeError, ValueError), match=message):
        made()


def test_names_before_1_0() -> None:
    old = gc.compat.v1
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [])
        old.scalar_summary("any tag: ok", x)
        old.scalar_summary(["a", "b"], gc.stack([x, -x]), name="two")
        old.histogram_summary("h", x, collections=["mine"])
        merged = old.merge_all_summaries()
        assert merged.op.name == "MergeSummary/MergeSummary"
        assert [t.op.name for t in merged.op.inputs] == ["ScalarSummary", "two"]
        found = gc.Summary.FromString(session.run(merged, {x: 2.0}))
        assert [(v.tag, v.simple_value) for v in found.value] == [("any tag: ok", 2), ("a", 2), ("b", -2)]
        assert old.merge_all_summaries("nothing") is None


def test_a_graph_with_summaries_is_saved_and_read(tmp_path: Path) -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [1, 2, 2, 1], name="x")
        gc.summary.image("i", x)
        gc.raw_ops.ImageSummary("j", x, bad_color=[1, 2, 3, 4], name="j")
        gc.summary.merge_all()
        saved = graph.as_graph_def()
    with gc.Graph().as_default(), gc.Session() as session:
        again = gc.import_graph_def(saved, return_elements=["x:0", "j:0"], name="")
        assert gc.get_default_graph().as_graph_def() == saved
        found = gc.Summary.FromString(session.run(again[1], {again[0]: np.full((1, 2, 2, 1), np.nan)}))
    assert found.value[0].image.encoded_image_string[:4] == b"\x89PNG"


def test_description_of_a_summary() -> None:
    node = gc.NodeDef(name="n", op="TensorSummary")
    node.attr["description"].s = b'{"typeHint": "t"}'
    assert gc.summary.get_summary_description(node).type_hint == "t"
    with pytest.raises(ValueError, match="Can't get_summary_description on NoOp"):
        gc.summary.get_summary_description(gc.NodeDef(op="NoOp"))
