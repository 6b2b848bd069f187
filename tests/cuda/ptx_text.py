"""PTX text as data: kernels with their parameters, shared memory, instructions and labels."""
from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

DTYPES = {**{f"{kind}{bits}": np.dtype(f"{'i' if kind == 's' else 'u'}{bits // 8}")
             for kind in "sub" for bits in (8, 16, 32, 64)},
          "f16": np.dtype("f2"), "f32": np.dtype("f4"), "f64": np.dtype("f8"), "pred": np.dtype("?")}


class PtxError(Exception):
    """What a GPU would refuse, or get wrong without a word."""


@dataclass(frozen=True)
class Instruction:
    """@predicate (negated: @!predicate) opcode operands; `line` is all of it."""

    predicate: str | None
    negated: bool
    opcode: str
    operands: tuple[str, ...]
    line: str

    @property
    def name(self) -> str:
        return self.opcode.split(".")[0]


@dataclass(frozen=True)
class Kernel:
    """parameters: names and types. shared: where each name begins, in bytes."""

    parameters: tuple[tuple[str, str], ...]
    shared: dict[str, int]
    shared_bytes: int
    code: tuple[Instruction, ...]
    labels: dict[str, int]


_ENTRY = re.compile(r"\.visible \.entry (\S+?)\(\s*(.*?)\)[^{]*\{\n(.*?)\n\}", re.S)
_SHARED = re.compile(r"\.shared \.align (\d+) \.b8 (\w+)\[(\d+)\]")
_STATEMENT = re.compile(r"\s*(\$?\w+:(?=\s)|\.[^;]*;|[^;]+;)")
_OPERAND = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*")


def parse(text: str) -> dict[str, Kernel]:
    """The kernels by name."""
    return {found.group(1): _kernel(text[:found.start()], *found.group(2, 3)) for found in _ENTRY.finditer(text)}


def _kernel(before: str, parameters: str, body: str) -> Kernel:
    pairs = [(words[-1], words[1].lstrip(".")) for p in parameters.split(",\n") if (words := p.split())]
    shared, size = {}, 0
    for alignment, name, count in _SHARED.findall(before) + _SHARED.findall(body):
        size = -(-size // int(alignment)) * int(alignment)
        shared[name] = size
        size += int(count)
    code: list[Instruction] = []
    labels: dict[str, int] = {}
    plain = re.sub(r"\n\s*[{}]\s*(?=\n)", "\n", re.sub(r"//.*", "", body))
    for statement in _STATEMENT.findall(plain):
        line = " ".join(statement.split())
        if line.endswith(":"):
            labels[line[:-1]] = len(code)
        elif not line.startswith("."):
            code.append(_instruction(line))
    return Kernel(tuple(pairs), shared, size, tuple(code), labels)


def _instruction(line: str) -> Instruction:
    found = re.match(r"(?:@(!?)(%\w+)\s+)?([\w.:]+)\s*(.*);", line)
    assert found is not None, line
    operands = tuple(o.strip() for o in _OPERAND.findall(found.group(4)))
    return Instruction(found.group(2), bool(found.group(1)), found.group(3), operands, line)
