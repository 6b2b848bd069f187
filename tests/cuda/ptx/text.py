"""PTX text as data: kernels with their parameters, memory, instructions and labels."""
from __future__ import annotations

import re
from dataclasses import dataclass

import ml_dtypes
import numpy as np

DTYPES = {**{f"{kind}{bits}": np.dtype(f"{'i' if kind == 's' else 'u'}{bits // 8}")
             for kind in "sub" for bits in (8, 16, 32, 64)},
          "f16": np.dtype("f2"), "bf16": np.dtype(ml_dtypes.bfloat16), "f32": np.dtype("f4"), "f64": np.dtype("f8"),
          "pred": np.dtype("?")}


TENSOR_MAP = "tensor map"


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

    @property
    def parts(self) -> list[str]:
        return self.opcode.split(".")

    def group(self, number: int) -> list[str]:
        """The registers of the operand {a, b, ...}, or of a single one."""
        return [name.strip() for name in self.operands[number].strip("{}").split(",")]


@dataclass(frozen=True)
class Kernel:
    """parameters: names and types, TENSOR_MAP of one that is passed whole. shared, local: where each name begins, in
    bytes; what is dynamic lies behind shared_bytes. constants: bytes of the module's own global memory, by name.
    most_threads: 0, if nothing is said."""

    parameters: tuple[tuple[str, str], ...]
    shared: dict[str, int]
    shared_bytes: int
    local: dict[str, int]
    local_bytes: int
    constants: dict[str, bytes]
    most_threads: int
    code: tuple[Instruction, ...]
    labels: dict[str, int]


_ENTRY = re.compile(r"\.visible \.entry (\S+?)\(\s*(.*?)\)([^{]*)\{\n(.*?)\n\}", re.S)
_SHARED = re.compile(r"(?<!\.extern )\.shared \.align (\d+) \.b8 (\w+)\[(\d+)\]")
_DYNAMIC = re.compile(r"\.extern \.shared \.align (\d+) \.b8 (\w+)\[\]")
_LOCAL = re.compile(r"\.local \.align (\d+) \.b8\s+(\w+)\[(\d+)\]")
_CONSTANT = re.compile(r"\.global \.align \d+ \.b8 (\w+)\[(\d+)\](?: = \{([^}]*)\})?;")
_MOST_THREADS = re.compile(r"\.maxntid (\d+)")
_STATEMENT = re.compile(r"\s*(\$?\w+:(?=\s)|\.[^;]*;|[^;]+;)")
_OPERAND = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*")
# How LLVM takes half of a register.
_HALF = re.compile(r"\{ \.reg \.b(?:16|32) tmp; (mov\.b(?:32|64) [^;]*;) \}")


def parse(text: str) -> dict[str, Kernel]:
    """The kernels by name. Raises PtxError for a text with functions that are called."""
    if re.search(r"^\.(visible |weak )?\.?func ", text, re.M):
        raise PtxError("functions that are called are not emulated")
    return {found.group(1): _kernel(text[:found.start()], *found.group(2, 3, 4)) for found in _ENTRY.finditer(text)}


def _kernel(before: str, parameters: str, attributes: str, body: str) -> Kernel:
    pairs = [_parameter(words) for p in parameters.split(",\n") if (words := p.split())]
    shared, shared_bytes = _laid_out(_SHARED.findall(before) + _SHARED.findall(body))
    for alignment, name in _DYNAMIC.findall(before):
        shared_bytes = -(-shared_bytes // int(alignment)) * int(alignment)
        shared[name] = shared_bytes
    local, local_bytes = _laid_out(_LOCAL.findall(body))
    constants = {name: bytes(int(b) & 255 for b in values.split(",") if b.strip()).ljust(int(count), b"\0")
                 for name, count, values in _CONSTANT.findall(before)}
    most = _MOST_THREADS.search(attributes)
    code: list[Instruction] = []
    labels: dict[str, int] = {}
    plain = _HALF.sub(lambda found: found.group(1).replace("tmp", "_"), re.sub(r"//.*", "", body))
    plain = re.sub(r"\n\s*[{}]\s*(?=\n)", "\n", plain)
    for statement in _STATEMENT.findall(plain):
        line = " ".join(statement.split())
        if line.endswith(":"):
            labels[line[:-1]] = len(code)
        elif not line.startswith("."):
            code.append(_instruction(line))
    return Kernel(tuple(pairs), shared, shared_bytes, local, local_bytes, constants,
                  int(most.group(1)) if most else 0, tuple(code), labels)


def _parameter(words: list[str]) -> tuple[str, str]:
    if words[-1].endswith("[128]"):
        return words[-1].removesuffix("[128]"), TENSOR_MAP
    return words[-1], words[1].lstrip(".")


def _laid_out(variables: list[tuple[str, str, str]]) -> tuple[dict[str, int], int]:
    """(where each begins, bytes of all) of variables (alignment, name, bytes)."""
    places, size = {}, 0
    for alignment, name, count in variables:
        places[name] = -(-size // int(alignment)) * int(alignment)
        size = places[name] + int(count)
    return places, size


def _instruction(line: str) -> Instruction:
    found = re.match(r"(?:@(!?)(%\w+)\s+)?([\w.:]+)\s*(.*);", line)
    assert found is not None, line
    operands = tuple(o.strip() for o in _OPERAND.findall(found.group(4)))
    return Instruction(found.group(2), bool(found.group(1)), found.group(3), operands, line)
