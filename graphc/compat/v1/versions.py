"""The version of TensorFlow whose names and behaviour these are: scripts compare it."""
from __future__ import annotations

VERSION = "1.15.5"
GIT_VERSION = COMPILER_VERSION = "graphc"
GRAPH_DEF_VERSION, GRAPH_DEF_VERSION_MIN_CONSUMER, GRAPH_DEF_VERSION_MIN_PRODUCER = 134, 0, 0
CXX11_ABI_FLAG, MONOLITHIC_BUILD = 0, 0
