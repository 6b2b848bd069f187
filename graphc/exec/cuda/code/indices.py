"""LLVM text for kernels that take rows by index: gather, and scatter_add, its gradient.

An index that is out of range is taken as 0 (gather) or left out (scatter_add): calls/ has it reported. In scatter_add
a thread adds all updates of its column in ascending order, so that a run repeats to the bit and gives the CPU's result.
"""
from __future__ import annotations

from graphc.exec.cuda.code.ptx import ATTRIBUTES, DECLARATIONS
from graphc.exec.map_code import LLVM_TYPES

_THREAD = """
entry:
  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %ctaid = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %ntid = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %thread = zext i32 %tid to i64
  %block = zext i32 %ctaid to i64
  %threads = zext i32 %ntid to i64
  %first = mul i64 %block, %threads
  %i = add i64 %first, %thread
  %in = icmp slt i64 %i, %elements
  br i1 %in, label %go, label %done
"""


def gather_text(size: int, index: str) -> str:
    """gc_gather(params, indices, out, elements, axis, inner, count): a thread an element, of `size` bytes."""
    kind, wide = f"i{8 * size}", LLVM_TYPES[index]
    return f"""{DECLARATIONS}
define ptx_kernel void @gc_gather(ptr addrspace(1) readonly %params, ptr addrspace(1) readonly %indices,
    ptr addrspace(1) %out, i64 %elements, i64 %axis, i64 %inner, i64 %count) {{{_THREAD}go:
  %row = udiv i64 %i, %inner
  %column = urem i64 %i, %inner
  %outer = udiv i64 %row, %count
  %j = urem i64 %row, %count
  %index.at = getelementptr {wide}, ptr addrspace(1) %indices, i64 %j
  %index.stored = load {wide}, ptr addrspace(1) %index.at
  {_wide(wide)}
  %inside = icmp ult i64 %index, %axis
  %safe = select i1 %inside, i64 %index, i64 0
  %base = mul i64 %outer, %axis
  %source.row = add i64 %base, %safe
  %source.first = mul i64 %source.row, %inner
  %source = add i64 %source.first, %column
  %from = getelementptr {kind}, ptr addrspace(1) %params, i64 %source
  %value = load {kind}, ptr addrspace(1) %from
  %to = getelementptr {kind}, ptr addrspace(1) %out, i64 %i
  store {kind} %value, ptr addrspace(1) %to
  br label %done
done:
  ret void
}}
{ATTRIBUTES}"""


def scatter_text(element: str, index: str) -> str:
    """gc_scatter_add(updates, indices, out, elements, axis, inner, count): a thread a column, elements = outer * inner;
    out is zeros before."""
    kind, wide = LLVM_TYPES[element], LLVM_TYPES[index]
    add = "fadd" if kind in ("float", "double") else "add"
    return f"""{DECLARATIONS}
define ptx_kernel void @gc_scatter_add(ptr addrspace(1) readonly %updates, ptr addrspace(1) readonly %indices,
    ptr addrspace(1) %out, i64 %elements, i64 %axis, i64 %inner, i64 %count) {{{_THREAD}go:
  %outer = udiv i64 %i, %inner
  %column = urem i64 %i, %inner
  %sources = mul i64 %outer, %count
  %targets = mul i64 %outer, %axis
  br label %loop
loop:
  %j = phi i64 [ 0, %go ], [ %j.next, %next ]
  %index.at = getelementptr {wide}, ptr addrspace(1) %indices, i64 %j
  %index.stored = load {wide}, ptr addrspace(1) %index.at
  {_wide(wide)}
  %inside = icmp ult i64 %index, %axis
  br i1 %inside, label %take, label %next
take:
  %source.row = add i64 %sources, %j
  %source.first = mul i64 %source.row, %inner
  %source = add i64 %source.first, %column
  %from = getelementptr {kind}, ptr addrspace(1) %updates, i64 %source
  %value = load {kind}, ptr addrspace(1) %from
  %target.row = add i64 %targets, %index
  %target.first = mul i64 %target.row, %inner
  %target = add i64 %target.first, %column
  %to = getelementptr {kind}, ptr addrspace(1) %out, i64 %target
  %before = load {kind}, ptr addrspace(1) %to
  %sum = {add} {kind} %before, %value
  store {kind} %sum, ptr addrspace(1) %to
  br label %next
next:
  %j.next = add i64 %j, 1
  %more = icmp slt i64 %j.next, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}}
{ATTRIBUTES}"""


def _wide(kind: str) -> str:
    return "%index = add i64 %index.stored, 0" if kind == "i64" else f"%index = sext {kind} %index.stored to i64"
