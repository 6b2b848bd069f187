"""Programs of Python 2 divide as they did there."""
from __future__ import annotations

import ast
from fractions import Fraction

import numpy as np
import pytest

import graphc.compat.v1 as tf
from graphc.tf1 import repair
from graphc.tf1.division import divided
from graphc.tf1.scalars import compiled


@pytest.mark.parametrize("text, expected", [
    ("print 1 / 2", True), ("for i in xrange(3): pass", True), ("isinstance(x, basestring)", True),
    ("for i in range(3): pass", False), ("from six.moves import xrange\nxrange(3)", False),
    ("try:\n    xrange\nexcept NameError:\n    xrange = range\nxrange(3)", False), ("xrange = 3", False),
    ("from __future__ import division\nprint 1 / 2", False),
    ("from __future__ import print_function, division\nxrange(3)", False),
    ("def f(unicode): return unicode('a')", False),
    ("from past.builtins import *\nxrange(3)", False)])
def test_what_is_python_2(text: str, expected: bool) -> None:
    assert repair.is_python2(text, "old.py") is expected


def test_programs() -> None:
    text = "a = 7 / 2; b = 7 / 2.; c = -7 / 2; d = 7; d /= 2; e = [8.]; e[0] /= 3; f = 1 / 2 / 2."
    made: dict[str, object] = {}
    exec(compiled(text, "old.py", python2=True), made)
    assert [made[name] for name in "abcdef"] == [3, 3.5, -4, 3, [8. / 3], 0.]
    exec(compiled(text, "new.py"), made)
    assert made["a"] == 3.5
    assert ast.parse(text)                              # the lines are the program's own


def test_kinds_of_numbers() -> None:
    assert divided(np.int32(7), 2) == 3 and divided(np.array([7, 9]), 2).tolist() == [3, 4]
    assert divided(np.array([7.]), 2).tolist() == [3.5] and divided(Fraction(1), 2) == Fraction(1, 2)
    assert divided(True, 2) == 0
    size = divided(tf.Dimension(7), 2)
    assert isinstance(size, tf.Dimension) and size.value == 3
    whole, real = divided(tf.constant([7]), 2), divided(1., tf.constant([2.]))
    with tf.Session() as session:
        assert session.run(whole).tolist() == [3] and whole.dtype == tf.int32 and session.run(real).tolist() == [0.5]
