"""Random uses of an op, made of its samples: other sizes, dtypes and values.

A sample says which fields and shapes go together. A case keeps its ranks and gives each size in it another one, the
same for equal sizes, in fields too; shapes of elementwise ops are drawn anew, broadcasting. Values are random numbers
in the sample's range, a few equal ones (ties), or have NaNs, infinities and zeros among them. What graphc's `infer`
refuses is no case.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from graphc.ir.dtypes import DType, as_dtype, float32, float64, int32, int64
from graphc.ir.op import OPS, Elementwise, Op, Sample

SIZES = (0, 1, 2, 3, 5, 17, 31)
STYLES = ("plain", "plain", "ties", "special")


@dataclasses.dataclass(frozen=True)
class Case:
    """fields: of the op; values: one array for each operand that is no field."""

    op: type[Op]
    fields: dict[str, Any]
    values: tuple[np.ndarray, ...]
    style: str

    def __repr__(self) -> str:
        shown = ", ".join(f"{v.dtype}{list(v.shape)}" for v in self.values)
        return f"{self.op.type}({self.fields}; {shown}; {self.style})"


@st.composite
def cases(draw: st.DrawFn, op_type: str) -> Case:
    op = OPS[op_type]
    sample = draw(st.sampled_from(list(op.samples)))
    style = draw(st.sampled_from(STYLES))
    sizes = draw(_new_sizes(sample))
    fields = {name: _moved(value, sizes) if isinstance(value, tuple) and _is_field(op, name) else value
              for name, value in sample.attributes.items()}
    shapes = draw(_shapes(op, sample, sizes))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtypes = draw(_dtypes(op, sample))
    values = tuple(given if isinstance(given, np.ndarray) else _array(generator, shape, dtype, sample, style)
                   for given, shape, dtype in zip(map(_as_array, sample.inputs), shapes, dtypes, strict=True))
    case = Case(op, fields, values, style)
    assume(_accepted(case))
    return case


def _as_array(given: Any) -> Any:
    return np.asarray(given) if isinstance(given, np.generic) else given


def _is_field(op: type[Op], name: str) -> bool:
    return name in op.field_operands()


def _new_sizes(sample: Sample) -> st.SearchStrategy[dict[int, int]]:
    """Another size for each in the sample; those of given arrays (indices, masks) stay."""
    fixed = {n for given in sample.inputs if isinstance(given, np.ndarray) for n in given.shape}
    found = sorted({n for given in sample.inputs if isinstance(given, tuple) for n in given if n > 1} - fixed)
    return st.fixed_dictionaries({n: st.sampled_from((n, n, *SIZES)) for n in found})


def _moved(value: Any, sizes: dict[int, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(v, sizes) for v in value)
    return sizes.get(value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _shapes(op: type[Op], sample: Sample, sizes: dict[int, int]) -> st.SearchStrategy[list[Any]]:
    given = [x if isinstance(x, tuple) else None for x in sample.inputs]
    kept = [_moved(x, sizes) if x is not None else None for x in given]
    free = issubclass(op, Elementwise) and None not in given and not op.operands[0].endswith("*")
    if free and len(given) > 1 and len({type(g) for g in given}) == 1 and given[0] != given[1]:
        drawn = mutually_broadcastable_shapes(num_shapes=len(given), max_dims=4, max_side=5, min_side=0)
        return st.one_of(st.just(kept), drawn.map(lambda found: list(found.input_shapes)))
    return st.just(kept)


@st.composite
def _dtypes(draw: st.DrawFn, op: type[Op], sample: Sample) -> list[DType]:
    """The sample's dtypes; now and then float64 for float32, or int64 for int32, in all operands alike."""
    given = [sample.dtypes[i] if i < len(sample.dtypes) and sample.dtypes[i] is not None else float32
             for i in range(len(sample.inputs))]
    other = {float32: float64, int32: int64}
    if any(isinstance(x, np.ndarray) for x in sample.inputs) or any(isinstance(v, DType) for v in
                                                                    sample.attributes.values()):
        return given  # type: ignore[return-value]
    return [other.get(d, d) for d in given] if draw(st.booleans()) else given  # type: ignore[arg-type,return-value]


def _array(generator: np.random.Generator, shape: tuple[int, ...], dtype: DType, sample: Sample,
           style: str) -> np.ndarray:
    low, high = sample.low, sample.high
    if dtype.is_bool:
        return generator.integers(0, 2, shape).astype(np.bool_)
    if dtype.is_integer:
        return generator.integers(int(max(low, dtype.min)), int(max(high, low + 2)), shape).astype(dtype.numpy)
    drawn = np.asarray(generator.uniform(low, high, shape))
    if style == "ties":
        drawn = low + np.round((drawn - low) * 2) / 2 if high - low >= 1 else np.round(drawn, 1)
    if style == "special" and drawn.size:
        odd = generator.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], drawn.shape)
        drawn = np.where(generator.random(drawn.shape) < 0.2, odd, drawn)
    return np.asarray(drawn).astype(dtype.numpy)


def _accepted(case: Case) -> bool:
    from graphc.ir.spec import Spec

    try:
        case.op(**case.fields).infer(*(Spec(as_dtype(v.dtype), v.shape) for v in case.values))
    except (ValueError, TypeError):
        return False
    return True
