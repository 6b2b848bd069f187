"""What the runtime asks of its embedder, for Python on Linux: memory, and sleeping and waking, without Python's lock.

As LLVM text, compiled into the library beside the kernels (the C++ runner has its own in runner/src). gc_host_*_<isa>:
    i64  alloc(i64 bytes)                   zeroed, 64-byte aligned; 0 if there is no memory
    void free(i64 address)                  0 is fine
    void wait(i64 address, i64 expected)    sleeps while the low 32 bits at address are expected's; may return early
    void wake(i64 address, i64 count)       wakes at most count sleepers
"""
from __future__ import annotations

EXPORTS = ("gc_host_alloc", "gc_host_free", "gc_host_wait", "gc_host_wake")
IMPORTS = ("calloc", "free", "syscall")
FUTEX = {"x86_64": 202, "aarch64": 98}
_WAIT_PRIVATE, _WAKE_PRIVATE = 128, 129
_TEXT = """
declare ptr @calloc(i64, i64)
declare void @free(ptr)
declare i64 @syscall(i64, ...)

define i64 @gc_host_alloc_ISA(i64 %bytes) {
  ; calloc gives untouched pages for large blocks, so zeroing costs nothing; the word before the block keeps what to free.
  %padded = add i64 %bytes, 128
  %huge = icmp ult i64 %padded, 128
  br i1 %huge, label %fail, label %call
call:
  %block = call ptr @calloc(i64 1, i64 %padded)
  %start = ptrtoint ptr %block to i64
  %none = icmp eq i64 %start, 0
  br i1 %none, label %fail, label %done
done:
  %above = add i64 %start, 127
  %aligned = and i64 %above, -64
  %where = sub i64 %aligned, 8
  %slot = inttoptr i64 %where to ptr
  store i64 %start, ptr %slot, align 8
  ret i64 %aligned
fail:
  ret i64 0
}

define void @gc_host_free_ISA(i64 %address) {
  %none = icmp eq i64 %address, 0
  br i1 %none, label %done, label %release
release:
  %where = sub i64 %address, 8
  %slot = inttoptr i64 %where to ptr
  %start = load ptr, ptr %slot, align 8
  call void @free(ptr %start)
  br label %done
done:
  ret void
}

define void @gc_host_wait_ISA(i64 %address, i64 %expected) {
  %low = trunc i64 %expected to i32
  %r = call i64 (i64, ...) @syscall(i64 NUMBER, i64 %address, i32 WAIT, i32 %low, i64 0, i64 0, i32 0)
  ret void
}

define void @gc_host_wake_ISA(i64 %address, i64 %count) {
  %low = trunc i64 %count to i32
  %r = call i64 (i64, ...) @syscall(i64 NUMBER, i64 %address, i32 WAKE, i32 %low, i64 0, i64 0, i32 0)
  ret void
}
"""


def host_assembly(isa: str, machine: str) -> str:
    """LLVM text for one target. isa: suffix of the symbols; machine: as platform.machine()."""
    text = _TEXT.replace("_ISA", f"_{isa}").replace("NUMBER", str(FUTEX[machine]))
    return text.replace("WAIT", str(_WAIT_PRIVATE)).replace("WAKE", str(_WAKE_PRIVATE))
