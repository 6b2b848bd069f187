"""`import graphc` alone knows every op: files with any of them load in a process that has built nothing."""
from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import graphc as gc
from graphc.ir.builder import GradientBuilder, op_name
from graphc.ir.op import OPS
from graphc.ops import manifest
from graphc.ops.manifest import TYPES

from samples import ELSEWHERE, arrays, build, registered

COMPARE = """
import importlib, pkgutil
import graphc
from graphc.ir.op import OPS
assert graphc.matmul                  # the first public name that is used registers them
before = set(OPS)
assert len(before) > 500
for found in pkgutil.walk_packages(graphc.__path__, "graphc."):
    if not found.name.startswith("graphc.kernels") and not found.name.endswith("_pb2"):
        importlib.import_module(found.name)
print(sorted(set(OPS) - before))
"""

LOAD = """
import json, sys
import graphc as gc
from pathlib import Path
problems = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        with gc.Graph().as_default() as graph:
            gc.import_graph_def(gc.load_graph_def(str(path)), name="")
        wanted = path.name.partition("-")[0]
        inner = [op.type for f in graph.functions.values() for op in f.get_operations()]
        if wanted not in [op.type for op in graph.get_operations()] + inner:
            problems[path.name] = "is not in the graph that was loaded"
    except Exception as error:
        problems[path.name] = f"{type(error).__name__}: {error}"
print(json.dumps(problems))
"""


def in_a_new_process(code: str, *arguments: str) -> str:
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_first_public_name_registers_every_op() -> None:
    assert in_a_new_process(COMPARE).strip() == "[]"


def test_the_manifest_says_where_each_op_stands() -> None:
    wrong = {op_type: OPS[op_type].__module__ for module, types in TYPES.items() for op_type in types.split()
             if OPS[op_type].__module__ != f"graphc.ops.{module}"}
    assert wrong == {}


def test_names_of_ops_in_snake_case_are_one_to_one() -> None:
    assert op_name("Conv2DBackpropInput") == "conv2d_backprop_input"
    assert [op_name(t) for t in ("MatMul", "L2Loss", "_SumTo", "FusedBatchNormGradV3", "IFFT2D")] == [
        "mat_mul", "l2_loss", "sum_to", "fused_batch_norm_grad_v3", "ifft2d"]
    assert len({op_name(t) for t in OPS}) == len(OPS)


def test_gradients_ask_for_ops_that_exist() -> None:
    """Every g.<name> in graphc/ops is an op, or a method of the builder."""
    names = {op_name(op_type) for op_type in OPS} | {n for n in vars(GradientBuilder) if not n.startswith("_")}
    unknown = [f"{path}:{node.lineno}: g.{node.attr}"
               for path in sorted(Path(manifest.__file__).parent.rglob("*.py"))
               for node in ast.walk(ast.parse(path.read_text()))
               if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "g"
               and node.attr not in names]
    assert unknown == []


def differentiated_control_flow() -> None:
    """A graph with loops, branches and the lists that their gradients keep values in."""
    x = gc.placeholder(gc.float32, [None], name="x")

    def body(i: gc.Tensor, h: gc.Tensor) -> list[gc.Tensor]:
        return [i + 1, gc.cond(i < 2, lambda: gc.sin(h), lambda: h * h)]

    h = gc.while_loop(lambda i, h: i < 3, body, [gc.constant(0), x])[1]
    gc.gradients(gc.gradients(h, x), x)


def test_files_of_every_op_load_in_a_new_process(tmp_path: Path) -> None:
    written = set()
    for op_type in registered():
        op = OPS[op_type]
        for sample in op.samples[:1]:       # test_all_ops.py saves and loads them all
            if op.refs:
                continue            # needs a variable
            graph = build(op, sample, arrays(op, sample)).graph
            gc.train.write_graph(graph, str(tmp_path), f"{op_type}-sample.pb", as_text=False)
            written.add(op_type)
    with gc.Graph().as_default() as graph:
        differentiated_control_flow()
    kinds = {op.type for g in (graph, *graph.functions.values()) for op in g.get_operations()}
    lists = kinds & set(ELSEWHERE) | {"TensorListPushBack"}
    assert {"StatelessWhile", "StatelessIf", "EmptyTensorList", "TensorListPushBack", "TensorListPopBack"} <= lists
    for op_type in lists:
        gc.train.write_graph(graph, str(tmp_path), f"{op_type}-loop.pb", as_text=False)
    assert {"Const", "Relu", "MatMul", "_SumTo"} <= written
    assert json.loads(in_a_new_process(LOAD, str(tmp_path))) == {}
