"""The conformance run: every case of the package onnx's own backend tests, by graphc. Writes docs/onnx.md.

    python tests/onnx/conformance/conformance.py [--write docs/onnx.md] [--only PATTERN] [--show] [--any-sizes]

The cases, their data and how results are compared are the package's (onnx.backend.test.BackendTest). A case counts as
passed only if the runner compared its outputs; nothing is skipped but what needs a GPU. The exit status is 1 if fewer
cases pass than did.
"""
from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
import time
import unittest
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnx.backend.test

import graphc as gc
from graphc.onnx.backend import GraphcBackend
from graphc.onnx.exporting import manifest  # noqa: F401  registers the rules
from graphc.onnx.exporting.rules import exported_types

# The fewest cases of each kind that must pass.
FEWEST = {"NodeModel": 1861, "RealModel": 9, "SimpleModel": 23, "PyTorchConvertedModel": 82, "PyTorchOperatorModel": 35}
# Random numbers are graphc's own: where these cases agree, it is by chance.
BY_CHANCE = re.compile("test_bernoulli|test_training_dropout(_default)?(_mask)?_cpu")
# Zeros stand there as what NumPy's float32 transform leaves of them, 1.9e-7; graphc leaves 3e-15: not near enough.
ROUNDING = re.compile("test_dft_inverse(_opset19)?_cpu")


@dataclass(frozen=True)
class Outcome:
    """A case: its kind (Node, Simple, ...), name, ops, and why it failed ("": it passed)."""

    kind: str
    name: str
    op: str
    reason: str


class _Result(unittest.TestResult):
    """Keeps the exception of each test."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, BaseException | None] = {}
        self.seconds: dict[str, float] = {}

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self.seconds[test.id()] = time.perf_counter()

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        self.seconds[test.id()] = time.perf_counter() - self.seconds[test.id()]

    def addSuccess(self, test: Any) -> None:
        self.reasons[test.id()] = None

    def addError(self, test: Any, err: Any) -> None:
        self.reasons[test.id()] = err[1]

    addFailure = addError


class AnySizes(GraphcBackend):
    """The backend for models of whose inputs no size is known before they run."""

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU", **kwargs: Any) -> Any:
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        for info in changed.graph.input:
            for i, size in enumerate(info.type.tensor_type.shape.dim):
                size.dim_param = f"{info.name}_{i}"
        return super().prepare(changed, device, **kwargs)


def run(only: str | None, backend: Any = GraphcBackend) -> tuple[list[Outcome], float]:
    """All cases, or those whose names match; and the seconds that it took."""
    tests = onnx.backend.test.BackendTest(backend, __name__)
    started = time.perf_counter()
    outcomes, result = [], _Result()
    for case_class in tests.test_cases.values():
        kind = case_class.__name__.removeprefix("OnnxBackend").removesuffix("Test")
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(case_class):
            name = test.id().rpartition(".")[2]
            if name.endswith("_cuda") or (only and not re.search(only, name)):
                continue
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                test.run(result)
            reason = reason_of(result.reasons[test.id()])
            if BY_CHANCE.match(name):
                reason = "random numbers are graphc's own"
            if reason and ROUNDING.fullmatch(name):
                reason = "zeros are expected as 1.9e-7, the rounding of NumPy's float32 transform; graphc has 3e-15"
            outcomes.append(Outcome(kind, name.removesuffix("_cpu"), op_of(tests, kind, name), reason))
            if result.seconds[test.id()] > 3:
                print(f"{name}: {result.seconds[test.id()]:.1f} s", file=sys.stderr)
    return outcomes, time.perf_counter() - started


def op_of(tests: Any, kind: str, name: str) -> str:
    """The op that a node case is about; of a case of a function's body the op of its plain case."""
    items = tests._test_items[kind]
    plain = re.sub(r"_expanded(_ver\d+)?(?=_cpu$)", "", name)
    item = items.get(plain, items[name])
    model = item.proto[0] or items[name].proto[0]
    if model is None:
        return "-"
    ops = {node.op_type for node in model.graph.node} - {"Constant"}
    return ops.pop() if len(ops) == 1 else "several"


def reason_of(error: BaseException | None) -> str:
    """One line that says why a case failed."""
    if error is None:
        return ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, AssertionError):
        telling = ("Mismatched", "Output", "(shapes", "ACTUAL")
        wrong = next((line for line in lines if line.startswith(telling)), lines[0])
        return f"another result: {wrong}"
    text = lines[0] if lines else type(error).__name__
    return re.sub(r"^node '[^']*' \((\w+)\) -> [^:]*: ", r"\1: ", text)


def table(outcomes: list[Outcome], any_sizes: list[Outcome]) -> str:
    """docs/onnx.md."""
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.kind.removesuffix("Model")].append(outcome)
    lines = ["# ONNX", "",
             "Made by `make onnx`: every case of the package onnx's own backend tests (onnx.backend.test), by graphc.",
             "", f"onnx {onnx.__version__}, graphc {gc.__version__}; {len(outcomes)} cases.", "",
             "| cases | passed | all | passed with no size known |", "|---|---|---|---|"]
    lines += [f"| {kind} | {passed(listed)} | {len(listed)} | {passed(_of_kind(any_sizes, kind))} |"
              for kind, listed in kinds.items()]
    lines += ["", "Where axes, or other things that must be known while a graph is built, are inputs of a case, the",
              "backend builds a graph for each value that is given (graphc/onnx/backend.py). With no size known:",
              "all sizes of all inputs, weights too, are symbols while the graph is built.", "", "## By op", "",
              "Cases of a function's body (`_expanded`) count with its op.", "",
              "| op | passed | all | why not the others |", "|---|---|---|---|"]
    by_op: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in kinds.get("Node", []):
        by_op[outcome.op].append(outcome)
    for op in sorted(by_op):
        reasons = sorted({outcome.reason.replace("|", "\\|")[:160] for outcome in by_op[op] if outcome.reason})
        lines.append(f"| {op} | {passed(by_op[op])} | {len(by_op[op])} | {'; '.join(reasons[:4])} |")
    lines += ["", "## What is exported", "",
              f"`gc.onnx.export` writes operator set 17. It has rules for these {len(exported_types())} of graphc's",
              "ops; one error lists all others that a graph has:", "", ", ".join(exported_types()) + ".", "",
              "## Cases that fail", "", "| case | why |", "|---|---|"]
    lines += [f"| {o.name} | {o.reason.replace('|', chr(92) + '|')[:200]} |" for o in outcomes if o.reason]
    return "\n".join(lines) + "\n"


def _of_kind(outcomes: list[Outcome], kind: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.kind.removesuffix("Model") == kind]


def passed(outcomes: list[Outcome]) -> int:
    return sum(not outcome.reason for outcome in outcomes)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--any-sizes", action="store_true", help="no size of an input is known before it runs")
    arguments = parser.parse_args()
    outcomes, seconds = run(arguments.only, AnySizes if arguments.any_sizes else GraphcBackend)
    if arguments.show:
        for outcome in outcomes:
            if outcome.reason:
                print(f"{outcome.kind} {outcome.name} [{outcome.op}]: {outcome.reason}")
    for kind in dict.fromkeys(o.kind for o in outcomes):
        listed = [o for o in outcomes if o.kind == kind]
        print(f"{kind}: {passed(listed)} of {len(listed)}")
    print(f"{seconds:.0f} s")
    if arguments.write:
        arguments.write.write_text(table(outcomes, run(arguments.only, AnySizes)[0]))
    counts = {kind: passed([o for o in outcomes if o.kind == kind]) for kind in FEWEST}
    fewer = {kind: count for kind, count in counts.items() if count < FEWEST[kind]}
    if arguments.only or arguments.any_sizes:
        return 0
    if fewer:
        print(f"fewer cases pass than did (FEWEST in {__file__}): {fewer}")
    return int(bool(fewer))


if __name__ == "__main__":
    sys.exit(main())
