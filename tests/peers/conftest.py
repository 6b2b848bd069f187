"""What tests beside TensorFlow share."""
from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def tensorflow_1() -> Iterator[None]:
    """TensorFlow behaves as its version 1 does, for this test alone."""
    from tensorflow.compat import v1 as tf

    tf.disable_v2_behavior()
    yield
    tf.reset_default_graph()               # eager execution is refused while there is one
    tf.enable_v2_behavior()
