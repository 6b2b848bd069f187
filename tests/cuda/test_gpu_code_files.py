"""Files of code for a GPU: what `graphc gpu` refuses, and what the C++ library says of files that are damaged, foreign
or made to reach out of their memory."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.cli import main
from graphc.commands.gpu import make_gpu_code
from graphc.exec.cuda.recording.recorded import Kernel, Memory, MemoryKind, Moved, Place, Recorded, record_runs
from graphc.serial.gpu_code import gpu_code
from graphc.serial.plan_proto import load_plan
from graphc.serial.tensors import read_array

import native as n
from files import build_runner
from gpu_models import WHERE, exported, gpu
from on_both import ON_GPU

pytestmark = pytest.mark.skipif(not WHERE or ON_GPU, reason="about the library in place of libcuda")


def rows() -> Any:
    """Two inputs, a constant, a variable that is written, and indices that are looked at."""
    x = gc.placeholder(gc.float32, [None, 3], "x")
    i = gc.placeholder(gc.int32, [None], "i")
    w = gc.Variable(np.ones((7, 3), np.float32), name="w")
    y = gc.matmul(x, gc.constant(np.ones((3, 3), np.float32))) + gc.gather(w, i)
    return {"f": gc.Signature({"y": y, "t": gc.scatter_add(w, i, x).op}, {"x": x, "i": i})}


@pytest.fixture(scope="module")
def model() -> gc.GraphDef:
    return exported(rows)


@pytest.fixture(scope="module")
def recorded(model: gc.GraphDef) -> Recorded:
    nodes = {node.name: node for node in model.node}
    plan = load_plan(model.plans[0])
    constants = {c.name: read_array(nodes[c.name].attr["value"].tensor) for c in plan.constants}
    return record_runs(plan, constants, [[(2, 3), (2,)]], 75)[0]


@pytest.fixture
def load(model: gc.GraphDef, tmp_path: Path) -> Callable[..., str]:
    """What the C++ library says of a file; nothing if it takes it."""
    native = n.Native(build_runner() / "libgraphc.so")

    def load(code: bytes, file: bytes | None = None, **options: Any) -> str:
        path = tmp_path / "code.gpu"
        path.write_bytes(code)
        try:
            with native.load(file or model.SerializeToString(), gpu_code=str(path).encode(), **options):
                return ""
        except n.NativeError as error:
            return f"{error.status} {str(error).removeprefix(str(path))}"

    return load


def test_what_is_not_the_models(model: gc.GraphDef, load: Callable[..., str]) -> None:
    good = make_gpu_code(model, [{"x": (2, 3), "i": (2,)}], compute=75)
    other = gc.GraphDef.FromString(model.SerializeToString())
    other.plans[0].plan.inputs[0].name = "z"
    with gpu("late", compute=80):
        assert load(good) == ""
        assert "9 : it was made of another model" in load(good, other.SerializeToString())
        other = exported(lambda: {"f": gc.Signature({"y": gc.constant(1.) * 2}, [])})
        assert "9 : it was made of another model" in load(good, other.SerializeToString())
        other = exported(lambda: {"g": gc.Signature({"y": gc.constant(1.) * 2}, [])})
        assert "5 : it has no code for the signature g; it has f" in load(good, other.SerializeToString())
        assert "it is no file of code for a GPU, of format version 2" in load(b"")
        assert "15  is damaged" in load(b"not a file of this kind")       # its first byte is no field
        assert "there is no GPU 6: this machine has 1, numbered from 0 on" in load(good, gpu=6)


def test_what_this_machine_is_not(model: gc.GraphDef, load: Callable[..., str],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    wide = exported(lambda: {"f": gc.Signature({"y": gc.matmul(*[gc.placeholder(gc.float16, [32, 32])] * 2)})})
    code = make_gpu_code(wide)
    with gpu("late", devices=3, compute=75):
        said = load(code, wide.SerializeToString(), gpu=2)        # the library finds out once what a GPU is
    assert "12 " in said and "needs a GPU of compute capability 80 at least; stand-in has 75" in said
    assert "graphc_options.gpu is set, but no gpu_code for it" in _refused_options(model, gpu=2)


def _refused_options(model: gc.GraphDef, **options: Any) -> str:
    with pytest.raises(n.NativeError) as refused:
        n.Native(build_runner() / "libgraphc.so").load(model.SerializeToString(), **options)
    return str(refused.value)


def changed(run: Recorded, change: Callable[[Any], Any], which: Callable[[Any], bool]) -> Recorded:
    """The run with the first task for which `which` holds changed."""
    tasks = [list(part) for part in run.tasks]
    part, at = next((p, i) for p, part in enumerate(tasks) for i, task in enumerate(part) if which(task))
    tasks[part][at] = change(tasks[part][at])
    return replace(run, tasks=tuple(map(tuple, tasks)))


def is_(kind: str) -> Callable[[Any], bool]:
    return lambda task: isinstance(task, Moved) and task.kind == kind


def is_kernel(task: Any) -> bool:
    return isinstance(task, Kernel)


def with_word(run: Recorded, place: Place) -> Recorded:
    return changed(run, lambda t: replace(t, words=(place, *t.words[1:])), is_kernel)


def index_of(run: Recorded, kind: MemoryKind) -> int:
    return next(i for i, memory in enumerate(run.memory) if memory.kind == kind)


FAR = 1 << 40
CASES: dict[str, tuple[str, Callable[[Recorded], Recorded]]] = {
    "an upload behind the end": ("outside its block", lambda r: changed(
        r, lambda t: replace(t, count=t.count + FAR), is_("upload"))),
    "an upload before the beginning": ("outside its block", lambda r: changed(
        r, lambda t: replace(t, target=Place(0, 1 << 63)), is_("upload"))),
    "an upload elsewhere": ("another block", lambda r: changed(
        r, lambda t: replace(t, target=Place(index_of(r, MemoryKind.STATE), 0), count=4), is_("upload"))),
    "a download behind the end": ("outside its block", lambda r: changed(
        r, lambda t: replace(t, source=Place(0, FAR)), is_("download"))),
    "a copy from far": ("outside its block", lambda r: changed(
        r, lambda t: replace(t, source=Place(t.source.memory, FAR)), is_("copy"))),
    "a copy of less than nothing": ("outside its block", lambda r: changed(
        r, lambda t: replace(t, count=(1 << 64) - 8), is_("copy"))),
    "a copy to a constant": ("a constant is written", lambda r: changed(
        r, lambda t: replace(t, target=Place(index_of(r, MemoryKind.CONSTANT), 0), count=4), is_("copy"))),
    "a copy to nowhere": ("does not have", lambda r: changed(
        r, lambda t: replace(t, target=Place(99, 0)), is_("copy"))),
    "an address behind the end": ("outside its block", lambda r: with_word(r, Place(0, FAR))),
    "an address in no block": ("does not have", lambda r: with_word(r, Place(77, 0))),
    "too many parameters": ("the parameters", lambda r: changed(
        r, lambda t: replace(t, words=t.words * 60), is_kernel)),
    "no grid": ("grid", lambda r: changed(r, lambda t: replace(t, grid=()), is_kernel)),
    "an empty grid": ("grid", lambda r: changed(r, lambda t: replace(t, grid=(0,)), is_kernel)),
    "a grid too large": ("grid", lambda r: changed(r, lambda t: replace(t, grid=(1, 1 << 16)), is_kernel)),
    "too many threads": ("more threads", lambda r: changed(
        r, lambda t: replace(t, block=(64, 32)), is_kernel)),
    "no kernel": ("name of a kernel", lambda r: changed(r, lambda t: replace(t, name=""), is_kernel)),
    "no block for the host": ("first block", lambda r: replace(r, memory=(Memory(MemoryKind.ROOM, 64), *r.memory[1:]))),
    "two blocks for the host": ("two blocks", lambda r: replace(r, memory=(*r.memory, r.memory[0]))),
    "no memory": ("first block", lambda r: replace(r, memory=())),
    "huge memory": ("size of a block", lambda r: replace(r, memory=(*r.memory, Memory(MemoryKind.ROOM, 1 << 62)))),
    "another constant": ("a constant that", lambda r: replace(
        r, memory=(*r.memory, Memory(MemoryKind.CONSTANT, 0, 9)))),
    "another variable": ("a variable that", lambda r: replace(
        r, memory=(*r.memory, Memory(MemoryKind.STATE, 0, -1)))),
    "a variable that is written": ("a variable that", lambda r: replace(r, written=(5,))),
    "a variable that is needed": ("a variable that", lambda r: replace(r, needed=((r.needed[0][0], 5),))),
    "a step that needs one": ("a step that", lambda r: replace(r, needed=(((0, 999), 0),))),
    "a check's step": ("a step that", lambda r: replace(r, checks=(((7, 0), r.checks[0][1]), *r.checks[1:]))),
    "early checks": ("early checks", lambda r: replace(r, early=99)),
    "checks behind the end": ("outside its block", lambda r: replace(r, check_place=r.memory[0].size)),
    "checks between words": ("not aligned", lambda r: replace(r, check_place=r.check_place + 4)),
    "an input behind the end": ("outside its block", lambda r: replace(r, uploads=(r.memory[0].size, r.uploads[1]))),
    "an input too many": ("number of inputs", lambda r: replace(r, uploads=(*r.uploads, 0))),
    "a counter that has no place": ("number of inputs", lambda r: replace(r, has_counter=True)),
    "an output behind the end": ("outside its block", lambda r: replace(r, downloads=(r.memory[0].size + 1,))),
    "no outputs": ("number of outputs", lambda r: replace(r, downloads=())),
    "sizes too few": ("number of sizes", lambda r: replace(r, sizes=r.sizes[1:])),
    "sizes too large": ("outside its block", lambda r: replace(r, sizes=(1 << 20, *r.sizes[1:]))),
    "sizes below 0": ("negative size", lambda r: replace(r, sizes=(-1, *r.sizes[1:]))),
}


@pytest.mark.parametrize("name", CASES)
def test_what_reaches_out_is_refused(name: str, model: gc.GraphDef, recorded: Recorded,
                                     load: Callable[..., str]) -> None:
    said, change = CASES[name]
    saved = model.plans[0]
    code = gpu_code(saved.graph_hash, {"f": (saved, [change(recorded)])})
    with gpu("late", compute=80):
        found = load(code)
    assert found.startswith("15  is damaged: ") and said in found


def test_an_output_larger_than_what_comes_down(model: gc.GraphDef, recorded: Recorded, tmp_path: Path) -> None:
    """How large it is only the run knows; so it is refused there."""
    saved, path = model.plans[0], tmp_path / "code.gpu"
    run = replace(recorded, downloads=(recorded.memory[0].size - 4,))
    path.write_bytes(gpu_code(saved.graph_hash, {"f": (saved, [run])}))
    native = n.Native(build_runner() / "libgraphc.so")
    with gpu("late", compute=80), native.load(model.SerializeToString(), gpu_code=str(path).encode()) as loaded:
        with pytest.raises(n.NativeError, match="an output is larger than what comes from the GPU"):
            loaded.run([np.ones((2, 3), np.float32), np.zeros(2, np.int32)])


def test_a_kernel_that_is_not_in_its_module(model: gc.GraphDef, recorded: Recorded, tmp_path: Path) -> None:
    """Fewer parameters than it has are filled with zeros."""
    native, saved, path = n.Native(build_runner() / "libgraphc.so"), model.plans[0], tmp_path / "code.gpu"
    feeds = [np.ones((2, 3), np.float32), np.zeros(2, np.int32)]
    with gpu("late", compute=80) as library:
        for change, said in ((lambda t: replace(t, name="gc_other"), "does not have the kernel gc_other"),
                             (lambda t: replace(t, ptx="no PTX"), "the driver's compiler says")):
            run = changed(recorded, change, is_kernel)
            path.write_bytes(gpu_code(saved.graph_hash, {"f": (saved, [run])}))
            with native.load(model.SerializeToString(), gpu_code=str(path).encode()) as loaded:
                with pytest.raises(n.NativeError, match=said):
                    loaded.run(feeds)
            library.mend()
        path.write_bytes(gpu_code(saved.graph_hash, {"f": (saved, [changed(
            recorded, lambda t: replace(t, words=()), is_kernel)])}))
        with native.load(model.SerializeToString(), gpu_code=str(path).encode()) as loaded:
            loaded.run(feeds)                      # an empty map, as it gets no sizes


def test_what_the_command_refuses(model: gc.GraphDef, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gc.train.write_graph(model, str(tmp_path), "m.pb", as_text=False)

    def said(*words: str) -> str:
        assert main(["gpu", str(tmp_path / "m.pb"), *words]) == 1
        return capsys.readouterr().err

    assert "the input 'x' of the signature f has sizes that the model leaves open" in said()
    assert "no signature has all of the inputs z; there are f: x, i" in said("--shapes", "z=3")
    assert "the shape (2, 4) does not fit the input 'x'" in said("--shapes", "x=2,4 i=2")
    assert "made for sizes that are known" in said("--shapes", "x=?,4")
    assert "has no signature g; it has f" in said("--signature", "g")
    assert "a size cannot be computed from 5 and 2" in said("--shapes", "x=2,3 i=5")
    assert main(["gpu", str(tmp_path / "m.pb"), "--shapes", "x=2,3 i:0=2"]) == 0
    assert (tmp_path / "m.gpu").stat().st_size == int(capsys.readouterr().out.split()[1].replace(",", ""))
    model = gc.GraphDef.FromString(model.SerializeToString())
    del model.plans[:]
    with pytest.raises(errors.FailedPreconditionError, match="has no compiled Plans"):
        make_gpu_code(model)


@pytest.mark.quotes
def test_what_a_gpu_cannot_do_is_named() -> None:
    """Of a signature of which it can do nothing in the error; else in what the command prints."""
    def places(more: float) -> Any:
        x = gc.placeholder(gc.bool, [4], "x")
        found = gc.where(x, name="places")
        return {"f": gc.Signature({"y": found} | ({"z": gc.ones([2, 3]) * gc.cast(x[0], gc.float32)} if more else {}),
                                  {"x": x})}

    with pytest.raises(errors.UnimplementedError) as refused:
        make_gpu_code(exported(lambda: places(False)))
    said = str(refused.value)
    assert said.startswith("a GPU can do nothing of the signature f:")
    assert "loops, branches, lists and sizes that depend on data" in said
    assert f"built at {__file__}:" in said and "'places'" in said
    lines: list[str] = []
    make_gpu_code(exported(lambda: places(True)), tell=lines.append)
    assert len(lines) == 1 and lines[0].startswith("f: the CPU does Where 'places', built at")
    assert lines[0].endswith("sizes that depend on data")
