"""DecodeCSV: columns of lines of text with commas between."""
from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import DType, float32, float64, int32, int64, string
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, text
from graphc.ops.strings.numbers import nearest_float


def _texts(*values: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made.reshape((len(values),) if shape is None else shape)


@register
class DecodeCSV(Host):
    """One result for each column, of the shape of `records`. record_defaults: what is taken for an empty field; of no
    elements where none may be empty."""

    operands = ("records", "record_defaults*")
    results = ("output*",)
    OUT_TYPE: tuple[DType, ...] = attr("list(type)")
    field_delim: str = attr("string", ",")
    use_quote_delim: bool = attr("bool", True)
    na_value: str = attr("string", "")
    select_cols: tuple[int, ...] = attr("list(int)", ())
    samples: ClassVar = [
        Sample({"OUT_TYPE": (int32, string, float32)}, (
            _texts(b"1,a,2.5", b",,", b'-3,"x,""y""",1e3'), np.array([7], np.int32), _texts(b"none"),
            np.array([0.5], np.float32)), gradient=False),
        Sample({"OUT_TYPE": (float64, int64), "field_delim": ";", "na_value": "NA", "select_cols": (0, 2)}, (
            _texts(b"1.25;z;3", b"NA;z;NA", shape=(2, 1)), np.array(-1.0), np.array(9, np.int64)), gradient=False),
        Sample({"OUT_TYPE": (string,), "use_quote_delim": False}, (_texts(b'"q"', shape=()), _texts()), gradient=False),
        Sample({"OUT_TYPE": (string,)}, (_texts(), _texts(b"")), gradient=False),
    ]

    def infer(self, records: Spec, *defaults: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        if records.dtype != string:
            raise TypeError(f"argument 'records' must be strings, but has dtype {records.dtype.name}")
        if len(self.field_delim.encode()) != 1:
            raise ValueError(f"argument 'field_delim' should be only 1 char, but is {self.field_delim!r}")
        if self.select_cols and len(self.select_cols) != len(self.OUT_TYPE):
            raise ValueError(f"select_cols should match output size: {len(self.select_cols)} columns are selected, but "
                             f"there are {len(self.OUT_TYPE)} record_defaults")
        if any(b <= a for a, b in zip((-1, *self.select_cols), self.select_cols, strict=False)):
            raise ValueError(f"select_cols should be strictly increasing indices, but are {self.select_cols}")
        for i, (spec, dtype) in enumerate(zip(defaults, self.OUT_TYPE, strict=True)):
            if dtype not in CONVERT:
                raise TypeError(f"argument 'record_defaults' has dtype {dtype.name} at position {i}, but DecodeCSV "
                                f"takes {', '.join(d.name for d in CONVERT)} only")
            if spec.dtype != dtype:
                raise TypeError(f"column {i} is {dtype.name}, but its default is {spec.dtype.name}")
            count = dims.product(spec.shape) if spec.shape is not None else None
            if spec.shape is not None and (len(spec.shape) > 1 or (isinstance(count, int) and count > 1)):
                raise ValueError(f"There should only be 1 default per field but field {i} has shape {text(spec.shape)}")
        return tuple(Spec(dtype, records.shape) for dtype in self.OUT_TYPE)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.OUT_TYPE

    def compute(self, records: np.ndarray, *defaults: np.ndarray) -> tuple[np.ndarray, ...]:
        made = tuple(np.empty(records.size, d.numpy if d.numpy is not None else object) for d in self.OUT_TYPE)
        columns = list(zip(made, self.OUT_TYPE, (d.ravel() for d in defaults), strict=True))
        missing = (b"", self.na_value.encode())
        for i, record in enumerate(records.ravel()):
            fields = split(record, self.field_delim.encode(), self.use_quote_delim,
                           self.select_cols[-1] + 1 if self.select_cols else None)
            if self.select_cols:
                fields = [fields[c] for c in self.select_cols if c < len(fields)]
            if len(fields) != len(columns):
                raise ValueError(f"Expect {len(columns)} fields but have {len(fields)} in record {i}")
            for number, (field, (column, dtype, default)) in enumerate(zip(fields, columns, strict=True)):
                if field not in missing:
                    column[i] = _converted(field, dtype, number, i)
                elif default.size:
                    column[i] = default[0]
                else:
                    raise ValueError(f"Field {number} is required but missing in record {i}!")
        return tuple(column.reshape(records.shape) for column in made)

    def reference(self, records: np.ndarray, *defaults: np.ndarray) -> tuple[np.ndarray, ...]:
        lines = [line.decode() for line in records.ravel()]
        rows = list(csv.reader(lines, delimiter=self.field_delim,
                               quoting=csv.QUOTE_MINIMAL if self.use_quote_delim else csv.QUOTE_NONE))
        made = []
        for i, default in enumerate(defaults):
            texts = [row[self.select_cols[i] if self.select_cols else i] for row in rows]
            values = [default.item() if text in ("", self.na_value) else text.encode() for text in texts]
            column = np.empty(len(values), object)
            column[:] = values
            made.append(column.reshape(records.shape).astype(default.dtype))
        return tuple(made)


def split(record: bytes, comma: bytes, quotes: bool, most: int | None = None) -> list[bytes]:
    """The fields of a record, or the first `most`. Raises ValueError for quotes and ends of lines where none may be."""
    fields: list[bytes] = []
    start = 0
    while start < len(record):
        if record[start:start + 1] in (b"\n", b"\r"):
            start += 1
            continue
        if quotes and record[start:start + 1] == b'"':
            field, start = _quoted(record, start + 1, comma)
        else:
            end = record.find(comma, start)
            end = len(record) if end < 0 else end
            field, start = record[start:end], end + 1
            if (quotes and b'"' in field) or b"\n" in field or b"\r" in field:
                raise ValueError(f"Unquoted fields cannot have quotes/CRLFs inside: {_shown(field)}")
        fields.append(field)
        if len(fields) == most:
            return fields
    if record.endswith(comma):
        fields.append(b"")
    return fields


def _quoted(record: bytes, start: int, comma: bytes) -> tuple[bytes, int]:
    """The field that begins after a quote, and where the next one begins."""
    parts = []
    while True:
        end = record.find(b'"', start)
        if end < 0:
            raise ValueError(f"Quoted field has to end with quote followed by delim or end: {_shown(record)}")
        parts.append(record[start:end])
        behind = record[end + 1:end + 2]
        if behind in (b"", comma):
            return b'"'.join(parts), end + 2
        if behind != b'"':
            raise ValueError(f"Quote inside a string has to be escaped by another quote: {_shown(record)}")
        start = end + 2


def _converted(field: bytes, dtype: DType, number: int, record: int) -> Any:
    try:
        if b"_" in field and dtype != string:      # which Python reads as part of a number
            raise ValueError
        return CONVERT[dtype](field)
    except (ValueError, OverflowError):
        raise ValueError(f"Field {number} in record {record} is not a valid {dtype.name}: {_shown(field)}") from None


def _integer(dtype: DType) -> Callable[[bytes], int]:
    def convert(field: bytes) -> int:
        value = int(field)
        if not dtype.min <= value <= dtype.max:
            raise ValueError
        return value

    return convert


def _shown(field: bytes) -> str:
    return field.decode(errors="replace")


CONVERT: dict[DType, Callable[[bytes], Any]] = {
    float32: lambda field: nearest_float(float(field), field.decode()), float64: float,
    int32: _integer(int32), int64: _integer(int64),
    string: bytes}
