"""A program that builds ops in its loop is told, once, and where."""
from __future__ import annotations

import warnings

import pytest

import graphc as gc


def test_ops_added_in_the_loop() -> None:
    v = gc.Variable(0.0)
    with gc.Session() as session:
        session.run(v.initializer)
        with pytest.warns(UserWarning, match=r"the graph grows between runs.*test_growing_graphs\.py:18") as told:
            for i in range(50):
                session.run(
                    gc.assign(v, float(i)))
    assert len(told) == 1


def test_a_program_that_builds_first_is_not_told() -> None:
    x = gc.placeholder(gc.float32, [])
    many = [x * float(i) for i in range(50)]
    with gc.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("error")
        for y in many:
            session.run(y, {x: 1.0})
        late = x + 1.0
        for _ in range(50):
            session.run(late, {x: 1.0})
