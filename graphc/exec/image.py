"""Plan -> image: the flat table of int64 that kernels/runtime/ verifies, binds and runs (layout: kernels/layout.py).

Names of kernels and primitives become numbers of the library's registry here; nothing else of a Plan is looked at
twice. The C++ runner does the same from the protobuf form (runner/src/image.cpp).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from graphc import errors
from graphc.ir import dtypes
from graphc.kernels.layout import (
    BODY_WORDS,
    CODE_CONST,
    CODE_INDEX,
    CODE_LINEAR,
    CODE_REDUCE,
    HEADER_WORDS,
    IMAGE_MAGIC,
    BodyField,
    Header,
    StepKind,
)
from graphc.plan import plan as p

Numbers = Mapping[str, int]


def number_names(names: Sequence[str], registry: np.ndarray) -> tuple[dict[str, int], dict[str, int]]:
    """Numbers of the kernels and of the primitives by full name."""
    kernels = int(registry[1])
    return ({name: i for i, name in enumerate(names[:kernels])}, {name: i for i, name in enumerate(names[kernels:])})


def make_image(plan: p.Plan, kernels: Numbers, primitives: Numbers) -> np.ndarray:
    """The image of a plan. What its numbers mean is for the native verifier to check.

    Raises UnimplementedError if the library lacks a kernel or primitive, InternalError if the plan is damaged.
    """
    try:
        return _Image(plan, kernels, primitives).words()
    except (IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise errors.InternalError(f"the plan is damaged ({type(error).__name__}: {error}); if it was read from a "
                                   "file, save the graph again") from error


class _Image:
    def __init__(self, plan: p.Plan, kernels: Numbers, primitives: Numbers) -> None:
        self.plan, self.kernels, self.primitives = plan, kernels, primitives
        self.table: list[int] = [0] * HEADER_WORDS

    def words(self) -> np.ndarray:
        plan, header = self.plan, self.table
        header[Header.MAGIC] = IMAGE_MAGIC
        header[Header.BODIES], header[Header.BODY_TABLE] = len(plan.bodies), self._reserve(len(plan.bodies))
        header[Header.PROGRAMS], header[Header.PROGRAM_TABLE] = len(plan.programs), self._reserve(len(plan.programs))
        header[Header.CONSTANTS], header[Header.CONSTANT_ROWS] = len(plan.constants), self._shapes(plan.constants)
        header[Header.STATES], header[Header.STATE_ROWS] = len(plan.states), self._shapes(plan.states)
        header[Header.HOSTS], header[Header.ORIGINS] = len(plan.hosts), len(plan.origins)
        header[Header.PREPARE] = plan.prepare
        for i, program in enumerate(plan.programs):
            try:
                header[header[Header.PROGRAM_TABLE] + i] = self._program(program)
            except errors.UnimplementedError as error:
                raise self._blamed(error, self._user_of(i)) from None
        for i, body in enumerate(plan.bodies):
            header[header[Header.BODY_TABLE] + i] = self._body(body)
        header[Header.WORDS] = len(header)
        return np.array(header, np.int64)

    def _reserve(self, words: int) -> int:
        offset = len(self.table)
        self.table += [0] * words
        return offset

    def _add(self, words: Iterable[int]) -> int:
        offset = len(self.table)
        self.table += words
        return offset

    def _shapes(self, rows: Sequence[p.Constant | p.State]) -> int:
        return self._add(word for row in rows for word in
                         (_number(row.dtype), len(row.shape), *_padded(row.shape, 8, 0)))

    def _program(self, program: p.Program) -> int:
        words = [len(program.loads), len(program.instrs), len(program.stores), *map(_number, program.loads)]
        kinds = list(program.loads)
        for instr in program.instrs:
            words += self._instr(instr, kinds)
            kinds.append(instr.dtype)
        return self._add([*words, *program.stores])

    def _instr(self, instr: p.Instr, kinds: Sequence[str]) -> list[int]:
        arguments, value = _padded(instr.args, 4, -1), 0
        if instr.op == "const":
            code, value = CODE_CONST, constant_bits(instr.value, instr.dtype)
        elif instr.op == "index":
            code, value = CODE_INDEX, int(instr.value)
        elif instr.op == "linear":
            code = CODE_LINEAR
        else:
            name = f"{instr.op}.{instr.dtype}.{kinds[instr.args[0]]}"
            code = self._look_up(self.primitives, name, "primitive")
            if instr.op.startswith("reduce."):
                code = CODE_REDUCE - code
        return [code, _number(instr.dtype), *arguments, value]

    def _look_up(self, numbers: Numbers, name: str, what: str) -> int:
        if name not in numbers:
            op, *kinds = name.removeprefix("reduce.").split(".")
            dtype = dtypes.as_dtype(kinds[0]).name if kinds else ""
            there = [n.removeprefix("reduce.").split(".")[1] for n in numbers
                     if n.removeprefix("reduce.").split(".")[0] == op and "." in n]
            others = ", ".join(dict.fromkeys(dtypes.as_dtype(kind).name for kind in there))
            raise errors.UnimplementedError(
                f"'{op}' is not implemented for dtype {dtype}, there is no {what} {name}; "
                + (f"cast to one of {others} (gc.cast)" if others else "use other ops, or a gc.py_func"))
        return numbers[name]

    def _user_of(self, program: int) -> p.Step | None:
        """A step that evaluates the program."""
        for body in self.plan.bodies:
            for step in body.steps:
                found = step.epilogue if isinstance(step, p.Call) else step
                if isinstance(found, p.Map) and found.program == program:
                    return step
        return None

    def _blamed(self, error: errors.UnimplementedError, step: p.Step | None) -> errors.UnimplementedError:
        origins = [self.plan.origins[o] for o in (step.origins if step is not None else ())]
        if not origins:
            return error
        blame = f"{origins[0].op_type} '{origins[0].op_name}'"
        return errors.UnimplementedError(f"{blame}: {error}{errors.built_at(origins[0])}", origins[0])

    def _body(self, body: p.Body) -> int:
        steps: list[int] = []
        for step in body.steps:
            try:
                words = [int(_KINDS[type(step)]), 0, *self._step(step)]
            except errors.UnimplementedError as error:
                raise self._blamed(error, step) from None
            words[1] = len(words)
            steps.append(self._add(words))
        fields = [0] * BODY_WORDS
        tables: tuple[tuple[BodyField, int, Iterable[int]], ...] = (
            (BodyField.DIMS, len(body.dims), (w for d in body.dims for w in _dim_row(d))),
            (BodyField.BUFFERS, len(body.buffers), (w for b in body.buffers for w in _buffer_row(b))),
            (BodyField.SLOTS, len(body.slots), (w for s in body.slots for w in (_number(s.dtype), s.rank))),
            (BodyField.GUARDS, len(body.guards), (w for g in body.guards for w in (int(g.kind), g.a, g.b, g.origin))),
            (BodyField.STEPS, len(steps), steps),
            (BodyField.INPUTS, len(body.inputs), body.inputs),
            (BodyField.OUTPUTS, len(body.outputs), body.outputs),
            (BodyField.WRITES, len(body.writes), body.writes),
        )
        for field, count, rows in tables:
            fields[field], fields[field + 1] = count, self._add(rows)
        return self._add(fields)

    def _map(self, step: p.Map) -> list[int]:
        words = [step.program, len(step.domain), step.reduced, len(step.loads), len(step.stores), *step.domain]
        for access in (*step.loads, *step.stores):
            words += [access.buffer, access.offset, *_padded(access.strides, len(step.domain), -1)]
        return words

    def _step(self, step: p.Step) -> list[int]:
        if isinstance(step, p.Map):
            return self._map(step)
        if isinstance(step, p.Call):
            epilogue = [] if step.epilogue is None else self._map(step.epilogue)
            return [
                self._look_up(self.kernels, step.kernel, "kernel"),
                len(step.operands),
                len(step.dims),
                len(step.attrs),
                int(step.epilogue is not None),
                *step.operands,
                *step.dims,
                *step.attrs,
                *epilogue,
            ]
        if isinstance(step, p.Bind):
            return [step.buffer, len(step.dims), *step.dims]
        if isinstance(step, p.Take):
            return [step.slot, step.buffer]
        if isinstance(step, p.Push):
            return [step.source, step.value, step.result]
        if isinstance(step, p.Pop):
            return [step.source, step.result, step.slot, len(step.binds), *_binds(step.binds)]
        if isinstance(step, p.Length):
            return [step.source, step.buffer]
        assert isinstance(step, (p.Host, p.While, p.If, p.List))
        head = (
            [step.host]
            if isinstance(step, p.Host)
            else [step.operation]
            if isinstance(step, p.List)
            else [step.cond, step.body, step.carried]
            if isinstance(step, p.While)
            else [step.pred, step.then, step.orelse]
        )
        return [
            *head,
            len(step.operands),
            len(step.slots),
            len(step.binds),
            *step.operands,
            *step.slots,
            *_binds(step.binds),
        ]


_KINDS = {
    p.Map: StepKind.MAP,
    p.Call: StepKind.CALL,
    p.Bind: StepKind.BIND,
    p.Take: StepKind.TAKE,
    p.Host: StepKind.HOST,
    p.While: StepKind.WHILE,
    p.If: StepKind.IF,
    p.Push: StepKind.PUSH,
    p.Pop: StepKind.POP,
    p.Length: StepKind.LENGTH,
    p.List: StepKind.LIST,
}


def _number(dtype: str) -> int:
    return dtypes.as_dtype(dtype).stored.number


def constant_bits(value: float | int | bool, dtype: str) -> int:
    """The constant as it stands in memory, low bytes first, in an int64."""
    as_numpy = dtypes.as_dtype(dtype).numpy
    with np.errstate(over="ignore"):
        raw = np.array(value).astype(as_numpy).tobytes()
    if len(raw) > 8:
        raise errors.UnimplementedError(f"constants of {dtype} in a fused step are not supported")
    return int.from_bytes(raw.ljust(8, b"\0"), "little", signed=True)


def _padded(numbers: Sequence[int], count: int, filler: int) -> list[int]:
    """Rows have a fixed width: one number too many would shift all that follows."""
    if len(numbers) > count:
        raise ValueError(f"{len(numbers)} numbers where there may be {count}")
    return [*numbers, *[filler] * (count - len(numbers))]


def _dim_row(dim: p.Dim) -> list[int]:
    if dim.kind == p.DimKind.CONST:
        return [int(dim.kind), dim.value, 0, 0]
    return [int(dim.kind), *_padded(dim.operands, 3, 0)]


def _buffer_row(buffer: p.Buffer) -> list[int]:
    return [
        int(buffer.kind),
        _number(buffer.dtype),
        buffer.index,
        len(buffer.dims),
        *_padded(buffer.dims, 8, -1),
    ]


def _binds(binds: Sequence[p.SlotBind]) -> list[int]:
    return [word for bind in binds for word in (bind.slot, bind.axis, bind.dim)]
