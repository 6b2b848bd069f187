"""All files with rules, imported: after this rules.rule_for knows them."""
from graphc.onnx.exporting import (  # noqa: F401
    arrays,
    control,
    elementwise,
    nets,
)
