"""What a model is here: a file that another program wrote, with arrays to feed."""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Description:
    """Beside the file, as model.json: its name, and those of its inputs and outputs (of an .onnx: its own names)."""
    file: str
    inputs: list[str]
    outputs: list[str]

    def write(self, folder: Path, cases: Sequence[Sequence[np.ndarray]]) -> None:
        """The arrays of all cases, too; model.json comes last: where it is, the model is whole."""
        write_arrays(folder / "feeds.npz", cases)
        temporary = folder / "model.json.new"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.rename(folder / "model.json")

    @staticmethod
    def read(folder: Path) -> Description:
        return Description(**json.loads((folder / "model.json").read_text()))


def write_arrays(path: Path, cases: Sequence[Sequence[np.ndarray]]) -> None:
    named: dict[str, Any] = {f"{i}_{j}": _plain(a) for i, case in enumerate(cases) for j, a in enumerate(case)}
    temporary = path.with_suffix(".new.npz")
    np.savez(temporary, **named)
    temporary.rename(path)


def _plain(array: Any) -> np.ndarray:
    """Strings as bytes of one length: files with Python's objects are not read."""
    array = np.asarray(array)
    if array.dtype != object:
        return array
    made = [text.encode() if isinstance(text, str) else text for text in array.reshape(-1)]
    return np.array(made, "S").reshape(array.shape)


def read_arrays(path: Path) -> list[list[np.ndarray]]:
    found: dict[int, list[np.ndarray]] = {}
    with np.load(path) as arrays:
        for name in sorted(arrays.files, key=lambda name: tuple(map(int, name.split("_")))):
            found.setdefault(int(name.split("_")[0]), []).append(
                arrays[name].astype(object) if arrays[name].dtype.kind == "S" else arrays[name])
    return list(found.values())


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
