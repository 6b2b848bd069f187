"""What TensorFlow needs to load a saved op: attributes of several operands, and dtypes that go together."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc


def nodes(graph: gc.Graph) -> dict[str, gc.NodeDef]:
    return {node.name: node for node in graph.as_graph_def().node}


@pytest.mark.parametrize("make", [gc.dynamic_stitch, gc.parallel_stack])
def test_lists_are_counted_once(make) -> None:
    with gc.Graph().as_default() as graph:
        rows = [gc.placeholder(gc.float64, [3]), gc.placeholder(gc.float64, [3])]
        made = make([[0, 1, 2], [3, 4, 5]], rows) if make is gc.dynamic_stitch else make(rows)
    saved = next(n for n in nodes(graph).values() if n.op in ("DynamicStitch", "Pack", "ParallelConcat"))
    assert (saved.attr["N"].i, saved.attr["T"].type) == (2, gc.float64.number)
    assert made.dtype == gc.float64


def test_stitch_says_its_attributes() -> None:
    with gc.Graph().as_default():
        made = gc.dynamic_stitch([gc.constant([0, 1]), gc.constant(2)], [np.ones(2), np.ones(())])
    assert made.op.get_attr("N") == 2 and made.op.get_attr("T") == gc.float64


@pytest.mark.parametrize("integer", [gc.int32, gc.int64])
def test_constants_have_the_dtype_of_the_operand_that_shares_their_attribute(integer) -> None:
    with gc.Graph().as_default() as graph:
        gc.scatter_nd(gc.placeholder(integer, [3, 1]), gc.placeholder(gc.float32, [3]), [5], name="scattered")
        gc.nn.in_top_k(gc.placeholder(gc.float32, [3, 4]), gc.placeholder(integer, [3]), 2, name="among")
    found = nodes(graph)
    for name in ("scattered/shape", next(n for n in found if n.endswith("/k"))):
        assert found[name].attr["dtype"].type == integer.number, name


def test_values_that_only_fill_have_no_gradient() -> None:
    """As in TensorFlow: neither the values of one_hot nor what pad fills with."""
    with gc.Graph().as_default():
        fill, on = gc.placeholder(gc.float32, []), gc.placeholder(gc.float32, [])
        x = gc.placeholder(gc.float32, [3])
        padded = gc.pad(x, [[1, 1]], constant_values=fill)
        assert gc.gradients(padded, [fill])[0] is None and gc.gradients(padded, [x])[0] is not None
        assert gc.gradients(gc.one_hot([0, 2], 3, on), [on]) == [None]


def test_colours_are_three_whatever_was_known() -> None:
    with gc.Graph().as_default():
        pictures = gc.placeholder(gc.float32, [None, None, None])
        assert gc.image.rgb_to_hsv(pictures).shape.as_list() == [None, None, 3]
        assert gc.image.hsv_to_rgb(pictures).shape.as_list() == [None, None, 3]


def test_a_scalar_is_no_diagonal() -> None:
    with gc.Graph().as_default(), pytest.raises(ValueError, match="rank 1 or more"):
        gc.linalg.tensor_diag(gc.constant(1.0))


def test_a_scalar_is_nowhere() -> None:
    """TensorFlow's kernel refuses it, too."""
    with gc.Graph().as_default(), pytest.raises(ValueError, match="rank 1 or more"):
        gc.where(gc.constant(True))


def test_patches_fit_into_their_picture() -> None:
    """As in TensorFlow, where a window may be too large by less than a step."""
    def patches(rows: int) -> gc.Tensor:
        picture = gc.placeholder(gc.float32, [1, rows, 5, 2])
        return gc.image.extract_image_patches(picture, [1, 3, 1, 1], [1, 1, 1, 1], [1, 3, 1, 1], "VALID")

    with gc.Graph().as_default():
        assert patches(6).shape.as_list() == [1, 0, 5, 6]
        with pytest.raises(ValueError, match="window of 7 must fit into a size of 4"):
            patches(4)
