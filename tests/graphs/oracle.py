"""What a program computes by the NumPy evaluator, run after run, and how far an executor may be from it.

The evaluator runs every op's `reference` behind its `infer` on the sizes that are there. It runs again with noise of a
few units in the last place on every result: where that moves a result much (cancellation, an argmax of near ties, a
comparison), the program is ill-conditioned there, and only executors are compared with each other.
"""
from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec import reference
from graphc.ir.dtypes import as_dtype
from graphc.ir.op import Effect, Op
from graphc.ir.spec import VALUE_LIMIT, Spec

from programs import Built

NOISE = {np.dtype(np.float32): 4e-7, np.dtype(np.float64): 8e-16}
NOISE |= {np.dtype(np.complex64): NOISE[np.dtype(np.float32)], np.dtype(np.complex128): NOISE[np.dtype(np.float64)]}
NOISY_RUNS = 2
MOST_OPS = 5000      # of a run: a loop that does not end
# What references raise for arrays that do not fit; anything else is a fault of the evaluator.
INVALID = (ValueError, IndexError, errors.OpError, ZeroDivisionError, OverflowError)


@dataclass(frozen=True)
class Failure:
    """A run that ended in an error."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True)
class Expected:
    """One value: how far off another may be, an array; inf where the program is ill-conditioned."""

    array: np.ndarray
    allowed: np.ndarray


class Invalid(Exception):
    """The op does not take these arrays."""


class TooLong(Exception):
    """The program runs too many ops, if it ever ends."""


@contextmanager
def _ops_run_by(run: Callable[..., Any]) -> Iterator[None]:
    kept, left = reference.apply_reference, itertools.count(MOST_OPS, -1)

    def counted(*arguments: Any) -> Any:
        if not next(left):
            raise TooLong
        return run(*arguments)

    reference.apply_reference = counted  # type: ignore[assignment]
    try:
        yield
    finally:
        reference.apply_reference = kept


def checked(op: Op, arrays: Sequence[Any], run: int = 0, iteration: int = 0) -> tuple[Any, ...]:
    """The op's reference; Invalid if inference or the reference says that the arrays do not fit."""
    if op.effect is Effect.HOST and op.type == "Print":
        return (arrays[0],)
    try:
        if all(isinstance(a, np.ndarray | np.generic) and a.dtype != object for a in arrays):
            op.infer(*map(spec_of, arrays))
        return _KEPT(op, arrays, run, iteration)
    except INVALID as error:
        raise Invalid(f"{op.type}: {type(error).__name__}: {error}") from error


def spec_of(array: Any) -> Spec:
    """All that inference can know: the values of small integer tensors, too."""
    spec = Spec(as_dtype(array.dtype), np.shape(array))
    small = array.dtype.kind in "iu" and array.size <= VALUE_LIMIT
    return spec.with_value([int(v) for v in np.ravel(array)]) if small else spec


_KEPT = reference.apply_reference


class _Noisy:
    """The references, every new number moved a little. Copies of an input's elements and whole numbers stay."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.calls = 0

    def __call__(self, op: Op, arrays: Sequence[Any], run: int = 0, iteration: int = 0) -> tuple[Any, ...]:
        results = checked(op, arrays, run, iteration)
        self.calls += 1
        if op.effect is Effect.HOST:
            return results
        copies = [a for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind in "fc"]
        # An update may be computed as a change of the old value, which rounds in units of that.
        old = arrays[:len(op.refs)] if len(op.refs) == len(results) else results
        return tuple(self.moved(r, copies, o) for r, o in zip(results, old, strict=True))

    def moved(self, array: Any, copies: Sequence[np.ndarray] = (), scale: Any = None) -> Any:
        if not isinstance(array, np.ndarray | np.generic) or array.dtype not in NOISE or not array.size:
            return array
        array = np.asarray(array)
        if array.dtype.kind == "c":
            parts = [[getattr(a, part) for a in copies if a.dtype.kind == "c"] for part in ("real", "imag")]
            scales = (None, None) if scale is None else (np.abs(scale), np.abs(scale))
            real, imaginary = (self.moved(getattr(array, part), of, size) for part, of, size in zip(
                ("real", "imag"), parts, scales, strict=True))
            return (real + 1j * imaginary).astype(array.dtype)
        with np.errstate(all="ignore"):
            stays = (array == np.rint(array)) | ~np.isfinite(array)
            for other in copies:
                stays |= np.isin(array, other)
            # Runs come in pairs, in which every number is moved up once and down once.
            first, sign = divmod(self.seed, 2)
            up = np.random.default_rng((first, self.calls)).choice((-1, 1), array.shape)
            noise = (up if sign else -up) * NOISE[array.dtype]
            size = np.abs(array) if scale is None else np.maximum(np.abs(array), np.abs(scale))
            return np.where(stays, array, array + size * noise).astype(array.dtype)


class Oracle:
    """The values of a program's runs. first: the number of the session's first run, by which random ops count."""

    def __init__(self, built: Built, fetches: Sequence[Any], schedule: Sequence[int], first: int) -> None:
        self.built, self.fetches, self.schedule, self.first = built, list(fetches), schedule, first

    def values(self) -> list[list[Any] | Failure]:
        """For every run the values (None for an operation) or why there are none."""
        return self._runs(checked, lambda a: a)

    def expected(self, noise: bool = True) -> list[list[Expected | None] | Failure]:
        """noise: False if only errors are of interest."""
        exact = self.values()
        others = []
        for seed in range(NOISY_RUNS if noise else 0):
            noisy = _Noisy(2 * zlib.crc32(b"noise") + seed)
            others.append(self._runs(noisy, noisy.moved))
        return [run if isinstance(run, Failure) else
                [None if v is None else Expected(v, allowed(v, [_part(o[r], i) for o in others]))
                 for i, v in enumerate(run)] for r, run in enumerate(exact)]

    def _runs(self, run_op: Callable[..., Any], moved: Callable[[Any], Any]) -> list[list[Any] | Failure]:
        states = {n: moved(v.copy()) for n, v in self.built.variables().items()}
        made: list[list[Any] | Failure] = []
        for number, fed in enumerate(self.schedule, self.first):
            feeds = {t: moved(v) for t, v in self.built.feeds(fed).items()}
            trial = dict(states)
            try:
                with _ops_run_by(run_op), np.errstate(all="ignore"):
                    found = reference.run_reference(self.fetches, feeds, trial, number)
            except TooLong:
                raise
            except Exception as error:
                made.append(Failure("invalid" if isinstance(error, (Invalid, errors.OpError)) else "evaluator",
                                    f"{type(error).__name__}: {error}"))
                continue
            states = trial
            made.append([None if v is None else np.array(v) for v in found])
        return made


def _part(run: Any, position: int) -> Any:
    return None if isinstance(run, Failure) else run[position]


def allowed(value: np.ndarray, others: Sequence[Any]) -> np.ndarray:
    """How far each element may be off: a multiple of what noise moves it, and a little of the largest."""
    if not others or any(o is None or np.shape(o) != value.shape for o in others):
        return np.full(value.shape, np.inf)
    with np.errstate(all="ignore"):
        if value.dtype.kind not in "fc":
            moves = np.logical_or.reduce([np.asarray(o) != value for o in others])
            return np.where(np.any(moves), np.inf, np.zeros(value.shape))
        finite = np.isfinite(value)
        size = float(np.abs(value[finite]).max(initial=0.0))
        spread = np.maximum.reduce([np.abs(np.asarray(o) - value) for o in others])
        spread = np.where(np.logical_and.reduce([_alike(o, value) for o in others]), 0.0, spread)
        worst = np.nan_to_num(spread, nan=np.inf).max(initial=0.0)
        unit = NOISE.get(value.dtype, 0.0)
        bound = 50 * max(float(worst), unit * size) + 1e-30
        if bound > 0.02 * max(size, 1e-30):
            return np.full(value.shape, np.inf)
        return np.where(finite, bound, 0.0)


def _alike(a: Any, b: Any) -> Any:
    return (np.asarray(a) == np.asarray(b)) | (np.isnan(a) & np.isnan(b))
