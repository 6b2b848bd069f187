"""What programs borrow from inside `tensorflow.python.util`."""
from __future__ import annotations

import pytest

import graphc.compat.v1 as tf

util = tf.python.util


def twice(x: int, by: int = 2) -> int:
    """Twice."""
    return by * x


def test_decorators_keep_what_they_decorate() -> None:
    calls = []

    def counting(*arguments: int) -> int:
        calls.append(arguments)
        return twice(*arguments)

    made = util.tf_decorator.make_decorator(twice, counting)
    assert made(4) == 8 and calls == [(4,)] and (made.__name__, made.__doc__) == ("twice", "Twice.")
    assert util.tf_decorator.unwrap(made) == ([made], twice)
    assert util.tf_inspect.getargspec(made).args == ["x", "by"]
    assert util.tf_inspect.getcallargs(made, 3) == {"x": 3, "by": 2}
    assert util.tf_inspect.isfunction(made) and not util.tf_inspect.isclass(made) and util.tf_inspect.isclass(int)
    assert util.tf_inspect.ismethod("".join) is False and util.tf_inspect.ismethod(tf.Graph().as_default)


def test_contexts() -> None:
    @util.tf_contextlib.contextmanager
    def lent(what: str):  # type: ignore[no-untyped-def]
        yield what

    with lent("it") as found:
        assert found == "it"


def test_notes_of_deprecation_are_taken_and_not_shown() -> None:
    from graphc.compat.v1.python.util import deprecation
    deprecation._PRINT_DEPRECATION_WARNINGS = False
    assert deprecation.deprecated("2020-01-01", "use more")(twice) is twice
    assert deprecation.deprecated_args(None, "no more", "by")(twice) is twice
    assert util.tf_export.tf_export("twice", v1=["doubled"])(twice) is twice
    assert deprecation.deprecated_argument_lookup("axis", None, "dim", 1) == 1
    assert deprecation.deprecated_argument_lookup("axis", 2, "dim", None) == 2
    with pytest.raises(ValueError, match="both 'dim' and 'axis'"):
        deprecation.deprecated_argument_lookup("axis", 2, "dim", 1)
