"""Pictures of what bench/micro.py wrote: `python bench/micro_plot.py build/micro.json docs/pictures`; needs matplotlib,
the extra `plot`.

roofline.svg: operations a second over operations a byte, beneath what the machine's arithmetic and memory allow.
bars-KIND.svg: the time of each peer divided by graphc's, case by case.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

COLOURS = {"convolutions": "#1f6f8b", "products": "#c8553d", "maps": "#6b8e23", "torch": "#e07a3f",
           "onnxruntime": "#3f6fb5", "openblas": "#8a8a8a"}
NAMES = {"torch": "PyTorch", "onnxruntime": "onnxruntime", "openblas": "OpenBLAS"}
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "graphc", "font.size": 8, "axes.spines.top": False,
                            "axes.spines.right": False})


def roofline(machine: dict[str, Any], results: dict[str, list[dict[str, Any]]], target: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(6.4, 3.8))
    peak, bandwidth = machine["peak_f32"], machine["bandwidth"]
    reach = [0.05, peak / bandwidth, 2000]
    axes.plot(reach, [min(peak, x * bandwidth) / 1e9 for x in reach], color="#444444", linewidth=1)
    axes.annotate(f"{peak / 1e9:.0f} GF/s", (400, peak / 1e9 * 1.1))
    axes.annotate(f"{bandwidth / 1e9:.0f} GB/s from memory", (0.06, 0.06 * bandwidth / 1e9 * 1.6), rotation=32)
    for kind, rows in results.items():
        axes.scatter([r["flops"] / r["bytes"] for r in rows], [r["flops"] / r["seconds"]["graphc"] / 1e9 for r in rows],
                     s=9, color=COLOURS[kind], label=kind, linewidths=0)
    axes.set(xscale="log", yscale="log", xlabel="operations a byte", ylabel="GF/s",
             title=f"{machine['processor']}, {machine['isa']}, one thread")
    axes.legend(frameon=False, loc="lower right")
    _save(figure, target / "roofline.svg")


def bars(kind: str, rows: list[dict[str, Any]], target: Path) -> None:
    """One row of bars a peer, in the order of the cases."""
    peers = [name for name in NAMES if any(name in r["seconds"] for r in rows)]
    if not peers:
        return
    figure, all_axes = pyplot.subplots(len(peers), 1, figsize=(7.2, 0.6 + 1.3 * len(peers)), sharex=True, squeeze=False)
    for axes, peer in zip(all_axes[:, 0], peers, strict=True):
        known = [(i, r["seconds"][peer] / r["seconds"]["graphc"]) for i, r in enumerate(rows) if peer in r["seconds"]]
        axes.bar([i for i, _ in known], [ratio - 1 for _, ratio in known], bottom=1, color=COLOURS[peer], width=0.8)
        axes.axhline(1, color="#444444", linewidth=0.6)
        axes.set(yscale="log", ylabel=NAMES[peer])
        axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    all_axes[0, 0].set_title(f"{kind}: time of the peer / time of graphc (above 1 graphc is faster)")
    all_axes[-1, 0].set_xticks(*_labels(rows))
    _save(figure, target / f"bars-{kind}.svg")


def _labels(rows: list[dict[str, Any]]) -> tuple[list[int], list[str]]:
    """Where a network, a size or a function begins, and its name."""
    cases = [r["case"] for r in rows]
    groups = [str(c.get("net") or (f"{c['size']} numbers" if "size" in c else "")) for c in cases]
    begins = [i for i, group in enumerate(groups) if i == 0 or group != groups[i - 1]]
    return begins, [groups[i] for i in begins]


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    print(f"written: {path}, {path.stat().st_size:,} bytes")


def main() -> None:
    found, target = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    roofline(found["machine"], found["results"], target)
    for kind, rows in found["results"].items():
        bars(kind, rows, target)


if __name__ == "__main__":
    main()
