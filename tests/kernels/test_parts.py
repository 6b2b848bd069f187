"""Which parts of kernels sizes may lead to: arithmetic with bounds, and that bounds lead to all that numbers within
lead to."""
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.build import library_archive
from graphc.kernels.toolchain.elf import Object
from graphc.kernels.toolchain.gate import PART_SYMBOL
from graphc.kernels.toolchain.intervals import GiveUpError, Some, allow, greatest, least, outcomes, some
from graphc.kernels.toolchain.targets import host_targets

ISA = "x86_64_v3"
UNKNOWN = (0, 1 << 40)


def tiles(n: Any, m: Any) -> Any:
    if n * m == 0:
        return "none"
    enough = least(greatest((1 << 12) // greatest(n * 7, 1), 3), m)
    if n % 5 == 2 or enough > 4:
        return enough - m
    return n / m if -n < m - 20 else (m - 3 * n) // greatest(n - 4, 1)


def rounds(n: Any, m: Any) -> Any:
    found = 1
    for _ in range(6):
        if found >= n or found * m > 90:
            break
        found = least(2 * found, n)
    return found + (1 if m else 0)


def divisors(n: Any, m: Any) -> Any:
    return 17 // n + m % n - (n // -3) * -2 if n != 0 else abs_of(m)


def abs_of(m: Any) -> Any:
    return -m if m < 0 else m


@pytest.mark.parametrize("function", [tiles, rounds, divisors])
@pytest.mark.parametrize("bounds", [((0, 9), (0, 40)), ((1, 3), (8, 8)), ((2, 30), (0, 3)), ((7, 7), (1, 25))])
def test_what_numbers_give_is_within_what_bounds_give(function: Callable[[Any, Any], Any],
                                                      bounds: tuple[tuple[int, int], ...]) -> None:
    (n_low, n_high), (m_low, m_high) = bounds
    allow()
    found = list(outcomes(lambda: function(some(n_low, n_high), some(m_low, m_high))))
    for n in range(n_low, n_high + 1):
        for m in range(m_low, m_high + 1):
            result = function(n, m)
            assert any(holds(one, result) for one in found), (n, m, result)


def holds(bounds: Any, value: Any) -> bool:
    if isinstance(bounds, str) or isinstance(value, str):
        return bool(isinstance(bounds, str) and bounds == value)
    low, high = (bounds.low, bounds.high) if isinstance(bounds, Some) else (bounds, bounds)
    return bool(low <= value <= high)


def test_what_cannot_be_told() -> None:
    def endless() -> None:
        number = Some(0, 5)
        while number > 2:
            pass

    def too_many() -> None:
        for _ in range(30):
            bool(Some(0, 1))

    for function in (endless, too_many):
        allow()
        with pytest.raises(GiveUpError):
            list(outcomes(function))


def reached(calls: Sequence[tuple[str, Sequence[tuple[int, int]]]],
            persistent: tuple[int, int] = (0, 1)) -> list[dict[str, list[str] | None]]:
    """Of each call by itself: the parts, by unit."""
    found = []
    for kernel, numbers in calls:
        given = {"isas": [ISA], "calls": [{"kernel": kernel, "numbers": numbers, "persistent": persistent}]}
        done = subprocess.run([sys.executable, "-m", "graphc.kernels.toolchain.reach"], input=json.dumps(given),
                              capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout)[ISA])
    return found


def known(*numbers: int) -> list[tuple[int, int]]:
    return [(number, number) for number in numbers]


def convolution(n: int, size: int, c: int, taps: int, oc: int, stride: int = 1) -> list[tuple[int, int]]:
    out = -(-size // stride)
    return known(n, size, size, c, taps, taps, oc, out, out, stride, stride, 1, 1, (taps - 1) // 2, (taps - 1) // 2)


def test_ways_of_convolutions() -> None:
    """As the header of kernels/cpu/convolution/conv.py tells them."""
    cases = {"lines": (2, 28, 3, 5, 32), "taps": (2, 14, 256, 3, 32, 2), "planes": (2, 32, 8, 5, 3),
             "winograd": (8, 28, 64, 3, 64), "multiply": (2, 14, 64, 1, 32)}
    found = reached([("conv2d.f32", convolution(*case)) for case in cases.values()])
    for (way, case), units in zip(cases.items(), found, strict=True):
        parts, = units.values()
        assert parts is not None
        assert ("mend" in parts) is (case[3] > 1)       # taps may be outside of the picture
        ways = {part.partition("_")[0] for part in parts if not part.startswith(("pack_", "mend"))}
        # What bind is told at run time, whether the filter is packed and NO_WINOGRAD, is not known.
        assert way in ways and ways <= {way, "taps", "lines"} and len(ways) <= 2


@pytest.mark.parametrize("kernel", ["conv2d.f32", "conv2d_input_grad.f32", "matmul.f32"])
def test_bounds_lead_to_all_that_numbers_lead_to(kernel: str) -> None:
    rng = np.random.default_rng(len(kernel))
    for _ in range(3):
        if kernel == "matmul.f32":
            batch, m, n, k = (int(value) for value in rng.choice([0, 1, 3, 17, 31, 65], 4))
            numbers = known(batch, m, n, k, m * k, int(rng.choice([0, n * k])), 0, int(rng.choice([0, 1])))
            hidden = rng.choice(4, 2, replace=False)
        else:
            n, c, oc = (int(value) for value in rng.choice([0, 1, 3, 17, 65], 3))
            numbers = convolution(n, int(rng.choice([1, 8, 31])), c, int(rng.choice([1, 3, 5])), oc,
                                  int(rng.choice([1, 2])))
            hidden = np.array([0])
        loose = [UNKNOWN if i in hidden else pair for i, pair in enumerate(numbers)]
        exact, wide = reached([(kernel, numbers), (kernel, loose)])
        for unit, parts in wide.items():
            assert parts is None or set(exact[unit] or ()) <= set(parts), (numbers, loose)


def test_what_is_packed_beforehand_leads_to_fewer_parts() -> None:
    """A row times a constant matrix goes by the micro-kernel, times another one as it lies."""
    product = [("matmul.f32", known(1, 1, 90, 70, 0, 0, 0, 0))]
    (constant,), (fed,), (either,) = (reached(product, persistent) for persistent in ((1, 1), (0, 0), (0, 1)))
    constant, fed, either = (set(parts["matmul_f32"] or ()) for parts in (constant, fed, either))
    assert "row_product" not in constant and any(part.startswith("multiply_") for part in constant)
    assert fed == {"row_product"} and either == constant | fed


def test_parts_can_be_replaced() -> None:
    """They are weak symbols of the library, one a part."""
    target = host_targets()[0]
    objects = [Object(data) for name, data in read_archive(library_archive(target.name))
               if name in ("convolutions.f32.o", "matmul.f32.o")]
    parts = [symbol.name for found in objects for symbol in found.symbols() if symbol.name.startswith(PART_SYMBOL)]
    wanted = {f"{PART_SYMBOL}{name}_{target.symbol}" for name in ("convolutions_f32_winograd_3", "matmul_f32_dots")}
    assert wanted <= {*parts} and len(parts) == len(set(parts)) > 15
