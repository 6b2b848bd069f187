"""Imports point one way: the rooms stand in the order in which data flows, and no file is in a circle of imports."""
from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

# A module may import from its own room and from the rooms before it, at any depth, inside functions too. The compiler
# (passes, plan, exec) knows op definitions, but no public function. plan/plan.py is plain data, open to all, and so are
# the formats of files that ops read and write, and generated messages.
ROOMS = ["ir.user_frame", "wording", "errors", "kernels", "ir", "kinds", "blame", "tracebacks", "missing", "plan.plan",
         "io.crc32c", "io.wire", "io.whole_files", "io.checkpoint", "ops", "picture", "api", "passes", "plan", "exec",
         "serial", "io", "session",
         "train",
         "saved_model",
         "test", "layers", "rnn", "seq2seq", "metrics", "summary", "data",
         "feature_column",
         "estimator",
         "onnx",
         "compat", "tf1", "model_report", "model_page",
         "convert", "commands",
         "cli", "__init__"]
APART = {("passes", "api"), ("plan", "api"), ("exec", "api")}
# These are built from what users have, too: the package itself, and how names are made public.
FROM_PUBLIC_NAMES = {"train", "test", "layers", "rnn", "seq2seq", "metrics", "summary", "data",
                     "feature_column", "estimator",
                     "onnx"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == "graphc" else parts)


MODULES = {name_of(path): path for folder in ("graphc", "kernels") for path in sorted((ROOT / folder).rglob("*.py"))
           if folder == "kernels" or "kernels" not in path.relative_to(ROOT).parts}
MODULES = {name: path for name, path in MODULES.items() if not name.endswith("_pb2")}


def room(module: str) -> str:
    parts = module.split(".")
    inner = ".".join(parts[:2])
    return inner if inner in ROOMS else parts[0]


@functools.cache
def imported(path: Path) -> tuple[str, ...]:
    """The names that `path` imports at any depth, but for those under TYPE_CHECKING."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:      # statements alone: there are many more expressions
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inside = getattr(node, part, ())
            waiting.extend(inside if isinstance(inside, list) else ())


@functools.cache
def modules_imported(module: str) -> set[str]:
    """Those names of a module's file as modules: `from graphc.ir.op import Op` is ir.op."""
    found = set()
    for name in imported(MODULES[module]):
        parts = name.split(".")
        if parts[0] != "graphc" or any(part.endswith("_pb2") for part in parts):
            continue
        inner = parts[1:]
        while inner and ".".join(inner) not in MODULES:
            inner.pop()
        found.add(".".join(inner) or "__init__")
    return found


def test_every_module_has_a_room() -> None:
    assert [name for name in MODULES if room(name) not in ROOMS] == []


def test_imports_point_one_way() -> None:
    wrong = {f"{name} imports {other}" for name in MODULES for other in modules_imported(name) if other != "__init__"
             and (ROOMS.index(room(other)) > ROOMS.index(room(name)) or (room(name), room(other)) in APART)}
    assert not wrong, "these import from rooms behind their own, or that they must not know"


def test_folders_of_passes_are_apart() -> None:
    """They may import what all share, the snapshot and the simplifications, in this order, but none of each other."""
    below = ["shared", "snapshot", "simplification"]

    def folder(module: str) -> str:
        parts = module.split(".")
        return parts[1] if parts[0] == "passes" and len(parts) == 3 else ""

    pairs = {(folder(name), folder(other), name) for name in MODULES for other in modules_imported(name)
             if folder(name) and folder(other) not in ("", folder(name))}
    assert len(pairs) > 40
    assert [(name, to) for of, to, name in pairs if to not in below[:below.index(of) if of in below else None]] == []


def test_built_from_public_names() -> None:
    open_to_all = {"__init__", "errors", "wording", "api.public", "api.names", "api.namespaces"}
    open_to_all |= {"serial.broadcast_gradients", "serial.default_attributes",
                    "serial.reads_before_writes"}       # forms of a GraphDef in files
    rooms = {*FROM_PUBLIC_NAMES, "io"}
    built = [name for name in MODULES if room(name) in FROM_PUBLIC_NAMES]
    wrong = {f"{name} imports {other}" for name in built for other in modules_imported(name) - open_to_all
             if other.split(".")[0] not in rooms}
    assert len(built) > 100 and not wrong


def test_kernels_import_nothing_from_graphc() -> None:
    assert {name: found for name, path in MODULES.items() if room(name) == "kernels"
            if (found := [m for m in imported(path) if m.startswith("graphc.") and not m.startswith("graphc.kernels")])
            } == {}


def test_no_circles() -> None:
    """Tarjan's strongly connected components, of the files outside kernels/ (which test_kernels_... leaves alone)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in modules_imported(name):
            if other == "__init__" or other not in MODULES:
                continue
            if other not in order:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == order[name]:
            circle = stack[stack.index(name):]
            del stack[stack.index(name):]
            if len(circle) > 1:
                circles.append(sorted(circle))

    for name in MODULES:
        if name not in order:
            visit(name)
    assert circles == []


def behind(program: str) -> set[str]:
    """The modules that are there behind the program, in a process of its own; without those that api/namespaces.py
    makes."""
    shown = "*[name for name, module in sys.modules.items() if getattr(module, '__spec__', None)]"
    code = f"import sys\n{program}\nprint({shown})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_import_is_light() -> None:
    found = behind("import graphc as gc; gc.newaxis, gc.nn, gc.train, dir(gc)")
    assert not found & {"numpy", "numba", "llvmlite", "google.protobuf", "dataclasses", "inspect", "re"} - behind("")
    assert {name.removeprefix("graphc.") for name in found if name.startswith("graphc.")} == {
        "api", "api.namespaces", "api.names", "ir", "ir.late_imports", "kernels", "kernels.locks", "train"}


def test_a_graph_loads_the_ops_that_it_has() -> None:
    found = behind("import graphc as gc\ny = gc.placeholder(gc.float32, [None]) + 1.0")
    assert "graphc.ops.array.source" in found and "numpy" in found
    assert not found & {"numba", "llvmlite", "google.protobuf", "graphc.passes", "graphc.plan.compile", "graphc.exec",
                        "graphc.session.session", "graphc.ops.nn.convolution", "graphc.kernels.toolchain.load"}


def test_tensors_have_operators_whoever_imports_them() -> None:
    """Also where no public name was used before, and methods show errors in the user's code."""
    behind("""
from graphc.ir.graph import Graph
from graphc.ir.apply import apply
from graphc.ir.op import OPS
with Graph().as_default() as graph:
    x = apply(OPS["Placeholder"], dtype=__import__("graphc.ir.dtypes").ir.dtypes.float32, shape=(2,))
    assert (x + 1.0).op.type == "AddV2" and graph.as_graph_def().node
""")


def test_private_names_stay_in_their_file() -> None:
    """But op types, of which graphc's own begin with _."""
    taken = {(module, name) for module in MODULES for name in imported(MODULES[module])
             if name.startswith("graphc.") and name.rpartition("._")[2][:1].islower() and "._" in name}
    assert taken == set()
