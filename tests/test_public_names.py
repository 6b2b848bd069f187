"""The table of public names and the stubs are those of the code, and a type checker takes a program that uses them."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from graphc.api.names import NAMES

ROOT = Path(__file__).parent.parent
PROGRAM = """
import graphc as gc

x = gc.placeholder(gc.float32, [None, 3])
w = gc.Variable(gc.ones([3, 3]))
y = gc.nn.relu(1.0 - (x @ w)[0] / 2.0 + w) ** 2
loss: gc.Tensor = -gc.reduce_sum(y * x) + w * 2
step = gc.train.AdamOptimizer(0.1).minimize(gc.multiply(loss, 2.0))
"""


def test_table_and_stubs_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, "tools/public_names.py", "--check"], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_type_checker_knows_names_and_operators(tmp_path: Path) -> None:
    for name, program, said in (("right", PROGRAM, "Success"), ("wrong", f"{PROGRAM}gc.reduce_sun(x)\n", "reduce_sun")):
        path = tmp_path / f"{name}.py"
        path.write_text(program)
        done = subprocess.run([sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", str(path)],
                              cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True,
                              check=False)
        assert said in done.stdout, done.stdout + done.stderr
        assert done.returncode == (said != "Success")


def test_no_module_hides_a_public_name() -> None:
    """Python makes an imported module an attribute of its package: it would stand in place of a function so called."""
    hidden = [f"{space}.{name}" for space, names in NAMES.items() if space for name in names
              if (ROOT / "graphc" / space.replace(".", "/") / f"{name}.py").exists()]
    assert hidden == []
