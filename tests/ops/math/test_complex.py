"""Complex numbers, where samples do not reach: forms of the API, products, edges of functions, what is refused."""
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc

COMPLEX = np.array([1 + 2j, -3 + 0.5j, 0, -1j, 2.5, -2 - 2j], np.complex64)


@pytest.fixture(autouse=True)
def graph() -> Any:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def test_complex_parts_and_their_forms() -> None:
    z = gc.placeholder(gc.complex64, [None])
    cases = [(gc.real(z), COMPLEX.real), (gc.imag(z), COMPLEX.imag), (gc.conj(z), COMPLEX.conj()),
             (gc.abs(z), np.abs(COMPLEX)), (gc.angle(z), np.angle(COMPLEX)),
             (gc.complex(gc.imag(z), gc.real(z)), COMPLEX.imag + 1j * COMPLEX.real),
             (gc.cast(z, gc.float32), COMPLEX.real), (gc.cast(z, gc.int32), COMPLEX.real.astype(np.int32)),
             (gc.cast(z, gc.bool), COMPLEX.real != 0), (gc.cast(z, gc.complex128), COMPLEX.astype(np.complex128)),
             (gc.cast(gc.real(z), gc.complex64), COMPLEX.real.astype(np.complex64))]
    for (fetch, expected), found in zip(cases, run([fetch for fetch, _ in cases], {z: COMPLEX}), strict=True):
        assert found.dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=fetch.op.name)
    x = gc.placeholder(gc.float32, [None])
    assert gc.real(x) is x and gc.conj(x) is x
    np.testing.assert_array_equal(run(gc.imag(x), {x: [1, 2]}), [0, 0])
    with pytest.raises(TypeError, match="Expected numeric or variant tensor, got dtype bool"):
        gc.conj(gc.constant(True))
    with pytest.raises(TypeError, match="real and imag have incorrect types: float32 float64"):
        gc.complex(gc.constant(1.0), gc.constant(1.0, gc.float64))
    with pytest.raises(TypeError, match=r"Gradients of complex tensors must set grad_ys"):
        gc.gradients(z * z, z)


@pytest.mark.parametrize("dtype", [gc.complex64, gc.complex128])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_complex_products(dtype: gc.DType, batch: tuple[int, ...]) -> None:
    """Every pair of plain, transposed and adjoint operands; a matrix (MatMul) and several (BatchMatMulV2)."""
    generator = np.random.default_rng(0)
    x, y = (gc.placeholder(dtype, [None] * (len(batch) + 2)) for _ in range(2))
    for left, right in itertools.product(("", "transpose", "adjoint"), repeat=2):
        p, q = ((*batch, 4, 3) if left else (*batch, 3, 4)), ((*batch, 5, 4) if right else (*batch, 4, 5))
        a, b = ((generator.normal(size=s) + 1j * generator.normal(size=s)).astype(dtype.numpy) for s in (p, q))
        u, v = (np.swapaxes(m, -1, -2) if how else m for m, how in ((a, left), (b, right)))
        u, v = (m.conj() if how == "adjoint" else m for m, how in ((u, left), (v, right)))
        how = {f"{word}_{side}": True for word, side in ((left, "a"), (right, "b")) if word}
        product = gc.matmul(x, y, **how)
        assert product.op.type == ("BatchMatMulV2" if batch else "MatMul")
        np.testing.assert_allclose(run(product, {x: a, y: b}), u @ v, rtol=1e-4, atol=1e-5, err_msg=f"{left} {right}")
    turned = run(gc.transpose(x, conjugate=True), {x: a})
    np.testing.assert_array_equal(turned, a.conj().T)


def test_complex_reductions_and_moves() -> None:
    z = gc.placeholder(gc.complex128, [None, None])
    value = (np.arange(12) + 1j * np.arange(12)[::-1]).reshape(3, 4) / 4
    cases = [
        (gc.reduce_sum(z, 0), value.sum(0)), (gc.reduce_mean(z), value.mean()), (gc.reduce_prod(z, 1), value.prod(1)),
        (gc.reduce_prod(z), value.prod()), (gc.cumsum(z, 1), value.cumsum(1)), (gc.cumprod(z, 0), value.cumprod(0)),
        (gc.concat([z, z], 0), np.concatenate([value, value])), (gc.gather(z, [2, 0]), value[[2, 0]]),
        (gc.pad(z, [[1, 0], [0, 2]]), np.pad(value, [[1, 0], [0, 2]])), (gc.tile(z, [2, 1]), np.tile(value, (2, 1))),
        (gc.stack([z, z], 1), np.stack([value, value], 1)), (gc.reverse(z, [1]), value[:, ::-1]),
        (gc.where(gc.real(z) > 1, z, -z), np.where(value.real > 1, value, -value)), (z[::2, 1:], value[::2, 1:]),
        (gc.where(gc.not_equal(z, 0)), np.argwhere(value))]
    for (fetch, expected), found in zip(cases, run([fetch for fetch, _ in cases], {z: value}), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=fetch.op.name)
    nothing = run([gc.reduce_prod(z, 1), gc.reduce_sum(z, 1)], {z: np.zeros((2, 0))})
    np.testing.assert_array_equal(nothing[0], [1, 1])
    np.testing.assert_array_equal(nothing[1], [0, 0])


def test_complex_functions_at_their_edges() -> None:
    """Where naive formulas overflow or cancel."""
    z = gc.placeholder(gc.complex128, [None])
    points = np.array([1e200 + 1e200j, 1e-200 - 1e-200j, -4 + 1e-12j, -4 - 1e-12j, 0.6 + 0.8j, 300 + 1j, -300 - 2j,
                       1e-9 + 1e-9j])
    with np.errstate(all="ignore"):
        for ours, numpys in ((gc.abs, np.abs), (gc.sqrt, np.sqrt), (gc.reciprocal, lambda v: 1 / v), (gc.log, np.log),
                             (gc.tanh, np.tanh), (gc.expm1, np.expm1), (gc.log1p, np.log1p)):
            # NumPy's log1p and expm1 are no better at the last point than the formulas that cancel.
            at = points if ours in (gc.abs, gc.sqrt, gc.reciprocal, gc.log) else points[2:-1]
            np.testing.assert_allclose(run(ours(z), {z: at}), numpys(at), rtol=1e-11)
    np.testing.assert_allclose(run(gc.log1p(z), {z: points[-1:]}), [1e-9 + (1e-9 - 1e-18) * 1j], rtol=1e-14)
    np.testing.assert_allclose(run(gc.expm1(z), {z: points[-1:]}), [1e-9 + (1e-9 + 1e-18) * 1j], rtol=1e-14)
    signed = np.array([complex(-4, 0.0), complex(-4, -0.0), complex(0, -0.0)])
    same = run(gc.sqrt(z), {z: signed})
    np.testing.assert_array_equal(same, np.sqrt(signed))
    np.testing.assert_array_equal(np.signbit(same.imag), np.signbit(np.sqrt(signed).imag))


def test_what_complex_numbers_have_not() -> None:
    z = gc.placeholder(gc.complex64, [3])
    for make in (lambda: gc.maximum(z, z), lambda: gc.floor(z), lambda: z < z, lambda: gc.nn.relu(z),
                 lambda: gc.reduce_max(z), lambda: gc.argmax(z), lambda: z // z):
        with pytest.raises(TypeError, match="complex64"):
            make()


def test_gradients_through_lists() -> None:
    """What loops and TensorArrays carry is differentiated as without them; the gradient of |x|^2 is 2 x."""
    numbers = np.array([1 + 2j, -3j, 0.5], np.complex64)
    x = gc.placeholder(gc.complex64, [3])
    rows = gc.TensorArray(gc.complex64, 3).unstack(x)
    read = gc.stack([rows.read(i) for i in range(3)])
    written = gc.TensorArray(gc.complex64, 3)
    for i in range(3):
        written = written.write(i, x[i])
    joined = gc.TensorArray(gc.complex64, 2, infer_shape=False).split(x, [1, 2]).concat()
    scattered = gc.TensorArray(gc.complex64, 3).scatter([2, 0, 1], x).gather([2, 0, 1])
    mapped = gc.map_fn(lambda v: v, x)
    looped = gc.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, v * 1j), [0, x])[1]
    for y in (read, written.stack(), joined, scattered, mapped, looped):
        found = run(gc.gradients(gc.reduce_sum(gc.square(gc.abs(y))), x)[0], {x: numbers})
        np.testing.assert_allclose(found, 2 * numbers, rtol=1e-5)
