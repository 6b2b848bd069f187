"""The registry: what the runtime knows of every kernel and primitive, as constant tables inside the library.

Made from the declarations in kernels/ by the layout of kernels/layout.py. Formulas are Python expressions over a
kernel's dims and attributes (+ - * // % max min, comparisons, and, or); they become postfix code, so that no file can
bring its own.
"""
from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from ..contracts.dtypes import DTYPES
from ..contracts.kernel import Kernel
from ..layout import REDUCE_OPS, REGISTRY_MAGIC, FormulaOp

Names = dict[str, tuple[FormulaOp, int]]
ROLES = {"in": 0, "out": 1, "inout": 2}


class DeclarationError(Exception):
    """A kernel's declaration does not make sense; the message names the kernel and the formula."""


@dataclass(frozen=True)
class KernelEntry:
    """One kernel for one choice of dtypes."""

    full_name: str
    kernel: Kernel
    types: dict[str, str]

    def dtype(self, name: str) -> str:
        return self.types.get(name, name)


@dataclass(frozen=True)
class PrimitiveEntry:
    full_name: str
    result: str
    arguments: tuple[str, ...]
    reduce: bool


def formula_words(text: str, dims: Sequence[str], attrs: Sequence[str]) -> list[int]:
    """`text` as words: number of instructions, then (opcode, value) pairs in postfix order."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise DeclarationError(f"formula {text!r}: {error}") from None
    code: list[tuple[int, int]] = []
    _emit(tree, {name: (FormulaOp.DIM, i) for i, name in enumerate(dims)}
          | {name: (FormulaOp.ATTR, i) for i, name in enumerate(attrs)}, code, text)
    return [len(code), *(word for pair in code for word in pair)]


_BINARY = {ast.Add: FormulaOp.ADD, ast.Sub: FormulaOp.SUB, ast.Mult: FormulaOp.MUL, ast.FloorDiv: FormulaOp.FLOORDIV}


def _emit(node: ast.expr, names: Names, code: list[tuple[int, int]], text: str) -> None:
    def operation(op: FormulaOp, *operands: ast.expr) -> None:
        for operand in operands:
            _emit(operand, names, code, text)
        code.append((int(op), 0))

    if isinstance(node, ast.Constant) and type(node.value) is int:
        code.append((int(FormulaOp.CONST), node.value))
    elif isinstance(node, ast.Name) and node.id in names:
        op, index = names[node.id]
        code.append((int(op), index))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operation(FormulaOp.SUB, ast.Constant(0), node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        operation(_BINARY[type(node.op)], node.left, node.right)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        quotient = ast.BinOp(node.left, ast.FloorDiv(), node.right)
        operation(FormulaOp.SUB, node.left, ast.BinOp(node.right, ast.Mult(), quotient))
    elif isinstance(node, ast.Compare):
        _emit_comparison(node, names, code, text)
    elif isinstance(node, ast.BoolOp):
        _emit_logic(node, names, code, text)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("max", "min") and len(node.args) > 1:
        _emit(node.args[0], names, code, text)
        for argument in node.args[1:]:
            _emit(argument, names, code, text)
            code.append((int(FormulaOp.MAX if ast.unparse(node.func) == "max" else FormulaOp.MIN), 0))
    else:
        raise DeclarationError(f"formula {text!r}: {ast.unparse(node)!r} is not understood; names: {sorted(names)}")


def _emit_logic(node: ast.BoolOp, names: Names, code: list[tuple[int, int]], text: str) -> None:
    """Of truth values: `and` is a product, `or` a maximum."""
    for position, value in enumerate(node.values):
        _emit(value, names, code, text)
        if position:
            code.append((int(FormulaOp.MUL if isinstance(node.op, ast.And) else FormulaOp.MAX), 0))


def _emit_comparison(node: ast.Compare, names: Names, code: list[tuple[int, int]], text: str) -> None:
    left = node.left
    for position, (operator, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
        swapped = isinstance(operator, (ast.Gt, ast.GtE))
        for operand in ((right, left) if swapped else (left, right)):
            _emit(operand, names, code, text)
        if isinstance(operator, (ast.Eq, ast.NotEq)):
            code.append((int(FormulaOp.EQUAL), 0))
        elif isinstance(operator, (ast.Lt, ast.Gt)):
            code.append((int(FormulaOp.LESS), 0))
        elif isinstance(operator, (ast.LtE, ast.GtE)):
            code.append((int(FormulaOp.LESS_EQUAL), 0))
        else:
            raise DeclarationError(f"formula {text!r}: comparison {ast.unparse(node)!r} is not understood")
        if isinstance(operator, ast.NotEq):
            code += [(int(FormulaOp.CONST), 0), (int(FormulaOp.EQUAL), 0)]
        if position:
            code.append((int(FormulaOp.MUL), 0))
        left = right


def registry_words(kernels: Sequence[KernelEntry], primitives: Sequence[PrimitiveEntry]) -> list[int]:
    """The registry table. Offsets are in words from its beginning; numbers of dtypes are TensorFlow's."""
    words = [REGISTRY_MAGIC, len(kernels), len(primitives), 0, 0]
    offsets = []
    formulas: dict[tuple[int, ...], int] = {}       # where each stands: most kernels come for many dtypes
    for entry in kernels:
        offsets.append(_append_kernel(words, formulas, entry))
    words[3] = len(words)
    words += offsets
    words[4] = len(words)
    numbers = {primitive.full_name: number for number, primitive in enumerate(primitives)}
    for primitive in primitives:
        arguments = [DTYPES[name].number for name in primitive.arguments]
        words += [len(arguments), DTYPES[primitive.result].number, *arguments, *[-1] * (4 - len(arguments)),
                  int(primitive.reduce), _binary_of_reduce(primitive.full_name, numbers) if primitive.reduce else 0]
    return words


def _binary_of_reduce(full_name: str, numbers: dict[str, int]) -> int:
    """Which elementwise primitive a reduction repeats, and, in the low 3 bits, its place in REDUCE_OPS."""
    name = full_name.removeprefix("reduce.")
    return numbers[name] * 8 + REDUCE_OPS.index(name.partition(".")[0])


def _append_kernel(words: list[int], formulas: dict[tuple[int, ...], int], entry: KernelEntry) -> int:
    """New formulas first, then the record that refers to them; returns the record's offset."""
    kernel = entry.kernel
    integers = ["" if name in kernel.floats else name for name in kernel.attrs]

    def add(text: str) -> int:
        try:
            formula = tuple(formula_words(text, kernel.dims, integers))
        except DeclarationError as error:
            raise DeclarationError(f"kernel {entry.full_name}: {error}") from None
        if formula not in formulas:
            formulas[formula] = len(words)
            words.extend(formula)
        return formulas[formula]

    extents = [add(operand.extent) for operand in kernel.operands]
    relations = [add(text) for text in kernel.relations]
    flops = add(kernel.flops)
    record = len(words)
    words += [len(kernel.operands), len(kernel.dims), len(kernel.attrs), len(relations)]
    for operand, extent in zip(kernel.operands, extents, strict=True):
        dtype = entry.dtype(operand.dtype)
        if dtype not in DTYPES or operand.role not in ROLES:
            raise DeclarationError(f"kernel {entry.full_name}: operand {operand.name} has dtype {dtype!r} and role "
                                   f"{operand.role!r}")
        words += [ROLES[operand.role], DTYPES[dtype].number, int(operand.packable), extent]
    words += [*relations, flops]
    return record


def registry_assembly(words: Sequence[int], names: Sequence[str]) -> str:
    """LLVM text of the tables: gc_registry, gc_registry_words, gc_names, gc_names_bytes."""
    text = b"".join(name.encode() + b"\0" for name in names)
    quoted = "".join(chr(c) if 32 <= c < 127 and c not in (34, 92) else f"\\{c:02X}" for c in text)
    values = ", ".join(f"i64 {word}" for word in words)
    return (f"@gc_registry = constant [{len(words)} x i64] [{values}], align 64\n"
            f"@gc_registry_words = constant i64 {len(words)}\n"
            f'@gc_names = constant [{len(text)} x i8] c"{quoted}", align 64\n'
            f"@gc_names_bytes = constant i64 {len(text)}\n")


def functions_assembly(symbols: Sequence[str | None], isa: str) -> str:
    """LLVM text of gc_functions_<isa>: one address a symbol, 0 for None."""
    declarations = "".join(f"declare hidden void @{name}_{isa}()\n" for name in sorted({s for s in symbols if s}))
    values = ", ".join(f"i64 ptrtoint (ptr @{s}_{isa} to i64)" if s else "i64 0" for s in symbols)
    return declarations + f"@gc_functions_{isa} = constant [{len(symbols)} x i64] [{values}], align 64\n"
