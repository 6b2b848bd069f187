"""From here on `import tensorflow` finds graphc.compat.v1 in this process, and `import tf_slim` its contrib.slim."""
from __future__ import annotations

import sys

import graphc.compat.v1 as tf
from graphc.compat.v1 import modules


def take_tensorflows_name() -> None:
    """Raises RuntimeError if the process has imported the real TensorFlow already."""
    loaded = sys.modules.get("tensorflow")
    if loaded is not None and loaded is not tf:
        raise RuntimeError("TensorFlow itself is imported in this process already: run the script in one of its own")
    sys.modules["tensorflow"] = tf
    modules.install("tensorflow")
    modules.install("tf_slim", "contrib.slim")          # the package that it became
