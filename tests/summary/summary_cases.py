"""Summaries of all kinds, built through `tf`: graphc, or TensorFlow, when data/summaries.txt is recorded.

    <python with TensorFlow> tests/summary/summary_cases.py > tests/summary/data/summaries.txt
"""
from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np


def built(tf: Any) -> tuple[dict[str, Any], dict[Any, Any]]:
    """The summaries by name, and what is fed."""
    r = np.random.RandomState(0)
    f = tf.placeholder(tf.float32, [None], name="f")
    negative = r.randn(2, 4, 4, 4).astype(np.float32)
    negative[0, 1, 2, 3], negative[1, 0, 0, 0] = np.nan, np.inf
    s = tf.summary
    made = {"scalar": s.scalar("loss", 0.25), "again": s.scalar("loss", tf.constant(3)),
            "family": s.scalar("acc", tf.constant(0.5, tf.float64), family="train")}
    with tf.name_scope("outer"):
        made["cleaned"] = s.scalar("loss : x", f[0], collections=["mine"])
        made["inner"] = s.histogram("w", f, family="fam")
    for name, values in {"float32": r.randn(1000).astype(np.float32), "float64": r.randn(50, 3) * 1e5,
                         "int64": np.array([0, 0, -3, 10**12]), "none": np.zeros([0]),
                         "float16": np.array([1.5, -2.25], np.float16)}.items():
        made[f"histogram {name}"] = s.histogram(f"h/{name}", values)
    made["audio"] = s.audio("a", np.linspace(-1.2, 1.2, 24).reshape(2, 6, 2).astype(np.float32), 8000.0)
    made["audio of one"] = s.audio("a1", np.linspace(-1, 1, 9).reshape(1, 9).astype(np.float32), 0.3, max_outputs=1)
    made["text"] = s.text("t", tf.constant([["a", "b"], ["c", ""]]))
    made["tensor"] = s.tensor_summary("ts", tf.constant([1.5, 2]), "about", display_name="shown", family="q")
    made["tensor of none"] = s.tensor_summary("th", tf.constant(np.zeros([2, 0], np.float16)))
    made["tensor of bool"] = s.tensor_summary("tb", tf.constant([True, False]))
    for name, images in {"uint8": r.randint(0, 255, (4, 5, 7, 3)).astype(np.uint8),
                         "float32": r.rand(2, 4, 4, 1).astype(np.float32) * 3, "negative": negative,
                         "float16": r.randn(1, 6, 6, 3).astype(np.float16),
                         "float64": np.abs(r.randn(1, 6, 6, 3)) * 1e-3, "zeros": np.zeros((1, 2, 2, 1), np.float32),
                         }.items():
        made[f"image {name}"] = s.image(f"i/{name}", images, max_outputs=1 if name == "float32" else 3)
    made["merge"] = s.merge([made["scalar"], made["histogram int64"]])
    made["merge named"] = s.merge([made["text"], made["tensor"]], name="mm", collections=["mine"])
    made["merge_all"] = s.merge_all()
    made["merge_all of"] = s.merge_all("mine")
    made["merge_all in"] = s.merge_all(scope="h/int")
    return made, {f: [1, 2, 3]}


def lines(tf: Any) -> Iterator[str]:
    """Name, op, inputs and bytes of each; of PNG files in them a checksum of the pixels, of long ones one of all."""
    from PIL import Image

    with tf.Graph().as_default(), tf.Session() as session:
        made, fed = built(tf)
        for name, tensor in made.items():
            summary = tf.Summary.FromString(session.run(tensor, fed))
            for value in summary.value:
                if value.HasField("image"):
                    pixels = np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)))
                    value.image.encoded_image_string = hashlib.md5(pixels.tobytes()).digest()
            data = summary.SerializeToString(deterministic=True)
            shown = hashlib.md5(data).hexdigest() if len(data) > 400 else data.hex()
            yield f"{name}: {tensor.name} of {' '.join(i.name for i in tensor.op.inputs)}: {shown}"


if __name__ == "__main__":
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    print("\n".join(lines(tensorflow)))
