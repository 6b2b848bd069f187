"""The programs of examples/tf1 run as they are, for a few steps."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "tf1"
# What their last line says.
PROGRAMS = {
    "linear_regression --steps=60": "y = 2.", "convolutional_network --steps=2 --summaries_dir=log": "test accuracy",
    "autoencoder --steps=3": "test cost 0.", "variational_autoencoder --steps=3": "drawn digits have ink",
    "generative_adversarial_network --steps=3": "generated: mean", "word2vec --steps=20": "nearest to oak:",
    "text_cnn --steps=3": "accuracy ", "char_rnn --steps=2": "written: ",
    "sequence_to_sequence --steps=2": "of 200 sequences reversed",
    "deep_q_network --episodes=50": "episodes to 50: mean reward",
    "wide_and_deep --steps=20 --model_dir=log": "step 20 accuracy 0.",
}


def test_every_program_is_here() -> None:
    assert sorted(f"{line.split()[0]}.py" for line in PROGRAMS) == sorted(p.name for p in FOLDER.glob("*.py"))


@pytest.mark.parametrize("line", PROGRAMS)
def test_program(line: str, tmp_path: Path) -> None:
    name, *arguments = line.split()
    done = subprocess.run([sys.executable, "-m", "graphc.cli", "tf1", str(FOLDER / f"{name}.py"), *arguments],
                          cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert PROGRAMS[line] in done.stdout.splitlines()[-1], done.stdout
    if "summaries_dir" in line:
        assert {p.name.split(".")[0] for p in (tmp_path / "log").iterdir()} == {"checkpoint", "events", "model-2"}
    if "model_dir" in line:
        assert len(list((tmp_path / "log" / "export" / "served").glob("*/saved_model.pb"))) == 1
