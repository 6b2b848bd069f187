"""Crops of pictures and boxes in them, declared; their functions stand in kernels/cpu/image/."""
from __future__ import annotations

from .dtypes import FLOATS
from .kernel import Kernel, Operand, at_least, at_most, over

_PIXELS = ("f32", "f64", "i32", "i64", "u8", "i8", "i16", "u16")
_IMAGE = "batch * rows * columns * depth"
_CROPS = "boxes * high * wide * depth"
_DIMS = ("batch", "rows", "columns", "depth", "boxes", "high", "wide")
_RELATIONS = (*at_least(0, *_DIMS), "rows > 0 or boxes == 0", "columns > 0 or boxes == 0")
_DRAWN = ("batch", "rows", "columns", "depth", "boxes", "colors", "channels")
_GLIMPSE = ("batch", "rows", "columns", "depth", "high", "wide")
_SUPPRESSED = (Operand("score", "in", "f32", "boxes"), Operand("most_overlap", "in", "f32", "1"),
               Operand("least_score", "in", "f32", "1"), Operand("sigma", "in", "f32", "1"),
               Operand("out", "out", "i32", "most"), Operand("kept", "out", "f32", "most"),
               Operand("count", "out", "i64", "1"))
_CLASSES = ("batch", "boxes", "kinds", "classes", "each", "most")

KERNELS = (
    Kernel("crop_boxes",
           (Operand("image", "in", "T", _IMAGE), Operand("box", "in", "f32", "boxes * 4"),
            Operand("index", "in", "i32", "boxes"), Operand("outside", "in", "f32", "1"),
            Operand("out", "out", "f32", _CROPS)),
           _DIMS, ("nearest",), over(T=_PIXELS),
           "cpu.image.crop_boxes:make_crop",
           _RELATIONS, "8 * boxes * high * wide * depth"),
    Kernel("crop_boxes_image_grad",
           (Operand("grads", "in", "f32", _CROPS), Operand("box", "in", "f32", "boxes * 4"),
            Operand("index", "in", "i32", "boxes"), Operand("out", "out", "T", _IMAGE)),
           _DIMS, ("nearest",), over(T=FLOATS), "cpu.image.crop_boxes:make_image_gradient",
           _RELATIONS, "8 * boxes * high * wide * depth"),
    Kernel("crop_boxes_box_grad",
           (Operand("grads", "in", "f32", _CROPS), Operand("image", "in", "T", _IMAGE),
            Operand("box", "in", "f32", "boxes * 4"), Operand("index", "in", "i32", "boxes"),
            Operand("out", "out", "f32", "boxes * 4")),
           _DIMS, (), over(T=_PIXELS),
           "cpu.image.crop_boxes:make_box_gradient",
           _RELATIONS, "16 * boxes * high * wide * depth"),
    Kernel("draw_boxes",
           (Operand("image", "in", "f32", _IMAGE), Operand("box", "in", "f32", "batch * boxes * 4"),
            Operand("color", "in", "f32", "colors * channels"), Operand("out", "out", "f32", _IMAGE)),
           _DRAWN, (), over(), "cpu.image.draw_boxes:make",
           (*at_least(0, "batch", "rows", "columns", "depth", "boxes", "channels"), *at_least(1, "colors"),
            "channels >= depth")),
    Kernel("glimpse",
           (Operand("image", "in", "f32", _IMAGE), Operand("place", "in", "f32", "batch * 2"),
            Operand("out", "inout", "f32", "batch * high * wide * depth")),
           _GLIMPSE, ("centered", "normalized"), over(), "cpu.image.glimpse:make",
           (*at_least(0, *_GLIMPSE, "centered", "normalized"), *at_most(1, "centered", "normalized"),
            *at_most(1 << 26, "rows", "columns", "high", "wide"))),
    Kernel("interpolate",
           (Operand("x", "in", "f32", "outer * old * inner"), Operand("low", "in", "i32", "count"),
            Operand("high", "in", "i32", "count"), Operand("part", "in", "f32", "count"),
            Operand("out", "out", "f32", "outer * count * inner")),
           ("outer", "old", "inner", "count"), (), over(), "cpu.image.interpolate:make_linear",
           at_least(0, "outer", "old", "inner", "count"), "3 * outer * count * inner"),
    Kernel("blend",
           (Operand("x", "in", "f32", "outer * old * inner"), Operand("index", "in", "i32", "count * taps"),
            Operand("weight", "in", "f32", "count * taps"), Operand("out", "out", "f32", "outer * count * inner")),
           ("outer", "old", "inner", "count", "taps"), (), over(), "cpu.image.interpolate:make_blend",
           at_least(0, "outer", "old", "inner", "count", "taps"), "2 * outer * count * inner * taps"),
    Kernel("suppress_boxes", (Operand("box", "in", "f32", "boxes * 4"), *_SUPPRESSED),
           ("boxes", "most"), (), over(), "cpu.image.suppression:make_boxes",
           (*at_least(0, "boxes", "most"), *at_most(1 << 30, "boxes"))),
    Kernel("suppress_overlaps", (Operand("table", "in", "f32", "boxes * boxes"), *_SUPPRESSED),
           ("boxes", "most"), (), over(), "cpu.image.suppression:make_overlaps",
           (*at_least(0, "boxes", "most"), *at_most(1 << 30, "boxes"))),
    Kernel("suppress_classes",
           (Operand("box", "in", "f32", "batch * boxes * kinds * 4"),
            Operand("score", "in", "f32", "batch * boxes * classes"), Operand("most_overlap", "in", "f32", "1"),
            Operand("least_score", "in", "f32", "1"), Operand("out_box", "out", "f32", "batch * most * 4"),
            Operand("out_score", "out", "f32", "batch * most"), Operand("out_class", "out", "f32", "batch * most"),
            Operand("count", "out", "i32", "batch")),
           _CLASSES, ("clip",), over(), "cpu.image.suppression:make_classes",
           (*at_least(0, *_CLASSES, "clip"), *at_most(1, "clip"), *at_most(1 << 30, "boxes"),
            "kinds == 1 or kinds == classes")),
)
