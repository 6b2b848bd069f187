"""Ops that the matrix leaves out, each with the reason; and what its oracle has to know of some ops."""
from __future__ import annotations

from samples import OF_SESSIONS

# An entry that is not registered, or that has samples (and no `anyway`), fails a test.
EXCLUDED = {
    "Placeholder": "what every program is fed by",
    "PlaceholderWithDefault": "a Placeholder that need not be fed: tests/session",
    "VariableV2": "is an operand in front='variable', and what updates.py writes",
    "IsVariableInitialized": "has a bool that depends on the session's past, not on operands: tests/session",
    "StatelessWhile": "is the context 'loop'",
    "While": "is the context 'loop' around ops that write or draw numbers",
    "StatelessIf": "is the context 'branch'",
    "If": "is the context 'branch' around ops that write or draw numbers",
    "EmptyTensorList": "is made by every gradient of a loop",
    "TensorListPushBack": "is made by every gradient of a loop",
    "TensorListPopBack": "is made by every gradient of a loop",
    "TensorListLength": "is made by every gradient of a loop",
    **{op: f"is about what lives in a run or a session: {where}" for op, where in OF_SESSIONS.items()},
    **dict.fromkeys(("ReadFile", "WriteFile", "MatchingFiles"),
                    "depends on files: tests/session/test_files_in_graphs.py"),
    **dict.fromkeys(("SaveV2", "RestoreV2", "MergeV2Checkpoints"), "depends on files: tests/train/test_saver.py"),
    "PyFunc": "is what front='python' is made of",
    "Print": "writes to stderr and returns its operand: tests/session",
    "Assert": "has no results: tests/session",
    "PrintV2": "has no results: tests/session",
    "NoOp": "has no operands and no results",
    "ControlTrigger": "has no operands and no results",
}

# Of these ops only the first result has a gradient, as in TensorFlow.
FIRST_RESULT_ONLY = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
# The rank of their results depends on sizes, which must be known while building.
RANK_BY_SIZE = {"Squeeze", "GatherNd"}
# The length of index tuples follows from the ranks of the others, or the sizes are numbers in operands: other sizes of
# operands are none of these ops.
SIZES_FIXED = {"_GatherNdLike", "_StringsAt", "SparseReshape", "SparseFillEmptyRowsGrad"}
# Sizes of their results follow from numbers in operands, which are not known of a loop variable; they stay from run to
# run.
SIZES_BY_VALUE = {"SparseTensorDenseMatMul", "SparseFillEmptyRows", "SparseAdd"}

# Operands that are fields and are never fed: which axes an op works on is part of a Plan, as ranks are, and so is the
# algorithm by which it draws.
FIELDS_KNOWN = {"alg", "axis", "concat_dim", "dim", "dimension", "split_dim", "perm", "reduction_axes",
                "reduction_indices"}
# Ops of which no field is fed: which diagonals they work on is part of a Plan, too, and so are the windows of poolings.
OPS_OF_KNOWN_FIELDS = {"MatrixDiagV2", "MatrixDiagPartV2", "MatrixSetDiagV2", "MatrixDiagV3", "MatrixDiagPartV3",
                       "MatrixSetDiagV3", "MaxPoolV2", "MaxPoolGradV2", "MaxPoolGradGradV2"}
