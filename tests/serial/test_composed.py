"""Nodes of ops that are made of others (graphc/serial/composed.py), in graphs and functions. NumPy is the oracle."""
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


def test_diagonals() -> None:
    rest = (const("k", 1, I32), const("rows", 4, I32), const("cols", 4, I32), const("pad", 7.0))
    made = result("MatrixDiagV3", "x", "k", "rows", "cols", "pad", extra=rest)
    right = np.full((2, 4, 4), 7, np.float32)
    for i in range(3):
        right[:, i, i + 1] = X[:, i]
    np.testing.assert_array_equal(made, right)
    several = (const("k", [0, 1], I32), *rest[1:])
    with pytest.raises(errors.UnimplementedError, match="align is 'RIGHT_LEFT', but several diagonals"):
        result("MatrixDiagV3", "x", "k", "rows", "cols", "pad", extra=several)


def test_too_few_inputs() -> None:
    with pytest.raises(errors.DataLossError, match=r"BatchMatMulV3 'made' of the GraphDef: it has 1 inputs, but"):
        result("BatchMatMulV3", "x", Tout=F32)


def test_slope_of_einsum() -> None:
    with gc.Graph().as_default():
        graph = graph_def(placeholder("x", shape=(2, 3)), node("y", "Einsum", "x", "x", equation="ij,ij->", N=2))
        y, x = gc.import_graph_def(graph, return_elements=["y:0", "x:0"])
        with gc.Session() as session:
            np.testing.assert_allclose(session.run(gc.gradients(y, x)[0], {x: X}), 2 * X)
