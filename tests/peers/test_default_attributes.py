"""What is left out of a file because it is the default is TensorFlow's default, too: else it refuses the file."""
from __future__ import annotations

import pytest
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.python.framework import op_def_registry

from graphc.serial.default_attributes import default_attributes

from samples import registered

KNOWN = {"GatherTree": "it stands in contrib's library"}      # no ops of TensorFlow 2


@pytest.mark.parametrize("op_type", [t for t in registered() if not t.startswith("_") and t not in KNOWN])
def test_defaults_are_those_of_tensorflow(op_type: str) -> None:
    theirs = {attribute.name: attribute for attribute in op_def_registry.get(op_type).attr}
    for name, ours in default_attributes(op_type).items():
        if name in theirs:                           # else it is graphc's own
            assert theirs[name].HasField("default_value"), name
            assert theirs[name].default_value == AttrValue.FromString(ours.SerializeToString()), name
