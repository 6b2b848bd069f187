"""What graphc documents that it does not do, with the reason: no findings. Everything else is one."""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.op import OPS, Effect

from interpret import Example, Unfit
from programs import Apply, Block, BuildError, Input, Program, While, blocks, defined, everywhere, takes_variable, used

# The message of an error while building -> why it is no finding.
WHILE_BUILDING = {
    r"must be known while the graph is built": "an axis, or another field, known only at run time",
    r"Number of mask dimensions must be specified": "a mask of unknown rank, as in TensorFlow",
    r"GatherNd .*the last axis of indices": "a rank that depends on the size of a fed tensor",
    r"no gradient is defined|No gradient defined for operation": "an op without gradient",
    r"after one iteration. To allow the shape to vary": "a loop variable whose size the body makes unknown",
}
# The message of an error when a plan is made -> why it is no finding.
WHILE_COMPILING = {
    r"squeeze without axis would drop axis": "a rank that depends on the size of a fed tensor",
    r"has an unknown number of elements, so the rank": "a rank that depends on the size of a fed shape",
    r"must be known while the graph is built": "an axis, or another field, known only at run time",
    r"has rank \d+ and rank \d+ (in its two branches|after one iteration)": "a rank that depends on the run",
    r"GatherNd .*the last axis of indices": "a rank that depends on the size of a fed tensor",
    r"runs in Python only": "an op that Python computes, in C++",
    r"shapes of AccumulateNV2": "a shape that is said and does not hold, which TensorFlow does not notice",
}


def _races(update: Apply, program: Program) -> bool:
    """Whether something reads what the update writes, and nothing says which of the two comes first."""
    op = OPS[update.op]
    written = {i for n, i in enumerate(update.inputs) if op.refs and isinstance(i, str) and takes_variable(op, n)}
    return bool(written) and any(not set(getattr(s, "after", ())) & set(update.outputs) and used(s) & written
                                 for s in everywhere(program.statements) if s is not update)


def settle(statement: Apply, find: Callable[[str], list[np.ndarray]]) -> None:
    """Leaves out what has no answer to compare with. Raises Unfit if that is all of the op."""
    if statement.op == "Squeeze" and not statement.attributes["squeeze_dims"]:     # its rank would depend on sizes
        shapes = [a.shape for a in find(str(statement.inputs[0]))]
        ones = tuple(i for i, sizes in enumerate(zip(*shapes, strict=True)) if set(sizes) == {1})
        if not ones:
            raise Unfit("a squeeze without axis")
        statement.attributes["squeeze_dims"] = ones
    if statement.op.startswith("CTC") and any(np.isnan(a).any() for a in find(str(statement.inputs[0]))):
        raise Unfit("which path is likelier than NaN?")
    if "Apply" in statement.op and reads_what_it_writes(statement):
        raise Unfit("the order of steps inside of an update would matter")
    if "Conv" in statement.op and statement.attributes.get("padding") == "SAME" and any(
            not np.isfinite(a).all() for i in statement.inputs if isinstance(i, str) for a in find(i)):
        raise Unfit("is padding met? It is where its size depends on the run")


def while_compiling(message: str) -> str | None:
    return next((why for pattern, why in WHILE_COMPILING.items() if re.search(pattern, message)), None)


def is_not_looked_at(message: str, computed: set[str]) -> bool:
    """Whether an index out of range goes unnoticed because its op is not computed, see compare.computed_types."""
    found = re.search(r"Invalid: (\w+): .*(index -?\d+ is not in \[0, \d+\)|indices do not index into shape)", message)
    return found is not None and found[1] not in computed


def while_building(problem: BuildError) -> str | None:
    """Why the error is no finding; None if it is one."""
    return next((why for pattern, why in WHILE_BUILDING.items() if re.search(pattern, str(problem.error))), None)


def simplified(program: Program, culprit: Any) -> Program:
    """The program with literals for the culprit's run-time fields; without it if it has none."""
    values: dict[str, Any] = {}
    for statement in program.statements:
        try:
            Example(0).one(statement, values)
        except Unfit:
            break
    literal = _with_literals(culprit, values)
    return _exchanged(program, culprit, literal)


def _with_literals(culprit: Any, values: dict[str, Any]) -> Any:
    if isinstance(culprit, While) and any(culprit.invariants):     # first no size is known, then no rank
        loose = tuple(None if not i or set(i) == {None} else (None,) * len(i) for i in culprit.invariants)
        return dataclasses.replace(culprit, invariants=loose)
    if not isinstance(culprit, Apply):
        return None
    op = OPS[culprit.op]
    if op.is_variadic() or not any(isinstance(i, str) and n in op.field_operands()
                                   for n, i in zip(op.operands, culprit.inputs, strict=True)):
        return None
    inputs = tuple(np.asarray(values[i]) if isinstance(i, str) and n in op.field_operands() and i in values else i
                   for n, i in zip(op.operands, culprit.inputs, strict=True))
    if all(a is b for a, b in zip(inputs, culprit.inputs, strict=True)):
        return None
    return dataclasses.replace(culprit, inputs=inputs)


def _exchanged(program: Program, culprit: Any, other: Any) -> Program:
    """`other` in the culprit's place; None: the culprit goes, and all that needs it."""
    gone: set[str] = set()

    def change(statements: tuple[Any, ...]) -> tuple[Any, ...]:
        made = []
        for s in statements:
            if s is culprit:
                s = other
            elif blocks(s):
                names = {"test": None, "body": None, "then": None, "otherwise": None}
                parts = {n: Block(change(getattr(s, n).statements), getattr(s, n).results)
                         for n in names if hasattr(s, n)}
                s = dataclasses.replace(s, **parts)
            if s is None:
                gone.update(defined(culprit))
            elif used(s) & gone or any(r in gone for b in blocks(s) for r in b.results):
                gone.update(defined(s))
            else:
                made.append(s)
        return tuple(made)

    statements = change(program.statements)
    fetches = tuple(f for f in program.fetches if f not in gone)
    return dataclasses.replace(program, statements=statements, fetches=fetches)


# Ops whose reference is no better than their kernel (their samples say how good that is), so that nothing bounds the
# difference.
INEXACT = frozenset(("RandomGammaGrad",))
# Ops that TensorFlow does not have under these semantics: host functions of this process, streams of random numbers.
NOT_IN_TENSORFLOW = frozenset(("PyFunc", "Print", "Assert", *(o for o in OPS if OPS[o].effect is Effect.RANDOM)))
RESERVED = {"FusedBatchNormGrad": 3, "FusedBatchNormGradV2": 3, "FusedBatchNormGradV3": 3, "FusedBatchNormV3": 5}
DECOMPOSITIONS = frozenset(("SelfAdjointEigV2", "Svd"))
ENCODERS = frozenset(("EncodePng", "EncodeJpeg", "EncodeJpegVariableQuality", "ImageSummary"))
DECODERS = frozenset(("DecodeImage", "DecodeJpeg", "DecodeAndCropJpeg", "DecodePng", "DecodeGif"))
BATCH_NORMS = frozenset(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"))


def reads_what_it_writes(statement: Apply) -> bool:
    op = OPS[statement.op]
    written = {i for n, i in enumerate(statement.inputs) if op.refs and isinstance(i, str) and takes_variable(op, n)}
    return any(isinstance(i, str) and i in written for n, i in enumerate(statement.inputs) if not takes_variable(op, n))


def differs_in_tensorflow(program: Program, ops: set[str]) -> str | None:
    """Why TensorFlow's values are not compared."""
    if ops & NOT_IN_TENSORFLOW or any(o.startswith("_") for o in ops):
        return "has no such op"
    applied = [s for s in everywhere(program.statements) if isinstance(s, Apply)]
    if ops & DECOMPOSITIONS:
        return "signs of vectors are free, and without vectors it gives scalars for them"
    if any(s.op == "MaxPoolGrad" for s in applied):
        return "MaxPoolGrad finds the largest again, and not by orig_output"
    if "Round" in ops:
        return "Round of integers gives others: 0 for -1"
    if any(reads_what_it_writes(s) for s in applied):
        return "updates read variables that they have written already"
    if any(_races(s, program) for s in applied):
        return "reads race with updates that nothing orders"
    if any(s.op == "Cast" and s.attributes["DstT"].is_integer for s in applied):
        return "Rsqrt of 1 is less than 1, which Cast to an integer shows"
    reserved = {name for s in applied for name in s.outputs[RESERVED.get(s.op, len(s.outputs)):]}
    if reserved & set().union(program.fetches, *map(used, everywhere(program.statements))):
        return "the reserved results of batch norms have no elements, or one"
    inputs = [v for s in everywhere(program.statements) if isinstance(s, Input) for v in s.values]
    values = [v for v in inputs if v.dtype.kind == "f"]
    if not all(np.isfinite(v).all() for v in values):
        return "leaves open what NaN and infinity give in extremes, softmax and casts"
    if ops & DECODERS and any(b"\xff\xd8\xff" in bytes(b) for v in inputs if v.dtype == object for b in v.ravel()):
        return "decodes JPEGs by the fast method (docs/parity.md)"
    if ops & ENCODERS:
        return "a picture's bytes are its encoder's"
    if any(s.op.startswith("SparseApply") for s in applied):
        return "applies the gradients of a row that is named twice one after the other"
    if any(s.op.startswith("Conv3D") and s.attributes["padding"] == "SAME" and max(s.attributes["strides"]) > 1
           for s in applied):
        return "Conv3D pads one axis for the other where strides differ"
    if ops & {"FusedPadConv2D", "FusedResizeAndPadConv2D"}:
        return "its kernel is right for the first picture of a batch only"
    empty = any(not v.size for v in inputs)
    if empty and ops & {"Conv2D", "DepthwiseConv2dNative"}:
        return "convolutions of nothing have other shapes"
    return "batch norms of nothing give NaN" if empty and ops & BATCH_NORMS else None
