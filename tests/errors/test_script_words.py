"""The most common faults in scripts of TensorFlow 1: what is said names the op, the argument, both values, the script's
own line and what to do, and it says tf. where the script does."""
from __future__ import annotations

import linecache
import re
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

import graphc.compat.v1

# name: the script; the class of the error; the line that it names; what else it says.
FAULTS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "no feed": ("""
x = tf.placeholder(tf.float32, [None, 3], name="x")
tf.Session().run(x * 2)
""", "InvalidArgumentError", "x = tf.placeholder", ("placeholder tensor 'x'", "float32", "(?, 3)", "feed_dict")),
    "uninitialised variable": ("""
v = tf.Variable(tf.zeros([2]), name="v")
tf.Session().run(v + 1)
""", "FailedPreconditionError", "v = tf.Variable", ("uninitialized value v", "tf.global_variables_initializer()")),
    "matmul": ("""
a = tf.placeholder(tf.float32, [None, 3], name="a")
c = tf.matmul(a, tf.zeros([4, 2]), name="c")
""", "ValueError", "c = tf.matmul", ("MatMul 'c'", "inner dimensions 3 and 4", "float32[?, 3] from 'a:0'")),
    "matmul of what is fed": ("""
a = tf.placeholder(tf.float32, [None, None], name="a")
c = tf.matmul(a, tf.zeros([4, 2]), name="c")
tf.Session().run(c, {a: np.ones([5, 3])})
""", "InvalidArgumentError", "c = tf.matmul", ("MatMul 'c'", "inner dimensions 3 and 4", "float32[5, 3] from 'a:0'")),
    "shape of a feed": ("""
x = tf.placeholder(tf.float32, [None, 3], name="x")
tf.Session().run(x * 2, {x: np.ones([5, 4])})
""", "ValueError", "x = tf.placeholder", ("shape (5, 4) for Tensor 'x:0'", "'(?, 3)'", "reshape the value")),
    "strings for numbers": ("""
x = tf.placeholder(tf.float32, [None], name="x")
tf.Session().run(x * 2, {x: ["a"]})
""", "ValueError", "x = tf.placeholder", ("Cannot feed ['a'] for Tensor 'x:0'", "float32")),
    "a tensor as a feed": ("""
x = tf.placeholder(tf.float32, [None], name="x")
tf.Session().run(x * 2, {x: tf.constant([1.0])})
""", "TypeError", "tf.Session().run", ("cannot be a tf.Tensor", "'x:0' is <tf.Tensor 'Const:0'", "session.run(it)")),
    "the name of an operation as a feed": ("""
x = tf.placeholder(tf.float32, [None], name="x")
tf.Session().run(x * 2, {"x": [1.0]})
""", "TypeError", "tf.Session().run", ("feed_dict key 'x'", "'x:0'")),
    "a tensor of another graph": ("""
with tf.Graph().as_default():
    x = tf.constant(1.0, name="x")
tf.Session(graph=tf.Graph()).run(x)
""", "UnknownElementError", "x = tf.constant", ("<tf.Tensor 'x:0'", "not an element of this", "tf.Session(graph=")),
    "a tensor of another graph as an operand": ("""
with tf.Graph().as_default():
    x = tf.constant(1.0, name="x")
y = tf.constant(1.0) + x
""", "ValueError", "x = tf.constant", ("AddV2: <tf.Tensor 'x:0'", "another graph", "graph.as_default()")),
    "a tensor of a loop's body": ("""
kept = []
def body(i):
    kept.append(i * 2)
    return i + 1
tf.while_loop(lambda i: i < 3, body, [tf.constant(0)])
y = kept[0] + 1
""", "ValueError", "kept.append(i * 2)", ("<tf.Tensor 'mul:0'", "inside the body", "return it from the body")),
    "a tensor of a loop's body as a fetch": ("""
kept = []
tf.while_loop(lambda i: i < 3, lambda i: kept.append(i * 2) or i + 1, [tf.constant(0)])
tf.Session().run(kept[0])
""", "UnknownElementError", "tf.while_loop", ("<tf.Tensor 'mul:0'", "return it from the body")),
    "cond without functions": ("""
x = tf.constant(1.0)
y = tf.cond(x > 0, x + 1, x - 1)
""", "TypeError", "y = tf.cond", ("argument 'true_fn' must be callable", "<tf.Tensor 'add:0'", "lambda: ")),
    "cond of two dtypes": ("""
x = tf.constant(1.0)
y = tf.cond(x > 0, lambda: x, lambda: tf.constant(1))
""", "ValueError", "y = tf.cond", ("cond: ", "float32, int32", "tf.cast")),
    "if of a tensor": ("""
x = tf.constant(1.0)
y = 1 if x > 0 else 2
""", "TypeError", "y = 1 if", ("'Greater:0' has no truth value", "use tf.cond")),
    "a loop that grows": ("""
x = tf.zeros([1])
r = tf.while_loop(lambda x: True, lambda x: tf.concat([x, x], 0), [x])
""", "ValueError", "r = tf.while_loop", ("loop variable 0", "(1,)", "(2,)", "shape_invariants")),
    "a loop of two dtypes": ("""
r = tf.while_loop(lambda i: i < 3, lambda i: tf.cast(i, tf.float32), [tf.constant(0)])
""", "TypeError", "r = tf.while_loop", ("loop variable 0", "int32", "float32", "cast one of them")),
    "a loop of two numbers of values": ("""
r = tf.while_loop(lambda i: i < 3, lambda i: (i + 1, i), [tf.constant(0)])
""", "ValueError", "r = tf.while_loop", ("loop_vars and what body returns",)),
    "get_variable twice": ("""
v = tf.get_variable("w", [2])
w = tf.get_variable("w", [2])
""", "ValueError", "faulty.py:2", ("Variable w already exists", "reuse=tf.AUTO_REUSE", "faulty.py:3")),
    "get_variable of another shape": ("""
v = tf.get_variable("w", [2])
with tf.variable_scope("", reuse=True):
    w = tf.get_variable("w", [3])
""", "ValueError", "faulty.py:4", ("variable w", "(3,)", "(2,)", "faulty.py:2")),
    "two dtypes": ("""
c = tf.add(tf.constant(1.0, name="a"), tf.constant(1, name="b"), name="c")
""", "TypeError", "c = tf.add", ("'c'", "argument 'y' has dtype int32", "'x' has float32", "tf.cast")),
    "two shapes": ("""
c = tf.add(tf.zeros([2], name="a"), tf.zeros([3], name="b"), name="c")
""", "ValueError", "c = tf.add", ("'c'", "(2,) and (3,)", "'a:0'", "'b:0'")),
    "no such checkpoint": ("""
v = tf.Variable(1.0)
tf.train.Saver().restore(tf.Session(), "nowhere/model.ckpt")
""", "ValueError", "tf.train.Saver().restore", ("not a valid checkpoint: nowhere/model.ckpt",)),
    "no newest checkpoint": ("""
v = tf.Variable(1.0)
tf.train.Saver().restore(tf.Session(), tf.train.latest_checkpoint("nowhere"))
""", "ValueError", "tf.train.Saver().restore", ("save_path when it is None", "tf.train.latest_checkpoint")),
    "a checkpoint of another shape": ("""
v = tf.Variable([1.0, 2.0], name="v")
with tf.Session() as session:
    session.run(v.initializer)
    path = tf.train.Saver().save(session, "model.ckpt")
with tf.Graph().as_default(), tf.Session() as session:
    v = tf.Variable([1.0, 2.0, 3.0], name="v")
    tf.train.Saver().restore(session, path)
""", "InvalidArgumentError", "v = tf.Variable([1.0, 2.0, 3.0]", ("lhs shape= [3] rhs shape= [2]", "variable 'v'")),
    "an unknown size as a number": ("""
x = tf.placeholder(tf.float32, [None, 3])
w = tf.zeros([x.shape[0], 3])
""", "TypeError", "w = tf.zeros", ("Dimension is unknown", "tf.shape(x)[axis]")),
    "NumPy on a tensor": ("""
y = np.sin(tf.constant([1.0]))
""", "TypeError", "y = np.sin", ("'Const:0'", "session.run", "tf.exp")),
    "no gradient": ("""
v = tf.Variable(1.0, name="v")
loss = tf.cast(tf.argmax([v, 2.0]), tf.float32)
tf.train.AdamOptimizer().minimize(loss)
""", "ValueError", "loss = tf.cast", ("ArgMax", "int64, which has no gradient")),
    "a method of a class": ("""
tf.train.Saver(max_to_keep=1)
""", "ValueError", "tf.train.Saver", ("in tf.train.Saver", "No variables to save")),
    "no such name": ("""
tf.reduce_summ([1.0])
""", "AttributeError", "", ("tf.reduce_summ", "'reduce_sum'")),
    "no such name, but advice": ("""
tf.linalg.eig([[1.0]])
""", "AttributeError", "", ("tf.linalg.eig", "use instead: tf.py_func")),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a script; what it raises is as the script's user sees it."""
    monkeypatch.chdir(tmp_path)

    def script(text: str, **names: object) -> None:
        path = str(tmp_path / "faulty.py")
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
        main = types.ModuleType("__main__")
        vars(main).update(names)
        exec(compile(text, path, "exec"), vars(main))

    return script


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_said(run, fault: str) -> None:
    text, kind, at, says = FAULTS[fault]
    with pytest.raises(Exception) as caught:
        run(text, tf=graphc.compat.v1, np=np)
    said = str(caught.value)
    assert type(caught.value).__name__ == kind
    assert not re.search(r"\bgc\.", said), said
    own = re.sub(r"(?m)( at \S+faulty\.py:\d+): .*$", r"\1", said)          # without the lines of the script
    assert [word for word in says if word not in own] == [], said
    if at:
        assert at in said and "faulty.py:" in said, said


@pytest.mark.parametrize("name", ["gc", "g", "tf", "tensorflow"])
def test_the_name_that_the_script_has(run, name: str) -> None:
    module = graphc.compat.v1 if name.startswith("t") else graphc
    with pytest.raises(ValueError, match=rf"use {re.escape(name)}\.train\.get_or_create_global_step"):
        run(f"{name}.train.create_global_step(); {name}.train.create_global_step()", **{name: module})
    with pytest.raises(TypeError, match=rf"^(?s:.*)\n  in {re.escape(name)}\.Session\.run, called at "):
        run(f"{name}.Session().run(None)", **{name: module})


def test_lines_of_the_script_stay_as_they_are(run) -> None:
    with pytest.raises(ValueError, match=r": gc\.collect\(\); tf\.zeros\(\[2\]\) \+ tf\.zeros\(\[3\]\)$"):
        run("import gc\ngc.collect(); tf.zeros([2]) + tf.zeros([3])", tf=graphc.compat.v1)


def test_errors_of_the_script_stay_as_they_are(run) -> None:
    text = "def f():\n    raise ValueError('gc.freeze')\ntf.cond(tf.constant(True), f, f)"
    with pytest.raises(ValueError, match=r"^gc\.freeze$"):
        run(text, tf=graphc.compat.v1)
    with pytest.raises(tf_errors().OpError, match=r"^gc\.freeze$"):
        run("raise tf.errors.NotFoundError(None, None, 'gc.freeze')", tf=graphc.compat.v1)


def tf_errors() -> types.ModuleType:
    return graphc.compat.v1.errors


def test_warnings(run) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run("""
x = tf.layers.batch_normalization(tf.placeholder(tf.float32, [4, 3]), training=True)
train = tf.train.AdamOptimizer().minimize(tf.reduce_sum(x))
""", tf=graphc.compat.v1)
    said = [str(one.message) for one in told if "minimize() leaves out" in str(one.message)]
    assert len(said) == 1 and "with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS))" in said[0]
    assert "gc." not in said[0]


def test_the_launcher(tmp_path: Path) -> None:
    path = tmp_path / "faulty.py"
    path.write_text("""
import threading
import tensorflow as tf

def fail():
    tf.train.create_global_step()
    try:
        tf.train.create_global_step()
    except ValueError as error:
        print(error)

thread = threading.Thread(target=fail)
thread.start()
thread.join()
v = tf.Variable(1.0, name="v")
tf.Session().run(v)
""")
    done = subprocess.run([sys.executable, "-m", "graphc.cli", "tf1", str(path)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert "tf.train.get_or_create_global_step()" in done.stdout
    assert "tf.global_variables_initializer()" in done.stderr and "v = tf.Variable(1.0" in done.stderr
    assert not re.search(r"\bgc\.", done.stdout + done.stderr)
