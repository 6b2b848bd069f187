"""Wrong arguments of public functions: the message names the function, the argument, its value, and the user's line."""
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

pytestmark = pytest.mark.quotes
Dataset = gc.data.Dataset
rnn = gc.nn.rnn_cell


def x() -> gc.Tensor:
    return gc.ones([4, 2])


def picture() -> gc.Tensor:
    return gc.ones([1, 4, 4, 4])


# What is called, the error's class, words of its message in their order.
CASES: dict[str, tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = {
    # a Python object in place of one of graphc's
    "session": (lambda: x().eval(session=3), TypeError, ("Tensor.eval", "'session' must be a Session", "3 of type")),
    "session is a list": (lambda: gc.zeros([]).eval(session=[1]), TypeError, ("'session' must be a Session", "[1]")),
    "session of a saver": (lambda: gc.train.Saver([gc.Variable(1.)]).save("x", "y"), TypeError, ("sess", "'x'")),
    "graph": (lambda: gc.Session(graph="x"), TypeError, ("Session", "'graph'", "gc.Graph", "str")),
    "feeds are a list, again": (lambda: _run_twice(), TypeError, ("feed_dict", "list")),
    "loss": (lambda: gc.train.AdamOptimizer(0.1).minimize(3), TypeError, ("minimize", "'loss'", "3 of type int")),
    "optimizer": (lambda: gc.contrib.training.create_train_op(gc.Variable(1.) * 2., 3), TypeError,
                  ("create_train_op", "'optimizer' must be an Optimizer", "3 of type int")),
    "optimizer is a class": (
        lambda: gc.contrib.training.create_train_op(gc.Variable(1.) * 2., gc.train.AdamOptimizer), TypeError,
        ("create_train_op", "AdamOptimizer")),
    "gradients": (lambda: gc.train.AdamOptimizer(0.1).apply_gradients(3), TypeError, ("'grads_and_vars'", "3 of type")),
    "hooks": (lambda: gc.train.MonitoredTrainingSession(hooks=3), TypeError, ("'hooks' must be a list or None", "3")),
    "a hook": (lambda: gc.train.MonitoredTrainingSession(hooks=[3]), TypeError, ("'hooks'", "[3]", "begin")),
    "dataset": (lambda: Dataset.range(3).concatenate(3), TypeError, ("'dataset' must be a Dataset", "3 of type int")),
    "datasets": (lambda: Dataset.zip(3), TypeError, ("Dataset.zip", "3")),
    "rows of two lengths": (lambda: Dataset.from_tensor_slices([[1, 2], [3]]), ValueError,
                            ("unequal lengths", "[[1, 2], [3]]", "from_tensor_slices, argument 'tensors'")),
    "cell": (lambda: gc.nn.dynamic_rnn(3, gc.ones([2, 3, 4]), dtype=gc.float32), TypeError, ("'cell' (3)", "RNNCell")),
    "one of the cells": (lambda: rnn.MultiRNNCell([rnn.GRUCell(2), "x"]), TypeError, ("'cells[1]' (x)", "RNNCell")),
    "units": (lambda: rnn.LSTMCell("x"), TypeError, ("LSTMCell", "'num_units' must be an integer", "'x' of type str")),
    "negative units": (lambda: rnn.GRUCell(-2), ValueError, ("GRUCell", "'num_units'", "at least 0", "-2 of type int")),
    "column": (lambda: gc.feature_column.embedding_column(3, 2), ValueError, ("categorical_column", "3")),
    "sparse": (lambda: gc.sparse_tensor_to_dense(3), TypeError, ("'sp_input'", "SparseTensor", "3")),
    "initializer": (lambda: gc.layers.dense(x(), 3, kernel_initializer=3), ValueError, ("3", "name or a function")),
    "activation": (lambda: gc.contrib.layers.fully_connected(x(), 3, activation_fn=3), TypeError,
                   ("fully_connected", "'activation_fn' must be a function", "3 of type int")),
    "directory": (lambda: gc.train.latest_checkpoint(3), TypeError, ("latest_checkpoint", "'checkpoint_dir'", "3")),
    "logdir": (lambda: gc.summary.FileWriter(3), TypeError, ("FileWriter", "'logdir' must be a string", "3 of type")),
    "arity": (lambda: Dataset.range(3).map(lambda a, b: a), TypeError, ("Dataset.map", "'map_func'", "argument: 'b'")),
    "no variables": (lambda: gc.contrib.framework.assign_from_checkpoint("none", "x"), TypeError,
                     ("'var_list'", "holds 'x' of type str", "assign_from_checkpoint")),
    "no reader": (lambda: gc.contrib.slim.parallel_reader.single_pass_read("x", object), TypeError,
                  ("'reader_class' must be a class of readers", "object", "single_pass_read")),
    "a layer of nothing": (lambda: gc.layers.flatten([]), ValueError,
                           ("Input 0 of layer flatten", "[]", "layers.flatten")),
    "an open file": (lambda: gc.io.gfile.copy(0, "x"), TypeError, ("gfile.copy", "'src' cannot be 0 of type int")),
    "a program without main": (lambda: gc.compat.v1.app.run(), ValueError, ("'main' is None", "app.run")),
    # a call that does not fit, or what is missing
    "a misspelt keyword": (lambda: gc.reduce_sum(x(), axiss=0), TypeError,
                           ("gc.reduce_sum() got an unexpected keyword argument 'axiss'; did you mean 'axis'?",)),
    "a keyword of something else": (lambda: gc.nn.relu(x(), training=True), TypeError,
                                    ("gc.nn.relu()", "'training'; it takes features, name")),
    "a keyword of a class": (lambda: gc.train.AdamOptimizer(lr=0.1), TypeError,
                             ("'lr'; it takes learning_rate, beta1",)),
    "a learning rate of text": (lambda: gc.train.AdamOptimizer("0.1"), TypeError,
                                ("gc.train.AdamOptimizer", "'learning_rate' must be a number", "'0.1' of type str")),
    "nothing to train": (lambda: gc.train.AdamOptimizer().minimize(gc.reduce_sum(x()), var_list=[]), ValueError,
                         ("No variables to optimize: var_list is empty",)),
    "a size of None": (lambda: gc.zeros([None, 3]), TypeError, ("None does not convert to a tensor", "gc.shape(x)[i]")),
    "labels as rows of probabilities": (
        lambda: gc.nn.sparse_softmax_cross_entropy_with_logits(labels=gc.ones([4, 2], gc.int32), logits=x()),
        ValueError, ("Rank of labels (received 2)", "numbers of classes", "gc.nn.softmax_cross_entropy_with_logits")),
    # what works after the call: iterators, contexts, functions
    "walk": (lambda: list(gc.io.gfile.walk(3)), TypeError, ("gfile.walk: argument 'top' cannot be 3 of type int",)),
    "checkpoints": (lambda: next(gc.train.checkpoints_iterator(object)), TypeError,
                    ("checkpoints_iterator: argument 'checkpoint_dir'", "object")),
    "controls": (lambda: _entered(gc.control_dependencies([1])), TypeError,
                 ("Can not convert a int", "control_dependencies, argument 'control_inputs'")),
    "neighbour": (lambda: _entered(gc.colocate_with(3)), TypeError, ("colocate_with, argument 'op'",)),
    "scope": (lambda: _entered(gc.name_scope(3)), TypeError, ("'name' must be a string or None, not 3 of type int",)),
    "scope of values": (lambda: gc.op_scope(object, "x"), TypeError, ("'values' cannot be <class 'object'>",)),
    "variables of values": (lambda: gc.variable_op_scope(object, "x"), TypeError,
                            ("'values' cannot be <class 'object'>",)),
    "variables of no name": (lambda: gc.variable_scope(None, 3), TypeError, ("'default_name' must be a string", "3")),
    "letters": (lambda: gc.contrib.rnn.best_effort_input_batch_size("xy"), TypeError, ("'flat_input' cannot be 'xy'",)),
    "no scale": (lambda: gc.contrib.layers.l2_regularizer("x"), TypeError,
                 ("l2_regularizer: argument 'scale' must be a number, not 'x'",)),
    "no weights": (lambda: gc.contrib.layers.l2_regularizer(0.1)("x"), TypeError,
                   ("what gc.contrib.layers.l2_regularizer gives: argument 'weights' cannot be 'x'",)),
    "arity of a gradient": (lambda: gc.grad_pass_through(lambda a, b: a)(x()), TypeError,
                            ("argument 'f'", "(a, b)", "missing a required argument: 'b'", "grad_pass_through")),
    "arity with a gradient": (lambda: gc.custom_gradient(lambda a, b: a)(x()), TypeError,
                              ("missing a required argument: 'b'", "custom_gradient")),
    # functions that are made of others, or stand before api/
    "layer with an activation": (lambda: gc.contrib.layers.relu(x(), 1.5), ValueError,
                                 ("num_outputs type should be int", "1.5", "contrib.layers.relu")),
    "dtype of nothing": (lambda: gc.as_dtype(None), TypeError, ("cannot convert None", "in gc.as_dtype")),
    "no tensor": (lambda: gc.convert_to_tensor(object), TypeError,
                  ("object", "in gc.convert_to_tensor, argument 'value'")),
    "passes": (lambda: gc.pass_table(3), TypeError, ("gc.pass_table: argument 'fetches' must be a list, not 3",)),
    "name": (lambda: gc.add(x(), x(), name=3), TypeError, ("gc.add", "'name'", "3 of type int")),
    # numbers
    "kernel of nothing": (lambda: gc.layers.conv2d(picture(), 2, 0), ValueError, ("`kernel_size`", "positive", "0")),
    "strides of nothing": (lambda: gc.layers.conv2d(picture(), 2, 3, strides=0), ValueError, ("`strides`", "positive")),
    "half strides": (lambda: gc.nn.conv2d(picture(), gc.ones([1, 1, 4, 2]), [1, 1.5, 1, 1], "SAME"), TypeError,
                     ("integer", "1.5", "gc.nn.conv2d, argument 'strides'")),
    "half windows": (lambda: gc.nn.max_pool(picture(), [1, 2.5, 2, 1], 1, "SAME"), TypeError,
                     ("integer", "2.5", "gc.nn.max_pool, argument 'ksize'")),
    "half a class": (lambda: gc.nn.in_top_k(x(), [0, 0, 0, 0], 1.5), TypeError, ("1.5", "in_top_k, argument 'k'")),
    "groups": (lambda: gc.contrib.layers.group_norm(picture(), 0), ValueError, ("norm", "'groups'", "at least 1")),
    "maxout": (lambda: gc.contrib.layers.maxout(x(), 0), ValueError, ("maxout", "'num_units' cannot be 0")),
    "half a part": (lambda: gc.split(x(), 1.5), TypeError, ("split", "'num_or_size_splits'", "1.5")),
    "no parts": (lambda: gc.split(x(), 0), ValueError, ("split", "'num_or_size_splits'", "0")),
    "half sizes": (lambda: gc.split(x(), [0.5, 3.5]), TypeError, ("split", "'num_or_size_splits'", "[0.5, 3.5]")),
    "paddings": (lambda: gc.pad([1], [[0]]), ValueError, ("gc.pad", "'paddings' cannot be [[0]]")),
    "crop": (lambda: gc.random_crop(x(), [1]), ValueError, ("gc.random_crop", "'size' cannot be [1]")),
    "norm": (lambda: gc.clip_by_global_norm([x()], 1., use_norm=2.), TypeError, ("'use_norm' cannot be 2.0",)),
    "two of one value": (lambda: _clip(1.), TypeError, ("clip_norm = 1.0", "use_norm = 1.0")),
    # tensors
    "strings in a layer": (lambda: gc.layers.dense([["a"]], 3), TypeError, ("dense", "'inputs' cannot be [['a']]")),
    "no labels": (lambda: gc.metrics.accuracy(None, 3), TypeError, ("gc.metrics.accuracy", "'labels' cannot be None")),
    "integers to a transposed convolution": (lambda: gc.nn.conv2d_transpose([1], [2], [3], [4]), TypeError,
                                             ("argument 'filter' has dtype int32",)),
    "columns of a file": (lambda: gc.decode_csv(["1"], []), ValueError, ("decode_csv", "'record_defaults'", "empty")),
    "counts of strings": (lambda: gc.math.bincount([1], dtype=gc.string), TypeError, ("bincount", "'dtype'", "string")),
    "dtype": (lambda: gc.cast(x(), "float33"), TypeError, ("'float33'", "gc.cast, argument 'dtype'")),
    "structure": (lambda: gc.while_loop(lambda i, j: i < 3, lambda i, j: [i], [0, 1]), ValueError,
                  ("while_loop", "[0, 1]", "structure")),
}


def _run_twice() -> None:
    value = gc.placeholder(gc.float32, [])
    session = gc.Session()
    session.run(value, {value: 1.})
    session.run(value, [value])


def _entered(context: Any) -> None:
    with context:
        pass


def _clip(number: float) -> None:
    gc.clip_by_global_norm([x()], number, use_norm=number)


@pytest.mark.parametrize("name", CASES)
def test_message(name: str) -> None:
    call, kind, words = CASES[name]
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert re.search(".*".join(map(re.escape, words)), message, re.DOTALL), message
    assert f"called at {__file__}:" in message or f"built at {__file__}:" in message


def test_what_the_users_own_classes_do_is_not_asked() -> None:
    class Cell:                                         # no RNNCell, but all that one is asked
        output_size = state_size = 2

        def zero_state(self, batch_size: Any, dtype: Any) -> gc.Tensor:
            return gc.zeros([batch_size, 2], dtype)

        def __call__(self, inputs: gc.Tensor, state: gc.Tensor, scope: Any = None) -> tuple[gc.Tensor, gc.Tensor]:
            return inputs + state, inputs + state

    class Plain:                                        # no Optimizer, but all that one is asked
        def compute_gradients(self, loss: gc.Tensor, variables: Any, **more: Any) -> list[tuple[Any, Any]]:
            return list(zip(gc.gradients(loss, variables), variables, strict=True))

        def apply_gradients(self, pairs: Any, global_step: Any = None, name: Any = None) -> gc.Operation:
            return gc.group(*[variable.assign_sub(gradient) for gradient, variable in pairs])

    outputs, _ = gc.nn.dynamic_rnn(Cell(), gc.ones([1, 3, 2]), dtype=gc.float32)
    weight = gc.Variable(3.)
    train = gc.contrib.training.create_train_op(weight * weight, Plain())
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert np.array_equal(session.run(outputs)[0, :, 0], [1, 2, 3])
        session.run(train)
        assert session.run(weight) == -3.


def test_numbers_and_arrays_are_taken_as_ever() -> None:
    assert gc.layers.dense(np.ones([2, 3], np.float32), np.int64(4)).shape.as_list() == [2, 4]
    assert gc.nn.max_pool(picture(), (1, 2.0, np.int32(2), 1), 2, "SAME").shape.as_list() == [1, 2, 2, 4]
    assert gc.contrib.layers.group_norm(picture(), groups=np.int64(2)).shape.as_list() == [1, 4, 4, 4]


def test_a_bug_is_none_of_the_users() -> None:
    from graphc import tracebacks
    from graphc.api.math import unary

    code = compile("def broken(value):\n    return {}.missing\n", unary.__file__, "exec")
    names: dict[str, Any] = {"__name__": "graphc.api.math.unary"}
    exec(code, names)                                   # a function of graphc's with a bug
    with pytest.raises(AttributeError) as caught:
        tracebacks.user_facing(names["broken"], "gc.broken")(3)
    assert "argument" not in str(caught.value)
