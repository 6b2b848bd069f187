"""The tester finds faults: with an op, a pass or a kernel broken on purpose it finds the fault and shrinks it."""
from __future__ import annotations

import contextlib
import dataclasses
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), *(str(ROOT / "tests" / f) for f in ("ops", "plan", "runner"))]

import graphc as gc
from graphc.ir.node import make_node
from graphc.ir.op import OPS
from graphc.passes.pipeline import PIPELINE
from graphc.passes.shared.rewriter import rewrite
from graphc.plan import compile as compiling

import executors
import limits
from compare import check, computed_types
from finding import Finding, found
from generate import generate, without_refused
from interpret import Unfit
from operands import add_op, usable
from programs import Apply, Call, Cond, Gradients, Input, Program, While, build, everywhere
from samples import registered
from scopes import Knobs, Maker, Scope

SEEDS = range(7000, 8000)
SMALL = Knobs(operations=10)


# Smooth ops only, so that most programs have gradients that can be compared.
SMOOTH = Knobs(operations=8, control=False, functions=False, writes=False, unknown_sizes=False, without=frozenset(
    t for t in registered() if t not in ("Tanh", "Mul", "AddV2", "Sum", "Sigmoid", "MatMul", "Transpose")))


def first_found(signature: str, needs: Callable[[Any], bool], wanted: str = "plain", knobs: Knobs = SMALL) -> Finding:
    """The first finding of this signature in a program that holds what was broken, shrunken."""
    for seed in SEEDS:
        program = generate(seed, knobs)
        if not any(needs(s) for s in everywhere(program.statements)):
            continue
        problem = next((p for p in check(program, {wanted}).problems if p.signature == signature), None)
        if problem is not None:
            finding = found(seed, program, problem, 30.0)
            if any(needs(s) for s in everywhere(finding.program.statements)):
                return finding
    raise AssertionError(f"no {signature} in {SEEDS}")


def is_small(finding: Finding) -> None:
    work = [s for s in everywhere(finding.program.statements) if not isinstance(s, Input)]
    assert len(work) <= 3 and len(finding.program.schedule) == 1 and len(finding.program.fetches) == 1, finding.script()


def uses(*types: str) -> Callable[[Any], bool]:
    return lambda s: isinstance(s, Apply) and s.op in types


def test_finds_a_wrong_scalar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS["Maximum"], "scalar", lambda self, s, x, y: x)
    finding = first_found("plain: values:", uses("Maximum"))
    is_small(finding)
    monkeypatch.undo()
    assert not check(finding.program, {"plain"}).problems, "the program is right without the fault"


def test_finds_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(node: Any) -> Any:
        if node.op.type == "Sub":
            return make_node(OPS["AddV2"](), node.inputs, node.origins)
        return None

    wrong = (("wrong", lambda flow: rewrite(flow, [rule])), *PIPELINE)
    monkeypatch.setattr(compiling, "PIPELINE", wrong)
    finding = first_found("plain: values:", uses("Sub"))
    is_small(finding)
    monkeypatch.undo()
    assert not check(finding.program, {"plain"}).problems, "the program is right without the fault"


def test_finds_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluator follows the graph, wrong gradients included: differences find them."""
    tanh_grad = OPS["Tanh"].grad
    monkeypatch.setattr(OPS["Tanh"], "grad", lambda self, g, node, dy: [2.0 * tanh_grad(self, g, node, dy)[0]])
    finding = first_found("differences: values:", lambda s: isinstance(s, Gradients), "differences", SMOOTH)
    assert any(uses("Tanh")(s) for s in everywhere(finding.program.statements)), finding.script()


def test_finds_a_wrong_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other bits with two threads; one bit of one element is enough."""
    def off(*arguments: Any, **more: Any) -> Any:
        runs = plain(*arguments, **more)
        for values in runs:
            for v in values if isinstance(values, list) else ():
                if v is not None and v.dtype.kind == "f" and v.size > 1:
                    v.flat[-1] = np.nextafter(v.flat[-1], np.inf)
        return runs

    plain = executors.two_threads
    monkeypatch.setattr(executors, "two_threads", off)
    is_small(first_found("two_threads: bits", lambda s: True, "two_threads"))


def test_a_crash_is_a_finding(tmp_path: Path) -> None:
    from graph_run import Fuzzing

    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho '{\"begin\": 3000001}'\nkill -SEGV $$\n")
    broken.chmod(0o755)
    fuzzing = Fuzzing(60.0, 3, tmp_path, str(broken))
    assert fuzzing._child(3000000, 5) == 3000001
    assert dict(fuzzing.totals.found) == {"crash: signal 11": 1} and fuzzing.totals.first["crash: signal 11"] == 3000001


def test_seeds_repeat() -> None:
    from printing import script

    for seed in range(8):
        assert script(generate(seed)) == script(generate(seed))


def test_scripts_run() -> None:
    """A printed program stands alone, and fetches what the program does."""
    import graphc as gc

    from printing import script

    done = 0
    for seed in range(14):
        program = generate(seed)
        if check(program, {"plain"}).problems:
            continue
        program = dataclasses.replace(program, schedule=(0,))
        with gc.Graph().as_default():
            exec(compile(script(program).replace("print(", "id("), "script", "exec"), {})
        done += 1
    assert done > 5


def test_kinds_of_statements_occur() -> None:
    found = {type(s) for seed in range(60) for s in everywhere(generate(seed).statements)}
    assert {Apply, Call, Cond, Gradients, Input, While} <= found


def test_every_op_is_added_and_builds() -> None:
    """Gradients' own ops, too; a few times each, with what was made before at hand. As many names as results."""
    missing = []
    for op_type in usable():
        scope = Scope(Maker(random.Random(f"of {op_type}"), Knobs()))
        for _ in range(4):
            with contextlib.suppress(Unfit):
                add_op(scope, OPS[op_type])
        made = without_refused(Program((*scope.maker.inputs, *scope.statements), (), (0,)), Counter())
        build(made)
        if not any(uses(op_type)(s) for s in made.statements):
            missing.append(op_type)
    assert not missing


def test_what_only_gives_its_shape_is_not_computed() -> None:
    with gc.Graph().as_default() as graph:
        rows = gc.gather(gc.constant([1.0]), gc.placeholder(gc.int32, [1]))
        like, other = gc.zeros_like(gc.sqrt(rows)), gc.ones([2])
        apart = computed_types(graph, [like, other])
        said = f"Invalid: {rows.op.type}: InvalidArgumentError: index 4 is not in [0, 1)"
        assert limits.is_not_looked_at(said, apart)
        assert not limits.is_not_looked_at(said, computed_types(graph, [like, rows]))
        assert not limits.is_not_looked_at(f"Invalid: {rows.op.type}: shapes do not fit", apart)


def test_a_loop_begins_with_what_its_wanted_results_need() -> None:
    with gc.Graph().as_default() as graph:
        row, root = gc.gather_nd(gc.ones([2]), [[5]]), gc.sqrt(gc.ones([1]))
        number, rows, roots, sums = gc.while_loop(
            lambda i, x, y, z: i < 3, lambda i, x, y, z: (i + 1, x, y + 1.0, z + x), [0, row, root, root])
        said = "Invalid: GatherNd: InvalidArgumentError: indices do not index into shape (2,)"
        for fetches, computed in (([number], False), ([roots], False), ([number, rows], True), ([sums], True)):
            assert limits.is_not_looked_at(said, computed_types(graph, fetches)) is not computed
        assert "Sqrt" not in computed_types(graph, [number]) and "Sqrt" in computed_types(graph, [roots])
