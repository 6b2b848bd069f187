"""Writing a model as a SavedModel for serving, in a folder named after the second."""
from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from typing import Any

import graphc as gc
from graphc.estimator.arguments import LOG
from graphc.estimator.export_outputs import DEFAULT_KEY, ExportOutput
from graphc.estimator.spec import EstimatorSpec

_TRIES = 10


def export(base: str, spec: EstimatorSpec, receiver: Any, checkpoint_path: str, session_config: Any,
           assets_extra: Mapping[str, str], as_text: bool, strip_default_attrs: bool) -> bytes:
    """The new folder's path. It appears when it is complete."""
    signatures = _signatures(spec.export_outputs, receiver)
    folder = _new_folder(base)
    unfinished = os.path.join(base, f"temp-{os.path.basename(folder)}")
    try:
        _write(unfinished, spec, signatures, checkpoint_path, session_config, as_text, strip_default_attrs)
        for name, source in assets_extra.items():
            target = _inside(os.path.join(unfinished, "assets.extra"), name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
        os.rename(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return os.fsencode(folder)


def _write(folder: str, spec: EstimatorSpec, signatures: Mapping[str, Any], checkpoint_path: str, session_config: Any,
           as_text: bool, strip_default_attrs: bool) -> None:
    builder = gc.saved_model.builder.SavedModelBuilder(folder)
    scaffold = spec.scaffold
    main_op = scaffold.local_init_op if scaffold.local_init_op is not None else scaffold.default_local_init_op()
    saver = scaffold.saver or gc.train.Saver(sharded=True)
    with gc.Session(config=session_config) as session:
        try:
            saver.restore(session, checkpoint_path)
        except gc.errors.NotFoundError as error:
            raise ValueError("Could not load all requested variables from checkpoint. Please make sure your model_fn "
                             f"does not expect variables that were not saved in the checkpoint.\n\n{error}") from error
        builder.add_meta_graph_and_variables(
            session, [gc.saved_model.tag_constants.SERVING], signatures,
            gc.get_collection(gc.GraphKeys.ASSET_FILEPATHS), main_op=main_op, saver=saver,
            strip_default_attrs=strip_default_attrs)
    builder.save(as_text)


def _signatures(outputs: Mapping[str, ExportOutput], receiver: Any) -> dict[str, Any]:
    """By name. Outputs that the inputs cannot have a signature with (a classification needs one tensor of Examples) are
    left out, and told in the log."""
    inputs = {None: receiver.receiver_tensors, **(receiver.receiver_tensors_alternatives or {})}
    made: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for kind, tensors in inputs.items():
        for key, output in outputs.items():
            name = key if kind is None else f"{kind}:{key}"
            try:
                signature = output.as_signature_def(tensors)
            except ValueError as error:
                left_out[name] = str(error)
                continue
            if gc.saved_model.is_valid_signature(signature):
                made[name] = signature
            else:
                left_out[name] = "TensorFlow Serving could not serve it"
    LOG.info("Signatures INCLUDED in export: %s", sorted(made))
    if left_out:
        LOG.info("Signatures EXCLUDED from export: %s", left_out)
    if DEFAULT_KEY not in made:
        LOG.warning("Export includes no default signature!")
    return made


def _new_folder(base: str) -> str:
    """base/<seconds since 1970> that is not there yet: one second later if it is."""
    for _ in range(_TRIES):
        folder = os.path.join(base, str(int(time.time())))
        if not os.path.exists(folder):
            return folder
        time.sleep(1)
    raise RuntimeError(f"Failed to obtain a unique export directory name after {_TRIES} attempts: {folder} exists")


def _inside(folder: str, name: str) -> str:
    path = os.path.normpath(os.path.join(folder, name))
    if not path.startswith(folder + os.sep):
        raise ValueError(f"assets_extra: the path {name!r} leads out of assets.extra")
    return path
