"""Products by warpgroups in the emulator: right for every element, way in which factors lie, and sizes that no tile
divides."""
from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.calls.warpgroups import Variant, work
from graphc.exec.cuda.code.warpgroup_products import STAGES
from graphc.exec.cuda.code.warpgroups import ELEMENTS

import products_alone
from on_both import EVERYTHING, ON_GPU

RANDOM = np.random.default_rng(17)
PRODUCTS = {"bf16": Products.EXACT_BF16, "f16": Products.EXACT_F16, "tf32": Products.ROUNDED}


def multiplied(device: Any, variant: Variant, a: np.ndarray, b: np.ndarray, turned: tuple[bool, bool] = (False, False),
               shift: int = 0, shared: bool = False) -> np.ndarray:
    """As products_alone, by this variant."""
    def works(call: Call, factors: Factors, *places: int) -> list[Any]:
        return work(call, factors, variant, *places)

    return products_alone.multiplied(device, a, b, turned, PRODUCTS[variant.element], works, shift, shared)[0]


def factors(batch: int, m: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers whose sums of products are exact in any order."""
    return tuple(RANDOM.integers(-16, 17, shape).astype(np.float32) / 16  # type: ignore[return-value]
                 for shape in ((batch, m, k), (batch, k, n)))


WAYS = [(False, False), (True, False), (False, True), (True, True)]
VARIANTS = [Variant(element, columns) for element in ELEMENTS for columns in STAGES]
SOME = [(Variant("bf16", 128), WAYS[0]), (Variant("bf16", 128), WAYS[1]), (Variant("f16", 256), WAYS[3]),
        (Variant("tf32", 128), WAYS[0])]


@pytest.mark.parametrize(("variant", "turned"), [*product(VARIANTS, WAYS)] if EVERYTHING or ON_GPU else SOME)
def test_every_way_in_which_factors_lie(hopper: Any, variant: Variant, turned: tuple[bool, bool]) -> None:
    a, b = factors(1, 130, 264, 200)
    np.testing.assert_array_equal(multiplied(hopper, variant, a, b, turned), a @ b)


@pytest.mark.parametrize(("element", "size"), [("tf32", (1, 1, 3, 65)), ("tf32", (2, 129, 127, 64)),
                                               ("bf16", (1, 16, 16, 16)), ("bf16", (3, 17, 65, 31))])
def test_sizes_that_no_tile_divides(hopper: Any, element: str, size: tuple[int, int, int, int]) -> None:
    a, b = factors(*size)
    np.testing.assert_array_equal(multiplied(hopper, Variant(element, 128), a, b), a @ b)


def test_one_matrix_for_all_of_a_batch_and_an_address_that_tma_cannot_take(hopper: Any) -> None:
    a, b = factors(3, 40, 24, 36)
    variant = Variant("tf32", 128)
    np.testing.assert_array_equal(multiplied(hopper, variant, a, b, (False, True), shared=True), a @ b[:1])
    np.testing.assert_array_equal(multiplied(hopper, variant, a, b, (False, True), shift=4), a @ b)


@pytest.mark.parametrize(("depth", "parts"), [(129, 2), (640, 3)])
def test_parts_of_a_long_product(hopper: Any, depth: int, parts: int) -> None:
    a, b = factors(1, 20, 36, depth)
    np.testing.assert_array_equal(multiplied(hopper, Variant("bf16", 128, parts), a, b, (True, False)), a @ b)


@pytest.mark.parametrize(("element", "columns", "parts", "turned", "n"), [
    ("bf16", 128, 1, (False, True), 65), ("bf16", 256, 1, (True, False), 264), ("f16", 128, 2, (False, False), 40)])
def test_halves_are_read_where_they_are_and_stored_as_such(hopper: Any, element: str, columns: int, parts: int,
                                                           turned: tuple[bool, bool], n: int) -> None:
    a, b = factors(1, 136, n, 200)

    def works(call: Call, f: Factors, *places: int) -> list[Any]:
        return work(call, f, Variant(element, columns, parts), *places)

    found, names = products_alone.multiplied(hopper, a, b, turned, PRODUCTS[element], works, element=element,
                                             result=element)
    np.testing.assert_array_equal(found, (a @ b).astype(products_alone.HALVES[element]))
    assert names == {"gc_warpgroup_product", *(["gc_map"] if parts > 1 else [])}


def test_nan_and_infinity_stay_in_their_rows_and_columns(hopper: Any) -> None:
    a, b = factors(1, 40, 24, 20)
    a[0, 3, 5], b[0, 7, 9] = np.nan, np.inf
    found = multiplied(hopper, Variant("bf16", 128), a, b)
    assert np.isnan(found[0, 3]).all() and not np.isfinite(found[0, :, 9]).any()
    rest = np.delete(np.delete(found[0], 3, 0), 9, 1)
    np.testing.assert_array_equal(rest, np.delete(np.delete(a, 3, 1) @ np.delete(b, 9, 2), [], 0)[0])


def test_float32_is_cut_to_ten_bits(hopper: Any) -> None:
    a, b = (RANDOM.standard_normal(shape).astype(np.float32) for shape in ((1, 64, 96), (1, 96, 32)))
    error = np.abs(multiplied(hopper, Variant("tf32", 128), a, b) - a.astype(float) @ b)
    assert 1e-5 < error.max() and (error <= 2.0 ** -9 * (np.abs(a).astype(float) @ np.abs(b))).all()
