"""Objects become an image that runs wherever it is mapped; what cannot be linked is refused."""
from __future__ import annotations

import ctypes
import gc
import re
import shutil
import struct
import subprocess
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graphc.kernels.toolchain import link as linker
from graphc.kernels.toolchain.backend import compile_text
from graphc.kernels.toolchain.image import Image
from graphc.kernels.toolchain.link import LinkError, link
from graphc.kernels.toolchain.load import Code
from graphc.kernels.toolchain.targets import TARGETS, host_targets

# A table of addresses, constants, a call of what is imported, one of another object, one of the C library.
FIRST = """
@table = hidden constant [2 x ptr] [ptr @one, ptr @two]
@numbers = internal constant [4 x i64] [i64 3, i64 5, i64 7, i64 11]
declare i64 @outside(i64)
declare i64 @other(i64)
declare ptr @memcpy(ptr, ptr, i64)
define hidden i64 @one(i64 %x) noinline {
  %y = call i64 @other(i64 %x)
  ret i64 %y
}
define hidden i64 @two(i64 %x) noinline {
  %y = call i64 @outside(i64 %x)
  %z = add i64 %y, 1
  ret i64 %z
}
define hidden i64 @pick(i64 %i, i64 %x) {
  %at = getelementptr ptr, ptr @table, i64 %i
  %function = load ptr, ptr %at
  %y = call i64 %function(i64 %x)
  %where = getelementptr i64, ptr @numbers, i64 %i
  %number = load i64, ptr %where
  %z = add i64 %y, %number
  ret i64 %z
}
define hidden void @copy(ptr %to, ptr %from, i64 %bytes) {
  %unused = call ptr @memcpy(ptr %to, ptr %from, i64 %bytes)
  ret void
}
"""
SECOND = """
@halves = internal constant [8 x double] [double 0.5, double 1.5, double 2.5, double 3.5, double 4.5, double 5.5,
                                          double 6.5, double 7.5]
define hidden i64 @other(i64 %x) {
  %at = getelementptr double, ptr @halves, i64 %x
  %half = load double, ptr %at
  %twice = fmul double %half, 2.0
  %y = fptosi double %twice to i64
  ret i64 %y
}
"""


def objects(target: str, *texts: str) -> list[bytes]:
    return [compile_text(TARGETS[target], text) for text in texts]


def image() -> Image:
    return link(objects(host_targets()[0].name, FIRST, SECOND), ["pick", "table", "copy"])


def test_an_image_runs_where_it_is_mapped() -> None:
    outside = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda x: x * 100)
    made = image()
    again = Image.from_bytes(made.to_bytes())
    assert again.to_bytes() == made.to_bytes() and set(made.imports) == {"outside", "memcpy"}
    for one in (made, again):
        code = Code(one, {"outside": ctypes.cast(outside, ctypes.c_void_p).value or 0})
        pick = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(code["pick"])
        assert [pick(0, x) for x in range(3)] == [3 + 1, 3 + 3, 3 + 5]
        assert pick(1, 7) == 5 + 700 + 1
        source, target = np.arange(20.0), np.zeros(20)
        ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(code["copy"])(target.ctypes.data, source.ctypes.data, 160)
        assert np.array_equal(source, target)


def test_code_cannot_be_written_and_goes_with_its_object() -> None:
    code = Code(image(), {"outside": 1})
    with open("/proc/self/maps") as maps:
        rows = [(*(int(end, 16) for end in row.split()[0].split("-")), row.split()[1]) for row in maps]
    allowed = {name: kind for name, address in code.items() for begin, end, kind in rows if begin <= address < end}
    assert allowed == {"pick": "r-xp", "copy": "r-xp", "table": "r--p"}
    gone = weakref.ref(code)
    del code
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("texts, wanted, said", [
    ((FIRST, SECOND), ["pick", "absent"], "not defined: absent"),
    ((FIRST, SECOND, SECOND), ["pick"], "other is defined twice"),
    (("@room = internal global [9 x i64] zeroinitializer\ndefine ptr @f() { ret ptr @room }",), ["f"],
     "data that is written"),
    (("@there = external global i64\ndefine ptr @f() { ret ptr @there }",), ["f"], "relocation of kind|refers to"),
])
def test_what_cannot_be_linked(texts: Sequence[str], wanted: Sequence[str], said: str) -> None:
    with pytest.raises(LinkError, match=said):
        link(objects("x86-64-v3", *texts), wanted)


def test_damaged_objects_and_images() -> None:
    whole, = objects("x86-64-v3", SECOND)
    for data in (b"", b"\x7fELF", whole[:40], whole[:-100], whole[:64] + bytes(len(whole) - 64)):
        with pytest.raises(LinkError):
            link([data], ["other"])
    for data in (b"", b"nothing of the kind"):
        with pytest.raises(ValueError):
            Image.from_bytes(data)
    with pytest.raises(LinkError, match="aarch64, x86_64"):
        link([whole, *objects("aarch64", SECOND)], ["other"])


def test_an_import_that_is_nowhere() -> None:
    with pytest.raises(OSError, match="needs outside"):
        Code(image())


TRIPLE = """
define hidden i64 @triple(i64 %x) {
  %y = mul i64 %x, 3
  ret i64 %y
}
"""


@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu")
@pytest.mark.parametrize("arguments, result", [((1, 40), 5 + 3 * 40 + 1), ((0, 6), 3 + 13)])
def test_code_for_aarch64_runs(arguments: tuple[int, int], result: int, tmp_path: Path) -> None:
    """As a program whose only segment is the image; its exit status is the result."""
    made = link(objects("aarch64", FIRST, SECOND, TRIPLE), ["pick", "triple"])
    program = tmp_path / "program"
    program.write_bytes(executable(made, {"outside": "triple", "memcpy": "triple"}, arguments))
    program.chmod(0o755)
    assert subprocess.run(["qemu-aarch64", str(program)], timeout=60, check=False).returncode == result


def executable(made: Image, imports: dict[str, str], arguments: tuple[int, int]) -> bytes:
    """For Linux on aarch64: exit(pick(*arguments)), behind the image."""
    base, at = 0x400000, 0x10000
    memory = bytearray(made.memory)
    for place in made.relative:
        struct.pack_into("<q", memory, place, struct.unpack_from("<q", memory, place)[0] + base)
    for name, place in made.imports.items():
        struct.pack_into("<q", memory, place, made.symbols[imports[name]] + base)
    start, (a, b) = len(memory), arguments
    call = made.symbols["pick"] - (start + 8)
    memory += struct.pack("<5I", 0xD2800000 | a << 5, 0xD2800001 | b << 5, 0x94000000 | call >> 2 & 0x3FFFFFF,
                          0xD2800BA8, 0xD4000001)             # mov x0; mov x1; bl pick; mov x8, 93; svc 0
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 183, 1, base + start, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, at, base, base, len(memory), len(memory), at)
    return (head + segment).ljust(at, b"\0") + memory


def test_relocations_that_nobody_knows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    patches = {"x86_64": {}, "aarch64": linker._PATCHES["aarch64"]}
    monkeypatch.setattr(linker, "_PATCHES", patches)
    with pytest.raises(LinkError, match=re.escape("has a relocation of kind")):
        link(objects("x86-64-v3", FIRST, SECOND), ["pick"])


def test_notes_and_attachment_travel() -> None:
    made = replace(image(), notes={"a": [1, "b"]}, attachment=b"\0text")
    found = Image.from_bytes(made.to_bytes())
    assert found.notes == {"a": [1, "b"]} and found.attachment == b"\0text" and found.memory == made.memory
