"""Makes one model's file, in the peers' environment: make.py MODULE NAME FOLDER."""
from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(os.environ["FILES_MODULES"])      # onnx
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


def main(module: str, name: str, folder: str) -> None:
    importlib.import_module(module).MODELS[name](Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
