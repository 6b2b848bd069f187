"""`--repair` puts back what Python and the libraries that scripts use have lost."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = """
import base64, cgi, collections, fractions, inspect, string, threading, time
def function(a, b=1, *c, **d): pass
print(time.clock() > 0, inspect.getargspec(function).args, inspect.getargspec(function).keywords)
import tensorflow; print(inspect.getargspec(tensorflow.nn.rnn_cell.GRUCell.__init__).args[:3])
print(isinstance([], collections.Sequence), fractions.gcd(4, 6), base64.encodestring(b"a"), cgi.escape("<\\">"))
print(string.join(["a", "b"], ""), string.letters[:2], string.upper("a"), threading.current_thread().isAlive())
"""
NUMPY = """
import numpy as np
print(np.trapz([1., 2.]), np.cast["int32"](1.5), np.asfarray([1]).dtype, np.rank([[1]]), np.mat([1]).shape)
print(np.fromstring(b"ab", np.uint8), np.fromstring("1 2", sep=" "), np.array([1, 2], copy=False))
held = np.zeros(2); print(np.array(held, copy=False) is held)
print(np.uint8([1, 2]).tostring(), np.int16(3).tostring())
import xml.etree.ElementTree as trees; print(trees.tostring(trees.Element("a")))
"""
MATPLOTLIB = """
import matplotlib; matplotlib.use("Agg")
matplotlib.rcParams.update({"pgf.preamble": [r"\\usepackage{a}", r"\\usepackage{b}"]})
import matplotlib.pyplot as plt
plt.style.use("seaborn-whitegrid"); plt.cm.get_cmap("jet"); plt.grid(b=True)
print(round(sum(plt.hist([1, 2, 3], bins=2, range=(0, 4), normed=True)[0]), 6))
axes = plt.gca(); axes.set_axis_bgcolor("white"); axes.plot([1, 2])
axes.lines.remove(axes.lines[0]); print(len(axes.lines))
axes.plot([1, 2]); axes.lines.pop(0); print(len(axes.lines), plt.figure().gca(projection="3d").name)
"""
VALUES = """
import tensorflow as tf
values = {"b": 2, "a": 1}.values(); values.sort(); print(values, tf.contrib.training.HParams(a=1).values())
"""
PICKLES = """
import cPickle as pickle
with open("batch", "rb") as file: print(sorted(pickle.load(file)))
with open("batch") as file: print(ascii(pickle.load(file)["data"]))
"""
OTHERS = """
from PIL import Image
from sklearn.cross_validation import train_test_split
from sklearn.externals import joblib
print(Image.new("L", (4, 4)).resize((2, 2), Image.ANTIALIAS).size, len(train_test_split([1, 2, 3, 4])), joblib.__name__)
"""


@pytest.mark.parametrize("text, said", [
    (PYTHON, "True ['a', 'b'] d\n['self', 'num_units', 'activation']\nTrue 2 b'YQ==\\n' &lt;\"&gt;\nab ab A True\n"),
    (NUMPY, "1.5 1 float64 2 (1, 1)\n[97 98] [1. 2.] [1 2]\nTrue\nb'\\x01\\x02' b'\\x03\\x00'\nb'<a />'\n"),
    (MATPLOTLIB, "0.5\n0\n0 3d\n"),
    (OTHERS, "(2, 2) 2 joblib\n"), (PICKLES, "['data']\n'\\xe9'\n"), (VALUES, "[1, 2] {'a': 1}\n"),
], ids=["python", "numpy", "matplotlib", "others", "pickles", "values"])
def test_they_are_there_again(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "old.py").write_text(text)
    (tmp_path / "batch").write_bytes(b"(dp1\nS'data'\np2\nS'\\xe9'\np3\ns.")          # as Python 2 wrote it
    done = subprocess.run([sys.executable, "-m", "graphc.cli", "tf1", "--repair", "old.py"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert done.stdout == said, done.stderr
    assert done.returncode == 0


def test_what_is_not_installed_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(
        "import sys\nsys.path[:] = [p for p in sys.path if not p.endswith('-packages')]\n"
        "try:\n    import pandas\nexcept ModuleNotFoundError as error:\n    print(error)\n")
    done = subprocess.run([sys.executable, "-m", "graphc.cli", "tf1", "--repair", "old.py"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert done.stdout == "No module named 'pandas'\n", done.stderr


def test_pandas_frames_are_appended_to(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    from graphc.tf1.lost_names import mend_pandas
    mend_pandas(pandas)
    frame = pandas.DataFrame({"a": [1]})
    assert frame.append({"a": 2}, ignore_index=True).append(frame)["a"].tolist() == [1, 2, 1]
    assert pandas.Series([1]).append(pandas.Series([2])).tolist() == [1, 2]
    assert frame.as_matrix(["a"]).tolist() == [[1]] and [name for name, _ in frame.iteritems()] == ["a"]
