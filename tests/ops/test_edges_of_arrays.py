"""What functions of graphc.api.array refuse, and how they say it."""
from __future__ import annotations

import pytest

import graphc as gc


@pytest.mark.parametrize(("function", "label"), [
    (lambda parts: gc.concat(parts, 0), "values"), (lambda parts: gc.stack(parts, axis=1), "values"),
    (gc.add_n, "inputs")])
def test_of_a_list_the_value_with_another_dtype_is_named(function, label: str) -> None:
    with pytest.raises(TypeError, match=rf"argument '{label}\[2\]' has dtype int32, but '{label}\[0\]' has float32"):
        function([gc.zeros([2]), gc.zeros([2]), gc.zeros([2], gc.int32)])


@pytest.mark.parametrize("function", [gc.tuple, gc.shape_n, gc.identity_n])
def test_an_empty_list_of_tensors_is_refused(function) -> None:
    with pytest.raises(ValueError, match="must hold at least one tensor"):
        function([])


def test_there_are_no_strings_that_are_1() -> None:
    for make in (lambda: gc.ones([2], gc.string), lambda: gc.ones_like(gc.constant(["a"]))):
        with pytest.raises(TypeError, match="there is no string that is 1"):
            make()


def test_a_default_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"axis 0 of the default of shape \(1,\) has size 1, but 'shape' says 2"):
        gc.placeholder_with_default([1.0], [2])
    assert gc.placeholder_with_default([1.0], [None]).shape.as_list() == [None]
