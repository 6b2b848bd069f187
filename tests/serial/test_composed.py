"""Nodes of ops that are made of others (graphc/serial/composed), in graphs and functions. NumPy is the oracle."""
from __future__ import annotations

import numpy as np
import pytest
from lowered_files import const, graph_def, node, placeholder, run

import graphc as gc
from graphc import errors

X = np.array([[1.0, 2.0, 0.0], [3.0, -0.5, 2.0]], np.float32)
F32, I32 = gc.float32, gc.int32


def result(op: str, *inputs: str, extra: tuple = (), **attributes: object) -> np.ndarray:
    graph = graph_def(placeholder("x", shape=(-1, 3)), *extra, node("made", op, *inputs, **attributes),
                      node("y", "Identity", "made"))
    return run(graph, "y:0", {"x:0": X})


def test_einsum() -> None:
    np.testing.assert_allclose(result("Einsum", "x", "x", equation="ij,kj->ik", N=2), X @ X.T)
    np.testing.assert_allclose(result("Einsum", "x", equation="ij->j", N=1), X.sum(0))


def test_newer_versions() -> None:
    np.testing.assert_allclose(result("BatchMatMulV3", "x", "x", Tout=F32, adj_y=True), X @ X.T)
    half = result("BatchMatMulV3", "x", "x", Tout=gc.float64, adj_y=True)
    assert half.dtype == np.float64
    np.testing.assert_array_equal(result("CheckNumericsV2", "x", message="x"), X)
    perm = const("perm", [1, 0], I32)
    np.testing.assert_array_equal(result("ConjugateTranspose", "x", "perm", extra=(perm,)), X.T)


def test_zero_times_a_logarithm() -> None:
    with np.errstate(all="ignore"):
        expected = np.where(X == 0, 0, X * np.log1p(-X / 4))
    scaled = (const("k", -0.25), node("y4", "Mul", "x", "k"))
    np.testing.assert_allclose(result("Xlog1py", "x", "y4", extra=scaled), expected, rtol=1e-5)


def test_first_versions() -> None:
    made = result("TopK", "x", k=2)
    np.testing.assert_array_equal(made, [[2, 1], [3, 2]])
    bands = (const("low", 0, gc.int64), const("high", 0, gc.int64))
    np.testing.assert_array_equal(result("BatchMatrixBandPart", "x", "low", "high", extra=bands),
                                  X * np.eye(2, 3, dtype=np.float32))
    flags = const("flags", [False, True], gc.bool)
    np.testing.assert_array_equal(result("Reverse", "x", "flags", extra=(flags,)), X[:, ::-1])


def test_variables_before_the_second_version() -> None:
    """A `Variable` could not tell a scalar from an unknown shape."""
    made = node("v", "Variable")
    made.attr["dtype"].type = F32.number
    made.attr["shape"].shape.SetInParent()
    graph = graph_def(made, const("start", [1.0, 2.0]), node("init", "Assign", "v", "start"),
                      node("y", "Identity", "v"))
    with gc.Graph().as_default():
        gc.import_graph_def(graph, name="")
        with gc.Session() as session:
            session.run("init")
            np.testing.assert_array_equal(session.run("y:0"), [1, 2])


def test_queues_before_the_second_version() -> None:
    queue = node("queue", "FIFOQueue", capacity=3)
    queue.attr["component_types"].list.type.append(F32.number)
    put, get = node("put", "QueueEnqueue", "queue", "five"), node("y", "QueueDequeue", "queue")
    put.attr["Tcomponents"].list.type.append(F32.number)
    get.attr["component_types"].list.type.append(F32.number)
    with gc.Graph().as_default():
        gc.import_graph_def(graph_def(queue, const("five", 5.0), put, get), name="")
        with gc.Session() as session:
            session.run("put")
            assert session.run("y:0") == 5


def test_what_is_not_supported() -> None:
    with pytest.raises(errors.UnimplementedError, match=r"DataFormatVecPermute 'made' .*: its input has the shape"):
        result("DataFormatVecPermute", "x")
    with pytest.raises(errors.UnimplementedError, match=r"ScaleAndTranslate 'made' .*: its kernel_type is"):
        result("ScaleAndTranslate", "x", "x", "x", "x", kernel_type="none")
    with pytest.raises(errors.UnimplementedError, match=r"ToBool 'made' .*the rank of its input is unknown"):
        unknown = placeholder("u")
        unknown.attr["shape"].shape.unknown_rank = True
        result("ToBool", "u", extra=(unknown,))


def test_counters_that_begin_no_stream() -> None:
    """As tf.random.Generator makes them."""
    key = const("key", [5], gc.uint64)
    for first, algorithm, message in ((256, 1, "StatelessRandomUniformV2"), (0, 2, "argument 'alg' is 2")):
        extra = (key, const("shape", [3], I32), const("counter", [first, 7], gc.uint64), const("alg", algorithm, I32))
        with pytest.raises((errors.InvalidArgumentError, ValueError), match=message):
            result("StatelessRandomUniformV2", "shape", "key", "counter", "alg", extra=extra, dtype=F32)


def test_too_few_inputs() -> None:
    with pytest.raises(errors.DataLossError, match=r"BatchMatMulV3 'made' of the GraphDef: it has 1 inputs, but"):
        result("BatchMatMulV3", "x", Tout=F32)


def test_slope_of_einsum() -> None:
    with gc.Graph().as_default():
        graph = graph_def(placeholder("x", shape=(2, 3)), node("y", "Einsum", "x", "x", equation="ij,ij->", N=2))
        y, x = gc.import_graph_def(graph, return_elements=["y:0", "x:0"])
        with gc.Session() as session:
            np.testing.assert_allclose(session.run(gc.gradients(y, x)[0], {x: X}), 2 * X)


def test_range_of_floats() -> None:
    ends = (node("most", "Max", "x", "axes"), const("axes", [0, 1], I32), const("low", -0.25), const("step", 0.5))
    made = result("Range", "low", "most", "step", extra=ends, Tidx=F32)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, np.arange(-0.25, 3.0, 0.5))


@pytest.mark.parametrize("kind, by", [("Sum", lambda n: 1), ("Mean", lambda n: n), ("SqrtN", np.sqrt)])
def test_segment_ids_of_64_bits(kind: str, by: object) -> None:
    given = (const("rows", [1, 0, 1], I32), const("ids", [0, 2, 2], gc.int64), const("count", 4, I32))
    expected = np.stack([X[1] / by(1), 0 * X[0], (X[0] + X[1]) / by(2)])
    kinds = {"T": F32, "Tidx": I32, "Tsegmentids": gc.int64}
    made = result(f"SparseSegment{kind}", "x", "rows", "ids", extra=given, **kinds)
    np.testing.assert_allclose(made, expected, rtol=1e-6)
    made = result(f"SparseSegment{kind}WithNumSegments", "x", "rows", "ids", "count", extra=given, **kinds)
    np.testing.assert_allclose(made, [*expected, 0 * X[0]], rtol=1e-6)
    called = getattr(gc, f"sparse_segment_{'sqrt_n' if kind == 'SqrtN' else kind.lower()}")
    ids = gc.constant([0, 2, 2], gc.int64)
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(called(X, [1, 0, 1], ids)), expected, rtol=1e-6)
