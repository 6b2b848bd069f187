"""What `--repair` makes of arrays of one element: NumPy 1's meaning where NumPy 2.4 refuses, nothing else."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphc.tf1.scalars import compiled


def ran(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np, "one": np.array([[2.5]]), "two": np.array([1., 2.])}
    exec(compiled(text, "old.py"), names)
    return names


@pytest.mark.parametrize("text, result", [
    ("float(one)", 2.5), ("int(one)", 2), ("int('11', 2)", 3), ("__import__('builtins').float('1')", 1.0),
    ("'%d: %.2f' % (3, one)", "3: 2.50"), ("'%g' % one", "2.5"), ("'%s %g%%' % (one, one)", "[[2.5]] 2.5%"),
    ("'%(a).1f %(b)s' % {'a': one, 'b': one}", "2.5 [[2.5]]"), ("'%*d' % (3, np.array([7]))", "  7"),
    ("('a' + '%i') % one", "a2"), ("7 % 4", 3), ("'%s' % 1", "1"), ("'%d %d' % (1, 2)", "1 2"),
])
def test_one_element_is_a_number(text: str, result: object) -> None:
    assert ran(f"result = {text}")["result"] == result


def test_functions_of_math_take_one_element() -> None:
    assert ran("import math\nresult = math.floor(one), math.pow(np.array([2]), one)")["result"] == (2, 2 ** 2.5)


def test_one_element_is_stored_in_an_element() -> None:
    text = """
whole, real, listed, named = np.zeros(3, int), np.zeros((2, 2)), [0], {}
whole[1] = one
real[0, 1] = one
real[1] = one
real[:, 0] = one[0]
listed[0] = named['a'] = one
named['b'] = listed[0]
"""
    names = ran(text)
    np.testing.assert_array_equal(names["whole"], [0, 2, 0])
    np.testing.assert_array_equal(names["real"], [[2.5, 2.5], [2.5, 2.5]])
    assert names["listed"][0] is names["one"] is names["named"]["b"]


def test_value_container_and_index_are_evaluated_once_in_python_s_order() -> None:
    text = """
seen, kept = [], {}
def say(what): seen.append(what); return what
def kept_now(): say('place'); return kept
kept_now()[say('index')] = say('value')
"""
    names = ran(text)
    assert names["seen"] == ["value", "place", "index"] and names["kept"] == {"index": "value"}


@pytest.mark.parametrize("text, error", [
    ("float(two)", TypeError), ("'%g' % two", TypeError), ("'%g %g' % one", TypeError), ("float('x')", ValueError),
    ("'%d' % 'x'", TypeError), ("np.zeros(2)[0] = two", ValueError), ("[][3] = one", IndexError),
    ("np.zeros(2)[5] = one", IndexError), ("'%d %d' % (one, one, one)", TypeError),
])
def test_other_errors_stay(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        ran(f"1\n{text}")
    lines = [entry.lineno for entry in raised.traceback if str(entry.path).endswith("old.py")]
    assert [line + 1 for line in lines] == [2]
