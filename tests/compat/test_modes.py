"""tf's switches of modes, versions, and what programs ask of the build."""
from __future__ import annotations

from typing import Any

import pytest

import graphc.compat.v1 as tf


def test_graphs_are_all_there_is() -> None:
    for name in ("disable_eager_execution", "disable_v2_behavior", "disable_v2_tensorshape", "disable_tensor_equality"):
        assert getattr(tf, name)() is None and getattr(tf.compat.v1, name)() is None
    assert tf.executing_eagerly() is False and tf.executing_eagerly_outside_functions() is False
    for name in ("enable_eager_execution", "enable_v2_behavior", "enable_v2_tensorshape", "enable_tensor_equality"):
        with pytest.raises(NotImplementedError, match=f"tf.{name}: "):
            getattr(tf, name)()
    import graphc.compat.v1.contrib.eager as tfe

    with pytest.raises(NotImplementedError, match="graphs only"):
        tfe.enable_eager_execution()


@pytest.mark.parametrize("name", ["resource_variables", "control_flow_v2"])
def test_switches_that_change_no_result(name: str) -> None:
    states: list[Any] = []
    for change in (None, "enable", "disable"):
        if change:
            getattr(tf, f"{change}_{name}")()
        states.append(getattr(tf, f"{name}_enabled")())
    assert states == [False, True, False]


def test_versions() -> None:
    assert tf.__version__ == tf.VERSION == tf.version.VERSION and tf.VERSION.startswith("1.15.")
    assert tf.GIT_VERSION == tf.version.GIT_VERSION and tf.version.GRAPH_DEF_VERSION == 134
    assert tf.sysconfig.CXX11_ABI_FLAG == tf.CXX11_ABI_FLAG


def test_the_build_and_the_machine() -> None:
    from graphc.compat.v1.python.client import device_lib

    (device,) = device_lib.list_local_devices()
    assert device.device_type == "CPU" and device.memory_limit > 0
    assert tf.config.experimental.list_physical_devices("GPU") == []
    assert [d.device_type for d in tf.config.experimental.list_physical_devices()] == ["CPU"]
    for call in (tf.sysconfig.get_include, tf.sysconfig.get_lib, lambda: tf.load_op_library("x.so")):
        with pytest.raises(NotImplementedError, match="graphc compiles no C\\+\\+ ops"):
            call()


def test_constant_values_under_contribs_names() -> None:
    assert tf.contrib.util.constant_value(tf.constant(3)) == 3
    assert tf.contrib.util.make_ndarray(tf.contrib.util.make_tensor_proto([1, 2])).tolist() == [1, 2]


def test_tests_under_their_inner_names() -> None:
    from graphc.compat.v1.python.framework import test_util
    from graphc.compat.v1.python.platform import test

    assert test.TestCase is tf.test.TestCase is test_util.TensorFlowTestCase and test.main is tf.test.main
