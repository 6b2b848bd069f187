"""What a user is told when a run cannot be: one case per error, the full message."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

FILE = str(Path(__file__))
pytestmark = pytest.mark.quotes


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


def line() -> int:
    """The line that calls this."""
    return inspect.currentframe().f_back.f_lineno


def built(number: int) -> str:
    """What a message says of an op built on that line of this file."""
    source = Path(FILE).read_text().splitlines()[number - 1].strip()
    return f"\n  built at {FILE}:{number}: {source}"


def message_of(kind: type[Exception], function: Callable[..., Any], *arguments: Any, **more: Any) -> str:
    with pytest.raises(kind) as caught:
        function(*arguments, **more)
    return str(caught.value).partition("\n  in gc.")[0]    # where it was called: test_tracebacks.py


def test_missing_feed() -> None:
    x = gc.placeholder(gc.float32, [None, 3], name="x"); at = line()  # noqa: E702
    assert message_of(gc.errors.InvalidArgumentError, gc.Session().run, x + 1.0) == (
        "You must feed a value for placeholder tensor 'x' with dtype float32 and shape (?, 3): add it to feed_dict"
        + built(at))


def test_feed_of_wrong_shape() -> None:
    x = gc.placeholder(gc.float32, [None, 3], name="x"); at = line()  # noqa: E702
    expected = ("Cannot feed value of shape {} for Tensor 'x:0', which has shape '(?, 3)'" + built(at) +
                "\n  reshape the value, or declare the placeholder with None for axes whose size varies")
    for value in (np.ones(3), np.ones((2, 2)), 1.0):
        shape = np.shape(value)
        assert message_of(ValueError, gc.Session().run, x, {x: value}) == expected.format(shape)


def test_feed_that_does_not_convert() -> None:
    x = gc.placeholder(gc.float32, [None], name="x"); at = line()  # noqa: E702
    session = gc.Session()
    assert message_of(ValueError, session.run, x, {x: ["a", "b"]}) == (
        "Cannot feed ['a', 'b'] for Tensor 'x:0', which has dtype float32: could not convert string to float: 'a'"
        + built(at) + "\n  feed values that convert to float32, all rows of one length")
    assert message_of(TypeError, session.run, x, {x: None}) == (
        "The feed for 'x:0' is None" + built(at) + "\n  feed a number, list or array")
    tensor = gc.constant(1.0)
    assert message_of(TypeError, session.run, x, {x: tensor}) == (
        "The value of a feed cannot be a gc.Tensor object. Acceptable feed values include Python scalars, strings, "
        "lists, "
        f"numpy ndarrays. The feed for 'x:0' is {tensor!r}; evaluate it first: session.run(it)")


def test_feed_out_of_range() -> None:
    x = gc.placeholder(gc.int32, name="x"); at = line()  # noqa: E702
    assert message_of(TypeError, gc.Session().run, x, {x: 2**40}) == (
        "Type of feed value 1099511627776 with type int is not compatible with Tensor type int32: 'x:0' cannot hold it "
        "exactly" + built(at) + "\n  Try explicitly setting the type of the feed tensor to a larger type (e.g. int64)")


def test_feed_keys() -> None:
    x = gc.placeholder(gc.float32, name="weights")
    session = gc.Session()
    assert message_of(TypeError, session.run, x, {"weighs:0": 1.0}) == (
        "Cannot interpret feed_dict key 'weighs:0' as Tensor: The name 'weighs:0' refers to a Tensor which does not "
        "exist. "
        "The operation, 'weighs', does not exist in the graph; did you mean 'weights'?")
    assert message_of(TypeError, session.run, x, {None: 1.0}) == (
        "Cannot interpret feed_dict key None as Tensor: Can not convert a NoneType into a Tensor.")
    assert message_of(TypeError, session.run, x, [(x, 1.0)]) == (
        "Session.run: argument 'feed_dict' must be a dict {placeholder: value}, but is list")


def test_fetch_of_none() -> None:
    x = gc.constant(1.0)
    assert message_of(TypeError, gc.Session().run, {"a": [x, None]}) == (
        "Fetch argument None has invalid type <class 'NoneType'> (at fetches['a'][1]). Likely causes: an entry "
        "of gc.gradients(...) for a variable that the loss does not depend on; a merged summary of a graph without "
        "summaries; a function that lacks its `return`; the result of an earlier session.run of an operation kept "
        "under the operation's name")


def test_fetch_of_something_else() -> None:
    gc.constant(1.0)
    assert message_of(TypeError, gc.Session().run, [3.5]) == (
        "Fetch argument 3.5 has invalid type float, must be a string, Tensor, Operation or Variable, or a list, tuple "
        "or dict "
        "of those (at fetches[0]). (Can not convert a float into a Tensor or Operation.)")


def test_unknown_name() -> None:
    gc.constant(1.0, name="logits")
    expected = ("Fetch argument 'logit:0' (at fetches) cannot be interpreted as a Tensor. The name 'logit:0' refers to "
                "a Tensor "
                "which does not exist. The operation, 'logit', does not exist in the graph; did you mean 'logits'?")
    assert message_of(ValueError, gc.Session().run, "logit:0") == expected
    assert message_of(KeyError, gc.Session().run, "logit:0") == expected


def test_tensor_of_another_graph() -> None:
    gc.constant(1.0)
    with gc.Graph().as_default():
        other, at = gc.constant(2.0, name="other"), line()
    assert message_of(ValueError, gc.Session().run, other) == (
        f"Fetch argument {other!r} (at fetches) cannot be interpreted as a Tensor. Tensor {other} is not an element of "
        f"this graph.{built(at)}\n  the session runs another graph than the one that this belongs to: make it with "
        "gc.Session(graph=...)")


def test_uninitialised_variable() -> None:
    v = gc.Variable(1.0, name="v"); at = line()  # noqa: E702
    assert message_of(gc.errors.FailedPreconditionError, gc.Session().run, v + 1.0) == (
        "VariableV2 'v': Attempting to use uninitialized value v: run its initializer first, "
        "session.run(gc.global_variables_initializer())" + built(at))


def test_exception_in_a_python_function() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        return {"a": x}["b"]

    y = gc.py_func(broken, [gc.constant(1.0)], gc.float32, name="broken"); at = line()  # noqa: E702
    with pytest.raises(gc.errors.UnknownError) as caught:
        gc.Session().run(y)
    text = str(caught.value)
    assert text.startswith("PyFunc 'broken': KeyError: 'b'\n") and 'return {"a": x}["b"]' in text
    assert text.endswith(built(at))
    assert isinstance(caught.value.__cause__, KeyError) and caught.value.__cause__.__traceback__ is not None


def test_python_function_of_a_wrong_dtype() -> None:
    y = gc.py_func(lambda x: x.astype(np.float64), [gc.constant(1.0)], gc.float32, name="f"); at = line()  # noqa: E702
    assert message_of(gc.errors.InvalidArgumentError, gc.Session().run, y) == (
        "PyFunc 'f': value 0 returned by the function is float64, but Tout says float32; return it with "
        ".astype(np.float32), or change Tout" + built(at))


def test_closed_and_empty() -> None:
    session = gc.Session()
    assert message_of(RuntimeError, session.run, []) == (
        "The Session graph is empty. Add operations to the graph before calling run().")
    x = gc.constant(1.0)
    session.close()
    assert message_of(RuntimeError, session.run, x) == (
        "Attempted to use a closed Session. Make a new one; its variables start anew, or from a checkpoint")


def test_options_of_a_run() -> None:
    x = gc.constant(1.0)
    assert message_of(TypeError, gc.Session().run, x, None, {x: 2.0}) == (
        "Session.run: argument 'options' must be a gc.RunOptions, but is dict; feeds go into the second argument, a "
        "dict")


def test_arguments_of_session() -> None:
    assert message_of(TypeError, gc.Session, gc.Graph()) == (
        "Session: the first argument is `target`; write gc.Session(graph=...)")
    assert message_of(TypeError, gc.Session, config={"a": 1}) == (
        "Session: argument 'config' must be a gc.ConfigProto, but is dict; write "
        "gc.Session(config=gc.ConfigProto(...)) "
        "(the first argument of Session is `target`)")
    assert message_of(gc.errors.UnimplementedError, gc.Session, "grpc://host:1") == (
        "Session: target 'grpc://host:1' names a server that is not in this process; sessions run in this process "
        "only")


def test_index_out_of_range() -> None:
    i = gc.placeholder(gc.int32, [None])
    y = gc.gather(gc.constant([1.0, 2.0]), i, name="rows"); at = line()  # noqa: E702
    text = message_of(gc.errors.InvalidArgumentError, gc.Session().run, y, {i: [0, 5]})
    assert text == "GatherV2 'rows': index 5 is not in [0, 2)" + built(at)


def test_guard() -> None:
    a, b = gc.placeholder(gc.float32, [None, 2]), gc.placeholder(gc.float32, [None, 2])
    y = gc.matmul(a, b, name="product"); at = line()  # noqa: E702
    text = message_of(gc.errors.InvalidArgumentError, gc.Session().run, y, {a: np.ones((3, 2)), b: np.ones((4, 2))})
    assert text.startswith("MatMul 'product': ") and "2 and 4" in text and text.endswith(built(at))


def test_variable_scope_clashes() -> None:
    gc.get_variable("w", [2]); first = line()  # noqa: E702
    with pytest.raises(ValueError) as caught:
        gc.get_variable("w", [2])
    second = first + 2
    assert str(caught.value) == (
        "Variable w already exists, disallowed. Did you mean to set reuse=True or reuse=gc.AUTO_REUSE in VarScope?\n"
        f"  first made at {FILE}:{first}\n  made again at {FILE}:{second}\n  to share it write gc.variable_scope(..., "
        "reuse=gc.AUTO_REUSE); to start over, gc.reset_default_graph()")
    with gc.variable_scope("", reuse=True):
        assert message_of(ValueError, gc.get_variable, "w", [3]).startswith(
            "Trying to share variable w, but specified shape (3,) and found shape (2,).")
        assert message_of(ValueError, gc.get_variable, "v", [3]).startswith(
            "Variable v does not exist, or was not created with gc.get_variable()")


def test_variables() -> None:
    assert message_of(ValueError, gc.Variable).startswith("initial_value must be specified.")
    v = gc.Variable([1.0, 2.0], name="v")
    assert "the variable has shape (2,), but the value (3,)" in message_of(ValueError, v.assign, [1.0, 2.0, 3.0])
    assert message_of(ValueError, gc.assign, gc.constant(1.0), 2.0).startswith(
        "Assign: argument 'ref' must be a variable")
    assert message_of(ValueError, gc.train.GradientDescentOptimizer(0.1).minimize, gc.constant(1.0)).startswith(
        "No gradients provided for any variable")


def test_fetching_a_function() -> None:
    for session in (gc.Session(), gc.Session(graph=gc.Graph())):
        text = message_of(TypeError, session.run, gc.global_variables_initializer)
        assert text.endswith("\n  the function itself is fetched: call it, with ()")


def test_an_empty_graph_does_not_hide_the_mistake() -> None:
    x = gc.constant(1.0)
    session = gc.Session(graph=gc.Graph())
    assert "the session runs another graph" in message_of(ValueError, session.run, x)
    assert "Fetch argument None" in message_of(TypeError, session.run, None)


def test_finalized_graph() -> None:
    gc.constant(1.0)
    gc.get_default_graph().finalize()
    assert message_of(RuntimeError, gc.constant, 2.0).startswith("Graph is finalized and cannot be modified: something "
                                                                 "adds operations after graph.finalize().")


def test_variable_of_mixed_values() -> None:
    assert message_of(TypeError, gc.Variable, [1, 2, "a"]) == (
        "[1, 2, 'a'] mixes strings and numbers ('a' is of type str): a tensor holds values of one dtype")


def test_loss_without_a_way_to_the_variables() -> None:
    v = gc.Variable([1.0, 2.0], name="v")
    minimize = gc.train.GradientDescentOptimizer(0.1).minimize
    best = gc.argmax(v * 2.0, 0, name="best"); at = line()  # noqa: E702
    before = gc.get_default_graph().version
    text = message_of(ValueError, minimize, gc.reduce_sum(gc.cast(best, gc.float32)))
    assert text.startswith("No gradients provided for any variable") and text.endswith(
        "the way from the loss to the variables ends at ArgMax 'best': it gives int64, which has no gradient"
        + built(at))
    whole = gc.floor(v, name="whole"); at = line()  # noqa: E702
    text = message_of(ValueError, minimize, gc.reduce_sum(whole * 3.0))
    assert text.endswith("ends at Floor 'whole': it passes no gradient on to its inputs" + built(at))
    other = gc.constant(1.0, name="other"); at = line()  # noqa: E702
    text = message_of(ValueError, minimize, other)
    assert text.endswith("the loss 'other:0' depends on none of the variables v:0" + built(at))
    assert not [c for c in v._ref().consumers() if c.name not in gc.get_default_graph()._operations]
    assert gc.get_default_graph().version > before


def test_picture_without_a_batch_axis() -> None:
    text = message_of(ValueError, gc.nn.conv2d, gc.placeholder(gc.float32, [28, 28, 3]), gc.zeros([3, 3, 3, 8]),
                      [1, 1, 1, 1], "SAME")
    assert "argument 'input' must have rank 4, but its shape is (28, 28, 3); for a single picture, add a batch axis: " \
           "gc.expand_dims(x, 0)\n" in text


def test_iterating_over_a_tensor() -> None:
    x = gc.placeholder(gc.float32, [None], name="x")
    assert message_of(TypeError, list, x).startswith(
        "the Tensor 'x:0' cannot be iterated over while the graph is built: gc.unstack(t) gives a list of its slices")


def test_dump_of_a_misspelt_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_DUMP", "fusee")
    assert message_of(ValueError, gc.Session().run, gc.constant(1.0) + 1.0).partition("\n")[0].endswith(
        "fold_batch_norm, prepare, weights_in_bodies, attention_strides, split_parts, fuse; did you mean 'fuse'?")
