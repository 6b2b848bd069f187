"""GraphDefs that TensorFlow 2.21 wrote, with its numbers (tests/peers/flow_files.py)."""
from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc
from graphc.serial.graph_pb2 import GraphDef

FOLDER = Path(__file__).parent / "serial" / "data" / "flow"
NAMES = sorted(path.name.removesuffix(".pb.gz") for path in FOLDER.glob("*.pb.gz"))


def load(name: str) -> tuple[GraphDef, dict[str, Any], dict[str, Any]]:
    """The graph; feeds and what is fetched, by tensor names."""
    parts: dict[str, dict[str, Any]] = {"feed": {}, "fetch": {}}
    with np.load(FOLDER / f"{name}.npz") as arrays:
        for key, value in arrays.items():
            kind, _, tensor = key.replace("|", "/").partition(" ")
            parts[kind][tensor] = value
    graph_def = gc.GraphDef.FromString(gzip.decompress((FOLDER / f"{name}.pb.gz").read_bytes()))
    return graph_def, parts["feed"], parts["fetch"]
