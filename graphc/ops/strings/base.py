"""What the ops on strings share: they are computed in Python (docs/adr/0020), on arrays of bytes objects."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, string
from graphc.ir.host import Host
from graphc.ir.op import Op, Sample
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.ir.values import zeros


def check_string(op: Op, **inputs: Spec) -> None:
    """Raises TypeError unless each of these arguments is of strings."""
    for name, spec in inputs.items():
        if spec.dtype != string:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes strings; make them "
                            "of it (gc.as_string)")


def check_scalar(name: str, spec: Spec) -> None:
    if spec.shape not in (None, ()):
        raise ValueError(f"argument '{name}' must be a scalar, but its shape is {spec.shown()}")


def strings_of(values: Iterable[Any], shape: Sequence[int]) -> np.ndarray:
    """An array of bytes objects."""
    listed = list(values)
    made = zeros(len(listed), None)
    made[:] = listed
    return made.reshape(shape)


def texts(*values: Any) -> np.ndarray:
    """A vector of strings, for samples."""
    return strings_of([v.encode() if isinstance(v, str) else v for v in values], (len(values),))


def text(value: Any) -> np.ndarray:
    """A scalar string, for samples."""
    return texts(value).reshape(())


WORDS = texts("hello", "", "Wörld 1", b"a\xffb\0", "  two words ", "x")
WORD_SHAPES: tuple[np.ndarray, ...] = (
    WORDS, WORDS.reshape(2, 3), WORDS[:1], text("Single"), text(""), WORDS[:0], zeros((2, 0, 3), None))


def samples_of_words(*fields: dict[str, Any]) -> list[Sample]:
    return [Sample(f, (x,), gradient=False) for f in (fields or ({},)) for x in WORD_SHAPES]


@dataclass(frozen=True)
class EachString(Host):
    """A value of each string. `dtype_of` is that of the values: string if they are bytes."""

    operands = ("input",)
    results = ("output",)
    dtype_of: ClassVar[DType] = string

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype_of,)

    def infer(self, *inputs: Spec) -> Spec:
        (x,) = inputs
        check_string(self, **{self.operands[0]: x})
        return Spec(self.dtype_of, x.shape)

    def each(self) -> Callable[[bytes], Any]:
        """The function of one string."""
        raise NotImplementedError(f"{self.type}.each")

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        (x,) = inputs
        found = map(self.each(), x.ravel().tolist())
        if self.dtype_of == string:
            return strings_of(found, x.shape)
        return np.fromiter(found, self.dtype_of.numpy, x.size).reshape(x.shape)  # type: ignore[arg-type]

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)
