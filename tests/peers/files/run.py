"""Files that other programs wrote, run by them and here: `make peers-files`; FILES=mobilenet,lstm takes some of them.

Each is made once, in build/peers-files, and measured once (--again: anew), in processes of its own. The table of all
that were measured is written into docs/files.md. Exits with 1 if one of those asked for fails or differs.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from table import failure, row, write_into

# The module that makes them, and their names; small ones first.
MODELS = {
    "recurrent_nets": ("dynamic_lstm", "dynamic_gru_layers", "bidirectional_lengths", "greedy_decoder",
                       "attention_decoder", "training_step", "nested_loops"),
    "session_nets": ("beam_search", "best_path", "boxes_of_pictures", "block_cells", "encoder_of_words"),
    "keras_nets": ("keras2_lstm", "keras2_lstm_functions", "keras2_gru", "keras2_bidirectional", "keras2_masked_lstm",
                   "keras2_attention", "keras2_transformer", "keras3_lstm", "keras3_bidirectional_functions",
                   "keras3_attention", "keras3_transformer", "mobilenet_v2", "mobilenet_v2_in_session", "mobilenet_v3",
                   "nasnet_mobile", "efficientnet_b0", "efficientnet_v2_b0", "densenet121", "xception", "inception_v3",
                   "resnet50", "resnet50_v2", "convnext_tiny", "inception_resnet_v2", "vgg16", "mobilenet",
                   "mobilenet_v3_large", "densenet169", "resnet101_v2", "efficientnet_b3", "efficientnet_v2_s",
                   "convnext_small"),
    "keras_layers": ("keras2_rows", "keras2_volumes", "keras2_pictures", "keras2_squeezed", "keras2_preprocessed",
                     "keras2_memory", "keras2_masked", "keras2_recurrent", "keras2_films", "keras2_activations",
                     "keras2_categories", "keras2_autoencoder", "keras3_rows", "keras3_volumes", "keras3_pictures",
                     "keras3_memory", "keras3_masked", "keras3_recurrent"),
    "package_nets": ("silero_vad", "silero_vad_half", "magika", "ocr_detection", "ocr_recognition", "ocr_direction"),
    "torch_nets": ("torch_mlp", "torch_lstm", "torch_gru", "torch_transformer", "torch_resnet18", "torch_mobilenet",
                   "torch_unet"),
}
HERE = Path(__file__).parent
MODULES = Path("build/peers-files/modules")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="the Python of the peers' environment")
    parser.add_argument("--runner", required=True)
    parser.add_argument("--only", default="", help="parts of names, separated by commas; default: all")
    parser.add_argument("--again", action="store_true", help="measures again what was measured")
    parser.add_argument("--folder", type=Path, default=Path("build/peers-files"))
    parser.add_argument("--write", metavar="FILE.md")
    options = parser.parse_args()
    parts = [part for part in options.only.split(",") if part] or [""]
    failures = []
    for name, module in ((name, module) for module, names in MODELS.items() for name in names):
        if any(part in name for part in parts):
            measured(name, module, options)
            found = json.loads((options.folder / name / "result.json").read_text())
            print(row(name, found), end="", flush=True)
            if why := failure(name, found):
                failures.append(f"{name}: {why}")
    if options.write:
        all_names = [name for names in MODELS.values() for name in names]
        write_into(Path(options.write), options.folder, all_names)
    print(*failures, sep="\n")
    return int(bool(failures))


def measured(name: str, module: str, options: Any) -> None:
    """Makes and measures what is not there yet. What fails is written down as the result, and tried again next time."""
    folder = options.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "result.json"
    if result.exists() and not options.again and "error" not in json.loads(result.read_text()):
        return
    commands = [[options.peers, HERE / "make.py", module, name, folder]] * (not (folder / "model.json").exists())
    commands.append([sys.executable, HERE / "measure.py", folder, options.peers, options.runner])
    # With byte code cached, as in an installation: what is imported when it is needed is part of the times.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["FILES_MODULES"] = str(MODULES.absolute())
    for command in commands:
        with open(folder / "log", "w") as log:
            code = subprocess.run(command, stdout=log, stderr=log, env=environment).returncode
        if code:
            lines = (folder / "log").read_text().strip().splitlines() or [f"exit status {code}"]
            result.write_text(json.dumps({"error": f"{command[1].stem}: {lines[-1][-500:]}"}))
            return


if __name__ == "__main__":
    sys.exit(main())
