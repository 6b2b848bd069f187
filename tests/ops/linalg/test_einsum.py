"""einsum, tensordot, norm and their like against NumPy: sizes and ranks known and unknown, gradients, errors."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

EQUATIONS = {
    "ij,jk->ik": ((2, 3), (3, 4)), "ij,jk": ((2, 3), (3, 4)), "ij->": ((2, 3),), "ij->ji": ((2, 3),), "ba": ((2, 3),),
    "bij,bjk->bik": ((5, 2, 3), (5, 3, 4)), "i,j->ij": ((2,), (3,)), "i,i->": ((3,), (3,)), "ii->i": ((3, 3),),
    "ii": ((3, 3),), "iji->j": ((3, 2, 3),), "...ij,...jk->...ik": ((5, 2, 3), (1, 3, 4)),
    "...ij,jk->...ik": ((4, 5, 2, 3), (3, 4)), "...i->...": ((2, 3),), "ij...,jk...->ik...": ((2, 3, 5), (3, 4, 5)),
    "...ij->...ji": ((4, 2, 3),), "abcd,cdef->abef": ((2, 3, 4, 5), (4, 5, 2, 3)), "ij,kl->ijkl": ((2, 3), (4, 5)),
    "ij,ij->ij": ((2, 3), (2, 3)), "ij,ij,jk->k": ((2, 3), (2, 3), (3, 4)), "i j, j k -> k i": ((2, 3), (3, 4)),
    "ij,jk,kl->il": ((2, 3), (3, 4), (4, 2)), "abc,bad->dc": ((2, 3, 4), (3, 2, 5)), "i,->i": ((3,), ()),
    "bi,bij,bj->b": ((2, 3), (2, 3, 4), (2, 4)), "ab,b->a": ((0, 3), (3,)), "ab,bc->ac": ((2, 0), (0, 3)),
    "Ab,bC->AC": ((2, 3), (3, 4)), "ii,ij->j": ((3, 3), (3, 2)),
}
KNOWN, SIZES, RANKS = "known", "unknown sizes", "unknown ranks"


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def arrays(shapes):
    generator = np.random.default_rng(0)
    return [generator.normal(size=s) for s in shapes]


def fed(values, how):
    shapes = {KNOWN: lambda v: v.shape, SIZES: lambda v: [None] * v.ndim, RANKS: lambda v: None}[how]
    return [gc.placeholder(gc.float64, shapes(v)) for v in values]


@pytest.mark.parametrize("how", [KNOWN, SIZES, RANKS])
@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation, how):
    if how == RANKS and "..." in equation:
        pytest.skip("'...' stands for a known number of axes")
    values = arrays(EQUATIONS[equation])
    inputs = fed(values, how)
    y = gc.einsum(equation, *inputs)
    feeds = dict(zip(inputs, values, strict=True))
    expected = np.einsum(equation, *values)
    np.testing.assert_allclose(run_reference(y, feeds), expected, rtol=1e-12, atol=1e-12)
    if how == KNOWN:
        assert y.shape.as_list() == list(expected.shape)
    weights = np.random.default_rng(1).normal(size=expected.shape)
    found = run_reference(gc.gradients(gc.reduce_sum(y * weights), inputs), feeds)
    # The function is linear in each operand, so a difference of any length is the derivative.
    for i, (value, slope) in enumerate(zip(values, found, strict=True)):
        direction = np.random.default_rng(2).normal(size=value.shape)
        moved = [v + direction if j == i else v for j, v in enumerate(values)]
        change = ((np.einsum(equation, *moved) - expected) * weights).sum()
        np.testing.assert_allclose((slope * direction).sum(), change, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "abcd,cdef->abef", "iji->j", "...ij,...jk->...ik"])
def test_einsum_in_a_session(equation):
    values = arrays(EQUATIONS[equation])
    inputs = fed(values, SIZES)
    with gc.Session() as session:
        found = session.run(gc.einsum(equation, *inputs), dict(zip(inputs, values, strict=True)))
    np.testing.assert_allclose(found, np.einsum(equation, *values), rtol=1e-12, atol=1e-12)


def test_einsum_of_integers_and_python_values():
    np.testing.assert_array_equal(run_reference(gc.einsum("ij,j->i", [[1, 2], [3, 4]], gc.constant([5, 6]))), [17, 39])
    assert gc.einsum("ij,j->i", [[1, 2], [3, 4]], gc.constant([5.0, 6.0])).dtype == gc.float32


@pytest.mark.parametrize(("equation", "shapes", "message"), [
    ("ij,jk->ik", ((2, 3), (4, 5)), "'j' of 'ij,jk->ik' has size 3 in one operand and 4 in another"),
    ("ij->ii", ((2, 3),), "names 'i' twice"), ("ij->k", ((2, 3),), "names 'k', which no operand has"),
    ("ij,j", ((2, 3),), "Incorrect number of arguments"), ("i!j", ((2, 3),), "incorrect format"),
    ("ijk->i", ((2, 3),), "has 3 letters, but a tensor of rank 2"), ("..ij->ij", ((2, 3),), "may stand once"),
])
def test_einsum_refuses(equation, shapes, message):
    with pytest.raises(ValueError, match=message):
        gc.einsum(equation, *(gc.zeros(s) for s in shapes))
    with pytest.raises(TypeError, match="invalid keyword arguments: optimise"):
        gc.einsum("ij->ji", gc.zeros([2, 3]), optimise=True)


def test_einsum_refuses_sizes_that_have_one_product_only():
    a, b = gc.placeholder(gc.float32, [None, None, None]), gc.placeholder(gc.float32, [None, None, None])
    y = gc.einsum("abc,bcd->ad", a, b)
    with gc.Session() as session:
        assert session.run(y, {a: np.ones((2, 2, 3)), b: np.ones((2, 3, 4))}).shape == (2, 4)
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(y, {a: np.ones((2, 2, 3)), b: np.ones((3, 2, 4))})


@pytest.mark.parametrize("how", [KNOWN, SIZES, RANKS])
@pytest.mark.parametrize(("axes", "a", "b"), [
    (1, (2, 3), (3, 4)), (0, (2,), (3,)), (2, (2, 3, 4), (3, 4, 5)), ([[1], [0]], (2, 3), (3, 4)),
    ([[0, 2], [1, 0]], (2, 3, 4), (4, 2, 5)), ([-1, 0], (2, 3), (3, 4)), (1, (2, 0), (0, 3)),
    ([[-1, -3], [0, 1]], (2, 3, 4), (4, 2, 5)), ([[-2], [-1]], (2, 3, 4), (5, 3))])
def test_tensordot(axes, a, b, how):
    values = arrays((a, b))
    inputs = fed(values, how)
    y = gc.tensordot(*inputs, axes)
    expected = np.tensordot(*values, axes)
    np.testing.assert_allclose(run_reference(y, dict(zip(inputs, values, strict=True))), expected, rtol=1e-12)
    if how == KNOWN:
        assert y.shape.as_list() == list(expected.shape)
    x, by = inputs
    slope = gc.gradients(gc.reduce_sum(y), x)[0]
    ones = np.tensordot(np.ones_like(values[0]), values[1], axes)
    change = run_reference(gc.reduce_sum(slope * gc.ones_like(x)), dict(zip((x, by), values, strict=True)))
    np.testing.assert_allclose(change, ones.sum(), rtol=1e-9)


def test_tensordot_of_unknown_ranks_counts_from_one_end():
    with pytest.raises(ValueError, match=r"rank of a is not known.* \[0, -1\]"):
        gc.tensordot(gc.placeholder(gc.float32), gc.zeros([2, 3]), [[0, -1], [0, 1]])


@pytest.mark.parametrize(("axes", "message"), [
    (-1, "at least 0"), (3, "must not be larger"), ([[1]], "have length 2"), ([[0, 1], [0]], "Different number"),
    ([[0], [0]], "has size 2, but axis 0 of b has size 3"), ([[0, 0], [1, 1]], "twice")])
def test_tensordot_refuses(axes, message):
    with pytest.raises(ValueError, match=message):
        gc.tensordot(gc.zeros([2, 3]), gc.zeros([3, 2]), axes)


NORMS = [("euclidean", None), (1, 1), (2, -1), (np.inf, 0), (3, 1), ("fro", (1, 2)), (1, (0, 2)), (np.inf, (0, 2)),
         ("euclidean", (0, 1)), (1, None), (np.inf, None), (2.5, None)]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("order", "axis"), NORMS)
def test_norm(order, axis, keepdims):
    x = arrays([(3, 4, 5)])[0]
    expected = np.linalg.norm(x.ravel() if axis is None else x, None if isinstance(order, str) else order, axis)
    kept = tuple(1 if axis is None or i in np.atleast_1d(axis) % 3 else n for i, n in enumerate(x.shape))
    for given in (gc.constant(x), gc.placeholder_with_default(x, None)):
        y = run_reference(gc.norm(given, order, axis, keepdims))
        np.testing.assert_allclose(y, expected.reshape(kept) if keepdims else expected, rtol=1e-12)
    moved = gc.constant(x)
    slope = run_reference(gc.gradients(gc.reduce_sum(gc.norm(moved, order, axis)), moved)[0])
    np.testing.assert_allclose((slope * x).sum(), np.sum(expected), rtol=1e-9)     # norms are homogeneous


def test_norm_refuses():
    x = gc.zeros([2, 3])
    for order, axis in ((0, None), (-1, 0), ("fro", 0), (3, (0, 1)), ("euclidean", (1, 1)), (2, (0, 1, 1))):
        with pytest.raises(ValueError, match=r"'ord' must be|'axis' must be"):
            gc.norm(x, order, axis)
    with pytest.raises(ValueError, match="'ord' = 2 needs a tensor of known rank"):
        gc.norm(gc.placeholder(gc.float32), 2, [0, 1])
    with pytest.raises(ValueError, match="Cannot specify both"):
        gc.norm(x, keepdims=True, keep_dims=True)


def test_matvec_trace_and_sparse_matmul():
    a, v = (x.astype(np.float32) for x in arrays([(2, 3, 4), (2, 4)]))
    np.testing.assert_allclose(run_reference(gc.linalg.matvec(a, v)), np.einsum("bij,bj->bi", a, v), rtol=1e-5)
    np.testing.assert_allclose(run_reference(gc.linalg.matvec(a, v[:, :3], transpose_a=True)),
                               np.einsum("bji,bj->bi", a, v[:, :3]), rtol=1e-5)
    np.testing.assert_allclose(run_reference(gc.trace(a)), np.trace(a, axis1=1, axis2=2), rtol=1e-5)
    x = gc.placeholder_with_default(a, None)
    np.testing.assert_allclose(run_reference(gc.trace(x)), np.trace(a, axis1=1, axis2=2), rtol=1e-5)
    p, q = gc.constant(a[0]), gc.constant(a[1])
    y = gc.sparse_matmul(p, q, transpose_b=True, a_is_sparse=True)
    np.testing.assert_allclose(run_reference(y), a[0] @ a[1].T, rtol=1e-5)
    by_p, by_q = run_reference(gc.gradients(y, [p, q]))
    np.testing.assert_allclose(by_p, np.ones((3, 3)) @ a[1], rtol=1e-5)
    np.testing.assert_allclose(by_q, np.ones((3, 3)) @ a[0], rtol=1e-5)
    with pytest.raises(TypeError, match="SparseMatMul takes float32 only"):
        gc.sparse_matmul(np.ones((2, 2)), np.ones((2, 2)))


def test_matmul_of_operands_whose_ranks_are_not_known():
    a, b = gc.placeholder(gc.float32), gc.placeholder(gc.float32)
    y = gc.matmul(a, b)
    with gc.Session() as session:
        for left, right in (((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))):
            values = [np.random.default_rng(0).normal(size=s).astype(np.float32) for s in (left, right)]
            np.testing.assert_allclose(session.run(y, {a: values[0], b: values[1]}), values[0] @ values[1], rtol=1e-5)
