"""Convolutions by warpgroups, of pictures that TMA reads as windows: right for every tap, padding, stride
and size that no tile divides; which calls are such."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from convolutions_alone import Case, convolved

from graphc.exec.cuda.calls.call import Call
from graphc.exec.cuda.calls.warpgroup_convolutions import seen, variants
from graphc.exec.cuda.calls.warpgroups import Variant
from graphc.exec.cuda.vendor.cudnn import Kind
from graphc.exec.cuda.warpgroup_probe import _is_convolution_right

CASES = {
    "same": Case((2, 9, 7, 72), (3, 3), 40, before=(1, 1), behind=(1, 1)),
    "valid, tiles of several pictures": Case((5, 6, 8, 16), (2, 3), 136),
    "strides": Case((2, 11, 9, 64), (3, 2), 24, strides=(2, 3), before=(1, 0), behind=(0, 2)),
    "dilations": Case((1, 12, 13, 16), (3, 3), 24, dilations=(2, 3), before=(2, 3), behind=(2, 3)),
    "more padding than a tap reaches": Case((1, 5, 4, 16), (2, 2), 16, before=(3, 4), behind=(2, 5)),
    "points with strides": Case((2, 8, 9, 24), (1, 1), 32, strides=(2, 2)),
}
BACK = [name for name, case in CASES.items() if case.strides == (1, 1)]


@pytest.mark.parametrize("name", CASES)
def test_convolutions(hopper: Any, name: str) -> None:
    found, wanted = convolved(hopper, CASES[name], Kind.FORWARD, Variant("bf16", 128))
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", BACK)
def test_gradients_for_the_input(hopper: Any, name: str) -> None:
    found, wanted = convolved(hopper, CASES[name], Kind.INPUT, Variant("bf16", 128))
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", CASES)
def test_gradients_for_filters(hopper: Any, name: str) -> None:
    found, wanted = convolved(hopper, CASES[name], Kind.FILTER, Variant("bf16", 128), "f32")
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(("kind", "columns", "parts", "result"), [
    (Kind.FILTER, 256, 3, "f16"), (Kind.FILTER, 128, 2, "f32"),
    (Kind.FORWARD, 256, 1, "f32"), (Kind.INPUT, 256, 2, "f16"), (Kind.FORWARD, 128, 4, "f16")])
def test_wide_tiles_and_parts(hopper: Any, kind: Kind, columns: int, parts: int, result: str) -> None:
    """Parts begin in the middle of a tap's channels."""
    case = Case((1, 6, 7, 136), (3, 2), 136, before=(1, 0), behind=(1, 1))
    found, wanted = convolved(hopper, case, kind, Variant("f16", columns, parts), result)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(("case", "kind", "fits"), [
    (CASES["same"], Kind.FORWARD, True), (CASES["strides"], Kind.FILTER, True), (CASES["strides"], Kind.INPUT, False),
    (Case((1, 9, 9, 12), (3, 3), 16), Kind.FORWARD, False), (Case((1, 9, 9, 16), (3, 3), 20), Kind.FORWARD, False),
    (Case((1, 200, 9, 16), (3, 3), 16, dilations=(90, 1), before=(90, 0), behind=(90, 0)), Kind.FORWARD, True),
    (Case((1, 400, 9, 16), (3, 3), 16, dilations=(130, 1), before=(130, 0), behind=(130, 0)), Kind.FORWARD, False),
    (Case((1, 40, 9, 16), (1, 1), 16, strides=(9, 1)), Kind.FORWARD, False), (Case((1, 3, 3, 16), (3, 3), 16),
                                                                              Kind.FORWARD, False)])
def test_which_calls_tma_can_read(case: Case, kind: Kind, fits: bool) -> None:
    call: Any = Call(("f32",), (), (), (), None, None, None, stored=("bf16",) * 3)  # type: ignore[arg-type]
    found = seen(call, kind, case.convolution)
    assert (found is not None) == fits
    assert found is None or {v.columns for v in variants(found)} == {128}
    assert seen(call.of_type("f32"), kind, case.convolution) is None


@pytest.mark.parametrize("kind", Kind)
def test_what_the_other_process_asks_of_windows(hopper: Any, kind: Kind) -> None:
    hopper.enter()
    assert _is_convolution_right(hopper, kind, "bf16", 128)
