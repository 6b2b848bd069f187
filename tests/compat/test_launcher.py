"""`graphc tf1`: programs and notebooks run as they are; Python 2 on request; --check lists names."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PYTHON2 = """
import sys
import numpy as np
import tensorflow as tf
from helper import twice
def main((a, b)):
\tprint "sum", a + b, twice(3), np.float(1), range(4)[1]
        print >>sys.stderr, u"to stderr"
for i in xrange(2):
    try:
        raise ValueError, "no"
    except ValueError, e:
        print e
print {1: 2}.iteritems().next(), map(str, [1])[0]
main((1, 2))
""".replace("        print >>", "\tprint >>")
MODERN = """
import sys, pickle
import tensorflow as tf
from tensorflow.python.framework import ops
import tensorflow.contrib.opt as opt
assert tf.__version__.startswith("1.15")
class Kept: pass
assert type(pickle.loads(pickle.dumps(Kept()))) is Kept
ops.reset_default_graph()
x = tf.placeholder(tf.float32, [None])
with tf.Session() as session:
    print(session.run(tf.reduce_sum(x), {x: [1, 2]}), __name__, sys.argv[1:])
"""


def launch(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "graphc.cli", "tf1", *map(str, arguments)], cwd=folder,
                          capture_output=True, text=True, check=False)


def test_a_script_runs_as_under_python(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(MODERN)
    done = launch(path, "--repair", "x=1")
    assert (done.returncode, done.stdout) == (0, "3.0 __main__ ['--repair', 'x=1']\n"), done.stderr


def test_a_notebook_runs(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    cells = ["%matplotlib inline\nimport tensorflow as tf", "# text",
             "!pip install x\nif True:\n    %time\ntf.Graph?\nprint('%s'  # is it Python?\n    % tf.VERSION)\n%time"]
    kinds = ["code", "markdown", "code"]
    path.write_text(json.dumps({"nbformat": 4, "cells": [
        {"cell_type": kind, "source": text.splitlines(True)} for kind, text in zip(kinds, cells, strict=True)]}))
    done = launch(path)
    assert done.returncode == 0 and done.stdout.startswith("1.15"), done.stderr
    path.write_text("no json")
    assert "no notebook" in launch(path).stderr


def test_python_2_is_explained_and_repaired(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(PYTHON2)
    (tmp_path / "helper.py").write_text("def twice(x):\n    print 'helping'\n    return 2 * x\n")
    done = launch(path)
    assert done.returncode == 1 and "not Python 3" in done.stderr and f"graphc tf1 --repair {path}" in done.stderr
    done = launch("--repair", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no\nno\n(1, 2) 1\nhelping\nsum 3 6 1.0 1\n"
    assert "to stderr" in done.stderr and path.read_text() == PYTHON2


def test_a_method_called_next_is_called(tmp_path: Path) -> None:
    path = tmp_path / "flow.py"
    path.write_text("class Flow:\n    def next(self, wait=None):\n        return 'a batch'\nprint(Flow().next())\n"
                    "print(iter([1]).next())\nprint(next(iter([]), 2))\nnext([])")
    done = launch("--repair", path)
    assert done.stdout == "a batch\n1\n2\n" and "'list' object is not an iterator" in done.stderr, done.stderr


def test_pyplot_takes_what_it_took(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text("import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
                    "plt.hold(True)\nplt.show(plt.figure())\nplt.show()\nprint('shown')\n"
                    "plt.gca().set_color_cycle(['red', 'green'])\n"
                    "print(plt.plot([1, 2], [[1, 2], [3, 4]])[1].get_color())")
    done = launch("--repair", path)
    assert done.stdout == "shown\ngreen\n", done.stderr


def test_reshape_s_argument_has_its_old_name_too(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text("import numpy as np\nprint(np.reshape(np.arange(4), newshape=[2, 2]).shape, np.reshape([1], -1))")
    done = launch("--repair", path)
    assert done.stdout == "(2, 2) [1]\n", done.stderr


def test_ragged_arrays_are_of_objects_again_for_the_program_alone(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text("import numpy as np\nimport tensorflow as tf\n"
                    "print(np.array([[1, 2], [3]]).shape, np.array([[1, 2], [3, 4]]).dtype.kind)\n"
                    "print(np.array(list(zip(np.ones([3, 4]), np.ones([3, 2])))).shape)\n"
                    "try:\n    tf.constant([[1, 2], [3]])\nexcept ValueError:\n    print('refused')\n"
                    f"np.save('{tmp_path}/ragged.npy', [[1, 2], [3]])\n"
                    "np.array([[1, 2], [3]], float)")
    done = launch("--repair", path)
    assert done.stdout == "(2,) i\n(3, 2)\nrefused\n" and "inhomogeneous" in done.stderr, done.stderr


@pytest.mark.parametrize("text, said", [
    ("import numpy as np\nnp.float", "numpy.float was removed from NumPy"), ("xrange(3)", "'xrange' is Python 2"),
    ("{}.iteritems()", "dict.iteritems is Python 2"),
    ("import numpy as np\nfloat(np.ones(1))", "an array of one element"),
    ("import numpy as np\nnp.zeros(2)[0] = np.ones([1, 1])", "an array of one element"),
])
def test_what_age_has_done_is_explained(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "old.py"
    path.write_text(text)
    done = launch(path)
    assert done.returncode == 1 and said in done.stderr and "--repair" in done.stderr
    assert launch("--repair", path).returncode == 0


def test_what_came_with_tensorflow_is_there_or_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text("from six.moves import urllib, xrange, cPickle\nprint(list(xrange(2)))")
    assert launch(path).stdout == "[0, 1]\n"
    path.write_text("import sys\nsys.modules['six'] = None\nimport six")
    done = launch(path)
    assert done.returncode == 1 and "six came with TensorFlow 1: pip install 'graphc[tf1]'" in done.stderr


def test_scipy_s_old_home_of_eigenvalues_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "eigen.py"
    path.write_text("import numpy as np\nfrom scipy.sparse.linalg.eigen.arpack import eigsh\n"
                    "import scipy.sparse.linalg.eigen.arpack.arpack\nfrom scipy.sparse.linalg.eigen import svds\n"
                    "print(round(eigsh(np.diag([1., 5, 2, 3]), 1)[0][0], 6), svds.__name__)")
    done = launch("--repair", path)
    assert done.stdout == "5.0 svds\n", done.stderr


def test_scipy_misc_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "pictures.py"
    picture = str(tmp_path / "p.png")
    path.write_text("import numpy as np, scipy.misc\nfrom scipy.misc import imread, imsave\n"
                    f"imsave({picture!r}, np.arange(48.).reshape(4, 4, 3))\n"
                    f"print(imread({picture!r}).shape, scipy.misc.imresize(np.zeros((4, 6)), (2, 3)).shape)")
    done = launch("--repair", path)
    assert done.stdout == "(4, 4, 3) (2, 3)\n", done.stderr


def test_errors_end_in_the_script(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("import tensorflow as tf\n\ntf.nn.reluu(1)\n")
    done = launch(path)
    assert done.returncode == 1 and f'File "{path}", line 3' in done.stderr and "did you mean 'relu'" in done.stderr
    assert "graphc/tf1" not in done.stderr
    path.write_text("import sys\nsys.exit('over')\n")
    done = launch(path)
    assert done.returncode == 1 and done.stderr == "over\n"


def test_check_lists_names_without_running(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import tensorflow as tf\nfrom tensorflow.contrib import bigtable\n"
                                   "raise SystemExit\ntf.nn.relu(tf.nn.reluu)\ntf.GraphKeys.LOSSES.lower()\n"
                                   "tf.float32.as_numpy_dtype\n")
    (tmp_path / "b.py").write_text("import tensorflow as tf\nprint 1, tf.float32\n")
    (tmp_path / "c.py").write_text("def (")
    done = launch("--check", "--json", tmp_path)
    found = {(Path(f["file"]).name, f["symbol"]): (f["line"], f["state"]) for f in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found == {
        ("a.py", "tf.nn.relu"): (4, "there"), ("a.py", "tf.nn.reluu"): (4, "missing"),
        ("a.py", "tf.contrib.bigtable"): (2, "out of reach"), ("a.py", "tf.GraphKeys.LOSSES"): (5, "there"),
        ("a.py", "tf.float32"): (6, "there"), ("b.py", "tf.float32"): (2, "there"), ("c.py", ""): (0, "unreadable")}
    text = launch("--check", tmp_path).stdout
    assert "1 of 3 programs have all their names" in text and "did you mean 'relu'" in text
    assert launch("--check", tmp_path / "b.py").returncode == 0


def test_pictures_are_made_with_their_channels_anywhere() -> None:
    from graphc.tf1 import pictures

    array = np.arange(60, dtype=np.uint8).reshape(4, 3, 5)
    np.testing.assert_array_equal(pictures.fromimage(pictures.toimage(array, channel_axis=1)), np.moveaxis(array, 1, 2))
    with pytest.raises(ValueError, match="'pal'"):
        pictures.toimage(array, pal=np.zeros((256, 3)))


def test_a_module_runs_as_under_python_m(tmp_path: Path) -> None:
    package = tmp_path / "work" / "inner"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("import tensorflow as tf\n")
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("name = 'helper'\n")
    (package / "__main__.py").write_text("import sys\nfrom . import helper\nfrom ..inner.helper import name\n"
                                         "print(__name__, __package__, name, sys.argv[1:], sys.path[0])\n")
    (package / "old.py").write_text("from . import helper\nprint helper.name\n")
    done = launch("-m", "work.inner", "-m", "--x=1", folder=tmp_path)
    assert done.stdout == f"__main__ work.inner helper ['-m', '--x=1'] {tmp_path}\n", done.stderr
    assert "--repair -m work.inner.old" in launch("-m", "work.inner.old", folder=tmp_path).stderr
    assert launch("--repair", "-m", "work.inner.old", folder=tmp_path).stdout == "helper\n"
    missing = launch("-m", "work.nothing", folder=tmp_path)
    assert (missing.returncode, missing.stderr) == (1, "graphc tf1: there is no module work.nothing, or it is no "
                                                       "Python file\n")


def test_repair_leaves_what_is_newer_than_fissix_reads(tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("import tensorflow as tf\nmatch [1, 2]:\n    case [a, b]:\n        print(a + b)\n")
    done = launch("--repair", path)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_repair_leaves_sets_of_keys() -> None:
    """A list of Python 2 has neither - nor &."""
    from graphc.tf1.repair import repaired

    assert repaired("a = list(d.keys() - seen)\n", "") == "a = list(d.keys() - seen)\n"
    assert repaired("a = seen & d.keys()\n", "") == "a = seen & d.keys()\n"
    assert repaired("a = d.keys() + d.values()\nb = n - d.values()[0]\n", "") == (
        "a = __graphc_listed__(d.keys()) + __graphc_listed__(d.values())\nb = n - __graphc_listed__(d.values())[0]\n")


def test_repair_leaves_classes_that_know_both_names_of_truth() -> None:
    from graphc.tf1.repair import repaired

    both = "class A:\n    def __nonzero__(self):\n        return False\n    __bool__ = __nonzero__\n"
    assert repaired(both, "") == both
    old = both.replace("    __bool__ = __nonzero__\n", "")
    assert repaired(old, "") == old.replace("nonzero", "bool")
