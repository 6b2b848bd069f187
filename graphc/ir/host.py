"""Ops of kind Host: computed in Python by a library; what a plan calls for them, and under which name.

The name, "op:Svd(compute_uv=True, full_matrices=False)", is made of the type and the fields alone, so that every
process compiles the same plan. Sizes in fields that only a run knows stand as "?" in it, and come as one more operand.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc import errors
from graphc.ir import dims
from graphc.ir.dtypes import DType
from graphc.ir.op import Arrays, Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.values import as_array

PREFIX = "op:"            # of these names; the runner knows it, too (runner/src/host_calls.cpp)
STRINGS = "strings:"      # of names of functions that take or give strings; the runner knows it, too


@dataclass(frozen=True)
class Host(Op):
    """Computed in Python by a library (NumPy, SciPy), wherever it stands: docs/adr/0020. The C++ runner refuses it.

    extra: the optional part of graphc that installs what `compute` imports beyond NumPy. borrows: `compute` gets the
    operands where they are, not copies: it keeps none of them. slow: `compute` works long, outside of Python's lock,
    and gc.data runs it ahead of what needs it. What an op of this kind means is not said a second time: `reference` is
    `compute`, and tests/ops/test_host_ops.py holds its results to what defines them (a Cholesky factor times its
    adjoint is the matrix).
    """

    checks_data = True
    of_complex: ClassVar[str] = "itself"
    extra: ClassVar[str] = ""
    borrows: ClassVar[bool] = False
    slow: ClassVar[bool] = False

    def compute(self, *inputs: np.ndarray) -> Arrays:
        """The results, as arrays of the inferred dtypes. May raise; never writes into its inputs."""
        raise NotImplementedError(f"{self.type}.compute")

    def reference(self, *inputs: np.ndarray) -> Arrays:
        return HostCall(self)(*inputs)

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        b.compute(self, inputs, outputs)


def host_name(op: Host) -> str:
    fields = ", ".join(f"{f.name}={_text(getattr(op, f.name))}" for f in dataclasses.fields(op))
    return f"{PREFIX}{op.type}({fields})"


def with_strings(name: str, operands: Sequence[int], results: Sequence[int]) -> str:
    """The name under which a plan calls `name` with these operands, and for these results, as strings: outside of the
    plan's memory they are no numbers (exec/host.py)."""
    return f"{STRINGS}{','.join(map(str, operands))}>{','.join(map(str, results))}:{name}"


def strings_of(name: str) -> tuple[frozenset[int], frozenset[int]]:
    """Which operands and results of the function are strings."""
    if not name.startswith(STRINGS):
        return frozenset(), frozenset()
    said = name.split(":", 2)[1].split(">")
    operands, results = (frozenset(int(i) for i in part.split(",") if i) for part in said)
    return operands, results


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, dims.Dim):
        return "?"
    return value.name if isinstance(value, DType) else repr(value)


class HostCall:
    """Computes an op on arrays; what goes wrong is an error of the run, which gets the op and the user's line."""

    def __init__(self, op: Host) -> None:
        self.op = op
        self.sizes = len(op.sizes())
        self.borrows = op.borrows
        # The run keeps the variables' lock: nothing waits for another one, or what is borrowed must not change.
        self.stays_inside = op.effect == Effect.PURE or op.borrows

    def __call__(self, *arrays: np.ndarray) -> Any:
        op, operands = self.op, arrays
        if self.sizes:
            op, operands = _with_values(op, arrays[-1]), arrays[:-1]
        try:
            with np.errstate(all="ignore"):
                results = op.compute(*operands)
        except errors.OpError:
            raise
        except ImportError as error:
            hint = f"pip install 'graphc[{op.extra}]'" if op.extra else "install it"
            raise errors.UnimplementedError(f"{error}: {op.type} is computed by that library; {hint}") from error
        except MemoryError as error:
            raise errors.ResourceExhaustedError(f"no memory: {error}") from error
        except Exception as error:
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            raise errors.InvalidArgumentError(f"{kind}{error}") from error
        return tuple(map(as_array, results)) if isinstance(results, tuple) else as_array(results)


def _with_values(op: Host, values: np.ndarray) -> Host:
    """The op with the sizes in its fields, in their order, replaced."""
    rest = iter(values.tolist())
    return dataclasses.replace(op, **{f.name: _replaced(getattr(op, f.name), rest) for f in dataclasses.fields(op)})


def _replaced(value: Any, rest: Iterator[int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_replaced(v, rest) for v in value)
    return next(rest) if isinstance(value, dims.Dim) else value
