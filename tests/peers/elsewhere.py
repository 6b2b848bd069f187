"""Ops that test_parity.py's cases cannot test, and where they are compared with TensorFlow, or with what else."""
from __future__ import annotations

_LOOPS = "saved loops and branches, in TensorFlow: tests/serial/test_loops_in_tensorflow.py"
_KEPT = "what loops keep for their gradients, in TensorFlow: tests/serial/test_loops_in_tensorflow.py"
_LISTS = "random programs on tensor arrays, in TensorFlow: tests/peers/test_lists.py"
_QUEUES = "TensorFlow's rules, written down in Python: tests/session/test_queues.py"
_ACCUMULATORS = "what TensorFlow answers, written down: tests/session/test_accumulators.py"
_BARRIERS = "what TensorFlow answers, written down: tests/session/test_barriers.py"
_RANDOM = "by its distribution: tests/peers/test_random.py"
_PART = "part of other ops' cases"

_HOW = {
    "Placeholder PlaceholderWithDefault VariableV2": _PART,
    "StatelessWhile While StatelessIf If": _LOOPS,
    "EmptyTensorList TensorListPushBack TensorListPopBack TensorListLength": _KEPT,
    "TensorListReserve TensorListResize TensorListSetItem TensorListGetItem TensorListStack TensorListFromTensor "
    "TensorListGather TensorListScatterIntoExistingList TensorListConcatV2 TensorListSplit": _LISTS,
    "FIFOQueueV2 PaddingFIFOQueueV2 RandomShuffleQueueV2 PriorityQueueV2 QueueEnqueueV2 QueueEnqueueManyV2 "
    "QueueDequeueV2 QueueDequeueManyV2 QueueDequeueUpToV2 QueueCloseV2 QueueSizeV2 QueueIsClosedV2": _QUEUES,
    "ConditionalAccumulator ResourceConditionalAccumulator SparseConditionalAccumulator AccumulatorApplyGradient "
    "ResourceAccumulatorApplyGradient SparseAccumulatorApplyGradient AccumulatorTakeGradient "
    "ResourceAccumulatorTakeGradient SparseAccumulatorTakeGradient AccumulatorNumAccumulated "
    "ResourceAccumulatorNumAccumulated AccumulatorSetGlobalStep ResourceAccumulatorSetGlobalStep": _ACCUMULATORS,
    "Barrier BarrierInsertMany BarrierTakeMany BarrierClose BarrierReadySize BarrierIncompleteSize": _BARRIERS,
    "RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal RandomShuffle RandomGamma RandomPoissonV2 "
    "Multinomial LogUniformCandidateSampler UniformCandidateSampler FixedUnigramCandidateSampler": _RANDOM,
    "PyFunc": "its function is Python's: tests/session/test_host_steps.py",
    "Print": "writes to standard error: tests/session/test_host_steps.py",
    "Assert": "has no result: tests/session/test_asserts.py",
    "IsVariableInitialized": "before and after a run assigns it: tests/session/test_session.py",
    "NoOp": "has no result",
}
ELSEWHERE = {op_type: how for ops, how in _HOW.items() for op_type in ops.split()}

# Ops of which TensorFlow's CPU kernels compute nothing that graphc does, and what proves them.
NOWHERE = {
    "MaxPoolGradGradWithArgmax": "TensorFlow has it on GPUs only; finite differences, tests/ops/test_all_ops.py",
}
