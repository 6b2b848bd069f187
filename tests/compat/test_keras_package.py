"""tf.keras from an installed keras 2.2, under all of its paths; a small package stands in for it here."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import graphc.compat.v1 as tf

PROGRAM = """
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.python.keras.layers import Dense as again
from tensorflow.contrib.keras.api.keras import layers
import tensorflow.keras.backend as K
from tensorflow import keras
assert Dense is again is layers.Dense is tf.keras.layers.Dense is keras.layers.Dense
print(K.placeholder((None, 2)).shape, keras.__version__, tf.keras.Model, tf.keras.regularizers.l2)
print(tf.keras.datasets.mnist.load_data.__module__, "Dense" in dir(tf.keras.layers))
try:
    tf.keras.layers.Wrong
except AttributeError as error:
    print(error)
"""
PACKAGE = {
    "keras/__init__.py": "from . import layers, backend, regularizers\n__version__ = '2.2.4'\nclass Model: pass",
    "keras/layers/__init__.py": "from .core import Dense",
    "keras/layers/core.py": "import tensorflow as tf\nclass Dense: made_with = tf.layers.dense",
    "keras/backend/__init__.py": "from .tensorflow_backend import *",
    "keras/backend/tensorflow_backend.py": "import tensorflow as tf\ndef placeholder(s): "
                                           "return tf.placeholder(tf.float32, s)",
    "keras/regularizers.py": "l2 = 'its own'",
}


def run(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    site = folder / "site"
    for name, text in PACKAGE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    info = site / f"Keras-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Keras\nVersion: {version}\n")
    (folder / "program.py").write_text(PROGRAM)
    return subprocess.run([sys.executable, "-m", "graphc.cli", "tf1", "program.py"], cwd=folder, capture_output=True,
                          text=True, check=False, env={**os.environ, "PYTHONPATH": str(site)})


def test_keras_2_2_is_tf_keras(tmp_path: Path) -> None:
    done = run(tmp_path, "2.2.4")
    assert done.stdout.splitlines() == [
        "(?, 2) 2.2.4 <class 'keras.Model'> its own", "graphc.compat.datasets.mnist True",
        "graphc does not have tf.keras.layers.Wrong itself: the package keras, of which tf.keras is taken, has no such "
        "name"], done.stderr


def test_another_keras_is_not(tmp_path: Path) -> None:
    done = run(tmp_path, "3.4.1")
    assert done.returncode == 1 and "pip install keras==2.2.4" in done.stderr


def test_without_the_package_there_are_initializers_and_regularizers() -> None:
    with pytest.raises(AttributeError, match=r"pip install keras==2\.2\.4"):
        tf.keras.layers.Dense  # noqa: B018
    with tf.Session() as session:
        x = tf.layers.dense(tf.ones([2, 3]), 4, kernel_initializer=tf.keras.initializers.he_normal(),
                            kernel_regularizer=tf.keras.regularizers.l2(0.5))
        session.run(tf.global_variables_initializer())
        weights, loss = session.run([tf.trainable_variables()[0], tf.losses.get_regularization_loss()])
    assert x.shape.as_list() == [2, 4]
    assert abs(0.5 * (weights**2).sum() - loss) < 1e-6
