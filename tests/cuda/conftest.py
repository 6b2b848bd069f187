"""The device on which the tests of this folder run: the machine's GPU if GRAPHC_TEST_GPU=1 (`make gpu`), else the
emulator standing in for one."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from graphc.exec.cuda.driver import find_device

from on_both import ON_GPU
from stand_in import StandIn, standing_in


@pytest.fixture
def device() -> Iterator[Any]:
    """The device, which sessions find."""
    if ON_GPU:
        found = find_device()
        assert found is not None, "GRAPHC_TEST_GPU=1, but there is no GPU"
        yield found
        return
    with standing_in(StandIn()) as stand_in:
        yield stand_in
