"""Every test of layers has a graph of its own: names are counted in a graph."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield
