"""Which parts of kernels some calls may lead to: python -m graphc.kernels.toolchain.reach, JSON on stdin and stdout.

A part (cpu/memory.py) is one of several ways to compute something. Which one is taken is decided by a kernel's bind, by
its sizes, and by its run and pack, which follow that choice. There is no second description of these decisions: this
process calls the very functions, as Python, with bounds in place of sizes that are not known (intervals.py), and notes
the parts that they call. numba and llvmlite are not needed for that: modules that answer everything with "any number"
stand in their place.

    given   {"isas": ["x86_64_v3"],
             "calls": [{"kernel": "conv2d.f32", "numbers": [[0, 1099511627776], [8, 8], ...], "persistent": [1, 1]}]}
            numbers: from, to, of each dim, then each attribute; persistent: the same of Choice.PERSISTENT
    answer  {"x86_64_v3": {"conv_f32": ["lines_6x2x8", ...], "attention_f32": null}}
            by unit, its parts; null: all of them, since it cannot be told which

Invariant: what a run of the kernel would call is in the answer, if loops outside of parts hand nothing from one round
to the next that decides what is called. A part that is reached brings all parts that it could call.
"""
from __future__ import annotations

import importlib
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any

from ..contracts.calls import Choice
from .intervals import LARGE, GiveUpError, Some, allow, anything, either, greatest, least, once, outcomes, some

PACKAGE = __package__.rpartition(".")[0]
STANDING_IN = ("numba", "llvmlite")
MOST_TILES = 1 << 40
MOST_APART = 4
SMALL = 8                              # what a word of choice that names a way is below


class _Anything(Some):
    """Any number, function, class and module."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(-LARGE, LARGE)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    __hash__ = object.__hash__


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()


class _Finder(MetaPathFinder, Loader):
    """Modules of _Anything in place of numba and llvmlite; functions that are to be compiled stay as they are."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in STANDING_IN else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "numba":
            module.njit = _as_it_is  # type: ignore[attr-defined]
        if module.__name__ == "numba.extending":
            module.intrinsic = lambda function: lambda *_: anything()  # type: ignore[attr-defined]


def _as_it_is(function: Any = None, **_: Any) -> Any:
    if function is None:
        return _as_it_is
    function.py_func = function
    return function


class Reached:
    """The parts that were called since `names` was emptied."""

    names: set[str] = set()

    @classmethod
    def part(cls, *names: Any) -> Any:
        """In place of memory.part."""
        name = "_".join(map(str, names))

        def noting(function: Any) -> Any:
            def note(*_: Any) -> None:
                cls.names |= note.parts  # type: ignore[attr-defined]

            note.parts = {name} | _parts_within(function, set())  # type: ignore[attr-defined]
            return note
        return noting


def _parts_within(function: FunctionType, seen: set[FunctionType]) -> set[str]:
    """The parts that a part may call in its turn: all that it, or what it calls, has a name for. It is not followed."""
    if function in seen:
        return set()
    seen.add(function)
    known = [cell.cell_contents for cell in function.__closure__ or ()]
    known += [function.__globals__.get(name) for name in function.__code__.co_names]
    found: set[str] = set()
    for value in known:
        if isinstance(value, FunctionType):
            found |= getattr(value, "parts", None) or _parts_within(value, seen)
    return found


def main() -> int:
    given = json.load(sys.stdin)
    sys.meta_path.insert(0, _Finder())
    importlib.import_module(f"{PACKAGE}.cpu.memory").part = Reached.part  # type: ignore[attr-defined]
    collect = importlib.import_module(f"{PACKAGE}.toolchain.collect").collect
    inventory = collect(sorted({call["kernel"] for call in given["calls"]}))
    for name, module in sys.modules.items():
        if name.startswith(f"{PACKAGE}.cpu."):
            vars(module).update(min=least, max=greatest)
    answer: dict[str, dict[str, list[str] | None]] = {isa: {} for isa in given["isas"]}
    for isa, units in answer.items():
        for unit in inventory.units:
            for call in given["calls"]:
                functions = _functions(unit, call["kernel"], isa)
                if functions:
                    name, found = unit.name.replace(".", "_"), _parts(functions, call)
                    known = units.setdefault(name, [])
                    units[name] = None if found is None or known is None else sorted({*known, *found})
    json.dump(answer, sys.stdout)
    return 0


def _functions(unit: Any, kernel: str, isa: str) -> dict[str, tuple[Callable[..., Any], int]]:
    """bind, run and maybe pack of a kernel of the unit, each with the number of its operands."""
    prefix = f"gc_kernel_{kernel.replace('.', '_')}_"
    return {adapter.kind: (adapter.function, len(adapter.operands)) for wanted in ("", isa)
            for adapter in unit.adapters if adapter.symbol == prefix + adapter.kind and adapter.isa == wanted}


def _parts(functions: dict[str, tuple[Callable[..., Any], int]], call: dict[str, Any]) -> set[str] | None:
    """The parts that a call may lead to. Only what has a function to pack an operand is told that one is constant."""
    Reached.names = set()
    allow()
    persistent = some(*call["persistent"]) if "pack" in functions else 0
    try:
        for numbers in itertools.product(*_cases(call["numbers"])):
            for choice in _choices(functions["bind"][0], numbers, persistent):
                for kind, (function, operands) in functions.items():
                    if kind != "bind":
                        _follow(function, kind, operands, numbers, choice)
    except (GiveUpError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return Reached.names


def _cases(bounds: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """For each number what it may be: a size of 0 apart from others, since it decides much, unless many may be 0."""
    apart = sum(low == 0 < high for low, high in bounds) <= MOST_APART
    return [[0, some(1, high)] if apart and low == 0 < high else [some(low, high)] for low, high in bounds]


def _choices(bind: Callable[..., Any], numbers: Sequence[Any], persistent: Any) -> Iterable[list[Any]]:
    """All that bind may choose; choices that agree in their small words, which name ways, become one with bounds. Of
    what else bind is told nothing is known, but that weights stay as they are: a small runner has no bfloat16."""
    def bound() -> list[Any]:
        _rounds(range)                 # _follow, between two calls of this, has other ones
        choice: list[Any] = [0] * Choice.SIZE
        choice[Choice.PERSISTENT], choice[Choice.NO_WINOGRAD] = persistent, Some(0, 1)
        bind(*numbers, choice)
        return choice

    found: dict[tuple[Any, ...], list[Any]] = {}
    for choice in outcomes(bound):
        key = tuple(word if isinstance(word, int) and word < SMALL else None for word in choice)
        found[key] = [either(*pair) for pair in zip(found.get(key, choice), choice, strict=True)]
    return found.values()


def _follow(function: Callable[..., Any], kind: str, operands: int, numbers: Sequence[Any], choice: list[Any]) -> None:
    """Calls run or pack with each decision that the choice leaves open; not at all, if there are no tiles."""
    _rounds(once)
    pointers, tile = [anything()] * operands, Some(0, MOST_TILES)
    if kind == "pack" and _may_be_more(choice[Choice.PACK_TILES]):
        _try_all(lambda: function(*pointers, *numbers, choice, anything(), tile))
    for phase in (0, 1) if kind == "run" else ():
        if _may_be_more(choice[Choice.TILES_1 if phase else Choice.TILES]):
            _try_all(lambda phase=phase: function(*pointers, *numbers, choice, anything(), anything(), phase, tile))


def _may_be_more(tiles: Any) -> bool:
    return isinstance(tiles, Some) or tiles > 0


def _try_all(call: Callable[[], Any]) -> None:
    for _ in outcomes(call):
        pass


def _rounds(rounds: Callable[..., Any]) -> None:
    """What `range` is, from now on, in the kernels' modules: of unknown numbers of rounds bind must not have any."""
    for name, module in sys.modules.items():
        if name.startswith(f"{PACKAGE}.cpu."):
            vars(module)["range"] = rounds


if __name__ == "__main__":
    sys.exit(main())
