"""Random uses of an op, made of its samples: other ranks, sizes, attributes, dtypes and values.

A sample says which fields and shapes go together. A case changes, in this order: the shapes (changed_shapes.py), the
fields (changed_fields.py), the dtypes, those of a slot alike, and the values (values.py). Of what graphc's `infer`
refuses the next simpler change is taken, down to the sample with other sizes; what it refuses then is no case.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from changed_fields import changed_fields
from changed_shapes import changed_shapes, moved
from hypothesis import assume
from hypothesis import strategies as st
from sparse_values import is_sparse, ordered
from values import STYLES, filled

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import COMPUTED, DType, as_dtype, bool_, float32
from graphc.ir.op import OPS, Op, Sample
from graphc.ir.spec import Spec

NUMERIC = tuple(COMPUTED)
UNIMPLEMENTED: dict[str, set[str]] = {}  # by op type: what `infer` says that graphc does not have
SHAPES = (
    "shape",
    "dims",
    "input_sizes",
    "filter_sizes",
    "orig_input_shape",
    "image_size",
    "size",
)  # fields that are shapes
LARGEST = 20_000  # elements of all operands


@dataclasses.dataclass(frozen=True)
class Case:
    """fields: of the op; values: one array for each operand that is no field."""

    op: type[Op]
    fields: dict[str, Any]
    values: tuple[np.ndarray, ...]
    style: str

    @property
    def dtypes(self) -> set[str]:
        return {str(v.dtype) for v in self.values} | {v.name for v in self.fields.values() if isinstance(v, DType)}

    def __repr__(self) -> str:
        shown = ", ".join(f"{v.dtype}{list(v.shape)}" for v in self.values)
        return f"{self.op.type}({self.fields}; {shown}; {self.style})"


@st.composite
def cases(draw: st.DrawFn, op_type: str) -> Case:
    op = OPS[op_type]
    sample = draw(st.sampled_from(list(op.samples)))
    style = draw(st.sampled_from(STYLES))
    sizes, shapes = draw(changed_shapes(op, sample))
    same_rank = [moved(shape, sizes) for shape in sample_shapes(sample)]
    kept = {name: moved(value, sizes) if name in SHAPES else value for name, value in sample.attributes.items()}
    dtypes = sample_dtypes(sample)
    swap = draw(swaps(op, dtypes, sample))
    tries = [
        (draw(changed_fields(op, kept, shapes)), shapes),
        (kept, shapes),
        (draw(changed_fields(op, kept, same_rank)), same_rank),
        (kept, same_rank),
    ]
    for fields, chosen in tries:
        for exchange in (swap, {}):
            found = [exchange.get(d, d) for d in (dtypes * len(chosen) if len(chosen) != len(dtypes) else dtypes)][
                : len(chosen)
            ]
            other = {k: exchanged(v, exchange) for k, v in fields.items()}
            if accepted(op, other, found, chosen):
                seed = draw(st.integers(0, 2**32 - 1))
                assume(sum(int(np.prod(shape)) for shape in chosen) <= LARGEST)
                generator = np.random.default_rng(seed)
                values = filled(op, sample, chosen, found, style, generator)
                if is_sparse(op) and style != "outside":
                    values = ordered(op, other, values, generator)
                return Case(op, other, values, style)
    assume(False)
    raise AssertionError


def exchanged(value: Any, exchange: dict[DType, DType]) -> Any:
    """An attribute with its dtype, or that of its elements, exchanged."""
    if isinstance(value, np.ndarray):
        return value.astype(exchange.get(as_dtype(value.dtype), as_dtype(value.dtype)).numpy)
    if isinstance(value, tuple) and any(isinstance(v, DType) for v in value):
        return tuple(exchange.get(v, v) for v in value)
    return exchange.get(value, value) if isinstance(value, DType) else value


def sample_shapes(sample: Sample) -> list[tuple[int, ...]]:
    return [tuple(x) if isinstance(x, tuple) else np.shape(x) for x in sample.inputs]


def sample_dtypes(sample: Sample) -> list[DType]:
    found = []
    for i, given in enumerate(sample.inputs):
        said = sample.dtypes[i] if i < len(sample.dtypes) else None
        found.append(said or (float32 if isinstance(given, tuple) else as_dtype(np.asarray(given).dtype)))
    return found


@st.composite
def swaps(draw: st.DrawFn, op: type[Op], dtypes: list[DType], sample: Sample) -> dict[DType, DType]:
    """Another dtype for one of the sample's: of all operands and attributes that have it."""
    slots = sorted(
        {d for d in dtypes if d in NUMERIC} | {v for v in sample.attributes.values() if isinstance(v, DType)},
        key=lambda d: d.number,
    )
    if not slots or not draw(st.booleans()):
        return {}
    slot = draw(st.sampled_from(slots))
    return {slot: draw(st.sampled_from([d for d in NUMERIC if slot != bool_ or d != bool_]))}


def accepted(op: type[Op], fields: dict[str, Any], dtypes: list[DType], shapes: list[tuple[int, ...]]) -> bool:
    try:
        op(**fields).infer(*map(Spec, dtypes, shapes))
    except UnimplementedError as error:
        UNIMPLEMENTED.setdefault(op.type, set()).add(str(error).split(";")[0])
        return False
    except (ValueError, TypeError):
        return False
    return True
