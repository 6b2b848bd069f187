"""ONNX models that packages of PyPI bring along: speech, kinds of files, text in pictures. run.sh installs those."""
from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from kinds import Description, drawn

Cases = list[list[np.ndarray]]
PACKAGES = Path(os.environ["FILES_MODULES"]).parent / "packages"


def _taken(name: str, cases: Cases, folder: Path) -> None:
    shutil.copy(PACKAGES / name, folder / "model.onnx")
    graph = onnx.load(str(folder / "model.onnx")).graph
    Description("model.onnx", [x.name for x in graph.input], [x.name for x in graph.output]).write(folder, cases)


def _pictures(*sizes: tuple[int, int, int]) -> Cases:
    return [[np.random.default_rng(batch).uniform(size=(batch, 3, height, width)).astype(np.float32)]
            for batch, height, width in sizes]


def _pages(*sizes: tuple[int, int, int]) -> Cases:
    """White pages with words in black: of noise a detector says nothing."""
    from PIL import Image, ImageDraw

    made = []
    for batch, height, width in sizes:
        page = Image.new("RGB", (width, height), "white")
        ImageDraw.Draw(page).text((8, 8), "Words, 1234\nof two lines", fill="black", font_size=20)
        rows = np.asarray(page, np.float32).transpose(2, 0, 1) / 127.5 - 1
        made.append([np.repeat(rows[None], batch, 0)])
    return made


def _sounds(*, with_rate: bool) -> Cases:
    rate = [np.array(16000)] if with_rate else []
    return [[drawn(batch, batch, 576) / 10, drawn(9, 2, batch, 128) / 10, *rate] for batch in (1, 2)]


def _bytes() -> Cases:
    return [[np.random.default_rng(batch).integers(0, 256, (batch, 2048)).astype(np.int32)] for batch in (1, 2)]


SPEECH, TEXT = "silero_vad/data", "rapidocr_onnxruntime/models"
MODELS: dict[str, Callable[[Path], None]] = {
    "silero_vad": partial(_taken, f"{SPEECH}/silero_vad.onnx", _sounds(with_rate=True)),
    "silero_vad_half": partial(_taken, f"{SPEECH}/silero_vad_half.onnx", _sounds(with_rate=False)),
    "magika": partial(_taken, "magika/models/standard_v3_3/model.onnx", _bytes()),
    "ocr_detection": partial(_taken, f"{TEXT}/ch_PP-OCRv4_det_infer.onnx", _pages((1, 96, 160), (2, 128, 192))),
    "ocr_recognition": partial(_taken, f"{TEXT}/ch_PP-OCRv4_rec_infer.onnx", _pictures((1, 48, 96), (2, 48, 160))),
    "ocr_direction": partial(_taken, f"{TEXT}/ch_ppocr_mobile_v2.0_cls_infer.onnx",
                             _pictures((1, 48, 192), (2, 48, 192))),
}
