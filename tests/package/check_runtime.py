"""graphc-runtime in an environment that has NumPy alone: `make package` runs it with a model and what it must give.

    python check_runtime.py MODEL.pb X.npy EXPECTED.npy
"""
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import graphc_runtime as rt
import numpy as np


def main() -> None:
    path, feed, expected = sys.argv[1:]
    assert Path(rt.__file__).is_relative_to(sys.prefix)
    for name in ("graphc", "numba", "google.protobuf"):
        try:
            assert importlib.util.find_spec(name) is None, f"{name} is installed here, too"
        except ModuleNotFoundError:
            pass
    model = rt.load(path)
    outputs = list(model.run({model.inputs[0].name: np.load(feed)}).values())
    assert outputs[0].tobytes() == np.load(expected).tobytes(), "not the Session's numbers"
    size = sum(file.stat().st_size for file in Path(rt.__file__).parent.rglob("*") if file.is_file())
    assert size < 15e6, size
    print(f"graphc-runtime {rt.version()}, {size / 1e6:.1f} MB, runs {Path(path).name} with the Session's bits")


if __name__ == "__main__":
    main()
