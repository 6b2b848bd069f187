"""GraphDefs that TensorFlow 2.21 wrote, with its numbers (tests/peers/flow_files.py, op_files.py)."""
from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc
from graphc.serial.graph_pb2 import GraphDef

FOLDER = Path(__file__).parent / "serial" / "data" / "flow"
OPS = FOLDER.parent / "ops"
EFFECTS = FOLDER.parent / "effects"
NAMES = sorted(path.name.removesuffix(".pb.gz") for path in FOLDER.glob("*.pb.gz"))
NAMES_OF_OPS = sorted(path.name.removesuffix(".pb.gz") for path in OPS.glob("*.pb.gz"))


def load(name: str, folder: Path = FOLDER) -> tuple[GraphDef, dict[str, Any], dict[str, Any]]:
    """The graph; feeds and what is fetched, by tensor names."""
    parts: dict[str, dict[str, Any]] = {"feed": {}, "fetch": {}}
    with np.load(folder / f"{name}.npz", allow_pickle=True) as arrays:
        for key, value in arrays.items():
            kind, _, tensor = key.replace("|", "/").partition(" ")
            parts[kind][tensor] = value
    graph_def = gc.GraphDef.FromString(gzip.decompress((folder / f"{name}.pb.gz").read_bytes()))
    return graph_def, parts["feed"], parts["fetch"]
