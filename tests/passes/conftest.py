"""Fixtures of tests of passes."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

import graphc as gc


@pytest.fixture
def graph() -> Iterator[gc.Graph]:
    """A graph of its own, which is the default one."""
    with gc.Graph().as_default() as made:
        yield made
