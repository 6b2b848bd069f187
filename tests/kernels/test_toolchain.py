"""The toolchain: formulas, the gate, archives, the cache, equal builds, and what a broken kernel does to a build."""
from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from graphc.kernels.layout import FormulaOp
from graphc.kernels.toolchain import archive, build, cache, progress
from graphc.kernels.toolchain.backend import BackEndError, build_object, target_machine
from graphc.kernels.toolchain.gate import ALLOWED, GateError, check_object, read_symbols
from graphc.kernels.toolchain.registry import DeclarationError, formula_words
from graphc.kernels.toolchain.targets import TARGETS, host_targets

HOST = host_targets()[0]


# --- formulas

def evaluate(words: list[int], dims: list[int], attrs: list[int]) -> int:
    """What the runtime does with a formula, in Python."""
    operations = {
        FormulaOp.ADD: lambda a, b: a + b, FormulaOp.SUB: lambda a, b: a - b, FormulaOp.MUL: lambda a, b: a * b,
        FormulaOp.FLOORDIV: lambda a, b: a // b, FormulaOp.MAX: max, FormulaOp.MIN: min,
        FormulaOp.EQUAL: lambda a, b: int(a == b), FormulaOp.LESS: lambda a, b: int(a < b),
        FormulaOp.LESS_EQUAL: lambda a, b: int(a <= b),
    }
    stack: list[int] = []
    assert len(words) == 1 + 2 * words[0]
    for op, value in zip(words[1::2], words[2::2], strict=True):
        if op == FormulaOp.CONST:
            stack.append(value)
        elif op in (FormulaOp.DIM, FormulaOp.ATTR):
            stack.append((dims if op == FormulaOp.DIM else attrs)[value])
        else:
            b, a = stack.pop(), stack.pop()
            stack.append(operations[FormulaOp(op)](a, b))
    result, = stack
    return result


@pytest.mark.parametrize("text", [
    "n * m", "max(n, m, 3) - min(n, s)", "(n - 1) * s + m * 2", "n // s + n % s", "-n + 1", "n >= 1", "1 <= n < m",
    "n != m and m == 3", "n > m or s > 1", "n * (m + s)",
])
def test_formula_means_what_python_means(text: str) -> None:
    words = formula_words(text, ["n", "m"], ["s"])
    for n, m, s in itertools.product((1, 2, 3, 7), (1, 3, 5), (1, 2, 4)):
        assert evaluate(words, [n, m], [s]) == int(eval(text, {"max": max, "min": min}, {"n": n, "m": m, "s": s}))


@pytest.mark.parametrize("text", ["q + 1", "n ** 2", "n / 2", "open('x')", "n +", "1.5 * n", "n.real", "[n]"])
def test_formula_that_is_not_understood(text: str) -> None:
    with pytest.raises(DeclarationError, match="formula"):
        formula_words(text, ["n"], [])


# --- the gate

def assemble(text: str) -> bytes:
    machine = target_machine(HOST)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = HOST.triple, str(machine.target_data)
    return bytes(machine.emit_object(module))


GOOD = "define i64 @f(i64 %x) {\n  ret i64 %x\n}\n"


def test_gate_lets_a_clean_object_through() -> None:
    assert check_object(assemble(GOOD), ["f"]).defined == {"f"}


CALLS = ("declare float @sinf(float)\n"
         "define float @f(float %x) {\n  %y = call float @sinf(float %x)\n  ret float %y\n}\n")
READS = "define i64 @g() {\n  %v = load volatile i64, ptr @counter\n  ret i64 %v\n}\n"


@pytest.mark.parametrize(("text", "exports", "message"), [
    (CALLS, ["f"], "calls what is not allowed: sinf"),
    (GOOD + "define void @g() {\n  ret void\n}", ["f"], "exports what is not declared: g"),
    (GOOD, ["f", "h"], "does not export what is declared: h"),
    ("@counter = internal global i64 0\n" + READS, ["g"], "writable data: .bss"),
    ("@counter = internal thread_local global i64 1\n" + READS, ["g"], "thread-local"),
])
def test_gate_refuses(text: str, exports: list[str], message: str) -> None:
    with pytest.raises(GateError, match=message):
        check_object(assemble(text), exports, ["__tls_get_addr"])


def test_gate_refuses_what_is_no_object() -> None:
    with pytest.raises(GateError, match="not a 64-bit"):
        check_object(b"\x7fELF\x01\x01" + bytes(100), [])


def test_host_address_is_refused() -> None:
    text = "define i64 @f() {\n  %v = load i64, ptr inttoptr (i64 140000000000 to ptr)\n  ret i64 %v\n}"
    with pytest.raises(BackEndError, match="address of the machine"):
        build_object(HOST, llvm.parse_assembly(text).as_bitcode(), {"f": "f"})


# --- archives

def test_archive_round_trip(tmp_path: Path) -> None:
    members = [("a.o", assemble(GOOD)), ("a rather long name of a member.o", assemble(GOOD.replace("@f", "@g")))]
    data = archive.write_archive(members, index=True)
    assert archive.read_archive(data) == members
    for cut in range(8, len(data), 97):
        try:
            found = archive.read_archive(data[:cut])
        except ValueError:
            continue
        assert found == members[:len(found)]


# --- building and the cache

@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


PROBE = ["log_softmax.f32", "gather.i32.i64"]


def test_builds_are_equal_to_the_byte(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isas = ["x86-64-v3", "aarch64"]
    first = build.build_archives(isas, PROBE)
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path / "other"))
    second = build.build_archives(list(reversed(isas)), PROBE, jobs=1)
    assert first == second
    registries = {dict(archive.read_archive(data))["registry.o"][:4] for data in first.values()}
    assert registries == {b"\x7fELF"}


def test_what_the_command_builds_is_there_for_sessions(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build.build_archives(["x86-64-v3"], PROBE[1:])
    monkeypatch.setattr(build, "_build", None)
    assert build.library_archive("x86-64-v3", PROBE[1:]) == built["x86-64-v3"]


def test_how_far_a_build_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [progress.report(done, 3, float(done), 3.0, 10.0 * done) for done in (1, 2, 3)]
    monkeypatch.setattr(progress, "EVERY", 0.0)
    progress.show(lines)
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2] for line in said] == [
        f"{done} of 3 parts of the kernel library are compiled, about {left} s left" for done, left in
        ((1, 20), (2, 10), (3, 0))]


def test_a_build_goes_on_where_it_was_killed(fresh_cache: Path) -> None:
    code = f"from graphc.kernels.toolchain import build; build.library_archive('x86-64-v3', {PROBE})"
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
    with subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True) as building:
        while not list(fresh_cache.glob("pieces/*.o")):
            assert building.poll() is None
            time.sleep(0.01)
        os.killpg(building.pid, signal.SIGKILL)
    kept = {path: path.stat().st_mtime_ns for path in fresh_cache.glob("pieces/*.o")}
    build.library_archive("x86-64-v3", PROBE)
    assert kept and all(path.stat().st_mtime_ns == made for path, made in kept.items())


def test_builds_these_sources_in_any_directory(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch,
                                               tmp_path: Path) -> None:
    (tmp_path / "graphc").mkdir()
    (tmp_path / "graphc" / "__init__.py").write_text("raise SystemExit('another graphc')")
    monkeypatch.chdir(tmp_path)
    assert build.build_archives(["x86-64-v3"], PROBE[1:])


def test_exports_and_names(fresh_cache: Path) -> None:
    members = dict(archive.read_archive(build.library_archive("x86-64-v3", PROBE)))
    defined = set().union(*(read_symbols(data).defined for name, data in members.items() if name.endswith(".o")))
    assert {"gc_registry", "gc_names", "gc_functions_x86_64_v3", "gc_kernel_log_softmax_f32_run_x86_64_v3",
            "gc_kernel_gather_i32_i64_bind_x86_64_v3"} <= defined
    assert not any("matmul" in name for name in defined)


def test_units_share_micro_kernels(fresh_cache: Path) -> None:
    """One unit of a dtype has them, those that multiply call it; it is there only if there is one."""
    objects = {name: read_symbols(data) for name, data in archive.read_archive(
        build.library_archive("x86-64-v3", ("matmul.f32", "conv2d.f32"))) if name.endswith(".o")}
    shared = objects["micro.f32.o"].defined
    of_both = {f"gc_micro_f32_{shape}_x86_64_v3" for shape in ("6x2x8", "12x1x8")}
    of_products = {f"gc_micro_f32_{shape}_x86_64_v3" for shape in ("2x6x8", "6x2x8b", "2x6x8b")}     # b: of bfloat16
    assert shared == of_both | of_products
    assert objects["matmul.f32.o"].undefined - ALLOWED == shared
    assert objects["convolutions.f32.o"].undefined - ALLOWED == of_both
    assert "micro.f64.o" not in objects and not any("micro" in name for name, _ in archive.read_archive(
        build.library_archive("x86-64-v3", PROBE)))


def test_cache_is_private_and_a_damaged_entry_is_built_again(fresh_cache: Path) -> None:
    good = build.library_archive("x86-64-v3", PROBE)
    assert fresh_cache.stat().st_mode & 0o777 == 0o700
    entry, = fresh_cache.glob("*.a")
    for damage in (lambda d: d[:len(d) // 2], lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: b""):
        entry.write_bytes(damage(entry.read_bytes()))
        for piece in (fresh_cache / "pieces").iterdir():
            piece.write_bytes(damage(piece.read_bytes()))
        assert build.library_archive("x86-64-v3", PROBE) == good
        assert cache.read(entry.name) == good


def test_cache_that_cannot_be_written_warns_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path / "file" / "cache"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = build.library_archive("x86-64-v3", PROBE[1:])
        monkeypatch.setattr(build, "_build", None)               # kept for this process
        assert build.library_archive("x86-64-v3", PROBE[1:]) == first
    text = [str(warning.message) for warning in caught]
    assert len(text) == 1 and "cannot be written" in text[0] and str(tmp_path) in text[0]


def test_what_cannot_be_cached_goes_with_the_process(tmp_path: Path) -> None:
    """The process that made the temporary folder removes it, a child that it has forked does not."""
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "temporary").mkdir()
    done = run_python("import os\n"
                      "from graphc.kernels.toolchain import cache\n"
                      "assert not cache.write('a', b'1') and cache.read('a') == b'1'\n"
                      "child = os.fork()\n"
                      "if child == 0: raise SystemExit(cache.read('a') != b'1')\n"
                      "assert os.waitpid(child, 0)[1] == 0\n"
                      "assert not cache.write('b', b'2') and [cache.read(k) for k in 'abc'] == [b'1', b'2', None]\n",
                      GRAPHC_CACHE=str(tmp_path / "file" / "cache"), TMPDIR=str(tmp_path / "temporary"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot be written") == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          env=dict(os.environ, PYTHONPATH=root, **environment))


def test_a_kernel_that_does_not_compile_is_named() -> None:
    done = run_python(
        "from graphc.kernels.toolchain import frontend as f\n"
        "f.prepare()\n"
        "def run(x, n, choice, work, scratch, phase, tile):\n"
        "    return x.nonsense\n"
        "f.compile_module('m', [f.Adapter('gc_kernel_bad_run', 'run', run, ('f32',), 1)])\n",
        NUMBA_OPT="0", NUMBA_LOOP_VECTORIZE="0", NUMBA_SLP_VECTORIZE="0")
    assert done.returncode and "FrontEndError: gc_kernel_bad_run" in done.stderr and "nonsense" in done.stderr


def test_wrong_number_of_parameters_is_explained() -> None:
    done = run_python(
        "from graphc.kernels.toolchain import frontend as f\n"
        "f.prepare()\n"
        "def bind(n, choice):\n"
        "    choice[0] = n\n"
        "f.compile_module('m', [f.Adapter('gc_kernel_bad_bind', 'bind', bind, (), 2)])\n",
        NUMBA_OPT="0", NUMBA_LOOP_VECTORIZE="0", NUMBA_SLP_VECTORIZE="0")
    assert "takes 2 parameters (n, choice), its declaration makes 3" in done.stderr


def test_front_end_refuses_to_run_with_the_optimiser_on() -> None:
    done = run_python("from graphc.kernels.toolchain import frontend as f; f.prepare()", NUMBA_OPT="3")
    assert "must run with NUMBA_OPT=0" in done.stderr


def test_kernels_by_name_on_arrays() -> None:
    from graphc.kernels.toolchain.testing import load_kernels
    kernel = load_kernels(["log_softmax.f32"])["log_softmax.f32"]
    x = np.random.default_rng(0).standard_normal((37, 65)).astype(np.float32)
    y, z = np.empty_like(x), np.empty_like(x)
    assert kernel(x, y, dims=x.shape) == 0
    assert kernel(x, z, dims=x.shape, order=lambda n: range(n - 1, -1, -1)) == 0
    shifted = x - x.max(1, keepdims=True)
    np.testing.assert_allclose(y, shifted - np.log(np.exp(shifted).sum(1, keepdims=True)), rtol=2e-5, atol=2e-6)
    assert y.tobytes() == z.tobytes()


# --- loading

def test_library_loads_without_numba() -> None:
    done = run_python("import sys, time\n"
                      "from graphc.exec.library import load_library\n"
                      "load_library()\n"
                      "assert 'numba' not in sys.modules\n"
                      "library = load_library()\n"
                      "kernels, primitives = library.registry[1:3]\n"
                      "assert len(library.names) == kernels + primitives\n"
                      "assert library.names[:kernels] == sorted(library.names[:kernels])\n"
                      "assert len(library.functions) == 3 * kernels + primitives\n"
                      "assert all(library.entry.values())\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("isa", "message"), [("z80", "names no instruction set"), ("aarch64", "cannot run aarch64")])
def test_wrong_isa_is_refused(isa: str, message: str) -> None:
    if HOST.name == "aarch64":
        pytest.skip("made for x86-64")
    done = run_python("from graphc.exec.library import load_library; load_library()", GRAPHC_ISA=isa)
    assert "UnimplementedError" in done.stderr and message in done.stderr


def test_targets_are_consistent() -> None:
    assert len({t.symbol for t in TARGETS.values()}) == len(TARGETS)
    assert all(t.symbol == t.name.replace("-", "_") for t in TARGETS.values())
