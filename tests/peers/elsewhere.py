"""Ops that test_parity.py's cases cannot test, and where they are compared with TensorFlow, or with what else."""

from __future__ import annotations

_LOOPS = "saved loops and branches in TensorFlow: tests/serial/test_loops_in_tensorflow.py"
_LISTS = "tensor arrays in loops, saved and run in TensorFlow: tests/peers/test_lists.py"
_QUEUES = "TensorFlow's rules written down in Python: tests/session/test_queues.py"
_RANDOM = "by its distribution: tests/peers/test_random.py"

# Ops of which TensorFlow's CPU kernels compute nothing that graphc does, and what proves them.
NOWHERE: dict[str, str] = {
    "MaxPoolGradGradWithArgmax": "TensorFlow has it on GPUs only: finite differences, tests/ops/test_all_ops.py",
}
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("Placeholder", "PlaceholderWithDefault", "VariableV2"), "part of other ops' cases"),
    **dict.fromkeys(("StatelessWhile", "While", "StatelessIf", "If"), _LOOPS),
    **dict.fromkeys(
        (
            "EmptyTensorList",
            "TensorListPushBack",
            "TensorListPopBack",
            "TensorListLength",
            "TensorListReserve",
            "TensorListResize",
            "TensorListSetItem",
            "TensorListGetItem",
            "TensorListStack",
            "TensorListFromTensor",
            "TensorListGather",
            "TensorListScatterIntoExistingList",
            "TensorListConcatV2",
            "TensorListSplit",
        ),
        _LISTS,
    ),
    **dict.fromkeys(
        (
            "FIFOQueueV2",
            "PaddingFIFOQueueV2",
            "RandomShuffleQueueV2",
            "PriorityQueueV2",
            "QueueEnqueueV2",
            "QueueEnqueueManyV2",
            "QueueDequeueV2",
            "QueueDequeueManyV2",
            "QueueDequeueUpToV2",
            "QueueCloseV2",
            "QueueSizeV2",
            "QueueIsClosedV2",
        ),
        _QUEUES,
    ),
    **dict.fromkeys(
        (
            "RandomUniform",
            "RandomUniformInt",
            "RandomStandardNormal",
            "TruncatedNormal",
            "RandomShuffle",
            "RandomGamma",
            "RandomPoissonV2",
            "Multinomial",
            "LogUniformCandidateSampler",
            "UniformCandidateSampler",
            "FixedUnigramCandidateSampler",
        ),
        _RANDOM,
    ),
    "PyFunc": "its function is Python's: tests/session/test_host_steps.py",
    "Print": "writes to standard error: tests/session/test_host_steps.py",
    "Assert": "has no result: tests/session/test_asserts.py",
    "NoOp": "has no result",
    "IsVariableInitialized": "tests/session: variables",
}
