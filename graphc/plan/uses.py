"""Which buffers a step reads and which it writes."""
from __future__ import annotations

from collections.abc import Iterable

from graphc.ir.records import dataclass
from graphc.kernels.contracts.all import kernel_of
from graphc.plan import plan as p


@dataclass(frozen=True)
class Uses:
    """Numbers of buffers, ALIASes as they are; what is changed in place stands in both. The bodies of loops and
    branches are not looked at."""

    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()

    def roots(self, body: p.Body) -> Uses:
        """The same, with what ALIASes are aliases of in place of them."""
        return Uses(tuple(root_of(body, b) for b in self.reads), tuple(root_of(body, b) for b in self.writes))


def root_of(body: p.Body, buffer: int) -> int:
    row = body.buffers[buffer]
    return row.index if row.kind == p.BufferKind.ALIAS else buffer


def uses_of(step: p.Step) -> Uses:
    if isinstance(step, p.Map):
        return Uses(_buffers(step.loads), _buffers(step.stores))
    if isinstance(step, p.Call):
        return _of_call(step)
    if isinstance(step, p.Bind):
        return Uses((step.buffer,))
    if isinstance(step, p.Take):
        return Uses((), (step.buffer,))
    if isinstance(step, p.Push):
        return Uses((step.source, step.value), (step.result,))
    if isinstance(step, p.Pop):
        return Uses((step.source,), (step.result,))
    if isinstance(step, p.Length):
        return Uses((step.source,), (step.buffer,))
    if isinstance(step, p.If):
        return Uses((step.pred, *step.operands))
    assert isinstance(step, (p.Host, p.While, p.List))
    return Uses(step.operands)


def _of_call(step: p.Call) -> Uses:
    kernel = kernel_of(step.kernel)
    assert kernel is not None, step.kernel
    given = list(zip(step.operands, kernel.operands, strict=True))
    reads = tuple(buffer for buffer, operand in given if operand.role != "out")
    writes = tuple(buffer for buffer, operand in given if operand.role != "in")
    if step.epilogue is None:
        return Uses(reads, writes)
    # The epilogue reads what the kernel has just written.
    behind = uses_of(step.epilogue)
    return Uses((*reads, *(b for b in behind.reads if b not in writes)), (*writes, *behind.writes))


def _buffers(accesses: Iterable[p.Access]) -> tuple[int, ...]:
    return tuple(access.buffer for access in accesses)


def sub_bodies(step: p.Step) -> tuple[int, ...]:
    """The bodies of a loop or a branch; none of other steps."""
    if isinstance(step, p.While):
        return step.cond, step.body
    return (step.then, step.orelse) if isinstance(step, p.If) else ()


def dims_of(step: p.Step) -> set[int]:
    """The ids of the dims that a MAP or CALL names itself (those of its buffers stand with them)."""
    if isinstance(step, p.Map):
        found = set(step.domain)
        for access in (*step.loads, *step.stores):
            found.update((access.offset, *access.strides))
        return found
    assert isinstance(step, p.Call)
    return {*step.dims, *(dims_of(step.epilogue) if step.epilogue is not None else ())}
