"""Functions of tensors that TensorFlow 1 defined with Defun, and the names of a function's arguments."""
from __future__ import annotations

import functools

import pytest

import graphc.compat.v1 as tf

Defun = tf.python.framework.function.Defun
fn_args = tf.python.util.function_utils.fn_args


def test_gradients_of_functions() -> None:
    @Defun(tf.float32, tf.float32, func_name="dot", noinline=True)
    def dot(a, b):  # type: ignore[no-untyped-def]
        return tf.reduce_sum(a * b)

    @Defun(func_name="back")
    def back(x, y, dz):  # type: ignore[no-untyped-def]
        return [5. * dz, y * dz]

    @Defun(grad_func=back, shape_func=lambda op: None)
    def product(x, y):  # type: ignore[no-untyped-def]
        return x * y

    @Defun(python_grad_func=lambda op, dy: op.inputs[0] * op.outputs[0] * dy)
    def square(x):  # type: ignore[no-untyped-def]
        return x * x

    x, y = tf.constant(3.), tf.constant(7.)
    with tf.Session() as session:
        assert session.run(dot([1, 2], [3, 4])) == 11
        assert session.run(tf.gradients(product(x, y), [x, y])) == [5., 7.]
        assert session.run(tf.gradients(square(x), x)) == [27.]
        looped = tf.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, square(v)), [0, x])[1]
        assert session.run(tf.gradients(looped, x)) == [81. * 9 * 9 * 3]


def test_errors() -> None:
    with pytest.raises(ValueError, match="Gradient defined twice"):
        Defun(grad_func=len, python_grad_func=len)
    with pytest.raises(TypeError, match="<lambda>: the function was declared with 1 argument types, but is called"):
        Defun(tf.float32)(lambda x: x)(1., 2.)


def test_names_of_arguments() -> None:
    class Thing:
        def method(self, a, b=1):  # type: ignore[no-untyped-def]
            """A method."""

        def __call__(self, features, mode):  # type: ignore[no-untyped-def]
            """A call."""

    assert fn_args(Thing().method) == ("a", "b") and fn_args(Thing.method) == ("self", "a", "b")
    assert fn_args(Thing()) == ("features", "mode") == fn_args(functools.partial(Thing()))
    assert fn_args(functools.partial(Thing().method, 1)) == ("b",)
    assert fn_args(functools.partial(Thing().method, b=2)) == ("a",)
