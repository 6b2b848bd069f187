"""Numbers of tiles that threads share without a rest, and how soon threads are done with tiles of uneven size."""
from __future__ import annotations

import itertools

import numpy as np

from graphc.kernels.cpu.math import matmul_choice
from graphc.kernels.cpu.tiles import longest_share, shared_as_well, shared_evenly
from graphc.kernels.cpu.words import TILES, TILES_1

from kernel_harness import load


def simulated(items: int, each: int, threads: int) -> int:
    """Threads take tiles in turns, whoever has least first."""
    shares = [0] * threads
    for first in range(0, items, each):
        shares[shares.index(min(shares))] += min(each, items - first)
    return max(shares)


def test_counts_of_tiles_are_shared_without_a_rest() -> None:
    for wanted in range(1, 1000):
        count = shared_evenly(wanted)
        assert 2 * wanted <= 3 * count and 2 * count <= 3 * wanted, (wanted, count)
        for threads in (2, 3, 4, 8, 16):
            if count % 48 == 0:
                assert count % threads == 0
        assert count in (1, 2, 4, 6, 8, 12, 16, 24) or count % 48 == 0
    assert [shared_evenly(n) for n in (1, 3, 5, 7, 13, 14, 20, 35, 36, 100)] == [1, 4, 6, 8, 12, 16, 24, 24, 48, 96]


def test_the_longest_share_of_tiles_with_a_short_last_one() -> None:
    for items, each, threads in itertools.product((1, 3, 17, 31, 65, 256, 1024), (1, 2, 14, 64, 84), (1, 2, 3, 4, 8)):
        if each <= items:
            assert longest_share(items, each, threads) == simulated(items, each, threads), (items, each, threads)


def test_tiles_of_84_of_256_rows_are_not_as_good_as_64() -> None:
    assert shared_as_well(256, 84, 64) == 64    # 84, 84, 84, 4: two threads have 168 and 88
    assert shared_as_well(1024, 84, 86) == 84   # the 16 rows left over are the 13th tile


def test_large_products_are_shared_by_two_and_four_threads() -> None:
    kernel, generator = load("matmul")["matmul.f32"], np.random.default_rng(0)
    for m, n, k in [(256, 1024, 1024), (256, 256, 1024), (1024, 1024, 256), *generator.integers(400, 3000, (40, 3))]:
        choice = kernel.choice(dims=[1, m, n, k, m * k, k * n], attrs=[0, 0])
        if int(choice[matmul_choice.TILE_COLUMNS]) < n:
            assert int(choice[TILES_1] or choice[TILES]) >= 8, (m, n, k)
            continue
        rows = int(choice[matmul_choice.TILE_ROWS])
        for threads in (2, 4) if m == 256 or m > 1000 else (2,):        # between them there are six tiles
            assert longest_share(int(m), rows, threads) * threads <= 1.1 * m, (m, n, k, threads, rows)


def test_gradients_for_filters_of_few_pixels_are_shared_too() -> None:
    kernel = load("conv2d_filter_grad")["conv2d_filter_grad.f32"]
    for pixels, c, oc, taps in [(7, 512, 2048, 1), (7, 2048, 512, 1), (14, 256, 1024, 1), (14, 1024, 256, 1),
                                (7, 2048, 64, 1), (7, 500, 700, 2), (28, 130, 513, 1)]:
        choice = kernel.choice(dims=[8, pixels, pixels, c, taps, taps, oc, pixels, pixels], attrs=[1, 1, 1, 1, 0, 0])
        tiles = int(choice[TILES])
        assert tiles >= 4 and -(-tiles // 2) * 2 <= 1.06 * tiles, (pixels, c, oc, taps, tiles)
