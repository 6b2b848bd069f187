"""Conv2D of files with several groups of channels, as Keras' Conv2D(groups=...) writes it (ConvNeXt)."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

DRAWN = np.random.default_rng(0)


def file_of(depth: int, made: int, data_format: str, stride: tuple[int, int]) -> Any:
    """A placeholder [?, 6, 5, 4] (or [?, 4, 6, 5]) convolved with a filter [3, 2, depth, made]."""
    graph_def = gc.GraphDef()
    first = data_format == "NCHW"
    with gc.Graph().as_default() as graph:
        gc.placeholder(gc.float32, [None, 4, 6, 5] if first else [None, 6, 5, 4], name="x")
        gc.constant(DRAWN.normal(size=(3, 2, depth, made)).astype(np.float32), name="w")
        graph_def.CopyFrom(graph.as_graph_def())
    node = graph_def.node.add(name="y", op="Conv2D", input=["x", "w"])
    node.attr["T"].type = 1
    node.attr["strides"].list.i.extend([1, 1, *stride] if first else [1, *stride, 1])
    node.attr["padding"].s = b"VALID"
    node.attr["data_format"].s = data_format.encode()
    return graph_def


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 2)])
@pytest.mark.parametrize(("depth", "made"), [(1, 4), (1, 8), (2, 6), (4, 3)])
def test_each_group_sees_its_own_channels(depth: int, made: int, stride: tuple[int, int], data_format: str) -> None:
    with gc.Graph().as_default() as graph, gc.Session() as session:
        gc.import_graph_def(file_of(depth, made, data_format, stride), name="")
        pictures = DRAWN.normal(size=(2, 6, 5, 4)).astype(np.float32)
        fed = pictures.transpose(0, 3, 1, 2) if data_format == "NCHW" else pictures
        y, w = session.run(["y:0", "w:0"], {"x:0": fed})
        assert graph.get_tensor_by_name("y:0").shape.as_list()[1:] == list(y.shape[1:])
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (3, 2), (1, 2))[:, ::stride[0], ::stride[1]]
    each = made // (4 // depth)
    expected = [np.einsum("nyxchw,hwc->nyx", windows[:, :, :, o // each * depth:(o // each + 1) * depth], w[..., o])
                for o in range(made)]
    found = y.transpose(0, 2, 3, 1) if data_format == "NCHW" else y
    np.testing.assert_allclose(found, np.stack(expected, -1), rtol=1e-4, atol=1e-5)


def test_groups_that_do_not_divide_the_result_are_refused() -> None:
    with gc.Graph().as_default(), pytest.raises(ValueError, match="4 groups of channels give 6 channels"):
        gc.import_graph_def(file_of(1, 6, "NHWC", (1, 1)), name="")


def test_a_file_without_default_attributes() -> None:
    """As Keras' SavedModels are written: looking for groups must not add an attribute without a value."""
    given = file_of(4, 3, "NHWC", (1, 1))
    del given.node[2].attr["data_format"]
    pictures = DRAWN.normal(size=(2, 6, 5, 4)).astype(np.float32)
    found = []
    for graph_def in (given, file_of(4, 3, "NHWC", (1, 1))):
        graph_def.node[1].CopyFrom(given.node[1])                 # the same filter
        with gc.Graph().as_default(), gc.Session() as session:
            gc.import_graph_def(graph_def, name="")
            found.append(session.run("y:0", {"x:0": pictures}))
    np.testing.assert_array_equal(*found)
