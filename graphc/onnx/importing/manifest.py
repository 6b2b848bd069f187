"""All files with rules, imported: after this rules.rule_for knows them."""
from graphc.onnx.importing import (  # noqa: F401
    activations,
    control,
    convolutions,
    elementwise,
    indexing,
    matrices,
    normalisation,
    pooling,
    quantisation,
    recurrent,
    reductions,
    resizing,
    sequences,
    shapes,
)
