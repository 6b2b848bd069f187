"""A meta graph (model.ckpt-100.meta) and its checkpoint; the path may be the checkpoint's name, or a folder
of checkpoints."""
from __future__ import annotations

import os

import graphc as gc
from graphc.convert.formats import ModelFormat, OpenedModel, Wishes
from graphc.convert.saved_model import signatures_of
from graphc.errors import NotFoundError
from graphc.io.checkpoint.opening import checkpoint_files
from graphc.train.saving.import_meta import read_meta_graph


def _meta_file(path: str) -> str | None:
    if path.endswith(".meta"):
        return path
    prefix = gc.train.latest_checkpoint(path) if os.path.isdir(path) else path
    meta = f"{prefix}.meta"
    return meta if prefix and os.path.isfile(meta) else None


def open_meta_graph(path: str, wishes: Wishes) -> OpenedModel:
    meta = _meta_file(path)
    assert meta is not None
    prefix = wishes.checkpoint or meta.removesuffix(".meta")
    with gc.Graph().as_default() as graph:
        session = gc.Session(graph=graph)
        found = read_meta_graph(meta)
        saver = gc.train.import_meta_graph(found, clear_devices=True)
        if saver is not None:
            if not checkpoint_files(prefix):
                raise NotFoundError(f"there is no checkpoint {prefix} for {meta}: say where it is with --checkpoint")
            saver.restore(session, prefix)
    return OpenedModel(session, signatures_of(found, graph))


FORMAT = ModelFormat("a meta graph with its checkpoint (.meta)",
                     lambda path: _meta_file(path) is not None, open_meta_graph)
