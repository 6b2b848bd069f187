"""Shapes and dtypes that do not fit: while building, when a plan is bound to the shapes fed, when it is compiled."""
from __future__ import annotations

import numpy as np
import pytest
from messages import built, line, message_of

import graphc as gc

pytestmark = pytest.mark.quotes

Invalid, Unimplemented = gc.errors.InvalidArgumentError, gc.errors.UnimplementedError


def unknown(name: str) -> gc.Tensor:
    return gc.placeholder(gc.float32, [None, None], name=name)


# While building

def test_matmul_while_building() -> None:
    x, w = gc.placeholder(gc.float32, [None, 3], name="x"), gc.zeros([4, 5], name="w")
    with pytest.raises(ValueError) as caught:
        gc.matmul(x, w, name="product")
    at = line() - 1
    assert str(caught.value) == (
        "MatMul 'product': the inner dimensions 3 and 4 differ: shapes (?, 3) and (4, 5)\n"
        "  a: float32[?, 3] from 'x:0'\n  b: float32[4, 5] from 'w:0'\n"
        "  attributes: transpose_a=False, transpose_b=False" + built(at))


def test_dtypes_while_building() -> None:
    x, y = gc.zeros([2], name="x"), gc.zeros([2], gc.float64, name="y")
    with pytest.raises(TypeError) as caught:
        x + y
    at = line() - 1
    assert str(caught.value) == (
        "AddV2 'add': argument 'y' has dtype float64, but 'x' has float32; cast one of them (gc.cast)\n"
        "  x: float32[2] from 'x:0'\n  y: float64[2] from 'y:0'" + built(at))


def test_python_value_that_does_not_convert() -> None:
    x = gc.constant([1])
    with pytest.raises(TypeError) as caught:
        x + 1.5
    at = line() - 1
    assert str(caught.value) == ("AddV2 'add', argument 'y': Expected int32, got 1.5 of type 'float' instead."
                                 + built(at))


def test_tensors_of_two_graphs() -> None:
    a = gc.constant(1.0, name="a")
    with gc.Graph().as_default():
        b = gc.constant(2.0, name="b"); at = line()  # noqa: E702
    assert message_of(ValueError, lambda: a + b) == (
        f"AddV2: {b!r} belongs to another graph than the one in use; build all of it inside one "
        "`with graph.as_default():`" + built(at))


# At a run: the message shows the sizes that were fed

def test_sizes_that_do_not_broadcast() -> None:
    x, y = unknown("x"), unknown("y")
    z = gc.nn.relu(gc.add(gc.tanh(x), y, name="sum")); at = line()  # noqa: E702
    assert message_of(Invalid, gc.Session().run, z, {x: np.ones((3, 4)), y: np.ones((2, 4))}) == (
        "Add 'sum': Incompatible shapes: (3, 4) and (2, 4) do not broadcast\n"
        "  x: float32[3, 4] from 'Tanh:0'\n  y: float32[2, 4] from 'y:0'" + built(at))


def test_guard_of_matmul() -> None:
    x, y = unknown("x"), unknown("y")
    z = gc.matmul(x, y, name="product"); at = line()  # noqa: E702
    session = gc.Session()
    expected = ("MatMul 'product': the inner dimensions 4 and 2 differ: shapes (3, 4) and (2, 4)\n"
                "  a: float32[3, 4] from 'x:0'\n  b: float32[2, 4] from 'y:0'\n"
                "  attributes: transpose_a=False, transpose_b=False" + built(at))
    good = {x: np.ones((3, 2)), y: np.ones((2, 4))}
    for _ in range(2):
        assert message_of(Invalid, session.run, z, {x: np.ones((3, 4)), y: np.ones((2, 4))}) == expected
        assert session.run(z, good).shape == (3, 4)
    assert message_of(Invalid, session.make_callable(z, [x, y]), np.ones((3, 4)), np.ones((2, 4))) == expected


def test_guard_of_reshape_and_concat() -> None:
    x, y = unknown("x"), unknown("y")
    z = gc.concat([x, y], 0, name="both"); at = line()  # noqa: E702
    assert message_of(Invalid, gc.Session().run, z, {x: np.ones((3, 4)), y: np.ones((2, 5))}) == (
        "ConcatV2 'both': axis 1 of value 1 of shape (2, 5) does not fit that of value 0 of shape (3, 4): 4 and 5 "
        "differ\n  values[0]: float32[3, 4] from 'x:0'\n  values[1]: float32[2, 5] from 'y:0'" + built(at))
    z = gc.reshape(x, [4, 2], name="small"); at = line()  # noqa: E702
    text = message_of(Invalid, gc.Session().run, z, {x: np.ones((3, 4))})
    assert text.startswith("Reshape 'small': cannot reshape a tensor of shape (3, 4) (12 elements) to shape (4, 2)")
    assert text.endswith(built(at))


def test_guard_on_a_value() -> None:
    x, i = unknown("x"), gc.placeholder(gc.int32, [], name="i")
    y = x[i]; at = line()  # noqa: E702
    text = message_of(Invalid, gc.Session().run, y, {x: np.ones((3, 4)), i: 9})
    assert text.startswith("StridedSlice 'strided_slice': index i") or "out of bounds for axis 0" in text
    assert "9 and 3, the first must be less" in text and text.endswith(built(at))


def test_guard_does_not_blame_the_branch_that_is_not_taken() -> None:
    x, y = unknown("x"), unknown("y")
    chosen = gc.cond(gc.equal(gc.shape(x)[0], 3), lambda: gc.reduce_sum(gc.reshape(x, [3, 4])),
                     lambda: gc.reduce_sum(gc.reshape(x, [7, 7])))
    z = chosen + gc.reduce_sum(gc.matmul(x, y, name="product"))
    text = message_of(Invalid, gc.Session().run, z, {x: np.ones((3, 4)), y: np.ones((2, 4))})
    assert text.startswith("MatMul 'product': ")


def test_extreme_of_nothing() -> None:
    x = unknown("x")
    y = gc.argmax(x, 0, name="best"); at = line()  # noqa: E702
    assert message_of(Invalid, gc.Session().run, y, {x: np.ones((0, 4))}) == (
        "ArgMax 'best': axis 0 of a tensor of shape (0, 4) is empty: there is no extreme element\n"
        "  input: float32[0, 4] from 'x:0'\n  attributes: output_type=gc.int64" + built(at))


# When a plan is compiled

def test_unsupported_dtypes() -> None:
    held = gc.placeholder(gc.resource, [2], name="held"); at = line()  # noqa: E702
    session = gc.Session()
    assert message_of(Unimplemented, session.run, gc.identity(held), {held: [b"a", b"b"]}) == (
        "Placeholder 'held': values of dtype resource are not supported; use numbers, strings or bool from the start"
        + built(at))
    text = gc.placeholder(gc.string, name="text")
    assert session.run(text, {text: "a"}) == b"a"


def test_unsupported_op_for_a_dtype() -> None:
    x = gc.placeholder(gc.bool, [2], name="x")
    at = line(); text = message_of(TypeError, lambda: gc.add(x, x, name="sum"))  # noqa: E702
    assert text.startswith("Add 'sum': argument 'x' has dtype bool, but Add takes numeric types only (float16, ")
    assert text.endswith(built(at))


def test_kernel_that_the_library_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphc.exec import engine

    number = engine.number_names
    monkeypatch.setattr(engine, "number_names", lambda *a: ({k: v for k, v in number(*a)[0].items()
                                                             if k != "matmul.i32"}, number(*a)[1]))
    x = gc.placeholder(gc.int32, [2, 2])
    y = gc.matmul(x, x, name="product"); at = line()  # noqa: E702
    text = message_of(Unimplemented, gc.Session().run, y, {x: np.ones((2, 2))})
    assert text.startswith("MatMul 'product': 'matmul' is not implemented for dtype int32, there is no kernel "
                           "matmul.i32; cast to one of float")
    assert text.endswith(" (gc.cast)" + built(at))


def test_unknown_rank() -> None:
    x, sizes = unknown("x"), gc.placeholder(gc.int32, [None], name="sizes")
    shape = gc.boolean_mask(sizes, sizes > 0, name="shape")
    y = gc.reshape(x, shape); at = line()  # noqa: E702
    assert message_of(Unimplemented, gc.Session().run, y, {x: np.ones((3, 4)), sizes: [4, 0, 3]}) == (
        "Reshape 'Reshape': argument 'shape' has an unknown number of elements, so the rank of the result is unknown"
        + built(at) + f"\n  declare '{shape.name}' with the number of its elements, or call set_shape on it")
    shape.set_shape([2])
    assert gc.Session().run(y, {x: np.ones((3, 4)), sizes: [4, 0, 3]}).shape == (4, 3)
