"""Types of a program's own in fetches and feeds."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import graphc as gc
from graphc.session import conversions

register = conversions.register_session_run_conversion_functions


class Draw:
    """Stands for a tensor."""

    def __init__(self, value: Any) -> None:
        self.tensor = value


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(conversions, "_REGISTERED", [])
    yield


def test_fetched_and_fed() -> None:
    register(Draw, lambda d: ([d.tensor], lambda values: values[0] * 10), lambda d, fed: [(d.tensor, fed)],
             lambda d: [d.tensor])
    x = Draw(gc.placeholder_with_default(gc.constant([1., 2.]), [2]))
    y = x.tensor + 1.
    with gc.Session() as session:
        assert session.run(x).tolist() == [10., 20.]
        assert session.run({"both": [x, y]}, {x: [3., 4.]})["both"][0].tolist() == [30., 40.]
        assert session.run(y, {x: [5., 6.]}).tolist() == [6., 7.]
        assert session.make_callable(y, [x])([7., 8.]).tolist() == [8., 9.]


def test_only_fetched() -> None:
    register(Draw, lambda d: ([d.tensor], lambda values: values[0]))
    x = Draw(gc.placeholder(gc.float32, []))
    with gc.Session() as session, pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
        session.run(x, {x: 1.})


def test_registered_once() -> None:
    register(Draw, lambda d: ([d.tensor], len))
    with pytest.raises(ValueError, match="already been registered"):
        register(Draw, lambda d: ([d.tensor], len))
    with pytest.raises(ValueError, match="derives from"):
        register(type("Special", (Draw,), {}), lambda d: ([d.tensor], len))
