"""The menu of the documentation: title -> page of docs/. "*": the pages that nothing else here names, by their titles;
"reference/": the generated API reference."""
from __future__ import annotations

from typing import Any

NAVIGATION: list[Any] = [
    {"Home": "index.md"},
    {"Guide": [
        {"A first graph": "guide/first-graph.md"},
        {"Training": "guide/training.md"},
        {"Saving and shipping": "guide/saving-and-shipping.md"},
        {"Loops and shapes": "guide/loops-and-shapes.md"},
        {"Seeing what the compiler did": "guide/seeing.md"},
        {"Coming from TensorFlow 1 or PyTorch": "guide/coming-from.md"},
    ]},
    {"Notebooks": [
        {"Train on digits, and look at it": "notebooks/digits.md"},
        {"A frozen TensorFlow graph, run in C++": "notebooks/to_cpp.md"},
    ]},
    {"API": "reference/"},
    {"C and C++": [
        {"Running and training in C++": "cpp.md"},
        {"From CMake to the first call": "embedding.md"},
        {"C API": "reference/c.md"},
    ]},
    {"Details": [
        {"TensorFlow 1 programs": "tf1.md"},
        {"Scripts that were run": "tf1-scripts.md"},
        {"Files": "files.md"},
        {"ONNX": "onnx.md"},
        {"On a GPU": "cuda.md"},
        {"How near to TensorFlow": "parity.md"},
        "*",
    ]},
    {"How fast": [
        {"Whole programs": "performance.md"},
        {"By kind": "performance/*"},
    ]},
    {"Decisions": [
        {"By subject": "adr/README.md"},
        {"By number": "adr/*"},
    ]},
    {"Project": [
        {"Architecture": "architecture.md"},
        {"Contributing": "contributing.md"},
        {"Changes": "changelog.md"},
    ]},
]


def pages(entries: list[Any]) -> list[str]:
    """The pages that these entries name, at any depth."""
    found: list[str] = []
    for entry in entries:
        for part in entry.values() if isinstance(entry, dict) else (entry,):
            found += pages(part) if isinstance(part, list) else [part]
    return found
