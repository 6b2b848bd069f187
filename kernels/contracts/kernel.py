"""How a kernel is declared.

A kernel is two or three numba-compilable Python functions (calls.py says how they are called) and what the runtime must
know to call them safely. The declaration is the only place where that stands: the library's registry
(kernels/toolchain/) is made from it, so neither a Plan nor a `.pb` can say anything about a kernel's memory accesses;
the compiler takes names, roles and attributes from it.

The declarations stand in this folder, one file a family (all.py has them all), the functions in kernels/cpu/, in the
folder of the same name.
"""
from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Operand:
    """role: "in", "out", "inout". dtype: "f32" and so on, or a type variable of the kernel. extent: number of elements
    that may be touched, from the operand's first on, as a formula over dims and attrs (+ - * // max min, integers)."""

    name: str
    role: str
    dtype: str
    extent: str
    packable: bool = False


@dataclass(frozen=True)
class Kernel:
    """name: as Plans call it, without dtype; "matmul" over T in (f32, f64) is called as matmul.f32 and matmul.f64.

    operands: those that are written stand last. types: the choices of the type variables, each a dict from variable to
    dtype name (`over` makes them all), in the order in which they stand in the full name ("gather.f32.i64"). make:
    where the function stands that, given one of these dicts, returns the Functions, as
    "cpu.nn.softmax:make_softmax"; it is imported only when the library is built. relations: formulas that must be
    nonzero, e.g. "stride >= 1", "k <= 4096". flops: formula for `graphc inspect`. floats: the attributes that are
    float64, of which formulas cannot speak; the others are int64. moves: of a kernel that looks at no element of a
    dtype that it lacks, the dim that counts them: it is called on numbers of the same bits (dtypes.py, moved_as). ways:
    what the numbers of Choice.VARIANT mean, of a kernel that takes another way if it is asked to (Choice.WAY).
    """

    name: str
    operands: tuple[Operand, ...]
    dims: tuple[str, ...]
    attrs: tuple[str, ...]
    types: tuple[dict[str, str], ...]
    make: str
    relations: tuple[str, ...] = ()
    flops: str = "0"
    floats: tuple[str, ...] = ()
    moves: str = ""
    ways: tuple[str, ...] = ()
    variables: dict[str, int] = field(init=False, repr=False)      # each with the first operand that is of its type
    outputs: int = field(init=False, repr=False)                   # how many operands, the last ones, are written

    def __post_init__(self) -> None:
        dtypes = [operand.dtype for operand in self.operands]
        variables = {name: dtypes.index(name) for name in self.types[0]}
        object.__setattr__(self, "variables", variables)
        object.__setattr__(self, "outputs", sum(operand.role != "in" for operand in self.operands))

    def has(self, variable: str, dtype: str) -> bool:
        """Whether a type variable may be this dtype."""
        return any(choice[variable] == dtype for choice in self.types)

    def full_name(self, dtypes: Sequence[str]) -> str:
        """The name under which a Plan calls the kernel on operands of these dtypes."""
        return ".".join([self.name, *(dtypes[position] for position in self.variables.values())])

    def attr_words(self, values: Sequence[float]) -> tuple[int, ...]:
        """The attributes as words: integers, and the bits of float64."""
        return tuple(struct.unpack("<q", struct.pack("<d", value))[0] if name in self.floats else int(value)
                     for name, value in zip(self.attrs, values, strict=True))

    def attr_values(self, words: Sequence[int]) -> tuple[float, ...]:
        """What attr_words was given."""
        return tuple(struct.unpack("<d", struct.pack("<q", word))[0] if name in self.floats else word
                     for name, word in zip(self.attrs, words, strict=True))


def over(**choices: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Every choice of the type variables: over(T=FLOATS, I=INDICES). Without any, the one choice of nothing."""
    return tuple(dict(zip(choices, chosen, strict=True)) for chosen in itertools.product(*choices.values()))


def at_least(limit: int, *names: str) -> tuple[str, ...]:
    """Relations: each of the dims or attributes is at least `limit`."""
    return tuple(f"{name} >= {limit}" for name in names)


def at_most(limit: int, *names: str) -> tuple[str, ...]:
    """Relations: each of the dims or attributes is at most `limit`."""
    return tuple(f"{name} <= {limit}" for name in names)
