"""Strings are fed, computed and fetched like numbers: through structure, control flow, lists, queues and variables."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as graph:
        yield graph


def strings(*values: Any) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made


def same(found: Any, *expected: bytes) -> None:
    assert isinstance(found, np.ndarray) and found.dtype == object
    assert found.ravel().tolist() == list(expected)


@pytest.mark.parametrize("fed", [
    ["a", b"b"], ("a", "b"), np.array(["a", "b"]), np.array([b"a", b"b"]), np.array(["a", b"b"], object),
    [np.str_("a"), np.bytes_(b"b")],
])
def test_feeds(fed: Any) -> None:
    x = gc.placeholder(gc.string, [None])
    with gc.Session() as session:
        same(session.run(gc.identity(x), {x: fed}), b"a", b"b")
        same(session.run(x, {x: fed}), b"a", b"b")


def test_a_scalar_is_bytes() -> None:
    x = gc.placeholder(gc.string, [])
    with gc.Session() as session:
        found = session.run([x, gc.identity(x), gc.constant("c"), gc.reshape(x, [1])], {x: "ä\0 "})
    assert found[:3] == ["ä\0 ".encode(), "ä\0 ".encode(), b"c"] and all(type(v) is bytes for v in found[:3])
    same(found[3], "ä\0 ".encode())


@pytest.mark.parametrize(("fed", "error", "message"), [
    ([1, 2], TypeError, "1 of type int is no string"),
    ([["a"]], ValueError, r"Cannot feed value of shape \(1, 1\) for Tensor 'x:0', which has shape '\(\?,\)'"),
    (None, TypeError, "is None"),
    ([["a", "b"], ["c"]], TypeError, "of type list is no string"),
])
def test_feeds_that_do_not_fit(fed: Any, error: type[Exception], message: str) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    with gc.Session() as session, pytest.raises(error, match=message):
        session.run(gc.identity(x), {x: fed})


def test_empty_tensors() -> None:
    x = gc.placeholder(gc.string, [None, 3])
    with gc.Session() as session:
        found = session.run([x, gc.concat([x, x], 0), gc.shape(x)], {x: np.zeros((0, 3), object)})
    assert found[1].shape == (0, 3) and found[1].dtype == object and found[2].tolist() == [0, 3]


STRUCTURE: list[tuple[Callable[[Any], Any], list[bytes]]] = [
    (lambda x: gc.reverse(x, [0]), [b"a", b"", b"b", b"a"]),
    (lambda x: gc.gather(x, [2, 2, 1]), [b"", b"", b"b"]),
    (lambda x: gc.gather_nd(x, [[3], [0]]), [b"a", b"a"]),
    (lambda x: gc.concat([x, ["z"]], 0), [b"a", b"b", b"", b"a", b"z"]),
    (lambda x: gc.stack([x, x], 1)[1], [b"b", b"b"]),
    (lambda x: gc.unstack(gc.reshape(x, [2, 2]))[1], [b"", b"a"]),
    (lambda x: gc.split(gc.reshape(x, [2, 2]), 2, 1)[1], [b"b", b"a"]),
    (lambda x: gc.slice(x, [1], [2]), [b"b", b""]),
    (lambda x: x[::-2], [b"a", b"b"]),
    (lambda x: gc.transpose(gc.reshape(x, [2, 2])), [b"a", b"", b"b", b"a"]),
    (lambda x: gc.tile(x[:2], [2]), [b"a", b"b", b"a", b"b"]),
    (lambda x: gc.fill([2], x[1]), [b"b", b"b"]),
    (lambda x: gc.squeeze(gc.expand_dims(x, 1)), [b"a", b"b", b"", b"a"]),
    (lambda x: gc.where(gc.equal(x, "a"), x, gc.fill([4], "no")), [b"a", b"no", b"no", b"a"]),
    (lambda x: gc.where_v2(gc.not_equal(x, "a"), x, "yes"), [b"yes", b"b", b"", b"yes"]),
    (lambda x: gc.boolean_mask(x, gc.equal(x, "")), [b""]),
    (lambda x: gc.unique(x)[0], [b"a", b"b", b""]),
    (lambda x: gc.dynamic_partition(x, [1, 0, 1, 0], 2)[1], [b"a", b""]),
    (lambda x: gc.dynamic_stitch([[3, 0], [1]], [x[:2], ["m"]]), [b"b", b"m", b"", b"a"]),
    (lambda x: gc.broadcast_to(x[1], [3]), [b"b", b"b", b"b"]),
    (lambda x: gc.pad(x[:1], [[1, 1]]), [b"", b"a", b""]),
    (lambda x: gc.pad(x[:1], [[1, 0]], constant_values="p"), [b"p", b"a"]),
    (lambda x: gc.scatter_nd([[2], [0], [2]], gc.concat([x[:2], ["r"]], 0), [4]), [b"b", b"", b"ar", b""]),
    (lambda x: gc.tensor_scatter_update(x, [[1]], ["new"]), [b"a", b"new", b"", b"a"]),
    (lambda x: gc.one_hot([1, 0], 2, on_value="on", off_value="off"), [b"off", b"on", b"on", b"off"]),
    (lambda x: gc.zeros_like(x), [b""] * 4),
    (lambda x: gc.zeros([2], gc.string), [b""] * 2),
    (lambda x: gc.placeholder_with_default(x, [None]), [b"a", b"b", b"", b"a"]),
    (lambda x: gc.setdiff1d(x, ["a"])[0], [b"b", b""]),
    (lambda x: gc.roll(x, 1, 0), [b"a", b"a", b"b", b""]),
    (lambda x: gc.stop_gradient(x), [b"a", b"b", b"", b"a"]),
    (lambda x: gc.guarantee_const(x), [b"a", b"b", b"", b"a"]),
    (lambda x: gc.map_fn(lambda s: gc.where(gc.equal(s, ""), "none", s), x), [b"a", b"b", b"none", b"a"]),
    (lambda x: gc.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, gc.concat([y[1:], y[:1]], 0)), [0, x],
                             shape_invariants=[gc.TensorShape([]), gc.TensorShape([None])])[1],
     [b"", b"a", b"a", b"b"]),
    (lambda x: gc.cond(gc.equal(x[0], "a"), lambda: x[1:], lambda: x[:1]), [b"b", b"", b"a"]),
    (lambda x: gc.TensorArray(gc.string, 4).unstack(x).gather([1, 0]), [b"b", b"a"]),
    (lambda x: gc.TensorArray(gc.string, 2, element_shape=[]).write(1, x[1]).stack(), [b"", b"b"]),
]


@pytest.mark.parametrize("number", range(len(STRUCTURE)))
@pytest.mark.parametrize("constant", [False, True])
def test_structure(number: int, constant: bool) -> None:
    function, expected = STRUCTURE[number]
    given = strings(b"a", b"b", b"", b"a")
    x = gc.constant(given) if constant else gc.placeholder(gc.string, [None])
    y = function(x)
    assert y.dtype == gc.string
    with gc.Session() as session:
        for _ in range(2):
            same(session.run(y, {} if constant else {x: given}), *expected)


def test_no_op_computes_with_the_numbers_of_strings() -> None:
    x = gc.placeholder(gc.string, [None])
    with pytest.raises(TypeError, match="string"):
        gc.less(x, x)
    with pytest.raises(TypeError, match="string"):
        gc.reduce_max(x)
    with pytest.raises(TypeError, match="string"):
        gc.cast(x, gc.int64)
    with pytest.raises(TypeError, match="string"):
        gc.sort(x)


def test_variables() -> None:
    x = gc.placeholder(gc.string, [2])
    v = gc.Variable(["a", "b"], name="v")
    w = gc.get_variable("w", initializer=gc.constant("s"))
    assign, before = v.assign(x), gc.identity(v)
    update = gc.scatter_update(v, [1], ["u"])
    with gc.Session() as session:
        with pytest.raises(gc.errors.FailedPreconditionError):
            session.run(v)
        session.run(gc.global_variables_initializer())
        same(session.run(v), b"a", b"b")
        assert session.run(w) == b"s"
        for i in range(5):       # what a variable holds is what is left of a run
            session.run(assign.op, {x: [f"x{i}", f"y{i}"]})
        same(session.run(v), b"x4", b"y4")
        same(session.run([assign, before], {x: ["p", "q"]})[1], b"x4", b"y4")
        same(session.run(update), b"p", b"u")
        v.load(["l", "m"], session)
        same(session.run(v.value()), b"l", b"m")


@pytest.mark.parametrize("kind", ["fifo", "shuffle", "padding", "priority"])
def test_queues(kind: str) -> None:
    queue: Any = {
        "fifo": lambda: gc.FIFOQueue(9, [gc.string], shapes=[[]]),
        "shuffle": lambda: gc.RandomShuffleQueue(9, 0, [gc.string], shapes=[[]]),
        "padding": lambda: gc.PaddingFIFOQueue(9, [gc.string], shapes=[[None]]),
        "priority": lambda: gc.PriorityQueue(9, [gc.string], shapes=[[]]),
    }[kind]()
    x = gc.placeholder(gc.string, [None] if kind == "padding" else [])
    put = queue.enqueue((gc.constant(1, gc.int64), x) if kind == "priority" else x)
    const = queue.enqueue([["c\0"]] if kind == "padding" else (gc.constant(2, gc.int64), "c\0") if kind == "priority"
                          else "c\0")
    taken = queue.dequeue_many(2)
    taken = taken[1] if kind == "priority" else taken
    with gc.Session() as session:
        session.run(put, {x: ["a\0", "b"] if kind == "padding" else "a\0"})
        session.run(const)
        found = session.run(taken)
    assert found.dtype == object
    expected = [b"a\0", b"b", b"c\0", b""] if kind == "padding" else [b"a\0", b"c\0"]
    assert sorted(found.ravel().tolist()) == sorted(expected)


def test_names_of_files_for_runners_of_queues() -> None:
    queue = gc.train.string_input_producer(["a", "b", "c"], num_epochs=2, shuffle=False)
    batch = gc.train.batch([queue.dequeue()], 3)
    with pytest.raises(ValueError, match="requires a non-null input tensor"):
        gc.train.string_input_producer([])
    with gc.Session() as session:
        session.run([gc.global_variables_initializer(), gc.local_variables_initializer()])
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        for _ in range(2):
            same(session.run(batch), b"a", b"b", b"c")
        with pytest.raises(gc.errors.OutOfRangeError):
            session.run(batch)
        coordinator.request_stop()
        coordinator.join(threads)


def test_python_functions() -> None:
    seen = []

    def function(scalar: Any, vector: Any) -> Any:
        seen.append((scalar, vector))
        return "ü", [b"1", "2\0"], np.array(["x"])

    x, y = gc.placeholder(gc.string, []), gc.placeholder(gc.string, [None])
    results = gc.py_func(function, [x, y], [gc.string, gc.string, gc.string])
    wrong = gc.py_func(lambda: 3, [], gc.string)
    with gc.Session() as session:
        for _ in range(2):
            found = session.run(results, {x: "s", y: ["p", ""]})
            assert found[0] == "ü".encode() and found[1].tolist() == [b"1", b"2\0"] and found[2].tolist() == [b"x"]
        assert seen[0][0] == b"s" and type(seen[0][0]) is bytes and seen[0][1].tolist() == [b"p", b""]
        with pytest.raises(gc.errors.InvalidArgumentError, match="3 of type int is no string"):
            session.run(wrong)


def test_what_is_printed_and_asserted(capfd: pytest.CaptureFixture[str]) -> None:
    x = gc.placeholder(gc.string, [None])
    y = gc.Print(x, [x, "constant"], "says: ")
    check = gc.Assert(gc.equal(gc.size(x), 2), ["wrong", x])
    with gc.Session() as session:
        same(session.run(y, {x: ["a", "b"]}), b"a", b"b")
        session.run(check, {x: ["a", "b"]})
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"\[wrong\] \[a\]"):
            session.run(check, {x: ["a"]})
    assert "says: [a b][constant]" in capfd.readouterr().err


@pytest.mark.parametrize("value, limit, said", [
    (["a", "b"], 3, "[a b]"), ([[1, 2], [3, 4]], 3, "[[1 2][3...]...]"), ([[1, 2], [3, 4]], -1, "[[1 2][3 4]]"),
    (np.arange(8).reshape(2, 2, 2), 2, "[[[0 1]]...]"), ([1.0, 1 / 3], 3, "[1 0.333333343]"),
    ([True, False], 1, "[1...]"), (2.5, 3, "[2.5]"), (np.zeros([0, 2]), 3, "[]"), ([1j], 3, "[?]"),
])
def test_summaries_of_constants_are_tensorflows(value: Any, limit: int, said: str,
                                                capfd: pytest.CaptureFixture[str]) -> None:
    """Numbers recorded from TensorFlow's Print."""
    x = gc.constant(value)
    with gc.Session() as session:
        session.run(gc.Print(x, [x], "x: ", summarize=limit))
    assert f"x: {said}\n" in capfd.readouterr().err


def test_no_gradient() -> None:
    x = gc.placeholder(gc.string, [None])
    f = gc.placeholder(gc.float32, [None])
    y = gc.where(gc.equal(x, "a"), f, 2 * f)
    assert gc.gradients(y, x) == [None]
    with gc.Session() as session:
        found = session.run(gc.gradients(y, f), {x: ["a", "b"], f: [1, 2]})
    np.testing.assert_array_equal(found, [[1, 2]])


def test_saved_and_loaded(tmp_path: Path) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    v = gc.Variable(["yes\0", "no"], name="v")
    y = gc.where(gc.equal(x, "a"), gc.fill(gc.shape(x), v[0]), gc.fill(gc.shape(x), v[1]), name="y")
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        gc.train.write_graph(gc.freeze(session, [y]), str(tmp_path), "s.pb", as_text=False)
    with gc.Graph().as_default(), gc.Session() as session:
        graph_def = gc.GraphDef.FromString((tmp_path / "s.pb").read_bytes())
        (z,) = gc.import_graph_def(graph_def, return_elements=["y:0"], name="")
        same(session.run(z, {"x:0": ["a", "b"]}), b"yes\0", b"no")


def test_strings_in_files_of_the_command(tmp_path: Path) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    y = gc.strings.upper(x, name="y")
    gc.train.write_graph(gc.freeze(gc.Session(), [y]), str(tmp_path), "s.pb", as_text=False)
    np.save(tmp_path / "x.npy", np.array(["ab", "c"]))
    files = [str(tmp_path / name) for name in ("s.pb", "x.npy", "y.npy")]
    assert main(["run", files[0], "--feed", f"x={files[1]}", "--fetch", "y", "--out", files[2]]) == 0
    assert np.load(files[2]).tolist() == [b"AB", b"C"]
