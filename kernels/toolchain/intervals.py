"""Numbers of which only bounds are known, and what a function does with them: everything that it may.

    outcomes(lambda: function(Some(0, 100), 7))

runs the function once for each way that its decisions can take: a comparison that the bounds do not decide is answered
with yes in one run and with no in another. So what any number between the bounds would lead to is in one of the runs;
runs may contradict themselves, and lead to more. Arithmetic is exact, as Python's; of floats the bounds are rounded.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

MOST_RUNS = 16_000                     # two seconds
MOST_DECISIONS = 400                   # of a run: beyond, it does not come to an end
FEW_ROUNDS = 4
LARGE = 1 << 62
Result = TypeVar("Result")


class GiveUpError(Exception):
    """What a function may do cannot be told."""


class _Decisions:
    """The answers of the run that is going on, and what has to be tried yet."""

    answers: list[bool] = []
    asked: int = 0
    runs: int = MOST_RUNS              # that are left

    @classmethod
    def next(cls) -> bool:
        if cls.asked == len(cls.answers):
            cls.answers.append(True)
        cls.asked += 1
        if cls.asked > MOST_DECISIONS:
            raise GiveUpError("a run does not come to an end")
        return cls.answers[cls.asked - 1]


def outcomes(function: Callable[[], Result]) -> Iterator[Result]:
    """What the function returns, for each way that its decisions can take. Raises GiveUpError; also if all calls since
    `allow` had too many ways together."""
    _Decisions.answers = []
    while _Decisions.runs > 0:
        _Decisions.runs -= 1
        _Decisions.asked = 0
        result = function()
        tried = _Decisions.answers[:_Decisions.asked]
        yield result
        while tried and not tried[-1]:
            tried.pop()
        if not tried:
            return
        _Decisions.answers = [*tried[:-1], False]
    raise GiveUpError("there are too many ways")


def allow(runs: int = MOST_RUNS) -> None:
    """How many runs all calls of `outcomes` may make together from now on."""
    _Decisions.runs = runs


def _bounds(value: Any) -> tuple[Any, Any]:
    return (value.low, value.high) if isinstance(value, Some) else (value, value)


class Some:
    """A number from low to high. What is read at it as a pointer is any number."""

    def __init__(self, low: Any, high: Any) -> None:
        self.low, self.high = low, high

    def __repr__(self) -> str:
        return f"Some({self.low}, {self.high})"

    __hash__ = None  # type: ignore[assignment]

    # Arithmetic

    def __neg__(self) -> Any:
        return some(-self.high, -self.low)

    def __add__(self, other: Any) -> Any:
        low, high = _bounds(other)
        return some(self.low + low, self.high + high)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        return _corners(self, other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return _quotient(self, other, lambda a, b: a // b)

    def __rfloordiv__(self, other: Any) -> Any:
        return _quotient(other, self, lambda a, b: a // b)

    def __truediv__(self, other: Any) -> Any:
        return _quotient(self, other, lambda a, b: a / b)

    def __rtruediv__(self, other: Any) -> Any:
        return _quotient(other, self, lambda a, b: a / b)

    def __mod__(self, other: Any) -> Any:
        most = max(abs(bound) for bound in _bounds(other))
        return some(0 if _bounds(other)[0] >= 0 else -most, most)

    def __rmod__(self, other: Any) -> Any:
        return Some(*_bounds(other)) % self

    # Comparisons

    def __lt__(self, other: Any) -> bool:
        low, high = _bounds(other)
        return True if self.high < low else False if self.low >= high else _Decisions.next()

    def __le__(self, other: Any) -> bool:
        low, high = _bounds(other)
        return True if self.high <= low else False if self.low > high else _Decisions.next()

    def __gt__(self, other: Any) -> bool:
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    def __eq__(self, other: object) -> bool:
        low, high = _bounds(other)
        return False if self.high < low or self.low > high else _Decisions.next()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return self != 0

    # As a pointer

    def __getitem__(self, index: Any) -> Any:
        return anything()

    def __setitem__(self, index: Any, value: Any) -> None:
        pass


def some(low: Any, high: Any) -> Any:
    return low if low == high else Some(low, high)


def anything() -> Some:
    return Some(-LARGE, LARGE)


def _corners(a: Any, b: Any, function: Callable[[Any, Any], Any]) -> Any:
    found = [function(x, y) for x in _bounds(a) for y in _bounds(b)]
    return some(min(found), max(found))


def _quotient(a: Any, b: Any, function: Callable[[Any, Any], Any]) -> Any:
    """Where the divisor may be 0, the quotient may be 0 (numba's error_model "numpy"), or a large float."""
    low, high = _bounds(b)
    if low > 0 or high < 0:
        return _corners(a, b, function)
    most = max(abs(bound) for bound in _bounds(a))
    return Some(-most, most) if function(3, 2) == 1 else anything()


# What takes the place of Python's own functions.

def least(*values: Any) -> Any:
    lows, highs = zip(*map(_bounds, values), strict=True)
    return some(min(lows), min(highs))


def greatest(*values: Any) -> Any:
    lows, highs = zip(*map(_bounds, values), strict=True)
    return some(max(lows), max(highs))


def either(a: Any, b: Any) -> Any:
    """What is a or b."""
    return some(_bounds(least(a, b))[0], _bounds(greatest(a, b))[1])


def once(*arguments: Any) -> Any:
    """range: if its bounds are not known, or there are many rounds, one with any of the numbers. So a round must not
    hand anything to the next one that decides something."""
    if not any(isinstance(value, Some) for value in arguments) and len(range(*arguments)) <= FEW_ROUNDS:
        return range(*arguments)
    start, stop = (0, arguments[0]) if len(arguments) == 1 else arguments[:2]
    low, high = sorted((_bounds(start)[0], _bounds(stop)[1] - 1)) if len(arguments) < 3 else (-LARGE, LARGE)
    return iter([Some(low, high)])
