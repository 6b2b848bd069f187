"""Numbers as strings, and strings as numbers: AsString, StringToNumber."""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import DType, float32, float64, int32, int64, string
from graphc.ir.elementwise import check_kind
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import EachString, strings_of, text, texts

_SPACE = " \t\n\v\f\r"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_HEX = re.compile(r"[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?", re.IGNORECASE)
_NUMBERS = np.array([1.5, -2.25, 0.1, 1e10, 123456.789, -1e-7, 0.0])
_HARD = np.array([np.nan, np.inf, -np.inf, -0.0, 3.5])


@register
class AsString(Host):
    """Numbers in decimal, as C's printf writes them with these flags; true and false."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    precision: int = attr("int", -1)
    scientific: bool = attr("bool", False)
    shortest: bool = attr("bool", False)
    width: int = attr("int", -1)
    fill: str = attr("string", "")
    samples: ClassVar = [
        *(Sample(f, (x.astype(t),), gradient=False) for f in (
            {}, {"precision": 2}, {"scientific": True}, {"shortest": True, "precision": 9},
            {"width": 12, "fill": "0"}, {"width": 9, "fill": "+"}, {"width": 9, "fill": " ", "precision": 1},
            {"width": 16, "fill": "-", "scientific": True}, {"fill": "#", "precision": 0})
            for x, t in ((_NUMBERS, np.float32), (_HARD, np.float64))),
        *(Sample(f, (np.array([[3, 0], [-7, 100]], t),), gradient=False) for f in (
            {}, {"width": 5}, {"width": 5, "fill": "0"}, {"width": 6, "fill": "+"}, {"width": 6, "fill": "-"})
            for t in (np.int32, np.int64, np.int8, np.int16)),
        Sample({}, (np.array([200, 7], np.uint8),), gradient=False),
        *(Sample({"width": 6, "fill": fill}, (np.array([200, 7], t),), gradient=False)
          for fill, t in (("+", np.uint8), (" ", np.uint16), ("0", np.uint64))),
        Sample({"width": 7}, (np.array([True, False]),), gradient=False),
        Sample({"precision": 3, "width": 8}, (np.array([1.5 - 2j, complex(0, np.inf)], np.complex64),), gradient=False),
        Sample({}, (np.float32(2.5),), gradient=False),
        Sample({}, (np.zeros((0, 2), np.int32),), gradient=False)]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        if len(self.fill) > 1:
            raise ValueError(f"attribute 'fill' must be one character or none, but is '{self.fill}'")
        if self.fill and self.fill not in " +-0#":
            raise ValueError(f"attribute 'fill' must be one of ' ', '+', '-', '0' and '#', but is '{self.fill}'")
        if self.scientific and self.shortest:
            raise ValueError("attributes 'scientific' and 'shortest' cannot both be set")
        broken = x.dtype.is_floating or x.dtype.is_complex
        if not broken and (self.scientific or self.shortest):
            raise ValueError(f"attributes 'scientific' and 'shortest' are for floating point numbers, not for "
                             f"{x.dtype.name}")
        if not broken and self.precision > -1:
            raise ValueError(f"attribute 'precision' is for floating point numbers, not for {x.dtype.name}")
        return Spec(string, x.shape)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def compute(self, x: np.ndarray) -> np.ndarray:
        kind, values = x.dtype.kind, x.ravel().tolist()
        if values and (kind in "iu" or (kind == "f" and np.isfinite(x).all())):
            # All by one format. No number has a NUL in it.
            found = ((self._form(kind) + "\0") * len(values) % tuple(values)).encode().split(b"\0")[:-1]
            return strings_of(found, x.shape)
        return strings_of(map(self._written(kind), values), x.shape)

    def _form(self, kind: str) -> str:
        """printf's format of a number."""
        size = f"{self.fill}{self.width}" if self.width > -1 else self.fill
        if kind in "iu":
            if kind == "u" and self.fill in ("+", " "):     # C's flags of signs are for numbers that may have one
                size = size[1:]
            return f"%{size}d"
        precision = f".{self.precision}" if self.precision > -1 else ""
        return f"%{size}{precision}{'g' if self.shortest else 'e' if self.scientific else 'f'}"

    def _written(self, kind: str) -> Callable[[Any], bytes]:
        if kind == "b":
            return lambda value: b"true" if value else b"false"
        form = self._form(kind)

        def written(value: float) -> str:
            return form % value if math.isfinite(value) else self._endless(value)

        if kind == "c":
            return lambda value: f"({written(value.real)},{written(value.imag)})".encode()
        return lambda value: written(value).encode()

    def _endless(self, value: float) -> str:
        """C pads what is no number with spaces only, and a NaN has a sign."""
        sign = "-" if math.copysign(1, value) < 0 else self.fill if self.fill in ("+", " ") else ""
        word = sign + ("nan" if math.isnan(value) else "inf")
        return word.ljust(self.width) if self.width > -1 and self.fill == "-" else word.rjust(max(self.width, 0))

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None]


@register
class StringToNumber(EachString):
    """The number that each string is, with white space around it or none."""

    operands = ("string_tensor",)
    out_type: DType = attr("type", float32)
    samples: ClassVar = [
        *(Sample({"out_type": t}, (x,), gradient=False) for t in (float32, float64) for x in (
            texts("12", "-7"),
            texts("1.5", " -2e3\n", "+.5", "5.", "0x1p3", "inf", "-Infinity", "nan", "1e400", "1.0000000596046448"),
            text("0x10"), texts())),
        *(Sample({"out_type": t}, (x,), gradient=False) for t in (int32, int64) for x in (
            texts("12", "+5", " -7 ", "007", "-2147483648", "2147483647").reshape(2, 3), text("0"), texts()))]

    def infer(self, *inputs: Spec) -> Spec:
        if self.out_type not in (float32, float64, int32, int64):
            raise TypeError("attribute 'out_type' must be float32, float64, int32 or int64, but is "
                            f"{self.out_type.name}")
        return Spec(self.out_type, super().infer(*inputs).shape)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.out_type,)

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        (x,) = inputs
        return np.array([self._number(value) for value in x.ravel()], self.out_type.numpy).reshape(x.shape)

    def _number(self, value: bytes) -> Any:
        written = value.decode("latin-1").strip(_SPACE)
        if self.out_type.is_integer:
            if _INTEGER.fullmatch(written) and self.out_type.min <= int(written) <= self.out_type.max:
                return int(written)
        elif _REAL.fullmatch(written):
            wide = float(written)
            return nearest_float(wide, written) if self.out_type == float32 else wide
        elif _HEX.fullmatch(written):
            return float.fromhex(written)
        raise InvalidArgumentError("StringToNumberOp could not correctly convert string: "
                                   f"{value.decode(errors='replace')}")


def nearest_float(wide: float, written: str) -> np.float32:
    """The nearest float32 to what is written, of which `wide` is the nearest float64.

    By way of a float64 it may be rounded twice: where that lies in the middle of two float32, the digits decide.
    """
    with np.errstate(over="ignore"):
        found = np.float32(wide)
    rounded = float(found)                 # compared as float64: NumPy would make float32 of both
    if not math.isfinite(rounded) or rounded == wide:
        return found
    other = np.nextafter(found, np.float32(np.inf if wide > rounded else -np.inf))
    if rounded + float(other) == 2 * wide:
        exact, half = Decimal(written.strip()), Decimal(wide)
        if exact != half:
            return max(found, other) if exact > half else min(found, other)
    return found
