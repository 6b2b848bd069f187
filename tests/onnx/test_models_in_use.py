"""What models that are in use do, and the standard does not say: found with files of other programs."""
from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import model_of, numbers, run

import graphc as gc

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
CUBIC = [19.78985023498535, 126.42913055419922, 1.8053138256072998]
REGIONS = {"avg": [1.5024652481079102, 8.371213912963867, 29.77170181274414, 30.52910041809082, 8.30356502532959,
                   4.403888702392578],
           "max": [1.869140863418579, 6.851245880126953, 11.10119915008545, 13.11960220336914, 9.805828094482422,
                   16.809999465942383]}


def test_a_size_of_minus_one_is_not_known() -> None:
    """Paddle's exporter writes that."""
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (FLOAT, [-1, 3])}, ["y"])
    assert gc.onnx.load(model).inputs["x"].shape.as_list() == [None, 3]
    np.testing.assert_array_equal(run(model, numbers(4, 3))[0], np.maximum(numbers(4, 3), 0))


def _squeeze_model(index: int) -> object:
    """`x.squeeze(index)` of an axis whose size torch.onnx does not know."""
    squeeze = helper.make_graph([helper.make_node("Squeeze", ["x", "axis"], ["a"])], "then", [],
                                [helper.make_tensor_value_info("a", FLOAT, None)])
    keep = helper.make_graph([helper.make_node("Identity", ["x"], ["b"])], "else", [],
                             [helper.make_tensor_value_info("b", FLOAT, None)])
    nodes = [helper.make_node("Shape", ["x"], ["shape"]), helper.make_node("Gather", ["shape", "axis"], ["size"]),
             helper.make_node("Equal", ["size", "one"], ["is_one"]),
             helper.make_node("If", ["is_one"], ["h"], then_branch=squeeze, else_branch=keep),
             helper.make_node("ReduceMean", ["h", "last"], ["y"], keepdims=0)]
    constants = {"axis": np.array([index]), "one": np.array([1]), "last": np.array([-1])}
    return model_of(nodes, {"x": (FLOAT, ["a", "b", 3])}, ["y"], constants)


def test_a_branch_that_squeezes_an_axis_of_unknown_size_is_taken() -> None:
    x = numbers(4, 1, 3)
    np.testing.assert_allclose(run(_squeeze_model(1), x)[0], x[:, 0].mean(-1), rtol=1e-5)
    with pytest.raises(gc.errors.InvalidArgumentError, match="Squeeze"):
        run(_squeeze_model(1), numbers(4, 2, 3))


def test_a_rank_that_is_asked_for_is_known() -> None:
    """Size of Shape, as torch.onnx writes `x.dim()`."""
    wide = helper.make_graph([helper.make_node("Unsqueeze", ["x", "zero"], ["a"])], "then", [],
                             [helper.make_tensor_value_info("a", FLOAT, None)])
    same = helper.make_graph([helper.make_node("Identity", ["x"], ["b"])], "else", [],
                             [helper.make_tensor_value_info("b", FLOAT, None)])
    nodes = [helper.make_node("Shape", ["x"], ["shape"]), helper.make_node("Size", ["shape"], ["rank"]),
             helper.make_node("Equal", ["rank", "two"], ["is_two"]), helper.make_node("Not", ["is_two"], ["other"]),
             helper.make_node("If", ["other"], ["h"], then_branch=wide, else_branch=same),
             helper.make_node("Softmax", ["h"], ["y"], axis=1)]
    model = model_of(nodes, {"x": (FLOAT, ["n", 3])}, ["y"], {"two": np.array(2), "zero": np.array([0])})
    made = gc.onnx.load(model)
    assert made.outputs["y"].shape.as_list() == [None, 3]


def test_all_boxes_are_asked_for_by_the_greatest_integer() -> None:
    boxes = np.array([[[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]]], np.float32)
    model = model_of([helper.make_node("NonMaxSuppression", ["b", "s", "most", "overlap"], ["y"])],
                     {"b": (FLOAT, [1, "n", 4]), "s": (FLOAT, [1, 1, "n"])}, ["y"],
                     {"most": np.array([np.iinfo(np.int64).max]), "overlap": np.array([0.5], np.float32)})
    found = run(model, boxes, np.array([[[0.5, 0.9, 0.7]]], np.float32))[0]
    np.testing.assert_array_equal(found, [[0, 0, 1], [0, 0, 2]])


def test_cubic_taps_stay_inside_one_by_one() -> None:
    """At a border a tap outside is the outermost element, and the place is not moved: numbers of onnxruntime 1.32."""
    x = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4) ** 2
    grid = np.array([[[[-1.2, 0.1], [0.9, 1.3], [0.3, -1.1]]]], np.float32)
    model = model_of([helper.make_node("GridSample", ["x", "grid"], ["y"], mode="cubic", padding_mode="border",
                                       align_corners=1)], {"x": (FLOAT, [1, 1, 3, 4]), "grid": (FLOAT, [1, 1, 3, 2])},
                     ["y"])
    np.testing.assert_allclose(run(model, x, grid)[0].reshape(-1), CUBIC, rtol=1e-5)


@pytest.mark.parametrize("mode", ["avg", "max"])
def test_regions_with_as_many_points_as_they_cover(mode: str) -> None:
    """sampling_ratio 0: numbers of onnxruntime 1.32; a region of 5 x 3 elements, a small one, one that leads out."""
    x = np.arange(2 * 1 * 6 * 7, dtype=np.float32).reshape(2, 1, 6, 7) ** 2 / 100
    regions = np.array([[1, 0.5, 4.25, 5.5], [2, 2, 2.2, 2.2], [3, 3, 9, 8]], np.float32)
    model = model_of([helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], mode=mode, output_height=2, output_width=1,
                                       sampling_ratio=0, coordinate_transformation_mode="half_pixel")],
                     {"x": (FLOAT, ["n", 1, "h", "w"]), "r": (FLOAT, ["k", 4]), "b": (INT64, ["k"])}, ["y"])
    found = run(model, x, regions, np.array([0, 1, 0]))[0]
    np.testing.assert_allclose(found.reshape(-1), REGIONS[mode], rtol=1e-5)
    assert run(model, x, regions[:0], np.zeros(0, np.int64))[0].shape == (0, 1, 2, 1)


def test_a_shape_of_sizes_that_are_not_known_keeps_them() -> None:
    """[batch, height / 2, 2, ...] by Shape, Gather and Div: the sizes stay sizes, as those of a fixed shape do."""
    nodes = [helper.make_node("Shape", ["x"], ["shape"]), helper.make_node("Gather", ["shape", "one"], ["height"]),
             helper.make_node("Div", ["height", "two"], ["half"]), helper.make_node("Gather", ["shape", "zero"], ["n"]),
             helper.make_node("Concat", ["n", "half", "two", "rest"], ["new"], axis=0),
             helper.make_node("Reshape", ["x", "new"], ["h"]), helper.make_node("ReduceMax", ["h", "two"], ["y"])]
    constants = {"zero": np.array([0]), "one": np.array([1]), "two": np.array([2]), "rest": np.array([-1])}
    model = model_of(nodes, {"x": (FLOAT, ["n", "h", 3])}, ["y"], constants)
    x = numbers(2, 6, 3)
    np.testing.assert_array_equal(run(model, x)[0], x.reshape(2, 3, 2, 3).max(2, keepdims=True))
    shape = gc.onnx.load(model, shapes={"x": [2, None, 3]}).outputs["y"].shape.as_list()
    assert shape == [2, None, 1, None]


def test_aligned_corners_of_torch_are_whole() -> None:
    """5 * 0.5 elements are 2, whose corners are the old ones: torch.onnx writes the scale only."""
    model = model_of([helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear",
                                       coordinate_transformation_mode="align_corners")], {"x": (FLOAT, [1, 1, "w"])},
                     ["y"], {"scales": np.array([1, 1, 0.5], np.float32)})
    x = np.array([[[3, 1, 4, 1, 5]]], np.float32)
    model.producer_name = "pytorch"
    np.testing.assert_allclose(run(model, x)[0], [[[3, 5]]])


@pytest.mark.parametrize("mode", ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"])
@pytest.mark.parametrize("height, width, scales", [
    (3, 5, (2, 4)), (17, 8, (1.0, 0.5)), (1, 6, (3, 1.5)), (4, 9, (0.25, 3)), (31, 2, (2, 2))])
def test_pictures_of_known_size_are_resized_as_others(mode: str, height: int, width: int,
                                                      scales: tuple[float, ...]) -> None:
    """They go by an op of their own, others by sums of gathered elements."""
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear", coordinate_transformation_mode=mode)
    made = {"scales": np.array([1, 1, *scales], np.float32)}
    known, unknown = (model_of([node], {"x": (FLOAT, [2, 3, *sizes])}, ["y"], made)
                      for sizes in ((height, width), ("h", "w")))
    x = numbers(2, 3, height, width)
    both = 1 not in (round(height * scales[0]), scales[0], scales[1])
    types = {op.type for op in gc.onnx.load(known).graph.get_operations()}
    assert ("ResizeBilinear" in types) == both
    assert "ResizeBilinear" not in {op.type for op in gc.onnx.load(unknown).graph.get_operations()}
    np.testing.assert_allclose(run(known, x)[0], run(unknown, x)[0], rtol=2e-5, atol=3e-5)     # places of float32
