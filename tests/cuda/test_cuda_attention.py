"""Attention in one kernel of the device: any sizes, masks, numbers that are none, and inside programs."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from on_device import run_call, unset

import graphc as gc
from graphc.exec.cuda.calls import attention
from graphc.exec.cuda.calls.call import Products
from graphc.kernels.contracts.all import kernel_of

from on_both import EVERYTHING, ON_GPU, check_close

RANDOM = np.random.default_rng(8)
TOLERANCE = {"f32": 2e-5, "f64": 1e-13}
MASKS = [None, (1, 1, 0), (1, 0, 0), (0, 1, 1), (0, 0, 0)]     # which axes of a mask are there: outer, inner, rows


@pytest.fixture(autouse=True)
def in_one_kernel(monkeypatch: Any) -> None:
    """However few scores there are."""
    monkeypatch.setattr(attention, "FEW_SCORES", 0)
    monkeypatch.setattr(attention, "TILES_OF_TWO_BANDS", 3)


def given(dtype: str, outer: int, inner: int, rows: int, cols: int, depth: int, columns: int) -> list[np.ndarray]:
    kind = np.float32 if dtype == "f32" else np.float64
    return [RANDOM.standard_normal(shape).astype(kind) for shape in (
        (outer, inner, rows, depth), (outer, inner, cols, depth), (outer, inner, cols, columns))]


def steps_of(mask: np.ndarray | None) -> tuple[int, ...]:
    """mask: [outer or 1, inner or 1, rows or 1, cols]."""
    if mask is None:
        return (0, 0, 0)
    return tuple(0 if mask.shape[i] == 1 else int(np.prod(mask.shape[i + 1:])) for i in range(3))


def attrs_of(mask: np.ndarray | None, scale: float, kernel: str = "attention") -> tuple[int, ...]:
    contract = kernel_of(kernel)
    assert contract is not None
    return contract.attr_words([mask is not None, *[0] * (len(contract.attrs) - 2), scale])


def dims_of(q: np.ndarray, v: np.ndarray, mask: np.ndarray | None, further: bool = False) -> tuple[int, ...]:
    """Of whole matrices. further: of dy, too."""
    outer, inner, rows, depth = q.shape
    cols, columns = v.shape[-2:]
    whole = [(rows, depth), (cols, depth), (cols, columns), *[(rows, columns)] * further]
    return (outer, inner, rows, cols, depth, columns, *steps_of(mask),
            *(at for count, length in whole for at in (0, inner * count * length, count * length, length)))


def attended(device: Any, q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | None = None,
             scale: float = 0.5, products: Products = Products.FUSED) -> np.ndarray:
    """What the device makes of it. mask: [outer or 1, inner or 1, rows or 1, cols]."""
    outer, inner, rows, _ = q.shape
    columns = v.shape[-1]
    dtype = "f32" if q.dtype == np.float32 else "f64"
    found = run_call(device, f"attention.{dtype}", [q, k, v, mask if mask is not None else q],
                     [unset((outer, inner, rows, columns), dtype)],
                     dims_of(q, v, mask), attrs_of(mask, scale), products)
    return found.outputs[0]


def trained(device: Any, q: np.ndarray, k: np.ndarray, v: np.ndarray, dy: np.ndarray, mask: np.ndarray | None = None,
            scale: float = 0.5, products: Products = Products.FUSED) -> list[np.ndarray]:
    """y, dq, dk and dv of the device."""
    outer, inner, rows, _ = q.shape
    dtype = "f32" if q.dtype == np.float32 else "f64"
    given_mask = mask if mask is not None else q
    kept, y = run_call(device, f"attention_kept.{dtype}", [q, k, v, given_mask],
                       [unset((outer, inner, rows, 2), dtype), unset(dy.shape, dtype)], dims_of(q, v, mask),
                       attrs_of(mask, scale), products).outputs
    found = run_call(device, f"attention_grad.{dtype}", [q, k, v, y, kept, dy, given_mask],
                     [unset(x.shape, dtype) for x in (q, k, v)], dims_of(q, v, mask, True),
                     attrs_of(mask, scale, "attention_grad"), products)
    return [y, *found.outputs]


def wanted_gradients(q: np.ndarray, k: np.ndarray, v: np.ndarray, dy: np.ndarray, mask: np.ndarray | None = None,
                     scale: float = 0.5) -> list[np.ndarray]:
    q, k, v, dy = (x.astype(float) for x in (q, k, v, dy))
    with np.errstate(all="ignore"):
        scores = (q @ k.swapaxes(-1, -2)) * scale + (0 if mask is None else mask)
        p = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
        p = p / p.sum(-1, keepdims=True)
        y = p @ v
        by_scores = p * (dy @ v.swapaxes(-1, -2) - (dy * y).sum(-1, keepdims=True)) * scale
        return [y, by_scores @ k, by_scores.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ dy]


def as_bfloat16(x: np.ndarray) -> np.ndarray:
    """Numbers that have 16 bits."""
    return (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def wanted(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | None = None,
           scale: float = 0.5) -> np.ndarray:
    with np.errstate(all="ignore"):
        scores = (q.astype(float) @ k.astype(float).swapaxes(-1, -2)) * scale + (0 if mask is None else mask)
        powers = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
        return powers @ v.astype(float) / powers.sum(-1, keepdims=True)


SIZES = [(1, 2, 3, 17, 5, 4), (2, 1, 17, 65, 16, 31), (1, 1, 1, 1, 1, 1), (1, 2, 65, 31, 33, 65),
         (1, 1, 70, 130, 64, 128), (1, 1, 20, 40, 3, 140), (2, 2, 4, 5, 0, 3)]
SIZES_OF_GRADIENTS = [(1, 2, 3, 17, 5, 4), (2, 1, 70, 66, 16, 31), (1, 1, 1, 1, 1, 1), (1, 1, 17, 35, 130, 9),
                      (1, 1, 20, 40, 3, 140), (2, 2, 4, 5, 0, 3), (1, 1, 0, 5, 4, 3), (1, 1, 4, 5, 3, 0),
                      (1, 2, 5, 0, 4, 3)]


def of_both_dtypes(sizes: list[tuple[int, ...]]) -> list[tuple[tuple[int, ...], str]]:
    """float64, whose kernels are the same text, of the first two unless all is tested: the emulator is slow."""
    return [(one, "f32") for one in sizes] + [(one, "f64") for one in (sizes if EVERYTHING or ON_GPU else sizes[:2])]


@pytest.mark.parametrize("sizes,dtype", of_both_dtypes(SIZES))
def test_sizes(device: Any, sizes: tuple[int, ...], dtype: str) -> None:
    q, k, v = given(dtype, *sizes)
    np.testing.assert_allclose(attended(device, q, k, v), wanted(q, k, v), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("columns", [5, 129])                  # one kernel; composed
@pytest.mark.parametrize("there", MASKS)
def test_masks(device: Any, there: Any, columns: int) -> None:
    q, k, v = given("f32", 2, 3, 18, 37, 8, columns)
    mask = None
    if there is not None:
        sizes = [size if is_there else 1 for size, is_there in zip((2, 3, 18), there, strict=True)]
        mask = np.where(RANDOM.random((*sizes, 37)) < 0.3, -np.inf, RANDOM.standard_normal((*sizes, 37)))
        mask = mask.astype(np.float32)
    np.testing.assert_allclose(attended(device, q, k, v, mask, -0.3), wanted(q, k, v, mask, -0.3), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("columns", [6, 130])
def test_numbers_that_are_none(device: Any, columns: int) -> None:
    """NaN and infinity show in their rows; scores of -inf hide keys, also where the first tile has no others, and a row
    without any is NaN."""
    q, k, v = given("f32", 1, 1, 8, 150, 4, columns)
    mask = np.zeros((1, 1, 8, 150), np.float32)
    q[0, 0, 1, 2], q[0, 0, 2, 0] = np.nan, np.inf
    mask[0, 0, 3, :149] = -np.inf
    mask[0, 0, 4] = -np.inf
    mask[0, 0, 5, 70] = np.inf
    mask[0, 0, 6, 64:] = -np.inf
    found = attended(device, q, k, v, mask)
    np.testing.assert_allclose(found, wanted(q, k, v, mask), rtol=2e-5, atol=2e-5)
    assert np.isnan(found[0, 0, [1, 4, 5]]).all() and np.isfinite(found[0, 0, [0, 3, 6, 7]]).all()
    v[0, 0, 149, 0] = np.nan
    found = attended(device, q, k, v, mask)
    assert np.isnan(found[0, 0, :, 0]).all() and np.isfinite(found[0, 0, [0, 3, 6], 1:]).all()


def test_large_scores(device: Any) -> None:
    q, k, v = given("f32", 1, 1, 5, 200, 4, 3)
    np.testing.assert_allclose(attended(device, 100 * q, k, v), wanted(100 * q, k, v), rtol=2e-3, atol=2e-3)


def test_no_keys_give_zeros(device: Any) -> None:
    assert (attended(device, *given("f32", 2, 2, 3, 0, 4, 5)) == 0).all()


def test_a_run_repeats_to_the_bit(device: Any) -> None:
    q, k, v = given("f32", 1, 2, 33, 70, 16, 24)
    assert (attended(device, q, k, v) == attended(device, q, k, v)).all()


@pytest.mark.parametrize("sizes,dtype", of_both_dtypes(SIZES_OF_GRADIENTS))
def test_gradients(device: Any, sizes: tuple[int, ...], dtype: str) -> None:
    q, k, v = given(dtype, *sizes)
    dy = RANDOM.standard_normal((*q.shape[:-1], v.shape[-1])).astype(q.dtype)
    found = trained(device, q, k, v, dy)
    for ours, theirs in zip(found, wanted_gradients(q, k, v, dy), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=10 * TOLERANCE[dtype], atol=10 * TOLERANCE[dtype])
    assert all((a == b).all() for a, b in zip(found, trained(device, q, k, v, dy), strict=True))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1, 1), (2, 3, 7, 17, 5, 4), (2, 2, 4, 5, 0, 3), (1, 1, 4, 5, 3, 0),
                                   (1, 1, 0, 5, 4, 3), (1, 2, 5, 0, 4, 3)])
def test_gradients_of_few_scores_by_products(device: Any, sizes: tuple[int, ...], masked: bool,
                                             monkeypatch: Any) -> None:
    monkeypatch.setattr(attention, "FEW_SCORES", 1 << 30)
    q, k, v = given("f32", *sizes)
    dy = RANDOM.standard_normal((*q.shape[:-1], v.shape[-1])).astype(np.float32)
    hidden = np.where(RANDOM.random((sizes[0], 1, 1, sizes[3])) < 0.3, -np.inf, 0.5).astype(np.float32)
    mask = hidden if masked else None
    for ours, theirs in zip(trained(device, q, k, v, dy, mask), wanted_gradients(q, k, v, dy, mask), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_matrices_whose_places_need_64_bits(device: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(attention, "NARROW", 0)
    q, k, v = given("f32", 2, 1, 19, 33, 5, 6)
    dy = RANDOM.standard_normal((2, 1, 19, 6)).astype(np.float32)
    for ours, theirs in zip(trained(device, q, k, v, dy), wanted_gradients(q, k, v, dy), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("there", MASKS[1:])
def test_gradients_with_masks(device: Any, there: Any) -> None:
    """Hidden keys have no gradient; a row without any key spoils what it touches, as without a kernel."""
    q, k, v = given("f32", 2, 3, 18, 37, 8, 5)
    dy = RANDOM.standard_normal((2, 3, 18, 5)).astype(np.float32)
    sizes = [size if is_there else 1 for size, is_there in zip((2, 3, 18), there, strict=True)]
    mask = np.where(RANDOM.random((*sizes, 37)) < 0.3, -np.inf, RANDOM.standard_normal((*sizes, 37)))
    mask = mask.astype(np.float32)
    mask[..., 4] = -np.inf
    found = trained(device, q, k, v, dy, mask, -0.3)
    for ours, theirs in zip(found, wanted_gradients(q, k, v, dy, mask, -0.3), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)
    assert not found[2][..., 4, :].any() and not found[3][..., 4, :].any()
    mask[0, 0, 0] = -np.inf
    found = trained(device, q, k, v, dy, mask, -0.3)
    for ours, theirs in zip(found, wanted_gradients(q, k, v, dy, mask, -0.3), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_gradients_of_a_step_on_tensor_cores(ampere: Any) -> None:
    """The gradient computes scores anew, not rounded, from what a rounded step kept."""
    q, k, v = (as_bfloat16(x) for x in given("f32", 1, 2, 40, 50, 16, 24))
    dy = as_bfloat16(RANDOM.standard_normal((1, 2, 40, 24)).astype(np.float32))
    found = trained(ampere, q, k, v, dy, products=Products.ROUNDED)
    for ours, theirs in zip(found, wanted_gradients(q, k, v, dy), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=5e-3, atol=5e-3)


def attention_of(q: Any, k: Any, v: Any) -> Any:
    return gc.matmul(gc.nn.softmax(gc.matmul(q, k, transpose_b=True) * 0.25), v)


def launched(device: Any, monkeypatch: Any) -> list[int]:
    """A list that grows with each call of the kernel that is bound."""
    seen: list[int] = []
    before = attention.blocks
    monkeypatch.setattr(attention, "blocks", lambda *given: seen.append(1) or before(*given))
    return seen


def test_in_a_program_with_unknown_sizes(device: Any, monkeypatch: Any) -> None:
    seen = launched(device, monkeypatch)

    def build() -> Any:
        x = gc.placeholder(gc.float32, [2, None, 12])
        y = gc.sin(x)
        return [gc.reduce_sum(attention_of(x, gc.tanh(x), x + 1.0) * 2.0, axis=1), gc.exp(attention_of(y, y, x))]

    check_close(build, RANDOM.standard_normal((2, 19, 12)).astype(np.float32), runs=2)
    assert len(seen) == 2


def test_few_scores_are_products_and_a_softmax(device: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(attention, "FEW_SCORES", 4 * 3 * 7 * 9)
    seen = launched(device, monkeypatch)
    for rows, kernels in ((7, 0), (8, 1)):
        q, k, v = given("f32", 3, 1, rows, 9, 5, 4)
        np.testing.assert_allclose(attended(device, q, k, v), wanted(q, k, v), rtol=2e-5, atol=2e-5)
        assert len(seen) == kernels


def test_in_a_loop_and_a_branch(device: Any, monkeypatch: Any) -> None:
    seen = launched(device, monkeypatch)

    def build() -> Any:
        x = gc.placeholder(gc.float32, [1, 9, 8])
        y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, attention_of(y, x, y) + x), [0, x])[1]
        return gc.cond(gc.reduce_sum(x) > 1e6, lambda: y, lambda: attention_of(y, y, x))

    check_close(build, RANDOM.standard_normal((1, 9, 8)).astype(np.float32))
    assert seen


def test_its_gradient(device: Any) -> None:
    def build() -> Any:
        q, k, v = (gc.placeholder(gc.float32, [2, 11, 6]) for _ in range(3))
        y = attention_of(q, k, v)
        return [y, *gc.gradients(gc.reduce_sum(y * y), [q, k, v])]

    check_close(build, *(RANDOM.standard_normal((2, 11, 6)).astype(np.float32) for _ in range(3)), tolerance=1e-4)


def test_what_the_cpu_has_a_part_of_is_not_joined(device: Any, monkeypatch: Any) -> None:
    seen = launched(device, monkeypatch)
    x = RANDOM.standard_normal((2, 7, 5)).astype(np.float32)
    with gc.Graph().as_default() as graph, graph.device("/gpu:0"):
        fed = gc.placeholder(gc.float32, [2, 7, 5])
        with graph.device("/cpu:0"):
            scores = gc.matmul(fed, fed, transpose_b=True)
        y = gc.matmul(gc.nn.softmax(scores), fed)
        found = gc.Session().run(y, {fed: x})
    np.testing.assert_allclose(found, wanted(x, x, x, scale=1.0), rtol=1e-4, atol=1e-5)
    assert not seen


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1, 1), (1, 2, 3, 17, 5, 4), (2, 1, 17, 65, 16, 31),
                                   (1, 1, 140, 40, 36, 64), (1, 1, 20, 35, 66, 128), (1, 1, 20, 40, 3, 140)])
def test_on_tensor_cores(ampere: Any, sizes: tuple[int, ...]) -> None:
    """Numbers that tf32 has: only exponentials are rounded, and what comes of scores is near."""
    q, k, v = (as_bfloat16(x) for x in given("f32", *sizes))
    rows, cols = sizes[2], sizes[3]
    for mask in (None, np.where(RANDOM.random((1, 1, rows, cols)) < 0.4, -np.inf, 0.5).astype(np.float32)):
        found = attended(ampere, q, k, v, mask, products=Products.ROUNDED)
        np.testing.assert_allclose(found, wanted(q, k, v, mask), rtol=2e-3, atol=2e-3)
        again = attended(ampere, q, k, v, mask, products=Products.ROUNDED)
        assert (found.view(np.uint32) == again.view(np.uint32)).all()


def test_numbers_that_are_none_on_tensor_cores(ampere: Any) -> None:
    q, k, v = (as_bfloat16(x) for x in given("f32", 1, 1, 6, 100, 8, 8))
    mask = np.zeros((1, 1, 6, 100), np.float32)
    q[0, 0, 1, 2] = np.nan
    mask[0, 0, 2, :96] = mask[0, 0, 3] = -np.inf
    found = attended(ampere, q, k, v, mask, products=Products.ROUNDED)
    np.testing.assert_allclose(found, wanted(q, k, v, mask), rtol=2e-3, atol=2e-3)
    assert np.isnan(found[0, 0, [1, 3]]).all() and np.isfinite(found[0, 0, [0, 2, 4, 5]]).all()


@pytest.mark.parametrize("allows", [False, True])
def test_tensor_cores_are_used_where_the_user_lets_them(ampere: Any, allows: bool) -> None:
    config, told = gc.ConfigProto(), gc.RunMetadata()
    config.graph_options.rewrite_options.auto_mixed_precision = int(allows)
    x = RANDOM.standard_normal((2, 20, 16)).astype(np.float32)
    with gc.Graph().as_default() as graph, graph.device("/gpu:0"), gc.Session(config=config) as session:
        fed = gc.placeholder(gc.float32, [2, 20, 16])
        session.run(attention_of(fed, fed, fed), {fed: x}, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), told)
    assert any("gc_tensor_attention" in line for line in told.kernels) is allows
    assert any(("by gc_attention" in line) is not allows for line in told.kernels if "attention" in line)


@pytest.mark.skipif(not ON_GPU, reason="only a GPU is quick enough")
def test_long_rows(device: Any) -> None:
    q, k, v = given("f32", 1, 2, 2000, 5000, 64, 64)
    np.testing.assert_allclose(attended(device, q, k, v), wanted(q, k, v), rtol=2e-5, atol=2e-5)
