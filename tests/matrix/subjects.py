"""The arrays of a cell: what is fed for a sample in each run, with the sizes that the cell wants."""
from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

import graphc as gc
from graphc.errors import UnimplementedError
from graphc.exec.reference import apply_reference
from graphc.ir.dtypes import ALL, DType, bfloat16, float32
from graphc.ir.op import OPS, Effect, Op, Sample
from graphc.ir.spec import Spec
from graphc.ir.values import as_array

from matrix.excluded import SIZES_BY_VALUE
from samples import arrays, build, definition, specs

Arrays = list[np.ndarray]
FIELD_VALUES = 2      # other values of a field of a sample


@functools.cache
def matrix_samples(op_type: str) -> tuple[Sample, ...]:
    """The op's samples, and one more for each dtype that it takes and they lack."""
    op = OPS[op_type]
    return (*op.samples, *dtype_samples(op))


@functools.cache
def all_samples(op_type: str) -> tuple[Sample, ...]:
    """`matrix_samples`, and behind them samples of the op with one field changed."""
    return (*matrix_samples(op_type), *field_samples(OPS[op_type]))


def field_samples(op: type[Op]) -> list[Sample]:
    """For each field of each sample, the sample with a value that another sample shows, if it gives another result."""
    made: list[Sample] = []
    for sample in op.samples:
        values = arrays(op, sample)
        before = _results(op, sample, values)
        for name in sample.attributes:
            others = {repr(s.attributes[name]): s.attributes[name] for s in op.samples if name in s.attributes}
            others.pop(repr(sample.attributes[name]))
            changed = (dataclasses.replace(sample, attributes={**sample.attributes, name: v}) for v in others.values())
            made += itertools.islice((c for c in changed if _differs(_results(op, c, values), before)), FIELD_VALUES)
    return made


def _differs(results: Arrays | None, before: Arrays | None) -> bool:
    return results is not None and before is not None and not all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(results, before, strict=False))


def dtype_samples(op: type[Op]) -> list[Sample]:
    """A float32 sample of the op in every other dtype that `infer` takes and no sample of its own has."""
    base = _retypable(op)
    if base is None:
        return []
    present = {d for s in op.samples for d in _dtypes(op, s)}
    made = []
    for dtype in ALL:
        # To NumPy bfloat16 is no floating point number; it is float16 with another cast (tests/ops).
        if dtype.numpy is None or dtype in present or dtype == bfloat16:
            continue
        sample = _retyped(op, base, dtype)
        if sample is not None and _is_implemented(op, sample):
            made.append(sample)
    return made


def _is_implemented(op: type[Op], sample: Sample) -> bool:
    """Whether the compiler does not say itself that it lacks the op in this dtype, which is no fault."""
    if op.refs:
        return False
    values = arrays(op, sample)
    try:
        built = build(op, sample, values)
        with gc.Session(graph=built.graph) as session:
            session.run(built.outputs, dict(zip(built.inputs, values, strict=True)))
    except UnimplementedError as error:
        return "dtype" not in str(error)
    except Exception:      # is a fault, and will be reported as one
        return True
    return True


def _retypable(op: type[Op]) -> Sample | None:
    """The smallest sample with elements whose operands are all made up, and of float32 where they are typed."""
    plain = [s for s in op.samples if s.inputs and float32 in _dtypes(op, s)
             and all(isinstance(x, tuple) for x in s.inputs)]
    full = [s for s in plain if all(a.size > 1 for a in arrays(op, s))]
    return min(full or plain, key=lambda s: sum(a.size for a in arrays(op, s)), default=None)


def _dtypes(op: type[Op], sample: Sample) -> list[DType]:
    return [s.dtype for s in specs([a for a in arrays(op, sample) if a.dtype != object])]


def _retyped(op: type[Op], base: Sample, dtype: DType) -> Sample | None:
    """The sample with `dtype` in place of float32; None if the op refuses it."""
    before = [s.dtype for s in specs(arrays(op, base))]
    sample = dataclasses.replace(
        base, dtypes=tuple(dtype if d == float32 else d for d in before),
        gradient=base.gradient and dtype.is_floating and not dtype.is_half,   # tests/ops/test_gradients_of_number_types
        attributes={k: dtype if isinstance(v, DType) and v == float32 else v for k, v in base.attributes.items()},
        tolerance=5e-3 if dtype.size == 2 and dtype.is_floating else base.tolerance)
    if not dtype.is_floating:
        sample = dataclasses.replace(sample, low=1 if base.low > 0 else -9, high=9)
    try:
        made = arrays(op, sample)
        op(**sample.attributes).infer(*specs(made))
    except (TypeError, ValueError, NotImplementedError):
        return None
    return sample


@functools.cache
def subject(op_type: str, number: int, sizes: str, run: int) -> tuple[np.ndarray, ...] | None:
    """What the operands of a sample are in a run; None if the sample has no such sizes."""
    op, sample = OPS[op_type], all_samples(op_type)[number]
    first = arrays(op, sample)
    chosen = next(_resized(op, sample, first, sizes), None)
    if chosen is None:
        return None
    def cut(values: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        return tuple(as_array(cut(v)) for cut, v in zip(chosen, values, strict=True))

    made = cut(first if run == 0 else other_values(op, sample, first, run))
    if op.type in SIZES_BY_VALUE and _result_shapes(
            op, sample, list(made)) != _result_shapes(op, sample, list(cut(first))):
        return cut(first)
    return made


def other_values(op: type[Op], sample: Sample, first: Sequence[np.ndarray], run: int) -> Arrays:
    """Arrays of the same shapes as `first` that fit the op as well."""
    drawn = arrays(op, sample, seed=run)
    made = [_changed(v, run) if isinstance(given, (np.ndarray, np.generic)) else d
            for given, v, d in zip(sample.inputs, first, drawn, strict=True)]
    same = op.type not in SIZES_BY_VALUE or _result_shapes(op, sample, made) == _result_shapes(op, sample, first)
    return made if same and _accepted(op, sample, made) else list(first)


def _changed(array: np.ndarray, run: int) -> np.ndarray:
    """A given array's other values: its rows in another order, so that what holds in a row holds still."""
    return np.roll(array, run, 0) if array.ndim else array


class _Cut:
    """Takes the first `size` places of one axis."""

    def __init__(self, axis: int | None = None, size: int = 0) -> None:
        self.axis, self.size = axis, size

    def __call__(self, array: np.ndarray) -> np.ndarray:
        if self.axis is None:
            return array
        return array[(slice(None),) * self.axis + (slice(0, self.size),)]


def _resized(op: type[Op], sample: Sample, first: Arrays, sizes: str) -> Iterator[list[_Cut]]:
    """Ways to make some axes smaller, so that the op takes the operands still. The first is the best one."""
    if sizes == "given":
        yield [_Cut() for _ in first]
        return
    small = 0 if sizes == "zero" else 1
    # Given numbers may hang together in a row, as a picture and its largest elements do: only rows are left out.
    axes = 1 if any(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in sample.inputs) else 99
    every = [(i, axis) for i, array in enumerate(first) for axis in range(min(array.ndim, axes))
             if array.shape[axis] > 1]
    if sizes == "stretched":
        choices = [[place] for place in every] if _broadcasts(op) else []
    else:
        by_size: dict[int, list[tuple[int, int]]] = {}
        for i, axis in every:
            by_size.setdefault(first[i].shape[axis], []).append((i, axis))
        choices = [*by_size.values(), *([place] for place in every)]
    full = _result_shapes(op, sample, first)
    for places in choices:
        if any(sum(i == j for j, _ in places) > 1 for i, _ in places):
            continue
        cuts = [_Cut(*next(((axis, small) for i, axis in places if i == n), ())) for n in range(len(first))]
        made = [as_array(cut(v)) for cut, v in zip(cuts, first, strict=True)]
        if _accepted(op, sample, made) and (sizes != "stretched" or _result_shapes(op, sample, made) == full):
            yield cuts


@functools.cache
def _broadcasts(op: type[Op]) -> bool:
    """Whether the op takes operands of several shapes, as some sample of its own shows: gradient ops do not."""
    return any(len({a.shape for a in arrays(op, s)}) > 1 for s in op.samples)


def _accepted(op: type[Op], sample: Sample, made: Arrays) -> bool:
    return _result_shapes(op, sample, made) is not None


def _result_shapes(op: type[Op], sample: Sample, made: Arrays) -> list[tuple[int, ...]] | None:
    """The shapes of the op's results; None if it does not take these operands."""
    results = _results(op, sample, made)
    return None if results is None else [r.shape for r in results]


def _results(op: type[Op], sample: Sample, made: Arrays) -> Arrays | None:
    """The op's results (of one that writes: its operands); None if it does not take these operands."""
    try:
        instance = definition(op, sample)
        inferred = instance.infer(*specs(made))
        if op.effect is Effect.WRITE:
            return made
        with np.errstate(all="ignore"):
            results = [as_array(r) for r in apply_reference(instance, made)]
    except Exception:
        return None
    inferred = inferred if isinstance(inferred, tuple) else (inferred,)
    fits = all(_agrees(spec, r) for spec, r in zip(inferred, results, strict=True))
    return results if fits else None


def _agrees(spec: Spec, result: np.ndarray) -> bool:
    if spec.dtype.numpy not in (None, result.dtype):
        return False
    return spec.shape is None or (len(spec.shape) == result.ndim and all(
        not isinstance(s, int) or s == n for s, n in zip(spec.shape, result.shape, strict=True)))
