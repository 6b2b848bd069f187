"""Files of safetensors: the format's own library, with NumPy and torch, reads ours, and graphc reads its."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graphc as gc

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
import safetensors.numpy
import safetensors.torch

TENSORS = {"weight": torch.arange(6, dtype=torch.float32).reshape(2, 3), "half": torch.tensor([1.5, -2]).half(),
           "bf": torch.tensor([[1.5], [-3.0]]).bfloat16(), "flags": torch.tensor([True, False]),
           "scalar": torch.tensor(2**40), "none": torch.zeros(0, 3), "c": torch.tensor([1 + 2j])}


def test_theirs_here(tmp_path: Path) -> None:
    path = str(tmp_path / "model.safetensors")
    safetensors.torch.save_file(TENSORS, path, metadata={"format": "pt"})
    found = gc.train.load_safetensors(path)
    assert set(found) == set(TENSORS) and gc.train.safetensors_metadata(path) == {"format": "pt"}
    for name, tensor in TENSORS.items():
        wanted = tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
        assert found[name].shape == wanted.shape and np.array_equal(found[name].astype(wanted.dtype), wanted), name


def test_ours_there(tmp_path: Path) -> None:
    path = str(tmp_path / "model.safetensors")
    values = {name: np.asarray(value) for name, value in gc.train.load_safetensors(_theirs(tmp_path)).items()}
    values["turned"] = values["weight"].T
    gc.train.save_safetensors(path, values, {"step": "7"})
    found = safetensors.torch.load_file(path)
    for name, tensor in {**TENSORS, "turned": TENSORS["weight"].T}.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name
    with safetensors.safe_open(path, framework="np") as opened:
        assert opened.metadata() == {"step": "7"}
        assert opened.get_slice("turned")[1:2].tolist() == [[1, 4]]
    gc.train.save_safetensors(path, {"a": values["weight"], "b": values["scalar"]})
    again = tmp_path / "again.safetensors"
    safetensors.numpy.save_file(safetensors.numpy.load_file(path), again)
    assert again.read_bytes() == Path(path).read_bytes()


def test_a_session_there(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.get_variable("scope/v", initializer=np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4))
        session.run(v.initializer)
        path = gc.train.Saver().save(session, str(tmp_path / "model.safetensors"), 3)
    assert path.endswith("model-3.safetensors")
    assert safetensors.torch.load_file(path)["scope/v"].shape == (3, 4)


def _theirs(folder: Path) -> str:
    path = str(folder / "theirs.safetensors")
    safetensors.torch.save_file(TENSORS, path)
    return path
