"""Ops that test_parity.py's cases cannot test, and where they are compared with TensorFlow, or with what else."""
from __future__ import annotations

_LOOPS = "saved loops and branches, in TensorFlow: tests/serial/test_loops_in_tensorflow.py"
_KEPT = "what loops keep for their gradients, in TensorFlow: tests/serial/test_loops_in_tensorflow.py"
_LISTS = "random programs on tensor arrays, in TensorFlow: tests/peers/test_lists.py"
_QUEUES = "TensorFlow's rules, written down in Python: tests/session/test_queues.py"
_ACCUMULATORS = "what TensorFlow answers, written down: tests/session/test_accumulators.py"
_BARRIERS = "what TensorFlow answers, written down: tests/session/test_barriers.py"
_RANDOM = "by its distribution: tests/peers/test_random.py"
_TABLES = "TensorFlow's rules, written down in Python: tests/session/test_tables.py"
_WINDOWS = "its windows are drawn: tests/ops/nn/test_fractional_pool.py; the op of its gradient is above"
_FILES = "writes and reads files: tests/session/test_files_in_graphs.py"
_BYTES = "TensorFlow reads what graphc wrote: tests/peers/test_encoded.py"
_READERS = "what TensorFlow answers, written down: tests/session/test_readers.py"
_SUMMARIES = "its bytes, or its pixels, written down: tests/summary/test_summaries.py"
_ITERATORS = "TensorFlow's elements, written down: tests/data/test_datasets.py"
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
    "IteratorV2 OneShotIterator IteratorFromStringHandleV2 MakeIterator IteratorGetNext IteratorToStringHandle":
        _ITERATORS,
    "RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal RandomShuffle RandomGamma RandomPoissonV2 "
    "Multinomial LogUniformCandidateSampler UniformCandidateSampler FixedUnigramCandidateSampler": _RANDOM,
    "HashTable HashTableV2 MutableHashTable MutableHashTableV2 MutableHashTableOfTensors MutableHashTableOfTensorsV2 "
    "MutableDenseHashTable MutableDenseHashTableV2 InitializeTable InitializeTableV2 InitializeTableFromTextFile "
    "InitializeTableFromTextFileV2 LookupTableFind LookupTableFindV2 LookupTableInsert LookupTableInsertV2 "
    "LookupTableImport LookupTableImportV2 LookupTableExport LookupTableExportV2 LookupTableRemoveV2 LookupTableSize "
    "LookupTableSizeV2": _TABLES,
    "ReadFile WriteFile MatchingFiles": _FILES,
    "SaveV2 RestoreV2 MergeV2Checkpoints": "tests/peers/test_checkpoints_of_both.py",
    "Save SaveSlices": "write a file: tests/train/test_saver.py",
    "TextLineReaderV2 WholeFileReaderV2 TFRecordReaderV2 FixedLengthRecordReaderV2 IdentityReaderV2 ReaderReadV2 "
    "ReaderReadUpToV2 ReaderNumRecordsProducedV2 ReaderNumWorkUnitsCompletedV2 ReaderResetV2 ReaderSerializeStateV2 "
    "ReaderRestoreStateV2": _READERS,
    "ScalarSummary HistogramSummary ImageSummary AudioSummaryV2 TensorSummaryV2 MergeSummary": _SUMMARIES,
    "EncodePng EncodeJpeg EncodeJpegVariableQuality": _BYTES,
    "FractionalAvgPool FractionalMaxPool": _WINDOWS,
    "ParameterizedTruncatedNormal": "by its distribution: tests/ops/random/test_truncated_normal.py",
    "PyFunc": "its function is Python's: tests/session/test_host_steps.py",
    "Print": "writes to standard error: tests/session/test_host_steps.py",
    "Assert": "has no result: tests/session/test_asserts.py",
    "PrintV2": "has no result: tests/session/test_print.py",
    "IsVariableInitialized": "before and after a run assigns it: tests/session/test_session.py",
    "GatherTree": "not in TensorFlow 2; 1.15's rules, written down in Python: tests/seq2seq/test_gather_tree.py",
    "NoOp": "has no result",
}
ELSEWHERE = {op_type: how for ops, how in _HOW.items() for op_type in ops.split()}

# Ops of which TensorFlow's CPU kernels compute nothing that graphc does, and what proves them.
NOWHERE = {
    "MaxPoolGradGradWithArgmax": "TensorFlow has it on GPUs only; finite differences, tests/ops/test_all_ops.py",
}
