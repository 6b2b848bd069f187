"""Front end: Python functions of kernels/ become LLVM IR that knows nothing of this machine.

The only file that touches numba's internals (numba's minor versions are pinned in pyproject.toml). It runs in a process
of its own, started by build.py with optimisation and both vectorisers off: otherwise this host's vector widths freeze
into the IR. Helpers decorated with @njit are lowered but never turned into machine code, and get no Python wrappers.

Every function becomes one symbol of the C ABI of Adapter below; the Python function is called inside it and is inlined
by the back end. Symbols carry no ISA yet.
"""
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import base, codegen, compiler, config, cpu, dispatcher, errors, event, registry
from numba.core.compiler_lock import global_compiler_lock

from ..contracts.calls import Status
from ..cpu.memory import PARTS
from ..numba_types import NUMBA_TYPES
from .backend import PART_SECTION

I32, I64 = ir.IntType(32), ir.IntType(64)
LEFT_OUT = int(Status.LEFT_OUT)        # what an adapter returns if the Python function raised: no kernel does


class FrontEndError(Exception):
    """A function does not compile; the message names it and quotes numba."""


@dataclass(frozen=True)
class Adapter:
    """One function to compile and how C calls it.

    symbol: name without ISA. kind: "bind", "run", "pack", "primitive" (contracts/calls.py) or "entry" (as declared);
    "emitted": function(module, name) defines it in LLVM IR.
    operands: dtype names, for kernels; numbers: how many dims and attributes, floats: which of them are float64.
    types, result: numba's, for "entry". isa: of a function tuned for one, its symbol; "": for all that have no other.
    """

    symbol: str
    kind: str
    function: Callable[..., Any]
    operands: tuple[str, ...] = ()
    numbers: int = 0
    floats: tuple[int, ...] = ()
    types: tuple[Any, ...] = ()
    result: Any = None
    isa: str = ""

    @property
    def name(self) -> str:
        """Of the function in its unit's module."""
        return f"{self.symbol}.{self.isa}" if self.isa else self.symbol


def prepare() -> None:
    """Makes numba compile without Python wrappers and without machine code. For build processes only: it stays so."""
    if int(config.OPT) != 0 or config.LOOP_VECTORIZE or config.SLP_VECTORIZE:
        raise FrontEndError("the front end must run with NUMBA_OPT=0, NUMBA_LOOP_VECTORIZE=0 and NUMBA_SLP_VECTORIZE=0")
    dispatcher._FunctionCompiler._customize_flags = lambda self, flags: _strict(flags, self.py_func)
    # The entry point of a helper only serves as a key; numba insists on a new builtin function for each.
    cpu.CPUContext.get_executable = lambda self, library, fndesc, env: [].append
    event.start_event = event.end_event = _no_event       # told of every call of LLVM, to which nobody listens
    types.Dispatcher.get_call_type = _plain_call_type
    registry.cpu_target.typing_context.refresh()
    registry.cpu_target.target_context.refresh()
    codegen.JITCPUCodegen._library_class = codegen.AOTCPUCodegen._library_class = _Library


def _strict(flags: Any, function: Callable[..., Any]) -> Any:
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.nrt = False                  # whatever would allocate is refused while compiling
    flags.enable_pyobject = False
    flags.enable_looplift = False
    flags.error_model = "numpy"        # no test for zero before a division
    flags.boundscheck = False
    if flags.fastmath:                 # numba would put it on all that stands in the module (_Library) so far
        raise FrontEndError(f"{function.__module__}.{function.__qualname__} must not ask for fastmath: mark the "
                            "instructions that may be reassociated")
    return flags


def _no_event(*_: Any, **__: Any) -> None:
    pass


_numba_call_type = types.Dispatcher.get_call_type


def _plain_call_type(self: Any, context: Any, arguments: Any, keywords: Any) -> Any:
    """The signature of a call of a helper. Numba compiles a helper once more for each literal that it is called with;
    here only one that does not compile otherwise. LLVM inlines it with the constant anyway."""
    plain = tuple(types.unliteral(argument) for argument in arguments)
    try:
        return _numba_call_type(self, context, plain, {k: types.unliteral(v) for k, v in keywords.items()})
    except errors.TypingError:
        if plain == arguments:
            raise
    return _numba_call_type(self, context, arguments, keywords)


class _Library(codegen.CPUCodeLibrary):
    """In numba each function is a module of its own, linked into every module that calls it, directly or not, which
    costs more than all the rest of numba. Here all functions of a unit go into one module, which LLVM reads once."""

    module: ir.Module                  # of the unit that this process compiles

    def __init__(self, code_generator: Any, name: str) -> None:
        codegen.CodeLibrary.__init__(self, code_generator, name)

    def create_ir_module(self, name: str) -> ir.Module:
        return self.module

    def add_ir_module(self, module: ir.Module) -> None:
        pass

    def add_linking_library(self, library: Any) -> None:
        pass

    def finalize(self) -> None:
        self._finalized = True


@global_compiler_lock
def compile_module(name: str, adapters: Sequence[Adapter], fast: Sequence[str] | None = None) -> bytes:
    """LLVM bitcode that defines every adapter's function. Once a process: numba keeps what it has compiled.

    Marked as to be compiled for size: binds, which decide once for many runs, and what they alone call; if `fast` is
    given, functions of other modules than these.
    """
    target = registry.cpu_target
    context = target.target_context.with_aot_codegen(name)
    target.typing_context.refresh()
    context.refresh()
    _Library.module = context.create_module(name)
    library = context.codegen().create_library(name)
    runs, binds = ([a for a in adapters if (a.kind == "bind") == is_bind] for is_bind in (False, True))
    for adapter in runs:
        _compile_adapter(target.typing_context, context, library, adapter)
    others = {function.name for function in _Library.module.functions}
    for adapter in binds:
        _compile_adapter(target.typing_context, context, library, adapter)
    _mark_small(_Library.module, lambda function: function.name not in others, "optsize", "minsize")
    _mark_parts(_Library.module)
    if fast is not None:
        _mark_small(_Library.module, _is_slow(adapters, fast), "optsize")
    module = llvm.parse_assembly(str(_Library.module))
    module.name = name
    module.verify()
    return bytes(module.as_bitcode())


def _mark_parts(module: ir.Module) -> None:
    """Gives the functions that are parts (cpu/memory.py) a section that tells the back end their name."""
    for name, compiled in PARTS:
        for result in compiled.overloads.values():
            function = module.globals[result.fndesc.llvm_func_name]
            function.section = PART_SECTION + name
            function.attributes.add("noinline")


def _mark_small(module: ir.Module, wanted: Callable[[ir.Function], bool], *attributes: str) -> None:
    for function in module.functions:
        if not function.is_declaration and wanted(function):
            for attribute in attributes:
                function.attributes.add(attribute)


def _is_slow(adapters: Sequence[Adapter], fast: Sequence[str]) -> Callable[[ir.Function], bool]:
    """Whether a function is of none of these modules: numba's name of it begins with its Python module's."""
    prefixes = tuple("_ZN" + "".join(f"{len(part)}{part}" for part in name.split(".")) for name in fast)
    outer = {adapter.name for adapter in adapters if adapter.function.__module__ in fast}
    return lambda function: not function.name.startswith(prefixes) and function.name not in outer


def _compile_adapter(typing_context: Any, context: base.BaseContext, library: Any, adapter: Adapter) -> None:
    function = adapter.function
    if adapter.kind == "emitted":
        function(_Library.module, adapter.name)
        return
    options = dict(getattr(function, "targetoptions", {}))
    python_function = getattr(function, "py_func", function)
    arguments = _argument_types(adapter, python_function)
    flags = compiler.Flags()
    registry.cpu_target.options.parse_as_flags(flags, {"nopython": True, **options})
    flags = _strict(flags, python_function)
    flags.no_compile = True
    try:
        result = compiler.compile_extra(typing_context, context, python_function, arguments, adapter.result, flags,
                                        locals={}, library=library)
    except (errors.NumbaError, NotImplementedError, TypeError, ValueError, AssertionError, LookupError) as error:
        where = inspect.getsourcefile(python_function), python_function.__code__.co_firstlineno
        raise FrontEndError(f"{adapter.name} ({where[0]}:{where[1]}) does not compile for {arguments}:\n"
                            f"{type(error).__name__}: {error}") from error
    module = library.create_ir_module(f"adapter.{adapter.symbol}")
    _emit_adapter(context, module, result.fndesc, adapter)
    library.add_ir_module(module)


def _argument_types(adapter: Adapter, function: Callable[..., Any]) -> tuple[Any, ...]:
    pointers = tuple(types.CPointer(NUMBA_TYPES[name]) for name in adapter.operands)
    words, i64 = types.CPointer(types.int64), types.int64
    numbers = tuple(types.float64 if i in adapter.floats else i64 for i in range(adapter.numbers))
    expected = {
        "bind": (*numbers, words),
        "run": (*pointers, *numbers, words, i64, i64, i64, i64),
        "pack": (*pointers, *numbers, words, i64, i64),
        "primitive": adapter.types, "entry": adapter.types,
    }[adapter.kind]
    parameters = list(inspect.signature(function).parameters)
    if len(parameters) != len(expected):
        raise FrontEndError(f"{adapter.symbol}: {function.__module__}.{function.__qualname__} takes {len(parameters)} "
                            f"parameters ({', '.join(parameters)}), its declaration makes {len(expected)}: {expected}")
    return expected


def _emit_adapter(context: base.BaseContext, module: ir.Module, fndesc: Any, adapter: Adapter) -> None:
    """The C function: takes apart what C passes, calls numba's function, turns its status and result into one int32."""
    word_pointer = I64.as_pointer()
    native = module.globals[fndesc.llvm_func_name]
    value_types = [context.get_value_type(t) for t in fndesc.argtypes]
    returns: Any = I32
    if adapter.kind == "bind":
        parameters = [word_pointer, word_pointer]
    elif adapter.kind == "run":
        parameters = [word_pointer, I64, I64, I64, I64]
    elif adapter.kind == "pack":
        parameters = [I64, word_pointer, word_pointer, I64, I64]
    elif adapter.kind == "primitive":
        parameters = [I64] * 6
    else:
        parameters = value_types
        returns = context.get_value_type(fndesc.restype) if fndesc.restype != types.none else ir.VoidType()
    if adapter.kind in ("bind", "primitive"):
        returns = ir.VoidType()
    outer = ir.Function(module, ir.FunctionType(returns, parameters), adapter.name)
    builder = ir.IRBuilder(outer.append_basic_block())
    values = _arguments(builder, adapter, outer.args, value_types)
    result_slot = builder.alloca(native.function_type.args[0].pointee)
    exception_slot = builder.alloca(native.function_type.args[1].pointee)
    packed = context.get_arg_packer(fndesc.argtypes).as_arguments(builder, values)
    status = builder.call(native, [result_slot, exception_slot, *packed])
    if isinstance(returns, ir.VoidType):
        builder.ret_void()
    elif adapter.kind == "entry":
        builder.ret(builder.load(result_slot))
    else:
        builder.ret(_status(context, builder, fndesc, status, result_slot))


def _arguments(builder: ir.IRBuilder, adapter: Adapter, given: Sequence[ir.Value],
               wanted: Sequence[ir.Type]) -> list[ir.Value]:
    def word(base_pointer: ir.Value, index: int) -> ir.Value:
        return builder.load(builder.gep(base_pointer, [I64(index)]))

    count, numbers = len(adapter.operands), adapter.numbers
    if adapter.kind == "bind":
        values = [*(word(given[0], i) for i in range(numbers)), given[1]]
    elif adapter.kind == "run":
        record = given[0]
        values = [word(record, i) for i in range(count + numbers)]
        values += [builder.gep(record, [I64(count + numbers)]), *given[1:]]
    elif adapter.kind == "pack":
        values = [given[0], *(word(given[1], i) for i in range(numbers)), *given[2:]]
    elif adapter.kind == "primitive":
        # Functions of fewer than four arguments do not take the unused addresses.
        values = [*given[:len(wanted) - 1], given[5]]
    else:
        values = list(given)
    return [_as(builder, value, type_) for value, type_ in zip(values, wanted, strict=True)]


def _as(builder: ir.IRBuilder, value: ir.Value, wanted: ir.Type) -> ir.Value:
    if value.type == wanted:
        return value
    if value.type == I64 and isinstance(wanted, ir.PointerType):
        return builder.inttoptr(value, wanted)
    return builder.bitcast(value, wanted)       # of pointers, and of a word to the double whose bits it holds


def _status(context: base.BaseContext, builder: ir.IRBuilder, fndesc: Any, status: ir.Value,
            slot: ir.Value) -> ir.Value:
    if isinstance(fndesc.restype, types.Integer):
        result = builder.load(slot)
        width = result.type.width
        if width != 32:
            result = builder.trunc(result, I32) if width > 32 else builder.zext(result, I32)
    elif fndesc.restype in (types.none, types.void):
        result = I32(0)
    else:
        raise FrontEndError(f"{fndesc.llvm_func_name} returns {fndesc.restype}, not an integer status")
    raised = builder.icmp_signed("!=", status, ir.Constant(status.type, 0))
    return builder.select(raised, I32(LEFT_OUT), result)
