"""What the sample-driven tests share: arrays of a sample, a graph made of it, comparisons.

A sample (graphc/ir/op.py: Sample) is one use of an op; `cases()` lists every op with every sample.
"""
from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc
from graphc.ir.dtypes import DType, as_dtype, float32, float64
from graphc.ir.graph import Graph
from graphc.ir.op import OPS, Op, Sample
from graphc.ir.spec import Spec
from graphc.ir.tensor import Tensor

# Ops about what lives in a run or a session, and where they are tested.
OF_SESSIONS = {
    **dict.fromkeys((
        "TensorListReserve", "TensorListResize", "TensorListSetItem", "TensorListGetItem", "TensorListStack",
        "_TensorListRows", "TensorListFromTensor", "TensorListGather", "TensorListScatterIntoExistingList",
        "_TensorListScatterSum", "_TensorListErase", "_TensorListAdd", "TensorListConcatV2", "TensorListSplit",
    ), "tests/ops/control/test_tensor_array.py"),
    **dict.fromkeys((
        "FIFOQueueV2", "PaddingFIFOQueueV2", "RandomShuffleQueueV2", "PriorityQueueV2", "QueueEnqueueV2",
        "QueueEnqueueManyV2", "QueueDequeueV2", "QueueDequeueManyV2", "QueueDequeueUpToV2", "QueueCloseV2",
        "QueueSizeV2", "QueueIsClosedV2", "_EndOfData",
        "ConditionalAccumulator", "ResourceConditionalAccumulator", "SparseConditionalAccumulator",
        "AccumulatorApplyGradient", "ResourceAccumulatorApplyGradient", "SparseAccumulatorApplyGradient",
        "AccumulatorTakeGradient", "ResourceAccumulatorTakeGradient", "SparseAccumulatorTakeGradient",
        "AccumulatorNumAccumulated", "ResourceAccumulatorNumAccumulated", "AccumulatorSetGlobalStep",
        "ResourceAccumulatorSetGlobalStep", "_AccumulatorClaim",
        "Barrier", "BarrierInsertMany", "BarrierTakeMany", "BarrierClose", "BarrierReadySize", "BarrierIncompleteSize",
    ), "tests/session/test_queues.py"),
    **dict.fromkeys((
        "IteratorV2", "OneShotIterator", "IteratorFromStringHandleV2", "MakeIterator", "IteratorGetNext",
        "IteratorToStringHandle",
    ), "tests/data/test_iterators.py"),
    **dict.fromkeys((
        "TextLineReaderV2", "WholeFileReaderV2", "TFRecordReaderV2", "FixedLengthRecordReaderV2", "IdentityReaderV2",
        "ReaderReadV2", "ReaderReadUpToV2", "ReaderNumRecordsProducedV2", "ReaderNumWorkUnitsCompletedV2",
        "ReaderResetV2", "ReaderSerializeStateV2", "ReaderRestoreStateV2",
    ), "tests/session/test_readers.py"),
    **dict.fromkeys((
        "HashTableV2", "MutableHashTableV2", "MutableHashTableOfTensorsV2", "MutableDenseHashTableV2",
        "LookupTableFindV2", "LookupTableInsertV2", "LookupTableImportV2", "InitializeTableV2",
        "InitializeTableFromTextFileV2", "LookupTableRemoveV2", "LookupTableSizeV2", "LookupTableExportV2",
        "HashTable", "MutableHashTable", "MutableHashTableOfTensors", "MutableDenseHashTable", "LookupTableFind",
        "LookupTableInsert", "LookupTableImport", "InitializeTable", "InitializeTableFromTextFile", "LookupTableSize",
        "LookupTableExport",
    ), "tests/session/test_tables.py"),
}
# Ops that a lone op on arrays cannot test, and where they are tested instead.
ELSEWHERE = {
    "Placeholder": "fed in every test here",
    "PlaceholderWithDefault": "tests/session",
    "StatelessWhile": "tests/session: loops", "While": "tests/session: loops",
    "StatelessIf": "tests/session: branches", "If": "tests/session: branches",
    "EmptyTensorList": "tests/session: gradients of loops", "TensorListPushBack": "tests/session: gradients of loops",
    "TensorListPopBack": "tests/session: gradients of loops", "TensorListLength": "tests/session: gradients of loops",
    **OF_SESSIONS,
    "ReadFile": "tests/session/test_files_in_graphs.py", "WriteFile": "tests/session/test_files_in_graphs.py",
    "MatchingFiles": "tests/session/test_files_in_graphs.py",
    "SaveV2": "tests/train/test_saver.py", "RestoreV2": "tests/train/test_saver.py",
    "MergeV2Checkpoints": "tests/train/test_saver.py",
    "Save": "tests/train/test_saver.py", "SaveSlices": "tests/train/test_saver.py",
    "PyFunc": "tests/session: Python in the graph", "Print": "tests/session: Python in the graph",
    "Assert": "tests/session: Python in the graph",
    "PrintV2": "tests/session/test_print.py: it has no results",
    "VariableV2": "tests/session: variables", "IsVariableInitialized": "tests/session: variables",
}


def registered() -> list[str]:
    """The types of all ops that are part of a user's graph, in alphabetic order."""
    # The first public name that is used registers them: nothing else here may do it for it (test_registration.py).
    assert graphc.matmul
    return sorted(name for name, op in OPS.items() if op.__module__.startswith("graphc.ops."))


def arrays(op: type[Op], sample: Sample, double: bool = False, seed: int = 0) -> list[np.ndarray]:
    """The arrays of a sample's operands. double: floating point ones in float64. seed: other numbers."""
    generator = np.random.default_rng(zlib.crc32(op.type.encode()) + seed)
    made = []
    for i, given in enumerate(sample.inputs):
        if isinstance(given, (np.ndarray, np.generic)):
            array = np.asarray(given)
        else:
            dtype = sample.dtypes[i] if i < len(sample.dtypes) and sample.dtypes[i] is not None else float32
            array = _random(generator, tuple(given), dtype, sample.low, sample.high)
        if double and array.dtype == np.float32:
            array = array.astype(np.float64)
        made.append(array)
    return made


def _random(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: DType, low: float, high: float
) -> np.ndarray:
    if dtype.is_complex:
        parts = generator.uniform(low, high, (2, *shape))
        return np.asarray(parts[0] + 1j * parts[1]).astype(dtype.numpy)
    if dtype.is_bool:
        return generator.integers(0, 2, shape).astype(np.bool_)
    if dtype.is_integer:
        return generator.integers(int(max(low, dtype.min)), int(max(high, low + 2)), shape).astype(dtype.numpy)
    return np.asarray(generator.uniform(low, high, shape)).astype(dtype.numpy)


def definition(op: type[Op], sample: Sample, double: bool = False) -> Op:
    """The op with the sample's fields. double: attributes that are float32 become float64."""
    fields = dict(sample.attributes)
    if double:
        fields = {k: _doubled(v) for k, v in fields.items()}
    return op(**fields)


def _doubled(value: Any) -> Any:
    if isinstance(value, tuple) and any(isinstance(v, DType) for v in value):
        return tuple(map(_doubled, value))
    return float64 if isinstance(value, DType) and value == float32 else value


def specs(made: Sequence[np.ndarray]) -> list[Spec]:
    return [Spec(as_dtype(a.dtype), a.shape) for a in made]


@dataclasses.dataclass(frozen=True)
class Built:
    """A graph of one op: its placeholders and results."""

    graph: Graph
    inputs: list[Tensor]
    outputs: list[Tensor]
    operation: Any


def build(op: type[Op], sample: Sample, values: Sequence[np.ndarray], double: bool = False, dynamic: bool = False,
          name: str | None = None) -> Built:
    """The op in a graph of its own, on placeholders. dynamic: no size of theirs is known while building."""
    from graphc.api.array.source import placeholder
    from graphc.ir.apply import apply

    graph = Graph()
    with graph.as_default():
        inputs = [placeholder(as_dtype(v.dtype), [None] * v.ndim if dynamic else v.shape, name=f"in_{i}")
                  for i, v in enumerate(values)]
        fields = {f.name: getattr(definition(op, sample, double), f.name) for f in dataclasses.fields(op)}
        found = apply(op, *grouped(op, inputs), name=name, **fields)
        operation = (found[0] if isinstance(found, (tuple, list)) else found)
        operation = operation.op if isinstance(operation, Tensor) else operation
    return Built(graph, inputs, list(operation.outputs), operation)


def grouped(op: type[Op], tensors: Sequence[Any]) -> list[Any]:
    """The tensors by operand that is no field: a list for the variadic one."""
    names = [n for n in op.operands if n.rstrip("*") not in op.field_operands()]
    many = len(tensors) - sum(not n.endswith("*") for n in names)
    grouped, position = [], 0
    for name in names:
        if name.endswith("*"):
            grouped.append(list(tensors[position:position + many]))
            position += many
        else:
            grouped.append(tensors[position])
            position += 1
    return grouped


def difference(found: Any, expected: Any, tolerance: float) -> str | None:
    """What differs, in words; None if nothing does. tolerance is relative, to the largest expected value."""
    found, expected = (np.asarray(x, object if isinstance(x, bytes) else None) for x in (found, expected))
    if found.shape != expected.shape:
        return f"shape {found.shape} instead of {expected.shape}"
    if found.dtype != expected.dtype:
        return f"dtype {found.dtype} instead of {expected.dtype}"
    if found.dtype.name == "bfloat16":
        found, expected = found.astype(np.float32), expected.astype(np.float32)
    if found.dtype.kind == "c":
        return difference(found.real, expected.real, _shared(tolerance, expected.real, expected)) or difference(
            found.imag, expected.imag, _shared(tolerance, expected.imag, expected))
    if found.dtype.kind != "f":
        return None if np.array_equal(found, expected) else f"{_first(found != expected, found, expected)}"
    with np.errstate(all="ignore"):
        finite = np.isfinite(expected)
        size = max(float(np.abs(expected[finite]).max(initial=0.0)), 1e-3)
        wrong = np.where(finite, np.abs(found - expected) > tolerance * size,
                         (found != expected) & ~(np.isnan(found) & np.isnan(expected)))
        wrong |= finite & ~np.isfinite(found)
    return _first(wrong, found, expected) if wrong.any() else None


def _shared(tolerance: float, part: np.ndarray, whole: np.ndarray) -> float:
    """The tolerance for a part of complex numbers that is `tolerance` of the largest number."""
    with np.errstate(all="ignore"):
        sizes = [float(np.abs(x[np.isfinite(x)]).max(initial=0.0)) for x in (part, whole)]
    return tolerance * max(sizes[1], 1e-3) / max(sizes[0], 1e-3)


def _first(wrong: np.ndarray, found: np.ndarray, expected: np.ndarray) -> str:
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {wrong.size} elements, first at {at}: {found[at]!r} instead of {expected[at]!r}"


def each_sample(op_type: str, check: Callable[[type[Op], Sample], str | None]) -> None:
    """Runs check on every sample of the op and fails with a list of what it said (None: fine)."""
    problems = []
    for i, sample in enumerate(OPS[op_type].samples):
        try:
            problem = check(OPS[op_type], sample)
        except Exception as error:    # every sample is tried, then all problems are shown
            problem = f"{type(error).__name__}: {error}"
        if problem is not None:
            shapes = [x.shape if isinstance(x, np.ndarray) else x for x in sample.inputs]
            problems.append(
                f"sample {i} {sample.attributes} {shapes} {[d and d.name for d in sample.dtypes]}: {problem}"
            )
    assert not problems, f"{op_type}: {len(problems)} of {len(OPS[op_type].samples)} samples\n" + "\n".join(
        problems[:8]
    )
