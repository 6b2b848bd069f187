"""Plan <-> proto/plan.proto.

Reading never trusts the file: every enumeration and dtype is checked here, every id by plan/verify.py; a newer format
is refused by name, and what is damaged raises DataLossError.
"""
from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError

from graphc.errors import DataLossError, InternalError
from graphc.ir.dtypes import ALL, as_dtype
from graphc.plan import plan as p
from graphc.plan.verify import verify_plan
from graphc.serial import graph_pb2
from graphc.serial import plan_pb2 as pb

_SHORT = {d.number: d.short for d in ALL}


def save_plan(plan: p.Plan, signature: str = "serving_default", graph_hash: int = 0) -> pb.SavedPlan:
    """The message that GraphDef carries in field 1000."""
    return pb.SavedPlan(format_version=p.FORMAT_VERSION, graph_hash=graph_hash, signature=signature, plan=_write(plan))


def load_plan(saved: pb.SavedPlan) -> p.Plan:
    """The Plan in `saved`. Raises DataLossError if it is newer than this version, or damaged."""
    if saved.format_version > p.FORMAT_VERSION:
        raise DataLossError(
            f"the plan has format version {saved.format_version}, but this graphc reads up to {p.FORMAT_VERSION}: "
            "it was made by a newer graphc; update this one, or save the graph again")
    if saved.format_version < 1 or not saved.HasField("plan"):
        raise DataLossError("the file holds an empty or damaged plan; save the graph again")
    try:
        plan = _read(saved.plan)
        verify_plan(plan)
    except (ValueError, KeyError, TypeError, InternalError) as error:
        raise DataLossError(f"the plan in the file is damaged ({error}); save the graph again") from error
    return plan


def parse_plan(data: bytes) -> p.Plan:
    """`load_plan` from the bytes of a SavedPlan."""
    try:
        return load_plan(pb.SavedPlan.FromString(data))
    except DecodeError as error:
        raise DataLossError("the plan is truncated or damaged; save the graph again") from error


def graph_hash(graph: graph_pb2.GraphDef) -> int:
    """The hash of proto/plan.proto over the nodes of `graph`."""
    total, crc = 0, 0
    for node in graph.node:
        parts = [node.name.encode(), b"\0", node.op.encode(), b"\0", *(i.encode() + b"\0" for i in node.input), b"\1"]
        for key in sorted(node.attr, key=str.encode):
            parts += [key.encode(), b"\0", node.attr[key].SerializeToString(deterministic=True), b"\0"]
        for part in [*parts, b"\2"]:
            total += len(part)
            crc = zlib.crc32(part, crc)
    return (total & 0xFFFFFFFF) << 32 | crc


# --- writing ---------------------------------------------------------------------------------------------------------


def _number(dtype: str) -> int:
    return as_dtype(dtype).number


def _write(plan: p.Plan) -> pb.Plan:
    return pb.Plan(
        inputs=[pb.Port(name=x.name, dtype=_number(x.dtype), shape=x.shape) for x in plan.inputs],
        outputs=[pb.Port(name=x.name, dtype=_number(x.dtype), shape=x.shape) for x in plan.outputs],
        bodies=[_write_body(b) for b in plan.bodies],
        programs=[_write_program(x) for x in plan.programs],
        constants=[pb.Constant(name=c.name, dtype=_number(c.dtype), shape=c.shape) for c in plan.constants],
        states=[pb.State(name=s.name, dtype=_number(s.dtype), shape=s.shape) for s in plan.states],
        hosts=plan.hosts,
        origins=[pb.Origin(op_name=o.op_name, op_type=o.op_type, file=o.file, line=o.line) for o in plan.origins],
        prepare=plan.prepare + 1)


def _write_body(body: p.Body) -> pb.Body:
    return pb.Body(
        name=body.name,
        dims=[pb.Dim(kind=d.kind.name, operands=d.operands, value=d.value) for d in body.dims],
        buffers=[pb.Buffer(kind=b.kind.name, dtype=_number(b.dtype), dims=b.dims, index=b.index) for b in body.buffers],
        inputs=body.inputs, outputs=body.outputs, writes=body.writes,
        slots=[pb.Slot(dtype=_number(s.dtype), rank=s.rank) for s in body.slots],
        guards=[pb.Guard(kind=g.kind.name, a=g.a, b=g.b, origin=g.origin + 1, message=g.message) for g in body.guards],
        steps=[_write_step(s) for s in body.steps])


def _write_map(step: p.Map) -> pb.Map:
    return pb.Map(
        program=step.program, domain=step.domain, reduced=step.reduced,
        loads=[pb.Access(buffer=a.buffer, offset=a.offset, strides=a.strides) for a in step.loads],
        stores=[pb.Access(buffer=a.buffer, offset=a.offset, strides=a.strides) for a in step.stores])


def _write_binds(binds: Iterable[p.SlotBind]) -> list[pb.SlotBind]:
    return [pb.SlotBind(slot=b.slot, axis=b.axis, dim=b.dim) for b in binds]


def _write_step(step: p.Step) -> pb.Step:
    kinds: dict[str, Any] = {}
    match step:
        case p.Map():
            kinds["map"] = _write_map(step)
        case p.Call():
            epilogue = None if step.epilogue is None else _write_map(step.epilogue)
            kinds["call"] = pb.Call(kernel=step.kernel, operands=step.operands, dims=step.dims, attrs=step.attrs,
                                    epilogue=epilogue)
        case p.Bind():
            kinds["bind"] = pb.Bind(buffer=step.buffer, dims=step.dims)
        case p.Take():
            kinds["take"] = pb.Take(slot=step.slot, buffer=step.buffer)
        case p.Host():
            kinds["host"] = pb.Host(host=step.host, operands=step.operands, slots=step.slots,
                                    binds=_write_binds(step.binds))
        case p.While():
            kinds["while"] = pb.While(cond=step.cond, body=step.body, operands=step.operands, carried=step.carried,
                                     slots=step.slots, binds=_write_binds(step.binds))
        case p.If():
            kinds["if"] = pb.If(pred=step.pred, then=step.then, orelse=step.orelse, operands=step.operands,
                                    slots=step.slots, binds=_write_binds(step.binds))
        case p.Push():
            kinds["push"] = pb.Push(source=step.source, value=step.value, result=step.result)
        case p.Pop():
            kinds["pop"] = pb.Pop(source=step.source, result=step.result, slot=step.slot,
                                  binds=_write_binds(step.binds))
        case p.Length():
            kinds["length"] = pb.Length(source=step.source, buffer=step.buffer)
        case p.List():
            kinds["list"] = pb.List(operation=step.operation, operands=step.operands, slots=step.slots,
                                    binds=_write_binds(step.binds))
        case _:
            raise TypeError(f"no message for {type(step).__name__}")
    return pb.Step(origins=step.origins, **kinds)


def _write_program(program: p.Program) -> pb.Program:
    return pb.Program(
        loads=[_number(d) for d in program.loads], stores=program.stores,
        instrs=[_write_instr(i) for i in program.instrs])


def _write_instr(instr: p.Instr) -> pb.Instr:
    made = pb.Instr(op=instr.op, dtype=_number(instr.dtype), args=instr.args)
    if instr.op == "const" and as_dtype(instr.dtype).is_floating:
        made.real = float(instr.value)
    elif instr.value:
        made.integer = int(instr.value)
    return made


# --- reading ---------------------------------------------------------------------------------------------------------


def _read(m: pb.Plan) -> p.Plan:
    return p.Plan(
        tuple(p.Port(x.name, _SHORT[x.dtype], tuple(x.shape)) for x in m.inputs),
        tuple(p.Port(x.name, _SHORT[x.dtype], tuple(x.shape)) for x in m.outputs),
        tuple(_read_body(b) for b in m.bodies),
        tuple(_read_program(x) for x in m.programs),
        tuple(p.Constant(c.name, _SHORT[c.dtype], tuple(c.shape)) for c in m.constants),
        tuple(p.State(s.name, _SHORT[s.dtype], tuple(s.shape)) for s in m.states),
        tuple(m.hosts),
        tuple(p.Origin(o.op_name, o.op_type, o.file, o.line) for o in m.origins),
        m.prepare - 1)


def _read_body(m: pb.Body) -> p.Body:
    return p.Body(
        m.name,
        tuple(p.Dim(p.DimKind(d.kind), tuple(d.operands), d.value) for d in m.dims),
        tuple(p.Buffer(p.BufferKind(b.kind), _SHORT[b.dtype], tuple(b.dims), b.index) for b in m.buffers),
        tuple(m.inputs), tuple(m.outputs),
        tuple(p.Slot(_SHORT[s.dtype], s.rank) for s in m.slots),
        tuple(p.Guard(p.GuardKind(g.kind), g.a, g.b, g.origin - 1, g.message) for g in m.guards),
        tuple(_read_step(s) for s in m.steps),
        tuple(m.writes))


def _read_map(m: pb.Map, origins: tuple[int, ...]) -> p.Map:
    loads = tuple(p.Access(a.buffer, a.offset, tuple(a.strides)) for a in m.loads)
    stores = tuple(p.Access(a.buffer, a.offset, tuple(a.strides)) for a in m.stores)
    return p.Map(m.program, tuple(m.domain), m.reduced, loads, stores, origins=origins)


def _read_binds(binds: Iterable[pb.SlotBind]) -> tuple[p.SlotBind, ...]:
    return tuple(p.SlotBind(b.slot, b.axis, b.dim) for b in binds)


def _read_step(m: pb.Step) -> p.Step:
    origins = tuple(m.origins)
    match m.WhichOneof("kind"):
        case "map":
            return _read_map(m.map, origins)
        case "call":
            c = m.call
            epilogue = _read_map(c.epilogue, ()) if c.HasField("epilogue") else None
            return p.Call(c.kernel, tuple(c.operands), tuple(c.dims), tuple(c.attrs), epilogue, origins=origins)
        case "bind":
            return p.Bind(m.bind.buffer, tuple(m.bind.dims), origins=origins)
        case "take":
            return p.Take(m.take.slot, m.take.buffer, origins=origins)
        case "host":
            h = m.host
            return p.Host(h.host, tuple(h.operands), tuple(h.slots), _read_binds(h.binds), origins=origins)
        case "while":
            w: pb.While = getattr(m, "while")
            return p.While(w.cond, w.body, tuple(w.operands), w.carried, tuple(w.slots), _read_binds(w.binds),
                           origins=origins)
        case "if":
            i: pb.If = getattr(m, "if")
            return p.If(i.pred, i.then, i.orelse, tuple(i.operands), tuple(i.slots), _read_binds(i.binds),
                        origins=origins)
        case "push":
            return p.Push(m.push.source, m.push.value, m.push.result, origins=origins)
        case "pop":
            return p.Pop(m.pop.source, m.pop.result, m.pop.slot, _read_binds(m.pop.binds), origins=origins)
        case "length":
            return p.Length(m.length.source, m.length.buffer, origins=origins)
        case "list":
            x = m.list
            return p.List(x.operation, tuple(x.operands), tuple(x.slots), _read_binds(x.binds), origins=origins)
    raise ValueError("a step of an unknown kind")


def _read_program(m: pb.Program) -> p.Program:
    return p.Program(tuple(_SHORT[d] for d in m.loads), tuple(_read_instr(i) for i in m.instrs), tuple(m.stores))


def _read_instr(m: pb.Instr) -> p.Instr:
    short = _SHORT[m.dtype]
    value: float | int | bool = m.integer
    if m.op == "const" and as_dtype(short).is_floating:
        value = m.real
    elif m.op == "const" and short == "bool":
        value = bool(m.integer)
    return p.Instr(m.op, short, tuple(m.args), value)
