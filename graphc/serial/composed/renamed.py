"""Nodes whose op another one is, under another name: the first versions of ops, which files of TensorFlow 0.x and 1.0
have, and forms that TensorFlow makes of an op for itself."""
from __future__ import annotations

from graphc.serial.graph_pb2 import GraphDef, NodeDef

_QUEUES = ("FIFOQueue", "PaddingFIFOQueue", "RandomShuffleQueue", "PriorityQueue", "QueueClose", "QueueDequeue",
           "QueueDequeueMany", "QueueDequeueUpTo", "QueueEnqueue", "QueueEnqueueMany", "QueueIsClosed", "QueueSize")
_READERS = ("FixedLengthRecordReader", "IdentityReader", "TFRecordReader", "TextLineReader", "WholeFileReader",
            "ReaderNumRecordsProduced", "ReaderNumWorkUnitsCompleted", "ReaderRead", "ReaderReadUpTo", "ReaderReset",
            "ReaderRestoreState", "ReaderSerializeState")
_BATCHED = {"BatchCholesky": "Cholesky", "BatchMatrixBandPart": "MatrixBandPart",
            "BatchMatrixDeterminant": "MatrixDeterminant", "BatchMatrixDiag": "MatrixDiag",
            "BatchMatrixDiagPart": "MatrixDiagPart", "BatchMatrixInverse": "MatrixInverse",
            "BatchMatrixSetDiag": "MatrixSetDiag", "BatchMatrixSolve": "MatrixSolve",
            "BatchMatrixSolveLs": "MatrixSolveLs", "BatchMatrixTriangularSolve": "MatrixTriangularSolve",
            "BatchSelfAdjointEigV2": "SelfAdjointEigV2", "BatchSvd": "Svd", "BatchFFT": "FFT", "BatchFFT2D": "FFT2D",
            "BatchFFT3D": "FFT3D", "BatchIFFT": "IFFT", "BatchIFFT2D": "IFFT2D", "BatchIFFT3D": "IFFT3D"}
RENAMED: dict[str, str] = {
    **{name: f"{name}V2" for name in (*_QUEUES, *_READERS)}, **_BATCHED, "Variable": "VariableV2",
    "PlaceholderV2": "Placeholder", "_If": "If", "_While": "While"}


def with_known_names(graph_def: GraphDef) -> GraphDef:
    """A copy in which those nodes have the other op; the graph itself if it has none."""
    if not any(node.op in RENAMED for nodes in _lists_of(graph_def) for node in nodes):
        return graph_def
    made = GraphDef()
    made.CopyFrom(graph_def)
    for nodes in _lists_of(made):
        for node in nodes:
            if node.op in RENAMED:
                _rename(node)
    return made


def _lists_of(graph_def: GraphDef) -> list[list[NodeDef]]:
    return [list(graph_def.node), *(list(f.node_def) for f in graph_def.library.function)]


def _rename(node: NodeDef) -> None:
    if node.op == "Variable" and not node.attr["shape"].shape.dim:
        node.attr["shape"].shape.unknown_rank = True        # it could not tell a scalar from what is not known
    node.op = RENAMED[node.op]
