"""EqualSizes: what stands for a size, if requirements hold; time in proportion to the parts of a size."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from graphc.ir import dims
from graphc.passes.norms.equal_sizes import EqualSizes


def equal_sizes(*pairs: tuple[Any, Any]) -> EqualSizes:
    required = [SimpleNamespace(relation="equal", a=a, b=b) for a, b in pairs]
    flow: Any = SimpleNamespace(nodes=lambda: [SimpleNamespace(requirements=required)])
    return EqualSizes(flow)


def test_sizes_that_are_required_to_be_equal() -> None:
    a, b, c, d = (dims.symbol(name) for name in "abcd")
    sizes = equal_sizes((a, b), (b, c))
    assert sizes.same(a, c) and sizes.same(dims.broadcast(a, b), c)
    assert not sizes.same(a, d) and not sizes.same(dims.broadcast(a, d), a)
    assert sizes.same_shape((a, 3), (c, 3)) and not sizes.same_shape((a, 3), (c, 4))


def test_what_is_found_later_counts() -> None:
    """A size of parts, of which one turns out to be equal to another after the size was looked at."""
    a, b = (dims.symbol(name) for name in "ab")
    both = dims.broadcast(a, b)
    assert equal_sizes((both, both), (a, b)).same(both, a)


def test_parts_that_sizes_share_are_looked_at_once() -> None:
    """The size has 120 parts; as a tree it would have 2^60."""
    size: Any = dims.symbol("start")
    for i in range(60):
        size = dims.select(dims.equal(1, size), dims.broadcast(size, dims.symbol(f"s{i}")), 1)
    sizes = equal_sizes((size, dims.symbol("other")))
    assert not sizes.same(size, 1)
