"""Products on tensor cores: where they are taken, and that they are right: of every way in which factors lie, sizes
that no tile divides, batches, parts."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.calls import products
from graphc.exec.cuda.calls.call import Products
from graphc.exec.cuda.calls.products import product
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE

import products_alone

RANDOM = np.random.default_rng(11)
TENSOR_ROUNDING = 2.0 ** -10           # of two factors, each rounded to 10 bits of mantissa


def multiplied(device: Any, a: np.ndarray, b: np.ndarray, turned: tuple[bool, bool], how: Products,
               shift: int = 0) -> tuple[np.ndarray, set[str]]:
    """As products_alone, in the way that is taken for them."""
    return products_alone.multiplied(device, a, b, turned, how, product, shift)


def factors(batch: int, m: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(RANDOM.standard_normal(shape).astype(np.float32)  # type: ignore[return-value]
                 for shape in ((batch, m, k), (batch, k, n)))


def as_bfloat16(x: np.ndarray) -> np.ndarray:
    """Numbers that have 16 bits."""
    return (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("size", [(1, 16, 16, 16), (1, 64, 64, 32), (2, 40, 72, 36), (1, 33, 31, 17), (3, 17, 65, 31)])
def test_products(ampere: Any, size: tuple[int, int, int, int], turned: tuple[bool, bool]) -> None:
    a, b = factors(*size)
    wanted, size_of_sums = a.astype(float) @ b.astype(float), np.abs(a).astype(float) @ np.abs(b).astype(float)
    found, names = multiplied(ampere, a, b, turned, Products.ROUNDED)
    assert "gc_tensor_product" in names
    assert (np.abs(found - wanted) <= TENSOR_ROUNDING * size_of_sums).all()
    a, b = as_bfloat16(a), as_bfloat16(b)
    found, _ = multiplied(ampere, a, b, turned, Products.EXACT)
    assert (np.abs(found - a.astype(float) @ b.astype(float)) <= 1e-6 * size_of_sums).all()


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_large_tiles(ampere: Any, turned: tuple[bool, bool], monkeypatch: Any) -> None:
    monkeypatch.setattr(products, "MULTIPROCESSORS", 1)
    a, b = map(as_bfloat16, factors(1, 132, 140, 36))
    found, _ = multiplied(ampere, a, b, turned, Products.EXACT)
    np.testing.assert_allclose(found, a.astype(float) @ b.astype(float), rtol=1e-5, atol=1e-5)


def test_a_factor_that_lies_at_no_multiple_of_16_bytes(ampere: Any) -> None:
    a, b = map(as_bfloat16, factors(1, 32, 32, 32))
    found, _ = multiplied(ampere, a, b, (False, False), Products.EXACT, shift=4)
    np.testing.assert_allclose(found, a.astype(float) @ b.astype(float), rtol=1e-5, atol=1e-5)


def test_parts_of_a_long_product(ampere: Any) -> None:
    a, b = map(as_bfloat16, factors(1, 20, 20, 700))
    found, names = multiplied(ampere, a, b, (False, False), Products.EXACT)
    assert names == {"gc_tensor_product", "gc_map"}
    np.testing.assert_allclose(found, a.astype(float) @ b.astype(float), rtol=1e-5, atol=1e-4)


def halves(kind: str, batch: int, m: int, n: int, k: int) -> tuple[np.ndarray, ...]:
    """Factors of that kind whose products' sums are exact in any order, and their product rounded once."""
    a, b = (RANDOM.integers(-16, 17, shape).astype(np.float32) / 16 for shape in ((batch, m, k), (batch, k, n)))
    return a, b, (a @ b).astype(products_alone.HALVES[kind])


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(("kind", "size"), [("bf16", (1, 72, 136, 200)), ("f16", (3, 16, 24, 72))])
def test_factors_that_are_16_bits_in_memory(ampere: Any, kind: str, size: tuple[int, int, int, int],
                                            turned: tuple[bool, bool]) -> None:
    a, b, wanted = halves(kind, *size)
    how = Products[f"EXACT_{kind.upper()}"]
    for result in ("", kind):
        found, names = products_alone.multiplied(ampere, a, b, turned, how, product, element=kind, result=result)
        np.testing.assert_array_equal(found, wanted if result else a @ b)
        assert names == {"gc_tensor_product"}


@pytest.mark.parametrize(("turned", "n"), [((False, True), 31), ((True, True), 33), ((False, False), 40)])
def test_halves_in_large_tiles_and_in_parts_for_any_n(ampere: Any, turned: tuple[bool, bool], n: int,
                                                      monkeypatch: Any) -> None:
    """Results whose rows lie at no multiple of 4 bytes; sums of parts are rounded, not parts."""
    a, b, wanted = halves("bf16", 1, 24, n, 712)
    found, names = products_alone.multiplied(ampere, a, b, turned, Products.EXACT_BF16, product, element="bf16",
                                             result="bf16")
    np.testing.assert_array_equal(found, wanted)
    assert names == {"gc_tensor_product", "gc_map"}
    monkeypatch.setattr(products, "MULTIPROCESSORS", 1)
    a, b, wanted = halves("bf16", 1, 136, 96 + n, 40)
    found, _ = products_alone.multiplied(ampere, a, b, turned, Products.EXACT_BF16, product, element="bf16",
                                         result="bf16")
    np.testing.assert_array_equal(found, wanted)


def test_nan_and_infinity_stay_in_their_rows_and_columns(ampere: Any) -> None:
    a, b = factors(1, 40, 24, 20)
    a[0, 3, 5], b[0, 7, 9] = np.nan, np.inf
    found, _ = multiplied(ampere, a, b, (False, False), Products.ROUNDED)
    assert np.isnan(found[0, 3]).all() and not np.isfinite(found[0, :, 9]).any()
    rest = np.delete(np.delete(found[0], 3, 0), 9, 1)
    assert np.isfinite(rest).all()


def kernels_of(device: Any, dtype: Any, config: gc.ConfigProto | None, size: int = 32) -> set[str]:
    """Names of the kernels that a session launches for a product of that type."""
    launched: set[str] = set()
    before = device.function

    def noted(ptx: str, name: str) -> Any:
        launched.add(name)
        return before(ptx, name)

    device.function = noted
    try:
        with gc.Graph().as_default() as graph, graph.device("/gpu:0"):
            x = gc.placeholder(gc.float32, [size, size])
            y = gc.cast(gc.matmul(gc.cast(x, dtype), gc.cast(x * 2.0, dtype)), gc.float32)
            with gc.Session(config=config) as session:
                given = as_bfloat16(RANDOM.standard_normal((size, size)).astype(np.float32))
                found = session.run(y, {x: given})
        np.testing.assert_allclose(found, given.astype(float) @ (2.0 * given), rtol=2e-2, atol=0.3)
    finally:
        device.function = before
    return launched


def allowed() -> gc.ConfigProto:
    config = gc.ConfigProto()
    config.graph_options.rewrite_options.auto_mixed_precision = 1
    return config


def test_float32_is_rounded_only_where_the_user_lets_it(ampere: Any) -> None:
    assert "gc_tensor_product" not in kernels_of(ampere, gc.float32, None)
    assert "gc_tensor_product" in kernels_of(ampere, gc.float32, allowed())
    assert "gc_tensor_product" not in kernels_of(ampere, gc.float64, allowed())


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16])
def test_16_bit_floats_are_multiplied_on_tensor_cores(ampere: Any, dtype: Any) -> None:
    assert "gc_tensor_product" in kernels_of(ampere, dtype, None)


def test_an_older_gpu_has_none(device: Any) -> None:
    if device.compute >= TENSOR_COMPUTE:
        pytest.skip("this GPU has tensor cores")
    assert "gc_tensor_product" not in kernels_of(device, gc.bfloat16, allowed())
