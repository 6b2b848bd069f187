"""ThreadSanitizer sees what instrumented code does: every kind of access races, atomics and what they guard do not."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from graphc.kernels.toolchain import tsan
from graphc.kernels.toolchain.backend import build_object
from graphc.kernels.toolchain.gate import check_object
from graphc.kernels.toolchain.targets import TSAN, find_target, host_targets

RACES = {
    "store": "store i64 1, ptr %p, align 8",
    "add": "%v = load i64, ptr %p, align 8\n %w = add i64 %v, 1\n store i64 %w, ptr %p, align 8",
    "byte": "store i8 1, ptr %p, align 1",
    "float": "store float 1.0, ptr %p, align 4",
    "unaligned": "%q = getelementptr i8, ptr %p, i64 3\n store i64 1, ptr %q, align 1",
    "vector": "store <4 x float> <float 1.0, float 2.0, float 3.0, float 4.0>, ptr %p, align 16",
    "set": "call void @llvm.memset.p0.i64(ptr %p, i8 7, i64 100, i1 false)",
    "copy": "%q = getelementptr i8, ptr %p, i64 512\n"
            " call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %q, i64 100, i1 false)",
}
ATOMIC = {
    "atomic_store": "store atomic i64 1, ptr %p seq_cst, align 8",
    "atomic_load": "%v = load atomic i64, ptr %p seq_cst, align 8\n store atomic i64 %v, ptr %p seq_cst, align 8",
    "atomic_add": "%v = atomicrmw add ptr %p, i64 1 seq_cst",
}
# A lock around a plain addition: the answer is right only if the call that stands for the swap swaps.
LOCKED = """
 br label %wait
wait:
 %pair = cmpxchg ptr %p, i64 0, i64 1 seq_cst seq_cst
 %got = extractvalue { i64, i1 } %pair, 1
 br i1 %got, label %inside, label %wait
inside:
 %q = getelementptr i8, ptr %p, i64 64
 %v = load i64, ptr %q, align 8
 %w = add i64 %v, 1
 store i64 %w, ptr %q, align 8
 store atomic i64 0, ptr %p seq_cst, align 8
"""
PROGRAM = """
#include <cstdio>
#include <cstdlib>
#include <thread>
extern "C" { DECLARATIONS }
alignas(64) static char memory[1024];
int main(int, char** arguments) {
  void (*all[])(void*) = { NAMES };
  auto* function = all[std::atoi(arguments[1])];
  const auto work = [&] { for (int i = 0; i < 2000; ++i) function(memory); };
  std::thread a(work), b(work);
  a.join();
  b.join();
  std::printf("%lld", *reinterpret_cast<long long*>(memory + 64));
}
"""
FUNCTIONS = {**RACES, **ATOMIC, "locked": LOCKED}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, compiler = tmp_path_factory.mktemp("tsan"), shutil.which("c++") or shutil.which("g++")
    target = find_target("x86-64-v3" + TSAN)
    if target.cpu not in [t.cpu for t in host_targets()]:
        pytest.skip("this machine does not run x86-64-v3")
    text = "".join(f"define void @f_{name}(ptr %p) {{\n {body}\n ret void\n}}\n" for name, body in FUNCTIONS.items())
    text += "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)\n"
    text += "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n"
    names = [f"f_{name}" for name in FUNCTIONS]
    made = build_object(target, llvm.parse_assembly(text).as_bitcode(), {name: name for name in names})
    check_object(made, [f"{name}_{target.symbol}" for name in names], tsan.IMPORTS)
    (folder / "code.o").write_bytes(made)
    exported = [f"{name}_{target.symbol}" for name in names]
    (folder / "main.cpp").write_text(PROGRAM.replace("NAMES", ", ".join(exported)).replace(
        "DECLARATIONS", " ".join(f"void {name}(void*);" for name in exported)))
    built = subprocess.run([str(compiler), "-fsanitize=thread", "-std=c++17", folder / "main.cpp", folder / "code.o",
                            "-o", folder / "program"], capture_output=True, text=True, check=False)
    if "libtsan" in built.stderr:
        pytest.skip("this compiler has no ThreadSanitizer")
    assert built.returncode == 0, built.stderr
    return folder / "program"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_races_are_seen(program: Path, name: str) -> None:
    done = subprocess.run(["setarch", "-R", program, str(list(FUNCTIONS).index(name))], capture_output=True, text=True,
                          timeout=100, check=False)
    assert ("data race" in done.stderr) == (name in RACES), done.stderr[-3000:]
    if name == "locked":
        assert done.stdout == "4000"


def test_what_is_not_known_is_refused() -> None:
    for line in ("%v = atomicrmw sub ptr %p, i64 1 seq_cst", "%v = load atomic i32, ptr %p seq_cst, align 4",
                 "%v = load %struct, ptr %p, align 8"):
        with pytest.raises(tsan.InstrumentationError):
            tsan.instrument(f"define void @f(ptr %p) {{\n  {line}\n}}\n")
