"""Rules: structure and values; fixpoints; a rule that is wrong must be caught."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import InternalError
from graphc.ir.apply import apply
from graphc.ir.node import Node, make_node
from graphc.ir.op import OPS
from graphc.passes.images.layout import layout
from graphc.passes.shared.rewriter import rewrite
from graphc.passes.simplification.common_subexpressions import common_subexpressions
from graphc.passes.simplification.expand import expand
from graphc.passes.simplification.fold_constants import fold_constants
from graphc.passes.simplification.simplify import simplify

from checking import check_rewrite, close, flow_of, types
from flow_reference import FlowReference

A = np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5


def x23() -> Any:
    return gc.placeholder("float32", (None, 3), name="x")


SIMPLE = {
    "slice of all": (lambda x: gc.tanh(x[:, 0:3]), ["Tanh"]),
    "row of one": (lambda x: gc.tanh(gc.expand_dims(x, 0)[0]), ["Tanh"]),
    "slice of all backwards": (lambda x: x[:, ::-1], ["StridedSlice"]),
    "slice of all but one": (lambda x: gc.slice(gc.slice(x, [0, 0], [-1, 3]), [0, 1], [-1, 2]), ["Slice"]),
    "identity": (lambda x: gc.identity(x) + 2.0, ["AddV2"]),
    "reshape of reshape": (lambda x: gc.reshape(gc.reshape(x, [-1]), [3, -1]), ["Reshape"]),
    "reshape back": (lambda x: gc.reshape(gc.reshape(x, [-1]), [-1, 3]) * 2.0, ["Mul"]),
    "transposes cancel": (lambda x: gc.transpose(gc.transpose(x)) * 2.0, ["Mul"]),
    "transpose of units": (lambda x: gc.transpose(gc.expand_dims(x, 1), [1, 0, 2]), ["Reshape"]),
    "times one": (lambda x: gc.tanh(x * 1.0), ["Tanh"]),
    "plus zero": (lambda x: gc.tanh(0.0 + x - 0.0), ["Tanh"]),
    "divided by one": (lambda x: gc.tanh(x / 1.0), ["Tanh"]),
    "a row of ones broadcasts": (
        lambda x: gc.reduce_sum(x, 1, keepdims=True) * np.ones((1, 3), np.float32), ["Mul", "Sum"]),
    "same cast": (lambda x: gc.tanh(gc.cast(x, "float32")), ["Tanh"]),
    "double negation": (lambda x: gc.tanh(gc.negative(gc.negative(x))), ["Tanh"]),
    "to the first": (lambda x: gc.tanh(x ** 1), ["Tanh"]),
    "squared": (lambda x: gc.tanh(x ** 2.0), ["Square", "Tanh"]),
    "cubed": (lambda x: x ** np.full((1, 3), 3, np.float32), ["Mul", "Square"]),
    "to minus one": (lambda x: x ** -1, ["Reciprocal"]),
    "root": (lambda x: (x * x) ** 0.5, ["Mul", "Sqrt"]),
    "one over the root": (lambda x: (x * x) ** -0.5, ["Mul", "Rsqrt"]),
    "to one and a half": (lambda x: (x * x) ** 1.5, ["Mul", "Sqrt", "Mul"]),
    "one over that": (lambda x: (x * x) ** -1.5, ["Mul", "Reciprocal", "Rsqrt", "Mul"]),
    "to three quarters": (lambda x: (x * x) ** 0.75, ["Mul", "Sqrt", "Sqrt", "Mul"]),
    "one over three quarters": (lambda x: (x * x) ** -0.75, ["Mul", "Sqrt", "Sqrt", "Mul", "Reciprocal"]),
    "to the fourth": (lambda x: x ** 4, ["Pow"]),
    "a power that makes it larger": (lambda x: x[:, :1] ** np.full(3, 2, np.float32), ["Pow", "StridedSlice"]),
    "transposed matmul": (lambda x: gc.matmul(gc.transpose(x), x), ["MatMul"]),
    "transposed matmul of moved axes": (
        lambda x: (lambda y: gc.matmul(gc.transpose(y, [1, 0, 2]), gc.transpose(y, [1, 2, 0])))(
            gc.expand_dims(x, 2) * np.arange(3, dtype=np.float32)),
        ["BatchMatMulV2", "ExpandDims", "Mul", "Transpose", "Transpose"]),
}


@pytest.mark.parametrize("name", SIMPLE)
def test_simplify(name: str) -> None:
    build, expected = SIMPLE[name]
    with gc.Graph().as_default():
        x = x23()
        check_rewrite(flow_of([build(x)], [x]), simplify, [A], expected)


def test_fold_constants() -> None:
    with gc.Graph().as_default():
        x = x23()
        c = gc.constant([1.0, 2.0, 3.0])
        y = x * gc.tanh(c + 1.0)
        check_rewrite(flow_of([y], [x]), fold_constants, [A], ["Mul"])


def test_random_and_large_constants_are_not_folded() -> None:
    with gc.Graph().as_default():
        y = gc.random_uniform([3], seed=1) + gc.reduce_sum(gc.tile(gc.constant([1.0]), [10000]))
        assert "RandomUniform" in types(fold_constants(flow_of([y])))
        assert "Tile" in types(fold_constants(flow_of([y])))


def test_a_size_as_a_number_is_one_node() -> None:
    with gc.Graph().as_default():
        x = x23()
        n = gc.cast(gc.shape(x)[0] * 2 + 1, "float32")
        check_rewrite(flow_of([x * n], [x]), fold_constants, [A], ["Cast", "Mul", "_SizeValues"])


def test_common_subexpressions() -> None:
    with gc.Graph().as_default():
        x = x23()
        y = gc.tanh(x + 1.0) * gc.tanh(x + 1.0)
        check_rewrite(flow_of([y], [x]), common_subexpressions, [A], ["AddV2", "Mul", "Tanh"])


def test_random_ops_are_not_merged() -> None:
    with gc.Graph().as_default():
        y = gc.random_uniform([3], seed=1) - gc.random_uniform([3], seed=1)
        assert types(common_subexpressions(flow_of([y]))).count("RandomUniform") == 2


@pytest.mark.parametrize("fetched", [[0], [1], [0, 1]])
def test_a_rule_may_replace_some_results_of_a_node(fetched: list[int]) -> None:
    """The node stays for the others."""
    with gc.Graph().as_default():
        zero = next(n for n in flow_of([gc.constant(0.0)]).nodes()).value()
        x = x23()
        results = apply(OPS["SoftmaxCrossEntropyWithLogits"], x, gc.ones_like(x))

        def first(node: Node) -> Any:
            """loss -> zeros"""
            if node.op.type != "SoftmaxCrossEntropyWithLogits":
                return None
            return make_node(OPS["Fill"](dims=node.specs[0].shape), [zero]).value(), node.value(1)

        after = types(rewrite(flow_of([results[i] for i in fetched], [x]), [first]))
        assert ("SoftmaxCrossEntropyWithLogits" in after) == (1 in fetched)
        assert ("Fill" in after) == (0 in fetched)


@pytest.mark.parametrize("used", [[0], [1], [0, 1]])
def test_one_result_of_several_is_prepared(used: list[int]) -> None:
    weights = np.float32([[1, 2], [3, 1]])
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (2,))
        results = apply(OPS["SoftmaxCrossEntropyWithLogits"], gc.Variable(weights), gc.ones((2, 2)))
        back = np.exp(weights) / np.exp(weights).sum(1, keepdims=True)
        expected = [-np.log(back).sum(1), back - 1]
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            found = session.run([x * results[i] for i in used], {x: [2, 3]})
        close(found, [np.float32([2, 3]) * expected[i].astype(np.float32) for i in used])


def test_expand_leaves_no_composite() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 2, 2, 3))
        y = gc.nn.fused_batch_norm(x, np.ones(3, np.float32), np.zeros(3, np.float32))[0]
        picture = np.random.default_rng(0).standard_normal((2, 2, 2, 3)).astype(np.float32)
        after = check_rewrite(flow_of([y], [x]), expand, [picture])
        assert not any("BatchNorm" in t for t in types(after))


def test_layout_moves_transposes_to_the_edges() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 3, 4, 5))
        h = gc.nn.relu(gc.nn.max_pool(x, [1, 1, 2, 2], [1, 1, 1, 1], "SAME", data_format="NCHW"))
        y = gc.nn.max_pool(h + h * 2.0, [1, 1, 2, 2], [1, 1, 1, 1], "SAME", data_format="NCHW")
        picture = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
        check_rewrite(flow_of([y], [x]), layout, [picture],
                      ["AddV2", "MaxPool", "MaxPool", "Mul", "Relu", "Transpose", "Transpose"])


def test_a_rule_with_wrong_values_is_caught() -> None:
    def wrong(node: Node) -> Any:
        """tanh(x) -> sin(x), which it is not"""
        return make_node(OPS["Sin"](), node.inputs, node.origins) if node.op.type == "Tanh" else None

    with gc.Graph().as_default():
        x = x23()
        with pytest.raises(AssertionError):
            check_rewrite(flow_of([gc.tanh(x)], [x]), lambda flow: rewrite(flow, [wrong]), [A])


def test_a_rule_with_a_wrong_shape_is_refused() -> None:
    def drop_sum(node: Node) -> Any:
        """sum(x) -> x"""
        return node.inputs[0] if node.op.type == "Sum" else None

    with gc.Graph().as_default():
        x = x23()
        with pytest.raises(InternalError, match="the rule drop_sum contradicts the spec of result 0 of <Sum"):
            rewrite(flow_of([gc.reduce_sum(x, 1)], [x]), [drop_sum])


def test_rules_that_undo_each_other_are_named() -> None:
    def to_sub(node: Node) -> Any:
        return make_node(OPS["Sub"](), node.inputs, node.origins) if node.op.type == "Mul" else None

    def to_mul(node: Node) -> Any:
        return make_node(OPS["Mul"](), node.inputs, node.origins) if node.op.type == "Sub" else None

    with gc.Graph().as_default():
        x = x23()
        with pytest.raises(InternalError, match="two rules undo each other"):
            rewrite(flow_of([x * x], [x]), [to_sub, to_mul])


def test_a_rewrite_that_changes_nothing_returns_the_same_flow() -> None:
    with gc.Graph().as_default():
        x = x23()
        flow = flow_of([gc.tanh(x)], [x])
        assert simplify(flow) is flow


def test_dump_prints_what_a_pass_did(capsys: Any, monkeypatch: Any) -> None:
    from graphc.plan.compile import compile_graph

    monkeypatch.setenv("GRAPHC_DUMP", "fuse")
    with gc.Graph().as_default():
        x = x23()
        compile_graph([gc.tanh(x * 2.0)], (), [x])
    text = capsys.readouterr().err
    assert "fuse" in text and "nodes" in text and "ms" in text and "_Fused[" in text
    assert "simplify" not in text


def test_values_of_reference_and_itself_agree() -> None:
    with gc.Graph().as_default():
        x = x23()
        flow = flow_of([gc.nn.softmax(x)], [x])
        close(FlowReference(flow).run(A), [np.exp(A) / np.exp(A).sum(1, keepdims=True)])


@pytest.mark.parametrize("used", [[0], [1], [0, 1]])
@pytest.mark.parametrize("op", ["split", "cross entropy"])
def test_work_on_weights_with_several_results(op: str, used: list[int], monkeypatch: Any) -> None:
    """Also if only some of them are used behind the weights."""
    from graphc.ir.apply import apply
    from graphc.ir.op import OPS

    monkeypatch.setenv("GRAPHC_FUSION", "0")
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, []), gc.Variable(np.array([[3, 1, 2, 0]], np.float32))
        values = (gc.split(w, 2, 1) if op == "split" else
                  apply(OPS["SoftmaxCrossEntropyWithLogits"], w, gc.nn.softmax(w)))
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            expected = session.run([values[i] for i in used])
            for value, found in zip(expected, session.run([x * values[i] for i in used], {x: 2.0}), strict=True):
                close([found], [2.0 * value])
