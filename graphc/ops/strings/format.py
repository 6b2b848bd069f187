"""Tensors as text: StringFormat, which writes them into a template, and the summaries of Print and Assert."""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, bool_, complex64, float32, int32, string
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ir.values import as_array
from graphc.ops.strings.base import text, texts

_ESCAPES = {10: r"\n", 13: r"\r", 9: r"\t", 34: r"\"", 39: r"\'", 92: r"\\"}


@register
class StringFormat(Host):
    """`template`, with a tensor for each `placeholder`: of each axis its first and last `summarize` elements."""

    operands = ("inputs*",)
    results = ("output",)
    T: tuple[DType, ...] = attr("list(type)", ())
    template: str = attr("string", "%s")
    placeholder: str = attr("string", "%s")
    summarize: int = attr("int", 3)
    samples: ClassVar = [
        Sample({"T": (int32, string), "template": "x: {} y: {}", "placeholder": "{}"},
               (np.arange(8, dtype=np.int32), text('a"b\n\x01')), gradient=False),
        *(Sample({"T": (float32,), "summarize": n}, (x.astype(np.float32),), gradient=False) for n, x in (
            (3, np.array([[1.5, 2], [1 / 3, 1e10]])), (1, np.arange(27).reshape(3, 3, 3)), (-1, np.arange(10)),
            (3, np.zeros((0, 2))), (3, np.array([np.nan, -np.inf, 0.1])), (2, np.arange(64).reshape(8, 8)))),
        *(Sample({"T": (float32,), "summarize": n}, (np.zeros(s, np.float32),), gradient=False)
          for n, s in ((0, 10), (0, (2, 2)), (1, (2, 0)), (0, ()), (-1, (2, 0)))),
        *(Sample({"T": (bool_,), "summarize": n}, (np.ones(4, np.bool_),), gradient=False) for n in (0, 1, -1)),
        Sample({"T": (string,)}, (texts("a", "b"),), gradient=False),
        *(Sample({"T": (complex64,)}, (np.zeros(n, np.complex64),), gradient=False) for n in (0, (), 2, 4, (2, 2)))]

    def infer(self, *inputs: Spec) -> Spec:
        places = self.template.count(self.placeholder)
        if places != len(inputs):
            raise ValueError(f"num placeholders in template and num inputs must match: {places} vs. {len(inputs)}")
        return Spec(string, ())

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        first, *rest = self.template.split(self.placeholder)
        made = first.encode()
        for value, behind in zip(inputs, rest, strict=True):
            made += _shown(np.asarray(value), self.summarize).encode("latin-1") + behind.encode()
        return as_array(made)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


def _shown(array: np.ndarray, summarize: int) -> str:
    ends = array.size if summarize < 0 else min(summarize, array.size)
    if array.dtype.kind == "c":       # as TensorFlow has them: unnamed, in one list, which is cut off
        marks = " ".join("?" * min(ends, array.size)) + "..." * (ends < array.size)
        return f"[{marks}]" if array.ndim else marks
    if not ends and array.dtype.kind == "b":      # again as TensorFlow has them
        return ""
    return _axis(array, ends, 0, array.ndim) if ends or array.ndim else "..."


def _axis(part: Any, ends: int, axis: int, rank: int) -> str:
    """[a b ... y z]; the elements of an axis that is not the last one stand in lines."""
    if axis == rank:
        return _element(part if isinstance(part, bytes) else part[()])
    between = " " if axis == rank - 1 else "\n" * (rank - axis - 1) + " " * (axis + 1)
    if not ends and len(part):
        return f"[{between}...]"
    return f"[{between.join(_elements(part, ends, axis, rank))}]"


def _elements(part: Any, ends: int, axis: int, rank: int) -> Iterator[str]:
    count = len(part)
    for i in range(min(ends, count)):
        yield _axis(part[i], ends, axis + 1, rank)
    if count > 2 * ends:
        yield "..."
    for i in range(max(ends, count - ends), count):
        yield _axis(part[i], ends, axis + 1, rank)


def _element(value: Any) -> str:
    if isinstance(value, bytes):
        return '"' + "".join(_ESCAPES.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in value) + '"'
    return _number(value)


def _number(value: Any) -> str:
    """Bools are 0 and 1, complex numbers have no text, as TensorFlow has them."""
    if isinstance(value, np.complexfloating):
        return "?"
    return str(int(value)) if isinstance(value, (np.integer, np.bool_)) else _real(value)


def _real(value: Any) -> str:
    """The short form if it says the same number, else enough digits that it does."""
    short, enough = (6, 9) if isinstance(value, np.float32) else (15, 17)
    written = f"{float(value):.{short}g}"
    same = np.isnan(value) or type(value)(written) == value
    return written if same else f"{float(value):.{enough}g}"


def summarized(array: Any, limit: int) -> str:
    """The first `limit` elements, row-major: "[1 2][3...]..."; all of them if it is negative."""
    whole = np.asarray(array, object if isinstance(array, bytes) else None)
    kept = whole.ravel() if limit < 0 else whole.ravel()[:limit]
    shown = [v.decode(errors="replace") if isinstance(v, bytes) else _number(v) for v in kept]
    return _rows(shown, whole.shape) + "..." * (kept.size < whole.size)


def _rows(shown: Sequence[str], shape: tuple[int, ...]) -> str:
    """The rows that these elements begin, each in brackets; "..." where one breaks off."""
    if len(shape) < 2 or not shown:
        return " ".join(shown)
    size = math.prod(shape[1:])
    rows = [shown[i:i + size] for i in range(0, len(shown), size)]
    return "".join(f"[{_rows(row, shape[1:])}{'...' * (len(shape) == 2 and len(row) < size)}]" for row in rows)
