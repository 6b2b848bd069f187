"""Makes graphc/serial/*_pb2.py and their stubs of proto/*.proto. Needs the extra `proto` (pip install 'graphc[proto]').

    python tools/protos.py

protoc sees proto/ as graphc/serial/, so that files import each other under the names they have when installed, and no
other package's "graph.proto" is in their way.
"""
from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    from importlib.resources import files

    from grpc_tools import protoc

    names = [f"graphc/serial/{path.name}" for path in sorted((ROOT / "proto").glob("*.proto"))]
    standard = files("grpc_tools") / "_proto"
    return int(protoc.main(["protoc", f"-Igraphc/serial={ROOT / 'proto'}", f"-I{standard}", f"--python_out={ROOT}",
                            f"--pyi_out={ROOT}", *names]))


if __name__ == "__main__":
    sys.exit(main())
