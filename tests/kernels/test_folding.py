"""Functions that are the same machine code are found, and none that only look alike."""
from __future__ import annotations

import llvmlite.binding as llvm
import pytest

from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.backend import target_machine
from graphc.kernels.toolchain.build import library_archive
from graphc.kernels.toolchain.folding import same_functions
from graphc.kernels.toolchain.gate import PART_SYMBOL
from graphc.kernels.toolchain.targets import host_targets

TARGET = host_targets()[0]


def compiled(name: str, calls: str, inner: str = "") -> bytes:
    """An object with a function that calls another one, which stands outside, or in the object if it has a body."""
    def section(function: str) -> str:
        return f'section ".text.{function}"'

    outside = f"declare hidden void @{calls}(i64)" if not inner else (
        f"define internal void @{calls}(i64 %x) noinline section \".text.{calls}\" {{ {inner} ret void }}")
    module = llvm.parse_assembly(f"declare hidden void @out(i64)\n{outside}\n"
                                 f"define void @{name}(i64 %x) section \".text.{name}\" {{\n"
                                 f"call void @{calls}(i64 %x)\nret void }}")
    module.triple = TARGET.triple
    machine = target_machine(TARGET)
    module.data_layout = str(machine.target_data)
    return bytes(machine.emit_object(module))


def test_what_is_called_tells_functions_apart() -> None:
    assert same_functions([compiled("f", "a"), compiled("g", "b"), compiled("h", "a")]) == {"h": "f"}


@pytest.mark.parametrize("text", ["call void @out(i64 1)", "call void @out(i64 %x)"])
def test_what_stands_in_the_object_counts_by_what_it_is(text: str) -> None:
    one = compiled("f", "inner", "call void @out(i64 1)")
    other = compiled("g", "helper", text)
    assert same_functions([one, other]) == ({"g": "f"} if "1" in text else {})


def test_parts_are_no_other_functions() -> None:
    """A part that is a kernel's function, too, may be replaced in a small runner: so only parts stand for parts."""
    part, other = f"{PART_SYMBOL}x", f"{PART_SYMBOL}y"
    objects = [compiled("f", "a"), compiled(part, "a"), compiled(other, "a")]
    assert same_functions(objects) == {other: part}


def test_kernels_that_look_at_bits_only_are_one() -> None:
    objects = [data for name, data in read_archive(library_archive(TARGET.name, ("gather",))) if name.endswith(".o")]
    same = same_functions(objects)
    bytes_ = {f"gc_kernel_gather_{dtype}_i64_run_{TARGET.symbol}" for dtype in ("bool", "i8", "u8")}
    assert len({same.get(name, name) for name in bytes_}) == 1
