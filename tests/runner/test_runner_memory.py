"""Memory of the runner: in proportion to the file, counted, limited, given back."""
from __future__ import annotations

import ctypes
import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from graphc.plan.plan import (
    Access,
    Body,
    Buffer,
    BufferKind,
    Dim,
    DimKind,
    If,
    Instr,
    Map,
    Plan,
    Port,
    Program,
)
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_proto import graph_hash, save_plan

import native as n
from files import ROOT, build_runner, case_file
from five import CASES

MEGABYTE = 1 << 20
DIMS = (Dim(DimKind.CONST, value=1), Dim(DimKind.CONST, value=0))
ONE, COPY = Program(("f32",), (), (0,)), Map(0, (0,), 0, (Access(0, 1, (0,)),), (Access(1, 1, (0,)),))


@pytest.fixture(scope="module")
def folder() -> Path:
    return build_runner()


@pytest.fixture(scope="module")
def native(folder: Path) -> Iterator[n.Native]:
    yield n.Native(folder / "libgraphc.so")


def plan_of(*bodies: Body, programs: tuple[Program, ...] = (ONE,)) -> Plan:
    """x (one element) -> y (one element)."""
    return Plan((Port("x", "f32", (1,)),), (Port("y", "f32", (1,)),), bodies, programs)


def body_of(*steps: object) -> Body:
    buffers = (Buffer(BufferKind.INPUT, "f32", (0,)), Buffer(BufferKind.OUTPUT, "f32", (0,)))
    return Body("body", DIMS, buffers, (0,), (1,), (), (), (*steps, COPY))


def file_of(plan: Plan, *, constant: int = 0, value: float = 0, state: int = 0) -> bytes:
    """constant, state: elements of one that the plan has, without the file holding them."""
    graph = GraphDef()
    if constant:
        node = graph.node.add(name="c", op="Const")
        node.attr["dtype"].type = 1
        node.attr["value"].tensor.dtype = 1
        node.attr["value"].tensor.tensor_shape.dim.add(size=constant)
        node.attr["value"].tensor.float_val.append(value)
    graph.plans.append(save_plan(plan, "serving_default", graph_hash(graph)))
    for elements, name, tensors in ((constant, "c", graph.plans[0].plan.constants),
                                    (state, "s", graph.plans[0].plan.states)):
        if elements:
            tensors.add(name=name, dtype=1, shape=[elements])
    return graph.SerializeToString()


def peak(folder: Path, tmp_path: Path, file: bytes) -> tuple[int, str]:
    """The most bytes that loading and running a file takes, and what was said."""
    (tmp_path / "model.pb").write_bytes(file)
    done = subprocess.run([folder / "graphc-fuzz", "--peak", "--limit", "0", tmp_path / "model.pb"], check=False,
                          capture_output=True, text=True, errors="replace", timeout=100)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    said, _, kilobytes = done.stdout.rpartition("peak:")
    return int(kilobytes) * 1024, said


# --- in proportion to the file


def test_constants_that_the_file_does_not_hold(folder: Path, tmp_path: Path, native: n.Native) -> None:
    for value in (0.0, 1.0):
        taken, said = peak(folder, tmp_path, file_of(plan_of(body_of()), constant=1 << 30, value=value))
        assert "no memory for 4294967360 bytes" in said and "it is damaged, or made to take memory" in said
        assert taken < 64 * MEGABYTE
    file = file_of(plan_of(body_of()), constant=20 * MEGABYTE)
    with pytest.raises(n.NativeError, match=r"set graphc_options\.memory_limit") as caught:
        native.load(file)
    assert caught.value.status == n.RESOURCE_EXHAUSTED
    with native.load(file, memory_limit=100 * MEGABYTE) as model:       # a limit of the caller's is his word
        assert model.run([np.array([7], np.float32)])[0] == 7


def test_variables_take_memory_when_they_are_set(folder: Path, tmp_path: Path, native: n.Native) -> None:
    taken, said = peak(folder, tmp_path, file_of(plan_of(body_of()), state=1 << 28))
    assert said.count(": 0 ") == 5 and taken < 64 * MEGABYTE, said
    with native.load(file_of(plan_of(body_of()), state=1000)) as model:
        model.set_state(0, np.arange(1000, dtype=np.float32))
        assert model.get_state(0, np.zeros(1000, np.float32))[999] == 999
    with pytest.raises(n.NativeError, match=r"no memory for 1073741888 bytes: \d+ of 1048576 bytes are in use by this"):
        native.load(file_of(plan_of(body_of()), state=1 << 28), memory_limit=MEGABYTE)


def test_many_maps_of_one_long_program(folder: Path, tmp_path: Path) -> None:
    instrs = tuple(Instr("add", "f32", (i, i)) for i in range(8000))
    taken, said = peak(folder, tmp_path, file_of(plan_of(body_of(*[COPY] * 1000), programs=(
        Program(("f32",), instrs, (8000,)),))))
    assert "the tables of a run would take" in said and "made to take memory" in said
    assert taken < 150 * MEGABYTE


def test_bodies_that_double(folder: Path, tmp_path: Path) -> None:
    """Every branch has frames of its own, so that 31 bodies make 2 ** 60 of them."""
    predicate = Buffer(BufferKind.STATE, "bool", (), 0)
    bodies = []
    for i in range(30):
        main = body_of(*[If(2, i + 1, i + 1, (0,), ())] * 2)
        inner = Body("body", DIMS, (main.buffers[0], predicate), (0,), (), (), (), (If(1, i + 1, i + 1, (0,), ()),) * 2)
        bodies.append(inner if i else Body("body", DIMS, (*main.buffers, predicate), (0,), (1,), (), (), main.steps))
    bodies.append(Body("body", DIMS, main.buffers[:1], (0,), (), (), (), ()))
    graph = GraphDef.FromString(file_of(plan_of(*bodies)))
    graph.plans[0].plan.states.add(name="p", dtype=10)
    taken, said = peak(folder, tmp_path, graph.SerializeToString())
    assert "the tables of a run would take" in said, said
    assert taken < 64 * MEGABYTE


def nested(fields: list[int], content: bytes) -> bytes:
    """`content` as the field fields[-1] of a message that is field fields[-2] of one ..."""
    for field in reversed(fields):
        content = varint(field << 3 | 2) + varint(len(content)) + content
    return content


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


PLAN = [1000, 4]
EMPTY = {
    "nodes": [1], "attributes": [1, 5], "saved plans": [1000], "plan inputs": [*PLAN, 1], "bodies": [*PLAN, 3],
    "programs": [*PLAN, 4], "constants": [*PLAN, 5], "hosts": [*PLAN, 7], "origins": [*PLAN, 8], "dims": [*PLAN, 3, 2],
    "buffers": [*PLAN, 3, 3], "slots": [*PLAN, 3, 6], "guards": [*PLAN, 3, 7], "steps": [*PLAN, 3, 8],
    "instructions": [*PLAN, 4, 2], "loads": [*PLAN, 3, 8, 1, 4], "binds": [*PLAN, 3, 8, 6, 6],
}


@pytest.mark.parametrize("what", EMPTY)
def test_millions_of_nothing(folder: Path, tmp_path: Path, what: str) -> None:
    """An empty message is two bytes of a file; what is made of it takes hundreds."""
    *outer, last = EMPTY[what]
    file = nested(outer, (varint(last << 3 | 2) + b"\0") * 500_000)
    if outer[:2] == PLAN:      # in a plan that is read: of the right version, of a graph without nodes
        file = nested([1000], b"\x08\x01" + b"\x11" + graph_hash(GraphDef()).to_bytes(8, "little") +
                      nested(outer[1:], (varint(last << 3 | 2) + b"\0") * 500_000))
    taken, said = peak(folder, tmp_path, file)
    assert "load:" in said
    assert taken < 64 * MEGABYTE + 64 * len(file) + 32 * MEGABYTE, f"{taken / len(file):.0f} bytes a byte of the file"


def test_numbers_without_end(folder: Path, tmp_path: Path) -> None:
    """Packed lists, of which one byte is an element of eight."""
    node = nested([1], nested([5], b"\x0a\x05value" + nested([2, 8], b"\x08\x09" + nested([10], b"\1" * 3_000_000))))
    taken, said = peak(folder, tmp_path, node)
    assert "load:" in said and taken < 256 * MEGABYTE


# --- counted and limited


def test_the_file_counts_while_it_is_read(native: n.Native, tmp_path: Path) -> None:
    file = case_file(CASES["conv_norm_dense"]())
    (tmp_path / "model.pb").write_bytes(file + nested([2000], bytes(4 * MEGABYTE)))
    options, model = n.Options(ctypes.sizeof(n.Options), memory_limit=2 * MEGABYTE), ctypes.c_void_p()
    path = str(tmp_path / "model.pb").encode()
    with pytest.raises(n.NativeError, match="no memory for 4"):
        native.check(native.library.graphc_load_file(path, ctypes.byref(options), ctypes.byref(model)))
    options.memory_limit = 8 * MEGABYTE
    native.check(native.library.graphc_load_file(path, ctypes.byref(options), ctypes.byref(model)))
    assert native.library.graphc_memory_used(model) < MEGABYTE
    native.library.graphc_model_free(model)


def test_text_of_a_run_without_memory(native: n.Native) -> None:
    with native.load(case_file(CASES["conv_norm_dense"]()), memory_limit=MEGABYTE) as model:
        with pytest.raises(n.NativeError, match=r"no memory for \d+ bytes: \d+ of 1048576 bytes are in use "
                                                r"by this model; graphc_options\.memory_limit"):
            model.run([np.zeros((3000, 6, 6, 3), np.float32)])


KILOBYTES = 1 << 22
V2, V1 = "0::/a/b\n", "5:cpu:/x\n4:cpuacct,memory:/a/b\n"


@pytest.mark.parametrize(("groups", "files", "limit"), [
    ("", {}, KILOBYTES * 1024),
    (V2, {"a/b/memory.max": "max"}, KILOBYTES * 1024),
    (V2, {"a/b/memory.max": "4000"}, 4000),
    (V2, {"a/b/memory.max": "max", "a/memory.max": "8000", "memory.max": "12000"}, 8000),
    (V2, {"memory.max": "12000"}, 12000),                     # of a namespace that does not show the group
    ("0::/\n", {"memory.max": "12000"}, 12000),
    (V2, {"unified/a/memory.max": "4000"}, 4000),
    (V1, {"memory/a/b/memory.limit_in_bytes": "9223372036854771712"}, KILOBYTES * 1024),
    (V1, {"memory/a/b/memory.limit_in_bytes": "8000", "memory/memory.limit_in_bytes": "4000"}, 4000),
    (V1 + V2, {"memory/memory.limit_in_bytes": "8000", "unified/a/memory.max": "4000"}, 4000),
    (V2, {"a/b/memory.max": "99999999999999"}, KILOBYTES * 1024),
    ("nonsense\n0:\n", {"memory.max": "4000"}, KILOBYTES * 1024),
])
def test_default_limit(limits: Path, tmp_path: Path, groups: str, files: dict[str, str], limit: int) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    (tmp_path / "proc/meminfo").write_text(f"Something: 5 kB\nMemTotal:   {KILOBYTES} kB\nMemFree: 1 kB\n")
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert int(subprocess.check_output([limits, tmp_path])) == limit // 4 * 3


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("c++") or shutil.which("g++")
    assert compiler
    made = tmp_path_factory.mktemp("limits") / "limits"
    subprocess.run([compiler, "-std=c++17", f"-I{ROOT}/runner/src", ROOT / "tests/runner/limits.cpp",
                    ROOT / "runner/src/limits.cpp", ROOT / "runner/src/texts.cpp", "-o", made], check=True)
    return made


def test_default_limit_of_this_machine(limits: Path, native: n.Native) -> None:
    limit = int(subprocess.check_output([limits, ""]))
    assert 0 < limit < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    huge, result = n.as_tensor(np.zeros((1, 6, 6, 3), np.float32)), ctypes.c_void_p()
    huge.sizes[0] = 1 << 36                                     # the output alone passes the limit: no element is read
    with native.load(case_file(CASES["conv_norm_dense"]())) as model:
        with pytest.raises(n.NativeError, match=f" of {limit} bytes are in use by this model"):
            native.check(native.library.graphc_run(model.handle, ctypes.byref(huge), 1, ctypes.byref(result)))


# --- given back


class _Malloc(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks",
                                                     "fsmblks", "uordblks", "fordblks", "keepcost")]


def allocated() -> int:
    """Bytes that malloc has given out in this process."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _Malloc
    found = libc.mallinfo2()
    return found.uordblks + found.hblkhd


def stays_flat(turn: Callable[[], None], turns: int = 200, slack: int = 40_000) -> None:
    for _ in range(turns // 4):
        turn()
    before = allocated()
    for _ in range(turns):
        turn()
    grown = allocated() - before
    assert grown < slack, f"{grown / turns:.0f} bytes a turn are not given back"


@pytest.mark.parametrize("name", CASES)
def test_load_run_and_free(native: n.Native, name: str) -> None:
    case = CASES[name]()
    file, feeds = case_file(case), [[np.ascontiguousarray(x).reshape(np.shape(x)) for x in inputs]
                                    for inputs in case.feeds(np.random.default_rng(0))]

    def turn() -> None:
        with native.load(file) as model:
            for i, value in enumerate(case.states.values()):
                model.set_state(i, value)
            for host, function in case.hosts.items():
                model.set_host(host, function)
            for inputs in feeds:
                model.run(inputs)

    stays_flat(turn)


def test_runs_and_loads_that_fail(native: n.Native) -> None:
    case = CASES["masked_matmul"]()
    file, x = case_file(case), np.zeros((4, 7), np.float32)
    with native.load(file) as model:
        def failing_run() -> None:
            with pytest.raises(n.NativeError, match="must equal"):
                model.run([x, np.ones(3, bool)])

        stays_flat(failing_run)
    for options in ({"memory_limit": 1000}, {"memory_limit": 5000}, {"memory_limit": 9000}, {"signature": b"none"}):
        def failing_load(options: dict[str, object] = options) -> None:
            with pytest.raises(n.NativeError):
                native.load(file, **options)

        stays_flat(failing_load)


@pytest.mark.parametrize("name", CASES)
def test_cut_short_at_every_byte(native: n.Native, name: str) -> None:
    """Each is refused, with nothing left behind."""
    file = case_file(CASES[name]())
    plan_at = file.index(b"serving_default") - 40
    cuts = [*range(0, min(plan_at, 300)), *range(max(plan_at, 0), len(file))]

    def cut(where: int) -> None:
        with pytest.raises(n.NativeError) as caught:
            native.load(file[:where])
        assert caught.value.status in (n.DATA_LOSS, n.NOT_FOUND, n.FAILED_PRECONDITION), str(caught.value)

    for where in cuts:
        cut(where)
    before = allocated()
    for where in cuts:
        cut(where)
    assert allocated() - before < 40 * len(cuts), "bytes that are not given back"


def test_frames_of_many_large_shapes_share_memory(native: n.Native) -> None:
    """256 MB are kept for frames, then a new shape takes the memory of the one used longest ago."""
    dims = (Dim(DimKind.CONST, value=1), Dim(DimKind.CONST, value=0), Dim(DimKind.INPUT, (0, 0)))
    buffers = tuple(Buffer(kind, "f32", (2,)) for kind in (BufferKind.INPUT, BufferKind.OUTPUT, BufferKind.ARENA))
    copies = tuple(Map(0, (2,), 0, (Access(a, 1, (0,)),), (Access(b, 1, (0,)),)) for a, b in ((0, 2), (2, 1)))
    body = Body("body", dims, buffers, (0,), (1,), (), (), copies)
    plan = Plan((Port("x", "f32", (-1,)),), (Port("y", "f32", (-1,)),), (body,), (ONE,))
    with native.load(file_of(plan), memory_limit=2048 * MEGABYTE) as model:
        for more in (*range(8), 0, 7):
            given = np.arange(18 * MEGABYTE + more, dtype=np.float32)
            assert (model.run([given])[0] == given).all()
        assert native.library.graphc_memory_used(model.handle) < 400 * MEGABYTE        # 8 of 72 MB each would be more
