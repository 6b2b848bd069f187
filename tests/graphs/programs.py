"""A random graph as data: statements over named values, which can be built into a Graph any number of times.

A Program has one list of feeds a *set*; `schedule` says which set each run of a session feeds. Names are unique in the
whole program, so a body may use any name of the statements around it: that is a captured tensor.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS, Op

# Public functions that a program may call, by the name under which it is printed.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "gc.boolean_mask": gc.boolean_mask,
    "gc.Print": lambda x: gc.Print(x, [x], first_n=0),
    "gc.Assert": lambda x: gc.Assert(x, [x]),
    "twice": lambda x: twice(x),
    "gc.placeholder_with_default": lambda x: gc.placeholder_with_default(x, None),
}


def twice(x: Any) -> Any:
    """x + x, by a Python function."""
    return gc.py_func(lambda array: array + array, [x], x.dtype)


@dataclass(frozen=True, eq=False)
class Input:
    """A placeholder, constant or variable. values: its array in each set (the first one, if it is no placeholder).

    static: the placeholder's shape, with None for unknown sizes; None: of unknown rank.
    """

    name: str
    kind: str
    values: tuple[np.ndarray, ...]
    static: tuple[int | None, ...] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values[0].dtype


@dataclass(frozen=True, eq=False)
class Apply:
    """One op. inputs: TF's inputs in TF's order, names or arrays (literals of operands that are fields).

    after: names of operations that it waits for.
    """

    outputs: tuple[str, ...]
    op: str
    inputs: tuple[str | np.ndarray, ...]
    attributes: dict[str, Any]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Call:
    """A public function that makes several ops, or one in Python."""

    outputs: tuple[str, ...]
    function: str
    inputs: tuple[str, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Block:
    """A body: what it computes, and the names of its results."""

    statements: tuple[Any, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class While:
    """params stand for `initial` in both bodies. invariants: a shape for each, with None for sizes that change."""

    outputs: tuple[str, ...]
    params: tuple[str, ...]
    initial: tuple[str, ...]
    test: Block
    body: Block
    invariants: tuple[tuple[int | None, ...] | None, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Cond:
    outputs: tuple[str, ...]
    pred: str
    then: Block
    otherwise: Block
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Gradients:
    """outputs: the gradient of the sum of all ys for each x, zeros where there is none."""

    outputs: tuple[str, ...]
    ys: tuple[str, ...]
    xs: tuple[str, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Program:
    statements: tuple[Any, ...]
    fetches: tuple[str, ...]
    schedule: tuple[int, ...]

    @property
    def sets(self) -> int:
        return max((len(s.values) for s in self.statements if isinstance(s, Input)), default=1)


def blocks(statement: Any) -> tuple[Block, ...]:
    if isinstance(statement, While):
        return statement.test, statement.body
    return (statement.then, statement.otherwise) if isinstance(statement, Cond) else ()


def defined(statement: Any) -> tuple[str, ...]:
    return (statement.name,) if isinstance(statement, Input) else statement.outputs


def used(statement: Any) -> set[str]:
    """The names that a statement takes from those before it, its bodies' captured ones included."""
    if isinstance(statement, Input):
        return set()
    names = set(statement.after)
    if isinstance(statement, (Apply, Call)):
        names |= {i for i in statement.inputs if isinstance(i, str)}
    elif isinstance(statement, Gradients):
        names |= {*statement.ys, *statement.xs}
    elif isinstance(statement, While):
        names |= set(statement.initial)
    elif isinstance(statement, Cond):
        names.add(statement.pred)
    for block in blocks(statement):
        inside = {n for s in block.statements for n in defined(s)}
        names |= {*block.results, *(n for s in block.statements for n in used(s))} - inside
    return names - set(getattr(statement, "params", ()))


def everywhere(statements: tuple[Any, ...]) -> Iterator[Any]:
    """All statements, those of bodies included."""
    for statement in statements:
        yield statement
        for block in blocks(statement):
            yield from everywhere(block.statements)


def pruned(program: Program) -> Program:
    """Without the statements that no fetch needs."""
    needed, kept = set(program.fetches), []
    for statement in reversed(program.statements):
        if needed & set(defined(statement)):
            kept.append(statement)
            needed |= used(statement)
    return dataclasses.replace(program, statements=tuple(reversed(kept)))


class BuildError(Exception):
    """A statement that could not be built; the reason is the cause."""

    def __init__(self, statement: Any, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.statement = statement
        self.error = error


@dataclass(frozen=True)
class Built:
    """A program's Graph, and what each name of its top level stands for: a Tensor, Variable or Operation."""

    graph: gc.Graph
    elements: dict[str, Any]
    inputs: list[Input]
    initializer: Any

    def variables(self) -> dict[str, np.ndarray]:
        """Initial values, by the variables' op names."""
        return {self.elements[i.name].op.name: i.values[0] for i in self.inputs if i.kind == "variable"}

    def feeds(self, number: int) -> dict[Any, np.ndarray]:
        return {self.elements[i.name]: i.values[number] for i in self.inputs if i.kind == "placeholder"}


def build(program: Program) -> Built:
    """Raises BuildError."""
    graph = gc.Graph()
    elements: dict[str, Any] = {}
    with graph.as_default():
        _build_all(program.statements, elements)
        initializer = gc.global_variables_initializer()
    return Built(graph, elements, [s for s in program.statements if isinstance(s, Input)], initializer)


def _build_all(statements: tuple[Any, ...], elements: dict[str, Any]) -> None:
    for statement in statements:
        try:
            waits = [elements[n] for n in getattr(statement, "after", ())]
            with gc.control_dependencies([w.op if isinstance(w, gc.Tensor) else w for w in waits]):
                _build_one(statement, elements)
        except BuildError:
            raise
        except Exception as error:
            raise BuildError(statement, error) from error


def _build_one(s: Any, elements: dict[str, Any]) -> None:
    if isinstance(s, Input):
        made: Any = _input(s)
    elif isinstance(s, Apply):
        op = OPS[s.op]
        values = [i if isinstance(i, np.ndarray) else elements[i] for i in s.inputs]
        made = apply(op, *grouped(op, references(op, values)), **s.attributes)
    elif isinstance(s, Call):
        made = FUNCTIONS[s.function](*(elements[i] for i in s.inputs))
    elif isinstance(s, Gradients):
        found = gc.gradients([elements[y] for y in s.ys], [elements[x] for x in s.xs], unconnected_gradients="zero")
        made = [gc.convert_to_tensor(g) for g in found]
    elif isinstance(s, Cond):
        made = gc.cond(elements[s.pred], _body(s.then, elements), _body(s.otherwise, elements), strict=True)
    else:
        initial = [gc.convert_to_tensor(elements[i]) for i in s.initial]
        made = gc.while_loop(_body(s.test, elements, s.params, single=True), _body(s.body, elements, s.params), initial,
                             shape_invariants=[invariant(t, i) for t, i in zip(initial, s.invariants, strict=True)],
                             return_same_structure=True)
    if not defined(s):       # Unpack of an axis of size 0
        return
    found = list(made) if isinstance(made, (list, tuple)) else [made]
    elements.update(zip(defined(s), found, strict=True))


def _body(block: Block, elements: dict[str, Any], params: tuple[str, ...] = (), single: bool = False) -> Any:
    def function(*arguments: Any) -> Any:
        inner = {**elements, **dict(zip(params, arguments, strict=True))}
        _build_all(block.statements, inner)
        results = [inner[r] for r in block.results]
        return results[0] if single else results

    return function


def invariant(tensor: Any, wanted: tuple[int | None, ...] | None) -> gc.TensorShape:
    """A loop variable's shape in all iterations: unknown where `wanted` says so or the first value's is."""
    if wanted is None or tensor.shape.ndims is None:
        return gc.TensorShape(None)
    return gc.TensorShape([None if s is None or w is None else s
                           for s, w in zip(tensor.shape.as_list(), wanted, strict=True)])


def _input(s: Input) -> Any:
    dtype = gc.as_dtype(s.dtype)
    if s.kind == "placeholder":
        return gc.placeholder(dtype, s.static, name=s.name)
    if s.kind == "variable":
        return gc.Variable(s.values[0], name=s.name)
    return gc.constant(s.values[0], name=s.name)


def grouped(op: type[Op], values: list[Any]) -> list[Any]:
    """The inputs by operand: a list for those that take any number, all of them as many."""
    variadic = sum(n.endswith("*") for n in op.operands)
    many = (len(values) - len(op.operands) + variadic) // max(variadic, 1)
    made, position = [], 0
    for name in op.operands:
        count = many if name.endswith("*") else 1
        part = values[position:position + count]
        made.append(part if name.endswith("*") else part[0])
        position += count
    return made


def takes_variable(op: type[Op], position: int) -> bool:
    """Whether the input is a variable, not its value."""
    return position < len(op.operands) and (op.operands[position] in op.refs or op.operands[position] == "ref")


def references(op: type[Op], values: list[Any]) -> list[Any]:
    return [v._ref() if takes_variable(op, i) else v for i, v in enumerate(values)]
