"""Functions that are the same machine code are found, and none that only look alike."""
from __future__ import annotations

import subprocess
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.backend import target_machine
from graphc.kernels.toolchain.build import library_archive
from graphc.kernels.toolchain.elf import Object
from graphc.kernels.toolchain.folding import HELPER_SYMBOL, same_functions, with_shared_helpers
from graphc.kernels.toolchain.gate import PART_SYMBOL, read_symbols
from graphc.kernels.toolchain.targets import host_targets

TARGET = host_targets()[0]


def compiled(name: str, calls: str, inner: str = "") -> bytes:
    """An object with a function that calls another one, which stands outside, or in the object if it has a body."""
    def section(function: str) -> str:
        return f'section ".text.{function}"'

    outside = f"declare hidden void @{calls}(i64)" if not inner else (
        f"define internal void @{calls}(i64 %x) noinline section \".text.{calls}\" {{ {inner} ret void }}")
    return emitted(f"declare hidden void @out(i64)\n{outside}\n"
                   f"define void @{name}(i64 %x) section \".text.{name}\" {{\n"
                   f"call void @{calls}(i64 %x)\nret void }}")


def emitted(text: str) -> bytes:
    module = llvm.parse_assembly(text)
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


def linked(folder: Path, objects: list[bytes]) -> str:
    """What GNU's linker keeps of the objects and of what calls f and g: names and sizes of its functions."""
    for number, data in enumerate(objects):
        (folder / f"{number}.o").write_bytes(data)
    (folder / "main.c").write_text("long seen; void out(long x) { seen += x; } void a(long x) { seen -= x; }\n"
                                   "void f(long); void g(long);\n"
                                   "int main(void) { f(2); g(3); return (int) seen; }\n")
    subprocess.run(["cc", "-Wl,--gc-sections", "-o", "program", "main.c", *[f"{n}.o" for n in range(len(objects))]],
                   cwd=folder, check=True)
    return subprocess.run(["nm", "program"], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("text", ["call void @out(i64 1)", "call void @out(i64 %x)"])
def test_one_helper_is_kept_of_those_that_are_the_same(text: str, tmp_path: Path) -> None:
    """Two objects have a local function each: one is left, and called by both, if they are the same; else both are."""
    same = "1" in text
    objects = [compiled("f", "inner", "call void @out(i64 1)"), compiled("g", "helper", text)]
    found = linked(tmp_path, with_shared_helpers(objects))
    assert found.count(HELPER_SYMBOL) == same
    assert [name in found for name in ("inner", "helper")] == [True, not same]
    assert subprocess.run([tmp_path / "program"], check=False).returncode == (2 if same else 4)


def test_helpers_of_one_object_share_one_name() -> None:
    """An object cannot have two symbols of one name: the first function serves for all that are the same."""
    inner = "call void @out(i64 1)"
    text = "\n".join(f'define internal void @{name}(i64 %x) noinline section ".text.{name}" {{ {inner} ret void }}\n'
                     f'define void @{name}_caller(i64 %x) section ".text.{name}_caller" {{ call void @{name}(i64 %x) '
                     "ret void }" for name in "fg")
    data, = with_shared_helpers([emitted("declare hidden void @out(i64)\n" + text)])
    symbols = Object(data).symbols()
    shared = [symbol for symbol in symbols if symbol.name.startswith(HELPER_SYMBOL)]
    assert len(shared) == 1 and not shared[0].is_local
    assert same_functions([data]) == {"g_caller": "f_caller"}


def test_units_of_the_library_share_helpers() -> None:
    """Convolutions and the gradients of their filters pack and multiply alike."""
    members = dict(read_archive(library_archive(TARGET.name)))
    objects = [members["convolutions.f32.o"], members["conv_filter_grad.f32.o"]]
    made = [read_symbols(data) for data in with_shared_helpers(objects)]
    assert any(name.startswith(HELPER_SYMBOL) for name in made[0].defined & made[1].defined)
    assert [found.undefined for found in made] == [read_symbols(data).undefined for data in objects]
