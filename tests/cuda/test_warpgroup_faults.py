"""What the emulator refuses of mbarriers, TMA and wgmma: faults planted in the kernel of products, each with what is
said of it, and those that can only be seen by a wrong result."""
from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from convolutions_alone import Case, convolved
from test_warpgroup_products import factors, multiplied

from graphc.exec.cuda.calls.warpgroups import Variant
from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE
from graphc.exec.cuda.vendor.cudnn import Kind

from on_both import ON_GPU
from ptx.mutants import Mutating
from ptx.text import PtxError

pytestmark = pytest.mark.skipif(ON_GPU, reason="planted faults would lose the GPU's context")
A, B = factors(1, 128, 72, 5 * 64)     # five panels, of which three are there at a time


class Changed(Mutating):
    compute = WARPGROUP_COMPUTE


def product_with(pattern: str, replacement: str, which: int) -> np.ndarray:
    """A product by a kernel in which the match of that number is replaced; -1: the last."""
    def change(text: str) -> str:
        if "wgmma" not in text:
            return text
        found = list(re.finditer(pattern, text))[which]
        return text[:found.start()] + found.expand(replacement) + text[found.end():]

    return multiplied(Changed(change), Variant("bf16", 128), A, B)


FAULTS: dict[str, tuple[str, str, int, str]] = {
    "panels are not waited for": (r"@%pw_ended bra", "bra", 1, "not waited for|has not come"),
    "stages are not waited for": (r"@%pw_ended bra", "bra", 0, "two copies|has not come"),
    "stages are given back too early": (r"wait_group.sync.aligned 1", "wait_group.sync.aligned 2", 0, "still reads"),
    "the last products are not waited for": (r"wgmma.wait_group.sync.aligned 0;", "", 0, "no wait"),
    "products in no group": (r"wgmma.commit_group.sync.aligned;", "", 0, "still reads|no wait"),
    "no fence of registers": (r"wgmma.fence.sync.aligned;", "", 0, "no wgmma.fence"),
    "too many bytes are announced": (r"_, (\[%rd\d+\]), 32768", r"_, \1, 32896", 0, "never ends"),
    "too few bytes are announced": (r"_, (\[%rd\d+\]), 32768", r"_, \1, 32640", 0, "nobody announced"),
    "no proxy fence": (r"fence.proxy.async.shared::cta;", "", 0, "TMA cannot see"),
    "no barrier behind mbarrier.init": (r"bar.sync \t0;", "", 0, "cannot see yet"),
    "a full barrier that counts two": (r"(init.shared::cta.b64 \[%rd\d+\]), 1;", r"\1, 2;", 0, "never ends"),
    "an empty barrier that counts fewer": (r"(init.shared::cta.b64 \[%rd\d+\]), 8;", r"\1, 7;", 0,
                                           "more threads arrive|still reads|does not know"),
    "stages are never given back": (r"@%pw_more mbarrier.arrive.shared::cta.b64 _, \[%rw_before\];", "", 0,
                                    "never ends"),
    "parities stay": (r"xor.b32 %rw_at, %rw_parity, 1;", "mov.b32 %rw_at, %rw_parity;", 0,
                      "never ends|not waited for|has not come|no wait"),
    "stages overlap": (r"add.s64 \t(%rd\d+), (%rd\d+), 16384;", r"add.s64 \t\1, \2, 8192;", 0, "two copies"),
    "a sum is used before": (r"wgmma.mma_async\S+ \{(%r\d+).*;", r"\g<0>\n mov.b32 %rw_at, \1;", 0, "is used while"),
    "a sum is written before": (r"wgmma.mma_async\S+ \{(%r\d+).*;", r"\g<0>\n mov.b32 \1, 0;", 0, "is used while"),
}
WRONG: dict[str, tuple[str, str, int]] = {
    "groups of lines elsewhere": (r"mov.b32 %rw_high, (\d+)", r"mov.b32 %rw_high, 1073741952", 0),
    "another swizzle": (r"mov.b32 %rw_high, \d+", f"mov.b32 %rw_high, {1 << 31 | 64}", 0),
    "a turned": (r", 1, 1, 1, 0, 1;", ", 1, 1, 1, 1, 1;", 0),
    "b not turned": (r", 1, 1, 1, 0, 1;", ", 1, 1, 1, 0, 0;", 2),
    "another step along k": (r"add.s32 %rw_at, %rw_a, 4;", "add.s32 %rw_at, %rw_a, 2;", 0),
    "another stage": (r"add.s32 %rw_b, %rw_b, 2048;", "add.s32 %rw_b, %rw_b, 1024;", 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault: str) -> None:
    *change, said = FAULTS[fault]
    with pytest.raises(PtxError, match=said):
        product_with(*change)


@pytest.mark.parametrize("fault", WRONG)
def test_a_planted_fault_gives_a_wrong_result(fault: str) -> None:
    try:
        found: Any = product_with(*WRONG[fault])
    except PtxError:
        return
    assert (found != A @ B).any()


def test_without_a_fault_the_product_is_right() -> None:
    np.testing.assert_array_equal(product_with("$", "", 0), A @ B)


# Of windows: what is planted where the thread that copies tells TMA of pixels, and what is said, "" if only the result
# is wrong.
PIXELS = r"(\[%rd?\d+\]|\[%rd\d+, )\{(%r\d+), (%r\d+), (%r\d+), (%r\d+)\}"
OF_WINDOWS: dict[str, tuple[str, str, int, str]] = {
    "columns for rows of a tap": (r"\{%hw_across, %hw_down\}", "{%hw_down, %hw_across}", 0, ""),
    "columns for rows of a window": (PIXELS, r"\1{\2, \4, \3, \5}", 0, "where no window is|"),
    "every tap is the first": (r"cvt.u16.u32 %hw_across, %r\d+;", "mov.b16 %hw_across, 0;", 0, ""),
    "the same channels": (PIXELS, r"\1{0, \3, \4, \5}", -1, ""),
    "the same picture": (PIXELS, r"\1{\2, \3, \4, 0}", 0, ""),
    "pixels that do not come": (r"cp.async.bulk.tensor.4d\S+ .*;", "", 0, "never ends"),
    "matrices by the map of pictures": (r"(tensor.4d\S+ \[%r\w+\], \[)(%rd\d+)", r"\1%rd_b", 0, "the other way round"),
}


@pytest.mark.parametrize("kind", [Kind.FORWARD, Kind.FILTER])
@pytest.mark.parametrize("fault", OF_WINDOWS)
def test_a_planted_fault_in_windows_is_noticed(fault: str, kind: Kind) -> None:
    pattern, replacement, which, said = OF_WINDOWS[fault]

    def change(text: str) -> str:
        if "im2col" not in text:
            return text
        found = list(re.finditer(pattern, text))[which]
        other = re.search(r"tensor.3d\S+ \[%r\w+\], \[(%rd\d+)", text)
        assert other is not None
        return text[:found.start()] + found.expand(replacement).replace("%rd_b", other[1]) + text[found.end():]

    case = Case((3, 8, 9, 72), (3, 2), 24, before=(1, 0), behind=(1, 1))
    try:
        result, wanted = convolved(Changed(change), case, kind, Variant("bf16", 128), "f32")
    except PtxError as error:
        assert said and re.search(said, str(error)), error
    else:
        assert "" in said.split("|") and (result != wanted).any()
