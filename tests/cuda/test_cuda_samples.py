"""Ops whose kernels the device has of its own, by all their samples (tests/ops/samples.py): the same results, or the
same error, as on the CPU."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype
from graphc.ir.op import Op, Sample

from samples import arrays, definition, difference, each_sample, grouped, registered

SAME_BITS = (
    "ArgMax", "ArgMin", "TopKV2", "NthElement", "InTopKV2", "GatherNd", "GatherV2", "ReverseSequence",
    "ScatterNd", "ScatterNdNonAliasingAdd", "TensorScatterUpdate", "InplaceAdd", "InplaceUpdate", "UnsortedSegmentSum",
    "UnsortedSegmentMax", "UnsortedSegmentProd", "Bincount", "LowerBound", "Bucketize", "_FirstEqual", "_SumEqual",
    "_CheckedIndices", "InvertPermutation", "FloorDiv", "FloorMod", "Pow", "TruncateDiv", "LRN", "Dilation2D",
    "Dilation2DBackpropInput", "Dilation2DBackpropFilter", "MaxPoolWithArgmax", "MaxPoolGradWithArgmax",
    "MaxPoolGradGradWithArgmax", "MaxPool3DGrad", "MaxPool3DGradGrad", "MaxPoolGradGrad", "StatelessRandomUniform",
    "StatelessRandomNormal", "StatelessTruncatedNormal", "StatelessRandomUniformInt", "StatelessMultinomial",
    "Multinomial", "CropAndResize", "CropAndResizeGradImage", "CropAndResizeGradBoxes",
    "CTCGreedyDecoder", "CombinedNonMaxSuppression", "NonMaxSuppressionV4", "NonMaxSuppressionV5",
    "NonMaxSuppressionWithOverlaps", "RandomGamma", "RandomGammaGrad", "RandomPoissonV2",
    "FractionalMaxPool", "FractionalAvgPool", "FractionalMaxPoolGrad", "FractionalAvgPoolGrad", "ExtractGlimpse",
    "DrawBoundingBoxes", "DrawBoundingBoxesV2", "ParameterizedTruncatedNormal")
CLOSE = (
    "Cumsum", "Cumprod", "DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter", "Conv3D", "Conv3DBackpropFilterV2", "Conv3DBackpropInputV2", "AvgPool3D",
    "Qr")


@pytest.mark.parametrize("op_type", SAME_BITS + CLOSE)
def test_samples(device: Any, op_type: str) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        here, there = (outcome(op, sample, values, where) for where in ("/cpu:0", "/gpu:0"))
        if isinstance(here, str) or isinstance(there, str):
            return None if here == there else f"{there!r} instead of {here!r}"
        for ours, theirs in zip(there, here, strict=True):
            problem = difference(ours, theirs, 0.0 if op_type in SAME_BITS else 1e-5)
            if problem is not None:
                return problem
        return None

    assert op_type in registered()
    each_sample(op_type, check)


def outcome(op: type[Op], sample: Sample, values: list[np.ndarray], where: str) -> list[np.ndarray] | str:
    """The results, or the error's text."""
    graph = gc.Graph()
    with graph.as_default(), graph.device(where):
        inputs = [gc.placeholder(as_dtype(v.dtype), [None] * v.ndim) if op.type not in ("GatherNd",) else
                  gc.placeholder(as_dtype(v.dtype), v.shape) for v in values]
        fields = {f.name: getattr(definition(op, sample), f.name) for f in dataclasses.fields(op)}
        found = apply(op, *grouped(op, inputs), **fields)
        with gc.Session() as session:
            try:
                results = session.run(found, dict(zip(inputs, values, strict=True)))
            except gc.errors.InvalidArgumentError as error:
                return str(error)
    return [np.asarray(r) for r in (results if isinstance(results, (list, tuple)) else [results])]
