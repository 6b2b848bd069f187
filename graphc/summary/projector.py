"""TensorBoard's projector of embeddings: the file that tells it what to show."""
from __future__ import annotations

import os
from typing import Any

from google.protobuf import text_format

import graphc as gc
from graphc.api.public import public

FILE = "projector_config.pbtxt"


@public("contrib.tensorboard.plugins.projector.visualize_embeddings")
def visualize_embeddings(summary_writer: Any, config: gc.contrib.tensorboard.plugins.projector.ProjectorConfig) -> None:
    """Writes `config` into the folder of a FileWriter, as `tf.contrib.tensorboard.plugins.projector` does.

    config: a ProjectorConfig. Raises ValueError for a writer without a folder, NotFoundError and the like if the file
    cannot be written.

    >>> projector = gc.contrib.tensorboard.plugins.projector
    >>> config = projector.ProjectorConfig()
    >>> config.embeddings.add(tensor_name="words", metadata_path="words.tsv").tensor_name
    'words'
    >>> projector.visualize_embeddings(gc.summary.FileWriter("embedded"), config)
    >>> gc.io.gfile.glob("embedded/*.pbtxt")
    ['embedded/projector_config.pbtxt']
    """
    folder = summary_writer.get_logdir()
    if folder is None:
        raise ValueError("Summary writer must have a logdir")
    path = os.path.join(folder, FILE)
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text_format.MessageToString(config))
    except OSError as error:
        raise gc.errors.of_file(path, error) from None
