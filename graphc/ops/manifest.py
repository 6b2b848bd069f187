"""Where every op class stands: the one list of op types. Classes are imported when they are first used.

A module of this package, by the types that it registers; tests/ops/test_registration.py holds it to the truth.
"""
from __future__ import annotations

from graphc.ir.op import OPS

TYPES: dict[str, str] = {
    "array.bitcast": "Bitcast",
    "array.broadcast": "BroadcastTo _SumTo Tile",
    "array.cast": "Cast",
    "array.depth": "SpaceToDepth DepthToSpace",
    "array.diagonal": "MatrixDiag MatrixDiagPart MatrixSetDiag Diag DiagPart MatrixBandPart",
    "array.diagonal_bands": "MatrixDiagPartV2 MatrixSetDiagV2 MatrixDiagV2",
    "array.diagonal_alignments": "MatrixDiagPartV3 MatrixSetDiagV3 MatrixDiagV3",
    "array.fill": "Fill ZerosLike OnesLike Range",
    "array.gather": "GatherV2 _ScatterSum OneHot Where",
    "array.gather_nd": "GatherNd _GatherNdLike Gather",
    "array.gather_tree": "GatherTree",
    "array.identity": "Identity StopGradient PreventGradient NoOp ControlTrigger",
    "array.in_place": "InplaceUpdate InplaceAdd InplaceSub DeepCopy Empty",
    "array.join": "ConcatV2 Pack Unpack Split SplitV",
    "array.join_shapes": "Concat ParallelConcat ConcatOffset ShapeN BroadcastArgs",
    "array.linspace": "LinSpace UnravelIndex",
    "array.mirror_pad_grad": "MirrorPadGrad",
    "array.pad": "Pad PadV2 MirrorPad",
    "array.partition": "DynamicPartition DynamicStitch ParallelDynamicStitch ListDiff",
    "array.passing": "GuaranteeConst Snapshot IdentityN EnsureShape CheckNumerics",
    "array.patches": "ExtractImagePatches ExtractVolumePatches",
    "array.rearrange": "Roll ReverseSequence",
    "array.scatter":
        "ScatterNd TensorScatterUpdate TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin "
        "ScatterNdNonAliasingAdd "
        "_CheckedIndices _Scattered",
    "array.select": "SelectV2 Select",
    "array.shapes": "Shape Size Rank Reshape ExpandDims Squeeze",
    "array.slicing": "Slice StridedSlice StridedSliceGrad",
    "array.source": "Const Placeholder PlaceholderWithDefault",
    "array.space": "SpaceToBatchND BatchToSpaceND SpaceToBatch BatchToSpace",
    "array.transpose": "Transpose InvertPermutation ReverseV2",
    "control.accumulators":
        "ConditionalAccumulator ResourceConditionalAccumulator SparseConditionalAccumulator "
        "AccumulatorApplyGradient ResourceAccumulatorApplyGradient SparseAccumulatorApplyGradient "
        "AccumulatorTakeGradient ResourceAccumulatorTakeGradient SparseAccumulatorTakeGradient "
        "AccumulatorNumAccumulated ResourceAccumulatorNumAccumulated AccumulatorSetGlobalStep "
        "ResourceAccumulatorSetGlobalStep _AccumulatorClaim",
    "control.array_parts": "_TensorListErase _TensorListAdd TensorListConcatV2 TensorListSplit",
    "control.array_rows":
        "TensorListStack _TensorListRows TensorListFromTensor TensorListGather "
        "TensorListScatterIntoExistingList _TensorListScatterSum",
    "control.arrays": "TensorListReserve TensorListResize TensorListSetItem TensorListGetItem",
    "control.barriers":
        "Barrier BarrierInsertMany BarrierTakeMany BarrierClose BarrierReadySize BarrierIncompleteSize",
    "control.control": "StatelessWhile While StatelessIf If",
    "control.iterators":
        "IteratorV2 OneShotIterator IteratorFromStringHandleV2 MakeIterator IteratorGetNext IteratorToStringHandle",
    "control.lists": "EmptyTensorList TensorListPushBack TensorListPopBack TensorListLength",
    "control.queues":
        "FIFOQueueV2 PaddingFIFOQueueV2 RandomShuffleQueueV2 PriorityQueueV2 QueueEnqueueV2 "
        "QueueEnqueueManyV2 QueueDequeueV2 QueueDequeueManyV2 QueueDequeueUpToV2 QueueCloseV2 QueueSizeV2 "
        "QueueIsClosedV2",
    "control.printing": "PrintV2",
    "control.script": "PyFunc Print Assert _EndOfData",
    "files.checkpoint": "SaveSlices Save SaveV2 RestoreV2 MergeV2Checkpoints",
    "files.csv": "DecodeCSV",
    "files.examples": "ParseExample ParseSingleExample",
    "files.sequence_examples": "ParseSingleSequenceExample ParseSequenceExample",
    "files.files": "ReadFile WriteFile MatchingFiles",
    "files.readers":
        "TextLineReaderV2 WholeFileReaderV2 TFRecordReaderV2 FixedLengthRecordReaderV2 IdentityReaderV2 ReaderReadV2 "
        "ReaderReadUpToV2 ReaderNumRecordsProducedV2 ReaderNumWorkUnitsCompletedV2 ReaderResetV2 "
        "ReaderSerializeStateV2 ReaderRestoreStateV2",
    "image.boxes": "DrawBoundingBoxes DrawBoundingBoxesV2",
    "image.color": "RGBToHSV HSVToRGB AdjustHue AdjustSaturation AdjustContrastv2",
    "image.crop_and_resize": "CropAndResize CropAndResizeGradImage CropAndResizeGradBoxes",
    "image.decode": "DecodePng DecodeJpeg DecodeAndCropJpeg DecodeBmp DecodeGif DecodeImage ExtractJpegShape",
    "image.encode": "EncodePng EncodeJpeg EncodeJpegVariableQuality",
    "image.glimpse": "ExtractGlimpse",
    "image.projective": "_Projected _NearestWhole _PlaceInPictures ImageProjectiveTransformV2",
    "image.projective_fill": "_InsidePicture ImageProjectiveTransformV3",
    "image.resize": "ResizeNearestNeighbor ResizeNearestNeighborGrad ResizeBilinear ResizeBilinearGrad",
    "image.resize_smooth": "ResizeBicubic ResizeBicubicGrad ResizeArea",
    "image.suppress_classes": "CombinedNonMaxSuppression",
    "image.suppression":
        "NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 "
        "NonMaxSuppressionWithOverlaps",
    "linalg.cholesky": "Cholesky CholeskyGrad",
    "linalg.decompose": "Qr Lu Svd SelfAdjointEigV2",
    "linalg.determinant": "MatrixDeterminant LogMatrixDeterminant",
    "linalg.least_squares": "MatrixSolveLs",
    "linalg.matrices": "_MatrixTranspose _Band _Diagonal",
    "linalg.roots": "MatrixSquareRoot MatrixLogarithm",
    "linalg.solve": "MatrixSolve MatrixTriangularSolve MatrixInverse",
    "linalg.tridiagonal": "TridiagonalSolve",
    "lookup.first_names":
        "HashTable MutableHashTable MutableHashTableOfTensors MutableDenseHashTable LookupTableFind "
        "LookupTableInsert LookupTableImport InitializeTable InitializeTableFromTextFile LookupTableSize "
        "LookupTableExport",
    "lookup.tables":
        "HashTableV2 MutableHashTableV2 MutableHashTableOfTensorsV2 MutableDenseHashTableV2 LookupTableFindV2 "
        "LookupTableInsertV2 LookupTableImportV2 InitializeTableV2 InitializeTableFromTextFileV2 "
        "LookupTableRemoveV2 LookupTableSizeV2 LookupTableExportV2",
    "math.binary": "Add AddV2 Sub Mul Pow Maximum Minimum SquaredDifference AddN AccumulateNV2",
    "math.bitwise": "BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift Invert PopulationCount",
    "math.clip": "ClipByValue",
    "math.comparison":
        "Less LessEqual Greater GreaterEqual Equal NotEqual ApproximateEqual LogicalAnd LogicalOr LogicalNot "
        "IsNan IsInf IsFinite",
    "math.complex_numbers": "Complex Real Imag ComplexAbs Angle Conj",
    "math.counting": "Bincount HistogramFixedWidth LowerBound UpperBound",
    "math.division": "RealDiv TruncateDiv Div FloorDiv FloorMod TruncateMod Mod",
    "math.hyperbolic": "Asinh Acosh Atanh",
    "math.inverse_normal": "Erfinv Ndtri",
    "math.linear": "Cross EuclideanNorm SparseMatMul",
    "math.matmul": "MatMul BatchMatMul BatchMatMulV2",
    "math.no_nan": "DivNoNan MulNoNan Xlogy Xdivy NextAfter",
    "math.nth_element": "NthElement Bucketize",
    "math.reduction": "Sum Mean Prod Max Min All Any _BesselMean ArgMax ArgMin",
    "math.scan": "Cumsum Cumprod",
    "math.segments": "SegmentSum SegmentMean SegmentProd SegmentMin SegmentMax",
    "math.sparse_segments":
        "SparseSegmentSum SparseSegmentSumWithNumSegments SparseSegmentMean SparseSegmentMeanWithNumSegments "
        "SparseSegmentSqrtN SparseSegmentSqrtNWithNumSegments SparseSegmentMeanGrad SparseSegmentSqrtNGrad",
    "math.special": "Lgamma Digamma Polygamma Zeta Igamma Igammac IgammaGradA Betainc BesselI0e BesselI1e Erfc",
    "math.top_k": "TopKV2 InTopK InTopKV2",
    "math.trigonometry": "Sin Cos Tan Asin Acos Atan Sinh Cosh Erf Atan2",
    "math.unary":
        "Neg Abs Sign Square Exp Expm1 Log Log1p Sqrt Rsqrt Reciprocal Inv SqrtGrad RsqrtGrad ReciprocalGrad "
        "InvGrad Floor Ceil Rint Round",
    "math.unique": "Unique UniqueWithCounts",
    "math.unreduce": "_Spread _Rows _Unrows",
    "math.unsorted_segments":
        "UnsortedSegmentSum UnsortedSegmentProd UnsortedSegmentMin UnsortedSegmentMax _GatherKept",
    "nn.activations":
        "Tanh TanhGrad Sigmoid SigmoidGrad Softplus SoftplusGrad Softsign SoftsignGrad Relu ReluGrad Relu6 "
        "Relu6Grad Elu EluGrad Selu SeluGrad LeakyRelu LeakyReluGrad",
    "nn.argmax_pooling": "MaxPoolWithArgmax MaxPoolGradWithArgmax MaxPoolGradGradWithArgmax",
    "nn.average_pooling": "AvgPool AvgPoolGrad",
    "nn.batch_norm":
        "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedBatchNormGrad FusedBatchNormGradV2 "
        "FusedBatchNormGradV3",
    "nn.bias": "BiasAdd BiasAddGrad",
    "nn.candidates":
        "LogUniformCandidateSampler UniformCandidateSampler FixedUnigramCandidateSampler "
        "_WeightedCandidateSampler",
    "nn.convolution": "Conv2D Conv2DBackpropInput Conv2DBackpropFilter",
    "nn.convolution3d": "Conv3D Conv3DBackpropInputV2 Conv3DBackpropFilterV2",
    "nn.ctc": "CTCLoss",
    "nn.ctc_decode": "CTCGreedyDecoder CTCBeamSearchDecoder",
    "nn.depth_taps": "_DepthTaps _SumDepthTaps",
    "nn.depthwise": "DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput DepthwiseConv2dNativeBackpropFilter",
    "nn.dilation": "Dilation2D Dilation2DBackpropInput Dilation2DBackpropFilter",
    "nn.fractional_pool": "FractionalMaxPool FractionalMaxPoolGrad FractionalAvgPool FractionalAvgPoolGrad",
    "nn.fused_pad": "FusedPadConv2D FusedResizeAndPadConv2D BiasAddV1",
    "nn.global_norm": "BatchNormWithGlobalNormalization BatchNormWithGlobalNormalizationGrad",
    "nn.local_response": "_WindowSum LRN LRNGrad",
    "nn.losses": "L2Loss _HalfSquares",
    "nn.max_pooling": "MaxPool MaxPoolGrad MaxPoolGradGrad",
    "nn.max_pooling_v2": "MaxPoolV2 MaxPoolGradV2 MaxPoolGradGradV2",
    "nn.pooling3d": "AvgPool3D AvgPool3DGrad MaxPool3D MaxPool3DGrad MaxPool3DGradGrad",
    "nn.softmax": "Softmax LogSoftmax SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits",
    "quantization.dequantize": "_Dequantized Dequantize _Requantized QuantizedConcat",
    "quantization.fake_quant":
        "FakeQuantWithMinMaxArgs _FakeQuantized FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel",
    "quantization.fake_quant_gradients":
        "FakeQuantWithMinMaxArgsGradient _FakeQuantSide FakeQuantWithMinMaxVarsGradient "
        "FakeQuantWithMinMaxVarsPerChannelGradient",
    "quantization.quantize": "_QuantizationEnd _Quantized _OrderedRange QuantizeV2",
    "quantization.quantize_and_dequantize":
        "_QuantizedWithin QuantizeAndDequantize QuantizeAndDequantizeV2 QuantizeAndDequantizeV3",
    "random.draws": "RandomShuffle Multinomial RandomGamma RandomGammaGrad RandomPoissonV2",
    "random.random": "RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt",
    "random.stateless":
        "StatelessRandomUniform StatelessRandomNormal StatelessTruncatedNormal StatelessRandomUniformInt "
        "StatelessMultinomial",
    "random.stateless_keys":
        "StatelessRandomUniformV2 StatelessRandomNormalV2 StatelessTruncatedNormalV2 StatelessRandomUniformIntV2 "
        "StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 StatelessRandomGetKeyCounter",
    "random.truncated": "ParameterizedTruncatedNormal",
    "signal.audio": "AudioSpectrogram Mfcc",
    "signal.fourier": "FFT IFFT FFT2D IFFT2D FFT3D IFFT3D",
    "signal.wav": "DecodeWav EncodeWav",
    "signal.real_fourier": "RFFT IRFFT RFFT2D IRFFT2D RFFT3D IRFFT3D",
    "sparse.dense": "SparseToDense SparseTensorDenseAdd",
    "sparse.elementwise": "SparseDenseCwiseMul SparseDenseCwiseDiv SparseDenseCwiseAdd SparseSoftmax",
    "sparse.distance": "EditDistance",
    "sparse.empty_rows": "SparseFillEmptyRows SparseFillEmptyRowsGrad",
    "sparse.join": "SparseConcat SparseSplit",
    "sparse.merge": "SparseAdd SparseAddGrad SparseSparseMaximum SparseSparseMinimum",
    "sparse.order": "SparseReorder SparseReshape",
    "sparse.product": "SparseTensorDenseMatMul",
    "sparse.reduce": "SparseReduceSum SparseReduceMax SparseReduceSumSparse SparseReduceMaxSparse",
    "sparse.rows": "_RowOrder _RowGroups _FindRows _DenseTuples",
    "sparse.sets":
        "DenseToDenseSetOperation DenseToSparseSetOperation SparseToSparseSetOperation SetSize",
    "sparse.slicing": "SparseSlice SparseSliceGrad",
    "state.scatter":
        "_Divided ScatterUpdate ScatterAdd ScatterSub ScatterMul ScatterDiv ScatterMin ScatterMax "
        "ScatterNdUpdate ScatterNdAdd ScatterNdSub",
    "state.state": "VariableV2 IsVariableInitialized Assign AssignAdd AssignSub",
    "strings.base64": "EncodeBase64 DecodeBase64",
    "strings.crosses": "SparseCross",
    "strings.format": "StringFormat",
    "strings.hashing": "StringToHashBucket StringToHashBucketFast StringToHashBucketStrong Fingerprint",
    "strings.join": "StringJoin ReduceJoin UnsortedSegmentJoin StringSplit StringSplitV2",
    "strings.letters": "StringLength StringStrip StringLower StringUpper Substr",
    "strings.numbers": "AsString StringToNumber",
    "strings.raw": "DecodeRaw DecodePaddedRaw SerializeTensor",
    "strings.regex": "RegexReplace StaticRegexReplace RegexFullMatch StaticRegexFullMatch",
    "strings.scatter": "_StringsAt",
    "strings.sharded": "ShardedFilename",
    "strings.unicode": "UnicodeTranscode UnicodeEncode UnicodeDecode UnicodeDecodeWithOffsets",
    "summary.audio": "AudioSummaryV2",
    "summary.histogram": "HistogramSummary",
    "summary.image": "ImageSummary",
    "summary.scalars": "ScalarSummary MergeSummary",
    "summary.tensors": "TensorSummaryV2",
    "training.adaptive":
        "ApplyAdagrad SparseApplyAdagrad ApplyAdagradDA SparseApplyAdagradDA ApplyAdadelta "
        "SparseApplyAdadelta ApplyRMSProp SparseApplyRMSProp ApplyCenteredRMSProp SparseApplyCenteredRMSProp",
    "training.proximal":
        "ApplyFtrl ApplyFtrlV2 SparseApplyFtrl SparseApplyFtrlV2 ApplyProximalGradientDescent "
        "SparseApplyProximalGradientDescent ApplyProximalAdagrad SparseApplyProximalAdagrad",
    "training.rows": "_FirstEqual _SumEqual",
    "training.signs": "ApplyPowerSign ApplyAddSign",
    "training.training": "ApplyGradientDescent ApplyMomentum SparseApplyMomentum ApplyAdam",
}

OPS.list_modules({op_type: f"graphc.ops.{module}" for module, types in TYPES.items() for op_type in types.split()})
